// Package container plays Docker to an emulator of AWS that runs Lambda functions in containers, on a machine without
// Docker. A function gets the Runtime API from package lambdaruntime, and the emulator gets the invocation URL of AWS's
// Runtime Interface Emulator.
//
// The emulator calls a command, once for each thing to do. [Run] is that command: it passes its arguments on to the
// [Engine], which has the functions as its own processes. So they end with it, whatever becomes of the emulator.
//
// It isolates nothing: a function runs as the user who started the engine, in a folder of its own.
package container

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// SocketEnv is the environment variable with the path of the engine's socket.
const SocketEnv = "RINGBACK_CONTAINERS"

const (
	// hostAlias is how a function in a container calls this machine.
	hostAlias = "host.docker.internal"
	// loopback is what it means here, and where functions listen.
	loopback = "127.0.0.1"
	headTime = 10 * time.Second // to read a request's header
	// failed is the exit code of a command that could not be done, as Docker's.
	failed = 125
)

// Call is one run of the command.
type Call struct {
	Args []string `json:"args"`
	// Env holds the command's own variables that an argument such as "-e AWS_SESSION_TOKEN" refers to.
	Env map[string]string `json:"env"`
}

// Outcome is what the run prints, and its exit code.
type Outcome struct {
	Out  string `json:"out"`
	Err  string `json:"err"`
	Code int    `json:"code"`
}

// Engine has the containers.
type Engine struct {
	// Socket is the path of the socket, to be passed on in [SocketEnv].
	Socket string
	// Endpoint, if it is set, is where the functions call AWS, in place of the emulator's address.
	Endpoint string

	ctx    context.Context // the functions' life, not a call's
	cancel context.CancelFunc
	folder string
	server *http.Server

	mu         sync.Mutex
	containers map[string]*container
}

// Start starts an engine that keeps the functions' code, and what they print, in folder. Nobody but this user may have
// access to it.
func Start(ctx context.Context, folder string) (*Engine, error) {
	e := &Engine{Socket: filepath.Join(folder, "engine.sock"), folder: folder, containers: make(map[string]*container)}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", e.Socket)
	if err != nil {
		return nil, fmt.Errorf("listen for the container command: %w", err)
	}
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.server = newServer(e)
	go func() { _ = e.server.Serve(listener) }() // ends with Close
	return e, nil
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headTime, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// Close ends every function.
func (e *Engine) Close() {
	_ = e.server.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, c := range e.containers {
		c.close()
		delete(e.containers, id)
	}
	e.cancel()
}

// ServeHTTP answers the command.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call Call
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var outcome Outcome
	printed, err := e.do(r.Context(), call)
	outcome.Out = printed
	if err != nil {
		outcome.Err, outcome.Code = "container stand-in: "+err.Error()+"\n", failed
	}
	_ = json.NewEncoder(w).Encode(outcome) // the command may be gone
}

// do runs one command line and returns what it prints.
func (e *Engine) do(ctx context.Context, call Call) (string, error) {
	verb, args := "", call.Args
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "info", "--version", "version":
		return "a stand-in, without containers\n", nil
	case "pull", "tag", "image", "ps", "network", "volume":
		return "", nil // there are no images, and none of an earlier run is left
	case "create":
		return e.create(call, args)
	case "cp":
		if len(args) != 2 {
			return "", fmt.Errorf("cp takes a folder and ID:FOLDER, not %q", args)
		}
		id, to, _ := strings.Cut(args[1], ":")
		c, err := e.find(id)
		if err != nil {
			return "", err
		}
		return "", c.copy(args[0], to)
	}

	// The rest name the container last, or first.
	if len(args) == 0 {
		return "", fmt.Errorf("%q is no command line that is known here", call.Args)
	}
	switch last := args[len(args)-1]; verb {
	case "start":
		c, err := e.find(last)
		if err != nil {
			return "", err
		}
		return last + "\n", c.serve(ctx, e.ctx)
	case "port":
		c, err := e.find(args[0])
		if err != nil {
			return "", err
		}
		return c.port()
	case "logs":
		c, err := e.find(last)
		if err != nil {
			return "", err
		}
		return c.logs(), nil
	case "rm":
		return "", e.remove(last)
	}
	return "", fmt.Errorf("%q is no command line that is known here", call.Args)
}

// withValue are the flags of "create" that have a value of their own.
var withValue = map[string]bool{"-p": true, "-e": true, "--label": true, "--add-host": true, "--tmpfs": true}

// create makes a container and returns its id. Its command line is: flags, image, handler.
func (e *Engine) create(call Call, args []string) (string, error) {
	id := strings.ToLower(rand.Text())
	c := &container{folder: filepath.Join(e.folder, id), name: id}
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		flag, value := args[0], args[1]
		if !withValue[flag] {
			return "", fmt.Errorf("create %s is not known here", flag)
		}
		args = args[2:]
		switch flag {
		case "-e":
			name, text, ok := strings.Cut(value, "=")
			if !ok {
				text = call.Env[name]
			}
			text = strings.ReplaceAll(text, hostAlias, loopback)
			if name == "AWS_ENDPOINT_URL" && e.Endpoint != "" {
				text = e.Endpoint
			}
			c.set(name, text)
		case "--label":
			if function, ok := strings.CutPrefix(value, "fakecloud-lambda="); ok {
				c.name = function
			}
		}
	}
	if len(args) == 0 {
		return "", errors.New("create names no image")
	}
	if err := os.Mkdir(c.folder, 0o700); err != nil {
		return "", fmt.Errorf("create: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.containers[id] = c
	return id + "\n", nil
}

func (e *Engine) find(id string) (*container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.containers[id]
	if c == nil {
		return nil, fmt.Errorf("no container %q", id)
	}
	return c, nil
}

// remove ends a container and keeps what it printed. One that is gone is no error.
func (e *Engine) remove(id string) error {
	e.mu.Lock()
	c := e.containers[id]
	delete(e.containers, id)
	e.mu.Unlock()
	if c == nil {
		return nil
	}
	c.close()
	return os.RemoveAll(c.folder)
}

// Run is the command that the emulator calls: it has the engine do what the arguments say, and returns the exit code.
func Run(ctx context.Context, socket string, args []string, stdout, stderr io.Writer) int {
	outcome, err := ask(ctx, socket, Call{Args: args, Env: referred(args)})
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "container stand-in: no engine at %s: %v\n", socket, err)
		return failed
	}
	_, _ = io.WriteString(stdout, outcome.Out)
	_, _ = io.WriteString(stderr, outcome.Err)
	return outcome.Code
}

// referred returns the variables that arguments refer to by name alone, so that no secret stands in a command line.
func referred(args []string) map[string]string {
	env := make(map[string]string)
	for i, arg := range args {
		if arg == "-e" && i+1 < len(args) && !strings.Contains(args[i+1], "=") {
			env[args[i+1]] = os.Getenv(args[i+1])
		}
	}
	return env
}

func ask(ctx context.Context, socket string, call Call) (Outcome, error) {
	body, err := json.Marshal(call)
	if err != nil {
		return Outcome{}, err
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/", strings.NewReader(string(body)))
	if err != nil {
		return Outcome{}, err
	}
	response, err := client.Do(r)
	if err != nil {
		return Outcome{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	var outcome Outcome
	err = json.NewDecoder(response.Body).Decode(&outcome)
	return outcome, err
}
