package play_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// start is when the doctored storms begin.
var start = time.Date(2026, time.March, 20, 12, 0, 0, 0, time.UTC)

// perfect returns what is seen where nothing goes wrong.
func perfect(p *play.Plan) *play.Result {
	r := &play.Result{Took: 10 * time.Second}
	rings := map[string]bool{}
	served := map[int]bool{}
	for _, e := range p.Events {
		served[e.Ring] = served[e.Ring] || e.Answered
	}
	for _, d := range p.Deliveries {
		r.Answers = append(r.Answers, play.Answer{Tries: []play.Try{{Status: 200}}, OK: true})
		for _, i := range d.All() {
			e := p.Events[i]
			if name := fmt.Sprint(e.Ring, e.Kind); e.Alert != "" && !rings[name] && !served[e.Ring] {
				rings[name] = true
				r.Published.Taken = append(r.Published.Taken, play.Alert{ID: e.Alert, Kind: e.Kind, Caller: e.Caller})
			}
		}
	}
	for _, e := range p.Events {
		r.Stored = append(r.Stored, e.Key)
	}
	for _, s := range p.Strays {
		try := play.Try{Status: s.Want}
		r.Strays = append(r.Strays, play.Answer{Tries: []play.Try{try, try}, OK: true})
		if s.Kept {
			r.Rejected = append(r.Rejected, table.RejectedKey(start, s.Body), table.RejectedKey(start.Add(time.Second), s.Body))
		}
	}
	return r
}

// served returns an alert that is to be taken back.
func served(p *play.Plan) play.Alert {
	for _, answered := range p.Events {
		for _, e := range p.Events {
			if answered.Answered && e.Ring == answered.Ring && e.Alert != "" {
				return play.Alert{ID: e.Alert, Kind: e.Kind, Caller: e.Caller}
			}
		}
	}
	return play.Alert{}
}

