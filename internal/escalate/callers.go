package escalate

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
)

// Callers reads from the table who waits.
type Callers struct {
	// Policy says what calls mean.
	Policy followup.Policy
	// Lines has the business hours.
	Lines hours.Lines
}

// Settings are what people set.
type Settings struct {
	// BusinessHours and Holidays are as [hours.Parse] reads them, in Zone.
	BusinessHours, Holidays string
	Zone                    *time.Location
	// After and AgainAfter are the levels: see [NewPlan]. BlindAfter is [Plan.BlindAfter].
	After, AgainAfter, BlindAfter time.Duration
}

// Read returns the plan, and who reads callers for it. The error joins what is wrong: it
// wraps [ErrLevels], [hours.ErrHours] and [hours.ErrHolidays].
func (s Settings) Read() (Plan, Callers, error) {
	policy := followup.Default()
	lines, linesErr := hours.Parse(s.BusinessHours, s.Holidays, s.Zone)
	plan, planErr := NewPlan(s.After, s.AgainAfter, policy.ExpireAfter)
	plan.BlindAfter = s.BlindAfter
	return plan, Callers{Policy: policy, Lines: lines}, errors.Join(linesErr, planErr)
}

// Episode returns what matters of a caller's state.
func (c Callers) Episode(s followup.State) Episode {
	if !s.Open() {
		return Episode{}
	}
	return Episode{
		ID:          s.EpisodeID(),
		Since:       s.Since(),
		Last:        s.Last().Start,
		Calls:       s.CallsWithin(CallsWithin),
		Quiet:       !s.Escalates(),
		PausedUntil: s.PausedUntil,
		Hours:       c.Lines.Of(s.Line(), s.LineName()),
	}
}

// Read reads the items of [table.FollowUp], for [New]. The error wraps
// [followup.ErrEncoding].
func (c Callers) Read(caller string, items []table.Item) (Caller, error) {
	stored, err := ledger.Read(items)
	if err != nil {
		return Caller{}, err
	}
	stored.Facts.Person = stored.Person
	// guard 10 escalate (OurOwn): stored.Facts.Person.Own = false
	stored.Facts.Person.Own = c.Policy.Own[caller] // it may have been listed since
	s := stored.State(c.Policy)
	if !s.Open() {
		return Caller{}, nil
	}
	unserved, more := s.Count()
	who := s.Who()
	w := alert.Waiter{
		CallID:     strings.TrimPrefix(s.First().ID, table.CallPartition("")),
		Key:        table.FollowUpKey(caller),
		Caller:     who.Phone, // guard 10 escalate (AReminderSaysWho): Caller: caller,
		CallerText: who.Text,
		Withheld:   who.Withheld,
		Name:       cmp.Or(stored.Person.Name, who.Name),
		Company:    stored.Person.Company,
		Outcome:    s.Outcome(),
		First:      s.Since(),
		Unserved:   max(unserved, 1),
		More:       more,
		Attempts:   len(s.Attempts()),

		OtherNumber:  stored.OtherNumber,
		DoNotDisturb: stored.Person.DoNotDisturb,
	}
	if w.Caller == "" && !followup.IsCallSubject(caller) {
		w.Caller = caller
	}
	return Caller{Episode: c.Episode(s), Waiter: w, Line: s.Line(), LineName: s.LineName()}, nil
}

// Changed sets the timer of a caller whose follow-up was kept. It is for
// [ledger.Ledger].
func (r *Runner) Changed(callers Callers) func(ctx context.Context, caller string, before, after followup.State) error {
	return func(ctx context.Context, caller string, _, after followup.State) error {
		return r.Arm(ctx, caller, callers.Episode(after))
	}
}

// wokenAtOnce is how many callers [Wake] has looked at in one minute. A run has time for many
// more.
const wokenAtOnce = 500

// Wake returns a function for [ledger.Ledger] that sets a timer of each caller who waits,
// once. It needs no [Plan]: a run looks at the caller within some minutes, and sets the
// timer of what is due later.
func Wake(store table.Store, now func() time.Time) func(ctx context.Context, caller string, before, after followup.State) error {
	var mu sync.Mutex
	woken := make(map[string]bool)
	return func(ctx context.Context, caller string, _, after followup.State) error {
		began := now()
		if !after.Open() || after.Expired(began) {
			return nil
		}
		mu.Lock()
		was, n := woken[caller], len(woken)
		woken[caller] = true
		mu.Unlock()
		if was {
			return nil
		}
		return setTimer(ctx, store, caller, 1, nextMinute(began).Add(time.Duration(n/wokenAtOnce)*time.Minute))
	}
}
