// Package stories reads the stories in events/testdata/stories: deliveries, and
// what people must get of them in any order and repetition. The files have the
// members of [Story].
package stories

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Story is one file.
type Story struct {
	// Name is the file's name without its ending.
	Name string `yaml:"-"`
	// Title says in a sentence what happens.
	Title string `yaml:"story"`
	// Settings are parameters of the stack, by their names in template.yaml.
	Settings map[string]string `yaml:"settings"`
	// Yesterday is set if the story must be over when it is told: what JustCall says of the
	// future is not believed of who called whom first. Its calls are up to two days old.
	Yesterday bool `yaml:"yesterday"`
	// Given are deliveries that come before all others, such as contacts. Among
	// themselves they come in any order too.
	Given []Delivery `yaml:"given"`
	// Deliveries come in any order, and repeatedly.
	Deliveries []Delivery `yaml:"deliveries"`
	Want       Want       `yaml:"want"`
}

// Delivery is one request to the webhook. Exactly one of Body, A and B is set.
type Delivery struct {
	// Body is the body as it is.
	Body string `yaml:"body"`
	// Hex holds bytes that no text file can, in place of Body. Blanks are left out.
	Hex string `yaml:"hex"`
	// A is the data of an event of format A, laid over [baseA], and B that of one of
	// format B, laid over [baseB]. A member "(out)" takes out that of the base.
	A map[string]any `yaml:"a"`
	B map[string]any `yaml:"b"`
	// Type is the event's name; "" for call.missed in A, call.completed in B.
	Type string `yaml:"type"`
	// At is format A's timestamp; "" for 13:00 on [Day].
	At string `yaml:"at"`
	// ContentType is the header; "" for application/json.
	ContentType string `yaml:"content_type"`
	// Answer is the status that the request must get; 0 for 200.
	Answer int `yaml:"answer"`
}

// Want is what people must get.
type Want struct {
	// Alerts are those that were published and not taken back.
	Alerts []Alert `yaml:"alerts"`
	// Waiting are the callers who wait to be called back, each with the number of calls
	// behind a blank, if more than one: "+14155558765 2". Where no number is known it is
	// "call:" and the call's id. If it is not given, whoever is alerted of by number waits,
	// and nobody else.
	Waiting *[]string `yaml:"waiting"`
	// Unknown is how many calls of the day have an outcome that nobody knows.
	Unknown int `yaml:"unknown"`
	// Stored is how many events are stored; 0 for one of each delivery.
	Stored int `yaml:"stored"`
	// Nothing is set if the deliveries hold no event.
	Nothing bool `yaml:"nothing"`
	// Rejected is how many deliveries are kept as rejected.
	Rejected int `yaml:"rejected"`
	// Damage names what is odd, in all items together.
	Damage []string `yaml:"damage"`
}

// Alert is what an alert must say. Number "" means that no number is known.
type Alert struct {
	Kind      string   `yaml:"kind"`
	Outcome   string   `yaml:"outcome"`
	Number    string   `yaml:"number"`
	Extension string   `yaml:"extension"`
	Text      string   `yaml:"text"` // what was sent in place of a number
	Withheld  bool     `yaml:"withheld"`
	Name      string   `yaml:"name"`
	Company   string   `yaml:"company"`
	Line      string   `yaml:"line"`
	LineName  string   `yaml:"line_name"`
	Agents    []string `yaml:"agents"`
}

// Day is the day of the stories. A runner puts its own day in its place, since a
// call of another day may be too old to alert anybody.
const Day = "2026-11-28"

// The caller and the line of a story that names no others.
const (
	Caller = "+14155558765"
	Line   = "+14155551234"
)

func baseA() map[string]any {
	return map[string]any{"call_id": "c1", "direction": "inbound", "from": Caller, "to": Line}
}

func baseB() map[string]any {
	return map[string]any{
		"call_sid": "s", "contact_number": Caller[1:], "justcall_number": Line[1:],
		"call_date": Day, "call_time": "13:00:00",
		"call_info": map[string]any{"direction": "Incoming", "type": "missed"},
	}
}

// Folder is the folder of the stories, seen from a folder at a depth of that many
// below the module's.
func Folder(depth int) string {
	return filepath.Join(strings.Repeat("../", depth), "events", "testdata", "stories")
}

