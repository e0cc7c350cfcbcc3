package ledger_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// from returns an event of another number, which ends in two digits.
func from(body, digits string) string {
	return strings.ReplaceAll(body, "14155550144", "141555501"+digits)
}

const day = 24 * 60

func TestRebuildOpensWhatIsNew(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store) // it is minute 600
	// Somebody waits since before.
	deliver(t, store, l, itemOf(t, from(missed("w", -2*day), "51")))
	// The rest is from before there were follow-ups.
	for _, body := range []string{
		from(missed("w0", -5*day), "51"),
		from(missed("w1", -60), "51"),
		from(missed("a", -3*day), "52"),
		from(missed("b", -60), "53"),
		from(missed("c", -3*day), "54"), from(missed("d", -60), "54"),
		from(missed("e", -60), "55"), from(returned("f", -30), "55"),
		from(missed("g", -60), "56"), from(missed("g", -61), "56"),
	} {
		if _, err := store.Put(t.Context(), itemOf(t, body)); err != nil {
			t.Fatal(err)
		}
	}
	done := ledger.ActItem("+14155550156", followup.Act{ID: "1", At: at(0), Kind: followup.ActDone, By: "Kim"})
	if _, err := store.Put(t.Context(), done); err != nil {
		t.Fatal(err)
	}

	l.Changed = nil
	for round, written := range []int{10, 0} {
		reports := 0
		got, err := l.Rebuild(t.Context(), func(ledger.Progress) { reports++ })
		if err != nil || got.Sources != 11 || got.Written > written || written > 0 && got.Written == 0 || reports == 0 {
			t.Errorf("round %d: %+v after %d reports, %v", round, got, reports, err)
		}
	}
	for digits, want := range map[string]want{
		"51": {state: "waiting", since: table.Time(at(-2 * day)), count: "2", attempts: "0", outcome: "missed"},
		"52": {state: "history"},
		"53": {state: "waiting", since: table.Time(at(-60)), count: "1", attempts: "0", outcome: "missed"},
		"54": {state: "waiting", since: table.Time(at(-60)), count: "1", attempts: "0", outcome: "missed"},
		"55": {state: "returned", agent: "Ines"},
		"56": {state: "done", agent: "Kim"},
	} {
		if got := shown(followUp(t, store, "+141555501"+digits)); got != want {
			t.Errorf("%s: %+v, want %+v", digits, got, want)
		}
	}
}

// A follow-up of another version is made anew, and who waited goes on waiting, since the same
// time, in whatever order the calls are found.
func TestARebuildMakesAnewWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	for i := range 2 * 60 { // so that the calls are in batches of their own
		digits := fmt.Sprintf("%02d", i%60)
		deliver(t, store, l, itemOf(t, from(returned(fmt.Sprintf("a%02d%d", i, i%7), -5*day), digits)))
		deliver(t, store, l, itemOf(t, from(missed(fmt.Sprintf("%d-%d", i%7, i), -3*day+i/60), digits)))
	}
	for i := range 60 {
		caller := fmt.Sprintf("+141555501%02d", i)
		item, err := table.Get(t.Context(), store, table.FollowUpKey(caller))
		if err != nil {
			t.Fatal(err)
		}
		was := table.VersionOf(item)
		item[table.Facts], item[table.Version] = attr.String(`{"v":0}`), attr.Number(strconv.FormatInt(was+1, 10))
		if ok, err := store.Update(t.Context(), item, was); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	if _, err := l.Rebuild(t.Context(), func(ledger.Progress) {}); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		got := shown(followUp(t, store, fmt.Sprintf("+141555501%02d", i)))
		if got.state != "waiting" || got.since != table.Time(at(-3*day)) || got.count != "2" {
			t.Errorf("%d: %+v", i, got)
		}
	}
}

// Who waits under a number that is read otherwise now goes on waiting, once, and for as long.
func TestARebuildMovesWhoWaits(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	deliver(t, store, newLedger(t, store), of(
		missed("a", -3*day), missed("b", -2*day), from(missed("c", -3*day), "51"),
		call("call.missed", "d", -3*day, "Incoming", "Missed", `,"contact_number":"Reception"`),
		call("call.missed", "e", -3*day, "Incoming", "Missed", `,"contact_number":"Kitchen"`),
	)(t)...)
	now := ledger.New(store, func(text string) string {
		if text == number || text == "Reception" {
			return map[string]string{number: "+494155550144", "Reception": "+14155550160"}[text]
		}
		return canonical(text)
	}, logscan.Logger(t))
	now.Now = func() time.Time { return at(600) }
	for range 2 {
		if _, err := now.Rebuild(t.Context(), func(ledger.Progress) {}); err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for item, err := range table.All(t.Context(), store, table.WaitingSince(time.Time{})) {
			if err != nil {
				t.Fatal(err)
			}
			got[table.CallerOf(table.KeyOf(item))] = table.Text(item, table.Since) + " " + table.Text(item, table.Count)
		}
		since := table.Time(at(-3 * day))
		want := map[string]string{"+494155550144": since + " 2", "+14155550151": since + " 1", "+14155550160": since + " 1", "call:e": since + " 1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestARebuildSaysWhatFailed(t *testing.T) {
	t.Parallel()
	store := &counting{Store: tabletest.NewBolt(t), unavailable: table.CallPartition("b")}
	for _, id := range []string{"a", "b", "c"} {
		if _, err := store.Put(t.Context(), itemOf(t, missed(id, 0))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := newLedger(t, store).Rebuild(t.Context(), func(ledger.Progress) {}); err == nil {
		t.Error("no error")
	}
}
