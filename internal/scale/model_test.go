package scale_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/scale"
	"github.com/ringback/ringback/internal/table"
)

// near reports whether two numbers differ by no more than a part of want.
func near(got, want, part float64) bool { return math.Abs(got-want) <= part*math.Abs(want) }

func TestUnitsAreRoundedUpPerWrite(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ bytes, writes int }{{0, 1}, {1, 1}, {1024, 1}, {1025, 2}, {2048, 2}, {400 << 10, 400}} {
		if got := scale.WriteUnits(test.bytes); got != test.writes {
			t.Errorf("%d bytes are written with %d units, want %d", test.bytes, got, test.writes)
		}
	}
	for _, test := range []struct {
		bytes      int
		consistent bool
		want       float64
	}{{0, true, 1}, {0, false, 0.5}, {4096, true, 1}, {4097, true, 2}, {4097, false, 1}, {100 * 300, false, 4}} {
		if got := scale.ReadUnits(test.bytes, test.consistent); got != test.want {
			t.Errorf("%d bytes are read with %g units (consistent: %t), want %g", test.bytes, got, test.consistent, test.want)
		}
	}
}

// Rounded before they are added up: two halves of a KB are two units.
func TestAnEventsUnitsAreNoLessThanItsBytes(t *testing.T) {
	t.Parallel()
	traffic := model(t).Traffic
	for format, w := range traffic.Format {
		if w.Units < max(1, w.Bytes/1024) || w.Units > w.Bytes/1024+1 {
			t.Errorf("format %s: %g units for %g bytes", format, w.Units, w.Bytes)
		}
		if w.Bytes <= w.Body {
			t.Errorf("format %s: an item of %g bytes holds a body of %g", format, w.Bytes, w.Body)
		}
	}
	if traffic.EntryBytes >= traffic.Bytes {
		t.Errorf("an entry of GSI1 has %g bytes, the item %g: the index leaves the payload out", traffic.EntryBytes, traffic.Bytes)
	}
	if traffic.Calls < traffic.Records || traffic.Phones < traffic.Entries {
		t.Error("an entry of an index costs less than a unit")
	}
	if traffic.Alerts > traffic.Records || traffic.Records >= 1 {
		t.Errorf("%g alerts and %g records per event: an alert comes of one record at the least, and not of each event", traffic.Alerts, traffic.Records)
	}
}

func TestWhatIsWrittenIsInTheStories(t *testing.T) {
	t.Parallel()
	traffic := model(t).Traffic
	var sum struct{ events, alerts, table, phones, calls float64 }
	for _, story := range traffic.Stories {
		sum.alerts += float64(story.Alerts)
		for _, w := range story.Writes {
			sum.events++
			sum.table += float64(w.Table)
			sum.phones += float64(w.Phone)
			sum.calls += float64(w.Call)
		}
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"events", sum.events, float64(traffic.Events)},
		{"alerts", sum.alerts / sum.events, traffic.Alerts},
		{"table", sum.table / sum.events, traffic.Table},
		{"GSI1", sum.phones / sum.events, traffic.Phones},
		{"GSI2", sum.calls / sum.events, traffic.Calls},
	} {
		if !near(c.got, c.want, 1e-9) {
			t.Errorf("%s: the stories have %g, the mean says %g", c.name, c.got, c.want)
		}
	}
}

func TestTheBusiestHourIsBusierThanTheDay(t *testing.T) {
	t.Parallel()
	m := model(t)
	for _, mean := range scale.Rates {
		s := m.At(mean)
		if s.Peak < 1.5*mean || s.Peak > 24*mean {
			t.Errorf("%g events/s have %g in the busiest hour", mean, s.Peak)
		}
		// What is counted per second is counted in that hour.
		if want := m.Writes().Table * s.Peak; !near(s.Writes.Table, want, 1e-9) {
			t.Errorf("%g events/s: %g write units/s, want %g", mean, s.Writes.Table, want)
		}
	}
}

// Ten times the events are ten times the load of everything that is no limit of
// its own.
func TestLoadsGrowWithTheRate(t *testing.T) {
	t.Parallel()
	m := model(t)
	one, ten := m.At(100), m.At(1000)
	for _, c := range []struct {
		name     string
		one, ten float64
	}{
		{"writes", one.Writes.Table, ten.Writes.Table},
		{"reads", one.Reads.Phones, ten.Reads.Phones},
		{"places", one.Webhook, ten.Webhook},
		{"records", one.Alerts.Records, ten.Alerts.Records},
	} {
		if !near(c.ten, 10*c.one, 1e-9) {
			t.Errorf("%s: %g, and %g at ten times the rate", c.name, c.one, c.ten)
		}
	}
}

