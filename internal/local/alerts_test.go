package local_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

const (
	missedID    = "CALL#call_1d4e5f6a/missed_call"
	voicemailID = "CALL#call_1d4e5f6a/voicemail"
)

func TestAlertsArePrintedForAPersonToRead(t *testing.T) {
	t.Parallel()
	var printed output
	stack := startWith(t, local.Config{Alerts: &printed})
	for _, name := range []string{"contact.created", "call.missed", "sms.received", "voicemail.received", "call.missed"} {
		post(t, stack.URL, sample(t, name))
		settle(t, stack) // otherwise the missed call's alert may say what the voicemail's event says of the call
	}
	const want = `▶ Missed call
  Number    +14155558765
  Line      +14155551234
  Time      12 March 2026, 14:32 UTC
  Outcome   No answer after 30 s
  Call id   call_1d4e5f6a
  Kept as   CALL#call_1d4e5f6a

▶ Voicemail
  Number    +14155558765
  Line      +14155551234
  Time      12 March 2026, 14:40 UTC
  Outcome   Left a voicemail of 22 s
  Tried     agent 42
  Listen    https://recordings.justcall.io/vm_xyz789.mp3
  Call      missed 12 March 2026, 14:32 UTC
  "Hi, this is Pat from Globex. Please call me back about the contract."
  Call id   call_1d4e5f6a
  Kept as   CALL#call_1d4e5f6a

`
	if diff := cmp.Diff(want, printed.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

// A caller's text must not control the terminal.
func TestACallersTextIsPrintedWithoutControls(t *testing.T) {
	t.Parallel()
	var printed output
	stack := startWith(t, local.Config{Alerts: &printed})
	const escape, clear, bell, turned = `\u001b`, `\u001b[2J`, `\u0007`, `\u202e`
	body := strings.NewReplacer(
		"Hi, this is Pat", clear+"Hi,\\r\\n\\nthis"+bell+turned+" is Pat",
		"call_1d4e5f6a", "call"+escape+"c",
	).Replace(sample(t, "voicemail.received"))
	post(t, stack.URL, body)
	settle(t, stack)
	contains(t, printed.String(), "Hi, this is Pat")
	if i := strings.IndexAny(printed.String(), "\x1b\x07\r\u202e"); i >= 0 {
		t.Errorf("a control is printed:\n%q", printed.String())
	}
	if got := strings.Count(printed.String(), "\n\n"); got != 1 {
		t.Errorf("%d blocks, want 1:\n%s", got, printed.String())
	}
}

func TestAlertsAreForwardedAsDocumentsWithTheirAttributes(t *testing.T) {
	t.Parallel()
	var to receiver
	stack := startWith(t, local.Config{ForwardURL: to.start(t) + "/hook?key=1"})
	for _, name := range []string{"call.missed", "voicemail.received"} {
		post(t, stack.URL, sample(t, name))
		settle(t, stack) // the missed call's alert knows no agent, unless the voicemail is there already
	}

	received := to.all()
	if len(received) != 2 {
		t.Fatalf("%d alerts forwarded, want 2", len(received))
	}
	for i, want := range []map[string]string{
		{
			"Ringback-Alert-Id": missedID, "Ringback-Kind": "missed_call", "Ringback-Outcome": "missed",
			"Ringback-Line": "+14155551234", "Ringback-Caller": "+14155558765",
		},
		{
			"Ringback-Alert-Id": voicemailID, "Ringback-Kind": "voicemail", "Ringback-Outcome": "voicemail",
			"Ringback-Line": "+14155551234", "Ringback-Caller": "+14155558765", "Ringback-Agent-Id": "42",
		},
	} {
		want["Content-Type"], want["User-Agent"] = "application/json", "ringback"
		got := make(map[string]string)
		for name, values := range received[i].header {
			if name != "Content-Length" && name != "Accept-Encoding" {
				got[name] = strings.Join(values, ",")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if got := received[i].method + " " + received[i].url; got != "POST /hook?key=1" {
			t.Errorf("%s, want POST /hook?key=1", got)
		}
		var document struct {
			Version int    `json:"version"`
			ID      string `json:"id"`
			Kind    string `json:"kind"`
			Missed  struct {
				CallID     string `json:"call_id"`
				OccurredAt string `json:"occurred_at"`
			} `json:"missed_call"`
		}
		if err := json.Unmarshal(received[i].body, &document); err != nil {
			t.Fatal(err)
		}
		if document.Version != 2 || document.ID != want["Ringback-Alert-Id"] || document.Kind != want["Ringback-Kind"] {
			t.Errorf("document %+v, want version 2 of %s", document, want["Ringback-Alert-Id"])
		}
		if document.Kind == "voicemail" && (document.Missed.CallID != "call_1d4e5f6a" || document.Missed.OccurredAt != "2026-03-12T14:32:00.000Z") {
			t.Errorf("the voicemail's missed call is %+v", document.Missed)
		}
	}
}

// People in front of a terminal do not wait for a receiver.
func TestWhatIsNotTakenIsSentUntilItIsAndPrintedOnce(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("a redirect was followed")
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(elsewhere.Close)
	for name, refuse := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"400": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) },
		"410": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) },
		"304": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"a lost answer":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no answer":      func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a 500 of 10 MB": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write(make([]byte, 10<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var printed output
			to := receiver{answer: func(n int, w http.ResponseWriter, r *http.Request) {
				if n == 1 {
					contains(t, printed.String(), "▶ Missed call")
				}
				if n <= 3 {
					refuse(w, r)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			}}
			stack := startWith(t, local.Config{Alerts: &printed, ForwardURL: to.start(t), ForwardTime: 300 * time.Millisecond})
			post(t, stack.URL, sample(t, "call.missed"))
			settle(t, stack)
			if diff := cmp.Diff([]string{missedID, missedID, missedID, missedID}, to.ids()); diff != "" {
				t.Errorf("forwarded (-want +got):\n%s", diff)
			}
			if got := strings.Count(printed.String(), "▶"); got != 1 {
				t.Errorf("printed %d times, want once:\n%s", got, printed.String())
			}
		})
	}
}

