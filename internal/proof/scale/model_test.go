package scale_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/internal/proof/scale"
	"github.com/ringback/ringback/internal/table"
)

// near reports whether two numbers differ by no more than a part of want.
func near(got, want, part float64) bool { return math.Abs(got-want) <= part*math.Abs(want) }

// Rounded before they are added up: two halves of a KB are two units.
func TestAnEventsUnitsAreNoLessThanItsBytes(t *testing.T) {
	t.Parallel()
	traffic := model(t)
	for format, w := range map[string]scale.Weight{"A": traffic.A, "B": traffic.B} {
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
	if traffic.Calls < traffic.Missed || traffic.Phones < traffic.Entries {
		t.Error("an entry of an index costs less than a unit")
	}
	if traffic.Alerts > traffic.Missed || traffic.Missed >= 1 {
		t.Errorf("%g alerts and %g records per event: an alert comes of one record at the least, and not of each event", traffic.Alerts, traffic.Missed)
	}
}

// The simulation draws from the writes, the arithmetic takes the means.
func TestTheWritesHaveTheMeans(t *testing.T) {
	t.Parallel()
	traffic := model(t)
	var table, phones, calls, marks float64
	n := 0.0
	for _, w := range traffic.Writes {
		table += float64(w.Count * w.Table)
		phones += float64(w.Count * w.Phone)
		calls += float64(w.Count * w.Call)
		marks += float64(w.Count * w.Mark)
		n += float64(w.Count)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"table", table / n, traffic.Table},
		{"marks", marks / n, traffic.Alerts},
		{"GSI1", phones / n, traffic.Phones},
		{"GSI2", calls / n, traffic.Calls},
	} {
		// The events that belong to nothing are left out: no more than a hundredth.
		if !near(c.got, c.want, 0.01) {
			t.Errorf("%s: the writes have %g, the mean says %g", c.name, c.got, c.want)
		}
	}
}

func TestTheBusiestHourIsBusierThanTheDay(t *testing.T) {
	t.Parallel()
	m := model(t)
	for _, mean := range scale.Rates {
		s := m.At(mean)
		for hour := range 24 {
			if rate := mean * scale.HourFactor(hour); rate > s["Peak"] {
				t.Errorf("%g events/s have %g in hour %d, and %g in the busiest", mean, rate, hour, s["Peak"])
			}
		}
		// What is counted per second is counted in that hour.
		if want := (m.Table + 3*m.Alerts) * s["Peak"]; !near(s["TableWrites"], want, 1e-9) {
			t.Errorf("%g events/s: %g write units/s, want %g", mean, s["TableWrites"], want)
		}
	}
}

// busy returns the concurrent executions of the alerts function.
func busy(m *scale.Model, s scale.Step) float64 {
	return m.Alerting(s["Peak"], s["TablePartitions"], m.Parallel, 0)["Busy"]
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
		{"writes", one["TableWrites"], ten["TableWrites"]},
		{"reads", one["TableReads"], ten["TableReads"]},
		{"executions", one["Webhook"], ten["Webhook"]},
		{"alerts", one["Alerts"], ten["Alerts"]},
	} {
		if !near(c.ten, 10*c.one, 1e-9) {
			t.Errorf("%s: %g, and %g at ten times the rate", c.name, c.one, c.ten)
		}
	}
}

