package storm

import (
	"net/http"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// Schedule is one of the three ways in which JustCall's documents say that a
// delivery is tried again. They contradict each other, so all are played: each
// delivery has that of the page that tells of its kind.
type Schedule int

const (
	// Overview is that of the webhooks' overview: whatever is not answered 200
	// is posted up to five times more, after 1, 5, 15, 30 and 60 minutes.
	Overview Schedule = iota
	// SMS is that of the page on text messages, in format A: whatever is not
	// answered 200 to 299 is posted up to three times more, after 30 seconds and
	// 5 and 30 minutes.
	SMS
	// Portal is that of the developer portal, whose format is B: only what is
	// answered 429, 500, 502, 503 or 504, or not at all, is posted again, up to
	// four times, 30 to 90 seconds apart. Any other answer is final.
	Portal
)

// Schedules returns all of them.
func Schedules() []Schedule { return []Schedule{Overview, SMS, Portal} }

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

// String returns the schedule's name.
func (s Schedule) String() string { return [...]string{"overview", "sms", "portal"}[s] }

// Tries returns how often a delivery is posted at the most.
func (s Schedule) Tries() int { return 1 + len(s.pauses()) }

// pauses are those before the second try and the following ones. Portal's are the
// shortest; up to as much again is added.
func (s Schedule) pauses() []time.Duration {
	switch s {
	case SMS:
		return []time.Duration{30 * time.Second, 5 * time.Minute, 30 * time.Minute}
	case Portal:
		return []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second}
	case Overview:
	}
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, 60 * time.Minute}
}

// Pause returns how long to wait after a try, the first being 0, before the
// next. It reports false after the last. Where the schedule has a range, draw
// decides within it.
func (s Schedule) Pause(try int, draw uint64) (time.Duration, bool) {
	pauses := s.pauses()
	if try >= len(pauses) {
		return 0, false
	}
	pause := pauses[try]
	if s == Portal {
		const wide = time.Minute
		pause += time.Duration(draw % uint64(wide+1))
	}
	return pause, true
}

// Again reports whether an answer is one to post again after; status is 0 where
// none came.
func (s Schedule) Again(status int) bool {
	switch s {
	case SMS:
		return status < 200 || status > 299
	case Portal:
		return hindered(status)
	case Overview:
	}
	return status != http.StatusOK
}

// hindered reports whether an answer says that the receiver was kept from its
// work, and may not be the next time. No answer, status 0, is like that of a
// gateway that waited in vain.
func hindered(status int) bool {
	switch status {
	case 0, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}
