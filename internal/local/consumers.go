package local

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table/bolt"
)

const (
	// workers is how many batches of new alerts are forwarded side by side.
	workers = 2
	// atOnce is how many items a consumer works on side by side: their writes share the
	// store's commits.
	atOnce = 400
	// alertsEvery and restEvery are [consumer.Consumer.Every] of the alerts, and of the others.
	alertsEvery = 20 * time.Millisecond
	restEvery   = 200 * time.Millisecond
	// maxFailed is how many alerts may wait for their receiver before no new ones
	// are sent.
	maxFailed = 100_000

	firstPause   = time.Second
	longestPause = 30 * time.Second

	// lastForwardTime is how long alerts may still be forwarded while the stack is
	// being closed.
	lastForwardTime = 3 * time.Second
	// lastPrintTime is left after that, to print and to mark.
	lastPrintTime = 2 * time.Second
)

var (
	errBlocked    = errors.New("alerts: output is blocked")
	errUnfinished = errors.New("consumers: a batch does not finish")
)

// Unmarked is how many alerts may be published, or ended, but not marked yet: as many as
// two consumers have in their workers, and where they retry, in batches of
// [alert.MaxBatch]. A kill can repeat that many.
const Unmarked = 2 * (workers + 1) * alert.MaxBatch

// consumers run over the store's feed, as they do over the table's stream on AWS.
type consumers struct {
	*consumer.Runner

	alerts    *alert.Dispatcher
	publisher *publisher
	reminders *runs
	finding   *runs  // of the reconciler; nil without JustCall's keys
	oldest    string // of the consumers of alerts, the one that is furthest behind

	lastForwardTime, lastPrintTime time.Duration
}

// startConsumers lists the consumers, as functions/alerts does for AWS.
func startConsumers(ctx context.Context, store *bolt.Store, c Config, log *slog.Logger) (*consumers, error) {
	p, err := newPublisher(c)
	if err != nil {
		return nil, err
	}
	o := consumer.Options{
		Workers:      workers,
		Batch:        atOnce,
		FirstPause:   cmp.Or(c.FirstPause, firstPause),
		LongestPause: cmp.Or(c.LongestPause, longestPause),
		MaxFailed:    cmp.Or(c.maxFailed, maxFailed),
	}
	if c.ForwardURL == "" {
		o.Workers = 1 // people read printed alerts in order
	}
	// guard 10 local (WhoWasListed): _ = c.Numbers.Own()
	c.Callers.Policy.Own = c.Numbers.Own()
	kept := c.Retention.Store(store)
	parts := new(alert.Parts)
	d := alert.New(kept, c.Numbers.Canonical, p, log)
	d.Rules = c.Rules
	d.Policy.Own = c.Numbers.Own()
	d.Style = c.Style
	d.Style.MailOnly = c.ForwardURL == "" && !c.Brief
	d.Now = c.clock()
	d.Parts = parts
	d.AtOnce, d.Unmarked = atOnce, make(chan struct{}, Unmarked)
	alerts := d.Consumer()
	alerts.Name = printConsumer
	oldest := printConsumer
	var feed consumer.Feed = store
	if c.ForwardURL != "" {
		alerts.Name, oldest = forwardConsumer, forwardConsumer
	} else if p.held, err = heldFor(ctx, store, d); err != nil {
		return nil, err
	}
	// guard 2 local: if false {
	if len(p.held) > 0 {
		feed, oldest = keepingFeed{store}, forwardConsumer
	}
	remind := escalate.New(c.Plan, kept, c.Callers.Read, p, log)
	remind.Style, remind.Now = c.Style, c.clock()
	digests := reconcile.NewDigester(kept, c.Numbers.Canonical, c.Callers, p, log)
	digests.Style, digests.Now = c.Style, c.clock()
	followUps := ledger.New(kept, c.Numbers.Canonical, log)
	followUps.Changed = ledger.Tell(figures.Log(c.Callers.Lines, log), remind.Changed(c.Callers))
	followUps.Policy.Own = c.Numbers.Own()
	followUps.Followed = d.Followed
	followUps.Now = c.clock()
	followUps.AtOnce, followUps.Parts = atOnce, parts
	seen := health.New(store, log)
	contacts := addressbook.New(kept, c.Numbers.Canonical, log)
	contacts.Changed = followUps.Refresh
	contacts.AtOnce = atOnce
	spellings := spelling.New(kept, c.Numbers.Canonical, log)
	spellings.Parts = parts
	runner, err := consumer.Start(ctx, feed, o, log,
		every(alertsEvery, alerts),
		every(restEvery, contacts.Consumer()),
		every(restEvery, spellings.Consumer()),
		every(restEvery, followUps.Consumer()),
		every(restEvery, seen.Consumer()),
	)
	if err != nil {
		return nil, err
	}
	before := []string{ledger.ConsumerName, seen.Consumer().Name}
	return &consumers{
		Runner:          runner,
		reminders:       startReminders(ctx, runner, before, remind, digests, cmp.Or(c.remindEvery, remindEvery), log),
		alerts:          d,
		publisher:       p,
		oldest:          oldest,
		lastForwardTime: cmp.Or(c.lastForwardTime, lastForwardTime),
		lastPrintTime:   cmp.Or(c.lastPrintTime, lastPrintTime),
	}, nil
}

func every(interval time.Duration, c consumer.Consumer) consumer.Consumer {
	c.Every = interval
	return c
}

// close stops, and gives the batches under way some time to finish. After an
// error they still use the store.
func (c *consumers) close() error {
	c.Stop()
	c.reminders.cancel()
	all := []<-chan struct{}{c.Done(), c.reminders.ended}
	if c.finding != nil {
		c.finding.cancel()
		all = append(all, c.finding.ended)
	}
	late := time.AfterFunc(c.lastForwardTime, c.publisher.stop)
	defer late.Stop()
	defer c.publisher.stop()
	tooLate := time.After(c.lastForwardTime + c.lastPrintTime)
	for _, done := range all {
		select {
		case <-done:
		case <-tooLate:
			if c.publisher.printing.Load() {
				return errBlocked
			}
			return errUnfinished
		}
	}
	return nil
}
