package justcall

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
)

// lenient accepts what a webhook accepts, too: a row is not lost for a name that stands
// in it twice, or for half an emoji.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// row is an object of a response, read member by member: what is not as documented is
// empty, and spoils nothing else.
type row map[string]jsontext.Value

func newRow(object jsontext.Value) row {
	var r row
	_ = json.Unmarshal(object, &r, lenient) // what is no object has no members
	return r
}

// text returns a string or a number as text, and "" for anything else.
func (r row) text(name string) string {
	value := r[name]
	switch value.Kind() {
	case '"':
		var text string
		_ = json.Unmarshal(value, &text, lenient)
		return text
	case '0':
		return string(value)
	default:
		return ""
	}
}

// number returns a whole number, also one in a string, and 0 for anything else.
func (r row) number(name string) int64 {
	text := strings.TrimSpace(r.text(name))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	n, err := strconv.ParseFloat(text, 64) // 1.2e7
	if err != nil || n != float64(int64(n)) {
		return 0
	}
	return int64(n)
}

func (r row) object(name string) row { return newRow(r[name]) }

// elements returns an array's values, and none for anything else.
func (r row) elements(name string) []jsontext.Value {
	var all []jsontext.Value
	_ = json.Unmarshal(r[name], &all, lenient)
	return all
}

func (r row) texts(name string) (all []string) {
	for _, value := range r.elements(name) {
		if text := (row{"": value}).text(""); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// bool reports whether a member is true or a word for it.
func (r row) bool(name string) bool {
	return r[name].Kind() == 't' || strings.EqualFold(r.text(name), "yes") || strings.EqualFold(r.text(name), "true")
}

// time returns the time that stands in two members, the zero time if none does.
func (r row) time(date, clock string) time.Time {
	parts := strings.Split(r.text(clock), ":")
	for i, part := range parts {
		if len(part) == 1 {
			parts[i] = "0" + part // "8:5:3"
		}
	}
	at, _ := events.ParseTime(strings.TrimSpace(r.text(date) + " " + strings.Join(parts, ":")))
	return at
}
