package attr

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	maxDigits = 38  // significant digits of a number
	maxExp    = 125 // power of ten of a number's first digit
	minExp    = -130
)

// CheckNumber returns an error that wraps [ErrValue] if the table would refuse the
// number.
func CheckNumber(s string) error {
	_, err := parseInRange(s)
	return err
}

// decimal is a number as ±d.ddd × 10^exp, without zeros at either end of its
// digits. Zero has no digits.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

// parseDecimal reads a number as JSON writes it.
func parseDecimal(s string) (d decimal, ok bool) {
	s, d.negative = strings.CutPrefix(s, "-")
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exp, err = strconv.Atoi(s[i+1:]); err != nil || exp < -1e6 || exp > 1e6 {
			return decimal{}, false
		}
		mantissa = s[:i]
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole == "" || point && fraction == "" || !isDigits(whole) || !isDigits(fraction) {
		return decimal{}, false
	}

	digits := strings.TrimLeft(whole+fraction, "0")
	d.exp = exp + len(digits) - len(fraction) - 1
	d.digits = strings.TrimRight(digits, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parseInRange is [parseDecimal] of a number that the table can hold.
func parseInRange(s string) (decimal, error) {
	d, ok := parseDecimal(s)
	switch {
	case !ok:
		return decimal{}, fmt.Errorf("%w: not a number", ErrValue)
	case len(d.digits) > maxDigits:
		return decimal{}, fmt.Errorf("%w: number of more than %d digits", ErrValue, maxDigits)
	case d.exp > maxExp || d.exp < minExp:
		return decimal{}, fmt.Errorf("%w: number out of range", ErrValue)
	}
	return d, nil
}

// Normal returns a number as DynamoDB returns it: plain digits, without an exponent
// or needless zeros at either end (01.50e2 becomes 150). Its error wraps
// [ErrValue]: not a number, over 38 significant digits, or out of range.
func Normal(s string) (string, error) {
	d, err := parseInRange(s)
	if err != nil {
		return "", err
	}
	if d.digits == "" {
		return "0", nil
	}

	var b strings.Builder
	if d.negative {
		b.WriteByte('-')
	}
	switch whole := d.exp + 1; {
	case whole <= 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -whole))
		b.WriteString(d.digits)
	case whole >= len(d.digits):
		b.WriteString(d.digits)
		b.WriteString(strings.Repeat("0", whole-len(d.digits)))
	default:
		b.WriteString(d.digits[:whole])
		b.WriteByte('.')
		b.WriteString(d.digits[whole:])
	}
	return b.String(), nil
}

// NumberSize returns the bytes that a number takes in the table. Digits count in
// pairs to both sides of the point, as they are stored: 12 is one pair, 1.2 is two.
// Anything else counts as text.
func NumberSize(s string) int {
	d, ok := parseDecimal(s)
	if !ok {
		return len(s)
	}
	if d.digits == "" {
		return 1
	}
	size := 1 + (len(d.digits)+1)/2
	if len(d.digits)%2 == 0 && d.exp%2 == 0 {
		size++
	}
	if d.negative {
		size++
	}
	return size
}
