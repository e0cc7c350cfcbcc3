package template_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
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

func TestStreamFilterPassesAlertsAndNothingElse(t *testing.T) {
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

	event := func(attribute string) string {
		return `{"eventName":"INSERT","dynamodb":{"NewImage":{"PK":{"S":"CALL#1"},"SK":{"S":"EVENT#1"}` + attribute + `}}}`
	}
	alerts := map[string]bool{}
	for _, kind := range []events.Kind{
		events.KindCall, events.KindContact, events.KindMessage, events.KindMissedCall, events.KindUnknown, events.KindVoicemail,
	} {
		alerts[event(`,"kind":{"S":"`+string(kind)+`"},"alert":{"S":"`+string(kind)+`"}`)] = kind.Alerts()
	}
	for record, want := range alerts {
		if got := passes(t, pattern, record); got != want {
			t.Errorf("passes %t, want %t: %s", got, want, record)
		}
	}
	for name, record := range map[string]string{
		"a call":          event(`,"kind":{"S":"call"}`),
		"a mark":          event(`,"alerted_at":{"S":"2026-03-12T14:32:00.000Z"},"event_key":{"S":"EVENT#1"}`),
		"a changed event": `{"eventName":"MODIFY","dynamodb":{"NewImage":{"alert":{"S":"missed_call"}}}}`,
		"an expired item": `{"eventName":"REMOVE","dynamodb":{"Keys":{"PK":{"S":"REJECTED#1"}}}}`,
	} {
		if passes(t, pattern, record) {
			t.Errorf("passes %s", name)
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

// matches applies an event filter of exact values. See
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
		return slices.Contains(p, value)
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
