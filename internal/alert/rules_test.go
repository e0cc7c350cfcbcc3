package alert_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// arrived returns the item of a body that arrived so long after 14:32 on the day.
func arrived(t testing.TB, body string, after time.Duration) table.Item {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 12, 14, 32, 0, 0, time.UTC).Add(after)
	return table.EventItem(envelope.Decode(), at, at)
}

// ended returns an event of an incoming call that began at 14:32.
func ended(typ, outcome string) string {
	return fmt.Sprintf(`{"type":%q,"data":{"call_sid":"s1","contact_number":"14155550144","justcall_number":"14155550101",
		"call_date":"2026-03-12","call_time":"14:32:00","call_info":{"direction":"Incoming","type":%q}}}`, typ, outcome)
}

// What counts is when the first event of the call arrived.
func TestAnOldCallAlertsNobody(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name   string
		maxAge time.Duration
		items  []table.Item
		want   int
	}{
		{"a day later", day, []table.Item{arrived(t, ended("call.missed", "Missed"), day)}, 1},
		{"later than a day", day, []table.Item{arrived(t, ended("call.missed", "Missed"), day+time.Second)}, 0},
		{"three months later", day, []table.Item{arrived(t, ended("call.completed", "Missed"), 90*day)}, 0},
		{"a note on an old call", day, []table.Item{arrived(t, ended("call.updated", "Missed"), 30*day)}, 0},
		{"a voicemail of an old call", day, []table.Item{arrived(t, ended("call.voicemail", "Voicemail"), 30*day)}, 0},
		{"any age", 0, []table.Item{arrived(t, ended("call.missed", "Missed"), 900*day)}, 1},
		{"a shorter age", time.Hour, []table.Item{arrived(t, ended("call.missed", "Missed"), 2*time.Hour)}, 0},
		{"a call known in time, and missed later", day, []table.Item{arrived(t, ended("call.incoming", ""), 0), arrived(t, ended("call.missed", "Missed"), 2*day)}, 1},
		{"one known later, whose first event was held up", day, []table.Item{arrived(t, ended("call.updated", "Missed"), 2*day), arrived(t, ended("call.missed", "Missed"), time.Minute)}, 1},
		{"from the future", day, []table.Item{arrived(t, ended("call.missed", "Missed"), -90*day)}, 1},
		{"without a time", day, []table.Item{arrived(t, `{"event":"call.missed","data":{"call_id":"s1","direction":"inbound","from":"+14155550144"}}`, 90*day)}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store, to, lines := &tabletest.Memory{}, &topic{}, logscan.Writer(t)
			d := alert.New(store, events.PhoneNumber, to, lines.Logger())
			d.Rules.MaxAge = tc.maxAge
			for _, item := range tc.items {
				put(t, store, item)
				mustProcess(t, d, item)
			}
			if len(to.sent) != tc.want {
				t.Errorf("%d sent, want %d", len(to.sent), tc.want)
			}
			if tc.want == 0 && !strings.Contains(lines.String(), `"msg":"alert skipped"`) || tc.want == 0 && !strings.Contains(lines.String(), `"reason":"old"`) {
				t.Errorf("log: %s", lines)
			}
		})
	}
}

func TestRulesSayWhoseCallsAlert(t *testing.T) {
	t.Parallel()
	known, blocked := contact("7", "Pat", ""), contact("7", "", "", "blocked")
	moved := contact("7", "", "", "blocked", "removed")
	for _, tc := range []struct {
		name    string
		rules   alert.Rules
		contact table.Item
		outcome string
		reason  string // "" if it alerts
	}{
		{"abandoned, all", alert.Rules{Abandoned: alert.AllCallers}, nil, "Abandoned", ""},
		{"abandoned, by default", alert.Rules{}, nil, "Abandoned", ""},
		{"abandoned, none", alert.Rules{Abandoned: alert.NoCallers}, known, "Abandoned", "abandoned"},
		{"abandoned, of a known caller", alert.Rules{Abandoned: alert.KnownCallers}, known, "Abandoned", ""},
		{"abandoned, of a stranger", alert.Rules{Abandoned: alert.KnownCallers}, nil, "Abandoned", "abandoned"},
		{"abandoned, of a number that a contact had", alert.Rules{Abandoned: alert.KnownCallers}, moved, "Abandoned", "abandoned"},
		{"missed, none of the abandoned", alert.Rules{Abandoned: alert.NoCallers}, nil, "Missed", ""},
		{"a voicemail, none of the abandoned", alert.Rules{Abandoned: alert.NoCallers}, nil, "Voicemail", ""},
		{"a blocked contact", alert.Rules{}, blocked, "Missed", "blocked"},
		{"a voicemail of a blocked contact", alert.Rules{}, blocked, "Voicemail", "blocked"},
		{"a blocked contact, on demand", alert.Rules{Blocked: true}, blocked, "Missed", ""},
		{"a number that a blocked contact had", alert.Rules{}, moved, "Missed", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store, to, lines := &tabletest.Memory{}, &topic{}, logscan.Writer(t)
			d := alert.New(store, events.PhoneNumber, to, lines.Logger())
			d.Rules = tc.rules
			if tc.contact != nil {
				put(t, store, tc.contact)
			}
			item := arrived(t, ended("call.completed", tc.outcome), 0)
			put(t, store, item)
			mustProcess(t, d, item)
			if alerted := len(to.sent) > 0; alerted != (tc.reason == "") {
				t.Errorf("%d sent", len(to.sent))
			}
			if said := strings.Contains(lines.String(), `"reason":"`+tc.reason+`"`); tc.reason != "" && !said {
				t.Errorf("log: %s", lines)
			}
		})
	}
}

