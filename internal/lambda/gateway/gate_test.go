package gateway_test

import (
	"bytes"
	"context"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// maxAllocations limits the allocations of one event, by its format, from the bytes
// that Lambda hands over to the response, net/http's included.
var maxAllocations = map[string]float64{"A": 230, "B signed": 315}

// allowance is a factor for the limits.
var allowance = 1.0

// Not parallel: the allocations of other tests would be counted.
func TestOneEventTakesFewAllocationsOneCallAndNoConnection(t *testing.T) {
	for name, event := range deliveries(t) {
		h, instant := whole(t)
		invoke := func() {
			answer, err := h.Invoke(context.Background(), event)
			if err != nil || !bytes.Contains(answer, []byte("stored")) {
				t.Fatalf("%s: %s, %v", name, answer, err)
			}
		}
		invoke()
		const runs = 100
		calls, connections := instant.Requests(), instant.Connections()
		allocations := testing.AllocsPerRun(runs, invoke)
		t.Logf("%s: %.0f allocations", name, allocations)
		if most := maxAllocations[name] * allowance; allocations > most {
			t.Errorf("%s: %.0f allocations, at most %.0f are allowed", name, allocations, most)
		}
		if n := instant.Requests() - calls; n != runs+1 { // AllocsPerRun warms up once
			t.Errorf("%s: %d calls for %d events", name, n, runs+1)
		}
		if n := instant.Connections() - connections; n != 0 {
			t.Errorf("%s: %d new connections, want the warm-up's to be reused", name, n)
		}
	}
}

// Reflection costs several times what reading the few members of a payload costs,
// and finds faults only at run time. The gateway's own event is small enough: decoding
// it by hand saved 3 % of an event's instructions (callgrind, November 2026).
func TestNothingReflectsBetweenABodyAndItsItem(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"../../ingest", "../../table", "../../../events"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no code (%v)", folder, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				switch path, _ := strconv.Unquote(spec.Path.Value); path {
				case "reflect", "encoding/json", "github.com/go-json-experiment/json",
					"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue", "github.com/aws/aws-lambda-go/events":
					t.Errorf("%s imports %s", file, path)
				}
			}
		}
	}
}
