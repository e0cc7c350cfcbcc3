package storm

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/table"
)

// Report says what a storm has shown. [Report.Err] tells whether it is good.
type Report struct {
	Seed uint64
	// Sent is how many deliveries there were, of so many Distinct events.
	Sent, Distinct int
	// Statuses counts the tries by what they were answered; 0 is no answer.
	Statuses map[int]int
	// GivenUp is how many deliveries were never answered 200.
	GivenUp int

	// Stored is how many events are in the table, Lost how many are not, and
	// Extra how many keys of events are there that are no event's: one was
	// stored twice.
	Stored, Lost, Extra int

	// Expected is how many alerts there had to be; Alerted how many of them were
	// taken, and Missing how many were not. Twice is how often one was taken
	// again.
	Expected, Alerted, Missing, Twice int
	// Unexpected is how many alerts were taken that had to be none, and
	// Unreadable how many were no alert.
	Unexpected, Unreadable int
	// PublishFailed is how many tries to alert were failed on purpose.
	PublishFailed int

	// Latency is of every try that was answered, and Delay from the first
	// answer 200 of an alert's events until the alert was taken.
	Latency, Delay Percentiles
	// PerSecond is how many deliveries were answered in a second.
	PerSecond float64

	// NoAnswer and Unsettled are those of the [Result].
	NoAnswer, Unsettled error
	// Examples names some of what is lost, extra, missing, twice or
	// unexpected.
	Examples []string
}

// Check compares what was seen with what the plan demands.
func Check(plan *Plan, seen *Result) *Report {
	r := &Report{
		Seed:          plan.Mix.Seed,
		Sent:          len(plan.Deliveries),
		Distinct:      len(plan.Events),
		Statuses:      make(map[int]int),
		Unreadable:    seen.Published.Unreadable,
		PublishFailed: seen.Published.Failed,
		NoAnswer:      seen.NoAnswer,
		Unsettled:     seen.Unsettled,
	}
	r.checkAnswers(seen)
	r.checkTable(plan, seen)
	r.checkAlerts(plan, seen)
	return r
}

func (r *Report) checkAnswers(seen *Result) {
	var latencies []time.Duration
	for _, answer := range seen.Answers {
		if answer.At.IsZero() {
			r.GivenUp++
		}
		for _, try := range answer.Tries {
			r.Statuses[try.Status]++
			if try.Status != 0 {
				latencies = append(latencies, try.Took)
			}
		}
	}
	r.Latency = percentiles(latencies)
	if seen.Took > 0 {
		r.PerSecond = float64(r.Sent-r.GivenUp) / seen.Took.Seconds()
	}
}

func (r *Report) checkTable(plan *Plan, seen *Result) {
	stored := make(map[table.Key]int, len(seen.Stored))
	for _, key := range seen.Stored {
		stored[key]++
	}
	var lost, extra []string
	for i := range plan.Events {
		key := plan.Events[i].Key
		if stored[key] == 0 {
			lost = append(lost, key.PK+" "+key.SK)
			continue
		}
		r.Stored++
		stored[key]-- // what is left in the end belongs to no event
	}
	for key, times := range stored {
		for range times {
			extra = append(extra, key.PK+" "+key.SK)
		}
	}
	r.Lost, r.Extra = len(lost), len(extra)
	r.examples("lost", lost)
	r.examples("extra", extra)
}

func (r *Report) checkAlerts(plan *Plan, seen *Result) {
	known := firstAnswers(plan, seen)
	expected := plan.Alerts()
	taken := make(map[string]bool, len(seen.Published.Taken))
	var delays []time.Duration
	var missing, twice, unexpected []string
	for _, alert := range seen.Published.Taken {
		_, wanted := expected[alert.ID]
		switch {
		case !wanted:
			unexpected = append(unexpected, alert.ID)
		case taken[alert.ID]:
			twice = append(twice, alert.ID)
		default:
			taken[alert.ID] = true
			if first, ok := known[alert.ID]; ok {
				delays = append(delays, max(0, alert.At.Sub(first))) // it may overtake the answer
			}
		}
	}
	for id := range expected {
		if !taken[id] {
			missing = append(missing, id)
		}
	}
	r.Expected, r.Alerted, r.Missing = len(expected), len(taken), len(missing)
	r.Twice, r.Unexpected = len(twice), len(unexpected)
	r.Delay = percentiles(delays)
	r.examples("not alerted", missing)
	r.examples("alerted twice", twice)
	r.examples("alerted without a reason", unexpected)
}

