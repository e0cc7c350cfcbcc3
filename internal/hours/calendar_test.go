package hours_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/proof/zones"
	"github.com/ringback/ringback/internal/zone"
)

// book is a calendar for the reference, which looks at every minute by itself.
type book struct {
	zone     *time.Location
	own      [7][24 * 60]bool // hours that begin on the day
	late     [7][24 * 60]bool // hours that began on the day before
	holidays map[string]bool
}

func (b *book) open(minute time.Time) bool {
	local := minute.In(b.zone)
	of := local.Hour()*60 + local.Minute()
	own, late := b.own[local.Weekday()][of], b.late[local.Weekday()][of]
	if len(b.holidays) == 0 {
		return own || late
	}
	if !own && !late || b.holidays[local.Format(time.DateOnly)] {
		return false
	}
	y, m, d := local.Date()
	return own || !b.holidays[time.Date(y, m, d-1, 12, 0, 0, 0, time.UTC).Format(time.DateOnly)]
}

// randomBook returns hours around midnight more often than others, with a holiday
// near a day, and the text of both.
func randomBook(z *time.Location, near time.Time, random *rand.Rand) (b *book, text, holidays string) {
	minute := func() int {
		if random.IntN(2) == 0 {
			return (22*60 + random.IntN(6*60)) % (24 * 60)
		}
		return random.IntN(24 * 60)
	}
	b = &book{zone: z, holidays: make(map[string]bool)}
	var days []string
	first := 24 * 60 // the next day's first opening
	for d := time.Saturday; d >= time.Sunday; d-- {
		times := make([]int, 2*random.IntN(4))
		for i := range times {
			times[i] = minute()
		}
		slices.Sort(times)
		if times = slices.Compact(times); len(times)%2 == 1 {
			times = append(times, 24*60+random.IntN(min(first, times[0])+1))
		}
		first = 24 * 60
		for i := 0; i < len(times); i += 2 {
			from, to := times[i], times[i+1]
			for m := from; m < to; m++ {
				if m < 24*60 {
					b.own[d][m] = true
				} else {
					b.late[(d+1)%7][m-24*60] = true
				}
			}
			layout := "15:04"
			if to > 24*60 {
				layout = "3:04pm"
			}
			at := func(m int) string {
				return time.Time{}.Add(time.Duration(m) * time.Minute).Format(layout)
			}
			days = append(days, fmt.Sprintf("%v %s-%s", d, at(from), at(to)))
			first = min(first, from)
		}
	}
	if len(days) > 0 && b.late[time.Sunday] != [24 * 60]bool{} && b.own[time.Sunday] != [24 * 60]bool{} {
		return randomBook(z, near, random) // Saturday's night may overlap Sunday's morning
	}
	if len(days) == 0 {
		for d := range b.own {
			for m := range b.own[d] {
				b.own[d][m] = true
			}
		}
	}
	for range random.IntN(3) {
		day := near.AddDate(0, 0, random.IntN(5)-2).Format(time.DateOnly)
		b.holidays[day] = true
		holidays += day + ", "
	}
	return b, strings.Join(days, ", "), holidays
}

func TestBusinessTimePassesAsTheClockOnTheWallShows(t *testing.T) {
	t.Parallel()
	for i, z := range zones.All(t, testing.Short()) {
		t.Run(z.String(), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(i), 13)) //nolint:gosec // the same every time
			for _, change := range zones.Changes(z, random) {
				b, text, holidays := randomBook(z, change, random)
				lines, err := hours.Parse(text, holidays, z)
				if err != nil {
					t.Fatal(err)
				}
				if !agree(t, lines.Of("", ""), b, change, random) {
					t.Fatalf("%v around %v, hours %q, holidays %q", z, change, text, holidays)
				}
			}
		})
	}
}

