package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/lambda/stream"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
)

// insert returns the record of a new item.
func insert(sequence, pk string) string {
	return fmt.Sprintf(`{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{
		"Keys":{"PK":{"S":%q},"SK":{"S":"S"}},"NewImage":{"PK":{"S":%q},"SK":{"S":"S"},"duration":{"N":"1"}},
		"SequenceNumber":%q,"SizeBytes":26,"StreamViewType":"NEW_IMAGE"}}`, pk, pk, sequence)
}

func batch(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// partial returns the answer that reports a sequence number, or none.
func partial(sequence ...string) string {
	if len(sequence) == 0 {
		return `{"batchItemFailures":[]}`
	}
	return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, sequence[0])
}

func TestPromise5_OnlyWhatFailedComesAgain(t *testing.T) {
	t.Parallel()
	errBusy := errors.New("busy")
	for _, tc := range []struct {
		name   string
		event  []byte
		fail   map[string]error
		handed []string
		want   string
	}{
		{"all are handed on in order", batch(insert("1", "A"), insert("2", "B")), nil, []string{"A", "B"}, partial()},
		{"an empty batch", batch(), nil, nil, partial()},
		{
			"the first that failed is reported",
			batch(insert("1", "A"), insert("2", "B"), insert("3", "C"), insert("4", "D")),
			map[string]error{"B": errBusy, "D": errBusy},
			[]string{"A", "B", "C", "D"},
			partial("2"),
		},
		{
			"a damaged image in the middle keeps no other back",
			batch(insert("1", "A"), strings.Replace(insert("2", "B"), `{"S":"B"},"SK"`, `{"X":"B"},"SK"`, 2), insert("3", "C")),
			nil,
			[]string{"A", "C"},
			partial("2"),
		},
		{
			"a failure before a damaged image is the first",
			batch(insert("1", "A"), `{"eventName":"INSERT","dynamodb":{"SequenceNumber":"2"}}`, insert("3", "C")),
			map[string]error{"A": errBusy},
			[]string{"A", "C"},
			partial("1"),
		},
		{"a record that is no object", batch(insert("1", "A"), `7`), nil, []string{"A"}, partial("")},
		{"a record without a sequence number", batch(insert("1", "A"), insert("", "B")), nil, []string{"A"}, partial("")},
		{
			"what is imported is history",
			batch(insert("1", "A"), strings.Replace(insert("2", "B"), `"duration":{"N":"1"}`, `"found_by":{"S":"import"}`, 1), strings.Replace(insert("3", "C"), `"duration":{"N":"1"}`, `"found_by":{"S":"reconcile"}`, 1)),
			nil,
			[]string{"A", "C"},
			partial(),
		},
		{
			"changes and removals are passed over",
			batch(strings.Replace(insert("1", "A"), "INSERT", "MODIFY", 1), strings.Replace(insert("2", "B"), "INSERT", "REMOVE", 1), insert("3", "C")),
			nil,
			[]string{"C"},
			partial(),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var handed []string
			h := stream.New(func(_ context.Context, items []table.Item) []error {
				errs := make([]error, len(items))
				for i, item := range items {
					handed = append(handed, table.Text(item, table.PK))
					errs[i] = tc.fail[table.Text(item, table.PK)]
				}
				return errs
			}, logscan.Logger(t))
			got, err := h.Invoke(t.Context(), tc.event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.handed, handed); diff != "" {
				t.Errorf("handed on (-want +got):\n%s", diff)
			}
		})
	}
}

// Nobody can say which records were processed, so all of them come again.
func TestTheWrongNumberOfResultsFailsTheBatch(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3} {
		h := stream.New(func(context.Context, []table.Item) []error { return make([]error, n) }, logscan.Logger(t))
		got, err := h.Invoke(t.Context(), batch(insert("1", "A"), insert("2", "B")))
		if err != nil || string(got) != partial("1") {
			t.Errorf("%d results: %s, %v, want %s", n, got, err, partial("1"))
		}
	}
}

