package addressbook_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// Numbers of the tests.
const (
	numberX = "+14155550101"
	numberY = "+14155550102"
	numberZ = "+14155550103"
)

// canonical stands for package phone, with the United States as the default country.
func canonical(text string) string {
	text, _, _ = strings.Cut(text, ",")
	digits := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, text)
	switch {
	case len(digits) == 10:
		return "+1" + digits
	case len(digits) < 10:
		return ""
	}
	return "+" + digits
}

var arrival = time.Date(2026, time.March, 12, 15, 0, 0, 0, time.UTC)

func itemOf(t testing.TB, body string) table.Item {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return table.EventItem(envelope.Decode(), time.Time{}, arrival)
}

// eventA and eventB are events of contact 7 in a minute.
func eventA(typ string, minute int, data string) string {
	return fmt.Sprintf(`{"event":%q,"timestamp":"2026-03-12T14:%02d:00Z","data":{"contact_id":7%s}}`, typ, minute, comma(data))
}

func eventB(minute int, data string) string {
	// The request id, a ULID, tells the time.
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	ms := time.Date(2026, time.March, 12, 14, minute, 0, 0, time.UTC).UnixMilli()
	id := make([]byte, 10)
	for i := range id {
		id[len(id)-1-i] = letters[ms>>(5*i)&31]
	}
	return fmt.Sprintf(`{"type":"jc.contact_status_updated","request_id":"%sSG2EQHYF5SG2EQ00","data":{"id":7%s}}`, id[:10], comma(data))
}

func comma(data string) string {
	if data == "" {
		return ""
	}
	return "," + data
}

func openBolt(t testing.TB) table.Store { return tabletest.NewBolt(t) }

func book(t testing.TB, store table.Store) *addressbook.Book {
	t.Helper()
	return addressbook.New(store, canonical, logscan.Logger(t, "Jordan", "Acme", "4155550"))
}

// deliver stores events one by one, and gives each to the book as the stream would.
func deliver(t testing.TB, store table.Store, b *addressbook.Book, bodies ...string) {
	t.Helper()
	process := consumer.All(b.Consumer())
	for _, body := range bodies {
		item := itemOf(t, body)
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(process(t.Context(), []table.Item{item})...); err != nil {
			t.Fatal(err)
		}
	}
}

// partition returns the items of a caller.
func partition(t testing.TB, store table.Store, number string) (items []table.Item) {
	t.Helper()
	for item, err := range table.All(t.Context(), store, table.Query{Partition: table.CallerPartition(number)}) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	return items
}

// kept returns the items of the numbers of the tests, without the versions, which
// count how often they were written.
func kept(t testing.TB, store table.Store, numbers ...string) map[string][]table.Item {
	t.Helper()
	all := map[string][]table.Item{}
	for _, number := range numbers {
		for _, item := range partition(t, store, number) {
			delete(item, table.Version)
			all[number] = append(all[number], item)
		}
	}
	return all
}

var (
	created = eventA("contact.created", 1, `"first_name":"Jordan","last_name":"Lee","phone":"+14155550101","company":"Acme"`)
	jordan  = addressbook.Entry{Known: true, Name: "Jordan Lee", Company: "Acme"}
	blocked = addressbook.Entry{Known: true, Name: "Jordan Lee", Company: "Acme", Blocked: true}
	nobody  = addressbook.Entry{}
)

// with returns an entry of a contact that has another number, too.
func with(e addressbook.Entry, other string) addressbook.Entry {
	e.Others = []string{other}
	return e
}

