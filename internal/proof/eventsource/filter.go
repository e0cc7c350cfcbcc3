package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ErrPattern means that a filter pattern is invalid, or uses what this package does
// not play.
var ErrPattern = errors.New("eventsource: unusable filter pattern")

// Filter passes the records that match one of its patterns, or all records if it
// has none.
type Filter struct{ patterns []map[string]any }

// NewFilter returns the filter of JSON patterns. It knows the operators exists,
// prefix and anything-but.
func NewFilter(patterns ...string) (Filter, error) {
	var f Filter
	for _, text := range patterns {
		var pattern map[string]any
		if err := json.Unmarshal([]byte(text), &pattern); err != nil {
			return Filter{}, fmt.Errorf("%w: %w", ErrPattern, err)
		}
		if _, err := matches(pattern, nil); err != nil {
			return Filter{}, err
		}
		f.patterns = append(f.patterns, pattern)
	}
	return f, nil
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
	return slices.ContainsFunc(f.patterns, func(pattern map[string]any) bool {
		ok, _ := matches(pattern, value) // NewFilter has seen any error
		return ok
	})
}

// matches reports whether all members of a pattern match. It evaluates all of the
// pattern, so that the error does not depend on the value.
func matches(pattern, value map[string]any) (bool, error) {
	all := true
	for name, p := range pattern {
		v, present := value[name]
		var ok bool
		var err error
		switch p := p.(type) {
		case map[string]any:
			inner, _ := v.(map[string]any) // what is absent has no members
			ok, err = matches(p, inner)
		case []any:
			ok, err = matchesAny(p, v, present)
		default:
			err = fmt.Errorf("%w: %s is neither an object nor a list", ErrPattern, name)
		}
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

// matchesAny reports whether one rule of a list allows a value. Rules are about
// leaves, not about objects.
func matchesAny(rules []any, value any, present bool) (bool, error) {
	_, isObject := value.(map[string]any)
	text, isText := value.(string)
	found := false
	for _, rule := range rules {
		operator, ok := rule.(map[string]any)
		if !ok {
			found = found || present && reflect.DeepEqual(rule, value)
			continue
		}
		exists, isExists := operator["exists"].(bool)
		prefix, isPrefix := operator["prefix"].(string)
		not, isNot := operator["anything-but"].([]any)
		switch {
		case len(operator) == 1 && isExists:
			found = found || present == exists
		case len(operator) == 1 && isPrefix:
			found = found || isText && strings.HasPrefix(text, prefix)
		case len(operator) == 1 && isNot:
			found = found || present && !slices.ContainsFunc(not, func(n any) bool { return reflect.DeepEqual(n, value) })
		default:
			return false, fmt.Errorf("%w: operator %v", ErrPattern, operator)
		}
	}
	if len(rules) == 0 {
		return false, fmt.Errorf("%w: an empty list", ErrPattern)
	}
	return found && !isObject, nil
}
