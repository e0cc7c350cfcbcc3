package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

func TestPromise12_WhatTheWebhookLostIsFoundOnce(t *testing.T) {
	t.Parallel()
	const ago = 20 * time.Minute
	for _, tc := range []struct {
		name string
		// play stores what the webhook told, and fills the book.
		play  func(w *world)
		found int
		want  string // the caller's follow-up
		net   int    // alerts that stand
	}{
		{"nothing lost", func(w *world) {
			w.hookOf(events.TypeCallMissed, w.call(ago, "Missed"))
		}, 0, "waiting 1", 1},
		{"a missed call", func(w *world) { w.call(ago, "missed") }, 1, "waiting 1", 1},
		{"a voicemail", func(w *world) { w.call(ago, "Voicemail") }, 1, "waiting 1", 1},
		{"a caller who gave up", func(w *world) { w.call(ago, "Abandoned before ringing") }, 1, "waiting 1", 1},
		{"a call that was answered", func(w *world) { w.call(ago, "answered") }, 1, "rescued", 0},
		{"a call back", func(w *world) {
			w.hookOf(events.TypeCallMissed, w.call(2*ago, "Missed"))
			w.call(ago, "answered", outgoing)
		}, 1, "returned", 0},
		{"an answer after another phone rang in vain", func(w *world) {
			row := w.call(ago, "Missed")
			w.hookOf(events.TypeCallMissed, row)
			row["call_info"].(justcalltest.Row)["type"] = "answered"
		}, 1, "rescued", 0},
		{"a text", func(w *world) {
			w.hookOf(events.TypeCallMissed, w.call(2*ago, "Missed"))
			w.AddText(justcalltest.Text{Contact: caller, Line: line, Direction: "Outgoing", Body: "hello", At: w.now.Add(-ago)})
		}, 1, "waiting 1", 1},
		{"a text that was deleted since", func(w *world) {
			w.AddText(justcalltest.Text{Contact: caller, Line: line, Direction: "Outgoing", Body: "hello", At: w.now.Add(-ago)})
			w.Texts[0]["is_deleted"] = true
		}, 0, "", 0},
		{"a text that is known", func(w *world) {
			w.AddText(justcalltest.Text{Contact: caller, Line: line, Body: "hello", At: w.now.Add(-ago)})
			w.hookOf(events.TypeSMSReceived, w.Texts[0])
		}, 0, "new", 0},
		{"a webhook with an id alone", func(w *world) {
			row := w.call(ago, "Missed")
			w.hook(fmt.Sprintf(`{"type":"call.missed","data":{"id":%d,"contact_number":"12125550123","justcall_number":"12125550199",
				"call_date":%q,"call_time":%q,"call_info":{"type":"Missed","direction":"Incoming"}}}`, row["id"], row["call_date"], row["call_time"]))
		}, 0, "waiting 1", 1},
		{"a webhook of format A, when the phone had stopped ringing", func(w *world) {
			w.call(ago, "Missed")
			w.hook(formatA(w, ago-35*time.Second, "+12125550199"))
		}, 0, "waiting 1", 1},
		{"a webhook of format A that says less", func(w *world) {
			w.call(ago, "answered")
			w.hook(formatA(w, ago, "+12125550199"))
		}, 1, "rescued", 0},
		{"a webhook of format A of another line", func(w *world) {
			w.call(ago, "Missed")
			w.hook(formatA(w, ago, "+12125550198"))
		}, 1, "waiting 2", 2},
		{"a webhook of format A of a call before", func(w *world) {
			w.call(ago, "Missed")
			w.hook(formatA(w, ago+time.Minute, "+12125550199"))
		}, 1, "waiting 2", 2},
		{"an id that the sales dialer has, too", func(w *world) {
			row := w.call(ago, "Missed")
			delete(row, "call_sid")
			w.hook(fmt.Sprintf(`{"type":"sd.call_completed","data":{"call_id":%d,"contact_number":"12125550124","call_date":%q,"call_time":%q,
				"call_info":{"type":"Outgoing human answered","direction":"Outgoing"}}}`, row["id"], row["call_date"], row["call_time"]))
		}, 1, "waiting 1", 1},
		{"a row without call_sid", func(w *world) { delete(w.call(ago, "Missed"), "call_sid") }, 1, "waiting 1", 1},
		{"a row without any id", func(w *world) {
			row := w.call(ago, "Missed")
			delete(row, "call_sid")
			delete(row, "id")
		}, 1, "waiting 1", 1},
		{"a time of three digits, and numbers that are none", func(w *world) {
			w.Odd, w.now = true, time.Date(2026, 11, 25, 17, 5, 9, 0, time.UTC)
			row := w.call(3*time.Minute+40*time.Second, "Missed")
			row["call_time"], row["contact_number"], row["justcall_number"] = "17:1:29", 12125550123, 12125550199
		}, 1, "waiting 1", 1},
		{"rows that are none", func(w *world) {
			w.Odd = true
			w.call(ago, "Missed")
			w.Calls = append(w.Calls, justcalltest.Row{}, justcalltest.Row{"id": 68_999_999, "call_info": nil})
		}, 1, "waiting 1", 1},
		{"another account's dialect", func(w *world) { w.call(ago, "Blocked") }, 1, "new", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.play(w)
			if got := w.reconcile(); got.Found != tc.found {
				t.Errorf("found %d, want %d: %v\n%s", got.Found, tc.found, w.sent, w.log.String())
			}
			for range 2 {
				w.pass(reconcile.Every)
				if got := w.reconcile(); got.Found != 0 && !strings.Contains(tc.name, "any id") {
					t.Errorf("found %d again: %v", got.Found, w.sent)
				}
			}
			if got := w.follow(caller); got != tc.want {
				t.Errorf("the caller: %q, want %q", got, tc.want)
			}
			if len(w.net) != tc.net {
				t.Errorf("alerts %v, want %d", w.net, tc.net)
			}
			for id, n := range w.ever {
				if n != 1 {
					t.Errorf("%s was alerted %d times", id, n)
				}
			}
		})
	}
}