// An alert that its receiver never accepts must not hold up the others.
func TestAnAlertThatIsNeverTakenHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	never := func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(local.HeaderAlertID) == missedID {
			w.WriteHeader(500)
		}
	}
	to := receiver{answer: never}
	stack := startWith(t, local.Config{Folder: folder, ForwardURL: to.start(t), FirstPause: calm, LongestPause: calm})
	post(t, stack.URL, sample(t, "call.missed"))
	postManyMissed(t, stack, "other", 120) // more than are read at once
	to.await(t, func(ids []string) bool { return len(unique(ids)) == 121 })
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := stack.Settled(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Settled: %v, want %v: one is still to be sent", err, context.DeadlineExceeded)
	}
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}

	// The next start sends this alert, and no other again.
	var later receiver
	stack = startWith(t, local.Config{Folder: folder, ForwardURL: later.start(t)})
	settle(t, stack)
	if diff := cmp.Diff([]string{missedID}, later.ids()); diff != "" {
		t.Errorf("forwarded after the restart (-want +got):\n%s", diff)
	}
}

func TestAlertsWaitForAReceiverThatIsDown(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var want []string
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close() // nothing listens there now
	stack := startWith(t, local.Config{Folder: folder, ForwardURL: down.URL, FirstPause: calm, LongestPause: calm})
	postManyMissed(t, stack, "call", 120) // more than are read at once
	for i := range 120 {
		want = append(want, fmt.Sprintf("CALL#call_%03d/missed_call", i))
	}
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}

	var to receiver
	stack = startWith(t, local.Config{Folder: folder, ForwardURL: to.start(t)})
	settle(t, stack)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(to.ids()))); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
}

