package scale_test

import (
	"errors"
	"testing"

	"github.com/ringback/ringback/internal/proof/scale"
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table/schema"
)

// Several events can tell of one missed call, and make one alert and one mark.
func TestAlertsAreCountedOnce(t *testing.T) {
	t.Parallel()
	plan, err := storm.NewPlan(storm.Mix{Seed: 7, Deliveries: 200, Duplicates: 20})
	if err != nil {
		t.Fatal(err)
	}
	shape := schema.Events()
	traffic, err := scale.NewTraffic(plan, shape)
	if err != nil {
		t.Fatal(err)
	}
	if traffic.Events != len(plan.Events) {
		t.Errorf("%d events, want %d", traffic.Events, len(plan.Events))
	}
	if got, want := traffic.Alerts*float64(traffic.Events), float64(len(plan.Alerts())); !near(got, want, 1e-9) {
		t.Errorf("%g alerts, want %g", got, want)
	}
}

func TestATableOfAnotherShapeIsNotCounted(t *testing.T) {
	t.Parallel()
	plan, err := storm.NewPlan(storm.Mix{Seed: 7, Deliveries: 10})
	if err != nil {
		t.Fatal(err)
	}
	shape := schema.Events()
	shape.Indexes = append(shape.Indexes, schema.Index{Name: "GSI3"})
	if _, err := scale.NewTraffic(plan, shape); !errors.Is(err, scale.ErrTraffic) {
		t.Errorf("got %v, want %v", err, scale.ErrTraffic)
	}
}
