package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

const number = "+14155550144"

var start = time.Date(2026, time.November, 28, 9, 0, 0, 0, time.UTC)

func at(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }

func canonical(text string) string { return events.PhoneNumber(text) }

func itemOf(t testing.TB, body string) table.Item {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return table.EventItem(envelope.Decode(), time.Time{}, at(600))
}

// call is an event of a call at a minute. The caller is number, unless it says
// otherwise.
func call(typ, id string, minute int, direction, outcome, members string) string {
	caller := `"contact_number":"14155550144",`
	if strings.Contains(members, "contact_number") {
		caller = ""
	}
	return fmt.Sprintf(`{"type":%q,"data":{"call_sid":%q,%s"justcall_number":"14155559901","call_date":%q,"call_time":%q,
		"call_info":{"direction":%q,"type":%q}%s}}`, typ, id, caller, at(minute).Format(time.DateOnly), at(minute).Format(time.TimeOnly), direction, outcome, members)
}

func missed(id string, minute int) string {
	return call("call.missed", id, minute, "Incoming", "Missed", "")
}

func returned(id string, minute int) string {
	return call("call.completed", id, minute, "Outgoing", "Answered",
		`,"agent_name":"Ines","call_duration":{"total_duration":60,"conversation_time":60,"ring_time":9}`)
}

func act(kind followup.ActKind, minute, until int) table.Item {
	return ledger.ActItem(number, followup.Act{ID: fmt.Sprint("act", minute), At: at(minute), Kind: kind, By: "Kim", Until: at(until)})
}

func newLedger(t testing.TB, store table.Store) *ledger.Ledger {
	t.Helper()
	l := ledger.New(store, canonical, logscan.Logger(t, "4155550", "Ines", "Kim", "Jordan"))
	l.Now = func() time.Time { return at(600) }
	return l
}

// deliver stores items one by one, and gives each to the ledger and the address book as
// the stream would.
func deliver(t testing.TB, store table.Store, l *ledger.Ledger, items ...table.Item) {
	t.Helper()
	book := addressbook.New(store, canonical, logscan.Logger(t))
	book.Changed = l.Refresh
	process := consumer.All(l.Consumer(), book.Consumer())
	for _, item := range items {
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(process(t.Context(), []table.Item{item})...); err != nil {
			t.Fatal(err)
		}
	}
}

// followUp returns a caller's follow-up without its version, nil if there is none.
func followUp(t testing.TB, store table.Store, caller string) table.Item {
	t.Helper()
	item, err := table.Get(t.Context(), store, table.FollowUpKey(caller))
	if err != nil {
		t.Fatal(err)
	}
	delete(item, table.Version)
	return item
}

// want is what lists show of a follow-up.
type want struct{ state, since, count, attempts, outcome, claim, agent, name string }

func shown(item table.Item) want {
	text := func(name string) string { return table.Text(item, name) }
	return want{
		text(table.State), text(table.Since), text(table.Count), text(table.Attempts), text(table.Outcome),
		text(table.Claim), text(table.Agent), text(table.Name),
	}
}

const contact = `{"event":"contact.created","timestamp":"2026-11-28T09:01:00Z","data":{"contact_id":7,"first_name":"Jordan","phone":"+14155550144"}}`

func blocked(yes bool, id string) string {
	return fmt.Sprintf(`{"type":"jc.contact_status_updated","request_id":%q,"data":{"id":7,"contact_number":"14155550144","status":{"blacklist":%t}}}`, id, yes)
}

var waits = want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "0", outcome: "missed"}

