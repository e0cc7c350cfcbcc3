package gobench_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/bench/gobench"
)

const output = `goos: linux
goarch: amd64
pkg: example.com/events
cpu: Some Processor
BenchmarkDecode/A/call.completed-2         	   10000	      5563 ns/op	    1144 B/op	      26 allocs/op
BenchmarkDecode/A/sms-failed               	   10000	      1000 ns/op	    1000 B/op	      20 allocs/op
BenchmarkDecode/A/call.completed-2         	   12000	      4563.5 ns/op	  12.50 MB/s	    1144 B/op	      26 allocs/op
BenchmarkVerify-2   	  300	      3210 ns/op	    2328 B/op	      22 allocs/op
PASS
ok  	example.com/events	1.234s
pkg: example.com/table
BenchmarkVerify
BenchmarkEventItem/call.completed-2	  300	      2 ns/op	    0 B/op	      0 allocs/op
BenchmarkEventItem/contact.created-2	  300	      3 ns/op	    0 B/op	      0 allocs/op
BenchmarkVerify-16  	  300	      1 ns/op	    0 B/op	      0 allocs/op
PASS
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := gobench.Parse([]byte(output))
	if err != nil {
		t.Fatal(err)
	}
	const events, table = "example.com/events", "example.com/table"
	want := []gobench.Benchmark{
		{Package: events, Name: "Decode/A/call.completed", Values: map[string][]float64{"ns/op": {5563, 4563.5}, "MB/s": {12.5}, "B/op": {1144, 1144}, "allocs/op": {26, 26}}},
		{Package: events, Name: "Decode/A/sms-failed", Values: map[string][]float64{"ns/op": {1000}, "B/op": {1000}, "allocs/op": {20}}},
		{Package: events, Name: "Verify", Values: map[string][]float64{"ns/op": {3210}, "B/op": {2328}, "allocs/op": {22}}},
		{Package: table, Name: "EventItem/call.completed", Values: map[string][]float64{"ns/op": {2}, "B/op": {0}, "allocs/op": {0}}},
		{Package: table, Name: "EventItem/contact.created", Values: map[string][]float64{"ns/op": {3}, "B/op": {0}, "allocs/op": {0}}},
		{Package: table, Name: "Verify", Values: map[string][]float64{"ns/op": {1}, "B/op": {0}, "allocs/op": {0}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	brief := []gobench.Benchmark{want[0], want[2], want[3], want[5]}
	if diff := cmp.Diff(brief, gobench.Brief(got)); diff != "" {
		t.Errorf("brief (-want +got):\n%s", diff)
	}
}

func TestParseRefusesWhatIsNoBenchmark(t *testing.T) {
	t.Parallel()
	for name, output := range map[string]string{
		"nothing":           "PASS\nok  	example.com/events	0.1s\n",
		"a log line":        "BenchmarkVerify-2 300 fast ns/op\n",
		"a unit is missing": "BenchmarkVerify-2 300 12 ns/op 5\n",
	} {
		if got, err := gobench.Parse([]byte(output)); !errors.Is(err, gobench.ErrOutput) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
