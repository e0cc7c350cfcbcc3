// Package measure runs one contender at a time under the Lambda Runtime API and
// measures what its deliveries cost.
package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/deliveries"
	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// ErrFailed says that a contender could not be measured.
var ErrFailed = errors.New("measure: failed")

var errNoMeasure = errors.New("only Linux tells")

// invokeTime bounds one delivery.
const invokeTime = 10 * time.Second

// Bench is what all contenders are run on.
type Bench struct {
	// Deliveries are those of every run, in this order.
	Deliveries []deliveries.Delivery
	// Warmup is how many of them a process gets before its cost is measured.
	Warmup int
	// AWS answers over HTTP, Secure over TLS by the authority.
	AWS, Secure *standin.AWS
	Authority   *standin.Authority
}

// SetLatency has AWS take that long for every call.
func (b *Bench) SetLatency(latency time.Duration) {
	b.AWS.SetLatency(latency)
	b.Secure.SetLatency(latency)
}

// Cold is what the start of a process took.
type Cold struct {
	// Init is from the start of the process to its first poll, First from then
	// on to its first answer, without the pause between.
	Init, First time.Duration
}

// Total is from the start to the first answer.
func (c Cold) Total() time.Duration { return c.Init + c.First }

// Warm is what the deliveries after the warm-up took.
type Warm struct {
	// Latencies are from handing over each event to having its answer.
	Latencies []time.Duration
	// CPU is per delivery, user and system time.
	CPU time.Duration
	// PeakRSS is the largest resident set of the process, in bytes.
	PeakRSS int64
	// Connections is how many were opened to the table.
	Connections int
}

// Cold starts a process, hands it one delivery and ends it.
func (b *Bench) Cold(ctx context.Context, c contender.Contender, secure bool) (Cold, error) {
	aws, authority := b.AWS, (*standin.Authority)(nil)
	if secure {
		aws, authority = b.Secure, b.Authority
	}
	run, err := b.start(ctx, c, aws, authority)
	if err != nil {
		return Cold{}, err
	}
	defer run.process.Kill()
	if err := run.deliver(ctx, b.Deliveries[:1]); err != nil {
		return Cold{}, err
	}
	cold := Cold{Init: run.process.ColdStart(), First: run.latencies[0]}
	return cold, run.check(b.Deliveries[:1])
}

// Warm starts a process, hands it the deliveries and measures those after the
// warm-up.
func (b *Bench) Warm(ctx context.Context, c contender.Contender) (Warm, error) {
	run, err := b.start(ctx, c, b.AWS, nil)
	if err != nil {
		return Warm{}, err
	}
	defer run.process.Kill()
	if err := run.deliver(ctx, b.Deliveries[:b.Warmup]); err != nil {
		return Warm{}, err
	}
	connections := b.AWS.Connections()
	before, err := processCPU(run.process.PID())
	if err != nil {
		return Warm{}, err
	}
	if err := run.deliver(ctx, b.Deliveries[b.Warmup:]); err != nil {
		return Warm{}, err
	}
	after, err := processCPU(run.process.PID())
	if err != nil {
		return Warm{}, err
	}
	peak, err := peakMemory(run.process.PID())
	if err != nil {
		return Warm{}, err
	}
	measured := len(b.Deliveries) - b.Warmup
	return Warm{
		Latencies:   run.latencies[b.Warmup:],
		CPU:         (after - before) / time.Duration(measured),
		PeakRSS:     peak,
		Connections: b.AWS.Connections() - connections,
	}, run.check(b.Deliveries)
}

