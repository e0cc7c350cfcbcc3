package scale

import (
	"fmt"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/ringback/ringback/internal/table/schema"
)

// Settings are what template.yaml says that bears on how much the stack takes.
type Settings struct {
	Shape schema.Table
	// ThrottleRate is the default, in requests per second, and MaxThrottleRate
	// what the parameter takes at the most.
	ThrottleRate, MaxThrottleRate float64
	// Memory is that of a function, in GB.
	Memory float64
	// Lanes is how many batches of a shard are worked on side by side, Batch
	// how many records one has at the most.
	Lanes, Batch float64
	// Drains is how many batches of spilled deliveries are drained side by
	// side, DrainBatch how many deliveries one has at the most.
	Drains, DrainBatch float64
}

// ReadSettings reads the template at path. The error wraps [ErrTraffic] where
// something is not there.
func ReadSettings(path string) (Settings, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the template's path is the caller's to choose
	if err != nil {
		return Settings{}, fmt.Errorf("read template: %w", err)
	}
	shape, err := schema.Parse(text)
	if err != nil {
		return Settings{}, fmt.Errorf("%s: %w", path, err)
	}
	type source struct {
		Properties struct {
			BatchSize     float64 `yaml:"BatchSize"`
			Lanes         float64 `yaml:"ParallelizationFactor"`
			ScalingConfig struct {
				MaximumConcurrency float64 `yaml:"MaximumConcurrency"`
			} `yaml:"ScalingConfig"`
		} `yaml:"Properties"`
	}
	var doc struct {
		Parameters struct {
			ThrottleRate struct {
				Default  float64 `yaml:"Default"`
				MaxValue float64 `yaml:"MaxValue"`
			} `yaml:"ThrottleRate"`
		} `yaml:"Parameters"`
		Globals struct {
			Function struct {
				MemorySize float64 `yaml:"MemorySize"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
		Resources struct {
			Alerts struct {
				Properties struct {
					Events struct {
						Stream source `yaml:"Stream"`
					} `yaml:"Events"`
				} `yaml:"Properties"`
			} `yaml:"AlertsFunction"`
			Drain struct {
				Properties struct {
					Events struct {
						Spill source `yaml:"Spill"`
					} `yaml:"Events"`
				} `yaml:"Properties"`
			} `yaml:"DrainFunction"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Settings{}, fmt.Errorf("parse template: %w", err)
	}
	const megabytes = 1024
	stream := doc.Resources.Alerts.Properties.Events.Stream.Properties
	spill := doc.Resources.Drain.Properties.Events.Spill.Properties
	s := Settings{
		Shape:           shape,
		ThrottleRate:    doc.Parameters.ThrottleRate.Default,
		MaxThrottleRate: doc.Parameters.ThrottleRate.MaxValue,
		Memory:          doc.Globals.Function.MemorySize / megabytes,
		Lanes:           stream.Lanes,
		Batch:           stream.BatchSize,
		Drains:          spill.ScalingConfig.MaximumConcurrency,
		DrainBatch:      spill.BatchSize,
	}
	if min(s.ThrottleRate, s.MaxThrottleRate, s.Memory, s.Lanes, s.Batch, s.Drains, s.DrainBatch) <= 0 {
		return Settings{}, fmt.Errorf("%w: %s lacks a setting: %+v", ErrTraffic, path, s)
	}
	return s, nil
}
