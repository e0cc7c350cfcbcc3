package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/timing"
	"github.com/ringback/ringback/internal/words"
)

func newTail() *cobra.Command {
	var flags lookFlags
	var every time.Duration
	c := &cobra.Command{
		Use:   "tail",
		Short: "Follow the calls that nobody serves, and what becomes of them",
		Long: `tail prints a line for each call of the last hour that nobody served, then for
each new one as it comes, and again when something becomes of it: somebody calls
back, or says that it is done. Ctrl-C ends it.`,
		Example: "  ringback tail\n  ringback tail --stack ringback --output json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if every < time.Second {
				return errors.New("--every is at least 1s")
			}
			t := tail{seen: make(map[string]string), from: time.Now().Add(-time.Hour).Truncate(time.Second)}
			for {
				err := flags.look(c, func(o opened, p printer) error { return t.follow(c.Context(), o, p) })
				if c.Context().Err() != nil {
					return nil
				}
				if err != nil {
					return err
				}
				if !timing.Sleep(c.Context(), every) {
					return nil
				}
			}
		},
	}
	flags.add(c)
	c.Flags().DurationVar(&every, "every", 5*time.Second, "how often to look")
	return c
}

// tail remembers what it has printed of each call.
type tail struct {
	seen map[string]string
	from time.Time
}

// longestTail is how far back calls are followed.
const longestTail = 24 * time.Hour

// follow prints what is new.
func (t *tail) follow(ctx context.Context, o opened, p printer) error {
	to := p.now.Add(time.Hour) // a clock may be ahead
	if earliest := p.now.Add(-longestTail); t.from.Before(earliest) {
		t.from = earliest.Truncate(time.Second)
	}
	var calls []lookup.DayCall
	for page := (lookup.Page{Limit: 1000}); ; {
		list, err := o.Unserved(ctx, t.from, to, page)
		if err != nil {
			return err
		}
		calls = append(calls, list.Calls...)
		if page.After = list.Next; page.After == "" {
			break
		}
	}
	for _, call := range slices.Backward(calls) { // the oldest first
		text := fmt.Sprintf("%s  %s", words.Outcome(call.Outcome), p.became(call).Text)
		id := call.Key.PK + call.Key.SK
		if call.ID != "" {
			id = call.ID
		}
		if t.seen[id] == text {
			continue
		}
		t.seen[id] = text
		if p.form == outputJSON {
			line, err := json.Marshal(call)
			if err != nil {
				return printed(err)
			}
			fmt.Fprintln(p.out, escapeInvisible(string(line)))
			continue
		}
		name := who(call.Caller)
		if call.Caller.Shown != "" && name != "" {
			name += " "
		}
		p.printf("%s  %s%s  %s\n", p.say.Clock(call.At), name, call.Caller.Shown, text)
	}
	return nil
}