// agree compares a calendar with the reference in the two days around a change.
func agree(t *testing.T, c hours.Calendar, b *book, change time.Time, random *rand.Rand) bool {
	const minutes = 2 * 24 * 60
	begin := change.Add(-minutes / 2 * time.Minute)
	var open [minutes]bool
	for m := range open {
		open[m] = b.open(begin.Add(time.Duration(m) * time.Minute))
	}
	instant := func() int { // seconds; often about the change
		if random.IntN(2) == 0 {
			return minutes/2*60 + random.IntN(6*60*60) - 3*60*60
		}
		return random.IntN(minutes * 60)
	}
	at := func(second int) time.Time { return begin.Add(time.Duration(second) * time.Second) }
	for range 10 {
		from, to := instant(), instant()
		next, between := -1, 0
		for s := from; s < minutes*60; {
			end := (s/60 + 1) * 60
			if open[s/60] {
				if next < 0 {
					next = s
				}
				between += max(0, min(end, to)-s)
			}
			s = end
		}
		if got := c.Open(at(from)); got != open[from/60] {
			t.Errorf("open at %v: %t", at(from), got)
			return false
		}
		if got := c.NextOpening(at(from)); next >= 0 && !got.Equal(at(next)) || next < 0 && got.Before(at(minutes*60)) {
			t.Errorf("next opening from %v: %v, want %v", at(from), got, at(next))
			return false
		}
		if got := c.Between(at(from), at(to)); got != time.Duration(between)*time.Second {
			t.Errorf("between %v and %v: %v, want %d s", at(from), at(to), got, between)
			return false
		}
		if between > 0 {
			wait := 1 + random.IntN(between)
			want := from
			for left := wait; left > 0; {
				end := (want/60 + 1) * 60
				if open[want/60] {
					end = min(end, want+left)
					left -= end - want
				}
				want = end
			}
			if got := c.Add(at(from), time.Duration(wait)*time.Second); !got.Equal(at(want)) {
				t.Errorf("%d s from %v: %v, want %v", wait, at(from), got, at(want))
				return false
			}
		}
	}
	return true
}

func TestClockChangesInsideBusinessHours(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, zone, hours, from, to string
		want                        time.Duration
	}{
		{"a day as any other", "America/New_York", "Sun 00:00-05:00", "2026-03-01T00:00:00-05:00", "2026-03-02T00:00:00-05:00", 5 * time.Hour},
		{"the hour that is left out", "America/New_York", "Sun 00:00-05:00", "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00", 4 * time.Hour},
		{"the hour that comes twice", "America/New_York", "Sun 00:00-05:00", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", 6 * time.Hour},
		{"hours within the hour that is left out", "America/New_York", "Sun 02:00-03:00", "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00", 0},
		{"hours over midnight", "America/New_York", "Sat 22:00-04:00", "2026-03-07T12:00:00-05:00", "2026-03-08T12:00:00-04:00", 5 * time.Hour},
		{"a day that begins at one", "America/Havana", "Sun 00:00-02:00", "2026-03-07T12:00:00-05:00", "2026-03-08T12:00:00-04:00", time.Hour},
		{"a day that was left out", "Pacific/Apia", "Fri 9:00-17:00, Sat 9:00-17:00", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 8 * time.Hour},
		{"clocks as they are today", "America/Vancouver", "Sun 00:00-05:00", "2026-11-01T00:00:00-07:00", "2026-11-02T00:00:00-07:00", 5 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			z, err := zone.Load(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := hours.Parse(test.hours, "", z)
			if err != nil {
				t.Fatal(err)
			}
			from, _ := time.Parse(time.RFC3339, test.from)
			to, _ := time.Parse(time.RFC3339, test.to)
			if got := lines.Of("", "").Between(from, to); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestAFridayEveningIsFollowedByMonday(t *testing.T) {
	t.Parallel()
	z, err := zone.Load("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := hours.Parse("Mon-Fri 9:00-17:30", "2026-10-12 Thanksgiving", z)
	if err != nil {
		t.Fatal(err)
	}
	c := lines.Of("", "")
	friday := time.Date(2026, time.October, 9, 17, 20, 0, 0, z)
	for _, test := range []struct {
		while time.Duration
		want  time.Time
	}{
		{0, friday},
		{-time.Minute, friday},
		{5 * time.Minute, friday.Add(5 * time.Minute)},
		{10 * time.Minute, friday.Add(10 * time.Minute)}, // when it closes
		{10*time.Minute + 1, time.Date(2026, time.October, 13, 9, 0, 0, 1, z)},
		{15 * time.Minute, time.Date(2026, time.October, 13, 9, 5, 0, 0, z)},
	} {
		if got := c.Add(friday, test.while); !got.Equal(test.want) {
			t.Errorf("%v: %v, want %v", test.while, got, test.want)
		}
	}
	if got := c.Between(friday, friday.Add(-time.Hour)); got != 0 {
		t.Errorf("backwards: %v, want 0", got)
	}
}

func TestTheZeroCalendarIsAlwaysOpen(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var c hours.Calendar
	if !c.Open(now) || !c.Add(now, 49*time.Hour).Equal(now.Add(49*time.Hour)) || c.Between(now, now.Add(49*time.Hour)) != 49*time.Hour {
		t.Error("the zero Calendar is closed at times")
	}
}

func BenchmarkAdd(b *testing.B) {
	z, err := zone.Load("America/Toronto")
	if err != nil {
		b.Fatal(err)
	}
	lines, err := hours.Parse("Mon-Fri 9:00-17:30", "2026-10-12 Thanksgiving", z)
	if err != nil {
		b.Fatal(err)
	}
	c, friday := lines.Of("", ""), time.Date(2026, time.October, 9, 17, 20, 0, 0, z)
	for b.Loop() {
		c.Add(friday, time.Hour)
	}
}
