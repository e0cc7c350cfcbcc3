package rerun_test

import (
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/rerun"
	"github.com/ringback/ringback/internal/table"
)

var now = time.Date(2026, time.March, 12, 20, 0, 0, 0, time.UTC)

// A delivery that was refused is stored when somebody says so, and not by looking; and once,
// however often, and whether or not it has come again since.
func TestPromise2_WhatIsReleasedIsStoredOnce(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	first, second := lookuptest.Missed("c1", "+14155550120", "2026-03-12T14:00:00Z"), lookuptest.Missed("c2", "+14155550121", "2026-03-12T15:00:00Z")
	envelope, err := events.Open([]byte(second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), table.EventItem(envelope.Decode(), time.Time{}, now)); err != nil {
		t.Fatal(err)
	}
	refused := lookup.Rejected{At: now, Body: []byte("[" + first + "," + second + "]")}
	for i, want := range []struct{ write, stored, isNew bool }{
		{false, false, false}, {false, false, false}, {true, true, true}, {true, true, false}, {false, true, false},
	} {
		all, err := rerun.Release(t.Context(), store, refused, want.write, now)
		if err != nil || len(all) != 2 {
			t.Fatalf("%+v, %v", all, err)
		}
		if all[0].Stored != want.stored || all[0].New != want.isNew {
			t.Errorf("%d: %+v, want %+v", i, all[0], want)
		}
		if !all[1].Stored || all[1].New {
			t.Errorf("%d: what has come again since: %+v", i, all[1])
		}
	}
	stored := 0
	for _, err := range table.ScanAll(t.Context(), store, table.CallPartition(""), "") {
		if stored++; err != nil {
			t.Fatal(err)
		}
	}
	if stored != 2 {
		t.Errorf("%d events, want 2", stored)
	}
}
