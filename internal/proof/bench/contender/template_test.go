package contender_test

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/bench/contender"
)

const template = `
Parameters:
  MaxAge: {Type: String, Default: 3h}
  Address: {Type: String, Default: ""}
  Email: {Type: String}
Globals:
  Function:
    Environment:
      Variables:
        GOMAXPROCS: "1"
        SHARED: globally
Resources:
  Other:
    Properties:
      Environment:
        Variables: {SHARED: elsewhere}
  Function:
    Properties:
      Environment:
        Variables:
          # A comment.
          SHARED: its own
          TABLE_NAME: !Ref Table
          MAX_AGE: !Ref MaxAge
          ADDRESS: !Ref Address
          EMPTY: ""
`

func TestTemplateEnvironment(t *testing.T) {
	t.Parallel()
	got, err := contender.TemplateEnvironment([]byte(template), "Function", map[string]string{"Table": "events"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"GOMAXPROCS": "1",
		"SHARED":     "its own",
		"TABLE_NAME": "events",
		"MAX_AGE":    "3h",
		"ADDRESS":    "",
		"EMPTY":      "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTemplateEnvironmentLeavesNothingOut(t *testing.T) {
	t.Parallel()
	with := func(variable string) string { return template + "          " + variable + "\n" }
	for name, text := range map[string]string{
		"a resource that nothing stands for": with("QUEUE: !Ref Queue"),
		"a parameter without a default":      with("EMAIL: !Ref Email"),
		"a function of CloudFormation":       with("QUEUE: !GetAtt Table"),
		"a number, which may be read as one": with("LEVEL: 010"),
		"no such function":                   "Globals: {Function: {Environment: {Variables: {A: b}}}}\nResources: {Else: {}}",
		"no settings for all functions":      "Resources: {Function: {Properties: {Environment: {Variables: {A: b, C: d}}}}}",
		"no YAML":                            "\t{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := contender.TemplateEnvironment([]byte(text), "Function", map[string]string{"Table": "events"})
			if !errors.Is(err, contender.ErrTemplate) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// What the benchmark is about is in the template that is deployed.
func TestTemplateHasTheSettings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env, err := contender.TemplateEnvironment(text, "WebhookFunction", map[string]string{
		"EventsTable": "events", "WebhookSecret": "arn", "SpillQueue": "queue",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GOMAXPROCS", "SSL_CERT_DIR"} {
		if env[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	for name, want := range map[string]string{"TABLE_NAME": "events", "SECRET_ARN": "arn", "SPILL_QUEUE_URL": "queue"} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
}
