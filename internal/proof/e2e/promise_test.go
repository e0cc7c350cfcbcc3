package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/table"
)

// The promises of the project, kept by the functions' binaries while the
// services behind them fail and processes are killed. "make guards" takes out
// what keeps them, one at a time, and expects these tests to fail.

// plain is a secret of which no signatures are asked.
var plain = version{Token: token}

// refusals are the ways in which a table does not say that it has written, and
// those in which a queue does not.
var (
	hangs    = faultproxy.Fault{Delay: 2500 * time.Millisecond, Cut: true} // past the time that an attempt has
	refusals = map[string]faultproxy.Fault{
		"throttled": faultproxy.TableThrottled, "denied": faultproxy.TableDenied, "broken": faultproxy.TableBroken,
		"refused": faultproxy.TableRefused, "cut": {Cut: true}, "late": hangs,
		"cut although written":    {PassOn: true, Cut: true},
		"broken although written": {PassOn: true, Status: faultproxy.TableBroken.Status, Body: faultproxy.TableBroken.Body},
	}
	queueRefusals = map[string]faultproxy.Fault{
		"throttled": faultproxy.QueueThrottled, "denied": faultproxy.QueueDenied, "broken": faultproxy.QueueBroken,
		"missing": faultproxy.QueueMissing, "refused": faultproxy.QueueRefused, "cut": {Cut: true},
		"cut although sent": {PassOn: true, Cut: true},
	}
)

func TestPromise1_200MeansStored(t *testing.T) {
	t.Parallel()
	t.Run("whatever table and queue do", func(t *testing.T) {
		t.Parallel()
		s := newServices(t, plain)
		// What becomes of a delivery stands in its call's id.
		byID := func(faults map[string]faultproxy.Fault, prefix string) faultproxy.Decide {
			return func(r faultproxy.Request) faultproxy.Fault {
				for name, fault := range faults {
					if strings.Contains(string(r.Body), prefix+name+".") {
						return fault
					}
				}
				return faultproxy.Fault{}
			}
		}
		s.table.Set(byID(refusals, "table "))
		s.spill.Set(byID(queueRefusals, "queue "))
		var all []posting
		var want []int
		for onTable := range refusals {
			for onQueue := range queueRefusals {
				if onTable == "late" {
					continue // which takes long: see functions/webhook
				}
				all = append(all, posting{body: calledMissed("table " + onTable + ". queue " + onQueue + ".")})
				want = append(want, http.StatusServiceUnavailable)
			}
			all = append(all, posting{body: calledMissed("table " + onTable + ". queue up.")})
			want = append(want, http.StatusOK)
		}
		all = append(all, posting{body: calledMissed("table up.")})
		want = append(want, http.StatusOK)

		replies := s.postAll(8, all)
		held := s.holds()
		for i, got := range replies {
			if got.code != want[i] {
				t.Errorf("answered %+v, want %d, to %s", got, want[i], all[i].body)
			}
			if got.code < 500 && !held[all[i].body] {
				t.Errorf("answered %+v and not kept: %s", got, all[i].body)
			}
		}
	})
	t.Run("without a queue", func(t *testing.T) {
		t.Parallel()
		s := newServices(t, plain)
		s.env["SPILL_QUEUE_URL"] = ""
		webhook := s.webhook()
		for name, fault := range refusals {
			if name == "late" {
				continue
			}
			s.table.Set(always(fault))
			want := http.StatusServiceUnavailable
			if name == "denied" || name == "refused" {
				want = http.StatusInternalServerError // a fault of the setup
			}
			if got := s.post(webhook, posting{body: calledMissed(name)}); got.code != want {
				t.Errorf("%s: answered %+v, want %d", name, got, want)
			}
		}
	})
	t.Run("whatever becomes of the process", func(t *testing.T) {
		t.Parallel()
		s := newServices(t, plain)
		webhook := s.webhook()
		s.secret.Set(always(faultproxy.SecretDenied))
		if got := s.post(webhook, posting{body: calledMissed("c1")}); got.code != http.StatusInternalServerError {
			t.Errorf("it cannot start: answered %+v, want 500", got)
		}
		s.secret.Set(faultproxy.None)
		process, err := webhook.Process()
		if err != nil {
			t.Fatal(err)
		}
		s.table.Set(always(faultproxy.Fault{Cut: true, Then: func() { process.Kill() }}))
		if got := s.post(webhook, posting{body: calledMissed("c1")}); got.code != http.StatusInternalServerError {
			t.Errorf("it is killed: answered %+v, want 500", got)
		}
		s.table.Set(faultproxy.None)
		if got := s.post(webhook, posting{body: calledMissed("c1")}); got != (reply{http.StatusOK, "stored", "CALL#c1"}) {
			t.Errorf("sent again: %+v, want it stored", got)
		}
	})
}

