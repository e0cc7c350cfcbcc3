package main_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/spilltest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// withQueue returns the environment of a function with a table and a queue.
func withQueue(endpoint string, queue *spilltest.Queue) map[string]string {
	env := environment(endpoint, "events")
	env["SPILL_QUEUE_URL"] = queue.URL()
	env["AWS_ENDPOINT_URL_SQS"] = queue.Endpoint()
	env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
	return env
}

// drained returns the items that the drain stores from the queue's messages.
func drained(t *testing.T, queue *spilltest.Queue) []table.Item {
	t.Helper()
	store := &tabletest.Memory{}
	for _, message := range queue.Messages() {
		storeMessage(t, store, message)
	}
	return store.Items()
}

// storeMessage stores the delivery of a message.
func storeMessage(t *testing.T, store ingest.Putter, message string) ingest.Result {
	t.Helper()
	received, err := spill.Decode(message)
	if err != nil {
		t.Fatalf("message %.200s: %v", message, err)
	}
	d, err := received.Decode()
	if err != nil {
		t.Fatal(err)
	}
	result, err := ingest.Store(t.Context(), store, received, d)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// hangingPort returns an address that accepts connections and never answers.
func hangingPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts for it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

func TestPromise1_SpillsWhatATableThatIsDownDoesNotTake(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	process := mustStart(t, withQueue(closedPort(t), queue))

	keys := map[string]bool{}
	before := time.Now()
	for name, event := range gatewayEvents(t) {
		got := invoke(t, process, event)
		var said struct {
			Status string `json:"status"`
			Key    string `json:"key"`
		}
		if err := json.Unmarshal([]byte(got.Body), &said); err != nil || got.StatusCode != http.StatusOK || said.Status != "spilled" {
			t.Errorf("%s: got %+v, want 200 and spilled", name, got)
		}
		keys[said.Key] = true
	}
	after := time.Now()

	items := drained(t, queue)
	if want := len(gatewayEvents(t)); len(items) != want {
		t.Errorf("%d items drained, want %d", len(items), want)
	}
	kept := map[string]bool{}
	for _, item := range items {
		kept[table.Text(item, table.PK)] = true
		// The time of arrival is kept, to the millisecond.
		received := table.Text(item, table.ReceivedAt)
		if received < table.Time(before) || received > table.Time(after) {
			t.Errorf("received at %s, want a time from %s to %s", received, table.Time(before), table.Time(after))
		}
	}
	if diff := cmp.Diff(keys, kept); diff != "" {
		t.Errorf("keys answered (-) and kept (+):\n%s", diff)
	}
	if n := strings.Count(process.Logs(), `"message":"delivery spilled"`); n != len(items) {
		t.Errorf("%d of %d spilled deliveries are logged", n, len(items))
	}
}

// The table's time is limited so that the queue has enough, whatever happens to the
// function's first connection to the table.
func TestPromise1_SpillsWithinTheFunctionsTimeWhenTheTableHangs(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	var puts atomic.Int64
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") {
			puts.Add(1)
		}
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	process := mustStart(t, withQueue(hanging.URL, queue))

	got := invoke(t, process, gatewayEvents(t)["call.missed"])
	if !strings.Contains(got.Body, "spilled") || len(drained(t, queue)) != 1 {
		t.Errorf("got %+v and %d messages, want it spilled", got, len(queue.Messages()))
	}
	// Of three attempts of 2 s, the table's time has room for two.
	if n := puts.Load(); n < 1 || n > 2 {
		t.Errorf("the table was asked %d times, want the time to end before a third", n)
	}
}

