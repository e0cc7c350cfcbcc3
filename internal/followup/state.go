package followup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// State is what the facts of a number come to.
type State struct {
	policy Policy
	facts  Facts
	bound  Closing
	// misses are the calls of the episode that nobody served, one for each ring, first
	// ones first. There are more if more is set, of which those in older are known.
	misses, older []Miss
	more          bool
	// lapsed is the last call of a wait that expired before this one began; zero for none.
	lapsed Miss
	// attempts are those since the first miss, first ones first.
	attempts []Tried
}

// Tried is an attempt to reach the caller.
type Tried struct {
	At    time.Time // when it ended
	Agent string
	Text  bool
}

// Reason says why a caller no longer waits.
type Reason string

// The reasons.
const (
	Returned  Reason = "returned" // we called, and talked
	Rescued   Reason = "rescued"  // they called again, and somebody answered
	Queue     Reason = "queue"    // JustCall called back from the queue
	ByHand    Reason = "done"     // somebody said so
	IsBlocked Reason = "blocked"  // the contact is blocked
	IsOwn     Reason = "own"      // the number is one of our own
	History   Reason = "history"  // it was before ringback began
	Earlier   Reason = "contact"  // a contact of which no more is known
	nothing   Reason = ""         // there was none yet
)

// Closing is what ends an episode: whoever called before it no longer waits.
type Closing struct {
	Reason Reason
	// At is when the conversation ended, or the act was done. Start is when the
	// conversation began; otherwise it is At.
	At, Start time.Time
	// ID is that of the call, text or act; "" if there is none.
	ID string
	// By is who talked, or did it, and Why what they said about it.
	By, Why string
}

// State returns what the facts come to under a policy.
func (f Facts) State(p Policy) State {
	s := State{policy: p, facts: f, bound: f.bound()}
	served := make(map[ring]bool)
	for _, c := range f.Calls {
		if c.Outcome == events.Answered && c.Direction != events.Outbound && c.Line != "" {
			served[c.miss().ring()] = true
		}
	}
	waits := func(m Miss) bool { return m.Start.After(s.bound.At) && !served[m.ring()] }

	rings := make(map[ring]int)
	for _, c := range slices.Backward(f.Calls) {
		m := c.miss()
		if c.Effect != Opens || !waits(m) {
			continue
		}
		if i, ok := rings[m.ring()]; ok {
			s.misses[i].Outcome = s.misses[i].Outcome.Best(m.Outcome)
			continue
		}
		rings[m.ring()] = len(s.misses)
		s.misses = append(s.misses, m)
	}
	for _, m := range slices.Concat([]Miss{f.Older.First, f.Older.Last}, f.Older.Minutes, f.Older.Hours) {
		if m.ID != "" && waits(m) {
			s.older, s.more = append(s.older, m), true
		}
	}
	slices.SortFunc(s.older, compareMisses)
	slices.SortFunc(s.misses, compareMisses)
	s.lapse()
	if s.Open() {
		s.attempts = f.attempts(s.Since())
	}
	return s
}

// lapse ends the wait of a caller when it expires: whoever calls again after that waits anew.
// Of a caller with more calls than are known one by one, it does not: which of them began a
// wait would change with each call, and so would what people are reminded of.
func (s *State) lapse() {
	if s.policy.ExpireAfter <= 0 || s.more {
		return
	}
	began := 0
	for i, m := range s.misses {
		if m.Start.Sub(s.misses[began].Start) >= s.policy.ExpireAfter {
			began, s.lapsed = i, s.misses[i-1]
		}
	}
	s.misses = s.misses[began:]
}

// waitsFor reports whether a call, if nobody served it, is one of the wait.
func (s State) waitsFor(c Call) bool {
	return c.Effect == Opens && c.Start.After(s.bound.At) && c.Start.After(s.lapsed.Start)
}

// ring is what the legs of one ring have in common. A call whose line is not known is
// one of its own.
type ring struct {
	line, id string
	second   int64
}

func (m Miss) ring() ring {
	if m.Line == "" {
		return ring{id: m.ID}
	}
	return ring{line: m.Line, second: m.Start.Unix()}
}

