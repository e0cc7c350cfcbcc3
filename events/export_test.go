package events

import "github.com/go-json-experiment/json/jsontext"

// For the tests in package events_test.

// Inside returns what stands in an object, name after value, or in an array.
func Inside(value jsontext.Value) (inside []string) {
	if value.Kind() == '{' {
		eachMember(value, func(name string, v jsontext.Value) { inside = append(inside, name, string(v)) })
		return inside
	}
	eachElement(value, func(v jsontext.Value) { inside = append(inside, string(v)) })
	return inside
}