var stories = []struct {
	name   string
	items  func(testing.TB) []table.Item
	caller string // number, if it is not given
	want   want
}{
	{"a missed call", of(missed("a", 0)), "", waits},
	{
		"two missed calls and a voicemail", of(missed("a", 0), missed("b", 2), call("call.voicemail", "b", 2, "Incoming", "Voicemail", "")), "",
		want{state: "waiting", since: table.Time(at(0)), count: "2", attempts: "0", outcome: "voicemail"},
	},
	{"called back", of(missed("a", 0), returned("b", 5)), "", want{state: "returned", agent: "Ines"}},
	{
		"called back, and missed again", of(missed("a", 0), returned("b", 5), missed("c", 9)), "",
		want{state: "waiting", since: table.Time(at(9)), count: "1", attempts: "0", outcome: "missed"},
	},
	{
		"tried", of(missed("a", 0), call("call.completed", "b", 5, "Outgoing", "Unanswered", `,"agent_name":"Ines","call_duration":{"ring_time":30}`)), "",
		want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "1", outcome: "missed", claim: "Ines"},
	},
	{
		"answered by another", of(missed("a", 0), call("call.answered", "a", 0, "Incoming", "Answered", `,"agent_name":"Ines"`)), "",
		want{state: "rescued", agent: "Ines"},
	},
	{
		"a text by a person", of(missed("a", 0), `{"type":"sms.sent","data":{"id":5,"contact_number":"14155550144","justcall_number":"14155559901",
		"sms_date":"2026-11-28","sms_time":"09:05:00","direction":"Outgoing","medium":"App","agent_name":"Ines"}}`), "",
		want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "1", outcome: "missed", claim: "Ines"},
	},
	{
		"claimed", func(t testing.TB) []table.Item { return append(of(missed("a", 0))(t), act(followup.ActClaim, 5, 60)) }, "",
		want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "0", outcome: "missed", claim: "Kim"},
	},
	{"done", func(t testing.TB) []table.Item {
		return append(of(missed("a", 0))(t), act(followup.ActClaim, 5, 60), act(followup.ActDone, 6, 6))
	}, "", want{state: "done", agent: "Kim"}},
	{"a contact", of(missed("a", 0), contact), "", want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "0", outcome: "missed", name: "Jordan"}},
	{"a blocked contact", of(missed("a", 0), contact, blocked(true, "01KKWS8VCJP04C57494RC26YG8")), "", want{state: "blocked", name: "Jordan"}},
	{
		"a voicemail of somebody withheld", of(call("call.voicemail", "a", 0, "Incoming", "Voicemail", `,"contact_number":"anonymous"`)), "call:a",
		want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "0", outcome: "voicemail"},
	},
	{
		"withheld at first", of(call("call.voicemail", "a", 0, "Incoming", "Voicemail", `,"contact_number":"anonymous"`), missed("a", 0)), "",
		want{state: "waiting", since: table.Time(at(0)), count: "1", attempts: "0", outcome: "voicemail"},
	},
}

func of(bodies ...string) func(testing.TB) []table.Item {
	return func(t testing.TB) (items []table.Item) {
		for _, body := range bodies {
			items = append(items, itemOf(t, body))
		}
		return items
	}
}

func TestPromise4_TheFollowUpIsTheSameInAnyOrder(t *testing.T) {
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
				orders = 1
			}
			for i, story := range stories {
				t.Run(story.name, func(t *testing.T) {
					t.Parallel()
					random := rand.New(rand.NewPCG(1, uint64(i))) //nolint:gosec // the same orders each time
					caller := story.caller
					if caller == "" {
						caller = number
					}
					var first table.Item
					for n := range orders {
						store := open(t)
						items := story.items(t)
						items = append(items, items[:random.IntN(len(items)+1)]...)
						if n > 0 || orders == 1 {
							random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
						}
						deliver(t, store, newLedger(t, store), items...)
						got := followUp(t, store, caller)
						if first == nil {
							first = got
						}
						if got := shown(got); got != story.want {
							t.Fatalf("got %+v, want %+v", got, story.want)
						}
						if diff := cmp.Diff(first, got); diff != "" {
							t.Fatalf("another order (-first +now):\n%s", diff)
						}
						waiting := table.Text(got, table.GSI3PK) == table.WaitingPartition
						if open := story.want.since != ""; waiting != open || open && table.Text(got, table.GSI3SK) != story.want.since+"#"+caller {
							t.Fatalf("listed: %t by %q", waiting, table.Text(got, table.GSI3SK))
						}
					}
				})
			}
		})
	}
}

// The call turned out to be of a number. Under its own name nobody is to wait.
func TestWhoIsKnownLaterWaitsOnce(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	deliver(t, store, newLedger(t, store), of(call("call.voicemail", "a", 0, "Incoming", "Voicemail", `,"contact_number":"anonymous"`), missed("a", 0))(t)...)
	if got := shown(followUp(t, store, "call:a")); got.state != "new" {
		t.Errorf("under the call: %+v", got)
	}
}