// However many alerts are never accepted, they must not hold up the next one, not
// even after a restart.
func TestManyAlertsThatAreNeverTakenHoldNoOtherUp(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	to := receiver{answer: func(_ int, w http.ResponseWriter, r *http.Request) {
		if isOf(r, "poison") {
			w.WriteHeader(http.StatusBadRequest)
		}
	}}
	c := local.Config{Folder: folder, ForwardURL: to.start(t), FirstPause: calm, LongestPause: calm}
	stack := startWith(t, c)
	postManyMissed(t, stack, "poison", 130)
	postMissed(t, stack, "good_1")
	to.awaitTaken(t, "good_1")
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	stack = startWith(t, c)
	postMissed(t, stack, "good_2")
	to.awaitTaken(t, "good_2")
}

// After a restart all are read together. The good one must go out before any is
// retried.
func TestAGoodAlertAmongManyThatAreRefusedGoesOutAtOnce(t *testing.T) {
	t.Parallel()
	c := local.Config{Folder: t.TempDir(), FirstPause: time.Hour, LongestPause: time.Hour}
	nobody := receiver{answer: func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }}
	c.ForwardURL = nobody.start(t)
	stack := startWith(t, c)
	postManyMissed(t, stack, "poison", 40)
	postMissed(t, stack, "good")
	postManyMissed(t, stack, "poison_later", 20)
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	to := receiver{answer: func(_ int, w http.ResponseWriter, r *http.Request) {
		if isOf(r, "poison") {
			w.WriteHeader(http.StatusBadRequest)
		}
	}}
	c.ForwardURL = to.start(t)
	startWith(t, c)
	to.awaitTaken(t, "good")
}

// A receiver that does not answer must not hold up the other alerts. New ones wait
// for it as long as ForwardTime says; retries are not waited for at all.
func TestAlertsThatHangHoldNoOtherUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		// first answers the first request of an alert; retries get no answer.
		first       http.HandlerFunc
		forwardTime time.Duration
	}{
		{"from the first try", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 100 * time.Millisecond},
		{"when retried", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var tried sync.Map
			to := receiver{answer: func(_ int, w http.ResponseWriter, r *http.Request) {
				switch _, again := tried.LoadOrStore(r.Header.Get(local.HeaderAlertID), true); {
				case !isOf(r, "hanging"):
				case again:
					<-r.Context().Done()
				default:
					tc.first(w, r)
				}
			}}
			c := local.Config{ForwardURL: to.start(t), ForwardTime: tc.forwardTime, FirstPause: calm, LongestPause: calm}
			c.SetCloseTimes(time.Millisecond, time.Minute)
			stack := startWith(t, c)
			postManyMissed(t, stack, "hanging", 40)
			to.await(t, func(ids []string) bool { return len(unique(ids)) == 40 && len(ids) > 40 })
			for i := range 5 {
				id := fmt.Sprintf("good_%d", i)
				postMissed(t, stack, id)
				to.awaitTaken(t, id)
			}
		})
	}
}

