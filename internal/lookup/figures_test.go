package lookup_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
)

func TestFiguresAreOfTheWaitsThatBeganOnTheDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from, to := w.look.Day(now)
	got, err := w.look.Figures(t.Context(), from, to)
	if diff := cmp.Diff(lookup.Figures{From: from.UTC(), To: to.UTC()}, got); err != nil || diff != "" {
		t.Errorf("of nothing: %v (-want +got):\n%s", err, diff)
	}
	w.Post(
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Missed("c2", ada, "2026-03-12T14:05:00Z"),
		lookuptest.Talked("c3", events.Outbound, ada, "2026-03-12T14:10:00Z"),
		lookuptest.Missed("c4", bob, "2026-03-12T15:00:00Z"),
		lookuptest.Talked("c5", events.Inbound, bob, "2026-03-12T15:40:00Z"),
		lookuptest.Missed("c6", cy, "2026-03-12T16:00:00Z"),
		lookuptest.Missed("c7", "+14155550123", "2026-03-12T16:00:00Z"),
		// These have waited since another day, or called then.
		lookuptest.Missed("c8", "+14155550124", "2026-03-11T15:00:00Z"),
		lookuptest.Missed("c9", "+14155550124", "2026-03-12T16:30:00Z"),
		lookuptest.Missed("c10", "+14155550125", "2026-03-11T15:00:00Z"),
	)
	w.Act("+14155550123", followup.ActDone, at("17:00"), "Kim", "spam")
	w.costs(10) // a day elsewhere is two of UTC
	if got, err = w.look.Figures(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	w.costs(10 + 5)
	want := lookup.Figures{
		From: from.UTC(), To: to.UTC(), Opened: 4, Waiting: 1, Returned: 1, Rescued: 1, Otherwise: 1,
		Talked: 2, Within15Min: 1, Within1Hour: 2, SameDay: 2,
		WallP50: 600, WallP95: 2400, BusinessP50: 600, BusinessP95: 2400,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := w.look.Figures(t.Context(), to, from); !errors.Is(err, lookup.ErrSpan) {
		t.Errorf("error %v, want %v", err, lookup.ErrSpan)
	}
}
