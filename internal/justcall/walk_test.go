package justcall_test

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/justcalltest"
)

// noon is when the tests with a book begin. 555-01xx are numbers for fiction.
var noon = time.Date(2026, 3, 12, 12, 0, 0, 0, time.UTC)

const (
	caller = "+12125550123"
	line   = "+12125550199"
)

// unlimited lets a test make requests without waiting.
var unlimited = justcall.Limits{PerHour: 1 << 30, PerMinute: 1 << 30}

// account returns an account with so many calls, and a client of it.
func account(t justcalltest.T, calls int) (*justcalltest.Server, *justcall.Client) {
	s := justcalltest.New(t)
	s.Limits = unlimited
	addRows(s, calls)
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// lastID is that of the newest row of all accounts: a deleted row's id is not used again.
var lastID atomic.Int64

// addRows adds calls with nothing but an id.
func addRows(s *justcalltest.Server, n int) {
	for range n {
		s.Calls = append(s.Calls, justcalltest.Row{"id": lastID.Add(3)})
	}
}

func ids(rows []justcall.Call) []int64 {
	all := make([]int64, len(rows))
	for i, row := range rows {
		all[i] = row.ID
	}
	return all
}

func idsInBook(s *justcalltest.Server) []int64 {
	all := make([]int64, len(s.Calls))
	for i, row := range s.Calls {
		all[len(all)-1-i], _ = row["id"].(int64)
	}
	return all
}

func TestAWalkHasEveryRowOnceTheNewestFirst(t *testing.T) {
	t.Parallel()
	for _, calls := range []int{0, 1, 99, 100, 101, 250, 1000} {
		for name, change := range map[string]func(*justcalltest.Server){
			"totals":                          func(*justcalltest.Server) {},
			"no totals":                       func(s *justcalltest.Server) { s.NoTotals = true },
			"404 for a page behind the end":   func(s *justcalltest.Server) { s.NoPage = http.StatusNotFound },
			"403 for one, and smaller pages":  func(s *justcalltest.Server) { s.NoPage, s.MaxPerPage = http.StatusForbidden, 50 },
			"400 for one, smaller pages, mum": func(s *justcalltest.Server) { s.NoPage, s.MaxPerPage, s.NoPerPage = http.StatusBadRequest, 50, true },
		} {
			t.Run(fmt.Sprintf("%d calls, %s", calls, name), func(t *testing.T) {
				t.Parallel()
				s, c := account(t, calls)
				change(s)
				var end justcall.Cursor
				var got []justcall.Call
				for page, err := range c.Calls(t.Context(), justcall.Cursor{}) {
					if err != nil {
						t.Fatal(err)
					}
					got, end = append(got, page.Rows...), page.Next
				}
				if diff := cmp.Diff(idsInBook(s), ids(got)); diff != "" {
					t.Errorf("rows (-book +walk):\n%s", diff)
				}
				if _, err := justcall.All(c.Calls(t.Context(), end)); err != nil {
					t.Errorf("from the end on: %v", err)
				}
			})
		}
	}
}

// A refusal is the end of a list only where there is one.
func TestARefusedPageIsNotTakenForTheEnd(t *testing.T) {
	t.Parallel()
	s, c := account(t, 300)
	s.Before = func(r *http.Request) http.Handler {
		if r.URL.Query().Get("page") == "2" {
			return justcalltest.Respond(http.StatusForbidden, "{}")
		}
		return nil
	}
	if got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{})); err == nil || len(got) != 200 {
		t.Errorf("%d rows, %v; want 200, and an error", len(got), err)
	}
}

// Where new rows come last, the first page never has any.
func TestAListThatIsSortedTheOtherWayIsAnError(t *testing.T) {
	t.Parallel()
	s, c := account(t, 250)
	s.Before = func(r *http.Request) http.Handler {
		query := r.URL.Query()
		query.Set("order", "asc")
		r.URL.RawQuery = query.Encode()
		return nil
	}
	got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
	if err == nil || !strings.Contains(err.Error(), "oldest rows come first") || len(got) > 0 {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

func TestAWalkOfAQuietListMakesNoRequestTooMany(t *testing.T) {
	t.Parallel()
	s, c := account(t, 5_050)
	if _, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{})); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Requests(), 51; got != want {
		t.Errorf("%d requests for 5,050 rows, want %d", got, want)
	}
}

// What the first page shows is one request, whatever the list's length.
func TestAWalkReadsOnlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s, c := account(t, 1000)
	for page, err := range c.Calls(t.Context(), justcall.Cursor{}) {
		if err != nil || len(page.Rows) != 100 || page.Total != 1000 {
			t.Errorf("%d rows of %d, %v", len(page.Rows), page.Total, err)
		}
		break
	}
	if s.Requests() != 1 {
		t.Errorf("%d requests, want 1", s.Requests())
	}
}

