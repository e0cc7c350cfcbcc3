package template_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/go-cmp/cmp"
)

// namespace is that of the metrics that are made of logs.
const namespace = "!Sub ringback/${AWS::StackName}"

type metric struct {
	Namespace  text `yaml:"Namespace"`
	Name       text `yaml:"MetricName"`
	Dimensions []struct {
		Name  text `yaml:"Name"`
		Value text `yaml:"Value"`
	} `yaml:"Dimensions"`
}

type alarm struct {
	Metric     metric `yaml:",inline"`
	AlarmName  text   `yaml:"AlarmName"`
	Text       text   `yaml:"AlarmDescription"`
	Missing    text   `yaml:"TreatMissingData"`
	Actions    texts  `yaml:"AlarmActions"`
	OKActions  texts  `yaml:"OKActions"`
	Comparison text   `yaml:"ComparisonOperator"`
	Threshold  text   `yaml:"Threshold"`
	Period     int    `yaml:"Period"`
	Periods    number `yaml:"EvaluationPeriods"`
	Datapoints number `yaml:"DatapointsToAlarm"`
	Metrics    []struct {
		ID         text `yaml:"Id"`
		Expression text `yaml:"Expression"`
		Stat       struct {
			Period int    `yaml:"Period"`
			Metric metric `yaml:"Metric"`
		} `yaml:"MetricStat"`
	} `yaml:"Metrics"`
}

// number is a number, or the largest value of the parameter that sets it.
type number int

func (n *number) UnmarshalYAML(node ast.Node) error {
	value := scalar(node)
	if value == "!Ref SilenceAfter" {
		value = strconv.Itoa(longestSilence)
	}
	parsed, err := strconv.Atoi(value)
	*n = number(parsed)
	if err != nil {
		return fmt.Errorf("number of periods: %w", err)
	}
	return nil
}

// longestSilence is a week, in hours.
const longestSilence = 7 * 24

// metrics are those that an alarm watches.
func (a alarm) metrics() []metric {
	if a.Metric.Name != "" {
		return []metric{a.Metric}
	}
	var all []metric
	for _, m := range a.Metrics {
		if m.Expression == "" {
			all = append(all, m.Stat.Metric)
		}
	}
	return all
}

func alarms(t *testing.T) map[string]alarm {
	t.Helper()
	parsed := read(t)
	all := map[string]alarm{}
	for _, id := range parsed.of("AWS::CloudWatch::Alarm") {
		var a alarm
		parsed.Resources[id].properties(t, &a)
		all[id] = a
	}
	return all
}

var humps = regexp.MustCompile(`(.)([A-Z])`)

// slug is an alarm's name without the stack's, and its heading in the handbook.
func slug(id string) string {
	return strings.ToLower(humps.ReplaceAllString(strings.TrimSuffix(id, "Alarm"), "$1-$2"))
}

func TestEveryAlarmTellsSomebodyWhatToDo(t *testing.T) {
	t.Parallel()
	for id, a := range alarms(t) {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			if want := text("!Sub ${AWS::StackName}-" + slug(id)); a.AlarmName != want {
				t.Errorf("is named %q, want %q", a.AlarmName, want)
			}
			if !strings.HasSuffix(string(a.Text), " See docs/operations.md#"+slug(id)+".") {
				t.Errorf("does not say where to read on: %q", a.Text)
			}
			if a.Missing == "" {
				t.Error("does not say what missing data means")
			}
			for _, actions := range []texts{a.Actions, a.OKActions} {
				if len(actions) > 0 && !slices.Equal(actions, texts{"!Ref OpsTopic"}) {
					t.Errorf("tells %v", actions)
				}
			}
			if len(a.Actions) == 0 {
				t.Error("tells nobody")
			}
			if a.Datapoints < 1 || a.Datapoints > a.Periods {
				t.Errorf("goes off at %d of %d", a.Datapoints, a.Periods)
			}
			for _, m := range a.metrics() {
				if len(m.Dimensions) == 0 && m.Namespace != namespace {
					t.Errorf("watches %s of everything in the account", m.Name)
				}
			}
		})
	}
}

