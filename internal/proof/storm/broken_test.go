package storm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Each of these stacks breaks one promise. A storm that does not find out proves
// nothing of the others.
func TestABrokenStackIsFoundOut(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 3, Deliveries: 25, Duplicates: 20, Strays: 100})
	delivered := map[int]int{}
	for _, d := range p.Deliveries {
		delivered[d.Event]++
	}
	only := slices.IndexFunc(p.Deliveries, func(d storm.Delivery) bool { return delivered[d.Event] == 1 })
	someDelivery := string(p.Deliveries[only].Body)
	someAlert := slices.Max(slices.Collect(func(yield func(string) bool) {
		for id := range p.Alerts() {
			if !yield(id) {
				return
			}
		}
	}))
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

	for _, tc := range []struct {
		name   string
		damage func(*stack)
		want   string // in the error
		sample string // how an example begins
		count  func(*storm.Report) int
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
			"1 lost", "lost: ", func(r *storm.Report) int { return r.Lost }, 1,
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
			"1 stored twice", "stored twice: ", func(r *storm.Report) int { return r.Extra }, 1,
		},
		{
			"stores texts a second time, as another message's",
			storesTextsTwice,
			"stored twice", "stored twice: MESSAGE#", func(r *storm.Report) int { return r.Extra }, texts(p),
		},
		{
			"alerts twice",
			func(s *stack) {
				s.publish = func(id string) []string {
					if id == someAlert {
						return []string{id, id}
					}
					return []string{id}
				}
			},
			"1 alerted twice", "alerted twice: " + someAlert, func(r *storm.Report) int { return r.Twice }, 1,
		},
		{
			"does not alert",
			func(s *stack) {
				s.publish = func(id string) []string {
					return slices.DeleteFunc([]string{id}, func(id string) bool { return id == someAlert })
				}
			},
			"1 not alerted", "not alerted: " + someAlert, func(r *storm.Report) int { return r.Missing }, 1,
		},
		{
			"alerts what nobody missed",
			func(s *stack) {
				s.publish = func(id string) []string {
					if id == someAlert {
						return []string{id, "CALL#nobody/missed_call"}
					}
					return []string{id}
				}
			},
			"1 alerted without a reason", "alerted without a reason: CALL#nobody", func(r *storm.Report) int { return r.Unexpected }, 1,
		},
		{
			"refuses an event for good",
			answering(http.StatusBadRequest, someDelivery),
			"1 never answered 200", "never answered 200: ", func(r *storm.Report) int { return r.GivenUp }, 1,
		},
		{
			"answers a malformed body 200",
			answering(http.StatusOK, of("not JSON")...),
			"answered otherwise", "answered otherwise: not JSON: 200, not 400",
			func(r *storm.Report) int { return r.Otherwise }, len(of("not JSON")),
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
			"answered otherwise", "answered otherwise: too deep: 400, 200, not 400",
			func(r *storm.Report) int { return r.Otherwise }, len(of("too deep")),
		},
		{
			"fails at a malformed body",
			answering(http.StatusInternalServerError, of("a name twice")...),
			"answered otherwise", "answered otherwise: a name twice: 500, 500",
			func(r *storm.Report) int { return r.Otherwise }, len(of("a name twice")),
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
			"answered otherwise", "answered otherwise: GET: 405, not 200",
			func(r *storm.Report) int { return r.Otherwise }, len(of("GET")),
		},
		{
			"keeps no rejection",
			func(s *stack) {
				s.put = func(item table.Item) []table.Item {
					return slices.DeleteFunc([]table.Item{item}, isRejection)
				}
			},
			"rejections not kept", "not kept as rejected: ", func(r *storm.Report) int { return r.Unkept }, 10,
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
			"kept as rejected without a reason", "kept as rejected, which is not to be: wrong token",
			func(r *storm.Report) int { return r.Needless }, len(of("wrong token, format A")),
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
			"answered otherwise", "answered otherwise: wrong token, format A: 200, not 401",
			func(r *storm.Report) int { return r.Otherwise }, len(of("wrong token, format A")) + len(of("wrong token, format B")),
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
			"strays stored as events", "stored as an event: wrong token, format ",
			func(r *storm.Report) int { return r.Accepted }, len(of("wrong token, format A")) + len(of("wrong token, format B")),
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
			"answered otherwise", "answered otherwise: signed for another URL: 200, not 401",
			func(r *storm.Report) int { return r.Accepted }, len(of("signed long ago")) + len(of("signed with another secret")),
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
			"1 stray stored as an event", "stored as an event: no signature: CALL#",
			func(r *storm.Report) int { return r.Accepted }, len(of("no signature")),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.least == 0 {
				t.Fatal("the plan has none of these")
			}
			s := newStack(t)
			tc.damage(s)
			r := play(t, impatient(), p, s.target(), s)
			err := r.Err()
			if !errors.Is(err, storm.ErrBroken) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if got := tc.count(r); got < tc.least {
				t.Errorf("%d are counted, want %d", got, tc.least)
			}
			if !slices.ContainsFunc(r.Examples, func(example string) bool { return strings.HasPrefix(example, tc.sample) }) {
				t.Errorf("no example begins %q:\n%s", tc.sample, strings.Join(r.Examples, "\n"))
			}
			var printed strings.Builder
			if err := r.Print(&printed); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(printed.String(), "\nNOT OK: ") || !strings.Contains(printed.String(), tc.want) {
				t.Errorf("printed:\n%s", &printed)
			}
		})
	}
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
func texts(p *storm.Plan) (n int) {
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
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 50})
	for _, tc := range []struct {
		name  string
		scan  bool
		extra int
		print string
	}{
		{"read as a whole", true, texts(p), " stored twice\n"},
		{"read in part", false, 0, "OK: nothing lost, nothing stored twice in the plan's partitions, every alert made once\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			storesTextsTwice(s)
			target := s.target()
			if !tc.scan {
				target.Scan = nil
			}
			r := play(t, impatient(), p, target, s)
			var printed strings.Builder
			if err := r.Print(&printed); err != nil {
				t.Fatal(err)
			}
			inPart := strings.Contains(printed.String(), "the rest of the table was not read\n")
			if r.Extra != tc.extra || r.Scanned != tc.scan || inPart == tc.scan || !strings.Contains(printed.String(), tc.print) {
				t.Errorf("%d are found, want %d:\n%s", r.Extra, tc.extra, &printed)
			}
		})
	}
}

