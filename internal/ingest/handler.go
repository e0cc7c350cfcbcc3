package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/table"
)

// Path is where webhooks are posted, followed by a slash and the token.
const Path = "/justcall"

// MaxBody is the largest body that is looked at, in bytes. No Lambda function
// receives more, event and all.
const MaxBody = 6 << 20

// DefaultTolerance is how old or new a signature may be: retries come up to
// 111 minutes after the event.
var DefaultTolerance = events.Tolerance{Past: 3 * time.Hour, Ahead: 5 * time.Minute}

// Putter writes items once. [table.Store] says how.
type Putter interface {
	Put(ctx context.Context, item table.Item) (created bool, err error)
}

// Spill keeps what the table does not take, until it does.
type Spill interface {
	// Send returns without an error once the receipt is on durable storage
	// from which it will be kept as [Keep] does.
	Send(ctx context.Context, r Receipt) error
}

// DefaultStoreTime is how long the table may take, its retries included, before
// a delivery is spilled. A function that has ten seconds keeps half of them for
// the spill.
const DefaultStoreTime = 4 * time.Second

// Credentials tells which secrets are valid. [credential.Rotating] and
// [credential.Fixed] say how.
type Credentials interface {
	Secrets(ctx context.Context) credential.Secrets
	Refresh(ctx context.Context) (credential.Secrets, error)
}

// Request is one HTTP request, wherever it came from.
type Request struct {
	Method string
	// Path is the part of the URL from [Path] on.
	Path string
	// URL is the URL as the sender saw it, up to the query.
	URL string
	// Query is what stands behind the question mark, if anything does.
	Query string
	// Headers have lower-case names; repeated ones are joined by commas.
	Headers map[string]string
	Body    []byte
	// BodyErr is set where the body could not be unpacked; Body is then what
	// arrived.
	BodyErr error
	// Oversize is set where the body is larger than [MaxBody] and was not
	// kept whole.
	Oversize *Oversize
}

// Oversize is what is known of a body that is too large.
type Oversize struct {
	Bytes  int64
	Digest string // as of [table.BodyDigest]
}

// Response is the answer to a [Request]: always JSON.
type Response struct {
	Status int
	// Allow is the Allow header's value, where there is one.
	Allow string
	Body  []byte
}

// Handler answers deliveries.
type Handler struct {
	// WebhookURL is the public URL up to, but without, the token; empty where
	// the request's own URL is the one that the sender knows.
	WebhookURL string
	Tolerance  events.Tolerance
	// Spill takes what the table refuses; nil where there is none, and the
	// sender is told to come back.
	Spill Spill
	// StoreTime bounds the write to the table where there is a Spill; New sets
	// it to [DefaultStoreTime].
	StoreTime time.Duration
	// Now tells the time; New sets it, tests replace it.
	Now func() time.Time

	table       Putter
	credentials Credentials
	log         *slog.Logger
}

// New returns a handler that writes to the table and logs, without a person's
// data, to log.
func New(store Putter, credentials Credentials, log *slog.Logger) *Handler {
	return &Handler{
		Tolerance:   DefaultTolerance,
		StoreTime:   DefaultStoreTime,
		Now:         time.Now,
		table:       store,
		credentials: credentials,
		log:         log,
	}
}

// What a 200 says of a delivery, in its status.
const (
	answerStored    = "stored"
	answerDuplicate = "duplicate"
	answerProbe     = "probe"
	answerSpilled   = "spilled"
)

// outcome is what became of a request: for the answer and for the log.
type outcome struct {
	answer    string // one of the above
	kept      Kept   // what was stored, or was to be
	rejection bool   // kept as rejected
	doubt     error  // why it was kept as rejected, though answered 200
	spilled   error  // why the table did not take what the spill took
}

// Handle answers one request. Every fault is an answer.
func (h *Handler) Handle(ctx context.Context, r Request) Response {
	o, err := h.handle(ctx, r)
	response := h.respond(o, err)
	h.record(ctx, r, o, err, response.Status)
	if err != nil && errors.Is(err, errMethod) {
		response.Allow = "GET, HEAD, POST"
	}
	if r.Method == http.MethodHead {
		response.Body = nil
	}
	return response
}

