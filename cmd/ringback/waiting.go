package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/timing"
	"github.com/ringback/ringback/internal/words"
)

func newWaiting() *cobra.Command {
	var flags lookFlags
	var pages pageFlags
	var watch bool
	var every time.Duration
	c := &cobra.Command{
		Use:   "waiting",
		Short: "List the callers whom nobody has called back",
		Long: `waiting lists the callers who wait to be called back, those who have waited
longest first: how long, in business hours, who, how many of their calls nobody
served, and what they said. The note says who takes care of them ("ringback
claim"), until when nobody is reminded, and with which other number of the same
contact somebody has talked since.

Below the list stands what became of those who have begun to wait today, and
after how long in business hours somebody talked with them. With --watch it is
left out.`,
		Example: `  ringback waiting
  ringback waiting --watch
  ringback waiting --stack ringback --output csv`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			page, err := pages.page()
			switch {
			case err != nil:
				return err
			case watch && flags.output != outputTable:
				return errors.New("--watch is for people: use it without --output")
			case watch && every < time.Second:
				return errors.New("--every is at least 1s")
			case watch:
				return watchWaiting(c, &flags, page, every)
			}
			return flags.look(c, func(o opened, p printer) error {
				return printWaiting(c.Context(), o, p, page, func() *lookup.Figures {
					if page.After != "" || p.form == outputCSV {
						return nil
					}
					figures, err := o.Figures(c.Context(), o.Today(), o.Today().AddDate(0, 0, 1))
					if err != nil { // the list is worth more
						fmt.Fprintln(c.ErrOrStderr(), "ringback: the figures of today are missing:", err)
						return nil
					}
					return &figures
				})
			})
		},
	}
	flags.add(c, outputCSV)
	pages.add(c)
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and show the list anew whenever it changes")
	c.Flags().DurationVar(&every, "every", 5*time.Second, "with --watch: how often to look")
	return c
}

// watchWaiting prints the list whenever it changes, until the context ends.
func watchWaiting(c *cobra.Command, flags *lookFlags, page lookup.Page, every time.Duration) error {
	out := c.OutOrStdout()
	file, ok := out.(*os.File)
	clears := ok && isTerminal(file)
	for last := ""; ; {
		var text strings.Builder
		err := flags.look(c, func(o opened, p printer) error {
			p.out = &text
			return printWaiting(c.Context(), o, p, page, noFigures) // they take a query for each caller of the day
		})
		switch {
		case c.Context().Err() != nil:
			return nil
		case err != nil:
			return err
		case text.String() != last:
			if clears {
				fmt.Fprint(out, "\x1b[H\x1b[2J\x1b[3J")
			} else if last != "" {
				fmt.Fprintln(out)
			}
			last = text.String()
			if _, err := io.WriteString(out, last); err != nil {
				return printed(err)
			}
		}
		if !timing.Sleep(c.Context(), every) {
			return nil
		}
	}
}

func noFigures() *lookup.Figures { return nil }

// printWaiting prints a page of the list and then, if there is something, what became of those
// who began to wait today.
func printWaiting(ctx context.Context, o opened, p printer, page lookup.Page, today func() *lookup.Figures) error {
	list, err := o.Waiting(ctx, page)
	if err != nil {
		return err
	}
	columns := []column[lookup.Waiter]{
		{name: "since", value: func(w lookup.Waiter) string { return stamp(w.Since) }},
		{head: "WAITS", text: func(w lookup.Waiter) string { return words.Span(w.Waited()) }},
		{name: "business_seconds", value: func(w lookup.Waiter) string { return numberOf(w.BusinessSeconds) }},
		{head: "CALLER", text: func(w lookup.Waiter) string { return who(w.Party) }, atLeast: 12},
		{head: "NUMBER", text: func(w lookup.Waiter) string { return w.Shown }, atLeast: 16},
		{name: "caller", value: func(w lookup.Waiter) string { return w.Key }},
		{name: "name", value: func(w lookup.Waiter) string { return w.Name }},
		{name: "company", value: func(w lookup.Waiter) string { return w.Company }},
		{name: "state", value: func(w lookup.Waiter) string { return string(w.State) }},
		{head: "CALLS", name: "calls", text: calls, value: calls},
		{name: "outcome", value: func(w lookup.Waiter) string { return string(w.Outcome) }},
		{name: "latest", value: func(w lookup.Waiter) string { return stamp(w.Latest) }},
		{name: "call_id", value: func(w lookup.Waiter) string { return w.CallID }},
		{head: "LINE", text: func(w lookup.Waiter) string { return w.Line.Label() }, atLeast: 6, spare: true},
		{name: "line", value: func(w lookup.Waiter) string { return w.Line.Number }},
		{name: "line_name", value: func(w lookup.Waiter) string { return w.Line.Name }},
		{head: "NOTE", text: func(w lookup.Waiter) string { return p.say.Note(w.FollowUp, w.Voicemail) }, atLeast: 20},
		{name: "level", value: func(w lookup.Waiter) string { return strconv.Itoa(w.Level) }},
		{name: "attempts", value: func(w lookup.Waiter) string { return strconv.Itoa(w.Attempts) }},
		{name: "claimed_by", value: func(w lookup.Waiter) string { return w.ClaimedBy }},
		{name: "claimed_until", value: func(w lookup.Waiter) string { return stamp(w.ClaimedUntil) }},
		{name: "snoozed_until", value: func(w lookup.Waiter) string { return stamp(w.SnoozedUntil) }},
		{name: "other_number", value: func(w lookup.Waiter) string { return w.OtherNumber }},
		{name: "voicemail_seconds", value: func(w lookup.Waiter) string { return numberOf(w.Voicemail.Seconds) }},
		{name: "voicemail", value: func(w lookup.Waiter) string { return w.Voicemail.Words }},
		{name: "recording_url", value: func(w lookup.Waiter) string { return w.Voicemail.URL }},
	}
	if p.form == outputJSON {
		return p.printJSON(struct {
			lookup.Waiting

			Today *lookup.Figures `json:"today,omitzero"`
		}{list, today()})
	}
	if err := printRows(p, columns, list.Callers, nil); err != nil {
		return err
	}
	switch n := len(list.Callers); {
	case n == 0 && page.After == "":
		p.printf("Nobody waits.")
	case list.Next != "" || page.After != "":
		p.printf("%s on this page.", count(n, "caller waits", "callers wait"))
	default:
		p.printf("%s.", count(n, "caller waits", "callers wait"))
	}
	if !list.AsOf.IsZero() {
		p.printf(" As of %s.", p.moment(list.AsOf))
	}
	p.printf("\n")
	if figures := today(); figures != nil {
		p.printf("%s", folded(words.Figures(*figures), p.width))
	}
	p.rest(list.Next)
	return nil
}

// who returns a name for people, and the company; "" if there is only a number.
func who(p lookup.Party) string {
	switch {
	case p.Name != "" && p.Company != "":
		return p.Name + " (" + p.Company + ")"
	case p.Name == "" && p.Company == "" && p.Shown != "":
		return ""
	}
	return words.Who(p)
}

// calls returns how many calls nobody served.
func calls(w lookup.Waiter) string {
	text := strconv.Itoa(max(1, w.Unserved))
	if w.More {
		text += "+"
	}
	return text
}
