package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/deliveries"
	"github.com/ringback/ringback/internal/proof/bench/measure"
	"github.com/ringback/ringback/internal/proof/bench/report"
	"github.com/ringback/ringback/internal/proof/bench/standin"
)

// comparison is one run of the program.
type comparison struct {
	options
	stderr     io.Writer
	stores     string // folder of root certificates
	bench      *measure.Bench
	contenders []contender.Contender
	deployed   int64
}

// certificates begins the name of the folder of root certificates.
const certificates = "certificates-"

// newComparison builds the contenders and starts what they run on.
func newComparison(ctx context.Context, o options, stderr io.Writer, now time.Time) (*comparison, error) {
	r := &comparison{options: o, stderr: stderr}
	source := contender.Source{
		Root:   o.root,
		Tools:  filepath.Join(o.root, ".tools", "bench"),
		Folder: filepath.Join(o.root, ".build", "bench"),
	}
	if err := os.MkdirAll(source.Folder, 0o750); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	// A run that was killed could not remove its own.
	left, err := filepath.Glob(filepath.Join(source.Folder, certificates+"*"))
	for _, folder := range left {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	for _, name := range o.contenders {
		r.progress("build %s\n", name)
		c, err := source.Build(ctx, name)
		if err != nil {
			return nil, err
		}
		r.contenders = append(r.contenders, c)
	}
	if r.deployed, err = source.DeployedSize(ctx); err != nil {
		return nil, err
	}
	if r.stores, err = os.MkdirTemp(source.Folder, certificates); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	if r.bench, err = newBench(ctx, o, r.stores, now); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func newBench(ctx context.Context, o options, stores string, now time.Time) (*measure.Bench, error) {
	all, err := deliveries.Make(o.root, o.warmup+o.events, now)
	if err != nil {
		return nil, err
	}
	authority, err := standin.NewAuthority(stores, now)
	if err != nil {
		return nil, err
	}
	aws, err := standin.Start(ctx, standin.Config{Secret: deliveries.Secret})
	if err != nil {
		return nil, err
	}
	secure, err := standin.Start(ctx, standin.Config{Secret: deliveries.Secret, TLS: authority.TLS})
	if err != nil {
		aws.Close()
		return nil, err
	}
	return &measure.Bench{Deliveries: all, Warmup: o.warmup, AWS: aws, Secure: secure, Authority: authority}, nil
}

func (r *comparison) close() {
	if r.bench != nil {
		r.bench.AWS.Close()
		r.bench.Secure.Close()
	}
	_ = os.RemoveAll(r.stores)
}

func (r *comparison) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(r.stderr, format, args...)
}

// measure runs all rounds, after every contender has shown that it does its job.
func (r *comparison) measure(ctx context.Context) (report.Document, error) {
	d := report.Document{
		Machine:    report.Machine(),
		Contenders: r.contenders,
		Ours:       contender.Ringback,
		Latency:    r.latency,
		Rounds:     r.rounds,
		SlowRounds: r.slowRounds,
		Starts:     r.starts,
		SlowStarts: r.slowStarts(),
		Warmup:     r.warmup,
		Events:     r.events,
		Roots:      r.bench.Authority.Roots,
		Counts:     r.counts,
	}
	for _, c := range r.contenders {
		if err := r.bench.Check(ctx, c); err != nil {
			return d, err
		}
	}
	var err error
	if d.StandIn, err = r.bench.StandIn(ctx, time.Now); err != nil {
		return d, err
	}
	if d.Results, err = r.all(ctx, "round", r.rounds); err != nil {
		return d, err
	}
	for _, result := range d.Results {
		if result.Name == contender.Ringback {
			result.AddDeployed(r.deployed)
		}
	}
	d.Verdicts = report.Look(limits, d.Results)
	if r.slowRounds > 0 {
		r.bench.SetLatency(r.latency)
		d.SlowResults, err = r.all(ctx, fmt.Sprintf("with %v for each call: round", r.latency), r.slowRounds)
	}
	return d, err
}

// all gives every contender its turn in every round. Each round begins with
// another one, so that none always comes after the same.
func (r *comparison) all(ctx context.Context, what string, rounds int) ([]*report.Result, error) {
	results := make([]*report.Result, len(r.contenders))
	for i, c := range r.contenders {
		results[i] = report.NewResult(c.Name, c.Size)
	}
	for round := range rounds {
		r.progress("%s %d of %d\n", what, round+1, rounds)
		for turn := range r.contenders {
			i := (round + turn) % len(r.contenders)
			if err := r.turn(ctx, r.contenders[i], results[i]); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

func (r *comparison) turn(ctx context.Context, c contender.Contender, result *report.Result) error {
	result.BeginRound()
	starts := r.starts
	if c.Slow {
		starts = r.slowStarts()
	}
	for range starts {
		for _, secure := range []bool{false, true} {
			if secure && c.Constant {
				continue // it calls nobody
			}
			cold, err := r.bench.Cold(ctx, c, secure)
			if err != nil {
				return err
			}
			result.AddCold(cold, secure)
		}
	}
	warm, err := r.bench.Warm(ctx, c)
	if err != nil {
		return err
	}
	result.AddWarm(warm)
	return nil
}
