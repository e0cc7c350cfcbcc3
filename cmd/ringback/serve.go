package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/zone"
)

// The heap is small, and would be collected all the time, which took a fifth of the processor
// time under load. It may grow to memoryLimit bytes, and is collected as often as that takes.
const (
	gcPercent   = 800
	memoryLimit = 128 << 20
)

func newServe() *cobra.Command {
	var flags stackFlags
	var demo, untilEOF bool
	var inboxAddress string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the whole stack on this machine",
		Long: `serve runs the whole stack on this machine, on a table in a folder. When it
answers 200, the event is on disk and survives a restart and a kill.

It prints missed calls and voicemails as they come, and reminders of callers
whom nobody has called back. With --forward it also posts each one to a URL: the
JSON document of docs/alerts.md, with its id and attributes in headers
(` + local.HeaderAlertID + `, Ringback-Kind, …). It retries until the URL answers 2xx,
across restarts. Without the flag, what waits is kept for the next start with
it. On a terminal of less than 80 columns each alert is one line.

The first time, it makes a token. It prints the webhook URL, which ends with the
token. To let JustCall reach it, put a tunnel of your choice in front.

To check the signatures of format B, put the account's API secret into
secret.json in the data folder and restart. JustCall signs the URL that it posts
to: behind a tunnel, pass that URL with --webhook-url, without the token.

With the account's API key and secret in secret.json, as api_key and api_secret,
it looks every 15 minutes for what the webhook lost: see docs/reconcile.md.`,
		Example: `  ringback serve
  ringback serve --demo
  ringback serve --forward https://hooks.example.com/missed-calls
  ringback serve --business-hours "Mon-Fri 9:00-17:30" --escalate-after 30m
  ringback serve --webhook-url https://my-tunnel.example.com/justcall
  ringback serve --addr 127.0.0.1:9090 --data /var/lib/ringback`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if untilEOF {
				c.SetContext(endWithInput(c.Context(), c.InOrStdin()))
			}
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(gcPercent)
			}
			if os.Getenv("GOMEMLIMIT") == "" {
				debug.SetMemoryLimit(memoryLimit)
			}
			out := c.OutOrStdout()
			alerts := &heldWriter{out: out}
			level := new(slog.LevelVar)
			lines := &heldWriter{out: c.ErrOrStderr(), released: !demo}
			defer lines.release()
			if demo {
				level.Set(slog.LevelWarn) // the demo prints its deliveries itself
				if !c.Flags().Changed(maxAgeFlag) {
					flags.rules.MaxAge = 0 // the samples are of March 2026
				}
			}
			s, err := flags.start(c, alerts, logTo(lines, level))
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "ringback receives webhooks at\n\n  %s\n\nand keeps them in %s. Stop it with Ctrl-C.\n\n", s.URL, flags.data)
			if s.Reconciles {
				fmt.Fprint(out, "Every 15 minutes it looks in JustCall for what the webhook lost.\n\n")
			}
			page, err := openInbox(c.Context(), inboxAddress, s, logTo(lines, level))
			if err != nil {
				return errors.Join(err, s.Close())
			}
			page.say(out)
			if len(s.Held) > 0 {
				fmt.Fprintf(out, "%s for the URL of an earlier run. Start with --forward to send what waits.\n\n", count(len(s.Held), "alert waits", "alerts wait"))
			}
			if demo {
				err = runDemo(c.Context(), out, alerts, s, flags)
				lines.release()
				if err != nil {
					fmt.Fprintf(c.ErrOrStderr(), "ringback: demo: %v\n", err)
					err = errDemo
				}
				if c.Context().Err() == nil {
					fmt.Fprintf(out, sendHint, s.URL, programName(), sendFlags(s.Address, flags.data))
					page.say(out)
				}
				level.Set(slog.LevelInfo)
			}
			alerts.release()
			err = errors.Join(err, s.Wait(c.Context()))
			page.close()
			closeErr := s.Close()
			if kept := s.Kept(); closeErr == nil {
				fmt.Fprintf(out, "\nKept in %s: %s, %s.\n", flags.data, count(kept.Events, "event", "events"), count(kept.Waiting, "alert waiting", "alerts waiting"))
			}
			return errors.Join(err, closeErr)
		},
	}
	flags.add(c, defaultData, defaultAddress)
	c.Flags().StringVar(&flags.webhookURL, "webhook-url", "", "public URL without the token, for use behind a tunnel")
	c.Flags().StringVar(&flags.forwardURL, "forward", "", "post each alert to this URL, as JSON")
	flags.addRules(c)
	flags.addReminders(c)
	c.Flags().StringVar(&flags.retention, "retention-days", "0", "delete what is stored from now on after so many days; 0 to keep it for ever")
	c.Flags().BoolVar(&flags.acceptUnsigned, "accept-unsigned", false, "accept some unsigned deliveries although a signing secret is set: see docs/answers.md")
	c.Flags().StringVar(&inboxAddress, inboxFlag, inbox.DefaultAddress, "address of the page that shows who waits, or the next free port; \""+inboxOff+"\" for no page")
	c.Flags().BoolVar(&demo, "demo", false, "first post the sample events and show the stored items and the alerts")
	c.Flags().BoolVar(&untilEOF, untilEOFFlag, false, "end when the input ends")
	_ = c.Flags().MarkHidden(untilEOFFlag) // fails only if there is no such flag
	return c
}

