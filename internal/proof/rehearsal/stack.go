package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ringback/ringback/events"
	samples "github.com/ringback/ringback/events-samples"
	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/storm/target"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
	"github.com/ringback/ringback/internal/timing"
)

const (
	region    = "us-east-1"
	stackName = "ringback-rehearsal"
	refused   = 5 // deliveries that are posted while the table refuses
	// settleTime is more than the time after which the queue hands out again what could not be drained.
	settleTime = 5 * time.Minute
	settleTick = 200 * time.Millisecond
	quietTime  = 3 * time.Second // without an alert, until the last is taken to have come
)

// build has what is built once and deployed twice.
type build struct {
	sam             string
	storm, template string // paths of what is made
	log             string // folder
}

func (b *build) buildStorm(ctx context.Context) error {
	_, err := command(ctx, b.log, nil, "go", "build", "-o", b.storm, "./internal/proof/storm")
	return err
}

// buildFunctions builds for this machine. The answers are parameters that change with the deployment, as "ringback deploy"
// passes them on.
func (b *build) buildFunctions(ctx context.Context, answers string) error {
	_, err := command(ctx, b.log, []string{"ARCHITECTURE=" + architecture(), "RINGBACK_PARAMETERS=" + answers},
		b.sam, "build", "--build-dir", filepath.Dir(b.template))
	return err
}

// architecture is the name that Lambda has for this machine's processor.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// act plays on an emulator of its own.
func (p *production) act(ctx context.Context, b *build, name string, strict bool) (err error) {
	folder := filepath.Join(p.folder, name)
	var flags []string
	if strict {
		flags = []string{"--iam", "strict", "--verify-sigv4"}
	}
	var e *emulator
	if err := p.step("the emulator answers on "+p.address, func() (err error) {
		e, err = p.startEmulator(ctx, folder, flags...)
		return err
	}); err != nil {
		return err
	}
	defer e.close()
	cfg, err := deployed.Config(ctx, region)
	if err != nil {
		return err
	}
	s := &stack{build: *b, ringback: p.ringback, cfg: cfg, emulator: e}
	s.log = folder
	if err := p.step("sam deploy makes a stack", func() error { return s.deploy(ctx, "AlertMaxAge=0h") }); err != nil {
		return err
	}
	if strict {
		if err := s.permitBatches(ctx); err != nil {
			return err
		}
	}
	if err := p.watched(ctx, s); err != nil {
		return err
	}
	if err := p.step(fmt.Sprintf("a storm of %d deliveries: none lost, stored twice or alerted twice", p.deliveries), func() error {
		return s.blow(ctx, p.deliveries)
	}); err != nil {
		return err
	}
	if strict {
		return nil
	}
	if err := p.step("sam deploy with other parameters keeps everything that holds data", func() error { return s.update(ctx) }); err != nil {
		return err
	}
	if err := p.step("deletion protection keeps the table", func() error { return s.protected(ctx) }); err != nil {
		return err
	}
	return p.step("sam delete removes the stack, and leaves the table and the queues", func() error { return s.remove(ctx) })
}

// watched does what needs somebody who reads the alerts.
func (p *production) watched(ctx context.Context, s *stack) (err error) {
	alerts, err := target.Subscribe(ctx, s.cfg, s.parts.Outputs[deployed.OutputTopicARN], false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, alerts.Close()) }()
	if err := p.step("nine samples are stored, and two of them alerted", func() error {
		if err := s.send(ctx, "9 sent: 9 stored,", sampleNames()...); err != nil {
			return err
		}
		return settled(ctx, alerts, 1, 1)
	}); err != nil {
		return err
	}
	if err := p.step("sent again, they are duplicates, and alerted no more", func() error {
		if err := s.send(ctx, "9 sent: 0 stored, 9 duplicate,", sampleNames()...); err != nil {
			return err
		}
		timing.Sleep(ctx, quietTime) // or an alert that is on its way is not seen
		return settled(ctx, alerts, 1, 1)
	}); err != nil {
		return err
	}
	return p.step("while the table refuses, the queue takes what comes; then it is stored", func() error {
		if err := s.refuse(ctx); err != nil {
			return err
		}
		return settled(ctx, alerts, 1+refused, 1)
	})
}

// settled waits until so many calls and voicemails are alerted, and fails if more are.
func settled(ctx context.Context, alerts *target.Subscription, missed, voicemails int) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	check := func(seen play.Published, isWrong func(got, want int) bool) error {
		count := make(map[events.Kind]int)
		for _, alert := range seen.Taken {
			count[alert.Kind]++
		}
		if isWrong(count[events.KindMissedCall], missed) || isWrong(count[events.KindVoicemail], voicemails) || isWrong(len(seen.Taken), missed+voicemails) {
			return fmt.Errorf("alerts: %v, and not %d of missed calls and %d of voicemails", count, missed, voicemails)
		}
		return nil
	}
	tooFew := func(got, want int) bool { return got < want }
	if err := alerts.Settled(ctx, func(seen play.Published) error { return check(seen, tooFew) }, quietTime); err != nil {
		return err
	}
	return check(alerts.Published(), func(got, want int) bool { return got != want })
}

