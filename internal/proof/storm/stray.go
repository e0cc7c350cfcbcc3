package storm

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Stray is a request that is no delivery of an event: a probe, a body that
// nobody can read, or somebody else's.
type Stray struct {
	// Kind names what it is, e.g. "not JSON".
	Kind string
	// Before is the index in [Plan.Deliveries] of the delivery that it is posted
	// before.
	Before int
	// Method is the HTTP method, and Body what is sent; nil for nothing.
	Method string
	Body   []byte
	// Type is the type of the event in the body, in format B, for its signature;
	// "" where it is not signed.
	Type events.Type
	// WrongToken is set where it goes to another token than the target's.
	WrongToken bool
	// Signature is what is wrong with its signature.
	Signature SignatureFault

	// Want is the status that it must be answered, and Kept whether it must be
	// in the table as rejected.
	Want int
	Kept bool
	// Key is where the event in the body would be, were it taken for one, which
	// it must not be; zero where there is none.
	Key table.Key
}

// SignatureFault is what is wrong with a stray's signature.
type SignatureFault int

// The faults.
const (
	SignatureRight     SignatureFault = iota // nothing
	SignatureMissing                         // it has none
	SignatureWrong                           // made with another secret
	SignatureElsewhere                       // made for the URL that the body names
	SignatureStale                           // made long ago
	SignatureEarly                           // made for a time to come
)

// kinds are those of the strays, as many of each. What they are answered is what
// the stack promises: see the table in docs/answers.md.
var kinds = []struct {
	Stray

	// body makes the body; nil where there is none. Every body that is kept is
	// different, so that it can be found.
	body func(t *teller) []byte
	// event is set where the body is that of an event, in the wire format.
	event events.Format
}{
	// Probes: JustCall saves no URL that does not answer them 200.
	{Stray: Stray{Kind: "GET", Method: http.MethodGet, Want: http.StatusOK}},
	{Stray: Stray{Kind: "HEAD", Method: http.MethodHead, Want: http.StatusOK}},
	{Stray: Stray{Kind: "empty body", Want: http.StatusOK}},
	{Stray: Stray{Kind: "empty object", Want: http.StatusOK}, body: literally("{}")},
	{Stray: Stray{Kind: "type without data", Want: http.StatusOK}, body: literally(
		`{"event":"call.missed"}`,
		`{"type":"call.completed","webhook_url":"`+webhookURL+`"}`)},
	{Stray: Stray{Kind: "empty data", Want: http.StatusOK}, body: literally(
		`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{}}`,
		`{"type":"call.completed","data":[]}`,
		`{"type":"call.completed","data":""}`,
		`{"data": null}`)},
	{Stray: Stray{Kind: "probe of an unknown form", Want: http.StatusOK, Kept: true}, body: func(t *teller) []byte {
		return written(object{{"ping", t.next()}})
	}},

	// Malformed: what nobody can read is kept for a person to look at.
	{Stray: Stray{Kind: "not JSON", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		return []byte("event=call.missed&call_id=" + t.stranger(events.FormatA).partition)
	}},
	{Stray: Stray{Kind: "cut off", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		body := t.sound()
		return body[:len(body)/2+t.rng.IntN(len(body)/2)]
	}},
	{Stray: Stray{Kind: "not an object", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		return []byte("[" + string(t.sound()) + "]")
	}},
	{Stray: Stray{Kind: "no type", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		return written(object{{"timestamp", "2026-03-12T14:32:00Z"}, {"data", t.stranger(events.FormatA).data}})
	}},
	{Stray: Stray{Kind: "a name twice", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		return with(t.sound(), `"data":{"call_id":"call_other"}`)
	}},
	{Stray: Stray{Kind: "not UTF-8", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		return with(t.sound(), "\"note\":\"Jos\xe9\"")
	}},
	{Stray: Stray{Kind: "too deep", Want: http.StatusBadRequest, Kept: true}, body: func(t *teller) []byte {
		return with(t.sound(), `"note":`+strings.Repeat("[", events.MaxDepth)+strings.Repeat("]", events.MaxDepth))
	}},

	// Forged: whoever has no token leaves nothing behind; whoever has it and no
	// right signature is kept as rejected.
	{
		Stray: Stray{Kind: "wrong token, format A", WrongToken: true, Want: http.StatusUnauthorized},
		event: events.FormatA,
	},
	{
		Stray: Stray{Kind: "wrong token, format B", WrongToken: true, Want: http.StatusUnauthorized},
		event: events.FormatB,
	},
	{
		Stray: Stray{Kind: "no signature", Signature: SignatureMissing, Want: http.StatusUnauthorized, Kept: true},
		event: events.FormatB,
	},
	{
		Stray: Stray{Kind: "signed with another secret", Signature: SignatureWrong, Want: http.StatusUnauthorized, Kept: true},
		event: events.FormatB,
	},
	{
		Stray: Stray{Kind: "signed for another URL", Signature: SignatureElsewhere, Want: http.StatusUnauthorized, Kept: true},
		event: events.FormatB,
	},
	{
		Stray: Stray{Kind: "signed long ago", Signature: SignatureStale, Want: http.StatusUnauthorized, Kept: true},
		event: events.FormatB,
	},
	{
		Stray: Stray{Kind: "signed tomorrow", Signature: SignatureEarly, Want: http.StatusUnauthorized, Kept: true},
		event: events.FormatB,
	},
}

// strays makes up those of a mix, in the order in which they are posted.
func strays(m Mix) ([]Stray, error) {
	// Behind the ids of the stories: what strays are about is nobody else's.
	t := teller{rng: random(m.Seed, straying), serial: firstID(m.Seed) + strayIDs}
	n := m.Deliveries * m.Strays / 100
	before := make([]int, n)
	for i := range before {
		before[i] = t.rng.IntN(m.Deliveries)
	}
	slices.Sort(before)

	all := make([]Stray, 0, n)
	var order []int
	for i := range n {
		if i%len(kinds) == 0 {
			order = t.rng.Perm(len(kinds))
		}
		kind := kinds[order[i%len(kinds)]]
		s := kind.Stray
		s.Before = before[i]
		if s.Method == "" {
			s.Method = http.MethodPost
		}
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
		all = append(all, s)
	}
	return all, nil
}

// stranger makes up a missed call that is not among the stories: whoever takes it
// for an event alerts somebody.
func (t *teller) stranger(form events.Format) *draft {
	t.told = t.told[:0]
	c := t.call()
	if form == events.FormatA {
		t.callA(c, events.TypeCallMissed, events.KindMissedCall, c.ring,
			member{"ring_duration", c.ring}, member{"status", "missed"})
	} else {
		t.callB(c, events.TypeCallMissed, events.KindMissedCall, t.notAnswered())
	}
	return &t.told[0]
}

// sound is the body of such a call, before something is done to it.
func (t *teller) sound() []byte {
	return t.stranger(pick(t.rng, events.FormatA, events.FormatB)).body(t.rng, false)
}

// with adds a member to a body, at its end.
func with(body []byte, text string) []byte {
	return []byte(string(body[:len(body)-1]) + "," + text + "}")
}

func written(value object) []byte {
	var s speller
	s.write(value)
	return s.out
}

// literally returns one of some bodies.
func literally(bodies ...string) func(*teller) []byte {
	return func(t *teller) []byte { return []byte(pick(t.rng, bodies...)) }
}
