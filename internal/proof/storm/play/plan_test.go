package play_test

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
)

// large is a mix that has everything often.
var large = play.Mix{Seed: 1, Deliveries: 2000, Duplicates: 30, Strays: 10}

func TestASeedMakesTheSamePlanEveryTime(t *testing.T) {
	t.Parallel()
	mix := play.Mix{Seed: 7, Deliveries: 200, Duplicates: 30}
	first, second := plan(t, mix), newPlan(t, mix)
	if diff := cmp.Diff(first.Events, second.Events); diff != "" {
		t.Errorf("events of one seed (-first +second):\n%s", diff)
	}
	if !bytes.Equal(posted(first), posted(second)) {
		t.Error("one seed posts other bodies the second time")
	}
	mix.Seed = 8
	if bytes.Equal(posted(first), posted(plan(t, mix))) {
		t.Error("another seed makes the same plan")
	}
}

// Whoever plays one seed after another has one table for all of them.
func TestTwoSeedsMeetNowhereButWhereTypesDo(t *testing.T) {
	t.Parallel()
	whose := map[string]uint64{}
	keys := map[table.Key]uint64{}
	bodies := map[string]uint64{}
	for _, seed := range []uint64{0, 1, 2, 3, 4, 1000, 1 << 26, 1<<27 + 1, 20260312, math.MaxUint64} {
		p := plan(t, play.Mix{Seed: seed, Deliveries: 100, Strays: 50})
		place := func(key table.Key) {
			if other, met := whose[key.PK]; met && other != seed && !strings.HasPrefix(key.PK, "EVENT#") {
				t.Errorf("seeds %d and %d share the partition %s", other, seed, key.PK)
			}
			if other, met := keys[key]; met {
				t.Errorf("seeds %d and %d share the key %v", other, seed, key)
			}
			whose[key.PK], keys[key] = seed, seed
		}
		for _, e := range p.Events {
			place(e.Key)
		}
		for _, s := range p.Strays {
			if s.Key != (table.Key{}) {
				place(s.Key)
			}
			if other, met := bodies[string(s.Body)]; met && s.Kept {
				t.Errorf("seeds %d and %d keep the same body as rejected, %s:\n%s", other, seed, s.Kind, s.Body)
			}
			if s.Kept {
				bodies[string(s.Body)] = seed
			}
		}
	}
}

// posted returns all bodies in their order.
func posted(p *play.Plan) []byte {
	var all []byte
	for _, d := range p.Deliveries {
		all = append(append(all, d.Body...), 0)
	}
	return all
}

func TestASeedTellsTheSameStoriesWhateverTheDuplicates(t *testing.T) {
	t.Parallel()
	none := plan(t, play.Mix{Seed: 3, Deliveries: 140})
	some := plan(t, play.Mix{Seed: 3, Deliveries: 200, Duplicates: 30})
	if diff := cmp.Diff(none.Events, some.Events); diff != "" {
		t.Errorf("events (-without +with duplicates):\n%s", diff)
	}
}

func TestAMixIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		mix      play.Mix
		distinct int
	}{
		{"one delivery", play.Mix{Deliveries: 1}, 1},
		{"one delivery, which cannot be a duplicate", play.Mix{Deliveries: 1, Duplicates: 99}, 1},
		{"no duplicates", play.Mix{Deliveries: 100}, 100},
		{"as the default has it", play.Mix{Deliveries: 200, Duplicates: 30}, 140},
		{"almost nothing but duplicates", play.Mix{Deliveries: 200, Duplicates: 99}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := plan(t, tc.mix)
			if len(p.Deliveries) != tc.mix.Deliveries || len(p.Events) != tc.distinct {
				t.Errorf("%d deliveries of %d events, want %d of %d", len(p.Deliveries), len(p.Events), tc.mix.Deliveries, tc.distinct)
			}
			keys := map[table.Key]struct{}{}
			for _, d := range p.Deliveries {
				for _, body := range events.Split(d.Body) {
					keys[table.EventKey(decode(t, body))] = struct{}{}
				}
			}
			if len(keys) != tc.distinct {
				t.Errorf("the deliveries have %d keys, want %d", len(keys), tc.distinct)
			}
		})
	}
}