func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 20})
	alerts := len(perfect(p).Published.Taken)
	first := func(is func(play.Stray) bool) int { return slices.IndexFunc(p.Strays, is) }
	kept := first(func(s play.Stray) bool { return s.Kept })
	foreign := first(func(s play.Stray) bool { return s.WrongToken })
	ofServed := served(p)
	as := func(kind events.Kind, a play.Alert) play.Alert { return play.Alert{ID: a.ID, Kind: kind} }
	rejections := 0
	for _, s := range p.Strays {
		if s.Kept {
			rejections++
		}
	}
	for _, tc := range []struct {
		name   string
		doctor func(*play.Result)
		want   string // in the error; "" for none
		report func(*expected)
	}{
		{"nothing", func(*play.Result) {}, "", func(*expected) {}},
		{
			"one event lost",
			func(r *play.Result) { r.Stored = r.Stored[1:] },
			"lost, though answered 200 (1)",
			func(r *expected) { r.Stored--; r.Lost++ },
		},
		{
			"everything lost",
			func(r *play.Result) { r.Stored = nil },
			"lost, though answered 200 (140)",
			func(r *expected) { r.Lost, r.Stored = r.Stored, 0 },
		},
		{
			"one event stored twice, under another key",
			func(r *play.Result) {
				r.Stored = append(r.Stored, table.Key{PK: r.Stored[0].PK, SK: r.Stored[0].SK + "x"})
			},
			"stored twice (1)",
			func(r *expected) { r.Extra++ },
		},
		{
			"one event stored twice, under its own key",
			func(r *play.Result) { r.Stored = append(r.Stored, r.Stored[0]) },
			"stored twice (1)",
			func(r *expected) { r.Extra++ },
		},
		{
			"one stored twice in place of another",
			func(r *play.Result) { r.Stored[1] = r.Stored[0] },
			"lost, though answered 200 (1), stored twice (1)",
			func(r *expected) { r.Stored--; r.Lost++; r.Extra++ },
		},
		{
			"a stray answered otherwise the second time",
			func(r *play.Result) {
				r.Strays[3] = play.Answer{Tries: []play.Try{r.Strays[3].Tries[0], {Status: 500}}}
			},
			"strays answered otherwise (1)",
			func(r *expected) { r.Otherwise++ },
		},
		{
			"a stray left out",
			func(r *play.Result) {
				r.Strays[foreign] = play.Answer{}
			},
			"",
			func(r *expected) { r.Strays--; r.Unposted++ },
		},
		{
			"a rejection not kept",
			func(r *play.Result) {
				r.Rejected = slices.DeleteFunc(r.Rejected, func(key table.Key) bool {
					return strings.HasSuffix(key.SK, "#"+table.BodyDigest(p.Strays[kept].Body))
				})
			},
			"rejections not kept (1)",
			func(r *expected) { r.Rejections--; r.Unkept++ },
		},
		{
			"a rejection kept only the first time, though it came twice",
			func(r *play.Result) { r.Rejected = r.Rejected[1:] },
			"",
			func(*expected) {},
		},
		{
			"a stray kept that nothing must be kept of",
			func(r *play.Result) {
				r.Rejected = append(r.Rejected, table.RejectedKey(start, p.Strays[foreign].Body))
			},
			"kept as rejected needlessly (1)",
			func(r *expected) { r.Needless++ },
		},
		{
			"rejections that are nobody's",
			func(r *play.Result) {
				r.Rejected = append(r.Rejected, table.RejectedKey(start, []byte("somebody else's")))
			},
			"",
			func(*expected) {},
		},
		{
			"a stray stored as an event, twice",
			func(r *play.Result) { r.Stored = append(r.Stored, p.Strays[foreign].Key, p.Strays[foreign].Key) },
			"stored twice (1), strays stored as events (1)",
			func(r *expected) { r.Accepted++; r.Extra++ },
		},
		{
			"one alert missing",
			func(r *play.Result) { r.Published.Taken = r.Published.Taken[1:] },
			"not alerted (1)",
			func(r *expected) { r.Alerted--; r.Missing++ },
		},
		{
			"one alerted twice",
			func(r *play.Result) { r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0]) },
			"alerted twice (1)",
			func(r *expected) { r.Twice++ },
		},
		{
			"one alerted three times",
			func(r *play.Result) {
				r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0], r.Published.Taken[0])
			},
			"alerted twice (2)",
			func(r *expected) { r.Twice += 2 },
		},
		{
			"one alerted twice in place of another",
			func(r *play.Result) { r.Published.Taken[1] = r.Published.Taken[0] },
			"not alerted (1), alerted twice (1)",
			func(r *expected) { r.Alerted--; r.Missing++; r.Twice++ },
		},
		{
			"as many alerted twice as two kills may repeat",
			func(r *play.Result) {
				r.Kills = 2
				for range 20 {
					r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0])
				}
			},
			"",
			func(r *expected) { r.Twice, r.Kills, r.Excused = 20, 2, 20 },
		},
		{
			"more alerted twice than a kill may repeat",
			func(r *play.Result) {
				r.Kills, r.Unmarked = 1, 5
				for range 6 {
					r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0])
				}
			},
			"alerted twice (1)",
			func(r *expected) { r.Twice, r.Kills, r.Excused = 6, 1, 5 },
		},
		{
			"an alert missing and another one twice, after a kill",
			func(r *play.Result) {
				r.Kills = 1
				r.Published.Taken[1] = r.Published.Taken[0]
			},
			"not alerted (1)",
			func(r *expected) { r.Alerted--; r.Missing++; r.Twice, r.Kills, r.Excused = 1, 1, 10 },
		},
		{
			"an alert of nothing",
			func(r *play.Result) {
				r.Published.Taken = append(r.Published.Taken, play.Alert{ID: "CALL#x/missed_call"})
			},
			"alerted without a reason (1)",
			func(r *expected) { r.Unexpected++ },
		},
		{
			"an alert of a caller who was served",
			func(r *play.Result) { r.Published.Taken = append(r.Published.Taken, ofServed) },
			"served, and still alerted (1)",
			func(r *expected) { r.Served++; r.Alerted++ },
		},
		{
			"an alert of a caller who was served, taken back for people only",
			func(r *play.Result) {
				r.Published.Taken = append(r.Published.Taken, ofServed, as(events.KindCorrection, ofServed))
			},
			"served, and still alerted (1)",
			func(r *expected) { r.Served++; r.Alerted++ },
		},
		{
			"an alert of a caller who was served, taken back before it came",
			func(r *play.Result) {
				r.Published.Taken = append(r.Published.Taken, as(events.KindReturned, ofServed), as(events.KindCorrection, ofServed), ofServed)
			},
			"",
			func(r *expected) { r.Back++; r.Alerted++ },
		},
		{
			"one taken back twice, and told people twice",
			func(r *play.Result) {
				back, told := as(events.KindReturned, ofServed), as(events.KindCorrection, ofServed)
				r.Published.Taken = append(r.Published.Taken, ofServed, back, told, back, told)
			},
			"alerted twice (2)",
			func(r *expected) { r.Back++; r.Alerted++; r.Twice += 2 },
		},
		{
			"an alert taken back of a caller whom nobody served",
			func(r *play.Result) {
				r.Published.Taken = append(r.Published.Taken, as(events.KindReturned, r.Published.Taken[0]))
			},
			"not alerted (1)",
			func(r *expected) { r.Back++; r.Missing++ },
		},
		{
			"a caller called withheld, and another by a number that is not theirs",
			func(r *play.Result) {
				numbered := func(a play.Alert) bool { return a.Number != "" }
				i := slices.IndexFunc(r.Published.Taken, numbered)
				r.Published.Taken[i].Caller = play.Caller{}
				i = slices.IndexFunc(r.Published.Taken, numbered)
				r.Published.Taken[i].Number = "+1"
			},
			"called withheld, and are not (1), called by another number (1)",
			func(r *expected) { r.Unknown++; r.Miscalled++ },
		},
		{
			"an alert that cannot be read",
			func(r *play.Result) { r.Published.Unreadable++ },
			"alerts not readable (1)",
			func(r *expected) { r.Unreadable++ },
		},
		{
			"a delivery given up, though stored",
			func(r *play.Result) {
				r.Answers[len(r.Answers)-1] = play.Answer{Tries: []play.Try{{Status: 503}, {}}}
			},
			"never answered 200 (1)",
			func(r *expected) {
				r.Unanswered++
				r.Posts++
				r.Answers = map[string]int{"answered 0": 1, "answered 200": 199, "answered 503": 1}
			},
		},
		{
			"a delivery retried, and answered in the end",
			func(r *play.Result) {
				r.Answers[0].Tries = append([]play.Try{{Status: 500}, {}}, r.Answers[0].Tries...)
			},
			"",
			func(r *expected) {
				r.Posts += 2
				r.Answers = map[string]int{"answered 0": 1, "answered 200": 200, "answered 500": 1}
			},
		},
		{
			"a delivery lost on the way there and back, and answered in the end",
			func(r *play.Result) {
				r.Answers[0].Tries = append([]play.Try{{Loss: play.LostThere}, {Status: 503, Loss: play.LostBack}}, r.Answers[0].Tries...)
			},
			"",
			func(r *expected) { r.LostThere, r.LostBack, r.Posts = 1, 1, r.Posts+1 },
		},
		{
			"tries to publish that failed, and succeeded in the end",
			func(r *play.Result) { r.Published.Failed = 5 },
			"",
			func(r *expected) { r.PublishFailed = 5 },
		},
		{
			"a stack that does not come to rest",
			func(r *play.Result) { r.Unsettled = errors.Join(errLate, errBusy) },
			"not settled (alerts: context deadline exceeded; busy)",
			func(*expected) {},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := &expected{
				Posts: 200, Answers: map[string]int{"answered 200": 200}, Stored: 140,
				Strays: 40, Rejections: rejections, Expected: alerts, Alerted: alerts,
			}
			tc.report(want)

			seen := perfect(p)
			tc.doctor(seen)
			got := play.Check(p, seen)
			err := got.Err()
			if errors.Is(err, play.ErrBroken) != (tc.want != "") {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			var printed strings.Builder
			if err := got.Print(&printed); err != nil {
				t.Fatal(err)
			}
			if ok := strings.Contains(printed.String(), "\nOK: "); ok != (tc.want == "") {
				t.Errorf("printed OK is %t:\n%s", ok, &printed)
			}
			if !strings.Contains(printed.String(), tc.want) {
				t.Errorf("printed without %q:\n%s", tc.want, &printed)
			}
			if diff := cmp.Diff(want, summary(got)); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

var (
	errBusy = errors.New("busy")
	errLate = fmt.Errorf("alerts: %w", context.DeadlineExceeded)
)

// expected is what a report says.
type expected struct {
	Posts, LostThere, LostBack, Unanswered                                    int
	Answers                                                                   map[string]int
	Stored, Lost, GivenUp, Extra                                              int
	Strays, Unposted, Otherwise, Accepted, Rejections, Unkept, Needless       int
	Expected, Alerted, Missing, Unexpected, Unreadable, Twice, Excused, Kills int
	PublishFailed                                                             int
	Back, Served, Several, Unknown, Miscalled                                 int
}

func summary(r *play.Report) *expected {
	found := func(b play.Breach) int { return len(r.Found[b]) }
	c := r.Counts
	return &expected{
		Posts: c["posted, retries included"], LostThere: c["lost on the way there"], LostBack: c["lost on the way back"],
		Unanswered: found(play.Unanswered), Answers: answers(r),
		Stored: c["stored"], Lost: found(play.Lost), GivenUp: found(play.GivenUp), Extra: found(play.Extra),
		Strays: c["strays"], Unposted: c["strays left out, unsigned"], Otherwise: found(play.Otherwise), Accepted: found(play.Accepted),
		Rejections: c["rejections kept"], Unkept: found(play.Unkept), Needless: found(play.Needless),
		Expected: c["alerts expected"], Alerted: c["alerted"], Missing: found(play.Missing), Unexpected: found(play.Unexpected),
		Unreadable: found(play.Unreadable), Twice: found(play.Twice), Excused: r.Excused, Kills: c["kills"],
		PublishFailed: c["publish attempts failed"],
		Back:          c["alerts taken back"], Served: found(play.Served), Several: found(play.Several),
		Unknown: found(play.Unknown), Miscalled: found(play.Miscalled),
	}
}

// A talk that says nothing of its length seems to have served the caller, until it turns out to be too
// short. Of nobody else may an alert be made again.
func TestAnAlertMayBeMadeAgainAfterATalkThatWasTooShort(t *testing.T) {
	t.Parallel()
	calm := plan(t, play.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 20})
	first := perfect(calm).Published.Taken
	i := slices.IndexFunc(first, func(a play.Alert) bool { return a.Number != "" })
	short := *calm
	short.Events = append(slices.Clone(calm.Events), play.Event{
		Kind: events.KindCall, Key: table.Key{PK: "CALL#short", SK: "EVENT#"}, Ring: 1 << 40, Caller: first[i].Caller,
		Began: start, Ended: start.Add(time.Minute), Talk: true, Talked: 12,
	})
	back := play.Alert{ID: first[i].ID, Kind: events.KindReturned}
	again, third := first[i], first[i]
	again.ID += "#2"
	third.ID += "#3"
	for _, test := range []struct {
		plan *play.Plan
		more []play.Alert
		ok   bool
	}{
		{calm, nil, true},
		{calm, []play.Alert{back, again}, false},
		{&short, []play.Alert{back, again}, true},
		{&short, []play.Alert{back}, false},
		{&short, []play.Alert{back, third}, false},
	} {
		if err := test.plan.Open(play.Published{Taken: slices.Concat(first, test.more)}); (err == nil) != test.ok {
			t.Errorf("%v: %v", test.more, err)
		}
	}
}

// Of missing events nearly all are named, of everything else a few.
func TestTheReportNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 1000})
	seen := perfect(p)
	seen.Stored = seen.Stored[250:]
	seen.Published.Taken = append(seen.Published.Taken, seen.Published.Taken...)
	var printed strings.Builder
	if err := play.Check(p, seen).Print(&printed); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"\n  lost, though answered 200: ": 201, "\n  lost, though answered 200: and 50 more\n": 1,
		"\n  alerted twice: ": 4, fmt.Sprintf("\n  alerted twice: and %d more\n", len(perfect(p).Published.Taken)-3): 1,
	} {
		if got := strings.Count(printed.String(), text); got != want {
			t.Errorf("%q is printed %d times, want %d:\n%s", text, got, want, &printed)
		}
	}
}

