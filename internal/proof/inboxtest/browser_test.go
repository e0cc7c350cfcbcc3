package inboxtest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/proof/inboxtest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

var pictures = flag.String("pictures", "", "write the pictures of docs/ into this folder")

// Chromium starts once for all tests.
var (
	startOnce    sync.Once
	browser      context.Context //nolint:containedctx // chromedp keeps its browser in a context
	closeBrowser = func() {}
	errBrowser   error
)

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

var programs = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

func startBrowser() {
	for _, program := range programs {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		browser, closeBrowser = chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
			chromedp.ExecPath(path),
			chromedp.NoSandbox, // which Chromium refuses to have as root; it visits these pages only
			// On a busy machine, a click can come before the first picture of a page; Chromium drops it.
			chromedp.Flag("allow-pre-commit-input", true),
		))
		errBrowser = chromedp.Do(browser, chromedp.Navigate("about:blank"))
		return
	}
	errBrowser = errors.New("no Chromium here: install it, on Debian by \"apt-get install chromium\"")
}

// tab is a tab of a browser that nobody has used before.
type tab struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // chromedp keeps its tab in a context
	base string
}

// open opens the page of a world, with the token.
func open(t *testing.T, w *inboxtest.World) *tab {
	t.Helper()
	b := newTab(t)
	b.base, _, _ = strings.Cut(w.URL, "/?")
	b.do(chromedp.Navigate(w.URL))
	return b
}

func newTab(t *testing.T) *tab {
	t.Helper()
	if os.Getenv("BROWSER_TESTS") != "required" { // a browser is not everywhere, and it takes a minute
		t.Skip(`not tested: run "make browser"`)
	}
	startOnce.Do(startBrowser)
	if errBrowser != nil {
		t.Fatal(errBrowser)
	}
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	return &tab{t: t, ctx: ctx}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// size makes the window so wide and high.
func (b *tab) size(width, height int64, scale float64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
}

// scheme has the user prefer "light" or "dark".
func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// visit goes to a page of the inbox.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// eval returns what an expression comes to in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// How long a test waits for the browser, and how often it looks.
const patience, pause = time.Minute, 10 * time.Millisecond

// await waits until an expression is true in the page.
func (b *tab) await(expression string) {
	b.t.Helper()
	for range patience / pause {
		// While the browser goes to another page, there is nothing to ask.
		if v, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); err == nil && v {
			return
		}
		time.Sleep(pause)
	}
	b.t.Fatalf("not so: %s\n%s", expression, eval[string](b, "document.body.innerText"))
}

