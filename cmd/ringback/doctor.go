package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
)

// verdict says how bad a finding is.
type verdict string

const (
	fine    verdict = "OK"
	warning verdict = "warning"
	wrong   verdict = "wrong"
)

// finding is one line of what the doctor found.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Says    string  `json:"says"`
	Do      string  `json:"do,omitzero"` // what to do about it
}

// report collects findings.
type report struct{ findings []finding }

func (r *report) add(check string, v verdict, says, do string) {
	r.findings = append(r.findings, finding{check, v, says, do})
}

// count returns how many findings have a verdict.
func (r *report) count(v verdict) (n int) {
	for _, f := range r.findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

type doctorFlags struct {
	account  accountFlags
	endpoint endpointFlags
	output   string
}

func newDoctor() *cobra.Command {
	var flags doctorFlags
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether calls get through, and say what is wrong",
		Long: `doctor looks whether every call gets from JustCall to people, and changes
nothing. It prints one line for each thing it looked at: OK, warning or wrong,
with what to do. It fails if anything is wrong.

In JustCall it looks whether each needed type of event is posted to the webhook,
and whether JustCall's newest calls are in the table. That needs the account's
API key and secret: see "ringback connect --help". Of the stack that "ringback
serve" runs here it sees the last delivery and the alerts that wait, unless it
is running. Of a deployed stack (--stack) it sees queues, alarms, and
subscriptions that nobody has confirmed.`,
		Example: `  ringback doctor --webhook-url https://my-tunnel.example.com/justcall
  ringback doctor --stack ringback --keys justcall-keys.json
  ringback doctor --stack ringback --output json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if flags.output != "text" && flags.output != "json" {
				return errors.New("--output is text or json")
			}
			r, err := flags.look(c)
			if err != nil {
				return err
			}
			if flags.output == "json" {
				err = r.printJSON(c.OutOrStdout())
			} else {
				r.print(c.OutOrStdout())
			}
			if n := r.count(wrong); n > 0 && err == nil {
				err = fmt.Errorf("%s wrong", count(n, "thing is", "things are"))
			}
			return err
		},
	}
	flags.account.add(c)
	flags.endpoint.add(c, "")
	c.Flags().StringVarP(&flags.output, "output", "o", "text", "text or json")
	return c
}

func (r *report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range r.findings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Verdict, f.Check, f.Says)
		if f.Do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.Do)
		}
	}
	_ = w.Flush() // like all output errors, ignored
	fmt.Fprintf(out, "%d OK, %s, %d wrong\n", r.count(fine), count(r.count(warning), "warning", "warnings"), r.count(wrong))
}

func (r *report) printJSON(out io.Writer) error {
	if err := json.MarshalWrite(out, map[string]any{"findings": r.findings}, jsontext.WithIndent("  ")); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	fmt.Fprintln(out)
	return nil
}

// look looks at everything. What cannot be looked at is a finding, too.
func (f *doctorFlags) look(c *cobra.Command) (*report, error) {
	ctx := c.Context()
	r := new(report)
	target, err := f.endpoint.find(ctx, f.endpoint.stack == "")
	if err != nil {
		return nil, err
	}
	credentials, err := f.account.credentials(c, f.output == "text")
	if err != nil && !isNoKeys(err) {
		return nil, err
	}
	noKeys := err
	reaches := r.webhook(ctx, target)
	var store table.Store
	closeStore := func() error { return nil }
	if f.endpoint.stack != "" {
		r.stack(ctx, f.endpoint.stack, target)
		if opened, _, err := deployed.Table(ctx, target.cfg, f.endpoint.stack); err == nil {
			store = opened
		}
	} else {
		store, closeStore = r.folder(ctx, f.endpoint.data)
	}
	r.arrivals(ctx, store)
	r.reconciled(ctx, store)
	if noKeys != nil {
		r.add("JustCall", warning, "not looked at", noKeys.Error())
		r.lastHooks(ctx, store)
		return r, closeStore()
	}
	r.justcall(ctx, f, credentials, target, store, reaches)
	return r, closeStore()
}

// webhook looks whether the webhook answers, and reports whether JustCall could reach it.
func (r *report) webhook(ctx context.Context, target endpoint) (reaches bool) {
	if target.url == "" {
		r.add("webhook", warning, "not looked at", "pass --webhook-url, the URL at which JustCall reaches this machine")
		return false
	}
	if err := probe(ctx, target.url); err != nil {
		r.add("webhook", wrong, err.Error(), "JustCall cannot deliver: check whether the stack runs, and the URL "+withoutToken(target.url))
		return true
	}
	r.add("webhook", fine, withoutToken(target.url)+" answers", "")
	return true
}

// folder looks at the local stack. The store is nil if it cannot be read.
func (r *report) folder(ctx context.Context, data string) (table.Store, func() error) {
	nothing := func() error { return nil }
	found, err := local.Inspect(ctx, data)
	switch {
	case errors.Is(err, bolt.ErrLocked):
		r.add("table", fine, "in use: \"ringback serve\" runs. What is in it shows only when it does not", "")
		return nil, nothing
	case err != nil:
		r.add("table", wrong, err.Error(), "")
		return nil, nothing
	}
	r.add("serve", warning, "\"ringback serve\" does not run in "+data, "start it: JustCall tries each delivery for a few minutes only")
	if found.LastDelivery.IsZero() {
		r.add("last delivery", warning, "none yet", "run \"ringback connect\", and call one of your lines")
	} else {
		r.add("last delivery", fine, fmt.Sprintf("%s; %s in the table", showTime(found.LastDelivery), count(found.Events, "event", "events")), "")
	}
	if found.Waiting > 0 {
		r.add("alerts", warning, count(found.Waiting, "alert waits", "alerts wait"), "start \"ringback serve\", with the --forward that it had")
	} else {
		r.add("alerts", fine, "none waits", "")
	}
	flags := tableFlags{data: data}
	store, closeStore, err := flags.open(ctx)
	if err != nil {
		r.add("table", wrong, err.Error(), "")
		return nil, nothing
	}
	return store, closeStore
}

// staleAfter is how long calls may seem not to end while other events arrive.
const staleAfter = 7 * 24 * time.Hour

// arrivals looks when events last arrived, and whether those among them are that say who was
// called back. Of a table that has had none since ringback takes note of it, it says nothing.
func (r *report) arrivals(ctx context.Context, store table.Store) {
	if store == nil {
		return
	}
	const check, connect = "who was called back", "run \"ringback connect\""
	seen, err := table.LoadHealth(ctx, store)
	switch {
	case err != nil:
		r.add(check, warning, "could not be looked up: "+err.Error(), "")
	case seen.Arrived.IsZero():
	case seen.EndedSince.IsZero():
		r.add(check, wrong, "is not known, and so nobody is reminded of callers who wait: no call.completed or call.answered has ever arrived", connect)
	case seen.Arrived.Sub(seen.Ended) > staleAfter:
		r.add(check, warning, "may not be known: other events arrive, but no call.completed or call.answered since "+showTime(seen.Ended), connect)
	case seen.Texted.IsZero():
		r.add(check, fine, "by telephone is known as of "+showTime(seen.Arrived)+"; no sms.sent has ever arrived", "if you text callers: "+connect)
	default:
		r.add(check, fine, "is known as of "+showTime(seen.Arrived), "")
	}
}

// reconcileLate is how long ago the last run may be that looked for what the webhook lost:
// four are due in that time.
const reconcileLate = 4 * reconcile.Every

// reconciled looks whether somebody looks for what the webhook lost.
func (r *report) reconciled(ctx context.Context, store table.Store) {
	if store == nil {
		return
	}
	const check = "lost deliveries"
	switch last, err := reconcile.LastRun(ctx, store); {
	case err != nil:
		r.add(check, warning, "could not be looked up: "+err.Error(), "")
	case last.IsZero():
		r.add(check, warning, "are not looked for", "give the stack JustCall's keys, too: docs/reconcile.md#switch-it-on")
	case time.Since(last) > reconcileLate:
		r.add(check, warning, "were last looked for at "+showTime(last), "look at the log: docs/reconcile.md#limits-and-failures")
	default:
		r.add(check, fine, "were looked for at "+showTime(last), "")
	}
}

// lastHooks says what the last run saw of the webhooks that looked for what they lost.
func (r *report) lastHooks(ctx context.Context, store table.Store) {
	if store == nil {
		return
	}
	const check = "webhooks"
	switch hooks, err := reconcile.LastHooks(ctx, store); {
	case err != nil:
		r.add(check, warning, "could not be looked up: "+err.Error(), "")
	case len(hooks.Unposted) == 0:
	case time.Since(hooks.Looked) > reconcileLate:
		r.add(check, warning, saysUnposted(hooks), "look at the log: docs/reconcile.md#limits-and-failures")
	default:
		r.add(check, wrong, saysUnposted(hooks), "run \"ringback connect\": docs/operations.md#webhook-inactive")
	}
}

// saysUnposted says what JustCall did not post as it should when a run last looked.
func saysUnposted(hooks reconcile.Hooks) string {
	var types []string
	for _, u := range hooks.Unposted {
		types = append(types, fmt.Sprintf("%s (%s)", u.Type, u.State))
	}
	return fmt.Sprintf("JustCall has not posted these as it should since %s, as of %s: %s",
		showTime(hooks.Since), showTime(hooks.Looked), strings.Join(types, ", "))
}

// stack looks at what a deployed stack shows of itself.
func (r *report) stack(ctx context.Context, name string, target endpoint) {
	for _, topic := range topics {
		r.topic(ctx, topic, target)
	}
	for _, queue := range []struct {
		output, name, alarm string
		most                verdict
	}{
		{deployed.OutputSpillQueue, "spill queue", "spill-age", warning},
		{deployed.OutputDeadLetterQueue, "dead-letter queue", "dead-letter", wrong},
	} {
		messages, err := deployed.ReadQueue(ctx, target.cfg, target.outputs[queue.output])
		switch {
		case err != nil:
			r.add(queue.name, warning, "could not be looked at: "+err.Error(), "")
		case messages > 0:
			says := count(messages, "delivery waits", "deliveries wait")
			switch age, err := deployed.ReadOldest(ctx, target.cfg, target.outputs[queue.output], time.Now()); {
			case err != nil:
				says += ", for how long is not known"
			case age > 0:
				says += ", the oldest for " + age.Round(time.Second).String()
			}
			r.add(queue.name, queue.most, says, "docs/operations.md#"+queue.alarm)
		default:
			r.add(queue.name, fine, "empty", "")
		}
	}
	alarms, err := deployed.ReadAlarms(ctx, target.cfg, name, target.outputs)
	if err != nil {
		r.add("alarms", warning, "could not be looked at: "+err.Error(), "")
		return
	}
	quiet := 0
	for _, a := range alarms {
		switch {
		case a.On:
			r.add("alarm "+a.Name, wrong, "is on", "docs/operations.md#"+a.Name)
		case !a.Told:
			r.add("alarm "+a.Name, warning, "tells nobody: its actions are off, or do not name the stack's topic", "deploy the stack again, or switch the alarm's actions on")
		default:
			quiet++
		}
	}
	if len(alarms) == 0 {
		r.add("alarms", wrong, "the stack has none", "deploy it again")
	} else if quiet > 0 {
		r.add("alarms", fine, count(quiet, "alarm is quiet", "alarms are quiet"), "")
	}
}

func (r *report) topic(ctx context.Context, topic topic, target endpoint) {
	check := "who gets " + topic.carries
	found, err := deployed.ReadSubscribers(ctx, target.cfg, target.outputs[topic.output])
	const link = "follow the link in the e-mail from AWS Notifications, or get a new one: docs/subscriptions.md#a-new-link"
	switch {
	case err != nil:
		r.add(check, warning, "could not be looked at: "+err.Error(), "")
	case found == deployed.Subscribers{}:
		r.add(check, wrong, topic.nobody+": the topic has no subscriber", "set "+topic.parameter+": \"make deploy ARGS=--ask\" asks for it")
	case found.Confirmed == 0:
		r.add(check, wrong, topic.nobodyYet+": "+subscriptions(found.Pending)+" not confirmed", link)
	case found.Pending > 0:
		r.add(check, warning, subscriptions(found.Pending)+" not confirmed", link)
	default:
		r.add(check, fine, count(found.Confirmed, "subscription is confirmed", "subscriptions are confirmed"), "")
	}
}

// justcall looks at the account.
func (r *report) justcall(ctx context.Context, f *doctorFlags, credentials justcall.Credentials, target endpoint, store table.Store, reaches bool) {
	found, err := openAccount(ctx, credentials, f.account.api)
	if err != nil {
		r.add("JustCall", wrong, err.Error(), "")
		return
	}
	r.add("JustCall", fine, fmt.Sprintf("accepts the key; %s, %s", count(len(found.users), "user", "users"), count(len(found.lines), "line", "lines")), "")
	if says := clockAdvice(found.client); says != "" {
		r.add("clock", warning, says, "set the clock of this machine: calls look older or younger than they are")
	}
	if says, do := signingAdvice(target, credentials); says != "" {
		r.add("signatures", warning, says, do)
	} else {
		r.add("signatures", fine, "are checked with this account's secret", "")
	}
	if reaches {
		for i, s := range justcall.Subscriptions(found.hooks, target.url, neededTypes()) {
			r.subscription(s, justcall.Needed[i].For)
		}
	}
	r.newest(ctx, found.client, store)
}

func (r *report) subscription(s justcall.Subscription, purpose string) {
	check := "event " + string(s.Type)
	const connect = "run \"ringback connect\""
	switch {
	case s.State == justcall.Missing:
		r.add(check, wrong, "is not posted to the webhook; it is for "+purpose, connect)
	case s.State == justcall.Blacklisted:
		r.add(check, wrong, "JustCall has stopped posting it (Blacklisted)", connect+", which removes the webhook and adds it again")
	case s.State == justcall.Warned:
		r.add(check, warning, "JustCall has trouble posting it (Warning), and may stop", "look at the stack's alarms and the webhook's log; then remove the webhook in JustCall and run \"ringback connect\"")
	case s.State == justcall.Outdated:
		r.add(check, warning, "is posted in an older form", "to get the newest, remove the webhook in JustCall and run \"ringback connect\"")
	case s.State == justcall.Unknown:
		r.add(check, warning, "has a status that ringback does not know: "+strconv.QuoteToASCII(string(s.Status)[:min(len(s.Status), 40)]), "look at it in JustCall, under APIs and Webhooks")
	case len(s.Hooks) > 1:
		r.add(check, warning, fmt.Sprintf("is posted %d times", len(s.Hooks)), "each is kept once; remove the others in JustCall, under APIs and Webhooks")
	default:
		r.add(check, fine, "is posted", "")
	}
}

const (
	// settled is how long after its start a call is in the table, if it is not a long one.
	settled = 15 * time.Minute
	// compared is how many of JustCall's calls are looked up.
	compared = 10
)

// newest looks whether JustCall's newest calls are in the table.
func (r *report) newest(ctx context.Context, client *justcall.Client, store table.Store) {
	const check = "newest calls"
	var page justcall.Page[justcall.Call]
	for first, err := range client.Calls(ctx, justcall.Cursor{}) {
		if err != nil {
			r.add(check, wrong, err.Error(), "")
			return
		}
		page = first
		break
	}
	var looked, lost int
	var oldest, newest time.Time
	for _, call := range page.Rows {
		if call.StartedAt.IsZero() || time.Since(call.StartedAt) < settled || call.UnderWay() || looked == compared {
			continue
		}
		if newest.IsZero() {
			newest = call.StartedAt
		}
		if store == nil {
			break
		}
		looked++
		known, err := isStored(ctx, store, call)
		if err != nil {
			r.add(check, warning, "could not be looked up: "+err.Error(), "")
			return
		}
		if !known {
			lost++
			oldest = call.StartedAt
		}
	}
	switch {
	case newest.IsZero():
		r.add(check, warning, "JustCall shows none that ended", "call one of your lines, and run this again in a quarter of an hour")
	case store == nil:
		r.add(check, warning, "JustCall has one of "+showTime(newest)+"; the table is in use, so it was not looked up", "")
	case lost > 0:
		r.add(check, warning, fmt.Sprintf("%d of JustCall's %d newest are not in the table; the first of these began at %s", lost, looked, showTime(oldest)),
			"if that was before you connected, nothing is wrong; otherwise the webhook lost them: docs/reconcile.md")
	default:
		r.add(check, fine, fmt.Sprintf("JustCall's %d newest are in the table, up to that of %s", looked, showTime(newest)), "")
	}
}

// isStored reports whether the table has an event of a call, by either of its ids.
func isStored(ctx context.Context, store table.Store, call justcall.Call) (bool, error) {
	for _, id := range []string{call.SID, strconv.FormatInt(call.ID, 10)} {
		if id == "" || id == "0" {
			continue
		}
		for item, err := range table.All(ctx, store, table.Query{Partition: table.CallPartition(id), Limit: 10}) {
			if err != nil {
				return false, fmt.Errorf("read the call: %w", err)
			}
			if table.IsEvent(table.KeyOf(item)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// showTime shows a time in the zone of this machine.
func showTime(at time.Time) string { return at.Local().Format("2006-01-02 15:04 MST") }
