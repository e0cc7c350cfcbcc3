package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/words"
)

// one returns what checks that a command has one argument.
func one(wanted string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return fmt.Errorf("give %s", wanted) //nolint:err113 // it is only printed
		}
		return nil
	}
}

// notFound says what was not found, and what to do.
func notFound(err error, format string, values ...any) error {
	if errors.Is(err, lookup.ErrNotFound) {
		return fmt.Errorf("%w: %s", lookup.ErrNotFound, fmt.Sprintf(format, values...))
	}
	return err
}

func newCaller() *cobra.Command {
	var flags lookFlags
	var pages pageFlags
	c := &cobra.Command{
		Use:   "caller {PHONE | NAME}",
		Short: "Show everything with one number: calls, texts, contact, hand acts",
		Long: `caller shows who has a number, how things stand, and what happened, the newest
first: calls, voicemails, texts, changes of the contact, and what was done by
hand. PHONE is the number in any spelling. Of a voicemail whose caller withheld
the number, it is "call:" and the ID of the call.

What is no number is looked for in names and companies: in the address book,
among those who wait, and among today's callers. If it is one person's, that
person is shown.`,
		Example: `  ringback caller "+1 415 555 8765"
  ringback caller "ada ex"
  ringback caller "(415) 555-8765" --default-country US
  ringback caller 4155558765 --stack ringback --output json`,
		Args: one("one telephone number or name, in quotes if it has blanks"),
		RunE: func(c *cobra.Command, args []string) error {
			page, err := pages.page()
			if err != nil {
				return err
			}
			return flags.look(c, func(o opened, p printer) error { return printCaller(c.Context(), o, p, args[0], page) })
		},
	}
	flags.add(c, outputCSV)
	pages.add(c)
	return c
}

func printCaller(ctx context.Context, o opened, p printer, number string, page lookup.Page) error {
	found, err := o.Caller(ctx, number, page)
	if errors.Is(err, lookup.ErrNumber) && strings.ContainsFunc(number, unicode.IsLetter) {
		return printNamed(ctx, o, p, number, page)
	}
	if err != nil {
		return notFound(err, "nobody with that number has called or was called. Check the number, or give its country code")
	}
	p.row("Caller", who(found.Party))
	p.row("Number", found.Shown)
	switch {
	case found.Blocked:
		p.row("Contact", "blocked")
	case found.DoNotDisturb:
		p.row("Contact", "asked not to be called")
	}
	if found.FollowUp.State.Open() {
		p.row("Since", fmt.Sprintf("%s: %s that nobody served", p.say.Clock(found.FollowUp.Since), words.Calls(max(1, found.FollowUp.Unserved), found.FollowUp.More)))
	}
	if now := p.say.Became(found.FollowUp); found.FollowUp.State != lookup.NotKnown { // a contact who never called
		p.row("Now", now.Text)
		p.row("Why", now.More)
	}
	p.printf("\n")
	type entry = lookup.Entry
	columns := []column[entry]{
		{head: "TIME", name: "at", text: func(e entry) string { return p.clockOf(e.At, true) }, value: func(e entry) string { return stamp(e.At) }},
		{head: "WHAT", text: words.Title, atLeast: 24},
		{name: "kind", value: func(e entry) string { return string(e.Kind) }},
		{name: "id", value: func(e entry) string { return e.ID }},
		{name: "direction", value: func(e entry) string { return string(e.Direction) }},
		{name: "outcome", value: func(e entry) string { return string(e.Outcome) }},
		{head: "LINE", text: func(e entry) string { return e.Line.Label() }, atLeast: 6, spare: true},
		{name: "line", value: func(e entry) string { return e.Line.Number }},
		{head: "WHO", name: "who", text: whoOf, value: whoOf, atLeast: 6},
		{name: "seconds", value: func(e entry) string { return numberOf(e.Seconds) }},
		{head: "TEXT", name: "text", text: textOf, value: textOf, atLeast: 12},
		{head: "ID", text: idOf}, // whole, to be copied, and last: if there is no room, only its end wraps
		{name: "recording_url", value: func(e entry) string { return e.Voicemail.URL + e.Recording }},
	}
	if err := printRows(p, columns, found.Timeline, found); err != nil {
		return err
	}
	p.rest(found.Next)
	return nil
}