func TestAMixBeyondItsLimitsIsRefused(t *testing.T) {
	t.Parallel()
	for _, mix := range []play.Mix{
		{},
		{Deliveries: -1},
		{Deliveries: play.MaxDeliveries + 1},
		{Deliveries: 10, Duplicates: -1},
		{Deliveries: 10, Duplicates: play.MaxDuplicates + 1},
		{Deliveries: 10, Strays: -1},
		{Deliveries: 10, Strays: play.MaxStrays + 1},
	} {
		if _, err := play.NewPlan(mix); err == nil {
			t.Errorf("%+v is taken", mix)
		}
	}
}

func TestTheMixHasItsShares(t *testing.T) {
	t.Parallel()
	p := plan(t, large)

	sum, shares := 0, play.Shares()
	for _, share := range shares {
		sum += share
	}
	if sum != 100 {
		t.Errorf("the shares are %d of a hundred", sum)
	}
	// A story's first event begins it.
	told, stories := map[string]int{}, 0
	var ring int
	types := map[events.Type]int{}
	formats := map[events.Format]int{}
	unregistered, withheld, untold := 0, 0, 0
	for _, e := range p.Events {
		if e.Ring != ring {
			told[e.Story]++
			stories++
		}
		ring = e.Ring
		types[e.Type]++
		formats[e.Format]++
		if !e.Type.Registered() {
			unregistered++
		}
		if e.Alert != "" && e.Caller == (play.Caller{}) {
			withheld++
		}
		if e.Alert != "" && e.Caller.Text != "" {
			untold++
		}
	}
	for name, share := range shares {
		if got := 100 * float64(told[name]) / float64(stories); got < float64(share)*0.8-1.5 || got > float64(share)*1.2+1.5 {
			t.Errorf("%s is %.1f of a hundred stories, want %d", name, got, share)
		}
	}
	for _, typ := range events.Types() {
		if types[typ] == 0 {
			t.Errorf("no %s among %d events", typ, len(p.Events))
		}
	}
	for what, n := range map[string]int{
		"of format A":                    formats[events.FormatA],
		"of format B":                    formats[events.FormatB],
		"of the legacy form":             formats[events.FormatLegacy],
		"of unregistered types":          unregistered,
		"alerts of withheld numbers":     withheld,
		"alerts of what is no number":    untold,
		"alerts (a fifth of all events)": 5 * (len(p.Alerts()) - len(p.Events)/5),
	} {
		if n <= 0 {
			t.Errorf("no events %s", what)
		}
	}
}

func TestADuplicateIsTheSameEventInAnotherSpelling(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, err := play.NewPlan(play.Mix{
			Seed:       rapid.Uint64().Draw(t, "seed"),
			Deliveries: rapid.IntRange(1, 30).Draw(t, "deliveries"),
			Duplicates: rapid.IntRange(0, play.MaxDuplicates).Draw(t, "duplicates"),
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[int][]*events.Delivery)
		for _, delivery := range p.Deliveries {
			if len(delivery.More) > 0 {
				checkList(t, p, delivery)
			}
			d := decode(t, delivery.Body)
			if got, want := table.EventKey(d), p.Events[delivery.Event].Key; got != want {
				t.Fatalf("key %v, want %v\n%s", got, want, delivery.Body)
			}
			for _, twin := range seen[delivery.Event] {
				if diff := cmp.Diff(twin.Details(), d.Details()); diff != "" {
					t.Fatalf("two deliveries of one event (-one +other):\n%s", diff)
				}
				if d.Format == events.FormatB && d.RequestID == twin.RequestID {
					t.Fatalf("two deliveries have the request id %s", d.RequestID)
				}
			}
			seen[delivery.Event] = append(seen[delivery.Event], d)
			for _, i := range delivery.More {
				seen[i] = append(seen[i], nil)[:len(seen[i])]
			}
		}
		if len(seen) != len(p.Events) {
			t.Fatalf("%d of %d events are delivered", len(seen), len(p.Events))
		}
	})
}