// A limit ends where what is loaded is what it takes.
func TestLimitsEndWhereTheyAreReached(t *testing.T) {
	t.Parallel()
	m := model(t)
	limits := make(map[string]scale.Limit)
	last := 0.0
	for _, l := range m.Limits() {
		limits[l.Name] = l
		if l.Events < last || l.Events <= 0 || math.IsInf(l.Events, 0) {
			t.Errorf("%s ends at %g, after %g", l.Name, l.Events, last)
		}
		last = l.Events
		if got := m.At(l.Mean()).Peak; !near(got, l.Events, 1e-9) {
			t.Errorf("%s ends at %g; the day with that mean has %g in its busiest hour", l.Name, l.Events, got)
		}
	}
	for _, c := range []struct {
		name string
		load func(scale.Step) float64
		want float64
	}{
		{"**GSI2, `ALERT#<day>`**", func(s scale.Step) float64 { return s.Writes.Calls }, 1_000},
		{"table, when new", func(s scale.Step) float64 { return s.Writes.Table }, 4_000},
		{"table", func(s scale.Step) float64 { return s.Writes.Table }, 40_000},
		{"GSI1, reads", func(s scale.Step) float64 { return s.Reads.Phones }, 40_000},
		{"SNS, us-east-1", func(s scale.Step) float64 { return s.Alerts.Alerts }, 30_000},
		{"Lambda", func(s scale.Step) float64 { return s.Webhook }, 1_000},
	} {
		l, ok := limits[c.name]
		if !ok {
			t.Errorf("no limit %q", c.name)
			continue
		}
		if got := c.load(m.At(l.Mean())); !near(got, c.want, 1e-9) {
			t.Errorf("%s ends at %g events/s, but then takes %g of %g", c.name, l.Events, got, c.want)
		}
	}
}

func TestPlacesAreByDurationOrByRate(t *testing.T) {
	t.Parallel()
	// Short invocations: an environment takes ten a second, not a hundred.
	if got := scale.Places(1000, 0.010); got != 100 {
		t.Errorf("1 000 invocations/s of 10 ms take %g places, want 100", got)
	}
	if got := scale.Places(1000, 0.5); got != 500 {
		t.Errorf("1 000 invocations/s of 500 ms take %g places, want 500", got)
	}
}

func TestPartitionsAreForWritesAndForReads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		writes, reads float64
		want          int
	}{
		{"an idle table", 0, 0, 4},
		{"twice the writes", 10_000, 0, 20},
		{"a part of one more", 10_001, 0, 21},
		{"twice the reads, of which a partition takes three times as many", 0, 30_000, 20},
		{"the one that needs more", 10_000, 3_000, 20},
	} {
		if got := scale.Partitions(test.writes, test.reads); got != test.want {
			t.Errorf("%s: %d partitions, want %d", test.name, got, test.want)
		}
	}
}

func TestOneKeyIsOnOnePartition(t *testing.T) {
	t.Parallel()
	const keys, partitions = 50_000, 50
	var count [partitions]int
	for i := range keys {
		key := table.CallPartition("call_" + strconv.Itoa(i))
		n := scale.PartitionOf(key, partitions)
		if n != scale.PartitionOf(key, partitions) {
			t.Fatalf("%s is on two partitions", key)
		}
		count[n]++
		if got := scale.PartitionOf(key, 1); got != 0 {
			t.Fatalf("%s is on partition %d of one", key, got)
		}
	}
	// 1 000 keys are expected on each, and 32 are one standard deviation.
	for n, got := range count {
		if !near(float64(got), keys/partitions, 0.16) {
			t.Errorf("partition %d has %d keys of %d", n, got, keys)
		}
	}
}

