package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
)

const (
	// before and after a call are how far the times of format A's events of it may lie
	// outside it: they are when each event happened, and a voicemail comes last.
	before = 5 * time.Second
	after  = time.Minute
	// longerBy is by how much a row has to make a conversation longer to be news.
	longerBy = time.Minute
	// sameID is how far apart two calls with one id may begin to be one.
	sameID = 24 * time.Hour
)

// finder looks up what the table knows of a row.
type finder struct{ store table.Store }

// isNews reports whether a row says anything that matters and that is not known. It may
// give the row a name of its own: see [candidate.rename].
func (f finder) isNews(ctx context.Context, c *candidate) (bool, error) {
	known, err := f.known(ctx, c)
	if err != nil {
		return false, err
	}
	return !known, nil
}

func (f finder) known(ctx context.Context, c *candidate) (bool, error) {
	kind := c.part.Kind
	if !kind.IsCall() && kind != events.KindMessage || c.delivery.Entity == events.EntityNone {
		if has, err := f.has(ctx, c.key()); has || err != nil || kind == events.KindContact {
			return has, err
		}
	} else {
		stored, err := f.events(ctx, c.key().PK)
		switch {
		case err != nil:
			return false, err
		case len(stored) == 0:
		case kind == events.KindMessage || c.sid != "" || c.isSame(stored):
			c.known = events.Fold(append(stored.read(), c.part)...)
			return !stored.wouldChangeBy(c), nil
		default: // the sales dialer has ids of its own, which may be those of other calls
			c.rename()
			return f.known(ctx, c)
		}
	}
	if kind.IsCall() && c.sid != "" && c.id > 0 {
		// A webhook may have an id alone. The sales dialer's are not these.
		stored, err := f.events(ctx, table.CallPartition(strconv.FormatInt(c.id, 10)))
		if err != nil {
			return false, err
		}
		if len(stored) > 0 && c.isSame(stored) {
			return !stored.wouldChangeBy(c), nil
		}
	}
	return f.knownByTime(ctx, c)
}

// knownByTime looks for the row's call or text among those of format A, whose ids are
// others: by the number, the line and the time.
func (f finder) knownByTime(ctx context.Context, c *candidate) (bool, error) {
	if c.part.Phone == "" || !c.part.Own {
		return false, nil
	}
	from, to := c.part.At.Add(-before), c.ended().Add(after)
	looked := map[string]bool{c.key().PK: true}
	for item, err := range table.All(ctx, f.store, table.Query{
		Index: table.GSI1, Partition: table.PhonePartition(c.part.Phone), From: table.Time(from), To: table.Time(to),
	}) {
		if err != nil {
			return false, fmt.Errorf("look for the number's events: %w", err)
		}
		key := table.KeyOf(item)
		if looked[key.PK] || !strings.HasPrefix(key.PK, c.family()) {
			continue
		}
		looked[key.PK] = true
		stored, err := f.events(ctx, key.PK)
		if err != nil {
			return false, err
		}
		if stored.isTwinOf(c) && !stored.wouldChangeBy(c) {
			return true, nil
		}
	}
	return false, nil
}

// family begins the partitions of events that may be the row's.
func (c *candidate) family() string {
	if c.part.Kind == events.KindMessage {
		return table.MessagePartition("")
	}
	return table.CallPartition("")
}

// has reports whether the table has an item.
func (f finder) has(ctx context.Context, key table.Key) (bool, error) {
	item, err := table.Get(ctx, f.store, key)
	if err != nil {
		return false, fmt.Errorf("look for the row: %w", err)
	}
	return item != nil, nil
}

// parts are the events of one call or text.
type parts []part

type part struct {
	events.Part

	erased bool
}

func (f finder) events(ctx context.Context, partition string) (all parts, err error) {
	for item, err := range table.All(ctx, f.store, table.Query{Partition: partition, SortPrefix: table.EventMark}) {
		if err != nil {
			return nil, fmt.Errorf("read the events: %w", err)
		}
		if table.IsEmptied(item) {
			all = append(all, part{erased: true})
			continue
		}
		all = append(all, part{Part: alert.PartOf(item)})
	}
	return all, nil
}

// read returns the events that still say something.
func (all parts) read() (read []events.Part) {
	for _, p := range all {
		if !p.erased {
			read = append(read, p.Part)
		}
	}
	return read
}

func (all parts) erased() bool {
	return slices.ContainsFunc(all, func(p part) bool { return p.erased })
}

// wouldChangeBy reports whether a row changes what the events together say, so that it
// matters: who called, how it ended, what that means for who waits, how long people
// talked. What was erased stays so.
func (all parts) wouldChangeBy(c *candidate) bool {
	// guard 12 reconcile (WhatWasErased): if false {
	if all.erased() {
		return false
	}
	known := all.read()
	policy := followup.Default()
	if c.part.Kind == events.KindMessage {
		was, now := policy.Text("", known...), policy.Text("", append(known, c.part)...)
		return was.Effect != now.Effect || was.Sent != now.Sent
	}
	wasFold, nowFold := events.Fold(known...), events.Fold(append(known, c.part)...)
	was, now := policy.Call("", wasFold), policy.Call("", nowFold)
	talked := now.Effect == followup.Contact || now.Effect == followup.Attempt
	return was.Outcome != now.Outcome || was.Effect != now.Effect || was.Direction != now.Direction ||
		wasFold.Phone == "" && nowFold.Phone != "" || talked && now.End.Sub(was.End) > longerBy
}

// isSame reports whether events that are stored under the row's id are of the same call.
func (c *candidate) isSame(stored parts) bool {
	if stored.erased() {
		return true
	}
	known := stored.read()
	dialer := func(p events.Part) bool { return strings.HasPrefix(string(p.Type.Name()), "sd.") }
	if slices.ContainsFunc(known, dialer) != dialer(c.part) {
		return false
	}
	fold := events.Fold(known...)
	if fold.Phone != "" && c.call.Phone != "" && fold.Phone != c.call.Phone {
		return false
	}
	return fold.Start.IsZero() || c.call.Start.IsZero() || fold.Start.Sub(c.call.Start).Abs() <= sameID
}

// isTwinOf reports whether events of format A are of the row's call or text, by the line
// and the direction. Number and time are known to fit.
func (all parts) isTwinOf(c *candidate) bool {
	known := all.read()
	if len(known) == 0 || slices.ContainsFunc(known, func(p events.Part) bool { return p.Format == events.FormatB }) {
		return false
	}
	return slices.ContainsFunc(known, func(p events.Part) bool {
		return sameText(events.PhoneNumber(p.Line), events.PhoneNumber(c.part.Line)) &&
			sameText(string(p.Direction), string(c.part.Direction))
	})
}

// sameText reports whether two texts are equal, or one is missing.
func sameText(a, b string) bool { return a == "" || b == "" || a == b }