// What a limit takes where it is reached is its quota, and so is what the day
// with that mean has: whoever forgets a part of the use sees it here.
func TestLimitsAreReachedWhereTheQuotaIsUsed(t *testing.T) {
	t.Parallel()
	m := model(t)
	limits := make(map[string]scale.Limit)
	last := 0.0
	for _, l := range m.Limits() {
		limits[l.Name] = l
		if l.Events < last || l.Events <= 0 || math.IsInf(l.Events, 0) {
			t.Errorf("%s is reached at %g, after %g", l.Name, l.Events, last)
		}
		last = l.Events
	}
	running := func(s scale.Step) float64 { return s["Webhook"] + busy(m, s) }
	hanging := func(s scale.Step) float64 { return s["Peak"] * m.HangTime }
	for _, c := range []struct {
		name string
		use  func(scale.Step) float64
		want float64
	}{
		{"Lambda, new account", running, 10},
		{"Lambda", running, 1_000},
		{"Lambda, new account, while the table hangs", hanging, 10},
		{"Lambda, while the table hangs", hanging, 1_000},
		{"GSI2, the four `ALERT#<day>#<shard>`", func(s scale.Step) float64 { return s["AlertListWrites"] }, 4_000},
		{"table, when new", func(s scale.Step) float64 { return s["TableWrites"] }, 4_000},
		{"table, quota", func(s scale.Step) float64 { return s["TableWrites"] }, 40_000},
		{"table reads, quota", func(s scale.Step) float64 { return s["TableReads"] }, 40_000},
		{"SNS, us-east-1", func(s scale.Step) float64 { return s["Alerts"] }, 30_000},
		{"text messages, new account", func(s scale.Step) float64 { return s["Mean"] * m.Alerts * 86_400 * 30 }, 100},
	} {
		l, ok := limits[c.name]
		if !ok {
			t.Errorf("no limit %q", c.name)
			continue
		}
		// The alerts' part has steps where the table gets one more partition: one may lead over the quota.
		before, got := c.use(m.At(l.Mean*(1-1e-4))), c.use(m.At(l.Mean))
		if before >= c.want || got < c.want*(1-1e-6) || !near(got, c.want, 5e-3) {
			t.Errorf("%s is reached at %g events/s, but takes %g of %g then, and %g just before", c.name, l.Events, got, c.want, before)
		}
	}
}

// A setting that a limit asks for is enough for the busiest hour, of all that
// shares it.
func TestWhatIsSetIsEnough(t *testing.T) {
	t.Parallel()
	m := model(t)
	needs := make(map[string]scale.Limit)
	for _, n := range m.Needs() {
		needs[n.Set] = n
	}
	for _, rate := range scale.Rates {
		s := m.At(rate)
		for _, l := range m.Limits() {
			if l.Set == "" {
				continue
			}
			if n := needs[l.Set]; n.Quota != l.Quota || n.Need(s) < s[l.Load] {
				t.Errorf("%g events/s take %g of %s; set is %g, without it there are %g", rate, s[l.Load], l.Name, n.Need(s), n.Quota)
			}
		}
		if n := needs["Lambda quota *Concurrent executions*"]; n.Set == "" || n.Need(s) < s["Webhook"]+busy(m, s) {
			t.Errorf("%g events/s run %g and %g times at once, which the quota does not hold", rate, s["Webhook"], busy(m, s))
		}
	}
}

func TestExecutionsAreByDurationOrByRate(t *testing.T) {
	t.Parallel()
	// Short invocations: an environment takes ten a second, not a hundred.
	if got := scale.Concurrent(1000, 0.010); got != 100 {
		t.Errorf("1 000 invocations/s of 10 ms run %g times at once, want 100", got)
	}
	if got := scale.Concurrent(1000, 0.5); got != 500 {
		t.Errorf("1 000 invocations/s of 500 ms run %g times at once, want 500", got)
	}
}

func TestPartitionsAreForWritesAndForReads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		writes, reads float64
		want          float64
	}{
		{"an idle table", 0, 0, 4},
		{"twice the writes", 10_000, 0, 20},
		{"a part of one more", 10_001, 0, 21},
		{"twice the reads, of which a partition takes three times as many", 0, 30_000, 20},
		{"the one that needs more", 10_000, 3_000, 20},
	} {
		if got := scale.Partitions(test.writes, test.reads); got != test.want {
			t.Errorf("%s: %g partitions, want %g", test.name, got, test.want)
		}
	}
}

