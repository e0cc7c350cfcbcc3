package template_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/lambda/stream"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var noon = time.Date(2026, time.March, 12, 12, 0, 0, 0, time.UTC)

type filter struct {
	LogGroup        text `yaml:"LogGroupName"`
	Pattern         text `yaml:"FilterPattern"`
	Transformations []struct {
		Namespace  text `yaml:"MetricNamespace"`
		Name       text `yaml:"MetricName"`
		Value      text `yaml:"MetricValue"`
		Default    text `yaml:"DefaultValue"`
		Dimensions []struct {
			Key   text `yaml:"Key"`
			Value text `yaml:"Value"`
		} `yaml:"Dimensions"`
	} `yaml:"MetricTransformations"`
}

// filters returns the metric filters by logical ID.
func filters(t *testing.T) map[string]filter {
	t.Helper()
	parsed := read(t)
	all := map[string]filter{}
	for _, name := range parsed.of("AWS::Logs::MetricFilter") {
		var f filter
		parsed.Resources[name].properties(t, &f)
		all[name] = f
	}
	return all
}

// counted returns what the filters of a log group make of a log: "metric", or
// "metric dimension", once for each line that counts, sorted.
func counted(t *testing.T, group, log string) []string {
	t.Helper()
	metrics := []string{}
	for name, f := range filters(t) {
		if string(f.LogGroup) != "!Ref "+group {
			continue
		}
		matches, err := compile(string(f.Pattern))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		transformation := f.Transformations[0]
		for text := range strings.Lines(log) {
			var line map[string]any
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatalf("log line %q: %v", text, err)
			}
			if !matches(line) {
				continue
			}
			metric := string(transformation.Name)
			for _, d := range transformation.Dimensions {
				metric += fmt.Sprint(" ", line[strings.TrimPrefix(string(d.Value), "$.")])
			}
			if field, ok := strings.CutPrefix(string(transformation.Value), "$."); ok {
				metric += fmt.Sprint(" = ", line[field])
			}
			metrics = append(metrics, metric)
		}
	}
	slices.Sort(metrics)
	return metrics
}

// logger writes lines as they are on Lambda, and has them scanned.
func logger(t *testing.T, log *bytes.Buffer) *slog.Logger {
	t.Helper()
	logscan.Watch(t, log.String, token)
	return slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}))
}

type spillFunc func() error

func (f spillFunc) Send(context.Context, ingest.Received) error { return f() }

const token = "sample-token-not-a-secret"

// post posts a delivery with a token to the webhook's handler and returns its
// log.
func post(t *testing.T, store ingest.Putter, sink ingest.Spill, with, body string) string {
	t.Helper()
	var log bytes.Buffer
	h := ingest.New(store, credential.Fixed(credential.Secret{Token: token}), logger(t, &log))
	h.Spill = sink
	h.Handle(t.Context(), ingest.Request{
		Method: http.MethodPost, Path: ingest.Path + "/" + with, Body: []byte(body),
	})
	return log.String()
}

// rotating is a secret that was read just now.
type rotating struct{ credential.Fixed }

func (rotating) Refresh(context.Context) (credential.Secrets, error) {
	return nil, credential.ErrTooEarly
}

// putOff posts a delivery with a token that may be a new one, and returns the log.
func putOff(t *testing.T, body string) string {
	t.Helper()
	var log bytes.Buffer
	h := ingest.New(&tabletest.Memory{}, rotating{credential.Fixed{Token: token}}, logger(t, &log))
	r := ingest.Request{Method: http.MethodPost, Path: ingest.Path + "/brand-new-token-0123456789", Body: []byte(body)}
	if got := h.Handle(t.Context(), r); got.Status != http.StatusServiceUnavailable {
		t.Errorf("put off: %d, want 503", got.Status)
	}
	return log.String()
}

func sample(t *testing.T, name string) string {
	t.Helper()
	return document(t, filepath.Join("events-samples", name+".json"))
}

func failing(err error) tabletest.PutFunc {
	return func(context.Context, table.Item) (bool, error) { return false, err }
}

const (
	anonymous = `{"event":"call.missed","data":{"direction":"inbound"}}`
	unclear   = `{"type":"call.completed","data":{"call_sid":"s","call_info":{"direction":"Incoming","type":"Bridged"}}}`
)

