package bolt_test

import (
	"testing"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

func TestItemsAreCountedByTheirSortKey(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	for _, key := range []table.Key{
		{PK: "CALL#1", SK: "EVENT#1"},
		{PK: "CALL#1", SK: "EVENT#2"},
		{PK: "CALL#\x001", SK: "EVENT#\x00"},
		{PK: "EVENT#x", SK: "EVENT#3"},
		{PK: "EVENT#x", SK: "ALERT#EVENT#"},
		{PK: "CALL#1\x00\x01EVENT#", SK: "ALERT#1"},
		{PK: "REJECTED#2026-03-12", SK: "2026#EVENT#"},
	} {
		if _, err := s.Put(t.Context(), table.Item{table.PK: attr.String(key.PK), table.SK: attr.String(key.SK)}); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string]int{"EVENT#": 4, "": 7, "ALERT#": 2, "EVENT#\x00": 1} {
		if got, err := s.CountSorted(prefix); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", prefix, got, err, want)
		}
	}
}

func TestTheBacklogIsTheFeedWithoutTheWait(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	if records, err := s.Backlog(0, 10); err != nil || len(records) != 0 {
		t.Errorf("an empty feed: %v, %v", records, err)
	}
	if registered, err := s.Registered("alerts"); err != nil || registered {
		t.Errorf("registered before: %v, %v", registered, err)
	}
	if err := s.Register(t.Context(), "alerts"); err != nil {
		t.Fatal(err)
	}
	if registered, err := s.Registered("alerts"); err != nil || !registered {
		t.Errorf("registered: %v, %v", registered, err)
	}
	for _, sk := range []string{"1", "2", "3"} {
		if _, err := s.Put(t.Context(), table.Item{table.PK: attr.String("CALL#1"), table.SK: attr.String(sk)}); err != nil {
			t.Fatal(err)
		}
	}
	if records, err := s.Backlog(1, 10); err != nil || len(records) != 2 || records[0].Sequence != 2 {
		t.Errorf("behind the first: %v, %v", records, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backlog(0, 10); err == nil {
		t.Error("a closed store has a backlog")
	}
}

// Before the oldest record that is left, there is nothing that a new consumer could do.
func TestANewConsumerBeginsWithTheOldestRecordThatIsLeft(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	begins := func(name string, want uint64) {
		t.Helper()
		if err := s.Register(t.Context(), "old", name); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Checkpoint(name); err != nil || got != want {
			t.Errorf("%s begins behind %d, %v, want %d", name, got, err, want)
		}
	}
	begins("on an empty feed", 0)
	for _, sk := range []string{"1", "2", "3"} {
		if _, err := s.Put(t.Context(), table.Item{table.PK: attr.String("CALL#1"), table.SK: attr.String(sk)}); err != nil {
			t.Fatal(err)
		}
	}
	begins("with the first", 0)
	if err := s.Register(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	for sequence := range uint64(3) {
		if err := s.SetCheckpoint(t.Context(), "old", sequence+1); err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), "old"); err != nil {
			t.Fatal(err)
		}
		begins("later", sequence+1)
		if err := s.Register(t.Context(), "old"); err != nil {
			t.Fatal(err)
		}
	}
}
