package lookup

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
)

// State says in a word how things stand with a caller, or what became of a call.
type State string

// The states. Others are those of a [followup.Reason].
const (
	// Waits: nobody has called back.
	Waits State = "waiting"
	// Unreached: several attempts failed, and nobody is reminded any more.
	Unreached State = "unreached"

	// The wait has ended, by a conversation or otherwise.
	Returned State = State(followup.Returned)  // we called, and talked
	Rescued  State = State(followup.Rescued)   // they called again, and somebody answered
	Queue    State = State(followup.Queue)     // JustCall called back from the queue
	Done     State = State(followup.ByHand)    // somebody said so
	Blocked  State = State(followup.IsBlocked) // the contact is blocked
	Own      State = State(followup.IsOwn)     // the number is one of our own
	History  State = State(followup.History)   // it was before ringback began
	Contact  State = "contact"                 // a contact of which no more is known

	// Answered: somebody answered the call after all.
	Answered State = "answered"
	// Outgoing: the call was ours.
	Outgoing State = "outgoing"
	// Nobody: there is nobody to call back, or nobody knows how the call ended.
	Nobody State = "nobody"
	// NeverWaited: every call of theirs was served.
	NeverWaited State = "new"
	// NotKnown: nothing is known yet.
	NotKnown State = ""
)

// Open reports whether the caller waits in this state.
func (s State) Open() bool { return s == Waits || s == Unreached }

// FollowUp is how things stand with a caller.
type FollowUp struct {
	State State `json:"state,omitzero"`

	// While the caller waits: Since and Latest are when the first and the latest call
	// began that nobody served. Unserved is how many there are, and more if More is set.
	// Outcome is the best of them, and Line that of the first. CallID is the latest's.
	Since    time.Time      `json:"since,omitzero"`
	Latest   time.Time      `json:"latest,omitzero"`
	Unserved int            `json:"unserved,omitzero"`
	More     bool           `json:"more,omitzero"`
	Outcome  events.Outcome `json:"outcome,omitzero"`
	Line     Line           `json:"line,omitzero"`
	CallID   string         `json:"call_id,omitzero"`
	// Attempts is how often somebody tried in vain to reach the caller, and Level how
	// far people were reminded.
	Attempts int `json:"attempts,omitzero"`
	Level    int `json:"level,omitzero"`
	// ClaimedBy is who takes care of the caller, until then.
	ClaimedBy    string    `json:"claimed_by,omitzero"`
	ClaimedUntil time.Time `json:"claimed_until,omitzero"`
	// SnoozedUntil is until when nobody is reminded.
	SnoozedUntil time.Time `json:"snoozed_until,omitzero"`
	// OtherNumber is another number of the same contact, with which somebody has talked since.
	OtherNumber string `json:"other_number,omitzero"`

	// If the caller does not wait: when that ended, who saw to it, and what they said.
	EndedAt time.Time `json:"ended_at,omitzero"`
	EndedBy string    `json:"ended_by,omitzero"`
	Why     string    `json:"why,omitzero"`
}

// followUp returns how things stand by what the table has of a caller.
func (l *Lookup) followUp(stored ledger.Stored) (f FollowUp) {
	if stored.Version == 0 {
		return f
	}
	s, now := stateOf(stored, l.Policy), l.Now()
	if !s.Open() {
		f.State = NeverWaited
		if c, ok := s.Closing(); ok && waited(stored, c) {
			f.end(c)
		}
		return f
	}
	f.State = Waits
	if s.Unreached() {
		f.State = Unreached
	}
	last := s.Last()
	f.Since, f.Latest, f.Outcome, f.CallID = s.Since(), last.Start, s.Outcome(), callID(last.ID)
	f.Unserved, f.More = s.Count()
	f.Line = l.line(s.Line(), s.LineName())
	f.Attempts, f.Level, f.OtherNumber = len(s.Attempts()), stored.Level(s), stored.OtherNumber
	if claim, ok := s.Claim(now); ok {
		f.ClaimedBy, f.ClaimedUntil = alert.OneLine(claim.By, maxName), claim.Until
	}
	f.SnoozedUntil = s.SnoozedUntil(now)
	return f
}

// waited reports whether a conversation that ends waits has ended one, as far as is known: of
// somebody whose calls were all answered, it has not.
func waited(stored ledger.Stored, c followup.Closing) bool {
	switch c.Reason {
	case followup.Returned, followup.Rescued:
	default:
		return true
	}
	const kept = 20 // of more calls, the older ones are not known
	return len(stored.Calls) >= kept ||
		slices.ContainsFunc(stored.Calls, func(c followup.Call) bool { return c.Effect == followup.Opens })
}

func stateOf(stored ledger.Stored, policy followup.Policy) followup.State {
	facts := stored.Facts
	facts.Person = stored.Person
	return facts.State(policy)
}

// end sets what ended the wait.
func (f *FollowUp) end(c followup.Closing) {
	f.State = State(c.Reason)
	f.EndedAt, f.EndedBy, f.Why = c.At, alert.OneLine(c.By, maxName), alert.OneLine(c.Why, maxText)
}

// became returns how things stand with the caller of one call, who waited from its start
// on if nobody served it. id is the partition of its events. sure is set if the
// follow-up knows the call.
func (l *Lookup) became(stored ledger.Stored, id string, start time.Time) (f FollowUp, sure bool) {
	if stored.Version == 0 {
		return f, false
	}
	if i := slices.IndexFunc(stored.Calls, func(c followup.Call) bool { return c.ID == id }); i >= 0 {
		call := stored.Calls[i]
		start, sure = call.Start, true
		served := slices.IndexFunc(stored.Calls, func(c followup.Call) bool { return serves(c, call) })
		switch {
		case call.Direction == events.Outbound:
			return FollowUp{State: Outgoing}, true
		case served >= 0:
			call = stored.Calls[served]
			return FollowUp{State: Answered, EndedAt: call.End, EndedBy: alert.OneLine(call.Agent, maxName)}, true
		case call.Effect != followup.Opens:
			return FollowUp{State: Nobody}, true
		}
	}
	now := l.followUp(stored)
	closing, ended := stored.EndAfter(start)
	switch {
	case now.State == Blocked, now.State == Own:
		return now, sure
	case ended:
		f.end(closing)
		return f, sure
	case now.State.Open():
		return now, sure
	}
	return FollowUp{State: Nobody}, sure
}

// serves reports whether somebody answered a call, on the telephone that it was for or on
// another of the same ring.
func serves(answered, call followup.Call) bool {
	return answered.Outcome == events.Answered && answered.Direction != events.Outbound &&
		(answered.ID == call.ID ||
			call.Line != "" && answered.Line == call.Line && answered.Start.Unix() == call.Start.Unix())
}

// load reads the follow-up and the contacts of a caller, with one query.
func (l *Lookup) load(ctx context.Context, caller string) (ledger.Stored, error) {
	return ledger.Load(ctx, l.store, caller)
}

// callID returns JustCall's id of the call whose events are in a partition, or "" if it
// has none.
func callID(partition string) string {
	id, ok := strings.CutPrefix(partition, table.CallPartition(""))
	if !ok {
		return ""
	}
	return id
}

// countOf reads a number of calls, such as "20+".
func countOf(text string) (n int, more bool) {
	text, more = strings.CutSuffix(text, "+")
	n, _ = strconv.Atoi(text)
	return n, more
}