// What the filters look for is not written down here a second time: it is what
// the functions log.
func TestMetricsCountDeliveries(t *testing.T) {
	t.Parallel()
	missed, answered := sample(t, "call.missed"), sample(t, "call.answered")
	down := failing(fmt.Errorf("put item: %w", table.ErrUnavailable))
	works, full := spillFunc(func() error { return nil }), spillFunc(func() error { return errors.New("queue down") })
	stored := func(body string) *tabletest.Memory {
		var m tabletest.Memory
		post(t, &m, nil, token, body)
		return &m
	}
	for _, test := range []struct {
		name, log string
		want      []string
	}{
		{"a missed call", post(t, &tabletest.Memory{}, nil, token, missed), []string{"Deliveries", "Stored missed_call"}},
		{"an answered call", post(t, &tabletest.Memory{}, nil, token, answered), []string{"CallsAnswered", "Deliveries", "Stored call"}},
		{"a delivery seen before", post(t, stored(missed), nil, token, missed), []string{"Deliveries", "Duplicates"}},
		{"a type that no document names", post(t, &tabletest.Memory{}, nil, token, `{"type":"call.zephyr","data":{"id":"1"}}`), []string{"Deliveries", "Stored unknown", "Unregistered"}},
		{"a missed call of a type that no document names", post(t, &tabletest.Memory{}, nil, token, strings.Replace(missed, "call.missed", "call.zephyr", 1)), []string{"Deliveries", "Stored missed_call", "Unregistered"}},
		{"a delivery that nothing tells from another", post(t, stored(anonymous), nil, token, anonymous), []string{"Deliveries", "Duplicates", "DuplicatesAmbiguous"}},
		{"an outcome that nobody knows", post(t, &tabletest.Memory{}, nil, token, unclear), []string{"Deliveries", "OutcomeUnknown", "Stored call"}},
		{"an outcome that nobody knows, again", post(t, stored(unclear), nil, token, unclear), []string{"Deliveries", "Duplicates"}},
		{"a new field", post(t, &tabletest.Memory{}, nil, token, strings.Replace(missed, `"status"`, `"mood"`, 1)), []string{"Deliveries", "NewShapes", "Stored missed_call"}},
		{"a field of another type", post(t, &tabletest.Memory{}, nil, token, strings.Replace(missed, `30,`, `"long",`, 1)), []string{"Deliveries", "NewShapes", "Stored missed_call"}},
		{"a damaged body", post(t, &tabletest.Memory{}, nil, token, "\ufeff"+missed), []string{"Damaged", "Deliveries", "Stored missed_call"}},
		{"a list", post(t, &tabletest.Memory{}, nil, token, "["+missed+","+answered+",5]"), []string{"CallsAnswered", "Deliveries", "Deliveries", "Rejected", "Stored call", "Stored missed_call"}},
		{"a missed call cut short", post(t, &tabletest.Memory{}, nil, token, missed[:100]), []string{"Rejected", "UnreadCalls"}},
		{"a missed call cut short that the table refused", post(t, down, works, token, missed[:100]), []string{"Deliveries", "Rejected", "Spilled", "UnreadCalls"}},
		{"a body that is no event", post(t, &tabletest.Memory{}, nil, token, "["), []string{"Rejected"}},
		{"a probe", post(t, &tabletest.Memory{}, nil, token, "{}"), []string{}},
		{"a wrong token", post(t, &tabletest.Memory{}, nil, "another-token-altogether", missed), []string{"Unauthorized"}},
		{"a token that may be a new one", putOff(t, missed), []string{"PutOff"}},
		{"a delivery that the table refused", post(t, down, works, token, missed), []string{"Deliveries", "Spilled"}},
		{"a rejection that the table refused", post(t, down, works, token, "["), []string{"Deliveries", "Rejected", "Spilled"}},
		{"a delivery that nothing took", post(t, down, full, token, missed), []string{"Failed"}},
		{"a delivery over the limit", post(t, failing(fmt.Errorf("put item: %w", table.ErrTooLarge)), nil, token, missed), []string{"TooLarge"}},
	} {
		if diff := cmp.Diff(test.want, counted(t, "WebhookLogGroup", test.log)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%s", test.name, diff, test.log)
		}
	}
}

