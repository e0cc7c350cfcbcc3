package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
)

// rebuilder makes something anew that is derived from the events.
type rebuilder struct {
	one, many string // of what is counted
	rebuild   func(ctx context.Context, store table.Store, numbers phone.Book, after table.Cursor, done func(addressbook.Progress)) (addressbook.Progress, error)
}

// rebuilders are all of them.
var rebuilders = []rebuilder{
	{"contact", "contacts", func(ctx context.Context, store table.Store, numbers phone.Book, after table.Cursor, done func(addressbook.Progress)) (addressbook.Progress, error) {
		return addressbook.New(store, numbers.Canonical, slog.New(slog.DiscardHandler)).Rebuild(ctx, after, done)
	}},
}

func newRebuild() *cobra.Command {
	var flags tableFlags
	var after, country string
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
			numbers, err := numbersOf(c.Context(), &flags, country)
			if err != nil {
				return err
			}
			return flags.read(c.Context(), func(store table.Store) error {
				for _, r := range rebuilders {
					if err := r.run(c, store, numbers, flags.arguments()+countryArgument(country), after); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	flags.add(c)
	c.Flags().StringVar(&country, "default-country", "", "country of numbers without a country code; it must be that of \"serve\" (default: the stack's own)")
	c.Flags().StringVar(&after, "after", "", "go on where another rebuild was stopped; it says where")
	return c
}

// numbersOf returns the numbers as the stack reads them: with another country, contacts
// would be kept where nobody looks for them.
func numbersOf(ctx context.Context, flags *tableFlags, country string) (phone.Book, error) {
	if flags.stack != "" && country == "" {
		cfg, err := deployed.Config(ctx, flags.region)
		if err != nil {
			return phone.Book{}, err
		}
		settings, err := deployed.ReadSettings(ctx, cfg, flags.stack)
		if err != nil {
			return phone.Book{}, err
		}
		country = settings.Parameters["DefaultCountry"]
	}
	numbers, err := phone.New(country)
	if err != nil {
		return phone.Book{}, fmt.Errorf("--default-country: %w", err)
	}
	return numbers, nil
}

func countryArgument(country string) string {
	if country == "" {
		return ""
	}
	return " --default-country " + shellQuote(country)
}

func (r rebuilder) count(p addressbook.Progress) string { return count(p.Contacts, r.one, r.many) }

// reportEvery is how many contacts are rebuilt between two lines about it.
const reportEvery = 1000

func (r rebuilder) run(c *cobra.Command, store table.Store, numbers phone.Book, arguments, after string) error {
	got, err := r.rebuild(c.Context(), store, numbers, table.Cursor(after), func(p addressbook.Progress) {
		if p.Contacts%reportEvery == 0 {
			fmt.Fprintf(c.ErrOrStderr(), "%s so far\n", r.count(p))
		}
	})
	switch {
	case errors.Is(err, table.ErrQuery) && after != "":
		return errors.New("--after is not what a stopped rebuild printed")
	case err != nil && got.After != "":
		return fmt.Errorf("stopped after %s: %w\nTo go on: %s rebuild%s --after %s", r.count(got), err, programName(), arguments, got.After)
	case err != nil:
		return fmt.Errorf("rebuild %s: %w", r.many, err)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s read, %s written\n", r.count(got), count(got.Written, "item", "items"))
	return nil
}
