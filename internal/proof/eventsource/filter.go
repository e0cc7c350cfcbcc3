package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// ErrPattern says that a filter pattern is none, or asks for something that is
// not played here.
var ErrPattern = errors.New("eventsource: unusable filter pattern")

// Filter decides which records a function gets: those that one of its patterns
// matches, or all if it has none.
type Filter struct{ patterns []map[string]any }

// NewFilter returns the filter of patterns in JSON. Of the operators it knows
// exists, prefix, suffix and anything-but.
func NewFilter(patterns ...string) (Filter, error) {
	var f Filter
	for _, text := range patterns {
		var pattern map[string]any
		if err := json.Unmarshal([]byte(text), &pattern); err != nil {
			return Filter{}, fmt.Errorf("%w: %w", ErrPattern, err)
		}
		if err := check(pattern); err != nil {
			return Filter{}, err
		}
		f.patterns = append(f.patterns, pattern)
	}
	return f, nil
}

// check walks a pattern as a match does, so that what is not known is found at
// once.
func check(pattern map[string]any) error {
	for name, p := range pattern {
		switch p := p.(type) {
		case map[string]any:
			if err := check(p); err != nil {
				return err
			}
		case []any:
			if len(p) == 0 {
				return fmt.Errorf("%w: %s allows nothing", ErrPattern, name)
			}
			for _, rule := range p {
				operator, ok := rule.(map[string]any)
				if !ok {
					continue // a value
				}
				if _, err := operate(operator, nil, false); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("%w: %s is neither an object nor a list", ErrPattern, name)
		}
	}
	return nil
}

// Match reports whether a record passes.
func (f Filter) Match(record []byte) bool {
	if len(f.patterns) == 0 {
		return true
	}
	var value map[string]any
	if err := json.Unmarshal(record, &value); err != nil {
		return false
	}
	for _, pattern := range f.patterns {
		if matchAll(pattern, value) {
			return true
		}
	}
	return false
}

// matchAll reports whether every member of a pattern matches.
func matchAll(pattern, value map[string]any) bool {
	for name, p := range pattern {
		v, there := value[name]
		switch p := p.(type) {
		case map[string]any:
			inner, _ := v.(map[string]any) // what is absent has no members
			if !matchAll(p, inner) {
				return false
			}
		case []any:
			if !matchAny(p, v, there) {
				return false
			}
		}
	}
	return true
}

// matchAny reports whether one rule of a list allows a value.
func matchAny(rules []any, value any, there bool) bool {
	if _, object := value.(map[string]any); object {
		return false // rules are about leaves
	}
	for _, rule := range rules {
		operator, ok := rule.(map[string]any)
		if !ok {
			if there && reflect.DeepEqual(rule, value) {
				return true
			}
			continue
		}
		if matches, err := operate(operator, value, there); err == nil && matches {
			return true
		}
	}
	return false
}

func operate(operator map[string]any, value any, there bool) (bool, error) {
	if len(operator) != 1 {
		return false, fmt.Errorf("%w: not one operator", ErrPattern)
	}
	text, isText := value.(string)
	for name, operand := range operator {
		switch operand := operand.(type) {
		case bool:
			if name == "exists" {
				return there == operand, nil
			}
		case string:
			switch name {
			case "prefix":
				return isText && strings.HasPrefix(text, operand), nil
			case "suffix":
				return isText && strings.HasSuffix(text, operand), nil
			}
		case []any:
			if name == "anything-but" {
				for _, not := range operand {
					if reflect.DeepEqual(not, value) {
						return false, nil
					}
				}
				return there, nil
			}
		}
		return false, fmt.Errorf("%w: operator %q with such an operand", ErrPattern, name)
	}
	return false, nil
}