// bound returns what ended the last episode.
func (f Facts) bound() Closing {
	bound := Closing{At: f.Baseline, Start: f.Baseline}
	if !f.Baseline.IsZero() {
		bound.Reason, bound.ID = History, string(History)
	}
	for c := range f.closings {
		if compareClosings(c, bound) > 0 {
			bound = c
		}
	}
	return bound
}

// ServedUntil returns the time up to which whoever called does not wait any more; zero for none.
func (f Facts) ServedUntil() time.Time { return f.bound().At }

// EndAfter returns what first ended the wait of whoever called at a time, of what is known:
// a contact that is no longer kept stands for all before it. ok is false if nothing did.
func (f Facts) EndAfter(called time.Time) (first Closing, ok bool) {
	if !f.Baseline.IsZero() && !called.After(f.Baseline) {
		first, ok = Closing{Reason: History, At: f.Baseline, Start: f.Baseline, ID: string(History)}, true
	}
	for c := range f.closings {
		if !called.After(c.At) && (!ok || compareClosings(c, first) < 0) {
			first, ok = c, true
		}
	}
	return first, ok
}

func compareClosings(a, b Closing) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }

// closings yields everything that is known to have ended a wait, in no order.
func (f *Facts) closings(yield func(Closing) bool) {
	older := f.Older.Contact
	if older.ID != "" && !yield(Closing{Reason: Earlier, At: older.At, Start: older.At, ID: older.ID}) {
		return
	}
	for i := range f.Calls {
		c := &f.Calls[i]
		if c.Effect != Contact || c.ID == "" {
			continue
		}
		closing := Closing{Reason: Rescued, At: c.End, Start: c.Start, ID: c.ID, By: c.Agent}
		switch {
		case c.Direction == events.Outbound:
			closing.Reason = Returned
		case c.Callback == events.CallbackReached:
			closing.Reason = Queue
		}
		if !yield(closing) {
			return
		}
	}
	if f.Done.ID != "" {
		yield(Closing{Reason: ByHand, At: f.Done.At, Start: f.Done.At, ID: f.Done.ID, By: f.Done.By, Why: f.Done.Why})
	}
}

// Talked returns when the last conversation ended that we had with the number; zero if
// there was none.
func (f Facts) Talked() (at time.Time) {
	for c := range f.closings {
		if c.Reason != ByHand {
			at = later(at, c.At)
		}
	}
	return at
}

func (f Facts) attempts(since time.Time) (all []Tried) {
	for _, c := range f.Calls {
		if c.Effect == Attempt && !c.Start.Before(since) {
			all = append(all, Tried{At: c.End, Agent: c.Agent})
		}
	}
	for _, t := range f.Texts {
		if t.Effect == Attempt && !t.At.Before(since) {
			all = append(all, Tried{At: t.At, Agent: t.Agent, Text: true})
		}
	}
	slices.SortFunc(all, func(a, b Tried) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Agent, b.Agent)) })
	return all
}

// Open reports whether the caller waits.
func (s State) Open() bool {
	// guard 4 followup: if s.facts.Person.Blocked {
	if s.facts.Person.Blocked || s.facts.Person.Own {
		return false
	}
	return len(s.misses) > 0 || s.more
}

// First returns the first call of the episode that nobody served. If there were more
// than twenty since the last contact, it is the first that is known.
func (s State) First() Miss {
	if !s.Open() {
		return Miss{}
	}
	var first Miss
	for _, known := range [][]Miss{s.misses, s.older} {
		if len(known) > 0 {
			first = firstOf(first, known[0])
		}
	}
	return first
}

// Who returns what the calls of the episode that nobody served say of the caller, the
// first one first. What is said only by calls before the newest twenty is not known.
func (s State) Who() (who Who) {
	for _, c := range slices.Backward(s.facts.Calls) {
		if !s.waitsFor(c) {
			continue
		}
		who.Phone = cmp.Or(who.Phone, c.Who.Phone)
		who.Text = cmp.Or(who.Text, c.Who.Text)
		who.Name = cmp.Or(who.Name, c.Who.Name)
		who.Withheld = who.Withheld || c.Who.Withheld
	}
	return who
}