// What is known of failed alerts must fit into memory. When there are too many,
// no new ones are read. That is logged once, and loses nothing.
func TestTooManyAlertsThatWaitHoldOthersUpAndSaySo(t *testing.T) {
	t.Parallel()
	var open atomic.Bool
	to := receiver{answer: func(_ int, w http.ResponseWriter, r *http.Request) {
		if isOf(r, "poison") && !open.Load() {
			w.WriteHeader(http.StatusBadRequest)
		}
	}}
	lines := logscan.Writer(t)
	c := local.Config{
		Folder: t.TempDir(), Address: anyPort, ForwardURL: to.start(t),
		FirstPause: time.Millisecond, LongestPause: 4 * time.Millisecond,
	}
	c.SetMaxFailed(10)
	stack, err := local.Start(t.Context(), c, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	const heldUp = "consumer held up"
	for i := range 10 {
		postMissed(t, stack, fmt.Sprintf("poison_%d", i))
	}
	eventually(t, func() bool { return strings.Contains(lines.String(), heldUp) })
	postMissed(t, stack, "good")
	tries := len(to.ids())
	to.await(t, func(ids []string) bool { return len(ids) > tries+20 })
	if slices.Contains(to.ids(), "CALL#good/missed_call") {
		t.Error("the next is sent, though too many wait")
	}
	if got := strings.Count(lines.String(), heldUp); got != 1 {
		t.Errorf("logged %d times, want once", got)
	}
	open.Store(true)
	settle(t, stack)
	if got := len(to.taken()); got != 11 {
		t.Errorf("%d alerts taken, want 11", got)
	}
}

// A stop is no failure: the next start sends what is left.
func TestAStopIsNotLoggedAsAFailure(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	to := receiver{answer: func(_ int, _ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}}
	lines := logscan.Writer(t)
	c := local.Config{
		Folder: t.TempDir(), Address: anyPort, ForwardURL: to.start(t), ForwardTime: time.Hour,
	}
	c.SetCloseTimes(time.Millisecond, time.Minute)
	stack, err := local.Start(t.Context(), c, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		postMissed(t, stack, fmt.Sprint(i))
	}
	<-asked
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lines.String(); strings.Contains(got, `"ERROR"`) {
		t.Errorf("log:\n%s", got)
	}
}

// Blocked output must not keep the process alive.
func TestCloseDoesNotWaitForAPrinterThatBlocks(t *testing.T) {
	t.Parallel()
	printer := blocked{begun: make(chan struct{}, 1), free: make(chan struct{})}
	folder := t.TempDir()
	c := local.Config{Folder: folder, Address: anyPort, Alerts: printer}
	c.SetCloseTimes(time.Millisecond, time.Millisecond)
	stack, err := local.Start(t.Context(), c, logscan.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	postMissed(t, stack, "1")
	<-printer.begun
	if err := stack.Close(); err == nil || !strings.Contains(err.Error(), "output is blocked") {
		t.Errorf("Close: %v, though an alert is being printed", err)
	}
	if got := partition(t, stack.Store, "CALL#1"); len(got) != 1 {
		t.Errorf("%d items, want 1: the store is in use, and open", len(got))
	}
	close(printer.free)
	for err := stack.Close(); err != nil; err = stack.Close() { // each waits some milliseconds
		t.Logf("Close again: %v", err)
	}
	start(t, folder) // the folder is free again
}

// Neither must a run of the reconciler that tells people of a webhook.
func TestCloseDoesNotWaitForARunWhosePrinterBlocks(t *testing.T) {
	t.Parallel()
	printer := blocked{begun: make(chan struct{}, 1), free: make(chan struct{})}
	c, account := withAccount(t)
	account.Hooks[0].Status = "blacklisted"
	c.Alerts = printer
	c.SetCloseTimes(time.Millisecond, time.Millisecond)
	stack, err := local.Start(t.Context(), c, logscan.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	<-printer.begun
	if err := stack.Close(); err == nil || !strings.Contains(err.Error(), "output is blocked") {
		t.Errorf("Close: %v, though people are being told", err)
	}
	close(printer.free)
	for err := stack.Close(); err != nil; err = stack.Close() { // each waits some milliseconds
		t.Logf("Close again: %v", err)
	}
	start(t, c.Folder) // the folder is free again
}

// blocked is a printer that reports the first write, and blocks until it is free.
type blocked struct{ begun, free chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	select {
	case b.begun <- struct{}{}:
	default:
	}
	<-b.free
	return len(p), nil
}

func TestNothingSaysWhereAlertsAreForwardedTo(t *testing.T) {
	t.Parallel()
	const secret = "hidden-secret" // in every part of a URL that may hold one
	refused := httptest.NewServer(http.NotFoundHandler())
	refused.Close()
	silent := receiver{answer: func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
	unwilling := receiver{answer: func(_ int, w http.ResponseWriter, _ *http.Request) {
		http.Redirect(w, &http.Request{Method: http.MethodGet}, "http://"+secret+".invalid/", http.StatusFound)
	}}
	self := httptest.NewUnstartedServer(http.NotFoundHandler()) // its certificate is self-signed
	self.Config.ErrorLog = slog.NewLogLogger(logscan.Logger(t).Handler(), slog.LevelDebug)
	self.StartTLS()
	t.Cleanup(self.Close)
	for _, tc := range []struct {
		name, url string
		patience  time.Duration // of the sender
		want      string
	}{
		{"nothing listens", refused.URL + "/" + secret, patience, "connection refused"},
		{"there is no such host", "http://" + secret + ".invalid/", time.Second, "host not found"},
		{"it does not answer", silent.start(t) + "/" + secret, 50 * time.Millisecond, "no answer in time"},
		{"it sends elsewhere", unwilling.start(t) + "/?key=" + secret, patience, "answered 302"},
		{"its certificate is self-signed", strings.Replace(self.URL, "//", "//"+secret+":"+secret+"@", 1), patience, "certificate not accepted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			host := strings.Split(strings.TrimPrefix(tc.url, "http://"), "/")[0]
			lines := logscan.Writer(t, secret, host)
			stack, err := local.Start(t.Context(), local.Config{
				Folder: t.TempDir(), Address: anyPort,
				ForwardURL: tc.url, ForwardTime: tc.patience, FirstPause: time.Millisecond,
			}, lines.Logger())
			if err != nil {
				t.Fatal(err)
			}
			post(t, stack.URL, sample(t, "voicemail.received"))
			eventually(t, func() bool { return strings.Contains(lines.String(), "alert failed") })
			if err := stack.Close(); err != nil {
				t.Error(err)
			}
			if tc.want == "host not found" && strings.Contains(lines.String(), "no answer") {
				t.Skip("no resolver here that answers at once")
			}
			contains(t, lines.String(), tc.want)
		})
	}
}

func TestStartRefusesAURLThatCannotBePostedToWithoutShowingIt(t *testing.T) {
	t.Parallel()
	const secret = "hidden-secret"
	for _, url := range []string{secret, "ftp://" + secret, "https:///" + secret, "http://" + secret + "\x7f", "/" + secret, "https://%" + secret} {
		folder := t.TempDir()
		_, err := local.Start(t.Context(), local.Config{
			Folder: folder, Address: anyPort, ForwardURL: url,
		}, logscan.Logger(t))
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("Start(%q): %v, want an error without the URL", url, err)
		}
		start(t, folder) // the folder is free again
	}
}

// A slow receiver that answers while the stack is being closed must not get the
// alert again.
func TestCloseFinishesTheAlertThatIsUnderWay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	asked, closing := make(chan struct{}), make(chan struct{})
	to := receiver{answer: func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			close(asked)
			<-closing
		}
		w.WriteHeader(http.StatusOK)
	}}
	url := to.start(t)
	c := local.Config{Folder: folder, ForwardURL: url}
	c.SetCloseTimes(time.Minute, time.Minute)
	stack := startWith(t, c)
	post(t, stack.URL, sample(t, "call.missed"))
	<-asked
	post(t, stack.URL, sample(t, "voicemail.received"))
	go func() {
		defer close(closing)
		for { // Close has begun once nobody listens any more
			connection, err := net.Dial("tcp", stack.Address)
			if err != nil {
				return
			}
			_ = connection.Close()
			time.Sleep(time.Millisecond)
		}
	}()
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if err := stack.Settled(t.Context()); err == nil {
		t.Error("Settled after Close: no error")
	}

	stack = startWith(t, local.Config{Folder: folder, ForwardURL: url})
	// The mark prevents an alert for another event of the same call.
	post(t, stack.URL, strings.Replace(sample(t, "call.missed"), "14:32:00", "14:32:01", 1))
	settle(t, stack)
	if diff := cmp.Diff([]string{missedID, voicemailID}, to.ids()); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
}