func (h *Handler) handle(ctx context.Context, r Request) (outcome, error) {
	token, ok := tokenIn(r.Path)
	if !ok {
		return outcome{}, errPath
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return outcome{}, errMethod
	}
	secrets, err := h.authorize(ctx, token)
	if err != nil {
		return outcome{}, err
	}
	if r.Method != http.MethodPost {
		return outcome{answer: answerProbe}, nil
	}

	if len(r.Body) > MaxBody || r.Oversize != nil {
		return outcome{}, fmt.Errorf("body: %w", table.ErrTooLarge)
	}
	if r.BodyErr != nil {
		return h.reject(ctx, r, r.BodyErr)
	}
	envelope, err := events.Open(r.Body)
	switch {
	case errors.Is(err, events.ErrNoTypeNoData):
		// JustCall saves no URL whose probe is refused, and who knows what it
		// probes with: the answer is a probe's, and what came is kept.
		o, err := h.reject(ctx, r, err)
		if o.rejection {
			o.answer, o.doubt = answerProbe, err
			return o, nil
		}
		return o, err
	case err != nil:
		return h.reject(ctx, r, err)
	}
	if envelope.Probe() {
		return outcome{answer: answerProbe}, nil
	}
	if err := h.verify(ctx, r, token, envelope, secrets); err != nil {
		if errors.Is(err, events.ErrSignature) {
			return h.reject(ctx, r, err)
		}
		return outcome{}, err
	}
	return h.store(ctx, r, envelope.Decode())
}

// tokenIn returns the token in a path, which may be empty; ok is false if the
// path is not ours.
func tokenIn(path string) (token string, ok bool) {
	rest, ok := strings.CutPrefix(path, Path)
	if !ok || rest == "" {
		return "", ok
	}
	token, ok = strings.CutPrefix(rest, "/")
	token = strings.TrimSuffix(token, "/")
	return token, ok && !strings.Contains(token, "/")
}

// authorize returns the secrets that are valid, if the token is one of
// theirs. Where nobody can tell, because a token matches none that is known
// and the secret cannot be read again, the error is not errToken: the sender
// must come back.
func (h *Handler) authorize(ctx context.Context, token string) (credential.Secrets, error) {
	secrets := h.credentials.Secrets(ctx)
	if secrets.Authorize(token) {
		return secrets, nil
	}
	if token == "" {
		return nil, errToken
	}
	secrets, err := h.credentials.Refresh(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("refresh secret: %w", err)
	case !secrets.Authorize(token):
		return nil, errToken
	}
	return secrets, nil
}

// verify checks format B's signature where a signing secret is configured.
// Format A and the legacy form have none: there the token alone decides.
func (h *Handler) verify(ctx context.Context, r Request, token string, e *events.Envelope, secrets credential.Secrets) error {
	if e.Format != events.FormatB {
		return nil
	}
	url := r.URL
	if h.WebhookURL != "" {
		url = strings.TrimSuffix(h.WebhookURL, "/") + "/" + token
	}
	if r.Query != "" {
		url += "?" + r.Query
	}
	signature := events.Signature{
		Hex:       r.Headers[events.HeaderSignature],
		Version:   r.Headers[events.HeaderSignatureVersion],
		Timestamp: r.Headers[events.HeaderRequestTimestamp],
	}
	check := func(secrets credential.Secrets) error {
		signing := secrets.Signing()
		if len(signing) == 0 {
			return nil // none is asked for
		}
		return events.Verify(signature, url, e.Type, h.Tolerance, h.Now(), signing...)
	}

	err := check(secrets)
	if !errors.Is(err, events.ErrSignatureMismatch) {
		return err
	}
	// It may be made with a secret that is newer than what we know.
	newer, refreshErr := h.credentials.Refresh(ctx)
	switch {
	case refreshErr != nil:
		return fmt.Errorf("refresh secret: %w", refreshErr)
	case newer == nil:
		return err
	}
	return check(newer)
}

// store keeps an event.
func (h *Handler) store(ctx context.Context, r Request, d *events.Delivery) (outcome, error) {
	return h.keep(ctx, receipt(r, h.Now(), ""), d)
}

// reject keeps what is refused, with why. Where it cannot be kept, the sender
// must come back with it, so the answer is not the refusal.
func (h *Handler) reject(ctx context.Context, r Request, why error) (outcome, error) {
	o, err := h.keep(ctx, receipt(r, h.Now(), why.Error()), nil)
	if err != nil {
		return outcome{}, err
	}
	o.rejection = true
	return o, why
}

