package play_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Each of these stacks breaks one promise. A storm that does not find out proves
// nothing of the others.
func TestABrokenStackIsFoundOut(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 8, Deliveries: 200, Duplicates: 20, Strays: 13})
	delivered := map[int]int{}
	for _, d := range p.Deliveries {
		for _, i := range d.All() {
			delivered[i]++
		}
	}
	only := slices.IndexFunc(p.Deliveries, func(d play.Delivery) bool { return len(d.More) == 0 && delivered[d.Event] == 1 })
	someDelivery := string(p.Deliveries[only].Body)
	listed := slices.IndexFunc(p.Deliveries, func(d play.Delivery) bool { return len(d.More) == 1 && delivered[d.More[0]] == 1 })
	somebody := alone(p)
	someAlert := somebody.Alert
	// instead publishes other alerts in place of those that are not taken back.
	instead := func(of func(play.Alert) []play.Alert) func(*stack) {
		return func(s *stack) {
			s.publish = func(a play.Alert) []play.Alert {
				if a.Back() {
					return []play.Alert{a}
				}
				return of(a)
			}
		}
	}
	of := func(kind string) (bodies []string) {
		for _, s := range p.Strays {
			if s.Kind == kind {
				bodies = append(bodies, string(s.Body))
			}
		}
		return bodies
	}
	// answering answers what has a body in another way, stored or not.
	answering := func(status int, bodies ...string) func(*stack) {
		return func(s *stack) {
			s.after = func(r request, was int) int {
				if slices.Contains(bodies, r.body) {
					return status
				}
				return was
			}
		}
	}

	for i, tc := range []struct {
		name   string
		damage func(*stack)
		want   string // in the error
		sample string // how an example begins
		breach play.Breach
		least  int
	}{
		{
			"answers 200 and stores nothing",
			func(s *stack) {
				s.before = func(r request) int {
					if r.body == someDelivery {
						return http.StatusOK
					}
					return 0
				}
			},
			"lost, though answered 200 (1)", "lost, though answered 200: ", play.Lost, 1,
		},
		{
			"stores under a second key",
			func(s *stack) {
				s.put = func(item table.Item) []table.Item {
					if table.KeyOf(item) != p.Events[3].Key {
						return []table.Item{item}
					}
					other := twin(item, table.SK, "x")
					delete(other, table.Payload) // it is known by where it is
					return []table.Item{item, other}
				}
			},
			"stored twice (1)", "stored twice: ", play.Extra, 1,
		},
		{
			"stores texts a second time, as another message's",
			storesTextsTwice,
			"stored twice", "stored twice: MESSAGE#", play.Extra, texts(p),
		},
		{
			"alerts twice",
			instead(func(a play.Alert) []play.Alert {
				if a.ID == someAlert {
					return []play.Alert{a, a}
				}
				return []play.Alert{a}
			}),
			"alerted twice (1)", "alerted twice: " + someAlert, play.Twice, 1,
		},
		{
			"does not alert",
			instead(func(a play.Alert) []play.Alert {
				return slices.DeleteFunc([]play.Alert{a}, func(a play.Alert) bool { return a.ID == someAlert })
			}),
			"not alerted (1)", "not alerted: " + someAlert, play.Missing, 1,
		},
		{
			"alerts what nobody missed",
			instead(func(a play.Alert) []play.Alert {
				if a.ID == someAlert {
					return []play.Alert{a, {ID: "CALL#nobody/missed_call"}}
				}
				return []play.Alert{a}
			}),
			"alerted without a reason (1)", "alerted without a reason: CALL#nobody", play.Unexpected, 1,
		},
		{
			"takes nothing back",
			func(s *stack) {
				s.publish = func(a play.Alert) []play.Alert { return slices.DeleteFunc([]play.Alert{a}, play.Alert.Back) }
			},
			"served, and still alerted (", "served, and still alerted: CALL#", play.Served, 1,
		},
		{
			"takes an alert back of a caller whom nobody served",
			instead(func(a play.Alert) []play.Alert {
				if a.ID == someAlert {
					return []play.Alert{a, {ID: a.ID, Kind: events.KindReturned}}
				}
				return []play.Alert{a}
			}),
			"not alerted (1)", "not alerted: " + someAlert, play.Missing, 1,
		},
		{
			"alerts of each leg of a ring",
			instead(func(a play.Alert) (all []play.Alert) {
				for _, leg := range legs(p, a.ID) {
					all = append(all, play.Alert{ID: leg, Kind: a.Kind, Caller: a.Caller})
				}
				return all
			}),
			"rings alerted several times (", "rings alerted several times: CALL#", play.Several, 1,
		},
		{
			"calls everybody withheld",
			instead(func(a play.Alert) []play.Alert { return []play.Alert{{ID: a.ID, Kind: a.Kind}} }),
			"called withheld, and are not (", "called withheld, and are not: CALL#", play.Unknown, 10,
		},
		{
			"takes what is no number for none",
			instead(func(a play.Alert) []play.Alert {
				a.Text = ""
				return []play.Alert{a}
			}),
			"called withheld, and are not (", "called withheld, and are not: CALL#", play.Unknown, 1,
		},
		{
			"takes an extension for a part of the number",
			instead(func(a play.Alert) []play.Alert {
				if a.ID == someAlert {
					a.Number += "12"
				}
				return []play.Alert{a}
			}),
			"called by another number (1)", "called by another number: " + someAlert, play.Miscalled, 1,
		},
		{
			"stores the first of a list only",
			func(s *stack) {
				s.before = func(r request) int {
					if r.body != string(p.Deliveries[listed].Body) {
						return 0
					}
					_, _ = s.Put(t.Context(), table.EventItem(decode(t, []byte(r.body)), r.at, r.at))
					return http.StatusOK
				}
			},
			"lost, though answered 200 (1)", "lost, though answered 200: ", play.Lost, 1,
		},
		{
			"refuses what is damaged",
			func(s *stack) {
				s.before = func(r request) int {
					if !json.Valid([]byte(r.body)) && slices.ContainsFunc(p.Deliveries, func(d play.Delivery) bool { return string(d.Body) == r.body }) {
						return http.StatusBadRequest
					}
					return 0
				}
			},
			"never answered 200 (", "never answered 200: ", play.Unanswered, 1,
		},
		{
			"refuses an event for good",
			answering(http.StatusBadRequest, someDelivery),
			"never answered 200 (1)", "never answered 200: ", play.Unanswered, 1,
		},
		{
			"answers a malformed body 200",
			answering(http.StatusOK, of("not JSON")...),
			"strays answered otherwise", "strays answered otherwise: not JSON: [200], not 400",
			play.Otherwise, len(of("not JSON")),
		},
		{
			"answers a malformed body 200 the second time",
			func(s *stack) {
				s.after = func(r request, was int) int {
					if r.try == 2 && slices.Contains(of("too deep"), r.body) {
						return http.StatusOK
					}
					return was
				}
			},
			"strays answered otherwise", "strays answered otherwise: too deep: [400 200], not 400",
			play.Otherwise, len(of("too deep")),
		},
		{
			"fails at a malformed body",
			answering(http.StatusInternalServerError, of("more behind the end")...),
			"strays answered otherwise", "strays answered otherwise: more behind the end: [500 500",
			play.Otherwise, len(of("more behind the end")),
		},
		{
			"refuses a probe",
			func(s *stack) {
				s.before = func(r request) int {
					if r.method == http.MethodGet {
						return http.StatusMethodNotAllowed
					}
					return 0
				}
			},
			"strays answered otherwise", "strays answered otherwise: GET: [405], not 200",
			play.Otherwise, len(of("GET")),
		},
		{
			"keeps no rejection",
			func(s *stack) {
				s.put = func(item table.Item) []table.Item {
					return slices.DeleteFunc([]table.Item{item}, isRejection)
				}
			},
			"rejections not kept", "rejections not kept: ", play.Unkept, 10,
		},
		{
			"keeps what has no token",
			func(s *stack) {
				s.before = func(r request) int {
					if strings.HasSuffix(r.path, "not-the-token") {
						_, _ = s.Put(t.Context(), table.RejectedItem(table.Rejection{Body: []byte(r.body), Reason: "token"}, r.at))
					}
					return 0
				}
			},
			"kept as rejected needlessly", "kept as rejected needlessly: wrong token",
			play.Needless, len(of("wrong token, format A")),
		},
		{
			"answers a wrong token 200",
			func(s *stack) {
				s.after = func(r request, was int) int {
					if strings.HasSuffix(r.path, "not-the-token") {
						return http.StatusOK
					}
					return was
				}
			},
			"strays answered otherwise", "strays answered otherwise: wrong token, format A: [200], not 401",
			play.Otherwise, len(of("wrong token, format A")) + len(of("wrong token, format B")),
		},
		{
			"stores what has a wrong token, though it answers 401",
			func(s *stack) {
				s.after = func(r request, was int) int {
					if strings.HasSuffix(r.path, "not-the-token") {
						_, _ = s.Put(t.Context(), table.EventItem(decode(t, []byte(r.body)), r.at, r.at))
					}
					return was
				}
			},
			"strays stored as events", "strays stored as events: wrong token, format ",
			play.Accepted, len(of("wrong token, format A")) + len(of("wrong token, format B")),
		},
		{
			"takes a forged signature",
			func(s *stack) {
				s.before = func(r request) int {
					if r.header.Get(events.HeaderSignature) == "" {
						return 0
					}
					_, _ = s.Put(t.Context(), table.EventItem(decode(t, []byte(r.body)), r.at, r.at))
					return http.StatusOK
				}
			},
			"strays answered otherwise", "strays answered otherwise: signed for another URL: [200], not 401",
			play.Accepted, len(of("signed long ago")) + len(of("signed with another secret")),
		},
		{
			"takes what is not signed",
			func(s *stack) {
				s.before = func(r request) int {
					if r.header.Get(events.HeaderSignature) != "" || !slices.Contains(of("no signature"), r.body) {
						return 0
					}
					_, _ = s.Put(t.Context(), table.EventItem(decode(t, []byte(r.body)), r.at, r.at))
					return http.StatusOK
				}
			},
			"strays stored as events (2)", "strays stored as events: no signature: CALL#",
			play.Accepted, len(of("no signature")),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && i%4 != 0 {
				t.Skip("one in four is enough to see that the storm looks")
			}
			if tc.least == 0 {
				t.Fatal("the plan has none of these")
			}
			s := newStack(t)
			tc.damage(s)
			r := played(t, impatient(), p, s.target(), s)
			err := r.Err()
			if !errors.Is(err, play.ErrBroken) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if got := len(r.Found[tc.breach]); got < tc.least {
				t.Errorf("%d are counted, want %d", got, tc.least)
			}
			var printed strings.Builder
			if err := r.Print(&printed); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(printed.String(), "\nNOT OK: ") || !strings.Contains(printed.String(), tc.want) || !strings.Contains(printed.String(), "\n  "+tc.sample) {
				t.Errorf("printed without %q or %q:\n%s", tc.want, tc.sample, &printed)
			}
		})
	}
}

