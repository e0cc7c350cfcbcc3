package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/words"
	"github.com/ringback/ringback/internal/zone"
)

// Exit codes, beside 0 and 1: see docs/lookups.md.
const (
	exitNotFound = 3
	exitNoAccess = 4
	exitNoTable  = 5
)

// exitCode returns what the program exits with after an error.
func exitCode(err error) int {
	switch {
	case errors.Is(err, lookup.ErrNotFound), errors.Is(err, ledger.ErrUnknown):
		return exitNotFound
	case isDenied(err):
		return exitNoAccess
	case errors.Is(err, table.ErrNoTable), errors.Is(err, deployed.ErrNoStack), errors.Is(err, errNoData):
		return exitNoTable
	}
	return 1
}

func isDenied(err error) bool {
	return errors.Is(err, table.ErrDenied) || errors.Is(err, deployed.ErrCredentials) || errors.Is(err, fs.ErrPermission) ||
		awsclient.IsDenied(err)
}

// lookFlags are the flags of a command that looks something up.
type lookFlags struct {
	table    tableFlags
	country  string
	timeZone string
	output   string
	utc      bool
}

// Forms of output.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputCSV   = "csv"
)

// addPlace adds the flags that say which table is read, and how its numbers and times are told.
func (f *lookFlags) addPlace(c *cobra.Command) {
	f.table.add(c)
	c.Flags().StringVar(&f.country, "default-country", "", "country of numbers without a country code, such as US (default: the stack's own)")
	c.Flags().StringVar(&f.timeZone, "time-zone", "", "zone of days and times, such as America/New_York (default: the stack's own, else this machine's)")
}

func (f *lookFlags) add(c *cobra.Command, forms ...string) {
	f.addPlace(c)
	c.Flags().BoolVar(&f.utc, "utc", false, "tell times in UTC")
	forms = append([]string{outputTable, outputJSON}, forms...)
	c.Flags().VarP(&choice{&f.output, forms}, "output", "o", "form: "+listed(forms))
	f.output = outputTable
	// These fail only if there is no such flag.
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("default-country", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("time-zone", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("stack", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("region", cobra.NoFileCompletions)
	_ = c.MarkFlagDirname("data")
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// choice is a flag that takes one of some words.
type choice struct {
	value *string
	of    []string
}

func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c *choice) Type() string { return "string" }

func (c *choice) Set(text string) error {
	for _, word := range c.of {
		if text == word {
			*c.value = text
			return nil
		}
	}
	return fmt.Errorf("not one of %s", listed(c.of)) //nolint:err113 // the flag's name is put in front
}

// listed lists words for people.
func listed(all []string) (text string) {
	for i, word := range all {
		switch {
		case i == 0:
			text = word
		case i == len(all)-1:
			text += " or " + word
		default:
			text += ", " + word
		}
	}
	return text
}

// opened is a table that a command reads.
type opened struct {
	*lookup.Lookup

	store table.Store
	// zone is where times are told.
	zone *time.Location
	// numbers are as the stack reads them, without its own.
	numbers phone.Book
	// retention is how long what is stored is kept.
	retention table.Retention
	close     func() error
}

// open opens the table: that of a running stack of this machine, of one that is not running, or
// of a deployed one. The caller must close it.
func (f *lookFlags) open(ctx context.Context) (o opened, err error) {
	var of local.Settings
	switch {
	case f.table.stack != "":
		o.close = func() error { return nil }
		cfg, err := deployed.Config(ctx, f.table.region)
		if err != nil {
			return o, err
		}
		var found deployed.Settings
		if o.store, found, err = deployed.Table(ctx, cfg, f.table.stack); err != nil {
			return o, err
		}
		set := func(name string) string { return found.Parameters[name] }
		of = local.Settings{Country: set("DefaultCountry"), Zone: set("TimeZone"), BusinessHours: set("BusinessHours"), Holidays: set("Holidays")}
		if o.retention, err = table.ParseRetention(found.Parameters["RetentionDays"]); err != nil {
			return o, fmt.Errorf("the stack's RetentionDays is %w", err)
		}
	default:
		remote, err := local.Connect(ctx, f.table.data)
		switch {
		case err == nil:
			o.store, o.close = watch(remote)
			of = remote.Settings
		case !errors.Is(err, local.ErrNotRunning):
			return o, err
		default:
			if o.store, o.close, err = f.table.open(ctx); err != nil {
				return o, err
			}
		}
	}
	if err := f.prepare(&o, of); err != nil {
		return o, errors.Join(err, o.close())
	}
	return o, nil
}

func (f *lookFlags) prepare(o *opened, of local.Settings) error {
	var err error
	if o.numbers, err = numbersBy(cmp.Or(f.country, of.Country), ""); err != nil {
		return err
	}
	days, business := zone.Local(), zone.Local()
	if of.Zone != "" {
		if business, err = zone.Load(of.Zone); err != nil {
			return fmt.Errorf("the stack's time zone: %w", err)
		}
		days = business
	}
	if name := f.timeZone; name != "" {
		if days, err = zone.Load(name); err != nil {
			return fmt.Errorf("--time-zone: %w", err)
		}
	}
	if o.zone = days; f.utc {
		o.zone = time.UTC
	}
	o.Lookup = lookup.New(o.store, o.numbers, days)
	if o.Lines, err = hours.Parse(of.BusinessHours, of.Holidays, business); err != nil {
		return fmt.Errorf("the stack's %w", err)
	}
	return nil
}

// look opens the table, calls job with it and with what prints, and closes it.
func (f *lookFlags) look(c *cobra.Command, job func(o opened, p printer) error) error {
	o, err := f.open(c.Context())
	if err != nil {
		return explain(err)
	}
	return explain(errors.Join(job(o, f.printer(c, o.zone)), o.close()))
}

func (f *lookFlags) printer(c *cobra.Command, in *time.Location) printer {
	now := time.Now()
	p := printer{
		out: c.OutOrStdout(), form: f.output, zone: in, now: now, width: narrow,
		say: words.Words{Zone: in, Now: func() time.Time { return now }},
	}
	if file, ok := p.out.(*os.File); ok {
		if columns := columnsOf(file); columns > 0 {
			p.width = max(columns, minWidth)
		}
	}
	return p
}

// explain adds what to do to an error.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, deployed.ErrCredentials), errors.Is(err, fs.ErrPermission):
		return err
	case isDenied(err):
		return fmt.Errorf("%w\nHave your credentials expired? If not, they lack a right: docs/lookups.md#access lists those that are needed", err)
	case errors.Is(err, table.ErrNoTable):
		return fmt.Errorf("%w\nThe stack names a table that is not there: was it deleted, or is --region another?", err)
	}
	return err
}

// pageFlags say which part of a list is wanted.
type pageFlags struct {
	limit int
	after string
}

func (f *pageFlags) add(c *cobra.Command) {
	c.Flags().IntVarP(&f.limit, "limit", "n", 50, "rows at most, up to 1000")
	c.Flags().StringVar(&f.after, "after", "", "go on where another page ended; it says where")
}

func (f *pageFlags) page() (lookup.Page, error) {
	if f.limit < 1 || f.limit > 1000 {
		return lookup.Page{}, errors.New("--limit is not from 1 to 1000")
	}
	return lookup.Page{Limit: f.limit, After: lookup.Cursor(f.after)}, nil
}
