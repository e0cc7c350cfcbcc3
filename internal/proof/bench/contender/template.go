package contender

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrTemplate says that a template does not tell what a function's environment
// is.
var ErrTemplate = errors.New("contender: environment not in the template")

// TemplateEnvironment returns the variables that the text of a template sets
// for a function, those of all functions included. A reference to a parameter
// is its default; one to a resource is what stands for that in resources.
func TemplateEnvironment(text []byte, function string, resources map[string]string) (map[string]string, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	var parameters struct {
		Parameters map[string]struct {
			Default *string `yaml:"Default"`
		} `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &parameters); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	resolve := func(name string) (string, error) {
		if p, ok := parameters.Parameters[name]; ok && p.Default != nil {
			return *p.Default, nil
		}
		if value, ok := resources[name]; ok {
			return value, nil
		}
		return "", fmt.Errorf("%w: nothing stands for %s", ErrTemplate, name)
	}

	env := map[string]string{}
	for _, path := range []string{
		"$.Globals.Function.Environment.Variables",
		"$.Resources." + function + ".Properties.Environment.Variables",
	} {
		at, err := yaml.PathString(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
		}
		node, err := at.FilterFile(file)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTemplate, path, err)
		}
		variables, ok := node.(*ast.MappingNode)
		if !ok {
			return nil, fmt.Errorf("%w: %s is no mapping", ErrTemplate, path)
		}
		for _, v := range variables.Values {
			name := v.Key.String()
			if env[name], err = value(v.Value, resolve); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return env, nil
}

func value(node ast.Node, resolve func(string) (string, error)) (string, error) {
	switch v := node.(type) {
	case *ast.TagNode:
		if v.Start.Value != "!Ref" {
			return "", fmt.Errorf("%w: %s is not known", ErrTemplate, v.Start.Value)
		}
		return resolve(strings.TrimSpace(v.Value.String()))
	case *ast.StringNode:
		return v.Value, nil
	default:
		return "", fmt.Errorf("%w: %s is no text", ErrTemplate, node)
	}
}
