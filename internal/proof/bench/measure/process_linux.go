package measure

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU returns the time that a running process has had of the processor,
// to the nanosecond. See clock_getcpuclockid(3).
func processCPU(pid int) (time.Duration, error) {
	const ofProcess = 2 // CPUCLOCK_SCHED, of all of its threads
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &t); err != nil { //nolint:gosec // G115: a process id has 22 bits
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// peakMemory returns the largest resident set of a running process, in bytes.
// What wait4 tells is no use: a child begins with its parent's.
func peakMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read peak memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read peak memory: %w", err)
			}
			return kB << 10, nil
		}
	}
	return 0, fmt.Errorf("read peak memory: %w", errNoMeasure)
}
