package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

type importFlags struct {
	table       tableFlags
	account     accountFlags
	since       string
	numbers     numberFlags
	retention   string
	dryRun, yes bool
}

func newImport() *cobra.Command {
	var flags importFlags
	c := &cobra.Command{
		Use:   "import",
		Short: "Bring the last three months from JustCall into the table",
		Long: `import reads contacts, texts and calls of the past over JustCall's API, which
has three months, and puts what is missing into the table. Then it makes the
address book, and finds out who waits to be called back: of what happened more
than a day ago, nobody. It sends no alerts; reminders of those who still wait
come when they are due.

First it shows what it will do, and asks. It may be stopped, and goes on when it
is run again with the same --since. JustCall allows 20 requests a minute, of 100
calls each: 100,000 calls take 50 minutes. It needs the account's API key and
secret: see "ringback connect --help".`,
		Example: `  ringback import --dry-run
  ringback import --since 30d --keys justcall-keys.json
  ringback import --stack ringback`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return flags.run(c) },
	}
	flags.table.add(c)
	flags.account.add(c)
	c.Flags().StringVar(&flags.since, "since", "90d", "how far back, in days or hours, such as 90d or 36h")
	flags.numbers.add(c)
	c.Flags().StringVar(&flags.retention, "retention-days", "0", "that of \"serve\"; of a deployed stack it is the parameter")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what it would do, and change nothing")
	c.Flags().BoolVar(&flags.yes, "yes", false, "do not ask")
	return c
}

var errSince = errors.New("--since is not a number of days or hours, such as 90d or 36h")

// parseSince reads days or hours.
func parseSince(text string) (time.Duration, error) {
	unit := map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour}[text[max(0, len(text)-1):]]
	n, err := strconv.Atoi(strings.TrimRight(text, "dh"))
	const most = 10 * 365 * 24 // hours
	if err != nil || unit == 0 || n < 1 || n > most || text != strconv.Itoa(n)+text[len(text)-1:] {
		return 0, errSince
	}
	return time.Duration(n) * unit, nil
}

func (f *importFlags) run(c *cobra.Command) error {
	ctx, out := c.Context(), c.OutOrStdout()
	since, err := parseSince(f.since)
	if err != nil {
		return err
	}
	credentials, err := f.account.credentials(c, true)
	if err != nil {
		return err
	}
	client, err := justcall.New(credentials, justcall.TeamLimits, f.account.api, nil)
	if err != nil {
		return err
	}
	numbers, err := f.numbers.numbers(ctx, &f.table)
	if err != nil {
		return err
	}
	retention, err := f.keptFor(c)
	if err != nil {
		return err
	}
	if days := time.Duration(retention) * 24 * time.Hour; days > 0 {
		since = min(since, days) // the rest would be deleted at once
	}
	return f.table.read(ctx, func(store table.Store) error {
		m := reconcile.NewImporter(client, retention.Store(store), numbers.Canonical, since)
		m.Account, m.Own = credentials.Name(), numbers.Own()
		m.Changed = escalate.Wake(store, time.Now)
		plan, err := m.Plan(ctx)
		if err != nil {
			return err
		}
		printImport(out, plan)
		if says := clockAdvice(client); says != "" {
			fmt.Fprintf(out, "Clock: %s. Set it first: who waits depends on it.\n", says)
		}
		switch {
		case f.dryRun:
			fmt.Fprintln(out, "This was a dry run: nothing was changed.")
			return nil
		case !f.yes:
			if err := agree(ctx, out, "Import? [y/N] "); err != nil {
				return err
			}
		}
		p := newProgressReport(c.ErrOrStderr())
		m.Done = p.report
		err = m.Run(ctx)
		p.end()
		if err != nil {
			return fmt.Errorf("%w\nTo go on: %s import%s --since %s%s", err, programName(), f.table.arguments(), f.since, f.numbers.arguments())
		}
		for _, line := range p.lines {
			fmt.Fprintln(out, line)
		}
		return nil
	})
}

// keptFor returns how long the stack keeps what is stored.
func (f *importFlags) keptFor(c *cobra.Command) (table.Retention, error) {
	text := f.retention
	if f.table.stack != "" {
		cfg, err := deployed.Config(c.Context(), f.table.region)
		if err != nil {
			return 0, err
		}
		settings, err := deployed.ReadSettings(c.Context(), cfg, f.table.stack)
		if err != nil {
			return 0, err
		}
		text = settings.Parameters["RetentionDays"]
	}
	retention, err := table.ParseRetention(text)
	if err != nil {
		return 0, fmt.Errorf("--retention-days is %w", err)
	}
	return retention, nil
}

// printImport prints what an import will do.
func printImport(out io.Writer, plan []reconcile.Plan) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	requests, known := 0, true
	for _, p := range plan {
		size := "as many as there are"
		if p.Rows >= 0 {
			size = fmt.Sprintf("%d in JustCall, at most %s", p.Rows, count(p.Requests, "request", "requests"))
		}
		if p.Resumes {
			size += fmt.Sprintf("; goes on behind %d", p.Read)
		}
		fmt.Fprintf(w, "  %s\t%s\n", p.List, size)
		requests, known = requests+max(p.Requests, 0), known && p.Requests >= 0
	}
	_ = w.Flush() // like all output errors, ignored
	atLeast := ""
	if !known {
		atLeast = "at least "
	}
	const aMinute = 20 // of the smallest plan, the others' third aside
	fmt.Fprintf(out, "%s%s: about %s.\nIt sends no alerts; reminders of those who still wait come when they are due.\n", atLeast, count(requests, "request", "requests"), count(requests/aMinute+1, "minute", "minutes"))
}

// progressReport shows how far an import has come: as a bar on a terminal, else now and
// then as a line.
type progressReport struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	list  string
	began time.Time
	first int // rows that were read before this run
	lines []string
}

func newProgressReport(out io.Writer) *progressReport { return &progressReport{out: out} }

func (p *progressReport) report(i reconcile.Imported) {
	if i.List != p.list {
		p.end()
		p.list, p.began, p.first = i.List, time.Now(), i.Rows
		if file, ok := p.out.(*os.File); ok && isTerminal(file) {
			p.bar = progressbar.NewOptions(max(i.Total, -1), progressbar.OptionSetWriter(p.out), progressbar.OptionShowCount(),
				progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"), progressbar.OptionSetPredictTime(false),
				progressbar.OptionSetDescription(i.List), progressbar.OptionClearOnFinish())
		}
	}
	until := p.until(i)
	switch {
	case i.Finished:
		line := fmt.Sprintf("%s: %d read, %d written", i.List, i.Rows, i.Written)
		if i.TooLarge > 0 {
			line += fmt.Sprintf(", %d too large to store", i.TooLarge)
		}
		p.lines = append(p.lines, line)
	case p.bar != nil:
		p.bar.Describe(i.List + until)
		_ = p.bar.Set(i.Rows) // like all output errors, ignored
	default:
		of := ""
		if i.Total >= 0 {
			of = fmt.Sprintf(" of %d", i.Total)
		}
		fmt.Fprintf(p.out, "%s: %d%s read, %d written%s\n", i.List, i.Rows, of, i.Written, until)
	}
}

// until says when a list will be read, "" if that cannot be told.
func (p *progressReport) until(i reconcile.Imported) string {
	done, left := i.Rows-p.first, i.Total-i.Rows
	if done <= 0 || left <= 0 {
		return ""
	}
	took := time.Since(p.began)
	end := p.began.Add(took + took/time.Duration(done)*time.Duration(left))
	return ", until about " + end.Format("15:04")
}

func (p *progressReport) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