// By https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html, an alarm looks back
// a day at most, and a week if its periods take an hour or more.
func TestNoAlarmLooksBackFurtherThanCloudWatchAllows(t *testing.T) {
	t.Parallel()
	for id, a := range alarms(t) {
		period := a.Period
		for _, m := range a.Metrics {
			period = max(period, m.Stat.Period)
		}
		limit := 24 * 3600
		if period >= 3600 {
			limit = 7 * 24 * 3600
		}
		if back := period * int(a.Periods); back <= 0 || back > limit {
			t.Errorf("%s looks back %d s, want 1 to %d", id, back, limit)
		}
	}
}

func TestSilenceHasAnAlarmIfSomebodyAsksForOne(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	a := alarms(t)["SilenceAlarm"]
	if parsed.Resources["SilenceAlarm"].Condition != "HasSilenceAlarm" {
		t.Error("it is there for everybody, and many firms are quiet at night")
	}
	if got := parsed.Conditions["HasSilenceAlarm"]; got != `!Not [!Equals [!Ref SilenceAfter, "0"]]` {
		t.Errorf("it is there if %s", got)
	}
	if a.Missing != "breaching" || a.Comparison != "LessThanThreshold" || a.Threshold != "1" {
		t.Errorf("it goes off if deliveries are %s %s, and missing data is %s", a.Comparison, a.Threshold, a.Missing)
	}
	if a.Periods != longestSilence || a.Datapoints != longestSilence || a.Metrics[1].Stat.Period != 3600 {
		t.Errorf("it goes off after %d of %d periods of %d s, not after all of SilenceAfter hours", a.Datapoints, a.Periods, a.Metrics[1].Stat.Period)
	}
	if len(a.OKActions) == 0 {
		t.Error("it does not say when deliveries come again")
	}
	hours, err := regexp.Compile(string(parsed.Parameters["SilenceAfter"].AllowedPattern))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2000 {
		if got, want := hours.MatchString(strconv.Itoa(n)), n <= longestSilence; got != want {
			t.Errorf("SilenceAfter may be %d: %t, want %t", n, got, want)
		}
	}
	for _, no := range []string{"", "00", "01", "-1", "1.5", "24h", " 24", "1e2"} {
		if hours.MatchString(no) {
			t.Errorf("SilenceAfter may be %q", no)
		}
	}
}

// Anyone can cause a 503 that puts an unknown token off. It must neither wake people
// nor roll a deployment back.
func TestPromise7_WhatIsPutOffIsNoServerError(t *testing.T) {
	t.Parallel()
	byID := map[text]metric{}
	var expression text
	a := alarms(t)["ApiServerErrorAlarm"]
	for _, m := range a.Metrics {
		byID[m.ID] = m.Stat.Metric
		if m.Expression != "" {
			expression = m.Expression
		}
	}
	if expression != "answers - FILL(putoff, 0)" {
		t.Errorf("the alarm watches %q", expression)
	}
	if m := byID["answers"]; m.Namespace != "AWS/ApiGateway" || m.Name != "5xx" {
		t.Errorf("answers are %+v", m)
	}
	if m := byID["putoff"]; m.Namespace != namespace || m.Name != "PutOff" {
		t.Errorf("what is put off is %+v", m)
	}
	if got := counted(t, "WebhookLogGroup", putOff(t, sample(t, "call.missed"))); !slices.Equal(got, []string{"PutOff"}) {
		t.Errorf("what is put off counts as %v", got)
	}
}

// A URL may be saved with a slash at its end. API Gateway's plain path parameter does
// not match it, and answers 404 itself.
func TestPromise7_TheRouteMatchesASlashAtTheEnd(t *testing.T) {
	t.Parallel()
	var function struct {
		Events struct {
			Webhook struct {
				Properties struct {
					Path text `yaml:"Path"`
				} `yaml:"Properties"`
			} `yaml:"Webhook"`
		} `yaml:"Events"`
	}
	read(t).Resources["WebhookFunction"].properties(t, &function)
	if got := function.Events.Webhook.Properties.Path; got != "/justcall/{token+}" {
		t.Errorf("the route is %s", got)
	}
}

func TestOperationsExplainsEveryAlarmAndNoOther(t *testing.T) {
	t.Parallel()
	const chapter = "\n## Alarms\n"
	_, after, ok := strings.Cut(document(t, "docs/operations.md"), chapter)
	if !ok {
		t.Fatalf("docs/operations.md has no %q", chapter)
	}
	after, _, _ = strings.Cut(after, "\n## ")
	var explained []string
	for heading := range strings.SplitSeq(after, "\n### ") {
		name, _, ok := strings.Cut(heading, "\n")
		if ok && name != "" {
			explained = append(explained, name)
		}
	}
	var want []string
	for id := range alarms(t) {
		want = append(want, slug(id))
	}
	slices.Sort(want)
	slices.Sort(explained)
	if diff := cmp.Diff(want, explained); diff != "" {
		t.Errorf("alarms of the template (-) and of docs/operations.md (+):\n%s", diff)
	}
}

