package escalate

import (
	"cmp"
	"context"
	"errors"
	"strings"
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

// Read reads the items of [table.Waiter], for [New]. The error wraps
// [followup.ErrEncoding].
func (c Callers) Read(caller string, items []table.Item) (Caller, error) {
	stored, err := ledger.Read(items)
	if err != nil {
		return Caller{}, err
	}
	stored.Facts.Person = stored.Person
	s := stored.State(c.Policy)
	if !s.Open() {
		return Caller{}, nil
	}
	unserved, more := s.Count()
	who := s.Who()
	w := alert.Waiter{
		CallID:     strings.TrimPrefix(s.First().ID, table.CallPartition("")),
		Key:        table.FollowUpKey(caller),
		Caller:     who.Phone,
		CallerText: who.Text,
		Withheld:   who.Withheld,
		Name:       cmp.Or(stored.Person.Name, who.Name),
		Company:    stored.Person.Company,
		Outcome:    s.Outcome(),
		First:      s.Since(),
		Unserved:   max(unserved, 1),
		More:       more,
		Attempts:   len(s.Attempts()),
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
