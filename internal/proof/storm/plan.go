package storm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Mix says what to make up.
type Mix struct {
	// Seed decides everything that is made up, ids included: plans of two seeds
	// can be played against one table, one after the other.
	Seed uint64
	// Deliveries is how many, all told.
	Deliveries int
	// Duplicates is how many of a hundred deliveries are of an event that
	// another one is of as well.
	Duplicates int
	// Strays is how many requests that are no delivery of an event come on top
	// of a hundred deliveries.
	Strays int
}

// Plan is what is to be posted and what must be true afterwards.
type Plan struct {
	Mix Mix
	// Deliveries are in the order in which to post them.
	Deliveries []Delivery
	// Events are what the deliveries are of, all of them different.
	Events []Event
	// Strays are posted between the deliveries, in this order.
	Strays []Stray
}

// Delivery is one body to post.
type Delivery struct {
	// Event is the index in [Plan.Events] of what it is of.
	Event  int
	Format events.Format
	Type   events.Type
	// Schedule is how it is tried again.
	Schedule Schedule
	Body     []byte
}

// Event is one event that was made up.
type Event struct {
	// Story names what happened, e.g. "missed call". One story tells of several
	// events.
	Story  string
	Format events.Format
	Type   events.Type
	// Key is where the table must keep it.
	Key table.Key
	// Alert is the id of the alert that it must cause, alone or with others;
	// "" if none.
	Alert string
}

// Limits of a [Mix].
const (
	MaxDeliveries = 10_000_000
	MaxDuplicates = 99
	MaxStrays     = 100
)

// NewPlan makes up a plan. It returns an error if the mix is beyond its limits,
// or if the events that were made up are not read as they were meant: then
// either the plan or package events is wrong, and a storm would prove nothing.
func NewPlan(m Mix) (*Plan, error) {
	switch {
	case m.Deliveries < 1 || m.Deliveries > MaxDeliveries:
		return nil, fmt.Errorf("storm: %d deliveries: from 1 to %d are possible", m.Deliveries, MaxDeliveries)
	case m.Duplicates < 0 || m.Duplicates > MaxDuplicates:
		return nil, fmt.Errorf("storm: %d %% duplicates: from 0 to %d are possible", m.Duplicates, MaxDuplicates)
	case m.Strays < 0 || m.Strays > MaxStrays:
		return nil, fmt.Errorf("storm: %d %% strays: from 0 to %d are possible", m.Strays, MaxStrays)
	}
	again := m.Deliveries * m.Duplicates / 100

	t := teller{rng: random(m.Seed, telling), serial: firstID(m.Seed)}
	drafts := t.tell(m.Deliveries - again)
	rng := random(m.Seed, spelling)
	p := &Plan{
		Mix:        m,
		Deliveries: make([]Delivery, 0, m.Deliveries),
		Events:     make([]Event, len(drafts)),
	}
	seen := make(map[table.Key]struct{}, len(drafts))
	for i := range drafts {
		body := drafts[i].body(rng, false)
		event, err := drafts[i].event(body)
		if err != nil {
			return nil, err
		}
		if _, twice := seen[event.Key]; twice {
			return nil, fmt.Errorf("%w: two have the key %s %s", errPlan, event.Key.PK, event.Key.SK)
		}
		seen[event.Key] = struct{}{}
		p.Events[i] = event
		p.Deliveries = append(p.Deliveries, drafts[i].delivery(i, body))
	}
	for range again {
		i := rng.IntN(len(drafts))
		p.Deliveries = append(p.Deliveries, drafts[i].delivery(i, drafts[i].body(rng, true)))
	}
	random(m.Seed, shuffling).Shuffle(len(p.Deliveries), func(i, j int) {
		p.Deliveries[i], p.Deliveries[j] = p.Deliveries[j], p.Deliveries[i]
	})
	var err error
	p.Strays, err = strays(m)
	return p, err
}

// Alerts returns the ids of the alerts that must be made: one for each call and
// kind of alert.
func (p *Plan) Alerts() map[string]struct{} {
	alerts := make(map[string]struct{})
	for i := range p.Events {
		if id := p.Events[i].Alert; id != "" {
			alerts[id] = struct{}{}
		}
	}
	return alerts
}

// What random numbers are for. Each has a stream of its own: a seed tells the same
// stories whatever the duplicates, and loses the same deliveries whatever else
// happens.
const (
	telling = iota
	spelling
	shuffling
	refusing // alerts
	straying
	losing
	pausing
	naming // ids
)

