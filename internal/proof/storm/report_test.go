package storm_test

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

	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table"
)

// start is when the doctored storms begin.
var start = time.Date(2026, time.March, 20, 12, 0, 0, 0, time.UTC)

// perfect returns what is seen where nothing goes wrong: every delivery takes
// 10 ms and is answered at a time of its own, every alert comes a second later.
func perfect(p *storm.Plan) *storm.Result {
	r := &storm.Result{Took: 10 * time.Second}
	alerted := map[string]bool{}
	for i, d := range p.Deliveries {
		at := start.Add(time.Duration(i) * time.Second)
		r.Answers = append(r.Answers, storm.Answer{Tries: []storm.Try{{Status: 200, Took: 10 * time.Millisecond}}, At: at})
		if id := p.Events[d.Event].Alert; id != "" && !alerted[id] {
			alerted[id] = true
			r.Published.Taken = append(r.Published.Taken, storm.Taken{ID: id, At: at.Add(time.Second)})
		}
	}
	for _, e := range p.Events {
		r.Stored = append(r.Stored, e.Key)
	}
	for _, s := range p.Strays {
		try := storm.Try{Status: s.Want, Took: 10 * time.Millisecond}
		r.Strays = append(r.Strays, storm.Answer{Tries: []storm.Try{try, try}, At: start})
		if s.Kept {
			r.Rejected = append(r.Rejected, table.RejectedKey(start, s.Body), table.RejectedKey(start.Add(time.Second), s.Body))
		}
	}
	return r
}

