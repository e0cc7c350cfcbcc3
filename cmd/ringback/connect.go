package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
)

// connectSample is posted to prove that the webhook stores: a call that was answered, so
// that nobody is alerted.
const connectSample = "call.completed"

type connectFlags struct {
	account     accountFlags
	endpoint    endpointFlags
	all         bool
	dryRun, yes bool
	noSample    bool
}

func newConnect() *cobra.Command {
	var flags connectFlags
	c := &cobra.Command{
		Use:   "connect",
		Short: "Have JustCall post its events to your stack",
		Long: `connect subscribes the webhook of a stack in a JustCall account, over JustCall's
API: once for every type of event that ringback needs. It shows what it will do
and asks. Then it adds what is missing, reads the list again to see that all is
there, and posts a sample through the webhook. Other programs' webhooks stay as
they are.

It needs the account's API key and API secret, from ` + apiKeyEnv + ` and
` + apiSecretEnv + `, from a file (--keys), or typed in when it asks. No
flag takes them: the shell's history and other users would see them.

Without --webhook-url it is about a deployed stack, with the AWS credentials
that "make deploy" needs. With it, about the stack that "ringback serve" runs
here.`,
		Example: `  ringback connect --dry-run
  ringback connect --stack ringback-prod --keys justcall-keys.json
  ringback connect --webhook-url https://my-tunnel.example.com/justcall`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return flags.run(c) },
	}
	flags.account.add(c)
	flags.endpoint.add(c, "ringback")
	c.Flags().BoolVar(&flags.all, "all", false, "subscribe every type of event, not only those that are needed")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what it would do, and change nothing")
	c.Flags().BoolVar(&flags.yes, "yes", false, "do not ask before changing anything")
	c.Flags().BoolVar(&flags.noSample, "no-sample", false, "post no sample")
	return c
}

func (f *connectFlags) run(c *cobra.Command) error {
	ctx, out := c.Context(), c.OutOrStdout()
	target, err := f.endpoint.find(ctx, f.endpoint.webhookURL != "")
	if err != nil {
		return err
	}
	credentials, err := f.account.credentials(c, true)
	if err != nil {
		return err
	}
	found, err := openAccount(ctx, credentials, f.account.api)
	if err != nil {
		return err
	}
	end := "."
	if len(found.lines) > 0 {
		end = ":"
	}
	fmt.Fprintf(out, "JustCall accepts the key. The account has %s and %s%s\n",
		count(len(found.users), "user", "users"), count(len(found.lines), "line", "lines"), end)
	found.printLines(out)

	types := neededTypes()
	if f.all {
		types = allTypes()
	}
	steps := plan(justcall.Subscriptions(found.hooks, target.url, types))
	fmt.Fprintf(out, "\nWebhooks to %s\n", withoutToken(target.url))
	printPlan(out, steps)
	if n := others(found.hooks, target.url); n > 0 {
		fmt.Fprintf(out, "  The account has %s to other addresses, which stay as they are.\n", count(n, "webhook", "webhooks"))
	}
	fmt.Fprintln(out)
	// JustCall tests the URL when it is added, and stops posting to one that fails.
	if err := probe(ctx, target.url); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	changes := changesIn(steps)
	switch {
	case f.dryRun:
		advise(out, found, target, credentials)
		fmt.Fprintln(out, "This was a dry run: nothing was changed.")
		return nil
	case changes > 0 && !f.yes:
		if err := confirm(ctx, out, changes); err != nil {
			return err
		}
	}
	if err := f.change(ctx, out, found.client, steps, target.url); err != nil {
		return err
	}
	if !f.noSample {
		if err := sendConnectSample(ctx, out, target.url); err != nil {
			return err
		}
	}
	advise(out, found, target, credentials)
	return nil
}

// change carries the plan out, and looks whether JustCall did.
func (f *connectFlags) change(ctx context.Context, out io.Writer, client *justcall.Client, steps []step, address string) error {
	var errs []error
	for _, s := range steps {
		for _, id := range s.remove {
			if err := client.RemoveWebhook(ctx, id); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.Type, err))
			}
		}
		if s.add {
			if err := client.AddWebhook(ctx, s.Type, address); err != nil {
				errs = append(errs, err)
			}
		}
	}
	// JustCall may have added a webhook although its response said otherwise, or never came.
	hooks, err := client.Webhooks(ctx)
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("look whether all is there: %w\nRun connect again", err))...)
	}
	var types []events.Type
	for _, s := range steps {
		types = append(types, s.Type)
	}
	var missing []string
	for _, s := range justcall.Subscriptions(hooks, address, types) {
		if s.State == justcall.Missing || s.State == justcall.Blacklisted {
			missing = append(missing, string(s.Type))
		}
	}
	if len(missing) > 0 {
		errs = append(errs, fmt.Errorf("JustCall does not post %s to the webhook\n%s", strings.Join(missing, ", "), byHand))
		return errors.Join(errs...)
	}
	fmt.Fprintf(out, "JustCall posts all %d types to the webhook.\n", len(types))
	return nil
}

// byHand says what to click where the API refuses.
const byHand = "Run connect again. If it fails again, add them by hand: in JustCall, open APIs and Webhooks, choose Webhooks, and\n" +
	"for each of these types add the URL that \"ringback webhook-url\" prints, or that \"ringback serve\" listens at behind your tunnel."

// step is what connect does about one type.
type step struct {
	justcall.Subscription

	remove []string // IDs of webhooks
	add    bool
	says   string
}