func TestPromise12_AWalkLosesNoRowThatMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, c := account(t, rapid.IntRange(0, 250).Draw(t, "calls"))
		s.NoTotals = rapid.Bool().Draw(t, "no totals")
		s.MaxPerPage = rapid.SampledFrom([]int{0, 20, 37}).Draw(t, "rows of a page")
		s.NoPerPage = rapid.Bool().Draw(t, "size of a page not told")
		there := idsInBook(s)
		changes := rapid.IntRange(0, 12).Draw(t, "changes")
		s.Before = func(*http.Request) http.Handler {
			if changes == 0 {
				return nil
			}
			changes--
			s.Change(func() { move(t, s) })
			return nil
		}
		var got []justcall.Call
		var from justcall.Cursor
		for {
			err := error(nil)
			for page, pageErr := range c.Calls(t.Context(), from) {
				err = pageErr
				got, from = append(got, page.Rows...), page.Next
				if rapid.IntRange(0, 9).Draw(t, "killed") == 0 {
					err = errKilled
				}
				if err != nil {
					break
				}
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
		}
		gone := make(map[int64]bool)
		for _, id := range there {
			gone[id] = !slices.Contains(idsInBook(s), id)
		}
		for _, id := range there {
			if !gone[id] && !slices.Contains(ids(got), id) {
				t.Fatalf("row %d of %d is lost", slices.Index(there, id), len(there))
			}
		}
	})
}

var errKilled = errors.New("killed")

// move lets calls come and be deleted.
func move(t *rapid.T, s *justcalltest.Server) {
	addRows(s, rapid.SampledFrom([]int{0, 1, 3, 110}).Draw(t, "new"))
	deleted := rapid.SampledFrom([]int{0, 1, 3, 130}).Draw(t, "deleted")
	from := rapid.IntRange(0, len(s.Calls)).Draw(t, "deleted from")
	s.Calls = slices.Delete(s.Calls, from, min(from+deleted, len(s.Calls)))
}

