package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/events"
	samples "github.com/ringback/ringback/events-samples"
	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/local"
)

// signingSecretEnv keeps the secret out of the shell's history.
const signingSecretEnv = "RINGBACK_SIGNING_SECRET"

func newSend() *cobra.Command {
	var flags stackFlags
	var address string
	var sign bool
	p := poster{now: time.Now}
	c := &cobra.Command{
		Use:   "send SAMPLE|FILE…",
		Short: "Post samples or files to a webhook URL",
		Long: `send posts files, or samples named by their event, to a webhook and prints
the answers. Without --url it posts to the stack that "ringback serve" runs on
this machine. It fails unless every file is an event that ringback keeps.

With --sign it signs each delivery as JustCall signs format B. The environment
variable ` + signingSecretEnv + ` holds the secret.`,
		Example: `  ringback send call.missed voicemail.received
  ringback send --new call.missed
  ringback send my-event.json --url "$(make -s webhook-url)"
  ` + signingSecretEnv + `=… ringback send --sign my-event.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if names, _ := sampleNames(flags.samples); len(args) == 0 {
				return fmt.Errorf("nothing to send: name a file, or a sample: %s", strings.Join(names, " "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if sign {
				if p.signingSecret = os.Getenv(signingSecretEnv); p.signingSecret == "" {
					return fmt.Errorf("--sign needs the API secret of the JustCall account in %s", signingSecretEnv)
				}
			}
			if p.url = address; !c.Flags().Changed("url") {
				secret, err := local.ReadSecret(flags.data)
				if errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("no stack has run in %s yet: start one with \"ringback serve\", or pass --url", flags.data)
				} else if err != nil {
					return err
				}
				p.url = local.URL(flags.address, secret)
			}
			if !isHTTP(p.url) {
				return errors.New("--url must be the whole webhook URL, ending with the token")
			}
			return sendAll(c.Context(), c.OutOrStdout(), p, flags.samples, args)
		},
	}
	flags.addSamples(c)
	c.Flags().StringVar(&address, "url", "", "whole webhook URL, ending with the token")
	c.Flags().StringVar(&flags.data, "data", defaultData, "data folder of the local stack; the token is in it")
	c.Flags().StringVar(&flags.address, "addr", defaultAddress, "address of the local stack")
	c.Flags().BoolVar(&p.today, "today", false, "put today's date into the timestamp: nobody is alerted of an old call")
	c.Flags().BoolVar(&p.fresh, "new", false, "make it another call or text, with an ID of its own, that happens now")
	c.MarkFlagsMutuallyExclusive("today", "new")
	c.Flags().BoolVar(&sign, "sign", false, "sign as JustCall does, with the secret in "+signingSecretEnv)
	return c
}

// isHTTP reports whether text is an HTTP or HTTPS URL.
func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// hints say what to do about an answer, by its status.
var hints = map[int]string{
	http.StatusUnauthorized: "\nThe token or the signature is wrong: pass the stack's --data, or the whole --url",
	http.StatusNotFound:     "\nA webhook URL ends with /justcall/ and the token",
}

func sendAll(ctx context.Context, out io.Writer, p poster, folder string, names []string) error {
	var refused, probes []string
	hint, run := "", rand.Text()[:6]
	counts := make(map[string]int)
	for _, name := range names {
		body, err := readSample(folder, name)
		if err != nil {
			return err
		}
		switch {
		case p.fresh:
			body = fresh(body, p.now(), run)
		case p.today:
			body = dated(body, p.now())
		}
		a, err := p.post(ctx, body)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case a.status != http.StatusOK || a.Status == "":
			refused = append(refused, name)
			hint = hints[a.status]
		default:
			counts[a.Status]++
			if a.Status == string(ingest.StatusProbe) {
				probes = append(probes, fmt.Sprintf("\n  %s: %s", name, whyProbe(body)))
			}
		}
		fmt.Fprintf(out, "%d %-9s  %-20s  %s\n", a.status, a.text(), eventName(name, body), a.Key)
		if mark := byteOrderMark(body); mark != "" {
			fmt.Fprintf(out, "    %s begins with a byte order mark (%s), which is sent as it is\n", name, mark)
		}
	}
	if len(names) > 1 {
		fmt.Fprintf(out, "%d sent: %d stored, %d duplicate, %d probe, %d refused", len(names),
			counts["stored"], counts["duplicate"], len(probes), len(refused))
		if n := counts["spilled"]; n > 0 {
			fmt.Fprintf(out, ", %d spilled, which are stored later", n)
		}
		fmt.Fprintln(out)
	}
	var errs []error
	if len(probes) > 0 {
		errs = append(errs, fmt.Errorf("%d of %d deliveries stored no event:%s", len(probes), len(names), strings.Join(probes, "")))
	}
	if len(refused) > 0 {
		errs = append(errs, fmt.Errorf("%d of %d deliveries did not get a 200 from ringback%s", len(refused), len(names), hint))
	}
	return errors.Join(errs...)
}

// whyProbe says why a webhook stores no event of a body, and yet answers 200.
func whyProbe(body []byte) string {
	const probe = "ringback takes it for JustCall's test of the URL"
	switch envelope, err := events.Open(body); {
	case len(bytes.TrimSpace(body)) == 0:
		return "nothing is in it, so " + probe
	case errors.Is(err, events.ErrNoTypeNoData):
		return "it has neither a type nor data, so it is no event; it is kept as a rejected delivery"
	case err == nil && envelope.Type == "":
		return "it has neither a type nor data, so " + probe
	case err == nil && envelope.Probe():
		return "it has no data, so " + probe
	default:
		return "ringback says that it is a probe"
	}
}

// byteOrderMark returns the encoding that a byte order mark names, or "".
func byteOrderMark(body []byte) string {
	for _, mark := range []struct{ bytes, encoding string }{
		{"\xEF\xBB\xBF", "UTF-8"}, {"\xFE\xFF", "UTF-16"}, {"\xFF\xFE", "UTF-16"},
	} {
		if bytes.HasPrefix(body, []byte(mark.bytes)) {
			return mark.encoding
		}
	}
	return ""
}

// timestamp is the date in the timestamp of a delivery of format A.
var timestamp = regexp.MustCompile(`("timestamp":\s*")\d{4}-\d\d-\d\d`)

// dated returns a delivery as of today, at the time of day that it has. Sent again on
// the same day, it is the same delivery.
func dated(body []byte, now time.Time) []byte {
	return timestamp.ReplaceAll(body, []byte("${1}"+now.UTC().Format(time.DateOnly)))
}

// moment is the timestamp of a delivery of format A, and ids are the IDs of calls and texts.
var (
	moment = regexp.MustCompile(`("timestamp":\s*")[^"]*`)
	ids    = regexp.MustCompile(`("(?:call_id|call_sid|message_id)":\s*"[^"]*)`)
)

// fresh returns a delivery as if it were of another call or text, that happens now. What is
// sent in one run stays together.
func fresh(body []byte, now time.Time, run string) []byte {
	body = ids.ReplaceAll(body, []byte("${1}_"+run))
	return moment.ReplaceAll(body, []byte("${1}"+now.UTC().Format(time.RFC3339)))
}

// eventName returns the event's type, or the file's name if it is not an event.
func eventName(file string, body []byte) string {
	if envelope, err := events.Open(body); err == nil && envelope.Type != "" {
		return string(envelope.Type)
	}
	return strings.TrimSuffix(filepath.Base(file), ".json")
}

// readSample reads the file of that name or, if there is none, the sample.
func readSample(folder, name string) ([]byte, error) {
	body, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return body, err // the error names the file
	}
	sample, sampleErr := fs.ReadFile(samplesIn(folder), name+".json")
	if sampleErr == nil {
		return sample, nil
	}
	names, globErr := sampleNames(folder)
	if globErr != nil {
		return nil, errors.Join(err, globErr)
	}
	return nil, fmt.Errorf("%w, and no sample has that name; the samples are: %s", err, strings.Join(names, " "))
}

// samplesIn returns the samples in a folder, or the built-in ones if folder is "".
func samplesIn(folder string) fs.FS {
	if folder == "" {
		return samples.FS
	}
	return os.DirFS(folder)
}

// sampleNames returns the names of the samples, sorted.
func sampleNames(folder string) ([]string, error) {
	names, err := fs.Glob(samplesIn(folder), "*.json")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no sample events in %s: pass a folder of samples, or omit --samples to use the built-in ones", folder)
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".json")
	}
	return names, nil
}

