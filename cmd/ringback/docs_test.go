package main_test

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

func TestTheDocumentedParametersAreThoseOfTheTemplate(t *testing.T) {
	t.Parallel()
	var template struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, tabletest.TemplatePath(t))), &template); err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for name, parameter := range template.Parameters {
		want[name] = parameter.Default
	}

	got := make(map[string]string)
	for _, row := range documentedTable(t, "docs/parameters.md", "parameter") {
		defaults := strings.Split(strings.ReplaceAll(row[1], "`", ""), ", ")
		for i, name := range quoted(row[0]) {
			got[name] = defaults[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters and defaults (-template.yaml +docs/parameters.md):\n%s", diff)
	}
}

// Every sample event must be what docs/table.md says of it.
func TestTheDocumentedEventsAreWhatTheyAreTakenFor(t *testing.T) {
	t.Parallel()
	rows := documentedTable(t, "docs/table.md", "events")
	seen := make(map[events.Type]bool)
	for _, pattern := range []string{"events-samples/*.json", "events/testdata/a/*.json", "events/testdata/b/*.json"} {
		paths, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d samples, %v", pattern, len(paths), err)
		}
		for _, file := range paths {
			envelope, err := events.Open([]byte(readFile(t, file)))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			d := envelope.Decode()
			seen[d.Type] = true
			row := rowOf(rows, d)
			if row == nil {
				t.Errorf("%s is in no row", d.Type)
				continue
			}
			alert := ""
			if d.Kind.Alerts() {
				alert = string(d.Kind)
			}
			want := []string{shape(d.Details().Event), partitionOf(row[2], d), alert}
			got := []string{strings.Trim(row[1], "`"), table.EventKey(d).PK, strings.Trim(row[3], "`")}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: shape, partition, alert (-events +docs/table.md):\n%s", file, diff)
			}
		}
	}
	for _, typ := range events.Types() {
		if !seen[typ] {
			t.Errorf("no sample of %s", typ)
		}
	}
	for _, row := range rows {
		for _, name := range quoted(row[0]) {
			switch name {
			case "call_info.type", "missed": // of the row of missed calls
			default:
				if !strings.Contains(name, "*") && !events.Type(name).Registered() {
					t.Errorf("%s is no event", name)
				}
			}
		}
	}
}

// rowOf returns the row of the documented events that d belongs to: the one that
// names its type, else the one with a pattern for it.
func rowOf(rows [][]string, d *events.Delivery) []string {
	typ := string(d.Type)
	if d.Kind == events.KindMissedCall {
		typ = string(events.TypeCallMissed) // "any call of format B whose …"
	}
	var byPattern []string
	for _, row := range rows {
		for _, name := range quoted(row[0]) {
			if name == typ {
				return row
			}
			if ok, err := path.Match(name, typ); ok && err == nil {
				byPattern = row
			}
		}
	}
	return byPattern
}

func shape(e events.Event) string {
	switch e.(type) {
	case *events.Call:
		return "Call"
	case *events.Voicemail:
		return "Voicemail"
	case *events.Message:
		return "Message"
	case *events.Contact:
		return "Contact"
	}
	return "Unknown"
}

// partitionOf returns the partition of d by a cell such as `CALL#<call id>`.
func partitionOf(cell string, d *events.Delivery) string {
	prefix, _, _ := strings.Cut(quoted(cell)[0], "#")
	if prefix == "EVENT" {
		return "EVENT#" + string(d.Type)
	}
	return prefix + "#" + d.ID
}

func TestTheDocumentedWebhooksAreThoseThatAreNeeded(t *testing.T) {
	t.Parallel()
	var want [][]string
	for _, needed := range justcall.Needed {
		want = append(want, []string{"`" + string(needed.Type) + "`", needed.For})
	}
	if diff := cmp.Diff(want, documentedTable(t, "docs/connect.md", "type")); diff != "" {
		t.Errorf("types (-code +docs/connect.md):\n%s", diff)
	}
}

// Each row of README's table of questions has a command that answers it.
func TestTheDocumentedQuestionsHaveAnswers(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo(t, data, samples(t)).Exits(t, 0)
	for _, row := range documentedTable(t, "README.md", "question") {
		for _, command := range quoted(row[len(row)-1]) {
			args := strings.Fields(strings.ReplaceAll(command, `"+1 415 555 8765"`, "+14155558765"))
			if args[0] != "ringback" {
				t.Fatalf("%q is no command", command)
			}
			program.Run(t, append(args[1:], "--data", data, "--time-zone", "UTC")...).Exits(t, 0)
		}
	}
}

var quotedText = regexp.MustCompile("`([^`]*)`")

// quoted returns what stands between backticks.
func quoted(cell string) (texts []string) {
	for _, match := range quotedText.FindAllStringSubmatch(cell, -1) {
		texts = append(texts, match[1])
	}
	return texts
}

// documentedTable returns the rows of a page's table whose first column has that
// name.
func documentedTable(t *testing.T, page, column string) (rows [][]string) {
	t.Helper()
	_, rest, ok := strings.Cut(readFile(t, filepath.Join(root(t), page)), "\n| "+column+" |")
	if !ok {
		t.Fatalf("%s has no table of %s", page, column)
	}
	for i, line := range strings.Split(rest, "\n") {
		if i < 2 { // the rest of the head, and the line under it
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}
