package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/zone"
)

func waiter(n int) alert.Waiter {
	return alert.Waiter{
		CallID:   fmt.Sprintf("call_%d", n),
		Key:      table.Key{PK: fmt.Sprintf("CALLER#+1415555%04d", n), SK: "FOLLOWUP#default"},
		Caller:   fmt.Sprintf("+1415555%04d", n),
		Name:     "Pat Doe",
		Outcome:  events.Missed,
		First:    time.Date(2026, time.June, 1, 13, n%60, 0, 0, time.UTC),
		Unserved: 1,
	}
}

func style(t *testing.T) alert.Style {
	t.Helper()
	location, err := zone.Load("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return alert.Style{Location: location}
}

func TestAReminderOfOneCaller(t *testing.T) {
	t.Parallel()
	w := waiter(144)
	w.Company, w.Outcome, w.Unserved, w.Attempts, w.OtherNumber = "Acme", events.Voicemailed, 3, 2, "+14155550145"
	w.DoNotDisturb = true
	m := style(t).Overdue(alert.Overdue{Level: 2, Line: "+14155550101", LineName: "Support", Waiting: []alert.Waiter{w}})
	validate(t, documentSchema(t), m.Document)
	want := alert.Message{
		ID:      "CALL#call_144/OVERDUE#2",
		Kind:    "overdue",
		Call:    "CALL#call_144/OVERDUE#2",
		Subject: "Still not called back: Pat Doe (Acme), +14155550144 on Support, since 1 Jun 09:24 EDT",
		SMS:     "Still not called back: Pat Doe (Acme) +14155550144 on Support, since 1 Jun 09:24 EDT, voicemail, 3 calls, tried 2 times",
		Email: "Still not called back\n\n" +
			"Caller    Pat Doe (Acme)\n" +
			"Number    +14155550144\n" +
			"Line      Support (+14155550101)\n" +
			"Since     1 June 2026, 09:24 EDT\n" +
			"So far    Voicemail, 3 calls, tried 2 times\n" +
			"Talked on +14155550145\n" +
			"Contact   Asked not to be called\n" +
			"Call id   call_144\n",
		Attributes: map[string]string{"kind": "overdue", "line": "+14155550101", "caller": "+14155550144", "level": "2"},
	}
	if diff := cmp.Diff(want, m, cmpopts.IgnoreUnexported(m), cmpopts.IgnoreFields(m, "Document")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.Contains(string(m.Document), `"other_number":"+14155550145","do_not_disturb":true`) {
		t.Errorf("document %s", m.Document)
	}
	redacted := alert.Redacted(m)
	validate(t, documentSchema(t), redacted.Document)
	if strings.Contains(redacted.Email+redacted.SMS+redacted.Subject, "Pat") || redacted.Attributes["level"] != "2" {
		t.Errorf("redacted: %v", redacted)
	}
}

func TestAReminderOfSeveralCallersIsOneMessage(t *testing.T) {
	t.Parallel()
	o := alert.Overdue{Level: 1, Line: "+14155550101", LineName: "Support"}
	for n := range 3 {
		o.Waiting = append(o.Waiting, waiter(100+n))
	}
	o.Waiting[1].Caller, o.Waiting[1].Name, o.Waiting[1].Withheld = "", "", true
	m := style(t).Overdue(o)
	validate(t, documentSchema(t), m.Document)
	if want := "3 callers not called back on Support: Pat Doe +14155550100, number withheld, Pat Doe +14155550102"; m.SMS != want {
		t.Errorf("text message %q, want %q", m.SMS, want)
	}
	if want := "3 callers not called back on Support"; m.Subject != want {
		t.Errorf("subject %q, want %q", m.Subject, want)
	}
	email := "3 callers not called back\n\nLine      Support (+14155550101)\n\n" +
		"Caller    Pat Doe\nNumber    +14155550100\nSince     1 June 2026, 09:40 EDT\nCall id   call_100\n\n" +
		"Number    number withheld\nSince     1 June 2026, 09:41 EDT\nCall id   call_101\n\n" +
		"Caller    Pat Doe\nNumber    +14155550102\nSince     1 June 2026, 09:42 EDT\nCall id   call_102\n"
	if diff := cmp.Diff(email, m.Email); diff != "" {
		t.Errorf("e-mail (-want +got)\n%s", diff)
	}
	want := map[string]string{"kind": "overdue", "line": "+14155550101", "level": "1"}
	if diff := cmp.Diff(want, m.Attributes); diff != "" {
		t.Errorf("attributes (-want +got)\n%s", diff)
	}
	if again := style(t).Overdue(o); again.ID != m.ID {
		t.Errorf("sent again as %q, before as %q", again.ID, m.ID)
	}
	o.Waiting = o.Waiting[1:]
	if other := style(t).Overdue(o); other.ID == m.ID {
		t.Error("other callers, the same id")
	}
}

func TestRemindersFitWhateverTheyHold(t *testing.T) {
	t.Parallel()
	s := documentSchema(t)
	for _, n := range []int{1, 2, 5000} {
		o := alert.Overdue{Level: 1, Line: "the line", LineName: strings.Repeat("😀", 1000)}
		for i := range n {
			w := waiter(i)
			w.Name, w.Company, w.CallID = strings.Repeat("\x00é\n", 1000), strings.Repeat("œ", 1000), strings.Repeat("c", 1000)
			w.More, w.Unserved = true, 20
			o.Waiting = append(o.Waiting, w)
		}
		m := style(t).Overdue(o)
		validate(t, s, m.Document)
		if size := alert.RequestSize(m); size > 160<<10 {
			t.Errorf("%d callers: %d bytes", n, size)
		}
		if units := len(utf16.Encode([]rune(m.Subject))); units > alert.MaxSubject || !alert.FitsSMS(m.SMS) {
			t.Errorf("%d callers: subject %q, text message %q", n, m.Subject, m.SMS)
		}
	}
}
