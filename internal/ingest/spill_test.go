package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// spillFunc is a spill of one function.
type spillFunc func(ctx context.Context, r ingest.Received) error

func (f spillFunc) Send(ctx context.Context, r ingest.Received) error { return f(ctx, r) }

// spilling returns a handler and the slice that it spills to.
func spilling(t testing.TB, store ingest.Putter, signingSecret string, log *bytes.Buffer) (*ingest.Handler, *[]ingest.Received) {
	t.Helper()
	h := newHandler(t, store, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), log)
	spilled := new([]ingest.Received)
	h.Spill = spillFunc(func(_ context.Context, r ingest.Received) error {
		*spilled = append(*spilled, r)
		return nil
	})
	return h, spilled
}

func TestPromise1_WhatTheTableDoesNotTakeIsSpilled(t *testing.T) {
	t.Parallel()
	const formatB = `{"type":"call.missed","data":{"call_sid":"CA01"}}`
	for _, test := range []struct {
		name    string
		body    string
		fault   error
		status  int
		answer  string
		spilled bool
	}{
		{"an outage", sample(t, "call.missed"), table.ErrUnavailable, 200, `{"status":"spilled","key":"CALL#call_1d4e5f6a"}`, true},
		{"the table's time is over", sample(t, "call.missed"), context.DeadlineExceeded, 200, `{"status":"spilled","key":"CALL#call_1d4e5f6a"}`, true},
		{"a key of ours", sample(t, "sms.sent"), table.ErrKey, 200, `{"status":"spilled","key":"MESSAGE#msg_e5f6g7h8"}`, true},
		{"a value of ours", sample(t, "sms.sent"), table.ErrValue, 200, `{"status":"spilled","key":"MESSAGE#msg_e5f6g7h8"}`, true},
		{"no access", sample(t, "sms.sent"), errors.New("AccessDeniedException"), 200, `{"status":"spilled","key":"MESSAGE#msg_e5f6g7h8"}`, true},
		{"an item that is never stored", sample(t, "sms.sent"), table.ErrTooLarge, 413, `{"error":"delivery too large to store"}`, false},
		{"not JSON", "nothing", table.ErrUnavailable, 400, `{"error":"payload: not valid JSON at byte 1"}`, true},
		{"no signature", formatB, table.ErrUnavailable, 401, `{"error":"unauthorized"}`, true},
		{"nothing that is understood", `{"hello":"world"}`, table.ErrUnavailable, 200, `{"status":"probe"}`, true},
		{"a rejection that is never stored", "nothing", table.ErrTooLarge, 413, `{"error":"delivery too large to store"}`, false},
		{"a probe is nothing to keep", "{}", table.ErrUnavailable, 200, `{"status":"probe"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h, spilled := spilling(t, failing(fmt.Errorf("put item: %w", test.fault)), signingSecret, &log)

			got := h.Handle(t.Context(), post(test.body))

			if got.Status != test.status || string(got.Body) != test.answer {
				t.Errorf("got %d %s, want %d %s", got.Status, got.Body, test.status, test.answer)
			}
			if !test.spilled {
				if len(*spilled) > 0 {
					t.Errorf("spilled %v, want nothing", *spilled)
				}
				return
			}
			if len(*spilled) != 1 {
				t.Fatalf("spilled %v, want the delivery", *spilled)
			}
			reason := ""
			if test.status != http.StatusOK || strings.Contains(test.answer, "probe") {
				reason = (*spilled)[0].Reason
				if reason == "" {
					t.Error("a rejection is spilled without its reason")
				}
			}
			want := []ingest.Received{{
				ReceivedAt: now,
				Headers:    map[string]string{"content-type": "application/json"},
				Body:       []byte(test.body),
				Reason:     reason,
			}}
			if diff := cmp.Diff(want, *spilled); diff != "" {
				t.Errorf("spilled (-want +got):\n%s", diff)
			}
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatalf("log %q: %v", log.Bytes(), err)
			}
			wantLine := map[string]any{"level": "WARN", "msg": "delivery spilled", "status": float64(test.status)}
			if reason != "" {
				wantLine["reason"], wantLine["kept"] = reason, true
			}
			ignored := cmpopts.IgnoreMapEntries(func(name string, _ any) bool { _, ok := wantLine[name]; return !ok })
			if diff := cmp.Diff(wantLine, line, ignored); diff != "" {
				t.Errorf("log line (-want +got):\n%s", diff)
			}
			if said, _ := line["error"].(string); !strings.Contains(said, test.fault.Error()) {
				t.Errorf("log says %q, not why the table did not take it", said)
			}
		})
	}
}

func TestPromise1_WhatTheSpillDoesNotTakeEitherIsToBeSentAgain(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{table.ErrUnavailable, table.ErrKey, context.DeadlineExceeded, errors.New("AccessDeniedException")} {
		for _, body := range []string{sample(t, "call.missed"), "nothing", `{"hello":"world"}`} {
			h, _ := spilling(t, failing(fault), "", nil)
			// Whatever it says: no error of the spill is a refusal.
			h.Spill = spillFunc(func(context.Context, ingest.Received) error {
				return fmt.Errorf("send message: %w", errors.Join(events.ErrPayload, table.ErrTooLarge))
			})
			if got := h.Handle(t.Context(), post(body)); got.Status != http.StatusServiceUnavailable || string(got.Body) != sendAgain {
				t.Errorf("%v, %.20s: got %d %s, want 503 %s", fault, body, got.Status, got.Body, sendAgain)
			}
		}
	}
}

// The item stored later is the one that would have been stored at once.
func TestASpilledDeliveryMakesTheSameItem(t *testing.T) {
	t.Parallel()
	requests := map[string]ingest.Request{}
	for name, body := range samples(t) {
		requests[name] = post(body)
	}
	for _, bad := range badInputs() {
		requests["bad: "+bad.name] = post(bad.body)
	}
	formatB := post(`{"type":"call.missed","data":{"call_sid":"CA01"}}`)
	requests["signed, without a time but the header's"] = signed(formatB, signingSecret, base+"/justcall/"+token, "call.missed", now.Add(-time.Minute))
	requests["signed by somebody else"] = signed(formatB, "other", base+"/justcall/"+token, "call.missed", now)
	odd := post("nothing")
	odd.Headers = map[string]string{"content-type": "text/\xff", "cookie": "not kept"}
	requests["a header that is not UTF-8"] = odd

	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct, later := &tabletest.Memory{}, &tabletest.Memory{}
			h, _ := spilling(t, direct, signingSecret, nil)
			wantAnswer := h.Handle(t.Context(), request)

			h, spilled := spilling(t, failing(table.ErrUnavailable), signingSecret, nil)
			answer := h.Handle(t.Context(), request)
			for range 2 { // twice is once
				for _, r := range *spilled {
					d, err := r.Decode()
					if err != nil {
						t.Fatal(err)
					}
					if _, err := ingest.Store(t.Context(), later, r, d); err != nil {
						t.Fatal(err)
					}
				}
			}

			if answer.Status != wantAnswer.Status {
				t.Errorf("answered %d, want %d", answer.Status, wantAnswer.Status)
			}
			if diff := cmp.Diff(encoded(t, direct), encoded(t, later)); diff != "" {
				t.Errorf("items stored at once (-) and later (+):\n%s", diff)
			}
		})
	}
}

// encoded returns the items of a table as text, which shows every byte.
func encoded(t *testing.T, store *tabletest.Memory) []string {
	t.Helper()
	texts := []string{}
	for _, item := range store.Items() {
		text, err := itemjson.Encode(item)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

func TestDecodeRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	d, err := ingest.Received{ReceivedAt: now, Body: []byte("nothing")}.Decode()
	if !errors.Is(err, events.ErrPayload) || d != nil {
		t.Errorf("got %v and %v, want nothing and an error of the payload", d, err)
	}
}

func TestPromise1_ATableThatHangsLeavesTimeToSpill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		time     time.Duration // that the invocation has
		spillsAt time.Duration
	}{
		{"a whole invocation", 9500 * time.Millisecond, time.Second},
		{"what a slow secret left of one", 1500 * time.Millisecond, 750 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h, _ := spilling(t, &slow{hangs: true}, "", nil)
				start := time.Now()
				h.Spill = spillFunc(func(ctx context.Context, _ ingest.Received) error {
					if at := time.Since(start); at != test.spillsAt || ctx.Err() != nil {
						t.Errorf("spills after %v (%v), want %v", at, ctx.Err(), test.spillsAt)
					}
					return nil
				})
				ctx, cancel := context.WithTimeout(t.Context(), test.time)
				defer cancel()
				if got := h.Handle(ctx, post(sample(t, "call.missed"))); got.Status != http.StatusOK {
					t.Errorf("got %d %s, want 200", got.Status, got.Body)
				}
			})
		})
	}
}
