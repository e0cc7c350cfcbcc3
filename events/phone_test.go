package events_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

func TestPhoneNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		text string
		want string
	}{
		{"E.164", "+14155558765", "+14155558765"},
		{"digits only", "14155558765", "+14155558765"},
		{"brackets, spaces and hyphens", "+1 (415) 555-8765", "+14155558765"},
		{"dots", "1.415.555.8765", "+14155558765"},
		{"slashes and tabs", "+49 30/123\t456", "+4930123456"},
		{"space around it", " +14155558765 ", "+14155558765"},
		{"another country", "+91 98765 43210", "+919876543210"},
		{"a short code", "911", "+911"},
		{"fifteen digits", "+123456789012345", "+123456789012345"},
		{"one more digit than a withheld word", "+12666966870", "+12666966870"},

		{"empty", "", ""},
		{"white space", " \t", ""},
		{"a plus", "+", ""},
		{"two digits", "12", ""},
		{"zero", "0", ""},
		{"minus one", "-1", ""},
		{"all zeros", "+0000000000", ""},
		{"sixteen digits", "+1234567890123456", ""},
		{"three thousand digits", strings.Repeat("1", 3000), ""},
		{"the word anonymous", "anonymous", ""},
		{"the word Unknown", "Unknown", ""},
		{"anonymous on the keys", "+266696687", ""},
		{"anonymous on the keys, digits only", "266696687", ""},
		{"restricted on the keys", "+7378742833", ""},
		{"unavailable on the keys", "+86282452253", ""},
		{"unknown on the keys", "+8656696", ""},
		{"blocked on the keys", "+2562533", ""},
		{"blocked on the keys, with spaces", "+256 25 33", ""},
		{"letters", "1-800-FLOWERS", ""},
		{"an extension", "+14155558765 x12", ""},
		{"a SIP address", "sip:14155558765@example.com", ""},
		{"a client", "client:agent_42", ""},
		{"a plus inside", "1415+5558765", ""},
		{"two numbers", "+14155558765, +14155551234", ""},
		{"a NUL", "+1415555\x008765", ""},
		{"a key separator", "+1415555#8765", ""},
		{"digits of another script", "+١٤١٥٥٥٥٨٧٦٥", ""},
		{"invalid UTF-8", "+1415555\xff8765", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := events.PhoneNumber(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

var e164 = regexp.MustCompile(`^(\+[0-9]{3,15})?$`)

func TestPhoneNumberIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`\+?[-0-9 ().+/]{0,20}`),
		).Draw(t, "text")
		once := events.PhoneNumber(text)
		if !e164.MatchString(once) {
			t.Fatalf("%q is no number", once)
		}
		if twice := events.PhoneNumber(once); twice != once {
			t.Fatalf("%q becomes %q", once, twice)
		}
	})
}

func TestPhoneNumberIgnoresHowItIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9][0-9]{10,14}`).Draw(t, "digits")
		if digits == "86282452253" {
			t.Skip("spells unavailable")
		}
		var text strings.Builder
		text.WriteString(rapid.SampledFrom([]string{"", "+", " +"}).Draw(t, "prefix"))
		for _, digit := range digits {
			text.WriteRune(digit)
			text.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", ".", "(", ")", "/"}).Draw(t, "separator"))
		}
		if got := events.PhoneNumber(text.String()); got != "+"+digits {
			t.Fatalf("%q becomes %q, not +%s", text.String(), got, digits)
		}
	})
}
