package play

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// Schedule is one of the three ways in which JustCall's documents say that a delivery is retried. They contradict
// each other, so all are played: each delivery has the schedule of the page that describes its kind.
type Schedule int

// The schedules: that of the webhooks' overview, that of the page on text messages in format A, and that of the
// developer portal, whose format is B and where any other answer than these is final.
const (
	Overview Schedule = iota
	SMS
	Portal
)

var schedules = [...]struct {
	name   string
	pauses []time.Duration // before the second try and those after it
	spread time.Duration   // up to as much is added to each pause
	again  func(status int) bool
}{
	Overview: {"overview", minutes(1, 5, 15, 30, 60), 0, func(status int) bool { return status != http.StatusOK }},
	SMS:      {"sms", minutes(0.5, 5, 30), 0, func(status int) bool { return status < 200 || status > 299 }},
	Portal:   {"portal", minutes(0.5, 0.5, 0.5, 0.5), time.Minute, hindered},
}

func minutes(all ...float64) (pauses []time.Duration) {
	for _, n := range all {
		pauses = append(pauses, time.Duration(n*float64(time.Minute)))
	}
	return pauses
}

// hindered reports whether an answer says that the receiver was kept from its work, and may not be the next time.
// No answer, status 0, is like that of a gateway that waited in vain.
func hindered(status int) bool { return slices.Contains([]int{0, 429, 500, 502, 503, 504}, status) }

// ScheduleOf returns the schedule of a delivery.
func ScheduleOf(form events.Format, typ events.Type) Schedule {
	switch {
	case form == events.FormatB:
		return Portal
	case form == events.FormatA && strings.HasPrefix(string(typ), "sms."):
		return SMS
	default:
		return Overview
	}
}

func (s Schedule) String() string { return schedules[s].name }

// Pause returns how long to wait after a try, the first being 0, before the next. It reports false after the last.
// Where the schedule has a range, draw decides within it.
func (s Schedule) Pause(try int, draw uint64) (time.Duration, bool) {
	of := &schedules[s]
	if try >= len(of.pauses) {
		return 0, false
	}
	return of.pauses[try] + time.Duration(draw%uint64(of.spread+1)), true //nolint:gosec // G115: below a minute
}

// Again reports whether an answer is one to post again after; status is 0 where none came.
func (s Schedule) Again(status int) bool { return schedules[s].again(status) }
