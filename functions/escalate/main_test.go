package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	main "github.com/ringback/ringback/functions/escalate"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/proof/template"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func TestMain(m *testing.M) {
	os.Exit(lambdaruntimetest.Main(m, main.Main))
}

// variables returns the function's environment.
func variables(tableURL, tableName, topicURL, topicARN string) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": tableURL,
		"AWS_ENDPOINT_URL_SNS":      topicURL,
		"TABLE_NAME":                tableName,
		"TOPIC_ARN":                 topicARN,
	}
}

func TestPromise6_RefusesToStartWithout(t *testing.T) {
	t.Parallel()
	const nowhere = "http://127.0.0.1:9"
	for _, tc := range []struct {
		name   string
		change map[string]string
		want   []string
	}{
		{"a topic and a table", map[string]string{"TOPIC_ARN": "", "TABLE_NAME": ""}, []string{"TOPIC_ARN", "TABLE_NAME"}},
		{"hours that are some", map[string]string{"BUSINESS_HOURS": "Mon-Fri 9-5"}, []string{`"9-5`, "write 9:00-17:00 or 9am-5am"}},
		{"dates that are some", map[string]string{"HOLIDAYS": "2027-02-29"}, []string{"2027-02-29", "write year, month and day"}},
		{"levels in order", map[string]string{"ESCALATE_AFTER": "60m", "ESCALATE_AGAIN_AFTER": "15m"}, []string{"15m0s, is not after the first"}},
		{"durations", map[string]string{"ESCALATE_AFTER": "soon"}, []string{"ESCALATE_AFTER"}},
		{"a time without events", map[string]string{"BLIND_AFTER": "long"}, []string{"BLIND_AFTER"}},
		{"numbers of our own", map[string]string{"OWN_NUMBERS": "4155550100"}, []string{"OWN_NUMBERS", "number 1 of it has no country code"}},
		{"a time zone that exists", map[string]string{"TIME_ZONE": "Europe/Atlantis"}, []string{"TIME_ZONE", "Europe/Atlantis"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := variables(nowhere, "events", nowhere, "arn:aws:sns:us-east-1:123456789012:alerts")
			maps.Copy(env, tc.change)
			lambdaruntimetest.Refuses(t, lambdaruntimetest.Path(t), env, tc.want...)
		})
	}
}

func TestTemplateSetsWhatTheFunctionReads(t *testing.T) {
	t.Parallel()
	template.CheckEnvironment(t, "EscalateFunction", main.ReadEnvironment)
}

// The follow-up is kept as the alerts function does, and the reminder sent by the real
// binary.
func TestPeopleAreRemindedOfWhoWaitsUntilTheyTalk(t *testing.T) {
	t.Parallel()
	endpoint := moto.Endpoint(t)
	minute, err := os.ReadFile("../../events-samples/escalate/minute.json")
	if err != nil {
		t.Fatal(err)
	}
	config, tableName := tabletest.NewTable(t)
	store := dynamostore.New(config, tableName)
	topicARN := moto.NewTopic(t)
	people := moto.Subscribe(t, topicARN, nil)
	log := logscan.Logger(t)

	rang := time.Now().Add(-50 * time.Minute).Truncate(time.Second)
	plan, callers, err := escalate.Settings{Zone: time.UTC, After: 15 * time.Minute, AgainAfter: 40 * time.Minute}.Read()
	if err != nil {
		t.Fatal(err)
	}
	timers := escalate.New(plan, store, callers.Read, nil, log)
	timers.Now = func() time.Time { return rang.Add(time.Second) }
	followUps := ledger.New(store, events.PhoneNumber, log)
	followUps.Changed = timers.Changed(callers)
	watch := health.New(store, log)
	keep := func(id, caller string, at time.Time, direction, outcome string) {
		t.Helper()
		envelope, err := events.Open(fmt.Appendf(nil, `{"type":"call.completed","data":{"call_sid":%q,"contact_number":%q,"justcall_number":"14155550101",
			"justcall_line_name":"Support","agent_name":"Ines","call_date":%q,"call_time":%q,"call_info":{"direction":%q,"type":%q},
			"call_duration":{"conversation_time":60,"total_duration":60,"ring_time":9}}}`,
			id, caller, at.UTC().Format(time.DateOnly), at.UTC().Format(time.TimeOnly), direction, outcome))
		if err != nil {
			t.Fatal(err)
		}
		item := table.EventItem(envelope.Decode(), time.Time{}, at)
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if err := followUps.Process(t.Context(), []table.Item{item})[0]; err != nil {
			t.Fatal(err)
		}
		watch.Process(t.Context(), []table.Item{item})
	}
	env := variables(os.Getenv(tabletest.EndpointVariable), tableName, endpoint, topicARN)
	env["ESCALATE_AFTER"], env["ESCALATE_AGAIN_AFTER"] = "15m", "60m"
	process, err := lambdaruntimetest.Start(t, lambdaruntimetest.Path(t), env, "14155550144", "14155550145", "Ines")
	if err != nil {
		t.Fatal(err)
	}
	run := func(want ...string) {
		t.Helper()
		if _, err := process.Invoke(t.Context(), minute, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range moto.Receive(t, people) {
			var d struct {
				ID      string `json:"id"`
				Kind    string `json:"kind"`
				Level   int    `json:"level"`
				Waiting []struct {
					Caller struct {
						Number string `json:"number"`
					} `json:"caller"`
				} `json:"waiting"`
			}
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &d); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %s %d %s %s", d.ID, d.Kind, d.Level, d.Waiting[0].Caller.Number, aws.ToString(m.MessageAttributes["level"].StringValue)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reminders (-want +got)\n%s", diff)
		}
	}

	keep("a", "14155550144", rang, "Incoming", "Missed")
	keep("b", "14155550145", rang, "Incoming", "Missed")
	keep("c", "14155550145", rang.Add(5*time.Minute), "Outgoing", "Answered")
	run("CALL#a/OVERDUE#1 overdue 1 +14155550144 1")
	run()

	// What the reconcile function found too late for an alert.
	late := table.ReconcileItem("LATE#0", `{"id":"DIGEST#1","found":"2026-03-12T14:45:00Z","waits":"2026-03-12T14:45:00Z","calls":["CALL#a","CALL#b"]}`, 0)
	if _, err := store.Update(t.Context(), late, 0); err != nil {
		t.Fatal(err)
	}
	run("DIGEST#1 digest 0 +14155550144 ")
	run()
}