func TestCloseGivesASilentReceiverUp(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	to := receiver{answer: func(n int, _ http.ResponseWriter, r *http.Request) {
		if n == 1 {
			close(asked)
		}
		<-r.Context().Done()
	}}
	c := local.Config{ForwardURL: to.start(t), ForwardTime: time.Hour}
	c.SetCloseTimes(time.Millisecond, time.Minute)
	stack := startWith(t, c)
	for _, name := range []string{"call.missed", "voicemail.received"} {
		post(t, stack.URL, sample(t, name))
	}
	<-asked
	if err := stack.Close(); err != nil { // long before the receiver's time is up
		t.Fatal(err)
	}
}

func TestWhatCannotBeAlertedIsPassedOver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	// The store has a damaged record whose alert is still due.
	store, err := bolt.Open(filepath.Join(folder, storeFile), schema.Events())
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []table.Item{
		{table.PK: str("CALL#damaged"), table.SK: str("EVENT#1"), table.Alert: str("missed_call")},
		{table.PK: str("CALL#odd"), table.SK: str("EVENT#1"), table.Alert: str("fax")},
	} {
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, folder, func(tx *bbolt.Tx) error {
		rows := tx.Bucket([]byte("rows"))
		first, _ := rows.Cursor().First() // CALL#damaged
		return rows.Put(first, []byte("{"))
	})

	var printed output
	lines := logscan.Writer(t)
	stack, err := local.Start(t.Context(), local.Config{
		Folder: folder, Address: anyPort, Alerts: &printed,
	}, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	post(t, stack.URL, sample(t, "call.missed"))
	settle(t, stack)
	if got := strings.Count(printed.String(), "▶"); got != 1 {
		t.Errorf("%d alerts printed, want 1:\n%s", got, printed.String())
	}
	contains(t, lines.String(), `"record unreadable","consumer":"alerts","sequence":1`, `"record passed over","consumer":"alerts","sequence":2`)
}

