package inbox_test

import (
	"bufio"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/inboxtest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// visitor has opened the page, without script.
type visitor struct {
	t      *testing.T
	base   string
	client *http.Client
}

func visit(t *testing.T, w *inboxtest.World) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := strings.Cut(w.URL, "/?")
	v := &visitor{t, base, &http.Client{Jar: jar}}
	if status, _ := v.get(strings.TrimPrefix(w.URL, base)); status != http.StatusOK {
		t.Fatalf("the URL that is printed answers %d", status)
	}
	return v
}

func (v *visitor) get(path string) (status int, page string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

func (v *visitor) do(r *http.Request) (status int, page string) {
	v.t.Helper()
	answer, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// post sends a form, and returns the page that follows.
func (v *visitor) post(path string, pairs ...string) (status int, page string) {
	v.t.Helper()
	form := make(url.Values)
	for pair := range slices.Chunk(pairs, 2) {
		form.Set(pair[0], pair[1])
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// shows fails unless a page has each text, and has none of those that begin with "-".
func (v *visitor) shows(path string, texts ...string) {
	v.t.Helper()
	status, page := v.get(path)
	if status != http.StatusOK {
		v.t.Errorf("%s: %d", path, status)
	}
	says(v.t, path, page, texts...)
}

func says(t *testing.T, path, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if absent, ok := strings.CutPrefix(text, "-"); ok {
			if strings.Contains(page, absent) {
				t.Errorf("%s says %q:\n%s", path, absent, page)
			}
		} else if !strings.Contains(page, text) {
			t.Errorf("%s does not say %q:\n%s", path, text, page)
		}
	}
}

func TestThePagesShowTheDay(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)

	v.shows("/", "<title>(6) Waiting – ringback</title>", "6 callers wait", "The longest for 5 h 12 min",
		"Rosa Delgado", "Delgado Bakery", `href="tel:&#43;14155550121"`, "3 calls to Orders, with a voicemail; last at 13:31.",
		"The flour for tomorrow has not arrived yet.", `href="https://recordings.example.com/CA0011.mp3" target="_blank" rel="noreferrer noopener"`,
		"1 call to Support; gave up before anybody could answer.", "Number withheld", "Claim", "Mark as done", "Snooze",
		"Times in America/New_York (EDT). Read from this machine.", "-Hana")
	v.shows("/today", "<h1>Today</h1>", "Called back at 08:55 by Jordan Lee", "Called again at 09:21, answered by Sam Chen",
		"Waits for a call back", "نادية حداد", "9:00 to 10:00: 6 answered, 2 missed, 1 gave up", `href="/today?day=2026-03-11"`, "-Day after")
	v.shows("/today?day=2026-03-11", "Wednesday, 11 March 2026", "Every call of this day was served, or none came", `<a href="/today" rel="next">`)
	v.shows("/caller?number="+url.QueryEscape(inboxtest.Rosa), "<h1><bdi>Rosa Delgado</bdi></h1>", "3 calls not served, since",
		"They called, and nobody answered", "They left a voicemail", "They wrote", "Any news about the delivery?", "We wrote",
		"They called, and we answered", "with Kim Park", "5:12 min", "Contact created", "Thursday, 12 March 2026")
	v.shows("/caller?number=call:CA0023", "Number withheld", "You know my number.", "Claim")
	v.shows("/call?id=CA0011", "Call from", "Voicemail", "Listen (34 s)", "-Talked", "Alert of a voicemail sent", "call.voicemail")
	v.shows("/text?id=msg-1", "Text from", "Any news about the delivery?")
	v.shows("/contact?id=5001", "Rosa Delgado", "Delgado Bakery", "&#43;1 415-555-0121")
	v.shows("/health", "Waiting</dt><dd><a href=\"/\">6</a>", "Read from</dt><dd>this machine")
	_, page := v.get("/call?id=CA0011")
	_, rest, _ := strings.Cut(page, `href="/event?`)
	event, _, _ := strings.Cut(rest, `"`)
	v.shows("/event?"+html.UnescapeString(event), "call.voicemail", "indented here", "&#34;call_sid&#34;: &#34;CA0011&#34;", "received_at", "The whole call")
}

// A short code is dialled as it is: with "+", it would be a number abroad.
func TestAShortCodeIsDialledAsItIs(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Missed("CA1", "72975", "", "Support", inboxtest.Now.Add(-time.Minute)).Body())
	visit(t, w).shows("/", `href="tel:72975"`)
}

func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	v := visit(t, inboxtest.Open(t, nil))
	v.shows("/", "Nobody waits", "No event is known to have arrived", "-Everybody who called")
	v.shows("/today", "Every call has been served so far.")
	v.shows("/rejected", "Nothing was refused.")
}

