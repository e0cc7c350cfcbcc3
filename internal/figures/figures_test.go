package figures_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// monday is a day on which the shop is open from nine to five.
var monday = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

func at(day int, clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	return monday.AddDate(0, 0, day).Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
}

func shop(t *testing.T) hours.Lines {
	t.Helper()
	lines, err := hours.Parse("Mon-Fri 9:00-17:00; Support=24/7", "", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func call(start time.Time, effect followup.Effect, direction events.Direction, line string) followup.Facts {
	outcome := events.Missed
	if effect == followup.Contact {
		outcome = events.Answered
	}
	return followup.Call{
		ID: "CALL#" + start.Format(time.RFC3339), Events: 1, Effect: effect, Outcome: outcome, Direction: direction,
		Start: start, End: start.Add(time.Minute), LineName: line, Agent: "Ines",
	}.Of()
}

func missed(start time.Time) followup.Facts {
	return call(start, followup.Opens, events.Inbound, "Sales")
}

func returned(start time.Time) followup.Facts {
	return call(start, followup.Contact, events.Outbound, "Sales")
}

// answered is what is known of a missed call when it turns out that somebody picked up.
func answered(start time.Time) followup.Facts {
	facts := call(start, "", events.Inbound, "Sales")
	facts.Calls[0].Events, facts.Calls[0].Outcome = 2, events.Answered
	return facts
}

func done(when time.Time) followup.Facts {
	return followup.Act{ID: "act", At: when, Kind: followup.ActDone, By: "Ines"}.Of()
}

func TestTheLastWaitOfACaller(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		facts []followup.Facts
		want  figures.Wait // the zero Wait for none
		// took is the time on the wall, and business that in business hours.
		took, business time.Duration
		sameDay        bool
	}{
		{name: "nobody called"},
		{name: "who was only called", facts: []followup.Facts{returned(at(0, "10:00"))}},
		{
			name: "one who waits", facts: []followup.Facts{returned(at(0, "09:00")), missed(at(0, "10:00")), missed(at(0, "10:05"))},
			want: figures.Wait{Since: at(0, "10:00")},
		},
		{
			name: "called back", facts: []followup.Facts{missed(at(0, "10:00")), missed(at(0, "10:05")), returned(at(0, "10:20"))},
			want: figures.Wait{Since: at(0, "10:00"), Ended: at(0, "10:20"), Reason: followup.Returned},
			took: 20 * time.Minute, business: 20 * time.Minute, sameDay: true,
		},
		{
			name: "called back twice", facts: []followup.Facts{missed(at(0, "10:00")), returned(at(0, "10:20")), returned(at(3, "10:20"))},
			want: figures.Wait{Since: at(0, "10:00"), Ended: at(0, "10:20"), Reason: followup.Returned},
			took: 20 * time.Minute, business: 20 * time.Minute, sameDay: true,
		},
		{
			name: "rang again the next morning", facts: []followup.Facts{missed(at(0, "16:50")), call(at(1, "09:10"), followup.Contact, events.Inbound, "Sales")},
			want: figures.Wait{Since: at(0, "16:50"), Ended: at(1, "09:10"), Reason: followup.Rescued},
			took: 16*time.Hour + 20*time.Minute, business: 20 * time.Minute,
		},
		{
			name: "rang at night", facts: []followup.Facts{missed(at(0, "20:00")), returned(at(1, "16:00"))},
			want: figures.Wait{Since: at(0, "20:00"), Ended: at(1, "16:00"), Reason: followup.Returned},
			took: 20 * time.Hour, business: 7 * time.Hour, sameDay: true,
		},
		{
			name: "of a line with hours of its own", facts: []followup.Facts{call(at(0, "20:00"), followup.Opens, events.Inbound, "Support"), returned(at(1, "08:00"))},
			want: figures.Wait{Since: at(0, "20:00"), Ended: at(1, "08:00"), Reason: followup.Returned},
			took: 12 * time.Hour, business: 12 * time.Hour,
		},
		{
			name: "by hand", facts: []followup.Facts{missed(at(0, "10:00")), done(at(0, "11:00"))},
			want: figures.Wait{Since: at(0, "10:00"), Ended: at(0, "11:00"), Reason: followup.ByHand},
			took: time.Hour, business: time.Hour, sameDay: true,
		},
		{
			name: "by hand, and then talked with", facts: []followup.Facts{missed(at(0, "10:00")), done(at(0, "11:00")), returned(at(0, "12:00"))},
			want: figures.Wait{Since: at(0, "10:00"), Ended: at(0, "11:00"), Reason: followup.ByHand},
			took: time.Hour, business: time.Hour, sameDay: true,
		},
		{name: "before ringback began", facts: []followup.Facts{missed(at(0, "10:00")), {Baseline: at(0, "12:00")}}},
		{
			name: "expired", facts: []followup.Facts{missed(at(-30, "10:00"))},
			want: figures.Wait{Since: at(-30, "10:00"), Expired: true},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, ok := figures.Last(followup.Merge(tc.facts...), followup.Default(), shop(t), at(3, "12:00"))
			if ok != !tc.want.Since.IsZero() {
				t.Fatalf("%+v, %t", got, ok)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(figures.Wait{}, "Hours")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.Reason == "" {
				return
			}
			if wall, business := got.Took(); wall != tc.took || business != tc.business || got.SameDay() != tc.sameDay {
				t.Errorf("took %v, %v of it in business hours, on the same day: %t", wall, business, got.SameDay())
			}
		})
	}
}

// More calls than are kept do not make it run for ever, or invent a wait.
func TestTheLastWaitOfACallerWhoCallsAllTheTime(t *testing.T) {
	t.Parallel()
	var all []followup.Facts
	for n := range 100 {
		all = append(all, returned(at(0, "09:00").Add(time.Duration(n)*time.Hour)))
	}
	if got, ok := figures.Last(followup.Merge(all...), followup.Default(), shop(t), at(9, "12:00")); ok {
		t.Errorf("a wait: %+v", got)
	}
}

func TestABlockedContactEndsAWaitWithoutATalk(t *testing.T) {
	t.Parallel()
	facts := missed(at(0, "10:00"))
	facts.Person.Blocked = true
	got, ok := figures.Last(facts, followup.Default(), shop(t), at(0, "12:00"))
	if !ok || got.Reason != followup.IsBlocked || got.Talked() {
		t.Errorf("%+v, %t", got, ok)
	}
}

// Nobody waits because of a number of our own; one that is listed later ends a wait that was.
func TestANumberOfOurOwnNeverWaited(t *testing.T) {
	t.Parallel()
	before := followup.Merge(returned(at(0, "09:00")), missed(at(0, "10:00")))
	facts := before
	facts.Person.Own = true
	for name, facts := range map[string]followup.Facts{"waiting": facts, "called back": followup.Merge(facts, returned(at(0, "11:00")))} {
		if got, ok := figures.Last(facts, followup.Default(), shop(t), at(0, "12:00")); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	var log bytes.Buffer
	changed := figures.Log(shop(t), logscan.Writer(t).Logger(&log))
	if err := changed(t.Context(), "+14155550144", before.State(followup.Default()), facts.State(followup.Default())); err != nil {
		t.Fatal(err)
	}
	all := lines(t, &log)
	if len(all) != 1 || all[0]["msg"] != "follow-up closed" || all[0]["kind"] != "own" || all[0]["talked"] != false {
		t.Errorf("log: %v", all)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	business := shop(t).Of("", "")
	var waits []figures.Wait
	for n := range 100 {
		reason := followup.Returned
		if n%4 == 0 {
			reason = followup.Rescued
		}
		waits = append(waits, figures.Wait{
			Since: at(0, "16:00"), Ended: at(0, "16:00").Add(time.Duration(n+1) * time.Minute), Reason: reason, Hours: business,
		})
	}
	for _, reason := range []followup.Reason{followup.ByHand, followup.Earlier, followup.IsBlocked} {
		waits = append(waits, figures.Wait{Since: at(0, "10:00"), Ended: at(0, "10:01"), Reason: reason, Hours: business})
	}
	waits = append(waits,
		figures.Wait{Since: at(1, "11:00")},
		figures.Wait{Since: at(1, "10:00"), Unreached: true},
		figures.Wait{Since: at(-9, "10:00"), Expired: true},
	)
	want := figures.Figures{
		Open: 2, Unreached: 1, Expired: 1, Oldest: at(1, "10:00"),
		Opened: 106, Returned: 75, Rescued: 25, Otherwise: 3,
		Talked: 100, Within15Minutes: 15, WithinHour: 100, SameDay: 100, // after five the clock stands still
		Wall:     figures.Spread{P50: 50 * time.Minute, P95: 95 * time.Minute},
		Business: figures.Spread{P50: 50 * time.Minute, P95: time.Hour},
	}
	if diff := cmp.Diff(want, figures.Of(slices.Values(waits))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(figures.Figures{}, figures.Of(slices.Values[[]figures.Wait](nil))); diff != "" {
		t.Errorf("of nothing: %s", diff)
	}
}

// lines returns what a log has, by message.
func lines(t *testing.T, log *bytes.Buffer) (all []map[string]any) {
	t.Helper()
	for text := range strings.Lines(log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		delete(line, "time")
		delete(line, "level")
		all = append(all, line)
	}
	log.Reset()
	return all
}

func TestEachWaitThatBeginsOrEndsIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	changed := figures.Log(shop(t), logscan.Writer(t).Logger(&log))
	var before followup.Facts
	attempt := func(clock string) followup.Facts {
		return call(at(1, clock), followup.Attempt, events.Outbound, "Sales")
	}
	opened := map[string]any{"msg": "follow-up opened"}
	for _, step := range []struct {
		name  string
		facts followup.Facts
		want  []map[string]any
	}{
		{"missed", missed(at(0, "16:50")), []map[string]any{opened}},
		{"missed again", missed(at(0, "16:55")), nil},
		{"tried", followup.Merge(attempt("09:10"), attempt("10:00")), nil},
		{"tried too often", attempt("10:30"), []map[string]any{{"msg": "follow-up unreached"}}},
		{"told again", followup.Facts{}, nil},
		{"called back", returned(at(1, "11:00")), []map[string]any{{
			"msg": "follow-up closed", "kind": "returned", "talked": true, "waitedMs": 65_400_000.0, "businessMs": 7_800_000.0,
			"within15Min": false, "within1Hour": false, "sameDay": false,
		}}},
		{"missed once more", missed(at(1, "12:00")), []map[string]any{opened}},
		{"done", done(at(1, "12:10")), []map[string]any{{
			"msg": "follow-up closed", "kind": "done", "talked": false, "waitedMs": 600_000.0, "businessMs": 600_000.0,
			"within15Min": true, "within1Hour": true, "sameDay": true,
		}}},
		{"served before anybody could know", followup.Merge(missed(at(1, "13:00")), returned(at(1, "13:10"))), nil},
		{"missed later", missed(at(1, "14:00")), []map[string]any{opened}},
		{"called back and missed in one batch", followup.Merge(returned(at(1, "14:10")), missed(at(1, "14:20"))), []map[string]any{{
			"msg": "follow-up closed", "kind": "returned", "talked": true, "waitedMs": 600_000.0, "businessMs": 600_000.0,
			"within15Min": true, "within1Hour": true, "sameDay": true,
		}, opened}},
		{"answered after all", answered(at(1, "14:20")), nil},
	} {
		after := followup.Merge(before, step.facts)
		if err := changed(t.Context(), "+14155550144", before.State(followup.Default()), after.State(followup.Default())); err != nil {
			t.Fatal(err)
		}
		before = after
		if diff := cmp.Diff(step.want, lines(t, &log)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step.name, diff)
		}
	}
}

// waiting puts somebody who waits into a table.
func waiting(t *testing.T, store table.Store, n int, since time.Time, state string) {
	t.Helper()
	key := table.FollowUpKey(fmt.Sprintf("+1415555%04d", n))
	item := table.Item{
		table.PK: attr.String(key.PK), table.SK: attr.String(key.SK), table.Version: attr.Number("1"),
		table.GSI3PK: attr.String(table.WaitingPartition), table.GSI3SK: attr.String(table.WaitingSort(key, since)),
		table.State: attr.String(state), table.Since: attr.String(table.Time(since)), table.LineName: attr.String("Sales"),
	}
	if updated, err := store.Update(t.Context(), item, 0); !updated || err != nil {
		t.Fatal(updated, err)
	}
}

func TestWhoWaitsIsCountedEveryQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &tabletest.Memory{Now: func() time.Time { return monday }}
	c := figures.NewCounter(followup.Default(), shop(t), store, logscan.Writer(t).Logger(&log))
	run := func(now time.Time, want ...map[string]any) {
		t.Helper()
		c.Now = func() time.Time { return now }
		if err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lines(t, &log), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			t.Errorf("%v (-want +got)\n%s", now, diff)
		}
	}
	line := func(open, unreached int, more bool, hours float64) map[string]any {
		return map[string]any{"msg": "callers waiting", "open": float64(open), "unreached": float64(unreached), "more": more, "oldestHours": hours}
	}
	run(at(1, "09:00"), line(0, 0, false, 0))
	waiting(t, store, 1, at(0, "16:00"), "waiting")
	waiting(t, store, 2, at(0, "10:00"), table.Unreached)
	waiting(t, store, 3, at(-9, "10:00"), "waiting") // expired
	run(at(1, "09:30").Add(7*time.Second), line(2, 1, false, 1.5+7.0/3600))
	run(at(1, "09:31"))
	run(at(1, "09:44").Add(59 * time.Second))
	for n := range 1100 {
		waiting(t, store, 100+n, at(1, "09:00"), "waiting")
	}
	run(at(1, "09:45"), line(1000, 1, true, 1.75))
}

// down is a store that fails.
type down struct{ table.Store }

func (down) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, table.ErrUnavailable
}

func TestACountThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	c := figures.NewCounter(followup.Default(), shop(t), down{}, logscan.Logger(t))
	c.Now = func() time.Time { return at(0, "09:00") }
	if err := c.Run(t.Context()); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("error %v, want %v", err, table.ErrUnavailable)
	}
}
