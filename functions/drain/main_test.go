package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	drain "github.com/ringback/ringback/functions/drain"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/spilltest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/proof/template"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
	"github.com/ringback/ringback/internal/table/itemjson"
)

const invokeTime = 20 * time.Second

func TestMain(m *testing.M) {
	os.Exit(lambdaruntimetest.Main(m, drain.Main))
}

// start starts the function with a table at the endpoint.
func start(t *testing.T, endpoint, tableName string, changes map[string]string) (*lambdaruntime.Process, error) {
	t.Helper()
	return startBinary(t, lambdaruntimetest.Path(t), endpoint, tableName, changes)
}

func startBinary(t *testing.T, path, endpoint, tableName string, changes map[string]string) (*lambdaruntime.Process, error) {
	t.Helper()
	env := map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": endpoint,
		"TABLE_NAME":                tableName,
	}
	maps.Copy(env, changes)
	return lambdaruntimetest.Start(t, path, env, "sample-token-not-a-secret")
}

func mustStart(t *testing.T, endpoint, tableName string) *lambdaruntime.Process {
	t.Helper()
	process, err := start(t, endpoint, tableName, nil)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	process.Grace = time.Minute
	return process
}

// invoke returns the ids of the messages that failed.
func invoke(t *testing.T, process *lambdaruntime.Process, event []byte) []string {
	t.Helper()
	result, err := process.Invoke(t.Context(), event, invokeTime)
	if err != nil {
		t.Fatalf("invoke: %v", err)
	}
	if result.FunctionError != nil {
		t.Fatalf("function error: %v", result.FunctionError)
	}
	var answer struct {
		Failures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(result.Payload, &answer); err != nil {
		t.Fatalf("answer %q: %v", result.Payload, err)
	}
	ids := []string{}
	for _, failure := range answer.Failures {
		ids = append(ids, failure.ItemIdentifier)
	}
	return ids
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("../../events-samples/drain", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// batch is an event of n spilled calls.
func batch(t *testing.T, n int) []byte {
	t.Helper()
	messages := make([]string, n)
	for i := range messages {
		body := fmt.Sprintf(`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"c%d"}}`, i)
		text, err := spill.Encode(ingest.Received{ReceivedAt: time.Date(2026, time.March, 12, 14, 32, 2, 0, time.UTC), Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		messages[i] = text
	}
	return spilltest.Event(t, messages...)
}

func TestPromise5_StoresABatchOnceAndNamesWhatItCannotStore(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	process := mustStart(t, tabletest.Serve(t, store.Put), "events")
	for range 2 {
		if diff := cmp.Diff([]string{spilltest.MessageID(2)}, invoke(t, process, sample(t, "batch"))); diff != "" {
			t.Errorf("messages that come back (-want +got):\n%s", diff)
		}
	}
	received := map[string]string{}
	for _, item := range store.Items() {
		received[table.Text(item, table.PK)] = table.Text(item, table.ReceivedAt)
	}
	want := map[string]string{
		"MESSAGE#msg_a1b2c3d4": "2026-03-12T14:35:02.000Z",
		"CALL#call_1d4e5f6a":   "2026-03-12T14:40:02.000Z",
	}
	if diff := cmp.Diff(want, received); diff != "" {
		t.Errorf("arrival of what is stored (-want +got):\n%s", diff)
	}
	log := process.Logs()
	if drained, not := strings.Count(log, `"message":"delivery drained"`), strings.Count(log, `"message":"delivery not drained"`); drained != 4 || not != 2 {
		t.Errorf("%d and %d messages logged, want 4 drained and 2 not: %s", drained, not, log)
	}
}

// The nine samples go through both functions and the queue, and are also stored
// directly. The items differ only in the time of arrival, which the webhook sets.
func TestDrainsWhatTheWebhookSpilled(t *testing.T) {
	t.Parallel()
	const secret = `{"token":"sample-token-not-a-secret","signing_secret":""}`
	requests, err := filepath.Glob("../../events-samples/webhook/*.json")
	if err != nil || len(requests) == 0 {
		t.Fatalf("no sample requests (%v)", err)
	}
	webhook := filepath.Join(t.TempDir(), "webhook")
	if err := lambdaruntime.Build(t.Context(), "../webhook", webhook, false); err != nil {
		t.Fatal(err)
	}
	deliver := func(endpoint string, changes map[string]string) {
		t.Helper()
		changes["LOCAL_SECRET"] = secret
		process, err := startBinary(t, webhook, endpoint, "events", changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, request := range requests {
			event, err := os.ReadFile(request)
			if err != nil {
				t.Fatal(err)
			}
			result, err := process.Invoke(t.Context(), event, invokeTime)
			if err != nil || !strings.Contains(string(result.Payload), `"statusCode":200`) {
				t.Errorf("%s: got %s, %v, want 200", request, result.Payload, err)
			}
		}
	}

	direct := &tabletest.Memory{}
	deliver(tabletest.Serve(t, direct.Put), map[string]string{})

	queue, drained := spilltest.Start(t), &tabletest.Memory{}
	down := tabletest.Serve(t, func(context.Context, table.Item) (bool, error) { return false, table.ErrUnavailable })
	before := time.Now()
	deliver(down, map[string]string{"SPILL_QUEUE_URL": queue.URL(), "AWS_ENDPOINT_URL_SQS": queue.Endpoint()})
	after := time.Now()
	process := mustStart(t, tabletest.Serve(t, drained.Put), "events")
	if got := invoke(t, process, spilltest.Event(t, queue.Messages()...)); len(got) > 0 {
		t.Errorf("messages that come back: %v", got)
	}

	for _, item := range drained.Items() {
		if at := table.Text(item, table.ReceivedAt); at < table.Time(before) || at > table.Time(after) {
			t.Errorf("received at %s, want a time from %s to %s", at, table.Time(before), table.Time(after))
		}
	}
	if diff := cmp.Diff(texts(t, direct), texts(t, drained)); diff != "" {
		t.Errorf("items stored (-) and drained (+):\n%s", diff)
	}
	if got := len(texts(t, drained)); got != len(requests) {
		t.Errorf("%d items, want %d", got, len(requests))
	}
}

// texts returns a table's items without their time of arrival, by key.
func texts(t *testing.T, store *tabletest.Memory) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, item := range store.Items() {
		item = maps.Clone(item)
		delete(item, table.ReceivedAt)
		text, err := itemjson.Encode(item)
		if err != nil {
			t.Fatal(err)
		}
		found[table.Text(item, table.PK)+" "+table.Text(item, table.SK)] = string(text)
	}
	return found
}

func TestEverythingComesBackWhileTheTableIsDown(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // takes connections, answers none
	process := mustStart(t, "http://"+listener.Addr().String(), "events")
	if got := invoke(t, process, batch(t, 10)); len(got) != 10 {
		t.Errorf("%d messages come back, want ten", len(got))
	}
}

// The queue redelivers the whole batch of a killed function.
func TestPromise2_KilledInTheMiddleOfABatchAndRunAgainStoresAllOnce(t *testing.T) {
	t.Parallel()
	const n, stored = 8, 3
	store := &tabletest.Memory{}
	first := make(chan struct{}, n)
	places := make(chan struct{}, stored)
	endpoint := tabletest.Serve(t, func(ctx context.Context, item table.Item) (bool, error) {
		select {
		case places <- struct{}{}:
			created, err := store.Put(ctx, item)
			first <- struct{}{}
			return created, err
		default: // the others wait until the process is gone
			<-ctx.Done()
			return false, ctx.Err()
		}
	})
	process := mustStart(t, endpoint, "events")
	event := batch(t, n)
	go func() {
		for range stored {
			<-first
		}
		process.Kill()
	}()
	if _, err := process.Invoke(t.Context(), event, invokeTime); !errors.Is(err, lambdaruntime.ErrExited) {
		t.Fatalf("the invocation ended with %v, want it killed", err)
	}
	if got := len(store.Items()); got != stored {
		t.Fatalf("%d items stored before the end, want %d", got, stored)
	}

	if got := invoke(t, mustStart(t, tabletest.Serve(t, store.Put), "events"), event); len(got) > 0 {
		t.Errorf("messages that come back: %v", got)
	}
	if got := len(store.Items()); got != n {
		t.Errorf("%d items, want %d", got, n)
	}
	if got := store.Puts(); got != stored+n {
		t.Errorf("%d writes, want %d", got, stored+n)
	}
}

func TestWhatIsNoEventIsAFunctionError(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	process := mustStart(t, tabletest.Serve(t, store.Put), "events")
	result, err := process.Invoke(t.Context(), []byte(`{"version":"2.0"}`), invokeTime)
	if err != nil {
		t.Fatal(err)
	}
	if result.FunctionError == nil || store.Puts() > 0 {
		t.Errorf("got %s, want an error", result.Payload)
	}
}

func TestStoresTheSamplesInADynamoDB(t *testing.T) {
	t.Parallel()
	config, tableName := tabletest.NewTable(t)
	process := mustStart(t, os.Getenv(tabletest.EndpointVariable), tableName)
	for _, name := range []string{"call.missed", "batch", "batch"} {
		invoke(t, process, sample(t, name))
	}
	var kinds []string
	for _, partition := range []string{"CALL#call_1d4e5f6a", "MESSAGE#msg_a1b2c3d4"} {
		for item, err := range table.All(t.Context(), dynamostore.New(config, tableName), table.Query{Partition: partition}) {
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, table.Text(item, table.Kind))
		}
	}
	slices.Sort(kinds)
	if diff := cmp.Diff([]string{"message", "missed_call", "voicemail"}, kinds); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestPromise6_RefusesToStartWithoutItsEnvironment(t *testing.T) {
	t.Parallel()
	_, err := start(t, "", "", map[string]string{"AWS_REGION": ""})
	var refused *lambdaruntime.InitError
	if !errors.As(err, &refused) || !strings.Contains(refused.Logs, "drain: not started: ") ||
		!strings.Contains(refused.Logs, "TABLE_NAME") || !strings.Contains(refused.Logs, "AWS_REGION") {
		t.Errorf("want a refusal that names both, got %v", err)
	}
}

func TestTemplateSetsWhatTheFunctionReads(t *testing.T) {
	t.Parallel()
	template.CheckEnvironment(t, "DrainFunction", drain.ReadEnvironment)
}
