package main_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	alerts "github.com/ringback/ringback/functions/alerts"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/proof/template"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func TestMain(m *testing.M) {
	os.Exit(lambdaruntimetest.Main(m, alerts.Main))
}

// variables returns the function's environment.
func variables(tableURL, tableName, topicURL, topicARN string) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": tableURL,
		"AWS_ENDPOINT_URL_SNS":      topicURL,
		"GOMAXPROCS":                "1",
		"TIME_ZONE":                 "America/Vancouver",
		"TABLE_NAME":                tableName,
		"TOPIC_ARN":                 topicARN,
	}
}

func start(t *testing.T, env map[string]string) (*lambdaruntime.Process, error) {
	t.Helper()
	return lambdaruntimetest.Start(t, lambdaruntimetest.Path(t), env)
}

func TestPromise6_RefusesToStartWithout(t *testing.T) {
	t.Parallel()
	const nowhere = "http://127.0.0.1:9"
	for _, tc := range []struct {
		name   string
		change map[string]string
		want   []string
	}{
		{"a topic", map[string]string{"TOPIC_ARN": ""}, []string{"TOPIC_ARN"}},
		{"a table", map[string]string{"TABLE_NAME": ""}, []string{"TABLE_NAME"}},
		{"a retention that is none", map[string]string{"RETENTION_DAYS": "a year"}, []string{"RETENTION_DAYS"}},
		{"rules that are some", map[string]string{"ALERT_MAX_AGE": "a day", "ALERT_ABANDONED": "some", "ALERT_PAUSE": "-1m"}, []string{"ALERT_MAX_AGE", "ALERT_ABANDONED", "ALERT_PAUSE"}},
		{"credentials", map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
		{"addresses that are some", map[string]string{"AWS_ENDPOINT_URL_SNS": "sns", "AWS_ENDPOINT_URL_DYNAMODB": "table"}, []string{"AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_DYNAMODB"}},
		{"a time zone that exists", map[string]string{"TIME_ZONE": "Europe/Atlantis"}, []string{"TIME_ZONE", "Europe/Atlantis"}},
		{"numbers of our own", map[string]string{"OWN_NUMBERS": "+14155550100, Reception"}, []string{"OWN_NUMBERS", "number 2 of it is no telephone number"}},
		{"a country that exists", map[string]string{"DEFAULT_COUNTRY": "XX"}, []string{"DEFAULT_COUNTRY", "XX"}},
		{"anything, and names all at once", map[string]string{"TOPIC_ARN": "", "TABLE_NAME": "", "AWS_REGION": ""}, []string{"TOPIC_ARN", "TABLE_NAME", "AWS_REGION"}},
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
	template.CheckEnvironment(t, "AlertsFunction", alerts.ReadEnvironment)
}

// world is the function, its services, and a subscriber to all alerts.
type world struct {
	t        *testing.T
	settings eventsource.Settings
	function *eventsource.Function
	started  []*lambdaruntime.Process
	shard    eventsource.Shard

	store        table.Store // past the proxy
	table, topic *faultproxy.Proxy
	topicARN     string
	subscriber   string // the queue's URL
}

// newWorld makes a world in which nothing fails. It skips the test without services
// to test against.
func newWorld(t *testing.T) *world {
	t.Helper()
	endpoint := moto.Endpoint(t)
	config, tableName := tabletest.NewTable(t)
	settings, err := eventsource.Read(tabletest.TemplatePath(t), "AlertsFunction", "DynamoDB")
	if err != nil {
		t.Fatal(err)
	}
	settings.Retries = min(settings.Retries, 3) // the deployed number takes hours
	w := &world{
		t:        t,
		settings: settings,
		store:    dynamostore.New(config, tableName),
		table:    faultproxy.New(t, os.Getenv(tabletest.EndpointVariable)),
		topic:    faultproxy.New(t, endpoint),
		topicARN: moto.NewTopic(t),
	}
	w.subscriber = moto.Subscribe(t, w.topicARN, nil)
	env := variables(w.table.URL(), tableName, w.topic.URL(), w.topicARN)
	w.function = eventsource.NewFunction(func() (*lambdaruntime.Process, error) {
		process, err := start(t, env)
		if err == nil {
			w.started = append(w.started, process)
		}
		return process, err
	}, settings.Timeout)
	return w
}

// received is when all events arrived.
var received = time.Date(2026, time.March, 12, 15, 0, 0, 0, time.UTC)

// stored stores the events in bodies, as the webhook does, and returns their stream
// records.
func (w *world) stored(bodies ...string) []eventsource.Record {
	w.t.Helper()
	var items []table.Item
	for _, body := range bodies {
		item := itemOf(w.t, body)
		if _, err := w.store.Put(w.t.Context(), item); err != nil {
			w.t.Fatal(err)
		}
		items = append(items, item)
	}
	records, err := w.shard.Insert(items...)
	if err != nil {
		w.t.Fatal(err)
	}
	return records
}

// itemOf returns the item of an event.
func itemOf(t *testing.T, body string) table.Item {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return table.EventItem(envelope.Decode(), received, received)
}

// deliver passes records to the function as the event source mapping does.
func (w *world) deliver(records []eventsource.Record) []eventsource.Discarded {
	w.t.Helper()
	discarded, err := w.settings.Stream().Deliver(w.t.Context(), w.function, records)
	if err != nil {
		w.t.Fatal(err)
	}
	return discarded
}

// invoke invokes the function once and returns the sequence number of the batch item
// failure, or "".
func (w *world) invoke(records []eventsource.Record) (failed string) {
	w.t.Helper()
	answer, err := w.function.Invoke(w.t.Context(), eventsource.Event(records))
	if err != nil {
		w.t.Fatal(err)
	}
	var response struct {
		Failures []struct {
			Item string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		w.t.Fatalf("answer %s: %v", answer, err)
	}
	switch len(response.Failures) {
	case 0:
		return ""
	case 1:
		return response.Failures[0].Item
	}
	w.t.Fatalf("%d failures reported, want the first alone: %s", len(response.Failures), answer)
	return ""
}

// logs returns the logs of all processes.
func (w *world) logs() string {
	var b strings.Builder
	for _, process := range w.started {
		b.WriteString(process.Logs())
	}
	return b.String()
}

// logged counts log lines by message.
func (w *world) logged(message string) int {
	return strings.Count(w.logs(), `"message":"`+message+`"`)
}

// document is an alert's document, as a program reads it.
type document struct {
	Version    int    `json:"version"`
	ID         string `json:"id"`
	Kind       string `json:"kind"`
	OccurredAt string `json:"occurred_at"`
	CallID     string `json:"call_id"`
	Line       struct {
		Number string `json:"number"`
		Name   string `json:"name"`
	} `json:"line"`
	Caller struct {
		Number   string `json:"number"`
		Name     string `json:"name"`
		Company  string `json:"company"`
		Withheld bool   `json:"withheld"`
	} `json:"caller"`
	Agents []struct {
		ID   *int64 `json:"id"`
		Name string `json:"name"`
	} `json:"agents"`
	Reason    string `json:"missed_reason"`
	Missed24h int    `json:"missed_24h"`
	Voicemail struct {
		Seconds          int    `json:"duration_seconds"`
		RecordingURL     string `json:"recording_url"`
		Transcription    string `json:"transcription"`
		TranscriptionCut bool   `json:"transcription_cut"`
	} `json:"voicemail"`
	MissedCall *struct {
		CallID     string `json:"call_id"`
		OccurredAt string `json:"occurred_at"`
	} `json:"missed_call"`
	Key struct {
		PK string `json:"PK"`
		SK string `json:"SK"`
	} `json:"key"`
	Cut bool `json:"cut"`
}

// delivered is an alert as a queue receives it.
type delivered struct {
	document

	attributes map[string]string
}

// alerts takes the alerts that the subscriber received since the last call.
func (w *world) alerts() []delivered {
	w.t.Helper()
	return readAlerts(w.t, moto.Receive(w.t, w.subscriber))
}

func readAlerts(t *testing.T, messages []types.Message) []delivered {
	t.Helper()
	var got []delivered
	for _, m := range messages {
		d := delivered{attributes: map[string]string{}}
		if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &d.document); err != nil {
			t.Fatalf("document %q: %v", aws.ToString(m.Body), err)
		}
		for name, value := range m.MessageAttributes {
			d.attributes[name] = aws.ToString(value.StringValue)
		}
		got = append(got, d)
	}
	return got
}

// wantAlerts checks the ids of the alerts that came, in any order.
func (w *world) wantAlerts(want ...string) []delivered {
	w.t.Helper()
	got := w.alerts()
	ids := []string{}
	for _, d := range got {
		ids = append(ids, d.ID)
	}
	slices.Sort(ids)
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), ids); diff != "" {
		w.t.Errorf("alerts (-want +got):\n%s", diff)
	}
	return got
}

