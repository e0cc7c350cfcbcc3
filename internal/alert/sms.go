package alert

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// Limits of one text message: as septets if the whole text is in the GSM alphabet,
// or else in UTF-16 code units. A longer text is sent as several messages, and each
// is charged. SNS chooses between the two in the same way:
// https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
const (
	MaxSMS     = 160
	maxSMSWide = 70
)

// The GSM alphabet (3GPP TS 23.038, section 6.2.1) without its controls. A
// character of the second set takes two septets.
const (
	gsm = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€"
)

// sizes has the septets of each character.
var sizes = func() map[rune]int {
	sizes := make(map[rune]int)
	for _, r := range gsm {
		sizes[r] = 1
	}
	for _, r := range gsmExtended {
		sizes[r] = 2
	}
	return sizes
}()

// septets returns the length of a text in the GSM alphabet. ok is false if the
// alphabet does not have all of it.
func septets(text string) (n int, ok bool) {
	for _, r := range text {
		size, ok := sizes[r]
		if !ok {
			return 0, false
		}
		n += size
	}
	return n, true
}

// fitsSMS reports whether a text is one text message.
func fitsSMS(text string) bool {
	if n, ok := septets(text); ok {
		return n <= MaxSMS
	}
	return units(text) <= maxSMSWide
}

// units returns the length of a text in UTF-16: an emoji counts as two.
func units(text string) int { return len(utf16.Encode([]rune(text))) }

// typography has what the GSM alphabet has in place of other signs. One such sign
// would leave 70 of 160 characters.
var typography = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "′", "'", "`", "'", "´", "'", "ʼ", "'", "‹", "<", "›", ">",
	"“", `"`, "”", `"`, "„", `"`, "‟", `"`, "″", `"`, "«", `"`, "»", `"`,
	"‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "―", "-", "−", "-", "•", "-",
	"…", "...", "\u00a0", " ", "\u202f", " ", "\ufffd", "",
)

var joiners = strings.NewReplacer(string(zwnj), "", string(zwj), "")

// plain puts a text into the GSM alphabet, if only typography and joiners keep it
// out.
func plain(text string) string {
	text = Visible(typography.Replace(text))
	joined := joiners.Replace(text)
	if _, ok := septets(joined); ok {
		return joined
	}
	return text
}

// withoutSymbols removes emoji and other signs that the GSM alphabet does not have.
func withoutSymbols(text string) string {
	isSymbol := func(r rune) bool {
		return sizes[r] == 0 && (r == zwj || unicode.In(r, unicode.So, unicode.Sk, unicode.Variation_Selector))
	}
	if !strings.ContainsFunc(text, isSymbol) {
		return text
	}
	text = Visible(strings.Map(func(r rune) rune {
		if isSymbol(r) {
			return -1
		}
		return r
	}, text))
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return "" // only what stood between them is left
	}
	return text
}
