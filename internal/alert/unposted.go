package alert

import (
	"fmt"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Unposted is a type of event that JustCall does not post as it should.
type Unposted struct {
	Type  events.Type `json:"type"`
	State string      `json:"state"`
	// Do says what to do about it.
	Do string `json:"do"`
}

// OfUnposted renders what people get if JustCall does not post some types of events, of which
// there is at least one. The id stays the same if it is sent again, and key is that of the item
// that has them.
func OfUnposted(id string, key table.Key, all []Unposted) Message {
	subject := "JustCall does not post as it should: " + string(all[0].Type)
	if more := len(all) - 1; more == 1 {
		subject += " and one more type of event"
	} else if more > 1 {
		subject += fmt.Sprintf(" and %d more types of events", more)
	}
	var email strings.Builder
	email.WriteString(subject + "\n\nUntil that is mended, events may come late, or not at all.\n\n")
	for _, u := range all {
		fmt.Fprintf(&email, "%s (%s): %s\n", u.Type, u.State, u.Do)
	}
	return Message{
		ID: id, Kind: events.KindWebhook, Call: id,
		Subject: subject, Email: email.String(), SMS: subject + ". Run \"ringback doctor\".",
		Document: encode(document{
			Version: documentVersion, ID: id, Kind: events.KindWebhook, Unposted: all, Key: tableKey{PK: key.PK, SK: key.SK},
		}),
		Attributes: map[string]string{"kind": string(events.KindWebhook)},
	}
}
