package report

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine says what the program runs on: processor, how many of them, system
// and Go.
func Machine() string {
	cpu := "unknown processor"
	if name, ok := setting("/proc/cpuinfo", "model name", ":"); ok {
		cpu = name
	}
	system := runtime.GOOS
	if name, ok := setting("/etc/os-release", "PRETTY_NAME", "="); ok {
		system = strings.Trim(name, `"`)
	}
	return fmt.Sprintf("%d × %s (%s), %s, %s", runtime.NumCPU(), cpu, runtime.GOARCH, system, runtime.Version())
}

// LoadAverage is how many processes ran or waited for a processor.
type LoadAverage struct {
	// Minute is over the last minute; 0 where it is not known.
	Minute float64
	// text is over one, five and fifteen minutes.
	text string
}

func (l LoadAverage) String() string { return cmp.Or(l.text, "not known") }

// Load returns the machine's load. See proc_loadavg(5).
func Load() LoadAverage {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return LoadAverage{}
	}
	minute, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return LoadAverage{}
	}
	return LoadAverage{minute, strings.Join(fields[:3], " ")}
}

// setting returns the first value of a name in a file of lines.
func setting(path, name, separator string) (string, bool) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: one of the system's
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}
