package tabletest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/table"
)

// Memory is a table for code that only writes. It refuses what every [table.Store]
// refuses. The zero Memory is empty and ready; its methods may be called
// concurrently.
type Memory struct {
	mu    sync.Mutex
	puts  int
	items map[table.Key]table.Item
}

// Put writes item unless its key exists, as [table.Store] says.
func (m *Memory) Put(_ context.Context, item table.Item) (created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	if err := table.Check(item); err != nil {
		return false, err
	}
	key := table.Key{PK: table.Text(item, table.PK), SK: table.Text(item, table.SK)}
	if _, exists := m.items[key]; exists {
		return false, nil
	}
	if m.items == nil {
		m.items = map[table.Key]table.Item{}
	}
	m.items[key] = item
	return true, nil
}

// Puts returns how often Put was called.
func (m *Memory) Puts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.puts
}

// Items returns what was written, in no particular order.
func (m *Memory) Items() []table.Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.items))
}

// One returns the only item. It ends the test unless there is exactly one.
func (m *Memory) One(t testing.TB) table.Item {
	t.Helper()
	items := m.Items()
	if len(items) != 1 {
		t.Fatalf("%d items written, want one", len(items))
	}
	return items[0]
}

// PutFunc is a table of one function.
type PutFunc func(ctx context.Context, item table.Item) (created bool, err error)

// Put calls f.
func (f PutFunc) Put(ctx context.Context, item table.Item) (created bool, err error) {
	return f(ctx, item)
}
