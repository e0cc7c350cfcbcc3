package followup_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
)

// row is a kind of call or text, with what it is to mean. The meaning is written by
// hand, and not computed from the events.
type row struct {
	name   string
	events func(id string, second int) []said
	// opens with this outcome, contact for this reason, or attempt.
	opens   events.Outcome
	contact followup.Reason
	attempt bool
	// length is how long a contact or attempt lasts.
	length int
	agent  string
	// calls is set if JustCall is to call back.
	calls bool
	// shifts is set if the events give different starts, or say first that a caller
	// waits and then nothing.
	shifts bool
	// leg names the row of a second call of the same ring, with an id of its own.
	leg string
}

func one(s func(id string, second int) said) func(string, int) []said {
	return func(id string, second int) []said { return []said{s(id, second)} }
}

var rows = []row{
	{name: "missed", events: one(missed), opens: events.Missed},
	{name: "missed, told twice", events: func(id string, second int) []said {
		return []said{missed(id, second), {id: id, second: second, outcome: "missed", ring: 25}}
	}, opens: events.Missed},
	{name: "voicemail", events: func(id string, second int) []said {
		return []said{missed(id, second), {id: id, second: second, typ: "call.voicemail", outcome: "Voicemail", talk: -1}}
	}, opens: events.Voicemailed},
	{name: "gave up", events: one(func(id string, second int) said { return in(id, second, "Abandoned", 0) }), opens: events.Abandoned},
	{name: "rescued", events: one(func(id string, second int) said { return in(id, second, "Answered", 60) }), contact: followup.Rescued, length: 68, agent: "Kim"},
	{name: "missed by one, answered by another", events: func(id string, second int) []said {
		return []said{missed(id, second), {id: id, second: second, typ: "call.answered", outcome: "Answered", agent: "Kim", talk: -1}, in(id, second, "Answered", 90)}
	}, contact: followup.Rescued, length: 98, agent: "Kim"},
	{name: "answered for a moment", events: one(func(id string, second int) said { return in(id, second, "Answered", 5) })},
	{name: "answered for a moment, after a miss", events: func(id string, second int) []said {
		return []said{missed(id, second), in(id, second, "Answered", 5)}
	}, shifts: true},
	{name: "returned", events: one(func(id string, second int) said { return out(id, second, "Answered", 60, 12) }), contact: followup.Returned, length: 72, agent: "Ines"},
	{name: "returned, told in parts", events: func(id string, second int) []said {
		return []said{
			{id: id, second: second, typ: "call.initiated", direction: "Outgoing", talk: -1, agent: "Ines"},
			{id: id, second: second, typ: "call.answered", direction: "Outgoing", outcome: "Answered", talk: -1, agent: "Ines"},
			out(id, second, "Answered", 60, 12),
		}
	}, contact: followup.Returned, length: 72, agent: "Ines"},
	{name: "mailbox", events: one(func(id string, second int) said { return out(id, second, "Answered", 12, 15) }), attempt: true, length: 27, agent: "Ines"},
	{name: "unanswered", events: one(func(id string, second int) said { return out(id, second, "Unanswered", 0, 25) }), attempt: true, agent: "Ines"},
	{name: "hung up at once", events: one(func(id string, second int) said { return out(id, second, "Unanswered", 0, 4) })},
	{name: "failed", events: one(func(id string, second int) said { return out(id, second, "Failed", 0, 0) })},
	{name: "a human", events: one(func(id string, second int) said {
		return said{id: id, second: second, typ: "sd.call_completed", direction: "Outgoing", outcome: "Outgoing human answered", talk: 6, ring: 9, agent: "Ines"}
	}), contact: followup.Returned, length: 15, agent: "Ines"},
	{name: "a machine", events: one(func(id string, second int) said {
		return said{id: id, second: second, typ: "sd.call_completed", direction: "Outgoing", outcome: "Outgoing machine answered", talk: 60, ring: 9, agent: "Ines"}
	}), attempt: true, length: 69, agent: "Ines"},
	{name: "a machine, told late", events: func(id string, second int) []said {
		return []said{
			{id: id, second: second, typ: "sd.call_completed", direction: "Outgoing", outcome: "Answered", talk: 60, ring: 9, agent: "Ines"},
			{id: id, second: second, typ: "sd.call_updated", direction: "Outgoing", outcome: "Outgoing machine answered", talk: -1},
		}
	}, attempt: true, length: 69, agent: "Ines", shifts: true},
	{name: "an AI agent", events: one(func(id string, second int) said {
		return said{id: id, second: second, outcome: "Answered", talk: 90, info: `,"call_traits":["voice_agent"]`}
	})},
	{name: "waits for JustCall", events: one(func(id string, second int) said {
		return said{id: id, second: second, outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes"}`}
	}), opens: events.Abandoned, calls: true},
	{name: "JustCall reached them", events: func(id string, second int) []said {
		return []said{
			{id: id, second: second, outcome: "Abandoned", talk: -1},
			{id: id, second: second, typ: "call.updated", outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes","callback_status":"Yes"}`},
		}
	}, contact: followup.Queue},
	{name: "rings", events: one(func(id string, second int) said {
		return said{id: id, second: second, typ: "call.incoming", talk: -1}
	})},
	{name: "unknown", events: one(func(id string, second int) said { return in(id, second, "Zonked", 0) })},
	{name: "two phones", events: one(missed), opens: events.Missed, leg: "missed"},
	{name: "two phones, and one answered for a moment", events: one(missed), opens: events.Missed, leg: "answered for a moment"},
}

// happened is one thing that happened to a caller.
type happened struct {
	row
	id     string
	second int
	parts  []events.Part
	text   *followup.Text
	act    *followup.Act
}

// caller is a random story of one caller.
type caller struct {
	all    []happened
	person followup.Person
	large  bool // more than twenty calls
}

func randomCaller(t *testing.T, random *rand.Rand) caller {
	t.Helper()
	c := caller{large: random.IntN(2) == 0}
	ignored := random.IntN(2) == 0 // hardly anybody talks with them
	n := 1 + random.IntN(20)
	if c.large {
		n = 15 + random.IntN(16)
	}
	allowed := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return c.large && (r.shifts || r.leg != "") })
	step := []int{20, 61, 600, 5000}[random.IntN(4)]
	if c.large {
		step = max(step, 61) // no two in one minute
	}
	second := 0
	for i := 0; i < n; i++ {
		second += step + random.IntN(step)
		r := allowed[random.IntN(len(allowed))]
		if random.IntN(3) == 0 || ignored && r.contact != "" && random.IntN(15) > 0 {
			r = allowed[0] // so that some wait
		}
		legs := []row{r}
		if r.leg != "" {
			legs = append(legs, rows[slices.IndexFunc(rows, func(other row) bool { return other.name == r.leg })])
			i++
		}
		for leg, r := range legs {
			h := happened{row: r, id: fmt.Sprintf("c%d-%d-%d", random.IntN(100), i, leg), second: second}
			for j, s := range r.events(h.id, second) {
				part := s.part(t)
				part.Key = fmt.Sprint(j, part.Key)
				h.parts = append(h.parts, part)
			}
			c.all = append(c.all, h)
		}
	}
	for i := range random.IntN(4) {
		when := random.IntN(second + 100)
		parts := []string{`,"medium":"One-To-One via App","agent_name":"Ines"`, `,"medium":"Bulk SMS"`, `,"medium":"App","agent_name":"Ines","delivery_status":"failed"`}
		which := random.IntN(len(parts) + 1)
		direction, members := "Incoming", ""
		if which < len(parts) {
			direction, members = "Outgoing", parts[which]
		}
		message := followup.Default().Text(fmt.Sprint("MESSAGE#", i), text(t, fmt.Sprint(i), when, direction, members))
		c.all = append(c.all, happened{second: when, text: &message, row: row{attempt: which == 0, agent: "Ines"}})
	}
	for i := range random.IntN(5) {
		when := random.IntN(second + 100)
		kind := []followup.ActKind{followup.ActClaim, followup.ActClaim, followup.ActUnclaim, followup.ActSnooze, followup.ActDone}[random.IntN(5)]
		act := followup.Act{ID: fmt.Sprint("act", i), At: at(when), Kind: kind, By: []string{"Ines", "Kim"}[random.IntN(2)], Until: at(when + random.IntN(7200))}
		c.all = append(c.all, happened{second: when, act: &act})
	}
	if random.IntN(4) == 0 {
		c.person = followup.Person{At: "1", Known: true, Blocked: random.IntN(4) == 0}
	}
	c.person.Own = random.IntN(10) == 0
	return c
}