// awaitText waits until the page says something.
func (b *tab) awaitText(text string) {
	b.t.Helper()
	b.await(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// click clicks on what a selector finds first, once the page has been drawn: what is not yet
// drawn gets no click.
func (b *tab) click(selector string) {
	b.t.Helper()
	eval[bool](b, "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))")
	b.do(chromedp.Click(selector))
}

// row selects the row of a caller.
func row(name string) string {
	return fmt.Sprintf("[...document.querySelectorAll('.cards > li')].find(li => li.innerText.includes(%q))", name)
}

// refused stores a delivery that was refused, and returns its page.
func refused(t *testing.T, w *inboxtest.World) string {
	t.Helper()
	item := table.RejectedItem(table.Rejection{
		Reason: "wrong signature", Headers: map[string]string{"content-type": "application/json"},
		Body: []byte(inboxtest.Missed("CA9001", inboxtest.Hana, "Hana Ito", "Support", inboxtest.Now.Add(-time.Minute)).Body()),
	}, time.Now())
	if _, err := w.Stack.Store.Put(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	return "/delivery?" + url.Values{"id": {table.Text(item, table.SK)}}.Encode()
}

func paths() map[string]string {
	return map[string]string{
		"waiting": "/", "today": "/today", "quiet day": "/today?day=2026-03-01", "caller": "/caller?number=%2B14155550121",
		"call": "/call?id=CA0011", "text": "/text?id=msg-1", "contact": "/contact?id=5001", "rejected": "/rejected",
		"health": "/health", "search": "/search?q=rosa", "not found": "/nope", "all calls": "/today?show=all",
	}
}

// violation is what axe-core found.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// Nothing keeps people with a screen reader, with weak eyes or without a mouse from using a
// page, and no page is wider than a phone.
func TestEverybodyCanUseThePages(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	w.Post(inboxtest.Named("CA-long", "+14155550177", strings.Repeat("w", 10_000), inboxtest.Now.Add(-time.Hour)))
	pages := paths()
	pages["delivery"] = refused(t, w)
	b := open(t, w) // skips the test without a browser, which is where axe-core may be missing too
	axe, err := os.ReadFile(filepath.Join(filepath.Dir(tabletest.TemplatePath(t)), ".tools", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{1200, 800, 390, 320} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(width, 800, 1)
			b.scheme(scheme)
			for name, path := range pages {
				b.visit(path)
				if over := eval[int](b, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
					t.Errorf("%s is %d px wider than a window of %d px", name, over, width)
				}
				if width == 800 || width == 320 || width == 390 && scheme == "dark" {
					continue
				}
				eval[bool](b, string(axe)+";true")
				if name == "waiting" {
					eval[bool](b, "document.querySelector('details').open = true; true")
				}
				for _, v := range eval[[]violation](b, "axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))") {
					t.Errorf("%s, %s, %d px: %s (%s): %s: %v", name, scheme, width, v.ID, v.Impact, v.Help, v.Nodes)
				}
			}
		}
	}
}

func TestAMissedCallAppearsByItself(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	b := open(t, w)
	b.awaitText("Nobody waits")
	b.awaitText("Live")
	eval[bool](b, "window.here = true; true")
	w.PostOnly(inboxtest.Missed("CB1", inboxtest.Tom, "", "Support", inboxtest.Now.Add(-10*time.Minute)).Body())
	b.awaitText("1 caller waits")
	b.await("document.title.startsWith('(1)') && window.here") // without having been loaded anew

	// The button that has the focus keeps it, and a form that is open stays.
	claim := eval[string](b, "document.querySelector('button[value=claim]').focus(); document.activeElement.id")
	w.PostOnly(inboxtest.Missed("CB2", inboxtest.Rosa, "", "Support", inboxtest.Now.Add(-20*time.Minute)).Body())
	b.awaitText("2 callers wait")
	if got := eval[string](b, "document.activeElement.id"); got != claim || got == "" {
		t.Errorf("the focus went from %q to %q", claim, got)
	}
	b.click("summary[id$=done]")
	b.do(chromedp.SendKeys("details[open] input[name=note]", "half a"))
	w.PostOnly(inboxtest.Missed("CB3", inboxtest.Hana, "", "Support", inboxtest.Now.Add(-30*time.Minute)).Body())
	b.awaitText("There is news.")
	if got := eval[string](b, "document.querySelector('details[open] input[name=note]').value"); got != "half a" {
		t.Errorf("the form that was open says %q", got)
	}
	b.do(chromedp.KeyEvent("\u001b"))
	b.awaitText("3 callers wait")
	b.awaitText("Live")
}

func TestTheButtonsDoWhatTheySay(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	b := open(t, w)
	press := func(name, button string) {
		t.Helper()
		w.Pass(time.Second)
		b.await(row(name) + " !== undefined")
		eval[bool](b, fmt.Sprintf("%s.querySelector(%q).click(); true", row(name), button))
	}
	press("Tom Okafor", "button[value=claim]")
	b.awaitText("Kim Park takes care until 16:35.")
	press("Tom Okafor", "button[value=unclaim]")
	b.awaitText("Nobody takes care now.")
	press("Tom Okafor", "summary[id$=snooze]")
	b.click("details[open] button[value=tomorrow]")
	b.awaitText("Nobody is reminded until Fri 09:00")
	press("Tom Okafor", "summary[id$=done]")
	b.click("details[open] input[value=Spam]")
	b.click("details[open] button[value=done]")
	b.awaitText("It is done.")
	b.awaitText("5 callers wait")

	// By the keyboard alone: from the search to the caller, and to the button.
	b.click("#q")
	b.do(chromedp.KeyEvent("(415) 555-0121\r"))
	b.awaitText("They left a voicemail")
	eval[bool](b, "document.querySelector('button[value=claim]').focus(); true")
	b.do(chromedp.KeyEvent(" "))
	b.awaitText("Kim Park takes care until 16:3")
	if got := eval[string](b, "location.pathname"); got != "/caller" {
		t.Errorf("the button leads to %s", got)
	}
	if got := eval[string](b, "document.cookie"); got != "" {
		t.Errorf("a script can read the cookies %q", got)
	}
}

// A refused delivery is taken in with two presses, and its caller waits.
func TestADeliveryIsTakenIn(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	b := open(t, w)
	b.visit(refused(t, w))
	b.awaitText("would be stored, and alert people if it is not long ago")
	b.click("#release")
	b.awaitText("Did it come from JustCall?")
	b.click("details[open] button.main")
	b.awaitText("call.missed: stored.")
	b.visit("/")
	b.awaitText("Hana Ito")
}

func TestThePageWorksWithoutScript(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	b := newTab(t)
	b.base, _, _ = strings.Cut(w.URL, "/?")
	b.do(chromedp.Navigate("about:blank"))
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	says := func(text string) {
		t.Helper()
		var page string
		for range patience / pause {
			// While the browser goes to another page, there is nothing to read.
			page, _ = chromedp.Run(b.ctx, chromedp.Text("body"))
			if strings.Contains(page, text) {
				return
			}
			time.Sleep(pause)
		}
		t.Fatalf("the page does not say %q:\n%s", text, page)
	}
	b.do(chromedp.Navigate(w.URL))
	says("6 callers wait")
	says("Reload to see what is new.")
	b.do(chromedp.Click(".cards li:nth-child(5) button[value=claim]"))
	says("Kim Park takes care until 16:35.")
	b.do(chromedp.Click(".cards li:nth-child(4) summary[id$=done]"), chromedp.Click("details[open] button[value=done]"))
	says("5 callers wait")
	b.do(chromedp.Click("nav li:nth-child(2) a"))
	says("Called back at 08:55 by Jordan Lee")
}

// A page that somebody opens in the same browser, even on this machine, can neither read nor
// act.
func TestAnotherPageCanNeitherReadNorAct(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	b := open(t, w)
	asked := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			asked <- r.URL.RawQuery
			return
		}
		answer.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(answer, `<!doctype html><form method="post" action=%q><input name="caller" value=%q><input name="kind" value="claim"></form><iframe src=%q></iframe>`,
			b.base+"/act", inboxtest.Tom, b.base+"/")
	}))
	t.Cleanup(other.Close)
	for _, origin := range []string{other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)} {
		b.do(chromedp.Navigate(origin))
		if got := eval[string](b, fmt.Sprintf("fetch(%q, {credentials: 'include'}).then(r => r.text()).catch(() => 'refused')", b.base+"/")); got != "refused" {
			t.Errorf("%s read the page: %.200s", origin, got)
		}
		if got := eval[string](b, fmt.Sprintf("fetch(%q, {credentials: 'include', mode: 'no-cors', method: 'POST', body: new URLSearchParams({caller: %q, kind: 'claim'})}).then(r => r.type).catch(() => 'refused')", b.base+"/act", inboxtest.Tom)); got == "basic" {
			t.Errorf("%s got an answer", origin)
		}
		if eval[int](b, "frames.length") != 1 {
			t.Fatal("there is no frame to look into")
		}
		eval[bool](b, "document.forms[0].submit(); true")
		b.awaitText("Another page led here.")
	}
	b.visit("/")
	b.awaitText("6 callers wait")
	if got := eval[string](b, "document.body.innerText"); strings.Contains(got, "takes care") {
		t.Errorf("another page claimed a caller:\n%s", got)
	}
}

