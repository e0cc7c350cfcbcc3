package e2e_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// wait is a caller's wait on the real functions.
type wait struct {
	*services

	webhook, alerts, escalate *eventsource.Function
	settings                  eventsource.Settings
	seen                      map[table.Key]bool
	hastened                  int
}

const waiter = "+14155550144"

func newWait(t *testing.T) *wait {
	t.Helper()
	s := newServices(t, plain)
	s.env["ESCALATE_AFTER"], s.env["ESCALATE_AGAIN_AFTER"], s.env["TIME_ZONE"] = "15m", "60m", "UTC"
	w := &wait{services: s, webhook: s.webhook(), seen: map[table.Key]bool{}}
	w.alerts, w.settings = s.function("alerts", "AlertsFunction", "DynamoDB")
	w.escalate, _ = s.function("escalate", "EscalateFunction", "ScheduleV2")
	return w
}

// store is the table, past the proxy.
func (w *wait) store() table.Store { return dynamostore.New(w.past, w.tableName) }

// call posts the end of a call that began some minutes ago, and has the alerts function
// work off what is new.
func (w *wait) call(id, number string, minutes int, direction, outcome string) {
	w.t.Helper()
	at := time.Now().UTC().Add(-time.Duration(minutes) * time.Minute)
	body := fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":%q,"contact_number":%q,"justcall_number":"14155550101",
		"justcall_line_name":"Support","agent_name":"Ines","call_date":%q,"call_time":%q,"call_info":{"direction":%q,"type":%q},
		"call_duration":{"total_duration":60,"conversation_time":60,"ring_time":9}}}`,
		id, number[1:], at.Format(time.DateOnly), at.Format(time.TimeOnly), direction, outcome)
	if got := w.post(w.webhook, posting{body: body}); got.code != 200 {
		w.t.Fatalf("answered %+v to call %s", got, id)
	}
	w.workOff()
}

// act stores a hand act as the command line does.
func (w *wait) act(kind followup.ActKind, until time.Time) {
	w.t.Helper()
	numbers, err := phone.New("")
	if err != nil {
		w.t.Fatal(err)
	}
	before, err := local.Request{Caller: waiter, Kind: kind, By: "Kim", Until: until}.Perform(w.t.Context(), w.store(), numbers, time.Now())
	if err != nil || !before.Waits {
		w.t.Fatalf("%s: %+v, %v", kind, before, err)
	}
	w.workOff()
}

func (w *wait) workOff() {
	w.t.Helper()
	var fresh []table.Item
	for _, item := range inOrder(w.items()) {
		if key := table.KeyOf(item); !w.seen[key] {
			w.seen[key] = true
			fresh = append(fresh, item)
		}
	}
	if given := w.stream(w.alerts, w.settings, fresh...); len(given) > 0 {
		w.t.Fatalf("%d batches given up", len(given))
	}
}

// minute runs the escalation as if the next minute had begun: the timers that were set for it
// stand in this one as well. It fails unless there is one.
func (w *wait) minute() {
	w.t.Helper()
	var set []string
	for _, item := range w.items() {
		key := table.KeyOf(item)
		if !table.IsTimer(key) || table.IsDone(item) {
			continue
		}
		caller, now := table.TimerCaller(key), time.Now()
		set = append(set, caller)
		w.hastened++
		if _, err := w.store().Update(w.t.Context(), table.TimerItem(table.TimerKey(now, caller, 100+w.hastened), now), 0); err != nil {
			w.t.Fatal(err)
		}
	}
	if !slices.Contains(set, waiter) {
		w.t.Fatalf("timers of %q", set)
	}
	if text, err := w.escalate.Invoke(w.t.Context(), []byte(`{}`)); err != nil {
		w.t.Fatalf("escalation: %s, %v", text, err)
	}
}

// message is what the subscriber has got.
type message struct{ kind, level, call, by string }

// gets fails unless the subscriber has got these messages since, in any order, and each with
// what programs filter by.
func (w *wait) gets(step string, want ...message) {
	w.t.Helper()
	var got []message
	for _, a := range w.services.alerts() {
		text := func(value any) string {
			switch value := value.(type) {
			case string:
				return value
			case float64:
				return strconv.FormatFloat(value, 'f', -1, 64)
			}
			return ""
		}
		m := message{kind: text(a.document["kind"]), level: text(a.document["level"]), call: text(a.document["call_id"])}
		if served, ok := a.document["served"].(map[string]any); ok {
			m.by = text(served["by"])
		}
		if m.by == "" {
			m.by = text(a.document["claimed_by"])
		}
		if a.attributes["level"] != m.level || a.attributes["caller"] != waiter || a.attributes["line"] != "+14155550101" {
			w.t.Errorf("%s: attributes %v of %+v", step, a.attributes, m)
		}
		got = append(got, m)
	}
	byCall := func(a, b message) int { return slices.Compare([]string{a.kind, a.call}, []string{b.kind, b.call}) }
	slices.SortFunc(got, byCall)
	slices.SortFunc(want, byCall)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(message{})); diff != "" {
		w.t.Fatalf("%s (-want +got):\n%s", step, diff)
	}
}

// row fails unless the follow-up has this state and level.
func (w *wait) row(step, state, level string) {
	w.t.Helper()
	item := w.items()[table.FollowUpKey(waiter)]
	if table.Text(item, table.State) != state || table.Text(item, table.Level) != level {
		w.t.Errorf("%s: %s at level %q, want %s at %q", step, table.Text(item, table.State), table.Text(item, table.Level), state, level)
	}
}

// A caller is missed, forgotten, claimed, and called back: each step's messages come through
// the topic to a queue.
func TestNobodyWaitsForgotten(t *testing.T) {
	t.Parallel()
	w := newWait(t)
	w.call("other", "+14155550145", 300, "Outgoing", "Answered") // without such an event nobody is reminded
	w.gets("a call of somebody else")

	w.call("a", waiter, 20, "Incoming", "Missed")
	w.gets("missed", message{"missed_call", "", "a", ""})
	w.row("missed", "waiting", "")

	w.minute()
	w.gets("a quarter of an hour later", message{"overdue", "1", "a", ""})
	w.row("a quarter of an hour later", "waiting", "1")
	w.minute() // its next timer is for the second level, which is not due
	w.gets("in the next minute")

	w.act(followup.ActClaim, time.Now().Add(30*time.Minute))
	w.call("b", waiter, 2, "Incoming", "Missed")
	w.call("c", waiter, 1, "Incoming", "Missed")
	w.gets("claimed, and missed again", message{"missed_call", "", "b", "Kim"}, message{"missed_call", "", "c", "Kim"})
	w.minute()
	w.gets("the third call within an hour, while somebody takes care")
	w.row("claimed", "waiting", "1")

	w.act(followup.ActUnclaim, time.Time{})
	w.minute()
	w.gets("nobody takes care any more", message{"overdue", "2", "a", ""})
	w.row("nobody takes care any more", "waiting", "2")

	w.call("d", waiter, 0, "Outgoing", "Answered")
	w.gets("called back", message{"returned", "", "a", "Ines"}, message{"returned", "", "b", "Ines"}, message{"returned", "", "c", "Ines"})
	w.row("called back", "returned", "")
	w.minute()
	w.gets("afterwards")
}
