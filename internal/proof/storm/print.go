package storm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Print writes the report as a table, and below it "OK" or what is wrong.
func (r *Report) Print(to io.Writer) error {
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "%-25s%12s\n", name, value) }
	columns := func(name string, values ...any) {
		fmt.Fprintf(&b, "%-25s", name)
		for _, value := range values {
			fmt.Fprintf(&b, "%12v", value)
		}
		b.WriteByte('\n')
	}
	count := func(name string, n int) { row(name, strconv.Itoa(n)) }

	row("seed", strconv.FormatUint(r.Seed, 10))
	count("sent", r.Sent)
	count("  distinct events", r.Distinct)
	count("  duplicates", r.Sent-r.Distinct)
	count("posted, retries included", r.Posts)
	count("lost on the way there", r.LostThere)
	count("lost on the way back", r.LostBack)
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		name := "answered " + strconv.Itoa(status)
		if status == 0 {
			name = "no answer"
		}
		count(name, r.Statuses[status])
	}
	count("never answered 200", r.GivenUp)
	b.WriteByte('\n')
	columns("schedule", "deliveries", "posts", "retried", "given up")
	for _, s := range Schedules() {
		of := r.Schedules[s]
		columns("  "+s.String(), of.Deliveries, of.Posts, of.Retried, of.GivenUp)
	}
	b.WriteByte('\n')
	count("stored", r.Stored)
	count("lost", r.Lost)
	count("extra (stored twice)", r.Extra)
	where := ""
	if !r.Scanned {
		where = " in the plan's partitions"
		b.WriteString("  looked for in the plan's partitions: the rest of the table was not read\n")
	}
	b.WriteByte('\n')
	count("strays", r.Strays)
	count("  answered as they must", r.Strays-r.Otherwise)
	count("  answered otherwise", r.Otherwise)
	if r.Unposted > 0 {
		count("  left out, unsigned", r.Unposted)
	}
	count("  stored as events", r.Accepted)
	count("rejections kept", r.Rejections)
	count("  not kept", r.Unkept)
	count("  kept without a reason", r.Needless)
	b.WriteByte('\n')
	count("alerts expected", r.Expected)
	count("alerted", r.Alerted)
	count("missing", r.Missing)
	count("without a reason", r.Unexpected)
	count("not readable", r.Unreadable)
	count("alerted twice", r.Twice)
	count("  excused", min(r.Twice, r.Excused))
	count("kills", r.Kills)
	count("publish attempts failed", r.PublishFailed)
	b.WriteByte('\n')
	columns("milliseconds", "p50", "p95", "p99")
	columns("  to the answer", r.Latency.columns()...)
	columns("  from answer to alert", r.Delay.columns()...)
	row("deliveries per second", strconv.FormatFloat(r.PerSecond, 'f', 0, 64))
	if r.Rate > 0 {
		row("  asked for", strconv.FormatFloat(r.Rate, 'f', -1, 64))
	}
	b.WriteByte('\n')
	if err := r.Err(); err != nil {
		fmt.Fprintf(&b, "NOT OK: %v\n", err)
		for _, example := range r.Examples {
			fmt.Fprintf(&b, "  %s\n", example)
		}
		if r.NoAnswer != nil {
			fmt.Fprintf(&b, "  no answer: %v\n", r.NoAnswer)
		}
		// That the time was over is said above; it may say what else was wrong.
		if late := context.DeadlineExceeded; errors.Is(r.Unsettled, late) && !strings.HasSuffix(r.Unsettled.Error(), late.Error()) {
			fmt.Fprintf(&b, "  still busy: %s\n", strings.ReplaceAll(r.Unsettled.Error(), "\n", "; "))
		}
	} else {
		once := "every alert made once"
		if r.Twice > 0 {
			once = fmt.Sprintf("every alert made, %d again, which is excused", r.Twice)
		}
		fmt.Fprintf(&b, "OK: nothing lost, nothing stored twice%s, %s\n", where, once)
	}
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// columns returns the percentiles in milliseconds.
func (p Percentiles) columns() []any {
	var all []any
	for _, d := range []time.Duration{p.P50, p.P95, p.P99} {
		if p == (Percentiles{}) {
			all = append(all, "-")
			continue
		}
		all = append(all, strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64))
	}
	return all
}
