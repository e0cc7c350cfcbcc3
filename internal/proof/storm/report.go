package storm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
)

// Report says what a storm has shown. [Report.Err] tells whether it is good.
type Report struct {
	Seed uint64
	// Sent is how many deliveries there were, of so many Distinct events.
	Sent, Distinct int
	// Posts is how many tries to deliver were posted, and LostThere and LostBack
	// how many were lost on purpose: before they were posted, and after they were
	// answered.
	Posts, LostThere, LostBack int
	// Statuses counts the tries by what they were answered; 0 is no answer. Those
	// lost on purpose are not among them.
	Statuses map[int]int
	// GivenUp is how many deliveries were never answered 200.
	GivenUp int
	// Schedules has one for each [Schedule], under its number.
	Schedules [3]Retried

	// Stored is how many events are in the table, Lost how many are not, and
	// Extra how many keys of events are there that are no event's: one was
	// stored twice. Scanned is set where these were looked for in the whole table,
	// and not only where the plan's events belong. In a table that has events of
	// others, those under another call, message or contact are known by their
	// payload.
	Stored, Lost, Extra int
	Scanned             bool

	// Strays is how many strays were posted; Otherwise how many of them were not
	// answered as they must be, every time. Unposted is how many were left out,
	// since the target checks no signatures.
	Strays, Otherwise, Unposted int
	// Rejections is how many strays are kept as rejected of those that must be,
	// and Unkept how many are not. Needless is how many strays are kept as
	// rejected of which nothing must be, and Accepted how many are in the table as
	// events.
	Rejections, Unkept, Needless, Accepted int

	// Expected is how many alerts there had to be; Alerted how many of them were
	// taken, and Missing how many were not. Twice is how often one was taken
	// again; Excused of these may be, for so many Kills. What comes after the
	// target has settled, as a repeat from a queue may, is not seen.
	Expected, Alerted, Missing, Twice int
	Kills, Excused                    int
	// Unexpected is how many alerts were taken that had to be none, and
	// Unreadable how many were no alert.
	Unexpected, Unreadable int
	// PublishFailed is how many tries to alert were failed on purpose.
	PublishFailed int

	// Latency is of every delivery's try that was answered, and Delay from the
	// first answer 200 of an alert's events until the alert was taken. Where the
	// stack is not on this machine, Delay compares two clocks, ours with the one
	// that the alert's time is of, and is as wrong as they are apart.
	Latency, Delay Percentiles
	// PerSecond is how many deliveries were posted for the first time in a
	// second, and Rate how many were to be; 0 is for as many as may be.
	PerSecond, Rate float64

	// NoAnswer, Unsettled and Waited are those of the [Result].
	NoAnswer, Unsettled error
	Waited              time.Duration
	// Examples names some of what has each fault.
	Examples []string
}

// Retried says how often deliveries of one schedule were tried.
type Retried struct {
	// Deliveries is how many have the schedule, and Posts how many tries of
	// theirs were posted.
	Deliveries, Posts int
	// Retried is how many were tried more than once, and GivenUp how many were
	// never answered 200.
	Retried, GivenUp int
}

// Check compares what was seen with what the plan demands.
func Check(plan *Plan, seen *Result) *Report {
	r := &Report{
		Seed:          plan.Mix.Seed,
		Sent:          len(plan.Deliveries),
		Distinct:      len(plan.Events),
		Statuses:      make(map[int]int),
		Kills:         seen.Kills,
		Excused:       seen.Kills * cmp.Or(seen.Unmarked, alert.MaxBatch),
		Unreadable:    seen.Published.Unreadable,
		PublishFailed: seen.Published.Failed,
		NoAnswer:      seen.NoAnswer,
		Unsettled:     seen.Unsettled,
		Waited:        seen.Waited,
		Scanned:       seen.Scanned,
		Rate:          seen.Rate,
	}
	r.checkAnswers(plan, seen)
	r.checkTable(plan, seen)
	r.checkStrays(plan, seen)
	r.checkAlerts(plan, seen)
	return r
}

func (r *Report) checkAnswers(plan *Plan, seen *Result) {
	latencies := make([]time.Duration, 0, len(seen.Answers))
	var givenUp []string
	for i := range seen.Answers {
		answer, delivery := &seen.Answers[i], &plan.Deliveries[i]
		schedule := &r.Schedules[delivery.Schedule]
		schedule.Deliveries++
		if len(answer.Tries) > 1 {
			schedule.Retried++
		}
		if answer.At.IsZero() {
			schedule.GivenUp++
			key := plan.Events[delivery.Event].Key
			givenUp = append(givenUp, fmt.Sprintf("%s %s: %s", key.PK, key.SK, statuses(answer.Tries)))
		}
		for _, try := range answer.Tries {
			switch try.Loss {
			case LostThere:
				r.LostThere++
				continue
			case LostBack:
				r.LostBack++
			case LostNot:
				r.Statuses[try.Status]++
			}
			schedule.Posts++
			if try.Status != 0 {
				latencies = append(latencies, try.Took)
			}
		}
	}
	for _, schedule := range r.Schedules {
		r.Posts += schedule.Posts
	}
	r.GivenUp = len(givenUp)
	r.Latency = percentiles(latencies)
	if seen.Took > 0 {
		r.PerSecond = float64(r.Sent) / seen.Took.Seconds()
	}
	r.examples("never answered 200", givenUp)
}

