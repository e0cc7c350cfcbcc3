package runtimeapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ringback/ringback/internal/lambda/runtimeapi"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/logscan"
)

// asFunction makes this program the function that the tests run.
const asFunction = "RUNTIMEAPI_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, "stopped:", runtimeapi.Serve(context.Background(), os.Getenv("AWS_LAMBDA_RUNTIME_API"), handler(handle)))
	os.Exit(1)
}

type handler func(ctx context.Context, event []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }

type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// handle does what the event says.
func handle(ctx context.Context, event []byte) ([]byte, error) {
	switch string(event) {
	case "context":
		lc, ok := lambdacontext.FromContext(ctx)
		deadline, hasDeadline := ctx.Deadline()
		left := time.Until(deadline)
		return fmt.Appendf(nil, "%v %v %s %s %s", ok, hasDeadline && left > 0 && left <= time.Hour,
			lc.AwsRequestID, lc.InvokedFunctionArn, os.Getenv("_X_AMZN_TRACE_ID")), nil
	case "collections":
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return fmt.Appendf(nil, "%d of %d", stats.NumForcedGC, stats.NumGC), nil
	case "wait":
		<-ctx.Done()
		return []byte(ctx.Err().Error()), nil
	case "fail":
		return nil, &refusal{"not \"this\"\n"}
	case "panic":
		panic("beyond repair")
	default:
		return event, nil
	}
}

func start(t *testing.T) *lambdaruntime.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := lambdaruntime.Start(t.Context(), lambdaruntime.Command{Path: self, Env: []string{asFunction + "=1"}})
	if err != nil {
		t.Fatal(err)
	}
	logscan.Watch(t, p.Logs)
	t.Cleanup(p.Kill)
	return p
}

func invoke(t *testing.T, p *lambdaruntime.Process, event string, limit time.Duration) lambdaruntime.Result {
	t.Helper()
	result, err := p.Invoke(t.Context(), []byte(event), limit)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestAnInvocationHasItsContext(t *testing.T) {
	t.Parallel()
	p := start(t)
	for range 2 {
		result := invoke(t, p, "context", time.Hour)
		got, id := string(result.Payload), result.RequestID
		if want := "true true " + id + " arn:aws:lambda:"; !strings.HasPrefix(got, want) || !strings.Contains(got, " Root=1-") {
			t.Errorf("%s, want %s and a trace", got, want)
		}
	}
}

func TestEventsAndAnswersOfAnySizeArriveWhole(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, size := range []int{0, 1, 4000, 5000, 100_000, 6 << 20} {
		event := strings.Repeat("x", size)
		if got := invoke(t, p, event, time.Minute); string(got.Payload) != event || got.FunctionError != nil {
			t.Errorf("of %d bytes %d came back, %v", size, len(got.Payload), got.FunctionError)
		}
	}
}

func TestTheDeadlineEndsTheContext(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.Grace = time.Minute
	if got := invoke(t, p, "wait", 50*time.Millisecond); string(got.Payload) != "context deadline exceeded" {
		t.Errorf("%s", got.Payload)
	}
}

func TestAnErrorIsReportedAndLoggedAndTheNextInvocationServed(t *testing.T) {
	t.Parallel()
	p := start(t)
	got := invoke(t, p, "fail", time.Minute)
	want := lambdaruntime.FunctionError{Type: "refusal", Message: "not \"this\"\n"}
	if got.Payload != nil || got.FunctionError == nil || *got.FunctionError != want {
		t.Errorf("%s, %v; want the error", got.Payload, got.FunctionError)
	}
	if logs := p.Logs(); logs != `{"errorMessage":"not \"this\"\n","errorType":"refusal"}`+"\n" {
		t.Errorf("logged %s", logs)
	}
	if got := invoke(t, p, "again", time.Minute); string(got.Payload) != "again" {
		t.Errorf("then: %s, %v", got.Payload, got.FunctionError)
	}
}

func TestAPanicEndsTheProcess(t *testing.T) {
	t.Parallel()
	p := start(t)
	result, err := p.Invoke(t.Context(), []byte("panic"), time.Minute)
	if !errors.Is(err, lambdaruntime.ErrExited) || result.Payload != nil {
		t.Errorf("%s, %v; want the end of the process", result.Payload, err)
	}
	if logs := p.Logs(); !strings.Contains(logs, "beyond repair") || !strings.Contains(logs, "serve_test.go") {
		t.Errorf("logged %s", logs)
	}
}

// A collection in the midst of an invocation would make its caller wait.
func TestGarbageIsCollectedBetweenInvocations(t *testing.T) {
	t.Parallel()
	p := start(t)
	for n := range 70 {
		want := fmt.Sprintf("%d of %[1]d", n/32)
		if got := invoke(t, p, "collections", time.Minute); string(got.Payload) != want {
			t.Fatalf("in invocation %d: %s collections, want %s", n+1, got.Payload, want)
		}
	}
}

// serve serves what api hands out, until it has no more.
func serve(t *testing.T, api http.Handler) error {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return runtimeapi.Serve(t.Context(), server.Listener.Addr().String(), handler(handle))
}

// hand writes an invocation as a response to a poll.
func hand(w http.ResponseWriter, id, deadline, event string) {
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
	w.Header().Set("Lambda-Runtime-Deadline-Ms", deadline)
	_, _ = io.WriteString(w, event)
}

const never = "4102444800000" // the year 2100

// What Lambda does not accept, or no longer hands out, is not worth another attempt.
func TestAStatusThatIsNoneOfTheAPIsEndsIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		next, post int
		want       string
	}{
		{"for a poll", http.StatusForbidden, 0, "get the next invocation: unexpected status 403"},
		{"for an answer", http.StatusOK, http.StatusRequestEntityTooLarge, "post the result of an invocation: unexpected status 413"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			polls := 0
			err := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					w.WriteHeader(test.post)
				case test.next == http.StatusOK:
					polls++
					hand(w, "1", never, "event")
				default:
					polls++
					w.WriteHeader(test.next)
				}
			}))
			if err == nil || err.Error() != test.want || polls != 1 {
				t.Errorf("%v after %d polls, want %s", err, polls, test.want)
			}
		})
	}
}

