package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// writerVariable names a file. With it, the test binary writes to the store in that
// file until it is killed.
const writerVariable = "RINGBACK_TEST_WRITER"

func TestMain(m *testing.M) {
	for variable, job := range map[string]func(path string) error{
		writerVariable:   writeForever,
		consumerVariable: consumeForever,
		openerVariable:   openStore,
	} {
		if path := os.Getenv(variable); path != "" {
			fmt.Fprintln(os.Stderr, job(path))
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForever writes items from several goroutines, and prints the sort key of each
// after Put returned.
func writeForever(path string) error {
	s, err := bolt.Open(path, schema.Events())
	if err != nil {
		return err
	}
	failed := make(chan error)
	for writer := range 8 {
		go func() {
			for i := 0; ; i++ {
				sk := fmt.Sprintf("%d-%06d", writer, i)
				if _, err := s.Put(context.Background(), indexed(sk)); err != nil {
					failed <- err
					return
				}
				_, _ = fmt.Fprintln(os.Stdout, sk)
			}
		}()
	}
	return <-failed
}

func str(s string) attr.Value { return attr.String(s) }

// indexed returns an item of CALL#1 that GSI1 has under PHONE#+1.
func indexed(sk string) table.Item {
	return table.Item{
		table.PK: str("CALL#1"), table.SK: str(sk),
		table.GSI1PK: str("PHONE#+1"), table.OccurredAt: str(sk),
		"payload": str(strings.Repeat("x", 500)),
	}
}

func sortKeys(t *testing.T, s table.Store, q table.Query) []string {
	t.Helper()
	var keys []string
	for item, err := range table.All(t.Context(), s, q) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, table.PositionOf(q.Index, item).SK)
	}
	return keys
}

func TestEveryAcknowledgedWriteSurvivesKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	var acknowledged []string
	for round := range 3 {
		// All rounds write the same keys. Put acknowledges existing ones too.
		acknowledged = append(acknowledged, runAndKill(t, writerVariable, path, 150+100*round)...)
	}

	s := tabletest.OpenBolt(t, path)
	for _, q := range []table.Query{
		{Partition: "CALL#1"},
		{Index: table.GSI1, Partition: "PHONE#+1"},
	} {
		stored := map[string]bool{}
		for _, sk := range sortKeys(t, s, q) {
			stored[sk] = true
		}
		lost := 0
		for _, sk := range acknowledged {
			if !stored[sk] {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("index %q: %d of %d acknowledged writes are lost", q.Index, lost, len(acknowledged))
		}
	}
}

// runAndKill runs the job of a variable in another process, kills it after it has
// printed a number of lines, and returns all that it printed.
func runAndKill(t *testing.T, variable, path string, lines int) (printed []string) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable)
	cmd.Env = append(os.Environ(), variable+"="+path)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		if printed = append(printed, scanner.Text()); len(printed) == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(printed) < lines {
		t.Fatalf("%d lines printed, want %d", len(printed), lines)
	}
	return printed
}

func TestAStoreReopensWithItsItems(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "folder", "events.db")
	s := tabletest.OpenBolt(t, path)
	if _, err := s.Put(t.Context(), indexed("1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = tabletest.OpenBolt(t, path)
	if created, err := s.Put(t.Context(), indexed("1")); created || err != nil {
		t.Errorf("Put after reopening = %t, %v, want false, nil", created, err)
	}
	if diff := cmp.Diff([]string{"1"}, sortKeys(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"})); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
}

func TestOneProcessPerFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	tabletest.OpenBolt(t, path)
	_, err := bolt.Open(path, schema.Events())
	if !errors.Is(err, bolt.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("second Open: %v, want %v and the path", err, bolt.ErrLocked)
	}
}

func TestOpenRefusesAnotherFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a store ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path, schema.Events()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v, want an error that names the file", err)
	}
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatalf("Close twice: %v", err)
	}
	if _, err := s.Put(t.Context(), indexed("1")); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("Put: %v, want %v", err, table.ErrUnavailable)
	}
	if _, err := s.Query(t.Context(), table.Query{Partition: "CALL#1"}); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("Query: %v, want %v", err, table.ErrUnavailable)
	}
}

// Writes that are acknowledged while the store is being closed are stored.
func TestCloseWaitsForWritesUnderWay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	s := tabletest.OpenBolt(t, path)
	var acknowledged sync.Map
	var wg sync.WaitGroup
	for writer := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				sk := fmt.Sprintf("%d-%d", writer, i)
				_, err := s.Put(t.Context(), indexed(sk))
				if err != nil {
					if !errors.Is(err, table.ErrUnavailable) {
						t.Errorf("Put: %v", err)
					}
					return
				}
				acknowledged.Store(sk, true)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()

	s = tabletest.OpenBolt(t, path)
	for _, sk := range sortKeys(t, s, table.Query{Partition: "CALL#1"}) {
		acknowledged.Delete(sk)
	}
	acknowledged.Range(func(sk, _ any) bool {
		t.Errorf("write %v is lost", sk)
		return true
	})
}

func TestIndexesFollowTheSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	bare := schema.Table{Key: schema.Key{Partition: table.PK, Sort: table.SK}}
	s, err := bolt.Open(path, bare)
	if err != nil {
		t.Fatal(err)
	}
	for _, sk := range []string{"1", "2"} {
		if _, err := s.Put(t.Context(), indexed(sk)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Query(t.Context(), table.Query{Index: table.GSI1, Partition: "PHONE#+1"}); !errors.Is(err, table.ErrQuery) {
		t.Errorf("Query of an index that is not in the schema: %v, want %v", err, table.ErrQuery)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// A new index in the template gets the existing items.
	s = tabletest.OpenBolt(t, path)
	q := table.Query{Index: table.GSI1, Partition: "PHONE#+1"}
	if diff := cmp.Diff([]string{"1", "2"}, sortKeys(t, s, q)); diff != "" {
		t.Errorf("new index (-want +got):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// So does an index whose keys changed.
	changed := schema.Events()
	changed.Indexes[0].Key = schema.Key{Partition: table.PK, Sort: table.OccurredAt}
	s, err = bolt.Open(path, changed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if diff := cmp.Diff([]string{"1", "2"}, sortKeys(t, s, table.Query{Index: table.GSI1, Partition: "CALL#1"})); diff != "" {
		t.Errorf("changed index (-want +got):\n%s", diff)
	}
	if got := sortKeys(t, s, q); len(got) > 0 {
		t.Errorf("changed index still holds %q", got)
	}
}

// It has the items that were put while the schema did not have the index.
func TestAnIndexThatComesBackIsWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	with := schema.Events()
	without := with
	without.Indexes = slices.DeleteFunc(slices.Clone(with.Indexes), func(i schema.Index) bool { return i.Name == string(table.GSI2) })
	q := table.Query{Index: table.GSI2, Partition: "ALERT#1"}
	for _, step := range []struct {
		schema schema.Table
		put    string
		want   []string // nil without the index
	}{
		{with, "1", []string{"1"}},
		{without, "2", nil},
		{with, "3", []string{"1", "2", "3"}},
	} {
		s, err := bolt.Open(path, step.schema)
		if err != nil {
			t.Fatal(err)
		}
		item := indexed(step.put)
		item[table.GSI2PK], item[table.OccurredAt] = str(q.Partition), str(step.put)
		if _, err := s.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if step.want != nil {
			if diff := cmp.Diff(step.want, sortKeys(t, s, q)); diff != "" {
				t.Errorf("after item %s (-want +got):\n%s", step.put, diff)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A single writer must not wait for others, and many must not need a commit each.
func TestWritersShareCommits(t *testing.T) {
	t.Parallel()
	const writers, each = 64, 8
	path := filepath.Join(t.TempDir(), "events.db")
	s := tabletest.OpenBolt(t, path)
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Put(t.Context(), indexed(fmt.Sprintf("%d-%d", writer, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	if commits := commitsOf(t, path); commits > writers*each/2 {
		t.Errorf("%d commits for %d writes", commits, writers*each)
	}
}

func BenchmarkPut(b *testing.B) {
	s, err := bolt.Open(filepath.Join(b.TempDir(), "events.db"), schema.Events())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	n := 0
	for b.Loop() {
		n++
		if _, err := s.Put(b.Context(), indexed(fmt.Sprint(n))); err != nil {
			b.Fatal(err)
		}
	}
}

// Nothing is left out if the item is deleted at which a page of an index ended.
func TestAPageFollowsWhereAnItemWasDeleted(t *testing.T) {
	t.Parallel()
	for _, newestFirst := range []bool{false, true} {
		s := tabletest.NewBolt(t)
		for _, sk := range []string{"1", "2", "3"} {
			item := indexed(sk)
			item[table.OccurredAt] = str("same")
			if _, err := s.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
		}
		q := table.Query{Index: table.GSI1, Partition: "PHONE#+1", NewestFirst: newestFirst, Limit: 2}
		page, err := s.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, item := range page.Items {
			seen[table.KeyOf(item).SK] = true
		}
		if err := s.Delete(t.Context(), table.KeyOf(page.Items[1])); err != nil {
			t.Fatal(err)
		}
		q.After = page.Next
		for item, err := range table.All(t.Context(), s, q) {
			if err != nil {
				t.Fatal(err)
			}
			seen[table.KeyOf(item).SK] = true
		}
		if len(seen) != 3 {
			t.Errorf("newest first: %t: %v are read", newestFirst, seen)
		}
	}
}
