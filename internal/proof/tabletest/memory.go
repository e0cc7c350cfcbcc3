package tabletest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var now = time.Now

// Memory is a table in memory, whose indexes have whole items. It refuses what every [table.Store]
// refuses. The zero Memory is empty and ready; its methods may be called
// concurrently.
type Memory struct {
	// Now is the clock by which items expire; nil is [time.Now].
	Now func() time.Time

	mu    sync.Mutex
	puts  int
	items map[string]map[string]table.Item // by PK and SK
}

func (m *Memory) now() time.Time {
	if m.Now == nil {
		return now()
	}
	return m.Now()
}

// Put writes item unless its key exists, as [table.Store] says.
func (m *Memory) Put(_ context.Context, item table.Item) (created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	if err := table.Check(item); err != nil {
		return false, err
	}
	key := table.KeyOf(item)
	if stored, exists := m.items[key.PK][key.SK]; exists && !table.Expired(stored, m.now()) {
		return false, nil
	}
	m.set(key, item)
	return true, nil
}

// Update writes item in place of the version was, as [table.Store] says.
func (m *Memory) Update(_ context.Context, item table.Item, was int64) (updated bool, err error) {
	if err := errors.Join(table.Check(item), table.CheckUpdate(item, was)); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := table.KeyOf(item)
	stored, exists := m.items[key.PK][key.SK]
	if exists && was == 0 && table.Expired(stored, m.now()) {
		exists = false
	}
	version, versioned := stored[table.Version].(attr.Number)
	if exists != (was != 0) || exists && versioned != (was > 0) || versioned && string(version) != strconv.FormatInt(was, 10) {
		return false, nil
	}
	m.set(key, item)
	return true, nil
}

// set writes an item. The caller holds the lock.
func (m *Memory) set(key table.Key, item table.Item) {
	if m.items == nil {
		m.items = make(map[string]map[string]table.Item)
	}
	if m.items[key.PK] == nil {
		m.items[key.PK] = make(map[string]table.Item)
	}
	m.items[key.PK][key.SK] = item
}

// Scan returns all items whose PK begins with prefix on one page, as [table.Store]
// says.
func (m *Memory) Scan(_ context.Context, prefix string, after table.Cursor) (page table.Page, err error) {
	if _, err := table.ScanStart(prefix, after); err != nil || after != "" {
		return table.Page{}, errors.Join(table.ErrQuery, err)
	}
	for _, item := range m.Items() {
		if strings.HasPrefix(table.KeyOf(item).PK, prefix) {
			page.Items = append(page.Items, item)
		}
	}
	page.Items = table.Live(page.Items, m.now())
	return page, nil
}

// Query returns the items of a partition, all on one page, as [table.Store] says.
func (m *Memory) Query(_ context.Context, q table.Query) (page table.Page, err error) {
	if _, err := q.Start(); err != nil {
		return table.Page{}, err //nolint:wrapcheck // it says what is wrong
	}
	partition, sort := q.Index.Attributes()
	items := m.partition(q.Partition)
	if q.Index != table.Base {
		items = m.Items()
	}
	for _, item := range items {
		at := table.Text(item, sort)
		if table.Text(item, partition) == q.Partition && strings.HasPrefix(at, q.SortPrefix) && at >= q.From && (q.To == "" || at <= q.To) {
			page.Items = append(page.Items, item)
		}
	}
	page.Items = table.Live(page.Items, m.now())
	slices.SortFunc(page.Items, func(a, b table.Item) int { return cmp.Compare(table.Text(a, sort), table.Text(b, sort)) })
	if q.NewestFirst {
		slices.Reverse(page.Items)
	}
	return page, nil
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
	var all []table.Item
	for _, partition := range m.items {
		all = slices.AppendSeq(all, maps.Values(partition))
	}
	return all
}

func (m *Memory) partition(pk string) []table.Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.items[pk]))
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
