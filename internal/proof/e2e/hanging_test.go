package e2e_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/checkout"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/spilltest"
	"github.com/ringback/ringback/internal/table"
)

// againstVariable names a commit whose webhook function goes through the same.
const againstVariable = "OUTAGE_AGAINST"

// settled is how long after the table begins to hang every process knows it, and after
// it answers again, too.
const settled = 5 * time.Second

// hanging is how a webhook function fared while the table hung.
type hanging struct {
	name          string
	peak, later   int             // concurrent executions: the most of all, and since settled
	waited        []time.Duration // from a delivery to its answer, since settled, sorted
	spilled, late int             // deliveries, and those that came later than settled after the end
}

func (h hanging) percentile(p int) time.Duration {
	if len(h.waited) == 0 {
		return 0
	}
	return h.waited[(len(h.waited)*p-1)/100].Round(time.Millisecond)
}

func (h hanging) String() string {
	return fmt.Sprintf("outage: table hangs, %s: concurrent executions %d at their peak, %d from the fifth second on; "+
		"answers from then on p50 %v, p95 %v, p99 %v, the last %v; spilled %d, of these %d later than %v after the end",
		h.name, h.peak, h.later, h.percentile(50), h.percentile(95), h.percentile(99), h.percentile(100), h.spilled, h.late, settled)
}

// Each delivery has a process to itself, as on Lambda. Only with OUTAGE set the times
// count: then nothing else should run, and more deliveries come.
func TestATableThatHangsLosesNothing(t *testing.T) {
	t.Parallel()
	text, measured := os.LookupEnv(outageVariable)
	hangs, err := time.ParseDuration(cmp.Or(text, defaultOutage.String()))
	if err != nil {
		t.Fatalf("%s: %v", outageVariable, err)
	}
	rate := 10 // deliveries in a second, however many wait
	if measured {
		rate = 50
	}
	var before hanging
	if commit := os.Getenv(againstVariable); commit != "" {
		folder, err := checkout.Commit(t.Context(), commit)
		if err != nil {
			t.Fatal(err)
		}
		binary := filepath.Join(binaries, commit)
		if err := lambdaruntime.Build(t.Context(), filepath.Join(folder, "functions", "webhook"), binary, true); err != nil {
			t.Fatal(err)
		}
		t.Run("before", func(t *testing.T) { before = hang(t, commit, commit, rate, hangs) })
	}
	var after hanging
	t.Run("now", func(t *testing.T) { after = hang(t, "now", "webhook", rate, hangs) })
	if !measured {
		return
	}
	if after.percentile(95) > 500*time.Millisecond || after.late > 0 {
		t.Error("want p95 of at most 500 ms, and nothing spilled long after the end")
	}
	if before.peak > 0 && (3*after.peak > before.peak || 10*after.later > before.later) {
		t.Error("want a third of the concurrent executions before at their peak, and a tenth from the fifth second on")
	}
}

// hang delivers to a webhook function while the table hangs, before and after.
func hang(t *testing.T, name, binary string, rate int, hangs time.Duration) hanging {
	t.Helper()
	s := newStack(t)
	// moto takes the longer for a message the more there are: a tenth of a second at 1 500.
	queue := spilltest.Start(t)
	s.env = map[string]string{"SPILL_QUEUE_URL": queue.URL(), "AWS_ENDPOINT_URL_SQS": queue.Endpoint()}
	_, settings := s.function("webhook", "WebhookFunction", "HttpApi")
	fleet := eventsource.NewFleet(s.starter(binary), settings.Timeout)
	book := &ledger{sent: map[table.Key]delivery{}, answers: map[answer]int{}}
	next := bodies(0)
	result := hanging{name: name}

	var mu sync.Mutex
	var all sync.WaitGroup
	running := 0
	// deliver delivers for so long, and returns when all has come, not when all is answered.
	deliver := func(d time.Duration, note func(since time.Duration, running int, took time.Duration, a answer)) {
		began := time.Now()
		for pace := time.NewTicker(time.Second / time.Duration(rate)); time.Since(began) < d; <-pace.C {
			body := next()
			all.Go(func() {
				start := time.Now()
				mu.Lock()
				running++
				now := running
				mu.Unlock()
				a, err := post(t.Context(), fleet, body)
				if err != nil {
					t.Errorf("no answer: %v", err)
				}
				book.note(t, body, a)
				mu.Lock()
				defer mu.Unlock()
				running--
				if a.status == "spilled" {
					result.spilled++
				}
				if note != nil {
					note(start.Sub(began), now, time.Since(start), a)
				}
			})
		}
	}
	deliver(around, nil)
	s.table.Set(always(faultproxy.Fault{Delay: time.Hour}))
	deliver(hangs, func(since time.Duration, running int, took time.Duration, _ answer) {
		result.peak = max(result.peak, running)
		if since >= settled {
			result.later = max(result.later, running)
			result.waited = append(result.waited, took)
		}
	})
	s.table.Set(faultproxy.None)
	deliver(settled+around, func(since time.Duration, _ int, _ time.Duration, a answer) {
		if since >= settled && a.status == "spilled" {
			result.late++
		}
	})
	all.Wait()
	slices.Sort(result.waited)

	if other := book.posts - book.answers[answer{200, "stored"}] - book.answers[answer{200, "duplicate"}] - result.spilled; other > 0 || result.spilled == 0 {
		t.Errorf("%d spilled, %d answered otherwise: %v", result.spilled, other, book.answers)
	}
	drain, mapping := s.function("drain", "DrainFunction", "SQS")
	for batch := range slices.Chunk(queue.Messages(), mapping.BatchSize) {
		answer, err := drain.Invoke(t.Context(), spilltest.Event(t, batch...))
		if err != nil {
			t.Fatal(err)
		}
		if failed, ok := eventsource.BatchItemFailures(answer); len(failed) > 0 || !ok {
			t.Fatalf("not drained although the table is up: %s", answer)
		}
	}
	checkItems(t, book.sent, s.items(), binary == "webhook")
	t.Log(result)
	_, _ = fmt.Fprintln(os.Stdout, strings.TrimSpace(result.String()))
	return result
}