// alone returns an event whose alert no other call can make.
func alone(p *play.Plan) play.Event {
	rings := map[int][]play.Event{}
	for _, e := range p.Events {
		rings[e.Ring] = append(rings[e.Ring], e)
	}
	for _, all := range rings {
		if len(all) == 1 && all[0].Alert != "" && all[0].Caller.Number != "" {
			return all[0]
		}
	}
	return play.Event{}
}

// legs returns the ids of the alerts that an alert can be instead of.
func legs(p *play.Plan, id string) (ids []string) {
	i := slices.IndexFunc(p.Events, func(e play.Event) bool { return e.Alert == id })
	for _, e := range p.Events {
		if e.Ring == p.Events[i].Ring && e.Kind == p.Events[i].Kind && e.Alert != "" && !slices.Contains(ids, e.Alert) {
			ids = append(ids, e.Alert)
		}
	}
	return ids
}

// storesTextsTwice has each text stored under the key of another message, too.
func storesTextsTwice(s *stack) {
	s.put = func(item table.Item) []table.Item {
		if !strings.HasPrefix(table.Text(item, table.PK), "MESSAGE#") {
			return []table.Item{item}
		}
		return []table.Item{item, twin(item, table.PK, "-n")}
	}
}

// texts counts the plan's events of messages.
func texts(p *play.Plan) (n int) {
	for _, e := range p.Events {
		if strings.HasPrefix(e.Key.PK, "MESSAGE#") {
			n++
		}
	}
	return n
}

