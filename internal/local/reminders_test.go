package local_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// clock is a clock that stands still until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set sets the time of day.
func (c *clock) set(t *testing.T, of string) {
	t.Helper()
	at, err := time.Parse("15:04:05", of)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Items that expire after weeks do so by the clock of the machine.
	year, month, day := time.Now().UTC().Date()
	c.now = time.Date(year, month, day, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
}

// reminding is a stack that reminds people by a clock of its own.
type reminding struct {
	*testing.T
	clock  clock
	folder string
	stack  *local.Stack
}

func (r *reminding) start(c local.Config) {
	r.Helper()
	var err error
	c.Folder = r.folder
	c.Plan, c.Callers, err = escalate.Settings{Zone: time.UTC, After: escalate.DefaultAfter, AgainAfter: escalate.DefaultAgainAfter}.Read()
	if err != nil {
		r.Fatal(err)
	}
	c.SetClock(r.clock.Now, 5*time.Millisecond)
	r.stack = startWith(r.T, c)
}

// call posts a call that ended now, of a minute if somebody answered.
func (r *reminding) call(id, caller, direction, outcome string) {
	r.Helper()
	now := r.clock.Now()
	post(r.T, r.stack.URL, fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":%q,"contact_number":%q,"justcall_number":"14155550101",
		"agent_name":"Ines","call_date":%q,"call_time":%q,"call_info":{"direction":%q,"type":%q},
		"call_duration":{"conversation_time":60,"total_duration":60,"ring_time":9}}}`,
		id, caller, now.Format(time.DateOnly), now.Format(time.TimeOnly), direction, outcome))
	settle(r.T, r.stack)
}

// looked waits until the stack has looked who waits in the minute of its clock.
func (r *reminding) looked() {
	r.Helper()
	next := r.clock.Now().Truncate(time.Minute).Add(time.Minute)
	eventually(r.T, func() bool {
		page, err := r.stack.Store.Query(r.Context(), table.EscalationQuery())
		if err != nil || len(page.Items) == 0 {
			return false
		}
		run := table.ReadEscalation(page.Items[0])
		return run.Next.Equal(next) && run.LockedUntil.IsZero()
	})
}

func (r *reminding) at(clock string) {
	r.Helper()
	r.clock.set(r.T, clock)
	r.looked()
}

const first, second = "CALL#a/OVERDUE#1", "CALL#a/OVERDUE#2"

func TestRemindersArePrintedAndForwardedInTime(t *testing.T) {
	t.Parallel()
	var printed output
	var to receiver
	r := &reminding{T: t, folder: t.TempDir()}
	r.clock.set(t, "10:00:30")
	r.start(local.Config{Alerts: &printed, ForwardURL: to.start(t)})
	r.call("a", "14155550144", "Incoming", "Missed")
	r.call("b", "14155550145", "Incoming", "Missed")
	wait := func(want ...string) {
		t.Helper()
		// The third ends the alert of b, who was called back.
		want = append([]string{"CALL#a/missed_call", "CALL#b/missed_call", "CALL#b/missed_call"}, want...)
		if diff := cmp.Diff(want, to.ids()); diff != "" {
			t.Errorf("%v: forwarded (-want +got)\n%s", r.clock.Now(), diff)
		}
	}
	r.at("10:10:00")
	r.call("c", "14155550145", "Outgoing", "Answered")
	r.at("10:15:29")
	wait()
	r.clock.set(t, "10:15:30")
	to.await(t, func(ids []string) bool { return len(ids) > 3 })
	r.at("10:16:30")
	r.at("11:00:29")
	wait(first)
	r.at("11:01:30")
	wait(first, second)
	for _, want := range []string{"▶ Not called back\n  Number    +14155550144\n", "▶ Still not called back\n  Number    +14155550144\n"} {
		if strings.Count(printed.String(), want) != 1 {
			t.Errorf("%q is not printed once:\n%s", want, printed.String())
		}
	}
	all := to.all()
	if got := all[2].header.Get("Ringback-Kind"); got != "returned" {
		t.Errorf("b was called back: %q", got)
	}
	headers := all[3].header
	if got := headers.Get("Ringback-Kind") + " " + headers.Get("Ringback-Level"); got != "overdue 1" {
		t.Errorf("headers %q", got)
	}
}

// Neither a restart nor the time in between loses a reminder, and none comes twice.
func TestRemindersSurviveARestart(t *testing.T) {
	t.Parallel()
	r := &reminding{T: t, folder: t.TempDir()}
	var printed output
	restart := func(clock string) {
		t.Helper()
		if r.stack != nil {
			if err := r.stack.Close(); err != nil {
				t.Fatal(err)
			}
		}
		r.clock.set(t, clock)
		r.start(local.Config{Alerts: &printed})
	}
	restart("10:00:00")
	r.call("a", "14155550144", "Incoming", "Missed")
	restart("10:20:00")
	r.looked()
	restart("10:21:00")
	r.looked()
	restart("12:00:00")
	r.looked()
	restart("12:01:00")
	r.looked()
	for _, want := range []string{"▶ Not called back", "▶ Still not called back"} {
		if strings.Count(printed.String(), want) != 1 {
			t.Errorf("%q is not printed once:\n%s", want, printed.String())
		}
	}
}

// What was stored and not yet looked at when the process ended counts before anybody is
// reminded.
func TestPromise10_NobodyIsRemindedOfWhoWasCalledBackBeforeTheStart(t *testing.T) {
	t.Parallel()
	r := &reminding{T: t, folder: t.TempDir()}
	var printed output
	r.clock.set(t, "10:00:00")
	r.start(local.Config{Alerts: &printed})
	r.call("a", "14155550144", "Incoming", "Missed")
	if err := r.stack.Close(); err != nil {
		t.Fatal(err)
	}
	// A thousand events, of which the last one is the call back, are stored by a process
	// that ends before its consumers have seen any.
	r.clock.set(t, "10:10:00")
	putMany(t, r.folder, r.clock.Now())
	r.clock.set(t, "10:20:00")
	r.start(local.Config{Alerts: &printed})
	r.looked()
	r.at("11:30:00")
	if got := printed.String(); strings.Contains(got, "alled back") {
		t.Errorf("printed:\n%s", got)
	}
}

// A caller waited before the list of our own numbers had theirs.
func TestPromise10_WhoWasListedSinceIsNotRemindedOf(t *testing.T) {
	t.Parallel()
	r := &reminding{T: t, folder: t.TempDir()}
	var printed output
	r.clock.set(t, "10:00:00")
	r.start(local.Config{Alerts: &printed})
	r.call("a", "14155550144", "Incoming", "Missed")
	r.call("b", "14155550145", "Incoming", "Missed")
	if err := r.stack.Close(); err != nil {
		t.Fatal(err)
	}
	ours, err := phone.Book{}.WithOwn("+1 415 555 0144")
	if err != nil {
		t.Fatal(err)
	}
	r.clock.set(t, "10:20:00")
	r.start(local.Config{Alerts: &printed, Numbers: ours})
	r.looked()
	_, since, _ := strings.Cut(printed.String(), "▶ Not called back")
	if !strings.Contains(since, "+14155550145") || strings.Contains(since, "+14155550144") {
		t.Errorf("printed:\n%s", printed.String())
	}
}

// A receiver that is away gets the reminder when it is back, as long as the caller waits.
func TestAReminderWaitsForItsReceiverAndIsPrintedOnce(t *testing.T) {
	t.Parallel()
	var printed output
	var down sync.Map
	down.Store("down", true)
	to := receiver{answer: func(_ int, w http.ResponseWriter, req *http.Request) {
		if is, _ := down.Load("down"); is == true && isOf(req, "a/OVERDUE") {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}}
	r := &reminding{T: t, folder: t.TempDir()}
	r.clock.set(t, "10:00:00")
	r.start(local.Config{Alerts: &printed, ForwardURL: to.start(t)})
	r.call("a", "14155550144", "Incoming", "Missed")
	for minute := 15; minute < 20; minute++ {
		r.at(fmt.Sprintf("10:%d:00", minute))
	}
	if to.taken()[first] != 0 || len(to.ids()) < 4 {
		t.Errorf("it was not tried again: %v", to.ids())
	}
	down.Store("down", false)
	r.at("10:20:00")
	r.at("10:21:00")
	r.at("10:22:00")
	if got := to.taken()[first]; got != 1 {
		t.Errorf("taken %d times, want once", got)
	}
	if got := strings.Count(printed.String(), "▶ Not called back"); got != 1 {
		t.Errorf("printed %d times, want once", got)
	}
}

// putMany stores events as the webhook does, the last of which is a call back.
func putMany(t *testing.T, folder string, now time.Time) {
	t.Helper()
	store := tabletest.OpenBolt(t, filepath.Join(folder, local.StoreFile))
	put := func(body string) {
		t.Helper()
		envelope, err := events.Open([]byte(body))
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := store.Put(t.Context(), table.EventItem(envelope.Decode(), time.Time{}, now)); err != nil {
			t.Error(err)
		}
	}
	// So many that a run of the reminders that does not wait for them is over before, on a busy machine too.
	timing.AtMost(64, 1000, func(n int) {
		put(fmt.Sprintf(`{"event":"call.initiated","data":{"call_id":"other_%d","from":"+14155550199"}}`, n))
	})
	put(fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":"z","contact_number":"14155550144","call_date":%q,"call_time":%q,
		"call_info":{"direction":"Outgoing","type":"Answered"},"call_duration":{"conversation_time":60,"ring_time":9}}}`,
		now.Format(time.DateOnly), now.Format(time.TimeOnly)))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// The process is killed again and again, by a receiver in the middle of a reminder. Everybody is reminded of at each
