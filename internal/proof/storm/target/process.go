package target

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// ErrProcess says that the process did not start, or ended although nobody here
// ended it. The text has the end of what it printed.
var ErrProcess = errors.New("the stack's process has failed")

// ErrKills says that the process was killed less often than it was to be: it did
// not answer often enough.
var ErrKills = errors.New("not every kill was made")

// Errors of a folder that is not to be touched.
var (
	// ErrTable says that it has a table already.
	ErrTable = errors.New("the folder has a table already")
	// ErrSecret says that it has a secret already, which may be somebody's.
	ErrSecret = errors.New("the folder has a secret already")
)

// LogName is the name, in the folder, of the file with everything that the
// processes printed.
const LogName = "serve.log"

// UntilEOF is the name of the program's flag that has it end when its input does.
const UntilEOF = "until-eof"

const (
	// readyTime is how long the process may take until it answers.
	readyTime = 30 * time.Second
	// stopTime is what is left to the process to end when it is told to. It takes
	// some seconds where alerts are on their way.
	stopTime = 15 * time.Second

	readyPause = 5 * time.Millisecond

	// The pauses before an alert that was refused is sent again, once everything
	// is posted: nobody is to wait for those of serve.
	firstPause   = 20 * time.Millisecond
	longestPause = time.Second
)

// ProcessConfig says what to run, and where.
type ProcessConfig struct {
	// Program is the path of ringback's executable.
	Program string
	// Folder is where the table and the secret are, and what the process prints.
	// It has neither yet.
	Folder string
	// ForwardURL is where the stack posts its alerts.
	ForwardURL string
	// Failed is called when the process has ended and nobody here had ended it;
	// nil for nobody who wants to know. The error wraps [ErrProcess].
	Failed func(error)
	// StopTime is how long the process may take to end when it is told to; 0 for
	// 15 s.
	StopTime time.Duration
}

// Process is a local stack in a process of its own: "ringback serve", on a
// folder and a port that stay the same however often it is killed. It checks
// signatures. It does not outlive this process, however that ends: its input is
// a pipe from here, at whose end it ends.
//
// It has its folder for itself. So the table can be read only once the process
// has been ended, which [Process.Settled] does.
type Process struct {
	// Now tells the time; StartProcess sets it, tests replace it.
	Now func() time.Time

	config  ProcessConfig
	address string
	secret  credential.Secret
	log     *os.File

	killing sync.WaitGroup // of those by KillAt

	mu      sync.Mutex // of whoever ends or starts a process
	running *run       // nil once it is stopped
	kills   int
	wanted  int          // of kills, by KillAt
	stack   *local.Stack // once it is settled
	closed  bool
	fault   error // of its end
}

var _ table.Store = (*Process)(nil)

// run is the process from one start to its end.
type run struct {
	command *exec.Cmd
	input   io.Closer
	ended   chan struct{}

	mu     sync.Mutex
	ending bool // by us
}

// StartProcess makes a secret, starts the process and returns once it answers.
// The errors wrap [ErrTable], [ErrSecret] and [ErrProcess].
func StartProcess(ctx context.Context, c ProcessConfig) (p *Process, err error) {
	if _, err := os.Stat(filepath.Join(c.Folder, local.StoreFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil, cmp.Or(err, ErrTable)
	}
	secret, err := makeSecret(c.Folder)
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(c.Folder, LogName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	p = &Process{Now: time.Now, config: c, address: address, secret: secret, log: log}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return p, nil
}

// makeSecret writes a secret with a token and a signing secret into a folder,
// which it makes if need be. One that is there stays as it is.
func makeSecret(folder string) (credential.Secret, error) {
	secret := credential.Secret{Token: rand.Text(), SigningSecret: rand.Text()}
	text, err := json.Marshal(secret)
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(filepath.Join(folder, local.SecretFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: the user's own folder
	}
	if errors.Is(err, fs.ErrExist) {
		return credential.Secret{}, ErrSecret
	}
	if err == nil {
		_, err = file.Write(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return credential.Secret{}, fmt.Errorf("make secret: %w", err)
	}
	return secret, nil
}

// Target returns what a [storm.Player] needs to play against it.
func (p *Process) Target() storm.Target {
	return storm.Target{
		URL:           local.URL(p.address, p.secret),
		SigningSecret: p.secret.SigningSecret,
		Table:         p,
		Scan:          p.Scan,
		Fresh:         true,
		Settled:       p.Settled,
	}
}

// start starts the process and waits until it answers. The caller holds the lock.
func (p *Process) start(ctx context.Context) error {
	command := exec.Command(p.config.Program, "serve", //nolint:gosec // G204: to run it is the purpose
		"--data", p.config.Folder,
		"--addr", p.address,
		"--forward", p.config.ForwardURL,
		"--"+UntilEOF)
	command.Stdout, command.Stderr = p.log, p.log
	input, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProcess, err)
	}
	r := &run{command: command, input: input, ended: make(chan struct{})}
	go func() {
		_ = command.Wait() // what became of it stands in its ProcessState
		close(r.ended)
	}()
	if err := p.awaitAnswer(ctx, r); err != nil {
		r.kill()
		return err
	}
	p.running = r
	go p.watch(r)
	return nil
}

// awaitAnswer waits until the process answers a probe.
func (p *Process) awaitAnswer(ctx context.Context, r *run) error {
	waiting, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for !answers(waiting, local.URL(p.address, p.secret)) {
		select {
		case <-r.ended:
			return p.failure(r.command.ProcessState.String())
		default:
		}
		if !timing.Sleep(waiting, readyPause) {
			if ctx.Err() != nil {
				return fmt.Errorf("start the stack: %w", context.Cause(ctx))
			}
			return p.failure(fmt.Sprintf("no answer within %v", readyTime))
		}
	}
	return nil
}

// answers reports whether a webhook's URL answers a probe.
func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	// A connection of its own: no other is to be left over from before a kill.
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // the status says it all
	return resp.StatusCode == http.StatusOK
}

// watch tells when the process ends by itself.
func (p *Process) watch(r *run) {
	<-r.ended
	if !r.endedByUs() && p.config.Failed != nil {
		p.config.Failed(p.failure(r.command.ProcessState.String()))
	}
}

// maxTail is how much of what the process printed is told, in bytes.
const maxTail = 2 << 10

// failure is an error with the end of what the process printed.
func (p *Process) failure(what string) error {
	info, err := p.log.Stat()
	if err != nil {
		return fmt.Errorf("%w: %s", ErrProcess, what)
	}
	tail := make([]byte, min(info.Size(), maxTail))
	n, _ := p.log.ReadAt(tail, info.Size()-int64(len(tail))) // as much as there is
	tail = tail[:n]
	if first := bytes.IndexByte(tail, '\n'); n == maxTail && first >= 0 {
		tail = tail[first+1:] // half a line says nothing
	}
	return fmt.Errorf("%w: %s\n%s", ErrProcess, what, bytes.TrimSpace(tail))
}

// Kill ends the process with SIGKILL and starts it again. It returns once it
// answers, with how long it did not; ctx bounds that. Once the process is settled
// there is nothing to kill.
func (p *Process) Kill(ctx context.Context) (down time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return 0, errStopped
	}
	began := p.Now()
	p.running.kill()
	p.running = nil
	p.kills++
	err = p.start(ctx)
	return p.Now().Sub(began), err
}

