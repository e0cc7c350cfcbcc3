package escalate_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/proof/zones"
)

// day is a Monday, of which the shop is open from nine to five.
var day = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

func at(clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	return day.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
}

func shop(t *testing.T) hours.Calendar {
	t.Helper()
	lines, err := hours.Parse("Mon-Fri 9:00-17:00", "", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return lines.Of("", "")
}

func plan(t *testing.T) escalate.Plan {
	t.Helper()
	p, err := escalate.NewPlan(15*time.Minute, escalate.DefaultAgainAfter, 7*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNext(t *testing.T) {
	t.Parallel()
	first := []escalate.Told{{Level: 1, Due: at("10:15")}}
	from, until := at("10:00"), func(from, to string) func(time.Time) time.Time {
		return func(seen time.Time) time.Time {
			if seen.Before(at(from)) || !seen.Before(at(to)) {
				return time.Time{}
			}
			return at(to)
		}
	}
	tomorrow := 24 * time.Hour
	for _, test := range []struct {
		name string
		e    escalate.Episode
		told []escalate.Told
		now  time.Time
		want escalate.Told
	}{
		{name: "the first level", e: escalate.Episode{Since: from}, want: escalate.Told{Level: 1, Due: at("10:15")}},
		{name: "the second level counts from the first call", e: escalate.Episode{Since: from}, told: first, want: escalate.Told{Level: 2, Due: at("11:00")}},
		{name: "after the last level, the end", e: escalate.Episode{Since: from}, told: []escalate.Told{{Level: 1}, {Level: 2}}, want: escalate.Told{Due: from.Add(7 * tomorrow)}},
		{name: "the clock stops at night", e: escalate.Episode{Since: at("16:50")}, want: escalate.Told{Level: 1, Due: at("09:05").Add(tomorrow)}},
		{name: "in the night it has not begun", e: escalate.Episode{Since: at("03:00")}, want: escalate.Told{Level: 1, Due: at("09:15")}},
		{name: "a pause", e: escalate.Episode{Since: from, PausedUntil: until("10:10", "10:40")}, want: escalate.Told{Level: 1, Due: at("10:40")}},
		{name: "a pause that is over before", e: escalate.Episode{Since: from, PausedUntil: until("10:00", "10:15")}, want: escalate.Told{Level: 1, Due: at("10:15")}},
		{name: "a pause that ends at night", e: escalate.Episode{Since: from, PausedUntil: until("10:10", "18:00")}, want: escalate.Told{Level: 1, Due: at("09:00").Add(tomorrow)}},
		{name: "a pause keeps the levels apart", e: escalate.Episode{Since: from}, told: []escalate.Told{{Level: 1, Due: at("12:00")}}, want: escalate.Told{Level: 2, Due: at("12:45")}},
		{name: "the third call", e: escalate.Episode{Since: from, Last: at("10:05"), Calls: 3}, want: escalate.Told{Level: 1, Due: at("10:05"), Raised: true}},
		{name: "the third call, the first level told", e: escalate.Episode{Since: from, Last: at("10:20"), Calls: 3}, told: first, want: escalate.Told{Level: 2, Due: at("10:20"), Raised: true}},
		{name: "the third call at night", e: escalate.Episode{Since: at("03:00"), Last: at("03:05"), Calls: 3}, want: escalate.Told{Level: 1, Due: at("09:00"), Raised: true}},
		{name: "the third call raises one level", e: escalate.Episode{Since: from, Last: at("10:06"), Calls: 4}, told: []escalate.Told{{Level: 1, Due: at("10:05"), Raised: true}}, want: escalate.Told{Level: 2, Due: at("11:00")}},
		{name: "the third call of somebody who is taken care of", e: escalate.Episode{Since: from, Last: at("10:05"), Calls: 3, PausedUntil: until("10:01", "10:40")}, want: escalate.Told{Level: 1, Due: at("10:40"), Raised: true}},
		{name: "nobody is to be reminded", e: escalate.Episode{Since: from, Quiet: true}, want: escalate.Told{Due: from.Add(7 * tomorrow)}},
		{name: "a run that is late", e: escalate.Episode{Since: from}, now: at("11:30"), want: escalate.Told{Level: 1, Due: at("10:15")}},
		{name: "a run that is late, at night", e: escalate.Episode{Since: from}, now: at("20:00"), want: escalate.Told{Level: 1, Due: at("09:00").Add(tomorrow)}},
		{name: "a run that is a little late, at closing time", e: escalate.Episode{Since: at("16:45")}, now: at("17:01"), want: escalate.Told{Level: 1, Due: at("17:00")}},
		{name: "a run that is late by a week", e: escalate.Episode{Since: from}, now: from.Add(7 * tomorrow), want: escalate.Told{Due: from.Add(7 * tomorrow)}},
		{name: "a clock that was set back", e: escalate.Episode{Since: from}, now: at("08:00"), want: escalate.Told{Level: 1, Due: at("10:15")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.e.ID, test.e.Hours = "episode", shop(t)
			if test.now.IsZero() {
				test.now = test.e.Since
			}
			got, ok := plan(t).Next(test.e, test.told, test.now)
			if diff := cmp.Diff(test.want, got); diff != "" || !ok {
				t.Errorf("%t (-want +got)\n%s", ok, diff)
			}
		})
	}

	if _, ok := plan(t).Next(escalate.Episode{Since: from}, nil, from); ok {
		t.Error("a caller who does not wait is due")
	}
	expired := []escalate.Told{{Level: 1, Due: at("10:15")}, {Due: from.Add(7 * tomorrow)}}
	if _, ok := plan(t).Next(escalate.Episode{ID: "episode", Since: from}, expired, from); ok {
		t.Error("an expired episode is due")
	}
}

func TestLevelsThatContradictEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	for _, test := range []struct {
		after, again, expire time.Duration
		ok                   bool
	}{
		{15 * minute, 60 * minute, time.Hour, true},
		{15 * minute, 0, 0, true},
		{0, 0, 0, true},
		{0, 60 * minute, 0, true},
		{60 * minute, 15 * minute, 0, false},
		{15 * minute, 15 * minute, 0, false},
		{-minute, 0, 0, false},
		{0, 0, -minute, false},
	} {
		p, err := escalate.NewPlan(test.after, test.again, test.expire)
		if test.after == 0 && len(p.Levels) > 0 {
			t.Errorf("%v: levels %v without a first", test, p.Levels)
		}
		if test.ok != (err == nil) || err != nil && !errors.Is(err, escalate.ErrLevels) {
			t.Errorf("%v: %v, %v", test, p, err)
		}
	}
}

// story is what happens to a caller, in minutes from the first call.
type story struct {
	plan   escalate.Plan
	zone   *time.Location
	hours  hours.Calendar
	since  time.Time
	calls  []int
	pauses [][2]int
	closed int // 0 for never
}

func (s story) String() string {
	return fmt.Sprintf("%v %v since %v: calls %v, pauses %v, closed %d", s.plan, s.zone, s.since, s.calls, s.pauses, s.closed)
}

const storyMinutes = 2 * 24 * 60

func randomStory(z *time.Location, change time.Time, random *rand.Rand) (s story, err error) {
	texts := []string{"", "Mon-Sun 9:00-17:00", "Mon-Fri 0:00-0:20, 22-24, Sat 00:30-03:40", "Mon-Sun 22:00-02:30", "Mon-Sun 01:10-03:10, 13-14", "Wed 9-12, Sun 00:00-04:00"}
	holidays := ""
	if n := random.IntN(15) - 2; n < 3 { // a day near the change, or none
		holidays = change.In(z).AddDate(0, 0, n).Format(time.DateOnly)
	}
	lines, err := hours.Parse(texts[random.IntN(len(texts))], holidays, z)
	if err != nil {
		return s, err
	}
	after := 1 + random.IntN(60)
	again := (after + 1 + random.IntN(90)) * random.IntN(2)
	s = story{zone: z, hours: lines.Of("", ""), since: change.Add(-time.Duration(random.IntN(30*60)) * time.Minute), calls: []int{0}}
	s.plan, err = escalate.NewPlan(time.Duration(after)*time.Minute, time.Duration(again)*time.Minute, time.Duration(20+random.IntN(40))*time.Hour)
	minute := func() int {
		if random.IntN(2) == 0 {
			return 1 + random.IntN(120)
		}
		return 1 + random.IntN(storyMinutes)
	}
	for range random.IntN(6) {
		s.calls = append(s.calls, minute())
	}
	slices.Sort(s.calls)
	for range random.IntN(4) {
		from := minute()
		s.pauses = append(s.pauses, [2]int{from, from + 1 + random.IntN(200)})
	}
	if random.IntN(3) == 0 {
		s.closed = minute()
	}
	// What is asked for at once is told in the next minute, if nothing happens until then.
	happens := append([]int{s.closed}, s.calls...)
	for _, p := range s.pauses {
		happens = append(happens, p[0])
	}
	slices.Sort(happens)
	for i, n := range happens[:len(happens)-1] {
		if happens[i+1]-n < 2 && happens[i+1] > 0 {
			return randomStory(z, change, random)
		}
	}
	return s, err
}

func (s story) minute(n int) time.Time { return s.since.Add(time.Duration(n) * time.Minute) }

// episode is what is known at a minute.
func (s story) episode(now int) escalate.Episode {
	e := escalate.Episode{Hours: s.hours, Since: s.since}
	if s.closed == 0 || now < s.closed {
		e.ID = "episode"
	}
	last := 0
	for _, c := range s.calls {
		if c <= now {
			last = c
		}
	}
	e.Last = s.minute(last)
	for _, c := range s.calls {
		if c <= last && c > last-60 {
			e.Calls++
		}
	}
	e.PausedUntil = func(seen time.Time) (until time.Time) {
		for _, p := range s.pauses {
			if end := s.minute(p[1]); p[0] <= now && end.After(seen) && end.After(until) {
				until = end
			}
		}
		return until
	}
	return e
}

// told is a step with the minute at which it was due.
type told struct {
	level, due int
	raised     bool
}

// reference counts every minute.
func (s story) reference() (all []told) {
	var (
		open               = make([]int, 1, storyMinutes+1) // minutes of business before
		dueLast            int
		wasRaised          bool
		timeAt, last, rung = -1, 0, -1 // since when the time or the third call asks for the level
	)
	for now := range storyMinutes {
		isOpen := s.hours.Open(s.minute(now))
		minutes := open[now]
		if isOpen {
			minutes++
		}
		open = append(open, minutes)
		if s.closed > 0 && now >= s.closed {
			return all
		}
		if now >= int(s.plan.ExpireAfter/time.Minute) {
			return append(all, told{due: now})
		}
		calls := 0
		for _, c := range s.calls {
			if c == now && c > 0 {
				last, rung = c, -1
			}
		}
		for _, c := range s.calls {
			if c <= last && c > last-60 {
				calls++
			}
		}
		paused := false
		for _, p := range s.pauses {
			paused = paused || p[0] <= now && now < p[1]
		}
		for level := len(all); level < len(s.plan.Levels); level = len(all) {
			enough := open[now] >= int(s.plan.Levels[level]/time.Minute)
			if level > 0 {
				enough = enough && open[now]-open[dueLast] >= int((s.plan.Levels[level]-s.plan.Levels[level-1])/time.Minute)
			}
			if enough && timeAt < 0 {
				timeAt = now
			}
			if calls >= 3 && !wasRaised && isOpen && rung < 0 {
				rung = now
			}
			byTime, byCall := timeAt >= 0, calls >= 3 && !wasRaised && rung >= 0
			if paused || !byTime && !byCall || !isOpen && timeAt != now {
				break
			}
			raised := byCall && (!byTime || rung < timeAt)
			wasRaised = wasRaised || raised
			all = append(all, told{level + 1, now, raised})
			dueLast, timeAt = now, -1
		}
	}
	return all
}

// play runs once a minute, a second after what happens in the minute, and looks only
// when a timer says so.
func (s story) play(t *testing.T) (all []told) {
	var (
		timers = make(map[int]bool)
		taken  []escalate.Told
	)
	arm := func(now int, at time.Time) {
		if next, ok := s.plan.Next(s.episode(now), taken, at); ok {
			due := int(next.Due.Sub(s.since).Round(time.Minute) / time.Minute)
			timers[max(due, now+1)] = true
		}
	}
	for now := range storyMinutes + 2 {
		if s.happens(now) {
			arm(now, s.minute(now))
		}
		at := s.minute(now).Add(time.Second)
		for timers[now] {
			next, ok := s.plan.Next(s.episode(now), taken, at)
			if !ok || next.Due.After(at) {
				arm(now, at)
				break
			}
			if late := at.Sub(next.Due); late > 61*time.Second {
				t.Errorf("%v: level %d is %v late", s, next.Level, late)
			}
			taken = append(taken, next)
			all = append(all, told{next.Level, int(next.Due.Sub(s.since) / time.Minute), next.Raised})
		}
	}
	return all
}

func (s story) happens(now int) bool {
	return slices.Contains(s.calls, now) || s.closed == now || slices.ContainsFunc(s.pauses, func(p [2]int) bool { return p[0] == now })
}

func TestEachLevelIsToldOnceInBusinessTime(t *testing.T) {
	t.Parallel()
	for i, z := range zones.All(t, testing.Short()) {
		t.Run(z.String(), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(i), 13)) //nolint:gosec // the same stories each time
			for _, change := range zones.Changes(z, random) {
				s, err := randomStory(z, change.Truncate(time.Minute), random)
				if err != nil {
					t.Fatal(err)
				}
				want, got := s.reference(), s.play(t)
				want = slices.DeleteFunc(want, func(s told) bool { return s.due >= storyMinutes-1 })
				got = slices.DeleteFunc(got, func(s told) bool { return s.due >= storyMinutes-1 })
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(told{}), cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%v (-want +got)\n%s", s, diff)
				}
			}
		})
	}
}
