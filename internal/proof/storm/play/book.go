package play

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
)

// book is what has happened with one caller, by the plan alone.
type book struct {
	calls []*call
	// closed is when the last conversation ended, or somebody said that it is done, and reason which of it.
	closed time.Time
	reason followup.Reason
	// claimed and snoozed are the latest such acts.
	claimed, snoozed Act
}

// call is what the events of one call say together.
type call struct {
	id           string
	ring         int
	began, ended time.Time
	unserved     bool
	talk, out    bool
	answered     bool // in the events' words
	talked       int
}

const shortestTalk = 20 // seconds; what is shorter may be a mailbox

// contact reports whether two people talked.
func (c *call) contact() bool {
	return c.talk && (c.talked >= shortestTalk || c.talked < 0 && !c.out)
}

// brief reports whether a call that we answered was too short to serve its caller. As long as its length was not known,
// it seemed to have.
func (c *call) brief() bool { return c.talk && !c.out && c.talked >= 0 && !c.contact() }

// books returns the callers' books by number: of the events that have reached the stack, and the acts that were done.
func (p *Plan) books(reached, acted func(int) bool) map[string]*book {
	all, calls := map[string]*book{}, map[string]*call{}
	of := func(caller string) *book {
		if all[caller] == nil {
			all[caller] = &book{}
		}
		return all[caller]
	}
	for i := range p.Events {
		e := &p.Events[i]
		if !reached(i) || e.Caller.Number == "" || e.Began.IsZero() || !e.Kind.IsCall() {
			continue
		}
		id := e.Key.PK
		if shared(id) {
			id += e.Key.SK
		}
		c := calls[id]
		if c == nil {
			c = &call{id: id, ring: e.Ring, began: e.Began, talked: -1}
			calls[id] = c
			b := of(e.Caller.Number)
			b.calls = append(b.calls, c)
		}
		if e.Began.Before(c.began) {
			c.began = e.Began
		}
		if e.Ended.After(c.ended) {
			c.ended = e.Ended
		}
		c.unserved = c.unserved || e.Kind.Alerts()
		c.answered = c.answered || e.Answered
		c.talk, c.out, c.talked = c.talk || e.Talk, c.out || e.Out, max(c.talked, e.Talked)
	}
	for i := range p.Acts {
		if !acted(i) {
			continue
		}
		a, b := p.Acts[i], of(p.Acts[i].Caller)
		later := func(than Act) bool { return cmp.Or(a.At.Compare(than.At), cmp.Compare(a.ID, than.ID)) > 0 }
		switch a.Kind {
		case followup.ActClaim, followup.ActUnclaim:
			if later(b.claimed) {
				b.claimed = a
			}
		case followup.ActSnooze:
			if later(b.snoozed) {
				b.snoozed = a
			}
		case followup.ActDone:
			if a.At.After(b.closed) {
				b.closed, b.reason = a.At, followup.ByHand
			}
		}
	}
	for _, b := range all {
		for _, c := range b.calls {
			if !c.contact() || !c.ended.After(b.closed) {
				continue
			}
			if b.closed, b.reason = c.ended, followup.Rescued; c.out {
				b.reason = followup.Returned
			}
		}
	}
	return all
}

