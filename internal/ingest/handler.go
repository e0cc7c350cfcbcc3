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

// DefaultTolerance is how old, or how far ahead, a signature may be: JustCall
// retries for up to 111 minutes after the event.
var DefaultTolerance = events.Tolerance{Past: 3 * time.Hour, Ahead: 5 * time.Minute}

// Putter writes items once, as [table.Store] does.
type Putter interface {
	Put(ctx context.Context, item table.Item) (created bool, err error)
}

// Spill holds deliveries that the table does not take, until it does.
type Spill interface {
	// Send returns without an error once the delivery is on durable storage,
	// from which [Store] will be called with it.
	Send(ctx context.Context, received Received) error
}

// Credentials is a source of the secrets that are valid now:
// [credential.Rotating] or [credential.Fixed].
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
	// Query is what follows the question mark, if there is one.
	Query string
	// Headers have lower-case names; repeated ones are joined by commas.
	Headers map[string]string
	Body    []byte
	// BodyErr is set if the body could not be decoded; Body is then what
	// arrived.
	BodyErr error
	// Oversize is set if the body is larger than [MaxBody] and was not read
	// whole.
	Oversize *Oversize
}

// Oversize describes a body that is too large.
type Oversize struct {
	Bytes  int64
	Digest string // as of [table.BodyDigest]
}

// Response is the answer to a [Request]. Its body is JSON, or nil for HEAD.
type Response struct {
	Status int
	// Allow is the Allow header's value, where there is one.
	Allow string
	Body  []byte
}

// Handler answers deliveries.
type Handler struct {
	// WebhookURL is the public URL up to, but without, the token. The request's own
	// URL is ours too: the sender may have signed either.
	WebhookURL string
	Tolerance  events.Tolerance
	// AcceptUnsigned accepts, where a signing secret is set, deliveries without a
	// signature that are neither format B nor plainly format A.
	AcceptUnsigned bool
	// Spill takes what the table does not take within [StoreTime]. Without one it is
	// nil: the table has all the time that there is, and the sender has to send again.
	Spill Spill
	// Now returns the time; New sets it, tests replace it.
	Now func() time.Time

	table       Putter
	breaker     *breaker // to the same table
	credentials Credentials
	log         *slog.Logger
	putOffs     putOffs
}

// New returns a handler that stores deliveries. It logs nobody's data.
func New(store Putter, credentials Credentials, log *slog.Logger) *Handler {
	return &Handler{
		Tolerance: DefaultTolerance,
		Now:       time.Now,
		table:     store,
		breaker: &breaker{
			table: store,
			now:   time.Now,
		},
		credentials: credentials,
		log:         log,
	}
}

// TableHangs says before the first delivery that the table did not answer just now. If
// there is a Spill, none waits for it as long as [StoreTime].
func (h *Handler) TableHangs() { h.breaker.open() }

// Handle answers one request. Every error becomes an answer.
func (h *Handler) Handle(ctx context.Context, r Request) Response {
	result, err := h.handle(ctx, r)
	response := answer(result, err)
	if result.parts != nil {
		h.recordList(ctx, r, result.parts)
	} else {
		h.record(ctx, r, result, err, response.Status)
	}
	if r.Method == http.MethodHead {
		response.Body = nil
	}
	return response
}

// handle authorizes, parses, verifies and stores.
func (h *Handler) handle(ctx context.Context, r Request) (Result, error) {
	token, secrets, err := h.authorize(ctx, r)
	if err != nil {
		return Result{}, err
	}
	if r.Method != http.MethodPost {
		return Result{Status: StatusProbe}, nil
	}

	envelope, err := parse(r)
	switch {
	case errors.Is(err, table.ErrTooLarge):
		return Result{}, err
	case err == nil && envelope.Probe():
		return Result{Status: StatusProbe}, nil
	}

	received := receive(r, h.Now())
	switch {
	case errors.Is(err, events.ErrSeveral):
		return h.handleList(ctx, r, received, h.verifier(ctx, r, received, token, secrets))
	case errors.Is(err, events.ErrNoTypeNoData):
		return h.keepProbe(ctx, received, err)
	case err != nil:
		return h.reject(ctx, received, err)
	}

	err = h.verify(ctx, r, received.ReceivedAt, token, envelope, secrets)
	switch {
	case errors.Is(err, events.ErrSignature):
		return h.reject(ctx, received, err)
	case err != nil:
		return Result{}, err
	}
	return h.storeOrSpill(ctx, received, envelope.Decode())
}

// tokenIn returns the token in a path, which may be empty. ok is false if the
// path is not ours.
func tokenIn(path string) (token string, ok bool) {
	rest, ok := strings.CutPrefix(path, Path)
	if !ok || rest == "" {
		return "", ok
	}
	token, ok = strings.CutPrefix(rest, "/")
	// People copy more than the URL; see spellings.
	token, _, _ = strings.Cut(token, "#")
	token = strings.TrimRight(token, behindToken)
	return token, ok && !strings.Contains(token, "/")
}

