package play

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringback/ringback/events"
)

// Alert is a document that was published: an alert, or one by which an alert is taken back, which has the same id.
type Alert struct {
	ID   string
	Kind events.Kind // "" for an alert whose kind nobody looks at
	Caller
}

// Caller is who called, as an alert says. One without a number and a text is withheld.
type Caller struct{ Number, Text string }

// ReadAlert reads a document. ok is false if the text is none.
func ReadAlert(text []byte) (a Alert, ok bool) {
	var document struct {
		ID     string      `json:"id"`
		Kind   events.Kind `json:"kind"`
		Caller struct {
			Number   string `json:"number"`
			Text     string `json:"text"`
			Withheld bool   `json:"withheld"`
		} `json:"caller"`
	}
	if json.Unmarshal(text, &document) != nil || document.ID == "" {
		return Alert{}, false
	}
	a = Alert{document.ID, document.Kind, Caller{document.Caller.Number, document.Caller.Text}}
	if document.Caller.Withheld {
		a.Caller = Caller{}
	}
	return a, true
}

// Back reports whether it takes an alert back: for programs, or, as a correction, for people.
func (a Alert) Back() bool { return a.Kind == events.KindReturned || a.Kind == events.KindCorrection }

// Publication names what must be published once only. That of an alert is its id.
func (a Alert) Publication() string {
	if a.Back() {
		return a.ID + " (" + string(a.Kind) + ")"
	}
	return a.ID
}

// owed is one alert for people: that of a ring, and of one kind. Which call of the ring makes it is left to the stack,
// because it depends on the order.
type owed struct {
	ids    []string // of the calls that may make it
	due    bool     // an event that asks for it has reached the stack
	served bool     // and so has one that says that somebody answered
	caller Caller
	again  bool // who seemed to be served may have been alerted of anew: see [call.brief]

	made, stands []string // the ids by which it was published, and those that were not taken back
}

// owed returns the alerts of the events that have reached the stack, and those of others too, by each id. What was
// published is in them. acted says which hand acts were done.
func (p *Plan) owed(reached, acted func(int) bool, seen []Alert) (all []*owed, byID map[string]*owed) {
	type name struct {
		ring int
		kind events.Kind
	}
	served, again, byName := set[int]{}, set[int]{}, map[name]*owed{}
	for i := range p.Events {
		if e := &p.Events[i]; e.Answered && reached(i) {
			served[e.Ring] = true
		}
	}
	for _, b := range p.books(reached, acted) {
		brief := slices.ContainsFunc(b.calls, (*call).brief)
		for _, c := range b.calls {
			again[c.ring] = brief
			if !c.began.After(b.closed) {
				served[c.ring] = true
			}
		}
	}
	byID = map[string]*owed{}
	for i := range p.Events {
		e := &p.Events[i]
		if e.Alert == "" {
			continue
		}
		of := name{e.Ring, e.Kind}
		if byName[of] == nil {
			byName[of] = &owed{served: served[e.Ring], caller: e.Caller, again: again[e.Ring]}
			all = append(all, byName[of])
		}
		o := byName[of]
		o.due = o.due || reached(i)
		if byID[e.Alert] == nil {
			o.ids, byID[e.Alert] = append(o.ids, e.Alert), o
		}
	}
	back := set[string]{}
	for _, a := range seen {
		back[a.ID] = back[a.ID] || a.Kind == events.KindReturned
	}
	for _, a := range seen {
		// The second time, and each after it, has an id of its own: it is due only if the one before was taken back.
		end := max(strings.LastIndexByte(a.ID, '#'), 0)
		first := a.ID[:end]
		n, err := strconv.Atoi(strings.TrimPrefix(a.ID[end:], "#"))
		before := first
		if n > 2 {
			before += "#" + strconv.Itoa(n-1)
		}
		if o := byID[first]; err == nil && n >= 2 && o != nil && o.again && back[before] && byID[a.ID] == nil {
			byID[a.ID] = o
		}
	}
	for _, a := range seen {
		o := byID[a.ID]
		if o == nil || a.Back() || slices.Contains(o.made, a.ID) {
			continue
		}
		o.made = append(o.made, a.ID)
		if !back[a.ID] {
			o.stands = append(o.stands, a.ID)
		}
	}
	return all, byID
}

// Alerts returns the ids of the alerts that may be made: one for each call and kind of alert.
func (p *Plan) Alerts() map[string]struct{} {
	alerts := make(map[string]struct{})
	for i := range p.Events {
		if id := p.Events[i].Alert; id != "" {
			alerts[id] = struct{}{}
		}
	}
	return alerts
}

func everything(int) bool { return true }

func nothing(int) bool { return false }

// Open returns an error unless people know of every caller whom nobody served, and of no other, once everything has
// reached the stack.
func (p *Plan) Open(seen Published) error {
	all, _ := p.owed(everything, nothing, seen.Taken)
	missing, standing := 0, 0
	for _, o := range all {
		switch {
		case o.served:
			standing += len(o.stands)
		case len(o.stands) == 0:
			missing++
		}
	}
	if missing+standing > 0 {
		return fmt.Errorf("%d of %d alerts have not come, and %d were not taken back", missing, len(all), standing)
	}
	return nil
}
