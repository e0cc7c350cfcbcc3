package events

import (
	"errors"
	"fmt"
)

// ErrPayload is the root of every error about a delivery's body. The texts of
// the errors that wrap it say what is wrong and where, never the content, so they
// may be sent to the caller and logged.
var ErrPayload = errors.New("payload")

// The leaves of [ErrPayload], as [Open] returns them.
var (
	// ErrSyntax: the body is not JSON (RFC 8259), not even damaged JSON, or more
	// follows the end.
	ErrSyntax = fmt.Errorf("%w: not valid JSON", ErrPayload)
	// ErrUTF8: the body is not valid UTF-8, and that is not all that is wrong.
	ErrUTF8 = fmt.Errorf("%w: not valid UTF-8", ErrPayload)
	// ErrDepth: the nesting is deeper than [MaxDepth].
	ErrDepth = fmt.Errorf("%w: nested deeper than %d levels", ErrPayload, MaxDepth)
	// ErrSeveral: the body has several events, which [Split] returns.
	ErrSeveral = fmt.Errorf("%w: several events", ErrPayload)
	// ErrNotObject: the body is JSON, but neither an object nor a list of some.
	ErrNotObject = fmt.Errorf("%w: not a JSON object", ErrPayload)
	// ErrNoType: neither event nor type nor data.type is a non-empty string, and no
	// member shows that the data is a call, a message or a contact.
	ErrNoType = fmt.Errorf("%w: no event type (event, type or data.type)", ErrPayload)
	// ErrNoTypeNoData is an [ErrNoType] for a body that has no data either, only
	// members that no document mentions: perhaps a probe.
	ErrNoTypeNoData = fmt.Errorf("%w and no data", ErrNoType)
)

// ErrSignature is the root of every error about a delivery's signature.
var ErrSignature = errors.New("signature")

// The leaves of [ErrSignature], as [Verify] returns them. None contains the
// signature that would have been right.
var (
	// ErrSignatureMissing: a signature header is absent or empty.
	ErrSignatureMissing = fmt.Errorf("%w: missing", ErrSignature)
	// ErrSignatureVersion: the version is not "v1".
	ErrSignatureVersion = fmt.Errorf("%w: unknown version", ErrSignature)
	// ErrSignatureMalformed: the signature is not 64 hex digits, or the
	// request timestamp is not a time.
	ErrSignatureMalformed = fmt.Errorf("%w: malformed", ErrSignature)
	// ErrSignatureMismatch: no given secret makes this signature.
	ErrSignatureMismatch = fmt.Errorf("%w: mismatch", ErrSignature)
	// ErrSignatureStale: the request timestamp is outside the [Tolerance].
	ErrSignatureStale = fmt.Errorf("%w: request timestamp outside the tolerance", ErrSignature)
	// ErrSignatureSecret: no secret to verify against. An empty one does not count.
	ErrSignatureSecret = fmt.Errorf("%w: no secret configured", ErrSignature)
)