// Since returns when that one began, and Line to which line of ours it went.
func (s State) Since() time.Time { return s.First().Start }

// Line returns our number that was called first, and LineName its name.
func (s State) Line() string { return s.First().Line }

// LineName returns the name of [State.Line] in JustCall.
func (s State) LineName() string { return s.First().LineName }

// Last returns the latest call of the episode that nobody served.
func (s State) Last() (last Miss) {
	if !s.Open() {
		return Miss{}
	}
	for _, known := range [][]Miss{s.misses, s.older} {
		if n := len(known); n > 0 {
			last = lastOf(last, known[n-1], compareMisses)
		}
	}
	return last
}

// Count returns how many calls of the episode nobody served. If more is set, there are
// some beyond those.
func (s State) Count() (n int, more bool) {
	if !s.Open() {
		return 0, false
	}
	return len(s.misses), s.more
}

// CallsWithin returns how many of them began in such a time up to the last one, of
// those that are counted.
func (s State) CallsWithin(d time.Duration) (n int) {
	last := s.Last()
	for _, m := range s.misses {
		if s.Open() && m.Start.After(last.Start.Add(-d)) {
			n++
		}
	}
	return n
}

// Outcome returns the best outcome of the episode's calls: a voicemail says more than a
// missed call, and that more than one that the caller gave up.
func (s State) Outcome() (best events.Outcome) {
	if s.Open() {
		for _, m := range slices.Concat(s.misses, s.older) {
			best = best.Best(m.Outcome)
		}
	}
	return best
}

// Voicemail returns the beginning of what the caller said last, and where to listen to
// it, as far as the calls of the episode have it.
func (s State) Voicemail() (words, recording string) {
	for _, c := range s.facts.Calls { // newest first
		if s.Open() && s.waitsFor(c) && c.Outcome == events.Voicemailed && c.Words+c.Recording != "" {
			return c.Words, c.Recording
		}
	}
	return "", ""
}

// EpisodeID names the episode, as long as what came before it stays the same: a call
// that becomes known later, and began earlier, does not change it.
func (s State) EpisodeID() string { return cmp.Or(s.lapsed.ID, s.bound.ID, "first") }

// Person returns what the address book says.
func (s State) Person() Person { return s.facts.Person }

// TextIn returns when the caller last wrote; zero if they did not since the first miss.
func (s State) TextIn() time.Time {
	if s.Open() && s.facts.TextIn.After(s.Since()) {
		return s.facts.TextIn
	}
	return time.Time{}
}

// Attempts returns the attempts of the episode, first ones first.
func (s State) Attempts() []Tried { return s.attempts }

// Unreached reports whether so many attempts failed, over more than an hour, that
// nobody is reminded any more. A call of theirs begins the count anew.
func (s State) Unreached() bool {
	var since []Tried
	for _, a := range s.attempts {
		if a.At.After(s.Last().Start) {
			since = append(since, a)
		}
	}
	n := len(since)
	return n > 0 && n >= s.policy.MaxAttempts && since[n-1].At.Sub(since[0].At) >= time.Hour
}

// CallsBack reports whether JustCall is to call back by itself and has not tried yet.
func (s State) CallsBack() bool { return !s.callsBackUntil().IsZero() }

func (s State) callsBackUntil() (until time.Time) {
	for _, c := range s.facts.Calls {
		if s.Open() && c.Callback == events.CallbackRequested && !c.Start.Before(s.Since()) {
			until = later(until, c.Start.Add(s.policy.CallbackPause))
		}
	}
	return until
}

// Claim is somebody's word that they take care of a caller.
type Claim struct {
	By string
	// Until is when it ends, At when it began.
	At, Until time.Time
	// Attempt is set if it follows from an attempt to reach the caller.
	Attempt bool
}

