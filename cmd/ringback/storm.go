package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/storm"
)

func newStorm() *cobra.Command {
	mix := storm.Mix{Seed: 1, Deliveries: 10_000, Duplicates: 30, Strays: 2}
	var flags stormFlags
	c := &cobra.Command{
		Use:   "storm",
		Short: "Play JustCall against a stack and prove that nothing is lost or alerted twice",
		Long: `storm makes up deliveries of every kind in both formats, many of them twice or
more and in another spelling, shuffles them and posts them as JustCall does:
signed, and tried again on the three schedules of its documents, with time going
faster. Some are lost on their way there or back, and between them come probes,
bodies that nobody can read and signatures that are forged.

Then it reads the table and the alerts back and prints what it found. It ends with
an error if an event was lost or stored twice, if a missed call or a voicemail was
not alerted, or alerted twice, or if what had to be refused was not.

A stack of its own takes them, in a process and a folder of its own, and forwards
its alerts to a receiver that fails a share of them. With --kills that process is
killed in the middle, and started again.

With --stack, a stack on AWS takes them, or one on stand-ins for AWS. Its alerts
come through a temporary queue, which is removed at the end. The events stay in
the table: take a stack that is there to be tried out. --url, --table and --topic
name its parts instead; where it checks signatures, put the signing secret into
` + signingSecretEnv + `. The AWS SDK's own variables say where
stand-ins are (AWS_ENDPOINT_URL_DYNAMODB, _SNS and _SQS).

One seed posts the same every time.`,
		Example: `  ringback storm
  ringback storm --deliveries 100000 --kills 3 --seed 7
  ringback storm --deliveries 5000 --rate 50 --stack ringback-test --region eu-central-1
  ringback storm --url http://127.0.0.1:8080/justcall/TOKEN --table TABLE --topic arn:aws:sns:…`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := flags.check(c); err != nil {
				return err
			}
			plan, err := storm.NewPlan(mix)
			if err != nil {
				return err
			}
			if flags.remote() {
				return flags.runStack(c.Context(), plan, c.OutOrStdout(), c.ErrOrStderr())
			}
			return flags.runProcess(c.Context(), plan, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.IntVar(&mix.Deliveries, "deliveries", mix.Deliveries, "how many deliveries to post")
	f.IntVar(&mix.Duplicates, "duplicates", mix.Duplicates, "how many percent of them are of an event that another is of as well")
	f.IntVar(&mix.Strays, "strays", mix.Strays, "how many percent more are none: probes, unreadable bodies, forged signatures")
	f.Uint64Var(&mix.Seed, "seed", mix.Seed, "number that decides what is posted")
	f.IntVar(&flags.faults, "faults", 5, "how many percent of the first and second tries are lost on the way, and of storm's own stack's tries to alert fail")
	f.IntVar(&flags.concurrency, "concurrency", 32, "how many deliveries are on their way at a time")
	f.Float64Var(&flags.rate, "rate", 0, "how many deliveries to post a second (default: as fast as they are answered)")
	f.DurationVar(&flags.minute, "minute", 500*time.Millisecond, "how long a minute of JustCall's schedules takes")
	f.DurationVar(&flags.wait, "wait", time.Minute, "how long the stack may take to store and alert everything after the last answer")

	f.IntVar(&flags.kills, "kills", 0, "how often to kill storm's own stack, at moments that the seed decides")
	f.StringVar(&flags.data, "data", "", "folder for the table of storm's own stack, which must have none yet (default: one that is removed if all is well)")
	f.StringVar(&flags.template, "template", "template.yaml", "SAM template that the keys and indexes of storm's own stack are read from")

	f.StringVar(&flags.stack, "stack", "", "name of the CloudFormation stack to play against")
	f.StringVar(&flags.url, "url", "", "webhook URL to post to, token included; with --table and --topic")
	f.StringVar(&flags.table, "table", "", "name of that stack's table")
	f.StringVar(&flags.topic, "topic", "", "ARN of that stack's topic")
	f.StringVar(&flags.signedURL, "signed-url", "", "URL that the stack takes for its own, token included, if another than --url")
	f.StringVar(&flags.region, "region", "", "AWS region (default: as your AWS configuration says)")
	f.BoolVar(&flags.shared, "alert-subscribers", false, "go on where others are subscribed to the topic: they get all the alerts as well")
	f.IntVar(&flags.repeats, "repeats", 0, "how many alerts may come twice, where somebody kills the stack or cuts its connections meanwhile")

	c.MarkFlagsRequiredTogether("url", "table", "topic")
	for _, own := range ownFlags {
		c.MarkFlagsMutuallyExclusive(own, "stack")
		c.MarkFlagsMutuallyExclusive(own, "url")
	}
	c.MarkFlagsMutuallyExclusive("stack", "url")
	c.MarkFlagsMutuallyExclusive("stack", "signed-url")
	return c
}

// Flags that only storm's own stack has, and those that it has not.
var (
	ownFlags    = []string{"kills", "data"}
	othersFlags = []string{"signed-url", "region", "alert-subscribers", "repeats"}
)

// stormFlags say how to post, and to what.
type stormFlags struct {
	faults, concurrency int
	rate                float64
	minute, wait        time.Duration

	kills          int
	data, template string

	stack, url, table, topic string
	signedURL, region        string
	shared                   bool
	repeats                  int
}

// remote reports whether another stack than storm's own is played against.
func (f *stormFlags) remote() bool { return f.stack != "" || f.url != "" }

func (f *stormFlags) check(c *cobra.Command) error {
	switch {
	case f.faults < 0 || f.faults > 100:
		return errors.New("--faults is a percentage, from 0 to 100")
	case f.concurrency < 1:
		return errors.New("--concurrency is at least 1")
	case f.rate < 0:
		return errors.New("--rate is how many deliveries a second, such as 50")
	case f.minute <= 0:
		return errors.New("--minute is a time such as 500ms or 1s")
	case f.wait < 0:
		return errors.New("--wait is a time such as 1m or 30s")
	case f.kills < 0:
		return errors.New("--kills is at least 0")
	case f.repeats < 0:
		return errors.New("--repeats is at least 0")
	case f.url != "" && !isHTTP(f.url):
		return errors.New("--url is not a URL: it begins with https:// and ends with the token")
	case f.signedURL != "" && !isHTTP(f.signedURL):
		return errors.New("--signed-url is not a URL: it begins with https:// and ends with the token")
	}
	for _, name := range othersFlags {
		if !f.remote() && c.Flags().Changed(name) {
			return fmt.Errorf("--%s is for a stack that is not storm's own: give --stack, or --url, --table and --topic", name)
		}
	}
	return nil
}

// play plays a plan and shows how far it has come.
func (f *stormFlags) play(ctx context.Context, plan *storm.Plan, target storm.Target, alerts storm.Alerts,
	answered func(n int), shown *progress,
) (*storm.Result, error) {
	player := storm.NewPlayer(f.concurrency, f.wait)
	player.Rate, player.Minute, player.Loss = f.rate, f.minute, f.faults
	player.Done, player.Answered = shown.add, answered
	return player.Play(ctx, plan, target, alerts)
}

// report prints what was seen and returns what is wrong with it.
func (f *stormFlags) report(plan *storm.Plan, seen *storm.Result, out io.Writer) error {
	r := storm.Check(plan, seen)
	r.Excused += f.repeats
	return errors.Join(r.Print(out), r.Err())
}
