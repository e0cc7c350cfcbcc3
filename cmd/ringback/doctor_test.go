package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// doctor returns the verdicts of "doctor" by what it looked at, and each with what to do
// must have it.
func doctor(t *testing.T, code int, args ...string) map[string]string {
	t.Helper()
	got := program.Run(t, append([]string{"doctor", "--output", "json"}, args...)...)
	got.Exits(t, code)
	for _, secret := range []string{justcalltest.Key, justcalltest.Secret} {
		got.Hides(t, secret)
	}
	var report struct {
		Findings []struct {
			Check, Verdict, Says, Do string
		}
	}
	if err := json.Unmarshal([]byte(got.Stdout), &report, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v:\n%s\n%s", err, got.Stdout, got.Stderr)
	}
	verdicts := make(map[string]string)
	for _, f := range report.Findings {
		if _, twice := verdicts[f.Check]; twice {
			t.Errorf("%s is there twice", f.Check)
		}
		verdicts[f.Check] = f.Verdict
		if f.Says == "" {
			t.Errorf("%s says nothing", f.Check)
		}
	}
	return verdicts
}

func TestDoctorOnThisMachine(t *testing.T) {
	t.Parallel()
	s, account := justCall(t)
	local, url, serve := serving(t)
	begun := time.Now().Add(-time.Hour).UTC()
	call := func(minutes int) {
		at := begun.Add(time.Duration(minutes) * time.Minute)
		sid := fmt.Sprintf("CA%032d", minutes)
		s.Change(func() {
			s.AddCall(justcalltest.Call{SID: sid, Contact: "+12125550123", Line: "+12125550199", Type: "answered", Start: at, Length: time.Minute})
		})
		event := writeFile(t, "call.json", `{"type":"call.completed","data":{"call_sid":"`+sid+`","call_date":"`+at.Format(time.DateOnly)+
			`","call_time":"`+at.Format(time.TimeOnly)+`","contact_number":"12125550123","call_info":{"direction":"Incoming","type":"answered"}}}`)
		program.Run(t, "send", "--url", url, event).Exits(t, 0)
	}
	call(0)
	args := slices.Concat(local, account)

	// Nothing is connected yet, and the table is in use.
	got := doctor(t, 1, args...)
	for _, typ := range needed() {
		if got["event "+string(typ)] != "wrong" {
			t.Errorf("%s is %q, want it wrong", typ, got["event "+string(typ)])
		}
	}
	program.Run(t, slices.Concat([]string{"connect", "--yes", "--no-sample"}, args)...).Exits(t, 0)
	want := map[string]string{
		"webhook": "OK", "table": "OK", "JustCall": "OK", "signatures": "warning", "newest calls": "warning",
	}
	for _, typ := range needed() {
		want["event "+string(typ)] = "OK"
	}
	if diff := cmp.Diff(want, doctor(t, 0, args...)); diff != "" {
		t.Errorf("connected (-want +got):\n%s", diff)
	}

	// What JustCall thinks of a webhook.
	s.Change(func() {
		for i := range s.Hooks {
			switch s.Hooks[i].Type {
			case events.TypeCallMissed:
				s.Hooks[i].Status = justcall.WebhookBlacklisted
			case events.TypeCallVoicemail:
				s.Hooks[i].Status = justcall.WebhookWarning
			case events.TypeSMSSent:
				s.Hooks[i].Version = "2.0"
			default:
			}
		}
		s.AddHook(events.TypeCallAnswered, url, justcall.WebhookActive)
	})
	want["event call.missed"], want["event call.voicemail"], want["event sms.sent"], want["event call.answered"] = "wrong", "warning", "warning", "warning"
	if diff := cmp.Diff(want, doctor(t, 1, args...)); diff != "" {
		t.Errorf("JustCall stopped (-want +got):\n%s", diff)
	}
	text := program.Run(t, append([]string{"doctor"}, args...)...)
	text.Exits(t, 1)
	text.Says(t, "Blacklisted", "Warning", "older form", "posted 2 times", "→ run \"ringback connect\"", " wrong\n")
	text.Complains(t, "1 thing is wrong")
	text.Hides(t, url[strings.LastIndexByte(url, '/')+1:])

	s.Change(func() { s.Now = func() time.Time { return time.Now().Add(-24 * time.Hour) } })
	if got := doctor(t, 1, args...); got["clock"] != "warning" {
		t.Errorf("a clock that is a day ahead is %q", got["clock"])
	}
	s.Change(func() { s.Now = time.Now })

	// The stack is stopped: then its table can be looked at.
	serve.Stop()
	got = doctor(t, 1, args...)
	for check, verdict := range map[string]string{
		"webhook": "wrong", "serve": "warning", "last delivery": "OK", "alerts": "OK", "newest calls": "OK", "who was called back": "OK",
		"lost deliveries": "warning",
	} {
		if got[check] != verdict {
			t.Errorf("stopped: %s is %q, want %q", check, got[check], verdict)
		}
	}
	s.Change(func() {
		s.AddCall(justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "Missed", Start: begun.Add(10 * time.Minute)})
		s.AddCall(justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "answered", Start: begun, Length: 5 * time.Hour}) // it goes on
	})
	if got := doctor(t, 1, args...); got["newest calls"] != "warning" {
		t.Errorf("a call that no webhook told of is %q, want a warning", got["newest calls"])
	}
}

