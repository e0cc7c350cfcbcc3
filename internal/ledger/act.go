package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var (
	// ErrUnknown means that nobody with that number has called or was called.
	ErrUnknown = errors.New("nothing is known of that caller")
	// ErrTooLate means that a pause would end when nobody is reminded any more, or that a claim
	// would last longer than a caller waits.
	ErrTooLate = errors.New("that is too late")
	// ErrAct means that an item is no hand act.
	ErrAct = errors.New("no hand act")
)

// ActItem returns the item of a hand act.
func ActItem(caller string, act followup.Act) table.Item {
	key := table.ActKey(caller, act.At, act.ID)
	item := table.Item{
		table.PK: attr.String(key.PK), table.SK: attr.String(key.SK),
		table.OccurredAt: attr.String(table.Time(act.At)),
		table.ActID:      attr.String(act.ID),
		table.Act:        attr.String(string(act.Kind)),
	}
	for name, text := range map[string]string{table.By: act.By, table.Why: act.Why} {
		if text != "" {
			item[name] = attr.String(text)
		}
	}
	if !act.Until.IsZero() {
		item[table.Until] = attr.String(table.Time(act.Until))
	}
	return item
}

// ReadAct reads the item of a hand act. The error is [ErrAct].
func ReadAct(item table.Item) (followup.Act, error) {
	at, ok := events.ParseTime(table.Text(item, table.OccurredAt))
	act := followup.Act{
		ID: table.Text(item, table.ActID), At: at, Kind: followup.ActKind(table.Text(item, table.Act)),
		By: table.Text(item, table.By), Why: table.Text(item, table.Why),
	}
	act.Until, _ = events.ParseTime(table.Text(item, table.Until))
	if !ok || act.ID == "" || act.Kind == "" {
		return followup.Act{}, ErrAct
	}
	return act, nil
}

// Outcome is what a caller's follow-up was when a hand act was stored.
type Outcome struct {
	Caller string `json:"caller"`
	// Waits is set if the caller waited, since then.
	Waits bool      `json:"waits"`
	Since time.Time `json:"since,omitzero"`
	// Text is what JustCall sent in place of the caller's number, made fit for people.
	// Withheld is set if the caller hid it.
	Text     string `json:"text,omitzero"`
	Withheld bool   `json:"withheld,omitzero"`
	// ClaimedBy is who took care of the caller, until then.
	ClaimedBy    string    `json:"claimed_by,omitzero"`
	ClaimedUntil time.Time `json:"claimed_until,omitzero"`
	// Reason, At and By say what ended the wait of a caller who does not wait.
	Reason followup.Reason `json:"reason,omitzero"`
	At     time.Time       `json:"at,omitzero"`
	By     string          `json:"by,omitzero"`
}

// Perform stores a hand act, which the ledger's consumer then applies. It returns what
// the follow-up was before. The error is [ErrUnknown] if there is no follow-up, so that
// a typing error does not look like success; [ErrTooLate] or [ErrFuture], if the consumer
// would refuse the act; otherwise that of [Load] or the store.
func Perform(ctx context.Context, store table.Store, policy followup.Policy, caller string, act followup.Act) (Outcome, error) {
	stored, storesNow, err := load(ctx, store, caller)
	if err != nil {
		return Outcome{}, err
	}
	if stored.Version == 0 {
		return Outcome{}, ErrUnknown
	}
	// The act was begun before the store answered, so the consumer cannot find it further ahead.
	if ahead := act.At.Sub(storesNow); !storesNow.IsZero() && ahead > maxAhead {
		return Outcome{}, fmt.Errorf("%w by %v. Nothing was stored: set that clock, and try again", ErrFuture, ahead.Round(time.Second))
	}
	if act.Kind == followup.ActClaim && act.Until.Sub(act.At) > policy.ExpireAfter {
		return Outcome{}, fmt.Errorf("%w: a claim ends after %.0f days at most", ErrTooLate, policy.ExpireAfter.Hours()/24)
	}
	facts := stored.Facts
	facts.Person = stored.Person
	before := facts.State(policy)
	if act.Kind == followup.ActSnooze && before.Expired(act.Until) {
		return Outcome{}, fmt.Errorf("%w: nobody is reminded of a caller who has waited for %.0f days", ErrTooLate, policy.ExpireAfter.Hours()/24)
	}
	act.At, act.Until = act.At.UTC().Truncate(time.Millisecond), act.Until.UTC().Truncate(time.Millisecond) // as items have it
	if last := before.Last().Start; act.At.Before(last) {
		act.At = last // whoever acts knows of that call: their clock is behind
	}
	if _, err := store.Put(ctx, ActItem(caller, act)); err != nil {
		return Outcome{}, fmt.Errorf("store the act: %w", err)
	}
	o := Outcome{Caller: caller, Waits: before.Open(), Since: before.Since()}
	if followup.IsCallSubject(caller) {
		who := before.Who()
		o.Text, o.Withheld = alert.OneLine(who.Text, alert.MaxName), who.Withheld
	}
	if claim, ok := before.Claim(act.At); ok {
		o.ClaimedBy, o.ClaimedUntil = claim.By, claim.Until
	}
	if closing, ok := before.Closing(); ok && !o.Waits {
		o.Reason, o.At, o.By = closing.Reason, closing.At, closing.By
	}
	return o, nil
}