// callers returns the numbers of everybody who calls or is called, or about whom there is an act.
func (p *Plan) callers() (all []string) {
	for i := range p.Events {
		if e := &p.Events[i]; e.Caller.Number != "" && e.Kind.IsCall() {
			all = append(all, e.Caller.Number)
		}
	}
	for _, a := range p.Acts {
		all = append(all, a.Caller)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// kept is how many calls of one caller a follow-up keeps whole.
const kept = 20

// waiting returns the calls that nobody has served, one for each ring, the first one first.
func (b *book) waiting() (all []*call) {
	served := set[int]{}
	for _, c := range b.calls {
		served[c.ring] = served[c.ring] || c.answered && !c.out
	}
	seen := set[int]{}
	for _, c := range slices.SortedFunc(slices.Values(b.calls), byTime) {
		if c.unserved && !c.out && !c.answered && !served[c.ring] && c.began.After(b.closed) && !seen[c.ring] {
			seen[c.ring] = true
			all = append(all, c)
		}
	}
	begin := 0
	for i, c := range all { // who calls when a wait has expired waits anew
		if c.began.Sub(all[begin].began) >= followup.Default().ExpireAfter {
			begin = i
		}
	}
	return all[begin:]
}

func byTime(a, b *call) int { return cmp.Or(a.began.Compare(b.began), strings.Compare(a.id, b.id)) }

// waits reports whether an item says that the caller waits.
func waits(item table.Item) bool { return table.Text(item, table.GSI3PK) != "" }

// wrong says what is wrong with how a caller stands by an item; "" for nothing.
func (b *book) wrong(item table.Item) string {
	text := func(name string) string { return table.Text(item, name) }
	waiting := b.waiting()
	switch state := text(table.State); {
	case len(waiting) > 0 && !waits(item):
		return fmt.Sprintf("%q since %s, and waits", state, table.Time(waiting[0].began))
	case len(waiting) == 0 && waits(item):
		return fmt.Sprintf("waits, and was served at %s (%s)", table.Time(b.closed), b.reason)
	case len(waiting) == 0 && item == nil && b.reason == "":
		return ""
	case len(waiting) == 0:
		want := cmp.Or(string(b.reason), "new")
		if state == want || len(b.calls) > kept && state == string(followup.Earlier) {
			return ""
		}
		return fmt.Sprintf("%q, not %q", state, want)
	}
	last := waiting[len(waiting)-1]
	claim, until := b.claim()
	snoozed := ""
	if s := b.snoozed; s.At.After(b.closed) && !last.began.After(s.At) {
		snoozed = table.Time(s.Until)
	}
	since := 0 // calls from the first that waits on
	for _, c := range b.calls {
		if byTime(c, waiting[0]) >= 0 {
			since++
		}
	}
	for _, of := range []struct {
		name, got, want string
		known           bool
	}{
		{"since", text(table.Since), table.Time(waiting[0].began), since <= kept},
		{"calls", text(table.Count), strconv.Itoa(len(waiting)), since <= kept},
		{"latest", text(table.Latest), table.Time(last.began), true},
		{"claim", text(table.Claim), claim, claim != ""},
		{"claimed until", text(table.ClaimedUntil), until, claim != ""},
		{"snoozed until", text(table.SnoozedUntil), snoozed, true},
	} {
		if of.known && of.got != of.want {
			return fmt.Sprintf("%s %q, not %q", of.name, of.got, of.want)
		}
	}
	if claim == "" && b.claimed.ID != "" && text(table.ClaimedUntil) == table.Time(b.claimed.Until) {
		return "claimed by an act that is over"
	}
	return ""
}

// claim returns who has claimed the caller by hand, and until when. Otherwise whoever tried last may have.
func (b *book) claim() (by, until string) {
	if a := b.claimed; a.Kind == followup.ActClaim && a.At.After(b.closed) {
		return a.By, table.Time(a.Until)
	}
	return "", ""
}

// checkCallers compares how each caller stands with the plan's own book.
func (r *Report) checkCallers(reached []bool) {
	if r.Seen.FollowUps == nil {
		return
	}
	for i, done := range r.Seen.Acts {
		if r.Counts["hand acts"]++; !done {
			r.found(NotDone, "%s of %s", r.Plan.Acts[i].Kind, r.Plan.Acts[i].ID)
		}
	}
	books := r.Plan.books(func(event int) bool { return reached[event] }, r.acted)
	for caller, b := range books {
		r.Counts["callers"]++
		item := r.Seen.FollowUps[caller]
		if waits(item) {
			r.Counts["callers who wait"]++
		}
		if wrong := b.wrong(item); wrong != "" {
			r.found(Misjudged, "%s: %s", caller, wrong)
		}
	}
	for caller, item := range r.Seen.FollowUps {
		if books[caller] == nil && waits(item) {
			r.found(Misjudged, "%s: waits, and has not called", caller)
		}
	}
}