func TestPromise2_StoredOnceAlertedOnce(t *testing.T) {
	t.Parallel()
	s := newServices(t, plain)
	// A missed call is told by two events, and either comes again and again, as
	// JustCall makes it and in another spelling, or with another request id.
	const inB = `{"type":"call.missed","request_id":%q,"data":{"call_sid":"c1","contact_number":"14155558765","call_date":"2026-03-12","call_info":{"type":"missed"}}}`
	bodies := append(slices.Collect(maps.Values(samples(t))),
		calledMissed("c1"), calledMissed("c1", ` "agent_id" : null`), fmt.Sprintf(inB, "01KKYHXC6EBDG8AGZ0N4CPNFNW"))
	const differ = 9 + 3
	bodies = append(bodies, fmt.Sprintf(inB, "01KKYHZZZZBDG8AGZ0N4CPNFNW"), respelled(t, samples(t)["call.missed"]))
	var all []posting
	for _, body := range slices.Concat(bodies, bodies, bodies) {
		all = append(all, posting{body: body})
	}
	// Written, and nobody is told, now and then.
	lost := 0
	s.table.Set(func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != "PutItem" {
			return faultproxy.Fault{}
		}
		switch lost++; lost % 4 {
		case 1:
			return faultproxy.Fault{PassOn: true, Cut: true}
		case 3:
			return faultproxy.Fault{PassOn: true, Status: faultproxy.TableBroken.Status, Body: faultproxy.TableBroken.Body}
		}
		return faultproxy.Fault{}
	})
	stored := map[string]int{}
	for i, got := range s.postAll(4, all) {
		switch {
		case got.code != http.StatusOK:
			t.Errorf("answered %+v to %s, want 200", got, all[i].body)
		case got.status == "stored":
			stored[all[i].body]++
		}
	}
	s.table.Set(faultproxy.None)
	if got := s.drain(s.function("drain", "DrainFunction", "SQS")); got.Failed > 0 {
		t.Errorf("drained %+v, want all", got)
	}
	for body, times := range stored {
		if times > 1 {
			t.Errorf("%d times answered that it is stored: %s", times, body)
		}
	}
	items := s.items()
	if len(items) != differ {
		t.Errorf("%d items, want %d", len(items), differ)
	}

	// The topic throttles, breaks and hangs up, the index fails, the process is
	// killed, and every record comes twice.
	alerts, settings := s.function("alerts", "AlertsFunction", "DynamoDB")
	process, err := alerts.Process()
	if err != nil {
		t.Fatal(err)
	}
	publishes := 0
	s.topic.Set(func(faultproxy.Request) faultproxy.Fault {
		publishes++
		switch publishes {
		case 1:
			return faultproxy.Fault{Cut: true, Then: func() { process.Kill() }}
		case 2, 5:
			return faultproxy.TopicThrottled
		case 3:
			return faultproxy.TopicBroken
		case 4:
			return faultproxy.Fault{Cut: true}
		}
		return faultproxy.Fault{}
	})
	s.table.Set(every(3, "Query", faultproxy.TableBroken))
	for range 2 {
		if given := s.stream(alerts, settings, inOrder(items)...); len(given) > 0 {
			t.Errorf("%d batches given up", len(given))
		}
	}
	want := map[string]int{"CALL#c1/missed_call": 1, "CALL#call_1d4e5f6a/missed_call": 1, "CALL#call_1d4e5f6a/voicemail": 1}
	if diff := cmp.Diff(want, ids(s.alerts())); diff != "" {
		t.Errorf("alerts and how often they came (-want +got):\n%s", diff)
	}
	if asked := len(s.topic.Requests()); asked < 6 {
		t.Errorf("the topic was asked %d times only", asked)
	}
}