// Lists show what the caller said last, and where to listen to it.
func TestTheFollowUpHasTheLatestVoicemail(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	said := func(id string, minute int, words, url string) string {
		return fmt.Sprintf(`{"event":"voicemail.received","timestamp":%q,"data":{"call_id":%q,"from":"+14155550144","to":"+14155559901","recording_url":%q,"transcription":%q}}`,
			at(minute).Format(time.RFC3339), id, url, words)
	}
	l := newLedger(t, store)
	long := "https://recordings.example.com/" + strings.Repeat("x", 400)
	deliver(t, store, l, of(said("b", 5, strings.Repeat("é", 200), long), said("a", 0, "Hello", "https://recordings.example.com/a.mp3"), missed("c", 9))(t)...)
	got := followUp(t, store, number)
	if words := table.Text(got, table.Words); words != strings.Repeat("é", 120)+"…" || table.Text(got, table.RecordingURL) != "" {
		t.Errorf("words %q, recording %q", words, table.Text(got, table.RecordingURL))
	}
	deliver(t, store, l, of(returned("d", 12))(t)...)
	if got := followUp(t, store, number); table.Text(got, table.Words) != "" {
		t.Errorf("after the call back: %v", got)
	}
}

// A claim that comes after the call back does not open anything.
func TestAClaimAfterClosingDoesNotReopen(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	deliver(t, store, l, of(missed("a", 0), returned("b", 5))(t)...)
	late := followup.Act{ID: "1", At: at(20), Kind: followup.ActClaim, By: "Kim", Until: at(50)}
	got, err := ledger.Perform(t.Context(), store, l.Policy, number, late)
	if err != nil || got.Waits || got.Reason != followup.Returned || got.By != "Ines" {
		t.Errorf("%+v, %v", got, err)
	}
	deliver(t, store, l, ledger.ActItem(number, late))
	if got := shown(followUp(t, store, number)); got != (want{state: string(followup.Returned), agent: "Ines"}) {
		t.Errorf("%+v", got)
	}
}

