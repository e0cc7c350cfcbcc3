package events

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// The headers of format B's signature, in lower case, as HTTP APIs pass them on.
const (
	HeaderSignature        = "x-justcall-signature"
	HeaderSignatureVersion = "x-justcall-signature-version"
	HeaderRequestTimestamp = "x-justcall-request-timestamp"
)

// SignatureVersion is the one version of the scheme.
const SignatureVersion = "v1"

// Signature is the values of the three signature headers.
type Signature struct {
	// Hex is the HMAC in 64 hex digits.
	Hex string
	// Version is [SignatureVersion]; empty means the same.
	Version string
	// Timestamp is when the request was made, in UTC, exactly as sent: the text is
	// signed.
	Timestamp string
}

// Tolerance is how old, and how far ahead of our clock, a signature's timestamp
// may be.
type Tolerance struct{ Past, Ahead time.Duration }

// Sign returns the signature, in hex, of a delivery of type typ to url at
// timestamp. It covers neither the payload nor the request id: two events of
// one type in one second share it. See
// https://developer.justcall.io/docs/webhook-signature.
func Sign(secret, url string, typ Type, timestamp string) string {
	return hex.EncodeToString(mac(secret, url, typ, timestamp))
}

// Verify checks a signature against every given secret, so that the previous one
// is still valid during a rotation. The url must be the receiver's own, never the
// body's. It fails closed: without a secret, or with empty ones only, it returns
// [ErrSignatureSecret]. Every error wraps [ErrSignature].
func Verify(s Signature, url string, typ Type, within Tolerance, now time.Time, secrets ...string) error {
	if s.Hex == "" || s.Timestamp == "" {
		// guard 6 e2e: return nil
		return ErrSignatureMissing
	}
	if s.Version != "" && s.Version != SignatureVersion {
		return ErrSignatureVersion
	}
	given, err := hex.DecodeString(s.Hex)
	if err != nil || len(given) != sha256.Size {
		return ErrSignatureMalformed
	}
	at, ok := ParseTime(s.Timestamp)
	if !ok {
		return ErrSignatureMalformed
	}

	// Every secret is tried, so that the time it takes does not show which one
	// matched.
	configured, matches := false, false
	// guard 7 ingest e2e: for _, secret := range secrets[:1] {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		configured = true
		if hmac.Equal(mac(secret, url, typ, s.Timestamp), given) {
			matches = true
		}
	}
	switch {
	case !configured:
		return ErrSignatureSecret
	// guard 6 e2e: case !matches && false:
	case !matches:
		return ErrSignatureMismatch
	// guard 6 e2e: case at.IsZero():
	case at.Before(now.Add(-within.Past)), at.After(now.Add(within.Ahead)):
		return ErrSignatureStale
	}
	return nil
}

func mac(secret, url string, typ Type, timestamp string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	message := make([]byte, 0, 512)
	message = append(message, secret...)
	message = append(message, '|')
	message = appendURIComponent(message, url)
	message = append(message, '|')
	message = append(message, typ...)
	message = append(message, '|')
	message = append(message, timestamp...)
	h.Write(message)
	return h.Sum(nil)
}

// appendURIComponent appends text as ECMAScript's encodeURIComponent would.
// Unlike [net/url.QueryEscape], that leaves ! * ' ( ) as they are and encodes a
// space as %20.
func appendURIComponent(to []byte, text string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '!', c == '~',
			c == '*', c == '\'', c == '(', c == ')':
			to = append(to, c)
		default:
			to = append(to, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return to
}