// authorize returns the token and the valid secrets, if the token is one of theirs.
// An unknown token may be a new one. If the secrets cannot be read again to find
// out, or not yet, the error is not errToken, and the sender has to send again.
func (h *Handler) authorize(ctx context.Context, r Request) (token string, secrets credential.Secrets, err error) {
	token, ok := tokenIn(r.Path)
	switch {
	case !ok:
		return "", nil, errPath
	case r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead:
		return "", nil, errMethod
	}
	secrets = h.credentials.Secrets(ctx)
	if secrets.Authorize(token) {
		return token, secrets, nil
	}
	if token == "" {
		return "", nil, errToken
	}
	// guard 7: err = error(nil)
	secrets, err = h.credentials.Refresh(ctx)
	switch {
	case errors.Is(err, credential.ErrTooEarly):
		if credential.WellFormed(token) && h.putOffs.take(h.Now()) {
			return "", nil, errPutOff
		}
		// guard 6 e2e: return token, secrets, nil
		return "", nil, errToken
	case err != nil:
		return "", nil, fmt.Errorf("refresh secret: %w", err)
	// guard 6 ingest: case false:
	case !secrets.Authorize(token):
		return "", nil, errToken
	}
	return token, secrets, nil
}

// parse opens the body. The error wraps [table.ErrTooLarge] or
// [events.ErrPayload].
func parse(r Request) (*events.Envelope, error) {
	switch {
	case len(r.Body) > MaxBody || r.Oversize != nil:
		return nil, fmt.Errorf("body: %w", table.ErrTooLarge)
	case r.BodyErr != nil:
		return nil, r.BodyErr
	}
	return events.Open(r.Body)
}

// verify checks the signature of a delivery that must have one, if a signing secret
// is configured.
func (h *Handler) verify(
	ctx context.Context, r Request, now time.Time, token string, e *events.Envelope, secrets credential.Secrets,
) error {
	// guard 6 ingest: if e.Format != events.FormatB {
	if !h.mustBeSigned(e) {
		return nil
	}
	signature := events.Signature{
		Hex:       r.Headers[events.HeaderSignature],
		Version:   r.Headers[events.HeaderSignatureVersion],
		Timestamp: r.Headers[events.HeaderRequestTimestamp],
	}
	typ := cmp.Or(e.SignedType(), e.Type)
	check := func(secrets credential.Secrets) (err error) {
		signing := secrets.Signing()
		if len(signing) == 0 {
			return nil // the user has configured none
		}
		for url := range h.spellings(r, token) {
			err = events.Verify(signature, url, typ, h.Tolerance, now, signing...)
			// guard 7 ingest: if true {
			if !errors.Is(err, events.ErrSignatureMismatch) {
				break
			}
		}
		return err
	}

	err := check(secrets)
	if !errors.Is(err, events.ErrSignatureMismatch) {
		return err
	}
	// The secret may have been rotated since we read it.
	// guard 7: newer, refreshErr := secrets, error(nil)
	newer, refreshErr := h.credentials.Refresh(ctx)
	switch {
	case errors.Is(refreshErr, credential.ErrTooEarly), refreshErr == nil && newer == nil:
		return err
	case refreshErr != nil:
		return fmt.Errorf("refresh secret: %w", refreshErr)
	}
	return check(newer)
}

// mustBeSigned reports whether a delivery needs a signature where a signing secret
// is configured. Format A has none: there the token alone decides. But a body that
// is format A only because somebody put an "event" into format B, or that is of the
// form before 2023, would be a way around the signature.
func (h *Handler) mustBeSigned(e *events.Envelope) bool {
	switch {
	case e.Format == events.FormatB:
		return true
	case h.AcceptUnsigned:
		return false
	default:
		return e.Format != events.FormatA || e.SignedType() != ""
	}
}

// reject stores a delivery that is refused, with the reason, which it returns as
// the error. If it cannot be stored, the sender has to send it again, so the error
// is that one.
func (h *Handler) reject(ctx context.Context, received Received, why error) (Result, error) {
	received.Reason = why.Error()
	// guard 5 ingest e2e: result, err := Result{}, error(nil)
	result, err := h.storeOrSpill(ctx, received, nil)
	if err != nil {
		return Result{}, err
	}
	result.Rejected = true
	result.mentions = mentions(why, received.Body)
	return result, why
}

// mentions reports whether a body that cannot be read may be about a caller whom
// nobody served.
func mentions(why error, body []byte) bool {
	return errors.Is(why, events.ErrPayload) && events.MentionsMissedCall(body)
}

// keepProbe stores a delivery like one that is refused, and accepts it: JustCall
// saves a URL only if its probe is answered 200, and no document says what it
// probes with.
func (h *Handler) keepProbe(ctx context.Context, received Received, why error) (Result, error) {
	result, err := h.reject(ctx, received, why)
	if !result.Rejected {
		return result, err
	}
	result.Status, result.AcceptedWith = StatusProbe, why
	return result, nil
}

