// Package measure runs one contender at a time under the Lambda Runtime API. It
// checks what the contender does with its deliveries and measures their cost.
package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/report"
	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// ErrFailed says that a contender could not be measured.
var ErrFailed = errors.New("measure: failed")

// Bench is what all contenders run on.
type Bench struct {
	// Deliveries are what every run delivers, in this order.
	Deliveries []Delivery
	// Warmup is how many of them a process gets before its cost is measured. Every
	// sample must be among these.
	Warmup int
	AWS    *standin.AWS
}

// Cold starts a process, hands it one delivery and ends it. It returns how long the
// start took.
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

// Warm starts a process and hands it all deliveries. It returns the cost of those
// after the warm-up.
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
// and a wrong signature, stores every event by one call, and recognizes a
// redelivery. The error wraps [ErrWrong] if it does not.
func (b *Bench) Check(ctx context.Context, c contender.Contender) error {
	if c.Constant {
		return nil
	}
	all := b.Deliveries[:b.Warmup]
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

// run is one process of a contender.
type run struct {
	constant bool
	aws      *standin.AWS
	process  *lambdaruntime.Process
	answers  [][]byte
}

func (b *Bench) start(ctx context.Context, c contender.Contender, at standin.Endpoints) (*run, error) {
	b.AWS.Reset()
	runtime.GC() // now, not while the contender is measured
	process, err := lambdaruntime.Start(ctx, c.Command(at))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return &run{constant: c.Constant, aws: b.AWS, process: process, answers: make([][]byte, 0, len(b.Deliveries))}, nil
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
		err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return result, err
}

// expect hands over one event and checks the answer.
func (r *run) expect(ctx context.Context, event []byte, code int, status, key string) error {
	result, err := r.invoke(ctx, event)
	if err != nil {
		return err
	}
	return CheckAnswer(result.Payload, code, status, key)
}

// check makes sure, once the clock has stopped, that every delivery was answered
// and was stored by one call.
func (r *run) check(all []Delivery) error {
	if r.constant {
		return nil
	}
	err := CheckItems(all, r.aws.Items())
	if writes := r.aws.Writes.Load(); writes != int64(len(all)) {
		err = fmt.Errorf("%w: %d writes for %d deliveries", ErrWrong, writes, len(all))
	}
	for i, answer := range r.answers {
		err = errors.Join(err, CheckAnswer(answer, http.StatusOK, "stored", all[i].Key.PK))
	}
	return err
}

// processCPU returns how much processor time a running process has used, to the
// nanosecond. See clock_getcpuclockid(3).
func processCPU(pid int) (time.Duration, error) {
	const ofProcess = 2 // CPUCLOCK_SCHED, of all threads
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &t); err != nil { //nolint:gosec // G115: a process id has 22 bits
		return 0, fmt.Errorf("%w: read processor time, which needs Linux: %w", ErrFailed, err)
	}
	return time.Duration(t.Nano()), nil
}

// peakMemory returns the largest resident set of a running process, in bytes.
// wait4 reports another figure, which begins with the parent's.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	if _, errScan := fmt.Sscan(peak, &kB); errScan != nil {
		return 0, fmt.Errorf("%w: read peak memory: %w", ErrFailed, errors.Join(err, errScan))
	}
	return kB << 10, nil
}