func TestARejectedDeliveryIsShown(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Look.Now = time.Now // rejections are dated by their arrival
	w.PostOnly(inboxtest.Rejected)
	v := visit(t, w)
	_, page := v.get("/rejected")
	says(t, "/rejected", page, "The gateway is")
	_, rest, _ := strings.Cut(page, `href="/delivery?`)
	id, _, _ := strings.Cut(rest, `"`)
	v.shows("/delivery?"+html.UnescapeString(id), "&lt;html&gt;The gateway is &lt;b&gt;busy")
}

// Nobody knows how many are claimed of those on the pages that follow.
func TestAPageCountsTheClaimsOfItsOwnCallers(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	var last string
	for n := range 51 {
		last = fmt.Sprintf("+1415555%04d", 1000+n)
		w.Post(inboxtest.Missed(inboxtest.ID(n), last, "", "Orders", inboxtest.Now.Add(time.Duration(n-60)*time.Minute)).Body())
	}
	v := visit(t, w)
	v.post("/act", "caller", last, "kind", "claim", "back", "/")
	v.shows("/", "50&#43; callers wait", "Nobody has claimed any of these.")
	v.post("/act", "caller", "+14155551000", "kind", "claim", "back", "/")
	v.shows("/", "1 of these claimed.")
}

// All of it works by forms alone.
func TestPeopleActByForms(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	caller := "/caller?number=" + url.QueryEscape(inboxtest.Tom)

	_, page := v.post("/act", "caller", inboxtest.Tom, "kind", "claim", "back", "/")
	says(t, "claim", page, "Tom Okafor has waited since 15:40. Kim Park takes care until 16:35.", "1 claimed.", "Unclaim")
	_, page = v.post("/name", "name", "  Ana & María ", "back", caller)
	says(t, "name", page, `value="Ana &amp; María"`, "<h1><bdi>Tom Okafor</bdi></h1>")
	w.Pass(time.Second)
	_, page = v.post("/act", "caller", inboxtest.Tom, "kind", "claim", "back", "/")
	says(t, "second claim", page, "Ana &amp; María takes care until 16:35. Until now it was Kim Park.")
	w.Pass(time.Second)
	_, page = v.post("/act", "caller", inboxtest.Tom, "kind", "unclaim", "back", caller)
	says(t, "unclaim", page, "Tom Okafor has waited since 15:40. Nobody takes care now.", "Waits for a call back")
	w.Pass(time.Second)
	_, page = v.post("/act", "caller", inboxtest.Tom, "kind", "snooze", "until", "tomorrow", "back", "/")
	says(t, "snooze", page, "Nobody is reminded until Fri 09:00, unless they call again.", "No reminders until Fri 09:00")
	w.Pass(time.Second)
	_, page = v.post("/act", "caller", inboxtest.Tom, "kind", "done", "why", "Spam", "note", " met them ", "back", "/")
	says(t, "done", page, "It is done. They wait again if they call and nobody answers.", "5 callers wait", "-tel:&#43;13125550148")
	v.shows(caller, "Marked as done at 16:05 by Ana", "met them", "said it is done")
	w.Pass(time.Second)
	_, page = v.post("/act", "caller", inboxtest.Tom, "kind", "done", "why", "Spam", "back", "/")
	says(t, "done again", page, "Tom Okafor does not wait: Ana &amp; María said at 16:05 that it is done. Nobody needs to call back.")
	v.shows(caller, "Spam")
	w.Pass(time.Second)
	_, page = v.post("/act", "caller", "call:CA0023", "kind", "claim", "back", "/")
	says(t, "a withheld number", page, "Number withheld has waited since 15:56. ", "takes care until")
}

