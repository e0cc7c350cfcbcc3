// Package conformance_test runs one suite on every implementation of
// [table.Store], and on the writer of the webhook function.
package conformance_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// written is what a [dynamo.Writer] has written, read by the SDK's client.
type written struct {
	*dynamostore.Store

	writer *dynamo.Writer
}

func (w written) Put(ctx context.Context, item table.Item) (created bool, err error) {
	return w.writer.Put(ctx, item)
}

func TestConformanceOfBolt(t *testing.T) {
	t.Parallel()
	conform(t, "bbolt", func(t *testing.T) table.Store { return tabletest.NewBolt(t) })
}

func TestConformanceOfDynamoDB(t *testing.T) {
	t.Parallel()
	tabletest.Endpoint(t) // skip once, not for each check
	conform(t, "dynamodb", func(t *testing.T) table.Store { return dynamostore.New(tabletest.NewTable(t)) })
}

func TestConformanceOfTheWriter(t *testing.T) {
	t.Parallel()
	tabletest.Endpoint(t) // skip once, not for each check
	conform(t, "writer", func(t *testing.T) table.Store {
		config, name := tabletest.NewTable(t)
		return written{dynamostore.New(config, name), dynamo.NewWriter(config, name)}
	})
}

// conform checks that the stores that open returns keep the contract of
// [table.Store]. Each call of open returns an empty store of its own. At the end
// conform prints how many checks passed.
func conform(t *testing.T, name string, open func(t *testing.T) table.Store) {
	t.Helper()
	elapsed := stopwatch(time.Now)
	var passed atomic.Int64
	ok := t.Run("conformance", func(t *testing.T) {
		for _, c := range slices.Concat(putChecks, updateChecks, queryChecks, scanChecks, indexChecks, valueChecks, expiryChecks) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.check(t, open(t))
				if !t.Failed() {
					passed.Add(1)
				}
			})
		}
	})
	if n := passed.Load(); ok && n > 0 {
		summary := fmt.Sprintf("conformance %s: %d checks passed in %v", name, n, elapsed().Round(time.Millisecond))
		t.Log(summary)
		_, _ = fmt.Fprintln(os.Stdout, summary)
	}
}

func stopwatch(now func() time.Time) (elapsed func() time.Duration) {
	start := now()
	return func() time.Duration { return now().Sub(start) }
}

// check is one rule of the contract, checked on an empty store.
type check struct {
	name  string
	check func(*testing.T, table.Store)
}

func str(s string) attr.Value { return attr.String(s) }

func num(s string) attr.Value { return attr.Number(s) }

func bin(s string) attr.Value { return attr.Binary([]byte(s)) }

// newItem returns an item with the keys of the table and other attributes.
func newItem(pk, sk string, others ...table.Item) table.Item {
	item := table.Item{table.PK: str(pk), table.SK: str(sk)}
	for _, o := range others {
		maps.Copy(item, o)
	}
	return item
}

func inGSI1(pk, sk string) table.Item {
	return table.Item{table.GSI1PK: str(pk), table.OccurredAt: str(sk)}
}

func inGSI2(pk, sk string) table.Item {
	return table.Item{table.GSI2PK: str(pk), table.OccurredAt: str(sk)}
}

// waiting returns the attributes of an item in GSI3.
func waiting(sk string) table.Item {
	return table.Item{table.GSI3PK: str(table.WaitingPartition), table.GSI3SK: str(sk)}
}

// put stores items that are not there yet.
func put(t *testing.T, s table.Store, items ...table.Item) {
	t.Helper()
	for _, item := range items {
		created, err := s.Put(t.Context(), item)
		if err != nil {
			t.Fatalf("Put(%s): %v", keyOf(item), err)
		}
		if !created {
			t.Fatalf("Put(%s): created = false for a new key", keyOf(item))
		}
	}
}

// keyOf returns the table's key of an item, for messages and comparisons.
func keyOf(item table.Item) string {
	p := table.PositionOf(table.Base, item)
	return fmt.Sprintf("%.60q %.60q", p.PK, p.SK)
}

func sortKeys(items []table.Item) []string {
	keys := []string{}
	for _, item := range items {
		keys = append(keys, table.PositionOf(table.Base, item).SK)
	}
	return keys
}

// indexLag is how long an index may take to show what was put.
const indexLag = 10 * time.Second

// readAll returns everything that q matches. A query of an index is repeated
// until it returns as many items as are wanted.
func readAll(t *testing.T, s table.Store, q table.Query, want int) []table.Item {
	t.Helper()
	deadline := time.After(indexLag)
	for {
		items := readOnce(t, s, q)
		if q.Index == table.Base || len(items) >= want {
			return items
		}
		select {
		case <-deadline:
			return items
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// readOnce follows the pages of q to their end.
func readOnce(t *testing.T, s table.Store, q table.Query) []table.Item {
	t.Helper()
	var items []table.Item
	for pages := 0; ; pages++ {
		if pages > 1000 {
			t.Fatal("more than 1000 pages: the cursor does not advance")
		}
		page, err := s.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("Query(page %d): %v", pages, err)
		}
		if q.Limit > 0 && len(page.Items) > q.Limit {
			t.Fatalf("page of %d items, limit %d", len(page.Items), q.Limit)
		}
		items = append(items, page.Items...)
		if page.Next == "" {
			return items
		}
		q.After = page.Next
	}
}

// wantSortKeys checks the order of all that q matches.
func wantSortKeys(t *testing.T, s table.Store, q table.Query, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, sortKeys(readAll(t, s, q, len(want)))); diff != "" {
		t.Errorf("sort keys of %+v (-want +got):\n%s", q, diff)
	}
}

// wantItems checks the content of all that q matches.
func wantItems(t *testing.T, s table.Store, q table.Query, want ...table.Item) {
	t.Helper()
	if diff := diffItems(want, readAll(t, s, q, len(want))); diff != "" {
		t.Errorf("items of %+v (-want +got):\n%s", q, diff)
	}
}

// diffItems compares items by content.
func diffItems(want, got any) string {
	return cmp.Diff(want, got,
		cmpopts.EquateEmpty(),
		// Much faster than byte by byte, and apart from what EquateEmpty takes.
		cmp.FilterValues(func(a, b attr.Binary) bool { return len(a)*len(b) > 0 }, cmp.Comparer(func(a, b attr.Binary) bool { return bytes.Equal(a, b) })),
	)
}
