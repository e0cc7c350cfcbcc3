package lookup_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
)

func contact(id int, name, company, phone string) string {
	return lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", fmt.Sprintf(`"contact_id":%d,"name":%q,"company":%q,"phone":%q`, id, name, company, phone))
}

func TestPeopleAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		contact(1, "Ada Example", "Example Ltd", ada),
		contact(2, "Béatrice  EXAMPLE", "", bob),
		contact(3, "", "Bakery of Ada", "+14155550123"),
		contact(4, "Gone", "", "+14155550124"),
		lookuptest.Event("contact.deleted", "2026-03-02T08:00:00Z", `"contact_id":4,"phone":"+14155550124"`),
		lookuptest.Event("call.missed", "2026-03-12T14:00:00Z", `"call_id":"c1","direction":"inbound","from":"`+cy+`","to":"`+ours+`","contact_name":"Cyrus Caller"`),
		lookuptest.Missed("c2", ada, "2026-03-12T15:00:00Z"),
	)
	for text, want := range map[string][]string{
		"ada":             {ada, "+14155550123"},
		"Example":         {ada, bob},
		"exa beatr":       {bob},
		"BÉATRICE":        {bob},
		"bakery":          {"+14155550123"},
		"cyrus":           {cy},
		"gone":            nil,
		"nobody":          nil,
		"ada nobody":      nil,
		" ":               nil,
		"\u0301":          nil,
		"#":               nil,
		"<script>":        nil,
		longText("x"):     nil,
		longText("ada #"): nil,
	} {
		w.queries.queries.Store(0)
		got, err := w.look.Named(t.Context(), text)
		var found []string
		for _, p := range got.People {
			found = append(found, p.Key)
		}
		if diff := cmp.Diff(want, found); diff != "" || errors.Is(err, lookup.ErrNotFound) != (want == nil) || err != nil && want != nil {
			t.Errorf("%.20q: %v (-want +got):\n%s", text, err, diff)
		}
		if want != nil {
			// The names, who waits and as of when, the two days in UTC that today is, and those found.
			w.costs(int64(1 + 2 + 2*5 + 2 + len(want)))
		}
		if text == "exa beatr" && (got.People[0].Name != "Béatrice EXAMPLE" || !got.People[0].Known) {
			t.Errorf("%+v", got.People[0])
		}
	}
}

func longText(part string) string { return strings.Repeat(part, 3000/len(part)) }

// A long address book is read in part: then a name is found by its beginning.
func TestALongAddressBookIsNotReadWhole(t *testing.T) { //nolint:paralleltest // it sets how much is read
	w := newWorld(t)
	for i := range 60 {
		w.Post(contact(i, fmt.Sprintf("Same Name %02d", i), "", fmt.Sprintf("+1415555%04d", 100+i)))
	}
	got, err := w.look.Named(t.Context(), "same name")
	if err != nil || len(got.People) != 50 || !got.More {
		t.Errorf("%d people, more %t, %v", len(got.People), got.More, err)
	}
	lookup.SetMaxNames(t, 10)
	got, err = w.look.Named(t.Context(), "same name 59")
	if err != nil || len(got.People) != 1 || !got.More {
		t.Errorf("by the beginning: %+v, %v", got, err)
	}
	w.queries.items.Store(0)
	if _, err = w.look.Named(t.Context(), "59"); !errors.Is(err, lookup.ErrNotFound) || w.queries.items.Load() > 10 {
		t.Errorf("by the end: %v, %d items read", err, w.queries.items.Load())
	}
}

// Who is no contact has the name that came with the call.
func TestWhoWaitsHasTheNameOfTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		lookuptest.Event("call.missed", "2026-03-12T14:00:00Z", `"call_id":"c1","direction":"inbound","from":"`+cy+`","to":"`+ours+`","contact_name":"Cyrus Caller"`),
		lookuptest.Event("call.missed", "2026-03-12T15:00:00Z", `"call_id":"c2","direction":"inbound","from":"`+bob+`","to":"`+ours+`","contact_name":"`+bob+`"`),
	)
	got, err := w.look.Waiting(t.Context(), lookup.Page{})
	if err != nil || len(got.Callers) != 2 || got.Callers[0].Name != "Cyrus Caller" || got.Callers[0].Known || got.Callers[1].Name != "" {
		t.Errorf("%+v, %v", got.Callers, err)
	}
	w.Post(contact(1, "Cy", "", cy))
	if got, err = w.look.Waiting(t.Context(), lookup.Page{}); err != nil || got.Callers[0].Name != "Cy" || !got.Callers[0].Known {
		t.Errorf("%+v, %v", got.Callers, err)
	}
}

func TestAWaitIsToldInBusinessHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var err error
	if w.look.Lines, err = hours.Parse("Mon-Fri 9:00-17:00; Support=24/7", "", w.look.Zone()); err != nil {
		t.Fatal(err)
	}
	w.Post(lookuptest.Missed("c1", ada, "2026-03-11T20:30:00Z")) // 16:30 in New York, on Wednesday
	got, err := w.look.Waiting(t.Context(), lookup.Page{})
	if want := 30*time.Minute + 7*time.Hour; err != nil || got.Callers[0].Waited() != want {
		t.Errorf("%+v, %v, want %v", got.Callers, err, want)
	}
}