// stories are what events of a contact come to, in any order.
var stories = []struct {
	name       string
	deliveries []string
	want       map[string]addressbook.Entry
}{
	{
		"a contact has its name",
		[]string{created},
		map[string]addressbook.Entry{numberX: jordan, numberY: nobody},
	},
	{
		"a number that is spelled without its country",
		[]string{eventA("contact.created", 1, `"first_name":"Jordan","last_name":"Lee","phone":"(415) 555-0101","company":"Acme"`)},
		map[string]addressbook.Entry{numberX: jordan},
	},
	{
		"a renamed contact has the new name",
		[]string{created, eventA("contact.updated", 2, `"first_name":"Jordan","last_name":"Smith","phone":"+14155550101"`)},
		map[string]addressbook.Entry{numberX: {Known: true, Name: "Jordan Smith", Company: "Acme"}},
	},
	{
		"half a new name leaves the other half",
		[]string{created, eventA("contact.updated", 2, `"first_name":null,"last_name":"Smith"`)},
		map[string]addressbook.Entry{numberX: {Known: true, Name: "Jordan Smith", Company: "Acme"}},
	},
	{
		"a number that moved has no name where it was, and one where it is",
		[]string{created, eventA("contact.updated", 2, `"first_name":"Jordan","last_name":"Lee","phone":"+14155550102","company":"Acme","changed_fields":["phone"]`)},
		map[string]addressbook.Entry{numberX: nobody, numberY: jordan},
	},
	{
		"a number that moved and came back",
		[]string{
			created,
			eventA("contact.updated", 2, `"phone":"+14155550102"`),
			eventA("contact.updated", 3, `"phone":"+1 (415) 555-0101"`),
		},
		map[string]addressbook.Entry{numberX: jordan, numberY: nobody},
	},
	{
		"a number that was taken away",
		[]string{created, eventA("contact.updated", 2, `"phone":null,"changed_fields":["phone"]`)},
		map[string]addressbook.Entry{numberX: nobody},
	},
	{
		"an update that leaves the number out keeps it",
		[]string{created, eventA("contact.updated", 2, `"email":"j@example.com","changed_fields":["email"]`)},
		map[string]addressbook.Entry{numberX: jordan},
	},
	{
		"null and empty names leave the last known one",
		[]string{
			created,
			eventA("contact.updated", 2, `"first_name":null,"last_name":null,"company":null,"phone":"+14155550101"`),
			eventA("contact.updated", 3, `"first_name":"","last_name":"","company":"","phone":""`),
			eventB(4, `"name":null`),
		},
		map[string]addressbook.Entry{numberX: jordan},
	},
	{
		"a company that was taken away",
		[]string{created, eventA("contact.updated", 2, `"company":null,"changed_fields":["company"]`)},
		map[string]addressbook.Entry{numberX: {Known: true, Name: "Jordan Lee"}},
	},
	{
		"other numbers have the name too",
		[]string{created, eventB(2, `"name":"Jordan Lee","contact_number":"14155550101","other_numbers":[{"label":"Mobile","number":"14155550102"}],"company":"Acme"`)},
		map[string]addressbook.Entry{numberX: with(jordan, numberY), numberY: with(jordan, numberX), numberZ: nobody},
	},
	{
		"another number that was taken away",
		[]string{
			created,
			eventB(2, `"other_numbers":["14155550102","14155550103"]`),
			eventB(3, `"other_numbers":["14155550103"]`),
		},
		map[string]addressbook.Entry{numberX: with(jordan, numberZ), numberY: nobody, numberZ: with(jordan, numberX)},
	},
	{
		"all other numbers were taken away",
		[]string{created, eventB(2, `"other_numbers":"+14155550102, +14155550103"`), eventB(3, `"other_numbers":[]`)},
		map[string]addressbook.Entry{numberX: jordan, numberY: nobody, numberZ: nobody},
	},
	{
		"what a deleted contact was called is forgotten",
		[]string{
			created,
			eventB(2, `"other_numbers":["14155550102"],"status":{"blacklist":true}`),
			eventA("contact.deleted", 3, ""),
		},
		map[string]addressbook.Entry{numberX: nobody, numberY: nobody},
	},
	{
		"contact.removed deletes as well, with all of its data",
		[]string{created, eventA("contact.removed", 3, `"first_name":"Jordan","phone":"+14155550101"`)},
		map[string]addressbook.Entry{numberX: nobody},
	},
	{
		"a contact that comes back is back",
		[]string{
			created,
			eventA("contact.deleted", 3, ""),
			eventA("contact.created", 4, `"first_name":"Jordan","last_name":"Lee","phone":"+14155550101"`),
		},
		map[string]addressbook.Entry{numberX: jordan},
	},
	{
		"a blacklisted contact is blocked, and keeps its name",
		[]string{created, eventB(2, `"status":{"blacklist":true,"dnd":false,"dnm":false}`)},
		map[string]addressbook.Entry{numberX: blocked},
	},
	{
		"a contact that is blocked no longer",
		[]string{created, eventB(2, `"status":{"blacklist":"1"}`), eventB(3, `"status":{"blacklist":"0"}`)},
		map[string]addressbook.Entry{numberX: jordan},
	},
	{
		"an update without a status leaves a contact blocked",
		[]string{created, eventB(2, `"status":{"blacklist":1}`), eventA("contact.updated", 3, `"company":"Acme"`)},
		map[string]addressbook.Entry{numberX: blocked},
	},
	{
		"do not disturb is not blocked",
		[]string{created, eventB(2, `"status":{"blacklist":false,"dnd":true}`)},
		map[string]addressbook.Entry{numberX: {Known: true, Name: "Jordan Lee", Company: "Acme", DoNotDisturb: true}},
	},
	{
		"a number that is none",
		[]string{eventA("contact.created", 1, `"first_name":"Jordan","phone":"ask at the desk"`)},
		map[string]addressbook.Entry{numberX: nobody},
	},
	{
		"a name of which nobody ever got to the end",
		[]string{eventA("contact.created", 1, `"first_name":"`+strings.Repeat("é", 300_000)+`","phone":"+14155550101"`)},
		map[string]addressbook.Entry{numberX: {Known: true, Name: strings.Repeat("é", 256)}},
	},
}

