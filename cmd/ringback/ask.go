package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/ringback/ringback/internal/zone"
)

// questions are asked at a deployment, each about one parameter of template.yaml.
var questions = []struct {
	parameter, text, form string
	valid                 func(answer string) bool
	usual                 func() string
}{
	{"AlertEmail", "E-mail address for missed calls and voicemails", "one address, such as support@example.com", isAddress, nobody},
	{"OpsEmail", "E-mail address for the alarms of the stack itself", "one address, such as you@example.com", isAddress, nobody},
	{"TimeZone", "Time zone of the times in alerts", "a name such as Europe/Berlin or America/New_York", isZone, machineZone},
}

// noAddress is the answer that takes an address away.
const noAddress = "-"

// askWhom asks whom to alert, and returns what changes, as arguments of "sam deploy
// --parameter-overrides". An empty answer stands for the text in brackets. At the end of the input it
// asks no more.
func askWhom(ctx context.Context, in io.Reader, out io.Writer, current func(parameter string) string) ([]string, error) {
	fmt.Fprintf(out, "Whom should this stack alert? The answers become parameters of the stack, in your AWS account.\n"+
		"Press Enter to take what stands in brackets. Type %s for no address.\n", noAddress)
	lines := bufio.NewReader(in)
	var changes []string
	for _, q := range questions {
		was := current(q.parameter)
		usual := cmp.Or(was, q.usual())
		answer := ""
		for answer == "" {
			fmt.Fprintf(out, "%s [%s]: ", q.text, cmp.Or(usual, "none"))
			line, err := readLine(ctx, lines)
			if err != nil {
				fmt.Fprintln(out)
				if errors.Is(err, io.EOF) {
					return changes, nil
				}
				return nil, fmt.Errorf("nothing was deployed: %w", err)
			}
			if line == "" {
				answer = usual
				break
			}
			if !q.valid(line) {
				fmt.Fprintf(out, "  Please type %s.\n", q.form)
				continue
			}
			answer = line
		}
		if answer == noAddress {
			answer = ""
		}
		if answer != was {
			changes = append(changes, override(q.parameter, answer))
		}
	}
	return changes, nil
}

// readLine reads one line, unless ctx ends first. A terminal hands over one line at a time, so that the
// next one is left to SAM.
func readLine(ctx context.Context, in *bufio.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := in.ReadString('\n')
		read <- result{strings.TrimSpace(line), err}
	}()
	select {
	case r := <-read:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// address is the pattern of template.yaml.
var address = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)

func isAddress(answer string) bool { return answer == noAddress || address.MatchString(answer) }

func isZone(answer string) bool {
	_, err := zone.Load(answer)
	return err == nil && (answer == "UTC" || strings.Contains(answer, "/"))
}

func nobody() string { return "" }

// machineZone returns the time zone of this machine, or UTC.
func machineZone() string {
	name := zone.Local().String()
	if !isZone(name) || strings.HasPrefix(name, "Etc/") {
		return "UTC"
	}
	return name
}