// poster posts deliveries to one URL.
type poster struct {
	url           string
	signingSecret string // empty: unsigned
	now           func() time.Time
	limit         time.Duration // of one delivery; 0 for postTime
	today         bool          // put today's date into what is posted
	fresh         bool          // make another call or text of it, of now
}

// answer is a webhook's answer to a delivery.
type answer struct {
	status int
	Status string `json:"status"`
	Error  string `json:"error"`
	Key    string `json:"key"`
	// Message is set when API Gateway itself answers.
	Message string `json:"message"`
}

func (a answer) text() string { return cmp.Or(a.Status, a.Error, a.Message) }

// postTime limits one delivery.
const postTime = 30 * time.Second

func (p poster) post(ctx context.Context, body []byte) (answer, error) {
	limit := cmp.Or(p.limit, postTime)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, errURL
	}
	req.Header.Set("Content-Type", "application/json")
	if p.signingSecret != "" {
		envelope, err := events.Open(body)
		if err != nil {
			return answer{}, fmt.Errorf("sign: %w", err)
		}
		timestamp := p.now().UTC().Format(time.DateTime)
		req.Header.Set(events.HeaderSignature, events.Sign(p.signingSecret, p.url, envelope.Type, timestamp))
		req.Header.Set(events.HeaderSignatureVersion, events.SignatureVersion)
		req.Header.Set(events.HeaderRequestTimestamp, timestamp)
	}
	a, err := exchange(req)
	switch {
	case errors.Is(err, errRefused):
		return answer{}, fmt.Errorf("%w: start the stack with \"ringback serve\", or check --url", err)
	case errors.Is(err, context.DeadlineExceeded):
		return answer{}, fmt.Errorf("%s: %w within %g s", req.URL.Host, errNoAnswer, limit.Seconds())
	}
	return a, err
}

// errURL does not quote the URL, which may hold a token.
var errURL = errors.New("invalid webhook URL")

var (
	errRefused  = errors.New("connection refused")
	errNoAnswer = errors.New("no answer")
)

var transport = deployed.NewTransport()

// exchange makes a request and reads the answer.
func exchange(req *http.Request) (answer, error) {
	// An http.Client would follow redirects, and the token would go wherever they
	// lead.
	resp, err := transport.RoundTrip(req)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return answer{}, fmt.Errorf("%w at %s", errRefused, req.URL.Host)
	case err != nil:
		return answer{}, fmt.Errorf("post to %s: %w", req.URL.Host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	a := answer{status: resp.StatusCode}
	if err := json.Unmarshal(text, &a); err != nil {
		a.Error = "(this answer is not ringback's)"
	}
	return a, nil
}