func TestMetricsCountWhatIsDrained(t *testing.T) {
	t.Parallel()
	missed, answered := sample(t, "call.missed"), sample(t, "call.answered")
	var store tabletest.Memory
	for _, test := range []struct {
		name  string
		store ingest.Putter
		body  string
		want  []string
	}{
		{"stored", &store, missed, []string{"Drained", "Stored missed_call"}},
		{"stored already", &store, missed, []string{"Drained"}},
		{"an answered call", &store, answered, []string{"CallsAnswered", "Drained", "Stored call"}},
		{"an answered call again", &store, answered, []string{"Drained"}},
		{
			"an answered call of format B", &store,
			`{"request_id":"r1","webhook_url":"https://example.com","type":"call.answered","data":{"id":1,"call_info":{"type":"answered"}}}`,
			[]string{"CallsAnswered", "Drained", "Stored call"},
		},
		{"an outcome that nobody knows", &store, unclear, []string{"Drained", "OutcomeUnknown", "Stored call"}},
		{"an outcome that nobody knows, again", &store, unclear, []string{"Drained"}},
		{"a new type", &store, `{"event":"fax.received","data":{"fax_id":"1"}}`, []string{"Drained", "Stored unknown", "Unregistered"}},
		{"a damaged one", &store, `{"event":"fax.received","data":[{"fax_id":"2","call_id":"c9"}]}`, []string{"Damaged", "Drained", "Stored unknown", "Unregistered"}},
		{"a list", &store, `[{"event":"call.missed","data":{"call_id":"l1"}},{"event":"call.missed","data":{"call_id":"l2"}}]`, []string{"Drained", "Drained", "Stored missed_call", "Stored missed_call"}},
		{"refused again", failing(table.ErrUnavailable), missed, []string{"NotDrained"}},
	} {
		receipt, err := spill.Encode(ingest.Received{ReceivedAt: noon, Body: []byte(test.body)})
		if err != nil {
			t.Fatal(err)
		}
		event, err := json.Marshal(map[string]any{"Records": []any{map[string]string{"messageId": "1", "body": receipt}}})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		if _, err := spill.NewDrain(test.store, logger(t, &log)).Invoke(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, counted(t, "DrainLogGroup", log.String())); diff != "" {
			t.Errorf("%s (-want +got):\n%s%s", test.name, diff, log.String())
		}
	}
}

// variables are what a line of the access log is made of. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html.
var variables = regexp.MustCompile(`\$context\.[A-Za-z0-9_.]+`)

// accessLog is the form of a line of the API's access log.
func accessLog(t *testing.T) string {
	t.Helper()
	var api struct {
		AccessLog struct {
			Destination text `yaml:"DestinationArn"`
			Format      text `yaml:"Format"`
		} `yaml:"AccessLogSettings"`
	}
	read(t).Resources["HttpApi"].properties(t, &api)
	if want := text("!GetAtt HttpApiLogGroup.Arn"); api.AccessLog.Destination != want {
		t.Fatalf("the access log goes to %q, want %q", api.AccessLog.Destination, want)
	}
	return string(api.AccessLog.Format)
}

// The path holds the token, and what is not named here may tell of a person: the
// sender's address, a query, a header.
func TestPromise8_TheAccessLogTellsOnlyWhatIsAllowed(t *testing.T) {
	t.Parallel()
	want := []string{
		"$context.error.responseType", "$context.httpMethod", "$context.integration.latency", "$context.integration.status",
		"$context.requestId", "$context.requestTimeEpoch", "$context.responseLatency", "$context.routeKey", "$context.status",
	}
	format := accessLog(t)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(variables.FindAllString(format, -1)))); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if left := variables.ReplaceAllString(format, ""); strings.Contains(left, "$") {
		t.Errorf("there is more that is replaced: %s", left)
	}
}

