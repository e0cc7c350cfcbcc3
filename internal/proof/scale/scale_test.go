package scale_test

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/scale"
)

const (
	templatePath = "../../../template.yaml"
	documentPath = "../../../docs/scale.md"
	billPath     = "../../../docs/operations.md"
)

var load = sync.OnceValues(scale.Load)

// model returns the model of the inputs. Nobody may change it.
func model(t *testing.T) *scale.Model {
	t.Helper()
	m, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Each table stands between two comments.
var place = regexp.MustCompile(`(?s)(<!-- make scale: (\w+) -->\n)(.*?)(<!-- end -->\n)`)

func TestTheDocumentsHaveTheTablesThatTheProgramPrints(t *testing.T) {
	t.Parallel()
	tables, err := model(t).Tables()
	if err != nil {
		t.Fatal(err)
	}
	left := make(map[string]string)
	for _, table := range tables {
		left[table.Name] = table.Text
	}
	// A table that is forgotten, or a place that is misspelt, would leave old
	// numbers in the document.
	for _, path := range []string{documentPath, billPath} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		places := 0
		filled := place.ReplaceAllStringFunc(string(text), func(match string) string {
			parts := place.FindStringSubmatch(match)
			table, ok := left[parts[2]]
			if !ok {
				t.Errorf("%s: no table %s, or two places for it", path, parts[2])
			}
			delete(left, parts[2])
			places++
			return parts[1] + table + parts[4]
		})
		if comments := strings.Count(filled, "<!-- make scale: "); comments != places {
			t.Fatalf("%s has %d comments, and %d of them begin the place of a table", path, comments, places)
		}
		golden.Check(t, path, []byte(filled))
	}
	if len(left) > 0 {
		t.Errorf("no place for %v", left)
	}
}

// What the text says of the model in words of its own.
func TestTheTextAgreesWithTheModel(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(documentPath)
	if err != nil {
		t.Fatal(err)
	}
	m := model(t)
	for _, words := range []string{
		"×" + scale.About(scale.PeakFactor()) + " the day's mean",
		"waits " + scale.About(m.StoreTime) + " s before it spills",
		"needs " + scale.About(m.HangTime) + " s for its first",
		"the " + scale.Up(float64(m.Events)) + "\nthat were measured",
		scale.Up(float64(m.Events)) + " were measured",
		"spills " + scale.About(m.At(1000)["Peak"]*600) + " deliveries, and " + scale.About(m.DrainRate()) + " a second are drained",
	} {
		if !strings.Contains(string(document), words) {
			t.Errorf("%s does not say %q", documentPath, words)
		}
	}
}
