package justcall

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
)

// Credentials are an account's API key and secret. The secret is also what JustCall
// signs its webhooks with. However they are printed, nothing of them appears.
type Credentials struct{ Key, Secret string }

// ErrCredentials means that a key or a secret cannot be one. The text quotes neither.
var ErrCredentials = errors.New("JustCall credentials")

// ParseCredentials reads the form in which they are stored. The error wraps
// [ErrCredentials] and quotes nothing.
func ParseCredentials(text []byte) (Credentials, error) {
	var keys struct {
		Key    string `json:"key"`
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(text, &keys, json.RejectUnknownMembers(true)); err != nil { // err may quote a key
		return Credentials{}, fmt.Errorf(`%w: not of the form {"key": "…", "secret": "…"}, with no other members`, ErrCredentials)
	}
	return Credentials{Key: keys.Key, Secret: keys.Secret}, nil
}

// check returns an error if the credentials cannot be sent as a header.
func (c Credentials) check() error {
	for _, part := range []struct{ name, text string }{{"API key", c.Key}, {"API secret", c.Secret}} {
		switch {
		case part.text == "":
			return fmt.Errorf("%w: the %s is empty", ErrCredentials, part.name)
		case strings.ContainsFunc(part.text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || unicode.IsSpace(r) }):
			return fmt.Errorf("%w: the %s has a blank or another character that no key has: copy it again", ErrCredentials, part.name)
		case strings.Contains(part.text, ":"):
			return fmt.Errorf("%w: the %s has a colon: give key and secret each on its own", ErrCredentials, part.name)
		}
	}
	return nil
}

// Name tells an account's key from others'. It may be stored: nobody can tell the key
// from it.
func (c Credentials) Name() string {
	sum := sha256.Sum256([]byte("ringback " + c.Key))
	return hex.EncodeToString(sum[:8])
}

const hidden = "[hidden]"

// Format implements [fmt.Formatter].
func (c Credentials) Format(f fmt.State, _ rune) {
	// guard 8 justcall: _, _ = io.WriteString(f, c.Key)
	_, _ = io.WriteString(f, hidden)
}

// LogValue implements [slog.LogValuer].
func (Credentials) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements [encoding.TextMarshaler].
func (Credentials) MarshalText() ([]byte, error) { return []byte(hidden), nil }
