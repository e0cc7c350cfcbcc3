package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/rerun"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/words"
)

func newRejectedRelease() *cobra.Command {
	var flags lookFlags
	var write bool
	c := &cobra.Command{
		Use:   "release ID",
		Short: "Take a refused delivery in after all",
		Long: `release shows what becomes of a delivery that was refused, if it is taken in
now: whatever its signature was, it is read as it would be today. With --write
it is stored. A missed call or voicemail then alerts people as any other: not if
it is long ago, and never a second time. What is stored already stays as it is.`,
		Example: "  ringback rejected release 2026-03-12T14:32:00.000Z#0011223344556677\n  ringback rejected release 2026-03-12T14:32:00.000Z#0011223344556677 --write",
		Args:    one(`the ID of one delivery, as "ringback rejected list" prints it`),
		RunE: func(c *cobra.Command, args []string) error {
			return flags.look(c, func(o opened, p printer) error {
				r, err := findRejected(c, o, args[0])
				if err != nil {
					return err
				}
				all, err := rerun.Release(c.Context(), o.retention.Store(o.store), r, write, time.Now())
				if err != nil {
					return err
				}
				return printReleased(p, all, write)
			})
		},
	}
	flags.table.add(c)
	flags.output = outputTable
	c.ValidArgsFunction = cobra.NoFileCompletions
	c.Flags().BoolVar(&write, "write", false, "store it; without it, only show what would happen")
	return c
}

// findRejected returns the refused delivery with an ID.
func findRejected(c *cobra.Command, o opened, id string) (lookup.Rejected, error) {
	r, err := o.Rejection(c.Context(), id)
	if errors.Is(err, lookup.ErrID) {
		return r, fmt.Errorf("%w of a rejected delivery: \"ringback rejected list\" prints them", err)
	}
	return r, notFound(err, "no such delivery, or it is more than 30 days ago")
}

func printReleased(p printer, all []rerun.Released, written bool) error {
	usable := 0
	for _, r := range all {
		if r.Err == nil {
			usable++
		}
		p.printf("%s\n", words.Released(r))
	}
	if usable == 0 {
		return errors.New("there is no event in it that can be stored")
	}
	if !written {
		p.printf("Nothing was written. Add --write to do it.\n")
	}
	return nil
}

func newReplay() *cobra.Command {
	var flags lookFlags
	var write, all bool
	c := &cobra.Command{
		Use:   "replay {CALL_ID | --all}",
		Short: "Put stored events through today's code",
		Long: `replay reads the bodies of stored events anew, as they were received, and shows
of which today's code makes something else: another kind or outcome, or
attributes that an earlier version did not have. With --write they are stored
so. It alerts nobody. Who waits follows from "ringback rebuild", which also
replays all events.`,
		Example: "  ringback replay call_1d4e5f6a\n  ringback replay --all --stack ringback\n  ringback replay --all --write",
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) == 1) || len(args) > 1 {
				return errors.New("give the ID of one call, or --all")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return flags.look(c, func(o opened, p printer) error {
				partition := ""
				if !all {
					found, err := o.Call(c.Context(), args[0])
					if err != nil {
						return notFound(err, "no call %s in the table", alert.Visible(args[0]))
					}
					partition = table.CallPartition(found.ID)
				}
				n, err := rerun.Replay(c.Context(), o.store, partition, write, func(r rerun.Replayed) {
					p.printf("%s  %s\n", alert.Visible(r.Type), cmp.Or(strings.Join(r.Changes, ", "), "how its body is kept"))
				})
				if err != nil {
					return err
				}
				p.printf("%s read, %d differ, %d written.\n", count(n.Events, "event", "events"), n.Changed, n.Written)
				if n.Changed > 0 && !write {
					p.printf("Nothing was written. Add --write to do it.\n")
				}
				return nil
			})
		},
	}
	flags.table.add(c)
	flags.output = outputTable
	c.ValidArgsFunction = cobra.NoFileCompletions
	c.Flags().BoolVar(&all, "all", false, "all events, by reading the whole table")
	c.Flags().BoolVar(&write, "write", false, "store what differs; without it, only show it")
	return c
}
