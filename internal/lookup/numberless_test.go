package lookup_test

import (
	"testing"

	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/words"
)

// Only who hid the number is called withheld: design, promise 10. Alerts say the same.
func TestACallerWithoutANumberIsCalledWhatIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		lookuptest.Missed("text", "pat@example.com", "2026-03-12T14:00:00Z"),
		lookuptest.Left("withheld", "anonymous", "2026-03-12T15:00:00Z", "Guess who"),
		lookuptest.Event("voicemail.received", "2026-03-12T16:00:00Z", `"call_id":"nobody","to":"`+ours+`","duration":22,"transcription":"Hello"`),
		lookuptest.Missed("known", ada, "2026-03-12T17:00:00Z"),
	)
	want := map[string]string{
		"call:text": "pat@example.com", "call:withheld": "Number withheld", "call:nobody": "Number not known", ada: "+1 415-555-0120",
	}
	list, err := w.look.Waiting(t.Context(), lookup.Page{})
	if err != nil {
		t.Fatal(err)
	}
	w.costs(2 + 3) // one for each caller without a number
	day, err := w.day(at("14:00"), lookup.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Callers) != len(want) || len(day.Calls) != len(want) {
		t.Errorf("%d wait, %d called, want %d", len(list.Callers), len(day.Calls), len(want))
	}
	for _, c := range list.Callers {
		if got := words.Who(c.Party); got != want[c.Key] {
			t.Errorf("who waits: %s is %q, want %q", c.Key, got, want[c.Key])
		}
	}
	for _, c := range day.Calls {
		if got := words.Who(c.Caller); got != want[c.Caller.Key] {
			t.Errorf("who called: %s is %q, want %q", c.Caller.Key, got, want[c.Caller.Key])
		}
	}
	for key, want := range want {
		found, err := w.look.Caller(t.Context(), key, lookup.Page{})
		if got := words.Who(found.Party); err != nil || got != want {
			t.Errorf("caller %s is %q, %v, want %q", key, got, err, want)
		}
		party, _, err := w.look.Standing(t.Context(), key)
		if got := words.Who(party); err != nil || got != want {
			t.Errorf("how things stand: %s is %q, %v, want %q", key, got, err, want)
		}
	}
}
