package credential

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
)

// MinTokenLength is the shortest token that is accepted, in characters.
const MinTokenLength = 16

// ErrSecret means that a secret is not the expected JSON or that its token is
// unusable. The text says why and quotes nothing.
var ErrSecret = errors.New("secret")

// ErrUnavailable means that the secret could not be read.
var ErrUnavailable = errors.New("secret unavailable")

// ErrTooEarly means that the secret was read too recently to read it again.
var ErrTooEarly = errors.New("secret read less than a minute ago")

// Secret is one version of the credentials.
type Secret struct {
	// Token is the last segment of the webhook's path.
	Token string `json:"token"`
	// SigningSecret is the JustCall account's API secret. If it is empty,
	// signatures are not checked.
	SigningSecret string `json:"signing_secret"`
}

// Parse reads a secret as stored. The error wraps [ErrSecret].
func Parse(text string) (Secret, error) {
	var s Secret
	// A misspelt "signing_secret" would silently turn signature checks off.
	// guard 6 e2e: if err := json.Unmarshal([]byte(text), &s); err != nil {
	if err := json.Unmarshal([]byte(text), &s, json.RejectUnknownMembers(true)); err != nil {
		return Secret{}, fmt.Errorf(`%w: not of the form {"token": "…", "signing_secret": ""}, with no other members`, ErrSecret)
	}
	// guard 6 credential webhook e2e: switch { case true:
	switch {
	case len(s.Token) < MinTokenLength:
		return Secret{}, fmt.Errorf("%w: token is missing or shorter than %d characters", ErrSecret, MinTokenLength)
	case !WellFormed(s.Token):
		return Secret{}, fmt.Errorf("%w: token has characters other than letters, digits, - and _", ErrSecret)
	case strings.TrimSpace(s.SigningSecret) != s.SigningSecret:
		return Secret{}, fmt.Errorf("%w: signing_secret begins or ends with white space", ErrSecret)
	}
	return s, nil
}

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// WellFormed reports whether text could be a token.
func WellFormed(text string) bool {
	return len(text) >= MinTokenLength && strings.Trim(text, tokenCharacters) == ""
}

// Secrets are the versions that are valid at one moment, the current one first.
type Secrets []Secret

// Authorize reports whether token belongs to a valid version. It compares all
// versions, in constant time whatever the token's length.
func (s Secrets) Authorize(token string) bool {
	// guard 6: if false {
	if token == "" {
		return false
	}
	given := sha256.Sum256([]byte(token))
	authorized := 0
	for _, secret := range s {
		want := sha256.Sum256([]byte(secret.Token))
		authorized |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return authorized == 1
}

// Signing returns the secrets that a signature may be made with, or none if the
// current version does not require signatures.
func (s Secrets) Signing() []string {
	if len(s) == 0 || s[0].SigningSecret == "" {
		return nil
	}
	signing := make([]string, 0, len(s))
	for _, secret := range s {
		if secret.SigningSecret != "" {
			signing = append(signing, secret.SigningSecret)
		}
	}
	return signing
}

// Fixed is a single version that never changes.
type Fixed Secret

// Secrets returns that version.
func (f Fixed) Secrets(context.Context) Secrets { return Secrets{Secret(f)} }

// Refresh returns nil: there is no newer version.
func (Fixed) Refresh(context.Context) (Secrets, error) { return nil, nil }
