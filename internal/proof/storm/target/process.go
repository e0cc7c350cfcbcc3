// Package target has the stacks that a storm plays against.
//
// [Process] is a local stack in a process of its own, "ringback serve", that can be killed in the middle of the
// storm and started again on the same folder. [Open] finds any stack on AWS, or on stand-ins for it: its alerts
// come through a [Subscription], a temporary queue.
package target

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
)

// Errors of a process: it did not start, or ended although nobody here ended it, and the text has the end of what it
// printed; or it was killed less often than it was to be, since it did not answer often enough.
var (
	ErrProcess = errors.New("the stack's process has failed")
	ErrKills   = errors.New("not every kill was made")
)

// LogName is the name, in the folder, of the file with everything that the processes printed.
const (
	LogName    = "serve.log"
	readyTime  = time.Minute // until it answers, on a busy machine
	readyPause = 5 * time.Millisecond
	maxTail    = 2 << 10 // bytes of what the process printed that stand in an error
)

// Process is a local stack in a process of its own: "ringback serve", on a folder and a port that stay the same
// however often it is killed. It checks signatures. It ends with its input, a pipe from here, and so does not
// outlive this process, however that ends.
//
// It has its folder for itself: the table can be read only after [Process.Settled] has ended it.
type Process struct {
	// Program is the path of ringback's executable, and Folder an empty one for the table, the secret and what the
	// process prints. ForwardURL is where the stack posts its alerts.
	Program, Folder, ForwardURL string
	// Failed is called, unless it is nil, when the process has ended and nobody here had ended it. The error wraps
	// [ErrProcess].
	Failed func(error)
	Target *play.Target // set by Start
	Kills  int          // how often it was killed, once it is settled

	address string
	log     *os.File
	killing sync.WaitGroup // of the kills by KillAt

	mu      sync.Mutex   // held by whoever ends or starts a process
	running *run         // nil once it is stopped
	wanted  int          // kills, by KillAt
	stack   *local.Stack // once it is settled
	fault   error        // of its end
}

// run is the process from one start to its end.
type run struct {
	command *exec.Cmd
	input   io.Closer
	ended   chan struct{}
	ending  atomic.Bool // by us
}

// Start makes a secret, starts the process and returns once it answers.
func (p *Process) Start(ctx context.Context) error {
	secret := credential.Secret{Token: crand.Text(), SigningSecret: crand.Text()}
	text, err := json.Marshal(secret)
	if err == nil {
		err = os.WriteFile(filepath.Join(p.Folder, local.SecretFile), text, 0o600)
	}
	if err == nil {
		p.address, err = freeAddress(ctx)
	}
	if err == nil {
		p.log, err = os.OpenFile(filepath.Join(p.Folder, LogName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	}
	if err != nil {
		return fmt.Errorf("prepare the stack: %w", err)
	}
	p.Target = &play.Target{
		URL: local.URL(p.address, secret), SigningSecret: secret.SigningSecret, Fresh: true, Settled: p.Settled, Act: p.act,
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.start(ctx); err != nil {
		return errors.Join(err, p.log.Close())
	}
	return nil
}

// freeAddress returns an address of this machine that nobody listens on. Its port is below those that most systems
// give to connections: one of the player's might get the process's port while it is dead.
func freeAddress(ctx context.Context) (address string, err error) {
	for range 20 {
		address = net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.N(10_000))) //nolint:gosec // G404: any will do
		var listener net.Listener
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", fmt.Errorf("no free port: %w", err)
}

// start starts the process and waits until it answers. The caller holds the lock.
func (p *Process) start(ctx context.Context) error {
	r := &run{ended: make(chan struct{})}
	r.command = exec.Command(p.Program, "serve", "--until-eof", //nolint:gosec // G204: to run it is the purpose
		"--data", p.Folder, "--addr", p.address, "--forward", p.ForwardURL, "--alert-max-age", "0") // the storm's calls are of March 2026
	r.command.Stdout, r.command.Stderr = p.log, p.log
	var err error
	if r.input, err = r.command.StdinPipe(); err == nil {
		err = r.command.Start()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProcess, err)
	}
	go func() {
		_ = r.command.Wait() // its ProcessState says how it ended
		close(r.ended)
	}()
	if err := p.awaitAnswer(ctx, r); err != nil {
		r.kill()
		return err
	}
	p.running = r
	go func() {
		if <-r.ended; !r.ending.Load() && p.Failed != nil {
			p.Failed(p.failure(r.command.ProcessState))
		}
	}()
	return nil
}

// awaitAnswer waits until the process answers a probe.
func (p *Process) awaitAnswer(ctx context.Context, r *run) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	probe, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Target.URL, nil)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	probe.Close = true // no connection is to be left over from before a kill
	for {
		if resp, err := http.DefaultTransport.RoundTrip(probe); err == nil {
			_ = resp.Body.Close() // the status says it all
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-r.ended:
			return p.failure(r.command.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", p.failure("no answer"), context.Cause(ctx))
		case <-time.After(readyPause):
		}
	}
}

