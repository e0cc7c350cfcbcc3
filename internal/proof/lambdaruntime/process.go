// Package lambdaruntime runs a real Lambda binary as Lambda does.
//
// [Start] starts the binary in a process group of its own and serves the Lambda
// Runtime API (version 2018-06-01) to it. [Process.Invoke] passes it one event. An
// invocation ends when the process polls for the next one, not when it posts its
// answer: whatever a handler does after its answer belongs to the invocation.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
package lambdaruntime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// Errors that [Start] and [Process.Invoke] wrap.
var (
	// ErrTimedOut means that the process was killed because it took too long.
	ErrTimedOut = errors.New("lambdaruntime: timed out")
	// ErrExited means that the process ended although it was not asked to.
	ErrExited = errors.New("lambdaruntime: process exited")
)

const (
	// defaultInitTimeout is how long Lambda waits for the first poll.
	defaultInitTimeout = 10 * time.Second
	// maxLogs is how many bytes of a process's output are kept.
	maxLogs = 4 << 20
	// errorTail is how many bytes of the output an error message repeats.
	errorTail = 2 << 10
)

// Command is what to run.
type Command struct {
	Path string
	Args []string // without the program's name
	// Env is the whole environment: nothing is inherited. AWS_LAMBDA_RUNTIME_API
	// is added.
	Env []string
	Dir string
	// InitTimeout is how long the process may take to poll for its first
	// invocation; zero means ten seconds, as on Lambda.
	InitTimeout time.Duration
}

// InitError is returned by [Start] if the process did not poll for its first
// invocation. It wraps [ErrExited] or [ErrTimedOut], and the [*FunctionError] that
// the process posted to init/error, if it did.
type InitError struct {
	// Logs is what the process printed.
	Logs string

	cause error
}

// Error names the cause, what the process reported, and the end of what it printed.
func (e *InitError) Error() string { return fmt.Sprintf("init: %v\n%s", e.cause, tail(e.Logs)) }

// Unwrap returns the cause.
func (e *InitError) Unwrap() error { return e.cause }

// Process is a running binary. Its methods may be called from several goroutines.
type Process struct {
	// Grace is how long after its deadline an invocation may still end before the
	// process is killed. Lambda gives none; tests do, for a machine that is busy.
	Grace time.Duration

	cmd       *exec.Cmd
	server    *httptest.Server
	started   time.Time
	coldStart time.Duration // written before ready is closed

	ready  chan struct{} // closed by the first poll
	exited chan struct{} // closed once the process is reaped and its API is gone

	turn        chan struct{}    // holds a token during an invocation
	invocations chan *invocation // from Invoke to the handler of next

	mu        sync.Mutex
	current   *invocation // what the process is working on
	initError error

	// The output is a file and not a pipe: once a poll is seen, everything that
	// was printed before it can be read.
	output  *os.File // nil once the process has ended
	printed string   // by a process that has ended
}

// Start runs the command and returns once the process polls for its first
// invocation, or an [*InitError]. The process lives until it ends by itself, is
// killed with [Process.Kill], or ctx is done.
func Start(ctx context.Context, command Command) (*Process, error) {
	output, err := os.CreateTemp("", "lambdaruntime-*.log")
	if err != nil {
		return nil, fmt.Errorf("create a file for the output: %w", err)
	}
	p := &Process{
		// Not CommandContext: it would kill the process alone, not its group.
		cmd:         exec.Command(command.Path, command.Args...), //nolint:gosec // G204: the caller's binary
		ready:       make(chan struct{}),
		exited:      make(chan struct{}),
		turn:        make(chan struct{}, 1),
		invocations: make(chan *invocation),
		output:      output,
	}
	p.server = httptest.NewUnstartedServer(p.handler())
	p.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.server.Start()
	p.cmd.Dir = command.Dir
	p.cmd.Env = append(slices.Clone(command.Env), "AWS_LAMBDA_RUNTIME_API="+p.server.Listener.Addr().String())
	p.cmd.Stdout, p.cmd.Stderr = output, output
	OwnGroup(p.cmd)

	p.mu.Lock() // the API is served already
	p.started = time.Now()
	p.mu.Unlock()
	if err := p.cmd.Start(); err != nil {
		p.release()
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	unbind := context.AfterFunc(ctx, p.kill)
	go func() {
		_ = p.cmd.Wait() // its outcome is read from ProcessState
		unbind()
		KillGroup(p.cmd) // whatever the process itself started
		p.release()
		close(p.exited)
	}()

	cause := ErrExited
	select {
	case <-p.ready:
		return p, nil
	case <-p.exited:
	case <-time.After(cmp.Or(command.InitTimeout, defaultInitTimeout)):
		cause = ErrTimedOut
		p.Kill()
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	cause = fmt.Errorf("%w: %v", cause, p.cmd.ProcessState)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initError != nil {
		cause = fmt.Errorf("%w: %w", cause, p.initError)
	}
	return nil, &InitError{Logs: p.printed, cause: cause}
}

// release ends the API and keeps the end of the output.
func (p *Process) release() {
	_ = p.server.Config.Close() // unlike the test server's own Close, it waits for no request
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printed = end(p.output)
	_ = p.output.Close()
	_ = os.Remove(p.output.Name())
	p.output = nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ColdStart is the time from starting the process to its first poll.
func (p *Process) ColdStart() time.Duration { return p.coldStart }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Logs is what the process has printed so far to either stream, at most the last
// 4 MiB. It holds everything that was printed before an invocation ended.
func (p *Process) Logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.output == nil {
		return p.printed
	}
	return end(p.output)
}

// Kill ends the process and everything that it started, and waits for its end.
func (p *Process) Kill() {
	p.kill()
	<-p.exited
}

func (p *Process) kill() {
	select {
	case <-p.exited: // its id may be another's by now
	default:
		KillGroup(p.cmd)
	}
}

// exitError says how the process ended; call it only after that.
func (p *Process) exitError() error {
	return fmt.Errorf("%w: %v\n%s", ErrExited, p.cmd.ProcessState, tail(p.Logs()))
}

// end reads the last bytes of a file.
func end(file *os.File) string {
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	from := max(0, info.Size()-maxLogs)
	text, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func tail(logs string) string { return logs[max(0, len(logs)-errorTail):] }
