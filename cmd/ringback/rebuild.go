package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/table"
)

// rebuilder makes something anew that is derived from the events.
type rebuilder struct {
	name    string // of what is counted
	rebuild func(ctx context.Context, store table.Store, after table.Cursor, done func(addressbook.Progress)) (addressbook.Progress, error)
}

// rebuilders are all of them.
var rebuilders = []rebuilder{
	{"contacts", func(ctx context.Context, store table.Store, after table.Cursor, done func(addressbook.Progress)) (addressbook.Progress, error) {
		return addressbook.New(store, events.PhoneNumber, slog.New(slog.DiscardHandler)).Rebuild(ctx, after, done)
	}},
}

func newRebuild() *cobra.Command {
	var flags tableFlags
	var after string
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the address book anew from the stored events",
		Long: `rebuild makes anew what is derived from the stored events: the address book, from
the events of contacts. It is needed once for events from before there was an
address book, and when the default country was changed. It alerts nobody, may run
while a deployed stack is at work, and may be stopped and repeated.`,
		Example: `  ringback rebuild
  ringback rebuild --stack ringback`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return flags.read(c.Context(), func(store table.Store) error {
				for _, r := range rebuilders {
					if err := r.run(c, store, &flags, after); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	flags.add(c)
	c.Flags().StringVar(&after, "after", "", "go on where another rebuild was stopped; it says where")
	return c
}

// reportEvery is how many contacts are rebuilt between two lines about it.
const reportEvery = 1000

func (r rebuilder) run(c *cobra.Command, store table.Store, flags *tableFlags, after string) error {
	got, err := r.rebuild(c.Context(), store, table.Cursor(after), func(p addressbook.Progress) {
		if p.Contacts%reportEvery == 0 {
			fmt.Fprintf(c.ErrOrStderr(), "%d %s so far\n", p.Contacts, r.name)
		}
	})
	switch {
	case errors.Is(err, table.ErrQuery) && after != "":
		return errors.New("--after is not what a stopped rebuild printed")
	case err != nil && got.After != "":
		return fmt.Errorf("stopped after %d %s: %w\nTo go on: %s rebuild%s --after %s", got.Contacts, r.name, err, programName(), flags.arguments(), got.After)
	case err != nil:
		return fmt.Errorf("rebuild %s: %w", r.name, err)
	}
	fmt.Fprintf(c.OutOrStdout(), "%d %s read, %d items written\n", got.Contacts, r.name, got.Written)
	return nil
}
