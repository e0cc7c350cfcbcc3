package template_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

type mapping struct {
	Events map[string]struct {
		Type       text `yaml:"Type"`
		Properties struct {
			StartingPosition text  `yaml:"StartingPosition"`
			BatchSize        int   `yaml:"BatchSize"`
			ResponseTypes    texts `yaml:"FunctionResponseTypes"`
			Bisect           bool  `yaml:"BisectBatchOnFunctionError"`
			MaximumAge       int   `yaml:"MaximumRecordAgeInSeconds"`
			MaximumRetries   int   `yaml:"MaximumRetryAttempts"`
			Parallel         int   `yaml:"ParallelizationFactor"`
			Destination      struct {
				OnFailure struct {
					Destination text `yaml:"Destination"`
				} `yaml:"OnFailure"`
			} `yaml:"DestinationConfig"`
			Filter struct {
				Filters []struct {
					Pattern text `yaml:"Pattern"`
				} `yaml:"Filters"`
			} `yaml:"FilterCriteria"`
		} `yaml:"Properties"`
	} `yaml:"Events"`
	Timeout int `yaml:"Timeout"`
}

func TestPromise5_TheStreamIsTheOutbox(t *testing.T) {
	t.Parallel()
	var function mapping
	read(t).Resources["AlertsFunction"].properties(t, &function)
	stream := function.Events["Stream"].Properties
	const hour = 60 * 60
	for rule, holds := range map[string]bool{
		"begins with what is there already":           stream.StartingPosition == "TRIM_HORIZON",
		"brings again what was not done, and no more": slices.Contains(stream.ResponseTypes, "ReportBatchItemFailures"),
		"leaves a bad record alone in the end":        stream.Bisect,
		"rides out an outage":                         stream.MaximumAge >= hour,
		"frees the lane of a bad record":              stream.MaximumAge <= 2*hour,
		"bounds the retries":                          stream.MaximumRetries > 100 && stream.MaximumRetries < 10_000,
		"holds up one lane, not all":                  stream.Parallel > 1,
		"keeps what fails whole":                      stream.Destination.OnFailure.Destination == "!GetAtt FailureBucket.Arn",
		"has time for a batch and to answer":          function.Timeout >= 30, // the dispatcher wants 20 s for one
	} {
		if !holds {
			t.Errorf("not so: %s", rule)
		}
	}
}

func TestStreamFilterPassesNewEventsAndNothingElse(t *testing.T) {
	t.Parallel()
	var function mapping
	read(t).Resources["AlertsFunction"].properties(t, &function)
	filters := function.Events["Stream"].Properties.Filter.Filters
	if len(filters) != 1 {
		t.Fatalf("got %d filters, want 1", len(filters))
	}
	var pattern any
	if err := json.Unmarshal([]byte(filters[0].Pattern), &pattern); err != nil {
		t.Fatal(err)
	}

	record := func(name, pk, sk string) string {
		return fmt.Sprintf(`{"eventName":%q,"dynamodb":{"Keys":{"PK":{"S":%q},"SK":{"S":%q}},"NewImage":{"PK":{"S":%q},"SK":{"S":%q}}}}`, name, pk, sk, pk, sk)
	}
	event := table.Key{PK: "CALL#1", SK: "EVENT#2026-03-12T14:32:00.000Z#call.missed#0123456789abcdef"}
	ring := table.Ring{Caller: "+14155550144", Line: "+14155550101", Start: noon}
	for name, key := range map[string]table.Key{
		"an event of a call":            event,
		"an event of no known call":     {PK: "EVENT#call.missed", SK: event.SK},
		"a text":                        {PK: "MESSAGE#1", SK: event.SK},
		"a contact":                     {PK: "CONTACT#1", SK: event.SK},
		"a mark":                        table.AlertKey(event, events.KindMissedCall),
		"a mark of what was taken back": table.ReturnedKey(event, events.KindMissedCall),
		"a mark of no known call":       table.AlertKey(table.Key{PK: "EVENT#call.missed", SK: event.SK}, events.KindMissedCall),
		"a seat in a ring":              table.Seat{Ring: ring, What: "missed_call", N: 1}.Key(),
		"a spelling":                    table.SpellingKey("+14155550144", "+4155550144"),
		"a rejected delivery":           table.RejectedKey(noon, nil),
	} {
		if got, want := passes(t, pattern, record("INSERT", key.PK, key.SK)), table.IsEvent(key); got != want {
			t.Errorf("%s passes: %t, want %t", name, got, want)
		}
		for _, change := range []string{"MODIFY", "REMOVE"} {
			if passes(t, pattern, record(change, key.PK, key.SK)) {
				t.Errorf("%s passes with %s", name, change)
			}
		}
	}
}