// Another number of the same contact that talked with us since is shown, and closes nothing.
// So it is in any order of the calls, of both of the numbers, and of what becomes of the contact.
func TestPromise4_AnotherNumberOfTheContactIsShownInAnyOrder(t *testing.T) {
	t.Parallel()
	const mobile, office = "+14155550145", "+14155550146"
	on := func(number, body string) string { return strings.ReplaceAll(body, "14155550144", number[1:]) }
	both := `{"event":"contact.created","timestamp":"2026-11-28T08:00:00Z","data":{"contact_id":7,"first_name":"Jordan","phone":"+14155550144","other_numbers":["` + mobile + `","` + office + `"]}}`
	for name, tc := range map[string]struct {
		bodies []string
		want   string
	}{
		"talked":                       {[]string{both, missed("a", 5), on(mobile, returned("b", 9))}, mobile},
		"talked before":                {[]string{both, missed("a", 5), on(mobile, returned("b", 0))}, ""},
		"tried in vain":                {[]string{both, missed("a", 5), on(mobile, call("call.completed", "b", 9, "Outgoing", "Unanswered", `,"call_duration":{"ring_time":30}`))}, ""},
		"talked with two, the last":    {[]string{both, missed("a", 5), on(mobile, returned("b", 9)), on(office, returned("c", 20))}, office},
		"called back on its own, too":  {[]string{both, missed("a", 5), on(mobile, returned("b", 9)), returned("c", 20)}, ""},
		"called again after that":      {[]string{both, missed("a", 5), on(mobile, returned("b", 9)), missed("c", 20)}, mobile},
		"and again after its own":      {[]string{both, missed("a", 5), on(mobile, returned("b", 9)), returned("c", 20), missed("d", 30)}, ""},
		"a number that it has no more": {[]string{both, missed("a", 5), on(mobile, returned("b", 9)), `{"event":"contact.updated","timestamp":"2026-11-28T09:30:00Z","data":{"contact_id":7,"other_numbers":["` + office + `"]}}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(5, uint64(len(name)))) //nolint:gosec // the same orders each time
			orders := 12
			if testing.Short() {
				orders = 4
			}
			for n := range orders {
				items := of(tc.bodies...)(t)
				items = append(items, items[:random.IntN(len(items)+1)]...)
				if n > 0 {
					random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
				}
				store := &tabletest.Memory{}
				deliver(t, store, newLedger(t, store), items...)
				got := followUp(t, store, number)
				if table.Text(got, table.OtherNumber) != tc.want {
					t.Fatalf("order %d: other number %q, want %q", n, table.Text(got, table.OtherNumber), tc.want)
				}
				if state := table.Text(got, table.State); tc.want != "" && state != "waiting" {
					t.Fatalf("order %d: %s, want waiting", n, state)
				}
			}
		})
	}
}

// A follow-up of another number that cannot be read, or whose alert has to wait, does not
// keep this one from being kept.
func TestTheOtherNumbersFailureIsTheirOwn(t *testing.T) {
	t.Parallel()
	const mobile = "+14155550145"
	both := `{"event":"contact.created","timestamp":"2026-11-28T08:00:00Z","data":{"contact_id":7,"first_name":"Jordan","phone":"+14155550144","other_numbers":["` + mobile + `"]}}`
	for name, facts := range map[string]string{"damaged": `{"v":9}`, "postponed": `{"v":1}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := tabletest.NewBolt(t)
			deliver(t, store, newLedger(t, store), itemOf(t, both))
			key := table.FollowUpKey(mobile)
			other := table.Item{table.PK: attr.String(key.PK), table.SK: attr.String(key.SK), table.Facts: attr.String(facts), table.Version: attr.Number("1")}
			if ok, err := store.Update(t.Context(), other, 0); err != nil || !ok {
				t.Fatal(ok, err)
			}
			l := newLedger(t, store)
			l.Followed = func(_ context.Context, _ table.Key, caller string, _ followup.Facts, _ followup.State) error {
				if caller == mobile {
					return alert.ErrPostponed
				}
				return nil
			}
			item := itemOf(t, missed("a", 0))
			_, err := store.Put(t.Context(), item)
			if err := errors.Join(append(l.Process(t.Context(), []table.Item{item}), err)...); err != nil {
				t.Error(err)
			}
			got := waits
			got.name = "Jordan"
			if shown := shown(followUp(t, store, number)); shown != got {
				t.Errorf("got %+v, want %+v", shown, got)
			}
		})
	}
}