// An alert reads what its caller did before.
func TestADamagedEventOfItsCallerStopsNoAlert(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := sample(t, "call.missed")
	stack := start(t, folder)
	post(t, stack.URL, first)
	settle(t, stack)
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, folder, func(tx *bbolt.Tx) error {
		_, event := tx.Bucket([]byte("keys")).Cursor().Seek([]byte("CALL#call_1d4e5f6a\x00\x01EVENT#"))
		return tx.Bucket([]byte("rows")).Put(bytes.Clone(event), []byte("{"))
	})

	var printed output
	lines := logscan.Writer(t)
	stack, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort, Alerts: &printed}, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	post(t, stack.URL, strings.ReplaceAll(first, "call_1d4e5f6a", "call_another"))
	settle(t, stack)
	contains(t, printed.String(), "▶")
	contains(t, lines.String(), `"an item of the table is damaged and left out`)

	// Commands of the running stack are told, too.
	remote, err := local.Connect(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := remote.Scan(t.Context(), "", ""); page.Damaged != 1 || err != nil {
		t.Errorf("%d damaged items, %v, want 1", page.Damaged, err)
	}
}

// Published and marked alerts must not be repeated because a checkpoint is lost.
func TestMarkedAlertsAreNotSentAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var to receiver
	url := to.start(t)
	for range 2 {
		stack := startWith(t, local.Config{Folder: folder, ForwardURL: url})
		for _, name := range []string{"call.missed", "voicemail.received"} {
			post(t, stack.URL, sample(t, name))
		}
		settle(t, stack)
		if err := stack.Close(); err != nil {
			t.Fatal(err)
		}
		tamper(t, folder, func(tx *bbolt.Tx) error { // everything is in the feed again
			err := tx.Bucket([]byte("consumers")).Delete([]byte("alerts"))
			return errors.Join(err, tx.Bucket([]byte("rows")).ForEach(func(number, _ []byte) error {
				feed := tx.Bucket([]byte("feed"))
				sequence, err := feed.NextSequence()
				return errors.Join(err, feed.Put(binary.BigEndian.AppendUint64(nil, sequence), number))
			}))
		})
	}
	if diff := cmp.Diff([]string{missedID, voicemailID}, to.ids()); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
}

