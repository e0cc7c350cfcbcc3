package scale

import (
	"fmt"

	"github.com/ringback/ringback/internal/storm"
)

// sample is how many of the storm's events are measured.
const sample = 1500

// Load returns the model of the template at path, with the storm's events.
func Load(path string) (*Model, error) {
	settings, err := ReadSettings(path)
	if err != nil {
		return nil, err
	}
	plan, err := storm.NewPlan(storm.Mix{Seed: 1, Deliveries: sample})
	if err != nil {
		return nil, fmt.Errorf("make up events: %w", err)
	}
	traffic, err := NewTraffic(plan, settings.Shape)
	if err != nil {
		return nil, err
	}
	return &Model{Traffic: traffic, Settings: settings}, nil
}
