// Command bench compares the webhook function with ordinary functions that do the
// same job, and with the least that any function costs. "make bench" runs it;
// docs/benchmarks.md describes the method and the results.
//
// It is a module of its own, to keep its dependencies out of the product's go.mod.
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
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/measure"
	"github.com/ringback/ringback/internal/proof/bench/report"
	"github.com/ringback/ringback/internal/proof/bench/standin"
)

var (
	contenders = flag.String("contenders", strings.Join(contender.Names, ","), "functions to compare")
	docs       = flag.String("docs", "", "write benchmarks.md and benchmarks.svg to this folder; needs benchstat's output in .build/bench/parts.txt")
	rounds     = flag.Int("rounds", 15, "number of rounds; each function has one turn in each")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, time.Now)
	stop()
	if err != nil {
		progress("bench: %v", err)
		os.Exit(1)
	}
}

// limits are the most that the function may cost. One that is a goal fails no run. Of the two of Rust the tuned one
// counts: over TLS the other shows one default of a library.
var limits = []report.Limit{
	{Of: contender.Ringback, To: contender.Floor, Figure: report.Cold, AtMost: 1.7},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.Cold, AtMost: 0.7},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.ColdTLS, AtMost: 0.5},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.CPU, AtMost: 2.3},
	{Of: contender.Ringback, To: contender.Plain, Figure: report.CPU, AtMost: 0.6},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.RSS, AtMost: 1.4},
	{Of: contender.Ringback, Figure: report.Deployed, AtMost: 10},
	{Of: contender.Ringback, To: contender.RustTuned, Figure: report.P50, AtMost: 0.9},
	{Of: contender.Ringback, To: contender.RustTuned, Figure: report.CPU, AtMost: 1},
	{Of: contender.Ringback, To: contender.RustTuned, Figure: report.Cold, AtMost: 0.8},
	{Of: contender.Ringback, To: contender.RustTuned, Figure: report.ColdTLS, AtMost: 0.95, Goal: true},
	{Of: contender.Ringback, To: contender.RustTuned, Figure: report.P99, AtMost: 1, Goal: true},
	{Of: contender.Ringback, To: contender.RustTuned, Figure: report.RSS, AtMost: 1.35, Goal: true},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.Cold, AtMost: 1.45, Goal: true},
	{Of: contender.Ringback, To: contender.Floor, Figure: report.CPU, AtMost: 1.85, Goal: true},
}

const (
	root       = "../../.." // "go run -C" starts the program in its own folder
	slowRounds = 4          // rounds with latency, if the page is written
	starts     = 6          // cold starts in a turn over HTTP, and as many over TLS
	warmup     = 200        // deliveries to a process before it is measured
	events     = 1000       // deliveries that are measured
	latency    = 2 * time.Millisecond
)

func run(ctx context.Context, now func() time.Time) error {
	// Two, however many there are. With one, the goroutine that waits for a process's end
	// keeps the scheduler's processor, and the first poll is seen up to 20 ms late.
	runtime.GOMAXPROCS(2)
	// Collect little garbage while a contender is measured.
	debug.SetGCPercent(400)

	c := comparison{Document: report.Document{
		Date: now(), Machine: report.Machine(), LoadBefore: report.Load(), Latency: latency, Rounds: *rounds,
		Starts: starts, Warmup: warmup, Events: events,
	}}
	progress("the load of the machine is %s; above 0.5 it distorts the figures", c.LoadBefore)
	if err := c.measure(ctx); err != nil {
		return err
	}
	c.Took, c.LoadAfter = now().Sub(c.Date).Round(time.Second), report.Load()
	err := c.Text(os.Stdout)
	if *docs != "" {
		err = errors.Join(err, write("benchmarks.md", c.Write), write("benchmarks.svg", c.Results.WritePlot))
	}
	return errors.Join(err, c.Err())
}

func write(name string, content func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(*docs, name)) //nolint:gosec // G304: the user's choice
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}

func progress(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, format+"\n", args...) }

// comparison is one run of the program.
type comparison struct {
	report.Document
	bench measure.Bench
}

// measure builds the contenders, checks that each does its job, and runs all
// rounds.
func (c *comparison) measure(ctx context.Context) error {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	source := contender.Source(absolute)
	if *docs != "" {
		text, err := os.ReadFile(source.Built("parts.txt"))
		if err != nil {
			return err
		}
		c.Parts, c.SlowRounds = string(text), slowRounds
	}
	all, errMake := measure.Make(absolute, warmup+events, c.Date)
	aws, err := standin.Start(source.Certificates(), measure.Secret)
	if err := errors.Join(errMake, err); err != nil {
		return err
	}
	defer aws.Close()
	c.bench = measure.Bench{Deliveries: all, Warmup: warmup, AWS: aws}
	for name := range strings.SplitSeq(*contenders, ",") {
		progress("build %s", name)
		built, err := source.Build(ctx, name)
		if errors.Is(err, contender.ErrCargo) {
			progress("%s is left out: %v", name, err)
			c.Missing = append(c.Missing, name)
			continue
		}
		if err == nil {
			err = c.bench.Check(ctx, built)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.Contenders = append(c.Contenders, built)
	}
	deployed, err := source.DeployedSize(ctx)
	if err != nil {
		return err
	}
	if c.Results, err = c.all(ctx, "round", c.Rounds); err != nil {
		return err
	}
	for i, r := range c.Results {
		r.Add(report.Measured{report.Size: float64(c.Contenders[i].Size)})
		if r.Name == contender.Ringback {
			r.Add(report.Measured{report.Deployed: float64(deployed)})
		}
	}
	hasRust := slices.ContainsFunc(c.Results, func(r *report.Result) bool { return r.Name == contender.RustTuned })
	held := slices.DeleteFunc(slices.Clone(limits), func(l report.Limit) bool { return l.To == contender.RustTuned && !hasRust })
	c.Verdicts, c.Roots = c.Results.Look(held), aws.Secure.Roots.Count
	aws.Latency.Store(int64(latency))
	c.SlowResults, err = c.all(ctx, "slow round", c.SlowRounds)
	return err
}

// all gives every contender one turn in every round. Each round begins with
// another contender, so that none always follows the same one.
func (c *comparison) all(ctx context.Context, what string, rounds int) (results report.Results, err error) {
	for i := range c.Contenders {
		results = append(results, report.NewResult(c.Contenders[i].Name))
	}
	for round := range rounds {
		progress("%s %d of %d", what, round+1, rounds)
		for turn := range results {
			i := (round + turn) % len(results)
			if err := c.turn(ctx, c.Contenders[i], results[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", results[i].Name, err)
			}
		}
	}
	return results, nil
}

func (c *comparison) turn(ctx context.Context, one contender.Contender, result *report.Result) error {
	result.BeginRound()
	for range starts {
		for _, at := range []standin.Endpoints{c.bench.AWS.Plain, c.bench.AWS.Secure} {
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
