package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// kind is a kind of call or text, with what it is to mean, which is written by hand.
type kind struct {
	bodies func(id string, minute int) []string
	opens  events.Outcome
	reason string // it is a contact
	length time.Duration
	tried  bool
}

var kindsOfCalls = []kind{
	{bodies: func(id string, m int) []string { return []string{missed(id, m)} }, opens: events.Missed},
	{bodies: func(id string, m int) []string {
		return []string{missed(id, m), call("call.completed", id, m, "Incoming", "Missed", "")}
	}, opens: events.Missed},
	{bodies: func(id string, m int) []string {
		return []string{missed(id, m), call("call.voicemail", id, m, "Incoming", "Voicemail", "")}
	}, opens: events.Voicemailed},
	{bodies: func(id string, m int) []string {
		return []string{call("call.completed", id, m, "Incoming", "Abandoned", "")}
	}, opens: events.Abandoned},
	{bodies: func(id string, m int) []string { return []string{returned(id, m)} }, reason: "returned", length: 69 * time.Second},
	{bodies: func(id string, m int) []string {
		return []string{
			call("call.answered", id, m, "Incoming", "Answered", `,"agent_name":"Kim"`),
			call("call.completed", id, m, "Incoming", "Answered", `,"agent_name":"Kim","call_duration":{"total_duration":60,"conversation_time":55,"ring_time":5}`),
		}
	}, reason: "rescued", length: 60 * time.Second},
	{bodies: func(id string, m int) []string {
		return []string{
			call("call.answered", id, m, "Outgoing", "Answered", `,"agent_name":"Ines"`),
			call("call.completed", id, m, "Outgoing", "Answered", `,"agent_name":"Ines","call_duration":{"total_duration":20,"conversation_time":8,"ring_time":12}`),
		}
	}, tried: true},
	{bodies: func(id string, m int) []string {
		return []string{call("call.completed", id, m, "Outgoing", "Unanswered", `,"agent_name":"Ines","call_duration":{"ring_time":30}`)}
	}, tried: true},
	{bodies: func(id string, m int) []string {
		return []string{call("call.completed", id, m, "Outgoing", "Failed", "")}
	}},
	{bodies: func(id string, m int) []string {
		return []string{call("call.incoming", id, m, "Incoming", "", "")}
	}},
	{bodies: func(id string, m int) []string {
		return []string{fmt.Sprintf(`{"type":"sms.sent","data":{"id":%q,"contact_number":"14155550144","justcall_number":"14155559901",
		"sms_date":%q,"sms_time":%q,"direction":"Outgoing","medium":"Bulk SMS","agent_name":"Ines"}}`, id, at(m).Format(time.DateOnly), at(m).Format(time.TimeOnly))}
	}},
}

// person is a random caller: what happened to them, and what must be shown of them.
type person struct {
	number string
	items  []table.Item
	want   want
	open   bool
}

