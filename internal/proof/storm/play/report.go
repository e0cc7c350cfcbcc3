package play

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
)

// Breach is something that a stack must not do.
type Breach string

// The breaches. An event that is missing from the table is lost only where a delivery of it was answered 200,
// whether that answer arrived or not. If none ever was, the sender gave it up, which is no loss by the stack: its
// deliveries are among the unanswered.
const (
	Unanswered Breach = "never answered 200"
	Lost       Breach = "lost, though answered 200"
	GivenUp    Breach = "given up, never answered 200"
	Extra      Breach = "stored twice"
	Otherwise  Breach = "strays answered otherwise"
	Accepted   Breach = "strays stored as events"
	Unkept     Breach = "rejections not kept"
	Needless   Breach = "kept as rejected needlessly"
	Missing    Breach = "not alerted"
	Served     Breach = "served, and still alerted"
	Several    Breach = "rings alerted several times"
	Unknown    Breach = "called withheld, and are not"
	Miscalled  Breach = "called by another number"
	Unexpected Breach = "alerted without a reason"
	Unreadable Breach = "alerts not readable"
	Twice      Breach = "alerted twice"
	NotDone    Breach = "hand acts not taken"
	Misjudged  Breach = "callers who stand otherwise"
)

// rows are what is printed of a report: counts and breaches, and "" for an empty line. A try that was lost on
// purpose is not counted as answered, and answered 0 is no answer. Alerts are expected only of events that reached
// the stack.
var rows = []Breach{
	"sent", "distinct events", "posted, retries included", "lost on the way there", "lost on the way back", Unanswered, "",
	"stored", Lost, GivenUp, Extra, "",
	"strays", "strays left out, unsigned", Otherwise, Accepted, "rejections kept", Unkept, Needless, "",
	"alerts expected", "alerted", "alerts taken back", Missing, Served, Several, Unknown, Miscalled, Unexpected, Unreadable, Twice, "excused", "kills", "publish attempts failed", "",
	"hand acts", NotDone, "callers", "callers who wait", Misjudged, "",
	"answered 0", "answered 200",
}

// Report says what a storm has shown. [Report.Err] says whether it is good.
type Report struct {
	Plan    *Plan
	Seen    *Result
	Counts  map[string]int      // by their names in the printed report
	Found   map[Breach][]string // what each breach concerns: events, strays or alerts
	Excused int                 // how many alerts may come twice
}

// Check compares what was seen with what the plan demands.
func Check(plan *Plan, seen *Result) *Report {
	r := &Report{
		Plan: plan, Seen: seen, Excused: seen.Kills * cmp.Or(seen.Unmarked, alert.MaxBatch),
		Counts: map[string]int{
			"sent": len(plan.Deliveries), "distinct events": len(plan.Events), "kills": seen.Kills,
			"publish attempts failed": seen.Published.Failed,
		},
		Found: map[Breach][]string{Unreadable: make([]string, seen.Published.Unreadable)},
	}
	reached := r.checkAnswers()
	r.checkTable(reached)
	r.checkStrays()
	r.checkAlerts(reached)
	r.checkCallers(reached)
	return r
}

// acted reports whether a hand act was done.
func (r *Report) acted(act int) bool { return act < len(r.Seen.Acts) && r.Seen.Acts[act] }

func (r *Report) found(b Breach, format string, of ...any) {
	r.Found[b] = append(r.Found[b], fmt.Sprintf(format, of...))
}

// checkAnswers returns which events were ever answered 200, by their indexes.
func (r *Report) checkAnswers() (reached []bool) {
	reached = make([]bool, len(r.Plan.Events))
	for i, answer := range r.Seen.Answers {
		d := &r.Plan.Deliveries[i]
		if !answer.OK {
			r.found(Unanswered, "%v: %v", &r.Plan.Events[d.Event], answer.Tries)
		}
		for _, try := range answer.Tries {
			if try.Loss == LostThere {
				r.Counts["lost on the way there"]++
				continue
			}
			r.Counts["posted, retries included"]++
			for _, event := range d.All() {
				reached[event] = reached[event] || try.Status == http.StatusOK
			}
			if try.Loss == LostBack {
				r.Counts["lost on the way back"]++
				continue
			}
			r.Counts["answered "+strconv.Itoa(try.Status)]++
		}
	}
	return reached
}

// checkTable adds to reached the events that are stored.
func (r *Report) checkTable(reached []bool) {
	stored := make(map[table.Key]int, len(r.Seen.Stored))
	for _, key := range r.Seen.Stored {
		stored[key]++
	}
	for i := range r.Plan.Events {
		e := &r.Plan.Events[i]
		switch {
		case stored[e.Key] > 0:
			r.Counts["stored"]++
			stored[e.Key]-- // what is left in the end belongs to no event
			reached[i] = true
		case reached[i]:
			r.found(Lost, "%v", e)
		default:
			r.found(GivenUp, "%v", e)
		}
	}
	for _, s := range r.Plan.Strays {
		if stored[s.Key] > 0 {
			stored[s.Key]--
			r.found(Accepted, "%s: %s %s", s.Kind, s.Key.PK, s.Key.SK)
		}
	}
	for key, times := range stored {
		for range times {
			r.found(Extra, "%s %s", key.PK, key.SK)
		}
	}
}

