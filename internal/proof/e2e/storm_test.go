package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/apigateway"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/gobuild"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// stormVariable says how many deliveries are posted, and stormSeedVariable is the
// number that decides what they are and what fails, as far as the order of what
// happens at once lets it.
const (
	stormVariable     = "STORM_FUNCTIONS"
	stormSeedVariable = "STORM_SEED"
)

const (
	defaultStorm = 1000
	// stormSenders is how many deliveries are on their way at a time.
	stormSenders = 12
	// stormMinute is how long a minute of JustCall's schedules takes.
	stormMinute = 100 * time.Millisecond
	// stormWait is for how long what was answered may be under way, and so much
	// more for each delivery: the topic and the queues are slow, and other tests may run beside.
	stormWait     = 2 * time.Minute
	stormWaitEach = 10 * time.Millisecond

	signingSecret = "signing-secret-of-the-storm"
)

// private is some of what stands in the storm's deliveries, beside the samples'
// contents, and must not stand in a log.
var private = []string{
	"21355501", "41555501", "71355501", "@example.com", "@example.org", // numbers begin so, and addresses end so
	"Lindqvist", "Nakamura", "Specimen / Partners",
	"about the order from last week", "The boiler is leaking", "Line one",
}

// buildStorm builds the command that plays JustCall.
var buildStorm = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(binaries, "storm")
	return path, gobuild.Build(context.Background(), "../storm", path, nil)
})

// A storm of deliveries on the real functions, each of whose services fails one
// request in twenty, and whose processes are killed.
//
// An alert comes twice only where nobody can keep it from that: the topic has
// taken it, and the answer or the process was lost before it was marked. So in
// the first storm neither is, and no alert may come twice; in the second both
// are, and each that comes twice must have been one of those.
func TestAStormOnTheRealFunctions(t *testing.T) {
	deliveries := number(t, stormVariable, defaultStorm)
	seed := number(t, stormSeedVariable, 1)
	for _, tc := range []struct {
		name       string
		deliveries int
		repeats    bool
	}{
		{"every alert comes once", deliveries, false},
		{"an alert whose mark is lost comes twice", max(deliveries/3, 300), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()                               // either waits now and then
			s := newStorm(t, uint64(seed), tc.repeats) //nolint:gosec // G115: any number will do
			s.play(tc.deliveries, seed)
		})
	}
}

func number(t *testing.T, variable string, fallback int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number from 1 on", variable, text)
	}
	return n
}

// storm is a stack that it is played against.
type storm struct {
	*stack
	url string // of the webhook, with its token

	webhooks, alerters, drainers    *crew
	tables, topics, queues, secrets *weather

	stream    *tap
	feed      *eventsource.Feed
	published *publications
	lossy     bool // whether the test makes alerts come twice
	repeats   int  // how many may, at the most; with an answer that is late on a busy machine

	// desk is the address of moto without faults: for who is no function.
	desk   string
	mapped queueMapping
	lanes  int

	mu     sync.Mutex
	unseen map[string]bool // what of the private texts was in no delivery
	faults []error         // of the test
	taken  drained
}

