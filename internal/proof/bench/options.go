package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/deliveries"
)

// options are the flags.
type options struct {
	contenders []string
	root       string
	docs       string
	rounds     int
	slowRounds int
	starts     int
	events     int
	warmup     int
	latency    time.Duration
	counts     int
	check      bool
}

// slowStarts is how many cold starts a contender has that starts slowly.
func (o options) slowStarts() int { return max(1, o.starts/3) }

var errOptions = errors.New("options")

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	names := ""
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&names, "contenders", strings.Join(contender.Names, ","), "functions to compare")
	f.StringVar(&o.root, "root", "../../..", "the repository's folder")
	f.StringVar(&o.docs, "docs", "", "folder to write benchmarks.md and benchmarks.svg to; none if empty")
	f.IntVar(&o.rounds, "rounds", 15, "rounds in which every function has its turn")
	f.IntVar(&o.slowRounds, "slow-rounds", 0, "rounds with an AWS that takes its time")
	f.IntVar(&o.starts, "starts", 6, "cold starts in each turn over HTTP, and as many over TLS")
	f.IntVar(&o.events, "events", 1000, "deliveries of a warm run")
	f.IntVar(&o.warmup, "warmup", 200, "deliveries before that")
	f.DurationVar(&o.latency, "latency", 2*time.Millisecond, "what a call takes in the rounds with an AWS that takes its time")
	f.IntVar(&o.counts, "counts", 0, "runs of each Go benchmark")
	f.BoolVar(&o.check, "check", true, "fail if a limit is missed")
	if err := f.Parse(args); err != nil {
		return options{}, fmt.Errorf("%w: %w", errOptions, err)
	}
	o.contenders = strings.Split(names, ",")
	if o.rounds < 1 || o.slowRounds < 0 || o.starts < 1 || o.events < 1 || o.warmup < 1 || f.NArg() > 0 {
		return options{}, fmt.Errorf("%w: every number must be 1 or more, and there are no arguments", errOptions)
	}
	if o.warmup+o.events < deliveries.Samples {
		return options{}, fmt.Errorf("%w: every sample must be delivered, which takes %d deliveries", errOptions, deliveries.Samples)
	}
	root, err := filepath.Abs(o.root)
	if err != nil {
		return options{}, fmt.Errorf("%w: %w", errOptions, err)
	}
	o.root = root
	return o, nil
}
