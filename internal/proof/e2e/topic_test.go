package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// turns lets one request at a time through to moto, which loses count where
// there are several.
type turns chan struct{}

// inTurn is for whoever talks to moto.
var inTurn = make(turns, 1)

// wrap is for [faultproxy.Proxy.Through].
func (u turns) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if operation(r) == "ReceiveMessage" {
			return u.receive(next, r)
		}
		u <- struct{}{}
		defer func() { <-u }()
		return next.RoundTrip(r)
	})
}

// wrapTopic is wrap for the topic: what has waited for half of the time that the
// function does is not done any more. Else it would be done, and nobody told.
func (u turns) wrapTopic(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		timer := time.NewTimer(patience / 2)
		defer timer.Stop()
		select {
		case u <- struct{}{}:
			defer func() { <-u }()
			return next.RoundTrip(r)
		case <-timer.C:
			return &http.Response{
				StatusCode: faultproxy.TopicBroken.Status,
				Header:     http.Header{},
				Body:       io.NopCloser(strings.NewReader(faultproxy.TopicBroken.Body)),
			}, nil
		}
	})
}

// receive waits for a message without keeping the others waiting.
func (u turns) receive(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	const pause = 150 * time.Millisecond
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	seconds, _ := members["WaitTimeSeconds"].(float64)
	members["WaitTimeSeconds"] = 0
	if body, err = json.Marshal(members); err != nil {
		return nil, err
	}
	for until := time.Now().Add(time.Duration(seconds) * time.Second); ; time.Sleep(pause) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		u <- struct{}{}
		response, err := next.RoundTrip(r)
		<-u
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(text))
		if err != nil || response.StatusCode != http.StatusOK || bytes.Contains(text, []byte(`"Messages"`)) || time.Now().After(until) {
			return response, err
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// patience is for how long the function waits for the topic's answer, and a bit
// less.
const patience = 1800 * time.Millisecond

// publications are what the topic took, by alert id, and what made an alert come
// again that nobody can keep from it: the answer to its publication was lost, or
// the process that published it was killed before it could mark it.
type publications struct {
	mu     sync.Mutex
	times  map[string]int
	causes map[string]int
	// deaths is how many processes were killed. Their events do not name what they may have taken back, which can
	// be an alert of another call of the ring.
	deaths int
	slow   int // answers that came too late by themselves, on a busy machine
	// lose is how many answers to lose, at the most, until an alert has come again. An alert whose call was answered
	// meanwhile does not: it is taken back.
	lose int
	seen int // publications since lose was set
}

// loseEvery is how many publications there are for each answer that is lost: enough for the alert to come again.
const loseEvery = 4

func newPublications() *publications {
	return &publications{times: map[string]int{}, causes: map[string]int{}}
}

// wrap is for [faultproxy.Proxy.Through].
func (p *publications) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		body, err := reread(r)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		response, err := next.RoundTrip(r)
		if err == nil && response.StatusCode == http.StatusOK {
			p.add(p.times, published(body))
			if p.loses(body) {
				return nil, errors.Join(errLost, response.Body.Close())
			}
			if time.Since(began) > patience {
				p.add(p.causes, published(body))
				p.mu.Lock()
				p.slow++
				p.mu.Unlock()
			}
		}
		return response, err
	})
}

var errLost = errors.New("the topic's answer is lost")

// loses reports whether to lose the answer to a publication, and notes its alerts.
func (p *publications) loses(body []byte) bool {
	ids := published(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == 0 || len(ids) == 0 {
		return false
	}
	for _, times := range p.times {
		if times > 1 {
			return false
		}
	}
	if p.seen++; p.seen%loseEvery != 1 {
		return false
	}
	p.lose--
	for _, id := range ids {
		p.causes[id]++
	}
	return true
}

// lost notes the alerts of a request whose answer is lost.
func (p *publications) lost(r faultproxy.Request) { p.add(p.causes, published(r.Body)) }

// killed returns a function that notes the alerts of the events at which its
// process ended.
func (p *publications) killed(to eventsource.Invoker) eventsource.Invoker {
	return eventsource.InvokerFunc(func(ctx context.Context, event []byte) ([]byte, error) {
		answer, err := to.Invoke(ctx, event)
		if exited(err) {
			ids, fault := asked(event)
			if fault != nil {
				return nil, fault
			}
			p.add(p.causes, ids)
			p.mu.Lock()
			p.deaths++
			p.mu.Unlock()
		}
		return answer, err
	})
}

func (p *publications) add(to map[string]int, ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		to[id]++
	}
}

// repeats counts how often an alert was published again, and names those that
// were so more often than there is a cause for.
func (p *publications) repeats() (n int, without []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	excused := p.deaths * alert.MaxBatch
	for id, times := range p.times {
		n += times - 1
		more := times - 1 - p.causes[id]
		if more > 0 && more <= excused && strings.HasSuffix(id, ")") {
			excused -= more
			continue
		}
		if more > 0 {
			without = append(without, fmt.Sprintf("%s %d times, with causes for %d more", id, times, p.causes[id]))
		}
	}
	slices.Sort(without)
	return n, without
}