// Whatever a row has instead of what is documented, its caller is found once, and told of once.
func TestAMissedCallIsFoundHoweverItsRowIsWritten(t *testing.T) {
	t.Parallel()
	member := func(name string, value any) func(justcalltest.Row) {
		return func(r justcalltest.Row) { r[name] = value }
	}
	info := func(name string, value any) func(justcalltest.Row) {
		return func(r justcalltest.Row) { r["call_info"].(justcalltest.Row)[name] = value }
	}
	for name, change := range map[string]func(justcalltest.Row){
		"sid, number":     member("call_sid", 12345),
		"sid, blank":      member("call_sid", " "),
		"sid, with blank": member("call_sid", " CA1 "),
		"id, text":        member("id", "68000123"),
		"id, fraction":    member("id", 6.8000123e7),
		"id, zero":        member("id", 0),
		"id, negative":    member("id", -5),
		"id, null":        member("id", nil),
		"id, word":        member("id", "abc"),
		"time, short":     member("call_time", "16:55"),
		"time, 8:5:3":     member("call_time", "16:55:3"),
		"time, fraction":  member("call_time", "16:55:00.000"),
		"time, blanks":    member("call_time", " 16:55:00 "),
		"time, PM":        member("call_time", "4:55:00 PM"),
		"time, null":      member("call_time", nil),
		"date, slashes":   member("call_date", "2026/11/25"),
		"date, all":       member("call_date", "2026-11-25T16:55:00Z"),
		"date, zeros":     member("call_date", "0000-00-00"),
		"number, number":  member("contact_number", 12125550123),
		"number, pretty":  member("contact_number", "+1 (212) 555-0123"),
		"line, null":      member("justcall_number", nil),
		"info, text":      member("call_info", "Missed"),
		"direction":       info("direction", "inbound"),
		"direction, none": info("direction", nil),
		"type, upper":     info("type", "MISSED"),
		"type, long":      info("type", "Missed Call"),
		"type, carrier's": info("type", "no-answer"),
		"length, text":    member("call_duration", "40"),
		"length, clock":   member("call_duration", justcalltest.Row{"total_duration": "00:00:40"}),
		"length, less":    member("call_duration", justcalltest.Row{"total_duration": -40}),
		"length, years":   member("call_duration", justcalltest.Row{"total_duration": 1e12}),
		"another data":    member("data", justcalltest.Row{"call_sid": "CA2"}),
		"another type":    member("type", "call.answered"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Odd = true
			w.hookOf(events.TypeCallCompleted, w.call(40*time.Minute, "answered", from("+12125550177")))
			w.reconcile()
			w.pass(reconcile.Every)
			change(w.call(20*time.Minute, "Missed"))
			for run, want := range []int{1, 0, 0} {
				if got := w.reconcile(); got.Found != want {
					t.Errorf("run %d: found %d, want %d\n%s", run, got.Found, want, w.log.String())
				}
				w.pass(reconcile.Every)
			}
			if got := w.follow(caller); got != "waiting 1" || len(w.ever) != 1 {
				t.Errorf("%q, alerts %v", got, w.ever)
			}
		})
	}
}

// formatA is an event of format A so long ago. Its ids are none of the API's.
func formatA(w *world, ago time.Duration, to string) string {
	return fmt.Sprintf(`{"event":"call.missed","timestamp":%q,"data":{"call_id":"call_1d4e","direction":"inbound","from":%q,"to":%q,"status":"missed"}}`,
		w.now.Add(-ago).Format(time.RFC3339), caller, to)
}

func TestPromise12_WhatIsNotOverWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallMissed, w.call(30*time.Minute, "Missed"))
	w.call(10*time.Minute, "answered", outgoing, func(c *justcalltest.Call) { c.Length = 50 * time.Minute }) // under way
	w.call(2*time.Minute, "Missed")                                                                          // its webhook may be on its way
	if got := w.reconcile(); got.Found != 0 || got.Waiting != 2 {
		t.Errorf("found %d, %d wait; want 0 and 2", got.Found, got.Waiting)
	}
	w.pass(reconcile.Every)
	if got := w.reconcile(); got.Found != 1 || got.Waiting != 1 || w.follow(caller) != "waiting 2" {
		t.Errorf("found %d, %d wait, %s; want 1, 1, waiting 2", got.Found, got.Waiting, w.follow(caller))
	}
	for minute := range 30 {
		if minute == 15 {
			w.reconcile() // of newer calls, none waits
		}
		w.call(time.Minute, "answered", func(c *justcalltest.Call) { c.Contact = "+12125550124" })
		w.hookOf(events.TypeCallCompleted, w.Calls[len(w.Calls)-1])
		w.pass(time.Minute)
	}
	w.pass(reconcile.Every)
	if w.reconcile(); w.follow(caller) != "returned" {
		t.Errorf("the long call was not found: %s\n%s", w.follow(caller), w.log.String())
	}
}

