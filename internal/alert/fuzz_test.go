package alert_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
)

// Whatever JustCall sends, its alert can be sent and read.
func FuzzMessage(f *testing.F) {
	f.Add(sample(f, "call.missed"))
	f.Add(sample(f, "voicemail.received"))
	samples, err := filepath.Glob("../../events/testdata/b/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range samples {
		f.Add(readFile(f, file))
	}
	f.Add(voicemail("\x00\u202e\"\\" + strings.Repeat("😀", 3000)))
	f.Fuzz(func(t *testing.T, body string) {
		envelope, err := events.Open([]byte(body))
		if err != nil {
			t.Skip()
		}
		item := table.EventItem(envelope.Decode(), arrival, arrival)
		a, err := alert.Read(item)
		if _, due := item[table.Alert]; due != (err == nil) {
			t.Fatalf("an item with alert = %t: %v", due, err)
		}
		if err != nil {
			return
		}
		for _, m := range []alert.Message{a.Message(), alert.Redacted(a.Message())} {
			for form, text := range map[string]string{"subject": m.Subject, "sms": m.SMS} {
				if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
					t.Errorf("%s holds what does not print: %q", form, text)
				}
			}
			if utf8.RuneCountInString(m.Subject) > alert.MaxSubject || utf8.RuneCountInString(m.SMS) > alert.MaxSMS {
				t.Errorf("too long: %q, %q", m.Subject, m.SMS)
			}
			for form, text := range map[string]string{"subject": m.Subject, "sms": m.SMS, "email": m.Email, "document": string(m.Document)} {
				if text == "" || !utf8.ValidString(text) {
					t.Errorf("%s: %q", form, text)
				}
			}
			for name, value := range m.Attributes {
				if value == "" {
					t.Errorf("attribute %s is empty, which SNS refuses", name)
				}
			}
			if !json.Valid(m.Document) || alert.RequestSize(m) > 64<<10 {
				t.Errorf("document of %d bytes: %s", alert.RequestSize(m), m.Document)
			}
		}
	})
}
