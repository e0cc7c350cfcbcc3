package words_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/words"
)

var now = time.Date(2026, time.March, 12, 16, 0, 0, 0, time.UTC)

func say() words.Words { return words.Words{Zone: time.UTC, Now: func() time.Time { return now }} }

func TestEveryStateIsSaid(t *testing.T) {
	t.Parallel()
	at := now.Add(-time.Hour)
	for _, tc := range []struct {
		is   lookup.FollowUp
		tone string
		says string
	}{
		{lookup.FollowUp{State: lookup.Waits}, "open", "Waits for a call back"},
		{lookup.FollowUp{State: lookup.Waits, ClaimedBy: "Kim", ClaimedUntil: now.Add(time.Hour)}, "taken", "Kim takes care until 17:00"},
		{lookup.FollowUp{State: lookup.Waits, SnoozedUntil: now.Add(24 * time.Hour)}, "taken", "No reminders until Fri 16:00"},
		{lookup.FollowUp{State: lookup.Unreached}, "open", "Not reached, after several attempts"},
		{lookup.FollowUp{State: lookup.Returned, EndedAt: at, EndedBy: "Kim"}, "closed", "Called back at 15:00 by Kim"},
		{lookup.FollowUp{State: lookup.Rescued, EndedAt: at, EndedBy: "Kim"}, "closed", "Called again at 15:00, answered by Kim"},
		{lookup.FollowUp{State: lookup.Queue, EndedAt: at}, "closed", "Called back from the queue at 15:00"},
		{lookup.FollowUp{State: lookup.Done, EndedAt: at, EndedBy: "Kim", Why: "spam"}, "closed", "Marked as done at 15:00 by Kim"},
		{lookup.FollowUp{State: lookup.Answered, EndedBy: "Kim"}, "closed", "Answered by Kim"},
		{lookup.FollowUp{State: lookup.Blocked}, "closed", "The contact is blocked"},
		{lookup.FollowUp{State: lookup.History}, "quiet", "From before ringback began"},
		{lookup.FollowUp{State: lookup.Contact}, "closed", "In contact since"},
		{lookup.FollowUp{State: lookup.Outgoing}, "quiet", "It was our own call"},
		{lookup.FollowUp{State: lookup.Nobody}, "quiet", "Nobody to call back"},
		{lookup.FollowUp{State: lookup.NeverWaited}, "quiet", "Every call was served"},
		{lookup.FollowUp{}, "quiet", "Not known yet"},
	} {
		if got := say().Became(tc.is); got.Tone != tc.tone || got.Text != tc.says || got.More != tc.is.Why {
			t.Errorf("%s: %+v, want %s, %s", tc.is.State, got, tc.tone, tc.says)
		}
	}
}

func TestANoteSaysWhoTakesCareAndWhatTheCallerSaid(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]lookup.FollowUp{
		`Kim takes care until 17:00; tried 2 times; "Hello"`: {State: lookup.Waits, ClaimedBy: "Kim", ClaimedUntil: now.Add(time.Hour), Attempts: 2},
		`tried once; "Hello"`:                                {State: lookup.Waits, Attempts: 1},
		`"Hello"`:                                            {State: lookup.Waits, Outcome: events.Abandoned},
	} {
		if got := say().Note(f, lookup.Voicemail{Words: "Hello"}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := say().Note(lookup.FollowUp{State: lookup.Waits, Outcome: events.Abandoned}, lookup.Voicemail{}); got != "gave up" {
		t.Error(got)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for want, of := range map[string]lookup.Figures{
		"Nobody has begun to wait today.":                        {},
		"2 began to wait today: 1 still waiting, 1 not reached.": {Opened: 2, Waiting: 2, Unreached: 1},
		"9 began to wait today: 5 called back, 2 rang again, 1 ended otherwise, 1 still waiting. " +
			"Half talked within 11 min, 95% within 2 h 5 min; of 7, 5 within 15 min, 6 within 1 h, 7 the same day.": {
			Opened: 9, Returned: 5, Rescued: 2, Otherwise: 1, Waiting: 1, Talked: 7, Within15Min: 5, Within1Hour: 6, SameDay: 7,
			BusinessP50: 660, BusinessP95: 7500, WallP50: 90000, WallP95: 90000,
		},
	} {
		if got := words.Figures(of); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]lookup.Counts{
		"no call": {},
		"12 answered, 2 missed, 1 gave up, 1 voicemail, 3 outcome unknown": {Answered: 12, Missed: 2, Abandoned: 1, Voicemail: 1, Unknown: 3},
		"2 voicemails": {Voicemail: 2},
	} {
		if got := words.Counts(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Names in hand acts are anybody's who may write to the table.
func TestWhatAnActDoesIsSaidAsText(t *testing.T) {
	t.Parallel()
	evil := "Kim\x1b[31m\u202e"
	for kind, wants := range map[followup.ActKind]string{
		followup.ActClaim:   "takes care until 17:00. Until now it was Jo",
		followup.ActUnclaim: "Nobody takes care now.",
		followup.ActDone:    "It is done.",
		followup.ActSnooze:  "Nobody is reminded until 17:00, unless they call again.",
	} {
		act := followup.Act{Kind: kind, By: evil, Until: now.Add(time.Hour)}
		got := say().Did(act, "Ada", ledger.Outcome{Waits: true, Since: now.Add(-time.Hour), ClaimedBy: "Jo" + evil})
		if !strings.Contains(got, "Ada has waited since 15:00. ") || !strings.Contains(got, wants) || strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%s: %q", kind, got)
		}
		got = say().Did(act, "Ada", ledger.Outcome{By: evil, At: now, Reason: followup.ByHand})
		says := "This changes nothing."
		if kind == followup.ActDone { // the caller's page has the new reason
			says = "Nobody needs to call back."
		}
		if !strings.Contains(got, "Ada does not wait: Kim") || !strings.HasSuffix(got, ". "+says) || strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%s: %q", kind, got)
		}
	}
}
