package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table"
)

func newDemo() *cobra.Command {
	var flags stackFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Start a local stack, post the sample events, show what was stored, end",
		Long: `demo does what "ringback serve --demo" does, in a folder of its own and on a free
port, and ends. It ends with an error unless every sample is in the table. Run it
twice: the second run adds nothing.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := flags.start(c, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			return errors.Join(runDemo(c.Context(), c.OutOrStdout(), s, flags.samples), s.Close())
		},
	}
	flags.add(c, ".ringback/demo", "127.0.0.1:0")
	return c
}

// runDemo posts every sample to the stack, reads the table back and prints
// both. It returns an error unless each sample is there, once.
func runDemo(ctx context.Context, out io.Writer, s *local.Stack, samples string) error {
	names, err := sampleNames(samples)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Posting %d sample events:\n\n", len(names))
	var faults []error
	deliveries := make([]*events.Delivery, 0, len(names))
	added := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, name := range names {
		body, err := readSample(samples, name)
		if err != nil {
			return err
		}
		a, err := poster{url: s.URL, now: time.Now}.post(ctx, body)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\n", a.status, a.text(), name, a.Key)
		switch {
		case a.status != http.StatusOK:
			faults = append(faults, fmt.Errorf("%s: answered %d", name, a.status))
		case a.Status == "stored":
			added++
		}
		envelope, err := events.Open(body)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		deliveries = append(deliveries, envelope.Decode())
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}

	fmt.Fprintf(out, "\nIn the table now:\n\n")
	found, alerts, err := printStored(ctx, out, s.Store, deliveries)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d of %d samples stored, %d of them new. To call back: %d missed call(s), %d voicemail(s).\n",
		found, len(names), added, alerts[events.KindMissedCall], alerts[events.KindVoicemail])
	if found != len(names) {
		faults = append(faults, fmt.Errorf("%d of %d samples are not in the table", len(names)-found, len(names)))
	}
	return errors.Join(faults...)
}

// printStored prints the item of every delivery and returns how many have
// exactly one, and how many of them are of each kind that alerts.
func printStored(ctx context.Context, out io.Writer, store table.Store, deliveries []*events.Delivery) (found int, alerts map[events.Kind]int, err error) {
	alerts = make(map[events.Kind]int)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  PK\toccurred at (UTC)\tevent\t\n")
	for _, d := range deliveries {
		key := table.EventKey(d)
		page, err := store.Query(ctx, table.Query{Partition: key.PK, SortPrefix: key.SK})
		if err != nil {
			return 0, nil, fmt.Errorf("read back %s: %w", key.PK, err)
		}
		if len(page.Items) != 1 {
			continue
		}
		found++
		item := page.Items[0]
		mark := ""
		if kind := events.Kind(table.Text(item, table.Alert)); kind.Alerts() {
			alerts[kind]++
			mark = map[events.Kind]string{events.KindMissedCall: "◀ missed call", events.KindVoicemail: "◀ voicemail"}[kind]
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", table.Text(item, table.PK), table.Text(item, table.OccurredAt), table.Text(item, table.Event), mark)
	}
	if err := w.Flush(); err != nil {
		return 0, nil, fmt.Errorf("print: %w", err)
	}
	return found, alerts, nil
}