func TestAFormThatAsksForNothingChangesNothing(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, func(c *inbox.Config) { c.Name = "" })
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	_, page := v.post("/act", "caller", inboxtest.Tom, "kind", "claim")
	says(t, "no name", page, "Say who you are first")
	v.post("/name", "name", "Kim")
	for _, tc := range []struct {
		form []string
		says string
	}{
		{[]string{"caller", "+14155550199", "kind", "claim"}, "nobody with that number has called"},
		{[]string{"caller", "", "kind", "claim"}, "Nothing was changed"},
		{[]string{"caller", inboxtest.Tom, "kind", "done"}, "say why nobody needs to call back"},
		{[]string{"caller", inboxtest.Tom, "kind", "snooze", "until", "-1h"}, "say for how long"},
		{[]string{"caller", inboxtest.Tom, "kind", "snooze", "until", "soon"}, "say for how long"},
		{[]string{"caller", inboxtest.Tom, "kind", "erase"}, "nothing that ringback can do"},
	} {
		if _, page := v.post("/act", tc.form...); !strings.Contains(page, tc.says) || !strings.Contains(page, "6 callers wait") {
			t.Errorf("%q: the page does not say %q:\n%s", tc.form, tc.says, page)
		}
	}
	if status, _ := v.post("/act", "caller", strings.Repeat("x", 100<<10)); status != http.StatusBadRequest {
		t.Errorf("a form of 100 kB: %d", status)
	}
}

func TestAFormComesBackToThisPageOnly(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	v := visit(t, w)
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for back, want := range map[string]string{
		"/today?day=2026-03-11": "/today?day=2026-03-11", "https://example.com/": "/", "//example.com": "/", `/\example.com`: "/",
		"": "/", "javascript:alert(1)": "/", "/caller?number=%2B1": "/caller?number=%2B1", "relative": "/", "///example.com": "/",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.base+"/name", strings.NewReader(url.Values{"name": {"Kim"}, "back": {back}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if got := answer.Header.Get("Location"); got != want {
			t.Errorf("back to %q leads to %q, want %q", back, got, want)
		}
	}
}

func TestWhoeverMayOnlyReadSeesNoButtons(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, func(c *inbox.Config) { c.Acts, c.ReadOnly = nil, "Nothing is received here now." })
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	v.shows("/", "6 callers wait", "Nothing is received here now.", "-<button id", "-You are")
	_, page := v.post("/act", "caller", inboxtest.Tom, "kind", "claim")
	says(t, "claim", page, `<p class="note bad">Nothing is received here now.</p>`, "-takes care")
}

// refusing is a table that may be read only.
type refusing struct{ table.Store }

var errDenied = fmt.Errorf("put item: %w: AccessDeniedException", table.ErrDenied)

func (refusing) Put(context.Context, table.Item) (bool, error) { return false, errDenied }

// reading is a table that refuses to be written in a partition, as AWS does by the leading keys
// of a policy.
type reading struct {
	table.Store

	partition string
}

func (r reading) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if strings.HasPrefix(table.KeyOf(item).PK, r.partition) {
		return false, errDenied
	}
	return r.Store.Update(ctx, item, was)
}

// Whoever may read and not write gets no button that would then do nothing.
func TestWithoutTheRightThereIsNoButton(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		partition      string
		page, delivery []string
	}{
		"every right": {"nothing", []string{"<button id", "You are", "-may read the table"}, []string{"Yes, take it in"}},
		"reader":      {"", []string{"-<button id", "-You are", "-Mark as done", "may read the table and not write it", "docs/lookups.md#access"}, []string{"-Yes, take it in", "may not store events"}},
		"acts alone":  {"CALL#", []string{"<button id"}, []string{"-Yes, take it in", "may not store events"}},
		"no acts":     {"CALLER#", []string{"-<button id", "may read the table and not write it"}, []string{"Yes, take it in"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inboxtest.Open(t, func(c *inbox.Config) { c.Acts = reading{c.Acts, tc.partition} })
			w.Post(inboxtest.Day()...)
			refused := table.RejectedItem(table.Rejection{Reason: "wrong signature", Body: []byte(inboxtest.Missed("CA9001", inboxtest.Tom, "", "", inboxtest.Now).Body())}, time.Now())
			if _, err := w.Stack.Store.Put(t.Context(), refused); err != nil {
				t.Fatal(err)
			}
			for item, err := range w.Stack.Scan(t.Context()) {
				if key := table.KeyOf(item); err != nil || key.PK == table.CallPartition("") || key.PK == table.CallerPartition("") {
					t.Errorf("looking for the rights wrote %v, or %v", key, err)
				}
			}
			v := visit(t, w)
			v.shows("/", append(tc.page, "6 callers wait")...)
			v.shows("/caller?number="+url.QueryEscape(inboxtest.Tom), tc.page[0])
			v.shows("/delivery?"+url.Values{"id": {table.Text(refused, table.SK)}}.Encode(), tc.delivery...)
		})
	}
}

