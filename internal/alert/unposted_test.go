package alert_test

import (
	"strings"
	"testing"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
)

func TestPeopleReadWhatJustCallDoesNotPost(t *testing.T) {
	t.Parallel()
	all := []alert.Unposted{
		{Type: events.TypeCallMissed, State: "blacklisted", Do: "Run this."},
		{Type: events.TypeCallVoicemail, State: "missing", Do: "Run that."},
		{Type: events.TypeSMSSent, State: "missing"},
	}
	for n, subject := range []string{
		"JustCall does not post as it should: call.missed",
		"JustCall does not post as it should: call.missed and one more type of event",
		"JustCall does not post as it should: call.missed and 2 more types of events",
	} {
		m := alert.OfUnposted("WEBHOOK#1", table.ReconcileKey("HOOKS"), all[:n+1])
		if m.Subject != subject || !strings.HasPrefix(m.SMS, subject) || len(m.SMS) > alert.MaxSMS {
			t.Errorf("subject %q, text message %q, want %q", m.Subject, m.SMS, subject)
		}
		validate(t, documentSchema(t), m.Document)
		if !strings.Contains(m.Email, "call.missed (blacklisted): Run this.\n") || strings.Contains(m.Email, "call.voicemail (missing): Run that.") != (n > 0) {
			t.Errorf("e-mail:\n%s", m.Email)
		}
		if got, want := string(m.Document), `"unposted":[{"type":"call.missed","state":"blacklisted","do":"Run this."}`; !strings.Contains(got, want) {
			t.Errorf("document %s, want %s", got, want)
		}
	}
}
