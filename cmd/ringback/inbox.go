package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/zone"
)

const (
	inboxFlag = "inbox-addr"
	inboxOff  = "off"
	// inboxFile is in the data folder while a stack runs there. It has the URL of the page,
	// with its token.
	inboxFile = "inbox.url"
	// askAgain is how often a deployed table is read for a page that is open.
	askAgain = 5 * time.Second
)

// servedInbox is the page of a stack that runs here.
type servedInbox struct {
	page *inbox.Server // nil if it is not wanted
	file string
}

// openInbox serves the page of a stack that runs here, unless the address is "off".
func openInbox(ctx context.Context, address string, s *local.Stack, log *slog.Logger) (served servedInbox, err error) {
	served.file = filepath.Join(s.Config.Folder, inboxFile)
	_ = os.Remove(served.file) // that of a stack that was killed
	if address == inboxOff {
		return served, nil
	}
	served.page, err = inbox.Start(ctx, address, inbox.Config{
		Look:    lookup.New(s.Store, s.Config.Numbers, s.Config.Style.Location),
		Acts:    s.Config.Retention.Store(s.Store),
		Settled: s.Settled,
		Changed: s.Changed,
		Where:   "this machine",
		Name:    userName(),
	}, log)
	if err != nil {
		return served, inboxError(err, "--"+inboxFlag)
	}
	if err := os.WriteFile(served.file, []byte(served.page.URL), 0o600); err != nil {
		served.page.Close()
		return served, fmt.Errorf("keep the page's URL: %w", err)
	}
	return served, nil
}

// say says where the page is.
func (s servedInbox) say(out io.Writer) {
	if s.page != nil {
		fmt.Fprintf(out, "See who waits for a call back, in a browser:\n\n  %s\n\n", s.page.URL)
	}
}

func (s servedInbox) close() {
	if s.page != nil {
		s.page.Close()
		_ = os.Remove(s.file)
	}
}

func inboxError(err error, flag string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w\nStop the program that listens there, or choose another port with %s 127.0.0.1:0", err, flag)
	case errors.Is(err, inbox.ErrAddress):
		return fmt.Errorf("%s: %w\nTo see it from another machine, use a tunnel: ssh -L 8081:%s", flag, err, inbox.DefaultAddress)
	}
	return err
}

func newInbox() *cobra.Command {
	var flags tableFlags
	var address, country, timeZone, by string
	c := &cobra.Command{
		Use:   "inbox",
		Short: "Serve a page that shows who waits for a call back",
		Long: `inbox serves a page on this machine: who waits to be called back, what became of today's
calls, and everything with a caller. It prints the page's URL, which ends with a token:
whoever has it reads names and numbers.

Where "ringback serve" runs, it serves the page itself, and inbox prints its URL. With
--stack, inbox reads the table of a deployed stack with your own AWS credentials, every
5 seconds while a page is open. The page's buttons need credentials that may write: see
docs/inbox.md.`,
		Example: `  ringback inbox
  ringback inbox --stack ringback
  ringback inbox --stack ringback --by "Kim Doe"`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config := inbox.Config{Every: askAgain, Name: cmp.Or(by, userName())}
			var closeTable func() error
			var err error
			if flags.stack == "" {
				closeTable, err = inboxOfFolder(&flags, country, timeZone, &config)
			} else {
				err = inboxOfStack(c.Context(), &flags, country, timeZone, &config)
			}
			if errors.Is(err, bolt.ErrLocked) {
				return printRunning(c, flags.data)
			}
			if err != nil {
				return err
			}
			page, err := inbox.Start(c.Context(), address, config, logTo(c.ErrOrStderr(), slog.LevelInfo))
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "Open\n\n  %s\n\nStop it with Ctrl-C.\n", page.URL)
				<-c.Context().Done()
				page.Close()
			}
			if closeTable != nil {
				err = errors.Join(err, closeTable())
			}
			return inboxError(err, "--addr")
		},
	}
	flags.add(c)
	c.Flags().StringVar(&address, "addr", inbox.DefaultAddress, "address of the page, on this machine; if nothing else is said and the port is taken, another one")
	c.Flags().StringVar(&country, "default-country", "", "country of numbers without a country code (default: the stack's own)")
	c.Flags().StringVar(&timeZone, "time-zone", "", "zone of the times, such as America/New_York (default: the stack's own, or this machine's)")
	c.Flags().StringVar(&by, "by", "", "who claims callers (default: your name on this machine)")
	return c
}

// printRunning prints the URL of the page of the stack that runs in a folder.
func printRunning(c *cobra.Command, data string) error {
	url, err := os.ReadFile(filepath.Join(data, inboxFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the \"ringback serve\" that runs in %s has no page: start it without --%s %s", data, inboxFlag, inboxOff)
	}
	if err != nil {
		return fmt.Errorf("find the page of the running stack: %w", err)
	}
	fmt.Fprintf(c.OutOrStdout(), "The running stack has it at\n\n  %s\n", strings.TrimSpace(string(url)))
	return nil
}

// inboxOfFolder has the page show what a stack has left here that does not run.
func inboxOfFolder(flags *tableFlags, country, timeZone string, c *inbox.Config) (closeTable func() error, err error) {
	numbers, location, err := readPlace(country, timeZone)
	if err != nil {
		return nil, err
	}
	store, closeTable, err := flags.open(context.Background()) // which opens a file
	if err != nil {
		return nil, err
	}
	c.Look = lookup.New(store, numbers, location)
	c.Where = "this machine, where nothing runs"
	c.ReadOnly = "Nothing is received here now. To claim callers, stop this and start “ringback serve”, which has this page, too."
	return closeTable, nil
}

// inboxOfStack has the page show the table of a deployed stack.
func inboxOfStack(ctx context.Context, flags *tableFlags, country, timeZone string, c *inbox.Config) error {
	cfg, err := deployed.Config(ctx, flags.region)
	if err != nil {
		return err
	}
	store, settings, err := deployed.Table(ctx, cfg, flags.stack)
	if err != nil {
		return err
	}
	numbers, location, err := readPlace(cmp.Or(country, settings.Parameters["DefaultCountry"]), cmp.Or(timeZone, settings.Parameters["TimeZone"]))
	if err != nil {
		return err
	}
	c.Look, c.Acts = lookup.New(store, numbers, location), store
	c.Where = "the stack " + flags.stack
	c.Facts = func(ctx context.Context) (facts []inbox.Fact, err error) {
		alarms, err := deployed.ReadAlarms(ctx, cfg, flags.stack, settings.Outputs)
		for _, a := range alarms {
			f := inbox.Fact{Name: "Alarm " + a.Name, Text: "quiet"}
			if a.On {
				f.Text, f.Bad = "has gone off: see docs/operations.md", true
			} else if !a.Told {
				f.Text = "quiet, and would tell nobody"
			}
			facts = append(facts, f)
		}
		return facts, err
	}
	return nil
}

// readPlace reads how numbers are written and times are told; "" for as on this machine.
func readPlace(country, timeZone string) (phone.Book, *time.Location, error) {
	numbers, err := phone.New(country)
	if err != nil {
		return phone.Book{}, nil, fmt.Errorf("--default-country: %w", err)
	}
	location := zone.Local()
	if timeZone != "" {
		if location, err = zone.Load(timeZone); err != nil {
			return phone.Book{}, nil, fmt.Errorf("--time-zone: %w", err)
		}
	}
	return numbers, location, nil
}
