package alert_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
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
			t.Skip("no event")
		}
		item := table.EventItem(envelope.Decode(), arrival, arrival)
		a, err := alert.Read(item)
		if due := table.AlertOf(item) != ""; due != (err == nil) {
			t.Fatalf("an item with alert = %t: %v", due, err)
		}
		if err != nil {
			return
		}
		for _, m := range []alert.Message{alert.Style{}.Message(a), alert.Redacted(alert.Style{}.Message(a))} {
			for form, text := range map[string]string{"subject": m.Subject, "sms": m.SMS} {
				if strings.ContainsFunc(text, isUnprintable) {
					t.Errorf("%s holds what does not print: %q", form, text)
				}
			}
			if len(utf16.Encode([]rune(m.Subject))) > alert.MaxSubject || !alert.FitsSMS(m.SMS) {
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

// isUnprintable is true of what must not be in one line of text. A character that is
// newer than Go's tables may be.
func isUnprintable(r rune) bool {
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) &&
		r != '\u200c' && r != '\u200d' && !unicode.In(r, unicode.Cn, unicode.Prepended_Concatenation_Mark)
}

// Whatever is known of a caller, the text message is one, and says which number to
// call.
func FuzzSMS(f *testing.F) {
	f.Add("Pat Smith", "Globex", "Support", "Hi, please call me back.", 1, true)
	f.Add("Seán O’Brien", "", "客服", "😀", 3, false)
	f.Add("\u202e👩‍👩‍👧‍👦", strings.Repeat("e\u0301", 200), "[{~}]", strings.Repeat("€", 200), 999, true)
	f.Fuzz(func(t *testing.T, name, company, line, text string, missed int, left bool) {
		const caller, extension = "+14155550144", "123456789012"
		a := alert.Alert{
			Kind: events.KindMissedCall, Caller: caller, Extension: extension, CallerName: name, Company: company, LineName: line,
			OccurredAt: arrival, ReceivedAt: arrival, MissedTimes: missed, Transcription: text,
		}
		if left {
			a.Kind = events.KindVoicemail
		}
		m := alert.Style{}.Message(a)
		for _, text := range []string{m.Subject, m.SMS} {
			if !strings.Contains(text, caller+" ext. "+extension) {
				t.Errorf("without the number: %q", text)
			}
			if !utf8.ValidString(text) || strings.ContainsFunc(text, isUnprintable) {
				t.Errorf("does not print: %q", text)
			}
		}
		if !alert.FitsSMS(m.SMS) || len(utf16.Encode([]rune(m.Subject))) > alert.MaxSubject {
			t.Errorf("too long: %q, %q", m.SMS, m.Subject)
		}
	})
}

// Whatever is sent, it becomes one line that prints and is not too long.
func FuzzClean(f *testing.F) {
	for _, text := range []string{
		"Se&aacute;n O&#39;Brien", `O\'Brien`, `\ud83d\ude00 \ud83d`, "a<br/>b", "&#55357;&#56832;", "&amp;lt;", `\&quot;`,
		"می\u200cخواهم", "👩\u200d👧", "e\u0301\u0301", "\xff\ufffe\ufeff", "&#x110000;&#0;", "<p", "&", `\`, `\u`,
	} {
		f.Add(text, 80)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 2 || limit > 2000 {
			t.Skip("no limit that a message has")
		}
		line, whole := alert.Clean(text, limit)
		if !utf8.ValidString(line) || strings.ContainsFunc(line, isUnprintable) || strings.TrimSpace(line) != line {
			t.Errorf("%q became %q", text, line)
		}
		if n := utf8.RuneCountInString(line); n > limit {
			t.Errorf("%d characters, limit %d: %q", n, limit, line)
		}
		if !whole && !strings.HasSuffix(line, "…") {
			t.Errorf("cut, and does not say so: %q", line)
		}
	})
}