// Kills returns how often it was killed.
func (p *Process) Kills() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kills
}

// Settled ends the process as a person would, opens its folder and returns once
// everything in it has been alerted. From then on the table can be read. The
// error wraps [ErrProcess] where the process did not end, or not well, and
// [ErrKills] where some of [Process.KillAt] never came to pass.
func (p *Process) Settled(ctx context.Context) error {
	p.killing.Wait() // or one would find nothing to kill
	p.mu.Lock()
	var killed error
	if p.running != nil {
		killed = p.stop(ctx, p.running)
		p.running = nil
	}
	if p.fault == nil && p.kills < p.wanted {
		p.fault = fmt.Errorf("%w: %d of %d", ErrKills, p.kills, p.wanted)
	}
	if p.stack == nil && !p.closed {
		// Even where no time is left: then it is read as it is.
		stack, err := local.Start(context.WithoutCancel(ctx), local.Config{
			Folder:       p.config.Folder,
			Address:      "127.0.0.1:0",
			ForwardURL:   p.config.ForwardURL,
			FirstPause:   firstPause,
			LongestPause: longestPause,
		}, slog.New(slog.NewTextHandler(p.log, nil)))
		if err != nil {
			fault := p.fault
			p.mu.Unlock()
			return errors.Join(fault, fmt.Errorf("open the folder: %w", err))
		}
		p.stack = stack
	}
	stack, fault := p.stack, p.fault
	p.mu.Unlock()
	if stack == nil {
		return errStopped
	}
	// Last what is not the stack's slowness: a report tells of that in its own
	// words, and of what stands behind it as it is.
	return errors.Join(stack.Settled(ctx), killed, fault)
}

var errStopped = errors.New("the stack is stopped")

// Put implements [table.Store]: see [Process] for when.
func (p *Process) Put(ctx context.Context, item table.Item) (created bool, err error) {
	if stack := p.opened(); stack != nil {
		return stack.Store.Put(ctx, item)
	}
	return false, errRunning
}

// Query implements [table.Store]: see [Process] for when.
func (p *Process) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if stack := p.opened(); stack != nil {
		return stack.Store.Query(ctx, q)
	}
	return table.Page{}, errRunning
}

// Scan yields every item of the table: see [Process] for when.
func (p *Process) Scan(ctx context.Context) iter.Seq2[table.Item, error] {
	if stack := p.opened(); stack != nil {
		return stack.Scan(ctx)
	}
	return func(yield func(table.Item, error) bool) { yield(nil, errRunning) }
}

var errRunning = fmt.Errorf("%w: the process has it", table.ErrUnavailable)

func (p *Process) opened() *local.Stack {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stack
}

// Close ends what still runs. The folder stays.
func (p *Process) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	var err error
	if p.running != nil {
		p.running.kill()
		p.running = nil
	}
	if p.stack != nil {
		err = p.stack.Close()
	}
	return errors.Join(err, p.log.Close())
}

// kill ends the process at once.
func (r *run) kill() {
	r.expectEnd()
	_ = r.command.Process.Kill() // where it has ended, that is that
	<-r.ended
}

// stop has a process end by itself, or ends it after a while. Where it is the
// process's fault that it did not, the error is kept as well. The caller holds
// the lock.
func (p *Process) stop(ctx context.Context, r *run) error {
	r.expectEnd()
	if r.command.Process.Signal(syscall.SIGTERM) != nil {
		_ = r.input.Close() // not every system has the signal
	}
	limit := cmp.Or(p.config.StopTime, stopTime)
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-r.ended:
		if state := r.command.ProcessState; !state.Success() {
			p.fault = p.failure("it was told to end: " + state.String())
		}
	case <-late.C:
		p.fault = p.failure(fmt.Sprintf("it was told to end, and had not after %v", limit))
	case <-ctx.Done():
		r.kill()
		return fmt.Errorf("end the process: %w", context.Cause(ctx))
	}
	r.kill()
	return nil
}

func (r *run) expectEnd() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ending = true
}

func (r *run) endedByUs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending
}
