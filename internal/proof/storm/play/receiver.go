package play

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Receiver is a server on this machine that takes alerts over HTTP, and refuses some.
type Receiver struct {
	URL string // where alerts are posted

	fault  Fault
	server *http.Server

	mu    sync.Mutex
	tries map[string]int
	log   Published
}

// Fault says whether the receiver fails at a try of an alert. The first try is 0.
type Fault func(id string, try int) bool

// Faults returns a fault that hits percent of all tries. It depends only on the seed, the alert and the try, so it
// is the same in whatever order the alerts come.
func Faults(seed uint64, percent int) Fault {
	return func(id string, try int) bool { return int(draw(seed, id, try)%100) < percent }
}

// draw returns a random number that depends only on these.
func draw(seed uint64, id string, try int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, seed, try, id) // a hash takes every write
	return random(h.Sum64(), refusing).Uint64()
}

// Published is what arrived of the alerts: those taken, in this order, how many tries the receiver failed on purpose,
// and how many were no alert with an id.
type Published struct {
	Taken              []Alert
	Failed, Unreadable int
}

const maxAlert = 1 << 20 // bytes; a message to SNS has at most 256 KB

// StartReceiver starts a receiver on a free port of this machine.
func StartReceiver(ctx context.Context, fault Fault) (*Receiver, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("receive alerts: %w", err)
	}
	r := &Receiver{URL: "http://" + listener.Addr().String() + "/alerts", fault: fault, tries: make(map[string]int)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // until Close
	return r, nil
}

// Close ends the receiver. What it has seen can still be asked for.
func (r *Receiver) Close() error { return r.server.Close() }

// Published returns what was seen so far.
func (r *Receiver) Published() Published {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.log
	seen.Taken = slices.Clone(seen.Taken)
	return seen
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAlert))
	a, ok := ReadAlert(body)
	id := a.Publication()
	r.mu.Lock()
	defer r.mu.Unlock()
	try := r.tries[id]
	r.tries[id]++
	switch {
	case err != nil || !ok:
		r.log.Unreadable++
		w.WriteHeader(http.StatusBadRequest)
	case !r.fault(id, try):
		r.log.Taken = append(r.log.Taken, a)
		w.WriteHeader(http.StatusNoContent)
	default:
		r.log.Failed++
		status := []int{0, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}[draw(1, id, try)%4]
		if status == 0 {
			panic(http.ErrAbortHandler) // net/http's way to cut the connection
		}
		w.WriteHeader(status)
	}
}