// respelled is a body with its members in another order, and white space.
func respelled(t *testing.T, body string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPromise3_NothingIsDroppedBecauseItIsNew(t *testing.T) {
	t.Parallel()
	bodies := []string{
		`{"event":"fax.received","timestamp":"2026-03-12T14:30:00Z","data":{"pages":3}}`,
		`{"event":"fax.received","timestamp":"2026-03-12T14:30:00Z","data":{"pages":4}}`,
		`{"type":"call.parked","data":{"call_sid":"c1","place":7}}`,
		`{"data":{"type":"missed","call_id":"c2"}}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c3","queue":"sales"},"region":"eu"}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c4","agent_id":{"id":7}}}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"c5"}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"c6"}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","call_id":"c7"}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","call_id":"c8"}`,
		`{"event":"call.answered","timestamp":"12 March, noon","data":{"call_id":"c9"}}`,
		`{"event":"call.answered","timestamp":"12 March, one","data":{"call_id":"c9"}}`,
	}
	for name, outage := range map[string]bool{"straight": false, "by way of the queue": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServices(t, plain)
			webhook := s.webhook()
			if outage {
				s.table.Set(always(faultproxy.TableDenied)) // the fault that is not tried again takes no time
			}
			for _, body := range bodies {
				if got := s.post(webhook, posting{body: body}); got.code != http.StatusOK {
					t.Errorf("answered %+v to %s, want 200", got, body)
				}
			}
			s.table.Set(faultproxy.None)
			if got := s.drain(s.function("drain", "DrainFunction", "SQS")); got.Failed > 0 {
				t.Errorf("drained %+v, want all", got)
			}

			items := s.items()
			var kept []string
			visible := map[string]int{}
			for _, item := range items {
				body, err := table.PayloadOf(item)
				if err != nil {
					t.Fatal(err)
				}
				kept = append(kept, string(body))
				visible[table.Text(item, table.Kind)]++
				for _, attribute := range []string{table.TypeMismatches, table.NewFields, table.Damage} {
					if item[attribute] != nil {
						visible[attribute]++
					}
				}
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(bodies)), slices.Sorted(slices.Values(kept))); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			want := map[string]int{"unknown": 3, "missed_call": 7, "call": 2, table.TypeMismatches: 5, table.NewFields: 2, table.Damage: 2}
			if diff := cmp.Diff(want, visible); diff != "" {
				t.Errorf("items to be seen (-want +got):\n%s", diff)
			}
			// The template's metrics count these lines.
			process, err := webhook.Process()
			if err != nil {
				t.Fatal(err)
			}
			log := process.Logs()
			counted := map[string]int{
				"unknown":            strings.Count(log, `"kind":"unknown"`),
				table.TypeMismatches: strings.Count(log, `"typeMismatches":1`),
				table.NewFields:      strings.Count(log, `"newFields":`) - strings.Count(log, `"newFields":0`),
				table.Damage:         strings.Count(log, `"damage":"flat"`),
			}
			delete(want, "missed_call")
			delete(want, "call")
			if diff := cmp.Diff(want, counted); diff != "" {
				t.Errorf("lines of the log (-want +got):\n%s", diff)
			}
			// Somebody called, whatever else there is to it.
			alerts, settings := s.function("alerts", "AlertsFunction", "DynamoDB")
			if given := s.stream(alerts, settings, inOrder(items)...); len(given) > 0 {
				t.Errorf("%d batches given up", len(given))
			}
			if got := len(s.alerts()); got != 7 {
				t.Errorf("%d alerts, want 7", got)
			}
		})
	}
}

// outcome is what a person can see in the end.
type outcome struct {
	Items  map[table.Key]string // as text
	Alerts []string             // as text
}

func TestPromise4_NoOrderCanChangeTheOutcome(t *testing.T) {
	t.Parallel()
	events := slices.Collect(maps.Values(samples(t)))
	for _, id := range twins {
		events = append(events, calledMissed(id), calledMissed(id, `"agent_id":42`))
	}
	slices.Sort(events)
	want := played(t, events, nil)
	const derived = 2*4 + 4 + 2 + 1 + 5 // marks before and after, seats, rings that were answered, the contact, and follow-ups
	if len(want.Items) != len(events)+derived || len(want.Alerts) != 4 {
		t.Fatalf("%d items and marks and %d alerts of %d events", len(want.Items), len(want.Alerts), len(events))
	}
	var kills, faults atomic.Int32
	t.Cleanup(func() {
		if kills.Load() == 0 || faults.Load() == 0 {
			t.Errorf("%d kills and %d other faults: that is no chaos", kills.Load(), faults.Load())
		}
	})
	// As many as take a few seconds; in the last three, faults meet on one alert.
	for _, seed := range []uint64{0, 1, 2, 9, 10, 14} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			c := newChaos(seed, &kills, &faults)
			all := slices.Clone(events)
			for _, body := range events {
				if c.random.IntN(2) == 0 {
					all = append(all, body)
				}
				if c.random.IntN(2) == 0 {
					all = append(all, respelled(t, body))
				}
			}
			c.shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if diff := cmp.Diff(want, played(t, all, c)); diff != "" {
				t.Errorf("outcome (-in order and with no faults, +in this order and with some):\n%s", diff)
			}
		})
	}
}

// chaos has services fail now and then, and the function that asks them killed.
type chaos struct {
	mu            sync.Mutex
	random        *rand.Rand
	running       *eventsource.Function // which alone is at work
	marks         map[table.Key]int     // how often the mark of an alert was kept out of the table
	kills, faults *atomic.Int32
}

func newChaos(seed uint64, kills, faults *atomic.Int32) *chaos {
	random := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // G404: to be repeatable
	return &chaos{random: random, marks: map[table.Key]int{}, kills: kills, faults: faults}
}

// shuffle brings any slice into another order.
func (c *chaos) shuffle(n int, swap func(i, j int)) {
	c.mu.Lock() // what a process that was killed has asked for may still arrive
	defer c.mu.Unlock()
	c.random.Shuffle(n, swap)
}