func sampleNames() []string {
	var names []string
	files, _ := samples.FS.ReadDir(".") // embedded
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".json"); ok {
			names = append(names, name)
		}
	}
	return names
}

// stack is a deployed one.
type stack struct {
	build
	*emulator
	ringback string
	cfg      aws.Config
	parts    deployed.Stack
}

func (s *stack) deploy(ctx context.Context, parameters ...string) error {
	settings, err := filepath.Abs("samconfig.toml") // SAM looks for it beside the built template
	if err != nil {
		return err
	}
	args := append([]string{
		"deploy", "--config-file", settings, "--template-file", s.template, "--stack-name", stackName, "--region", region, "--no-confirm-changeset",
		"--parameter-overrides", "Architecture=" + architecture(),
	}, parameters...)
	if _, err := command(ctx, s.log, nil, s.sam, args...); err != nil {
		return err
	}
	found, err := cloudformation.NewFromConfig(s.cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stackName)})
	if err != nil {
		return fmt.Errorf("describe the stack: %w", err)
	}
	if status := found.Stacks[0].StackStatus; status != types.StackStatusCreateComplete && status != types.StackStatusUpdateComplete {
		return fmt.Errorf("the stack is only half there, in status %s, although \"sam deploy\" has ended well", status)
	}
	if s.parts, err = deployed.Read(ctx, s.cfg, stackName, deployed.OutputTable, deployed.OutputTopicARN, "SpillQueueUrl", "DeadLetterQueueUrl"); err != nil {
		return err
	}
	printed, err := command(ctx, s.log, nil, s.ringback, "webhook-url", "--stack", stackName)
	if err == nil && !slices.Contains(strings.Split(printed, "\n"), s.parts.URL) {
		err = errors.New("webhook-url does not print the stack's URL")
	}
	return err
}

// permitBatches gives the alerts function a right that the emulator asks for: on AWS, PublishBatch goes by sns:Publish,
// and there is no sns:PublishBatch.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
func (s *stack) permitBatches(ctx context.Context) error {
	resources, err := s.resources(ctx)
	if err != nil {
		return err
	}
	client, name := cloudformation.NewFromConfig(s.cfg), aws.String(stackName+"-batches")
	if _, err = client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName:    name,
		Capabilities: []types.Capability{types.CapabilityCapabilityIam},
		TemplateBody: aws.String(fmt.Sprintf(`{"Resources": {"Batches": {"Type": "AWS::IAM::Policy", "Properties": {
			"PolicyName": "emulator", "Roles": [%q], "PolicyDocument": {"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Action": "sns:PublishBatch", "Resource": %q}]}}}}}`,
			resources["AlertsRole"].physical, s.parts.Outputs[deployed.OutputTopicARN])),
	}); err != nil {
		return fmt.Errorf("grant sns:PublishBatch: %w", err)
	}
	done := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) { o.MinDelay = settleTick })
	return done.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: name}, readyTime)
}

// resource is one of the stack.
type resource struct{ kind, physical string }

// resources returns them by their names in the template.
func (s *stack) resources(ctx context.Context) (map[string]resource, error) {
	found, err := cloudformation.NewFromConfig(s.cfg).DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: aws.String(stackName)})
	if err != nil {
		return nil, fmt.Errorf("list the stack's resources: %w", err)
	}
	all := make(map[string]resource)
	for i := range found.StackResources {
		r := &found.StackResources[i]
		all[aws.ToString(r.LogicalResourceId)] = resource{aws.ToString(r.ResourceType), aws.ToString(r.PhysicalResourceId)}
	}
	return all, nil
}

// send posts files, or samples, and looks for the summary.
func (s *stack) send(ctx context.Context, summary string, files ...string) error {
	printed, err := command(ctx, s.log, nil, s.ringback, append([]string{"send", "--url", s.parts.URL}, files...)...)
	if err == nil && !strings.Contains(printed, summary) {
		err = fmt.Errorf("send printed no %q:\n%s", summary, printed)
	}
	return err
}

// refuse posts missed calls while the table refuses, and waits until they are stored.
func (s *stack) refuse(ctx context.Context) error {
	sample, err := samples.FS.ReadFile("call.missed.json")
	if err != nil {
		return err
	}
	var files, calls []string
	for i := range refused {
		call := fmt.Sprintf("call_rehearsal_%d", i)
		body := strings.NewReplacer("call_1d4e5f6a", call, "+14155558765", fmt.Sprintf("+1415555011%d", i)).Replace(string(sample))
		file := filepath.Join(s.log, call+".json")
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			return err
		}
		files, calls = append(files, file), append(calls, call)
	}
	s.proxy.Set(func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation == "PutItem" {
			return faultproxy.TableBroken
		}
		return faultproxy.Fault{}
	})
	err = s.send(ctx, fmt.Sprintf("%d spilled,", refused), files...)
	s.proxy.Set(faultproxy.None)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	store := s.table()
	for _, call := range calls {
		for {
			page, err := store.Query(ctx, table.Query{Partition: "CALL#" + call})
			if err != nil {
				return err
			}
			if len(page.Items) > 0 {
				break
			}
			if !timing.Sleep(ctx, settleTick) {
				return fmt.Errorf("%s was answered 200 and is not in the table", call)
			}
		}
	}
	return nil
}