// level, and a kill repeats what was in flight at most.
func TestRemindersSurviveKills(t *testing.T) {
	t.Parallel()
	const callers = 30
	kills := 8
	if testing.Short() {
		kills = 2
	}
	folder, begin := t.TempDir(), time.Now()
	servers := make(chan *exec.Cmd, 1)
	to := receiver{answer: func(n int, _ http.ResponseWriter, req *http.Request) {
		if n%3 == 0 && strings.Contains(req.Header.Get(local.HeaderAlertID), "OVERDUE") {
			select {
			case server := <-servers:
				_ = server.Process.Kill()
			default:
			}
		}
	}}
	forward := to.start(t)
	start := func() (*exec.Cmd, string) {
		return startProcess(t, folder, forwardVariable+"="+forward, remindVariable+"="+begin.Format(time.RFC3339Nano))
	}
	server, url := start()
	for n := range callers { // each on a line of its own, so that each has a message
		now := fast(begin).UTC()
		post(t, url, fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":"k%d","contact_number":"1415555%04d","justcall_number":"1415666%04d",
			"call_date":%q,"call_time":%q,"call_info":{"direction":"Incoming","type":"Missed"}}}`, n, n, n, now.Format(time.DateOnly), now.Format(time.TimeOnly)))
	}
	all := func() bool {
		taken := to.taken()
		for n := range callers {
			if taken[fmt.Sprintf("CALL#k%d/OVERDUE#1", n)] == 0 || taken[fmt.Sprintf("CALL#k%d/OVERDUE#2", n)] == 0 {
				return false
			}
		}
		return true
	}
	for range kills {
		servers <- server
		_ = server.Wait()
		server, _ = start()
	}
	eventually(t, all)
	_ = server.Process.Kill()
	_ = server.Wait()
	repeated := 0
	for id, times := range to.taken() {
		if strings.Contains(id, "OVERDUE") {
			repeated += times - 1
		}
	}
	if repeated > kills*alert.MaxBatch {
		t.Errorf("%d reminders came again after %d kills, want %d at most", repeated, kills, kills*alert.MaxBatch)
	}
}