// Whether the address book can be read, and whether another rule is for the call, is all the
// same.
func TestPromise10_OurOwnNumbersAlertNobody(t *testing.T) {
	t.Parallel()
	const caller, line = "+14155550144", "+14155550101"
	for own, outcomes := range map[string][]string{
		caller: {"Missed", "Voicemail", "Abandoned"},
		line:   {"Missed", "Abandoned"}, // whoever leaves a voicemail is somebody
	} {
		for _, broken := range []bool{false, true} {
			store, to, lines := newStore(t), &topic{}, logscan.Writer(t)
			reads := table.Store(store)
			if broken {
				reads = withoutHistory(store)
			}
			for _, outcome := range outcomes {
				body := ended("call.completed", outcome)
				if own == line {
					body = strings.ReplaceAll(body, caller[1:], line[1:])
				}
				item := arrived(t, strings.ReplaceAll(body, `"s1"`, `"`+outcome+`"`), 0)
				put(t, store, item)
				d := alert.New(reads, events.PhoneNumber, to, lines.Logger())
				d.Policy.Own = map[string]bool{caller: own == caller}
				if ids, err := d.Due(t.Context(), item); err != nil || len(ids) > 0 {
					t.Errorf("due: %v, %v", ids, err)
				}
				process(t, d, item)
				process(t, d, item)
			}
			if len(to.sent) > 0 || strings.Count(lines.String(), `"reason":"own"`) != len(outcomes) {
				t.Errorf("%s: %d sent, log: %s", own, len(to.sent), lines)
			}
		}
	}
}

// A caller of whom nothing can be read is alerted of, unless nobody's abandoned calls
// alert: that is the smaller mistake.
func TestRulesKeepNothingBackWithoutTheAddressBook(t *testing.T) {
	t.Parallel()
	for callers, want := range map[alert.Callers]int{alert.KnownCallers: 1, alert.NoCallers: 0} {
		store, to := newStore(t), &topic{}
		put(t, store, contact("7", "", "", "blocked"))
		d := alert.New(withoutHistory(store), events.PhoneNumber, to, logscan.Logger(t))
		d.Rules.Abandoned = callers
		item := arrived(t, ended("call.completed", "Abandoned"), 0)
		put(t, store, item)
		process(t, d, item)
		process(t, d, item)
		if len(to.sent) != want {
			t.Errorf("%s: %d sent, want %d", callers, len(to.sent), want)
		}
	}
}

func TestCallersAreParsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]alert.Callers{"": alert.AllCallers, "all": alert.AllCallers, "known": alert.KnownCallers, "none": alert.NoCallers} {
		if got, err := alert.ParseCallers(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"some", "ALL", " none"} {
		if got, err := alert.ParseCallers(text); err == nil {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

// What a rule decided stays: a note on a call alerts nobody, whatever has become of the
// caller's contact. What was decided of an abandoned call is open again if it turns out to
// be missed, or if the number comes later.
func TestPromise4_WhatARuleDecidedStaysDecided(t *testing.T) {
	t.Parallel()
	known := alert.Rules{MaxAge: alert.DefaultMaxAge, Abandoned: alert.KnownCallers}
	unblocked := contact("7", "Pat", "", "unblocked")
	unnumbered := strings.Replace(ended("call.exits_queue", "Abandoned"), `"contact_number":"14155550144",`, "", 1)
	for _, tc := range []struct {
		name          string
		rules         alert.Rules
		before, after table.Item // the contact
		first, then   string
		want          int // alerts
		reasons       int // lines in the log
	}{
		{
			"blocked, and unblocked by the time of a note", alert.DefaultRules(), contact("7", "Pat", "", "blocked"), unblocked,
			ended("call.missed", "Missed"), ended("call.updated", "Missed"), 0, 1,
		},
		{
			"a stranger, who has a contact by the time of a note", known, nil, unblocked,
			ended("call.completed", "Abandoned"), ended("call.updated", "Abandoned"), 0, 1,
		},
		{
			"a stranger, whose call was missed", known, nil, nil,
			ended("call.completed", "Abandoned"), ended("call.updated", "Missed"), 1, 1,
		},
		{
			"somebody whose number comes later", known, unblocked, nil,
			unnumbered, ended("call.completed", "Abandoned"), 1, 1,
		},
		{
			"nobody wants to know of",
			alert.Rules{Abandoned: alert.NoCallers},
			nil, nil,
			ended("call.completed", "Abandoned"), ended("call.updated", "Abandoned"), 0, 1,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store, to, lines := &tabletest.Memory{}, &topic{}, logscan.Writer(t)
			d := alert.New(store, events.PhoneNumber, to, lines.Logger())
			d.Rules = tc.rules
			var version int64
			for _, step := range []struct {
				contact table.Item
				event   string
			}{{tc.before, tc.first}, {tc.after, tc.then}} {
				if step.contact != nil {
					item := maps.Clone(step.contact) // other cases have the same one
					item[table.Version] = attr.Number(strconv.FormatInt(version+1, 10))
					if ok, err := store.Update(t.Context(), item, version); err != nil || !ok {
						t.Fatal(ok, err)
					}
					version++
				}
				item := arrived(t, step.event, 0)
				put(t, store, item)
				if ids, err := d.Due(t.Context(), item); err != nil || len(ids) != len(to.standing()) && tc.want == 0 {
					t.Errorf("due: %v, %v", ids, err)
				}
				mustProcess(t, d, item)
			}
			if len(to.sent) != tc.want {
				t.Errorf("%d sent, want %d", len(to.sent), tc.want)
			}
			if got := strings.Count(lines.String(), `"msg":"alert skipped"`); got != tc.reasons {
				t.Errorf("%d lines of skipped alerts, want %d:\n%s", got, tc.reasons, lines)
			}
		})
	}
}

// The list changes, and what the events of a call say of the caller, too.
func TestPromise4_OneOfUsIsWhoeverTheLastEventShows(t *testing.T) {
	t.Parallel()
	store, to, lines := &tabletest.Memory{}, &topic{}, logscan.Writer(t)
	d := alert.New(store, events.PhoneNumber, to, lines.Logger())
	for i, step := range []struct {
		own        bool
		typ        string
		sent, said int // so far
	}{
		{false, "call.missed", 1, 0},
		{true, "call.updated", 2, 1}, // it is taken back
		{true, "call.completed", 2, 2},
		{true, "call.completed", 2, 2}, // which is said once
		{false, "call.updated", 3, 2},
		{false, "call.completed", 3, 2},
	} {
		d.Policy.Own = map[string]bool{"+14155550144": step.own}
		item := arrived(t, ended(step.typ, "Missed"), 0)
		put(t, store, item)
		mustProcess(t, d, item)
		if got := strings.Count(lines.String(), `"reason":"own"`); len(to.sent) != step.sent || got != step.said {
			t.Errorf("step %d: %d sent, want %d; %d lines, want %d:\n%s", i, len(to.sent), step.sent, got, step.said, lines)
		}
	}
}

// JustCall names the line as the caller, and another event of the call knows who called or has
// what they said. No order of the two keeps the alert back.
func TestPromise4_OneOfUsByMistakeIsAlertedOf(t *testing.T) {
	t.Parallel()
	const line = "+14155550101"
	missed := missedAt("c", line, "2026-03-12T14:32:00Z")
	for name, better := range map[string]string{
		"who called":     strings.Replace(missedAt("c", "+14155558765", "2026-03-12T14:31:50Z"), "call.missed", "call.incoming", 1),
		"what they said": strings.Replace(missedAt("c", line, "2026-03-12T14:32:30Z"), "call.missed", "voicemail.received", 1),
	} {
		for _, order := range [][]string{{missed, better}, {better, missed}} {
			store, to := &tabletest.Memory{}, &topic{}
			d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
			for _, body := range order {
				mustProcess(t, d, stored(t, store, body))
			}
			if len(to.sent) == 0 {
				t.Errorf("%s: no alert", name)
			}
		}
	}
}