func passes(t *testing.T, pattern any, record string) bool {
	t.Helper()
	var parsed any
	if err := json.Unmarshal([]byte(record), &parsed); err != nil {
		t.Fatal(err)
	}
	return matches(pattern, parsed)
}

// matches applies an event filter of exact values and prefixes. See
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.
func matches(pattern, value any) bool {
	switch p := pattern.(type) {
	case map[string]any:
		members, ok := value.(map[string]any)
		if !ok {
			return false
		}
		for name, inner := range p {
			if !matches(inner, members[name]) {
				return false
			}
		}
		return true
	case []any:
		return slices.ContainsFunc(p, func(rule any) bool {
			operator, ok := rule.(map[string]any)
			if !ok {
				return rule == value
			}
			prefix, isPrefix := operator["prefix"].(string)
			text, isText := value.(string)
			return isPrefix && isText && strings.HasPrefix(text, prefix)
		})
	}
	return false
}

type queue struct {
	Size       int `yaml:"MaximumMessageSize"`
	Visibility int `yaml:"VisibilityTimeout"`
	Retention  int `yaml:"MessageRetentionPeriod"`
	Redrive    struct {
		Target   text `yaml:"deadLetterTargetArn"`
		Receives int  `yaml:"maxReceiveCount"`
	} `yaml:"RedrivePolicy"`
}

// A delivery that was answered 200 may be nowhere else. Two weeks are the longest
// that SQS keeps anything.
func TestPromise1_TheQueuesKeepWhatTheyTookForTwoWeeks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SpillQueue", "SpillDeadLetterQueue"} {
		var q queue
		read(t).Resources[name].properties(t, &q)
		if want := int((14 * 24 * time.Hour).Seconds()); q.Retention != want {
			t.Errorf("%s keeps messages for %d s, want %d", name, q.Retention, want)
		}
	}
}

func TestPromise5_TheQueueOutlastsTheFunctionAndTheOutage(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	var function mapping
	parsed.Resources["DrainFunction"].properties(t, &function)
	if drain := function.Events["Spill"].Properties; !slices.Contains(drain.ResponseTypes, "ReportBatchItemFailures") {
		t.Error("one failed message brings back its whole batch")
	}
	var spill, dead queue
	parsed.Resources["SpillQueue"].properties(t, &spill)
	parsed.Resources["SpillDeadLetterQueue"].properties(t, &dead)
	if spill.Visibility < 6*function.Timeout {
		t.Errorf("messages are hidden for %d s, want six times the function's %d s", spill.Visibility, function.Timeout)
	}
	if hours := spill.Visibility * spill.Redrive.Receives / 3600; hours < 6 {
		t.Errorf("gives up after %d h", hours)
	}
	if want := text("!GetAtt SpillDeadLetterQueue.Arn"); spill.Redrive.Target != want {
		t.Errorf("what cannot be drained goes to %q, want %q", spill.Redrive.Target, want)
	}
	if dead.Retention < spill.Retention || dead.Size < spill.Size {
		t.Error("dead letters are kept shorter, or may be smaller, than what is spilled")
	}
}