// The bill of a month counts them.
func TestOperationsCountsWhatIsPaidFor(t *testing.T) {
	t.Parallel()
	watched := 0
	for _, a := range alarms(t) {
		watched += len(a.metrics())
	}
	const kinds, alertKinds, reasons = 6, 2, 7 // Stored, Alerts and FollowUpsClosed have one metric for each
	text := document(t, "docs/operations.md")
	for _, want := range []string{
		fmt.Sprintf("| %d metrics in %d alarms × 0.10 |", watched, len(alarms(t))),
		fmt.Sprintf("| up to %d × 0.30,", len(made(t))-3+kinds+alertKinds+reasons),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/operations.md does not say %q", want)
		}
	}
}

// made returns the names of the metrics that filters make of logs.
func made(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, f := range filters(t) {
		names = append(names, string(f.Transformations[0].Name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestAlarmsWatchMetricsThatAreMade(t *testing.T) {
	t.Parallel()
	for id, a := range alarms(t) {
		for _, m := range a.metrics() {
			if m.Namespace == namespace && !slices.Contains(made(t), string(m.Name)) {
				t.Errorf("%s watches %q, which no filter makes", id, m.Name)
			}
		}
	}
}

func TestDashboardShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	var properties struct {
		Body body `yaml:"DashboardBody"`
	}
	parsed.Resources["Dashboard"].properties(t, &properties)
	type contents struct {
		Widgets []struct {
			Properties struct {
				Alarms  []string `json:"alarms"`
				Metrics [][]any  `json:"metrics"`
			} `json:"properties"`
		} `json:"widgets"`
	}
	var least, dashboard contents
	optional := map[string]string{"Silence": "SilenceAlarm", "Oldest": "OldestWaitingAlarm"}
	without, with := string(properties.Body), string(properties.Body)
	for name, id := range optional {
		without = strings.ReplaceAll(without, "${"+name+"}", "")
		with = strings.ReplaceAll(with, "${"+name+"}", `, "${`+id+`.Arn}"`)
		want := fmt.Sprintf(`%s: !If [Has%sAlarm, !Sub ', "${%s.Arn}"', ""]`, name, name, id)
		if got := document(t, "template.yaml"); !strings.Contains(got, want) || parsed.Resources[id].Condition != "Has"+name+"Alarm" {
			t.Errorf("template.yaml does not say %s, or %s has another condition", want, id)
		}
	}
	for text, into := range map[string]*contents{without: &least, with: &dashboard} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("not JSON: %v", err)
		}
	}
	if got, want := len(least.Widgets[0].Properties.Alarms), len(alarms(t))-len(optional); got != want {
		t.Errorf("without the alarms that are optional it shows %d alarms, want %d", got, want)
	}

	var shown, watched []string
	for _, widget := range dashboard.Widgets {
		shown = append(shown, widget.Properties.Alarms...)
		for _, m := range widget.Properties.Metrics {
			name, ok := m[1].(string)
			if m[0] == "${Namespace}" && (!ok || !slices.Contains(made(t), name)) {
				t.Errorf("shows %v, which no filter makes", m)
			}
			watched = append(watched, name)
		}
	}
	var want []string
	for id := range alarms(t) {
		want = append(want, "${"+id+".Arn}")
	}
	slices.Sort(shown)
	slices.Sort(want)
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("alarms on the dashboard (-want +got):\n%s", diff)
	}
	for _, name := range made(t) {
		if !slices.Contains(watched, name) {
			t.Errorf("%s is made and not shown", name)
		}
	}
}

var errBody = errors.New("not the long form of !Sub")

// body is the text that !Sub fills in, in its long form.
type body string

func (b *body) UnmarshalYAML(node ast.Node) error {
	if tag, ok := node.(*ast.TagNode); ok {
		node = tag.Value
	}
	sequence, ok := node.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 {
		return errBody
	}
	*b = body(scalar(sequence.Values[0]))
	return nil
}
