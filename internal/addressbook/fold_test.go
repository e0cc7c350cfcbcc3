package addressbook_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
)

// changes draws what the events of one contact may say. Several are at one time.
func changes() *rapid.Generator[[]addressbook.Change] {
	text := rapid.SampledFrom([]string{"", "", "a", "b", "c"})
	number := rapid.SampledFrom([]string{"", "+14155550101", "+14155550102", "+14155550103"})
	flag := rapid.Custom(func(t *rapid.T) events.Optional[bool] {
		return events.Optional[bool]{Value: rapid.Bool().Draw(t, "flag"), State: rapid.SampledFrom([]events.State{events.Absent, events.Null, events.Set}).Draw(t, "state")}
	})
	one := rapid.Custom(func(t *rapid.T) addressbook.Change {
		c := &events.Contact{
			FirstName: text.Draw(t, "first"), LastName: text.Draw(t, "last"), Name: text.Draw(t, "name"),
			Company: text.Draw(t, "company"), Phone: number.Draw(t, "phone"),
			Blacklisted: flag.Draw(t, "blacklisted"), DoNotDisturb: flag.Draw(t, "do not disturb"),
			Removed: rapid.IntRange(0, 4).Draw(t, "removed") == 0,
		}
		if rapid.Bool().Draw(t, "other numbers") {
			c.OtherNumbers = events.Optional[[]string]{Value: rapid.SliceOfN(number, 0, 3).Draw(t, "numbers"), State: events.Set}
		}
		c.ChangedFields = rapid.SliceOfN(rapid.SampledFrom([]string{"phone", "company", "other_numbers", "email"}), 0, 2).Draw(t, "changed")
		return addressbook.NewChange(fmt.Sprintf("2026-03-12T14:32:0%dZ", rapid.IntRange(0, 3).Draw(t, "second")), rapid.StringN(1, 3, 3).Draw(t, "key"), c)
	})
	return rapid.SliceOfNDistinct(one, 1, 8, addressbook.Change.Key)
}

func TestPromise4_NoOrderOfAContactsEventsMatters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := changes().Draw(t, "changes")
		want := addressbook.Fold(all)
		again := append(slices.Clone(all), rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "repeated")...)
		got := addressbook.Fold(rapid.Permutation(again).Draw(t, "order"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Whoever is called must not have the name of a contact that has another number.
func TestACurrentNumberIsNoFormerOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := changes().Draw(t, "changes")
		got := addressbook.Fold(all)
		named := map[string]bool{}
		for _, c := range all {
			for _, n := range append([]string{c.Phone}, c.OtherNumbers.Value...) {
				if n != "" {
					named[n] = true
				}
			}
		}
		for _, n := range slices.Concat(got.Numbers, got.Former) {
			if !named[n] {
				t.Errorf("%s is twice in %v and %v, or in no event", n, got.Numbers, got.Former)
			}
			delete(named, n)
		}
		if len(named) > 0 {
			t.Errorf("%v are neither in %v nor in %v", named, got.Numbers, got.Former)
		}
		if got.Removed && len(got.Numbers) > 0 {
			t.Errorf("a removed contact has the numbers %v", got.Numbers)
		}
	})
}
