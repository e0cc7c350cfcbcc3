package storm

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Receiver is a server on this machine that takes alerts over HTTP, and refuses
// some of them.
type Receiver struct {
	// URL is where alerts are posted.
	URL string

	fault  Fault
	now    func() time.Time
	server *http.Server

	mu    sync.Mutex
	tries map[string]int
	log   Published
}

// Fault says whether the receiver is to fail, before it takes anything, at a
// try of an alert; the first is 0.
type Fault func(id string, try int) bool

// Faults returns a fault that hits percent of all tries. It depends on nothing
// but the seed, the alert and the try, so that it is the same in whatever order
// the alerts come.
func Faults(seed uint64, percent int) Fault {
	return func(id string, try int) bool { return int(draw(seed, id, try)%100) < percent }
}

// draw returns a number that only these decide.
func draw(seed uint64, id string, try int) uint64 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.BigEndian, []uint64{seed, uint64(try)}) //nolint:gosec // G115: a count
	_, _ = io.WriteString(h, id)                                       // a hash takes every write
	return random(h.Sum64(), refusing).Uint64()
}

// Published is what a receiver has seen.
type Published struct {
	// Taken are the alerts, in the order in which they were taken.
	Taken []Taken
	// Failed is how many tries the receiver failed, on purpose.
	Failed int
	// Unreadable is how many tries were no alert with an id.
	Unreadable int
}

// Taken is one alert that was taken, at a time.
type Taken struct {
	ID string
	At time.Time
}

// The largest alert that is read, in bytes. A message to SNS has no more than
// 256 KB.
const maxAlert = 1 << 20

// StartReceiver starts a receiver on a free port of this machine.
func StartReceiver(ctx context.Context, fault Fault) (*Receiver, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("receive alerts: %w", err)
	}
	r := &Receiver{
		URL:   "http://" + listener.Addr().String() + "/alerts",
		fault: fault,
		now:   time.Now,
		tries: make(map[string]int),
	}
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

// ServeHTTP takes one alert, or fails in one of the ways in which servers do.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAlert))
	var alert struct {
		ID string `json:"id"`
	}
	if err == nil {
		err = json.Unmarshal(body, &alert)
	}
	if err == nil && alert.ID == "" {
		err = errors.New("an alert without id")
	}
	w.WriteHeader(r.take(alert.ID, err == nil))
}

// take counts a try and returns what to answer.
func (r *Receiver) take(id string, readable bool) (status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !readable {
		r.log.Unreadable++
		return http.StatusBadRequest
	}
	try := r.tries[id]
	r.tries[id]++
	if !r.fault(id, try) {
		r.log.Taken = append(r.log.Taken, Taken{id, r.now()})
		return http.StatusNoContent
	}
	r.log.Failed++
	const cut = 0
	ways := []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests, cut}
	status = ways[draw(1, id, try)%uint64(len(ways))]
	if status == cut {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	return status
}
