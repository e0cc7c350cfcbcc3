package play

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Mix says what to make up.
type Mix struct {
	// Seed decides everything that is made up, ids included: plans of two seeds can be played against one table,
	// one after the other.
	Seed uint64
	// Deliveries is how many there are in all, and Duplicates the percentage of them whose event another delivery
	// has as well.
	Deliveries, Duplicates int
	// Strays is how many requests that deliver no event come on top of a hundred deliveries.
	Strays int
}

// Limits of a [Mix].
const (
	MaxDeliveries = 10_000_000
	MaxDuplicates = 99
	MaxStrays     = 100
)

// Plan is what to post, in this order, and what must be true afterwards.
type Plan struct {
	Mix        Mix
	Deliveries []Delivery
	Events     []Event // what the deliveries deliver, all of them different
	Strays     []Stray // posted between the deliveries
	Acts       []Act   // done between them, where the stack is one of the storm's own
}

// Delivery is one body to post. Event is the index in [Plan.Events] of its event.
type Delivery struct {
	Event    int
	More     []int // the events behind it, where the body is a list of several
	Schedule Schedule
	Body     []byte
}

// All returns the indexes of the events in the body, in their order.
func (d *Delivery) All() []int { return append([]int{d.Event}, d.More...) }

// Event is one event that was made up.
type Event struct {
	Story  string // what happened, e.g. "voicemail, format A"; most stories have several events
	Format events.Format
	Type   events.Type
	Kind   events.Kind
	Key    table.Key // where the table must keep it
	Alert  string    // the id of the alert that it asks for, alone or with others; "" if none
	// Ring is the same for all calls that are one: the legs of a ring group, or a call that is known by two ids. If
	// one of its events says Answered, the caller was served, and no alert may stand.
	Ring     int
	Answered bool
	Caller   Caller
	// Began and Ended are the times that the event gives its call. Talk is set if it says
	// that two people were put through, and Talked for how many seconds, -1 if it does not
	// say; Out if we called. Who talked before or while the caller was not served has not
	// served the caller: see [Plan.served].
	Began, Ended time.Time
	Talk, Out    bool
	Talked       int
}

// String names the event by key and kind, without anything that is said in it.
func (e *Event) String() string {
	return fmt.Sprintf("%s %s (%s)", e.Key.PK, e.Key.SK, e.Kind)
}

// NewPlan makes up a plan. It returns an error if the mix is beyond its limits, or if package events does not read
// the events as they were meant: then a storm would prove nothing.
func NewPlan(m Mix) (*Plan, error) {
	if m.Deliveries < 1 || m.Deliveries > MaxDeliveries || m.Duplicates < 0 || m.Duplicates > MaxDuplicates || m.Strays < 0 || m.Strays > MaxStrays {
		return nil, fmt.Errorf("storm: %d deliveries, %d %% duplicates and %d %% strays: from 1, 0 and 0 to %d, %d and %d are possible",
			m.Deliveries, m.Duplicates, m.Strays, MaxDeliveries, MaxDuplicates, MaxStrays)
	}
	again := m.Deliveries * m.Duplicates / 100

	t := teller{rng: random(m.Seed, telling), serial: firstID(m.Seed), rings: set[string]{}, town: townOf(m.Seed)}
	drafts := t.tell(m.Deliveries - again)
	rng := random(m.Seed, spelling)
	p := &Plan{Mix: m, Deliveries: make([]Delivery, 0, m.Deliveries), Events: make([]Event, len(drafts))}
	deliver := func(event int, body []byte) {
		p.Deliveries = append(p.Deliveries, Delivery{event, nil, ScheduleOf(drafts[event].Format, drafts[event].Type), body})
	}
	seen := set[table.Key]{}
	for i := range drafts {
		body := drafts[i].body(rng, false)
		event, err := drafts[i].event(body)
		if err != nil {
			return nil, err
		}
		if seen[event.Key] {
			return nil, fmt.Errorf("%w: two have the key %s %s", errPlan, event.Key.PK, event.Key.SK)
		}
		seen[event.Key] = true
		p.Events[i] = event
		if i > 0 && drafts[i].joins(&drafts[i-1]) && rng.IntN(listed) == 0 {
			last := &p.Deliveries[len(p.Deliveries)-1]
			last.Body, last.More = asList(last.Body, body, len(last.More) > 0), append(last.More, i)
			again++ // in place of a delivery of its own
			continue
		}
		deliver(i, body)
	}
	for range again {
		i := rng.IntN(len(drafts))
		deliver(i, drafts[i].body(rng, true))
	}
	random(m.Seed, shuffling).Shuffle(len(p.Deliveries), func(i, j int) {
		p.Deliveries[i], p.Deliveries[j] = p.Deliveries[j], p.Deliveries[i]
	})
	var err error
	p.Acts = acts(m)
	p.Strays, err = strays(m)
	return p, err
}

// listed is how many events of those that could stand in a list there are for each that does.
const listed = 12

