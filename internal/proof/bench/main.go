// Command bench measures the webhook function beside the least that a function
// can cost and beside ordinary functions that do the same job. "make bench" runs
// it; docs/benchmarks.md says what it does and what it found.
//
// It is a module of its own, so that what only the comparison needs stays out of
// the program's go.mod.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/gobench"
	"github.com/ringback/ringback/internal/proof/bench/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, time.Now)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// limits are what the function is to keep.
var limits = []report.Limit{
	{Of: contender.Ringback, To: contender.Floor, Figure: report.Cold, AtMost: 1.7},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.Cold, AtMost: 0.7},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.ColdTLS, AtMost: 0.5},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.CPU, AtMost: 2.3},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.CPU, AtMost: 0.6},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.RSS, AtMost: 1.4},
	{Of: contender.Ringback, Figure: report.Deployed, AtMost: 10},
}

// benchmarked are the packages that a delivery goes through.
var benchmarked = []string{"./events", "./internal/table", "./internal/lambda/gateway"}

var errSystem = errors.New("only Linux tells what a running process has cost")

// busy is a load, over the last minute, at which figures are no good.
const busy = 0.5

func run(ctx context.Context, args []string, stdout, stderr io.Writer, now func() time.Time) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("%w, and this is %s", errSystem, runtime.GOOS)
	}
	// The benchmark runs on one processor at a time, so that another is left to
	// the contender, and little of its own garbage is collected while somebody is
	// measured.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)

	started, load := now(), report.Load()
	if load.Minute > busy {
		_, _ = fmt.Fprintf(stderr, "bench: WARNING: the machine is not quiet: its load is %v\n", load)
	}
	r, err := newComparison(ctx, o, stderr, started)
	if err != nil {
		return err
	}
	defer r.close()
	d, err := r.measure(ctx)
	if err != nil {
		return err
	}
	if o.counts > 0 {
		r.progress("benchmarks of %v\n", benchmarked)
		all, err := gobench.Run(ctx, o.root, o.counts, benchmarked...)
		if err != nil {
			return err
		}
		d.Benchmarks = gobench.Brief(all)
	}
	d.Date, d.Took = started, now().Sub(started).Round(time.Second)
	d.LoadBefore, d.LoadAfter = load, report.Load()
	if err := d.Text(stdout); err != nil {
		return err
	}
	if o.docs != "" {
		if err := write(filepath.Join(o.docs, "benchmarks.md"), d.Write); err != nil {
			return err
		}
		plot := func(w io.Writer) error { return report.WritePlot(w, d.Ours, d.Results) }
		if err := write(filepath.Join(o.docs, "benchmarks.svg"), plot); err != nil {
			return err
		}
	}
	if !o.check {
		return nil
	}
	return report.Missed(d.Verdicts)
}

func write(path string, content func(io.Writer) error) error {
	f, err := os.Create(path) //nolint:gosec // G304: the caller's to choose
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return errors.Join(content(f), f.Close())
}