func checkList(t fataler, p *play.Plan, d play.Delivery) {
	t.Helper()
	bodies := events.Split(d.Body)
	if len(bodies) != 1+len(d.More) {
		t.Fatalf("%d events in a list of %d\n%s", len(bodies), 1+len(d.More), d.Body)
	}
	for i, event := range d.More {
		if got, want := table.EventKey(decode(t, bodies[i+1])), p.Events[event].Key; got != want {
			t.Fatalf("key %v, want %v\n%s", got, want, bodies[i+1])
		}
	}
}

func TestDeliveriesAreOddInEveryWay(t *testing.T) {
	t.Parallel()
	damaged := map[string]int{}
	lists := 0
	for _, d := range plan(t, large).Deliveries {
		lists += len(d.More)
		for _, body := range events.Split(d.Body) {
			envelope, err := events.Open(body)
			if err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			for _, word := range envelope.Damage {
				damaged[word]++
			}
		}
	}
	for _, word := range []string{
		"bom", "utf-8", "surrogate", "control character", "nan", "nul", "duplicate name", "form", "json in string", "wrapped", "letter case", "flat",
	} {
		if damaged[word] == 0 {
			t.Errorf("none is damaged by %s: %v", word, damaged)
		}
	}
	if lists < 10 {
		t.Errorf("%d events in lists", lists)
	}
}

// Any order of a call's deliveries is possible, and each ring has the one that matters.
func TestCallsAreAnsweredBeforeAndAfterOthersMissThem(t *testing.T) {
	t.Parallel()
	p := plan(t, large)
	missed, legs, orders := map[int]bool{}, map[int]map[string]bool{}, map[bool]int{}
	answered := map[int]bool{}
	for _, d := range p.Deliveries {
		for _, i := range d.All() {
			e := p.Events[i]
			if legs[e.Ring] == nil {
				legs[e.Ring] = map[string]bool{}
			}
			legs[e.Ring][e.Key.PK] = true
			if e.Answered && !answered[e.Ring] {
				answered[e.Ring] = true
				orders[missed[e.Ring]]++
			}
			missed[e.Ring] = missed[e.Ring] || e.Alert != ""
		}
	}
	several := 0
	for _, calls := range legs {
		if len(calls) > 1 {
			several++
		}
	}
	if min(orders[true], orders[false], several) < 10 {
		t.Errorf("answered after a miss and before: %v; of several calls: %d", orders, several)
	}
}

func TestDuplicatesAreSpeltDifferently(t *testing.T) {
	t.Parallel()
	p := plan(t, large)
	spellings := make(map[int][][]byte)
	same := 0
	for _, d := range p.Deliveries {
		if len(d.More) > 0 {
			continue
		}
		for _, other := range spellings[d.Event] {
			if bytes.Equal(other, d.Body) {
				same++
			}
		}
		spellings[d.Event] = append(spellings[d.Event], d.Body)
	}
	if same > 20 {
		t.Errorf("%d of 600 duplicates are the same, byte by byte", same)
	}
}

func TestEventsAreNotInTheOrderInWhichTheyHappened(t *testing.T) {
	t.Parallel()
	p := plan(t, large)
	before := 0
	for i := range p.Deliveries[1:] {
		if p.Deliveries[i].Event < p.Deliveries[i+1].Event {
			before++
		}
	}
	if before < 900 || before > 1100 {
		t.Errorf("%d of 1999 events come behind the one before them, want about half", before)
	}
}