// twin returns an item with something appended to one of its keys.
func twin(item table.Item, key, more string) table.Item {
	item = maps.Clone(item)
	item[key] = attr.String(table.Text(item, key) + more)
	return item
}

// Where the table cannot be read as a whole, the report says what it has not seen.
func TestATwinElsewhereIsFoundOnlyInAWholeTable(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 50})
	for _, tc := range []struct {
		name  string
		scan  bool
		extra int
		print string
	}{
		{"read as a whole", true, texts(p), "stored twice ("},
		{"read in part", false, 0, "OK: nothing lost, nothing stored twice in the plan's partitions (the rest of the table was not read), every alert made once\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			storesTextsTwice(s)
			target := s.target()
			if !tc.scan {
				target.Scan = nil
			}
			r := played(t, impatient(), p, target, s)
			var printed strings.Builder
			if err := r.Print(&printed); err != nil {
				t.Fatal(err)
			}
			inPart := strings.Contains(printed.String(), "the rest of the table was not read)")
			if len(r.Found[play.Extra]) != tc.extra || r.Seen.Scanned != tc.scan || inPart == tc.scan || !strings.Contains(printed.String(), tc.print) {
				t.Errorf("%d are found, want %d:\n%s", len(r.Found[play.Extra]), tc.extra, &printed)
			}
		})
	}
}

