package alert_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
)

func latecomer(n int) alert.Latecomer {
	return alert.Latecomer{Waiter: waiter(n), Line: "+14155550101", LineName: "Support"}
}

func TestADigestListsWhoWaits(t *testing.T) {
	t.Parallel()
	d := alert.Digest{ID: "DIGEST#1", Waiting: []alert.Latecomer{latecomer(100), latecomer(101)}}
	d.Waiting[1].Line, d.Waiting[1].LineName, d.Waiting[1].Unserved = "+14155550102", "", 2
	m := style(t).Digest(d)
	validate(t, documentSchema(t), m.Document)
	const email = `2 callers found too late for an alert

JustCall's webhook did not tell of these calls, and they are too old for an
alert. Nobody has called back.

Caller    Pat Doe
Number    +14155550100
Line      Support (+14155550101)
Since     1 June 2026, 09:40 EDT
Call id   call_100

Caller    Pat Doe
Number    +14155550101
Line      +14155550102
Since     1 June 2026, 09:41 EDT
So far    2 calls
Call id   call_101
`
	if diff := cmp.Diff(email, m.Email); diff != "" {
		t.Errorf("e-mail (-want +got)\n%s", diff)
	}
	if want := "2 callers found too late for an alert"; m.Subject != want {
		t.Errorf("subject %q, want %q", m.Subject, want)
	}
	if want := "2 callers found too late for an alert: Pat Doe +14155550100, Pat Doe +14155550101"; m.SMS != want {
		t.Errorf("text message %q, want %q", m.SMS, want)
	}
	if diff := cmp.Diff(map[string]string{"kind": "digest"}, m.Attributes); diff != "" {
		t.Errorf("attributes (-want +got)\n%s", diff)
	}
	got := document(t, m)
	if got["id"] != "DIGEST#1" || got["callers"] != 2.0 || len(got["waiting"].([]any)) != 2 {
		t.Errorf("document %v", got)
	}
	redacted := alert.Redacted(m)
	validate(t, documentSchema(t), redacted.Document)
	if redacted.ID != m.ID || strings.Contains(redacted.Email+redacted.SMS+redacted.Subject, "Pat") {
		t.Errorf("redacted: %v", redacted)
	}
}

func TestADigestOfOneCaller(t *testing.T) {
	t.Parallel()
	m := style(t).Digest(alert.Digest{ID: "DIGEST#1", Waiting: []alert.Latecomer{latecomer(144)}})
	validate(t, documentSchema(t), m.Document)
	if want := "Found too late for an alert: Pat Doe, +14155550144 on Support, since 1 Jun 09:24 EDT"; m.Subject != want {
		t.Errorf("subject %q, want %q", m.Subject, want)
	}
}

func TestDigestsFitWhateverTheyHold(t *testing.T) {
	t.Parallel()
	s := documentSchema(t)
	d := alert.Digest{ID: "DIGEST#1"}
	for i := range 5000 {
		w := latecomer(i)
		w.Name, w.Company, w.CallID = strings.Repeat("\x00é\n", 1000), strings.Repeat("œ", 1000), strings.Repeat("c", 1000)
		w.Line, w.LineName = "the line", strings.Repeat("😀", 1000)
		d.Waiting = append(d.Waiting, w)
	}
	m := style(t).Digest(d)
	validate(t, s, m.Document)
	if size := alert.RequestSize(m); size > 200<<10 {
		t.Errorf("%d bytes", size)
	}
	if units := len(utf16.Encode([]rune(m.Subject))); units > alert.MaxSubject || !alert.FitsSMS(m.SMS) {
		t.Errorf("subject %q, text message %q", m.Subject, m.SMS)
	}
}

// Whoever reads of a call that was found late knows why it comes so late.
func TestWhatWasFoundLateSaysSo(t *testing.T) {
	t.Parallel()
	a := missedCall()
	a.FoundLate = true
	m := winnipeg(t).Message(a)
	validate(t, documentSchema(t), m.Document)
	for _, text := range []string{m.Subject, m.SMS} {
		if !strings.HasPrefix(text, "Missed call found late, 3rd in 24 h: Pat Smith") {
			t.Errorf("%q", text)
		}
	}
	for _, want := range []string{"\n\nFound late: JustCall's webhook did not tell of this call.\n\n", "\nFound     29 November 2026, 00:32 EST\n"} {
		if !strings.Contains(m.Email, want) {
			t.Errorf("e-mail without %q:\n%s", want, m.Email)
		}
	}
	if document(t, m)["found_late"] != true {
		t.Errorf("document %s", m.Document)
	}
	a.Kind, a.Reason = "returned", "answered"
	if m := winnipeg(t).Message(a); strings.Contains(m.Subject+m.Email, "ound late") {
		t.Errorf("taken back: %s", m.Email)
	}
}
