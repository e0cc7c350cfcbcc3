package scale

import (
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/ringback/ringback/internal/table/schema"
)

// Settings are what template.yaml says that bears on how much the stack takes.
type Settings struct {
	Shape schema.Table
	// ThrottleRate is the default, in requests per second.
	ThrottleRate float64
	// Memory is that of a function, in GB.
	Memory float64
	// Parallel is how many batches of a shard are worked on at a time, Batch
	// how many records one has at the most.
	Parallel, Batch float64
	// Drains is how many batches of spilled deliveries are drained at a time,
	// DrainBatch how many deliveries one has at the most.
	Drains, DrainBatch float64
}

// ReadSettings reads the template at path. The error wraps [ErrTraffic] where
// something is not there.
func ReadSettings(path string) (Settings, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the template's path is the caller's to choose
	if err != nil {
		return Settings{}, fmt.Errorf("read template: %w", err)
	}
	var template map[string]any
	if err := yaml.Unmarshal(text, &template); err != nil {
		return Settings{}, fmt.Errorf("parse template: %w", err)
	}
	const (
		megabytes = 1024
		stream    = "Resources.AlertsFunction.Properties.Events.Stream.Properties."
		spill     = "Resources.DrainFunction.Properties.Events.Spill.Properties."
	)
	s := Settings{
		Shape:        schema.Events(),
		ThrottleRate: setting(template, "Parameters.ThrottleRate.Default"),
		Memory:       setting(template, "Globals.Function.MemorySize") / megabytes,
		Parallel:     setting(template, stream+"ParallelizationFactor"),
		Batch:        setting(template, stream+"BatchSize"),
		Drains:       setting(template, spill+"ScalingConfig.MaximumConcurrency"),
		DrainBatch:   setting(template, spill+"BatchSize"),
	}
	if min(s.ThrottleRate, s.Memory, s.Parallel, s.Batch, s.Drains, s.DrainBatch) <= 0 {
		return Settings{}, fmt.Errorf("%w: %s lacks a setting: %+v", ErrTraffic, path, s)
	}
	return s, nil
}

// setting returns the number at a path of the template, and 0 if there is none.
func setting(template map[string]any, path string) float64 {
	var at any = template
	for name := range strings.SplitSeq(path, ".") {
		within, _ := at.(map[string]any)
		at = within[name]
	}
	value, _ := at.(uint64)
	return float64(value)
}
