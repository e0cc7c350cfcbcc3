//go:build unix

package events_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// A body with many members must not cost more than a long one. It runs alone: what is
// measured is the process's CPU time, which does not grow when the machine is busy.
func TestAWideFlatEventTakesLinearTime(t *testing.T) { //nolint:paralleltest // see above
	const members = 100_000
	body := []byte(`{"type":"call.completed"`)
	for i := range members {
		body = fmt.Appendf(body, `,"%06d":0`, i)
	}
	before := cpuTime(t)
	d := open(t, string(append(body, '}'))).Decode()
	if len(d.NewFields) != members {
		t.Errorf("%d new fields, want %d", len(d.NewFields), members)
	}
	// Quadratic, it took 17 s without the race detector.
	if took := cpuTime(t) - before; took > 8*time.Second {
		t.Errorf("took %v of the CPU", took)
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
