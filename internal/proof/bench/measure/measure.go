// Package measure runs one contender at a time under the Lambda Runtime API,
// checks what it does with its deliveries, and measures what they cost.
package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/report"
	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// ErrFailed says that a contender could not be measured.
var ErrFailed = errors.New("measure: failed")

// Bench is what all contenders are run on.
type Bench struct {
	// Deliveries are those of every run, in this order.
	Deliveries []Delivery
	// Warmup is how many of them a process gets before its cost is measured.
	Warmup int
	AWS    *standin.AWS
}

// Cold starts a process, hands it one delivery, ends it, and returns how long
// the start took.
func (b *Bench) Cold(ctx context.Context, c contender.Contender, at standin.Endpoints) (report.Measured, error) {
	r, err := b.start(ctx, c, at)
	if err != nil {
		return nil, err
	}
	defer r.process.Kill()
	latencies, err := r.deliver(ctx, b.Deliveries[:1])
	if err != nil {
		return nil, err
	}
	begun, first := float64(r.process.ColdStart()), float64(latencies[0])
	m := report.Measured{report.Init: begun, report.First: first, report.Cold: begun + first}
	if at.Roots != nil {
		m = report.Measured{report.InitTLS: begun, report.FirstTLS: first, report.ColdTLS: begun + first}
	}
	return m, r.check(b.Deliveries[:1])
}

// Warm starts a process, hands it the deliveries, and returns what those after
// the warm-up cost.
func (b *Bench) Warm(ctx context.Context, c contender.Contender) (report.Measured, error) {
	r, err := b.start(ctx, c, b.AWS.Plain)
	if err != nil {
		return nil, err
	}
	defer r.process.Kill()
	if _, err := r.deliver(ctx, b.Deliveries[:b.Warmup]); err != nil {
		return nil, err
	}
	measured := b.Deliveries[b.Warmup:]
	connections := b.AWS.Connections.Load()
	before, errBefore := processCPU(r.process.PID())
	latencies, err := r.deliver(ctx, measured)
	after, errAfter := processCPU(r.process.PID())
	peak, errPeak := peakMemory(r.process.PID())
	if err := errors.Join(errBefore, err, errAfter, errPeak); err != nil {
		return nil, err
	}
	return report.Measured{
		report.P50:    float64(report.Percentile(latencies, 50)),
		report.P99:    float64(report.Percentile(latencies, 99)),
		report.CPU:    float64(after-before) / float64(len(measured)),
		report.RSS:    float64(peak),
		report.Opened: float64(b.AWS.Connections.Load() - connections),
	}, r.check(b.Deliveries)
}

// Check makes sure that a contender does the whole job: it refuses a wrong token
// and a wrong signature, stores every event by one call each, and recognizes a
// redelivery. The error wraps [ErrWrong] if it does not.
func (b *Bench) Check(ctx context.Context, c contender.Contender) error {
	if c.Constant {
		return nil
	}
	// The warm-up may be too short to show every sample.
	all := b.Deliveries[:min(max(b.Warmup, len(Samples)), len(b.Deliveries))]
	r, err := b.start(ctx, c, b.AWS.Plain)
	if err != nil {
		return err
	}
	defer r.process.Kill()
	for i := range all {
		for _, forged := range all[i].Forged {
			if err := r.expect(ctx, forged, http.StatusUnauthorized, "", ""); err != nil {
				return fmt.Errorf("delivery %d, forged: %w", i, err)
			}
		}
	}
	b.AWS.Reset() // A refused delivery may be kept, but not as an event.
	if _, err := r.deliver(ctx, all); err != nil {
		return err
	}
	if err := r.check(all); err != nil {
		return err
	}
	for i := range all {
		if err := r.expect(ctx, all[i].Event, http.StatusOK, "duplicate", all[i].Key.PK); err != nil {
			return fmt.Errorf("delivery %d, again: %w", i, err)
		}
	}
	return nil
}

// run is one process under way.
type run struct {
	contender contender.Contender
	aws       *standin.AWS
	process   *lambdaruntime.Process
	answers   [][]byte
}

func (b *Bench) start(ctx context.Context, c contender.Contender, at standin.Endpoints) (*run, error) {
	b.AWS.Reset()
	// The benchmark's own garbage is not to be collected at a contender's cost.
	runtime.GC()
	process, err := lambdaruntime.Start(ctx, c.Command(at))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFailed, c.Name, err)
	}
	return &run{contender: c, aws: b.AWS, process: process, answers: make([][]byte, 0, len(b.Deliveries))}, nil
}

// deliver hands over deliveries, one after the other.
func (r *run) deliver(ctx context.Context, all []Delivery) ([]time.Duration, error) {
	latencies := make([]time.Duration, 0, len(all))
	for i := range all {
		result, err := r.invoke(ctx, all[i].Event)
		if err != nil {
			return nil, err
		}
		latencies = append(latencies, result.Latency)
		r.answers = append(r.answers, result.Payload)
	}
	return latencies, nil
}

func (r *run) invoke(ctx context.Context, event []byte) (lambdaruntime.Result, error) {
	result, err := r.process.Invoke(ctx, event, 10*time.Second)
	if err == nil && result.FunctionError != nil {
		err = result.FunctionError
	}
	if err != nil {
		return result, fmt.Errorf("%w: %s: %w", ErrFailed, r.contender.Name, err)
	}
	return result, nil
}

// expect hands over one event and compares the answer.
func (r *run) expect(ctx context.Context, event []byte, code int, status, key string) error {
	result, err := r.invoke(ctx, event)
	if err == nil {
		err = CheckAnswer(result.Payload, code, status, key)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.contender.Name, err)
	}
	return nil
}

// check makes sure, once the clock has stopped, that every delivery was answered
// and stored by one call.
func (r *run) check(all []Delivery) error {
	if r.contender.Constant {
		return nil
	}
	err := CheckItems(all, r.aws.Items())
	if writes := r.aws.Writes.Load(); writes != int64(len(all)) {
		err = fmt.Errorf("%w: %d writes for %d deliveries", ErrWrong, writes, len(all))
	}
	for i, answer := range r.answers {
		err = errors.Join(err, CheckAnswer(answer, http.StatusOK, "stored", all[i].Key.PK))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.contender.Name, err)
	}
	return nil
}

// processCPU returns how long a running process has had a processor, to the
// nanosecond. See clock_getcpuclockid(3).
func processCPU(pid int) (time.Duration, error) {
	const ofProcess = 2 // CPUCLOCK_SCHED, of all of its threads
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &t); err != nil { //nolint:gosec // G115: a process id has 22 bits
		return 0, fmt.Errorf("%w: read processor time, which only Linux tells: %w", ErrFailed, err)
	}
	return time.Duration(t.Nano()), nil
}

var peak = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peakMemory returns the largest resident set of a running process, in bytes.
// The figure of wait4 is useless, since a child starts with its parent's.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	found := peak.FindSubmatch(status)
	if err != nil || found == nil {
		return 0, fmt.Errorf("%w: read peak memory: %w", ErrFailed, err)
	}
	kB, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kB << 10, err
}
