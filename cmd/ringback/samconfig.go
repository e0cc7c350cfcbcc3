package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/pelletier/go-toml/v2"

	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/zone"
)

// samConfig is what one environment of samconfig.toml says about a deployment.
type samConfig struct {
	stack, region, profile string
	// overrides are arguments of "sam deploy --parameter-overrides", and parameters the values in them.
	overrides  []string
	parameters map[string]string
	// includes says that the overrides name a file, which only SAM reads.
	includes bool
}

func readSAMConfig(path, env string) (samConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return samConfig{}, fmt.Errorf("read the settings of \"sam deploy\": %w", err)
	}
	var environments map[string]any
	if err := toml.Unmarshal(text, &environments); err != nil {
		return samConfig{}, fmt.Errorf("read %s: %w", path, err)
	}
	commands, ok := environments[env].(map[string]any)
	if !ok {
		return samConfig{}, fmt.Errorf("%s has no environment %q", path, env)
	}
	// What is set for "deploy" counts before what is set for all commands.
	set := make(map[string]any)
	for _, command := range []string{"global", "deploy"} {
		section, _ := commands[command].(map[string]any)
		parameters, _ := section["parameters"].(map[string]any)
		maps.Copy(set, parameters)
	}
	c := samConfig{parameters: make(map[string]string)}
	c.stack, _ = set["stack_name"].(string)
	c.region, _ = set["region"].(string)
	c.profile, _ = set["profile"].(string)
	if c.stack == "" {
		return samConfig{}, fmt.Errorf("the environment %q of %s has no stack_name", env, path)
	}
	c.add(set["parameter_overrides"])
	return c, nil
}

// add adds parameters in one of the forms that SAM reads: a text, a table, or a list of these.
func (c *samConfig) add(overrides any) {
	switch o := overrides.(type) {
	case string:
		if o != "" {
			c.overrides = append(c.overrides, o)
			c.includes = c.includes || strings.HasPrefix(o, "file://")
			maps.Copy(c.parameters, parseOverrides(o))
		}
	case []any:
		for _, one := range o {
			c.add(one)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(o)) {
			c.add(override(name, fmt.Sprint(o[name])))
		}
	}
}

// value returns the value that a parameter will have: SAM leaves those that are not in the file as the
// stack has them.
func (c *samConfig) value(name string, stack map[string]string) string {
	if value, ok := c.parameters[name]; ok {
		return value
	}
	return stack[name]
}

// readDefaults returns the parameters of a template, with their defaults.
func readDefaults(template string) (map[string]string, error) {
	text, err := os.ReadFile(template)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var has struct {
		Parameters map[string]struct {
			Default any `yaml:"Default"`
		} `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &has); err != nil {
		return nil, fmt.Errorf("read %s: %w", template, err)
	}
	defaults := make(map[string]string, len(has.Parameters))
	for name, p := range has.Parameters {
		defaults[name] = fmt.Sprint(p.Default)
	}
	return defaults, nil
}

// unknown returns the parameters that a template does not have. SAM leaves them out without a word.
func (c *samConfig) unknown(template map[string]string) []string {
	names := slices.Sorted(maps.Keys(c.parameters))
	return slices.DeleteFunc(names, func(name string) bool { _, has := template[name]; return has })
}

// check refuses values that CloudFormation takes and functions/alerts does not start with.
func (c *samConfig) check() error {
	if name := c.parameters["TimeZone"]; name != "" {
		if _, err := zone.Load(name); err != nil {
			return fmt.Errorf("samconfig.toml sets TimeZone to %w", err)
		}
	}
	if _, err := phone.New(c.parameters["DefaultCountry"]); err != nil {
		return fmt.Errorf("samconfig.toml sets DefaultCountry: %w", err)
	}
	return nil
}

// checkNumbers refuses numbers of our own that CloudFormation takes and the functions do not start with, by the
// country that they will have.
func (c *samConfig) checkNumbers(stack map[string]string) error {
	if c.includes {
		return nil // nobody but SAM knows what else is set
	}
	numbers, err := phone.New(c.value("DefaultCountry", stack))
	if err == nil {
		_, err = numbers.WithOwn(c.value("OwnNumbers", stack))
	}
	if err != nil {
		return fmt.Errorf("the stack would not start: OwnNumbers or DefaultCountry in samconfig.toml, or those of the last deployment, "+
			"are wrong: %w", err)
	}
	return nil
}

// checkReminders refuses hours, holidays and levels that CloudFormation takes and the functions do not start
// with. A parameter that the file does not set has the value that the stack has, or the template's.
func (c *samConfig) checkReminders(stack, template map[string]string) error {
	if c.includes {
		return nil // nobody but SAM knows what else is set
	}
	value := func(name string) string {
		for _, from := range []map[string]string{c.parameters, stack} {
			if set, ok := from[name]; ok {
				return set
			}
		}
		return template[name]
	}
	settings := escalate.Settings{BusinessHours: value("BusinessHours"), Holidays: value("Holidays"), Zone: time.UTC}
	for name, into := range map[string]*time.Duration{
		"EscalateAfter": &settings.After, "EscalateAgainAfter": &settings.AgainAfter, "BlindAfter": &settings.BlindAfter,
	} {
		var err error
		if *into, err = time.ParseDuration(value(name)); err != nil {
			return fmt.Errorf("%s is %q, which is no time such as 15m", name, value(name))
		}
	}
	if _, _, err := settings.Read(); err != nil {
		return fmt.Errorf("the stack would not start: %w\nBusinessHours, Holidays, EscalateAfter and EscalateAgainAfter in samconfig.toml, "+
			"or those of the last deployment, say so: see docs/followups.md", err)
	}
	return nil
}

// override returns a parameter as SAM takes it on the command line.
func override(name, value string) string {
	return name + `="` + strings.ReplaceAll(value, `"`, `\"`) + `"`
}

// The two ways to write a parameter, by SAM's own expressions (samcli/cli/types.py). SAM tries the first
// on the whole text, and the second if nothing matches.
const (
	overrideName  = `([A-Za-z0-9"']+)`
	overrideValue = `("(?:\\.|[^"\\]+)*"|'(?:\\.|[^'\\]+)*'|(?:\\.|[^ "\\]+)+)`
)

var overrideForms = []*regexp.Regexp{
	regexp.MustCompile(`ParameterKey=` + overrideName + `,ParameterValue=` + overrideValue),
	regexp.MustCompile(` ` + overrideName + `=` + overrideValue),
}

func parseOverrides(text string) map[string]string {
	found := make(map[string]string)
	for _, form := range overrideForms {
		for _, match := range form.FindAllStringSubmatch(" "+strings.TrimSpace(text), -1) {
			found[unquoteOverride(match[1])] = unquoteOverride(match[2])
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}

func unquoteOverride(text string) string {
	if n := len(text); n > 1 && text[0] == text[n-1] && (text[0] == '"' || text[0] == '\'') {
		text = text[1 : n-1]
	}
	return strings.NewReplacer(`\ `, " ", `\"`, `"`, `\'`, "'").Replace(text)
}