func TestTheReportSaysHowATryEnded(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 200, Strays: 20})
	seen := perfect(p)
	seen.Answers[0] = play.Answer{Tries: []play.Try{{Loss: play.LostThere}, {}, {Status: 500}}}
	for i, s := range p.Strays {
		if s.Kind == "too deep" {
			seen.Strays[i] = play.Answer{Tries: []play.Try{{Status: 200}}}
		}
	}
	e := p.Events[p.Deliveries[0].Event]
	var printed strings.Builder
	if err := play.Check(p, seen).Print(&printed); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("never answered 200: %s %s (%s): [lost on the way no answer 500]\n", e.Key.PK, e.Key.SK, e.Kind),
		"strays answered otherwise: too deep: [200], not 400\n",
	} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("printed without %q:\n%s", want, &printed)
		}
	}
}

func TestCallersWhoStandOtherwiseAreFound(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 20})
	const stranger = "+14155550199"
	seen := perfect(p)
	seen.Acts = make([]bool, len(p.Acts)) // none was taken
	seen.FollowUps = map[string]table.Item{stranger: {table.GSI3PK: attr.String(table.WaitingPartition)}}
	r := play.Check(p, seen)
	if len(p.Acts) == 0 || len(r.Found[play.NotDone]) != len(p.Acts) {
		t.Errorf("%d hand acts not taken, want all %d", len(r.Found[play.NotDone]), len(p.Acts))
	}
	wrong := r.Found[play.Misjudged]
	if len(wrong) < 10 { // whoever waits by the plan
		t.Errorf("%d stand otherwise, want many: %q", len(wrong), wrong)
	}
	if !slices.Contains(wrong, stranger+": waits, and has not called") {
		t.Errorf("who has not called and waits is not found: %q", wrong)
	}
}