// The access log has its form from the template, so a line of it can be made
// of that. In it every value is text.
func TestMetricsCountWhatTheAPIRefuses(t *testing.T) {
	t.Parallel()
	format := accessLog(t)
	for status, want := range map[string][]string{
		"200": {}, "401": {}, "404": {}, "429": {"Throttled"}, "503": {},
	} {
		line := variables.ReplaceAllStringFunc(format, func(name string) string {
			if name == "$context.status" {
				return status
			}
			return "429"
		})
		if diff := cmp.Diff(want, counted(t, "HttpApiLogGroup", line)); diff != "" {
			t.Errorf("status %s (-want +got):\n%s%s", status, diff, line)
		}
	}
}

type publisher func() error

func (p publisher) Publish(_ context.Context, messages []alert.Message) []error {
	errs := make([]error, len(messages))
	for i := range errs {
		errs[i] = p()
	}
	return errs
}

// forgetful is a store that takes no marks.
type forgetful struct{ table.Store }

func (f forgetful) Put(ctx context.Context, item table.Item) (bool, error) {
	if _, ok := item[table.AlertedAt]; ok {
		return false, table.ErrUnavailable
	}
	return f.Store.Put(ctx, item)
}

// outcomeOf returns the end of a call of the day.
func outcomeOf(outcome, at string) string {
	return fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":"s1","contact_number":"14155550144","justcall_number":"14155550101",
		"call_date":"2026-03-12","call_time":%q,"call_info":{"direction":"Incoming","type":%q}}}`, at, outcome)
}

func TestMetricsCountAlerts(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	body := sample(t, "call.missed")
	var kept tabletest.Memory
	received := ingest.Received{ReceivedAt: noon, Body: []byte(body)}
	d, err := received.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Store(t.Context(), &kept, received, d); err != nil {
		t.Fatal(err)
	}
	items := []table.Item{kept.One(t)}
	for _, test := range []struct {
		name    string
		store   table.Store
		publish error
		now     time.Time
		want    []string
	}{
		// The sample is of 14:32; it arrived, by its sender's clock, before it happened.
		{"not published", store, errors.New("throttled"), noon, []string{"AlertsFailed"}},
		{"published, not marked", forgetful{store}, nil, noon.Add(4 * time.Hour), []string{"AlertAge = 5.28e+06", "AlertDelay = 1.44e+07", "Alerts missed_call", "AlertsNotMarked"}},
		{"published before it happened", store, nil, noon.Add(time.Second), []string{"AlertDelay = 1000", "Alerts missed_call"}},
		{"published before", store, nil, noon, []string{}},
	} {
		var log bytes.Buffer
		d := alert.New(test.store, events.PhoneNumber, publisher(func() error { return test.publish }), logger(t, &log))
		d.Now = func() time.Time { return test.now }
		d.Process(t.Context(), items)
		if diff := cmp.Diff(test.want, counted(t, "AlertsLogGroup", log.String())); diff != "" {
			t.Errorf("%s (-want +got):\n%s%s", test.name, diff, log.String())
		}
	}

	for _, test := range []struct {
		rules  alert.Rules
		bodies []string
		want   []string
	}{
		{alert.Rules{MaxAge: time.Minute}, []string{outcomeOf("Missed", "11:00:00")}, []string{"AlertsSkippedOld"}},
		{alert.Rules{Abandoned: alert.NoCallers}, []string{outcomeOf("Abandoned", "12:00:00")}, []string{"AlertsSkippedAbandoned"}},
		{alert.Rules{}, []string{strings.Replace(outcomeOf("Missed", "12:00:00"), "14155550144", "14155550101", 1)}, []string{"AlertsSkippedOwn"}},
		{alert.Rules{}, []string{outcomeOf("Missed", "12:00:00"), outcomeOf("Answered", "12:00:00")}, []string{"AlertAge = 0", "AlertDelay = 0", "Alerts missed_call", "AlertsReturned"}},
	} {
		var log bytes.Buffer
		store := &tabletest.Memory{}
		d := alert.New(store, events.PhoneNumber, publisher(func() error { return nil }), logger(t, &log))
		d.Rules, d.Now = test.rules, func() time.Time { return noon }
		for _, body := range test.bodies {
			envelope, err := events.Open([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			item := table.EventItem(envelope.Decode(), noon, noon)
			if _, err := store.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			d.Process(t.Context(), []table.Item{item})
		}
		if diff := cmp.Diff(test.want, counted(t, "AlertsLogGroup", log.String())); diff != "" {
			t.Errorf("%v (-want +got):\n%s%s", test.want, diff, log.String())
		}
	}

	var log bytes.Buffer
	nobody := func(context.Context, []table.Item) []error { return nil }
	event := `{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","NewImage":{"PK":{"X":1}}}}]}`
	if _, err := stream.New(nobody, logger(t, &log)).Invoke(t.Context(), []byte(event)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"AlertsFailed"}, counted(t, "AlertsLogGroup", log.String())); diff != "" {
		t.Errorf("a record that cannot be read (-want +got):\n%s%s", diff, log.String())
	}

	// They hold up the alerts behind them.
	log.Reset()
	contact := table.Item{
		table.PK: attr.String("CONTACT#7"), table.SK: attr.String("EVENT#1"), table.Kind: attr.String("contact"),
		table.GSI1PK: attr.String(table.PhonePartition("+5215512345678")),
	}
	mexican := func(string) string { return "+525512345678" }
	down, to := unavailable{&tabletest.Memory{}}, logger(t, &log) // one, as they write side by side
	consumer.All(
		addressbook.New(down, mexican, to).Consumer(), spelling.New(down, mexican, to).Consumer(),
	)(t.Context(), []table.Item{contact})
	if diff := cmp.Diff([]string{"AlertsFailed", "AlertsFailed"}, counted(t, "AlertsLogGroup", log.String())); diff != "" {
		t.Errorf("a table that is down (-want +got):\n%s%s", diff, log.String())
	}
}

