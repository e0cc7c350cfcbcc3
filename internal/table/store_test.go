package table_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// queried is a store that is only queried.
type queried struct {
	table.Store

	query func(context.Context, table.Query) (table.Page, error)
}

func (s queried) Query(ctx context.Context, q table.Query) (table.Page, error) {
	return s.query(ctx, q)
}

func TestAll(t *testing.T) {
	t.Parallel()
	failure := errors.New("third page")
	pages := map[table.Cursor]table.Page{
		"":  {Items: []table.Item{{"n": num("1")}}, Next: "b"},
		"b": {Next: "c"}, // an empty page in the middle
		"c": {Items: []table.Item{{"n": num("2")}, {"n": num("3")}}, Next: "d"},
	}
	s := queried{query: func(_ context.Context, q table.Query) (table.Page, error) {
		page, ok := pages[q.After]
		if !ok {
			return table.Page{}, failure
		}
		return page, nil
	}}
	var got []string
	var last error
	for item, err := range table.All(t.Context(), s, table.Query{Partition: "P"}) {
		if last = err; err == nil {
			got = append(got, string(item["n"].(attr.Number)))
		}
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, got); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if !errors.Is(last, failure) {
		t.Errorf("last error %v, want %v", last, failure)
	}
}

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 50, 1024)
		p := table.Position{
			Index:     table.GSI1,
			Partition: key.Draw(t, "partition"), Sort: key.Draw(t, "sort"),
			PK: key.Draw(t, "PK"), SK: key.Draw(t, "SK"),
		}
		q := table.Query{Index: p.Index, Partition: p.Partition, From: p.Sort, To: p.Sort, After: p.Cursor()}
		got, err := q.Start()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("position (-want +got):\n%s", diff)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(string(table.Position{Partition: "P", Sort: "S", PK: "P", SK: "S"}.Cursor()))
	f.Add("AAAAAA")
	f.Add("____________")
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := table.Query{Partition: "P", After: table.Cursor(cursor)}.Start()
		if err != nil && !errors.Is(err, table.ErrQuery) {
			t.Errorf("Start: %v, want %v", err, table.ErrQuery)
		}
	})
}