// Both numbers at the same moment, by two processes: the later one sees the other.
func TestPromise4_AnotherNumberIsShownThoughBothTalkAtOnce(t *testing.T) {
	t.Parallel()
	mobile := func(body string) string { return strings.ReplaceAll(body, "14155550144", "14155550145") }
	both := `{"event":"contact.created","timestamp":"2026-11-28T08:00:00Z","data":{"contact_id":7,"first_name":"Jordan","phone":"+14155550144","other_numbers":["+14155550145"]}}`
	for range 60 {
		store := &tabletest.Memory{}
		deliver(t, store, newLedger(t, store), of(both, missed("z", -20), returned("y", -10))(t)...)
		var all sync.WaitGroup
		for _, body := range []string{missed("a", 5), mobile(returned("b", 9))} {
			all.Go(func() {
				item := itemOf(t, body)
				_, err := store.Put(t.Context(), item)
				if err = errors.Join(append(newLedger(t, store).Process(t.Context(), []table.Item{item}), err)...); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := table.Text(followUp(t, store, number), table.OtherNumber); got != "+14155550145" {
			t.Fatalf("other number %q", got)
		}
	}
}

// How far people were reminded is what the marks say, whoever writes the follow-up.
func TestTheFollowUpHasTheLevelOfTheEpisode(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	remind := func(episode string, level int) {
		t.Helper()
		if _, err := store.Put(t.Context(), table.ReminderItem(table.ReminderKey(number, episode, level), at(1), at(1), "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name, body string
		want       string
	}{
		{"missed", missed("a", 0), ""},
		{"reminded, and they call again", missed("b", 20), "1"},
		{"called back", returned("c", 30), ""},
		{"another wait", missed("d", 40), ""},
	} {
		deliver(t, store, l, itemOf(t, step.body))
		if got := table.Text(followUp(t, store, number), table.Level); got != step.want {
			t.Errorf("%s: level %q, want %q", step.name, got, step.want)
		}
		if step.name == "missed" {
			remind("first", 1)
			remind("CALL#of another", 2)
		}
	}
}

// A follow-up of a later version, or a damaged one, is no reason to lose a caller: the
// record fails until somebody rebuilds it. One of an earlier version has fewer members.
func TestAFollowUpOfAnotherVersion(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	key := table.FollowUpKey(number)
	write := func(facts string, was int64) {
		item := table.Item{table.PK: attr.String(key.PK), table.SK: attr.String(key.SK), table.Facts: attr.String(facts), table.Version: attr.Number(strconv.FormatInt(was+1, 10))}
		if ok, err := store.Update(t.Context(), item, was); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	write(`{"v":2,"cols":[]}`, 0)
	item := itemOf(t, missed("a", 0))
	if _, err := store.Put(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	if err := l.Process(t.Context(), []table.Item{item})[0]; !errors.Is(err, followup.ErrEncoding) {
		t.Errorf("error %v, want %v", err, followup.ErrEncoding)
	}
	write(`{"v":1}`, 1)
	if err := l.Process(t.Context(), []table.Item{item})[0]; err != nil {
		t.Error(err)
	}
	if got := shown(followUp(t, store, number)); got != waits {
		t.Errorf("got %+v", got)
	}
}

// A contact that is blocked, and no longer, after the follow-up was written.
func TestTheFollowUpKnowsWhatTheBookSays(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	deliver(t, store, l, of(missed("a", 0), contact, blocked(true, "01KKWS8VCJP04C57494RC26YG8"))(t)...)
	if got := shown(followUp(t, store, number)); got.state != "blocked" {
		t.Errorf("blocked: %+v", got)
	}
	deliver(t, store, l, of(blocked(false, "01KKWT8VCJP04C57494RC26YG8"))(t)...)
	if got := shown(followUp(t, store, number)); got.state != "waiting" {
		t.Errorf("blocked no longer: %+v", got)
	}
	if err := l.Refresh(t.Context(), "+14155550199"); err != nil || followUp(t, store, "+14155550199") != nil {
		t.Errorf("a contact who never called has a follow-up, %v", err)
	}
}

func TestPromise4_ManyProcessesAtOnceKeepEveryCall(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	const calls = 16
	var all sync.WaitGroup
	for n := range calls {
		all.Go(func() {
			l := newLedger(t, store)
			item := itemOf(t, missed(fmt.Sprint("c", n), n))
			if _, err := store.Put(t.Context(), item); err != nil {
				t.Error(err)
			}
			for { // as the stream does
				if err := l.Process(t.Context(), []table.Item{item})[0]; err == nil {
					return
				} else if !errors.Is(err, ledger.ErrContended) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := shown(followUp(t, store, number)); got.count != fmt.Sprint(calls) || got.since != waits.since {
		t.Errorf("got %+v", got)
	}
}

// counting counts the calls of a store, and can refuse them.
type counting struct {
	table.Store

	mu               sync.Mutex
	queries, updates int
	refuse           bool   // every update
	unavailable      string // this partition
}

func (c *counting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queries++
	if q.Partition == c.unavailable {
		return table.Page{}, table.ErrUnavailable
	}
	return c.Store.Query(ctx, q)
}

func (c *counting) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.updates++
	if c.refuse {
		return false, nil
	}
	return c.Store.Update(ctx, item, was)
}

func TestAnEventCostsTwoReadsAndOneWrite(t *testing.T) {
	t.Parallel()
	store := &counting{Store: tabletest.NewBolt(t)}
	l := newLedger(t, store)
	deliver(t, store, l, itemOf(t, missed("a", 0)))
	for _, tc := range []struct {
		name             string
		items            []table.Item
		queries, updates int
	}{
		{"another call", of(missed("b", 1))(t), 2, 1},
		{"the same again", of(missed("b", 1))(t), 2, 0},
		{"a claim", []table.Item{act(followup.ActClaim, 2, 30)}, 1, 1},
		{"a batch of one number", of(missed("c", 3), missed("d", 4), missed("c", 3), returned("e", 5))(t), 4, 1},
	} {
		for _, item := range tc.items {
			if _, err := store.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
		}
		store.queries, store.updates = 0, 0
		if err := errors.Join(l.Process(t.Context(), tc.items)...); err != nil {
			t.Fatal(err)
		}
		if store.queries != tc.queries || store.updates != tc.updates {
			t.Errorf("%s: %d queries and %d updates, want %d and %d", tc.name, store.queries, store.updates, tc.queries, tc.updates)
		}
	}
}

func TestOneCallersFailureIsTheirOwn(t *testing.T) {
	t.Parallel()
	store := &counting{Store: tabletest.NewBolt(t), unavailable: table.CallPartition("b")}
	l := newLedger(t, store)
	other := strings.Replace(missed("b", 1), "14155550144", "14155550145", 1)
	items := append(of(missed("a", 0), other)(t), act(followup.ActKind(""), 1, 1), act(followup.ActDone, 601, 601))
	errs := l.Process(t.Context(), items)
	if errs[0] != nil || !errors.Is(errs[1], table.ErrUnavailable) ||
		!errors.Is(errs[2], consumer.ErrPermanent) || !errors.Is(errs[2], ledger.ErrAct) ||
		!errors.Is(errs[3], consumer.ErrPermanent) || !errors.Is(errs[3], ledger.ErrFuture) {
		t.Errorf("errors %v", errs)
	}
	if got := shown(followUp(t, store, number)); got != waits {
		t.Errorf("got %+v", got)
	}
	store.refuse = true
	if err := l.Process(t.Context(), of(missed("c", 3))(t))[0]; !errors.Is(err, ledger.ErrContended) {
		t.Errorf("error %v, want %v", err, ledger.ErrContended)
	}
}

// What fails after the follow-up was written is done when the record comes again.
func TestWhoeverIsToldIsToldAgain(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	told, failure := 0, errors.New("not now")
	l.Changed = func(_ context.Context, caller string, _, after followup.State) error {
		told++
		if caller != number || !after.Open() {
			t.Errorf("told of %q, open: %t", caller, after.Open())
		}
		return failure
	}
	item := itemOf(t, missed("a", 0))
	if err := l.Process(t.Context(), []table.Item{item})[0]; !errors.Is(err, failure) {
		t.Errorf("error %v, want %v", err, failure)
	}
	failure = nil
	if err := l.Process(t.Context(), []table.Item{item})[0]; err != nil || told != 2 {
		t.Errorf("told %d times, %v", told, err)
	}
}

func TestPerform(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	claim := followup.Act{ID: "1", At: at(5), Kind: followup.ActClaim, By: "Kim", Why: "my customer", Until: at(35)}
	if _, err := ledger.Perform(t.Context(), store, l.Policy, number, claim); !errors.Is(err, ledger.ErrUnknown) {
		t.Errorf("error %v, want %v", err, ledger.ErrUnknown)
	}
	deliver(t, store, l, itemOf(t, missed("a", 0)))
	before, err := ledger.Perform(t.Context(), store, l.Policy, number, claim)
	if want := (ledger.Outcome{Caller: number, Waits: true, Since: at(0)}); err != nil || before != want {
		t.Errorf("before: %+v, %v; want %+v", before, err, want)
	}
	page, err := store.Query(t.Context(), table.Acts(number))
	if err != nil || len(page.Items) != 1 || !l.Consumer().Wants(page.Items[0]) {
		t.Fatalf("acts %v, %v", page.Items, err)
	}
	if got, err := ledger.ReadAct(page.Items[0]); err != nil || got != claim {
		t.Errorf("read %+v, %v; want %+v", got, err, claim)
	}
	deliver(t, store, l, page.Items[0], itemOf(t, returned("b", 9)))
	late := followup.Act{ID: "2", At: at(20), Kind: followup.ActClaim, By: "Kim", Until: at(50)}
	after, err := ledger.Perform(t.Context(), store, l.Policy, number, late)
	want := ledger.Outcome{Caller: number, Reason: followup.Returned, At: at(9).Add(69 * time.Second), By: "Ines"}
	if err != nil || after != want {
		t.Errorf("after: %+v, %v; want %+v", after, err, want)
	}
}

// Whoever acts knows of the calls that the table has, whatever their clock says.
func TestAClockThatIsBehindDoesNotUndoTheAct(t *testing.T) {
	t.Parallel()
	for kind, want := range map[followup.ActKind]string{followup.ActDone: "done", followup.ActClaim: "Kim", followup.ActSnooze: table.Time(at(30))} {
		store := tabletest.NewBolt(t)
		l := newLedger(t, store)
		deliver(t, store, l, of(returned("z", -60), missed("a", 0), missed("b", 3))(t)...)
		act := followup.Act{ID: "1", At: at(-30), Kind: kind, By: "Kim", Why: "talked", Until: at(30)}
		if _, err := ledger.Perform(t.Context(), store, l.Policy, number, act); err != nil {
			t.Fatal(err)
		}
		page, err := store.Query(t.Context(), table.Acts(number))
		if err != nil {
			t.Fatal(err)
		}
		deliver(t, store, l, page.Items...)
		got := followUp(t, store, number)
		if texts := []string{table.Text(got, table.State), table.Text(got, table.Claim), table.Text(got, table.SnoozedUntil)}; !slices.Contains(texts, want) {
			t.Errorf("%s: %q, want %s", kind, texts, want)
		}
	}
}

func TestAPauseEndsBeforeNobodyIsRemindedAnyMore(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	deliver(t, store, l, itemOf(t, missed("a", 0)))
	for minute, want := range map[int]error{7*day - 1: nil, 7 * day: ledger.ErrTooLate, 90 * day: ledger.ErrTooLate} {
		act := followup.Act{ID: fmt.Sprint(minute), At: at(5), Kind: followup.ActSnooze, By: "Kim", Until: at(minute)}
		if _, err := ledger.Perform(t.Context(), store, l.Policy, number, act); !errors.Is(err, want) {
			t.Errorf("minute %d: %v, want %v", minute, err, want)
		}
	}
	page, err := store.Query(t.Context(), table.Acts(number))
	if err != nil || len(page.Items) != 1 {
		t.Errorf("stored %v, %v", page.Items, err)
	}
}

func TestAClaimHasAnEnd(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	deliver(t, store, l, itemOf(t, missed("a", 0)))
	for minute, want := range map[int]error{7*day + 5: nil, 7*day + 6: ledger.ErrTooLate, 70 * day: ledger.ErrTooLate} {
		act := followup.Act{ID: fmt.Sprint(minute), At: at(5), Kind: followup.ActClaim, By: "Kim", Until: at(minute)}
		if _, err := ledger.Perform(t.Context(), store, l.Policy, number, act); !errors.Is(err, want) {
			t.Errorf("minute %d: %v, want %v", minute, err, want)
		}
	}
}

// elsewhere is a table whose clock is not that of whoever reads it.
type elsewhere struct {
	table.Store

	now time.Time
}

func (e elsewhere) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := e.Store.Query(ctx, q)
	page.At = e.now
	return page, err
}

// What the ledger would refuse is not stored.
func TestAnActOfAClockThatIsAheadIsNotStored(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	deliver(t, store, l, itemOf(t, missed("a", 0)))
	for name, test := range map[string]struct {
		ahead time.Duration
		want  error
	}{
		"behind": {-time.Hour, nil}, "a bit ahead": {5 * time.Second, nil}, "ahead": {5*time.Second + time.Millisecond, ledger.ErrFuture}, "a day ahead": {day * time.Minute, ledger.ErrFuture},
	} {
		l.Now = func() time.Time { return at(10) }
		act := followup.Act{ID: name, At: at(10).Add(test.ahead), Kind: followup.ActDone, By: "Kim", Why: name}
		_, err := ledger.Perform(t.Context(), elsewhere{store, at(10)}, l.Policy, number, act)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if want := "by 24h0m0s. Nothing was stored"; name == "a day ahead" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	page, err := store.Query(t.Context(), table.Acts(number))
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("stored %d, %v", len(page.Items), err)
	}
	if err := errors.Join(l.Process(t.Context(), page.Items)...); err != nil {
		t.Errorf("what was stored is refused: %v", err)
	}
}

// JustCall's clock may be ahead of ours. Whoever acts on such a call is right, even if another
// call comes before the act is applied, and it is applied twice.
func TestAnActOnACallFromTheFutureCounts(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	deliver(t, store, l, itemOf(t, missed("a", 3)))
	l.Now = func() time.Time { return at(1) }
	act := followup.Act{ID: "1", At: at(1), Kind: followup.ActDone, By: "Kim", Why: "talked"}
	if _, err := ledger.Perform(t.Context(), elsewhere{store, at(1)}, l.Policy, number, act); err != nil {
		t.Fatal(err)
	}
	page, err := store.Query(t.Context(), table.Acts(number))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"done", "done", "waiting", "waiting"} {
		if i == 2 {
			deliver(t, store, l, itemOf(t, missed("b", 4)))
		}
		if err := errors.Join(l.Process(t.Context(), page.Items)...); err != nil {
			t.Error(err)
		}
		if got := shown(followUp(t, store, number)); got.state != want {
			t.Errorf("%d: %+v", i, got)
		}
	}
}

// Nobody of us waits. Who is listed later waits no longer, and who is listed no longer waits
// again, after a rebuild.
func TestPromise10_OurOwnNumbersDoNotWait(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	l := newLedger(t, store)
	listed := map[string]bool{number: true}
	l.Policy.Own = listed
	own := want{state: "own"}
	deliver(t, store, l, of(missed("a", 500), contact, call("call.voicemail", "b", 550, "Incoming", "Voicemail", ""))(t)...)
	check := func(what string, want want) {
		t.Helper()
		got := shown(followUp(t, store, number))
		if got.name = ""; got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	check("listed", own)
	again := want{state: "waiting", since: table.Time(at(500)), count: "2", attempts: "0", outcome: "voicemail"}
	for what, step := range []struct {
		listed map[string]bool
		want   want
	}{{nil, again}, {listed, own}, {nil, again}} {
		l.Policy.Own = step.listed
		if _, err := l.Rebuild(t.Context(), func(ledger.Progress) {}); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint("rebuild ", what), step.want)
	}
}

// As one line of ours calls itself, or JustCall names the line as the caller.
func TestPromise10_OurOwnNumbersDoNotWaitForThemselves(t *testing.T) {
	t.Parallel()
	const line = "+14155559901"
	none := want{state: "new"}
	for body, want := range map[string]want{
		strings.ReplaceAll(missed("a", 0), "14155550144", line[1:]):         none,
		strings.ReplaceAll(missed("a", 0), "14155550144", "1-415-555-9901"): none,
		// Whoever leaves a voicemail is somebody.
		strings.ReplaceAll(call("call.voicemail", "a", 0, "Incoming", "Voicemail", ""), "14155550144", line[1:]): {
			state: "waiting", since: table.Time(at(0)), count: "1", attempts: "0", outcome: "voicemail",
		},
	} {
		store := tabletest.NewBolt(t)
		deliver(t, store, newLedger(t, store), itemOf(t, body))
		if got := shown(followUp(t, store, line)); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	wants := newLedger(t, nil).Consumer().Wants
	for body, want := range map[string]bool{
		missed("a", 0): true, returned("a", 0): true, contact: false,
		`{"event":"sms.received","timestamp":"2026-11-28T12:00:00Z","data":{"message_id":"m1","from":"+14155550144"}}`: true,
		`{"event":"fax.received","data":{}}`: false,
	} {
		if got := wants(itemOf(t, body)); got != want {
			t.Errorf("%s: %t", body, got)
		}
	}
	store := tabletest.NewBolt(t)
	deliver(t, store, newLedger(t, store), of(missed("a", 0), contact)(t)...)
	for item, err := range table.All(t.Context(), store, table.Query{Partition: table.CallerPartition(number)}) {
		if err != nil || wants(item) {
			t.Errorf("the ledger's own item comes back: %v, %v", table.KeyOf(item), err)
		}
	}
	if !slices.ContainsFunc([]table.Item{act(followup.ActDone, 1, 1)}, wants) {
		t.Error("hand acts are not wanted")
	}
}