func TestPromise4_TheBookIsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) table.Store{
		"memory": func(testing.TB) table.Store { return &tabletest.Memory{} },
		"dynamodb": func(t testing.TB) table.Store {
			return dynamostore.New(tabletest.NewTable(t))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orders := 10
			if testing.Short() {
				orders = 3
			}
			if name == "dynamodb" {
				tabletest.Endpoint(t) // skip once, not for each story
				orders = 1            // a table takes a while; the one in memory has the same contract
			}
			for i, story := range stories {
				t.Run(story.name, func(t *testing.T) {
					t.Parallel()
					random := rand.New(rand.NewPCG(1, uint64(i))) //nolint:gosec // the same orders each time
					var first map[string][]table.Item
					for range orders {
						store := open(t)
						b := book(t, store)
						order := slices.Concat(story.deliveries, story.deliveries[:random.IntN(len(story.deliveries)+1)])
						if first != nil || orders == 1 {
							random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
						}
						deliver(t, store, b, order...)
						for number, want := range story.want {
							if diff := cmp.Diff(want, addressbook.Read(partition(t, store, number))); diff != "" {
								t.Fatalf("%s (-want +got):\n%s", number, diff)
							}
						}
						items := kept(t, store, numberX, numberY, numberZ)
						if first == nil {
							first = items
						}
						if diff := cmp.Diff(first, items); diff != "" {
							t.Fatalf("items in another order (-first +now):\n%s", diff)
						}
					}
				})
			}
		})
	}
}

// hooked runs something once, before a query or an update.
type hooked struct {
	table.Store

	beforeQuery  func(table.Query)
	beforeUpdate func()
}

func (h *hooked) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := h.Store.Query(ctx, q)
	if h.beforeQuery != nil {
		h.beforeQuery(q)
	}
	return page, err
}

func (h *hooked) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if before := h.beforeUpdate; before != nil {
		h.beforeUpdate = nil
		before()
	}
	return h.Store.Update(ctx, item, was)
}

