package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/proof/storm"
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
stand-ins are (AWS_ENDPOINT_URL_DYNAMODB, _SNS and _SQS). Of such a table only the
partitions of storm's events are read, and not the whole.

A "ringback serve" that is running cannot be played against, since its table is its
own: storm starts one for itself.

One seed posts the same every time.`,
		Example: `  ringback storm
  ringback storm --deliveries 100000 --kills 3 --seed 7
  ringback storm --deliveries 5000 --rate 50 --stack ringback-test --region eu-central-1
  ringback storm --url https://stage.example.com/justcall/TOKEN --table TABLE --topic arn:aws:sns:…`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := flags.check(c, mix.Deliveries); err != nil {
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
	f.DurationVar(&flags.minute, "minute", time.Second, "how long a minute of JustCall's schedules takes; where it is shorter, they may give up before a stack that was killed is back")
	f.DurationVar(&flags.wait, "wait", time.Minute, "how long the stack may take to store and alert everything after the last answer")

	f.IntVar(&flags.kills, "kills", 0, "how often to kill storm's own stack, at moments that the seed decides")
	f.StringVar(&flags.data, "data", "", "folder for the table and the secret of storm's own stack, which must have none yet (default: one that is removed if all is well)")

	f.StringVar(&flags.stack, "stack", "", "name of the CloudFormation stack to play against")
	f.StringVar(&flags.url, "url", "", "webhook URL to post to, token included; with --table and --topic")
	f.StringVar(&flags.table, "table", "", "name of that stack's table")
	f.StringVar(&flags.topic, "topic", "", "ARN of that stack's topic")
	f.StringVar(&flags.signedURL, "signed-url", "", "URL that the stack takes for its own, token included, if another than --url")
	f.StringVar(&flags.region, "region", "", "AWS region (default: as your AWS configuration says)")
	f.BoolVar(&flags.shared, "alert-subscribers", false, "go on where others are subscribed to the topic: they get all the alerts as well, and the messages that try out the queue")
	f.IntVar(&flags.repeats, "repeats", 0, "how many alerts may come twice, where somebody kills the stack or cuts its connections meanwhile")

	return c
}

// stormFlags say how to post, and to what.
type stormFlags struct {
	faults, concurrency int
	rate                float64
	minute, wait        time.Duration

	kills int
	data  string

	stack, url, table, topic string
	signedURL, region        string
	shared                   bool
	repeats                  int
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