func TestAWalkRepeatsNoRowThatNewOnesPushBack(t *testing.T) {
	t.Parallel()
	s, c := account(t, 500)
	want := idsInBook(s)
	s.Before = func(*http.Request) http.Handler {
		s.Change(func() { addRows(s, 1) })
		return nil
	}
	got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ids(got)[1:]); diff != "" { // the first is new
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestPromise12_AWalkEndsThoughEveryPageIsTheSame(t *testing.T) {
	t.Parallel()
	s, c := account(t, 300)
	s.Before = func(r *http.Request) http.Handler {
		if s.Requests() > 100 {
			return justcalltest.Respond(http.StatusNotFound, "{}") // or the test would not end
		}
		query := r.URL.Query()
		query.Set("page", "0")
		r.URL.RawQuery = query.Encode()
		return nil
	}
	got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
	if err == nil || len(got) != 100 || s.Requests() > 30 {
		t.Errorf("%d rows, %d requests, %v; want an error after a few pages", len(got), s.Requests(), err)
	}
}

// A server that numbers pages from 1 shows its first page for page 0, too.
func TestAWalkIsRightIfPagesAreNumberedFromOne(t *testing.T) {
	t.Parallel()
	for _, totals := range []bool{true, false} {
		s, c := account(t, 350)
		s.NoTotals = !totals
		s.Before = func(r *http.Request) http.Handler {
			query := r.URL.Query()
			if page := query.Get("page"); page != "0" {
				var n int
				_, _ = fmt.Sscan(page, &n)
				query.Set("page", fmt.Sprint(n-1))
				r.URL.RawQuery = query.Encode()
			}
			return nil
		}
		got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
		if diff := cmp.Diff(idsInBook(s), ids(got)); diff != "" || err != nil {
			t.Errorf("totals %t: %v; rows (-book +walk):\n%s", totals, err, diff)
		}
	}
}

func TestAnOddRowSpoilsNoOther(t *testing.T) {
	t.Parallel()
	body := `{"status":"success","data":[
		{"id":"900005","call_sid":"CA5","call_date":"2026-03-12","call_time":"8:5:3","contact_number":12125550123,"call_info":"Missed"},
		{"id":900004,"call_info":{"type":"missed","direction":"Incoming"},"call_date":null},
		{"call_sid":"CA3","id":null}, {"id":"","note":1}, "nothing", null,
		{"id":900001,"id":900001,"contact_name":"\ud83d"}]}`
	s, _ := account(t, 0)
	s.Before = func(*http.Request) http.Handler { return justcalltest.Respond(http.StatusOK, body) }
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
	if err != nil || len(got) != 7 {
		t.Fatalf("%d rows, %v; want 7", len(got), err)
	}
	for i := range got {
		if len(got[i].Raw) == 0 {
			t.Errorf("row %d has no text", i)
		}
		got[i].Raw = nil
	}
	want := []justcall.Call{
		{ID: 900005, SID: "CA5", ContactNumber: "12125550123", StartedAt: time.Date(2026, 3, 12, 8, 5, 3, 0, time.UTC)},
		{ID: 900004, Outcome: "missed", Direction: "Incoming"},
		{SID: "CA3"},
		{},
		{},
		{},
		{ID: 900001},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestACallThatIsUnderWay(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]bool{
		"In Progress": true, "in-progress": true, "IN_PROGRESS ": true, "InProgress": true, "Ringing": true, "queued": true,
		"": false, "answered": false, "Missed": false, "Abandoned before ringing": false, "In Progress, then missed": false,
	} {
		if got := (justcall.Call{Outcome: word}).UnderWay(); got != want {
			t.Errorf("%q: %t, want %t", word, got, want)
		}
	}
}

func TestABOMSpoilsNoResponse(t *testing.T) {
	t.Parallel()
	s, c := account(t, 0)
	s.Before = func(*http.Request) http.Handler {
		return justcalltest.Respond(http.StatusOK, "\ufeff"+`{"data":[{"id":1}]}`)
	}
	if got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{})); err != nil || len(got) != 1 {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

func TestTheOtherLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := account(t, 0)
		s.AddText(justcalltest.Text{Contact: caller, Line: line, Body: "hello", At: noon})
		s.AddContact(justcalltest.OwnerID+1, "Robin Sample", caller, "+12125550124")
		s.AddUser("Owner", "America/New_York", "12125550199")
		s.AddLine(line, "Front desk", "Custom Hours")
		s.DialerCalls = append(s.DialerCalls, justcalltest.Row{
			"call_id": 7, "call_sid": "CA7", "sales_dialer_number": "12125550198", "contact_number": "12125550123",
			"call_info": justcalltest.Row{"type": "Outgoing human answered", "direction": "Outgoing"},
		})

		texts := one(t, c.Texts(t.Context(), justcall.Cursor{}))[0]
		if texts.ContactNumber != "12125550123" || !texts.SentAt.Equal(noon) || texts.Medium != "One-To-One via App" {
			t.Errorf("text %v", texts)
		}
		contacts := one(t, c.Contacts(t.Context(), justcall.Cursor{}))
		if len(contacts) != 2 || !slices.Equal(contacts[1].OtherNumbers, []string{"12125550124"}) {
			t.Errorf("contacts %+v, want those of other users, too", contacts)
		}
		if got := one(t, c.Users(t.Context()))[0]; got.TimeZone != "America/New_York" || !slices.Equal(got.Lines, []string{"12125550199"}) {
			t.Errorf("user %+v", got)
		}
		if got := one(t, c.Lines(t.Context()))[0]; got.Name != "Front desk" || got.Availability != "Custom Hours" || !got.TakesCalls {
			t.Errorf("line %+v", got)
		}
		if got := one(t, c.SalesDialerCalls(t.Context(), justcall.Cursor{}))[0]; got.ID != 7 || got.LineNumber != "12125550198" || !strings.Contains(got.Outcome, "human") {
			t.Errorf("call %+v", got)
		}
	})
}

func one[T any](t *testing.T, pages iter.Seq2[justcall.Page[T], error]) []T {
	t.Helper()
	rows, err := justcall.All(pages)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return rows
}

func TestTotalsAreThoseOfTheAccountsDays(t *testing.T) {
	t.Parallel()
	s, c := account(t, 0)
	for _, call := range []justcalltest.Call{
		{Type: "answered", Start: noon},
		{Type: "Abandoned before ringing", Start: noon},
		{Type: "Voicemail", Start: noon},
		{Type: "Missed", Start: time.Date(2026, 3, 13, 2, 0, 0, 0, time.UTC)}, // still the 12th in New York
		{Type: "Missed", Start: time.Date(2026, 3, 13, 6, 0, 0, 0, time.UTC)},
		{Type: "answered", Direction: "Outgoing", Start: noon},
	} {
		call.Contact, call.Line = caller, line
		s.AddCall(call)
	}
	got, err := c.Totals(t.Context(), noon, noon)
	want := justcall.Totals{Calls: 5, Outgoing: 1, Incoming: 4, Answered: 1, Missed: 2, Abandoned: 1, Voicemails: 1}
	if got != want || err != nil {
		t.Errorf("totals %+v, %v; want %+v", got, err, want)
	}
}
