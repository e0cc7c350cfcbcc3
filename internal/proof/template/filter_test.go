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
)

// condition is a metric filter's pattern, as far as ours use it. See
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
type condition func(line map[string]any) bool

var errPattern = errors.New("pattern not understood")

var tokens = regexp.MustCompile(`\s*(\(|\)|&&|\|\||>=|=|>|\$\.\w+|"[^"]*"|-?\d+|IS TRUE|IS FALSE)`)

// compile reads "{ condition }".
func compile(pattern string) (condition, error) {
	inner, ok := strings.CutPrefix(pattern, "{ ")
	inner, closed := strings.CutSuffix(inner, " }")
	if !ok || !closed {
		return nil, fmt.Errorf("%w: %q", errPattern, pattern)
	}
	var p patternParser
	for rest := inner; strings.TrimSpace(rest) != ""; {
		at := tokens.FindStringSubmatchIndex(rest)
		if at == nil || at[0] != 0 {
			return nil, fmt.Errorf("%w: at %q", errPattern, rest)
		}
		p.tokens = append(p.tokens, rest[at[2]:at[3]])
		rest = rest[at[1]:]
	}
	c, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%w: %q left over", errPattern, p.tokens)
	}
	return c, err
}

type patternParser struct{ tokens []string }

func (p *patternParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *patternParser) skip(token string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != token {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *patternParser) either() (condition, error) {
	left, err := p.both()
	for err == nil && p.skip("||") {
		var right condition
		first := left
		right, err = p.both()
		left = func(line map[string]any) bool { return first(line) || right(line) }
	}
	return left, err
}

func (p *patternParser) both() (condition, error) {
	left, err := p.one()
	for err == nil && p.skip("&&") {
		var right condition
		first := left
		right, err = p.one()
		left = func(line map[string]any) bool { return first(line) && right(line) }
	}
	return left, err
}

func (p *patternParser) one() (condition, error) {
	if p.skip("(") {
		inner, err := p.either()
		if err == nil && !p.skip(")") {
			err = fmt.Errorf("%w: a parenthesis is open", errPattern)
		}
		return inner, err
	}
	name, ok := strings.CutPrefix(p.next(), "$.")
	if !ok {
		return nil, fmt.Errorf("%w: no field", errPattern)
	}
	switch operator := p.next(); operator {
	case "IS TRUE", "IS FALSE":
		return func(line map[string]any) bool { return line[name] == (operator == "IS TRUE") }, nil
	case "=", ">", ">=":
		return comparison(name, operator, p.next())
	default:
		return nil, fmt.Errorf("%w: operator %q", errPattern, operator)
	}
}

func comparison(name, operator, operand string) (condition, error) {
	if text, err := strconv.Unquote(operand); err == nil && operator == "=" {
		if text == "*" { // any text
			return func(line map[string]any) bool { _, ok := line[name].(string); return ok }, nil
		}
		return func(line map[string]any) bool { return line[name] == text }, nil
	}
	number, err := strconv.ParseFloat(operand, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: operand %q", errPattern, operand)
	}
	return func(line map[string]any) bool {
		value, ok := line[name].(float64)
		switch {
		case !ok:
			return false
		case operator == "=":
			return value == number
		case operator == ">":
			return value > number
		}
		return value >= number
	}, nil
}

func TestFilterPatternsMeanWhatCloudWatchSays(t *testing.T) {
	t.Parallel()
	lines := []string{`{"a":"x","n":1,"b":true}`, `{"a":"y","n":2,"b":false}`, `{"n":"1"}`}
	for _, test := range []struct {
		pattern string
		want    []int
	}{
		{`{ $.a = "x" }`, []int{0}},
		{`{ $.a = "*" }`, []int{0, 1}},
		{`{ $.n = 1 }`, []int{0}},
		{`{ $.n > 1 }`, []int{1}},
		{`{ $.n >= 1 }`, []int{0, 1}},
		{`{ $.b IS TRUE }`, []int{0}},
		{`{ $.b IS FALSE }`, []int{1}},
		{`{ $.a = "x" || $.a = "y" && $.n = 1 }`, []int{0}},
		{`{ ($.a = "x" || $.a = "y") && $.n >= 2 }`, []int{1}},
	} {
		c, err := compile(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		var got []int
		for i, line := range lines {
			var parsed map[string]any
			if err := json.Unmarshal([]byte(line), &parsed); err != nil {
				t.Fatal(err)
			}
			if c(parsed) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s matches %v, want %v", test.pattern, got, test.want)
		}
	}
	for _, pattern := range []string{`ERROR`, `{ $.a }`, `{ $.a = x }`, `{ ($.a = "x" }`, `{ $.a = "x") }`, `{ $.a ~ "x" }`} {
		if _, err := compile(pattern); !errors.Is(err, errPattern) {
			t.Errorf("%s: got %v, want an error", pattern, err)
		}
	}
}
