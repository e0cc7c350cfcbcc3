package spill_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/spilltest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// later is when the queue is drained.
var later = arrival.Add(time.Hour)

// drain invokes a drain with an event and returns the ids of the messages that were
// not stored.
func drain(t testing.TB, store ingest.Putter, event []byte, log *bytes.Buffer) []string {
	t.Helper()
	lines := logscan.Writer(t, token)
	logger := lines.Logger()
	if log != nil {
		logger = lines.Logger(log)
	}
	d := spill.NewDrain(store, logger)
	d.Now = func() time.Time { return later }
	answer, err := d.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return failures(t, answer)
}

// failures reads an answer as Lambda does. See
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
func failures(t testing.TB, answer []byte) []string {
	t.Helper()
	var read struct {
		Failures *[]struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &read, json.RejectUnknownMembers(true)); err != nil || read.Failures == nil {
		t.Fatalf("answer %s: %v", answer, err)
	}
	ids := []string{}
	for _, failure := range *read.Failures {
		ids = append(ids, failure.ItemIdentifier)
	}
	return ids
}

func encode(t testing.TB, r ingest.Received) string {
	t.Helper()
	text, err := spill.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// spilled returns the messages of requests that came at arrival, while the table was
// down.
func spilled(t testing.TB, requests ...ingest.Request) []string {
	t.Helper()
	var messages []string
	h := webhook(t, tabletest.PutFunc(func(context.Context, table.Item) (bool, error) {
		return false, table.ErrUnavailable
	}))
	h.Spill = spillFunc(func(_ context.Context, r ingest.Received) error {
		messages = append(messages, encode(t, r))
		return nil
	})
	for _, r := range requests {
		h.Handle(t.Context(), r)
	}
	if len(messages) != len(requests) {
		t.Fatalf("%d of %d requests spilled", len(messages), len(requests))
	}
	return messages
}

func webhook(t testing.TB, store ingest.Putter) *ingest.Handler {
	t.Helper()
	h := ingest.New(store, credential.Fixed{Token: token}, logscan.Logger(t, token))
	h.Now = func() time.Time { return arrival }
	return h
}

type spillFunc func(ctx context.Context, r ingest.Received) error

func (f spillFunc) Send(ctx context.Context, r ingest.Received) error { return f(ctx, r) }

// items returns a table's items as text, by key.
func items(t testing.TB, store *tabletest.Memory) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, item := range store.Items() {
		text, err := itemjson.Encode(item)
		if err != nil {
			t.Fatal(err)
		}
		texts[table.Text(item, table.PK)+" "+table.Text(item, table.SK)] = string(text)
	}
	return texts
}

// deliveries are one of every kind, from the smallest to the largest.
func deliveries(t testing.TB) []ingest.Request {
	t.Helper()
	requests := []ingest.Request{
		delivery([]byte(`{"type":"call.missed","data":{"call_sid":"CA01"}}`)),
		delivery([]byte(`{"event":"voicemail.received","data":{"call_id":"c1","transcription":"` + incompressible(500<<10) + `"}}`)),
		delivery([]byte(`{"event":"fax.received","data":{"pages":3}}`)),
		delivery([]byte("not JSON \x00\uFFFE")),
		delivery([]byte("not UTF-8 \xff")),
	}
	requests[3].Headers["content-type"] = "text/\xff" // which JSON has no form for
	for _, event := range []string{"call.missed", "voicemail.received", "sms.sent", "contact.created", "contact.updated"} {
		requests = append(requests, delivery(sample(t, event)))
	}
	return requests
}

func TestPromise4_ADrainedDeliveryIsTheItemThatWouldHaveBeenStored(t *testing.T) {
	t.Parallel()
	direct, drained := &tabletest.Memory{}, &tabletest.Memory{}
	requests := deliveries(t)
	for _, r := range requests {
		webhook(t, direct).Handle(t.Context(), r)
	}
	event := spilltest.Event(t, spilled(t, requests...)...)
	for range 2 { // twice is once
		if got := drain(t, drained, event, nil); len(got) > 0 {
			t.Errorf("not kept: %v", got)
		}
	}
	if diff := cmp.Diff(items(t, direct), items(t, drained)); diff != "" {
		t.Errorf("items stored (-) and drained (+):\n%s", diff)
	}
	if n := len(items(t, direct)); n != len(requests) {
		t.Errorf("%d items of %d requests", n, len(requests))
	}
}