func TestAnInvocationWithoutADeadlineIsAnError(t *testing.T) {
	t.Parallel()
	var reported string
	_ = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			text, _ := io.ReadAll(r.Body)
			reported = r.URL.Path + " " + string(text)
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if reported != "" {
			w.WriteHeader(http.StatusGone)
			return
		}
		hand(w, "1", "", "event")
	}))
	if !strings.HasPrefix(reported, `/2018-06-01/runtime/invocation/1/error {"errorMessage":"deadline: `) {
		t.Errorf("reported %s", reported)
	}
}

func TestAllInvocationsTakeOneConnection(t *testing.T) {
	t.Parallel()
	const n = 20
	var polls, connections atomic.Int64
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusAccepted)
		case polls.Add(1) > n:
			w.WriteHeader(http.StatusGone)
		default:
			hand(w, "1", never, "event")
		}
	}))
	api.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	api.Start()
	t.Cleanup(api.Close)
	_ = runtimeapi.Serve(t.Context(), api.Listener.Addr().String(), handler(handle))
	if polls.Load() != n+1 || connections.Load() != 1 {
		t.Errorf("%d polls on %d connections, want %d on one", polls.Load(), connections.Load(), n+1)
	}
}

// While a function is frozen, or works for long, it cannot notice that a connection ends.
func TestAConnectionThatEndsIsReplaced(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	answers := make(chan string, 2)
	go func() {
		// One connection for each request, ended without a word.
		for _, response := range []string{
			"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: " + never + "\r\nContent-Length: 5\r\n\r\nevent",
			"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
		} {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			body, _ := io.ReadAll(request.Body)
			if request.Method == http.MethodPost {
				answers <- request.URL.Path + " " + string(body)
			}
			_, _ = io.WriteString(conn, response)
			_ = conn.Close()
		}
		close(answers)
	}()
	err = runtimeapi.Serve(t.Context(), listener.Addr().String(), handler(handle))
	if want := "get the next invocation: unexpected status 410"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got, want := <-answers, "/2018-06-01/runtime/invocation/1/response event"; got != want {
		t.Errorf("posted %s, want %s", got, want)
	}
}

// A function that nobody calls waits for longer than any call to AWS may take.
func TestAPollHasNoTimeLimit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	p := start(t)
	time.Sleep(3 * time.Second)
	if got := invoke(t, p, "late", time.Minute); string(got.Payload) != "late" {
		t.Errorf("%s, %v", got.Payload, got.FunctionError)
	}
}