// told merges what happened in a random order, with repetitions: each event when it
// arrives, with those of its call that have arrived by then.
func (c caller) told(random *rand.Rand) followup.Facts {
	policy := followup.Default()
	type step struct{ what, part int }
	var steps []step
	for i, h := range c.all {
		for j := range max(1, len(h.parts)) {
			for range 1 + random.IntN(2) {
				steps = append(steps, step{i, j})
			}
		}
	}
	if random.IntN(3) > 0 {
		random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	}
	arrived := make(map[step]bool)
	facts := followup.Facts{Person: c.person}
	halves := [2]followup.Facts{facts}
	for _, s := range steps {
		h := c.all[s.what]
		var said followup.Facts
		switch {
		case h.text != nil:
			said = h.text.Of()
		case h.act != nil:
			said = h.act.Of()
		default:
			arrived[s] = true
			var parts []events.Part
			for j, p := range h.parts {
				if arrived[step{s.what, j}] {
					parts = append(parts, p)
				}
			}
			said = policy.Call(h.id, events.Fold(parts...)).Of()
		}
		half := random.IntN(2) // two that work side by side, whose facts are merged
		halves[half] = followup.Merge(halves[half], said)
		if random.IntN(10) == 0 {
			halves[1-half] = followup.Merge(halves[half], halves[1-half])
		}
	}
	return followup.Merge(halves[random.IntN(2)], halves[0], halves[1])
}