// among has one request in twenty, and a few that follow it, get one of the
// faults: enough now and then for a call to be given up, but for that of a mark.
// One that the table never takes is an alert that nobody knows was published,
// and has an outcome of its own.
func (c *chaos) among(faults ...faultproxy.Fault) faultproxy.Decide {
	var fault faultproxy.Fault
	left := 0
	return func(r faultproxy.Request) faultproxy.Fault {
		c.mu.Lock()
		defer c.mu.Unlock()
		key := putKey(r)
		mark := strings.HasPrefix(key.SK, table.AlertMark)
		if mark && c.marks[key] == tries-1 {
			return faultproxy.Fault{}
		}
		switch n := c.random.IntN(100); {
		case n < 2: // before the service has done it, or after
			c.kills.Add(1)
			if mark {
				c.marks[key]++
			}
			return faultproxy.Fault{PassOn: n == 0, Cut: true, Then: c.kill}
		case n < 7:
			fault, left = faults[n%len(faults)], 1+c.random.IntN(5)
		}
		if left == 0 {
			return faultproxy.Fault{}
		}
		left--
		if mark {
			c.marks[key]++
		}
		c.faults.Add(1)
		return fault
	}
}

func (c *chaos) kill() {
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	if process, err := running.Process(); err == nil {
		process.Kill()
	}
}

// run says which function is at work now.
func (c *chaos) run(function *eventsource.Function) {
	if c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = function
	}
}

