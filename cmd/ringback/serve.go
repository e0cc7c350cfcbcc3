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
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table/bolt"
)

func newServe() *cobra.Command {
	var flags stackFlags
	var demo, untilEOF bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the whole stack on this machine",
		Long: `serve runs the webhook on this machine, on an embedded table in a folder. What
it answers 200 is on disk: it survives a restart and a kill.

Missed calls and voicemails are printed as they come. With --forward each is also
posted to a URL, as the JSON document of docs/alerts.md with its id and attributes
in headers (` + local.HeaderAlertID + `, Ringback-Kind, …). Whatever is not answered
2xx is sent again until it is, across restarts.

It makes a token for itself the first time and prints the URL to post to. To
have JustCall post to it, put a tunnel of your choice in front.

To have signatures of format B checked, put the account's API secret into
secret.json in the data folder and start it again. JustCall signs the URL that it
posts to: behind a tunnel, give that with --webhook-url, without the token.`,
		Example: `  ringback serve
  ringback serve --demo
  ringback serve --forward https://hooks.example.com/missed-calls
  ringback serve --webhook-url https://my-tunnel.example.com/justcall
  ringback serve --addr 127.0.0.1:9090 --data /var/lib/ringback`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if untilEOF {
				c.SetContext(endWithInput(c.Context(), c.InOrStdin()))
			}
			out := c.OutOrStdout()
			alerts := &held{out: out}
			level := new(slog.LevelVar)
			lines := &held{out: c.ErrOrStderr(), released: !demo}
			defer lines.release()
			if demo {
				level.Set(slog.LevelWarn) // the demo prints for itself what it posts
			}
			s, err := flags.start(c, alerts, logTo(lines, level))
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "ringback takes webhooks at\n\n  %s\n\nand keeps them in %s. Stop it with Ctrl-C.\n\n", s.URL, flags.data)
			if demo {
				err = runDemo(c.Context(), out, alerts, s, flags)
				lines.release()
				if err != nil {
					fmt.Fprintf(c.ErrOrStderr(), "ringback: demo: %v\n", err)
					err = errDemo
				}
				if c.Context().Err() == nil {
					fmt.Fprintf(out, sendHint, sendFlags(s.Address, flags.data))
				}
				level.Set(slog.LevelInfo)
			}
			alerts.release()
			return errors.Join(err, s.Wait(c.Context()), s.Close())
		},
	}
	flags.add(c, defaultData, defaultAddress)
	c.Flags().StringVar(&flags.webhookURL, "webhook-url", "", "public URL up to, but without, the token, if a tunnel is in front")
	c.Flags().StringVar(&flags.forwardURL, "forward", "", "URL that each alert is posted to as JSON")
	c.Flags().BoolVar(&demo, "demo", false, "post the sample events first and show what was stored and alerted")
	c.Flags().BoolVar(&untilEOF, untilEOFFlag, false, "end when the input ends")
	_ = c.Flags().MarkHidden(untilEOFFlag) // it is there; for programs that start this one
	return c
}

// untilEOFFlag ties a serve to the program that started it: the input of serve is a pipe from
// there, which ends with that program, however that ends.
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

// errDemo ends a serve whose demo failed, which was printed when it did.
var errDemo = errors.New("the demo failed, see above")

const sendHint = `
Still serving. Post a sample again from another terminal, and see that it is kept once:

  .build/ringback send%s call.missed

`

// sendFlags returns what send needs to be told to reach a stack.
func sendFlags(address, data string) (told string) {
	if address != defaultAddress {
		told += " --addr " + address
	}
	if data != defaultData {
		told += " --data " + shellQuote(data)
	}
	return told
}

// shellQuote writes a word so that a shell reads it as one.
func shellQuote(word string) string {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// start starts a stack that prints its alerts, and says, of the faults that a
// person can mend, how.
func (f *stackFlags) start(c *cobra.Command, alerts io.Writer, log *slog.Logger) (*local.Stack, error) {
	if f.webhookURL != "" && !isHTTP(f.webhookURL) {
		return nil, errors.New("--webhook-url is not a URL such as https://my-tunnel.example.com/justcall")
	}
	if f.forwardURL != "" && !isHTTP(f.forwardURL) {
		return nil, errors.New("--forward is not a URL such as https://hooks.example.com/missed-calls")
	}
	var notAddress *net.AddrError
	s, err := local.Start(c.Context(), local.Config{
		Folder:     f.data,
		Address:    f.address,
		WebhookURL: f.webhookURL,
		Alerts:     alerts,
		ForwardURL: f.forwardURL,
	}, log)
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, fmt.Errorf("%w\nStop the other one, or give this one a folder of its own with --data", err)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w\nStop what listens there, or choose another port with --addr 127.0.0.1:0\n(make run ARGS=\"--addr 127.0.0.1:0\")", err)
	case errors.As(err, &notAddress):
		return nil, fmt.Errorf("%w\nAn address is a host and a port, such as %s", err, defaultAddress)
	}
	return s, err
}

// logTo returns a logger for a person to read.
func logTo(w io.Writer, level slog.Leveler) *slog.Logger {
	color := false
	terminal := w
	if h, ok := w.(*held); ok {
		terminal = h.out
	}
	if file, ok := terminal.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		info, err := file.Stat()
		color = err == nil && info.Mode()&fs.ModeCharDevice != 0
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !color}))
}

// held keeps what is written to it back until it is released, so that alerts do
// not come in the middle of a table.
type held struct {
	mu       sync.Mutex
	out      io.Writer
	kept     bytes.Buffer
	released bool
}

func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released {
		return h.out.Write(p)
	}
	return h.kept.Write(p)
}

// release prints what was kept back, and from now on what comes.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = h.kept.WriteTo(h.out) // as the rest of what is printed
	h.released = true
}
