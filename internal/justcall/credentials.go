package justcall

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// Credentials are an account's API key and secret. The secret is also what JustCall
// signs its webhooks with. However they are printed, nothing of them appears.
type Credentials struct{ Key, Secret string }

// ErrCredentials means that a key or a secret cannot be one. The text quotes neither.
var ErrCredentials = errors.New("JustCall credentials")

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
