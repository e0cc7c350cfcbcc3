package lookup_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/table"
)

// However many calls a day has, its first page is a few short queries, and every call is on
// one page.
func TestABusyDayIsReadPageByPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	calls := 300
	if testing.Short() {
		calls = 100
	}
	var missed, all []string
	for i := range calls {
		id, number := fmt.Sprintf("c%03d", i), fmt.Sprintf("+1415555%04d", i)
		begun := now.Add(-time.Duration(i) * 2 * time.Minute)
		at := func(after time.Duration) string { return begun.Add(after).Format(time.RFC3339) }
		all = append(all, id)
		switch i % 5 {
		case 0:
			w.Post(lookuptest.Talked(id, events.Inbound, number, at(0)))
			continue
		case 1:
			w.Post(lookuptest.Missed(id, number, at(0)), lookuptest.Left(id, number, at(time.Minute), "Hello"))
		default:
			w.Post(lookuptest.Missed(id, number, at(0)))
		}
		missed = append(missed, id)
	}
	from, to := now.Add(-24*time.Hour), now.Add(time.Hour)
	for _, limit := range []int{1, 7, 50} {
		for name, want := range map[string][]string{"unserved": missed, "all": all} {
			find, perDay := w.look.Unserved, 5
			if name == "all" {
				find, perDay = w.look.AllCalls, 9
			}
			var got []string
			for page := (lookup.Page{Limit: limit}); ; {
				w.queries.items.Store(0)
				list, err := find(t.Context(), from, to, page)
				if err != nil {
					t.Fatal(err)
				}
				if read, most := w.queries.items.Load(), int64(2*perDay*limit+3*limit); read > most {
					t.Errorf("%s, pages of %d: %d items read, want at most %d", name, limit, read, most)
				}
				for _, c := range list.Calls {
					got = append(got, c.ID)
				}
				if page.After = list.Next; page.After == "" {
					break
				}
				if len(list.Calls) != limit {
					t.Errorf("%s: a page of %d in the middle, want %d", name, len(list.Calls), limit)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, pages of %d (-want +got):\n%s", name, limit, diff)
			}
		}
	}
}

// A call counts once, whatever came of it in which order and how often: as it ended best.
func TestTheDaysCountsKnowEachCallOnce(t *testing.T) {
	t.Parallel()
	deliveries := []string{
		lookuptest.Talked("answered", events.Inbound, ada, "2026-03-12T14:10:00Z"),
		lookuptest.Event("call.ended", "2026-03-12T14:12:00Z", `"call_id":"answered","direction":"inbound","from":"`+ada+`","to":"`+ours+`","status":"completed","agent_name":"Jordan"`),
		lookuptest.Missed("after all", bob, "2026-03-12T15:00:00Z"),
		lookuptest.Talked("after all", events.Inbound, bob, "2026-03-12T15:01:00Z"),
		lookuptest.Missed("missed", cy, "2026-03-12T15:02:00Z"),
		lookuptest.Left("missed", cy, "2026-03-12T15:03:00Z", "Hello"),
		lookuptest.Talked("ours", events.Outbound, cy, "2026-03-12T16:00:00Z"),
	}
	twin := table.TwinItem(table.Key{PK: table.CallPartition("twin"), SK: table.EventMark + "2026-03-12T15:02:00.000Z#x"}, events.KindMissedCall, "same_ring", table.Key{PK: table.CallPartition("missed"), SK: table.EventMark})
	want := lookup.Tally{
		Count: lookup.Counts{Answered: 2, Voicemail: 1},
		Hours: []lookup.Hour{
			{Start: at("14:00"), Counts: lookup.Counts{Answered: 1}},
			{Start: at("15:00"), Counts: lookup.Counts{Answered: 1, Voicemail: 1}},
		},
	}
	for turn := range deliveries {
		w := newWorld(t)
		w.Post(append(deliveries[turn:], deliveries...)...)
		w.Post(lookuptest.Missed("twin", cy, "2026-03-12T15:02:00Z"))
		w.Add(twin)
		from, to := w.look.Day(now)
		got, err := w.look.Tally(t.Context(), from, to)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("from delivery %d on: %v (-want +got):\n%s", turn, err, diff)
		}
	}
}

// Somebody who answered is named where the call is listed, even if nobody keeps a follow-up.
func TestAllCallsSayWhoAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(lookuptest.Talked("c1", events.Inbound, ada, "2026-03-12T14:10:00Z"), lookuptest.Missed("c2", bob, "2026-03-12T14:20:00Z"))
	from, to := w.look.Day(now)
	got, err := w.look.AllCalls(t.Context(), from, to, lookup.Page{})
	if err != nil || len(got.Calls) != 2 || got.Calls[1].FollowUp.State != lookup.Answered || got.Calls[1].FollowUp.EndedBy != "Jordan" || got.Calls[0].FollowUp.State != lookup.Waits {
		t.Errorf("%+v, %v", got.Calls, err)
	}
}

// What is known of a call on the first page is not forgotten by the second: the third does not
// show it again.
func TestACallIsOnOnePageThoughItsEventsLieApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const calls, apart = 60, 25
	var want []string
	for i := range calls { // the newest first
		id, begun := fmt.Sprintf("c%02d", i), now.Add(-time.Duration(i)*time.Minute)
		number := ada
		if i%2 == 1 {
			number = bob
		}
		want = append(want, id)
		if i == apart {
			continue
		}
		w.Post(lookuptest.Missed(id, number, begun.Format(time.RFC3339)))
	}
	late := want[apart]
	w.Post(lookuptest.Missed(late, ada, now.Add(-apart*time.Minute).Format(time.RFC3339)), lookuptest.Left(late, ada, now.Add(-90*time.Second).Format(time.RFC3339), "Hello"))
	slices.Sort(want)

	pages := func(name string, limit int, want []string, read func(lookup.Page) ([]string, lookup.Cursor, error)) {
		t.Helper()
		var got []string
		page := lookup.Page{Limit: limit}
		for n := 1; n == 1 || page.After != ""; n++ {
			ids, next, err := read(page)
			if err != nil {
				t.Fatal(err)
			}
			if n == 1 && !slices.Contains(ids, late) {
				t.Errorf("%s: the late voicemail is not on the first page: %v", name, ids)
			}
			got, page.After = append(got, ids...), next
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	from, to := w.look.Day(now)
	pages("the day", 10, want, func(p lookup.Page) (ids []string, _ lookup.Cursor, _ error) {
		list, err := w.look.Unserved(t.Context(), from, to, p)
		for _, c := range list.Calls {
			ids = append(ids, c.ID)
		}
		return ids, list.Next, err
	})
	var adas []string
	for i := range calls {
		if i%2 == 0 || i == apart {
			adas = append(adas, fmt.Sprintf("c%02d", i))
		}
	}
	pages("a caller", 5, adas, func(p lookup.Page) (ids []string, _ lookup.Cursor, _ error) {
		c, err := w.look.Caller(t.Context(), ada, p)
		for _, e := range c.Timeline {
			ids = append(ids, e.ID)
		}
		return ids, c.Next, err
	})
}