// failure is an error with the end of what the process printed.
func (p *Process) failure(what any) error {
	printed, _ := os.ReadFile(p.log.Name()) // as much as there is
	tail := printed[max(0, len(printed)-maxTail):]
	if first := bytes.IndexByte(tail, '\n'); len(tail) < len(printed) && first >= 0 {
		tail = tail[first+1:] // half a line says nothing
	}
	return fmt.Errorf("%w: %v\n%s", ErrProcess, what, bytes.TrimSpace(tail))
}

// KillAt returns a function for [play.Player.Done] that ends the process with SIGKILL at such numbers of
// deliveries and starts it again, without holding up its caller. It calls killed when the process answers again. One
// that does not start again is reported to Failed.
func (p *Process) KillAt(ctx context.Context, moments []int, killed func()) func(done int) {
	p.wanted = len(moments)
	return func(done int) {
		if !slices.Contains(moments, done) {
			return
		}
		p.killing.Go(func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.running.kill()
			p.Kills++
			if err := p.start(ctx); err == nil {
				killed()
			} else if p.Failed != nil {
				p.Failed(err)
			}
		})
	}
}

// MaxKills returns how many kills [Moments] has room for among so many answers.
func MaxKills(answers int) int { return answers*9/10 - answers/10 }

// Moments draws when to kill a stack, as numbers of answers: n different ones, ascending, out of the middle of so
// many answers, or as many as there is room for. A seed repeats them.
func Moments(seed uint64, n, answers int) []int {
	const purpose = 1 << 32                     // far from those of the plan
	rng := rand.New(rand.NewPCG(seed, purpose)) //nolint:gosec // G404: to be repeated, not to be secret
	moments := rng.Perm(MaxKills(answers))[:min(n, MaxKills(answers))]
	for i := range moments {
		moments[i] += answers/10 + 1
	}
	slices.Sort(moments)
	return moments
}

// Settled ends the process as a person would, opens its folder and returns once everything in it has been alerted.
// From then on the table can be read, even where an error says that there was no time for the rest. The error wraps
// [ErrProcess] where the process did not end, or not well, and [ErrKills] where not all of the kills of
// [Process.KillAt] were made.
func (p *Process) Settled(ctx context.Context) error {
	p.killing.Wait() // or one would find nothing to kill
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		p.stop(ctx)
	}
	if p.fault == nil && p.Kills < p.wanted {
		p.fault = fmt.Errorf("%w: %d of %d", ErrKills, p.Kills, p.wanted)
	}
	if p.stack == nil {
		stack, err := local.Start(context.WithoutCancel(ctx), local.Config{
			Folder: p.Folder, Address: "127.0.0.1:0", ForwardURL: p.ForwardURL,
			// Nobody is to wait for the pauses of serve before a refused alert is sent again.
			FirstPause: 20 * time.Millisecond, LongestPause: time.Second,
		}, slog.New(slog.NewTextHandler(p.log, nil)))
		if err != nil {
			return errors.Join(p.fault, fmt.Errorf("open the folder: %w", err))
		}
		p.stack, p.Target.Table, p.Target.Scan = stack, stack.Store, stack.Scan
	}
	return errors.Join(p.stack.Settled(ctx), p.fault)
}

// act stores a hand act through the running process.
func (p *Process) act(ctx context.Context, item table.Item) error {
	to, err := local.Connect(ctx, p.Folder)
	if err != nil {
		return err
	}
	_, err = to.Put(ctx, item)
	return err
}

// stop has the process end by itself, or ends it with ctx. Where it did not end, or not well, that is p.fault. The
// caller holds the lock.
func (p *Process) stop(ctx context.Context) {
	r := p.running
	p.running = nil
	r.ending.Store(true)
	if r.command.Process.Signal(syscall.SIGTERM) != nil {
		_ = r.input.Close() // not every system has the signal
	}
	select {
	case <-r.ended:
		if state := r.command.ProcessState; !state.Success() {
			p.fault = p.failure("it was told to end: " + state.String())
		}
	case <-ctx.Done():
		p.fault = p.failure("it was told to end, and did not")
	}
	r.kill()
}

func (r *run) kill() {
	r.ending.Store(true)
	_ = r.command.Process.Kill() // it may have ended already
	<-r.ended
}

// Close ends what still runs. The folder stays.
func (p *Process) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		p.running.kill()
	}
	var err error
	if p.stack != nil {
		err = p.stack.Close()
	}
	return errors.Join(err, p.log.Close())
}