// seen is what is asked of a state.
type seen struct {
	Open, More, Unreached, Escalates, Calls bool
	Since                                   int
	Count, Hour, Attempts                   int
	Outcome                                 events.Outcome
	Reason                                  followup.Reason
	Claimed                                 string
	Paused, Snoozed                         int
}

func seconds(t time.Time) int {
	if t.IsZero() {
		return -1
	}
	return int(t.Sub(start) / time.Second)
}

func look(s followup.State, now int) (v seen) {
	v.Open, v.Unreached, v.Escalates, v.Calls = s.Open(), s.Unreached(), s.Escalates(), s.CallsBack()
	v.Since, v.Outcome, v.Attempts = seconds(s.Since()), s.Outcome(), len(s.Attempts())
	v.Count, v.More = s.Count()
	v.Hour = s.CallsWithin(time.Hour)
	if c, ok := s.Closing(); ok {
		v.Reason = c.Reason
	}
	if c, ok := s.Claim(at(now)); ok {
		v.Claimed = c.By
	}
	v.Paused, v.Snoozed = seconds(s.PausedUntil(at(now))), seconds(s.SnoozedUntil(at(now)))
	return v
}

// reference is the same by a slow walk over everything that happened, in order.
func (c caller) reference(now int) seen {
	v := seen{Since: -1, Paused: -1, Snoozed: -1}
	calls := slices.DeleteFunc(slices.Clone(c.all), func(h happened) bool { return h.text != nil || h.act != nil })
	sort.Slice(calls, func(i, j int) bool { // newest first
		a, b := calls[i], calls[j]
		return a.second > b.second || a.second == b.second && a.id > b.id
	})
	closed, reason, reasonID := -1<<40, followup.Reason(""), ""
	end := func(second int, id string, why followup.Reason) {
		if second > closed || second == closed && id > reasonID {
			closed, reason, reasonID = second, why, id
		}
	}
	talked := false
	for _, h := range calls {
		if h.contact != "" {
			end(h.second+h.length, h.id, h.contact)
			talked = true
		}
	}
	var claim, snooze followup.Act
	for _, h := range c.all {
		if h.act == nil {
			continue
		}
		for kind, last := range map[string]*followup.Act{"claim unclaim": &claim, "snooze": &snooze} {
			newer := h.act.At.After(last.At) || h.act.At.Equal(last.At) && h.act.ID > last.ID
			if newer && (kind == string(h.act.Kind) || kind == "claim unclaim" && h.act.Kind != followup.ActSnooze && h.act.Kind != followup.ActDone) {
				*last = *h.act
			}
		}
		if h.act.Kind == followup.ActDone {
			end(h.second, h.act.ID, followup.ByHand)
		}
	}
	v.Reason = reason
	if c.person.Own {
		v.Reason = followup.IsOwn
		return v
	}
	if c.person.Blocked {
		v.Reason = followup.IsBlocked
		return v
	}

	answered := map[int]bool{}
	for _, h := range calls {
		if h.name == "rescued" || h.name == "answered for a moment" || h.name == "an AI agent" ||
			h.name == "answered for a moment, after a miss" || h.name == "missed by one, answered by another" {
			answered[h.second] = true
		}
	}
	last := -1
	starts := map[int]bool{}
	for i, h := range calls {
		if h.opens == "" || h.second <= closed || answered[h.second] {
			continue
		}
		v.Open, v.Since = true, h.second
		if last < 0 {
			last = h.second
		}
		v.Outcome = v.Outcome.Best(h.opens)
		if i >= 20 {
			v.More = true
			continue
		}
		if !starts[h.second] {
			starts[h.second] = true
			v.Count++
			if h.second > last-3600 {
				v.Hour++
			}
		}
	}
	if !v.Open {
		return v
	}
	type tried struct {
		end   int
		agent string
	}
	var attempts []tried
	for i, h := range calls {
		if i < 20 && h.attempt && h.second >= v.Since {
			attempts = append(attempts, tried{h.second + h.length, h.agent})
		}
		if i < 20 && h.calls && h.second >= v.Since {
			v.Calls = true
			v.Paused = max(v.Paused, h.second+3600)
		}
	}
	for _, h := range c.all {
		if h.text != nil && h.attempt && h.second >= v.Since {
			attempts = append(attempts, tried{h.second, h.agent})
		}
	}
	sort.Slice(attempts, func(i, j int) bool { return attempts[i].end < attempts[j].end })
	v.Attempts = len(attempts)
	after := slices.DeleteFunc(slices.Clone(attempts), func(a tried) bool { return a.end <= last })
	v.Unreached = len(after) >= 3 && after[len(after)-1].end-after[0].end >= 3600
	v.Escalates = !v.Unreached && (v.Outcome != events.Abandoned || c.person.Known || talked || v.Hour > 1 || v.More)

	given := -1 << 40
	if claim.Kind == followup.ActUnclaim {
		given = seconds(claim.At)
	}
	if claim.Kind == followup.ActClaim && seconds(claim.At) > closed && now < seconds(claim.Until) {
		v.Claimed = claim.By
		v.Paused = max(v.Paused, seconds(claim.Until))
	}
	for _, a := range attempts {
		v.Paused = max(v.Paused, a.end+1800)
	}
	for i := len(attempts) - 1; i >= 0 && v.Claimed == ""; i-- {
		if a := attempts[i]; a.agent != "" && now < a.end+1800 && given < a.end {
			v.Claimed = a.agent
		}
	}
	if snooze.ID != "" && seconds(snooze.At) > closed && last <= seconds(snooze.At) && seconds(snooze.Until) > now {
		v.Snoozed = seconds(snooze.Until)
		v.Paused = max(v.Paused, v.Snoozed)
	}
	if v.Paused <= now {
		v.Paused = -1
	}
	return v
}