func TestWithoutTheRightToWriteTheTableSaysSo(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, func(c *inbox.Config) { c.Acts = refusing{c.Acts} })
	w.Post(inboxtest.Day()...)
	_, page := visit(t, w).post("/act", "caller", inboxtest.Tom, "kind", "claim")
	says(t, "claim", page, "Nothing was changed: your AWS credentials may not write the table.", "6 callers wait", "-takes care until", "-<button id", "may read the table and not write it")
}

func TestSearchFindsNumbersNamesAndIDs(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	for typed, want := range map[string]string{
		"(415) 555-0121": "<h1><bdi>Rosa Delgado</bdi></h1>", "+1 415 555 0127": "<h1><bdi>Hana Ito</bdi></h1>",
		"CA0011": "Call from", "msg-1": "Text from", "5001": "Last changed", "rosa": "Found by name", "BAKERY": "Found by name",
		"حداد": "نادية حداد", "nobody of the name": "Nothing found", "<script>alert(1)</script>": "Nothing found",
		strings.Repeat("9", 3000): "Nothing found", "#/../%00": "Nothing found", "": "6 callers wait",
	} {
		status, page := v.get("/search?q=" + url.QueryEscape(typed))
		if status != http.StatusOK || !strings.Contains(page, want) || strings.Contains(page, "<script>alert") {
			t.Errorf("%.40q: %d, no %q:\n%s", typed, status, want, page)
		}
	}
}

func TestWhatCannotBeLookedUpSaysWhy(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	for path, want := range map[string]int{
		"/nope": 404, "/caller?number=nobody": 400, "/caller?number=%2B14155550198": 404, "/caller": 400,
		"/call?id=" + strings.Repeat("x", 3000): 404, "/call?id=%2F%23..%2F": 404, "/call": 400, "/call?id=%ff": 400,
		"/text?id=none": 404, "/contact?id=none": 404, "/event?pk=CALL%23CA0011&sk=none": 400, "/event": 400,
		"/today?day=tomorrow": 400, "/today?day=2026-03-13": 400, "/?after=x": 400, "/today?after=x": 400, "/rejected?after=x": 400,
		"/delivery?id=x": 400, "/delivery?id=2026-03-12T00:00:00.000Z%23x": 404, "/assets/none": 404,
	} {
		if status, page := v.get(path); status != want || want == 400 && !strings.Contains(page, "That cannot be looked up") {
			t.Errorf("%.60s: %d, want %d:\n%s", path, status, want, page)
		}
	}
	if status, _ := v.post("/today"); status != http.StatusMethodNotAllowed {
		t.Errorf("a form sent to a page: %d", status)
	}
}

// unreadable is a table that cannot be reached.
type unreadable struct{}

var errAway = fmt.Errorf("query: %w: no answer", table.ErrUnavailable)

func (unreadable) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, errAway
}

func (unreadable) Scan(context.Context, string, table.Cursor) (table.Page, error) {
	return table.Page{}, errAway
}

func TestATableThatCannotBeReadIsSaidSo(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, func(c *inbox.Config) { c.Look = lookup.New(unreadable{}, phone.Book{}, time.UTC) })
	v := visitBroken(t, w)
	status, page := v.get("/")
	if status != http.StatusServiceUnavailable {
		t.Errorf("%d, want 503", status)
	}
	says(t, "/", page, "The table cannot be read", "table unavailable", "-<script")
}

// visitBroken opens a page that cannot be shown.
func visitBroken(t *testing.T, w *inboxtest.World) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := strings.Cut(w.URL, "/?")
	v := &visitor{t, base, &http.Client{Jar: jar}}
	v.get(strings.TrimPrefix(w.URL, base))
	return v
}

