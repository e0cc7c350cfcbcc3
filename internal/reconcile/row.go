package reconcile

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/table"
)

// row is a row of a list, as far as a walk needs it.
type row struct {
	typ      events.Type // of the event that it becomes
	id       int64
	sid      string
	at       time.Time // zero if it is not known
	day      string    // by the account's clock
	underWay bool
	deleted  bool
	raw      jsontext.Value
}

// pages are a walk over a list.
type pages = iter.Seq2[justcall.Page[row], error]

// lister walks one of the account's lists from a place on.
type lister func(ctx context.Context, from justcall.Cursor) pages

func calls(c *justcall.Client) lister {
	return func(ctx context.Context, from justcall.Cursor) pages {
		return rows(c.Calls(ctx, from), func(c justcall.Call) row {
			return row{
				typ: events.TypeCallCompleted, id: c.ID, sid: c.SID, at: c.StartedAt, day: dayOf(c.LocalDate, c.StartedAt),
				underWay: c.UnderWay(), raw: c.Raw,
			}
		})
	}
}

// dayOf returns the day of a row, by the account's clock if the row says it. That of UTC is
// nearly the same: days are compared all the same.
func dayOf(local string, at time.Time) string {
	if _, err := time.Parse(time.DateOnly, local); err != nil && !at.IsZero() {
		return at.Format(time.DateOnly)
	}
	return local
}

func texts(c *justcall.Client) lister {
	return func(ctx context.Context, from justcall.Cursor) pages {
		return rows(c.Texts(ctx, from), func(t justcall.Text) row {
			typ := events.TypeSMSSentReceived
			switch direction := strings.ToLower(t.Direction); {
			case strings.HasPrefix(direction, "in"):
				typ = events.TypeSMSReceived
			case strings.HasPrefix(direction, "out"):
				typ = events.TypeSMSSent
			}
			return row{typ: typ, id: t.ID, at: t.SentAt, day: dayOf(t.LocalDate, t.SentAt), deleted: t.Deleted, raw: t.Raw}
		})
	}
}

// rows reads the rows of pages.
func rows[T any](all iter.Seq2[justcall.Page[T], error], read func(T) row) pages {
	return func(yield func(justcall.Page[row], error) bool) {
		for page, err := range all {
			p := justcall.Page[row]{Total: page.Total, Next: page.Next}
			for _, r := range page.Rows {
				p.Rows = append(p.Rows, read(r))
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// candidate is a row as a delivery.
type candidate struct {
	row

	received ingest.Received
	delivery *events.Delivery
	part     events.Part
	// call is the row alone as a call, and record what that means; zero for a text.
	call   events.Folded
	record followup.Call
	// known is the call with what is stored of it.
	known events.Folded
}

// newCandidate reads a row. ok is false if nothing can be made of it.
func newCandidate(r row, foundBy string, now time.Time) (c *candidate, ok bool) {
	if r.raw.Kind() != '{' {
		return nil, false
	}
	c = &candidate{row: r}
	if !c.read(foundBy, now) {
		return nil, false
	}
	if c.delivery.KeyTime().IsZero() && !r.at.IsZero() {
		// The client reads times that the webhook does not have, such as "8:5:3".
		date, clock := "call_date", "call_time"
		if c.delivery.Kind == events.KindMessage {
			date, clock = "sms_date", "sms_time"
		}
		c.set(date, r.at.Format(time.DateOnly))
		c.set(clock, r.at.Format(time.TimeOnly))
		ok = c.read(foundBy, now)
		return c, ok
	}
	return c, true
}

// read makes the delivery of the row's text.
func (c *candidate) read(foundBy string, now time.Time) (ok bool) {
	body := []byte(`{"type":"` + string(c.typ) + `","data":` + string(c.raw) + `}`)
	envelope, err := events.Open(body)
	if err != nil || envelope.Probe() {
		return false
	}
	c.received = ingest.Received{ReceivedAt: now.UTC().Truncate(time.Millisecond), Body: body, FoundBy: foundBy}
	c.delivery = envelope.Decode()
	c.part = events.Part{
		Details: envelope.Details(), Key: table.EventKey(c.delivery).SK, Type: c.typ, Format: envelope.Format,
		At: c.delivery.OccurredAt(time.Time{}, now), Own: !c.delivery.KeyTime().IsZero(), ReceivedAt: now,
	}
	if c.part.Kind.IsCall() {
		c.call = events.Fold(c.part)
		c.record = followup.Default().Call("", c.call)
		c.known = c.call
	}
	return true
}

// set gives a member of the row another text.
func (c *candidate) set(name, text string) {
	var members map[string]jsontext.Value
	lenient := json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if json.Unmarshal(c.raw, &members, lenient) != nil {
		return
	}
	members[name], _ = jsontext.AppendQuote(nil, text)
	var out bytes.Buffer
	if json.MarshalWrite(&out, members, json.Deterministic(true), lenient) == nil {
		c.raw = bytes.TrimSpace(out.Bytes())
	}
}

// rename gives a call without a call_sid one of its own, because the events that are
// stored under its id are another call's.
func (c *candidate) rename() {
	foundBy, now := c.received.FoundBy, c.received.ReceivedAt
	c.sid = "justcall-" + strconv.FormatInt(c.id, 10)
	c.set("call_sid", c.sid)
	c.read(foundBy, now)
}

// key is that of the item that the delivery becomes.
func (c *candidate) key() table.Key { return table.EventKey(c.delivery) }

// opens reports whether the row is a call of somebody who may wait for a call back.
func (c *candidate) opens() bool { return c.record.Effect == followup.Opens }

// ended is when the call ended, or the text was sent; zero if the row does not say.
func (c *candidate) ended() time.Time {
	if c.call.End.IsZero() {
		return c.at
	}
	return c.call.End
}
