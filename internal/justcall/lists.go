package justcall

import (
	"context"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Call is a row of the calls. It has what tells which call it is; package events reads
// the rest from Raw, which has the members of a webhook's data.
type Call struct {
	ID            int64
	SID           string
	StartedAt     time.Time // UTC; zero if the row does not say
	LocalDate     string    // the day by the account's clock; "" if the row does not say
	ContactNumber string
	LineNumber    string
	Direction     string
	Outcome       string // call_info.type: "answered", "Missed", "In Progress", …
	Raw           jsontext.Value
}

// UnderWay reports whether the call has not ended yet. "In Progress" is documented; the
// others are how JustCall's carrier calls it.
func (c Call) UnderWay() bool {
	switch strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(c.Outcome)) {
	case "inprogress", "ringing", "queued":
		return true
	}
	return false
}

// Calls walks the calls of all lines. Those that are under way are among them.
func (c *Client) Calls(ctx context.Context, from Cursor) iter.Seq2[Page[Call], error] {
	return walk(ctx, c, list[Call]{
		operation: get("list calls", "/v2.1/calls"),
		fixed:     url.Values{"sort": {"id"}, "order": {"desc"}},
		perPage:   100, id: "id", total: "total_count",
		read: func(r row, raw jsontext.Value) Call { return readCall(r, raw, "id", "justcall_number") },
	}, from)
}

// SalesDialerCalls walks the calls of the sales dialer. Their ids are their own: a call
// of [Client.Calls] may have the same.
func (c *Client) SalesDialerCalls(ctx context.Context, from Cursor) iter.Seq2[Page[Call], error] {
	return walk(ctx, c, list[Call]{
		operation: get("list the sales dialer's calls", "/v2.1/sales_dialer/calls"),
		fixed:     url.Values{"sort": {"id"}, "order": {"desc"}},
		perPage:   100, id: "call_id", total: "total_count",
		read: func(r row, raw jsontext.Value) Call { return readCall(r, raw, "call_id", "sales_dialer_number") },
	}, from)
}

func readCall(r row, raw jsontext.Value, id, line string) Call {
	info := r.object("call_info")
	return Call{
		ID:            r.number(id),
		SID:           r.text("call_sid"),
		StartedAt:     r.time("call_date", "call_time"),
		LocalDate:     r.text("call_user_date"),
		ContactNumber: r.text("contact_number"),
		LineNumber:    r.text(line),
		Direction:     info.text("direction"),
		Outcome:       info.text("type"),
		Raw:           raw,
	}
}

// Text is a row of the text messages.
type Text struct {
	ID            int64
	SentAt        time.Time // UTC; zero if the row does not say
	ContactNumber string
	LineNumber    string
	Direction     string
	LocalDate     string // as of a [Call]
	Medium        string // tells a person's text from an automatic one
	Deleted       bool
	Raw           jsontext.Value
}

// Texts walks the text messages.
func (c *Client) Texts(ctx context.Context, from Cursor) iter.Seq2[Page[Text], error] {
	return walk(ctx, c, list[Text]{
		operation: get("list texts", "/v2.1/texts"),
		fixed:     url.Values{"sort": {"id"}, "order": {"desc"}},
		perPage:   100, id: "id", total: "total_texts",
		read: func(r row, raw jsontext.Value) Text {
			return Text{
				ID:            r.number("id"),
				SentAt:        r.time("sms_date", "sms_time"),
				ContactNumber: r.text("contact_number"),
				LineNumber:    r.text("justcall_number"),
				Direction:     r.text("direction"),
				LocalDate:     r.text("sms_user_date"),
				Medium:        r.text("medium"),
				Deleted:       r.bool("is_deleted"),
				Raw:           raw,
			}
		},
	}, from)
}

// Contact is a row of the contacts. A person's other numbers are rows of their own, too.
type Contact struct {
	ID           int64
	Name         string
	Number       string
	OtherNumbers []string
	Raw          jsontext.Value
}

// Contacts walks the contacts of the whole team. Without asking for that, only those of
// the key's owner come.
func (c *Client) Contacts(ctx context.Context, from Cursor) iter.Seq2[Page[Contact], error] {
	return walk(ctx, c, list[Contact]{
		operation: get("list contacts", "/v2.1/contacts"),
		fixed:     url.Values{"across_team": {"true"}, "order": {"desc"}},
		perPage:   500, id: "id", total: "total_count",
		read: func(r row, raw jsontext.Value) Contact {
			contact := Contact{ID: r.number("id"), Name: r.text("name"), Number: r.text("contact_number"), Raw: raw}
			for _, other := range r.elements("other_numbers") {
				if number := newRow(other).text("number"); number != "" {
					contact.OtherNumbers = append(contact.OtherNumbers, number)
				}
			}
			return contact
		},
	}, from)
}

// User is a member of the team.
type User struct {
	ID       int64
	Role     string
	TimeZone string // IANA name; "" if none is set
	Lines    []string
}

// Users walks the team's members.
func (c *Client) Users(ctx context.Context) iter.Seq2[Page[User], error] {
	return walk(ctx, c, list[User]{
		operation: get("list users", "/v2.1/users"),
		fixed:     url.Values{"order": {"desc"}},
		perPage:   100, id: "id", total: "total_count",
		read: func(r row, _ jsontext.Value) User {
			return User{r.number("id"), r.text("role"), r.text("timezone"), append(r.texts("owned_numbers"), r.texts("shared_numbers")...)}
		},
	}, Cursor{})
}

// Line is one of the account's own numbers. The API does not tell its opening hours.
type Line struct {
	ID           int64
	Number       string
	Name         string
	Availability string // "Always Open", "Always Closed" or "Custom Hours"
	TakesCalls   bool
}

// Lines walks the account's numbers.
func (c *Client) Lines(ctx context.Context) iter.Seq2[Page[Line], error] {
	return walk(ctx, c, list[Line]{
		operation: get("list phone numbers", "/v2.1/phone-numbers"),
		fixed:     url.Values{"order": {"DESC"}}, // in upper case only here
		perPage:   100, id: "id", total: "total_count",
		read: func(r row, _ jsontext.Value) Line {
			return Line{
				ID: r.number("id"), Number: r.text("justcall_number"), Name: r.text("justcall_line_name"),
				Availability: r.text("availability_setting"), TakesCalls: r.object("capabilities").bool("call"),
			}
		},
	}, Cursor{})
}
