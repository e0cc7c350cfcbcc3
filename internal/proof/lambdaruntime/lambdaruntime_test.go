package lambdaruntime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/logscan"
)

func TestMain(m *testing.M) {
	if os.Getenv(misbehaving) != "" {
		fmt.Fprintln(os.Stderr, misbehave())
		os.Exit(1)
	}
	os.Exit(run(m))
}

// built builds testdata/function, once for all tests.
var built func() (path string, err error)

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lambdaruntime")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)

		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built = sync.OnceValues(func() (string, error) {
		path := filepath.Join(dir, "bootstrap")

		return path, lambdaruntime.Build(context.Background(), "testdata/function", path, false)
	})

	return m.Run()
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}

	return path
}

func start(t *testing.T, env ...string) *lambdaruntime.Process {
	t.Helper()
	p, err := lambdaruntime.Start(t.Context(), lambdaruntime.Command{Path: binary(t), Env: env})
	if err != nil {
		t.Fatal(err)
	}
	logscan.Watch(t, p.Logs)
	t.Cleanup(func() { p.Kill() })

	return p
}

func event(do, text string) []byte { return fmt.Appendf(nil, `{"do":%q,"text":%q}`, do, text) }

func TestInvoke_givesTheResponseAndTheContext(t *testing.T) {
	t.Parallel()
	p := start(t, "ONLY=this")

	result, err := p.Invoke(t.Context(), event("echo", "hello"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if result.FunctionError != nil {
		t.Fatal(result.FunctionError)
	}
	var got struct {
		Text      string   `json:"text"`
		RequestID string   `json:"requestId"`
		ARN       string   `json:"arn"`
		TraceID   string   `json:"traceId"`
		LeftMS    int64    `json:"leftMs"`
		Env       []string `json:"env"`
	}
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.Text != "hello" {
		t.Errorf("got text %q, want %q", got.Text, "hello")
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(got.RequestID) || got.RequestID != result.RequestID {
		t.Errorf("the function saw request id %q, the result says %q", got.RequestID, result.RequestID)
	}
	if !strings.HasPrefix(got.ARN, "arn:aws:lambda:") {
		t.Errorf("got ARN %q", got.ARN)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(got.TraceID) {
		t.Errorf("got trace id %q", got.TraceID)
	}
	if got.LeftMS < 1 || got.LeftMS > 60_000 {
		t.Errorf("the function has %d ms left, want 1 to 60,000", got.LeftMS)
	}
	if result.Latency <= 0 {
		t.Errorf("got latency %v", result.Latency)
	}
	if p.ColdStart() <= 0 {
		t.Errorf("got cold start %v", p.ColdStart())
	}
	if !strings.Contains(p.Logs(), "do echo hello\n") {
		t.Errorf("got logs %q", p.Logs())
	}

	names := make(map[string]bool)
	for _, variable := range got.Env {
		name, _, _ := strings.Cut(variable, "=")
		names[name] = true
	}
	want := map[string]bool{"ONLY": true, "AWS_LAMBDA_RUNTIME_API": true, "_X_AMZN_TRACE_ID": true}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names in the environment (-want +got):\n%s", diff)
	}
}

func TestInvoke_givesTheFunctionErrorAndGoesOn(t *testing.T) {
	t.Parallel()
	p := start(t)

	result, err := p.Invoke(t.Context(), event("fail", "no such caller"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if result.Payload != nil || result.FunctionError == nil {
		t.Fatalf("got payload %q and function error %v", result.Payload, result.FunctionError)
	}
	if got, want := result.FunctionError.Error(), "errorString: no such caller"; got != want {
		t.Errorf("got function error %q, want %q", got, want)
	}
	if _, err := p.Invoke(t.Context(), event("echo", "again"), time.Minute); err != nil {
		t.Errorf("the next invocation: %v", err)
	}
}

func TestInvoke_givesWhatAPanicReportedAndTheExit(t *testing.T) {
	t.Parallel()
	p := start(t)

	result, err := p.Invoke(t.Context(), event("panic", "boom"), time.Minute)
	if !errors.Is(err, lambdaruntime.ErrExited) {
		t.Errorf("got error %v, want %v", err, lambdaruntime.ErrExited)
	}
	if result.FunctionError == nil || result.FunctionError.Message != "boom" {
		t.Errorf("got function error %v, want boom", result.FunctionError)
	}
	if _, err := p.Invoke(t.Context(), event("echo", ""), time.Minute); !errors.Is(err, lambdaruntime.ErrExited) {
		t.Errorf("the next invocation: got error %v, want %v", err, lambdaruntime.ErrExited)
	}
}

func TestInvoke_noticesAnExitWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	p := start(t)

	result, err := p.Invoke(t.Context(), event("exit", ""), time.Minute)
	if !errors.Is(err, lambdaruntime.ErrExited) || !strings.Contains(err.Error(), "exit status 4") {
		t.Errorf("got error %v, want %v with exit status 4", err, lambdaruntime.ErrExited)
	}
	if result.Payload != nil || result.FunctionError != nil {
		t.Errorf("got result %+v", result)
	}
	requireExited(t, p)
}

func TestInvoke_killsAProcessThatRunsOutOfTime(t *testing.T) {
	t.Parallel()
	p := start(t, "PATH="+os.Getenv("PATH"))

	_, err := p.Invoke(t.Context(), event("spawn", ""), time.Second)
	if !errors.Is(err, lambdaruntime.ErrTimedOut) {
		t.Fatalf("got error %v, want %v", err, lambdaruntime.ErrTimedOut)
	}
	requireExited(t, p)
	_, child, _ := strings.Cut(p.Logs(), "child ")
	pid, err := strconv.Atoi(strings.TrimSpace(child))
	if err != nil {
		t.Fatalf("no child in the logs: %q", p.Logs())
	}
	requireGone(t, pid)
	if _, err := p.Invoke(t.Context(), event("echo", ""), time.Second); !errors.Is(err, lambdaruntime.ErrExited) {
		t.Errorf("the next invocation: got error %v, want %v", err, lambdaruntime.ErrExited)
	}
}

func TestInvoke_killsAProcessWhoseCallerGaveUp(t *testing.T) {
	t.Parallel()
	p := start(t)

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := p.Invoke(ctx, event("hang", ""), time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	requireExited(t, p)
}

func TestInvoke_runsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	p := start(t)

	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for n := range 25 {
				text := fmt.Sprintf("%d-%d", caller, n)
				result, err := p.Invoke(t.Context(), event("echo", text), time.Minute)
				if err != nil {
					t.Error(err)

					return
				}
				if !strings.Contains(string(result.Payload), `"text":"`+text+`"`) {
					t.Errorf("got %s, want text %s", result.Payload, text)
				}
			}
		})
	}
	callers.Wait()
}

func TestKill_endsAnInvocationUnderWay(t *testing.T) {
	t.Parallel()
	p := start(t)

	result := make(chan error, 1)
	go func() {
		_, err := p.Invoke(t.Context(), event("hang", ""), time.Minute)
		result <- err
	}()
	for wait := time.Now(); !strings.Contains(p.Logs(), "do hang"); time.Sleep(time.Millisecond) {
		if time.Since(wait) > 10*time.Second {
			t.Fatal("the process never took the invocation")
		}
	}
	p.Kill()
	if err := <-result; !errors.Is(err, lambdaruntime.ErrExited) {
		t.Errorf("got error %v, want %v", err, lambdaruntime.ErrExited)
	}
}

func TestKill_mayBeCalledAgain(t *testing.T) {
	t.Parallel()
	p := start(t)
	if _, err := p.Invoke(t.Context(), event("echo", "kept"), time.Minute); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	requireGone(t, p.PID())
	p.Kill()
	if !strings.Contains(p.Logs(), "do echo kept\n") {
		t.Errorf("got logs %q of a process that has ended", p.Logs())
	}
}

func TestStart_endsTheProcessWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := lambdaruntime.Start(ctx, lambdaruntime.Command{Path: binary(t)})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-p.Exited():
	case <-time.After(time.Minute):
		t.Fatal("the process outlives its context")
	}
	requireGone(t, p.PID())
}

