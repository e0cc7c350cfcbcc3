package local

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
)

// A running stack has its table to itself. So that commands on this machine can look things
// up and store hand acts meanwhile, it listens on a port of its own: the webhook's may be reached
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

// control answers requests for hand acts, and for what is in the table.
type control struct {
	store    table.Store
	items    table.Eraser // of the same table
	numbers  phone.Book
	settings Settings
	token    string
	file     string
	server   *http.Server
	now      func() time.Time
}

type access struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// startControl listens, and writes the file.
func startControl(ctx context.Context, c Config, store table.Eraser) (*control, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	k := &control{
		store:    c.Retention.Store(store),
		items:    store,
		numbers:  c.Numbers,
		settings: Settings{c.Numbers.Country(), zoneName(c.Style.Location), c.BusinessHours, c.Holidays},
		token:    rand.Text(),
		file:     filepath.Join(c.Folder, ControlFile),
		now:      c.clock(),
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

// zoneName returns the name by which package zone finds a zone, "" for that of the machine.
func zoneName(zone *time.Location) string {
	if zone == nil || zone == time.Local {
		return ""
	}
	return zone.String()
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
	if k.serveStore(w, r) {
		return
	}
	var request Request
	if !readJSON(w, r, &request) {
		return
	}
	var answer reply
	outcome, err := request.Perform(r.Context(), k.store, k.numbers, k.now())
	if answer.Outcome = outcome; err != nil {
		answer.Error = err.Error()
	}
	writeJSON(w, answer)
}

// Ask has the stack that runs in a folder perform a request. The error wraps
// [ErrNotRunning], [ErrRefused] or [ledger.ErrUnknown].
func Ask(ctx context.Context, folder string, request Request) (ledger.Outcome, error) {
	to, err := readAccess(folder)
	if err != nil {
		return ledger.Outcome{}, err
	}
	var answer reply
	if err := to.ask(ctx, "/", request, &answer); err != nil {
		return ledger.Outcome{}, err
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
