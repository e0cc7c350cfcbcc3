// Command bench measures the webhook function beside the least that a function
// can cost and beside ordinary functions that do the same job. "make bench" runs
// it; docs/benchmarks.md describes the method and the results.
//
// It is a module of its own, so that the product's go.mod does not list what only
// the comparison needs.
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
	"strings"
	"syscall"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/measure"
	"github.com/ringback/ringback/internal/proof/bench/report"
	"github.com/ringback/ringback/internal/proof/bench/standin"
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

// limits are those that the function has to keep.
var limits = []report.Limit{
	{Of: contender.Ringback, To: contender.Floor, Figure: report.Cold, AtMost: 1.7},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.Cold, AtMost: 0.7},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.ColdTLS, AtMost: 0.5},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.CPU, AtMost: 2.3},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.CPU, AtMost: 0.6},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.RSS, AtMost: 1.4},
	{Of: contender.Ringback, Figure: report.Deployed, AtMost: 10},
}

const (
	root       = "../../.." // "go run -C" starts the program in its own folder
	starts     = 6          // cold starts in a turn over HTTP, and as many over TLS
	slowStarts = 2          // of a script
	warmup     = 200        // deliveries of a warm run before it is measured
	events     = 1000       // and while it is
	latency    = 2 * time.Millisecond
	busy       = 0.5 // a load, over the last minute, that spoils the figures
)

var errOptions = errors.New("options")

// options are the flags.
type options struct {
	contenders, docs, parts string
	rounds, slowRounds      int
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.contenders, "contenders", strings.Join(contender.Names, ","), "functions to compare")
	f.StringVar(&o.docs, "docs", "", "folder to write benchmarks.md and benchmarks.svg to; none if empty")
	f.IntVar(&o.rounds, "rounds", 15, "rounds in which every function has its turn")
	f.IntVar(&o.slowRounds, "slow-rounds", 0, fmt.Sprintf("rounds in which AWS takes %v for each call", latency))
	f.StringVar(&o.parts, "parts", "", "file with what benchstat says of the Go benchmarks; none if empty")
	err = f.Parse(args)
	if err == nil && (o.rounds < 1 || o.slowRounds < 0 || f.NArg() > 0) {
		err = errOptions
	}
	return o, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, now func() time.Time) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	// Leave another processor to the contender, and collect little garbage while
	// one is measured.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)

	c := comparison{options: o, stderr: stderr, now: now, document: report.Document{
		Date: now(), Machine: report.Machine(), LoadBefore: report.Load(), Latency: latency, Rounds: o.rounds, SlowRounds: o.slowRounds,
		Starts: starts, SlowStarts: slowStarts, Warmup: warmup, Events: events,
	}}
	d := &c.document
	var minute float64
	if _, err := fmt.Sscan(d.LoadBefore, &minute); err == nil && minute > busy {
		c.progress("bench: WARNING: the machine is not quiet: its load is %s", d.LoadBefore)
	}
	if err := c.measure(ctx); err != nil {
		return err
	}
	if o.parts != "" {
		text, err := os.ReadFile(o.parts)
		if err != nil {
			return err
		}
		d.Parts = string(text)
	}
	d.Took, d.LoadAfter = now().Sub(d.Date).Round(time.Second), report.Load()
	err = d.Text(stdout)
	if o.docs != "" {
		err = errors.Join(err, write(filepath.Join(o.docs, "benchmarks.md"), d.Write),
			write(filepath.Join(o.docs, "benchmarks.svg"), d.Results.WritePlot))
	}
	return errors.Join(err, d.Err())
}

func write(path string, content func(io.Writer) error) error {
	f, err := os.Create(path) //nolint:gosec // G304: the caller's to choose
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}

// comparison is one run of the program.
type comparison struct {
	options
	stderr   io.Writer
	now      func() time.Time
	bench    measure.Bench
	document report.Document
}

func (c *comparison) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, format+"\n", args...)
}

// measure builds the contenders and runs all rounds, after every contender has
// shown that it does its job.
func (c *comparison) measure(ctx context.Context) error {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	source := contender.Source{
		Root:   absolute,
		Tools:  filepath.Join(absolute, ".tools", "bench"),
		Folder: filepath.Join(absolute, ".build", "bench"),
	}
	// A run that was killed has left its certificates.
	certificates := filepath.Join(source.Folder, "certificates")
	if err := errors.Join(os.RemoveAll(certificates), os.MkdirAll(certificates, 0o750)); err != nil {
		return err
	}
	all, errMake := measure.Make(absolute, warmup+events, c.now())
	aws, err := standin.Start(certificates, measure.Secret)
	if err := errors.Join(errMake, err); err != nil {
		return err
	}
	defer aws.Close()
	c.bench = measure.Bench{Deliveries: all, Warmup: warmup, AWS: aws}
	d := &c.document
	for name := range strings.SplitSeq(c.contenders, ",") {
		c.progress("build %s", name)
		built, err := source.Build(ctx, name)
		if err == nil {
			err = c.bench.Check(ctx, built)
		}
		if err != nil {
			return err
		}
		d.Contenders = append(d.Contenders, built)
	}
	deployed, err := source.DeployedSize(ctx)
	if err != nil {
		return err
	}
	if d.Results, err = c.all(ctx, "round", c.rounds); err != nil {
		return err
	}
	for i, r := range d.Results {
		r.Add(report.Measured{report.Size: float64(d.Contenders[i].Size)})
		if r.Name == contender.Ringback {
			r.Add(report.Measured{report.Deployed: float64(deployed)})
		}
	}
	d.Verdicts, d.Roots = d.Results.Look(limits), aws.Secure.Roots.Count
	aws.Latency.Store(int64(latency))
	if c.slowRounds > 0 {
		d.SlowResults, err = c.all(ctx, "slow round", c.slowRounds)
	}
	return err
}

// all gives every contender its turn in every round. Each round begins with
// another contender, so that none always follows the same one.
func (c *comparison) all(ctx context.Context, what string, rounds int) (report.Results, error) {
	contenders := c.document.Contenders
	results := make(report.Results, len(contenders))
	for i := range contenders {
		results[i] = report.NewResult(contenders[i].Name)
	}
	for round := range rounds {
		c.progress("%s %d of %d", what, round+1, rounds)
		for turn := range contenders {
			i := (round + turn) % len(contenders)
			if err := c.turn(ctx, contenders[i], results[i]); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

func (c *comparison) turn(ctx context.Context, one contender.Contender, result *report.Result) error {
	result.BeginRound()
	count, endpoints := starts, []standin.Endpoints{c.bench.AWS.Plain, c.bench.AWS.Secure}
	if one.Script {
		count = slowStarts
	}
	if one.Constant {
		endpoints = endpoints[:1] // It calls nobody over TLS.
	}
	for range count {
		for _, at := range endpoints {
			cold, err := c.bench.Cold(ctx, one, at)
			if err != nil {
				return err
			}
			result.Add(cold)
		}
	}
	warm, err := c.bench.Warm(ctx, one)
	result.Add(warm)
	return err
}
