package template_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/zone"
)

// text is a scalar with its tag, as it stands in the template: "!Ref HttpApi".
// A tag before anything longer is left out.
type text string

func (s *text) UnmarshalYAML(node ast.Node) error {
	*s = text(scalar(node))
	return nil
}

func scalar(node ast.Node) string {
	switch n := node.(type) {
	case *ast.TagNode:
		return n.Start.Value + " " + scalar(n.Value)
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return node.GetToken().Value
}

// texts is a scalar, or a sequence of them.
type texts []text

func (s *texts) UnmarshalYAML(node ast.Node) error {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		*s = texts{text(scalar(node))}
		return nil
	}
	for _, value := range sequence.Values {
		*s = append(*s, text(scalar(value)))
	}
	return nil
}

type template struct {
	Parameters map[string]struct {
		Description    text `yaml:"Description"`
		AllowedPattern text `yaml:"AllowedPattern"`
		MaxLength      int  `yaml:"MaxLength"`
	} `yaml:"Parameters"`
	Metadata struct {
		Interface struct {
			Groups []struct {
				Parameters texts `yaml:"Parameters"`
			} `yaml:"ParameterGroups"`
		} `yaml:"AWS::CloudFormation::Interface"`
	} `yaml:"Metadata"`
	Conditions map[string]source   `yaml:"Conditions"`
	Resources  map[string]resource `yaml:"Resources"`
	Outputs    map[string]struct {
		Description text `yaml:"Description"`
	} `yaml:"Outputs"`
}

// source is a value as it is written.
type source string

func (s *source) UnmarshalYAML(node ast.Node) error {
	*s = source(node.String())
	return nil
}

type resource struct {
	Type      string
	Condition string
	Deletion  string   // its DeletionPolicy
	Replace   string   // its UpdateReplacePolicy
	node      ast.Node // its properties
}

func (r *resource) UnmarshalYAML(node ast.Node) error {
	var fields struct {
		Type      text `yaml:"Type"`
		Condition text `yaml:"Condition"`
		Deletion  text `yaml:"DeletionPolicy"`
		Replace   text `yaml:"UpdateReplacePolicy"`
	}
	if err := yaml.NodeToValue(node, &fields); err != nil {
		return fmt.Errorf("read resource: %w", err)
	}
	r.Type, r.Condition = string(fields.Type), string(fields.Condition)
	r.Deletion, r.Replace = string(fields.Deletion), string(fields.Replace)
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return nil
	}
	for _, value := range mapping.Values {
		if value.Key.String() == "Properties" {
			r.node = value.Value
		}
	}
	return nil
}

// properties reads those of a resource into v.
func (r resource) properties(t *testing.T, v any) {
	t.Helper()
	if err := yaml.NodeToValue(r.node, v); err != nil {
		t.Fatal(err)
	}
}

// parsed is the template once it was read.
var parsed struct {
	sync.Once
	template
	err error
}

// read reads the template.
func read(t *testing.T) template {
	t.Helper()
	path := tabletest.TemplatePath(t)
	parsed.Do(func() { parsed.template, parsed.err = parse(path) })
	if parsed.err != nil {
		t.Fatal(parsed.err)
	}
	return parsed.template
}

func parse(path string) (template, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return template{}, err
	}
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return template{}, err
	}
	var t template
	err = yaml.NodeToValue(file.Docs[0].Body, &t)
	return t, err
}

