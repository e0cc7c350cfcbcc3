package bolt_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// nothing is for no feed.
func nothing(table.Key) bool { return false }

// openBeside opens a store whose small items stand beside their keys.
func openBeside(t *testing.T, path string) *bolt.Store {
	t.Helper()
	s := tabletest.OpenBolt(t, path)
	s.Feeds = nothing
	return s
}

// markPK is the partition of marks.
const markPK = "CALLER#+" + markNumber

// markNumber is nobody's number.
const markNumber = "14155550144"

// mark is a small item of no index.
func mark(sk string) table.Item {
	return table.Item{table.PK: str(markPK), table.SK: str(sk), "note": str("PRIVATE " + sk)}
}

// putMarks puts marks.
func putMarks(t *testing.T, s *bolt.Store, sortKeys ...string) {
	t.Helper()
	for _, sk := range sortKeys {
		if created, err := s.Put(t.Context(), mark(sk)); err != nil || !created {
			t.Fatalf("Put %s = %t, %v", sk, created, err)
		}
	}
}

// standing returns what of a file stands beside its key, by key.
func standing(t *testing.T, path string) map[string][]byte {
	t.Helper()
	records := make(map[string][]byte)
	tamper(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(keysBucket)).ForEach(func(key, value []byte) error {
			if len(value) != len(bolt.SequenceKey(1)) {
				records[string(key)] = bytes.Clone(value)
			}
			return nil
		})
	})
	return records
}

// Nobody who reads or writes can tell whether items have rows or stand beside their keys.
func TestItDoesNotMatterWhereAnItemStands(t *testing.T) {
	t.Parallel()
	outer, folder := t, t.TempDir()
	stood, runs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		clock := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		paths := [2]string{filepath.Join(folder, fmt.Sprint(runs, "rows")), filepath.Join(folder, fmt.Sprint(runs, "beside"))}
		var stores [2]*bolt.Store
		open := func() {
			for i, path := range paths {
				s, err := bolt.Open(path, schema.Events())
				if err != nil {
					t.Fatal(err)
				}
				if s.Now = func() time.Time { return clock }; i == 1 {
					s.Feeds = nothing
				}
				stores[i] = s
			}
		}
		closeAll := func() {
			for _, s := range stores {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		open()
		defer func() { closeAll() }()
		// both does the same to both.
		both := func(what string, do func(*bolt.Store) string) {
			if rows, beside := do(stores[0]), do(stores[1]); rows != beside {
				t.Fatalf("%s: %s with rows, %s beside the keys", what, rows, beside)
			}
		}
		draw := func() table.Item {
			item := table.Item{
				table.PK: str(rapid.SampledFrom([]string{"CALL#1", "CALL#1\x00", "CALL#2"}).Draw(t, "PK")),
				table.SK: str(rapid.SampledFrom([]string{"a", "a\x00", "a\x00\x01", "b"}).Draw(t, "SK")),
				"note":   str(strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 200, 300}).Draw(t, "letters"))),
			}
			if rapid.Bool().Draw(t, "indexed") {
				// Of two that are at the same time, whichever came first is first.
				item[table.GSI1PK], item[table.OccurredAt] = str("PHONE#+1"), str(table.Text(item, table.SK)+table.Text(item, table.PK))
			}
			if rapid.Bool().Draw(t, "expires") {
				item[table.ExpiresAt] = attr.Number(strconv.FormatInt(clock.Add(time.Duration(rapid.IntRange(-1, 2).Draw(t, "hours"))*time.Hour).Unix(), 10))
			}
			return item
		}
		ctx := t.Context()
		update := func() {
			item, was := draw(), int64(rapid.IntRange(0, 2).Draw(t, "was"))
			item[table.Version] = attr.Number(strconv.FormatInt(was+1, 10))
			both("Update", func(s *bolt.Store) string { return fmt.Sprint(s.Update(ctx, item, was)) })
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(*rapid.T) {
				item := draw()
				both("Put", func(s *bolt.Store) string { return fmt.Sprint(s.Put(ctx, item)) })
			},
			"update":       func(*rapid.T) { update() },
			"update again": func(*rapid.T) { update() },
			"delete": func(*rapid.T) {
				key := table.KeyOf(draw())
				both("Delete", func(s *bolt.Store) string { return fmt.Sprint(s.Delete(ctx, key)) })
			},
			"sweep":  func(*rapid.T) { both("Sweep", func(s *bolt.Store) string { return fmt.Sprint(s.Sweep(ctx)) }) },
			"wait":   func(*rapid.T) { clock = clock.Add(time.Hour) },
			"reopen": func(*rapid.T) { closeAll(); open() },
			"": func(*rapid.T) {
				for _, q := range []table.Query{
					{Partition: "CALL#1"},
					{Partition: "CALL#1", Limit: 1, NewestFirst: true},
					{Partition: "CALL#1\x00"},
					{Partition: "CALL#2", SortPrefix: "a"},
					{Index: table.GSI1, Partition: "PHONE#+1"},
				} {
					both("Query", func(s *bolt.Store) string { return fmt.Sprint(s.Query(ctx, q)) })
				}
				both("Scan", func(s *bolt.Store) string { return fmt.Sprint(s.Scan(ctx, "", "")) })
				both("Count", func(s *bolt.Store) string { return fmt.Sprint(s.CountSorted("a")) })
			},
		})
		closeAll()
		stood += len(standing(outer, paths[1]))
		open()
	})
	if stood == 0 {
		t.Error("no item stood beside its key")
	}
}

