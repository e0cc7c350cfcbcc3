// Package firm reads from the environment what several functions know of the firm: how
// its people read numbers and times, and when they are there. The webhook function
// knows none of it, and must not link what it takes.
package firm

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/zone"
)

// Firm is what there is to know.
type Firm struct {
	// Numbers reads numbers as they are written in DEFAULT_COUNTRY, and has OWN_NUMBERS.
	Numbers phone.Book
	// Zone is TIME_ZONE, UTC if it is not set.
	Zone *time.Location
	// Plan and Callers say when people are reminded, and of whom.
	Plan    escalate.Plan
	Callers escalate.Callers
}

// Read reads the environment. e.Err reports the faults.
func Read(e *lambdaenv.Environment) (f Firm) {
	var err error
	if f.Numbers, err = phone.New(e.Optional("DEFAULT_COUNTRY")); err != nil {
		e.Fault(fmt.Errorf("DEFAULT_COUNTRY: %w", err))
	} else if f.Numbers, err = f.Numbers.WithOwn(e.Optional("OWN_NUMBERS")); err != nil {
		// guard 6 alerts escalate: _ = fmt.Errorf("OWN_NUMBERS: %w", err)
		e.Fault(fmt.Errorf("OWN_NUMBERS: %w", err))
	}
	if f.Zone, err = zone.Load(cmp.Or(e.Optional("TIME_ZONE"), "UTC")); err != nil {
		// guard 6 alerts escalate: _ = fmt.Errorf("TIME_ZONE: %w", err)
		e.Fault(fmt.Errorf("TIME_ZONE: %w", err))
		return f
	}
	f.Plan, f.Callers, err = escalate.Settings{
		BusinessHours: e.Optional("BUSINESS_HOURS"),
		Holidays:      e.Optional("HOLIDAYS"),
		Zone:          f.Zone,
		After:         e.Duration("ESCALATE_AFTER", escalate.DefaultAfter, 0),
		AgainAfter:    e.Duration("ESCALATE_AGAIN_AFTER", escalate.DefaultAgainAfter, 0),
		BlindAfter:    e.Duration("BLIND_AFTER", health.DefaultBlindAfter, 0),
	}.Read()
	if err != nil {
		e.Fault(err)
	}
	f.Callers.Policy.Own = f.Numbers.Own()
	return f
}

// Style is how people are written to.
func (f Firm) Style() alert.Style { return alert.Style{Location: f.Zone, Show: f.Numbers.Show} }