// Whoever rang in vain is put in at once. So is then a call back that has just ended, though
// its webhook may still come: until the next run, people would be told that they have not
// called back.
func TestPromise12_WhoWasJustCalledBackIsNotFoundWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered", from("+12125550177")))
	w.reconcile()
	w.pass(day) // the walk over what is new and that over the day before see the same rows
	withheld := from("")
	w.call(30*time.Minute, "Missed")
	w.call(30*time.Minute, "Missed", withheld)
	w.call(2*time.Minute, "answered", outgoing)
	w.call(2*time.Minute, "answered", outgoing, from("+12125550124")) // its webhook may be on its way
	w.call(2*time.Minute, "answered", withheld)                       // whoever that was
	if got := w.reconcile(); got.Found != 3 || w.follow(caller) != "returned" || w.follow("+12125550124") != "" {
		t.Errorf("found %d, want 3; %q, want returned; %q", got.Found, w.follow(caller), w.follow("+12125550124"))
	}
	if len(w.sent) != 3 || w.sent[0].last || !w.sent[1].last || !w.sent[2].last {
		t.Errorf("sent %v, want the call back first", w.sent)
	}
	w.says("list looked at", `"list":"CALLS"`, `"part":"day"`)
	w.pass(reconcile.Every)
	if got := w.reconcile(); got.Found != 2 {
		t.Errorf("found %d, want the two other calls alone", got.Found)
	}
}

// An answer that cannot be put in is not found, and neither is who waits for it.
func TestACallBackThatCannotBePutInIsNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call(30*time.Minute, "Missed")
	w.call(2*time.Minute, "answered", outgoing)
	w.sendTo(func(context.Context, received, bool) error { return errors.New("no queue") })
	report, err := w.run.Run(t.Context())
	if err == nil || report.Found != 1 { // the missed call, which stands there to be put in
		t.Errorf("found %d, %v", report.Found, err)
	}
}

// The texts of a day may be many. No call waits until all are looked at.
func TestPromise12_ADaysTextsKeepNoCallWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limit()
		w.MaxPerPage = 4
		w.setClock(time.Now)
		w.process = func(_ context.Context, items []table.Item) []error { return make([]error, len(items)) }
		text := func(ago time.Duration) {
			w.AddText(justcalltest.Text{Contact: caller, Line: line, Direction: "Outgoing", Body: "hello", At: time.Now().Add(-ago)})
			w.hookOf(events.TypeSMSSent, w.Texts[len(w.Texts)-1])
		}
		text(20 * time.Minute)
		w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
		w.reconcile()
		time.Sleep(13 * time.Hour)
		for i := range 200 {
			text(10*time.Hour - time.Duration(i)*3*time.Minute)
		}
		w.reconcile()
		time.Sleep(day)
		text(20 * time.Minute)
		w.call(30*time.Minute, "Missed")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if got, err := w.run.Run(ctx); err != nil || got.Found != 1 || len(w.sent) != 1 {
			t.Errorf("found %d, sent %d, %v; want the call", got.Found, len(w.sent), err)
		}
	})
}

// A row may say for ever that its call is under way.
func TestPromise12_ACallThatNeverEndsIsPutInAsItIs(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(justcalltest.Row){
		"long ago": func(justcalltest.Row) {},
		"no time":  func(r justcalltest.Row) { delete(r, "call_date") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered", from("+12125550124")))
			w.reconcile()
			change(w.call(0, "Missed", func(c *justcalltest.Call) { c.Length = 9 * day }))
			found := 0
			for range 20 {
				w.pass(reconcile.Every)
				found += w.reconcile().Found
			}
			if found != 1 || w.follow(caller) != "new" || len(w.ever) != 0 {
				t.Errorf("found %d times, %q, alerts %v; want one that is listed", found, w.follow(caller), w.ever)
			}
		})
	}
}

// Runs may overlap.
func TestTwoRunsAtATimePutNothingInTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(40*time.Minute, "answered", from("+12125550177")))
	w.reconcile()
	w.pass(reconcile.Every)
	w.call(30*time.Minute, "Missed")
	w.call(20*time.Minute, "answered", outgoing, from("+12125550111"))
	outer, inner := w.run, sync.Once{}
	w.sendTo(func(ctx context.Context, c received, last bool) error {
		inner.Do(func() {
			if _, err := outer.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		return w.Send(ctx, c, last)
	})
	if _, err := w.run.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("error %v, want that another run is under way", err)
	}
	w.run = outer
	if got := w.reconcile(); got.Found != 0 || w.follow(caller) != "waiting 1" || len(w.ever) != 1 {
		t.Errorf("found %d again, %q, alerts %v", got.Found, w.follow(caller), w.ever)
	}
}