func TestEventsOfOthersAreNoTwins(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 50})
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
			s.publish = func(id string) []string { // nobody alerts of the others
				return slices.DeleteFunc([]string{id}, func(id string) bool { _, planned := p.Alerts()[id]; return !planned })
			}
			keep := func(items []table.Item) {
				s.mu.Lock()
				defer s.mu.Unlock()
				for _, item := range items {
					s.keep(item)
				}
			}
			keep(others(1))
			target := s.target()
			target.Fresh = tc.fresh
			target.Settled = func(context.Context) error { keep(others(2)); return nil }
			r := play(t, impatient(), p, target, s)
			if r.Extra != tc.extra || (r.Err() == nil) != (tc.extra == 0) {
				t.Errorf("%d are taken for twins, want %d: %v", r.Extra, tc.extra, r.Err())
			}
		})
	}
}

func TestAStackInMemoryKeepsItsPromises(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	r := play(t, impatient(), plan(t, storm.Mix{Seed: 1, Deliveries: 60, Strays: 100}), s.target(), s)
	if err := r.Err(); err != nil {
		t.Errorf("%v\n%s", err, strings.Join(r.Examples, "\n"))
	}
	if r.Strays != 60 || r.Rejections < 30 || r.Unposted != 0 {
		t.Errorf("%d strays, %d rejections, %d left out", r.Strays, r.Rejections, r.Unposted)
	}
}
