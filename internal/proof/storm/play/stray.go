package play

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Stray is a request that delivers no event: a probe, a body that nobody can read, or one that somebody else has
// sent.
type Stray struct {
	Kind       string // what it is, e.g. "not JSON"
	Before     int    // the index in [Plan.Deliveries] of the delivery that it is posted before
	Method     string
	Body       []byte
	Type       events.Type // of the event in the body, for the signature; "" where it is not signed
	WrongToken bool        // it is posted with another token than the target's
	Forgery    Forgery
	Want       int       // the status that it must be answered
	Kept       bool      // it must be in the table as rejected
	Key        table.Key // where the event in the body would be, were it taken for one, which it must not be
}

// Forgery is what is wrong with a signature; zero for nothing.
type Forgery struct {
	Missing bool
	Secret  string        // what it is made with, in place of the target's
	URL     string        // what it is made for, in place of the target's
	Shift   time.Duration // how far from now its time is; a stack may allow hours
}

// kind is one kind of stray. A plan has as many of each.
type kind struct {
	Stray

	body  func(t *teller) []byte // makes the body, if there is one; no two that are kept are the same
	event events.Format          // set where the body is that of an event
}

// kinds of strays. They must be answered as docs/answers.md promises.
var kinds = []kind{
	// JustCall saves no URL that does not answer a probe 200.
	probe("GET", http.MethodGet),
	probe("HEAD", http.MethodHead),
	probe("empty body", http.MethodPost),
	probe("empty object", http.MethodPost, "{}"),
	probe("type without data", http.MethodPost,
		`{"event":"call.missed"}`, `{"type":"call.completed","webhook_url":"`+webhookURL+`"}`),
	probe("empty data", http.MethodPost,
		`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{}}`,
		`{"type":"call.completed","data":[]}`, `{"type":"call.completed","data":""}`, `{"data": null}`),
	{
		Stray: Stray{Kind: "probe of an unknown form", Method: http.MethodPost, Want: http.StatusOK, Kept: true},
		body:  func(t *teller) []byte { return written(object{{"hello", t.next()}}) },
	},
	// What nobody can read is kept for a person to look at.
	malformed("not JSON", func(t *teller, _ []byte) []byte {
		return []byte("<event>call.missed</event><call_id>" + t.stranger(events.FormatA).partition)
	}),
	malformed("cut off", func(t *teller, sound []byte) []byte { return sound[:len(sound)/2+t.rng.IntN(len(sound)/2)] }),
	malformed("not an object", func(t *teller, _ []byte) []byte {
		return []byte(`["call.missed","` + t.stranger(events.FormatA).partition + `"]`)
	}),
	malformed("no type", func(t *teller, _ []byte) []byte {
		return written(object{{"timestamp", "2026-03-12T14:32:00Z"}, {"data", object{{"hello", t.next()}}}})
	}),
	malformed("more behind the end", func(_ *teller, sound []byte) []byte { return []byte(string(sound) + "\n<html>") }),
	malformed("not UTF-8", func(_ *teller, sound []byte) []byte { return []byte("\x1f\x8b\xff" + string(sound)) }),
	malformed("too deep", func(_ *teller, sound []byte) []byte {
		return with(sound, `"note":`+strings.Repeat("[", events.MaxDepth)+strings.Repeat("]", events.MaxDepth))
	}),

	// Whoever has no token leaves nothing behind. Whoever has it, but no right signature, is kept as rejected.
	forged("wrong token, format A", events.FormatA, Forgery{}),
	forged("wrong token, format B", events.FormatB, Forgery{}),
	forged("no signature", events.FormatB, Forgery{Missing: true}),
	forged("signed with another secret", events.FormatB, Forgery{Secret: "not-the-signing-secret"}),
	forged("signed for another URL", events.FormatB, Forgery{URL: webhookURL}),
	forged("signed long ago", events.FormatB, Forgery{Shift: -30 * 24 * time.Hour}),
	forged("signed tomorrow", events.FormatB, Forgery{Shift: 24 * time.Hour}),
}

func probe(name, method string, bodies ...string) kind {
	k := kind{Stray: Stray{Kind: name, Method: method, Want: http.StatusOK}}
	if len(bodies) > 0 {
		k.body = func(t *teller) []byte { return []byte(pick(t.rng, bodies...)) }
	}
	return k
}

// malformed is a kind whose body is that of a missed call to which something was done.
func malformed(name string, spoil func(t *teller, sound []byte) []byte) kind {
	body := func(t *teller) []byte {
		return spoil(t, t.stranger(pick(t.rng, events.FormatA, events.FormatB)).body(t.rng, false))
	}
	return kind{Stray{Kind: name, Method: http.MethodPost, Want: http.StatusBadRequest, Kept: true}, body, ""}
}

// forged is a kind that is an event, and refused for its token or its signature.
func forged(name string, format events.Format, f Forgery) kind {
	stolen := f == (Forgery{})
	return kind{Stray{Kind: name, Method: http.MethodPost, WrongToken: stolen, Forgery: f, Want: http.StatusUnauthorized, Kept: !stolen}, nil, format}
}

// strays makes up those of a mix, in the order in which they are posted.
func strays(m Mix) ([]Stray, error) {
	// Behind the ids of the stories: what strays are about is nobody else's.
	t := teller{rng: random(m.Seed, straying), serial: firstID(m.Seed) + strayIDs, rings: set[string]{}, plain: true}
	all := make([]Stray, m.Deliveries*m.Strays/100)
	before := make([]int, len(all))
	for i := range before {
		before[i] = t.rng.IntN(m.Deliveries)
	}
	slices.Sort(before)
	var order []int
	for i := range all {
		if i%len(kinds) == 0 {
			order = t.rng.Perm(len(kinds))
		}
		kind := &kinds[order[i%len(kinds)]]
		s := kind.Stray
		s.Before = before[i]
		switch {
		case kind.event != "":
			t.story = s.Kind
			d := t.stranger(kind.event)
			s.Body = d.body(t.rng, false)
			event, err := d.event(s.Body)
			if err != nil {
				return nil, err
			}
			s.Key = event.Key
			if kind.event == events.FormatB {
				s.Type = event.Type
			}
		case kind.body != nil:
			s.Body = kind.body(&t)
		}
		all[i] = s
	}
	return all, nil
}

// stranger makes up a missed call that is not among the stories: whoever takes it for an event alerts somebody.
func (t *teller) stranger(form events.Format) *draft {
	t.told = t.told[:0]
	write := map[events.Format]writer{events.FormatA: callA, events.FormatB: callB}[form]
	t.about = t.subject(incoming)
	write(t, t.about, 0, missed(events.TypeCallMissed)[0])
	return &t.told[0]
}

func with(body []byte, text string) []byte {
	return []byte(string(body[:len(body)-1]) + "," + text + "}")
}

func written(value object) []byte {
	var s speller
	s.write(value)
	return s.out
}
