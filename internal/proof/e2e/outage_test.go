package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// outageVariable says for how long the table is down.
const outageVariable = "OUTAGE"

const (
	defaultOutage = 4 * time.Second
	// around is for how long deliveries come before the outage, and after it.
	around = time.Second
	// senders is how many deliveries are under way at once, each with a process
	// of its own, as on Lambda; pace is how long each sender waits after one.
	senders = 4
	pace    = 20 * time.Millisecond
)

// down is a table in trouble: mostly it cannot be reached, and now and then it
// throttles, breaks or hangs.
func down() faultproxy.Decide {
	n := 0
	return func(faultproxy.Request) faultproxy.Fault {
		n++
		switch {
		case n%97 == 0:
			return faultproxy.Fault{Delay: 5 * time.Second, Cut: true}
		case n%13 == 0:
			return faultproxy.TableThrottled
		case n%7 == 0:
			return faultproxy.TableBroken
		case n%31 == 0:
			return faultproxy.Fault{PassOn: true, Cut: true} // written, and nobody is told
		}
		return faultproxy.Fault{Cut: true}
	}
}

// ledger is what was delivered and what was answered.
type ledger struct {
	mu      sync.Mutex
	sent    map[table.Key]delivery
	answers map[answer]int
	posts   int
}

// delivery is one event and when it was last answered.
type delivery struct {
	body     string
	answered time.Time
}

func (l *ledger) note(t *testing.T, body string, a answer) {
	t.Helper()
	d := decode(t, body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.posts++
	l.answers[a]++
	l.sent[table.EventKey(d)] = delivery{body, time.Now()}
}

func decode(t *testing.T, body string) *events.Delivery {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return envelope.Decode()
}

// bodies are the events that one sender posts: those of many calls, texts and
// contacts in turn, and of every tenth the same once more.
func bodies(sender int) func() string {
	n, again, last := 0, false, ""
	return func() string {
		if again = !again && n%10 == 9; again {
			return last
		}
		n++
		id := fmt.Sprintf("%d-%d", sender, n)
		at := time.Date(2026, 3, 12, 14, 0, n, 0, time.UTC).Format(time.RFC3339)
		switch n % 4 {
		case 0:
			last = `{"event":"call.missed","timestamp":"` + at + `","data":{"call_id":"` + id + `","direction":"inbound","from":"+14155558765","to":"+14155551234","agent_id":null}}`
		case 1:
			last = `{"event":"sms.received","timestamp":"` + at + `","data":{"message_id":"` + id + `","direction":"inbound","from":"+14155558765","to":"+14155551234","body":"` + strings.Repeat("Please call me back. ", n%60) + `"}}`
		case 2:
			last = `{"event":"contact.updated","timestamp":"` + at + `","data":{"contact_id":"` + id + `","first_name":"Pat","phone":"+14155558765","company":"Globex"}}`
		default:
			last = `{"type":"call.voicemail","request_id":"01KKYHXC6EBDG8AGZ0N4CPNFNW","data":{"call_sid":"` + id + `","contact_number":"14155558765","call_date":"2026-03-12","call_time":"14:58:00","call_info":{"direction":"Incoming","type":"voicemail"},"note":"é ☎"}}`
		}
		return last
	}
}

func TestPromise1_NothingIsLostWhileTheTableIsDown(t *testing.T) {
	outage := defaultOutage
	if text := os.Getenv(outageVariable); text != "" {
		var err error
		if outage, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", outageVariable, err)
		}
	}
	s := newStack(t)
	drain, settings := s.function("drain", "DrainFunction", "SQS")
	book := &ledger{sent: map[table.Key]delivery{}, answers: map[answer]int{}}

	began := time.Now()
	load, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	for sender := range senders {
		webhook, next := s.webhook(), bodies(sender)
		all.Go(func() {
			for wait := time.NewTicker(pace); load.Err() == nil; <-wait.C {
				body := next()
				// Not the load's context: a delivery that has begun is finished.
				a, err := post(t.Context(), webhook, body)
				if err != nil {
					t.Errorf("no answer: %v", err)
					return
				}
				book.note(t, body, a)
			}
		})
	}

	time.Sleep(around)
	s.table.Set(down())
	time.Sleep(outage / 2)
	var during drained
	queue := s.spilled(settings)
	all.Go(func() { // Lambda tries all the time
		var err error
		if during, err = queue.Drain(t.Context(), drain); err != nil {
			t.Errorf("drain during the outage: %v", err)
		}
	})
	time.Sleep(outage / 2)
	s.table.Set(faultproxy.None)
	time.Sleep(around)
	stop()
	all.Wait()

	drained := 0
	for {
		taken := s.drain(drain, settings)
		if drained += taken.Deleted; taken.Invocations == 0 {
			break
		}
		if taken.Failed > 0 {
			t.Fatalf("%d messages cannot be drained although the table is up", taken.Failed)
		}
	}
	items := s.items()
	dead := len(moto.Receive(t, s.deadURL))

	count := func(code int, status string) int { return book.answers[answer{code, status}] }
	stored, duplicate, spilled := count(200, "stored"), count(200, "duplicate"), count(200, "spilled")
	line := fmt.Sprintf("outage: table down %v of %v; sent %d: stored %d, duplicate %d, spilled %d, other answers %d; "+
		"drained %d during and %d after; in table %d of %d; dead letters %d",
		outage, time.Since(began).Round(time.Second/10), book.posts, stored, duplicate, spilled, book.posts-stored-duplicate-spilled,
		during.Deleted, drained, len(items), len(book.sent), dead)
	t.Log(line)
	_, _ = fmt.Fprintln(os.Stdout, line)

	if other := book.posts - stored - duplicate - spilled; other > 0 {
		t.Errorf("%d deliveries were answered otherwise: %v", other, book.answers)
	}
	if stored == 0 || duplicate == 0 || spilled < int(outage.Seconds())*senders {
		t.Errorf("stored %d, duplicate %d, spilled %d: that is no load with an outage in it", stored, duplicate, spilled)
	}
	if during.Failed == 0 {
		t.Error("nothing was taken up from the queue during the outage, so that it is not known whether that is safe")
	}
	if got := drained + during.Deleted; got != spilled {
		t.Errorf("%d drained, want the %d spilled", got, spilled)
	}
	if dead > 0 {
		t.Errorf("%d dead letters", dead)
	}
	checkItems(t, book.sent, items, true)
}