func TestDoctorWithoutKeysSaysWhatTheLastRunSawOfTheWebhooks(t *testing.T) {
	t.Parallel()
	for verdict, looked := range map[string]time.Time{"wrong": time.Now(), "warning": time.Now().Add(-2 * time.Hour)} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			flags, _, serve := serving(t)
			serve.Stop()
			store, err := bolt.Open(filepath.Join(flags[1], "events.db"), schema.Events())
			if err != nil {
				t.Fatal(err)
			}
			seen := fmt.Sprintf(`{"unposted":[{"type":"sms.sent","state":"missing"}],"since":"2026-11-25T17:00:00Z","looked":%q}`, looked.Format(time.RFC3339))
			if _, err := store.Update(t.Context(), table.ReconcileItem("HOOKS", seen, 0), 0); err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			code := 0
			if verdict == "wrong" {
				code = 1
			}
			if got := doctor(t, code, flags[:2]...)["webhooks"]; got != verdict {
				t.Errorf("%s, want %s", got, verdict)
			}
			program.Run(t, append([]string{"doctor"}, flags[:2]...)...).Says(t, "sms.sent (missing)", "as of "+looked.Format("2006"))
		})
	}
}

func TestDoctorWithoutKeysLooksAtTheRest(t *testing.T) {
	t.Parallel()
	local, _, _ := serving(t)
	if diff := cmp.Diff(map[string]string{"webhook": "OK", "table": "OK", "JustCall": "warning"}, doctor(t, 0, local...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, account := justCall(t)
	got := doctor(t, 0, append(account, local[:2]...)...) // JustCall cannot reach it
	if got["webhook"] != "warning" || got["JustCall"] != "OK" {
		t.Errorf("without a public URL: %v", got)
	}
}

// Without the events that say how calls end, nobody is reminded of anybody.
func TestDoctorSaysWhetherOneCanKnowWhoWasCalledBack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data)
	b.Stdout.Await(t, "Stop it with Ctrl-C")
	b.Stop().Exits(t, 0)
	now := time.Now()
	for _, tc := range []struct {
		seen table.Health
		want string
		code int
	}{
		{table.Health{}, "", 0},
		{table.Health{Arrived: now}, "wrong", 1},
		{table.Health{Arrived: now, EndedSince: now.AddDate(0, -1, 0), Ended: now.AddDate(0, 0, -8)}, "warning", 0},
		{table.Health{Arrived: now, EndedSince: now.AddDate(0, -1, 0), Ended: now.AddDate(0, 0, -6)}, "OK", 0},
		{table.Health{Arrived: now, EndedSince: now, Ended: now, Texted: now}, "OK", 0},
	} {
		store := tabletest.OpenBolt(t, filepath.Join(data, "events.db"))
		before, err := table.LoadHealth(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		tc.seen.Version = before.Version
		if tc.want != "" {
			if updated, err := store.Update(t.Context(), tc.seen.Item(), tc.seen.Version); !updated || err != nil {
				t.Fatal(updated, err)
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if got := doctor(t, tc.code, "--data", data)["who was called back"]; got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.seen, got, tc.want)
		}
	}
}

func TestDoctorSaysWhyJustCallRefuses(t *testing.T) {
	t.Parallel()
	s, account := justCall(t)
	s.Before = func(*http.Request) http.Handler { return justcalltest.Respond(http.StatusForbidden, "{}") }
	local, _, _ := serving(t)
	args := slices.Concat(local, account)
	if got := doctor(t, 1, args...); got["JustCall"] != "wrong" {
		t.Errorf("%v", got)
	}
	text := program.Run(t, append([]string{"doctor"}, args...)...)
	text.Says(t, "Team plan")
}

func TestDoctorOnADeployedStack(t *testing.T) {
	s, account := justCall(t)
	_, url, _ := serving(t)
	a := awstest.New(t, token)
	slash := strings.LastIndexByte(url, '/')
	a.Outputs["WebhookUrlBase"] = url[:slash]
	a.SecretText = `{"token":"` + url[slash+1:] + `","signing_secret":"` + justcalltest.Secret + `"}`
	told := []string{awstest.OpsARN}
	a.Alarms = []awstest.Alarm{
		{Name: "ringback-spill-age", State: "OK", Actions: told},
		{Name: "ringback-silence", State: "INSUFFICIENT_DATA", Actions: told},
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	args := append(account, "--stack", "ringback")
	program.Run(t, append([]string{"connect", "--yes", "--no-sample"}, args...)...).Exits(t, 0)

	want := map[string]string{
		"webhook": "OK", "who gets alerts": "OK", "who gets alarms": "OK", "spill queue": "OK", "dead-letter queue": "OK", "alarms": "OK",
		"JustCall": "OK", "signatures": "OK", "newest calls": "warning", "lost deliveries": "warning",
	}
	for _, typ := range needed() {
		want["event "+string(typ)] = "OK"
	}
	if diff := cmp.Diff(want, doctor(t, 0, args...)); diff != "" {
		t.Errorf("all is well (-want +got):\n%s", diff)
	}

	a.Alarms = []awstest.Alarm{
		{Name: "ringback-spill-age", State: "ALARM", Actions: told},
		{Name: "ringback-silence", State: "OK"},
		{Name: "ringback-rejected", State: "OK", Actions: []string{awstest.AlertsARN}},
	}
	a.Queues = map[string]int{awstest.SpillURL: 3, awstest.DeadLetterURL: 1}
	a.Subscriptions = map[string][]string{awstest.AlertsARN: {awstest.Pending}, awstest.OpsARN: {awstest.Confirmed, awstest.Pending}}
	a.SecretText = strings.ReplaceAll(a.SecretText, justcalltest.Secret, "another")
	s.Change(func() {
		s.AddCall(justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "Missed", Start: time.Now().Add(-time.Hour)})
	})
	for check, verdict := range map[string]string{
		"who gets alerts": "wrong", "who gets alarms": "warning", "spill queue": "warning", "dead-letter queue": "wrong",
		"alarm spill-age": "wrong", "alarm silence": "warning", "alarm rejected": "warning", "signatures": "warning",
	} {
		want[check] = verdict
	}
	delete(want, "alarms")
	if diff := cmp.Diff(want, doctor(t, 1, args...)); diff != "" {
		t.Errorf("much is wrong (-want +got):\n%s", diff)
	}
	a.Oldest = map[string]int{awstest.SpillURL[strings.LastIndexByte(awstest.SpillURL, '/')+1:]: 4_000}
	program.Run(t, append([]string{"doctor"}, args...)...).Says(t, "3 deliveries wait, the oldest for 1h6m40s", "1 delivery waits\n")
	a.AgeFault = true
	program.Run(t, append([]string{"doctor"}, args...)...).Says(t, "3 deliveries wait, for how long is not known", "1 delivery waits, for how long is not known\n")
}