// statuses writes what some tries were answered, the last ones if they are many.
func statuses(tries []Try) string {
	var texts []string
	for _, try := range tries[max(0, len(tries)-6):] {
		switch {
		case try.Loss != LostNot:
			texts = append(texts, "lost on the way")
		case try.Status == 0:
			texts = append(texts, "no answer")
		default:
			texts = append(texts, strconv.Itoa(try.Status))
		}
	}
	return strings.Join(texts, ", ")
}

func (r *Report) checkTable(plan *Plan, seen *Result) {
	stored := make(map[table.Key]int, len(seen.Stored))
	for _, key := range seen.Stored {
		stored[key]++
	}
	strays := make(map[table.Key]string)
	for i := range plan.Strays {
		if s := &plan.Strays[i]; s.Key != (table.Key{}) {
			strays[s.Key] = s.Kind
		}
	}
	var lost, extra, accepted []string
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
		name := key.PK + " " + key.SK
		if kind, ok := strays[key]; ok && times > 0 {
			accepted = append(accepted, kind+": "+name)
			times--
		}
		for range times {
			extra = append(extra, name)
		}
	}
	r.Lost, r.Extra, r.Accepted = len(lost), len(extra), len(accepted)
	r.examples("lost", lost)
	r.examples("stored twice", extra)
	r.examples("stored as an event", accepted)
}

func (r *Report) checkStrays(plan *Plan, seen *Result) {
	rejected := digests(seen.Rejected)
	var otherwise, unkept, needless []string
	for i := range plan.Strays {
		s, answer := &plan.Strays[i], &seen.Strays[i]
		if !answer.tried() {
			r.Unposted++
			continue
		}
		r.Strays++
		if answer.At.IsZero() {
			otherwise = append(otherwise, fmt.Sprintf("%s: %s, not %d", s.Kind, statuses(answer.Tries), s.Want))
		}
		digest := table.BodyDigest(s.Body)
		name := s.Kind + ", digest " + digest
		switch kept := rejected[digest]; {
		case s.Kept && kept:
			r.Rejections++
		case s.Kept:
			unkept = append(unkept, name)
		case kept:
			needless = append(needless, name)
		}
	}
	r.Otherwise, r.Unkept, r.Needless = len(otherwise), len(unkept), len(needless)
	r.examples("answered otherwise", otherwise)
	r.examples("not kept as rejected", unkept)
	r.examples("kept as rejected, which is not to be", needless)
}

// digests returns what the keys of rejections name their bodies by.
func digests(rejected []table.Key) map[string]bool {
	all := make(map[string]bool, len(rejected))
	for _, key := range rejected {
		all[key.SK[strings.LastIndexByte(key.SK, '#')+1:]] = true
	}
	return all
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

// examples names some of those that have a fault, each once.
func (r *Report) examples(fault string, names []string) {
	times := make(map[string]int)
	for _, name := range names {
		times[name]++
	}
	distinct := slices.Sorted(maps.Keys(times))
	for _, name := range distinct[:min(len(distinct), maxExamples)] {
		example := fault + ": " + name
		if n := times[name]; n > 1 {
			example += fmt.Sprintf(" (%d times)", n)
		}
		r.Examples = append(r.Examples, example)
	}
}

// ErrBroken says that the stack has not kept what it promises.
var ErrBroken = errors.New("the stack has not kept its promises")

// Err returns nil if nothing was lost, stored twice, not alerted or alerted
// twice, every delivery was answered 200 in the end, and every stray was answered
// and kept as it must be. Otherwise the error names what was not so, and wraps
// [ErrBroken].
//
// After a kill alerts may come twice: the stack died between publishing them and
// marking that. As many as [Report.Excused] are no fault.
func (r *Report) Err() error {
	var faults []string
	for _, fault := range []struct {
		times     int
		one, many string
	}{
		{r.GivenUp, "never answered 200", "never answered 200"},
		{r.Lost, "lost", "lost"},
		{r.Extra, "stored twice", "stored twice"},
		{r.Otherwise, "stray answered otherwise", "strays answered otherwise"},
		{r.Unkept, "rejection not kept", "rejections not kept"},
		{r.Needless, "kept as rejected without a reason", "kept as rejected without a reason"},
		{r.Accepted, "stray stored as an event", "strays stored as events"},
		{r.Missing, "not alerted", "not alerted"},
		{max(0, r.Twice-r.Excused), "alerted twice", "alerted twice"},
		{r.Unexpected, "alerted without a reason", "alerted without a reason"},
		{r.Unreadable, "alert not readable", "alerts not readable"},
	} {
		switch fault.times {
		case 0:
		case 1:
			faults = append(faults, "1 "+fault.one)
		default:
			faults = append(faults, fmt.Sprintf("%d %s", fault.times, fault.many))
		}
	}
	if r.Unsettled != nil {
		faults = append(faults, r.unsettled())
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBroken, strings.Join(faults, ", "))
}

// unsettled says for people how the stack did not come to rest.
func (r *Report) unsettled() string {
	switch {
	case !errors.Is(r.Unsettled, context.DeadlineExceeded):
		return fmt.Sprintf("not settled (%v)", r.Unsettled)
	case r.Missing == 0:
		return fmt.Sprintf("still busy after %v", r.Waited)
	default:
		return fmt.Sprintf("still busy after %v: %d of %d alerts have not come", r.Waited, r.Missing, r.Expected)
	}
}

// Percentiles of a number of durations.
type Percentiles struct{ P50, P95, P99 time.Duration }

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
