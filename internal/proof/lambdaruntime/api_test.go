package lambdaruntime_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/logscan"
)

// TestMisbehaviour drives the API with a process that is this test binary itself, so that it
// can break rules which no runtime library lets a function break.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		do   string // what misbehave does with the invocation
		want string // what it prints: the API's answers, one a line
		body string // the response that counts
		err  string // the function error that counts
	}{
		{name: "one response", do: "response=a", want: "202\n", body: "a"},
		{name: "the second answer is refused", do: "response=a response=b error={}", want: "202\n403\n403\n", body: "a"},
		{name: "an answer to another invocation is refused", do: "other=a response=b", want: "400\n202\n", body: "b"},
		{name: "a response over 6 MB is refused", do: "large= response=b", want: "413\n202\n", body: "b"},
		{name: "a report that is not JSON is kept", do: "error=oops", want: "202\n", err: "Runtime.Test: oops"},
		{name: "a streamed response may fail at its end", do: "stream=half", want: "202\n", body: "half", err: "Stream.Broken: cut"},
		{name: "no answer at all", do: "", want: ""},
		{name: "an unknown path", do: "extension=", want: "404\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := lambdaruntime.Start(t.Context(), lambdaruntime.Command{
				Path: self,
				Env:  []string{misbehaving + "=1", "TMPDIR=" + t.TempDir()},
			})
			if err != nil {
				t.Fatal(err)
			}
			logscan.Watch(t, p.Logs)
			t.Cleanup(func() { p.Kill() })
			result, err := p.Invoke(t.Context(), []byte(tt.do), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if string(result.Payload) != tt.body {
				t.Errorf("got response %q, want %q", result.Payload, tt.body)
			}
			got := ""
			if result.FunctionError != nil {
				got = result.FunctionError.Error()
			}
			if got != tt.err {
				t.Errorf("got function error %q, want %q", got, tt.err)
			}
			if logs := p.Logs(); logs != tt.want {
				t.Errorf("the process was answered %q, want %q", logs, tt.want)
			}
		})
	}
}

const misbehaving = "LAMBDARUNTIME_TEST_MISBEHAVE"

// misbehave is a Lambda runtime that does with each invocation what its event says, a list of
// call=body, and prints the status of each answer.
func misbehave() error {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	out := bufio.NewWriter(os.Stdout)
	for {
		next, err := http.Get(base + "invocation/next")
		if err != nil {
			return err
		}
		do, err := io.ReadAll(next.Body)
		if err != nil {
			return err
		}
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		for call := range strings.FieldsSeq(string(do)) {
			name, body, _ := strings.Cut(call, "=")
			path := "invocation/" + id + "/response"
			header, trailer := http.Header{}, http.Header(nil)
			switch name {
			case "other":
				path = "invocation/00000000-0000-4000-8000-000000000000/response"
			case "large":
				body = strings.Repeat("x", 7<<20)
			case "error":
				path = "invocation/" + id + "/error"
				header.Set("Lambda-Runtime-Function-Error-Type", "Runtime.Test")
			case "stream":
				trailer = http.Header{}
				trailer.Set("Lambda-Runtime-Function-Error-Type", "Stream.Broken")
				trailer.Set("Lambda-Runtime-Function-Error-Body", "eyJlcnJvck1lc3NhZ2UiOiJjdXQifQ==")
			case "extension":
				path = "extension/register"
			}
			// A reader of unknown length is sent in chunks, which trailers need.
			r, err := http.NewRequest(http.MethodPost, base+path, io.MultiReader(strings.NewReader(body)))
			if err != nil {
				return err
			}
			r.Header, r.Trailer = header, trailer
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				return err
			}
			_ = response.Body.Close()
			_, _ = fmt.Fprintln(out, response.StatusCode)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}