func TestAPageSaysThatItIsOld(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	b := open(t, w)
	b.awaitText("Live")
	w.Page.Close()
	b.awaitText("ringback does not answer. What you see may be old.")
	b.awaitText("6 callers wait")
}

// TestPictures makes those of docs/. Otherwise it only looks whether they can be made.
func TestPictures(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, func(c *inbox.Config) { c.Changed, c.Every = nil, time.Hour })
	w.Post(inboxtest.Day()...)
	arrived, err := table.LoadHealth(t.Context(), w.Stack.Store)
	if err != nil {
		t.Fatal(err)
	}
	was := arrived.Version
	arrived.Arrived = inboxtest.Now.Add(-time.Minute) // it was now, which is no time of that day
	if _, err := w.Stack.Store.Update(t.Context(), arrived.Item(), was); err != nil {
		t.Fatal(err)
	}
	b := open(t, w)
	eval[bool](b, fmt.Sprintf("%s.querySelector('button[value=claim]').click(); true", row("Tom Okafor")))
	b.awaitText("takes care until")
	for _, p := range []struct {
		name, path, scheme string
		width              int64
		whole              bool
	}{
		{"inbox.png", "/", "light", 1160, true},
		{"inbox-today.png", "/today", "light", 1160, false},
		{"inbox-phone.png", "/", "dark", 390, false},
	} {
		b.size(p.width, 844, 1.5)
		b.scheme(p.scheme)
		b.visit(p.path)
		b.awaitText("Live")
		take := chromedp.CaptureScreenshot()
		if p.whole {
			take = chromedp.FullScreenshot(100)
		}
		png, err := chromedp.Run(b.ctx, take)
		if err != nil {
			t.Fatal(err)
		}
		if *pictures == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(*pictures, p.name), png, 0o644); err != nil { //nolint:gosec // G306: it is published
			t.Fatal(err)
		}
	}
}
