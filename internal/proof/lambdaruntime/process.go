package lambdaruntime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// Errors that [Start] and [Process.Invoke] wrap.
var (
	// ErrTimedOut means that the process did not finish in time and was killed for it.
	ErrTimedOut = errors.New("runtimeapi: timed out")
	// ErrExited means that the process ended where it should have gone on.
	ErrExited = errors.New("runtimeapi: process exited")
)

const (
	// defaultInitTimeout is how long Lambda itself waits for the first poll.
	defaultInitTimeout = 10 * time.Second
	// stopGrace is how long Stop waits between the polite signal and the other one.
	stopGrace = 2 * time.Second
	// errorTail is how much of the log an error message repeats.
	errorTail = 2 << 10
)

// Command says what to run.
type Command struct {
	Path string
	Args []string // without the program's name
	// Env is the whole environment: nothing is inherited. AWS_LAMBDA_RUNTIME_API is added.
	Env []string
	Dir string
	// InitTimeout is how long the process may take to poll for its first invocation;
	// zero means ten seconds, as on Lambda.
	InitTimeout time.Duration
}

// Usage is what a process cost from its start to its end, with the children it waited for.
type Usage struct {
	User   time.Duration
	System time.Duration
	MaxRSS int64 // peak resident set in bytes; zero where the system does not tell
}

// CPU is user and system time together.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// InitError is returned by [Start] for a process that ended, or had to be ended, before it
// polled for its first invocation. It wraps [ErrExited] or [ErrTimedOut].
type InitError struct {
	// Reported is what the process posted to runtime/init/error, nil if it posted nothing.
	Reported *FunctionError
	// ExitCode is the process's exit status, -1 if a signal ended it.
	ExitCode int
	// Logs is what the process printed.
	Logs string

	cause error
}

// Error names the cause, what the process reported, and the end of what it printed.
func (e *InitError) Error() string {
	reported := ""
	if e.Reported != nil {
		reported = ": " + e.Reported.Error()
	}

	return fmt.Sprintf("%v during init, exit status %d%s\n%s", e.cause, e.ExitCode, reported, tail(e.Logs))
}

// Unwrap returns [ErrExited] or [ErrTimedOut].
func (e *InitError) Unwrap() error { return e.cause }

// Process is one running binary. Its methods may be called from several goroutines.
type Process struct {
	cmd       *exec.Cmd
	server    *http.Server
	logs      *logs
	started   time.Time
	coldStart time.Duration // written before ready is closed

	ready  chan struct{} // closed by the first poll
	exited chan struct{} // closed once the process is reaped and its listener is gone

	turn        chan struct{}    // holds a token while an invocation is under way
	invocations chan *invocation // from Invoke to the handler of next

	mu        sync.Mutex
	current   *invocation // what the process is working on
	initError *FunctionError
}

// Start runs the command and returns once the process polls for its first invocation. The
// process lives until it ends by itself, [Process.Stop] or [Process.Kill] is called, or ctx is
// done. One that does not get as far as polling is an [*InitError].
func Start(ctx context.Context, command Command) (*Process, error) {
	logs, err := newLogs()
	if err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		logs.finish()

		return nil, fmt.Errorf("listen for the process: %w", err)
	}

	p := &Process{
		// Not CommandContext: it would kill the process alone, not its group.
		cmd:         exec.Command(command.Path, command.Args...), //nolint:gosec // Running the caller's binary is the purpose.
		logs:        logs,
		ready:       make(chan struct{}),
		exited:      make(chan struct{}),
		turn:        make(chan struct{}, 1),
		invocations: make(chan *invocation),
	}
	p.server = &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	p.cmd.Dir = command.Dir
	p.cmd.Env = append(slices.Clone(command.Env), "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	p.cmd.Stdout, p.cmd.Stderr = logs.file, logs.file
	ownGroup(p.cmd)

	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		logs.finish()

		return nil, errors.Join(fmt.Errorf("start %s: %w", command.Path, err), listener.Close())
	}

	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = p.server.Serve(listener) // Ends with ErrServerClosed.
	}()
	unbind := context.AfterFunc(ctx, p.signalKill)
	go func() {
		_ = p.cmd.Wait() // Its outcome is read from ProcessState.
		unbind()
		killGroup(p.cmd) // Whatever the process itself started.
		_ = p.server.Close()
		<-served
		logs.finish()
		close(p.exited)
	}()

	return p.awaitInit(ctx, cmp.Or(command.InitTimeout, defaultInitTimeout))
}

// awaitInit waits for the first poll.
func (p *Process) awaitInit(ctx context.Context, timeout time.Duration) (*Process, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()

	cause := ErrExited
	select {
	case <-p.ready:
		return p, nil
	case <-p.exited:
	case <-timer.C:
		cause = ErrTimedOut
		p.Kill()
	}
	if err := ctx.Err(); err != nil {
		p.Kill()

		return nil, fmt.Errorf("start %s: %w", p.cmd.Path, err)
	}

	p.mu.Lock()
	defer p.mu.Unlock()

	return nil, &InitError{
		Reported: p.initError,
		ExitCode: p.cmd.ProcessState.ExitCode(),
		Logs:     p.Logs(),
		cause:    cause,
	}
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ColdStart is the time from starting the process to its first poll.
func (p *Process) ColdStart() time.Duration { return p.coldStart }

// Logs is what the process has printed so far to either stream, at most the last 4 MiB. It has
// everything that was printed before an invocation was over.
func (p *Process) Logs() string { return p.logs.String() }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stop ends the process with SIGTERM, or after two seconds with SIGKILL, and waits for its end.
// Calling it again, or after the process ended by itself, only returns the usage.
func (p *Process) Stop() Usage {
	p.signal(terminateGroup)
	select {
	case <-p.exited:
	case <-time.After(stopGrace):
	}

	return p.Kill()
}

// Kill ends the process and everything that it started with SIGKILL, and waits for its end.
func (p *Process) Kill() Usage {
	p.signalKill()
	<-p.exited

	return usage(p.cmd.ProcessState)
}

func (p *Process) signalKill() { p.signal(killGroup) }

// signal leaves a process that was already reaped alone: its id may be another's by now.
func (p *Process) signal(send func(*exec.Cmd)) {
	select {
	case <-p.exited:
	default:
		send(p.cmd)
	}
}

// exitError tells how the process ended; call it only after that.
func (p *Process) exitError() error {
	return fmt.Errorf("%w: %v\n%s", ErrExited, p.cmd.ProcessState, tail(p.Logs()))
}

func tail(logs string) string {
	return logs[max(0, len(logs)-errorTail):]
}