// printNamed prints who has a name, or everything with the one who has.
func printNamed(ctx context.Context, o opened, p printer, name string, page lookup.Page) error {
	found, err := o.Named(ctx, name)
	if err != nil {
		return notFound(err, "that is no telephone number, and nobody is known by such a name")
	}
	if len(found.People) == 1 && !found.More {
		return printCaller(ctx, o, p, found.People[0].Key, page)
	}
	type person = lookup.Person
	columns := []column[person]{
		{head: "CALLER", text: func(n person) string { return who(n.Party) }, atLeast: 12},
		{head: "NUMBER", text: func(n person) string { return n.Shown }, atLeast: 16},
		{name: "caller", value: func(n person) string { return n.Key }},
		{name: "name", value: func(n person) string { return n.Name }},
		{name: "company", value: func(n person) string { return n.Company }},
		{head: "NOW", text: func(n person) string { return p.say.Became(n.FollowUp).Text }, atLeast: 20},
		{name: "state", value: func(n person) string { return string(n.FollowUp.State) }},
	}
	if err := printRows(p, columns, found.People, found); err != nil {
		return err
	}
	if found.More {
		p.printf("There may be more: give more of the name.\n")
	}
	return nil
}

// idOf returns the id by which a command finds the entry.
func idOf(e lookup.Entry) string { return e.ID }

func whoOf(e lookup.Entry) string { return e.By + e.Agent }

func textOf(e lookup.Entry) string { return e.Text + e.Voicemail.Words }

// detail is a command that shows one thing with an ID, and its events.
type detail[T any] struct {
	use, short, long, example, wanted string
	// missing is a format of what to say if there is none with an ID.
	missing string
	find    func(l *lookup.Lookup, ctx context.Context, id string) (T, error)
	events  func(T) []lookup.Event
	// print prints what is known, for people.
	print func(p printer, found T) error
}