func TestPromise1_Answers503WhenTheQueueIsDownToo(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	gone := withQueue(closedPort(t), queue)
	gone["AWS_ENDPOINT_URL_SQS"] = closedPort(t)
	hangs := withQueue(hangingPort(t), queue)
	hangs["AWS_ENDPOINT_URL_SQS"] = hangingPort(t)
	refuses := spilltest.Start(t)
	refuses.Refuse("InvalidMessageContents")

	for name, env := range map[string]map[string]string{
		"gone":    gone,
		"hangs":   hangs,
		"refuses": withQueue(closedPort(t), refuses),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			process := mustStart(t, env)
			if got := invoke(t, process, gatewayEvents(t)["call.missed"]); got.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("got %+v, want status 503", got)
			}
			if log := process.Logs(); !strings.Contains(log, "delivery failed") || strings.Contains(log, "marked-4711") {
				t.Errorf("want a failed delivery without what the queue quotes, got %s", log)
			}
		})
	}
}

func TestSpillsARejectionAndRefusesAsEver(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	env := withQueue(closedPort(t), queue)
	env["LOCAL_SECRET"] = `{"token":"` + sampleToken + `","signing_secret":"signing-secret-of-the-account"}`
	process := mustStart(t, env)

	// With control characters, and with bytes that are not text.
	bodies := map[string]int{
		"not JSON\x00\x01\uFFFE":                            http.StatusBadRequest,
		"not UTF-8 \xff\xfe":                                http.StatusBadRequest,
		`{"type":"call.missed","data":{"call_sid":"CA01"}}`: http.StatusUnauthorized,
	}
	for body, want := range bodies {
		event, err := json.Marshal(map[string]any{
			"version":         "2.0",
			"rawPath":         "/justcall/" + sampleToken,
			"headers":         map[string]string{"content-type": "text/plain"},
			"requestContext":  map[string]any{"http": map[string]string{"method": http.MethodPost}},
			"pathParameters":  map[string]string{"token": sampleToken},
			"body":            []byte(body), // encoding/json makes base64 of it
			"isBase64Encoded": true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := invoke(t, process, event); got.StatusCode != want {
			t.Errorf("%q: got %+v, want status %d", body, got, want)
		}
	}

	kept := map[string]int{}
	for _, item := range drained(t, queue) {
		body, err := table.PayloadOf(item)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(table.Text(item, table.PK), "REJECTED#") || table.Text(item, table.Reason) == "" {
			t.Errorf("%q is not kept as rejected with a reason", body)
		}
		kept[string(body)] = bodies[string(body)]
	}
	if diff := cmp.Diff(bodies, kept); diff != "" {
		t.Errorf("rejections kept (-want +got):\n%s", diff)
	}
}

// After an outage the table takes deliveries again, and one that was spilled and sent
// again is stored once.
func TestStoresAgainOnceTheTableIsBack(t *testing.T) {
	t.Parallel()
	queue, store := spilltest.Start(t), &tabletest.Memory{}
	down := true // invocations follow one another
	endpoint := tabletest.Serve(t, func(ctx context.Context, item table.Item) (bool, error) {
		if down {
			return false, table.ErrUnavailable
		}
		return store.Put(ctx, item)
	})
	process := mustStart(t, withQueue(endpoint, queue))
	event := gatewayEvents(t)["voicemail.received"]

	var got []string
	got = append(got, invoke(t, process, event).Body)
	down = false
	got = append(got, invoke(t, process, event).Body)
	for _, message := range queue.Messages() {
		if result := storeMessage(t, store, message); result.Status != ingest.StatusDuplicate {
			t.Errorf("the redelivered event was stored again (%s)", result.Status)
		}
	}

	want := []string{
		`{"status":"spilled","key":"CALL#call_1d4e5f6a"}`,
		`{"status":"stored","key":"CALL#call_1d4e5f6a"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	store.One(t)
}

func TestRefusesToStartWithASpillQueueThatIsNoURL(t *testing.T) {
	t.Parallel()
	env := environment(closedPort(t), "events")
	env["SPILL_QUEUE_URL"] = "SpillQueue"
	if _, err := start(t, env); err == nil || !strings.Contains(err.Error(), "SPILL_QUEUE_URL") {
		t.Errorf("want a refusal that names SPILL_QUEUE_URL, got %v", err)
	}
}