// played posts deliveries to a stack of their own, one after the other and each
// until it is answered 200, and tells what came of it. With chaos the stream has
// another order as well.
func played(t *testing.T, deliveries []string, c *chaos) outcome {
	t.Helper()
	s := newServices(t, plain)
	webhook := s.webhook()
	drain, queue := s.function("drain", "DrainFunction", "SQS")
	alerts, stream := s.function("alerts", "AlertsFunction", "DynamoDB")
	if c != nil {
		cut, done := faultproxy.Fault{Cut: true}, faultproxy.Fault{PassOn: true, Cut: true}
		s.table.Set(c.among(faultproxy.TableThrottled, faultproxy.TableBroken, cut, done))
		s.spill.Set(c.among(faultproxy.QueueThrottled, faultproxy.QueueBroken, cut, done))
		s.topic.Set(c.among(faultproxy.TopicThrottled, faultproxy.TopicBroken, cut, done))
		s.secret.Set(c.among(faultproxy.SecretThrottled, faultproxy.SecretBroken, cut, done))
	}

	c.run(webhook)
	for _, body := range deliveries {
		got := s.post(webhook, posting{body: body})
		for attempts := 1; got.code != http.StatusOK; attempts++ {
			if got.code < 500 || attempts == 20 {
				t.Fatalf("answered %+v to %s", got, body)
			}
			got = s.post(webhook, posting{body: body})
		}
	}
	c.run(drain)
	for rounds := 1; s.drain(drain, queue).Failed > 0; rounds++ {
		if rounds == 50 {
			t.Fatal("the queue is never empty")
		}
	}
	c.run(alerts)
	items := inOrder(s.items())
	if c != nil {
		c.shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	if given := s.stream(alerts, stream, items...); len(given) > 0 {
		t.Errorf("%d batches given up", len(given))
	}

	o := outcome{Items: map[table.Key]string{}}
	for key, item := range s.items() {
		if !table.IsTimer(key) && !table.IsHealth(key) { // these are of the minute in which they were written
			o.Items[key] = seen(t, key, item)
		}
	}
	for _, alert := range s.alerts() {
		o.Alerts = append(o.Alerts, alert.settled())
	}
	// One that was published and not marked comes again, as it was.
	slices.Sort(o.Alerts)
	o.Alerts = slices.Compact(o.Alerts)
	return o
}

// twins are calls that are told by two events each.
var twins = []string{"c1", "c2"}

// settled is the alert as text, without what docs/alerts.md says depends on the
// order: what of the caller's history was stored, or could be read, by then; and,
// of the twins, which event was alerted. The clock is another each time.
func (a told) settled() string {
	document, attributes := maps.Clone(a.document), maps.Clone(a.attributes)
	within := func(member string, names ...string) {
		if object, ok := document[member].(map[string]any); ok {
			object = maps.Clone(object)
			for _, name := range names {
				delete(object, name)
			}
			document[member] = object
		}
	}
	delete(document, "received_at")
	for _, name := range []string{"missed_24h", "since", "count", "more"} {
		delete(document, name)
	}
	within("missed_call", "occurred_at")
	within("caller", "name", "company")
	if slices.Contains(twins, fmt.Sprint(document["call_id"])) {
		for _, name := range []string{"occurred_at", "line", "agents", "ring_seconds", "missed_reason", "voicemail"} {
			delete(document, name)
		}
		within("key", "SK")
		delete(attributes, "line")
		delete(attributes, "agent_id")
	}
	return fmt.Sprint(document, " ", attributes) // in the order of their names
}

// seen is an item as text, without the time of its arrival and the spelling of
// its body, and of a mark that it is there.
func seen(t *testing.T, key table.Key, item table.Item) string {
	t.Helper()
	if !table.IsEvent(key) {
		return "marked"
	}
	body, err := table.PayloadOf(item)
	if err != nil {
		t.Fatal(err)
	}
	item = maps.Clone(item)
	delete(item, table.ReceivedAt)
	delete(item, table.Packed)
	delete(item, table.Payload)
	delete(item, table.PayloadCoding)
	return encode(t, item) + respelled(t, string(body))
}

func TestPromise5_OneBadRecordCannotStopTheOthers(t *testing.T) {
	t.Parallel()
	secret := version{Token: token, Signing: "signing-secret-of-the-account"}
	bad := map[string]int{
		"no JSON, but a text about +14155558765":                            http.StatusBadRequest,
		"not UTF-8 \xff\xfe":                                                http.StatusBadRequest,
		`{"event":"call.missed","data":{"call_id":"c1"}`:                    http.StatusBadRequest,
		`{'event':'call.missed','data':{'call_id':'c1'}}`:                   http.StatusBadRequest,
		`{"event":"call.missed","data":` + strings.Repeat("[", 100):         http.StatusBadRequest,
		`["call.missed"]`:                                                   http.StatusBadRequest,
		`{"data":{"number":"c1"}}`:                                          http.StatusBadRequest,
		`{"type":"call.missed","data":{"call_sid":"c1"},"note":"unsigned"}`: http.StatusUnauthorized,
	}
	for name, outage := range map[string]bool{"straight": false, "by way of the queue": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServices(t, secret)
			webhook := s.webhook()
			if outage {
				s.table.Set(always(faultproxy.TableDenied))
			}
			good, refused := samples(t), maps.Clone(bad)
			for _, body := range good {
				for body, want := range refused { // some between each two
					if got := s.post(webhook, posting{body: body}); got.code != want {
						t.Errorf("answered %+v to %s, want %d", got, body, want)
					}
					delete(refused, body)
					break
				}
				if got := s.post(webhook, posting{body: body}); got.code != http.StatusOK {
					t.Errorf("answered %+v to %s, want 200", got, body)
				}
			}
			s.table.Set(faultproxy.None)
			drain, settings := s.function("drain", "DrainFunction", "SQS")
			if got := s.drain(drain, settings); got.Failed > 0 {
				t.Errorf("drained %+v, want all", got)
			}

			items := s.items()
			kept := map[string]int{}
			for key, item := range items {
				body, err := table.PayloadOf(item)
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(key.PK, "REJECTED#") {
					kept[string(body)] = bad[string(body)]
				}
			}
			if diff := cmp.Diff(bad, kept); diff != "" {
				t.Errorf("rejections kept whole (-want +got):\n%s", diff)
			}
			if got, want := len(items), len(good)+len(bad); got != want {
				t.Errorf("%d items, want %d", got, want)
			}
		})
	}
	t.Run("in the stream", func(t *testing.T) {
		t.Parallel()
		s := newServices(t, plain)
		webhook := s.webhook()
		for i := range 5 {
			s.post(webhook, posting{body: calledMissed(fmt.Sprint("c", i))})
		}
		records, err := s.shard.Insert(inOrder(s.items())...)
		if err != nil {
			t.Fatal(err)
		}
		damaged := strings.Replace(string(records[2].Text), `"NewImage":{`, `"NewImage":{"x":{"N":{}},`, 1)
		records[2].Text = []byte(damaged)
		alerts, settings := s.function("alerts", "AlertsFunction", "DynamoDB")
		given := s.streamRecords(alerts, settings, records)
		if len(given) != 1 || len(given[0].Records) != 1 {
			t.Fatalf("given up: %d batches, want the one record alone", len(given))
		}
		var object struct {
			Payload string `json:"payload"`
		}
		if err := json.Unmarshal(given[0].Object, &object); err != nil || !strings.Contains(object.Payload, damaged) {
			t.Errorf("the failure bucket has %s (%v), want the record as it was", given[0].Object, err)
		}
		want := map[string]int{"CALL#c0/missed_call": 1, "CALL#c1/missed_call": 1, "CALL#c3/missed_call": 1, "CALL#c4/missed_call": 1}
		if diff := cmp.Diff(want, ids(s.alerts())); diff != "" {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
	})
}

