package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
)

// settleTime is how long a demo waits for its alerts. They take no time unless they
// are forwarded to a receiver that fails.
const settleTime = 10 * time.Second

func newDemo() *cobra.Command {
	var flags stackFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Start a local stack, post the sample events, show them, then exit",
		Long: `demo does what "ringback serve --demo" does, in its own folder and on a free
port, calls the missed caller back, and exits. It fails unless every sample is
in the table, an alert went out for every missed call and voicemail among them,
and the caller waited until the call back, and no longer. Run it twice: the
second run stores nothing and sends no alerts.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			alerts := &heldWriter{out: c.OutOrStdout()}
			s, err := flags.start(c, alerts, logTo(c.ErrOrStderr(), slog.LevelWarn))
			if err != nil {
				return err
			}
			return errors.Join(runDemo(c.Context(), c.OutOrStdout(), alerts, s, flags), s.Close())
		},
	}
	flags.add(c, ".ringback/demo", "127.0.0.1:0")
	flags.callsBack = true
	return c
}

// runDemo posts every sample to the stack and prints the answers, the items that
// are now in the table, and the alerts. It returns an error unless each sample is
// stored once and every alert that is due was sent.
func runDemo(ctx context.Context, out io.Writer, alerts *heldWriter, s *local.Stack, flags stackFlags) error {
	names, err := sampleNames(flags.samples)
	if err != nil {
		return err
	}
	var faults []error
	bodies := make([][]byte, len(names))
	deliveries := make([]*events.Delivery, 0, len(names))
	for i, name := range names {
		if bodies[i], err = readSample(flags.samples, name); err != nil {
			return err
		}
		envelope, err := events.Open(bodies[i])
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		deliveries = append(deliveries, envelope.Decode())
	}
	before, err := readMarks(ctx, s.Store, deliveries)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "Posting %d sample events:\n\n", len(names))
	added := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, name := range names {
		a, err := poster{url: s.URL, now: time.Now}.post(ctx, bodies[i])
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\n", a.status, a.text(), name, a.Key)
		switch {
		case a.status != http.StatusOK:
			faults = append(faults, fmt.Errorf("%s: answered %d", name, a.status))
		case a.Status == "stored":
			added++
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}

	fmt.Fprintf(out, "\nIn the table now:\n\n")
	stored, err := printStored(ctx, out, s, deliveries)
	if err != nil {
		return err
	}
	if len(stored) != len(names) {
		faults = append(faults, fmt.Errorf("%d of %d samples are not in the table", len(names)-len(stored), len(names)))
	}

	settling, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	unsettled := s.Settled(settling)
	fmt.Fprintf(out, "\nAlerts:\n\n")
	alerts.release()
	marks, err := readMarks(ctx, s.Store, deliveries)
	if err != nil {
		return err
	}
	if err := printMarks(out, before); err != nil {
		return err
	}
	if flags.callsBack {
		faults = append(faults, callBack(ctx, out, s, flags, stored))
	}
	due, missing, held := dueAlerts(stored), 0, 0
	for key, id := range due {
		switch _, ok := marks[key]; {
		case ok:
		case s.Held[id]:
			held++
		default:
			missing++
		}
	}
	when := fmt.Sprintf(", %d of them just now", len(marks)-len(before))
	switch {
	case len(marks) == 0:
		when = ""
	case len(before) == 0:
		when = " just now"
	case len(before) == len(marks):
		when = " before, none again"
	}
	fmt.Fprintf(out, "%d of %d samples stored, %d of them new. %d of %d alerts sent%s.\n",
		len(stored), len(names), added, len(due)-missing-held, len(due), when)
	if held > 0 {
		fmt.Fprintf(out, "%s for the URL of an earlier run.\n", count(held, "alert waits", "alerts wait"))
	}
	switch {
	case missing == 0:
	case unsettled == nil:
		faults = append(faults, fmt.Errorf("%d of %d alerts were not sent\n"+
			"Events stored before ringback had alerts get none: choose another folder with --data",
			missing, len(due)))
	case flags.forwardURL != "":
		faults = append(faults, fmt.Errorf("%d of %d alerts were not accepted by the forward URL\n"+
			"They are kept, and retried while ringback serves this folder", missing, len(due)))
	default:
		faults = append(faults, fmt.Errorf("%d of %d alerts are not sent yet: %w", missing, len(due), unsettled))
	}
	if more := len(marks) + missing + held - len(due); more > 0 {
		faults = append(faults, fmt.Errorf("unexpected alerts: %d", more))
	}
	return errors.Join(faults...)
}

// printStored prints the events in the deliveries' partitions, whoever put them there,
// and how many the table has beside them. It returns the deliveries' own items; a
// delivery that does not have exactly one is left out.
func printStored(ctx context.Context, out io.Writer, s *local.Stack, deliveries []*events.Delivery) (stored []table.Item, err error) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  PK\toccurred at (UTC)\tevent\t\n")
	sent, shown := make(map[table.Key]int), make(map[string]bool)
	for _, d := range deliveries {
		sent[table.EventKey(d)] = 0
	}
	printed := 0
	for _, d := range deliveries {
		partition := table.EventKey(d).PK
		if shown[partition] {
			continue
		}
		shown[partition] = true
		for item, err := range table.All(ctx, s.Store, table.Query{Partition: partition, SortPrefix: table.EventMark}) {
			if err != nil {
				return nil, fmt.Errorf("read back %s: %w", partition, err)
			}
			if _, ours := sent[table.KeyOf(item)]; ours {
				stored = append(stored, item)
			}
			mark := ""
			if a, err := alert.Read(item); err == nil {
				mark = "◀ " + kindName(a.Kind)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", table.Text(item, table.PK), table.Text(item, table.OccurredAt), table.EventType(item), mark)
			printed++
		}
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	all, err := s.Events()
	if err != nil {
		return nil, err
	}
	if more := all - printed; more > 0 {
		fmt.Fprintf(out, "\nand %s of other calls, messages and contacts.\n", count(more, "event", "events"))
	}
	return stored, nil
}

// called is when the demo calls back, after the caller was missed first.
const called = 12 * time.Minute

// callBack prints that the caller of the first missed call or voicemail waits, calls them
// back, and prints how long they waited. Without such a call it does nothing. It returns
// an error unless they wait no more.
func callBack(ctx context.Context, out io.Writer, s *local.Stack, flags stackFlags, stored []table.Item) error {
	numbers, err := phone.New(flags.defaultCountry)
	if err != nil {
		return err
	}
	var missed alert.Alert
	for _, item := range stored {
		if missed, err = alert.Read(item); err == nil && numbers.Canonical(missed.Caller) != "" {
			break
		}
	}
	caller := numbers.Canonical(missed.Caller)
	if caller == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	read := func() (followup.Facts, followup.State, error) {
		if err := s.FollowUpsSettled(ctx); err != nil {
			return followup.Facts{}, followup.State{}, fmt.Errorf("find out who waits: %w", err)
		}
		kept, err := ledger.Load(ctx, s.Store, caller)
		return kept.Facts, kept.State(followup.Default()), err
	}

	moment := func(at time.Time) string { return at.In(flags.reminders.Zone).Format("2 January 2006, 15:04 MST") }

	fmt.Fprintf(out, "Who waits:\n\n")
	_, state, err := read()
	if err != nil {
		return err
	}
	if state.Open() {
		fmt.Fprintf(out, "  %s, since %s\n", numbers.Show(caller), moment(state.Since()))
		at := state.Since().Add(called)
		fmt.Fprintf(out, "  Sam Chen calls back at %s, and they talk for a minute.\n", moment(at))
		body := fmt.Appendf(nil, `{"event":"call.completed","timestamp":%q,"data":{"call_id":"demo_%s","direction":"outbound",`+
			`"from":%q,"to":%q,"agent_name":"Sam Chen","duration":60,"status":"answered"}}`,
			at.Format(time.RFC3339), missed.CallID, missed.Line, caller)
		if a, err := (poster{url: s.URL, now: time.Now}).post(ctx, body); err != nil || a.status != http.StatusOK {
			return fmt.Errorf("call back: answered %d: %w", a.status, err)
		}
	}
	facts, state, err := read()
	if err != nil {
		return err
	}
	wait, known := figures.Last(facts, followup.Default(), flags.callers.Lines, time.Now())
	if state.Open() || !known {
		return errors.New("the caller was called back, and waits all the same")
	}
	wall, business := wait.Took()
	took := wall.String()
	if business != wall {
		took += fmt.Sprintf(", %v of it in business hours", business)
	}
	fmt.Fprintf(out, "  %s waits no more: called back after %s.\n\n", numbers.Show(caller), took)
	return nil
}

// kindName returns a kind in words, such as "missed call".
func kindName(kind events.Kind) string { return strings.ReplaceAll(string(kind), "_", " ") }

// dueAlerts returns the IDs of the items' alerts, by the keys of the marks that they
// must leave.
func dueAlerts(items []table.Item) map[table.Key]string {
	due := make(map[table.Key]string)
	for _, item := range items {
		if a, err := alert.Read(item); err == nil {
			due[table.AlertKey(a.Key, a.Kind)] = a.ID
		}
	}
	return due
}

// readMarks reads the marks of the deliveries' alerts, by key.
func readMarks(ctx context.Context, store table.Store, deliveries []*events.Delivery) (map[table.Key]table.Item, error) {
	marks := make(map[table.Key]table.Item)
	for _, d := range deliveries {
		key := table.EventKey(d)
		for mark, err := range table.All(ctx, store, table.AlertMarks(key, d.Kind)) {
			if err != nil {
				return nil, fmt.Errorf("read the alerts of %s: %w", key.PK, err)
			}
			if table.Text(mark, table.AlertedAt) != "" {
				marks[table.KeyOf(mark)] = mark
			}
		}
	}
	return marks, nil
}

// printMarks prints alerts that an earlier run sent.
func printMarks(out io.Writer, marks map[table.Key]table.Item) error {
	if len(marks) == 0 {
		return nil
	}
	var rows []string
	for key, mark := range marks {
		rows = append(rows, fmt.Sprintf("  %s\t%s\tsent before, at %s\n", key.PK, kindName(table.AlertKind(key)), table.Text(mark, table.AlertedAt)))
	}
	slices.Sort(rows)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(rows, ""))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