// marks returns the sort keys of the marks in a partition.
func (w *world) marks(partition string) []string {
	w.t.Helper()
	found := []string{}
	for item, err := range table.All(w.t.Context(), w.store, table.Query{Partition: partition, SortPrefix: "ALERT#"}) {
		if err != nil {
			w.t.Fatal(err)
		}
		found = append(found, table.Text(item, table.SK))
	}
	return found
}

// The zone's rules come with the binary: British Columbia set its clocks for the
// last time in March 2026.
func TestPeopleReadLocalTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(w.stored(
		`{"event":"call.missed","timestamp":"2026-11-28T20:00:00Z","data":{"call_id":"c1","direction":"inbound","from":"+14155558765","to":"+14155551234"}}`,
	))
	messages := w.published()
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	if m := messages[0]; !strings.Contains(m["email"], "\nTime      28 November 2026, 13:00 MST\n") || !strings.Contains(m["sms"], "13:00 MST") {
		t.Errorf("e-mail and text message:\n%s\n%s", m["email"], m["sms"])
	}
}

// published returns the messages of all PublishBatch requests, in all their forms.
func (w *world) published() []map[string]string {
	w.t.Helper()
	var all []map[string]string
	for _, r := range w.topic.Requests() {
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			w.t.Fatal(err)
		}
		for i := 1; ; i++ {
			entry := "PublishBatchRequestEntries.member." + string(rune('0'+i)) + "."
			if i == 10 {
				entry = "PublishBatchRequestEntries.member.10."
			}
			text := form.Get(entry + "Message")
			if text == "" {
				break
			}
			forms := map[string]string{}
			if err := json.Unmarshal([]byte(text), &forms); err != nil {
				w.t.Fatalf("message %q: %v", text, err)
			}
			forms["subject"] = form.Get(entry + "Subject")
			all = append(all, forms)
		}
	}
	return all
}