func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 20})
	alerts := len(p.Alerts())
	first := func(is func(storm.Stray) bool) int { return slices.IndexFunc(p.Strays, is) }
	kept := first(func(s storm.Stray) bool { return s.Kept })
	foreign := first(func(s storm.Stray) bool { return s.WrongToken })
	rejections := 0
	for _, s := range p.Strays {
		if s.Kept {
			rejections++
		}
	}
	for _, tc := range []struct {
		name   string
		doctor func(*storm.Result)
		want   string // in the error; "" for none
		report func(*storm.Report)
	}{
		{"nothing", func(*storm.Result) {}, "", func(*storm.Report) {}},
		{
			"one event lost",
			func(r *storm.Result) { r.Stored = r.Stored[1:] },
			"1 lost",
			func(r *storm.Report) { r.Stored--; r.Lost++ },
		},
		{
			"everything lost",
			func(r *storm.Result) { r.Stored = nil },
			"140 lost",
			func(r *storm.Report) { r.Lost, r.Stored = r.Stored, 0 },
		},
		{
			"one event stored twice, under another key",
			func(r *storm.Result) {
				r.Stored = append(r.Stored, table.Key{PK: r.Stored[0].PK, SK: r.Stored[0].SK + "x"})
			},
			"1 stored twice",
			func(r *storm.Report) { r.Extra++ },
		},
		{
			"one event stored twice, under its own key",
			func(r *storm.Result) { r.Stored = append(r.Stored, r.Stored[0]) },
			"1 stored twice",
			func(r *storm.Report) { r.Extra++ },
		},
		{
			"one stored twice in place of another",
			func(r *storm.Result) { r.Stored[1] = r.Stored[0] },
			"1 lost, 1 stored twice",
			func(r *storm.Report) { r.Stored--; r.Lost++; r.Extra++ },
		},
		{
			"a stray answered otherwise the second time",
			func(r *storm.Result) {
				r.Strays[3] = storm.Answer{Tries: []storm.Try{r.Strays[3].Tries[0], {Status: 500, Took: time.Second}}}
			},
			"1 stray answered otherwise",
			func(r *storm.Report) { r.Otherwise++ },
		},
		{
			"a stray left out",
			func(r *storm.Result) {
				r.Strays[foreign] = storm.Answer{}
			},
			"",
			func(r *storm.Report) { r.Strays--; r.Unposted++ },
		},
		{
			"a rejection not kept",
			func(r *storm.Result) {
				r.Rejected = slices.DeleteFunc(r.Rejected, func(key table.Key) bool {
					return strings.HasSuffix(key.SK, "#"+table.BodyDigest(p.Strays[kept].Body))
				})
			},
			"1 rejection not kept",
			func(r *storm.Report) { r.Rejections--; r.Unkept++ },
		},
		{
			"a rejection kept only the first time, though it came twice",
			func(r *storm.Result) { r.Rejected = r.Rejected[1:] },
			"",
			func(*storm.Report) {},
		},
		{
			"a stray kept that nothing must be kept of",
			func(r *storm.Result) {
				r.Rejected = append(r.Rejected, table.RejectedKey(start, p.Strays[foreign].Body))
			},
			"1 kept as rejected without a reason",
			func(r *storm.Report) { r.Needless++ },
		},
		{
			"rejections that are nobody's",
			func(r *storm.Result) {
				r.Rejected = append(r.Rejected, table.RejectedKey(start, []byte("somebody else's")))
			},
			"",
			func(*storm.Report) {},
		},
		{
			"a stray stored as an event, twice",
			func(r *storm.Result) { r.Stored = append(r.Stored, p.Strays[foreign].Key, p.Strays[foreign].Key) },
			"1 stored twice, 1 stray stored as an event",
			func(r *storm.Report) { r.Accepted++; r.Extra++ },
		},
		{
			"one alert missing",
			func(r *storm.Result) { r.Published.Taken = r.Published.Taken[1:] },
			"1 not alerted",
			func(r *storm.Report) { r.Alerted--; r.Missing++ },
		},
		{
			"one alerted twice",
			func(r *storm.Result) { r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0]) },
			"1 alerted twice",
			func(r *storm.Report) { r.Twice++ },
		},
		{
			"one alerted three times",
			func(r *storm.Result) {
				r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0], r.Published.Taken[0])
			},
			"2 alerted twice",
			func(r *storm.Report) { r.Twice += 2 },
		},
		{
			"one alerted twice in place of another",
			func(r *storm.Result) { r.Published.Taken[1] = r.Published.Taken[0] },
			"1 not alerted, 1 alerted twice",
			func(r *storm.Report) { r.Alerted--; r.Missing++; r.Twice++ },
		},
		{
			"as many alerted twice as two kills may repeat",
			func(r *storm.Result) {
				r.Kills = 2
				for range 20 {
					r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0])
				}
			},
			"",
			func(r *storm.Report) { r.Twice, r.Kills, r.Excused = 20, 2, 20 },
		},
		{
			"more alerted twice than a kill may repeat",
			func(r *storm.Result) {
				r.Kills, r.Unmarked = 1, 5
				for range 6 {
					r.Published.Taken = append(r.Published.Taken, r.Published.Taken[0])
				}
			},
			"1 alerted twice",
			func(r *storm.Report) { r.Twice, r.Kills, r.Excused = 6, 1, 5 },
		},
		{
			"an alert missing and another one twice, after a kill",
			func(r *storm.Result) {
				r.Kills = 1
				r.Published.Taken[1] = r.Published.Taken[0]
			},
			"1 not alerted",
			func(r *storm.Report) { r.Alerted--; r.Missing++; r.Twice, r.Kills, r.Excused = 1, 1, 10 },
		},
		{
			"an alert of nothing",
			func(r *storm.Result) {
				r.Published.Taken = append(r.Published.Taken, storm.Taken{ID: "CALL#x/missed_call"})
			},
			"1 alerted without a reason",
			func(r *storm.Report) { r.Unexpected++ },
		},
		{
			"an alert that cannot be read",
			func(r *storm.Result) { r.Published.Unreadable++ },
			"1 alert not readable",
			func(r *storm.Report) { r.Unreadable++ },
		},
		{
			"a delivery given up, though stored",
			func(r *storm.Result) {
				last := len(r.Answers) - 1
				r.Answers[last] = storm.Answer{Tries: []storm.Try{{Status: 503, Took: 10 * time.Millisecond}, {}}}
				r.NoAnswer = io.ErrUnexpectedEOF
			},
			"1 never answered 200",
			func(r *storm.Report) {
				r.GivenUp++
				r.Statuses = map[int]int{0: 1, 200: 199, 503: 1}
				r.NoAnswer = io.ErrUnexpectedEOF
				r.Posts++
				of := &r.Schedules[p.Deliveries[199].Schedule]
				of.Posts++
				of.Retried++
				of.GivenUp++
			},
		},
		{
			"a delivery retried, and answered in the end",
			func(r *storm.Result) {
				r.Answers[0].Tries = append([]storm.Try{{Status: 500, Took: 10 * time.Millisecond}, {}}, r.Answers[0].Tries...)
			},
			"",
			func(r *storm.Report) {
				r.Statuses = map[int]int{0: 1, 200: 200, 500: 1}
				r.Posts += 2
				of := &r.Schedules[p.Deliveries[0].Schedule]
				of.Posts += 2
				of.Retried++
			},
		},
		{
			"a delivery lost on the way there and back, and answered in the end",
			func(r *storm.Result) {
				r.Answers[0].Tries = append([]storm.Try{{Loss: storm.LostThere}, {Loss: storm.LostBack, Took: time.Hour}}, r.Answers[0].Tries...)
			},
			"",
			func(r *storm.Report) {
				r.LostThere, r.LostBack = 1, 1
				r.Posts++
				of := &r.Schedules[p.Deliveries[0].Schedule]
				of.Posts++
				of.Retried++
			},
		},
		{
			"tries to publish that failed, and succeeded in the end",
			func(r *storm.Result) { r.Published.Failed = 5 },
			"",
			func(r *storm.Report) { r.PublishFailed = 5 },
		},
		{
			"a stack that does not come to rest",
			func(r *storm.Result) { r.Unsettled = errBusy },
			"not settled (busy)",
			func(r *storm.Report) { r.Unsettled = errBusy },
		},
		{
			"a stack that is busy for too long",
			func(r *storm.Result) { r.Unsettled, r.Waited = errLate, time.Minute },
			"still busy after 1m0s",
			func(r *storm.Report) { r.Unsettled, r.Waited = errLate, time.Minute },
		},
		{
			"a stack that is busy for too long to alert",
			func(r *storm.Result) {
				r.Unsettled, r.Waited = errLate, time.Minute
				r.Published.Taken = r.Published.Taken[2:]
			},
			fmt.Sprintf("2 not alerted, still busy after 1m0s: 2 of %d alerts have not come\n", alerts),
			func(r *storm.Report) {
				r.Unsettled, r.Waited = errLate, time.Minute
				r.Alerted -= 2
				r.Missing = 2
			},
		},
		{
			"a stack that is busy for too long, with a cause",
			func(r *storm.Result) { r.Unsettled, r.Waited = errors.Join(errLate, errBusy), time.Minute },
			"  still busy: alerts: context deadline exceeded; busy\n",
			func(r *storm.Report) { r.Unsettled, r.Waited = errors.Join(errLate, errBusy), time.Minute },
		},
		{
			"a whole table",
			func(r *storm.Result) { r.Scanned = true },
			"",
			func(r *storm.Report) { r.Scanned = true },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := &storm.Report{
				Seed: 1, Sent: 200, Distinct: 140,
				Posts:     200,
				Statuses:  map[int]int{200: 200},
				Schedules: [3]storm.Retried{{Deliveries: 46, Posts: 46}, {Deliveries: 18, Posts: 18}, {Deliveries: 136, Posts: 136}},
				Stored:    140,
				Strays:    40, Rejections: rejections,
				Expected: alerts, Alerted: alerts,
				Latency:   storm.Percentiles{P50: 10 * time.Millisecond, P95: 10 * time.Millisecond, P99: 10 * time.Millisecond},
				Delay:     storm.Percentiles{P50: time.Second, P95: time.Second, P99: time.Second},
				PerSecond: 20,
			}
			tc.report(want)

			seen := perfect(p)
			tc.doctor(seen)
			got := storm.Check(p, seen)
			err := got.Err()
			if errors.Is(err, storm.ErrBroken) != (tc.want != "") {
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
			got.Examples = nil
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

var (
	errBusy = errors.New("busy")
	errLate = fmt.Errorf("alerts: %w", context.DeadlineExceeded)
)

func TestAnAlertThatOvertakesTheAnswerCameAtOnce(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 200})
	seen := perfect(p)
	for i := range seen.Published.Taken {
		seen.Published.Taken[i].At = start.Add(-time.Hour)
	}
	if got := storm.Check(p, seen).Delay; got != (storm.Percentiles{}) {
		t.Errorf("delay %v", got)
	}
}

