package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/storm"
)

func newStorm() *cobra.Command {
	mix := storm.Mix{Seed: 1, Deliveries: 10_000, Duplicates: 30}
	var flags stormFlags
	c := &cobra.Command{
		Use:   "storm",
		Short: "Play JustCall against a stack and prove that nothing is lost or alerted twice",
		Long: `storm makes up deliveries of every kind in both formats, many of them twice or
more and in another spelling, shuffles them and posts them all at once, as
JustCall does. A stack of its own takes them, in a folder of its own, and
forwards its alerts to a receiver that fails a share of them.

Then it reads the table and the alerts back and prints what it found. It ends with
an error if an event was lost or stored twice, or if a missed call or a voicemail
was not alerted, or alerted twice.

One seed posts the same every time.`,
		Example: `  ringback storm
  ringback storm --deliveries 100000 --duplicates 50 --publish-faults 20 --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			plan, err := storm.NewPlan(mix)
			if err != nil {
				return err
			}
			return flags.run(c.Context(), plan, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.IntVar(&mix.Deliveries, "deliveries", mix.Deliveries, "how many deliveries to post")
	f.IntVar(&mix.Duplicates, "duplicates", mix.Duplicates, "how many percent of them are of an event that another is of as well")
	f.Uint64Var(&mix.Seed, "seed", mix.Seed, "number that decides what is posted")
	f.IntVar(&flags.faults, "publish-faults", 5, "how many percent of the tries to alert fail")
	f.IntVar(&flags.concurrency, "concurrency", 16, "how many deliveries are on their way at a time")
	f.DurationVar(&flags.wait, "wait", time.Minute, "how long the stack may take to alert after the last answer")
	f.StringVar(&flags.data, "data", "", "folder to keep the table in, which must have none yet (default: one that is removed if all is well)")
	f.StringVar(&flags.template, "template", "template.yaml", "SAM template that the table's keys and indexes are read from")
	return c
}

// stormFlags say how to post, and to what.
type stormFlags struct {
	faults, concurrency int
	wait                time.Duration
	data, template      string
}

func (f *stormFlags) check() error {
	switch {
	case f.faults < 0 || f.faults > 100:
		return errors.New("--publish-faults is a percentage, from 0 to 100")
	case f.concurrency < 1:
		return errors.New("--concurrency is at least 1")
	case f.wait < 0:
		return errors.New("--wait is a time such as 1m or 30s")
	}
	return nil
}

func (f *stormFlags) run(ctx context.Context, plan *storm.Plan, out, errOut io.Writer) (err error) {
	folder := f.data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "ringback-storm-"); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		defer func() {
			if errors.Is(err, storm.ErrBroken) {
				err = fmt.Errorf("%w\nThe table is kept in %s", err, folder)
				return
			}
			err = errors.Join(err, os.RemoveAll(folder))
		}()
	}
	receiver, err := storm.StartReceiver(ctx, storm.Faults(plan.Mix.Seed, f.faults))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, receiver.Close()) }()
	stack, err := f.start(ctx, folder, receiver.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()

	player := storm.NewPlayer(f.concurrency, f.wait)
	shown := showProgress(errOut, len(plan.Deliveries), reportEvery)
	player.Done = shown.add
	seen, err := player.Play(ctx, plan, storm.Target{
		URL:     stack.URL,
		Table:   stack.Store,
		Settled: stack.Settled,
	}, receiver)
	shown.end()
	switch {
	case errors.Is(err, storm.ErrPlayed):
		return fmt.Errorf("%w: give it a folder of its own with --data, or none", err)
	case err != nil:
		return err
	}
	report := storm.Check(plan, seen)
	return errors.Join(report.Print(out), report.Err())
}

// start starts a stack that forwards its alerts, and soon tries again what was
// not taken.
func (f *stormFlags) start(ctx context.Context, folder, receiver string) (*local.Stack, error) {
	stack, err := local.Start(ctx, local.Config{
		Folder:       folder,
		Template:     f.template,
		Address:      "127.0.0.1:0",
		ForwardURL:   receiver,
		FirstPause:   20 * time.Millisecond,
		LongestPause: time.Second,
	}, slog.New(slog.DiscardHandler))
	return stack, withTemplateHint(err, f.template)
}

// progress shows how many of n deliveries are through: with a bar on a terminal,
// and with a line every few seconds elsewhere.
type progress struct {
	to   io.Writer
	n    int64
	done atomic.Int64
	bar  *progressbar.ProgressBar // nil where there is no terminal

	ended, stopped chan struct{}
}

// reportEvery is how often a line is printed.
const reportEvery = 3 * time.Second

// showProgress begins to show it, with a line at every such time. A bar shows
// itself.
func showProgress(to io.Writer, n int, every time.Duration) *progress {
	p := &progress{to: to, n: int64(n), ended: make(chan struct{}), stopped: make(chan struct{})}
	if !isTerminal(to) {
		go p.printLines(every)
		return p
	}
	close(p.stopped)
	p.bar = progressbar.NewOptions(n,
		progressbar.OptionSetWriter(to),
		progressbar.OptionSetDescription("deliveries"),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionThrottle(100*time.Millisecond),
	)
	return p
}

// add counts a delivery that is through.
func (p *progress) add() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a terminal that is gone has nobody in front of it
	}
	// Whoever counts the last one comes behind everybody's bar.
	if p.done.Add(1) == p.n {
		if p.bar != nil {
			fmt.Fprintln(p.to)
		}
		fmt.Fprintf(p.to, "all %d deliveries through, waiting for the alerts\n", p.n)
	}
}

func (p *progress) printLines(every time.Duration) {
	defer close(p.stopped)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
			if done := p.done.Load(); done < p.n {
				fmt.Fprintf(p.to, "%d of %d deliveries through\n", done, p.n)
			}
		}
	}
}

// end ends it: nothing is printed from now on.
func (p *progress) end() {
	close(p.ended)
	<-p.stopped
}

// isTerminal reports whether what is written is seen on a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}