func TestWhatNoWebhookBroughtSaysSo(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	message := encode(t, ingest.Received{ReceivedAt: arrival, Body: sample(t, "call.missed"), FoundBy: table.FoundByReconcile})
	if failed := drain(t, store, spilltest.Event(t, message), nil); len(failed) > 0 {
		t.Fatalf("not kept: %v", failed)
	}
	if got := table.Text(store.One(t), table.FoundBy); got != table.FoundByReconcile {
		t.Errorf("found by %q", got)
	}
}

// tooLarge is a delivery that the table never takes.
func tooLarge() ingest.Received {
	return ingest.Received{ReceivedAt: arrival, Body: []byte(
		`{"event":"voicemail.received","data":{"call_id":"c1","transcription":"` + incompressible(600<<10) + `"}}`)}
}

func TestPromise5_OnlyWhatIsNotKeptComesBack(t *testing.T) {
	t.Parallel()
	good := spilled(t, delivery(sample(t, "call.missed")), delivery([]byte("not JSON")), delivery(sample(t, "sms.sent")))
	noEvent := encode(t, ingest.Received{ReceivedAt: arrival, Body: []byte("not JSON, and no reason")})
	event := spilltest.Event(t, good[0], "marked-4711", good[1], noEvent, encode(t, tooLarge()), good[2])
	store := &tabletest.Memory{}
	var log bytes.Buffer

	got := drain(t, store, event, &log)

	want := []string{spilltest.MessageID(1), spilltest.MessageID(3), spilltest.MessageID(4)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if n := len(store.Items()); n != len(good) {
		t.Errorf("%d items kept, want %d", n, len(good))
	}
	if strings.Contains(log.String(), "marked-4711") {
		t.Errorf("the log quotes a message: %s", log.String())
	}
}

// records is an event with records as they are.
func records(texts ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(texts, ",") + `]}`)
}

// A message with a list is done when all of its events are stored.
func TestTheEventsOfAListAreDrainedEachByItself(t *testing.T) {
	t.Parallel()
	list := encode(t, ingest.Received{
		ReceivedAt: arrival,
		Body:       []byte(`[{"event":"call.missed","data":{"call_id":"c1"}},{"type":"call.missed","data":{"call_sid":"c2"}},{"event":"ping"},` + string(tooLarge().Body) + `]`),
		Reasons:    []string{"", "signature: missing", "", ""},
	})
	store := &tabletest.Memory{}
	for range 2 {
		if got := drain(t, store, spilltest.Event(t, list), nil); len(got) != 1 {
			t.Errorf("failures: %v, want the one message", got)
		}
	}
	var kept []string
	for _, item := range store.Items() {
		kept = append(kept, table.Text(item, table.PK)+" "+table.Text(item, table.Reason))
	}
	slices.Sort(kept)
	if diff := cmp.Diff([]string{"CALL#c1 ", "REJECTED#2026-03-12 signature: missing"}, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestPromise5_AMalformedRecordDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(spilled(t, delivery(sample(t, "call.missed")))[0])
	if err != nil {
		t.Fatal(err)
	}
	good := `{"messageId":"good","body":` + string(body) + `}`
	for name, bad := range map[string]string{
		"a body of another type":   `{"messageId":"bad","body":{"a":1}}`,
		"a body that is null":      `{"messageId":"bad","body":null}`,
		"no body":                  `{"messageId":"bad"}`,
		"a body that is not UTF-8": `{"messageId":"bad","body":"` + "\xff" + `"}`,
		"half a character":         `{"messageId":"bad","body":"\ud800"}`,
		"a body given twice":       `{"messageId":"bad","body":"","body":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			got := drain(t, store, records(good, bad, strings.Replace(good, "good", "again", 1)), nil)
			if diff := cmp.Diff([]string{"bad"}, got); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			store.One(t)
		})
	}
}

// A message without an id cannot be reported as a failure of its own.
func TestAFailureWithoutAnIDFailsTheBatch(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(spilled(t, delivery(sample(t, "call.missed")))[0])
	if err != nil {
		t.Fatal(err)
	}
	good := `{"messageId":"good","body":` + string(body) + `}`
	for name, bad := range map[string]string{
		"no id":             `{"body":"nothing"}`,
		"an id that is not": `{"messageId":7,"body":"nothing"}`,
		"no record":         `"nothing"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			answer, err := spill.NewDrain(store, logscan.Logger(t)).Invoke(t.Context(), records(bad, good))
			if !errors.Is(err, spill.ErrEvent) {
				t.Errorf("got %s, %v, want %v", answer, err, spill.ErrEvent)
			}
			store.One(t) // it is not the good one's fault
		})
	}
}

func TestAnEventThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"nothing":                "",
		"no JSON":                "marked-4711",
		"no object":              `[]`,
		"no records":             `{"marked-4711":1}`,
		"records that are none":  `{"Records":"marked-4711"}`,
		"a request of a gateway": `{"version":"2.0","rawPath":"/justcall/t"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := spill.NewDrain(&tabletest.Memory{}, logscan.Logger(t)).Invoke(t.Context(), []byte(event))
			if !errors.Is(err, spill.ErrEvent) || strings.Contains(err.Error(), "4711") {
				t.Errorf("got %v, want %v without content", err, spill.ErrEvent)
			}
		})
	}
	if got := drain(t, &tabletest.Memory{}, records(), nil); len(got) > 0 {
		t.Errorf("failures of an empty batch: %v", got)
	}
}

func TestWhatTheTableStillDoesNotTakeComesBack(t *testing.T) {
	t.Parallel()
	messages := spilled(t, deliveries(t)...)
	down := tabletest.PutFunc(func(context.Context, table.Item) (bool, error) {
		return false, fmt.Errorf("put item: %w", table.ErrUnavailable)
	})
	if got := drain(t, down, spilltest.Event(t, messages...), nil); len(got) != len(messages) {
		t.Errorf("%d of %d messages come back", len(got), len(messages))
	}
}

func TestLogsOfADrain(t *testing.T) {
	t.Parallel()
	messages := append(spilled(t,
		delivery(sample(t, "call.missed")),
		delivery([]byte(`{"event":"a name that is the sender's","data":{"pages":3}}`)),
		delivery([]byte("not JSON")),
	), "no message")
	store := &tabletest.Memory{}
	var log bytes.Buffer
	for _, message := range messages { // one after the other: in order
		drain(t, store, spilltest.Event(t, message), &log)
	}
	drain(t, store, spilltest.Event(t, messages[0]), &log)

	hour := float64(time.Hour.Milliseconds())
	id := spilltest.MessageID(0)
	want := []map[string]any{
		{"level": "INFO", "msg": "delivery drained", "messageId": id, "type": "call.missed", "kind": "missed_call", "key": "CALL#call_1d4e5f6a", "duplicate": false, "waitedMs": hour},
		{"level": "INFO", "msg": "delivery drained", "messageId": id, "type": "unregistered", "kind": "unknown", "key": "EVENT#unregistered", "duplicate": false, "waitedMs": hour},
		{"level": "INFO", "msg": "delivery drained", "messageId": id, "key": "REJECTED#2026-03-12", "duplicate": false, "waitedMs": hour},
		{"level": "ERROR", "msg": "delivery not drained", "messageId": id, "error": "not a spilled delivery: not its JSON"},
		{"level": "INFO", "msg": "delivery drained", "messageId": id, "type": "call.missed", "kind": "missed_call", "key": "CALL#call_1d4e5f6a", "duplicate": true, "waitedMs": hour},
	}
	var got []map[string]any
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		got = append(got, entry)
	}
	timeless := cmpopts.IgnoreMapEntries(func(name string, _ any) bool { return name == "time" })
	if diff := cmp.Diff(want, got, timeless); diff != "" {
		t.Errorf("log lines (-want +got):\n%s", diff)
	}
}

func TestABatchIsKeptTenAtATimeAndInTime(t *testing.T) {
	t.Parallel()
	var messages []string
	for i := range 25 {
		body := fmt.Sprintf(`{"event":"call.missed","data":{"call_id":"c%d"}}`, i)
		messages = append(messages, encode(t, ingest.Received{ReceivedAt: arrival, Body: []byte(body)}))
	}
	event := spilltest.Event(t, messages...)
	synctest.Test(t, func(t *testing.T) {
		var (
			mu          sync.Mutex
			busy, limit int
		)
		slow := tabletest.PutFunc(func(ctx context.Context, _ table.Item) (bool, error) {
			mu.Lock()
			busy++
			limit = max(limit, busy)
			mu.Unlock()
			defer func() { mu.Lock(); busy--; mu.Unlock() }()
			select {
			case <-time.After(4 * time.Second):
				return true, nil
			case <-ctx.Done():
				return false, ctx.Err()
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		answer, err := spill.NewDrain(slow, logscan.Logger(t)).Invoke(ctx, event)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 9500*time.Millisecond {
			t.Errorf("answered after %v, want half a second before the end", took)
		}
		if got := failures(t, answer); len(got) != 5 || limit != 10 {
			t.Errorf("%d messages come back and %d were under way at once, want 5 and 10", len(got), limit)
		}
	})
}
