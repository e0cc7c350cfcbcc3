package eventsource_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lambda/stream"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
)

// The files in events-samples/alerts/ are events of the alerts function, made from
// the samples, for "sam local invoke".
func TestSamples(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "..", "events-samples", "alerts")
	expected := map[string]bool{}
	for name, samples := range map[string][]string{
		"call.missed":        {"call.missed"},
		"voicemail.received": {"voicemail.received"},
		"batch":              {"call.missed", "voicemail.received"},
	} {
		file := filepath.Join(folder, name+".json")
		expected[file] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			var records []json.RawMessage
			var shard eventsource.Shard
			for _, sample := range samples {
				item := storedItem(t, sample)
				want = append(want, table.Text(item, table.SK))
				made, err := shard.Insert(item)
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, made[0].Text)
			}
			var text strings.Builder
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(map[string]any{"Records": records}); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, file, []byte(text.String()))

			var got []string
			h := stream.New(func(_ context.Context, items []table.Item) []error {
				for _, item := range items {
					got = append(got, table.Text(item, table.SK))
				}
				return make([]error, len(items))
			}, logscan.Logger(t))
			answer, err := h.Invoke(t.Context(), []byte(text.String()))
			if err != nil || string(answer) != `{"batchItemFailures":[]}` {
				t.Errorf("answer %s, %v", answer, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("items handed on (-want +got):\n%s", diff)
			}
		})
	}
	golden.NoOthers(t, filepath.Join(folder, "*.json"), expected)
}

// storedItem returns the item of a sample that arrived two seconds after its event.
func storedItem(t *testing.T, sample string) table.Item {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "events-samples", sample+".json"))
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := events.Open(body)
	if err != nil {
		t.Fatal(err)
	}
	d := envelope.Decode()
	at := d.OccurredAt(time.Time{}, time.Time{})
	arrived := at.Add(2 * time.Second)
	return table.EventItem(d, arrived, arrived)
}