// Check makes sure that a contender does the whole job: that it refuses a wrong
// token and a wrong signature, stores every event with every attribute, knows a
// redelivery, makes one call for each delivery, and says so. The error wraps
// [deliveries.ErrWrong] if it does not.
func (b *Bench) Check(ctx context.Context, c contender.Contender) error {
	if c.Constant {
		return nil
	}
	// Few may be enough to warm up, but not to have seen every sample.
	all := b.Deliveries[:min(max(b.Warmup, deliveries.Samples), len(b.Deliveries))]
	run, err := b.start(ctx, c, b.AWS, nil)
	if err != nil {
		return err
	}
	defer run.process.Kill()
	for i, d := range all {
		token, err := d.WithToken(strings.Repeat("x", len(deliveries.Token)))
		if err != nil {
			return err
		}
		if err := run.refused(ctx, token); err != nil {
			return fmt.Errorf("delivery %d with a wrong token: %w", i, err)
		}
		if !d.Signed() {
			continue
		}
		signature, err := d.WithSignature(strings.Repeat("0", 64))
		if err != nil {
			return err
		}
		if err := run.refused(ctx, signature); err != nil {
			return fmt.Errorf("delivery %d with a wrong signature: %w", i, err)
		}
	}
	// What was refused may be kept, but not as an event.
	b.AWS.Reset()
	if err := run.deliver(ctx, all); err != nil {
		return err
	}
	if err := run.check(all); err != nil {
		return err
	}
	for _, d := range all {
		result, err := run.invoke(ctx, d.Event)
		if err != nil {
			return err
		}
		if err := deliveries.CheckAnswer(result.Payload, http.StatusOK, "duplicate", d.Key); err != nil {
			return fmt.Errorf("%s: redelivered: %w", c.Name, err)
		}
	}
	return nil
}

// run is one process under way.
type run struct {
	contender contender.Contender
	aws       *standin.AWS
	process   *lambdaruntime.Process
	latencies []time.Duration
	answers   [][]byte
}

func (b *Bench) start(ctx context.Context, c contender.Contender, aws *standin.AWS, authority *standin.Authority) (*run, error) {
	aws.Reset()
	r := &run{
		contender: c,
		aws:       aws,
		latencies: make([]time.Duration, 0, len(b.Deliveries)),
		answers:   make([][]byte, 0, len(b.Deliveries)),
	}
	// The benchmark's own garbage is not to be collected at a contender's cost.
	runtime.GC()
	process, err := lambdaruntime.Start(ctx, c.Command(aws, authority))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFailed, c.Name, err)
	}
	r.process = process
	return r, nil
}

func (r *run) deliver(ctx context.Context, all []deliveries.Delivery) error {
	for i := range all {
		result, err := r.invoke(ctx, all[i].Event)
		if err != nil {
			return err
		}
		r.latencies = append(r.latencies, result.Latency)
		r.answers = append(r.answers, result.Payload)
	}
	return nil
}

func (r *run) invoke(ctx context.Context, event []byte) (lambdaruntime.Result, error) {
	result, err := r.process.Invoke(ctx, event, invokeTime)
	if err == nil && result.FunctionError != nil {
		err = result.FunctionError
	}
	if err != nil {
		return result, fmt.Errorf("%w: %s: %w", ErrFailed, r.contender.Name, err)
	}
	return result, nil
}

func (r *run) refused(ctx context.Context, event []byte) error {
	result, err := r.invoke(ctx, event)
	if err != nil {
		return err
	}
	if err := deliveries.CheckAnswer(result.Payload, http.StatusUnauthorized, "", ""); err != nil {
		return fmt.Errorf("%s: %w", r.contender.Name, err)
	}
	return nil
}

// check makes sure, after the clock has stopped, that every delivery was
// answered and stored by one call each.
func (r *run) check(all []deliveries.Delivery) error {
	if r.contender.Constant {
		return nil
	}
	for i, answer := range r.answers {
		if err := deliveries.CheckAnswer(answer, http.StatusOK, "stored", all[i].Key); err != nil {
			return fmt.Errorf("%s: %w", r.contender.Name, err)
		}
	}
	if n := r.aws.Calls()[standin.PutItem]; n != len(all) {
		return fmt.Errorf("%w: %s: %d writes for %d deliveries", deliveries.ErrWrong, r.contender.Name, n, len(all))
	}
	if err := deliveries.CheckItems(all, r.aws.Items()); err != nil {
		return fmt.Errorf("%s: %w", r.contender.Name, err)
	}
	return nil
}