// checkItems compares the table with what was sent. Of an earlier build's items, only the bodies are as today's.
func checkItems(t *testing.T, sent map[table.Key]delivery, items map[table.Key]table.Item, today bool) {
	t.Helper()
	faults := 0
	fault := func(format string, args ...any) {
		if faults++; faults <= 10 { // one tells as much as a thousand
			t.Errorf(format, args...)
		}
	}
	for key, d := range sent {
		item, ok := items[key]
		if !ok {
			fault("%s is lost", key.PK)
			continue
		}
		// It was received before it was answered, however late it was drained.
		if received := table.Text(item, table.ReceivedAt); received == "" || received > table.Time(d.answered) {
			fault("%s: received at %s, and answered at %s", key.PK, received, table.Time(d.answered))
		}
		if body, err := table.PayloadOf(item); err != nil || string(body) != d.body {
			fault("%s: %v\n got %s\nwant %s", key.PK, err, body, d.body)
		}
		if !today {
			continue
		}
		want := table.EventItem(decode(t, d.body), d.answered, d.answered)
		want[table.ReceivedAt] = item[table.ReceivedAt]
		if got, want := encode(t, item), encode(t, want); got != want {
			fault("%s:\n got %s\nwant %s", key.PK, got, want)
		}
	}
	for key := range items {
		if _, ok := sent[key]; !ok {
			fault("%s was never sent", cmp.Or(key.PK, "an item without a key"))
		}
	}
	if faults > 10 {
		t.Errorf("%d faults in all", faults)
	}
}

func encode(t *testing.T, item table.Item) string {
	t.Helper()
	text, err := itemjson.Encode(item)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What nobody took is sent again by JustCall, which a 4xx would keep from it.
func TestPromise1_WithTheQueueDownTooTheSenderComesBack(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	webhook := s.webhook()
	nowhere := func(faultproxy.Request) faultproxy.Fault { return faultproxy.Fault{Cut: true} }
	s.table.Set(nowhere)
	s.spill.Set(nowhere)
	for name, body := range samples(t) {
		if got, err := post(t.Context(), webhook, body); err != nil || got.code != 503 {
			t.Errorf("%s, all down: %+v, %v, want 503", name, got, err)
		}
	}
	s.spill.Set(faultproxy.None)
	for name, body := range samples(t) {
		if got, err := post(t.Context(), webhook, body); err != nil || got != (answer{200, "spilled"}) {
			t.Errorf("%s, table down: %+v, %v, want it spilled", name, got, err)
		}
	}
	s.table.Set(faultproxy.None)
	for name, body := range samples(t) { // the third attempt, before the queue is drained
		if got, err := post(t.Context(), webhook, body); err != nil || got != (answer{200, "stored"}) {
			t.Errorf("%s, all up: %+v, %v, want it stored", name, got, err)
		}
	}
	before := s.items()
	if got := s.drain(s.function("drain", "DrainFunction", "SQS")); got.Deleted != len(samples(t)) || got.Failed > 0 {
		t.Errorf("drained %+v, want all", got)
	}
	after := s.items()
	if len(before) != len(samples(t)) || len(after) != len(before) {
		t.Errorf("%d items, then %d, want %d: each once", len(before), len(after), len(samples(t)))
	}
	for key, item := range before {
		if got, want := encode(t, after[key]), encode(t, item); got != want {
			t.Errorf("%s has changed:\n got %s\nwant %s", key.PK, got, want)
		}
	}
}

// A function may be stopped between storing and answering, and a batch come
// again.
func TestPromise2_WhatIsDrainedTwiceIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	webhook := s.webhook()
	s.table.Set(func(faultproxy.Request) faultproxy.Fault { return faultproxy.Fault{Cut: true} })
	for name, body := range samples(t) {
		if got, err := post(t.Context(), webhook, body); err != nil || got != (answer{200, "spilled"}) {
			t.Errorf("%s: %+v, %v, want it spilled", name, got, err)
		}
	}
	drain, settings := s.function("drain", "DrainFunction", "SQS")
	process, err := drain.Process()
	if err != nil {
		t.Fatal(err)
	}
	// Killed once the fifth item is written, before anybody is told.
	puts := 0
	s.table.Set(func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation == "PutItem" {
			puts++
		}
		if puts == 5 {
			return faultproxy.Fault{PassOn: true, Cut: true, Then: func() { process.Kill() }}
		}
		return faultproxy.Fault{}
	})
	if got := s.drain(drain, settings); got.Deleted > 0 || got.Failed != len(samples(t)) {
		t.Errorf("drained %+v by a process that was killed, want nothing", got)
	}
	s.table.Set(faultproxy.None)
	if got := s.drain(drain, settings); got.Deleted != len(samples(t)) {
		t.Errorf("drained %+v, want all", got)
	}
	if got := len(s.items()); got != len(samples(t)) {
		t.Errorf("%d items, want %d", got, len(samples(t)))
	}
}