func TestOneKeyIsOnOnePartition(t *testing.T) {
	t.Parallel()
	const keys, partitions = 50_000, 50
	var count [partitions]int
	for i := range keys {
		key := table.CallPartition("call_" + strconv.Itoa(i))
		n := scale.Partition(key, partitions)
		if n != scale.Partition(key, partitions) {
			t.Fatalf("%s is on two partitions", key)
		}
		count[n]++
		if got := scale.Partition(key, 1); got != 0 {
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

func TestEachHourIsPlayedWithItsOwnRate(t *testing.T) {
	t.Parallel()
	m := model(t)
	const mean, seconds = 100, 5
	s := m.At(mean)
	for hour := range 24 {
		want := mean * scale.HourFactor(hour) * seconds
		// Five standard deviations.
		if got := m.Play(s, seconds, hour, hour+1).Events; math.Abs(float64(got)-want) > 5*math.Sqrt(want) {
			t.Errorf("hour %d has %d events, want about %g", hour, got, want)
		}
	}
	played, again := m.Play(s, seconds, 0, 24), m.Play(s, seconds, 0, 24)
	if diff := cmp.Diff(played, again, cmpopts.IgnoreUnexported(scale.Meter{})); diff != "" {
		t.Errorf("played again it is another:\n%s", diff)
	}
	if quiet := m.Play(s, seconds, 3, 4); quiet.Table.Hour > played.Table.Hour/10 {
		t.Errorf("the night's hour takes %g units/s, the busiest one %g", quiet.Table.Hour, played.Table.Hour)
	}
}

// What falls on partitions in the busiest hour is what its events weigh.
func TestTheBusiestHourAsPlayed(t *testing.T) {
	t.Parallel()
	m := model(t)
	const mean = 400
	s := m.At(mean)
	one := m.Play(scale.Step{"Mean": mean, "TablePartitions": 1, "GSI1Partitions": 1}, 5, 0, 24)
	for _, c := range []struct {
		name string
		got  scale.Meter
		want float64
	}{
		{"table", one.Table, s["TableWrites"]},
		{"GSI1", one.Phones, s["GSI1Writes"]},
		{"alerts", one.Alerts, s["Alerts"]},
	} {
		if !near(c.got.Hour, c.want, 0.05) {
			t.Errorf("%s: %g a second as played, %g as computed", c.name, c.got.Hour, c.want)
		}
		if c.got.Second < c.got.Hour || c.got.Second > 1.5*c.got.Hour {
			t.Errorf("%s: the busiest second has %g, the busiest hour %g a second", c.name, c.got.Second, c.got.Hour)
		}
	}
	if got, want := one.Day.Hour, s["AlertListWrites"]/m.Shards; !near(got, want, 0.1) {
		t.Errorf("the day's busiest key: %g a second as played, %g as computed", got, want)
	}
	many := m.Play(s, 5, 0, 24)
	if each := s["TableWrites"] / s["TablePartitions"]; many.Table.Hour < each || many.Table.Hour > 1.3*each {
		t.Errorf("the busiest of %g partitions takes %g units/s, one's mean is %g", s["TablePartitions"], many.Table.Hour, each)
	}
	if many.Caller.Hour <= 0 || many.Caller.Hour > many.Phones.Hour {
		t.Errorf("one caller takes %g units/s, the busiest partition %g", many.Caller.Hour, many.Phones.Hour)
	}
}

func TestShardsAreEnoughForAThousandEventsASecond(t *testing.T) {
	t.Parallel()
	m := model(t)
	if each := m.At(1000)["AlertListWrites"] / m.Shards; each > 500 {
		t.Errorf("%g keys take %g units/s each, want no more than half of what one takes", m.Shards, each)
	}
}

// What docs/scale.md says may not grow.
func TestAnEventTakesFewWriteUnits(t *testing.T) {
	t.Parallel()
	// 2.75, and an entry in the list of its day of each call that was answered.
	const most = 2.84
	if got := model(t).Units(); got >= most {
		t.Errorf("an event takes %g write units, want less than %g", got, most)
	}
}

func TestAlertsAreWorkedOffInBatches(t *testing.T) {
	t.Parallel()
	m := model(t)
	const rate, shards, parallel = 1000, 4, 10
	a := m.Alerting(rate, shards, parallel, 0)
	if got := a["Invocations"] * a["Batch"]; !near(got, a["Records"], 1e-9) {
		t.Errorf("invocations get %g records/s of %g", got, a["Records"])
	}
	// Ten alerts of a batch take a tenth of a second, in each of forty batches.
	if a["Capacity"] != 4000 {
		t.Errorf("40 batches take %g records/s, want 4 000", a["Capacity"])
	}
	if a["Busy"] > a["Batches"] {
		t.Errorf("%g of %g batches are worked on", a["Busy"], a["Batches"])
	}
	few := m.Alerting(rate, shards, 2, 1)
	if few["Batch"] <= a["Batch"] || few["Publishes"] >= a["Publishes"] || few["Busy"] >= a["Busy"] || few["Age"] <= a["Age"] {
		t.Errorf("fewer batches that wait make %+v, not larger batches than %+v", few, a)
	}
	if full := m.Alerting(1e9, shards, parallel, 0); full["Batch"] != m.Batch {
		t.Errorf("a batch has %g records, of %g at the most", full["Batch"], m.Batch)
	}
	if quiet := m.Alerting(0.1, shards, parallel, 0); quiet["Batch"] != 1 || quiet["Tens"] != quiet["Records"] || quiet["Publishes"] != quiet["Alerts"] {
		t.Errorf("now and then a record: %+v, want an invocation for each and a request for each alert", quiet)
	}
}

func TestCatchingUpTakesWhatIsLeftOfTheCapacity(t *testing.T) {
	t.Parallel()
	m := model(t)
	// Half an hour's records, while those that still arrive are handled too.
	a := m.Alerting(1000, 4, 10, 0)
	if want := 1800 * a["Records"] / (4000 - a["Records"]); !near(a["CatchUp"], want, 1e-9) {
		t.Errorf("got %g s, want %g", a["CatchUp"], want)
	}
	if got := m.Alerting(1e9, 4, 10, 0)["CatchUp"]; !math.IsInf(got, 1) {
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
	for _, l := range model(t).Limits() {
		if l.Load == "CrowdedSeconds" {
			rate := model(t).At(l.Mean)["Alerts"]
			if got := scale.MoreThan(10, rate) * 3600; !near(got, 1, 0.001) {
				t.Errorf("at %g/s, %g seconds of an hour have more than ten, want 1", rate, got)
			}
			return
		}
	}
	t.Error("no limit is that of an address")
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

func TestTheMixOfEventsCanBeAnother(t *testing.T) {
	t.Parallel()
	m := model(t)
	few := m.With(0.1)
	if got, want := few.Alerts/few.Missed, m.Alerts/m.Missed; !near(few.Missed, 0.1, 1e-9) || !near(got, want, 1e-9) {
		t.Errorf("%g of the events are records, with %g alerts each, want 0.1 with %g", few.Missed, got, want)
	}
	if few.Total(10) >= m.Total(10) {
		t.Error("fewer alerts cost no less")
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
		{scale.Up(255.5), "256"},
		{scale.Span(4.54), "4.5 s"},
		{scale.Span(190), "3.2 min"},
		{scale.Span(math.Inf(1)), "never"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// What limits.yaml repeats of the template.
func TestTheLimitsHaveTheSettings(t *testing.T) {
	t.Parallel()
	m := model(t)
	want := map[string]float64{
		"parameter `ThrottleRate`":                           m.ThrottleRate,
		"`DrainFunction` `ScalingConfig.MaximumConcurrency`": m.Drains,
	}
	for _, l := range m.Needs() {
		if quota, ok := want[l.Set]; ok && l.Quota == quota {
			delete(want, l.Set)
		}
	}
	if len(want) > 0 {
		t.Errorf("limits.yaml has other quotas than %v", want)
	}
}

func TestEveryLimitHasALoad(t *testing.T) {
	t.Parallel()
	m := model(t)
	step := m.At(1)
	for _, l := range append(m.Limits(), m.Needs()...) {
		if _, ok := step[l.Load]; !ok {
			t.Errorf("%s%s: no load %q", l.Name, l.Set, l.Load)
		}
	}
}