func TestEventsOfOthersAreNoTwins(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 50})
	// Calls of people, with and without an id: some from before the storm, some
	// that come meanwhile.
	others := func(n int) (items []table.Item) {
		for _, data := range []string{`{"call_id":"call_1f"`, `{"call_id":""`} {
			body := fmt.Appendf(nil, `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":%s,"n":%d}}`, data, n)
			items = append(items, table.EventItem(decode(t, body), start, start))
		}
		return items
	}
	for _, tc := range []struct {
		name  string
		fresh bool
		extra int
	}{
		{"in a table of theirs as well", false, 0},
		{"in one that was made for the storm", true, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.publish = func(a play.Alert) []play.Alert { // nobody alerts of the others
				return slices.DeleteFunc([]play.Alert{a}, func(a play.Alert) bool { _, planned := p.Alerts()[a.ID]; return !planned })
			}
			keep := func(items []table.Item) {
				for _, item := range items {
					s.keep(t.Context(), item)
				}
			}
			keep(others(1))
			target := s.target()
			target.Fresh = tc.fresh
			target.Settled = func(context.Context) error { keep(others(2)); return nil }
			r := played(t, impatient(), p, target, s)
			if len(r.Found[play.Extra]) != tc.extra || (r.Err() == nil) != (tc.extra == 0) {
				t.Errorf("%d are taken for twins, want %d: %v", len(r.Found[play.Extra]), tc.extra, r.Err())
			}
		})
	}
}

func TestAStackInMemoryKeepsItsPromises(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	r := played(t, impatient(), plan(t, play.Mix{Seed: 1, Deliveries: 60, Strays: 100}), s.target(), s)
	if err := r.Err(); err != nil {
		t.Errorf("%v\n%v", err, r.Found)
	}
	if r.Counts["strays"] != 60 || r.Counts["rejections kept"] < 30 || r.Counts["strays left out, unsigned"] != 0 {
		t.Errorf("strays: %v", r.Counts)
	}
}

// A missing event is lost by the stack only if the stack ever answered a delivery of it 200. Otherwise the sender
// gave it up. The report says which it is of each event, by key and kind, and expects no alert of what was given up.
func TestAMissingEventIsLostOnlyIfItWasEverAnswered200(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 3, Deliveries: 25})
	for _, tc := range []struct {
		name    string
		answers []int // of the first try that arrives and of all others
		loss    int
		missing play.Breach
		other   play.Breach
	}{
		{"answered 200, and not stored", []int{200, 200}, 0, play.Lost, play.GivenUp},
		{"answered 200, but the answer was lost, and never again", []int{200, 503}, 100, play.Lost, play.GivenUp},
		{"never answered 200", []int{503, 400}, 0, play.GivenUp, play.Lost},
		{"never answered at all", []int{cut, cut}, 0, play.GivenUp, play.Lost},
		{"answered 204, which is not 200", []int{204, 204}, 100, play.GivenUp, play.Lost},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.before = func(r request) int { return tc.answers[min(r.try, 2)-1] }
			player := impatient()
			player.Loss = tc.loss
			r := played(t, player, p, s.target(), s)
			if got := len(r.Found[tc.missing]); got != len(p.Events) || len(r.Found[tc.other]) != 0 {
				t.Errorf("%s: %d, want all %d; %s: %d", tc.missing, got, len(p.Events), tc.other, len(r.Found[tc.other]))
			}
			if alerts := len(r.Found[play.Missing]); (alerts == len(perfect(p).Published.Taken)) != (tc.missing == play.Lost) || (alerts == 0) == (tc.missing == play.Lost) {
				t.Errorf("%d alerts are missed", alerts)
			}
			lost := strings.Contains(fmt.Sprint(r.Err()), "lost, though answered 200 (25)")
			if !errors.Is(r.Err(), play.ErrBroken) || lost != (tc.missing == play.Lost) {
				t.Errorf("error %v", r.Err())
			}
			var printed strings.Builder
			if err := r.Print(&printed); err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Events {
				if want := fmt.Sprintf("\n  %s: %s %s (%s)\n", tc.missing, e.Key.PK, e.Key.SK, e.Kind); !strings.Contains(printed.String(), want) {
					t.Errorf("printed without %q:\n%s", want, &printed)
				}
			}
			logscan.Check(t, printed.String(), token, signingSecret)
		})
	}
}