// alerts is how many alerts there were.
func (p *publications) alerts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.times)
}

// published names the alerts in a PublishBatch request, and what takes others back.
func published(body []byte) (ids []string) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "PublishBatch" {
		return nil
	}
	for name, values := range form {
		if !strings.HasSuffix(name, ".Message") {
			continue
		}
		var message struct {
			Default string `json:"default"`
		}
		if json.Unmarshal([]byte(values[0]), &message) != nil {
			continue
		}
		if a, ok := play.ReadAlert([]byte(message.Default)); ok {
			ids = append(ids, a.Publication())
		}
	}
	return ids
}

// asked are the ids of the alerts that an event of the stream asks for.
func asked(event []byte) (ids []string, err error) {
	var batch struct {
		Records []struct {
			Change struct {
				NewImage json.RawMessage `json:"NewImage"`
			} `json:"dynamodb"`
		} `json:"Records"`
	}
	if err := json.Unmarshal(event, &batch); err != nil {
		return nil, err
	}
	for _, r := range batch.Records {
		item, err := itemjson.Decode(r.Change.NewImage)
		if err != nil {
			return nil, err
		}
		a, err := alert.Read(item)
		if errors.Is(err, alert.ErrItem) {
			continue // it asks for none
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids, nil
}

// What the storm's count of alerts that come twice rests on.
func TestWhatTheTopicTookIsCountedByAlert(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	topic := faultproxy.New(t, moto.Endpoint(t))
	counted := newPublications()
	topic.Through(inTurn.wrapTopic)
	topic.Through(counted.wrap)
	s.env = map[string]string{"AWS_ENDPOINT_URL_SNS": topic.URL()}

	webhook := s.webhook()
	for _, name := range []string{"call.missed", "voicemail.received"} {
		if got, err := post(t.Context(), webhook, samples(t)[name]); err != nil || got.code != 200 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
	}
	function, settings := s.function("alerts", "AlertsFunction", "DynamoDB")
	var shard eventsource.Shard
	records, err := shard.Insert(inOrder(s.items())...)
	if err != nil {
		t.Fatal(err)
	}
	const missed, voicemail = "CALL#call_1d4e5f6a/missed_call", "CALL#call_1d4e5f6a/voicemail"
	deliver := func(fault func(faultproxy.Request) faultproxy.Fault) (n int, without []string) {
		t.Helper()
		topic.Set(fault)
		if lost, err := settings.Stream().Deliver(t.Context(), counted.killed(function), records); err != nil || len(lost) > 0 {
			t.Fatalf("%d given up, %v", len(lost), err)
		}
		return counted.repeats()
	}

	// The first answer is lost.
	first := true
	n, without := deliver(func(r faultproxy.Request) faultproxy.Fault {
		if !first {
			return faultproxy.Fault{}
		}
		first = false
		counted.lost(r)
		return faultproxy.Fault{PassOn: true, Cut: true}
	})
	if diff := cmp.Diff(map[string]int{missed: 2, voicemail: 2}, counted.times); diff != "" || n != 2 || without != nil {
		t.Errorf("after a lost answer %d repeats, without a cause %v; published (-want +got):\n%s", n, without, diff)
	}
	// Marked as they are, they are not published again.
	if again, _ := deliver(faultproxy.None); again != n {
		t.Errorf("%d repeats of what is marked", again-n)
	}
	// A killed process is a cause for those of its event, and no other failure is.
	for _, fault := range []error{lambdaruntime.ErrExited, lambdaruntime.ErrTimedOut, errors.Join(lambdaruntime.ErrExited, &lambdaruntime.InitError{})} {
		failed := fmt.Errorf("%w: %w", eventsource.ErrFunction, fault)
		if _, err := counted.killed(eventsource.InvokerFunc(func(context.Context, []byte) ([]byte, error) {
			return nil, failed
		})).Invoke(t.Context(), eventsource.Event(records)); !errors.Is(err, failed) {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(map[string]int{missed: 2, voicemail: 2}, counted.causes); diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
	// Without one it is told.
	counted.add(counted.times, []string{missed, missed})
	if _, without := counted.repeats(); len(without) != 1 || !strings.HasPrefix(without[0], missed+" 4 times") {
		t.Errorf("without a cause: %v", without)
	}
}

// A receiver that waits keeps nobody else waiting.
func TestMotoIsAskedOneAtATime(t *testing.T) {
	t.Parallel()
	queueURL, _ := moto.NewQueue(t, nil)
	proxy := faultproxy.New(t, moto.Endpoint(t))
	proxy.Through(inTurn.wrap)
	client := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(proxy.URL()), Credentials: moto.SQS(t).Options().Credentials})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(queueURL), WaitTimeSeconds: 20})
		if err != nil || len(got.Messages) != 1 {
			t.Errorf("received %v, %v", got, err)
		}
	})
	time.Sleep(100 * time.Millisecond) // it waits by now, as likely as not
	began := time.Now()
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(queueURL), MessageBody: aws.String("here")}); err != nil {
		t.Error(err)
	}
	waiting.Wait()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
