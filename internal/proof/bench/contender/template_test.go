package contender_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/golden"
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
	got, err := templateEnvironment([]byte(template), "Function", map[string]string{"Table": "events"})
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
			got, err := templateEnvironment([]byte(text), "Function", map[string]string{"Table": "events"})
			if !errors.Is(err, errTemplate) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// The settings are those of the template that is deployed; with -update this test
// writes them anew.
func TestTheSettingsAreThoseOfTheTemplate(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env, err := templateEnvironment(text, "WebhookFunction", map[string]string{
		"EventsTable":   "events",
		"WebhookSecret": "arn:aws:secretsmanager:us-east-1:000000000000:secret:benchmark",
		"SpillQueue":    "http://127.0.0.1:9/000000000000/spill", // no delivery is spilled
	})
	if err != nil {
		t.Fatal(err)
	}
	// What the benchmark is about.
	for _, name := range []string{"GOMAXPROCS", "SSL_CERT_DIR"} {
		if env[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	got, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "settings.json", append(got, '\n'))
}

// errTemplate says that a template does not give a function's environment.
var errTemplate = errors.New("environment not in the template")

// templateEnvironment returns the variables that a template sets for a function,
// those for all functions included. A reference to a parameter becomes its
// default, one to a resource what resources has for it. The error wraps
// [errTemplate].
func templateEnvironment(text []byte, function string, resources map[string]string) (map[string]string, error) {
	type properties struct {
		Environment struct {
			Variables map[string]ast.Node `yaml:"Variables"`
		} `yaml:"Environment"`
	}
	var template struct {
		Parameters map[string]struct {
			Default *string `yaml:"Default"`
		} `yaml:"Parameters"`
		Globals struct {
			Function properties `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Properties properties `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("%w: %w", errTemplate, err)
	}
	values := maps.Clone(resources)
	for name, parameter := range template.Parameters {
		if parameter.Default != nil {
			values[name] = *parameter.Default
		}
	}
	env := map[string]string{}
	for _, p := range []properties{template.Globals.Function, template.Resources[function].Properties} {
		if len(p.Environment.Variables) == 0 {
			return nil, fmt.Errorf("%w: none of %s, or none of all functions", errTemplate, function)
		}
		for name, node := range p.Environment.Variables {
			known := false
			switch n := node.(type) {
			case *ast.StringNode:
				env[name], known = n.Value, true
			case *ast.TagNode:
				env[name], known = values[n.Value.String()]
				known = known && n.Start.Value == "!Ref"
			}
			if !known {
				return nil, fmt.Errorf("%w: nothing stands for %s: %s", errTemplate, name, node)
			}
		}
	}
	return env, nil
}