// An erased call stays erased.
func TestPromise12_WhatWasErasedIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	row := w.call(20*time.Minute, "Missed")
	sid := row["call_sid"].(string)
	_, err := w.store.Put(t.Context(), table.Item{
		table.PK: attr.String(table.CallPartition(sid)), table.SK: attr.String("EVENT#2026-11-25T16:40:00.000Z#call.missed#0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.reconcile(); got.Found != 0 {
		t.Errorf("found %d", got.Found)
	}
}

func TestPromise12_AWalkEndsWhereEventsAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	w.run.Retention = 2
	w.reconcile()
	w.pass(5 * 24 * time.Hour) // without a run
	w.call(4*24*time.Hour, "Missed")
	w.call(24*time.Hour, "Missed")
	if got := w.reconcile(); got.Found != 1 || got.TooOld != 0 {
		t.Errorf("found %+v, want the one of the last two days", got)
	}
}

// A run that ends before all is looked at loses nothing, and the next ones go on.
func TestPromise12_SendingFailsAndComesAgain(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(w *world){
		"of somebody who may wait": func(w *world) { w.call(20*time.Minute, "Missed") },
		"of nobody who does":       func(w *world) { w.call(20*time.Minute, "answered", outgoing) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			play(w)
			w.sinkErr = errors.New("the queue is down")
			if _, err := w.run.Run(t.Context()); !errors.Is(err, w.sinkErr) {
				t.Fatalf("error %v, want %v", err, w.sinkErr)
			}
			w.sinkErr = nil
			w.pass(time.Hour)
			if got := w.reconcile(); got.Found != 1 {
				t.Errorf("found %d, want 1", got.Found)
			}
		})
	}
}

// A missed call that is stored before the call that returned it would be overdue.
func TestPromise12_WhoMayWaitComesLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reconcile()
	for i := range 250 {
		number := func(c *justcalltest.Call) { c.Contact = fmt.Sprintf("+1212555%04d", 100+i/2) }
		typ, change := "Missed", func(*justcalltest.Call) {}
		if i%2 == 1 {
			typ, change = "answered", outgoing
		}
		w.call(0, typ, number, change)
		w.pass(time.Minute)
	}
	w.pass(reconcile.Every)
	if got := w.reconcile(); got.Found != 250 {
		t.Fatalf("found %d, want 250", got.Found)
	}
	last := false
	for _, s := range w.sent {
		if last && !s.last {
			t.Fatalf("%s came after a call whose caller may wait", s.key)
		}
		last = s.last
	}
	if !last {
		t.Error("nothing was sent last")
	}
}

func TestPromise12_AQuietAccountCostsTwelveRequestsAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	minutes := 4 // between two calls
	// In short, as many pages of fewer rows.
	if testing.Short() {
		minutes, w.MaxPerPage = 15, 25
	}
	w.reconcile()
	before, minute := w.Requests(), 0
	for range 24 * 4 {
		for range 15 {
			w.pass(time.Minute)
			if minute++; minute%minutes == 0 {
				row := w.call(5*time.Minute, "answered")
				w.hookOf(events.TypeCallCompleted, row)
			}
			if minute%(3*minutes) == 0 {
				w.AddText(justcalltest.Text{Contact: caller, Line: line, Body: "hello", At: w.now})
				w.hookOf(events.TypeSMSReceived, w.Texts[len(w.Texts)-1])
			}
		}
		if got := w.reconcile(); got.Found != 0 {
			t.Fatalf("found %d", got.Found)
		}
	}
	// The calls of yesterday, and those of today, are compared once.
	const look = 5
	if got := w.Requests() - before; got > 24*12+look {
		t.Errorf("%d requests a day, want at most %d", got, 24*12+look)
	}
	w.says("day compared", `"listed":`, `"missing":0`, `"residual":0`)
}

// Every tenth delivery is dropped.
func TestPromise12_WhatALossyWebhookDropsIsFoundWithinTwentyMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reconcile()
	lost := make(map[string]time.Time) // when the call ended
	for minute := range 180 {
		row := w.call(time.Minute, "Missed", func(c *justcalltest.Call) { c.Contact = fmt.Sprintf("+1212555%04d", minute) })
		if minute%10 == 3 {
			lost[table.CallPartition(row["call_sid"].(string))] = w.now
		} else {
			w.hookOf(events.TypeCallMissed, row)
		}
		w.pass(time.Minute)
		if minute%15 != 0 {
			continue
		}
		w.reconcile()
		for _, s := range w.sent {
			if late := w.now.Sub(lost[s.key]); late > 20*time.Minute {
				t.Errorf("found after %v", late)
			}
			delete(lost, s.key)
		}
		w.sent = nil
	}
	for key, ended := range lost {
		if late := w.now.Sub(ended); late > 20*time.Minute {
			t.Errorf("%s was not found after %v", key, late)
		}
	}
}