func TestTheDelayCountsFromTheFirstDeliveryThatTellsOfTheAlert(t *testing.T) {
	t.Parallel()
	p := newPlan(t, storm.Mix{Seed: 1, Deliveries: 200, Duplicates: 50})
	seen := perfect(p)
	slices.Reverse(p.Deliveries)
	slices.Reverse(seen.Answers)
	want := storm.Percentiles{P50: time.Second, P95: time.Second, P99: time.Second}
	if diff := cmp.Diff(want, storm.Check(p, seen).Delay); diff != "" {
		t.Errorf("delay (-want +got):\n%s", diff)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 200})
	seen := perfect(p)
	for i := range seen.Answers {
		seen.Answers[i].Tries[0].Took = time.Duration(200-i) * time.Millisecond
	}
	want := storm.Percentiles{P50: 100 * time.Millisecond, P95: 190 * time.Millisecond, P99: 198 * time.Millisecond}
	if diff := cmp.Diff(want, storm.Check(p, seen).Latency); diff != "" {
		t.Errorf("latency (-want +got):\n%s", diff)
	}
	one := &storm.Result{Answers: []storm.Answer{{At: start, Tries: []storm.Try{{Status: 200, Took: time.Minute}}}}}
	want = storm.Percentiles{P50: time.Minute, P95: time.Minute, P99: time.Minute}
	if diff := cmp.Diff(want, storm.Check(plan(t, storm.Mix{Deliveries: 1}), one).Latency); diff != "" {
		t.Errorf("latency of one (-want +got):\n%s", diff)
	}
}

func TestTheReportNamesAFewOfWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 200})
	seen := perfect(p)
	var lost []string
	for _, key := range seen.Stored[:3] {
		lost = append(lost, "lost: "+key.PK+" "+key.SK)
	}
	slices.Sort(lost)
	seen.Stored = seen.Stored[3:]
	seen.Published.Taken = append(seen.Published.Taken, seen.Published.Taken...)
	r := storm.Check(p, seen)
	if diff := cmp.Diff(lost, r.Examples[:3]); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	if len(r.Examples) != 6 || !strings.HasPrefix(r.Examples[5], "alerted twice: ") {
		t.Errorf("examples: %q", r.Examples)
	}
	var printed strings.Builder
	if err := r.Print(&printed); err != nil {
		t.Fatal(err)
	}
	for _, example := range r.Examples {
		if !strings.Contains(printed.String(), example) {
			t.Errorf("%s is not printed:\n%s", example, &printed)
		}
	}
}

func TestTheReportSaysHowATryEnded(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 200, Strays: 20})
	seen := perfect(p)
	seen.Answers[0] = storm.Answer{Tries: []storm.Try{{Loss: storm.LostThere}, {}, {Status: 500}}}
	for i, s := range p.Strays {
		if s.Kind == "too deep" {
			seen.Strays[i] = storm.Answer{Tries: []storm.Try{{Status: 200}}}
		}
	}
	key := p.Events[p.Deliveries[0].Event].Key
	want := []string{
		"never answered 200: " + key.PK + " " + key.SK + ": lost on the way, no answer, 500",
		"answered otherwise: too deep: 200, not 400 (2 times)",
	}
	if diff := cmp.Diff(want, storm.Check(p, seen).Examples); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
}

func TestTheReportIsAligned(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 20})
	var printed strings.Builder
	if err := storm.Check(p, perfect(p)).Print(&printed); err != nil {
		t.Fatal(err)
	}
	const want = `seed                                1
sent                              200
  distinct events                 140
  duplicates                       60
posted, retries included          200
lost on the way there               0
lost on the way back                0
answered 200                      200
never answered 200                  0

schedule                   deliveries       posts     retried    given up
  overview                         46          46           0           0
  sms                              18          18           0           0
  portal                          136         136           0           0

stored                            140
lost                                0
extra (stored twice)                0
  looked for in the plan's partitions: the rest of the table was not read

strays                             40
  answered as they must            40
  answered otherwise                0
  stored as events                  0
rejections kept                    26
  not kept                          0
  kept without a reason             0

alerts expected                    44
alerted                            44
missing                             0
without a reason                    0
not readable                        0
alerted twice                       0
  excused                           0
kills                               0
publish attempts failed             0

milliseconds                      p50         p95         p99
  to the answer                  10.0        10.0        10.0
  from answer to alert         1000.0      1000.0      1000.0
deliveries per second              20

OK: nothing lost, nothing stored twice in the plan's partitions, every alert made once
`
	if diff := cmp.Diff(want, printed.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	if err := storm.Check(p, perfect(p)).Print(brokenPipe{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
