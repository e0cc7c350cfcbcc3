// Package lambdaenvtest compares the environment that a function's main reads
// with the one that template.yaml sets.
package lambdaenvtest

import (
	"os"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// lambdaSets are the variables that Lambda itself gives to every function. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
var lambdaSets = []string{"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}

// runtimeReads are the variables that the Go runtime reads, not our code.
var runtimeReads = []string{"GOMAXPROCS", "SSL_CERT_DIR"}

// Check reports every variable that the template sets for a function and the
// function does not read, and the other way round. The function is named by its
// logical ID; read is what its main does with its environment.
func Check(t *testing.T, function string, read func(*lambdaenv.Environment)) {
	t.Helper()
	var asked []string
	read(lambdaenv.New(func(name string) string {
		asked = append(asked, name)
		return ""
	}))
	slices.Sort(asked)

	set := slices.Clone(lambdaSets)
	for _, name := range templateSets(t, function) {
		if !slices.Contains(runtimeReads, name) {
			set = append(set, name)
		}
	}
	slices.Sort(set)
	if diff := cmp.Diff(set, asked); diff != "" {
		t.Errorf("variables that the template sets (-) and %s reads (+):\n%s", function, diff)
	}
}

type function struct {
	Environment struct {
		Variables map[string]any `yaml:"Variables"`
	} `yaml:"Environment"`
}

// templateSets returns the names of a function's variables, those that it has
// of all functions included.
func templateSets(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(tabletest.TemplatePath(t))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Globals struct {
			Function function `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Properties function `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	resource, ok := template.Resources[name]
	if !ok {
		t.Fatalf("no %s in the template", name)
	}
	var names []string
	for name := range resource.Properties.Environment.Variables {
		names = append(names, name)
	}
	for name := range template.Globals.Function.Environment.Variables {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