func TestPromise12_AnAPIThatIsDownLosesNothing(t *testing.T) {
	t.Parallel()
	const html = "<html>We will be back soon</html>"
	hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, with := range map[string]http.Handler{
		"HTML":           justcalltest.Respond(http.StatusBadGateway, html),
		"HTML, refused":  justcalltest.Respond(http.StatusForbidden, html),
		"HTML, OK":       justcalltest.Respond(http.StatusOK, html),
		"no rows":        nil,
		"nothing":        justcalltest.Respond(http.StatusOK, ""),
		"no content":     justcalltest.Respond(http.StatusNoContent, ""),
		"half an object": justcalltest.Respond(http.StatusOK, `{"status":"success","data":[{"id":1`),
		"null":           justcalltest.Respond(http.StatusOK, "null"),
		"no data":        justcalltest.Respond(http.StatusOK, "{}"),
		"another data":   justcalltest.Respond(http.StatusOK, `{"data":{}}`),
		"data, null":     justcalltest.Respond(http.StatusOK, `{"data":null}`),
		"moved":          http.RedirectHandler("/login", http.StatusFound),
		"wrong keys":     justcalltest.Respond(http.StatusUnauthorized, `{"status":"failed","message":"Unauthorized"}`),
		"a plan less":    justcalltest.Respond(http.StatusForbidden, `{"status":"error"}`),
		"limits spent":   justcalltest.Respond(http.StatusTooManyRequests, ""),
		"no response":    hangs,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.limit()
				w.setClock(time.Now)
				w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
				w.reconcile()
				book := w.Calls
				if with != nil {
					w.respond(with)
				}
				for hour := range 6 {
					time.Sleep(45 * time.Minute)
					book = append(book, w.call(0, "Missed", from(fmt.Sprintf("+1212555%04d", hour))))
					if with == nil {
						w.Calls = nil
					}
					before := w.Requests()
					ctx, cancel := context.WithTimeout(t.Context(), reconcile.Every-time.Minute)
					_, err := w.run.Run(ctx)
					cancel()
					if err == nil || strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), "HTTP status") > 1 || strings.Count(err.Error(), "JustCall: ") > 2 {
						t.Errorf("error %v, want one line that says one thing", err)
					}
					if name == "wrong keys" && w.Requests() != before+1 {
						t.Errorf("%d requests with wrong keys", w.Requests()-before)
					}
				}
				w.respond(nil)
				w.Calls = book
				time.Sleep(reconcile.Every)
				if got := w.reconcile(); got.Found != 6 {
					t.Errorf("found %d, want 6", got.Found)
				}
				time.Sleep(reconcile.Every)
				w.reconcile()
				if len(w.ever) != 6 || len(w.net) != 6 {
					t.Errorf("alerts %v, want 6", w.ever)
				}
			})
		})
	}
}

// A part of a list that cannot be read keeps nothing that is new from being told of.
func TestPromise12_APartOfAListThatIsRefusedKeepsNoOther(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]func(page string, walk int) bool{
		"what an earlier run had no time for": func(page string, _ int) bool { return page != "0" },
		"the day before":                      func(page string, walk int) bool { return page == "0" && walk > 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
			w.reconcile()
			w.pass(day)
			for i := range 120 {
				w.call(4*time.Hour-time.Duration(i)*time.Second, "answered", from(fmt.Sprintf("+1212555%04d", 200+i)))
			}
			run := func(want int) {
				t.Helper()
				walk := 0
				w.Before = func(r *http.Request) http.Handler {
					page := r.URL.Query().Get("page")
					if r.URL.Path != "/v2.1/calls" {
						return nil
					}
					if page == "0" {
						walk++
					}
					if refuses(page, walk) {
						return justcalltest.Respond(http.StatusForbidden, `{"status":"error"}`)
					}
					return nil
				}
				got, err := w.run.Run(t.Context())
				if err == nil || got.Found != want {
					t.Errorf("found %d, %v, want %d and an error", got.Found, err, want)
				}
				w.pass(reconcile.Every)
			}
			first := 120
			if refuses("1", 1) {
				first = 100
			}
			run(first)
			for i := range 2 {
				w.call(10*time.Minute, "Missed", from(fmt.Sprintf("+1212555%04d", i)))
				run(1)
			}
			if len(w.net) != 2 {
				t.Errorf("alerts %v, want 2", w.net)
			}
			w.respond(nil)
			if got := w.reconcile(); got.Found != 120-first || got.Behind {
				t.Errorf("%+v, want the other %d", got, 120-first)
			}
		})
	}
}

func TestPromise12_AnotherAccountsCallsStayOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Hooks = nil
	w.call(20*time.Minute, "Missed")
	if _, err := w.run.Run(t.Context()); !errors.Is(err, reconcile.ErrAccount) || len(w.sent) > 0 {
		t.Errorf("error %v, %v put in; want %v", err, w.sent, reconcile.ErrAccount)
	}
	// One of its calls is known.
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	if got := w.reconcile(); got.Found != 1 {
		t.Errorf("found %d, want 1", got.Found)
	}
	// From then on it is known, whatever else is.
	w.pass(24 * time.Hour)
	w.Calls = nil
	w.call(20*time.Minute, "Missed")
	if got := w.reconcile(); got.Found != 1 {
		t.Errorf("found %d, want 1", got.Found)
	}
	w.run.Account = "another"
	w.Calls = nil
	w.call(20*time.Minute, "Missed")
	if _, err := w.run.Run(t.Context()); !errors.Is(err, reconcile.ErrAccount) {
		t.Errorf("error %v, want %v", err, reconcile.ErrAccount)
	}
}