// Claim returns who takes care of the caller: whoever said so, else whoever tried last.
func (s State) Claim(now time.Time) (Claim, bool) {
	if !s.Open() {
		return Claim{}, false
	}
	act := s.facts.Claimed
	if act.Kind == ActClaim && act.At.After(s.bound.At) && now.Before(act.Until) {
		return Claim{By: act.By, At: act.At, Until: act.Until}, true
	}
	for _, a := range slices.Backward(s.attempts) {
		claim := Claim{By: a.Agent, At: a.At, Until: a.At.Add(s.policy.AttemptPause), Attempt: true}
		given := act.Kind == ActUnclaim && !act.At.Before(a.At)
		if a.Agent != "" && !given && now.Before(claim.Until) {
			return claim, true
		}
	}
	return Claim{}, false
}

// SnoozedUntil returns until when nobody is to be reminded; zero if it is past, or if
// the caller has called again.
func (s State) SnoozedUntil(now time.Time) time.Time {
	act := s.facts.Snoozed
	if !s.Open() || !act.At.After(s.bound.At) || !act.Until.After(now) || s.Last().Start.After(act.At) {
		return time.Time{}
	}
	return act.Until
}

// PausedUntil returns until when nobody is to be reminded, be it for a claim, an
// attempt, a snooze, or JustCall's own call back; zero if there is none of it.
func (s State) PausedUntil(now time.Time) (until time.Time) {
	if !s.Open() {
		return time.Time{}
	}
	if claim, ok := s.Claim(now); ok {
		until = claim.Until
	}
	for _, a := range s.attempts {
		until = later(until, a.At.Add(s.policy.AttemptPause))
	}
	until = later(until, s.SnoozedUntil(now))
	until = later(until, s.callsBackUntil())
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// Expired reports whether the caller has waited for so long that nobody is reminded any
// more.
func (s State) Expired(now time.Time) bool {
	return s.Open() && s.policy.ExpireAfter > 0 && now.Sub(s.Since()) >= s.policy.ExpireAfter
}

// Escalates reports whether people are to be reminded of the caller at all. Somebody
// who only gave up once, and whom nobody knows, may be a machine.
func (s State) Escalates() bool {
	if !s.Open() || s.Unreached() {
		return false
	}
	return s.Outcome() != events.Abandoned || s.facts.Person.Known || s.talkedBefore() ||
		s.CallsWithin(time.Hour) >= 2 || s.more
}

func (s State) talkedBefore() bool {
	return s.facts.Older.Contact.ID != "" ||
		slices.ContainsFunc(s.facts.Calls, func(c Call) bool { return c.Effect == Contact })
}

// Closing returns what ended the last episode: whoever called before that does not
// wait. ok is false if nothing did.
func (s State) Closing() (c Closing, ok bool) {
	switch {
	case s.facts.Person.Own:
		return Closing{Reason: IsOwn}, true
	case s.facts.Person.Blocked:
		return Closing{Reason: IsBlocked}, true
	}
	return s.bound, s.bound.Reason != nothing
}

// Closed returns what ended the wait of a caller between two states of one number. ok
// is false if none ended. Waited is how long the caller waited for the conversation,
// or, where there was none, until the end.
func Closed(before, after State) (c Closing, waited time.Duration, ok bool) {
	if !before.Open() || after.Open() {
		return Closing{}, 0, false
	}
	c, ok = after.Closing()
	if !c.Start.IsZero() {
		waited = max(0, c.Start.Sub(before.Since()))
	}
	return c, waited, ok
}

// Subject returns what a call is about: the caller's number in the form that canonical
// gives it, or, if nobody knows a number and there is something to listen to or to
// read, the call itself. It returns "" if there is nobody to call back.
func Subject(f events.Folded, partition string, canonical func(string) string) string {
	if number := canonical(cmp.Or(f.Phone, f.CallerText)); number != "" {
		return number
	}
	if f.Direction != events.Outbound && (f.Outcome == events.Voicemailed || f.CallerText != "") {
		return CallSubjectOf(partition)
	}
	return ""
}

// CallSubject begins the subject of a call whose number nobody knows.
const CallSubject = "call:"

// CallSubjectOf returns the subject of a call whose number nobody knows, by the partition of
// its events.
func CallSubjectOf(partition string) string {
	return CallSubject + strings.TrimPrefix(partition, "CALL#")
}

// IsCallSubject reports whether a subject is a call, and no number.
func IsCallSubject(subject string) bool { return strings.HasPrefix(subject, CallSubject) }