// firstAnswers returns when the stack first knew of what each alert is about.
func firstAnswers(plan *Plan, seen *Result) map[string]time.Time {
	known := make(map[string]time.Time)
	for i, answer := range seen.Answers {
		id := plan.Events[plan.Deliveries[i].Event].Alert
		if id == "" || answer.At.IsZero() {
			continue
		}
		if first, ok := known[id]; !ok || answer.At.Before(first) {
			known[id] = answer.At
		}
	}
	return known
}

// maxExamples of each fault are named.
const maxExamples = 3

// examples names some of those that have a fault.
func (r *Report) examples(fault string, names []string) {
	slices.Sort(names)
	for _, name := range names[:min(len(names), maxExamples)] {
		r.Examples = append(r.Examples, fault+": "+name)
	}
}

// ErrBroken says that the stack has not kept what it promises.
var ErrBroken = errors.New("the stack has not kept its promises")

// Err returns nil if nothing was lost, stored twice, not alerted or alerted
// twice, and every delivery was answered 200 in the end. Otherwise the error
// names what was, and wraps [ErrBroken].
func (r *Report) Err() error {
	var faults []string
	for _, fault := range []struct {
		times int
		what  string
	}{
		{r.GivenUp, "never answered 200"},
		{r.Lost, "lost"},
		{r.Extra, "stored twice"},
		{r.Missing, "not alerted"},
		{r.Twice, "alerted twice"},
		{r.Unexpected, "alerted without a reason"},
		{r.Unreadable, "alerts not readable"},
	} {
		if fault.times != 0 {
			faults = append(faults, fmt.Sprintf("%d %s", fault.times, fault.what))
		}
	}
	if r.Unsettled != nil {
		faults = append(faults, fmt.Sprintf("still busy at the end (%v)", r.Unsettled))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBroken, strings.Join(faults, ", "))
}

// Print writes the report as a table, and below it "OK" or what is wrong.
func (r *Report) Print(to io.Writer) error {
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "%-25s%12s\n", name, value) }
	count := func(name string, n int) { row(name, strconv.Itoa(n)) }

	row("seed", strconv.FormatUint(r.Seed, 10))
	count("sent", r.Sent)
	count("  distinct events", r.Distinct)
	count("  duplicates", r.Sent-r.Distinct)
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		name := "answered " + strconv.Itoa(status)
		if status == 0 {
			name = "no answer"
		}
		count(name, r.Statuses[status])
	}
	count("never answered 200", r.GivenUp)
	b.WriteByte('\n')
	count("stored", r.Stored)
	count("lost", r.Lost)
	count("extra (stored twice)", r.Extra)
	b.WriteByte('\n')
	count("alerts expected", r.Expected)
	count("alerted", r.Alerted)
	count("missing", r.Missing)
	count("alerted twice", r.Twice)
	count("publish attempts failed", r.PublishFailed)
	b.WriteByte('\n')
	row("milliseconds", fmt.Sprintf("%12s%12s%12s", "p50", "p95", "p99"))
	row("  to the answer", r.Latency.String())
	row("  from answer to alert", r.Delay.String())
	row("deliveries per second", strconv.FormatFloat(r.PerSecond, 'f', 0, 64))
	b.WriteByte('\n')
	if err := r.Err(); err != nil {
		fmt.Fprintf(&b, "NOT OK: %v\n", err)
		for _, example := range r.Examples {
			fmt.Fprintf(&b, "  %s\n", example)
		}
		if r.NoAnswer != nil {
			fmt.Fprintf(&b, "  no answer: %v\n", r.NoAnswer)
		}
	} else {
		b.WriteString("OK: nothing lost, nothing stored twice, every alert made once\n")
	}
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Percentiles of a number of durations.
type Percentiles struct{ P50, P95, P99 time.Duration }

// String returns them in milliseconds, in three columns.
func (p Percentiles) String() string {
	if p == (Percentiles{}) {
		return fmt.Sprintf("%12s%12s%12s", "-", "-", "-")
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("%12.1f%12.1f%12.1f", ms(p.P50), ms(p.P95), ms(p.P99))
}

// percentiles returns, for each, the smallest duration that so many of a hundred
// do not exceed. It sorts its argument.
func percentiles(of []time.Duration) Percentiles {
	if len(of) == 0 {
		return Percentiles{}
	}
	slices.Sort(of)
	at := func(percent int) time.Duration { return of[(len(of)*percent+99)/100-1] }
	return Percentiles{P50: at(50), P95: at(95), P99: at(99)}
}
