package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/words"
)

// defaultClaim is how long a claim lasts.
const defaultClaim = 30 * time.Minute

func newClaim() *cobra.Command {
	var a actFlags
	c := a.command("claim PHONE", followup.ActClaim, "Say that somebody takes care of a caller who waits",
		`claim says that you take care of a caller who waits to be called back. Until the
claim ends, nobody is reminded of the caller. Whoever tries to call back claims
the caller without this command. A claim closes nothing: a conversation does, or
"ringback done".`,
		`  ringback claim "+1 415 555 0120" --by Jordan
  ringback claim 4155550120 --by Jordan --for 2h --stack ringback`)
	c.Flags().DurationVar(&a.lasts, "for", defaultClaim, "how long")
	return c
}

func newUnclaim() *cobra.Command {
	var a actFlags
	return a.command("unclaim PHONE", followup.ActUnclaim, "Give a claim up",
		`unclaim ends the claim of a caller, whoever has it.`, `  ringback unclaim "+1 415 555 0120" --by Jordan`)
}

func newDone() *cobra.Command {
	var a actFlags
	c := a.command("done PHONE", followup.ActDone, "Say that nobody needs to call a caller back",
		`done ends the wait of a caller, as of now. It is for what ringback cannot know:
that you have talked on another telephone, or that it was a wrong number. A
later call of theirs that nobody serves lets them wait again.`,
		`  ringback done "+1 415 555 0120" --by Jordan --why "talked on my mobile"`)
	c.Flags().StringVar(&a.why, "why", "", "what happened; always needed")
	return c
}

func newSnooze() *cobra.Command {
	var a actFlags
	c := a.command("snooze PHONE", followup.ActSnooze, "Remind nobody of a caller for some time",
		`snooze keeps a caller on the list, and reminds nobody until a time. If they call
again, it ends. A time without a date is the next such time in the zone that
"ringback waiting" tells times in.`,
		`  ringback snooze "+1 415 555 0120" --by Jordan --until 14:30
  ringback snooze "+1 415 555 0120" --by Jordan --until "2026-12-01 09:00"`)
	c.Flags().StringVar(&a.until, "until", "", "when: 14:30, \"2026-12-01 09:00\", or with a zone 2026-12-01T09:00:00Z; always needed")
	return c
}

// actFlags are the flags of a hand act.
type actFlags struct {
	place          lookFlags
	by, why, until string
	lasts          time.Duration
}

func (a *actFlags) command(use string, kind followup.ActKind, short, long, example string) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Long: long + `

PHONE is the caller's number, in any spelling. Of a voicemail whose caller
withheld the number, it is "call:" and the ID of the call.`,
		Example: example,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("give one telephone number, in quotes if it has blanks")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			r := local.Request{Caller: args[0], Kind: kind, By: strings.TrimSpace(cmp.Or(a.by, userName())), Why: strings.TrimSpace(a.why)}
			switch {
			case kind == followup.ActClaim && a.lasts <= 0:
				return errors.New("--for must be longer than nothing, such as 30m")
			case kind == followup.ActDone && r.Why == "":
				return errors.New("--why is empty: say what happened")
			case r.By == "":
				return errors.New("--by is missing: say who does it")
			}
			if kind == followup.ActSnooze { // refuse what is wrong in every zone before opening a table
				if _, err := readUntil(strings.TrimSpace(a.until), time.Now().Add(-26*time.Hour)); err != nil {
					return err
				}
			}
			o, err := a.place.open(c.Context())
			if err != nil {
				return explain(err)
			}
			did, err := a.perform(c.Context(), r, o)
			if err = errors.Join(err, o.close()); err != nil {
				return explain(err)
			}
			fmt.Fprintln(c.OutOrStdout(), did)
			return nil
		},
	}
	a.place.addPlace(c)
	c.Flags().StringVar(&a.by, "by", "", "who does it (default: your name on this machine)")
	return c
}

// perform has the running stack store an act, or stores it where no stack is running that
// could, and says what that did.
func (a *actFlags) perform(ctx context.Context, r local.Request, o opened) (did string, err error) {
	now := time.Now().In(o.zone)
	switch r.Kind {
	case followup.ActClaim:
		r.Until = now.Add(a.lasts)
	case followup.ActSnooze:
		if r.Until, err = readUntil(strings.TrimSpace(a.until), now); err != nil {
			return "", err
		}
	default:
	}
	if n := o.numbers.Canonical(r.Caller); n != "" && !followup.IsCallSubject(r.Caller) {
		r.Caller = n // by --default-country, whatever the country of a running stack
	}
	before, err := ledger.Outcome{}, local.ErrNotRunning
	if a.place.table.stack == "" {
		before, err = local.Ask(ctx, a.place.table.data, r)
	}
	if errors.Is(err, local.ErrNotRunning) {
		before, err = r.Perform(ctx, o.retention.Store(o.store), o.numbers, now)
	}
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return "", fmt.Errorf("%w: check the number, or give its country code", err)
	case err != nil:
		return "", err
	}
	say := words.Words{Zone: o.zone, Now: time.Now}
	party := lookup.Party{Key: before.Caller, Text: before.Text, Withheld: before.Withheld}
	if !followup.IsCallSubject(party.Key) {
		party.Shown = phone.Book{}.Show(party.Key)
	}
	return say.Did(followup.Act{Kind: r.Kind, By: r.By, Until: r.Until}, words.Who(party), before), nil
}

// readUntil reads a time that is still to come.
func readUntil(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", "15:04"} {
		at, err := time.ParseInLocation(layout, text, now.Location())
		if err != nil {
			continue
		}
		if layout == "15:04" {
			day := now
			for at = onDay(day, at); !at.After(now); at = onDay(day, at) {
				day = day.AddDate(0, 0, 1)
			}
		}
		if !at.After(now) {
			return time.Time{}, fmt.Errorf("--until %s is past", text)
		}
		return at, nil
	}
	return time.Time{}, errors.New("--until is no time: write 14:30, or \"2026-12-01 09:00\"")
}

func onDay(day, clock time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), 0, 0, day.Location())
}

// userName returns the user's name on this machine, "" if there is none.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return cmp.Or(u.Name, u.Username)
}