func TestTheReportIsAligned(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 20})
	var printed strings.Builder
	if err := play.Check(p, perfect(p)).Print(&printed); err != nil {
		t.Fatal(err)
	}
	const want = `seed                                 1
sent                               200
distinct events                    140
posted, retries included           200
lost on the way there                0
lost on the way back                 0
never answered 200                   0

stored                             140
lost, though answered 200            0
given up, never answered 200         0
stored twice                         0

strays                              40
strays left out, unsigned            0
strays answered otherwise            0
strays stored as events              0
rejections kept                     26
rejections not kept                  0
kept as rejected needlessly          0

alerts expected                     46
alerted                             46
alerts taken back                    0
not alerted                          0
served, and still alerted            0
rings alerted several times          0
called withheld, and are not         0
called by another number             0
alerted without a reason             0
alerts not readable                  0
alerted twice                        0
excused                              0
kills                                0
publish attempts failed              0

hand acts                            0
hand acts not taken                  0
callers                              0
callers who wait                     0
callers who stand otherwise          0

answered 0                           0
answered 200                       200
deliveries per second               20

OK: nothing lost, nothing stored twice in the plan's partitions (the rest of the table was not read), every alert made once
`
	if diff := cmp.Diff(want, printed.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	if err := play.Check(p, perfect(p)).Print(brokenPipe{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
