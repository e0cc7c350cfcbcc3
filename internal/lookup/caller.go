package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Caller is what is known of a number, with a page of what happened.
type Caller struct {
	Party

	FollowUp FollowUp `json:"follow_up"`
	// Spellings are the numbers under which there are events, as they are keyed.
	Spellings []string `json:"spellings,omitzero"`
	// ContactIDs are those of the contacts that have the number.
	ContactIDs []string `json:"contact_ids,omitzero"`
	// Timeline is what happened, the newest first: a call and a text are one entry each,
	// whatever number of events they have.
	Timeline []Entry `json:"timeline"`
	Next     Cursor  `json:"next,omitzero"`
}

const (
	// eventsPerEntry is how many events of a number are read for each entry of a page.
	eventsPerEntry = 4
	// maxAhead is how many calls a cursor remembers to have been shown.
	maxAhead = 20
)

// track is where events are read, such as those of one spelling of a number.
type track struct {
	Index     table.Index  `json:"i,omitzero"`
	Partition string       `json:"p"`
	Sort      string       `json:"s,omitzero"`
	After     table.Cursor `json:"a,omitzero"`
	Done      bool         `json:"d,omitzero"`

	items []table.Item
	read  int // of items, into entries
	next  table.Cursor
	err   error
	// wasRead is set once items are what the table has there.
	wasRead bool
}

// trail is the position in a caller's timeline.
type trail struct {
	Tracks []*track `json:"t"`
	// Before is the time of the last event that was read; "" at the beginning.
	Before string `json:"b,omitzero"`
	// Shown are the calls and texts that were shown with all of their events.
	Shown []string `json:"s,omitzero"`
}

// Caller returns what is known of a number, in any spelling, or of a call whose number nobody
// knows ("call:" and its id). The error wraps [ErrNumber] if the text is neither, and
// [ErrNotFound] if nothing is known of it.
//
// It makes one query, and one for each spelling of the number, of which most have one.
// Events of one call that lie far apart may be two entries.
func (l *Lookup) Caller(ctx context.Context, number string, p Page) (c Caller, err error) {
	key, err := l.canonical(number)
	if err != nil {
		return Caller{}, err
	}
	name := "caller " + key
	var from trail
	if err := p.After.read(name, &from); err != nil {
		return Caller{}, err
	}
	items, err := l.read(ctx, "look up a caller", table.Query{Partition: table.CallerPartition(key)})
	if err != nil {
		return Caller{}, err
	}
	stored, err := ledger.Read(items)
	if err != nil {
		return Caller{}, fmt.Errorf("look up a caller: %w", err)
	}
	c = Caller{Party: l.party(key).sent(stored), FollowUp: l.followUp(stored)}
	var acts []Entry
	for _, item := range items {
		switch key := table.KeyOf(item); {
		case table.IsAct(key):
			if act, err := ledger.ReadAct(item); err == nil {
				acts = append(acts, actEntry(key, act))
			}
		case strings.HasPrefix(key.SK, table.ContactSort) && table.Text(item, table.UpdatedAt) != "" && !isRemoved(item):
			c.ContactIDs = append(c.ContactIDs, strings.TrimPrefix(key.SK, table.ContactSort))
		}
	}
	if !followup.IsCallSubject(key) {
		c.Spellings = spelling.Of(key, number, items, l.numbers.Canonical)
	}
	if len(from.Tracks) == 0 {
		from.Tracks = c.tracks()
	}
	if err := l.walk(ctx, &c, &from, acts, p); err != nil {
		return Caller{}, err
	}
	if len(from.Tracks) > 0 {
		c.Next = cursorOf(name, from)
	}
	if len(items) == 0 && len(c.Timeline) == 0 && p.After == "" {
		return Caller{}, ErrNotFound
	}
	var called string // by the name that came last
	for _, e := range c.Timeline {
		if called == "" {
			called = e.Name
		}
	}
	c.Party = c.named(called).person(stored.Person)
	return c, nil
}

func isRemoved(item table.Item) bool { return attributes{item}.isTrue(table.Removed) }

// tracks are where the caller's events are.
func (c *Caller) tracks() (all []*track) {
	for _, s := range c.Spellings {
		all = append(all, &track{Index: table.GSI1, Partition: table.PhonePartition(s)})
	}
	if source, ok := strings.CutPrefix(c.Key, followup.CallSubject); ok {
		key := table.SourceKey(source)
		if key.SK == "" {
			key.PK = table.CallPartition("") + source
		}
		all = append(all, &track{Partition: key.PK, Sort: cmp.Or(key.SK, table.EventMark)})
	}
	return all
}

