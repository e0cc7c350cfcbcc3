// Package template checks what template.yaml says and no tool checks: what each
// role may do, that metrics count the lines that the functions really write, that
// docs/operations.md explains every alarm. The checks are tests; what tests of the
// functions need is exported.
package template

import (
	"os"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// lambdaSets are the variables that Lambda itself sets for every function, or an emulator of it. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
var lambdaSets = []string{"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}

// runtimeReads are the variables that the Go runtime reads, not our code.
var runtimeReads = []string{"GOMAXPROCS", "SSL_CERT_DIR"}

type properties struct {
	Environment struct {
		Variables map[string]any `yaml:"Variables"`
	} `yaml:"Environment"`
}

// CheckEnvironment reports every variable that the template sets for a function
// but that the function does not read, and the other way round. The function is
// named by its logical ID; read is how its main reads its environment.
func CheckEnvironment(t *testing.T, function string, read func(*lambdaenv.Environment)) {
	t.Helper()
	var asked []string
	read(lambdaenv.New(func(name string) string {
		asked = append(asked, name)
		return ""
	}))
	slices.Sort(asked)

	text, err := os.ReadFile(tabletest.TemplatePath(t))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Globals struct {
			Function properties `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Properties properties `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	set := slices.Clone(lambdaSets)
	for _, p := range []properties{template.Globals.Function, template.Resources[function].Properties} {
		for name := range p.Environment.Variables {
			if !slices.Contains(runtimeReads, name) {
				set = append(set, name)
			}
		}
	}
	slices.Sort(set)
	if diff := cmp.Diff(slices.Compact(set), asked); diff != "" {
		t.Errorf("variables that the template sets (-) and %s reads (+):\n%s", function, diff)
	}
}