// Whatever a caller writes is text, and takes no more room than it may.
func TestEveryTextIsShownAsText(t *testing.T) {
	t.Parallel()
	const phoneNumber = "+14155550177"
	for name, text := range map[string]string{
		"script":        `<script>alert(1)</script>`,
		"an attribute":  `" onmouseover="alert(1)" x='`,
		"a template":    `{{.Look}} ${alert(1)}`,
		"right to left": "\u202e\u2066gnirts\u2069 \u05d0\u05d1",
		"very long":     strings.Repeat("long ", 2000) + "<b>",
		"one word":      strings.Repeat("w", 10_000),
		"entities":      "&lt;script&gt;alert(1)&lt;/script&gt;",
		"a body's end":  "</bdi></main></body><img src=x onerror=alert(1)>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inboxtest.Open(t, nil)
			w.Post(inboxtest.Named("CA-"+text, phoneNumber, text, inboxtest.Now.Add(-time.Hour)),
				fmt.Sprintf(`{"event":%q,"timestamp":"2026-03-12T19:30:00Z","data":{"message_id":"m","direction":"inbound","from":%q,"to":"+14155550100","body":%q}}`, "sms.received", phoneNumber, text),
				fmt.Sprintf(`{"event":"contact.created","timestamp":"2026-03-12T18:00:00Z","data":{"contact_id":7,"first_name":%q,"company":%q,"phone":%q}}`, text, text, phoneNumber))
			v := visit(t, w)
			_, page := v.post("/name", "name", text)
			says(t, "name", page, "1 caller waits")
			_, page = v.post("/act", "caller", phoneNumber, "kind", "claim")
			says(t, "claim", page, "takes care until")
			v.post("/act", "caller", phoneNumber, "kind", "snooze", "until", "1h")
			_, call := v.get("/call?id=" + url.QueryEscape("CA-"+text))
			_, rest, _ := strings.Cut(call, `href="/event?`)
			event, _, _ := strings.Cut(rest, `"`)
			for _, path := range []string{
				"/", "/today", "/caller?number=" + url.QueryEscape(phoneNumber), "/call?id=" + url.QueryEscape("CA-"+text), "/text?id=m", "/contact?id=7",
				"/search?q=" + url.QueryEscape(text[:min(len(text), 500)]), "/event?" + html.UnescapeString(event),
			} {
				status, page := v.get(path)
				if status != http.StatusOK {
					t.Errorf("%.50s: %d", path, status)
				}
				if got := strings.Count(page, "<script"); got != 1 {
					t.Errorf("%.50s has %d scripts, want ours alone:\n%s", path, got, page)
				}
				says(t, path[:min(len(path), 50)], page, "-<img", "-href=\"javascript", "-href='", "-onmouseover=\"", "-ZgotmplZ", "-\u202e</bdi>")
				if strings.Count(page, "</main>") != 1 {
					t.Errorf("%.50s ends early:\n%s", path, page)
				}
			}
		})
	}
}

// changes reads how often the page is said to have changed.
func (v *visitor) changes() *bufio.Scanner {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+"/live", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		v.t.Fatalf("Content-Type %q", got)
	}
	return bufio.NewScanner(answer.Body)
}

func next(t *testing.T, s *bufio.Scanner) {
	t.Helper()
	for s.Scan() {
		if s.Text() == "event: change" {
			return
		}
	}
	t.Fatalf("no more changes: %v", s.Err())
}

func TestAMissedCallIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	v := visit(t, w)
	changes := v.changes()
	next(t, changes) // what happened before it was asked
	v.shows("/", "Nobody waits")
	w.PostOnly(inboxtest.Missed("CA1", inboxtest.Tom, "", "Support", inboxtest.Now.Add(-time.Minute)).Body())
	for {
		next(t, changes)
		if _, page := v.get("/"); strings.Contains(page, "1 caller waits") {
			break
		}
	}
	v.post("/act", "caller", inboxtest.Tom, "kind", "done", "why", "Spam")
	for {
		next(t, changes)
		if _, page := v.get("/"); strings.Contains(page, "Nobody waits") {
			break
		}
	}
}

// A deployed table tells nobody that it has changed.
func TestATableThatDoesNotTellIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, func(c *inbox.Config) { c.Changed, c.Every = nil, time.Millisecond })
	changes := visit(t, w).changes()
	for range 3 {
		next(t, changes)
	}
}