// sample returns the body of a documented event.
func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "events-samples", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// missed returns a missed call of format A, with more members in its data.
func missed(callID string, more ...string) string {
	return body("call.missed", append([]string{`"call_id":"` + callID + `"`, `"direction":"inbound"`}, more...))
}

// voicemail returns a voicemail of format A, with more members in its data.
func voicemail(callID string, more ...string) string {
	return body("voicemail.received", append([]string{`"call_id":"` + callID + `"`}, more...))
}

func body(event string, members []string) string {
	return `{"event":"` + event + `","timestamp":"2026-03-12T14:32:00Z","data":{` + strings.Join(members, ",") + `}}`
}

// quote encodes a text as JSON.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // never fails
	return strings.TrimSpace(b.String())
}

// Whatever the filter lets through, the function keeps contacts.
func TestTheFunctionKeepsTheAddressBook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := w.stored(
		`{"event":"contact.updated","timestamp":"2026-03-12T14:46:00Z","data":{"contact_id":98765,"last_name":"Smith"}}`,
		`{"event":"contact.created","timestamp":"2026-03-12T14:45:00Z","data":{"contact_id":98765,"first_name":"Jordan","last_name":"Lee","phone":"+14155559876"}}`,
	)
	for range 2 {
		if failed := w.invoke(records); failed != "" {
			t.Fatalf("record %s failed", failed)
		}
	}
	page, err := w.store.Query(t.Context(), table.Query{Partition: table.CallerPartition("+14155559876")})
	if err != nil {
		t.Fatal(err)
	}
	want := addressbook.Entry{Known: true, Name: "Jordan Smith"}
	if diff := cmp.Diff(want, addressbook.Read(page.Items)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