// Read reads every story of a folder, in the order of their names.
func Read(folder string) ([]Story, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no stories in %s", folder))
	}
	var all []Story
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // G304: a file of ours
		if err != nil {
			return nil, err
		}
		var s Story
		if err := yaml.UnmarshalWithOptions(text, &s, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		s.Name = strings.TrimSuffix(filepath.Base(file), ".yaml")
		for i := range s.Want.Alerts {
			a := &s.Want.Alerts[i]
			if a.Line == "" {
				a.Line = Line
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// Bytes returns the body of a delivery, with all its times moved to day.
func (d Delivery) Bytes(day time.Time) ([]byte, error) {
	var body []byte
	switch {
	case d.Hex != "":
		var err error
		if body, err = unhex(d.Hex); err != nil {
			return nil, err
		}
	case d.A != nil:
		at, typ := d.At, d.Type
		if at == "" {
			at = Day + "T13:00:00Z"
		}
		if typ == "" {
			typ = "call.missed"
		}
		body = encode(map[string]any{"event": typ, "timestamp": at, "data": lay(baseA(), d.A)})
	case d.B != nil:
		typ := d.Type
		if typ == "" {
			typ = "call.completed"
		}
		body = encode(map[string]any{"type": typ, "request_id": "01JDSGYB2CQ8V0NSE0YA5ZG1V4", "data": lay(baseB(), d.B)})
	default:
		body = []byte(d.Body)
	}
	moved := string(body)
	for _, separator := range []string{"-", "/"} {
		as := func(date string) string { return strings.ReplaceAll(date, "-", separator) }
		moved = strings.ReplaceAll(moved, as(Day), as(day.UTC().Format(time.DateOnly)))
	}
	return []byte(moved), nil
}

// On returns the day of a story that is told now.
func (s Story) On(now time.Time) time.Time {
	if s.Yesterday {
		return now.AddDate(0, 0, -1)
	}
	return now
}

func encode(v any) []byte {
	text, _ := json.Marshal(v) // maps of plain values only
	return text
}

func unhex(text string) ([]byte, error) {
	var body []byte
	if _, err := fmt.Sscanf(strings.Join(strings.Fields(text), ""), "%x", &body); err != nil {
		return nil, fmt.Errorf("hex: %w", err)
	}
	return body, nil
}

// lay lays members over those of base, in objects too. A member "(out)"
// is taken out.
func lay(base, over map[string]any) map[string]any {
	for name, value := range over {
		switch inner, ok := value.(map[string]any); {
		case ok:
			below, _ := base[name].(map[string]any)
			base[name] = lay(maps.Clone(orEmpty(below)), inner)
		case value == "(out)":
			delete(base, name)
		default:
			base[name] = value
		}
	}
	return base
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// Order returns the deliveries in the n-th of many orders, some of them repeatedly.
// Order 0 is that of the file.
func (s Story) Order(n int) []Delivery {
	rng := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // G404: the same each time
	mix := func(all []Delivery) []Delivery {
		all = slices.Clone(all)
		if n == 0 {
			return all
		}
		for _, d := range all {
			if rng.IntN(3) == 0 {
				all = append(all, d)
			}
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all
	}
	return append(mix(s.Given), mix(s.Deliveries)...)
}

// document is what is read of docs/alert.schema.json.
type document struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Outcome string `json:"outcome"`
	Caller  struct {
		Number    string `json:"number"`
		Extension string `json:"extension"`
		Text      string `json:"text"`
		Name      string `json:"name"`
		Company   string `json:"company"`
		Withheld  bool   `json:"withheld"`
	} `json:"caller"`
	Line struct {
		Number string `json:"number"`
		Name   string `json:"name"`
	} `json:"line"`
	Agents []struct {
		Name string `json:"name"`
	} `json:"agents"`
}

// Net returns the alerts among published documents that were not taken back, each
// once, in the order of their numbers.
func Net(documents [][]byte) ([]Alert, error) {
	published := map[string]Alert{}
	returned := map[string]bool{}
	for _, text := range documents {
		var d document
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, fmt.Errorf("read document: %w", err)
		}
		switch d.Kind {
		case "returned":
			returned[d.ID] = true
		case "correction":
		default:
			a := Alert{
				Kind: d.Kind, Outcome: d.Outcome,
				Number: d.Caller.Number, Extension: d.Caller.Extension, Text: d.Caller.Text, Withheld: d.Caller.Withheld,
				Name: d.Caller.Name, Company: d.Caller.Company,
				Line: d.Line.Number, LineName: d.Line.Name,
			}
			for _, agent := range d.Agents {
				a.Agents = append(a.Agents, agent.Name)
			}
			published[d.ID] = a
		}
	}
	for id := range returned {
		delete(published, id)
	}
	return Sorted(slices.Collect(maps.Values(published))), nil
}

// Sorted returns alerts in an order that depends on them alone.
func Sorted(alerts []Alert) []Alert {
	return slices.SortedFunc(slices.Values(alerts), func(a, b Alert) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

// Shown returns what of a published alert a story wants to be compared: an alert of
// a story that says nothing of outcome, names or agents leaves them open, since
// they may depend on what was stored by the time of the alert.
func (a Alert) Shown(like Alert) Alert {
	if like.Outcome == "" {
		a.Outcome = ""
	}
	if like.LineName == "" {
		a.LineName = ""
	}
	if like.Agents == nil {
		a.Agents = nil
	}
	return a
}