func actEntry(key table.Key, act followup.Act) Entry {
	return Entry{
		Kind: KindAct, Key: key, At: act.At, Act: string(act.Kind), By: alert.OneLine(act.By, maxName),
		Text: alert.OneLine(act.Why, maxText), Until: act.Until,
	}
}

// walk reads the next entries of a timeline, and moves the trail behind them; without tracks
// at its end.
func (l *Lookup) walk(ctx context.Context, c *Caller, from *trail, acts []Entry, p Page) error {
	limit := p.limit()
	timing.SideBySide(from.Tracks, func(t *track) {
		if t.Done {
			return
		}
		q := table.Query{Index: t.Index, Partition: t.Partition, SortPrefix: t.Sort, NewestFirst: true, After: t.After}
		t.items, t.next, t.err = l.readPage(ctx, q, eventsPerEntry*limit)
	})
	for _, t := range from.Tracks {
		if t.err != nil {
			return fmt.Errorf("look up a caller: %w", cursorError(t.err, p.After))
		}
	}

	before := from.Before
	index := make(map[string]int)
	shown := from.Shown
	from.Shown = nil
	for {
		t := newestOf(from.Tracks)
		if t == nil || t.read == len(t.items) {
			break
		}
		item := t.items[t.read]
		e := l.entry(item)
		i, known := index[e.source]
		switch {
		case slices.Contains(shown, e.source):
		case known:
			c.Timeline[i] = e.with(c.Timeline[i])
		case len(c.Timeline) == limit:
			goto full
		default:
			index[e.source] = len(c.Timeline)
			c.Timeline = append(c.Timeline, e)
		}
		t.read++
		t.After, from.Before = table.PositionOf(t.Index, item).Cursor(), table.Text(item, table.OccurredAt)
	}
full:
	from.Shown = l.ahead(c, from.Tracks, index, shown)
	more := false
	for _, t := range from.Tracks {
		t.Done = t.Done || t.read == len(t.items) && t.next == ""
		more = more || !t.Done
	}
	for _, act := range acts {
		at := table.Time(act.At)
		if (before == "" || at < before) && (!more || at >= from.Before) {
			c.Timeline = append(c.Timeline, act)
		}
	}
	slices.SortStableFunc(c.Timeline, func(a, b Entry) int { return b.At.Compare(a.At) })
	if !more {
		from.Tracks = nil
	}
	return nil
}

// newestOf returns the track whose next event is the newest; nil if there is none. A track
// of which more is to be read, and nothing is left in hand, ends the page: what comes
// next is not known.
func newestOf(tracks []*track) (newest *track) {
	for _, t := range tracks {
		switch {
		case t.Done:
		case t.read == len(t.items) && t.next != "":
			return t
		case t.read == len(t.items):
		case newest == nil || timeText(t) > timeText(newest):
			newest = t
		}
	}
	return newest
}

func timeText(t *track) string { return table.Text(t.items[t.read], table.OccurredAt) }

// ahead adds the events in hand that belong to calls on the page, though others come before
// them, and returns the calls, with those of earlier pages of which events are in hand.
func (l *Lookup) ahead(c *Caller, tracks []*track, index map[string]int, before []string) (shown []string) {
	for _, t := range tracks {
		for _, item := range t.items[t.read:] {
			source := sourceOf(table.KeyOf(item))
			i, here := index[source]
			if !here && !slices.Contains(before, source) {
				continue
			}
			if !slices.Contains(shown, source) {
				if len(shown) == maxAhead {
					continue
				}
				shown = append(shown, source)
			}
			if here {
				c.Timeline[i] = l.entry(item).with(c.Timeline[i])
			}
		}
	}
	return shown
}

// Standing returns who has a number, and how things stand, without what happened. It makes
// one query. The errors are those of [Lookup.Caller]; who is not known is no error.
func (l *Lookup) Standing(ctx context.Context, number string) (Party, FollowUp, error) {
	key, err := l.canonical(number)
	if err != nil {
		return Party{}, FollowUp{}, err
	}
	stored, err := l.load(ctx, key)
	if err != nil {
		return Party{}, FollowUp{}, fmt.Errorf("look up a caller: %w", err)
	}
	return l.party(key).sent(stored).person(stored.Person), l.followUp(stored), nil
}