// untilEOFFlag is for programs that start serve with a pipe as its input. When such
// a program ends, even if it is killed, the pipe ends, and so does serve.
const untilEOFFlag = "until-eof"

// endWithInput returns a context that ends when the input does.
func endWithInput(ctx context.Context, input io.Reader) context.Context {
	ctx, end := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, input) // an input that cannot be read has ended
		end()
	}()
	return ctx
}

// errDemo is the error of serve after a failed demo, whose details it has printed.
var errDemo = errors.New("the demo failed, see above")

// count returns a number with what it counts.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

const sendHint = `
Still serving at

  %s

Post a sample again from another terminal, and see that it is kept once:

  %s send%s call.missed

`

// sendFlags returns the flags that send needs to reach a stack.
func sendFlags(address, data string) (flags string) {
	if address != defaultAddress {
		flags += " --addr " + address
	}
	if data != defaultData {
		flags += " --data " + shellQuote(data)
	}
	return flags
}

// shellQuote writes a word so that a shell reads it as one.
func shellQuote(word string) string {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

const maxAgeFlag = "alert-max-age"

// addRules adds the flags that say which callers nobody is alerted of.
func (f *stackFlags) addRules(c *cobra.Command) {
	c.Flags().DurationVar(&f.rules.MaxAge, maxAgeFlag, alert.DefaultMaxAge, "alert only if a call's first event arrives this soon after it began; 0 for any time")
	c.Flags().StringVar(&f.abandoned, "alert-abandoned", string(alert.AllCallers), "whose abandoned calls alert: all, known or none")
	c.Flags().BoolVar(&f.rules.Blocked, "alert-blocked", false, "alert of blocked contacts too")
	c.Flags().DurationVar(&f.rules.Pause, "alert-pause", 0, "how long the missed calls of one caller make one alert; 0 for one each")
}

// addReminders adds the flags that say when people are reminded of callers who wait. They
// mean what the template's parameters mean.
func (f *stackFlags) addReminders(c *cobra.Command) {
	flags, r := c.Flags(), &f.reminders
	flags.DurationVar(&r.After, "escalate-after", escalate.DefaultAfter, "remind of a caller whom nobody has called back after so much time in business hours; 0 for never")
	flags.DurationVar(&r.AgainAfter, "escalate-again-after", escalate.DefaultAgainAfter, "the same for a second reminder, counted from the first call, too")
	flags.StringVar(&r.BusinessHours, "business-hours", "", `when somebody is there, such as "Mon-Fri 9:00-17:30, Sat 10-13" (default: always)`)
	flags.StringVar(&r.Holidays, "holidays", "", `dates on which nobody is, such as "2026-12-24 to 2027-01-01, 2027-07-01 Canada Day"`)
	flags.DurationVar(&r.BlindAfter, "blind-after", health.DefaultBlindAfter, "time in business hours without any event after which reminders say as of when they hold; 0 for never")
}

// start starts a stack that writes its alerts to alerts. It adds a hint to errors
// that the user can fix.
func (f *stackFlags) start(c *cobra.Command, alerts io.Writer, log *slog.Logger) (*local.Stack, error) {
	if f.webhookURL != "" && !isHTTP(f.webhookURL) {
		return nil, errors.New("--webhook-url is not a URL such as https://my-tunnel.example.com/justcall")
	}
	if f.forwardURL != "" && !isHTTP(f.forwardURL) {
		return nil, errors.New("--forward is not a URL such as https://hooks.example.com/missed-calls")
	}
	location := zone.Local()
	if f.timeZone != "" {
		var err error
		if location, err = zone.Load(f.timeZone); err != nil {
			return nil, fmt.Errorf("--time-zone: %w", err)
		}
	}
	numbers, err := numbersBy(f.defaultCountry, f.ownNumbers)
	if err != nil {
		return nil, err
	}
	retention, err := table.ParseRetention(f.retention)
	if err != nil {
		return nil, fmt.Errorf("--retention-days is %w", err)
	}
	if f.rules.Abandoned, err = alert.ParseCallers(f.abandoned); err != nil {
		return nil, fmt.Errorf("--alert-abandoned is %w", err)
	}
	if f.rules.MaxAge < 0 {
		return nil, errors.New("--alert-max-age is negative; 0 alerts whatever the age")
	}
	f.reminders.Zone = location
	plan, callers, err := f.reminders.Read()
	f.callers = callers
	if err != nil {
		return nil, fmt.Errorf("%w\nThese are set by --business-hours, --holidays, --escalate-after and --escalate-again-after: see docs/followups.md", err)
	}
	if f.rules.Pause < 0 {
		return nil, errors.New("--alert-pause is negative; 0 alerts of each call")
	}
	var notAddress *net.AddrError
	s, err := local.Start(c.Context(), local.Config{
		Folder:         f.data,
		Address:        f.address,
		WebhookURL:     f.webhookURL,
		Alerts:         alerts,
		Style:          alert.Style{Location: location, Show: numbers.Show},
		Brief:          isNarrow(c.OutOrStdout()),
		ForwardURL:     f.forwardURL,
		Numbers:        numbers,
		Rules:          f.rules,
		Plan:           plan,
		Callers:        callers,
		BusinessHours:  f.reminders.BusinessHours,
		Holidays:       f.reminders.Holidays,
		AcceptUnsigned: f.acceptUnsigned,
		Retention:      retention,
	}, log)
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, fmt.Errorf("%w\nStop the other one, or choose another folder with --data", err)
	case errors.Is(err, bolt.ErrBroken):
		return nil, fmt.Errorf("%w\n%s", err, afterDamage)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w\nStop the program that listens there, or choose another port with --addr 127.0.0.1:0\n(make run ARGS=\"--addr 127.0.0.1:0\")", err)
	case errors.As(err, &notAddress):
		return nil, fmt.Errorf("%w\nAn address is a host and a port, such as %s", err, defaultAddress)
	}
	return s, err
}

// logTo returns a logger whose lines are for people, in colour on a terminal.
func logTo(w io.Writer, level slog.Leveler) *slog.Logger {
	color := false
	terminal := w
	if h, ok := w.(*heldWriter); ok {
		terminal = h.out
	}
	if file, ok := terminal.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		info, err := file.Stat()
		color = err == nil && info.Mode()&fs.ModeCharDevice != 0
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !color}))
}

// heldWriter holds back its output until it is released, so that alerts do not
// appear in the middle of a table.
type heldWriter struct {
	mu       sync.Mutex
	out      io.Writer
	kept     bytes.Buffer
	released bool
}

func (h *heldWriter) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released {
		return h.out.Write(p)
	}
	return h.kept.Write(p)
}

// release writes what was held back. Later output is written at once.
func (h *heldWriter) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = h.kept.WriteTo(h.out) // like all output errors, ignored
	h.released = true
}
