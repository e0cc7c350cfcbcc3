package eventsource

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
)

// ErrTemplate says that a template has no such function, or none with such an
// event source.
var ErrTemplate = errors.New("eventsource: not in the template")

// Settings are what template.yaml says of a function and of its event source.
type Settings struct {
	Timeout   time.Duration
	BatchSize int
	Retries   int
	Bisect    bool
	Partial   bool
	Filter    Filter
	// Lanes is the ParallelizationFactor of a stream, and MaximumConcurrency of a
	// queue: how many invocations there are at once at the most. Where the template
	// says nothing it is 1, as Lambda has it for each shard of a stream; a queue
	// has no such limit there.
	Lanes int
	// Path is that of an HTTP API's route.
	Path string
}

// Stream returns the mapping of a stream with these settings.
func (s Settings) Stream() Stream {
	return Stream{BatchSize: s.BatchSize, Retries: s.Retries, Bisect: s.Bisect, Partial: s.Partial, Filter: s.Filter}
}

// What Lambda takes where the template says nothing.
const (
	defaultTimeout     = 3 // seconds
	defaultStreamBatch = 100
	defaultQueueBatch  = 10
	endlessRetries     = 1 << 30
)

// Read reads the settings of a function, by its logical ID, and of its event
// source of a type, DynamoDB, HttpApi or SQS. See
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-dynamodb.html.
func Read(path, function, sourceType string) (Settings, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the template's path is the caller's to choose
	if err != nil {
		return Settings{}, fmt.Errorf("read template: %w", err)
	}
	var doc struct {
		Globals struct {
			Function struct {
				Timeout int `yaml:"Timeout"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Properties struct {
				Timeout int               `yaml:"Timeout"`
				Events  map[string]source `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Settings{}, fmt.Errorf("parse template: %w", err)
	}
	f := doc.Resources[function].Properties
	for _, source := range f.Events {
		if source.Type == sourceType {
			s, err := source.settings()
			s.Timeout = time.Duration(cmp.Or(f.Timeout, doc.Globals.Function.Timeout, defaultTimeout)) * time.Second
			return s, err
		}
	}
	return Settings{}, fmt.Errorf("%w: %s with an event source of type %s", ErrTemplate, function, sourceType)
}

// source is an entry of a function's Events; those of other types may hold
// anything.
type source struct {
	Type       string `yaml:"Type"`
	Properties struct {
		BatchSize     int      `yaml:"BatchSize"`
		Retries       *int     `yaml:"MaximumRetryAttempts"`
		Bisect        bool     `yaml:"BisectBatchOnFunctionError"`
		ResponseTypes []string `yaml:"FunctionResponseTypes"`
		Parallel      int      `yaml:"ParallelizationFactor"`
		Path          string   `yaml:"Path"`
		Scaling       struct {
			Concurrency int `yaml:"MaximumConcurrency"`
		} `yaml:"ScalingConfig"`
		Filter struct {
			Filters []struct {
				Pattern string `yaml:"Pattern"`
			} `yaml:"Filters"`
		} `yaml:"FilterCriteria"`
	} `yaml:"Properties"`
}

func (s source) settings() (Settings, error) {
	p := s.Properties
	var patterns []string
	for _, f := range p.Filter.Filters {
		patterns = append(patterns, f.Pattern)
	}
	filter, err := NewFilter(patterns...)
	if err != nil {
		return Settings{}, err
	}
	batch, retries := defaultQueueBatch, endlessRetries
	if s.Type == "DynamoDB" {
		batch = defaultStreamBatch
	}
	if p.Retries != nil && *p.Retries >= 0 {
		retries = *p.Retries
	}
	return Settings{
		BatchSize: cmp.Or(p.BatchSize, batch),
		Retries:   retries,
		Bisect:    p.Bisect,
		Partial:   slices.Contains(p.ResponseTypes, "ReportBatchItemFailures"),
		Filter:    filter,
		Lanes:     cmp.Or(p.Parallel, p.Scaling.Concurrency, 1),
		Path:      p.Path,
	}, nil
}
