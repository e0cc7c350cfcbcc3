package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

func newCall() *cobra.Command {
	var flags tableFlags
	var bodies bool
	c := &cobra.Command{
		Use:   "call ID",
		Short: "Show the events and alerts of a call",
		Long: `call lists the events of a call in the order in which they happened, and when its
alerts went out. The ID is JustCall's: call_id in format A, call_sid in format B.`,
		Example: `  ringback call call_1d4e5f6a
  ringback call call_1d4e5f6a --stack ringback
  ringback call call_1d4e5f6a --bodies`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("give the ID of one call, such as call_1d4e5f6a")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return flags.read(c.Context(), func(store table.Store) error {
				var rows []string
				for item, err := range table.All(c.Context(), store, table.Query{Partition: table.CallPartition(args[0])}) {
					if err != nil {
						return fmt.Errorf("read the call: %w", err)
					}
					if at := table.Text(item, table.AlertedAt); at != "" {
						rows = append(rows, fmt.Sprintf("%s\talert sent\t%s\n", at, kindName(table.AlertKind(table.KeyOf(item)))))
						continue
					}
					if at := table.Text(item, table.ReturnedAt); at != "" {
						rows = append(rows, fmt.Sprintf("%s\talert taken back\t%s\n", at, kindName(table.AlertKind(table.KeyOf(item)))))
						continue
					}
					if !table.IsEvent(table.KeyOf(item)) {
						continue
					}
					if bodies {
						body, err := table.PayloadOf(item)
						if err != nil {
							return fmt.Errorf("read an event's body: %w", err)
						}
						fmt.Fprintf(c.OutOrStdout(), "%s\n", body)
					}
					rows = append(rows, fmt.Sprintf("%s\t%s\t%s\n", table.Text(item, table.OccurredAt), table.EventType(item), kindName(events.Kind(table.Text(item, table.Kind)))))
				}
				if rows == nil {
					return fmt.Errorf("no call %s in the table", args[0])
				}
				if bodies {
					return nil
				}
				slices.Sort(rows) // by time
				w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprint(w, strings.Join(rows, ""))
				if err := w.Flush(); err != nil {
					return fmt.Errorf("print: %w", err)
				}
				return nil
			})
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&bodies, "bodies", false, "print the events' bodies instead, as they were received")
	return c
}
