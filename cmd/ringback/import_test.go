package main_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/justcalltest"
)

func TestImportShowsWhatItWillDoAndThenDoesIt(t *testing.T) {
	t.Parallel()
	s, account := justCall(t)
	for i, typ := range []string{"Missed", "answered", "Missed", "Missed"} {
		s.AddCall(justcalltest.Call{
			SID: "CA" + string(rune('1'+i)), Contact: "+12125550123", Line: "+12125550199", Type: typ, Length: time.Minute,
			Start: time.Now().Add(time.Duration(i-3)*40*24*time.Hour - time.Hour),
		})
	}
	s.AddContact(justcalltest.OwnerID+1, "Robin Sample", "+12125550123", "+12125550124")
	local, _, b := serving(t)
	args := slices.Concat([]string{"import"}, local[:2], account)
	locked := program.Run(t, args...)
	locked.Exits(t, 1)
	locked.Complains(t, "Stop the \"ringback serve\"")
	b.Stop()

	dry := program.Run(t, append(args, "--dry-run")...)
	dry.Exits(t, 0)
	dry.Says(t, "contacts", "2 in JustCall", "calls", "4 in JustCall, at most 1 request", "4 requests: about 1 minute", "reminders of those who still wait come when they are due", "nothing was changed")
	s.Change(func() { s.Now = func() time.Time { return time.Now().Add(24 * time.Hour) } })
	program.Run(t, append(args, "--dry-run")...).Says(t, "Clock: this machine's is 24h0m0s behind JustCall's")
	s.Change(func() { s.Now = time.Now })
	asks := program.Run(t, args...)
	asks.Exits(t, 1)
	asks.Complains(t, "--yes")
	got := program.Run(t, append(args, "--yes")...)
	got.Exits(t, 0)
	got.Says(t, "contacts: 2 read, 2 written", "calls: 4 read, 3 written", "address book: 2 read", "who waits: 3 read, 1 written")
	store := openStore(t, local[1])
	if timers := timersIn(t, store); !slices.Equal(timers, []string{"+12125550123"}) { // who called an hour ago
		t.Errorf("timers of %q", timers)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again := program.Run(t, append(args, "--yes", "--since", "24h")...)
	again.Exits(t, 0)
	again.Says(t, "calls: 4 read, 0 written")
	call := program.Run(t, slices.Concat([]string{"call", "CA2"}, local[:2])...)
	call.Exits(t, 0)
	call.Says(t, "call.completed")

	for _, since := range []string{"90", "d", "0d", "-3d", "3w", "1.5d", "99999999999d", ""} {
		wrong := program.Run(t, append(args, "--since", since)...)
		wrong.Exits(t, 1)
		wrong.Complains(t, "--since is not")
	}
	got.Hides(t, justcalltest.Key)
	got.Hides(t, justcalltest.Secret)
}
