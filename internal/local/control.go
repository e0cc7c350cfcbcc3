package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
)

// A running stack has its table to itself. So that commands on this machine can store
// hand acts meanwhile, it listens on a port of its own: the webhook's may be reached
// through a tunnel by everybody. The address and a token are in a file that only the
// user can read.

// ControlFile is the name of that file in the data folder.
const ControlFile = "control.json"

// ErrNotRunning means that no stack is running in a folder.
var ErrNotRunning = errors.New("no stack is running there")

// ErrRefused is what a running stack answers to an act that it does not take.
var ErrRefused = errors.New("not done")

var errNoNumber = errors.New("that is no telephone number")

// Request is a hand act about whoever has a number, as people write it.
type Request struct {
	Caller string           `json:"caller"`
	Kind   followup.ActKind `json:"kind"`
	By     string           `json:"by"`
	Why    string           `json:"why,omitzero"`
	Until  time.Time        `json:"until,omitzero"`
}

// Perform stores the act of a request in a store; see [ledger.Perform].
func (r Request) Perform(ctx context.Context, store table.Store, numbers phone.Book, now time.Time) (ledger.Outcome, error) {
	caller := r.Caller
	if !followup.IsCallSubject(caller) {
		if caller = numbers.Canonical(r.Caller); caller == "" {
			return ledger.Outcome{}, errNoNumber
		}
	}
	return ledger.Perform(ctx, store, followup.Default(), caller, followup.Act{
		ID: rand.Text(), At: now, Kind: r.Kind, By: r.By, Why: r.Why, Until: r.Until,
	})
}

// control answers requests for hand acts.
type control struct {
	store   table.Store
	numbers phone.Book
	token   string
	file    string
	server  *http.Server
	now     func() time.Time
}

type access struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// startControl listens, and writes the file.
func startControl(ctx context.Context, c Config, store table.Store) (*control, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	k := &control{
		store:   store,
		numbers: c.Numbers,
		token:   rand.Text(),
		file:    filepath.Join(c.Folder, ControlFile),
		now:     c.clock(),
	}
	k.server = &http.Server{Handler: k, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime}
	text, err := json.Marshal(access{listener.Addr().String(), k.token})
	if err == nil {
		err = os.WriteFile(k.file+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(k.file+".new", k.file)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for commands: %w", err), listener.Close())
	}
	go func() { _ = k.server.Serve(listener) }() // ends with close
	return k, nil
}

// close answers the requests under way.
func (k *control) close(ctx context.Context) {
	_ = os.Remove(k.file)
	_ = k.server.Shutdown(ctx)
}

// reply is the answer to a request. Error is "" if it was done.
type reply struct {
	ledger.Outcome

	Error string `json:"error,omitzero"`
}

func (k *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// guard 6: if subtle.ConstantTimeCompare(nil, nil) != 1 {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(k.token)) != 1 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	const longest = 64 << 10
	var request Request
	if err := json.NewDecoder(io.LimitReader(r.Body, longest)).Decode(&request); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var answer reply
	outcome, err := request.Perform(r.Context(), k.store, k.numbers, k.now())
	if answer.Outcome = outcome; err != nil {
		answer.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // whoever asked may be gone; the act is stored anyway
}

// Ask has the stack that runs in a folder perform a request. The error wraps
// [ErrNotRunning], [ErrRefused] or [ledger.ErrUnknown].
func Ask(ctx context.Context, folder string, request Request) (ledger.Outcome, error) {
	text, err := os.ReadFile(filepath.Join(folder, ControlFile)) //nolint:gosec // G304: the user's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Outcome{}, ErrNotRunning
	}
	if err != nil {
		return ledger.Outcome{}, fmt.Errorf("find the running stack: %w", err)
	}
	var to access
	if json.Unmarshal(text, &to) != nil {
		return ledger.Outcome{}, ErrNotRunning
	}
	body, err := json.Marshal(request)
	if err != nil {
		return ledger.Outcome{}, fmt.Errorf("ask the running stack: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.Address, bytes.NewReader(body))
	if err != nil {
		return ledger.Outcome{}, ErrNotRunning
	}
	r.Header.Set("Authorization", to.Token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		// The file of a stack that was killed is left behind.
		return ledger.Outcome{}, fmt.Errorf("%w: nobody listens for commands", ErrNotRunning)
	}
	defer func() { _ = response.Body.Close() }()
	var answer reply
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&answer) != nil {
		return ledger.Outcome{}, ErrNotRunning // somebody else has the port by now
	}
	switch answer.Error {
	case "":
		return answer.Outcome, nil
	case ledger.ErrUnknown.Error():
		return answer.Outcome, ledger.ErrUnknown
	default:
		return answer.Outcome, fmt.Errorf("%w: %s", ErrRefused, answer.Error)
	}
}
