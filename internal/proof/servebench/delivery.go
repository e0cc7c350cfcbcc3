package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// kinds are the samples in the order in which they are posted. Two of the nine alert.
var kinds = []string{
	"call.completed", "sms.received", "call.answered", "contact.created", "voicemail.received",
	"sms.sent", "call.missed", "sms.delivered", "contact.updated",
}

// step is the time between one delivery's event and the next one's.
const step = 7 * time.Second

// sample is a body, and the parts of it that differ between deliveries.
type sample struct {
	body, id, number, at string
	contact              bool
}

func readSamples(folder string) (all []sample, err error) {
	for _, kind := range kinds {
		text, err := os.ReadFile(filepath.Join(folder, kind+".json")) //nolint:gosec // G304: a file of the repository
		if err != nil {
			return nil, err
		}
		var body bytes.Buffer
		if err := json.Compact(&body, text); err != nil {
			return nil, err
		}
		envelope, err := events.Open(text)
		if err != nil {
			return nil, err
		}
		var at struct {
			Timestamp string `json:"timestamp"`
		}
		if err := json.Unmarshal(text, &at); err != nil {
			return nil, err
		}
		d := envelope.Decode()
		all = append(all, sample{body.String(), d.ID, d.Phone, at.Timestamp, d.Kind == events.KindContact})
	}
	return all, nil
}

// delivery returns the body of the delivery with a number: with an id and a time of its own, and of one of so many
// callers. Contacts always have many numbers: nobody is in an address book a thousand times.
func delivery(samples []sample, n, callers int) string {
	s := samples[n%len(samples)]
	if s.contact {
		callers = 10_000
	}
	id := fmt.Sprintf("9%08d", n)
	if prefix, _, ok := strings.Cut(s.id, "_"); ok {
		id = fmt.Sprintf("%s_%08d", prefix, n)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * step)
	return strings.NewReplacer(
		s.id, id,
		s.number, fmt.Sprintf("+1415556%04d", n*7919%callers),
		s.at, at.Format(time.RFC3339),
	).Replace(s.body)
}