// newStorm makes one. With repeats, answers of the topic are lost, and processes
// killed that publish to it.
func newStorm(t *testing.T, seed uint64, repeats bool) *storm {
	t.Helper()
	s := &storm{
		stack:     newStack(t),
		tables:    newWeather(seed, tableFaults()),
		topics:    newWeather(seed+1, topicFaults()),
		queues:    newWeather(seed+2, queueFaults()),
		secrets:   newWeather(seed+3, secretFaults()),
		published: newPublications(),
		unseen:    map[string]bool{},
	}
	private := append(slices.Clone(private), play.Callers(seed))
	for _, text := range private {
		s.unseen[text] = true
	}
	s.lossy, s.repeats = repeats, alert.MaxBatch
	var killed kills // of those that publish
	if repeats {
		const lose, processes, more = 3, 3, 1                                          // of which one is about to be killed
		s.topics.round = []fault{done("done and cut", 0), done("done too late", late)} // the first ones, so that there are any
		s.topics.lost = s.published.lost
		// What those hit may publish nothing, such as the function's first connection. These are publications.
		s.published.lose = lose
		killed = kills{every: 10, within: 40 * time.Millisecond, most: processes}
		s.repeats += (len(s.topics.round) + lose + processes + more) * alert.MaxBatch
	}

	topic, secret, desk := faultproxy.New(t, moto.Endpoint(t)), faultproxy.New(t, moto.Endpoint(t)), faultproxy.New(t, moto.Endpoint(t))
	for _, proxy := range []*faultproxy.Proxy{s.spill, secret, desk} {
		proxy.Through(inTurn.wrap)
	}
	topic.Through(inTurn.wrapTopic)
	topic.Through(s.published.wrap)
	s.desk = desk.URL()
	s.stream = newTap(func(partition string, records ...eventsource.Record) { s.feed.Put(partition, records...) })
	s.table.Through(s.stream.wrap)
	for proxy, weather := range map[*faultproxy.Proxy]*weather{s.table: s.tables, topic: s.topics, s.spill: s.queues, secret: s.secrets} {
		proxy.Set(weather.decide)
		proxy.Forget() // what a hundred thousand deliveries ask for
	}
	desk.Forget()

	gateway, stream, queue := s.settings("WebhookFunction", "HttpApi"), s.settings("AlertsFunction", "DynamoDB"), s.settings("DrainFunction", "SQS")
	front := httptest.NewUnstartedServer(nil)
	route, _ := strings.CutSuffix(gateway.Path, "/{token+}")
	base := "http://" + front.Listener.Addr().String() + route
	s.url = base + "/" + token
	s.stack.secrets = append([]string{signingSecret}, private...)
	s.env = map[string]string{
		"LOCAL_SECRET": "", "SECRET_ARN": s.makeSecret(),
		"WEBHOOK_URL":                      base,
		"AWS_ENDPOINT_URL_SNS":             topic.URL(),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": secret.URL(),
	}

	s.webhooks = newCrew(s.starter("webhook"), gateway.Timeout, seed, kills{every: 40, within: 6 * time.Millisecond})
	s.alerters = newCrew(s.starter("alerts"), stream.Timeout, seed+1, killed)
	s.drainers = newCrew(s.starter("drain"), queue.Timeout, seed+2, kills{every: 3, within: 15 * time.Millisecond})
	s.feed = stream.Stream().Feed(t.Context(), stream.Concurrency, s.published.killed(s.alerters))
	s.mapped, s.lanes = s.spilled(queue), queue.Concurrency
	s.mapped.Client = sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.desk), Credentials: awsclient.StandInCredentials})

	api := apigateway.New(gateway.Path, s.watched(s.webhooks))
	api.Fault = s.fault
	front.Config.Handler = api
	front.Start()
	t.Cleanup(front.Close)
	return s
}

func (s *storm) settings(function, sourceType string) eventsource.Settings {
	s.t.Helper()
	settings, err := eventsource.Read(tabletest.TemplatePath(s.t), function, sourceType)
	if err != nil {
		s.t.Fatal(err)
	}
	return settings
}

// makeSecret puts the token and the signing secret where the template has them.
func (s *storm) makeSecret() (arn string) {
	s.t.Helper()
	client := secretsmanager.New(secretsmanager.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.desk), Credentials: awsclient.StandInCredentials})
	made, err := client.CreateSecret(s.t.Context(), &secretsmanager.CreateSecretInput{
		Name:         aws.String(s.tableName),
		SecretString: aws.String(fmt.Sprintf(`{"token":%q,"signing_secret":%q}`, token, signingSecret)),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return aws.ToString(made.ARN)
}

// fault notes what no function can cause.
func (s *storm) fault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, err)
}

// watched looks for the private texts in what the function gets: one that is in
// no delivery is looked for in vain in the logs.
func (s *storm) watched(to eventsource.Invoker) eventsource.Invoker {
	return eventsource.InvokerFunc(func(ctx context.Context, event []byte) ([]byte, error) {
		s.mu.Lock()
		for text := range s.unseen {
			if bytes.Contains(event, []byte(text)) {
				delete(s.unseen, text)
			}
		}
		s.mu.Unlock()
		return to.Invoke(ctx, event)
	})
}

