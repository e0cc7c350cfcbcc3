// Command servebench measures "ringback serve" on this machine, and in turns with it the build of another commit: what
// it accepts, how long an answer and an alert take, and what that costs in processor time, memory and disk. After each
// run it kills the process, starts it again on the same folder, and posts what was accepted once more: each delivery
// must be known.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/proof/checkout"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "servebench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	load

	ringback, against, samples string
	connections, callers       []int
	rounds                     int
}

// build is a program to measure.
type build struct{ name, program string }

func run(ctx context.Context, args []string, out io.Writer) error {
	o := options{connections: []int{1, 16, 64}, callers: []int{10_000, 1}}
	f := flag.NewFlagSet("servebench", flag.ContinueOnError)
	f.StringVar(&o.ringback, "ringback", ".build/ringback", "program to measure")
	f.StringVar(&o.against, "against", "", "commit to measure in turns with it, built into .build/; none if empty")
	f.StringVar(&o.samples, "samples", "events-samples", "folder with the documented payloads")
	f.IntVar(&o.deliveries, "n", 20_000, "deliveries in each run")
	f.IntVar(&o.rate, "rate", 0, "deliveries a second; 0 for as many as are accepted")
	f.IntVar(&o.every, "every", 0, "also print a line after every so many deliveries")
	f.IntVar(&o.rounds, "rounds", 1, "runs of each kind; the medians are printed")
	f.Func("c", "numbers of connections, with commas (default 1,16,64)", numbers(&o.connections))
	f.Func("callers", "numbers of callers, with commas (default 10000,1)", numbers(&o.callers))
	if err := f.Parse(args); err != nil {
		return err
	}
	builds := []build{{"this tree", o.ringback}}
	if o.against != "" {
		program, err := buildCommit(ctx, o.against)
		if err != nil {
			return err
		}
		builds = append([]build{{o.against, program}}, builds...)
	}
	kinds, err := readSamples(o.samples)
	if err != nil {
		return err
	}
	o.kinds, o.progress = kinds, out

	var table strings.Builder
	table.WriteString("\n| callers | connections | build | accepted/s | p50 / p99, ms | CPU s per 1 000 | peak PSS; RSS, MB | bytes on disk each | alerts | p50 / p99, ms |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o.load.callers = range o.callers {
		for _, o.load.connections = range o.connections {
			results := make(map[string][]result)
			for range o.rounds {
				for _, b := range builds { // in turns: the machine is not always as fast
					r, err := measure(ctx, b.program, o.load)
					if err != nil {
						return fmt.Errorf("%s, %d connections, %d callers: %w", b.name, o.load.connections, o.load.callers, err)
					}
					results[b.name] = append(results[b.name], r)
					_, _ = fmt.Fprintf(out, "%s, %d connections, %d callers: %.0f accepted/s\n", b.name, o.load.connections, o.load.callers, r.accepted)
				}
			}
			for _, b := range builds {
				r := median(results[b.name])
				fmt.Fprintf(&table, "| %d | %d | %s | %.0f | %.1f / %.1f | %.3f | %.0f; %.0f | %.0f | %d | %.0f / %.0f |\n", o.load.callers, o.load.connections, b.name,
					r.accepted, ms(r.p50), ms(r.p99), r.cpu.Seconds()/float64(o.deliveries)*1000,
					float64(r.peak.pss)/1e6, float64(r.peak.rss)/1e6, float64(r.disk)/float64(o.deliveries), r.alerts, ms(r.alertP50), ms(r.alertP99))
			}
		}
	}
	_, err = io.WriteString(out, table.String())
	return err
}

// numbers returns a function that reads a list of numbers.
func numbers(to *[]int) func(string) error {
	return func(text string) error {
		*to = nil
		for part := range strings.SplitSeq(text, ",") {
			n, err := strconv.Atoi(part)
			if err != nil || n < 1 {
				return errors.New("not a list of positive numbers")
			}
			*to = append(*to, n)
		}
		return nil
	}
}

// buildCommit builds the command line of a commit and returns its path.
func buildCommit(ctx context.Context, commit string) (program string, err error) {
	folder, err := checkout.Commit(ctx, commit)
	if err != nil {
		return "", err
	}
	program = filepath.Join(folder, ".build", "ringback")
	build := exec.CommandContext(ctx, "go", "build", "-C", folder, "-buildvcs=false", "-o", program, "./cmd/ringback") //nolint:gosec // G204: to build a commit is the purpose
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", commit, err, output)
	}
	return program, nil
}

// median returns the run whose accepted/s is in the middle.
func median(all []result) result {
	slices.SortFunc(all, func(a, b result) int { return cmp.Compare(a.accepted, b.accepted) })
	return all[len(all)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