func (r *Report) checkStrays() {
	rejected := digests(r.Seen.Rejected)
	for i, answer := range r.Seen.Strays {
		s := &r.Plan.Strays[i]
		if len(answer.Tries) == 0 {
			r.Counts["strays left out, unsigned"]++
			continue
		}
		r.Counts["strays"]++
		if !answer.OK {
			r.found(Otherwise, "%s: %v, not %d", s.Kind, answer.Tries, s.Want)
		}
		digest := table.BodyDigest(s.Body)
		switch kept := rejected[digest]; {
		case s.Kept && kept:
			r.Counts["rejections kept"]++
		case s.Kept:
			r.found(Unkept, "%s, digest %s", s.Kind, digest)
		case kept:
			r.found(Needless, "%s, digest %s", s.Kind, digest)
		}
	}
}

// digests returns what the keys of rejections name their bodies by.
func digests(rejected []table.Key) map[string]bool {
	all := make(map[string]bool, len(rejected))
	for _, key := range rejected {
		all[key.SK[strings.LastIndexByte(key.SK, '#')+1:]] = true
	}
	return all
}

func (r *Report) checkAlerts(reached []bool) {
	seen := r.Seen.Published.Taken
	all, byID := r.Plan.owed(func(event int) bool { return reached[event] }, r.acted, seen)
	taken, made, back := set[string]{}, 0, set[string]{}
	for _, a := range seen {
		name, o := a.Publication(), byID[a.ID]
		switch {
		case o == nil:
			r.found(Unexpected, "%s", name)
		case taken[name]:
			r.found(Twice, "%s", name)
		case a.Kind == events.KindReturned:
			back[a.ID] = true
		case a.Back() || a.Caller == o.caller:
		case a.Caller == Caller{}:
			r.found(Unknown, "%s", name)
		default:
			r.found(Miscalled, "%s", name)
		}
		taken[name] = true
	}
	for _, o := range all {
		made += len(o.made)
		if o.served {
			for _, id := range o.stands {
				r.found(Served, "%s", id)
			}
			continue
		}
		if o.due {
			r.Counts["alerts expected"]++
		}
		switch {
		case o.due && len(o.stands) == 0:
			r.found(Missing, "%s", strings.Join(o.ids, " or "))
		case len(o.stands) > 1:
			r.found(Several, "%s", strings.Join(o.stands, " and "))
		}
	}
	r.Counts["alerted"], r.Counts["alerts taken back"] = made, len(back)
}

// ErrBroken says that the stack has not kept what it promises.
var ErrBroken = errors.New("the stack has not kept its promises")

// Err returns nil if there is no breach and the stack came to rest. Otherwise the error names what is wrong and wraps
// [ErrBroken]. As many alerts as [Report.Excused] may come twice: a killed stack may have published and not marked them.
func (r *Report) Err() error {
	var faults []string
	for _, b := range rows {
		times := len(r.Found[b])
		if b == Twice {
			times -= r.Excused
		}
		if times > 0 && b != GivenUp {
			faults = append(faults, fmt.Sprintf("%s (%d)", b, times))
		}
	}
	if why := r.Seen.Unsettled; why != nil {
		faults = append(faults, fmt.Sprintf("not settled (%s)", strings.ReplaceAll(why.Error(), "\n", "; ")))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBroken, strings.Join(faults, ", "))
}

// Print writes the report as a table, and below it "OK" or what is wrong.
func (r *Report) Print(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-28s%10d\n", "seed", r.Plan.Mix.Seed)
	r.Counts["excused"] = min(len(r.Found[Twice]), r.Excused)
	for _, name := range rows {
		if name != "" {
			fmt.Fprintf(&b, "%-28s%10d", name, r.Counts[string(name)]+len(r.Found[name]))
		}
		b.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(r.Counts)) {
		if strings.HasPrefix(name, "answered ") && !slices.Contains(rows, Breach(name)) {
			fmt.Fprintf(&b, "%-28s%10d\n", name, r.Counts[name])
		}
	}
	fmt.Fprintf(&b, "deliveries per second       %10.0f\n\n", r.PerSecond())
	if err := r.Err(); err != nil {
		fmt.Fprintf(&b, "NOT OK: %v\n", err)
		for _, of := range rows {
			for _, example := range r.examples(of) {
				fmt.Fprintf(&b, "  %s: %s\n", of, example)
			}
		}
		if r.Seen.NoAnswer != nil {
			fmt.Fprintf(&b, "  no answer: %v\n", r.Seen.NoAnswer)
		}
	} else {
		where, once := "", "once"
		if !r.Seen.Scanned {
			where = " in the plan's partitions (the rest of the table was not read)"
		}
		if n := len(r.Found[Twice]); n > 0 {
			once = fmt.Sprintf("and %d again, which is excused", n)
		}
		fmt.Fprintf(&b, "OK: nothing lost, nothing stored twice%s, every alert made %s\n", where, once)
	}
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// examples names what a breach concerns, each once: of missing events nearly all, of everything else a few.
func (r *Report) examples(of Breach) []string {
	names, most := slices.Compact(slices.Sorted(slices.Values(r.Found[of]))), 3
	if of == Lost || of == GivenUp {
		most = 200
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return names
}

// PerSecond returns how many deliveries were posted for the first time in a second.
func (r *Report) PerSecond() float64 { return float64(len(r.Plan.Deliveries)) / r.Seen.Took.Seconds() }