func TestPromise6_FailsClosed(t *testing.T) {
	t.Parallel()
	t.Run("without a secret it does not start", func(t *testing.T) {
		t.Parallel()
		const private = "signing-secret-4711"
		s := newServices(t, plain)
		s.secrets = append(s.secrets, private)
		starts := func(name string) {
			t.Helper()
			_, err := s.webhook().Process()
			var refused *lambdaruntime.InitError
			if !errors.As(err, &refused) || !strings.Contains(refused.Logs, "SECRET_ARN") {
				t.Errorf("%s: want a refusal that names SECRET_ARN, got %v", name, err)
			}
		}
		for name, fault := range map[string]faultproxy.Fault{
			"not there": faultproxy.SecretMissing, "throttled": faultproxy.SecretThrottled, "denied": faultproxy.SecretDenied,
			"broken": faultproxy.SecretBroken, "locked": faultproxy.SecretLocked, "cut": {Cut: true},
			"an answer that is none":      {Status: http.StatusOK, Body: `{}`},
			"a secret that is none":       {Status: http.StatusOK, Body: `{"SecretString":"` + private + `","CreatedDate":1773325920.5}`},
			"a secret without a token":    {Status: http.StatusOK, Body: `{"SecretString":"{\"token\":\"\",\"signing_secret\":\"` + private + `\"}","CreatedDate":1773325920.5}`},
			"a token that can be guessed": {Status: http.StatusOK, Body: `{"SecretString":"{\"token\":\"1234\",\"signing_secret\":\"` + private + `\"}","CreatedDate":1773325920.5}`},
			"a member that is misspelt":   {Status: http.StatusOK, Body: `{"SecretString":"{\"token\":\"` + token + `\",\"signing-secret\":\"` + private + `\"}","CreatedDate":1773325920.5}`},
		} {
			s.secret.Set(always(fault))
			starts(name)
		}
		s.secret.Set(faultproxy.None)
		s.env["SECRET_ARN"] = ""
		starts("no secret in the environment")
	})
	t.Run("only who knows the secret may post", func(t *testing.T) {
		t.Parallel()
		const signing = "signing-secret-of-the-account"
		s := newServices(t, version{Token: token, Signing: signing})
		webhook := s.webhook()
		inB := posting{token: token, body: `{"type":"call.missed","data":{"call_sid":"c1","call_date":"2026-03-12","call_time":"14:32:00"}}`}
		with := func(name, value string) posting {
			p := inB.signed(signing, "call.missed", time.Now())
			p.headers[name] = value
			return p
		}
		elsewhere := inB
		elsewhere.token = "token-of-the-end-to-end-test"
		putOff := 0
		for name, p := range map[string]posting{
			"another token":                    {token: "token-of-somebody-else", body: calledMissed("c1")},
			"a part of the token":              elsewhere,
			"another token, rightly signed":    {token: "token-of-somebody-else", body: inB.body, headers: inB.signed(signing, "call.missed", time.Now()).headers},
			"no signature":                     inB,
			"an empty signature":               with("x-justcall-signature", ""),
			"no timestamp":                     with("x-justcall-request-timestamp", ""),
			"another version":                  with("x-justcall-signature-version", "v2"),
			"a signature with another secret":  inB.signed("signing-secret-of-somebody-else", "call.missed", time.Now()),
			"a signature with an empty secret": inB.signed("", "call.missed", time.Now()),
			"that of another type":             inB.signed(signing, "call.answered", time.Now()),
			"an old signature":                 inB.signed(signing, "call.missed", time.Now().Add(-4*time.Hour)),
			"a signature of the future":        inB.signed(signing, "call.missed", time.Now().Add(time.Hour)),
		} {
			got := s.post(webhook, p)
			// The token may be a new one, three times in a process that looked just now.
			for ; got.code == http.StatusServiceUnavailable && p.token != token && putOff < 3; putOff++ {
				got = s.post(webhook, p)
			}
			if got.code != http.StatusUnauthorized {
				t.Errorf("%s: answered %+v, want 401", name, got)
			}
		}
		for key := range s.items() {
			if !strings.HasPrefix(key.PK, "REJECTED#") {
				t.Errorf("%s is stored", key.PK)
			}
		}
		if got := s.post(webhook, inB.signed(signing, "call.missed", time.Now())); got != (reply{http.StatusOK, "stored", "CALL#c1"}) {
			t.Errorf("rightly signed: answered %+v, want it stored", got)
		}
	})
}

