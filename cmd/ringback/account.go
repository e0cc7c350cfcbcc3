package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/zone"
)

// Environment variables with the credentials of a JustCall account.
const (
	apiKeyEnv    = "JUSTCALL_API_KEY"
	apiSecretEnv = "JUSTCALL_API_SECRET" //nolint:gosec // G101: a name, and no secret
)

// accountFlags say which JustCall account a command looks at. No flag takes a key: a
// shell keeps what is typed, and every user of the machine sees it.
type accountFlags struct{ keys, api string }

func (f *accountFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.keys, "keys", "", `file with the account's keys, {"key": "…", "secret": "…"}, that only you can read`)
	c.Flags().StringVar(&f.api, "api", justcall.DefaultURL, "address of JustCall's API")
	_ = c.Flags().MarkHidden("api") // fails only if there is no such flag
}

var errNoKeys = fmt.Errorf("no JustCall keys: set %s and %s, pass --keys, or run this in a terminal, where it asks for them", apiKeyEnv, apiSecretEnv)

// credentials reads the keys from the file, the environment or, if it may ask, the
// terminal. The error is errNoKeys if they are in none of these.
func (f *accountFlags) credentials(c *cobra.Command, ask bool) (justcall.Credentials, error) {
	if f.keys != "" {
		return readKeys(f.keys)
	}
	found := justcall.Credentials{Key: os.Getenv(apiKeyEnv), Secret: os.Getenv(apiSecretEnv)}
	switch {
	case found.Key != "" && found.Secret != "":
		return found, nil
	case found.Key != "":
		return found, fmt.Errorf("%s is set, and %s is not", apiKeyEnv, apiSecretEnv)
	case found.Secret != "":
		return found, fmt.Errorf("%s is set, and %s is not", apiSecretEnv, apiKeyEnv)
	case !ask || !isTerminal(os.Stdin) || inCI():
		return found, errNoKeys
	}
	out := c.ErrOrStderr()
	fmt.Fprintln(out, "JustCall shows both under APIs and Webhooks. What you type is not shown.")
	var err error
	if found.Key, err = askHidden(c.Context(), out, "API key"); err != nil {
		return found, err
	}
	found.Secret, err = askHidden(c.Context(), out, "API secret")
	return found, err
}

// askHidden reads a line from the terminal without showing it.
func askHidden(ctx context.Context, out io.Writer, name string) (string, error) {
	fmt.Fprintf(out, "%s: ", name)
	defer fmt.Fprintln(out)
	stdin := int(os.Stdin.Fd())
	before, err := term.GetState(stdin)
	if err != nil {
		return "", fmt.Errorf("read the %s: %w", name, err)
	}
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := term.ReadPassword(stdin)
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		if r.err != nil {
			return "", fmt.Errorf("read the %s: %w", name, r.err)
		}
		return string(r.text), nil
	case <-ctx.Done():
		_ = term.Restore(stdin, before) // the program ends
		return "", ctx.Err()
	}
}

func readKeys(path string) (justcall.Credentials, error) {
	info, err := os.Stat(path)
	if err != nil {
		return justcall.Credentials{}, fmt.Errorf("--keys: %w", err)
	}
	const others = 0o077
	if runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&others != 0 {
		return justcall.Credentials{}, fmt.Errorf("--keys: others can read %s: run \"chmod 600 %s\"", path, shellQuote(path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return justcall.Credentials{}, fmt.Errorf("--keys: %w", err)
	}
	credentials, err := justcall.ParseCredentials(text)
	if err != nil {
		return justcall.Credentials{}, fmt.Errorf("--keys: %s: %w", path, err)
	}
	return credentials, nil
}

// account is what ringback looks at in a JustCall account.
type account struct {
	client *justcall.Client
	hooks  []justcall.Webhook
	lines  []justcall.Line
	users  []justcall.User
}

// openAccount checks credentials by reading the account's webhooks, lines and users.
func openAccount(ctx context.Context, credentials justcall.Credentials, api string) (*account, error) {
	client, err := justcall.New(credentials, justcall.TeamLimits, api, nil)
	if err != nil {
		return nil, err
	}
	a := &account{client: client}
	if a.hooks, err = client.Webhooks(ctx); err != nil {
		return nil, err
	}
	if a.lines, err = justcall.All(client.Lines(ctx)); err != nil {
		return nil, err
	}
	if a.users, err = justcall.All(client.Users(ctx)); err != nil {
		return nil, err
	}
	return a, nil
}

// timeZone returns the zone that most users have, and how many that are; "" if none has
// one that exists.
func (a *account) timeZone() (name string, users int) {
	counts := make(map[string]int)
	for _, u := range a.users {
		if _, err := zone.Load(u.TimeZone); u.TimeZone != "" && err == nil {
			counts[u.TimeZone]++
		}
	}
	for candidate, n := range counts {
		if n > users || n == users && candidate < name {
			name, users = candidate, n
		}
	}
	return name, users
}

// hoursAdvice ends a sentence that says that the API has no business hours, with what it shows
// all the same: which lines have some.
func (a *account) hoursAdvice(target endpoint) string {
	n := 0
	for _, l := range a.lines {
		if strings.EqualFold(l.Availability, "Custom Hours") {
			n++
		}
	}
	if n == 0 {
		return "; no line is set to Custom Hours."
	}
	do := "start \"ringback serve\" with --business-hours"
	if target.outputs != nil {
		do = "\"make deploy ARGS=--ask\" sets BusinessHours"
		if set := target.settings.Parameters["BusinessHours"]; set != "" {
			do += ", now " + strconv.Quote(set)
		}
	}
	have := "have"
	if n == 1 {
		have = "has"
	}
	return fmt.Sprintf(". It shows only that %d of %s %s custom hours.\n  To do: look them up in JustCall; %s: docs/followups.md#business-hours.", n, count(len(a.lines), "line", "lines"), have, do)
}

// clockAdvice says by how much the clocks of JustCall and of this machine differ; "" if that
// is no matter.
func clockAdvice(client *justcall.Client) string {
	const most = 5 * time.Minute
	switch off := client.Ahead().Round(time.Minute); {
	case off > most:
		return "this machine's is " + off.String() + " behind JustCall's"
	case off < -most:
		return "this machine's is " + (-off).String() + " ahead of JustCall's"
	}
	return ""
}

// printLines prints the account's own numbers.
func (a *account) printLines(out io.Writer) {
	slices.SortFunc(a.lines, func(x, y justcall.Line) int { return cmp.Compare(x.Name, y.Name) })
	for _, l := range a.lines {
		fmt.Fprintf(out, "  %s  %s  %s\n", cmp.Or(l.Number, "(no number)"), cmp.Or(l.Name, "(no name)"), l.Availability)
	}
}

// isNoKeys reports whether keys are missing, and nothing else is wrong.
func isNoKeys(err error) bool { return errors.Is(err, errNoKeys) }
