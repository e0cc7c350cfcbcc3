package logscan_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/tabletest"
)

// The forms in which a test could log past the scan.
var (
	ownLogger = regexp.MustCompile(`\bslog\.(New|Default|SetDefault|DiscardHandler|NewTextHandler|NewJSONHandler)\b|\btint\.New|\blog\.New\b|\blambdacontext\.NewLogger\b`)
	process   = regexp.MustCompile(`\blambdaruntime\.Start\(`)
	watched   = regexp.MustCompile(`\blogscan\.(Watch|Check|Writer)\(`)
)

// excused are the tests that make a logger of their own, and why.
var excused = map[string]string{
	"internal/lambda/gateway/bench_test.go":        "the scan would be measured as well",
	"internal/inbox/bench_test.go":                 "the scan would be measured as well",
	"internal/ingest/fuzz_test.go":                 "the fuzzer makes ids, which may be logged, of the samples' names",
	"internal/proof/template/metrics_test.go":      "writes lines in the form that Lambda gives them, and has them scanned",
	"internal/proof/bench/measure/measure_test.go": "a process that is measured logs nothing",
	"internal/alert/ring_test.go":                  "thousands of interleavings log the same lines, which the other tests scan",
	"internal/justcall/client_test.go":             "prints the client itself, and looks for the key",
	"internal/lambda/lambdaenv/log_test.go":        "compares what our logger and AWS's write",
	"internal/local/kill_test.go":                  "a process that is killed has no test; the one that starts it scans what it prints",
}

func TestEveryTestLogsToTheScan(t *testing.T) {
	t.Parallel()
	root := os.DirFS(filepath.Dir(tabletest.TemplatePath(t)))
	used := map[string]bool{}
	tests := 0
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir // tools, and what was built
		case entry.IsDir() || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		tests++
		if made := ownLogger.Find(source); made != nil {
			if used[name] = true; excused[name] == "" {
				t.Errorf("%s uses %s: take logscan.Logger(t), so that its lines are scanned", name, made)
			}
		}
		if process.Match(source) && !watched.Match(source) {
			if used[name] = true; excused[name] == "" {
				t.Errorf("%s starts a process: have its log scanned with logscan.Watch", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tests < 20 {
		t.Errorf("found %d files of tests only", tests)
	}
	for name := range excused {
		if !used[name] {
			t.Errorf("%s is excused and does nothing that needs it", name)
		}
	}
}
