package main_test

import (
	"testing"
	"time"

	main "github.com/ringback/ringback/cmd/ringback"
)

// The samples' missed caller.
const sampleCaller = "+1 (415) 555-8765"

func TestHandActsOnARunningStack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data, "--demo")
	b.Stdout.Await(t, "Still serving")

	got := program.Run(t, "claim", sampleCaller, "--by", "Jordan", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "+1 415-555-8765 has waited since", "Jordan takes care until")
	got = program.Run(t, "done", sampleCaller, "--by", "Kim", "--why", "talked on my mobile", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "It is done.")

	got = program.Run(t, "claim", "+1 415 555 0199", "--by", "Jordan", "--data", data)
	got.Exits(t, 3)
	got.Complains(t, "nothing is known of that caller", "country code")
	got = program.Run(t, "claim", "Jordan", "--by", "Jordan", "--data", data)
	got.Exits(t, 1)
	got.Complains(t, "no telephone number")
	b.Stop().Exits(t, 0)
}

func TestHandActsWhereNoStackRuns(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	got := program.Run(t, "claim", sampleCaller, "--by", "Jordan", "--data", data)
	got.Exits(t, 5)
	got.Complains(t, "ringback serve")
	b := serve(t, data, "--demo")
	b.Stdout.Await(t, "Still serving")
	b.Stop().Exits(t, 0)

	got = program.Run(t, "snooze", "415 555 8765", "--default-country", "US", "--by", "Jordan", "--until", "2099-01-01 09:00", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "Nobody is reminded until 1 Jan 2099 09:00")
	got = program.Run(t, "unclaim", sampleCaller, "--by", "Jordan", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "Nobody takes care now.")
	got = program.Run(t, "done", sampleCaller, "--by", "Kim", "--why", "wrong number", "--data", data)
	got.Exits(t, 0)

	// The next run of the stack applies them.
	b = serve(t, data, "--demo")
	b.Stdout.Await(t, "Still serving")
	got = program.Run(t, "claim", sampleCaller, "--by", "Jordan", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "does not wait: Kim said at", "This changes nothing.")
	b.Stop().Exits(t, 0)
}

func TestHandActsRefuseWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"claim"}, "one telephone number"},
		{[]string{"claim", "+14155550144", "now"}, "in quotes"},
		{[]string{"claim", "+14155550144", "--for", "-5m"}, "--for"},
		{[]string{"done", "+14155550144"}, "why"},
		{[]string{"snooze", "+14155550144"}, "until"},
		{[]string{"snooze", "+14155550144", "--until", "soon"}, "--until is no time"},
		{[]string{"snooze", "+14155550144", "--until", "2020-01-01 09:00"}, "past"},
	} {
		got := program.Run(t, tc.args...)
		got.Exits(t, 1)
		got.Complains(t, tc.says)
	}
}

func TestATimeWithoutADateIsTheNext(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.November, 28, 14, 0, 0, 0, berlin)
	for text, want := range map[string]time.Time{
		"14:30":                now.Add(30 * time.Minute),
		"14:00":                now.Add(24 * time.Hour),
		"09:00":                now.Add(19 * time.Hour),
		"2026-12-01 09:00":     time.Date(2026, time.December, 1, 9, 0, 0, 0, berlin),
		"2026-12-01T09:00:00Z": time.Date(2026, time.December, 1, 9, 0, 0, 0, time.UTC),
	} {
		if got, err := main.ReadUntil(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
}