// The plan says what it meant; this folds what the deliveries say.
func TestTheAlertsAreThoseOfAFoldOverAllDeliveries(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		p := plan(t, play.Mix{Seed: seed, Deliveries: 200, Duplicates: 30})
		want := map[string]struct{}{}
		for _, delivery := range p.Deliveries {
			for _, body := range events.Split(delivery.Body) {
				if d := decode(t, body); d.Kind.Alerts() {
					mark := table.AlertKey(table.EventKey(d), d.Kind)
					want[mark.PK+"/"+strings.TrimPrefix(mark.SK, "ALERT#")] = struct{}{}
				}
			}
		}
		if diff := cmp.Diff(want, p.Alerts()); diff != "" {
			t.Errorf("seed %d: alerts (-folded +planned):\n%s", seed, diff)
		}
		if len(want) < 20 {
			t.Errorf("seed %d: only %d alerts", seed, len(want))
		}
	}
}

func TestACallAndKindHasOneAlertHoweverManyEventsTellOfIt(t *testing.T) {
	t.Parallel()
	p := plan(t, large)
	told := map[string]int{}
	types := map[events.Type]bool{}
	both := map[string]int{}
	for _, e := range p.Events {
		if e.Alert == "" {
			continue
		}
		told[e.Alert]++
		both[e.Key.PK] |= map[bool]int{true: 1, false: 2}[strings.HasSuffix(e.Alert, "/missed_call")]
		if e.Story == "missed call under several names" {
			types[e.Type] = true
		}
	}
	several, calls := 0, 0
	for _, n := range told {
		if n > 1 {
			several++
		}
	}
	for _, kinds := range both {
		if kinds == 3 {
			calls++
		}
	}
	if several < 20 || calls < 20 {
		t.Errorf("%d alerts have several events, %d calls a missed call and a voicemail; want 20 of each", several, calls)
	}
	want := map[events.Type]bool{events.TypeCallMissed: true, events.TypeCallCompleted: true}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("names of a missed call (-want +got):\n%s", diff)
	}
}

var (
	telephone = regexp.MustCompile(`\+?\b1?[2-9]\d{9}\b`)
	fiction   = regexp.MustCompile(`^\+?1[2-9]\d{2}55501\d{2}$`)
	address   = regexp.MustCompile(`[a-z0-9.-]+\.(com|org|net|io)\b`)
)

func TestNobodyIsReal(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 200, Strays: 30})
	var bodies []string
	for _, d := range p.Deliveries {
		bodies = append(bodies, string(d.Body))
	}
	for _, s := range p.Strays {
		bodies = append(bodies, string(s.Body))
	}
	for _, body := range bodies {
		for _, number := range telephone.FindAllString(body, -1) {
			if !fiction.MatchString(number) {
				t.Fatalf("%s is not of the range for fiction:\n%s", number, body)
			}
		}
		for _, domain := range address.FindAllString(body, -1) {
			if !strings.HasSuffix(domain, "example.com") && !strings.HasSuffix(domain, "example.org") {
				t.Fatalf("%s is not an example:\n%s", domain, body)
			}
		}
	}
}

// plans are those that tests have asked for. Nobody changes them.
var plans sync.Map

// plan returns the plan of a mix, made up once.
func plan(t *testing.T, mix play.Mix) *play.Plan {
	t.Helper()
	made, _ := plans.LoadOrStore(mix, sync.OnceValue(func() *play.Plan { return newPlan(t, mix) }))
	p := made.(func() *play.Plan)()
	if p == nil {
		t.Fatalf("no plan of %+v", mix)
	}
	return p
}

func newPlan(t *testing.T, mix play.Mix) *play.Plan {
	t.Helper()
	p, err := play.NewPlan(mix)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fataler is a test, of rapid or not.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// decode returns the event of a body, the first of a list.
func decode(t fataler, body []byte) *events.Delivery {
	t.Helper()
	envelope, err := events.Open(events.Split(body)[0])
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return envelope.Decode()
}
