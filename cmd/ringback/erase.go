package main

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/erase"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
)

func newErase() *cobra.Command {
	var flags lookFlags
	var o erase.Options
	c := &cobra.Command{
		Use:   "erase PHONE",
		Short: "Erase everything about a caller",
		Long: `erase removes what the table has of a caller: it empties the events of their
calls, texts and contacts to their keys, which hold no number, and deletes what
was derived from them. The keys stay, so that a delivery that comes again does
not bring back what was erased. At first it only counts; --write does it, and
nothing brings it back.

It finds what is about the caller. With --scan it reads the whole table, for
events of others in which the number stands.`,
		Example: `  ringback erase "+1 415 555 0120" --scan
  ringback erase "+1 415 555 0120" --scan --write --stack ringback`,
		Args: one("one telephone number, in quotes if it has blanks"),
		RunE: func(c *cobra.Command, args []string) error {
			return flags.look(c, func(from opened, p printer) error {
				eraser, ok := from.store.(table.Eraser)
				if !ok {
					return errNoEraser
				}
				found, err := erase.Erase(c.Context(), eraser, from.numbers, args[0], o, time.Now())
				if errors.Is(err, lookup.ErrNotFound) {
					return notFound(err, "the table has nothing of that caller. Check the number, or give its country code")
				}
				if err == nil {
					printErased(p, found, o)
					if o.Write && flags.table.stack == "" {
						printFormer(p, flags.table.data)
					}
				} else if found.Others != "" { // what is emptied by now does not name them again
					printOthers(p, found.Others)
				}
				return err
			})
		},
	}
	flags.table.add(c)
	flags.output = outputTable
	c.Flags().StringVar(&flags.country, "default-country", "", "country of a number without a country code (default: the stack's own)")
	c.Flags().BoolVar(&o.Scan, "scan", false, "read the whole table as well")
	c.Flags().BoolVar(&o.Write, "write", false, "erase; without it, only count")
	c.ValidArgsFunction = cobra.NoFileCompletions
	return c
}

var errNoEraser = errors.New("nothing can be deleted from that table")

func printOthers(p printer, numbers string) {
	p.printf("Other numbers of the same contact keep their calls, which may have the name. To erase these, too: %s\n", strings.ReplaceAll(numbers, " ", ", "))
}

// printFormer names the files in a data folder that may have the caller and that nobody
// erases from.
func printFormer(p printer, data string) {
	for _, former := range bolt.FormerFiles(filepath.Join(data, local.StoreFile)) {
		p.printf("%s, the table of an earlier version, still has what it had of the caller: delete it.\n", former)
	}
}

func printErased(p printer, f erase.Found, o erase.Options) {
	p.printf("%s emptied, of %s, %s and %s\n", count(f.Events, "event", "events"), count(f.Calls, "call", "calls"),
		count(f.Texts, "text", "texts"), count(f.Contacts, "contact", "contacts"))
	p.printf("%s about the caller deleted\n", count(f.Caller, "item", "items"))
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{f.Marks, "mark of an alert taken off the day's list", "marks of alerts taken off the day's list"},
		{f.Timers, "timer deleted", "timers deleted"},
		{f.Rejected, "refused delivery deleted", "refused deliveries deleted"},
	} {
		if part.n > 0 {
			p.printf("%s\n", count(part.n, part.one, part.many))
		}
	}
	if f.Others != "" {
		printOthers(p, f.Others)
	}
	if !o.Scan {
		p.printf("Not looked for without --scan: events of others in which the number stands.\n")
	}
	if !o.Write {
		p.printf("Nothing was erased. Add --write to do it.\n")
		return
	}
	p.printf(`Copies may be elsewhere: in JustCall, with whoever got an alert, and, of a
deployed stack, in its backups of the last 35 days, its queues and its failure
bucket. docs/operations.md#erase-a-caller says how long each is kept.
`)
}
