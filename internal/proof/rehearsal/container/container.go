package container

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

const (
	// codeFolder is where Lambda has a function's code. Of a function with a runtime of its own, the emulator copies
	// it to the second folder as well, where AWS's image looks first.
	codeFolder, runtimeFolder = "/var/task", "/var/runtime"

	invocations  = "POST /2015-03-31/functions/function/invocations"
	maxEvent     = 7 << 20         // bytes, more than Lambda takes
	defaultLimit = 3 * time.Second // Lambda's own, of an invocation
	// grace is for a busy machine. The emulator itself waits five seconds longer than the limit.
	grace = 4 * time.Second
	// initTime is longer than Lambda's ten seconds, for a busy machine.
	initTime = 30 * time.Second
)

// container is one function's. Like Lambda's, it handles one event at a time.
type container struct {
	folder, name string
	env          []string
	limit        time.Duration

	mu      sync.Mutex
	address string // of the invocation URL; "" before it is started, as are the next two
	server  *http.Server
	life    context.Context // of a process, which outlives the invocation that starts it
	process *lambdaruntime.Process
	printed string // by processes that have ended
	closed  bool
}

// set sets a variable of the function's environment.
func (c *container) set(name, value string) {
	if name == "AWS_LAMBDA_FUNCTION_TIMEOUT" {
		if seconds, err := strconv.Atoi(value); err == nil {
			c.limit = time.Duration(seconds) * time.Second
		}
	}
	c.env = append(c.env, name+"="+value)
}

// copy copies a folder of this machine, such as "/tmp/code/.", into the container.
func (c *container) copy(from, to string) error {
	switch to {
	case codeFolder:
		return os.CopyFS(filepath.Join(c.folder, "task"), os.DirFS(filepath.Clean(from)))
	case runtimeFolder:
		return nil
	}
	return fmt.Errorf("copy to %s: only %s has a meaning here", to, codeFolder)
}

// serve serves the invocation URL. The function starts with its first invocation, as in AWS's images.
func (c *container) serve(ctx, life context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback+":0")
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc(invocations, c.invoke)
	server := newServer(mux)
	c.mu.Lock()
	c.address, c.life, c.server = listener.Addr().String(), life, server
	c.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // ends with close
	return nil
}

// failure is the answer to an invocation that failed. Its status is 200, as in AWS's images.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (c *container) invoke(w http.ResponseWriter, r *http.Request) {
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer, err := c.run(r.Context(), event)
	if err != nil {
		f := failure{"Runtime.ExitError", err.Error()}
		switch function := (*lambdaruntime.FunctionError)(nil); {
		case errors.As(err, &function):
			f = failure{function.Type, function.Message}
		case errors.Is(err, lambdaruntime.ErrTimedOut):
			f.Type = "Sandbox.Timedout"
		}
		answer, _ = json.Marshal(f) // two texts
	}
	_, _ = w.Write(answer) // the emulator may be gone
}

// run passes an event to the function, which it starts if it does not run.
func (c *container) run(ctx context.Context, event []byte) ([]byte, error) {
	process, err := c.started()
	if err != nil {
		return nil, err
	}
	result, err := process.Invoke(ctx, event, cmp.Or(c.limit, defaultLimit))
	switch {
	case err != nil:
		return nil, err
	case result.FunctionError != nil:
		return nil, result.FunctionError
	}
	return result.Payload, nil
}

func (c *container) started() (*lambdaruntime.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.New("the container is removed")
	}
	if c.process != nil {
		select {
		case <-c.process.Exited():
			c.printed += c.process.Logs()
			c.process = nil
		default:
			return c.process, nil
		}
	}
	task := filepath.Join(c.folder, "task")
	process, err := lambdaruntime.Start(c.life, lambdaruntime.Command{
		Path: filepath.Join(task, "bootstrap"), Dir: task, InitTimeout: initTime,
		Env: append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC", "LAMBDA_TASK_ROOT=" + task}, c.env...),
	})
	if failed := (*lambdaruntime.InitError)(nil); errors.As(err, &failed) {
		c.printed += failed.Logs
	}
	if err != nil {
		return nil, err
	}
	process.Grace = grace
	c.process = process
	return process, nil
}

// port returns where the invocation URL is.
func (c *container) port() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.address == "" {
		return "", errors.New("the container is not started")
	}
	return c.address + "\n", nil
}

func (c *container) logs() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return c.printed
	}
	return c.printed + c.process.Logs()
}

// close ends the function and writes what it printed into a file beside its folder.
func (c *container) close() {
	c.mu.Lock()
	c.closed = true
	process, server := c.process, c.server
	c.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
	if process != nil {
		process.Kill()
	}
	if printed := c.logs(); printed != "" {
		// It helps a person, and nothing depends on it.
		_ = os.WriteFile(c.folder+"-"+strings.ReplaceAll(c.name, "/", "-")+".log", []byte(printed), 0o600)
	}
}