// keep makes the one write. What the table does not take goes to the spill,
// whatever the reason: an outage passes, and a fault of ours is found where
// spilled deliveries end that can never be stored, and is put right before the
// sender has given up. Only an item that is too large for the table is not
// worth another attempt.
func (h *Handler) keep(ctx context.Context, r Receipt, d *events.Delivery) (outcome, error) {
	kept, err := h.put(ctx, r, d)
	o := outcome{answer: answerStored, kept: kept}
	switch {
	case err == nil && !kept.Created:
		o.answer = answerDuplicate
	case err == nil:
	case h.Spill == nil || errors.Is(err, table.ErrTooLarge):
		return o, err
	default:
		if spillErr := h.Spill.Send(ctx, r); spillErr != nil {
			return o, fmt.Errorf("%w; %w: %w", err, errSpill, spillErr)
		}
		o.answer, o.spilled = answerSpilled, err
	}
	return o, nil
}

// put writes to the table. A table that hangs must leave time to spill: at
// least half of what there is.
func (h *Handler) put(ctx context.Context, r Receipt, d *events.Delivery) (Kept, error) {
	if h.Spill != nil {
		limit := h.StoreTime
		if deadline, ok := ctx.Deadline(); ok {
			limit = min(limit, time.Until(deadline)/2)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return keep(ctx, h.table, r, d)
}

func (h *Handler) respond(o outcome, err error) Response {
	code, name, text := http.StatusOK, "status", o.answer
	if err != nil {
		name = "error"
		code, text = status(err)
	}
	body := make([]byte, 0, 128)
	body = append(body, `{"`...)
	body = append(body, name...)
	body = append(body, `":`...)
	body, _ = jsontext.AppendQuote(body, text)
	if err == nil && o.kept.Delivery != nil {
		body = append(body, `,"key":`...)
		body, _ = jsontext.AppendQuote(body, o.kept.Key)
	}
	return Response{Status: code, Body: append(body, '}')}
}

// record writes the one log line of a request.
func (h *Handler) record(ctx context.Context, r Request, o outcome, err error, code int) {
	attributes := make([]slog.Attr, 0, 10)
	attributes = append(attributes, slog.Int("status", code))
	if d := o.kept.Delivery; d != nil {
		attributes = append(attributes, o.kept.Attributes()...)
		attributes = append(attributes,
			slog.Bool("duplicate", o.answer == answerDuplicate),
			slog.Int("misfits", len(d.Misfits)),
			slog.Int("newFields", len(d.NewFields)),
		)
	}
	switch {
	case code >= http.StatusInternalServerError:
		attributes = append(attributes, slog.String("error", err.Error()))
		h.log.LogAttrs(ctx, slog.LevelError, "delivery failed", attributes...)
	case code == http.StatusRequestEntityTooLarge:
		size := r.Oversize
		if size == nil {
			size = &Oversize{Bytes: int64(len(r.Body)), Digest: table.BodyDigest(r.Body)}
		}
		attributes = append(attributes, slog.Int64("bytes", size.Bytes), slog.String("digest", size.Digest))
		h.log.LogAttrs(ctx, slog.LevelError, "delivery too large", attributes...)
	case o.spilled != nil:
		attributes = append(attributes,
			slog.String("error", o.spilled.Error()),
			slog.String("answer", o.answer))
		if why := cmp.Or(err, o.doubt); why != nil {
			attributes = append(attributes,
				slog.String("reason", why.Error()),
				slog.Bool("kept", o.rejection))
		}
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery spilled", attributes...)
	case o.doubt != nil:
		attributes = append(attributes,
			slog.String("error", o.doubt.Error()),
			slog.Bool("kept", o.rejection),
			slog.String("answer", o.answer))
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery not understood", attributes...)
	case err != nil:
		attributes = append(attributes,
			slog.String("error", err.Error()),
			slog.Bool("kept", o.rejection))
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery refused", attributes...)
	default:
		attributes = append(attributes, slog.String("answer", o.answer))
		h.log.LogAttrs(ctx, slog.LevelInfo, "delivery answered", attributes...)
	}
}