// random returns a source of random numbers that a seed repeats.
func random(seed, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, purpose)) //nolint:gosec // G404: to be repeated, not to be secret
}

// errPlan says that the events made up are not read as they were meant.
var errPlan = errors.New("storm: the plan contradicts how its events are read")

// draft is an event that is not written yet.
type draft struct {
	story string
	// form is the wire format of [events.FormatA], B or legacy.
	form events.Format
	typ  events.Type
	at   time.Time
	data object
	// partition is the PK that the event belongs under, and kind what it is
	// about: what the story meant, not what a decoder finds.
	partition string
	kind      events.Kind
}

// The time that JustCall gives up retrying after, by its documents.
const lastRetry = 111 * time.Minute

// webhookURL stands in bodies of format B, where nobody reads it.
const webhookURL = "https://hooks.example.com/justcall/not-the-token"

// body writes a delivery of the event. Again is for a redelivery: the same event
// in another spelling and, in format B, under another request id.
func (d *draft) body(rng *rand.Rand, again bool) []byte {
	at := d.at
	s := speller{out: make([]byte, 0, 1024)}
	if again {
		at = at.Add(time.Duration(rng.Int64N(int64(lastRetry))))
		s.rng, s.wide = rng, rng.IntN(3) == 0
	}
	switch d.form {
	case events.FormatA:
		layout := "2006-01-02T15:04:05Z"
		if again {
			layout = pick(rng, layout, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05+00:00", "2006-01-02 15:04:05")
		}
		s.write(object{
			{"event", string(d.typ)},
			{"timestamp", d.at.Format(layout)},
			{"data", d.data},
		})
	case events.FormatB:
		s.write(object{
			{"request_id", ulid(rng, at)},
			{"webhook_url", webhookURL},
			{"url_id", pick[any](rng, 48214, fmt.Sprintf("%024x", rng.Uint64()))},
			{"type", string(d.typ)},
			{"data", d.data},
		})
	case events.FormatLegacy:
		s.write(object{{"data", append(object{{"type", string(d.typ)}}, d.data...)}})
	}
	return s.out
}

// delivery returns a body as a delivery of the event with an index.
func (d *draft) delivery(event int, body []byte) Delivery {
	return Delivery{Event: event, Format: d.form, Type: d.typ, Schedule: ScheduleOf(d.form, d.typ), Body: body}
}

// event reads the event back, for the part of its key that only a hash over the
// data can tell, and checks the rest against what was meant.
func (d *draft) event(body []byte) (Event, error) {
	envelope, err := events.Open(body)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %s: %w", errPlan, d.typ, err)
	}
	read := envelope.Decode()
	key := table.EventKey(read)
	if read.Format != d.form || read.Type != d.typ || read.Kind != d.kind || key.PK != d.partition {
		return Event{}, fmt.Errorf("%w: %s of %s, meant as %s %s under %s, is read as %s %s under %s",
			errPlan, d.typ, d.story, d.form, d.kind, d.partition, read.Format, read.Kind, key.PK)
	}
	e := Event{Story: d.story, Format: d.form, Type: d.typ, Key: key}
	if d.kind.Alerts() && !onlyAdds(d.typ) {
		e.Alert = d.partition + "/" + string(d.kind)
		if noCall, ok := strings.CutPrefix(key.SK, "EVENT#"); ok && shared(key.PK) {
			// Of no known call: every event is an alert of its own.
			e.Alert += "#" + noCall
		}
	}
	return e, nil
}

// shared reports whether a partition is that of all events of a type that belong
// to no call, message or contact: those of other plans, and of people, stand
// there as well.
func shared(pk string) bool { return strings.HasPrefix(pk, "EVENT#") }

// onlyAdds reports whether events of a type add to a call that was told of
// before. The calls of a plan are days old at the least, so that one of these
// alone is no news, and alerts nobody.
func onlyAdds(typ events.Type) bool {
	switch typ {
	case events.TypeCallUpdated, events.TypeCallAIGenerated, events.TypeSalesDialerCallUpdated, events.TypeSalesDialerCallAIGenerated:
		return true
	default:
		return false
	}
}

// ulid returns a request id of format B. See https://github.com/ulid/spec.
func ulid(rng *rand.Rand, at time.Time) string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := make([]byte, 26)
	ms := at.UnixMilli()
	for i := 9; i >= 0; i-- {
		id[i] = letters[ms&31]
		ms >>= 5
	}
	for i := 10; i < len(id); i++ {
		id[i] = letters[rng.IntN(len(letters))]
	}
	return string(id)
}

// digits writes n as text.
func digits(n int) string { return strconv.Itoa(n) }
