package play_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm/play"
)

func TestSchedulesAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		schedule play.Schedule
		draw     uint64
		want     []time.Duration
	}{
		{play.Overview, 7, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}},
		{play.SMS, 7, []time.Duration{30 * time.Second, 5 * time.Minute, 30 * time.Minute}},
		{play.Portal, 0, slices.Repeat([]time.Duration{30 * time.Second}, 4)},
		{play.Portal, uint64(time.Minute), slices.Repeat([]time.Duration{90 * time.Second}, 4)},
		{play.Portal, uint64(time.Minute) + 1 + uint64(time.Second), slices.Repeat([]time.Duration{31 * time.Second}, 4)},
	} {
		var got []time.Duration
		for try := 0; ; try++ {
			pause, ok := tc.schedule.Pause(try, tc.draw)
			if !ok {
				break
			}
			got = append(got, pause)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: pauses (-want +got):\n%s", tc.schedule, diff)
		}
		if got := tc.schedule.Tries(); got != len(tc.want)+1 {
			t.Errorf("%s: %d tries", tc.schedule, got)
		}
	}
}

func TestEachScheduleHasItsOwnAnswersToTryAgain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		want   []play.Schedule
	}{
		{0, play.Schedules()},
		{200, nil},
		{202, []play.Schedule{play.Overview}},
		{204, []play.Schedule{play.Overview}},
		{302, []play.Schedule{play.Overview, play.SMS}},
		{400, []play.Schedule{play.Overview, play.SMS}},
		{401, []play.Schedule{play.Overview, play.SMS}},
		{429, play.Schedules()},
		{500, play.Schedules()},
		{501, []play.Schedule{play.Overview, play.SMS}},
		{502, play.Schedules()},
		{503, play.Schedules()},
		{504, play.Schedules()},
	} {
		var got []play.Schedule
		for _, s := range play.Schedules() {
			if s.Again(tc.status) {
				got = append(got, s)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%d: tried again (-want +got):\n%s", tc.status, diff)
		}
	}
}

func TestADeliveryHasTheScheduleOfItsDocuments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		form events.Format
		typ  events.Type
		want play.Schedule
	}{
		{events.FormatA, events.TypeCallMissed, play.Overview},
		{events.FormatA, events.TypeSMSReceived, play.SMS},
		{events.FormatA, "sms.of_tomorrow", play.SMS},
		{events.FormatB, events.TypeSMSReceived, play.Portal},
		{events.FormatB, events.TypeCallMissed, play.Portal},
		{events.FormatLegacy, "missed_call", play.Overview},
		{events.FormatLegacy, events.TypeSMSReceived, play.Overview},
	} {
		if got := play.ScheduleOf(tc.form, tc.typ); got != tc.want {
			t.Errorf("%s of format %s: %s, want %s", tc.typ, tc.form, got, tc.want)
		}
	}
	p := plan(t, play.Mix{Deliveries: 200})
	for _, d := range p.Deliveries {
		if e := p.Events[d.Event]; d.Schedule != play.ScheduleOf(e.Format, e.Type) {
			t.Errorf("%s of format %s: %s", e.Type, e.Format, d.Schedule)
		}
	}
}