func TestTheServerEndsThoughAPageIsOpen(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	page, err := inbox.Start(t.Context(), "127.0.0.1:0", inbox.Config{Look: w.Look, Changed: w.Stack.Changed}, logscan.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	v := visit(t, &inboxtest.World{URL: page.URL})
	changes := v.changes()
	next(t, changes)
	page.Close()
	for changes.Scan() { // ends with the connection
	}
}

// A day that takes long to count does not hold its list up, and is shown once it is counted.
func TestALongCountDoesNotHoldUpTheList(t *testing.T) {
	t.Parallel()
	var slow *slowTally
	w := inboxtest.Open(t, func(c *inbox.Config) {
		slow = &slowTally{Store: c.Acts, wait: make(chan struct{})}
		look := lookup.New(slow, phone.Book{}, time.UTC)
		look.Now = c.Look.Now
		c.Look, c.Patience = look, time.Millisecond
	})
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	v.shows("/today", "The day’s calls are being counted.", "Tom Okafor", "-<svg viewBox=\"0 0 480")
	close(slow.wait)
	for {
		if _, page := v.get("/today"); !strings.Contains(page, "being counted") {
			says(t, "/today", page, "<dt><span class=\"key\" aria-hidden=\"true\"></span>Answered</dt><dd>29</dd>", "<svg viewBox=\"0 0 480")
			break
		}
		if !timing.Sleep(t.Context(), 10*time.Millisecond) {
			t.Fatal("the day is never counted")
		}
	}
}

// slowTally is a table whose list of answered calls is read only once somebody says so.
type slowTally struct {
	lookup.Store

	wait chan struct{}
}

func (s *slowTally) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if slices.Contains(table.AnsweredPartitions(inboxtest.Now), q.Partition) {
		<-s.wait
	}
	return s.Store.Query(ctx, q)
}

// A delivery that was refused is taken in only after a second press, and says what it comes to.
func TestARefusedDeliveryIsTakenIn(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	refused := table.RejectedItem(table.Rejection{
		Reason: "wrong signature", Body: []byte(inboxtest.Missed("CA9001", inboxtest.Tom, "Tom Okafor", "Support", inboxtest.Now.Add(-time.Minute)).Body()),
	}, time.Now())
	if _, err := w.Stack.Store.Put(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	v := visit(t, w)
	id := table.Text(refused, table.SK)
	page := "/delivery?" + url.Values{"id": {id}}.Encode()
	v.shows(page, "call.missed: would be stored, and alert people if it is not long ago", "Did it come from JustCall?", "Yes, take it in")
	v.shows("/", "Nobody waits")
	_, text := v.post("/release", "id", id, "back", page)
	says(t, "release", text, "call.missed: stored.", "call.missed: is in the table already", "-Yes, take it in")
	v.shows("/", "1 caller waits", "Tom Okafor")
	_, text = v.post("/release", "id", id, "back", page)
	says(t, "release again", text, "call.missed: is in the table already.")
	v.shows("/", "1 caller waits", "1 call to Support")
	_, text = v.post("/release", "id", "2026-03-12#x", "back", "/rejected")
	says(t, "no such delivery", text, "Nothing was changed: there is no such delivery any more.")

	w.PostOnly(inboxtest.Rejected)
	w.Look.Now = time.Now // it is dated by its arrival
	_, text = v.get("/rejected")
	_, rest, _ := strings.Cut(text, `href="/delivery?`)
	link, _, _ := strings.Cut(rest, `"`)
	v.shows("/delivery?"+html.UnescapeString(link), "no event: ", "-Yes, take it in")
}

func TestNobodyTakesADeliveryInWhoMayNotWrite(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*inbox.Config)
		says   []string
	}{
		"no stack":  {func(c *inbox.Config) { c.Acts, c.ReadOnly = nil, "Nothing is received here now." }, []string{"Nothing is received here now.", "-Yes, take it in"}},
		"no rights": {func(c *inbox.Config) { c.Acts = refusing{c.Acts} }, []string{"Nothing was changed: your AWS credentials may not store events.", "-Yes, take it in"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inboxtest.Open(t, tc.change)
			refused := table.RejectedItem(table.Rejection{Reason: "wrong signature", Body: []byte(inboxtest.Missed("CA9001", inboxtest.Tom, "", "", inboxtest.Now).Body())}, time.Now())
			if _, err := w.Stack.Store.Put(t.Context(), refused); err != nil {
				t.Fatal(err)
			}
			id := table.Text(refused, table.SK)
			_, text := visit(t, w).post("/release", "id", id, "back", "/delivery?"+url.Values{"id": {id}}.Encode())
			says(t, name, text, tc.says...)
		})
	}
}

