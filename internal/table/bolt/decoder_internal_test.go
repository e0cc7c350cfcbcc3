package bolt

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/itemjson"
)

func TestWhatIsDecodedAgainIsTheSame(t *testing.T) {
	t.Parallel()
	d := newDecoder()
	for range 2 {
		for _, name := range []string{"a", "b", strings.Repeat("c", maxRememberedItem)} {
			want := table.Item{table.PK: attr.String(name), "list": attr.List{attr.Number("1")}}
			text, err := itemjson.Encode(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.decode(text)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%.20s: %v, %v", name, got, err)
			}
			got["else"] = attr.String("of whoever reads it")
			clear(text) // it is the file's
		}
	}
	if _, err := d.decode([]byte("{")); err == nil {
		t.Error("half an item is one")
	}
}
