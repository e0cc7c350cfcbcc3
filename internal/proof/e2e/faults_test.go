package e2e_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/table"
)

// faultShare is how many requests there are for each that fails: 5 % do.
const faultShare = 20

// tries is how often the functions ask a service.
const tries = 3

// late is longer than the functions wait for an answer.
const late = 2500 * time.Millisecond

// fault is one kind of trouble, and how often it is in a round of all kinds.
type fault struct {
	name  string
	times int
	faultproxy.Fault
	// calls is how many requests in a row fail, of those that ask for the same:
	// so many tries, and the function has to do without the service.
	calls int
}

// done is for what is done, and nobody is told.
func done(name string, wait time.Duration) fault {
	times := 3
	if wait > 0 {
		times = 1
	}
	return fault{name: name, times: times, Fault: faultproxy.Fault{PassOn: true, Cut: true, Then: func() { time.Sleep(wait) }}}
}

// undone is what every service may do and by which nothing is done.
func undone(throttled, broken faultproxy.Fault) []fault {
	return []fault{
		{name: "throttled", times: 3, Fault: throttled},
		{name: "broken", times: 3, Fault: broken},
		{name: "cut", times: 3, Fault: faultproxy.Fault{Cut: true}},
		{name: "too late", times: 1, Fault: faultproxy.Fault{Delay: late, Cut: true}}, // few, since each is waited for
	}
}

var outOfReach = fault{name: "out of reach", times: 3, Fault: faultproxy.Fault{Cut: true}, calls: tries}

// The faults of each service.
func tableFaults() []fault {
	return append(undone(faultproxy.TableThrottled, faultproxy.TableBroken),
		done("done and cut", 0), done("done too late", late),
		outOfReach,
		fault{name: "out of reach of the drain as well", times: 2, Fault: faultproxy.Fault{Cut: true}, calls: 2 * tries})
}

func queueFaults() []fault {
	return append(undone(faultproxy.QueueThrottled, faultproxy.QueueBroken), done("done and cut", 0), outOfReach)
}

func secretFaults() []fault {
	return append(undone(faultproxy.SecretThrottled, faultproxy.SecretBroken), done("done and cut", 0))
}

// topicFaults are without those by which an alert is published and nobody is
// told: it has to come again then.
func topicFaults() []fault {
	return append(undone(faultproxy.TopicThrottled, faultproxy.TopicBroken),
		fault{name: "over the limit", times: 2, Fault: faultproxy.TopicOverLimit}, outOfReach)
}

// weather has a share of a service's requests fail: one out of each
// [faultShare], where the seed says, and every kind of fault in turn.
type weather struct {
	// lost is called with a request that is done and not answered; nil is for
	// nobody who wants to know.
	lost func(faultproxy.Request)

	rng   *rand.Rand
	kinds []fault

	mu       sync.Mutex // for whoever reads the counts
	round    []fault    // what is left of it
	at       int        // which of the share fails
	debt     int        // how many shares have had theirs before; less than 0 is owed
	requests int
	counts   map[string]int
	calls    map[string]call // by what they ask for: which fail, whatever the share
	marks    map[table.Key]int
}

// call is what the next requests meet that ask for the same.
type call struct {
	fault
	left int
}

func newWeather(seed uint64, kinds []fault) *weather {
	return &weather{
		rng: rand.New(rand.NewPCG(seed, 0)), kinds: kinds, counts: map[string]int{}, //nolint:gosec // G404: to be repeated
		calls: map[string]call{}, marks: map[table.Key]int{},
	}
}