func TestPromise12_AWebhookThatIsNotActiveIsToldWithinOneRun(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(w *world)
		says   []string
		count  int
	}{
		{"all is well", func(*world) {}, nil, 0},
		{"removed", func(w *world) { w.Hooks = w.Hooks[1:] }, []string{"webhook not active", "call.missed", "missing", "ringback connect"}, 1},
		{"blacklisted", func(w *world) { w.Hooks[1].Status = justcall.WebhookBlacklisted }, []string{"webhook not active", "call.voicemail", "blacklisted"}, 1},
		{"warned", func(w *world) { w.Hooks[2].Status = justcall.WebhookWarning }, []string{"webhook not active", "call.answered", "warned"}, 1},
		{"an older version", func(w *world) { w.Hooks[3].Version = "1" }, []string{"webhook not active", "call.completed", "outdated"}, 1},
		{"a status that nobody knows", func(w *world) { w.Hooks[4].Status, w.Odd = "Paused", true }, []string{"webhook not active", "sms.sent", "unknown"}, 1},
		{"all are another's", func(w *world) {
			w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
			for i := range w.Hooks {
				w.Hooks[i].URL = "https://crm.example.com/hook"
			}
		}, []string{"webhook not active", "sms.received", "missing"}, 7},
		{"with a query", func(w *world) { w.Hooks[0].URL += "?from=a/b" }, nil, 0},
		{"as somebody typed it", func(w *world) { w.Hooks[0].URL = "HTTPS://Hooks.example.com:443/justcall/token/ " }, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.change(w)
			if got := w.reconcile(); got.Inactive != tc.count {
				t.Errorf("%d inactive, want %d", got.Inactive, tc.count)
			}
			if tc.says != nil {
				w.says(tc.says...)
			}
		})
	}
}

// papers are what people get.
type papers struct {
	fails bool
	got   []alert.Message
}

// Publish implements [alert.Publisher].
func (p *papers) Publish(_ context.Context, all []alert.Message) []error {
	if p.fails {
		return []error{errors.New("nobody is there")}
	}
	p.got = append(p.got, all...)
	return nil
}

func TestPromise12_PeopleAreToldOnceOfAWebhookThatIsNotActive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := &papers{fails: true}
	w.run.People = people
	seen := func() reconcile.Hooks {
		t.Helper()
		hooks, err := reconcile.LastHooks(t.Context(), w.store)
		if err != nil {
			t.Fatal(err)
		}
		return hooks
	}
	if w.reconcile(); len(seen().Unposted) > 0 {
		t.Errorf("seen %v, though all is well", seen())
	}
	w.Hooks[0].Status, w.Hooks[1].Status = justcall.WebhookBlacklisted, justcall.WebhookWarning
	w.reconcile()
	began := seen()
	if got := began.Unposted; len(got) != 2 || got[0].State != "blacklisted" || !began.Since.Equal(w.now) {
		t.Errorf("seen %+v", began)
	}
	people.fails = false
	for range 3 {
		w.pass(reconcile.Every)
		w.reconcile()
	}
	if len(people.got) != 1 {
		t.Fatalf("told %+v, want it once", people.got)
	}
	if people.got[0].Subject != "JustCall does not post as it should: call.missed and one more type of event" ||
		!strings.Contains(people.got[0].Email, "call.missed (blacklisted): JustCall has stopped posting") {
		t.Errorf("told %+v, want it once", people.got)
	}
	if want := "WEBHOOK#" + table.Time(began.Since); people.got[0].ID != want || !seen().Looked.Equal(w.now) {
		t.Errorf("%s, want %s, whoever was told first; looked %v", people.got[0].ID, want, seen().Looked)
	}
	status := func(status justcall.WebhookStatus) {
		t.Helper()
		w.pass(reconcile.Every)
		w.Hooks[0].Status = status
		w.reconcile()
	}
	w.Hooks[1].Status = justcall.WebhookActive
	for range 4 { // well now and then
		status(justcall.WebhookBlacklisted)
		status(justcall.WebhookActive)
	}
	if len(people.got) != 1 || len(seen().Unposted) > 0 {
		t.Errorf("told %d times, want once; seen %v", len(people.got), seen())
	}
	status(justcall.WebhookWarning) // it was another hook before
	w.pass(day)
	status(justcall.WebhookWarning)
	if len(people.got) != 2 || people.got[0].ID == people.got[1].ID {
		t.Errorf("told %d times, want another time of what is new", len(people.got))
	}
	status(justcall.WebhookActive)
	w.pass(day)
	if status(justcall.WebhookWarning); len(people.got) != 3 {
		t.Errorf("told %d times, want another time after a day", len(people.got))
	}
}

// What another account's webhooks are like is nobody's business.
func TestNobodyIsToldOfAnotherAccountsWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := new(papers)
	w.run.People = people
	w.Hooks = nil
	w.call(20*time.Minute, "answered")
	if _, err := w.run.Run(t.Context()); !errors.Is(err, reconcile.ErrAccount) || len(people.got) > 0 {
		t.Errorf("%v; told %v", err, people.got)
	}
}

// A row may appear a day late, below all that was looked at.
func TestPromise12_ADayIsComparedWithTheAccountsTotals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	w.reconcile()
	w.pass(2 * time.Hour)
	late := w.call(time.Hour, "Missed")
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	hidden := w.Calls
	w.Calls = []justcalltest.Row{w.Calls[0], w.Calls[2]}
	w.reconcile()
	w.Calls = hidden
	w.pass(reconcile.Every)
	if got := w.reconcile(); got.Found != 0 {
		t.Fatalf("found %d that lie below", got.Found)
	}
	w.pass(20 * time.Hour)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	if got := w.reconcile(); got.Found != 1 {
		t.Errorf("found %d, want the call of yesterday\n%s", got.Found, w.log.String())
	}
	w.says("row found", late["call_sid"].(string))
	w.says("day compared", `"first":"2026-11-25"`, `"last":"2026-11-25"`, `"listed":3`, `"missing":1`, `"counted":3`, `"residual":0`)
}