func (s *stack) table() *dynamostore.Store {
	return dynamostore.New(s.cfg, s.parts.Outputs[deployed.OutputTable])
}

// blow has the storm blow.
func (s *stack) blow(ctx context.Context, deliveries int) error {
	_, err := command(ctx, s.log, nil, s.storm, "--stack", stackName, "--region", region, "--deliveries", fmt.Sprint(deliveries))
	return err
}

// holdsData are the types of resources whose replacement loses data, or whoever is subscribed.
var holdsData = []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::SQS::Queue"}

// update deploys other parameters, and compares.
func (s *stack) update(ctx context.Context) error {
	before, err := s.resources(ctx)
	if err != nil {
		return err
	}
	url := s.parts.URL
	items, err := s.count(ctx)
	if err != nil {
		return err
	}
	if err := s.buildFunctions(ctx, "TimeZone=Europe/London"); err != nil {
		return err
	}
	if err := s.deploy(ctx, "AlertMaxAge=24h", "TimeZone=Europe/London", "ThrottleRate=100", "LogRetentionDays=30"); err != nil {
		return err
	}
	after, err := s.resources(ctx)
	if err != nil {
		return err
	}
	kept := 0
	for name, was := range before {
		if slices.Contains(holdsData, was.kind) {
			if after[name] != was {
				return fmt.Errorf("%s, a %s, was %s and is %q", name, was.kind, was.physical, after[name].physical)
			}
			kept++
		}
	}
	switch now, err := s.count(ctx); {
	case err != nil:
		return err
	case kept < len(holdsData):
		return fmt.Errorf("the stack has only %d resources that hold data", kept)
	case now != items:
		return fmt.Errorf("the table had %d items and has %d", items, now)
	case s.parts.URL != url:
		return errors.New("the webhook's URL has changed")
	}
	settings, err := deployed.ReadSettings(ctx, s.cfg, stackName)
	if err != nil {
		return err
	}
	if zone := settings.Parameters["TimeZone"]; zone != "Europe/London" {
		return fmt.Errorf("TimeZone is %q, and not what was deployed", zone)
	}
	return s.send(ctx, "9 sent: 0 stored, 9 duplicate,", sampleNames()...)
}

// count returns how many items the table has.
func (s *stack) count(ctx context.Context) (int, error) {
	n := 0
	for after := table.Cursor(""); ; {
		page, err := s.table().Scan(ctx, "", after)
		if err != nil {
			return 0, err
		}
		n += len(page.Items)
		if after = page.Next; after == "" {
			return n, nil
		}
	}
}

// protected tries to delete the table.
func (s *stack) protected(ctx context.Context) error {
	_, err := dynamodb.NewFromConfig(s.cfg).DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(s.parts.Outputs[deployed.OutputTable])})
	if err == nil {
		return errors.New("the table could be deleted")
	}
	if !strings.Contains(strings.ToLower(err.Error()), "protect") {
		return fmt.Errorf("it was not deleted, but for another reason: %w", err)
	}
	return nil
}

// remove deletes the stack and looks at what is left.
func (s *stack) remove(ctx context.Context) error {
	items, err := s.count(ctx)
	if err != nil {
		return err
	}
	if _, err := command(ctx, s.log, nil, s.sam, "delete", "--stack-name", stackName, "--region", region, "--no-prompts"); err != nil {
		return err
	}
	switch settings, err := deployed.ReadSettings(ctx, s.cfg, stackName); {
	case err != nil:
		return err
	case len(settings.Outputs) > 0:
		return errors.New("the stack is still there")
	}
	switch left, err := s.count(ctx); {
	case err != nil:
		return fmt.Errorf("the table is gone: %w", err)
	case left != items:
		return fmt.Errorf("the table had %d items and has %d", items, left)
	}
	for _, output := range []string{"SpillQueueUrl", "DeadLetterQueueUrl"} {
		if _, err := sqs.NewFromConfig(s.cfg).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.parts.Outputs[output])}); err != nil {
			return fmt.Errorf("%s is gone: %w", output, err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.parts.URL, nil)
	if err != nil {
		return err
	}
	response, err := deployed.NewTransport().RoundTrip(r)
	if err != nil {
		return fmt.Errorf("ask the deleted webhook: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing was written
	if response.StatusCode == http.StatusOK {
		return errors.New("the webhook still answers 200")
	}
	return nil
}