func TestAPrinterThatFailsGetsTheAlertAgain(t *testing.T) {
	t.Parallel()
	printed := output{failures: 2}
	stack := startWith(t, local.Config{Alerts: &printed})
	post(t, stack.URL, sample(t, "call.missed"))
	settle(t, stack)
	if got := strings.Count(printed.String(), "▶"); got != 1 {
		t.Errorf("printed %d times, want once:\n%s", got, printed.String())
	}

	// Forwarding does not depend on printing.
	printed = output{failures: 1 << 20}
	var to receiver
	stack = startWith(t, local.Config{Alerts: &printed, ForwardURL: to.start(t)})
	post(t, stack.URL, sample(t, "call.missed"))
	settle(t, stack)
	if diff := cmp.Diff([]string{missedID}, to.ids()); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
}

// Deliveries are shuffled, repeated and concurrent; each call is alerted once.
func TestEveryCallIsAlertedOnceHoweverItIsDelivered(t *testing.T) {
	t.Parallel()
	const calls, senders = 60, 4
	to := receiver{answer: func(n int, w http.ResponseWriter, _ *http.Request) {
		if n%5 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}}
	stack := startWith(t, local.Config{ForwardURL: to.start(t)})
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := range calls {
				n := (i*7 + sender*13) % calls
				id, caller := fmt.Sprintf("call_%d", n), fmt.Sprintf("+1415556%04d", n)
				post(t, stack.URL, strings.NewReplacer("call_1", id, "+14155558765", caller).Replace(missed))
			}
		})
	}
	all.Wait()
	settle(t, stack)
	for id, times := range to.taken() {
		if times != 1 {
			t.Errorf("%s was taken %d times", id, times)
		}
	}
	if got := len(to.taken()); got != calls {
		t.Errorf("%d calls alerted, want %d", got, calls)
	}
}

// An alert that is being retried has no mark yet. Another event of its call must
// wait for it; other calls must not.
func TestACallIsNotAlertedWhileItIsBeingRetried(t *testing.T) {
	t.Parallel()
	again, answered := make(chan struct{}), make(chan struct{})
	to := receiver{answer: func(n int, w http.ResponseWriter, _ *http.Request) {
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			close(again)
			<-answered
		}
	}}
	stack := startWith(t, local.Config{ForwardURL: to.start(t)})
	post(t, stack.URL, sample(t, "call.missed"))
	<-again
	post(t, stack.URL, strings.Replace(sample(t, "call.missed"), "14:32:00", "14:32:01", 1))
	postMissed(t, stack, "other")
	to.awaitTaken(t, "other") // by now the event before it is read
	close(answered)
	settle(t, stack)
	if got := to.taken()[missedID]; got != 1 {
		t.Errorf("taken %d times, want once", got)
	}
}

// request is a request to a receiver, and the status of its answer.
type request struct {
	method, url string
	header      http.Header
	body        []byte
	status      int
}

// receiver receives forwarded alerts.
type receiver struct {
	// answer answers the n-th request, counted from 1; nil accepts all.
	answer func(n int, w http.ResponseWriter, r *http.Request)

	mu       sync.Mutex
	requests []request
	changed  chan struct{}
}

// start starts the receiver and returns its URL.
func (r *receiver) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed
	}
	r.mu.Lock()
	r.requests = append(r.requests, request{req.Method, req.URL.String(), req.Header, body, 0})
	n := len(r.requests)
	r.signal()
	r.mu.Unlock()
	status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	if r.answer != nil {
		r.answer(n, status, req)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests[n-1].status = status.status
	r.signal()
}

// signal wakes await. The caller holds the lock.
func (r *receiver) signal() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (r *receiver) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// ids returns the alert IDs of all requests, in order.
func (r *receiver) ids() (ids []string) {
	for _, req := range r.all() {
		ids = append(ids, req.header.Get(local.HeaderAlertID))
	}
	return ids
}

