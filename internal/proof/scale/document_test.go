package scale_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/scale"
)

func TestFillPutsTablesInTheirPlaces(t *testing.T) {
	t.Parallel()
	tables := []scale.Table{{Name: "a", Text: "new a\n"}, {Name: "b", Text: "new b\n"}}
	const (
		document = "# Title\n<!-- make scale: b -->\nold\n<!-- end -->\ntext\n<!-- make scale: a -->\n<!-- end -->\n"
		want     = "# Title\n<!-- make scale: b -->\nnew b\n<!-- end -->\ntext\n<!-- make scale: a -->\nnew a\n<!-- end -->\n"
	)
	got, err := scale.Fill(document, tables)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("filled (-want +got):\n%s", diff)
	}
	again, err := scale.Fill(got, tables)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("filled again, it is another (-once +twice):\n%s", diff)
	}
}

// A table that is forgotten, or a place that is misspelt, would leave old
// numbers in the document.
func TestFillRefusesWhatDoesNotMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, document string }{
		{"a table without a place", "text\n"},
		{"a place without a table", "<!-- make scale: a -->\n<!-- end -->\n<!-- make scale: c -->\n<!-- end -->\n"},
		{"two places for one table", "<!-- make scale: a -->\n<!-- end -->\n<!-- make scale: a -->\n<!-- end -->\n"},
		{"a place without an end", "<!-- make scale: a -->\ntext\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := scale.Fill(test.document, []scale.Table{{Name: "a", Text: "a\n"}}); !errors.Is(err, scale.ErrDocument) {
				t.Errorf("got %v, want %v", err, scale.ErrDocument)
			}
		})
	}
}