// plan returns what to do so that each type is subscribed.
func plan(subscriptions []justcall.Subscription) []step {
	steps := make([]step, len(subscriptions))
	for i, s := range subscriptions {
		step := step{Subscription: s}
		switch s.State {
		case justcall.Missing:
			step.add, step.says = true, "will be added"
		case justcall.Blacklisted:
			// There is no call to activate a webhook again.
			for _, h := range s.Hooks {
				step.remove = append(step.remove, h.ID)
			}
			step.add, step.says = true, "JustCall has stopped posting: will be removed and added again"
			if len(step.remove) == 0 {
				step.says = "JustCall has stopped posting to the webhook of another type: will be added"
			}
		case justcall.Warned:
			step.says = "is there, but JustCall has trouble with it: run \"ringback doctor\""
		case justcall.Outdated:
			step.says = "is there, in an older form of the events"
		case justcall.Unknown:
			step.says = fmt.Sprintf("is there, with a status that ringback does not know: %.40q", s.Status)
		case justcall.Subscribed:
			step.says = "is there"
		}
		steps[i] = step
	}
	return steps
}

func changesIn(steps []step) (n int) {
	for _, s := range steps {
		if s.add {
			n++
		}
	}
	return n
}

func printPlan(out io.Writer, steps []step) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(w, "  %s\t%s\n", s.Type, s.says)
	}
	_ = w.Flush() // like all output errors, ignored
}

// others counts the webhooks to other addresses.
func others(hooks []justcall.Webhook, address string) (n int) {
	for _, h := range hooks {
		if !justcall.SameURL(h.URL, address) {
			n++
		}
	}
	return n
}

func neededTypes() (types []events.Type) {
	for _, needed := range justcall.Needed {
		types = append(types, needed.Type)
	}
	return types
}

// allTypes are the types that JustCall has webhooks for, but the one that repeats the
// events of two others.
func allTypes() []events.Type {
	var types []events.Type
	for _, t := range justcall.WebhookTypes {
		if t != events.TypeSMSSentReceived {
			types = append(types, t)
		}
	}
	return types
}

// confirm asks whether to go on.
func confirm(ctx context.Context, out io.Writer, changes int) error {
	return agree(ctx, out, fmt.Sprintf("Add %s? [y/N] ", count(changes, "webhook", "webhooks")))
}

// agree asks a question, and returns an error unless the answer is yes.
func agree(ctx context.Context, out io.Writer, question string) error {
	if !isTerminal(os.Stdin) || inCI() {
		return errors.New("nothing was changed: pass --yes to change it without being asked")
	}
	fmt.Fprint(out, question)
	answer, err := readLine(ctx, bufio.NewReader(os.Stdin))
	if err != nil || !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		return errors.New("nothing was changed")
	}
	return nil
}

// probe posts what JustCall posts to test a URL. Nothing is stored.
func probe(ctx context.Context, address string) error {
	a, err := poster{url: address, now: time.Now, limit: probeTime}.post(ctx, nil)
	switch {
	case errors.Is(err, errRefused): // without the hint for "send"
		return fmt.Errorf("the webhook does not answer: %w", errRefused)
	case err != nil:
		return fmt.Errorf("the webhook does not answer: %w", err)
	case a.status != http.StatusOK || a.Status != string(ingest.StatusProbe):
		return fmt.Errorf("the webhook answers %d %s to a test, instead of 200 %s", a.status, a.text(), ingest.StatusProbe)
	}
	return nil
}

const probeTime = 10 * time.Second

func sendConnectSample(ctx context.Context, out io.Writer, address string) error {
	body, err := readSample("", connectSample)
	if err != nil {
		return err
	}
	a, err := poster{url: address, now: time.Now}.post(ctx, body)
	if err != nil {
		return fmt.Errorf("the sample did not get through: %w", err)
	}
	if a.status != http.StatusOK || a.Status == "" {
		return fmt.Errorf("the sample was not stored: %d %s%s", a.status, a.text(), hints[a.status])
	}
	fmt.Fprintf(out, "A sample went through: %d %s.\n", a.status, a.text())
	return nil
}

// advise says what of the account the stack's settings do not have yet.
func advise(out io.Writer, found *account, target endpoint, credentials justcall.Credentials) {
	if name, users := found.timeZone(); name != "" {
		fmt.Fprintf(out, "Time zone: %s, that of %d of %s.", name, users, count(len(found.users), "user", "users"))
		switch set := target.settings.Parameters["TimeZone"]; {
		case target.outputs == nil:
			fmt.Fprintf(out, " Start \"ringback serve\" with --time-zone %s.", name)
		case set != name:
			fmt.Fprintf(out, " The stack has TimeZone %s: \"make deploy ARGS=--ask\" changes it.", set)
		}
		fmt.Fprintln(out)
	} else {
		fmt.Fprintln(out, "Time zone: ringback knows none of the time zones of JustCall's users.")
	}
	fmt.Fprintln(out, "Business hours: JustCall's API does not have them"+found.hoursAdvice(target))
	if says, do := signingAdvice(target, credentials); says != "" {
		fmt.Fprintf(out, "Signatures: %s.\n  To do: %s.\n", says, do)
	}
	fmt.Fprintln(out, "Lost deliveries: ringback finds them if the stack has these keys, too: docs/reconcile.md#switch-it-on.")
}

// signingAdvice says what is wrong with the secret that signatures are checked with, and
// what to do about it; "" if nothing is wrong.
func signingAdvice(target endpoint, credentials justcall.Credentials) (says, do string) {
	do = "put this account's API secret into the stack's secret as signing_secret"
	if target.outputs == nil {
		do = "put this account's API secret into secret.json in the data folder as signing_secret, and restart \"ringback serve\""
	} else {
		do += ": docs/operations.md#change-the-secret"
	}
	switch target.secret.SigningSecret {
	case credentials.Secret:
		return "", ""
	case "":
		return "are not checked: whoever has the URL can post", do
	}
	return "are checked with another secret than this account's, so what JustCall signs is refused", do
}