func TestPromise7_RotationLosesNothing(t *testing.T) {
	t.Parallel()
	former := version{"token-before-the-rotation", "signing-secret-before-the-rotation"}
	current := version{"token-after-the-rotation", "signing-secret-after-the-rotation"}
	n := 0
	// delivery is another one each time, signed by a version.
	delivery := func(v version) posting {
		n++
		p := posting{token: v.Token, body: fmt.Sprintf(`{"type":"call.missed","data":{"call_sid":"c%d","call_date":"2026-03-12","call_time":"14:32:00"}}`, n)}
		return p.signed(v.Signing, "call.missed", time.Now())
	}
	s := newServices(t, former)
	stored := func(name string, webhook *eventsource.Function, v version) {
		t.Helper()
		if got := s.post(webhook, delivery(v)); got.code != http.StatusOK || got.status != "stored" {
			t.Errorf("%s: answered %+v, want it stored", name, got)
		}
	}
	before := s.webhook()
	stored("before the rotation", before, former)

	s.rotate(current)
	// Every look fails twice: a start takes that.
	fails := map[string]int{}
	s.secret.Set(func(r faultproxy.Request) faultproxy.Fault {
		switch fails[string(r.Body)]++; fails[string(r.Body)] {
		case 1:
			return faultproxy.SecretThrottled
		case 2:
			return faultproxy.Fault{Cut: true}
		}
		return faultproxy.Fault{}
	})
	after := s.webhook()
	stored("a process from before, with what it knows", before, former)
	stored("a process from after, with the former version", after, former)
	stored("a process from after, with the current version", after, current)

	// It looks again once a minute at the most, and then knows better.
	if got := s.post(before, delivery(current)); got.code != http.StatusServiceUnavailable {
		t.Errorf("a process from before, with a version that is newer than its look: answered %+v, want 503", got)
	}
	s.secret.Set(faultproxy.None)

	// The grace is for a time: with one of a second, it is over.
	s.env["PREVIOUS_SECRET_GRACE"] = "1s"
	time.Sleep(1100 * time.Millisecond)
	young := s.webhook()
	stored("the grace is over, with the current version", young, current)
	for _, want := range []int{503, 503, 503, 401} {
		if got := s.post(young, delivery(former)); got.code != want {
			t.Errorf("the grace is over, with the former version: answered %+v, want %d", got, want)
		}
	}
	if got, want := len(s.items()), n-5; got != want { // all but those that were answered 401 or 503
		t.Errorf("%d items, want %d", got, want)
	}
}

func TestPromise8_LogsCarryNothingPrivate(t *testing.T) {
	t.Parallel()
	const (
		signing = "signing-secret-of-the-account"
		private = "Pat Nobody, +14155550177" // stands wherever nothing private is expected
	)
	s := newServices(t, version{Token: token, Signing: signing})
	// What every function prints is scanned for the samples' contents, and for
	// these, when the test ends.
	s.secrets = append(s.secrets, "Pat", "4155550177", "token-of-somebody-else")

	var all []posting
	for _, pattern := range []string{"../../../events-samples/*.json", "../../../events/testdata/b/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no samples (%v)", err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			body, typ := string(text), decode(t, string(text)).Type
			p := posting{token: token, body: body}
			all = append(all, p, p.signed(signing, typ, time.Now()), p.signed("of somebody else", typ, time.Now()),
				posting{token: "token-of-somebody-else", body: body},
				posting{method: http.MethodPut, body: body},
				posting{rest: "?name=" + strings.ReplaceAll(private, " ", "%20"), body: body, headers: map[string]string{
					"x-justcall-signature": private, "x-justcall-request-timestamp": private, "user-agent": private, "authorization": private,
				}})
		}
	}
	for _, body := range []string{
		private, `{"event":"` + private + `","data":{"name":"x"}}`, `{"event":"call.missed","` + private + `":1,"data":{"` + private + `":"` + private + `"}}`,
		`{"event":"call.missed","` + private + `":1,"` + private + `":2}`, `{"event":"call.missed","data":{"call_id":"c1"` + private, `["` + private + `"]`,
		`{"event":"call.missed","timestamp":"` + private + `","data":"` + private + `"}`, "{\"event\":\"\xff " + private + `"}`,
	} {
		all = append(all, posting{body: body})
	}

	webhook := s.webhook()
	// Services quote what they were sent: of some deliveries the table, of some
	// of these the queue as well.
	quotes := faultproxy.TableRefused.Saying("Value " + private + " at 'payload'")
	for i, p := range all {
		s.table.Set(faultproxy.None)
		s.spill.Set(faultproxy.None)
		if i%4 == 0 {
			s.table.Set(always(quotes))
		}
		if i%8 == 0 {
			s.spill.Set(always(faultproxy.QueueRefused.Saying("Invalid characters in " + private)))
		}
		s.post(webhook, p)
	}
	s.spill.Set(faultproxy.None)
	process, err := webhook.Process()
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(process.Logs(), `"status":`); lines != len(all) {
		t.Errorf("%d lines of %d requests", lines, len(all))
	}

	for _, text := range []string{private, `{"version":1,"` + private + `":2}`, `{"version":1,"received_at":"` + private + `","body":"` + private + `"}`} {
		if _, err := moto.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(s.spillURL), MessageBody: aws.String(text)}); err != nil {
			t.Fatal(err)
		}
	}
	drain, queue := s.function("drain", "DrainFunction", "SQS")
	s.table.Set(always(quotes))
	s.drain(drain, queue)
	s.table.Set(faultproxy.None)
	if got := s.drain(drain, queue); got.Failed != 3 || got.Deleted == 0 {
		t.Errorf("drained %+v, want all but three", got)
	}

	alerts, stream := s.function("alerts", "AlertsFunction", "DynamoDB")
	records, err := s.shard.Insert(inOrder(s.items())...)
	if err != nil {
		t.Fatal(err)
	}
	for i, damage := range []string{`"` + private + `":{"` + private + `":1},`, `"` + private + `":{"S":"a"},"` + private + `":{"S":"b"},`} {
		// Said to be an alert, so that it passes the filter.
		records[i].Text = bytes.Replace(records[i].Text, []byte(`"NewImage":{`), []byte(`"NewImage":{`+damage+`"alert":{"S":"missed_call"},`), 1)
	}
	var strangers []eventsource.Record // alerts of a type that nobody registered, and that is the sender's own text
	for _, record := range records {
		if text := record.Text; bytes.Contains(text, []byte(`"EVENT#`+private)) {
			record.Text = bytes.Replace(text, []byte(`"NewImage":{`), []byte(`"NewImage":{"alert":{"S":"missed_call"},`), 1)
			strangers = append(strangers, record)
		}
	}
	if len(strangers) == 0 {
		t.Error("no event of an unregistered type")
	}
	stream.Retries = 1
	s.table.Set(always(quotes))
	s.streamRecords(alerts, stream, strangers)
	s.table.Set(faultproxy.None)
	s.topic.Set(always(faultproxy.TopicRefused.Saying("Invalid parameter: Message Reason: " + private)))
	s.streamRecords(alerts, stream, records[:4])
	s.topic.Set(faultproxy.None)
	s.table.Set(every(2, "PutItem", quotes))
	s.streamRecords(alerts, stream, records)
	if got := len(s.alerts()); got < 2 {
		t.Errorf("%d alerts only", got)
	}
}