// A text is an attempt to call back, or an answer. It may appear late as well.
func TestPromise12_ADaysTextsAreLookedAtOnceMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := func(ago time.Duration) {
		w.AddText(justcalltest.Text{Contact: caller, Line: line, Direction: "Outgoing", Body: "hello", At: w.now.Add(-ago)})
	}
	text(20 * time.Minute)
	w.hookOf(events.TypeSMSSent, w.Texts[0])
	w.reconcile()
	w.pass(2 * time.Hour)
	text(time.Hour)
	text(20 * time.Minute)
	w.hookOf(events.TypeSMSSent, w.Texts[2])
	hidden := w.Texts
	w.Texts = []justcalltest.Row{w.Texts[0], w.Texts[2]}
	w.reconcile()
	w.Texts = hidden
	w.pass(20 * time.Hour)
	text(20 * time.Minute)
	w.hookOf(events.TypeSMSSent, w.Texts[3])
	if got := w.reconcile(); got.Found != 1 {
		t.Errorf("found %d, want the text of yesterday\n%s", got.Found, w.log.String())
	}
	w.says("day compared", `"list":"TEXTS"`, `"listed":3`, `"missing":1`)
}

// A list that looks as it did proves that it is read, by its newest row: that is known, or it
// is put in, however old it is.
func TestPromise12_AQuietListIsReadAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	row := w.call(20*time.Minute, "answered")
	w.hookOf(events.TypeCallCompleted, row)
	w.reconcile()
	w.says("list looked at", `"list":"CALLS"`, `"newest":"known"`)
	w.pass(5 * time.Hour)
	w.log.Reset()
	if got := w.reconcile(); got.Found != 0 {
		t.Errorf("found %d of what is known", got.Found)
	}
	w.says("list looked at", `"list":"CALLS"`, `"newest":"known"`)
	w.call(30*time.Minute, "Missed", from("+12125550124"))
	// What was put in got lost on its way to the table.
	w.sendTo(func(context.Context, received, bool) error { return nil })
	w.reconcile()
	w.pass(5 * time.Hour)
	w.log.Reset()
	w.newRun(w.client, w.lines.Logger(&w.log))
	if got := w.reconcile(); got.Found != 1 || w.follow("+12125550124") != "waiting 1" {
		t.Errorf("found %d, %q; want the newest call", got.Found, w.follow("+12125550124"))
	}
	w.says("list looked at", `"list":"CALLS"`, `"newest":"found"`)
	// That call is deleted in JustCall. Then the newest one is hours older than the mark.
	w.Calls = w.Calls[:1]
	w.log.Reset()
	w.reconcile()
	w.says("list looked at", `"list":"CALLS"`, `"newest":"known"`)
}

// Without the day by the account's clock, that of UTC has to do.
func TestADayIsComparedThoughRowsHaveNoLocalDate(t *testing.T) {
	t.Parallel()
	for _, date := range []any{nil, "25.11.2026"} {
		w := newWorld(t)
		w.Odd = true
		call := func(typ string, ago time.Duration) justcalltest.Row {
			row := w.call(ago, typ)
			row["call_user_date"] = date
			return row
		}
		w.hookOf(events.TypeCallCompleted, call("answered", 20*time.Minute))
		w.reconcile()
		w.pass(2 * time.Hour)
		lost := call("Missed", time.Hour)
		w.hookOf(events.TypeCallCompleted, call("answered", 20*time.Minute))
		all := w.Calls
		w.Calls = []justcalltest.Row{all[0], all[2]} // it appears late
		w.pass(time.Hour)
		w.reconcile()
		w.Calls = all
		w.pass(22 * time.Hour)
		w.hookOf(events.TypeCallCompleted, call("answered", 20*time.Minute))
		w.reconcile()
		w.says("row found", lost["call_sid"].(string))
	}
}

// The clock of one of the two is wrong, and is put right.
func TestPromise12_AClockThatIsADayOffLosesNothing(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Now = func() time.Time { return w.now.Add(off) }
			add := func(n int) {
				for i, ago := range []time.Duration{20 * time.Minute, 4 * time.Minute} {
					w.call(ago, "Missed", func(c *justcalltest.Call) { c.Contact = fmt.Sprintf("+1212555%04d", 2*n+i) })
				}
			}
			w.hookOf(events.TypeCallCompleted, w.call(21*time.Minute, "answered"))
			w.reconcile()
			w.says("clock", "aheadSeconds")
			found := 0
			for n := range 8 {
				w.pass(reconcile.Every)
				if n == 4 {
					off = 0
				}
				add(n)
				found += w.reconcile().Found
			}
			w.pass(reconcile.Every)
			if found += w.reconcile().Found; found != 16 {
				t.Errorf("found %d, want 16\n%s", found, w.log.String())
			}
			for id, n := range w.ever {
				if n != 1 {
					t.Errorf("%s was alerted %d times", id, n)
				}
			}
		})
	}
}

