// Command storm plays JustCall against a stack and finds out whether the stack keeps its promises: see package
// play.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand()
	c.SetArgs(args)
	c.SetOut(stdout)
	c.SetErr(stderr)
	if err := c.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintf(stderr, "storm: %v\n", err)
		return 1
	}
	return 0
}

// signingSecretEnv keeps the secret out of the shell's history.
const signingSecretEnv = "RINGBACK_SIGNING_SECRET"

// options say how to post, and to what.
type options struct {
	*play.Player

	mix            play.Mix
	kills, repeats int
	ringback       string
	stack, region  string
	parts          target.Stack
}

func newCommand() *cobra.Command {
	o := options{Player: play.NewPlayer(32, 5*time.Minute), mix: play.Mix{Seed: 1, Deliveries: 10_000, Duplicates: 30, Strays: 2}}
	c := &cobra.Command{
		Use:   "storm",
		Short: "Play JustCall against a stack and prove that nothing is lost or alerted twice",
		Long: `storm makes up deliveries of every kind in both formats, many of them twice and in another
spelling, and posts them as JustCall does: signed, shuffled, and retried on the three schedules of
its documents, with time running faster. Some are lost on the way. Between them come probes,
unreadable bodies and forged signatures. Then it reads the table and the alerts back, prints what
it found, and ends with an error if the stack has broken a promise.

By default it starts a stack of its own, "ringback serve". With --stack, or --url, --table and
--topic, it plays against one on AWS or on stand-ins, whose alerts come through a temporary queue.
The events stay in the table: use a stack that exists for trials. With --url, the signing secret is
read from ` + signingSecretEnv + `.`,
		Example: `  go run ./internal/proof/storm --deliveries 100000 --kills 3 --seed 7
  go run ./internal/proof/storm --deliveries 5000 --rate 50 --stack ringback-test --region eu-central-1`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(c); err != nil {
				return err
			}
			plan, err := play.NewPlan(o.mix)
			if err != nil {
				return err
			}
			if o.stack != "" || o.parts.URL != "" {
				return o.playDeployed(c.Context(), plan, c.OutOrStdout(), c.ErrOrStderr())
			}
			return o.playLocal(c.Context(), plan, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.IntVar(&o.mix.Deliveries, "deliveries", o.mix.Deliveries, "how many deliveries to post")
	f.IntVar(&o.mix.Duplicates, "duplicates", o.mix.Duplicates, "percentage of the deliveries whose event another delivery has as well")
	f.IntVar(&o.mix.Strays, "strays", o.mix.Strays, "how many percent more are no events: probes, unreadable bodies, forged signatures")
	f.Uint64Var(&o.mix.Seed, "seed", o.mix.Seed, "number that decides what is posted")
	f.IntVar(&o.Loss, "faults", 5, "percentage of the first and second tries that are lost on the way, and of the tries to alert that fail on storm's own stack")
	f.IntVar(&o.Concurrency, "concurrency", o.Concurrency, "how many deliveries are under way at a time")
	f.Float64Var(&o.Rate, "rate", 0, "how many deliveries to post a second (default: as fast as they are answered)")
	f.DurationVar(&o.Minute, "minute", time.Second, "how long a minute of JustCall's schedules takes; if it is shorter, they may give up before a killed stack is back")
	f.DurationVar(&o.Wait, "wait", o.Wait, "how long the stack may take to store and alert everything after the last answer")
	f.IntVar(&o.kills, "kills", 0, "how often to kill storm's own stack, at moments that the seed decides")
	f.StringVar(&o.ringback, "ringback", "", "path of the ringback that is storm's own stack (default: built from this source)")
	f.StringVar(&o.stack, "stack", "", "name of the CloudFormation stack to play against")
	f.StringVar(&o.parts.URL, "url", "", "webhook URL to post to, token included; with --table and --topic")
	f.StringVar(&o.parts.TableName, "table", "", "name of that stack's table")
	f.StringVar(&o.parts.TopicARN, "topic", "", "ARN of that stack's topic")
	f.StringVar(&o.region, "region", "", "AWS region (default: as your AWS configuration says)")
	f.BoolVar(&o.parts.Shared, "alert-subscribers", false, "go on though others are subscribed to the topic: they get all the alerts as well, and the messages that try out the queue")
	f.IntVar(&o.repeats, "repeats", 0, "how many alerts may come twice, where somebody kills the stack or cuts its connections meanwhile")
	c.MarkFlagsRequiredTogether("url", "table", "topic")
	c.MarkFlagsMutuallyExclusive("stack", "url")
	for _, own := range []string{"kills", "ringback"} {
		c.MarkFlagsMutuallyExclusive("stack", own)
		c.MarkFlagsMutuallyExclusive("url", own)
	}
	return c
}

// Limits of --rate: one an hour, and more than anything answers.
const minRate, maxRate = 1.0 / 3600, 1e6

// check refuses what is no storm.
func (o *options) check(c *cobra.Command) error {
	// An empty flag is what a shell makes of a variable that is not set: storm would go on with another stack than
	// was meant.
	for _, name := range []string{"stack", "url", "table", "topic", "region", "ringback"} {
		if flag := c.Flags().Lookup(name); flag.Changed && strings.TrimSpace(flag.Value.String()) == "" {
			return fmt.Errorf("--%s is empty: is it a variable that is not set?", name)
		}
	}
	switch {
	case o.Loss < 0 || o.Loss > 100:
		return errors.New("--faults is a percentage, from 0 to 100")
	case o.Rate != 0 && !(o.Rate >= minRate && o.Rate <= maxRate): // NaN is neither
		return fmt.Errorf("--rate is how many deliveries a second, from %.4f to %.0f", minRate, maxRate)
	case o.Minute <= 0 || o.Wait <= 0:
		return errors.New("--minute and --wait are times such as 500ms or 1m")
	case o.kills < 0 || o.kills > target.MaxKills(o.mix.Deliveries):
		return fmt.Errorf("--kills is from 0 to %d among %d deliveries", target.MaxKills(o.mix.Deliveries), o.mix.Deliveries)
	case o.Concurrency < 1 || o.repeats < 0:
		return errors.New("--concurrency is at least 1, and --repeats is at least 0")
	}
	return nil
}

// play plays the plan and prints the report on what was seen, to which add adds.
func (o *options) play(ctx context.Context, plan *play.Plan, to *play.Target, alerts play.Alerts, out io.Writer, add func(seen *play.Result)) error {
	seen, err := o.Play(ctx, plan, to, alerts)
	if err != nil {
		return err
	}
	add(seen)
	r := play.Check(plan, seen)
	r.Excused += o.repeats
	return errors.Join(r.Print(out), r.Err())
}