// decide is a [faultproxy.Decide].
func (w *weather) decide(r faultproxy.Request) faultproxy.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.requests % faultShare
	if of == 0 {
		w.at = w.rng.IntN(faultShare)
	}
	if w.requests == 0 {
		w.at = w.rng.IntN(faultShare / 5) // soon, so that few requests have one as well
	}
	w.requests++
	key := putKey(r)
	mark := strings.HasPrefix(key.SK, table.AlertMark)
	same := r.Operation + " " + key.PK + " " + key.SK
	if key == (table.Key{}) {
		same += string(r.Body) // which is the same at each try
	}
	if c := w.calls[same]; c.left > 0 {
		if c.left--; c.left > 0 {
			w.calls[same] = c
		} else {
			delete(w.calls, same)
		}
		w.debt++
		w.counts[c.name]++
		return c.Fault
	}
	switch owes := w.debt < 0; {
	case of == w.at && w.debt > 0:
		w.debt--
		return faultproxy.Fault{}
	case of != w.at && !owes:
		return faultproxy.Fault{}
	case of != w.at:
		w.debt++
	}
	// A mark that the table never takes is an alert that nobody knows was
	// published, as where the topic's answer is lost: the third try is the last.
	if mark {
		if w.marks[key]++; w.marks[key] > 2 {
			w.debt--
			return faultproxy.Fault{}
		}
	}
	next := w.draw()
	if next.calls > 1 && !mark {
		w.calls[same] = call{next, next.calls - 1}
	}
	w.counts[next.name]++
	if next.PassOn && w.lost != nil {
		w.lost(r)
	}
	return next.Fault
}

// draw takes the next kind out of a round of them.
func (w *weather) draw() fault {
	if len(w.round) == 0 {
		for _, kind := range w.kinds {
			for range kind.times {
				w.round = append(w.round, kind)
			}
		}
		w.rng.Shuffle(len(w.round), func(i, j int) { w.round[i], w.round[j] = w.round[j], w.round[i] })
	}
	next := w.round[0]
	w.round = w.round[1:]
	return next
}

// share returns how many requests there were and how many of them failed.
func (w *weather) share() (failed, requests int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.counts {
		failed += n
	}
	return failed, w.requests
}

// String tells what there was.
func (w *weather) String() string {
	failed, requests := w.share()
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d", failed, requests)
	for i, name := range slices.Sorted(maps.Keys(w.counts)) {
		fmt.Fprintf(&b, "%s%d %s", []string{" (", ", "}[min(i, 1)], w.counts[name], name)
	}
	if len(w.counts) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// putKey is the key of what a request writes to the table, if it does.
func putKey(r faultproxy.Request) table.Key {
	if r.Operation != "PutItem" {
		return table.Key{}
	}
	return table.Key{PK: member(r.Body, table.PK), SK: member(r.Body, table.SK)}
}

// member finds a text among the members of an item in JSON. Keys have nothing in
// them that is escaped, or else they are cut here, always alike.
func member(body []byte, name string) string {
	_, rest, _ := bytes.Cut(body, []byte(`"`+name+`":{"S":"`))
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

func TestTheWeatherIsAsBadAsItSays(t *testing.T) {
	t.Parallel()
	const requests = 20_000
	for name, kinds := range map[string][]fault{"table": tableFaults(), "topic": topicFaults(), "queue": queueFaults(), "secret": secretFaults()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeather(1, kinds)
			passedOn := 0
			w.lost = func(faultproxy.Request) { passedOn++ }
			inARow, most := map[int]int{}, 0
			for i := range requests {
				event := i / 4 // each is tried, and tried again at once
				r := faultproxy.Request{Operation: "PutItem", Body: fmt.Appendf(nil, `{"Item":{"PK":{"S":"CALL#%d"},"SK":{"S":"EVENT#1"}}}`, event)}
				if f := w.decide(r); f.Cut || f.Status != 0 {
					inARow[event]++
					most = max(most, inARow[event])
				}
			}
			failed, of := w.share()
			if of != requests || failed < requests/faultShare*98/100 || failed > requests/faultShare*102/100 {
				t.Errorf("%d of %d failed, want 5 %%", failed, of)
			}
			for _, kind := range kinds {
				if w.counts[kind.name] < 10 {
					t.Errorf("%d times %s", w.counts[kind.name], kind.name)
				}
			}
			if name == "secret" == (most >= tries) {
				t.Errorf("one event failed %d times in a row", most)
			}
			if name == "topic" && passedOn > 0 {
				t.Errorf("%d alerts are published and nobody is told", passedOn)
			}
		})
	}
}