// After a time without the API, older calls open follow-ups and alert nobody.
func TestPromise12_WhatIsFoundLateIsNotAlerted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	w.reconcile()
	w.pass(9 * 24 * time.Hour)
	for i, age := range []time.Duration{8 * day, 6 * day, 2 * day, 23 * time.Hour} {
		w.call(age, "Missed", func(c *justcalltest.Call) { c.Contact = fmt.Sprintf("+1212555%04d", 110+i) })
	}
	got := w.reconcile()
	if diff := cmp.Diff(reconcile.Report{Found: 3, TooOld: 2}, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if w.follow("+12125550110") != "" || w.follow("+12125550111") != "waiting 1" || w.follow("+12125550113") != "waiting 1" || len(w.net) != 1 {
		t.Errorf("alerts %v", w.net)
	}
	w.says("row found", `"tooOldToAlert":true`)
}

// What JustCall and the table fail at are two things, though both took too long.
func TestAnErrorSaysOfBothWhatTookTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	w.reconcile()
	store := w.store
	w.store = slow{store}
	w.newRun(w.client, w.lines.Logger())
	_, err := w.run.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "TEXTS") || !strings.Contains(err.Error(), "CALLS") {
		t.Errorf("error %v, want one that says both", err)
	}
}

// slow is a table in which nothing can be kept in time.
type slow struct{ table.Store }

func (slow) Update(_ context.Context, item table.Item, _ int64) (bool, error) {
	return false, fmt.Errorf("%s: %w", table.KeyOf(item).SK, context.DeadlineExceeded)
}

// Whoever asks whether lost deliveries are looked for learns when they last were.
func TestTheLastRunIsTheLastThatGotToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func(want time.Time) {
		t.Helper()
		if got, err := reconcile.LastRun(t.Context(), w.store); err != nil || !got.Equal(want) {
			t.Errorf("last run %v, %v, want %v", got, err, want)
		}
	}
	check(time.Time{})
	w.call(20*time.Minute, "answered")
	w.reconcile()
	ran := w.Now()
	check(ran)
	w.pass(reconcile.Every)
	w.respond(justcalltest.Respond(http.StatusForbidden, "<html>Maintenance</html>"))
	if _, err := w.run.Run(t.Context()); err == nil {
		t.Error("no error")
	}
	check(ran)
}

// One row that can never be stored keeps none from being stored.
func TestPromise5_ARowThatIsTooLargeKeepsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(40*time.Minute, "answered", outgoing))
	w.reconcile()
	w.pass(reconcile.Every)
	w.call(21*time.Minute, "Missed", from("+12125550111"))
	large := w.call(20*time.Minute, "Missed", from("+12125550112"))
	w.call(20*time.Minute, "Missed", from("+12125550113"))
	w.sendTo(func(ctx context.Context, c received, last bool) error {
		if strings.Contains(string(c.Body), "2125550112") {
			return fmt.Errorf("a queue: %w", table.ErrTooLarge)
		}
		return w.Send(ctx, c, last)
	})
	w.reconcile()
	w.says("too large to store", large["call_sid"].(string))
	if len(w.net) != 2 {
		t.Errorf("alerts %v, want those of the two others", w.net)
	}
	count := func() int { return strings.Count(w.log.String(), "too large to store") }
	for range 4 {
		w.pass(reconcile.Every)
		w.reconcile()
	}
	if count() != 1 {
		t.Errorf("put in %d times, want once", count())
	}
	w.pass(4 * time.Hour) // what is not in the table by now was lost on its way
	if w.reconcile(); count() != 2 {
		t.Errorf("put in %d times, want twice", count())
	}
}

// The time of the newest row says where a walk ends.
func TestPromise5_ANewestRowWithAnImpossibleTimeKeepsNoOther(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"9999-12-31", "0000-00-00", "1970-01-01", "soon", ""} {
		t.Run(date, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.hookOf(events.TypeCallCompleted, w.call(40*time.Minute, "answered", outgoing))
			for range 3 {
				w.reconcile()
				w.pass(reconcile.Every)
				w.call(14*time.Minute, "Missed")
				w.call(13*time.Minute, "answered", from("+12125550111"))["call_date"] = date
			}
			w.reconcile()
			if got := w.follow(caller); got != "waiting 3" {
				t.Errorf("%q, want three calls found\n%s", got, w.log.String())
			}
		})
	}
}

// What is kept may be of another version of the program. Then no call is lost for it, and none
// is put in twice.
func TestWhatIsKeptOfRunsMayBeDamaged(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"CALLS", "TEXTS", "ACCOUNT"} {
		t.Run(list, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
			w.reconcile()
			w.pass(5 * day)
			w.call(3*day, "Missed")
			item, err := table.Get(t.Context(), w.store, table.ReconcileKey(list))
			if err != nil {
				t.Fatal(err)
			}
			was := table.VersionOf(item)
			if ok, err := w.store.Update(t.Context(), table.ReconcileItem(list, `{"mark":{"id":"x"`, was), was); !ok || err != nil {
				t.Fatal(ok, err)
			}
			for run, want := range []int{1, 0} {
				if got := w.reconcile(); got.Found != want {
					t.Errorf("run %d: found %d, want %d\n%s", run, got.Found, want, w.log.String())
				}
			}
		})
	}
}
