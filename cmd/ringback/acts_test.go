package main_test

import (
	"slices"
	"testing"
	"time"

	main "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/internal/proof/lookuptest"
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
	got = program.Run(t, "claim", "(415) 555-8765", "--default-country", "US", "--by", "Jordan", "--data", data)
	got.Exits(t, 0)
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
	got.Exits(t, 1)
	got.Complains(t, "too late: nobody is reminded of a caller who has waited for 7 days")
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

func TestAHandActSaysWhatIsKnownOfACallerWithoutANumber(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	at := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	lookuptest.New(t, store, time.Now()).Post(lookuptest.Missed("c1", "pat@example.com", at), lookuptest.Left("c2", "anonymous", at, "Guess who"))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for caller, want := range map[string]string{"call:c1": "pat@example.com has waited since", "call:c2": "Number withheld has waited since"} {
		got := program.Run(t, "claim", caller, "--by", "Jordan", "--data", data)
		got.Exits(t, 0)
		got.Says(t, want)
	}
}

// whereAdaWaits returns a data folder with one caller, who called an hour ago.
func whereAdaWaits(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	store := openStore(t, data)
	lookuptest.New(t, store, time.Now()).Post(lookuptest.Missed("c1", ada, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSnooze(t *testing.T) {
	t.Parallel()
	data := whereAdaWaits(t)
	until := time.Now().AddDate(0, 0, 3).Format(" 2006-01-02 09:00 ")
	got := program.Run(t, "snooze", "415 555 0120", "--default-country", "US", "--by", "Jordan", "--until", until, "--data", data)
	got.Exits(t, 0)
	got.Says(t, "Nobody is reminded until ", " 09:00, unless they call again")
}

// Times are read and told in one zone, whatever this machine's: that of the stack, unless another
// is asked for.
func TestHandActsKnowTheStacksZone(t *testing.T) {
	t.Parallel()
	data := whereAdaWaits(t)
	b := serve(t, data, "--time-zone", "Asia/Kathmandu")
	b.Stdout.Await(t, "Stop it with Ctrl-C")
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now().AddDate(0, 0, 2)
	noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, kathmandu)
	snooze := []string{"snooze", ada, "--by", "Jordan", "--data", data, "--until"}
	for _, test := range []struct {
		args []string
		says string
	}{
		{append(slices.Clone(snooze), noon.Format("2006-01-02 15:04")), "until " + noon.Format("Mon 15:04")},
		{append(slices.Clone(snooze), noon.UTC().Format(time.RFC3339)), "until " + noon.Format("Mon 15:04")},
		{append(slices.Clone(snooze), noon.UTC().Format("2006-01-02 15:04"), "--time-zone", "UTC"), "until " + noon.UTC().Format("Mon 15:04")},
	} {
		got := program.Run(t, test.args...)
		got.Exits(t, 0)
		got.Says(t, test.says)
	}
	waiting := program.Run(t, "waiting", "--data", data)
	waiting.Says(t, "+0545")
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
		{[]string{"done", "+14155550144", "--why", " "}, "--why is empty"},
		{[]string{"claim", "+14155550144", "--by", " "}, "--by is missing"},
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
