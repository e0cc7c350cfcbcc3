package table

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Size returns the bytes that DynamoDB counts for item, names included.
// Numbers are counted as one byte per pair of significant digits and one more,
// which the documentation calls approximate.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func Size(item Item) int {
	size := 0
	for name, v := range item {
		size += len(name) + sizeOf(v)
	}
	return size
}

// containerSize is what a list or map costs beyond its content.
const containerSize = 3

func sizeOf(v types.AttributeValue) int {
	size := 0
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		size = len(v.Value)
	case *types.AttributeValueMemberN:
		size = numberSize(v.Value)
	case *types.AttributeValueMemberB:
		size = len(v.Value)
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		size = 1
	case *types.AttributeValueMemberM:
		size = containerSize + len(v.Value) + Size(v.Value)
	case *types.AttributeValueMemberL:
		size = containerSize + len(v.Value)
		for _, e := range v.Value {
			size += sizeOf(e)
		}
	}
	return size
}

// Check returns why the table would refuse item: an error that wraps ErrKey,
// ErrValue or ErrTooLarge, or nil. Every Store checks items with it, so that
// all of them refuse the same ones before anything is sent or written.
func Check(item Item) error {
	if err := checkKeys(item); err != nil {
		return err
	}
	if err := checkMap(item, 0); err != nil {
		return err
	}
	if size := Size(item); size > MaxItemSize {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	return nil
}

func checkKeys(item Item) error {
	if err := checkKeyPair(item, Base); err != nil {
		return err
	}
	for _, index := range Indexes() {
		if err := checkKeyPair(item, index); err != nil {
			return err
		}
	}
	return nil
}

// checkKeyPair checks the two key attributes of an index. Those of the table
// must be there; an item that lacks those of an index is just not in it.
func checkKeyPair(item Item, index Index) error {
	partition, sort := index.Attributes()
	if err := checkKey(item, partition, MaxPartitionKey, index == Base); err != nil {
		return err
	}
	return checkKey(item, sort, MaxSortKey, index == Base)
}

func checkKey(item Item, name string, limit int, required bool) error {
	v, ok := item[name]
	if !ok && !required {
		return nil
	}
	s, isString := v.(*types.AttributeValueMemberS)
	switch {
	case !ok:
		return fmt.Errorf("%w: no %s", ErrKey, name)
	case !isString:
		return fmt.Errorf("%w: %s is not a string", ErrKey, name)
	case s.Value == "":
		return fmt.Errorf("%w: %s is empty", ErrKey, name)
	case len(s.Value) > limit:
		return fmt.Errorf("%w: %s has %d bytes, at most %d", ErrKey, name, len(s.Value), limit)
	case !utf8.ValidString(s.Value):
		return fmt.Errorf("%w: %s is not UTF-8", ErrKey, name)
	}
	return nil
}

const (
	maxDepth  = 32       // lists and maps within each other
	maxName   = 64 << 10 // bytes of an attribute name
	maxDigits = 38       // significant digits of a number
	maxExp    = 125      // power of ten of a number's first digit
	minExp    = -130
)

func checkMap(m Item, depth int) error {
	for name, v := range m {
		switch {
		case name == "":
			return fmt.Errorf("%w: attribute without a name", ErrValue)
		case len(name) > maxName:
			return fmt.Errorf("%w: attribute name over 64 KB", ErrValue)
		case !utf8.ValidString(name):
			return fmt.Errorf("%w: attribute name is not UTF-8", ErrValue)
		}
		if err := checkValue(v, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(v types.AttributeValue, depth int) error {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return checkText(v.Value)
	case *types.AttributeValueMemberN:
		_, err := checkNumber(v.Value)
		return err
	case *types.AttributeValueMemberB, *types.AttributeValueMemberBOOL:
		return nil
	case *types.AttributeValueMemberNULL:
		if !v.Value {
			return fmt.Errorf("%w: null that is not true", ErrValue)
		}
		return nil
	case *types.AttributeValueMemberM:
		if depth == maxDepth {
			return fmt.Errorf("%w: more than %d levels", ErrValue, maxDepth)
		}
		return checkMap(v.Value, depth+1)
	case *types.AttributeValueMemberL:
		if depth == maxDepth {
			return fmt.Errorf("%w: more than %d levels", ErrValue, maxDepth)
		}
		for _, e := range v.Value {
			if err := checkValue(e, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%w: kind %T", ErrValue, v)
}

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: string is not UTF-8", ErrValue)
	}
	return nil
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

func checkNumber(s string) (decimal, error) {
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

// NormalNumber returns a number as DynamoDB hands it back: plain digits,
// without exponent and without zeros that say nothing. Its error wraps
// ErrValue: not a number, over 38 significant digits, or out of range.
func NormalNumber(s string) (string, error) {
	d, err := checkNumber(s)
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

// numberSize counts digits in pairs to both sides of the point, as they are
// stored: 12 is one pair, 1.2 is two.
func numberSize(s string) int {
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
