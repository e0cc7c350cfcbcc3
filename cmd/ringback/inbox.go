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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

const (
	inboxFlag = "inbox-addr"
	inboxOff  = "off"
	// inboxFile is in the data folder while a stack runs there. It has the URL of the page,
	// with its token.
	inboxFile = "inbox.url"
	// askAgain is how often a deployed table is read for a page that is open.
	askAgain = 5 * time.Second
	// countAgain is how often all calls of a day are counted anew for it, and askPatience how
	// long the page waits for that.
	countAgain, askPatience = 30 * time.Second, time.Second
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
	look := lookup.New(s.Store, s.Config.Numbers, s.Config.Style.Location)
	look.Lines = s.Config.Callers.Lines
	served.page, err = inbox.Start(ctx, address, inbox.Config{
		Look:    look,
		Acts:    s.Config.Retention.Store(s.Store),
		Settled: s.Settled,
		Changed: s.Changed,
		Where:   "this machine",
		Name:    userName(),
		Facts: func(ctx context.Context) ([]inbox.Fact, error) {
			facts, err := localFacts(ctx, s)
			if !s.Reconciles || s.Config.WebhookURL == "" { // nobody looks any more
				return facts, err
			}
			hooks, hooksErr := hookFacts(ctx, s.Store)
			return append(facts, hooks...), errors.Join(err, hooksErr)
		},
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
	var flags lookFlags
	var address, by string
	c := &cobra.Command{
		Use:   "inbox",
		Short: "Serve a page that shows who waits for a call back",
		Long: `inbox serves a page on this machine: who waits to be called back, what became of
today's calls, and everything with a caller. It prints the page's URL, which
ends with a token: whoever has it reads names and numbers.

Where "ringback serve" runs, it serves the page itself, and inbox prints its
URL. With --stack, inbox reads the table of a deployed stack with your own AWS
credentials, every 5 seconds while a page is open. The page's buttons need
credentials that may write: see docs/lookups.md.`,
		Example: `  ringback inbox
  ringback inbox --stack ringback
  ringback inbox --stack ringback --by "Kim Doe"`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if flags.table.stack == "" {
				_, err := local.Connect(c.Context(), flags.table.data)
				if err == nil {
					return printRunning(c.OutOrStdout(), flags.table.data)
				}
				if !errors.Is(err, local.ErrNotRunning) {
					return err
				}
			}
			o, err := flags.open(c.Context())
			if err != nil {
				return explain(err)
			}
			config, err := flags.inbox(c.Context(), o)
			if err == nil {
				config.Name = cmp.Or(by, userName())
				err = serveInbox(c, address, config)
			}
			return errors.Join(err, o.close())
		},
	}
	flags.addPlace(c)
	c.Flags().StringVar(&address, "addr", inbox.DefaultAddress, "address of the page, on this machine; if nothing else is said and the port is taken, another one")
	c.Flags().StringVar(&by, "by", "", "who claims callers (default: your name on this machine)")
	return c
}

// inbox returns what the page shows of a table that no stack of this machine has open.
func (f *lookFlags) inbox(ctx context.Context, o opened) (inbox.Config, error) {
	config := inbox.Config{Look: o.Lookup, Every: askAgain, CountEvery: countAgain, Patience: askPatience}
	if f.table.stack == "" {
		config.Where = "this machine, where nothing runs"
		config.ReadOnly = "Nothing is received here now. To change anything, stop this and start “ringback serve”, which has this page, too."
		return config, nil
	}
	config.Where, config.Acts = "the stack "+f.table.stack, o.retention.Store(o.store)
	cfg, err := deployed.Config(ctx, f.table.region)
	if err != nil {
		return config, err
	}
	config.Facts = func(ctx context.Context) ([]inbox.Fact, error) {
		settings, err := deployed.ReadSettings(ctx, cfg, f.table.stack)
		if err != nil {
			return nil, err
		}
		return append(queueFacts(ctx, cfg, settings.Outputs), alarmFacts(ctx, cfg, f.table.stack, settings.Outputs)...), nil
	}
	return config, nil
}

// countTime is how long alerts are counted that wait: a receiver that is away for days has
// many.
const countTime = time.Second

// localFacts says what the stack of this machine still has to do.
func localFacts(ctx context.Context, s *local.Stack) ([]inbox.Fact, error) {
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	n, err := s.WaitingAlerts(ctx)
	fact := inbox.Fact{Name: "Alerts waiting", Text: "None", Bad: n > 0}
	switch {
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return nil, err
	case n > 0 && err != nil:
		fact.Text = fmt.Sprintf("More than %d", n)
	case err != nil:
		fact.Text = "Not counted yet"
	case n > 0:
		fact.Text = fmt.Sprint(n)
	}
	if n > 0 && len(s.Held) > 0 {
		fact.Text += ", for the URL of an earlier run: start “ringback serve” with --forward"
	} else if n > 0 {
		fact.Text += ", for their receiver: the log says why"
	}
	return []inbox.Fact{fact}, nil
}

// hookFacts says what the last run that looked for lost calls saw of the webhooks.
func hookFacts(ctx context.Context, store table.Store) ([]inbox.Fact, error) {
	hooks, err := reconcile.LastHooks(ctx, store)
	if err != nil || len(hooks.Unposted) == 0 {
		return nil, err
	}
	return []inbox.Fact{{Name: "Webhooks", Text: saysUnposted(hooks) + ". Run “ringback connect”", Bad: true}}, nil
}

// unknown is a fact that nobody can tell, mostly for want of a right.
func unknown(name string, err error) inbox.Fact {
	text := "Not known: " + err.Error()
	if isDenied(err) {
		text = "Not known: your AWS credentials lack the right. docs/lookups.md#access lists it."
	}
	return inbox.Fact{Name: name, Text: text}
}

// queueFacts says what waits to be stored.
func queueFacts(ctx context.Context, cfg aws.Config, outputs map[string]string) (facts []inbox.Fact) {
	for _, queue := range []struct{ output, name, section, one, many string }{
		{deployed.OutputSpillQueue, "Spill queue", "spill-age", "delivery waits to be stored", "deliveries wait to be stored"},
		{deployed.OutputDeadLetterQueue, "Dead-letter queue", "dead-letter", "delivery could not be stored", "deliveries could not be stored"},
	} {
		n, err := deployed.ReadQueue(ctx, cfg, outputs[queue.output])
		switch {
		case err != nil:
			facts = append(facts, unknown(queue.name, err))
		case n > 0:
			facts = append(facts, inbox.Fact{Name: queue.name, Text: count(n, queue.one, queue.many) + ": see docs/operations.md#" + queue.section, Bad: true})
		default:
			facts = append(facts, inbox.Fact{Name: queue.name, Text: "Empty"})
		}
	}
	return facts
}

// alarmFacts names the alarms that somebody has to look at, and counts the others.
func alarmFacts(ctx context.Context, cfg aws.Config, stack string, outputs map[string]string) (facts []inbox.Fact) {
	alarms, err := deployed.ReadAlarms(ctx, cfg, stack, outputs)
	if err != nil {
		return []inbox.Fact{unknown("Alarms", err)}
	}
	quiet := 0
	for _, a := range alarms {
		switch {
		case a.On:
			facts = append(facts, inbox.Fact{Name: "Alarm " + a.Name, Text: "Has gone off: see docs/operations.md#" + a.Name, Bad: true})
		case !a.Told:
			facts = append(facts, inbox.Fact{Name: "Alarm " + a.Name, Text: "Quiet, and would tell nobody: “ringback doctor” says more", Bad: true})
		default:
			quiet++
		}
	}
	switch {
	case len(alarms) == 0:
		facts = append(facts, inbox.Fact{Name: "Alarms", Text: "The stack has none: deploy it again", Bad: true})
	case quiet > 0:
		facts = append(facts, inbox.Fact{Name: "Alarms", Text: count(quiet, "is quiet", "are quiet")})
	}
	return facts
}

// serveInbox serves the page until the program is stopped.
func serveInbox(c *cobra.Command, address string, config inbox.Config) error {
	page, err := inbox.Start(c.Context(), address, config, logTo(c.ErrOrStderr(), slog.LevelInfo))
	if err != nil {
		return inboxError(err, "--addr")
	}
	fmt.Fprintf(c.OutOrStdout(), "Open\n\n  %s\n\nStop it with Ctrl-C.\n", page.URL)
	<-c.Context().Done()
	page.Close()
	return nil
}

// printRunning prints the URL of the page of the stack that runs in a folder.
func printRunning(out io.Writer, data string) error {
	url, err := os.ReadFile(filepath.Join(data, inboxFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the \"ringback serve\" that runs in %s has no page: start it without --%s %s", data, inboxFlag, inboxOff)
	}
	if err != nil {
		return fmt.Errorf("find the page of the running stack: %w", err)
	}
	fmt.Fprintf(out, "The running stack has it at\n\n  %s\n", strings.TrimSpace(string(url)))
	return nil
}
