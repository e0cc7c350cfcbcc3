package main_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
	"github.com/ringback/ringback/internal/table/schema"
)

// putContacts stores the events of contacts, as before there was an address book.
func putContacts(t *testing.T, store table.Store, contacts int) {
	t.Helper()
	const writers = 64 // they share commits
	var all sync.WaitGroup
	for first := range writers {
		all.Go(func() {
			for i := first; i < contacts; i += writers {
				envelope, err := events.Open(fmt.Appendf(nil, `{"event":"contact.created","timestamp":"2026-03-12T14:45:00Z","data":{"contact_id":1%d,"first_name":"Jordan","phone":"+1415555%04d"}}`, i, i))
				if err == nil {
					_, err = store.Put(t.Context(), table.EventItem(envelope.Decode(), time.Time{}, time.Now()))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func wantContact(t *testing.T, store table.Store, i int) {
	t.Helper()
	page, err := store.Query(t.Context(), table.Query{Partition: table.CallerPartition(fmt.Sprintf("+1415555%04d", i))})
	if err != nil {
		t.Fatal(err)
	}
	if got := addressbook.Read(page.Items); got.Name != "Jordan" {
		t.Errorf("contact %d: %+v", i, got)
	}
}

func openStore(t *testing.T, data string) *bolt.Store {
	t.Helper()
	store, err := bolt.Open(filepath.Join(data, "events.db"), schema.Events())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestRebuildMakesTheAddressBookOfALocalStack(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "with a blank")
	const contacts = 1100
	store := openStore(t, data)
	putContacts(t, store, contacts)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, written := range []int{contacts, 0} {
		got := program.Run(t, "rebuild", "--data", data)
		got.Exits(t, 0)
		want := fmt.Sprintf("%d contacts read, %d items written\n%d events read, 0 items written\n%d signs of life read, %s written\n0 calls and texts read, 0 items written\n",
			contacts, written, contacts, contacts, []string{"0 items", "1 item"}[min(written, 1)])
		if got.Stdout != want || got.Stderr != "1000 contacts so far\n1000 events so far\n1000 signs of life so far\n" {
			t.Errorf("printed %q and %q, want %q", got.Stdout, got.Stderr, want)
		}
	}
	store = openStore(t, data)
	wantContact(t, store, 0)
	wantContact(t, store, contacts-1)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	for _, after := range []string{"nonsense", "events:nonsense", "letters:"} {
		got := program.Run(t, "rebuild", "--data", data, "--after", after)
		got.Exits(t, 1)
		got.Complains(t, "--after")
	}
}

func TestRebuildMakesTheFollowUps(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	for i, age := range []time.Duration{time.Hour, 72 * time.Hour} {
		envelope, err := events.Open(fmt.Appendf(nil, `{"event":"call.missed","timestamp":%q,"data":{"call_id":"c%d","direction":"inbound","from":"+1415555010%d","to":"+14155550199"}}`,
			time.Now().Add(-age).UTC().Format(time.RFC3339), i, i))
		if err == nil {
			_, err = store.Put(t.Context(), table.EventItem(envelope.Decode(), time.Time{}, time.Now()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	got := program.Run(t, "rebuild", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "2 calls and texts read, 2 items written")
	store = openStore(t, data)
	defer func() { _ = store.Close() }()
	for i, want := range []string{"waiting", "history"} {
		key := table.FollowUpKey(fmt.Sprintf("+1415555010%d", i))
		page, err := store.Query(t.Context(), table.Query{Partition: key.PK, From: key.SK, To: key.SK})
		if err != nil || len(page.Items) != 1 || table.Text(page.Items[0], table.State) != want {
			t.Errorf("caller %d: %v, %v; want %s", i, page.Items, err, want)
		}
	}
	// Who waits has a timer, and the list says as of when.
	if timers := timersIn(t, store); !slices.Equal(timers, []string{"+14155550100"}) {
		t.Errorf("timers of %q", timers)
	}
	if sign, err := table.LoadHealth(t.Context(), store); err != nil || sign.Arrived.IsZero() {
		t.Errorf("sign of life: %+v, %v", sign, err)
	}
}

// Who is listed waits no longer, and waits again when the list is shorter.
func TestRebuildKnowsOurOwnNumbers(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	envelope, err := events.Open(fmt.Appendf(nil, `{"event":"call.missed","timestamp":%q,"data":{"call_id":"c","direction":"inbound","from":"+14155550100","to":"+14155550199"}}`,
		time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
	if err == nil {
		_, err = store.Put(t.Context(), table.EventItem(envelope.Decode(), time.Time{}, time.Now()))
	}
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	const listed = "(415) 555-0100, +14155550101"
	for _, step := range []struct{ own, waiting, caller string }{
		{"", "1 caller waits.", "Waits for a call back"},
		{listed, "Nobody waits.", "One of your own numbers"},
		{"", "1 caller waits.", "Waits for a call back"},
		{listed, "Nobody waits.", "One of your own numbers"},
	} {
		program.Run(t, "rebuild", "--data", data, "--own-numbers", step.own, "--default-country", "US").Exits(t, 0)
		program.Run(t, "waiting", "--data", data).Says(t, step.waiting)
		program.Run(t, "caller", "+14155550100", "--data", data).Says(t, step.caller)
		program.Run(t, "call", "c", "--data", data).Says(t, step.caller)
	}
	for _, command := range [][]string{{"rebuild", "--data", data}, {"serve", "--data", t.TempDir()}, {"demo", "--data", t.TempDir()}} {
		got := program.Run(t, append(command, "--own-numbers", "+14155550100, Kim")...)
		got.Exits(t, 1)
		got.Complains(t, "--own-numbers", "number 2 of it is no telephone number")
	}
}

// timersIn returns the callers whose timers are in a store.
func timersIn(t *testing.T, store table.Store) (callers []string) {
	t.Helper()
	for item, err := range table.ScanAll(t.Context(), store, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if key := table.KeyOf(item); table.IsTimer(key) {
			callers = append(callers, table.TimerCaller(key))
		}
	}
	return callers
}

// Ctrl-C says how to go on, and that works as it is typed.
func TestAStoppedRebuildSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "it's here")
	const contacts = 1200
	store := openStore(t, data)
	putContacts(t, store, contacts)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	got := program.RunUntil(t, "1000 contacts so far", "rebuild", "--data", data)
	got.Exits(t, 1)
	stopped := regexp.MustCompile(`stopped after (\d+) contacts: .*\nTo go on: (\S+) rebuild --data (.+) --after (\S+)\n$`).FindStringSubmatch(got.Stderr)
	if stopped == nil {
		t.Fatalf("printed %q", got.Stderr)
	}
	if want := `'` + filepath.Dir(data) + `/it'\''s here'`; stopped[3] != want {
		t.Errorf("data folder %s, want %s", stopped[3], want)
	}
	rest := program.Run(t, "rebuild", "--data", data, "--after", stopped[4])
	rest.Exits(t, 0)
	var done, left, written int
	_, _ = fmt.Sscan(stopped[1], &done)
	if n, _ := fmt.Sscanf(rest.Stdout, "%d contacts read, %d items written", &left, &written); n != 2 || done+left != contacts {
		t.Errorf("%d contacts were done, then: %s", done, rest.Stdout)
	}
	store = openStore(t, data)
	defer func() { _ = store.Close() }()
	for i := range contacts {
		wantContact(t, store, i)
	}
}

func TestRebuildSaysWhatKeepsItFromTheTable(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	got := program.Run(t, "rebuild", "--data", none)
	got.Exits(t, 5)
	got.Complains(t, none, "ringback serve")

	data := t.TempDir()
	program.Start(t, "serve", "--data", data, "--addr", anyPort).Stdout.Await(t, "ringback receives webhooks at")
	got = program.Run(t, "rebuild", "--data", data)
	got.Exits(t, 1)
	got.Complains(t, "ringback serve", "Stop")
}

func TestRebuildWritesTheTableOfADeployedStack(t *testing.T) {
	config, name := tabletest.NewTable(t)
	endpoint := tabletest.Endpoint(t)
	a := awstest.New(t, token)
	a.Outputs["TableName"] = name
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
	store := dynamostore.New(config, name)
	putContacts(t, store, 3)
	got := program.Run(t, "rebuild", "--stack", "ringback", "--region", "us-east-1")
	got.Exits(t, 0)
	got.Says(t, "3 contacts read, 3 items written")
	for i := range 3 {
		wantContact(t, store, i)
	}
}