// unavailable is a store that is down.
type unavailable struct{ table.Store }

func (unavailable) Put(context.Context, table.Item) (bool, error) { return false, table.ErrUnavailable }

func (unavailable) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, table.ErrUnavailable
}

// CloudWatch refuses a filter with a default value and a dimension, and bills
// each value of a dimension as a metric.
func TestMetricFiltersAreAsCloudWatchWantsThem(t *testing.T) {
	t.Parallel()
	for name, f := range filters(t) {
		if len(f.Transformations) != 1 {
			t.Fatalf("%s has %d transformations, want 1", name, len(f.Transformations))
		}
		transformation := f.Transformations[0]
		if transformation.Namespace != namespace {
			t.Errorf("%s has the namespace %q", name, transformation.Namespace)
		}
		if transformation.Default != "" {
			t.Errorf("%s has a default value", name)
		}
		for _, d := range transformation.Dimensions {
			if d.Key != "Kind" || d.Value != "$.kind" {
				t.Errorf("%s has the dimension %s = %s; only kinds are few", name, d.Key, d.Value)
			}
		}
		if value := string(transformation.Value); strings.HasPrefix(value, "$.") && !strings.Contains(string(f.Pattern), value+" ") {
			t.Errorf("%s takes %s, which its pattern does not name", name, value)
		}
	}
}

func TestMetricsCountWhatIsReconciled(t *testing.T) {
	t.Parallel()
	account := justcalltest.New(t)
	account.AddHook(events.TypeCallMissed, "https://hooks.example.com/justcall/token", justcall.WebhookBlacklisted)
	for _, needed := range justcall.Needed[1:] {
		account.AddHook(needed.Type, "https://hooks.example.com/justcall/token", justcall.WebhookActive)
	}
	account.AddCall(justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "Missed", Start: time.Now().Add(-30 * time.Minute)})
	account.AddCall(justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "answered", Start: time.Now().Add(-20 * time.Minute)})
	client, err := account.Client()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r := reconcile.New(client, tabletest.NewBolt(t), nowhere{}, logger(t, &log))
	r.WebhookURL, r.MaxAlertAge = "https://hooks.example.com/justcall", 25*time.Minute
	if _, err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"Found", "Found", "FoundTooOld", "WebhooksInactive"}
	if diff := cmp.Diff(want, counted(t, "ReconcileLogGroup", log.String())); diff != "" {
		t.Errorf("metrics (-want +got):\n%s%s", diff, log.String())
	}
}

// nowhere takes what is found.
type nowhere struct{}

func (nowhere) Send(context.Context, ingest.Received, bool) error { return nil }