// taken counts, by alert, how often it was answered 200.
func (r *receiver) taken() map[string]int {
	times := make(map[string]int)
	for _, req := range r.all() {
		if req.status == http.StatusOK {
			times[req.header.Get(local.HeaderAlertID)]++
		}
	}
	return times
}

// await waits until the IDs of all requests satisfy ok.
func (r *receiver) await(t *testing.T, ok func(ids []string) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		r.mu.Lock()
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if ok(r.ids()) {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%d alerts have come", len(r.ids()))
		}
	}
}

// awaitTaken waits until a missed call's alert was answered 200.
func (r *receiver) awaitTaken(t *testing.T, call string) {
	t.Helper()
	r.await(t, func([]string) bool { return r.taken()["CALL#"+call+"/missed_call"] > 0 })
}

// isOf reports whether a request is about a call whose ID has a prefix.
func isOf(r *http.Request, prefix string) bool {
	return strings.HasPrefix(r.Header.Get(local.HeaderAlertID), "CALL#"+prefix)
}

// postMissed posts a missed call with an ID.
func postMissed(t *testing.T, stack *local.Stack, id string) {
	t.Helper()
	post(t, stack.URL, missedOf(id))
}

// missedOf returns a missed call with an ID and a caller of its own: calls of one caller
// in one second are one ring.
func missedOf(id string) string {
	caller := fnv.New32a()
	_, _ = caller.Write([]byte(id))
	return strings.NewReplacer("call_1", id, "+14155558765", fmt.Sprintf("+1415%09d", caller.Sum32()%1e9)).Replace(missed)
}

// postManyMissed posts n missed calls with a prefix to their IDs, concurrently. Each
// has its own caller, because every alert reads its caller's history.
func postManyMissed(t *testing.T, stack *local.Stack, prefix string, n int) {
	t.Helper()
	const senders = 16
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := sender; i < n; i += senders {
				id, caller := fmt.Sprintf("%s_%03d", prefix, i), fmt.Sprintf("+1415556%04d", i)
				post(t, stack.URL, strings.NewReplacer("call_1", id, "+14155558765", caller).Replace(missed))
			}
		})
	}
	all.Wait()
}

// calm is a pause between retries that leaves the processor to other tests.
const calm = time.Second

// patience is how long a test waits before it takes the code to hang.
const patience = 2 * time.Minute

func unique(ids []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// output keeps what is printed, and can be read meanwhile. Its first writes fail.
type output struct {
	mu       sync.Mutex
	text     bytes.Buffer
	failures int
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures > 0 {
		o.failures--
		return 0, os.ErrClosed
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startWith starts a stack that is closed at the end of the test. By default it has
// a folder of its own and short pauses.
func startWith(t *testing.T, c local.Config) *local.Stack {
	t.Helper()
	if c.Folder == "" {
		c.Folder = t.TempDir()
	}
	c.Address = anyPort
	if c.FirstPause == 0 {
		c.FirstPause, c.LongestPause = time.Millisecond, 4*time.Millisecond
	}
	c.GiveCloseTime(patience)
	lines := logscan.Writer(t, signingSecret)
	stack, err := local.Start(t.Context(), c, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	lines.Forbid(tokenOf(stack))
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := stack.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return stack
}

// settle waits until the consumers are done with everything stored so far.
func settle(t *testing.T, stack *local.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := stack.Settled(ctx); err != nil {
		t.Fatal(err)
	}
}

// eventually polls for what gives no event.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

// tamper changes the closed store of a folder.
func tamper(t *testing.T, folder string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(folder, storeFile), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	return readFile(t, filepath.Join(filepath.Dir(tabletest.TemplatePath(t)), "events-samples", name+".json"))
}

func contains(t *testing.T, printed string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			t.Errorf("%q is not said:\n%s", text, printed)
		}
	}
}

func str(s string) attr.Value { return attr.String(s) }
