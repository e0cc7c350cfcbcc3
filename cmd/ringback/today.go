package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/words"
)

// spanFlags say which days are meant.
type spanFlags struct{ day, since string }

func (f *spanFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.day, "day", "", "the day, such as 2026-03-12 or yesterday (default: today)")
	c.Flags().StringVar(&f.since, "since", "", "all since then: a day, a time such as \"2026-03-12 14:00\", or how long ago, such as 3d or 36h")
	c.MarkFlagsMutuallyExclusive("day", "since")
	_ = c.RegisterFlagCompletionFunc("day", cobra.FixedCompletions([]string{"today", "yesterday"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
}

// span returns from when to when, in the look-up's zone.
func (f *spanFlags) span(o opened) (from, to time.Time, err error) {
	today := o.Today()
	next := func(day time.Time) time.Time { return day.AddDate(0, 0, 1) }
	switch {
	case f.since != "":
		ago, err := parseSince(f.since)
		if err != nil {
			ago, err = time.ParseDuration(f.since)
		}
		if err == nil && ago > 0 {
			return o.Now().Add(-ago).Truncate(time.Second), next(today), nil
		}
		for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.RFC3339} {
			if at, err := time.ParseInLocation(layout, f.since, today.Location()); err == nil {
				return at, next(today), nil
			}
		}
		return from, to, errors.New(`--since is no day, such as 2026-03-12, no time, such as "2026-03-12 14:00", and not how long ago, such as 3d or 36h`)
	case f.day == "", f.day == "today":
		return today, next(today), nil
	case f.day == "yesterday":
		return today.AddDate(0, 0, -1), today, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, f.day, today.Location())
	if err != nil {
		return from, to, errors.New("--day is no day, such as 2026-03-12 or yesterday")
	}
	return day, next(day), nil
}

func newToday() *cobra.Command {
	var flags lookFlags
	var pages pageFlags
	var days spanFlags
	var all bool
	c := &cobra.Command{
		Use:   "today",
		Short: "List a day's calls that nobody served, and what became of them",
		Long: `today lists the calls of a day that nobody served, the newest first, and what
became of each: whether the caller still waits, who called back, or that
somebody answered after all. Calls of which nobody knows how they ended are in
the list, too. With --all, so are those that somebody answered at once. A day is
one in the stack's time zone.`,
		Example: `  ringback today
  ringback today --all
  ringback today --day yesterday
  ringback today --since 36h --stack ringback`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			page, err := pages.page()
			if err != nil {
				return err
			}
			return flags.look(c, func(o opened, p printer) error {
				from, to, err := days.span(o)
				if err != nil {
					return err
				}
				return printDay(c.Context(), o, p, from, to, page, all)
			})
		},
	}
	flags.add(c, outputCSV)
	pages.add(c)
	days.add(c)
	c.Flags().BoolVarP(&all, "all", "a", false, "list the calls that somebody answered, too")
	return c
}

func printDay(ctx context.Context, o opened, p printer, from, to time.Time, page lookup.Page, all bool) error {
	find := o.Unserved
	if all {
		find = o.AllCalls
	}
	list, err := find(ctx, from, to, page)
	if err != nil {
		return err
	}
	tally, err := o.Tally(ctx, from, to)
	if err != nil {
		return err
	}
	type call = lookup.DayCall
	columns := []column[call]{
		{head: "TIME", name: "at", text: func(c call) string { return p.clockOf(c.At, to.Sub(from) > 36*time.Hour) }, value: func(c call) string { return stamp(c.At) }},
		{head: "CALLER", text: func(c call) string { return who(c.Caller) }, atLeast: 12},
		{head: "NUMBER", text: func(c call) string { return c.Caller.Shown }, atLeast: 16},
		{name: "caller", value: func(c call) string { return c.Caller.Key }},
		{name: "name", value: func(c call) string { return c.Caller.Name }},
		{name: "company", value: func(c call) string { return c.Caller.Company }},
		{head: "LINE", text: func(c call) string { return c.Line.Label() }, atLeast: 6, spare: true},
		{name: "line", value: func(c call) string { return c.Line.Number }},
		{name: "line_name", value: func(c call) string { return c.Line.Name }},
		{name: "call_id", value: func(c call) string { return c.ID }},
		{head: "OUTCOME", text: func(c call) string { return words.Outcome(c.Outcome) }, name: "outcome", value: func(c call) string { return string(c.Outcome) }},
		{head: "NOW", text: func(c call) string { return p.became(c).Text }, atLeast: 20},
		{name: "state", value: func(c call) string { return string(c.FollowUp.State) }},
		{name: "ended_at", value: func(c call) string { return stamp(c.FollowUp.EndedAt) }},
		{name: "ended_by", value: func(c call) string { return c.FollowUp.EndedBy }},
		{name: "claimed_by", value: func(c call) string { return c.FollowUp.ClaimedBy }},
		{name: "voicemail", value: func(c call) string { return c.Voicemail.Words }},
		{name: "recording_url", value: func(c call) string { return c.Voicemail.URL }},
	}
	if err := printRows(p, columns, list.Calls, struct {
		lookup.Calls
		lookup.Tally
	}{list, tally}); err != nil {
		return err
	}
	p.total(from, to, words.Counts(tally.Count))
	p.rest(list.Next)
	return nil
}

// total prints what there was in some time.
func (p printer) total(from, to time.Time, what string) {
	first, last := from.In(p.zone), to.In(p.zone)
	when := first.Format("2006-01-02 15:04 MST") + " to " + last.Format("2006-01-02 15:04 MST")
	switch {
	case first.Format(time.TimeOnly) == "00:00:00" && last.Equal(first.AddDate(0, 0, 1)):
		when = first.Format("2006-01-02 MST")
	case to.After(p.now):
		when = "Since " + first.Format("2006-01-02 15:04 MST")
	}
	separator := " "
	if len(when)+len(what)+len(": .") > p.width {
		separator = "\n"
	}
	p.printf("%s:%s%s.\n", when, separator, what)
}

// clockOf returns a time, with its day if the list has several.
func (p printer) clockOf(at time.Time, days bool) string {
	if days {
		return at.In(p.zone).Format("2 Jan 15:04")
	}
	return at.In(p.zone).Format("15:04")
}

// became says what became of a call. Of a time on the day of the call, it leaves the day out.
func (p printer) became(c lookup.DayCall) words.Standing {
	return words.Words{Zone: p.zone, Now: func() time.Time { return c.At }}.Became(c.FollowUp)
}