// One process has read the contact's events when another stores a later one and is
// done with it. The first must not have the last word.
func TestPromise4_WhoeverIsLateOverwritesNothing(t *testing.T) {
	t.Parallel()
	renamed := eventA("contact.updated", 2, `"first_name":"Jordan","last_name":"Smith"`)
	want := addressbook.Entry{Known: true, Name: "Jordan Smith", Company: "Acme"}
	for name, hook := range map[string]func(*hooked, func()){
		"after reading the events": func(h *hooked, other func()) {
			h.beforeQuery = func(q table.Query) {
				if strings.HasPrefix(q.Partition, table.ContactPartition("")) {
					h.beforeQuery = nil
					other()
				}
			}
		},
		"after looking up the contact": func(h *hooked, other func()) {
			h.beforeQuery = func(q table.Query) {
				if strings.HasPrefix(q.Partition, table.CallerPartition("")) {
					h.beforeQuery = nil
					other()
				}
			}
		},
		"before writing it": func(h *hooked, other func()) { h.beforeUpdate = other },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openBolt(t)
			h := &hooked{Store: store}
			hook(h, func() { deliver(t, store, book(t, store), renamed) })
			deliver(t, h, book(t, h), created)
			if h.beforeQuery != nil || h.beforeUpdate != nil {
				t.Fatal("the other process did not run")
			}
			if diff := cmp.Diff(want, addressbook.Read(partition(t, store, numberX))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Each process knows the events so far when it is about to write. All others write before
// the first one, which knows the fewest.
func TestPromise4_ManyProcessesAtOnceKeepWhatTheEventsSay(t *testing.T) {
	t.Parallel()
	store := openBolt(t)
	const updates = 12
	var first, others sync.WaitGroup
	now, last := make(chan struct{}), make(chan struct{})
	for minute := range updates {
		all, turn := &others, now
		if minute == 0 {
			all, turn = &first, last
		}
		read := make(chan struct{})
		hasRead := sync.OnceFunc(func() { close(read) })
		all.Go(func() {
			defer hasRead()
			b := book(t, &hooked{Store: store, beforeUpdate: func() { hasRead(); <-turn }})
			item := itemOf(t, eventA("contact.updated", minute, fmt.Sprintf(`"first_name":"Jordan %02d","phone":"+14155550101"`, minute)))
			if _, err := store.Put(t.Context(), item); err != nil {
				t.Error(err)
			}
			for { // as the stream does
				if err := b.Process(t.Context(), []table.Item{item})[0]; err == nil {
					return
				} else if !errors.Is(err, addressbook.ErrContended) {
					t.Error(err)
					return
				}
			}
		})
		<-read
	}
	close(now)
	others.Wait()
	close(last)
	first.Wait()
	want := addressbook.Entry{Known: true, Name: fmt.Sprintf("Jordan %02d", updates-1)}
	if diff := cmp.Diff(want, addressbook.Read(partition(t, store, numberX))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestABatchKeepsEachContactOnce(t *testing.T) {
	t.Parallel()
	store := openBolt(t)
	b := book(t, store)
	var batch []table.Item
	for i := range 20 {
		for minute := range 3 {
			body := fmt.Sprintf(`{"event":"contact.updated","timestamp":"2026-03-12T14:%02d:00Z","data":{"contact_id":1%02d,"first_name":"Jordan %d","phone":"+141555501%02d"}}`, minute, i, minute, i)
			item := itemOf(t, body)
			if _, err := store.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			batch = append(batch, item)
		}
	}
	for range 2 {
		if err := errors.Join(b.Process(t.Context(), batch)...); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		items := partition(t, store, fmt.Sprintf("+141555501%02d", i))
		if len(items) != 1 || table.Text(items[0], table.Name) != "Jordan 2" {
			t.Errorf("contact %d: %v", i, items)
		}
		if got := fmt.Sprint(items[0][table.Version]); got != "1" {
			t.Errorf("contact %d was written %s times, want once", i, got)
		}
	}
}

// A table that fails for one contact must not fail the others.
func TestOneContactsFailureIsItsOwn(t *testing.T) {
	t.Parallel()
	store := openBolt(t)
	failing := &failingStore{Store: store, partition: table.ContactPartition("8")}
	b := book(t, failing)
	other := strings.Replace(created, `"contact_id":7`, `"contact_id":8`, 1)
	items := []table.Item{itemOf(t, created), itemOf(t, other), itemOf(t, created)}
	for _, item := range items {
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	errs := b.Process(t.Context(), items)
	if errs[0] != nil || !errors.Is(errs[1], table.ErrUnavailable) || errs[2] != nil {
		t.Errorf("errors %v, want one of the second item", errs)
	}
	if diff := cmp.Diff(jordan, addressbook.Read(partition(t, store, numberX))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

type failingStore struct {
	table.Store

	partition string
	updates   int
	refuse    bool // every update
}

func (s *failingStore) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Partition == s.partition {
		return table.Page{}, table.ErrUnavailable
	}
	return s.Store.Query(ctx, q)
}

func (s *failingStore) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	s.updates++
	if s.refuse {
		return false, nil
	}
	return s.Store.Update(ctx, item, was)
}

func TestAnEndlessConflictFailsTheRecord(t *testing.T) {
	t.Parallel()
	s := &failingStore{Store: openBolt(t), refuse: true}
	item := itemOf(t, created)
	if _, err := s.Put(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	if err := book(t, s).Process(t.Context(), []table.Item{item})[0]; !errors.Is(err, addressbook.ErrContended) {
		t.Errorf("error %v, want %v", err, addressbook.ErrContended)
	}
	if s.updates == 0 || s.updates > 10 {
		t.Errorf("%d updates, want at most 10", s.updates)
	}
}

func TestOnlyTheEventsOfKnownContactsAreWanted(t *testing.T) {
	t.Parallel()
	wants := book(t, nil).Consumer().Wants
	for body, want := range map[string]bool{
		created:                                 true,
		eventB(1, `"name":"Jordan"`):            true,
		eventA("contact.deleted", 1, ""):        true,
		eventA("contact.merged", 1, ""):         false, // nobody knows what it says
		`{"event":"contact.created","data":{}}`: false,
		`{"event":"call.missed","data":{"call_id":"c","contact_id":7,"from":"+14155550101"}}`: false,
	} {
		if got := wants(itemOf(t, body)); got != want {
			t.Errorf("%s: %t, want %t", body, got, want)
		}
	}
	store := openBolt(t)
	deliver(t, store, book(t, store), created)
	for _, item := range partition(t, store, numberX) {
		if wants(item) {
			t.Errorf("the book's own item is an event: %v", item)
		}
	}
}
