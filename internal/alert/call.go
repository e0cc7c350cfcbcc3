package alert

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// kinds are the alerts that a call can owe, in the order in which they go out.
var kinds = []events.Kind{events.KindMissedCall, events.KindVoicemail}

// call is a call as the table has it: its events, folded, and its marks.
type call struct {
	events.Folded

	// key is that of one of its events. The partition names the call, unless the
	// event is of no known call: see [table.OfNoCall].
	key   table.Key
	parts []events.Part
	marks map[table.Key]table.Item
}

// mark returns the mark with a key that an alert has, nil if it has none.
func (c *call) mark(key func(table.Key, events.Kind) table.Key, kind events.Kind) table.Item {
	return c.marks[key(c.key, c.round(kind))]
}

// round names a call's alert of a kind in its marks and in its ID. That is the kind. If
// the alert was taken back, and what took it back proves wrong, the call alerts anew,
// in the second round, and so on.
func (c *call) round(kind events.Kind) events.Kind {
	name, _ := c.lastRound(kind)
	return name
}

// lastRound returns the round and, unless it is the first, the mark that says why the
// one before was taken back.
func (c *call) lastRound(kind events.Kind) (name events.Kind, returned table.Item) {
	name = kind
	for n := 2; ; n++ {
		mark := c.marks[table.ReturnedKey(c.key, name)]
		if mark == nil {
			return name, returned
		}
		name, returned = events.Kind(fmt.Sprintf("%s#%d", kind, n)), mark
	}
}

// stands reports whether an alert was published and not taken back.
func (c *call) stands(kind events.Kind) bool { return c.mark(table.AlertKey, kind) != nil }

// begun reports whether an alert may have been published, and was not taken back: the
// process that was about to may have ended before it marked the alert as published.
func (c *call) begun(kind events.Kind) bool {
	return c.stands(kind) || c.mark(table.PublishingKey, kind) != nil
}

// skipped reports whether an alert was not published for a reason.
func (c *call) skipped(kind events.Kind, why reason) bool {
	return c.marks[table.SkippedKey(c.key, c.round(kind), string(why))] != nil
}

// isReturnedBy reports whether an alert is about to be taken back on a call's account.
func (c *call) isReturnedBy(kind events.Kind, by table.Key) bool {
	mark := c.mark(table.ReturningKey, kind)
	return mark != nil && table.CallOf(table.Other(mark)) == table.CallOf(by)
}

// keptTwin returns why a call's alert was not sent, or was taken back, because of a ring
// whose seats are deleted by now. That stays so.
func (c *call) keptTwin(kind events.Kind, of table.Ring, now time.Time) reason {
	why := c.lastReturned(kind)
	if twin := c.mark(table.TwinKey, kind); twin != nil {
		why = cmp.Or(reason(table.Text(twin, table.Reason)), sameRing)
	}
	if !why.denies() || !of.Known() || !now.After(of.Expires()) {
		return none
	}
	return why
}

// lastReturned returns why the alert of a kind was taken back the last time; none if it
// never was.
func (c *call) lastReturned(kind events.Kind) reason {
	_, mark := c.lastRound(kind)
	return reason(table.Text(mark, table.Reason))
}

// load reads a call. The events in hand count even if the table does not have them.
func (d *Dispatcher) load(ctx context.Context, key table.Key, inHand ...table.Item) (*call, error) {
	c := &call{key: key, marks: make(map[table.Key]table.Item)}
	found := make(map[table.Key]events.Part)
	for _, item := range inHand {
		found[table.KeyOf(item)] = d.Parts.Of(item)
	}
	read := func(q table.Query) error {
		for item, err := range table.All(ctx, d.store, q) {
			if err != nil {
				// guard 2 alert alerts (MarksThat|WithoutTheMarks): _ = fmt.Errorf("read the call: %w", err); return nil
				return fmt.Errorf("read the call: %w", err)
			}
			switch key := table.KeyOf(item); {
			case !table.IsEvent(key):
				c.marks[key] = item
			case found[key].Key == "": // what is in hand is not read again: it may be long
				found[key] = d.Parts.Of(item)
			}
		}
		return nil
	}
	fold := func() {
		// In order, so that with more numbers than [maxSides] every process looks at the same ones.
		c.parts = slices.SortedFunc(maps.Values(found), func(a, b events.Part) int { return cmp.Compare(a.Key, b.Key) })
		c.Folded = events.Fold(c.parts...)
		for _, p := range c.parts {
			if key.SK == "" && (c.key.SK == "" || p.Key < c.key.SK) {
				c.key.SK = p.Key // who named the call knew none of its events
			}
		}
	}
	if !table.OfNoCall(key) {
		err := read(table.Query{Partition: key.PK})
		fold()
		return c, err
	}

	if len(inHand) == 0 {
		if err := read(table.Query{Partition: key.PK, SortPrefix: key.SK}); err != nil {
			return nil, err
		}
	}
	fold()
	for _, kind := range kinds {
		if !c.Owes(kind) {
			continue
		}
		for round := events.Kind(""); round != c.round(kind); {
			round = c.round(kind)
			if err := read(table.AlertMarks(key, round)); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// PartOf returns what an event's item says of its call or text: the times by the item's
// own attributes, everything else by the payload. It cannot fail: if the payload cannot be
// read, the attributes have to do, since somebody called.
func PartOf(item table.Item) events.Part {
	key := table.KeyOf(item)
	p := events.Part{
		Key:        key.SK,
		Type:       events.Type(table.EventType(item)),
		At:         timeOf(item, table.OccurredAt),
		Own:        !table.KeyTime(key).IsZero(),
		ReceivedAt: timeOf(item, table.ReceivedAt),
		FoundLate:  table.Text(item, table.FoundBy) != "",
	}
	envelope, err := table.EnvelopeOf(item)
	if err == nil {
		p.Format, p.Details = envelope.Format, envelope.Details()
	}
	if alert := table.AlertOf(item); err != nil || alert != "" && p.Kind != alert {
		p.Details = attributesOf(item)
	}
	return p
}

// attributesOf returns what an item's attributes repeat of its payload.
func attributesOf(item table.Item) events.Details {
	d := events.Details{
		Kind:     cmp.Or(table.AlertOf(item), events.Kind(table.Text(item, table.Kind))),
		Phone:    strings.TrimPrefix(table.Text(item, table.GSI1PK), table.PhonePartition("")),
		LineName: table.Text(item, "justcall_line_name"),
	}
	if id, ok := strings.CutPrefix(table.Text(item, table.PK), table.CallPartition("")); ok {
		d.ID = id
	}
	if d.Kind.Alerts() {
		d.Direction = events.Inbound
		d.Outcome = map[events.Kind]events.Outcome{events.KindMissedCall: events.Missed, events.KindVoicemail: events.Voicemailed}[d.Kind]
	}
	d.Outcome = d.Outcome.Best(events.Outcome(table.Text(item, table.Outcome)))
	return d
}
