// Command ringback is the command line: the whole stack on one machine, and
// helpers for a deployed stack.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		err = plain(err)
		fmt.Fprintf(stderr, "ringback: %v\n", err)
		return exitCode(err)
	}
	return 0
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "ringback",
		Short: "Receive every JustCall webhook, keep it, and miss no call",
		Long: `ringback receives every webhook of JustCall, keeps each event in one table and
alerts people to missed calls and voicemails.

Try it on this machine:

  ringback serve --demo      start, post the nine sample events, keep serving
  ringback send call.missed  post one sample to it, from another terminal

Then deploy it to AWS with "make deploy". "ringback connect" has JustCall post
to it, and "ringback doctor" says what is wrong.

Who waits, and what became of today's calls: "ringback waiting", "ringback
today".`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newServe(), newDemo(), newSend(), newConnect(), newDoctor(), newWaiting(), newToday(), newCaller(), newCall(), newInbox(), newMessage(), newContact(), newTail(), newRejected(), newReplay(), newErase(), newStats(), newClaim(), newUnclaim(), newDone(), newSnooze(), newImport(), newRebuild(), newCreateTable(), newDeploy(), newWebhookURL())
	root.SetFlagErrorFunc(badFlag)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", narrow)))
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// programName is what to type to run this program again.
func programName() string {
	if name := os.Args[0]; strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		return name
	}
	return "ringback"
}

// version returns the module's version, which names the commit if the program was
// built from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// stackFlags are the flags of a local stack.
type stackFlags struct {
	data, address, samples, webhookURL, forwardURL, timeZone, defaultCountry, ownNumbers string

	// callsBack is set if the demo calls the missed caller back.
	callsBack bool

	rules          alert.Rules
	abandoned      string
	reminders      escalate.Settings
	callers        escalate.Callers // what start makes of them
	acceptUnsigned bool
	retention      string
}

func (f *stackFlags) add(c *cobra.Command, data, address string) {
	flags := c.Flags()
	flags.StringVar(&f.data, "data", data, "folder with the table and the token; created if missing")
	flags.StringVar(&f.address, "addr", address, "address to listen on; port 0 takes a free one")
	flags.StringVar(&f.timeZone, "time-zone", "", "zone of the times in alerts, such as America/New_York (default: this machine's)")
	flags.StringVar(&f.defaultCountry, "default-country", "", "country of numbers without a country code, such as US")
	flags.StringVar(&f.ownNumbers, ownNumbersFlag, "", `numbers of your own lines and people, such as "+1 415 555 0100, +1 415 555 0101": their calls alert nobody. Not a number that forwards callers to a line under its own number`)
	f.addSamples(c)
}

func (f *stackFlags) addSamples(c *cobra.Command) {
	c.Flags().StringVar(&f.samples, "samples", "", "folder with sample events, <event>.json (default: the nine built-in ones)")
}

// Defaults that serve and send share.
const (
	defaultData    = ".ringback"
	defaultAddress = "127.0.0.1:8080"
)
