package play_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
)

func TestAPlanHasStraysOfEveryKind(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 5, Deliveries: 100, Strays: 100})
	if len(p.Deliveries) != 100 || len(p.Strays) != 100 {
		t.Errorf("%d deliveries and %d strays, want 100 of each", len(p.Deliveries), len(p.Strays))
	}
	told := map[string]int{}
	for _, s := range p.Strays {
		told[s.Kind]++
	}
	for _, kind := range play.Kinds() {
		if n := told[kind]; n < 4 || n > 5 {
			t.Errorf("%d of 100 strays are %q, want as many of each", n, kind)
		}
	}
	before := func(a, b play.Stray) int { return a.Before - b.Before }
	if !slices.IsSortedFunc(p.Strays, before) || p.Strays[0].Before > 10 || p.Strays[99].Before < 90 {
		t.Errorf("the strays stand before deliveries %d to %d", p.Strays[0].Before, p.Strays[99].Before)
	}
}

func TestStraysAreTheSameForASeedAndChangeNothingElse(t *testing.T) {
	t.Parallel()
	bare := plan(t, play.Mix{Seed: 5, Deliveries: 100, Duplicates: 30})
	mix := play.Mix{Seed: 5, Deliveries: 100, Duplicates: 30, Strays: 100}
	p := plan(t, mix)
	if !reflect.DeepEqual(p.Strays, newPlan(t, mix).Strays) {
		t.Error("one seed makes other strays the second time")
	}
	if !bytes.Equal(posted(p), posted(bare)) || !reflect.DeepEqual(p.Events, bare.Events) {
		t.Error("strays change the deliveries")
	}
	mix.Seed = 6
	if reflect.DeepEqual(p.Strays, plan(t, mix).Strays) {
		t.Error("another seed makes the same strays")
	}
}

func TestAStrayIsFoundAgainAndBelongsToNoStory(t *testing.T) {
	t.Parallel()
	p := plan(t, large)
	digests := map[string]string{}
	keys := map[table.Key]bool{}
	partitions := map[string]bool{}
	for _, e := range p.Events {
		keys[e.Key], partitions[e.Key.PK] = true, true
	}
	for _, s := range p.Strays {
		if !s.Kept && s.Key == (table.Key{}) {
			continue // there is nothing to be found
		}
		digest := table.BodyDigest(s.Body)
		if other, twice := digests[digest]; twice {
			t.Errorf("%s and %s have one body:\n%s", other, s.Kind, s.Body)
		}
		digests[digest] = s.Kind
		if s.Key == (table.Key{}) {
			continue
		}
		if keys[s.Key] || partitions[s.Key.PK] {
			t.Errorf("%s: %v is that of another event", s.Kind, s.Key)
		}
		keys[s.Key] = true
		if d := decode(t, s.Body); table.EventKey(d) != s.Key || !d.Kind.Alerts() || (d.Format == events.FormatB) != (s.Type == d.Type) {
			t.Errorf("%s: %s of format %s under %v alerts nobody, or is not signed as it should", s.Kind, d.Type, d.Format, s.Key)
		}
	}
}

func TestTheOtherTokenIsInThePlaceOfTheToken(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://127.0.0.1:8080/justcall/the-token":                    "http://127.0.0.1:8080/justcall/not-the-token",
		"https://example.com/prod/justcall/the-token/":                "https://example.com/prod/justcall/not-the-token",
		"https://example.com/justcall/the-token?next=http://x.test/a": "https://example.com/justcall/not-the-token?next=http://x.test/a",
	} {
		if got := play.WithOtherToken(url); got != want || strings.Contains(got, "/the-token") {
			t.Errorf("%s becomes %s, want %s", url, got, want)
		}
	}
}