func TestTheAddressBookIsSearched(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	v.shows("/search?q=hana", "Found by name", "Hana Ito", "Ito &amp; Sons", "Called back at 08:55 by Jordan Lee")
	v.shows("/search?q=delgado+bak", "Rosa Delgado", "-Hana")
	v.shows("/search?q="+url.QueryEscape("Priya"), "Priya Nair", "Waits for a call back") // no contact
	v.shows("/search?q="+url.QueryEscape(strings.Repeat("<script>", 1000)), "Nothing found", "-<script>")
}

func TestTheWaitIsInBusinessHours(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	var err error
	if w.Look.Lines, err = hours.Parse("Mon-Fri 9:00-12:00, 14:00-17:00", "", w.Look.Zone()); err != nil {
		t.Fatal(err)
	}
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	v.shows("/", "The longest for 3 h 12 min of business hours", `<p class="long">3 h 12 min</p>`, `of business hours, since <time datetime="2026-03-12T14:52:08Z">10:52</time>`,
		`<p class="long">24 min</p>`, `<p class="muted">since <time datetime="2026-03-12T19:40:08Z">15:40</time>`)
}

// calls is a table with the answered calls of a day and nothing else, which takes long to
// read, or cannot be read.
type calls struct {
	answered []table.Item
	takes    time.Duration
	err      error
}

func (c *calls) Query(_ context.Context, q table.Query) (table.Page, error) {
	if q.Partition != table.AnsweredPartitions(time.Now())[0] || q.Limit > 0 { // the list has a limit
		return table.Page{}, nil
	}
	time.Sleep(c.takes)
	return table.Page{Items: c.answered}, c.err
}

func (c *calls) Scan(context.Context, string, table.Cursor) (table.Page, error) {
	return table.Page{}, errAway
}

// A count that fails is no reason to show nothing: there is the one before, and the list.
func TestACountThatFailsLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		envelope, err := events.Open([]byte(lookuptest.Talked("CA1", events.Inbound, inboxtest.Tom, time.Now().Format(time.RFC3339))))
		if err != nil {
			t.Fatal(err)
		}
		store := &calls{err: errAway}
		in := inbox.New(inbox.Config{Look: lookup.New(store, phone.Book{}, time.UTC)}, "token", logscan.Logger(t))
		var cookie string
		shows := func(status int, texts ...string) {
			t.Helper()
			synctest.Wait() // a count that went on behind the page before
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/today", nil)
			r.Header.Set("Cookie", cookie)
			answer := httptest.NewRecorder()
			in.ServeHTTP(answer, r)
			if answer.Code != status {
				t.Errorf("%d, want %d", answer.Code, status)
			}
			says(t, "/today", answer.Body.String(), texts...)
		}
		first := httptest.NewRecorder()
		in.ServeHTTP(first, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/?token=token", nil))
		cookie, _, _ = strings.Cut(first.Header().Get("Set-Cookie"), ";")

		const one, two = "Answered</dt><dd>1<", "Answered</dt><dd>2<"
		shows(http.StatusOK, "Calls that nobody served", "could not be counted just now.", "-being counted")
		store.err, store.answered = nil, []table.Item{table.EventItem(envelope.Decode(), time.Time{}, time.Now())}
		shows(http.StatusOK, one)
		store.err = errAway
		shows(http.StatusOK, one, "the figures are older than the list", "-being counted")
		store.takes = time.Minute // it hangs, and then fails
		shows(http.StatusOK, one)
		time.Sleep(time.Minute)
		synctest.Wait() // it has failed
		envelope, err = events.Open([]byte(lookuptest.Talked("CA2", events.Inbound, inboxtest.Rosa, time.Now().Format(time.RFC3339))))
		if err != nil {
			t.Fatal(err)
		}
		store.err, store.takes = nil, 0
		store.answered = append(store.answered, table.EventItem(envelope.Decode(), time.Time{}, time.Now()))
		shows(http.StatusOK, two, "-could not be counted") // at once, however long the one that failed took
	})
}