func TestPromise9_OneWritePerDelivery(t *testing.T) {
	t.Parallel()
	const signing = "signing-secret-of-the-account"
	s := newServices(t, version{Token: token, Signing: signing})
	var all []posting
	for range 2 { // and then as duplicates
		for _, body := range samples(t) {
			all = append(all, posting{body: body})
		}
		for i := range 5 {
			p := posting{token: token, body: fmt.Sprintf(`{"type":"call.missed","data":{"call_sid":"c%d"}}`, i)}
			all = append(all, p.signed(signing, "call.missed", time.Now()))
		}
		all = append(all, posting{body: "no JSON"}) // kept as rejected
	}
	webhook := s.webhook()
	if got := s.post(webhook, posting{method: http.MethodGet}); got.code != http.StatusOK {
		t.Fatalf("a probe: %+v", got)
	}
	started := map[string]int{"table": len(s.table.Requests()), "secret": len(s.secret.Requests())}
	if diff := cmp.Diff(map[string]int{"GetItem": 1}, operations(s.table, 0)); diff != "" {
		t.Errorf("the table was asked for, to start (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"GetSecretValue": 2}, operations(s.secret, 0)); diff != "" {
		t.Errorf("the secret was asked for, to start (-want +got):\n%s", diff)
	}
	for _, p := range all {
		if got := s.post(webhook, p); got.code >= 500 {
			t.Errorf("answered %+v", got)
		}
	}
	for name, counted := range map[string][2]map[string]int{
		"table":  {{"PutItem": len(all)}, operations(s.table, started["table"])},
		"secret": {{}, operations(s.secret, started["secret"])},
		"queue":  {{}, operations(s.spill, 0)},
		"topic":  {{}, operations(s.topic, 0)},
	} {
		if diff := cmp.Diff(counted[0], counted[1]); diff != "" {
			t.Errorf("%s, of %d deliveries (-want +got):\n%s", name, len(all), diff)
		}
	}

	// What is drained costs the same.
	s.table.Set(always(faultproxy.TableDenied)) // which is not tried again
	all = all[:len(all)/2]
	for _, p := range all {
		s.post(webhook, p)
	}
	s.table.Set(faultproxy.None)
	if diff := cmp.Diff(map[string]int{"SendMessage": len(all)}, operations(s.spill, 0)); diff != "" {
		t.Errorf("queue, of %d deliveries that the table denies (-want +got):\n%s", len(all), diff)
	}
	from := len(s.table.Requests())
	if got := s.drain(s.function("drain", "DrainFunction", "SQS")); got.Deleted != len(all) || got.Failed > 0 {
		t.Errorf("drained %+v, want %d", got, len(all))
	}
	if diff := cmp.Diff(map[string]int{"PutItem": len(all)}, operations(s.table, from)); diff != "" {
		t.Errorf("table, of %d messages (-want +got):\n%s", len(all), diff)
	}
}