// poll has the spill queue drained all the time, as Lambda does, until stop is
// called, and returns then.
func (s *storm) poll() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var polling sync.WaitGroup
	for range s.lanes {
		polling.Go(func() {
			for pause := time.NewTicker(300 * time.Millisecond); ctx.Err() == nil; <-pause.C {
				s.drainOnce()
			}
		})
	}
	return func() {
		cancel()
		polling.Wait()
	}
}

// drainOnce hands over what is in the spill queue, and reports whether there was
// anything.
func (s *storm) drainOnce() bool {
	taken, err := s.mapped.Drain(s.t.Context(), s.drainers)
	if err != nil {
		s.fault(fmt.Errorf("drain: %w", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken.Invocations += taken.Invocations
	s.taken.Deleted += taken.Deleted
	s.taken.Failed += taken.Failed
	return taken.Invocations > 0 && err == nil
}

// play plays JustCall and checks what became of it.
func (s *storm) play(deliveries, seed int) {
	t := s.t
	t.Helper()
	began := time.Now()
	stop := s.poll()
	report, err := s.command(deliveries, seed)
	took := time.Since(began)
	stop()
	for s.drainOnce() {
	}
	discarded, fault := s.feed.Wait()
	for _, c := range []*crew{s.webhooks, s.alerters, s.drainers} {
		c.rest()
	}

	// What the command has found out.
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("the storm ended with %d:\n%s", exit.ExitCode(), report)
	case err != nil:
		t.Errorf("the storm did not run: %v", err)
	default:
		t.Logf("the storm:\n%s", report)
	}
	logscan.Check(t, report, token, signingSecret)

	// What it cannot know.
	s.mu.Lock()
	faults, unseen, taken := errors.Join(append(s.faults, fault)...), s.unseen, s.taken
	s.mu.Unlock()
	if faults != nil {
		t.Errorf("faults of the test: %v", faults)
	}
	if len(discarded) > 0 {
		t.Errorf("%d batches of the stream were given up", len(discarded))
	}
	inTurn <- struct{}{}
	dead := len(moto.Receive(t, s.deadURL))
	<-inTurn
	if dead > 0 {
		t.Errorf("%d dead letters", dead)
	}
	if len(unseen) > 0 && deliveries >= defaultStorm {
		t.Errorf("in no delivery, and so looked for in vain in the logs: %v", unseen)
	}
	s.checkStream()
	repeats := s.checkRepeats(report)
	s.checkFailures(deliveries >= defaultStorm, taken)

	name := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]
	var b strings.Builder
	for _, line := range []string{
		fmt.Sprintf("%s: %d deliveries in %v", strings.ReplaceAll(name, "_", " "), deliveries, took.Round(time.Second/10)),
		fmt.Sprintf("  webhook: %v", s.webhooks),
		fmt.Sprintf("  alerts: %v", s.alerters),
		fmt.Sprintf("  drain: %v", s.drainers),
		fmt.Sprintf("  %d messages spilled and drained, %d alerts published, %d of them again", taken.Deleted, s.published.alerts(), repeats),
		fmt.Sprintf("  failed requests: table %v", s.tables),
		fmt.Sprintf("  failed requests: topic %v", s.topics),
		fmt.Sprintf("  failed requests: queue %v", s.queues),
		fmt.Sprintf("  failed requests: secret %v", s.secrets),
	} {
		fmt.Fprintf(&b, "storm: %s\n", line)
	}
	_, _ = fmt.Fprint(os.Stdout, b.String())
}

// command runs the storm and returns what it printed.
func (s *storm) command(deliveries, seed int) (report string, err error) {
	path, err := buildStorm()
	if err != nil {
		return "", err
	}
	wait := stormWait + time.Duration(deliveries)*stormWaitEach
	command := exec.CommandContext(s.t.Context(), path,
		"--url", s.url, "--table", s.tableName, "--topic", s.topicARN, "--region", "us-east-1",
		"--deliveries", strconv.Itoa(deliveries), "--seed", strconv.Itoa(seed), "--repeats", strconv.Itoa(s.repeats),
		"--concurrency", strconv.Itoa(stormSenders), "--minute", stormMinute.String(), "--wait", wait.String())
	command.Env = []string{
		"HOME=" + s.t.TempDir(), // nobody's own configuration
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL_DYNAMODB=" + os.Getenv(tabletest.EndpointVariable),
		"AWS_ENDPOINT_URL_SNS=" + s.desk, "AWS_ENDPOINT_URL_SQS=" + s.desk,
		"RINGBACK_SIGNING_SECRET=" + signingSecret,
	}
	output, err := command.CombinedOutput()
	return string(output), err
}

// checkStream compares the tap with the table: each write is one record.
func (s *storm) checkStream() {
	s.t.Helper()
	s.stream.check(s.t)
	written, rewrites := s.stream.keys()
	if rewrites > 0 {
		s.t.Errorf("%d items were written over", rewrites)
	}
	items := s.items()
	for key := range items {
		if !written[key] {
			s.t.Errorf("%s %s is in the table, and was never in the stream", key.PK, key.SK)
		}
	}
	if len(written) != len(items) {
		s.t.Errorf("%d records, and %d items", len(written), len(items))
	}
}

// twice is what the storm's report says of alerts that came twice.
var twice = regexp.MustCompile(`(?m)^alerted twice +(\d+)$`)

// checkRepeats compares what came twice with what was published twice, of which
// each must have a cause.
func (s *storm) checkRepeats(report string) (repeats int) {
	s.t.Helper()
	repeats, without := s.published.repeats()
	if len(without) > 0 {
		s.t.Errorf("published again without a cause: %v", without)
	}
	s.published.mu.Lock()
	slow := s.published.slow
	s.published.mu.Unlock()
	if s.lossy && repeats == 0 || !s.lossy && slow == 0 && repeats > 0 {
		s.t.Errorf("%d alerts were published again", repeats)
	}
	if slow > 0 {
		s.t.Logf("this machine is busy: %d answers of the topic came too late by themselves", slow)
	}
	told := twice.FindStringSubmatch(report)
	if told == nil || told[1] != strconv.Itoa(repeats) {
		s.t.Errorf("%d alerts were published again, and the storm says %q", repeats, told)
	}
	return repeats
}

// checkFailures finds out whether what was to fail has failed, and nothing else.
// In a whole storm there is time for all of it.
func (s *storm) checkFailures(whole bool, taken drained) {
	t := s.t
	t.Helper()
	for name, w := range map[string]*weather{"table": s.tables, "topic": s.topics, "queue": s.queues, "secret": s.secrets} {
		failed, requests := w.share()
		// The last of the shares may have had no time for its own, or have those
		// of the next.
		share := requests / faultShare
		if failed < max(share*9/10-2, min(share, 1)) || failed > share*11/10+4*tries {
			t.Errorf("%s: %d of %d requests failed, want 5 %%", name, failed, requests)
		}
		if whole && failed == 0 {
			t.Errorf("%s: none of %d requests failed", name, requests)
		}
	}
	if whole && taken.Deleted == 0 {
		t.Errorf("drained %+v, want what the table could not take", taken)
	}
	unread, _ := s.secrets.share()
	for name, c := range map[string]*crew{"webhook": s.webhooks, "alerts": s.alerters, "drain": s.drainers} {
		c.mu.Lock()
		begun, killed, atWork, refused, failed, fault := c.begun, c.killed, c.atWork, c.refused, c.failed, c.fault
		c.mu.Unlock()
		const enough = 8 // not to have come too late each time
		mortal := name != "alerts" || s.lossy
		switch {
		case !mortal && killed > 0,
			mortal && c.kills.every == 0,
			mortal && begun >= 2*c.kills.every && killed == 0,
			mortal && begun > 2*enough*c.kills.every && killed < min(enough, cmp.Or(c.kills.most, enough)),
			mortal && (killed >= enough || name == "alerts") && atWork == 0,
			atWork > killed:
			t.Errorf("%s: of %d invocations, %d processes were killed, and %d of them at work", name, begun, killed, atWork)
		}
		// A secret that cannot be read, at each of the tries, keeps a webhook's
		// process from starting; and once a machine that is busy.
		if most := map[string]int{"webhook": 1 + unread/tries}[name]; refused > most || failed > 0 {
			t.Errorf("%s: %d starts refused, want %d at the most, and %d invocations that failed otherwise: %v", name, refused, most, failed, fault)
		}
	}
}