func TestEveryByteBesideAKeyIsChecked(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := openBeside(t, path)
	putMarks(t, s, "1", "2", "3")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	key := bolt.Tuple(markPK, "2")
	whole := standing(t, path)[string(key)]
	if whole == nil {
		t.Fatal("the item has a row")
	}
	put := func(value []byte) func(tx *bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(keysBucket)).Put(key, value) }
	}
	others := [][]byte{{}, whole[:1], whole[:len(whole)-1], append(bytes.Clone(whole), 0), standing(t, path)[string(bolt.Tuple(markPK, "1"))]}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		others = append(others, changed)
	}
	for _, value := range others {
		tamper(t, path, put(value))
		s := openBeside(t, path)
		lines := logscan.Writer(t)
		s.Log = lines.Logger()
		wantPages(t, s, table.Query{Partition: markPK}, 1, []string{"1", "3"})
		if deleted, err := s.Sweep(t.Context()); deleted != 0 || err != nil {
			t.Errorf("%x: Sweep = %d, %v", value, deleted, err)
		}
		if said := lines.String(); strings.Count(said, "is damaged") != 1 || strings.Contains(said, "PRIVATE") || strings.Contains(said, markNumber) {
			t.Errorf("%x: logged:\n%s", value, said)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = openBeside(t, path)
	putMarks(t, s, "2") // it is new again
	wantPages(t, s, table.Query{Partition: markPK}, 0, []string{"1", "2", "3"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, put(whole[:1]))
	s = openBeside(t, path)
	if err := s.Delete(t.Context(), table.Key{PK: markPK, SK: "2"}); err != nil {
		t.Fatal(err)
	}
	wantPages(t, s, table.Query{Partition: markPK}, 0, []string{"1", "3"})
}

// Its record would have the size of a row's number.
func TestAnItemOfEightBytesHasARow(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := openBeside(t, path)
	item := table.Item{table.PK: str(markPK), table.SK: str("1"), table.Blocked: attr.Bool(true)}
	if _, err := s.Put(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	page, err := s.Query(t.Context(), table.Query{Partition: markPK})
	if diff := cmp.Diff([]table.Item{item}, page.Items); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(standing(t, path)); n != 0 {
		t.Error("it stands beside its key")
	}
}

// An import writes the newest first, and the numbers of callers come in any order: pages that were
// divided for entries behind the others would stay nearly empty.
func TestIndexesAreDense(t *testing.T) {
	t.Parallel()
	const items = 3000
	day := func(int) string { return "ANSWERED#2026-11-30#1" }
	for _, tc := range []struct {
		name      string
		index     table.Index
		partition func(i int) string
		number    func(i int) int
		want      float64 // how full pages are
	}{
		{"oldest first", table.GSI2, day, func(i int) int { return i }, 0.65},
		{"newest first", table.GSI2, day, func(i int) int { return items - i }, 0.4},
		{"numbers", table.GSI1, func(i int) string { return fmt.Sprintf("PHONE#%03d", i*7919%1000) }, func(i int) int { return i }, 0.6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := storePath(t)
			s := tabletest.OpenBolt(t, path)
			var putting sync.WaitGroup
			next := make(chan int)
			for range 4 {
				putting.Go(func() {
					for i := range next {
						item := mark(fmt.Sprintf("%05d", tc.number(i)))
						partition, _ := tc.index.Attributes()
						item[partition], item[table.OccurredAt] = str(tc.partition(i)), item[table.SK]
						if _, err := s.Put(t.Context(), item); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for i := range items {
				next <- i
			}
			close(next)
			putting.Wait()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, func(tx *bbolt.Tx) error {
				stats := tx.Bucket([]byte("index " + tc.index)).Stats()
				if full := float64(stats.LeafInuse) / float64(stats.LeafAlloc); stats.KeyN != items || full < tc.want {
					t.Errorf("%d entries, pages are full to %.2f, want %.2f", stats.KeyN, full, tc.want)
				}
				return nil
			})
		})
	}
}

// A new index in the template gets the items that it holds, wherever they stand.
func TestANewIndexHasWhatStoodBesideItsKey(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s, err := bolt.Open(path, schema.Table{Key: schema.Key{Partition: table.PK, Sort: table.SK}})
	if err != nil {
		t.Fatal(err)
	}
	s.Feeds = nothing
	putMarks(t, s, "0")
	for _, sk := range []string{"1", "2"} {
		item := mark(sk)
		item[table.GSI1PK], item[table.OccurredAt] = str("PHONE#+1"), str(sk)
		if _, err := s.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(standing(t, path)); n != 3 {
		t.Fatalf("%d items stand beside their keys", n)
	}
	s = openBeside(t, path)
	for _, q := range []table.Query{{Partition: markPK, From: "1"}, {Index: table.GSI1, Partition: "PHONE#+1"}} {
		if diff := cmp.Diff([]string{"1", "2"}, sortKeys(t, s, q)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", q.Index, diff)
		}
	}
	wantPages(t, s, table.Query{Partition: markPK}, 0, []string{"0", "1", "2"})
}

// Who reads an index goes on where an item was that has left it and stands beside its key now.
func TestAPageFollowsWhereAnItemHasLeftTheIndex(t *testing.T) {
	t.Parallel()
	s := openBeside(t, storePath(t))
	for _, sk := range []string{"1", "2", "3"} {
		item := mark(sk)
		item[table.GSI1PK], item[table.OccurredAt] = str("PHONE#+1"), str("at the same time")
		if _, err := s.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []table.Query{{NewestFirst: true}, {}} {
		q.Index, q.Partition, q.Limit = table.GSI1, "PHONE#+1", 1
		page, err := s.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		first := table.KeyOf(page.Items[0])
		if err := s.Delete(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		putMarks(t, s, first.SK)
		q.After = page.Next
		if got := sortKeys(t, s, q); len(got) == 0 || got[0] != "2" {
			t.Errorf("behind %s: %q, want 2 first", first.SK, got)
		}
	}
}
