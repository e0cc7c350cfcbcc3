package scale_test

import (
	"os"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/golden"
	"github.com/ringback/ringback/internal/scale"
)

const (
	templatePath = "../../template.yaml"
	documentPath = "../../docs/scale.md"
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

func TestTheDocumentHasTheTablesThatTheProgramPrints(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(documentPath)
	if err != nil {
		t.Fatal(err)
	}
	filled, err := scale.Fill(string(document), model(t).Tables())
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, documentPath, []byte(filled))
}