func somebody(t testing.TB, n int, random *rand.Rand) person {
	t.Helper()
	p := person{number: fmt.Sprintf("+1415%07d", 5_550_000+n)}
	type done struct {
		kind
		minute int
		id     string
	}
	var all []done
	minute := -60 * 24 * 3
	for i := range 1 + random.IntN(30) {
		minute += 2 + random.IntN(90)
		k := kindsOfCalls[random.IntN(len(kindsOfCalls))]
		if random.IntN(3) == 0 {
			k = kindsOfCalls[0]
		}
		one := done{k, minute, fmt.Sprintf("p%d-%d", n, i)}
		all = append(all, one)
		for _, body := range k.bodies(one.id, minute) {
			p.items = append(p.items, itemOf(t, strings.ReplaceAll(body, "14155550144", p.number[1:])))
		}
	}
	closed, reason := time.Time{}, "new"
	for i := range random.IntN(3) {
		when := -60*24*3 + random.IntN(minute+60*24*3+10)
		act := followup.Act{ID: fmt.Sprint("act", i), At: at(when).Add(30 * time.Second), Kind: []followup.ActKind{followup.ActClaim, followup.ActDone}[random.IntN(2)], By: "Kim", Until: at(when)}
		p.items = append(p.items, ledger.ActItem(p.number, act))
		if act.Kind == followup.ActDone && act.At.After(closed) {
			closed, reason = act.At, "done"
		}
	}
	for _, d := range all {
		if end := at(d.minute).Add(d.length); d.reason != "" && end.After(closed) {
			closed, reason = end, d.reason
		}
	}
	var best events.Outcome
	var since time.Time
	count, tried := 0, 0
	isCall := func(d done) bool { return !strings.Contains(d.bodies("x", 0)[0], "sms.sent") }
	calls := slices.DeleteFunc(slices.Clone(all), func(d done) bool { return !isCall(d) })
	for i, d := range calls {
		if d.opens == "" || !at(d.minute).After(closed) {
			continue
		}
		if since.IsZero() {
			since = at(d.minute)
		}
		best = best.Best(d.opens)
		if i >= len(calls)-20 {
			count++
		}
	}
	if p.open = !since.IsZero(); !p.open {
		p.want = want{state: reason}
		return p
	}
	for i, d := range calls {
		if d.tried && !at(d.minute).Before(since) && i >= len(calls)-20 {
			tried++
		}
	}
	more := ""
	for i, d := range calls {
		if d.opens != "" && at(d.minute).After(closed) && i < len(calls)-20 {
			more = "+"
		}
	}
	p.want = want{state: "waiting", since: table.Time(since), count: strconv.Itoa(count) + more, attempts: strconv.Itoa(tried), outcome: string(best)}
	return p
}

// callersVariable says how many callers ring on the stand-in for DynamoDB, which is slow.
const callersVariable = "CALLERS"

func onDynamoDB(t testing.TB) int {
	t.Helper()
	text := os.Getenv(callersVariable)
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number from 1 on", callersVariable, text)
	}
	return n
}

// A thousand callers with up to thirty calls of every kind and hand acts, in a random
// order, with repetitions, in batches of several callers: the follow-ups in the table are
// what a slow walk over what happened comes to.
func TestPromise4_EveryFollowUpIsWhatHappened(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) (table.Store, int){
		"bbolt":    func(t testing.TB) (table.Store, int) { return tabletest.NewBolt(t), 1000 },
		"dynamodb": func(t testing.TB) (table.Store, int) { return dynamostore.New(tabletest.NewTable(t)), onDynamoDB(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, callers := open(t)
			if testing.Short() {
				callers /= 10
			}
			random := rand.New(rand.NewPCG(3, 9)) //nolint:gosec // the same callers each time
			var people []person
			var items []table.Item
			for n := range callers {
				p := somebody(t, n, random)
				people = append(people, p)
				items = append(items, p.items...)
				items = append(items, p.items[:random.IntN(len(p.items)+1)]...)
			}
			// What happens to one caller is mixed with what happens to some others.
			for begin := 0; begin < len(items); begin += 200 {
				some := items[begin:min(begin+300, len(items))]
				random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			}
			l := newLedger(t, store)
			for batch := range slices.Chunk(items, 100) {
				var all sync.WaitGroup
				for _, item := range batch {
					all.Go(func() {
						if _, err := store.Put(t.Context(), item); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if err := errors.Join(l.Process(t.Context(), batch)...); err != nil {
					t.Fatal(err)
				}
			}
			handled, waiting := 0, 0
			for _, p := range people {
				got := shown(followUp(t, store, p.number))
				got.claim, got.agent = "", ""
				if got.state == "unreached" {
					got.state = "waiting"
				}
				if got.state == "contact" {
					got.state = p.want.state // all that is known of an older one
				}
				if p.open {
					waiting++
					if got.since == "" {
						handled++
					}
				}
				if got != p.want {
					t.Fatalf("%s: got %+v, want %+v", p.number, got, p.want)
				}
			}
			if handled > 0 || waiting < callers/4 {
				t.Errorf("%d of %d waiting callers taken for handled", handled, waiting)
			}
		})
	}
}