// Many callers, with up to thirty calls of every kind, texts and hand acts, told
// in several orders, with repetitions and by two processes: always what a walk over
// all of it comes to, and if no more than twenty calls are known, the same facts.
func TestPromise4_AnyOrderIsWhatHappened(t *testing.T) {
	t.Parallel()
	const orders = 4
	callers := 1000
	if testing.Short() {
		callers = 200
	}
	handled, open := 0, 0
	for n := range callers {
		random := rand.New(rand.NewPCG(7, uint64(n))) //nolint:gosec // the same callers each time
		c := randomCaller(t, random)
		last := c.all[len(c.all)-1].second
		for _, h := range c.all {
			last = max(last, h.second)
		}
		var first string
		for order := range orders {
			facts := c.told(random)
			now := last + []int{0, 600, 3600}[order%3]
			want, got := c.reference(now), look(facts.State(followup.Default()), now)
			if want.Reason != got.Reason && c.large && got.Reason == "contact" {
				got.Reason = want.Reason // all that is known of an older one
			}
			if want.Open {
				open++
				if !got.Open {
					handled++
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("caller %d, order %d (-reference +state):\n%s\n%s", n, order, diff, c.describe())
			}
			if text := facts.Encode(); first == "" {
				first = text
			} else if !c.large && text != first {
				t.Fatalf("caller %d, order %d: other facts (-first +now):\n%q\n%q", n, order, first, text)
			}
			if again := followup.Merge(facts, facts).Encode(); again != facts.Encode() {
				t.Fatalf("caller %d: merging twice changes the facts", n)
			}
		}
	}
	if handled > 0 || open < callers {
		t.Errorf("%d of %d waiting callers taken for handled", handled, open)
	}
}

func (c caller) describe() (text string) {
	all := slices.Clone(c.all)
	slices.SortFunc(all, func(a, b happened) int { return cmp.Compare(a.second, b.second) })
	for _, h := range all {
		switch {
		case h.act != nil:
			text += fmt.Sprintf("%d %s %s until %d\n", h.second, h.act.Kind, h.act.By, seconds(h.act.Until))
		case h.text != nil:
			text += fmt.Sprintf("%d text %+v\n", h.second, *h.text)
		default:
			text += fmt.Sprintf("%d %s %s\n", h.second, h.id, h.name)
		}
	}
	return text
}
