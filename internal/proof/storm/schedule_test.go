package storm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm"
)

func TestSchedulesAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		schedule storm.Schedule
		draw     uint64
		want     []time.Duration
	}{
		{storm.Overview, 7, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}},
		{storm.SMS, 7, []time.Duration{30 * time.Second, 5 * time.Minute, 30 * time.Minute}},
		{storm.Portal, 0, slices.Repeat([]time.Duration{30 * time.Second}, 4)},
		{storm.Portal, uint64(time.Minute), slices.Repeat([]time.Duration{90 * time.Second}, 4)},
		{storm.Portal, uint64(time.Minute) + 1 + uint64(time.Second), slices.Repeat([]time.Duration{31 * time.Second}, 4)},
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
		want   []storm.Schedule
	}{
		{0, storm.Schedules()},
		{200, nil},
		{202, []storm.Schedule{storm.Overview}},
		{204, []storm.Schedule{storm.Overview}},
		{302, []storm.Schedule{storm.Overview, storm.SMS}},
		{400, []storm.Schedule{storm.Overview, storm.SMS}},
		{401, []storm.Schedule{storm.Overview, storm.SMS}},
		{429, storm.Schedules()},
		{500, storm.Schedules()},
		{501, []storm.Schedule{storm.Overview, storm.SMS}},
		{502, storm.Schedules()},
		{503, storm.Schedules()},
		{504, storm.Schedules()},
	} {
		var got []storm.Schedule
		for _, s := range storm.Schedules() {
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
		want storm.Schedule
	}{
		{events.FormatA, events.TypeCallMissed, storm.Overview},
		{events.FormatA, events.TypeSMSReceived, storm.SMS},
		{events.FormatA, "sms.of_tomorrow", storm.SMS},
		{events.FormatB, events.TypeSMSReceived, storm.Portal},
		{events.FormatB, events.TypeCallMissed, storm.Portal},
		{events.FormatLegacy, "missed_call", storm.Overview},
		{events.FormatLegacy, events.TypeSMSReceived, storm.Overview},
	} {
		if got := storm.ScheduleOf(tc.form, tc.typ); got != tc.want {
			t.Errorf("%s of format %s: %s, want %s", tc.typ, tc.form, got, tc.want)
		}
	}
	for _, d := range plan(t, storm.Mix{Deliveries: 200}).Deliveries {
		if want := storm.ScheduleOf(d.Format, d.Type); d.Schedule != want {
			t.Errorf("%s of format %s: %s, want %s", d.Type, d.Format, d.Schedule, want)
		}
	}
}