// Lambda has one result per record, so a failure of one consumer repeats records
// for all of them. None of them misses one.
func TestAFailureRepeatsRecordsForEveryConsumer(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	var mu sync.Mutex
	record := func(name, failing string, times int) consumer.Consumer {
		return consumer.Consumer{Name: name, Process: func(_ context.Context, items []table.Item) []error {
			errs := make([]error, len(items))
			mu.Lock()
			defer mu.Unlock()
			for i, item := range items {
				pk := table.Text(item, table.PK)
				got[name] = append(got[name], pk)
				if pk == failing && times > 0 {
					times--
					errs[i] = errors.New("busy")
				}
			}
			return errs
		}}
	}
	h := stream.New(consumer.All(record("alerts", "", 0), record("followups", "C", 1)), logscan.Logger(t))
	var records []eventsource.Record
	for i, pk := range []string{"A", "B", "C", "D"} {
		sequence := fmt.Sprint(i)
		records = append(records, eventsource.Record{Sequence: sequence, Text: []byte(insert(sequence, pk))})
	}
	mapping := eventsource.Stream{BatchSize: 10, Retries: 5, Bisect: true, Partial: true}
	lost, err := mapping.Deliver(t.Context(), eventsource.InvokerFunc(h.Invoke), records)
	if err != nil || len(lost) > 0 {
		t.Fatalf("%d batches given up, %v", len(lost), err)
	}
	want := []string{"A", "B", "C", "D", "C", "D"}
	if diff := cmp.Diff(map[string][]string{"alerts": want, "followups": want}, got); diff != "" {
		t.Errorf("processed (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoStreamEventIsAnError(t *testing.T) {
	t.Parallel()
	h := stream.New(func(context.Context, []table.Item) []error {
		t.Error("delivered")
		return nil
	}, logscan.Logger(t))
	for _, event := range []string{``, `{`, `[]`, `{}`, `{"Records":{}}`, `{"version":"2.0"}`} {
		if answer, err := h.Invoke(t.Context(), []byte(event)); !errors.Is(err, stream.ErrEvent) {
			t.Errorf("%s: %s, %v, want %v", event, answer, err, stream.ErrEvent)
		}
	}
}

func TestTheAnswerIsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.New(func(ctx context.Context, _ []table.Item) []error {
			<-ctx.Done()
			return []error{ctx.Err()}
		}, logscan.Logger(t))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err := h.Invoke(ctx, batch(insert("1", "A")))
		if err != nil || string(got) != partial("1") {
			t.Errorf("%s, %v", got, err)
		}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) != time.Second {
			t.Errorf("%v left to answer, want a second", time.Until(deadline))
		}
	})
}

// The log names the record and has nothing of its content.
func TestPromise8_TheLogOfADamagedRecord(t *testing.T) {
	t.Parallel()
	lines := logscan.Writer(t)
	h := stream.New(func(context.Context, []table.Item) []error { return nil }, lines.Logger())
	damaged := `{"eventName":"INSERT","dynamodb":{"SequenceNumber":"17","NewImage":{"from":{"+14155558765":"+14155558765"}}}}`
	if _, err := h.Invoke(t.Context(), batch(damaged)); err != nil {
		t.Fatal(err)
	}
	if got := lines.String(); !strings.Contains(got, "record unreadable") || !strings.Contains(got, `"sequence":"17"`) {
		t.Errorf("log: %s", got)
	}
}

func FuzzInvoke(f *testing.F) {
	f.Add(batch(insert("1", "A"), insert("2", "B")))
	f.Add(batch(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"2"}}`, `7`))
	f.Fuzz(func(t *testing.T, event []byte) {
		h := stream.New(func(_ context.Context, items []table.Item) []error { return make([]error, len(items)) }, logscan.Logger(t))
		answer, err := h.Invoke(t.Context(), event)
		switch {
		case err != nil && !errors.Is(err, stream.ErrEvent):
			t.Errorf("error %v", err)
		case err == nil && !json.Valid(answer):
			t.Errorf("answer %s", answer)
		}
	})
}
