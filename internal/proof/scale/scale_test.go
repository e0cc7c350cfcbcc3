package scale_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/scale"
)

const (
	templatePath = "../../../template.yaml"
	documentPath = "../../../docs/scale.md"
	billPath     = "../../../docs/operations.md"
)

var load = sync.OnceValues(func() (*scale.Model, error) { return scale.Load(templatePath) })

// model returns the model of the template. Nobody may change it.
func model(t *testing.T) *scale.Model {
	t.Helper()
	m, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheDocumentsHaveTheTablesThatTheProgramPrints(t *testing.T) {
	t.Parallel()
	for path, tables := range map[string][]scale.Table{documentPath: model(t).Tables(), billPath: model(t).Bill()} {
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		filled, err := scale.Fill(string(document), tables)
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, path, []byte(filled))
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
		"`DefaultStoreTime` (" + scale.About(ingest.DefaultStoreTime.Seconds()) + " s)",
		"the " + scale.Up(float64(m.Traffic.Events)) + "\nthat were measured",
		scale.Up(float64(m.Traffic.Events)) + " were measured",
		"spills " + scale.About(m.At(1000).Peak*600) + " deliveries, and " + scale.About(m.DrainRate()) + " a second are drained",
	} {
		if !strings.Contains(string(document), words) {
			t.Errorf("%s does not say %q", documentPath, words)
		}
	}
}