// What is computed for an hour is what happens when its events are played.
func TestTheSpreadIsAsPlayed(t *testing.T) {
	t.Parallel()
	m := model(t)
	const mean = 1000
	layout := m.At(mean).Layout
	layout.Shards = 4
	computed, played := m.Spread(mean, layout), m.Play(mean, layout, 30_000)
	for _, c := range []struct {
		name      string
		got, want scale.Loads
	}{
		{"table", played.Table, computed.Table},
		{"GSI1", played.Phones, computed.Phones},
		{"GSI2", played.Calls, computed.Calls},
	} {
		if !near(c.got.All, c.want.All, 0.05) {
			t.Errorf("%s takes %g units/s as played, %g as computed", c.name, c.got.All, c.want.All)
		}
		if !near(c.got.Partition, c.want.Partition, 0.10) {
			t.Errorf("%s: the busiest partition takes %g units/s as played, %g as computed", c.name, c.got.Partition, c.want.Partition)
		}
		// Some hundred events of the busiest caller and of the busiest shared
		// key are played, so that a fifth more or less is chance.
		if !near(c.got.KeyUnits, c.want.KeyUnits, 0.30) {
			t.Errorf("%s: the busiest key takes %g units/s as played, %g as computed", c.name, c.got.KeyUnits, c.want.KeyUnits)
		}
	}
	if once, twice := m.Play(mean, layout, 1000), m.Play(mean, layout, 1000); once != twice {
		t.Errorf("played again it is another: %+v and %+v", once, twice)
	}
}

func TestPartitionsTakeWhatTheTableTakes(t *testing.T) {
	t.Parallel()
	m := model(t)
	for _, mean := range scale.Rates {
		s := m.At(mean)
		for shards := 1; shards <= 64; shards *= 4 {
			layout := s.Layout
			layout.Shards = shards
			spread := m.Spread(mean, layout)
			if !near(spread.Table.All, s.Writes.Table, 1e-9) || !near(spread.Phones.All, s.Writes.Phones, 1e-9) || !near(spread.Calls.All, s.Writes.Calls, 1e-9) {
				t.Errorf("%g events/s: %+v is spread of %+v", mean, spread, s.Writes)
			}
			for _, l := range []scale.Loads{spread.Table, spread.Phones, spread.Calls} {
				if l.Partition < l.KeyUnits || l.Partition > l.All*(1+1e-9) {
					t.Errorf("%g events/s: a partition takes %g of %g, its busiest key %g", mean, l.Partition, l.All, l.KeyUnits)
				}
			}
		}
	}
}

// More partitions do not help one key; more keys do.
func TestOneKeyADayTakesItAll(t *testing.T) {
	t.Parallel()
	m := model(t)
	const mean = 100_000
	layout := m.At(mean).Layout
	one := m.Spread(mean, layout).Calls
	if one.KeyUnits != one.All || one.Partition != one.All {
		t.Errorf("of %g units/s one key takes %g and one partition %g", one.All, one.KeyUnits, one.Partition)
	}
	layout.Calls *= 10
	if wider := m.Spread(mean, layout).Calls; wider.Partition != one.Partition {
		t.Errorf("on ten times the partitions the busiest takes %g, and not %g", wider.Partition, one.Partition)
	}
	layout.Shards = 8
	if sharded := m.Spread(mean, layout).Calls; !near(sharded.KeyUnits, one.All/8, 1e-9) || !strings.HasPrefix(sharded.Key, one.Key+"#") {
		t.Errorf("one of eight keys, %s, takes %g of %g units/s", sharded.Key, sharded.KeyUnits, one.All)
	}
	needed := m.Shards(mean)
	if each := one.All / float64(needed); each > 500 || each <= 250 {
		t.Errorf("%d keys take %g units/s each, want more than 250 and no more than 500", needed, each)
	}
	if got := m.Shards(10); got != 1 {
		t.Errorf("10 events/s need %d keys a day, want 1", got)
	}
}

func TestAlertsAreWorkedOffInLanes(t *testing.T) {
	t.Parallel()
	m := model(t)
	const rate, shards, lanes = 1000, 4, 10
	a := m.Alerting(rate, shards, lanes, 0)
	if got := a.Invocations * a.Batch; !near(got, a.Records, 1e-9) {
		t.Errorf("invocations get %g records/s of %g", got, a.Records)
	}
	// Ten alerts of a batch take a tenth of a second, in each of forty lanes.
	if a.Capacity != 4000 {
		t.Errorf("40 lanes take %g records/s, want 4 000", a.Capacity)
	}
	if a.Busy > a.Lanes {
		t.Errorf("%g of %g lanes are busy", a.Busy, a.Lanes)
	}
	few := m.Alerting(rate, shards, 2, 1)
	if few.Batch <= a.Batch || few.Publishes >= a.Publishes || few.Busy >= a.Busy || few.Age <= a.Age {
		t.Errorf("fewer lanes that wait make %+v, not larger batches than %+v", few, a)
	}
	if full := m.Alerting(1e9, shards, lanes, 0); full.Batch != m.Settings.Batch {
		t.Errorf("a batch has %g records, of %g at the most", full.Batch, m.Settings.Batch)
	}
	if quiet := m.Alerting(0.1, shards, lanes, 0); quiet.Batch != 1 || quiet.Tens != quiet.Records || quiet.Publishes != quiet.Alerts {
		t.Errorf("now and then a record: %+v, want an invocation for each and a request for each alert", quiet)
	}
}

