package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/renew"
)

// rebuilder makes something anew that is derived from the events.
type rebuilder struct {
	one, many string // of what is counted
	rebuild   func(ctx context.Context, store table.Store, numbers phone.Book, after table.Cursor, done func(progress)) (progress, error)
}

// progress is how far a rebuilder has come.
type progress struct {
	read, written int
	after         table.Cursor
}

// rebuilders are all of them, in their order.
var rebuilders = []rebuilder{
	{"contact", "contacts", func(ctx context.Context, store table.Store, numbers phone.Book, after table.Cursor, done func(progress)) (progress, error) {
		as := func(p addressbook.Progress) progress { return progress{p.Contacts, p.Written, p.After} }
		p, err := addressbook.New(store, numbers.Canonical, slog.New(slog.DiscardHandler)).
			Rebuild(ctx, after, func(p addressbook.Progress) { done(as(p)) })
		return as(p), err
	}},
	{"event", "events", func(ctx context.Context, store table.Store, _ phone.Book, after table.Cursor, done func(progress)) (progress, error) {
		as := func(p renew.Progress) progress { return progress{p.Events, p.Written, p.After} }
		p, err := renew.Events(ctx, store, after, func(p renew.Progress) { done(as(p)) })
		return as(p), err
	}},
	// These always begin at the beginning.
	{"sign of life", "signs of life", func(ctx context.Context, store table.Store, _ phone.Book, _ table.Cursor, done func(progress)) (progress, error) {
		read, written, err := health.Rebuild(ctx, store, func(read int) { done(progress{read: read}) })
		return progress{read: read, written: written}, err
	}},
	{"call or text", "calls and texts", func(ctx context.Context, store table.Store, numbers phone.Book, _ table.Cursor, done func(progress)) (progress, error) {
		as := func(p ledger.Progress) progress { return progress{read: p.Sources, written: p.Written} }
		followUps := ledger.New(store, numbers.Canonical, slog.New(slog.DiscardHandler))
		followUps.Changed, followUps.Policy.Own = escalate.Wake(store, time.Now), numbers.Own()
		p, err := followUps.Rebuild(ctx, func(p ledger.Progress) { done(as(p)) })
		return as(p), err
	}},
}

func newRebuild() *cobra.Command {
	var flags tableFlags
	var after string
	var reads numberFlags
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Make anew what is derived from the stored events",
		Long: `rebuild makes anew what is derived from the stored events: the address book,
from the events of contacts. Then it brings the events themselves up to date:
their attributes, and how they are indexed. At last it makes anew when events
last arrived, and who waits to be called back, from the events of calls and
texts. It is needed once after an upgrade that says so, and when the default
country or the list of your own numbers was changed. It alerts nobody: of calls
that nobody has waited for until now, only those of the last 24 hours make
somebody wait. Reminders of those who wait come when they are due. It may run
while a deployed stack is at work, and may be stopped and repeated.`,
		Example: `  ringback rebuild
  ringback rebuild --stack ringback`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			numbers, err := reads.numbers(c.Context(), &flags)
			if err != nil {
				return err
			}
			return flags.read(c.Context(), func(store table.Store) error {
				first, after, err := startAt(after)
				if err != nil {
					return err
				}
				for i, r := range rebuilders {
					if i < first {
						continue
					}
					if i > first {
						after = ""
					}
					if err := r.run(c, store, numbers, flags.arguments()+reads.arguments(), after); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	flags.add(c)
	reads.add(c)
	c.Flags().StringVar(&after, "after", "", "go on where another rebuild was stopped; it says where")
	return c
}

// startAt reads where another rebuild was stopped: in which rebuilder, and behind what.
func startAt(text string) (rebuilder int, after string, err error) {
	if text == "" {
		return 0, "", nil
	}
	name, after, found := strings.Cut(text, ":")
	for i, r := range rebuilders {
		if found && r.many == name {
			return i, after, nil
		}
	}
	return 0, "", errAfter
}

// errAfter says that a flag was made up.
var errAfter = errors.New("--after is not what a stopped rebuild printed")

// reportEvery is how many items are read between two lines about it.
const reportEvery = 1000

func (r rebuilder) count(p progress) string { return count(p.read, r.one, r.many) }

func (r rebuilder) run(c *cobra.Command, store table.Store, numbers phone.Book, arguments, after string) error {
	got, err := r.rebuild(c.Context(), store, numbers, table.Cursor(after), func(p progress) {
		if p.read%reportEvery == 0 {
			fmt.Fprintf(c.ErrOrStderr(), "%s so far\n", r.count(p))
		}
	})
	switch {
	case errors.Is(err, table.ErrQuery) && after != "":
		return errAfter
	case err != nil && got.after != "":
		return fmt.Errorf("stopped after %s: %w\nTo go on: %s rebuild%s --after %s:%s", r.count(got), err, programName(), arguments, r.many, got.after)
	case err != nil:
		return fmt.Errorf("rebuild %s: %w", r.many, err)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s read, %s written\n", r.count(got), count(got.written, "item", "items"))
	return nil
}
