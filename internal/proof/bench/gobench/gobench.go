// Package gobench runs Go benchmarks and sums up what they print.
package gobench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// ErrOutput says that "go test" printed no benchmarks, or not as it does.
var ErrOutput = errors.New("gobench: no benchmarks")

// Benchmark is one benchmark and what its runs gave.
type Benchmark struct {
	// Package is the package's import path.
	Package string
	// Name is without "Benchmark" and without the number of processors.
	Name string
	// Values are by unit, such as ns/op, run by run.
	Values map[string][]float64
}

// Time is how long each run of a benchmark takes, as -benchtime.
const Time = "30ms"

// representative is the event that stands for all in benchmarks that are run on
// every sample.
const representative = "/call.completed"

// Brief leaves out the benchmarks on all samples but one of each format.
func Brief(all []Benchmark) []Benchmark {
	return slices.DeleteFunc(slices.Clone(all), func(b Benchmark) bool {
		_, last, _ := strings.Cut(b.Name, "/")
		// An event's type has a dot or stands behind its format.
		return strings.ContainsAny(last, "/.") && !strings.HasSuffix(b.Name, representative)
	})
}

// Run runs the benchmarks of packages, given as "go test" takes them, in the
// folder root, each count times.
func Run(ctx context.Context, root string, count int, packages ...string) ([]Benchmark, error) {
	args := append([]string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", Time, "-count", strconv.Itoa(count)}, packages...)
	test := exec.CommandContext(ctx, "go", args...) //nolint:gosec // G204: the packages are the caller's to choose
	test.Dir = root
	// Where it is set, the AWS SDK refuses an HTTP client of one's own.
	test.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_CA_BUNDLE=") })
	output, err := test.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return Parse(output)
}

// Parse reads what "go test -bench" printed. Several runs of one benchmark are
// put together. The error wraps [ErrOutput].
//
// https://golang.org/design/14313-benchmark-format
func Parse(output []byte) ([]Benchmark, error) {
	var all []Benchmark
	pkg := ""
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "pkg: "); ok {
			pkg = rest
			continue
		}
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "Benchmark") || len(fields) < 4 {
			continue
		}
		name := nameOf(fields[0])
		i := slices.IndexFunc(all, func(b Benchmark) bool { return b.Package == pkg && b.Name == name })
		if i < 0 {
			i = len(all)
			all = append(all, Benchmark{Package: pkg, Name: name, Values: map[string][]float64{}})
		}
		for pair := range slices.Chunk(fields[2:], 2) {
			value, err := strconv.ParseFloat(pair[0], 64)
			if err != nil || len(pair) != 2 {
				return nil, fmt.Errorf("%w: %q", ErrOutput, line)
			}
			all[i].Values[pair[1]] = append(all[i].Values[pair[1]], value)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w in %.200q", ErrOutput, output)
	}
	return all, nil
}

// nameOf takes off what "go test" puts around a benchmark's name: the number of
// processors is behind the last hyphen, unless there is one.
func nameOf(field string) string {
	name := strings.TrimPrefix(field, "Benchmark")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if _, err := strconv.Atoi(name[i+1:]); err == nil {
			return name[:i]
		}
	}
	return name
}
