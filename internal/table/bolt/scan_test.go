package bolt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
)

func TestScanHasEveryItemOfEveryPartition(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	if got := scan(t, s); len(got) > 0 {
		t.Errorf("%q are in an empty table", got)
	}
	for i := range 6 {
		partition := []string{"\x00", "CALL#1", "EVENT#sms.sent", "~", "~", "\U0010FFFF"}[i]
		sort := fmt.Sprint(i)
		item := table.Item{table.PK: str(partition), table.SK: str(sort), "body": str(strings.Repeat("x", 300<<10))} // several pages
		if _, err := s.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"\x00 0", "CALL#1 1", "EVENT#sms.sent 2", "~ 3", "~ 4", "\U0010FFFF 5"}
	if diff := cmp.Diff(want, scan(t, s)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	for _, err := range table.ScanAll(t.Context(), s, "", "") {
		if err != nil {
			t.Error(err)
		}
		break // must not go on
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	times := 0
	for item, err := range table.ScanAll(t.Context(), s, "", "") {
		if times++; item != nil || !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("of a closed store: %v, %v, want %v", item, err, table.ErrUnavailable)
		}
	}
	if times != 1 {
		t.Errorf("%d items or errors of a closed store, want 1", times)
	}
}

func scan(t *testing.T, s *bolt.Store) (keys []string) {
	t.Helper()
	for item, err := range table.ScanAll(t.Context(), s, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		key := table.KeyOf(item)
		keys = append(keys, key.PK+" "+key.SK)
	}
	return keys
}