func TestCatchingUpTakesWhatIsLeftOfTheCapacity(t *testing.T) {
	t.Parallel()
	// 100 s × 30/s = 3 000, of which 70/s are worked off beside what comes.
	if got := scale.CatchUp(30, 100, 100); !near(got, 3000.0/70, 1e-9) {
		t.Errorf("got %g s, want %g", got, 3000.0/70)
	}
	if got := scale.CatchUp(100, 100, 1); !math.IsInf(got, 1) {
		t.Errorf("with no capacity left it takes %g s, want for ever", got)
	}
}

func TestManyInOneSecond(t *testing.T) {
	t.Parallel()
	// Of the Poisson distribution, P(N > 10) for a mean of 5 is 0.0137.
	if got := scale.MoreThan(10, 5); !near(got, 0.0137, 0.01) {
		t.Errorf("got %g", got)
	}
	if got := scale.MoreThan(0, 1); !near(got, 1-1/math.E, 1e-9) {
		t.Errorf("more than none of one expected: %g, want %g", got, 1-1/math.E)
	}
	rate := scale.RateOnceAnHour(10)
	if got := scale.MoreThan(10, rate) * 3600; !near(got, 1, 0.001) {
		t.Errorf("at %g/s, %g seconds of an hour have more than ten, want 1", rate, got)
	}
}

func TestCheaperTiersAreForWhatIsAboveOnly(t *testing.T) {
	t.Parallel()
	const terabyte = 1 << 10
	// Somebody else's sum of AWS's prices, for 60 TB: 12 500 USD in decimal terabytes.
	want := 10*terabyte*0.50 + 20*terabyte*0.25 + 20*terabyte*0.10 + 10*terabyte*0.05
	if got := scale.LogCost(60 * terabyte); !near(got, want, 1e-9) {
		t.Errorf("60 TB cost %g, want %g", got, want)
	}
	for _, gigabytes := range []float64{1, 10 * terabyte, 30 * terabyte, 50 * terabyte} {
		if below, above := scale.LogCost(gigabytes-0.001), scale.LogCost(gigabytes+0.001); above < below || above-below > 0.01 {
			t.Errorf("%g GB: from %g to %g", gigabytes, below, above)
		}
	}
}

func TestAMonthCostsWhatItsEventsCost(t *testing.T) {
	t.Parallel()
	m := model(t)
	one, two := m.Costs(1), m.Costs(2)
	for i, c := range one {
		if c.USD <= 0 {
			t.Errorf("%s costs %g", c.Name, c.USD)
		}
		// No tier is reached with these.
		if !near(two[i].USD, 2*c.USD, 1e-6) {
			t.Errorf("%s: %g, and %g for twice the events", c.Name, c.USD, two[i].USD)
		}
		const events = 30 * 86_400
		if c.Name == "API Gateway" && !near(c.USD, events*1e-6, 1e-9) {
			t.Errorf("%d requests cost %g at 1 USD a million", events, c.USD)
		}
	}
}

func TestFiguresTellWhereTheyAreFrom(t *testing.T) {
	t.Parallel()
	for _, f := range scale.Figures() {
		if f.Name == "" || f.Value == "" || !strings.HasPrefix(f.Source, "https://") {
			t.Errorf("figure without name, value or source: %+v", f)
		}
		switch f.Seen {
		case scale.SeenRead, scale.SeenRepeated, scale.SeenNot:
		default:
			t.Errorf("%s was seen %q", f.Name, f.Seen)
		}
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{scale.About(0), "0"},
		{scale.About(0.0251), "0.03"},
		{scale.About(0.28), "0.28"},
		{scale.About(2.449), "2.4"},
		{scale.About(99.6), "100"},
		{scale.About(2449), "2 400"},
		{scale.About(1_234_567), "1 200 000"},
		{scale.USD(14.249), "14.2"},
		{scale.USD(1_264_567), "1 260 000"},
		{scale.Up(3601), "3 700"},
		{scale.Up(41_100), "42 000"},
		{scale.Up(7), "7"},
		{scale.Span(4.54), "4.5 s"},
		{scale.Span(7200), "2 h"},
		{scale.Span(716_000), "8.3 days"},
		{scale.Span(math.Inf(1)), "never"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