func TestStart_tellsHowInitFailed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		init     string
		cause    error
		state    string
		reported string
		logs     string
	}{
		{name: "exit", init: "exit", cause: lambdaruntime.ErrExited, state: "exit status 3", logs: "missing setting: TABLE_NAME\n"},
		{name: "report to init/error", init: "report", cause: lambdaruntime.ErrExited, state: "exit status 1", reported: "Setting.Missing: TABLE_NAME is not set"},
		{name: "no poll in time", init: "hang", cause: lambdaruntime.ErrTimedOut, state: "signal: killed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			command := lambdaruntime.Command{Path: binary(t), Env: []string{"INIT=" + tt.init}}
			if tt.init == "hang" {
				command.InitTimeout = 300 * time.Millisecond
			}
			_, err := lambdaruntime.Start(t.Context(), command)
			var failed *lambdaruntime.InitError
			if !errors.As(err, &failed) || !errors.Is(err, tt.cause) {
				t.Fatalf("got error %v, want an InitError that wraps %v", err, tt.cause)
			}
			reported := ""
			if report := (*lambdaruntime.FunctionError)(nil); errors.As(err, &report) {
				reported = report.Error()
			}
			if reported != tt.reported || failed.Logs != tt.logs {
				t.Errorf("got report %q and logs %q, want %q and %q", reported, failed.Logs, tt.reported, tt.logs)
			}
			for _, said := range []string{tt.state, tt.reported, tt.logs} {
				if !strings.Contains(err.Error(), said) {
					t.Errorf("the message %q leaves out %q", err, said)
				}
			}
		})
	}
}

func TestStart_failsForAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := lambdaruntime.Start(t.Context(), lambdaruntime.Command{Path: filepath.Join(t.TempDir(), "bootstrap")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, os.ErrNotExist)
	}
}

// requireExited fails unless the process has ended already.
func requireExited(t *testing.T, p *lambdaruntime.Process) {
	t.Helper()
	select {
	case <-p.Exited():
	default:
		t.Errorf("process %d still runs", p.PID())
	}
}

// requireGone waits until no process has the id: a killed grandchild is reaped by init, not by us.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no signal 0 to ask with")
	}
	for range 500 {
		process, err := os.FindProcess(pid)
		if err != nil || process.Signal(syscall.Signal(0)) != nil || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

// zombie reports a process that has ended and that nobody has reaped, as in containers without
// an init.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))

	return err == nil && strings.Contains(string(stat), ") Z ")
}