func (d detail[T]) command() *cobra.Command {
	var flags lookFlags
	var bodies bool
	c := &cobra.Command{
		Use: d.use, Short: d.short, Long: d.long, Example: d.example, Args: one(d.wanted),
		RunE: func(c *cobra.Command, args []string) error {
			return flags.look(c, func(o opened, p printer) error {
				found, err := d.find(o.Lookup, c.Context(), args[0])
				switch {
				case err != nil:
					return notFound(err, d.missing, alert.Visible(args[0]))
				case bodies:
					return printBodies(p, d.events(found))
				case p.form == outputJSON:
					return p.printJSON(found)
				}
				return d.print(p, found)
			})
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&bodies, "bodies", false, "print the events' bodies instead, as they were received")
	c.MarkFlagsMutuallyExclusive("bodies", "output")
	return c
}

func newCall() *cobra.Command {
	return detail[lookup.Call]{
		use:   "call ID",
		short: "Show a call: its events, its alerts, and what became of it",
		long: `call shows what the events of a call say, who called, what became of it, and, in
the order in which they happened, its events and what was done about its alerts.
The ID is JustCall's: call_id in format A, call_sid in format B.`,
		example: `  ringback call call_1d4e5f6a
  ringback call call_1d4e5f6a --stack ringback
  ringback call call_1d4e5f6a --bodies`,
		wanted:  "the ID of one call, such as call_1d4e5f6a",
		missing: "no call %s in the table",
		find:    (*lookup.Lookup).Call,
		events:  func(c lookup.Call) []lookup.Event { return c.Events },
		print:   printCall,
	}.command()
}

func printBodies(p printer, all []lookup.Event) error {
	for _, e := range all {
		body, err := e.Payload()
		if err == nil {
			err = p.write(body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printCall(p printer, c lookup.Call) error {
	p.row("Call", c.ID)
	p.party("Caller", c.Caller)
	p.row("Line", lineOf(c.Line))
	p.row("What", words.Title(lookup.Entry{Kind: events.KindCall, Direction: c.Direction, Outcome: c.Outcome}))
	p.row("Began", p.moment(c.Start))
	if c.End.After(c.Start) {
		p.row("Ended", p.moment(c.End))
	}
	if c.RingSeconds > 0 {
		p.row("Rang", words.Lasted(c.RingSeconds))
	}
	if c.TalkSeconds > 0 {
		p.row("Talked", words.Lasted(c.TalkSeconds))
	}
	p.row("Answered", c.AnsweredBy)
	p.row("Tried", strings.Join(c.Agents, ", "))
	p.row("Reason", c.Reason)
	p.row("Voicemail", c.Voicemail.Words)
	p.row("Listen", c.Voicemail.URL)
	if c.FollowUp.State != lookup.NotKnown && c.Outcome != events.Answered && c.Direction != events.Outbound {
		p.row("Now", p.say.Became(c.FollowUp).Text)
	}
	p.printf("\n")
	return printHistory(p, c.Events, c.Alerts)
}

// party prints who somebody is.
func (p printer) party(name string, of lookup.Party) {
	p.row(name, strings.TrimSpace(who(of)+" "+of.Shown))
}

func lineOf(n lookup.Line) string {
	if n.Name != "" && n.Shown != "" {
		return n.Name + " (" + n.Shown + ")"
	}
	return n.Label()
}

// printHistory prints events and what was done about alerts, in the order of time.
func printHistory(p printer, all []lookup.Event, alerts []lookup.Alert) error {
	type line struct {
		at         time.Time
		what, text string
	}
	var lines []line
	for _, e := range all {
		text := []string{kindName(e.Kind)}
		if e.Agent != "" {
			text = append(text, e.Agent)
		}
		lines = append(lines, line{e.At, e.Type, strings.Join(append(text, e.Odd...), "; ")})
	}
	for _, a := range alerts {
		text := ""
		if a.OtherCall != "" {
			text = "call " + a.OtherCall
		}
		lines = append(lines, line{a.At, words.Alert(a), text})
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		if a.at.IsZero() != b.at.IsZero() { // what is under way comes last
			return b.at.Compare(a.at)
		}
		return a.at.Compare(b.at)
	})
	return printTable(p, []column[line]{
		{head: "TIME", text: func(l line) string { return p.moment(l.at) }},
		{head: "WHAT", text: func(l line) string { return l.what }, atLeast: 16},
		{head: "DETAILS", text: func(l line) string { return l.text }, atLeast: 16},
	}, lines)
}

func newMessage() *cobra.Command {
	return detail[lookup.Message]{
		use:     "message ID",
		short:   "Show a text message",
		long:    "message shows a text message and its events. The ID is JustCall's: message_id in\nformat A, id in format B.",
		example: "  ringback message msg_a1b2c3d4",
		wanted:  "the ID of one text, such as msg_a1b2c3d4",
		missing: "no text %s in the table",
		find:    (*lookup.Lookup).Message,
		events:  func(m lookup.Message) []lookup.Event { return m.Events },
		print:   printMessage,
	}.command()
}

func printMessage(p printer, m lookup.Message) error {
	p.row("Text", m.ID)
	p.row("What", words.Title(lookup.Entry{Kind: events.KindMessage, Direction: m.Direction}))
	p.party("With", m.Party)
	p.row("Line", lineOf(m.Line))
	p.row("Agent", m.Agent)
	p.row("Status", m.Status)
	p.row("Says", m.Text)
	for _, url := range m.Media {
		p.row("Attached", url)
	}
	p.printf("\n")
	return printHistory(p, m.Events, nil)
}

func newContact() *cobra.Command {
	return detail[lookup.ContactCard]{
		use:     "contact ID",
		short:   "Show a contact of the address book",
		long:    "contact shows what the events of a contact come to, and the events. The ID is\nJustCall's: contact_id in format A, id in format B.",
		example: "  ringback contact 5551",
		wanted:  "the ID of one contact, such as 5551",
		missing: "no contact %s in the table",
		find:    (*lookup.Lookup).Contact,
		events:  func(c lookup.ContactCard) []lookup.Event { return c.Events },
		print:   printContact,
	}.command()
}

func printContact(p printer, c lookup.ContactCard) error {
	p.row("Contact", c.ID)
	p.row("Name", c.Name)
	p.row("Company", c.Company)
	for _, n := range c.Numbers {
		p.row("Number", n.Shown+n.Text)
	}
	for _, n := range c.Former {
		p.row("Had", n.Shown+n.Text)
	}
	for _, flag := range []struct {
		is   bool
		what string
	}{{c.Blocked, "blocked"}, {c.DoNotDisturb, "do not disturb"}, {c.Removed, "removed from the address book"}} {
		if flag.is {
			p.row("State", flag.what)
		}
	}
	p.printf("\n")
	return printHistory(p, c.Events, nil)
}

func newRejected() *cobra.Command {
	c := &cobra.Command{
		Use:   "rejected",
		Short: "List deliveries that were refused, show one, take one in",
		Long: `rejected is about deliveries that came with the right token and were refused:
for a wrong signature, or because they are no event. They are kept for 30 days.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newRejectedList(), newRejectedShow(), newRejectedRelease())
	return c
}

func newRejectedList() *cobra.Command {
	var flags lookFlags
	var pages pageFlags
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the deliveries that were refused, the newest first",
		Example: "  ringback rejected list\n  ringback rejected list --stack ringback --output csv",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			page, err := pages.page()
			if err != nil {
				return err
			}
			return flags.look(c, func(o opened, p printer) error {
				list, err := o.Rejections(c.Context(), page)
				if err != nil {
					return err
				}
				type rejected = lookup.Rejected
				columns := []column[rejected]{
					{name: "at", value: func(r rejected) string { return stamp(r.At) }},
					{head: "ID", name: "id", text: func(r rejected) string { return r.ID }, value: func(r rejected) string { return r.ID }},
					{head: "REASON", name: "reason", text: func(r rejected) string { return r.Reason }, value: func(r rejected) string { return r.Reason }, atLeast: 20},
					{head: "BYTES", name: "bytes", text: func(r rejected) string { return numberOf(r.Size) }, value: func(r rejected) string { return numberOf(r.Size) }},
				}
				if err := printRows(p, columns, list.Rejected, list); err != nil {
					return err
				}
				if len(list.Rejected) == 0 {
					p.printf("No delivery was refused in the last 30 days.\n")
				}
				p.rest(list.Next)
				return nil
			})
		},
	}
	flags.add(c, outputCSV)
	pages.add(c)
	return c
}

func newRejectedShow() *cobra.Command {
	var flags lookFlags
	var body bool
	c := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a delivery that was refused",
		Example: "  ringback rejected show 2026-03-12T14:32:00.000Z#0011223344556677\n  ringback rejected show 2026-03-12T14:32:00.000Z#0011223344556677 --body",
		Args:    one(`the ID of one delivery, as "ringback rejected list" prints it`),
		RunE: func(c *cobra.Command, args []string) error {
			return flags.look(c, func(o opened, p printer) error {
				r, err := findRejected(c, o, args[0])
				switch {
				case err != nil:
					return err
				case body:
					return p.write(r.Body)
				case p.form == outputJSON:
					return p.printJSON(r)
				}
				p.row("Rejected", p.moment(r.At))
				p.row("Reason", r.Reason)
				for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
					p.row("Header", name+": "+r.Headers[name])
				}
				p.row("Bytes", numberOf(r.Size))
				p.printf("\n")
				return p.write([]byte(linesOf(string(r.Body))))
			})
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&body, "body", false, "print the body alone, as it was received")
	c.MarkFlagsMutuallyExclusive("body", "output")
	return c
}

// linesOf returns a text, of which each line is shown as such.
func linesOf(text string) string {
	lines := strings.Split(strings.ToValidUTF8(text, "\uFFFD"), "\n")
	for i, line := range lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		lines[i] = indent + alert.Visible(line)
	}
	return strings.Join(lines, "\n")
}

func newStats() *cobra.Command {
	var flags lookFlags
	var days spanFlags
	c := &cobra.Command{
		Use:   "stats",
		Short: "Count a day's calls by line and hour, and how soon we called back",
		Long: `stats counts the incoming calls of a day by line and hour: those that somebody
answered, and those that nobody served. It says how soon callers were called
back.`,
		Example: `  ringback stats
  ringback stats --day 2026-03-12
  ringback stats --since 168h --stack ringback --output csv`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return flags.look(c, func(o opened, p printer) error {
				from, to, err := days.span(o)
				if err != nil {
					return err
				}
				return printStats(c.Context(), o, p, from, to)
			})
		},
	}
	flags.add(c, outputCSV)
	days.add(c)
	return c
}

func printStats(ctx context.Context, o opened, p printer, from, to time.Time) error {
	s, err := o.Stats(ctx, from, to)
	if err != nil {
		return err
	}
	type row = lookup.StatsRow
	number := func(of func(row) int) func(row) string { return func(r row) string { return fmt.Sprint(of(r)) } }
	answered := number(func(r row) int { return r.Answered })
	missed := number(func(r row) int { return r.Missed })
	abandoned := number(func(r row) int { return r.Abandoned })
	left := number(func(r row) int { return r.Voicemail })
	unknown := number(func(r row) int { return r.Unknown })
	columns := []column[row]{
		{head: "LINE", text: func(r row) string { return r.Line.Label() }, atLeast: 8},
		{name: "line", value: func(r row) string { return r.Line.Number }},
		{name: "line_name", value: func(r row) string { return r.Line.Name }},
		{head: "HOUR", name: "hour", text: func(r row) string { return p.clockOf(r.Hour, to.Sub(from) > 36*time.Hour) }, value: func(r row) string { return stamp(r.Hour) }},
		{head: "ANSWERED", name: "answered", text: answered, value: answered},
		{head: "MISSED", name: "missed", text: missed, value: missed},
		{head: "GAVE UP", name: "abandoned", text: abandoned, value: abandoned},
		{head: "VOICEMAIL", name: "voicemail", text: left, value: left},
		{head: "UNKNOWN", name: "unknown", text: unknown, value: unknown},
	}
	if err := printRows(p, columns, s.Rows, s); err != nil {
		return err
	}
	p.total(from, to, words.Counts(s.Total))
	if s.Callback.Calls > 0 {
		p.printf("%s called back: half of them within %s, nine of ten within %s.\n", count(s.Callback.Calls, "call was", "calls were"),
			words.Span(time.Duration(s.Callback.Median)*time.Second), words.Span(time.Duration(s.Callback.Slow)*time.Second))
	}
	return nil
}