// joins reports whether an event can be in one list with the one before it: there is one signature for all.
func (d *draft) joins(before *draft) bool {
	return d.odd == "" && before.odd == "" && d.Format == before.Format && d.Format != events.FormatLegacy &&
		(d.Format == events.FormatA || d.Type == before.Type) &&
		ScheduleOf(d.Format, d.Type) == ScheduleOf(before.Format, before.Type)
}

// asList returns the list of two bodies, of which the first may be a list already.
func asList(first, second []byte, already bool) []byte {
	if already {
		first = first[1 : len(first)-1]
	}
	return slices.Concat([]byte{'['}, first, []byte{','}, second, []byte{']'})
}

// What random numbers are for. Each purpose has a stream of its own: a seed makes the same stories whatever the
// duplicates, and loses the same deliveries whatever else happens.
const (
	telling = iota
	spelling
	shuffling
	refusing // alerts
	straying
	losing
	pausing
	naming // ids
	acting
)

func random(seed, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, purpose)) //nolint:gosec // G404: to be repeated, not to be secret
}

var errPlan = errors.New("storm: the plan contradicts how its events are read")

// draft is an event that is not written yet. Its kind, and the partition that it belongs under, are what the story
// meant, not what a decoder finds.
type draft struct {
	Event

	at        time.Time
	partition string
	data      object
	odd       odd // how its deliveries differ from what is documented
}

const (
	lastRetry  = 111 * time.Minute                                  // by JustCall's documents
	webhookURL = "https://hooks.example.com/justcall/not-the-token" // in bodies of format B, where nobody reads it
)

// body writes a delivery of the event. A redelivery is the same event in another spelling and, in format B, under
// another request id.
func (d *draft) body(rng *rand.Rand, again bool) []byte {
	at, layout := d.at, "2006-01-02T15:04:05Z"
	s := speller{out: make([]byte, 0, 1024)}
	if again {
		at = at.Add(time.Duration(rng.Int64N(int64(lastRetry))))
		layout = pick(rng, layout, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05+00:00", "2006-01-02 15:04:05")
		s.rng, s.wide = rng, rng.IntN(3) == 0
	}
	switch d.Format {
	case events.FormatA:
		s.write(around(d.odd, members("event", string(d.Type), "timestamp", d.at.Format(layout), "data", d.data)))
	case events.FormatB:
		s.write(around(d.odd, members(
			"request_id", ulid(rng, at), "webhook_url", webhookURL, "type", string(d.Type), "data", d.data,
			"url_id", pick[any](rng, 48214, fmt.Sprintf("%024x", rng.Uint64())),
		)))
	case events.FormatLegacy:
		s.write(object{{"data", append(object{{"type", string(d.Type)}}, d.data...)}})
	}
	return finish(d.odd, s.out)
}

// event reads the event back for the part of its key that is a hash over the data, and checks the rest against what
// was meant.
func (d *draft) event(body []byte) (Event, error) {
	envelope, err := events.Open(body)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %s: %w", errPlan, d.Type, err)
	}
	read := envelope.Decode()
	key := table.EventKey(read)
	if read.Format != d.Format || read.Type != d.Type || read.Kind != d.Kind || key.PK != d.partition {
		return Event{}, fmt.Errorf("%w: %s of %s, meant as %s %s under %s, is read as %s %s under %s",
			errPlan, d.Type, d.Story, d.Format, d.Kind, d.partition, read.Format, read.Kind, key.PK)
	}
	e := d.Event
	e.Key = key
	if d.Kind.Alerts() && !onlyAdds(d.Type) {
		e.Alert = d.partition + "/" + string(d.Kind)
		if noCall, ok := strings.CutPrefix(key.SK, "EVENT#"); ok && shared(key.PK) {
			e.Alert += "#" + noCall // of no known call: every event is an alert of its own
		}
	}
	return e, nil
}

// shared reports whether a partition has all events of a type that belong to no call, message or contact. Those of
// other plans, and of people, are there as well.
func shared(pk string) bool { return strings.HasPrefix(pk, "EVENT#") }

// onlyAdds reports whether events of a type add to a call that was reported before. The calls of a plan are at
// least days old, so one of these alone is no news, and alerts nobody.
func onlyAdds(typ events.Type) bool {
	return slices.Contains([]events.Type{
		events.TypeCallUpdated, events.TypeCallAIGenerated, events.TypeSalesDialerCallUpdated, events.TypeSalesDialerCallAIGenerated,
	}, typ)
}

// ulid returns a request id of format B. See https://github.com/ulid/spec.
func ulid(rng *rand.Rand, at time.Time) string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := make([]byte, 26)
	ms := at.UnixMilli()
	for i := range id {
		id[i] = letters[rng.IntN(len(letters))]
	}
	for i := 9; i >= 0; i-- {
		id[i] = letters[ms&31]
		ms >>= 5
	}
	return string(id)
}