// storeOrSpill makes the one write, and sends to the spill what the table does not
// take, whatever the reason: an outage passes, and a bug of ours can be fixed
// before the queue gives up the delivery, but perhaps not before the sender does.
// A delivery that can never be stored ends in the dead-letter queue. Only an item
// that is too large for the table is not worth another attempt.
func (h *Handler) storeOrSpill(ctx context.Context, received Received, d *events.Delivery) (Result, error) {
	store, limited, cancel := h.store(ctx)
	defer cancel()
	result, err := Store(limited, store, received, d)
	if err == nil || h.Spill == nil || errors.Is(err, table.ErrTooLarge) {
		return result, err
	}
	// guard 1 ingest webhook e2e: if spillErr := error(nil); spillErr != nil {
	if spillErr := h.Spill.Send(ctx, received); spillErr != nil {
		if errors.Is(err, errHangs) { // by now it may answer
			// guard 1 ingest (WhatTheTable): if false {
			if result, err = Store(ctx, h.table, received, d); err == nil {
				return result, nil
			}
		}
		return result, fmt.Errorf("%w; %w: %w", err, errSpill, spillErr)
	}
	result.Status, result.Spilled = StatusSpilled, err
	return result, nil
}

// store returns the table and the context to write with. If there is a spill, it has to
// have time as well: at least half of what ctx has.
func (h *Handler) store(ctx context.Context) (Putter, context.Context, context.CancelFunc) {
	if h.Spill == nil {
		return h.table, ctx, func() {}
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		// guard 1 ingest (ATableThatHangs): _ = deadline
		limited, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
	}
	return h.breaker, limited, cancel
}

// answer returns the answer to a result and an error of handle.
func answer(result Result, err error) Response {
	code, name, text := http.StatusOK, "status", string(result.Status)
	if err != nil {
		name = "error"
		code, text = status(err)
	}
	body := make([]byte, 0, 128)
	body = append(body, `{"`...)
	body = append(body, name...)
	body = append(body, `":`...)
	body, _ = jsontext.AppendQuote(body, text)
	switch {
	case err == nil && result.Delivery != nil:
		body = append(body, `,"key":`...)
		body, _ = jsontext.AppendQuote(body, result.Key)
	case err == nil && result.parts != nil:
		body = append(body, `,"keys":[`...)
		first := true
		for i := range result.parts {
			if p := &result.parts[i].result; p.Delivery != nil {
				if !first {
					body = append(body, ',')
				}
				first = false
				body, _ = jsontext.AppendQuote(body, p.Key)
			}
		}
		body = append(body, ']')
	}
	response := Response{Status: code, Body: append(body, '}')}
	if code == http.StatusMethodNotAllowed {
		response.Allow = "GET, HEAD, POST"
	}
	return response
}

// record writes the one log line of a request.
func (h *Handler) record(ctx context.Context, r Request, result Result, err error, code int) {
	attributes := make([]slog.Attr, 0, 10)
	// guard 8 ingest e2e: attributes = append(attributes, slog.Int("status", code), slog.String("path", r.Path))
	attributes = append(attributes, slog.Int("status", code))
	if d := result.Delivery; d != nil {
		attributes = append(attributes, result.Attributes()...)
		attributes = append(attributes,
			slog.Bool("duplicate", result.Status == StatusDuplicate),
			// guard 3 e2e:
			slog.Int("typeMismatches", len(d.TypeMismatches)),
			// guard 3 e2e:
			slog.Int("newFields", len(d.NewFields)),
		)
	}
	if result.mentions {
		attributes = append(attributes, slog.Bool("mentionsMissedCall", true))
	}
	failure := func(err error) slog.Attr { return slog.String("error", err.Error()) }
	kept := slog.Bool("kept", result.Rejected)
	outcome := slog.String("answer", string(result.Status))
	switch {
	case errors.Is(err, errPutOff):
		// Not "delivery failed", which is ours to mend: the alarm on 5xx leaves these out.
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery put off", append(attributes, failure(err))...)
	case code >= http.StatusInternalServerError:
		h.log.LogAttrs(ctx, slog.LevelError, "delivery failed", append(attributes, failure(err))...)
	case code == http.StatusRequestEntityTooLarge:
		size := r.Oversize
		if size == nil {
			size = &Oversize{Bytes: int64(len(r.Body)), Digest: table.BodyDigest(r.Body)}
		}
		h.log.LogAttrs(ctx, slog.LevelError, "delivery too large",
			append(attributes, slog.Int64("bytes", size.Bytes), slog.String("digest", size.Digest))...)
	case result.Spilled != nil:
		attributes = append(attributes, failure(result.Spilled), outcome)
		if why := cmp.Or(err, result.AcceptedWith); why != nil {
			attributes = append(attributes, slog.String("reason", why.Error()), kept)
		}
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery spilled", attributes...)
	case result.AcceptedWith != nil:
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery not understood",
			append(attributes, failure(result.AcceptedWith), kept, outcome)...)
	case err != nil:
		h.log.LogAttrs(ctx, slog.LevelWarn, "delivery refused", append(attributes, failure(err), kept)...)
	default:
		h.log.LogAttrs(ctx, slog.LevelInfo, "delivery answered", append(attributes, outcome)...)
	}
}