// of returns the logical IDs of the resources of a type, sorted.
func (t template) of(kind string) []string {
	var names []string
	for name, r := range t.Resources {
		if r.Type == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// document reads a file of the repository.
func document(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryParameterIsDescribedAndGrouped(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	var grouped []string
	for _, group := range parsed.Metadata.Interface.Groups {
		for _, name := range group.Parameters {
			grouped = append(grouped, string(name))
		}
	}
	for name, parameter := range parsed.Parameters {
		if parameter.Description == "" {
			t.Errorf("%s has no description", name)
		}
		if !slices.Contains(grouped, name) {
			t.Errorf("%s is in no parameter group", name)
		}
	}
	if len(grouped) != len(parsed.Parameters) {
		t.Errorf("parameter groups name %v", grouped)
	}
	for name, output := range parsed.Outputs {
		if output.Description == "" {
			t.Errorf("output %s has no description", name)
		}
	}
}

func TestEveryFunctionHasALogGroupThatForgets(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	functions := parsed.of("AWS::Serverless::Function")
	if len(functions) < 3 {
		t.Fatalf("found only %v", functions)
	}
	for _, name := range functions {
		var function struct {
			Role    text `yaml:"Role"`
			Logging struct {
				Group text `yaml:"LogGroup"`
			} `yaml:"LoggingConfig"`
			AllProperties bool `yaml:"AutoPublishAliasAllProperties"`
			Deployment    struct {
				Enabled text  `yaml:"Enabled"`
				Alarms  texts `yaml:"Alarms"`
			} `yaml:"DeploymentPreference"`
		}
		parsed.Resources[name].properties(t, &function)
		base := strings.TrimSuffix(name, "Function")
		if want := text("!Ref " + base + "LogGroup"); function.Logging.Group != want {
			t.Errorf("%s logs to %q, want %q", name, function.Logging.Group, want)
		}
		if want := text("!GetAtt " + base + "Role.Arn"); function.Role != want {
			t.Errorf("%s has the role %q, want %q", name, function.Role, want)
		}
		if !function.AllProperties {
			t.Errorf("%s publishes no version when its settings change", name)
		}
		if function.Deployment.Enabled != "!Ref GradualDeployment" || len(function.Deployment.Alarms) == 0 {
			t.Errorf("%s is not deployed gradually, watched by alarms", name)
		}
		var group struct {
			Retention text `yaml:"RetentionInDays"`
		}
		parsed.Resources[base+"LogGroup"].properties(t, &group)
		if group.Retention != "!Ref LogRetentionDays" {
			t.Errorf("the log of %s is kept for %q", name, group.Retention)
		}
	}
}

// What holds deliveries or alerts outlives the stack, and an update that is
// rolled back: by then the queues may have deliveries that were answered 200. A
// bucket that has something in it cannot be deleted anyway.
func TestPromise1_WhatHoldsEventsOutlivesTheStack(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	for name, want := range map[string]string{
		"EventsTable":          "Retain",
		"FailureBucket":        "RetainExceptOnCreate",
		"SpillQueue":           "Retain",
		"SpillDeadLetterQueue": "Retain",
	} {
		r := parsed.Resources[name]
		if r.Deletion != want || r.Replace != "Retain" {
			t.Errorf("%s: deleted %q and replaced %q, want %q and %q", name, r.Deletion, r.Replace, want, "Retain")
		}
	}
}

// The pattern refuses what is no list of numbers at all; the functions refuse the rest.
func TestOwnNumbersLookLikeNumbers(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(string(read(t).Parameters["OwnNumbers"].AllowedPattern))
	for list, want := range map[string]bool{
		"": true, "+14155550100": true, "(415) 555-0100, +44 20 7946 0148,415.555.0101 , 030/5550115": true,
		"Reception": false, "+14155550100; +14155550101": false, "+14155550100\n": false, "<+14155550100>": false,
	} {
		if got := pattern.MatchString(list); got != want {
			t.Errorf("%q: %t, want %t", list, got, want)
		}
	}
}

// The environment of a function has 4 KB for the names and values of all variables.
func TestTheLongestParametersFitTheEnvironment(t *testing.T) {
	t.Parallel()
	const (
		most      = 4096
		reference = 200 // an ARN, with the longest name of a stack in it
		zoneName  = 32
		setting   = 8 // a duration, a country, or one of some words
	)
	all := read(t)
	for name, r := range all.Resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		var properties struct {
			Environment struct {
				Variables map[string]text `yaml:"Variables"`
			} `yaml:"Environment"`
		}
		r.properties(t, &properties)
		sum := 0
		for variable, value := range properties.Environment.Variables {
			sum += len(variable)
			to, refers := strings.CutPrefix(string(value), "!")
			parameter, set := all.Parameters[strings.TrimPrefix(to, "Ref ")]
			switch {
			case set && variable == "TIME_ZONE":
				sum += zoneName
			case set:
				sum += max(setting, parameter.MaxLength)
			case refers:
				sum += reference
			default:
				sum += len(value)
			}
		}
		if sum > most {
			t.Errorf("%s: names and values have up to %d bytes, more than %d", name, sum, most)
		}
	}
}

// The pattern refuses what is no zone at all; the alerts function refuses the rest.
func TestTheTimeZoneLooksLikeOne(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(string(read(t).Parameters["TimeZone"].AllowedPattern))
	for name, want := range map[string]bool{
		"UTC": true, "America/New_York": true, "America/Argentina/Buenos_Aires": true, "America/Port-au-Prince": true, "Etc/GMT+5": true,
		"": false, "PST": false, "UTC+3": false, "america/new_york": false, "America/New York": false, "America/": false, "-05:00": false,
	} {
		if got := pattern.MatchString(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
		if _, err := zone.Load(name); want && err != nil {
			t.Error(err)
		}
	}
}
