package spill_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/spilltest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const samplesFolder = "../../../events-samples/drain"

// sampleDelivery is one that came two seconds after its event.
func sampleDelivery(t *testing.T, body []byte) ingest.Received {
	t.Helper()
	var sent struct {
		Timestamp time.Time `json:"timestamp"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	return ingest.Received{
		ReceivedAt: sent.Timestamp.Add(2 * time.Second),
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       body,
	}
}

// longVoicemail is the documented one with a transcription of a quarter of a
// megabyte.
func longVoicemail(t *testing.T) ingest.Received {
	t.Helper()
	r := sampleDelivery(t, sample(t, "voicemail.received"))
	const member = `"transcription": "`
	long := strings.Repeat("Please call me back about the order. ", 7000)
	body := strings.Replace(string(r.Body), member, member+long, 1)
	if len(body) == len(r.Body) {
		t.Fatal("the sample has no transcription")
	}
	r.Body = []byte(body)
	return r
}

// message is a delivery as the sample of that number in a file has it, if that
// still says the same: two versions of Go need not compress alike.
func message(t *testing.T, file string, number int, r ingest.Received) string {
	t.Helper()
	var event struct {
		Records []struct {
			Body string `json:"body"`
		} `json:"Records"`
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &event)
	}
	made := encode(t, r)
	if err == nil && number < len(event.Records) {
		written := event.Records[number].Body
		same, err := spill.Decode(written)
		if err == nil && cmp.Equal(r, same) && strings.Contains(made, `"body_gzip"`) {
			return written
		}
	}
	return made
}

func TestSamples(t *testing.T) {
	t.Parallel()
	missedCall := sampleDelivery(t, sample(t, "call.missed"))
	expected := map[string]bool{}
	for _, test := range []struct {
		name     string
		messages func(file string) []string
		shows    []string // parts of the file
		failures []string
		keys     []string
	}{
		{
			"call.missed",
			func(file string) []string { return []string{message(t, file, 0, missedCall)} },
			[]string{`{\"version\":1,`, `\"body\":`},
			[]string{},
			[]string{"CALL#call_1d4e5f6a"},
		},
		{
			"batch",
			func(file string) []string {
				return []string{
					message(t, file, 0, sampleDelivery(t, sample(t, "sms.received"))),
					message(t, file, 1, longVoicemail(t)),
					"This is no delivery: it ends in the dead-letter queue.",
				}
			},
			[]string{`\"body\":`, `\"body_gzip\":`},
			[]string{spilltest.MessageID(2)},
			[]string{"MESSAGE#msg_a1b2c3d4", "CALL#call_1d4e5f6a"},
		},
	} {
		file := filepath.Join(samplesFolder, test.name+".json")
		expected[file] = true
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			event := spilltest.Event(t, test.messages(file)...)
			golden.Check(t, file, event)
			for _, want := range test.shows {
				if !bytes.Contains(event, []byte(want)) {
					t.Errorf("the sample shows no %s", want)
				}
			}
			if limit := 16 << 10; len(event) > limit {
				t.Errorf("the sample has %d bytes, more than a person reads", len(event))
			}

			store := &tabletest.Memory{}
			if diff := cmp.Diff(test.failures, drain(t, store, event, nil)); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			got := map[string]bool{}
			for _, item := range store.Items() {
				got[table.Text(item, table.PK)] = true
			}
			want := map[string]bool{}
			for _, key := range test.keys {
				want[key] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("items kept (-want +got):\n%s", diff)
			}
		})
	}
	golden.NoOthers(t, filepath.Join(samplesFolder, "*.json"), expected)
}
