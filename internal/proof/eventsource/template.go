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

// ErrTemplate means that a template has no such function, or the function no such
// event source.
var ErrTemplate = errors.New("eventsource: not in the template")

// Settings are what template.yaml says of a function and its event source.
type Settings struct {
	Timeout   time.Duration
	BatchSize int
	Retries   int
	Bisect    bool
	Partial   bool
	Filter    Filter
	// Concurrency is the largest number of concurrent invocations: a stream's
	// ParallelizationFactor or a queue's MaximumConcurrency. Without one it is 1,
	// Lambda's default for each shard of a stream.
	Concurrency int
	Path        string // of an HTTP API's route
}

// Stream returns the mapping of a stream with these settings.
func (s Settings) Stream() Stream {
	return Stream{BatchSize: s.BatchSize, Retries: s.Retries, Bisect: s.Bisect, Partial: s.Partial, Filter: s.Filter}
}

// endless stands for MaximumRetryAttempts -1, the default.
const endless = 1 << 30

// function is a function's properties, or those of all functions.
type function struct {
	Timeout int `yaml:"Timeout"`
	Events  map[string]struct {
		Type       string `yaml:"Type"`
		Properties source `yaml:"Properties"`
	} `yaml:"Events"`
}

// source has the properties of all types of event sources.
type source struct {
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
		Filters []map[string]string `yaml:"Filters"`
	} `yaml:"FilterCriteria"`
}

// Read reads the settings of a function, by its logical ID, and of its event source
// of a type: DynamoDB, HttpApi or SQS. What the template does not set has Lambda's
// default. See
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-dynamodb.html.
func Read(path, logicalID, sourceType string) (Settings, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the template's path is the caller's to choose
	if err != nil {
		return Settings{}, fmt.Errorf("read template: %w", err)
	}
	var doc struct {
		Globals struct {
			Function function `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Properties function `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Settings{}, fmt.Errorf("parse template: %w", err)
	}
	f := doc.Resources[logicalID].Properties
	for _, event := range f.Events {
		if event.Type != sourceType {
			continue
		}
		p := event.Properties
		var patterns []string
		for _, filter := range p.Filter.Filters {
			patterns = append(patterns, filter["Pattern"])
		}
		retries := endless
		if p.Retries != nil && *p.Retries >= 0 {
			retries = *p.Retries
		}
		filter, err := NewFilter(patterns...)
		return Settings{
			Timeout:     time.Duration(cmp.Or(f.Timeout, doc.Globals.Function.Timeout, 3)) * time.Second,
			BatchSize:   cmp.Or(p.BatchSize, map[string]int{"DynamoDB": 100, "SQS": 10}[sourceType]),
			Retries:     retries,
			Bisect:      p.Bisect,
			Partial:     slices.Contains(p.ResponseTypes, "ReportBatchItemFailures"),
			Filter:      filter,
			Concurrency: cmp.Or(p.Parallel, p.Scaling.Concurrency, 1),
			Path:        p.Path,
		}, err
	}
	return Settings{}, fmt.Errorf("%w: %s with an event source of type %s", ErrTemplate, logicalID, sourceType)
}
