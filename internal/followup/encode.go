package followup

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
)

// Stored facts are a version, and the fields of [Facts] in the order in which [coder.facts]
// names them. They are written for each event of a caller, so they are short. A number is a
// uvarint; so is a yes, as 1, and a no. A list is how many it has, and those.
//
//	text    its length in bytes, and those
//	word    which of the texts so far it is, or 0 and a text
//	time    0 for none; how many seconds after the time before, and its nanoseconds if any
//	others  whether it is there, and its fields

// version is that of the encoding. Until December 2026 it was 1, and JSON.
const version = 2

// ErrEncoding means that stored facts cannot be read: they are damaged, or of a later
// version.
var ErrEncoding = errors.New("follow-up cannot be read")

func errVersion(is uint64) error {
	return fmt.Errorf("%w: version %d, want %d; run ringback rebuild", ErrEncoding, is, version)
}

// Encode returns the facts as bytes, which are no text. Equal facts have equal bytes.
func (f Facts) Encode() string {
	c := coder{written: make([]byte, 0, 512), words: usual}
	is := uint64(version)
	number(&c, &is)
	c.facts(&f)
	return string(c.written)
}

// Decode reads what [Facts.Encode] returned, or what earlier versions wrote. The error wraps
// [ErrEncoding].
func Decode(stored string) (f Facts, err error) {
	if len(stored) > 0 && stored[0] == '{' {
		return decodeJSON(stored)
	}
	c := coder{reading: true, rest: stored, words: usual}
	var is uint64
	number(&c, &is)
	if !c.damaged && is != version {
		return Facts{}, errVersion(is)
	}
	c.facts(&f)
	if c.damaged || c.rest != "" {
		return Facts{}, fmt.Errorf("%w: damaged", ErrEncoding)
	}
	return f, nil
}

func decodeJSON(text string) (Facts, error) {
	var e struct {
		Version uint64 `json:"v"`
		Facts
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return Facts{}, fmt.Errorf("%w: no JSON of ours", ErrEncoding)
	}
	if e.Version != 1 {
		return Facts{}, errVersion(e.Version)
	}
	return e.Facts, nil
}

// usual are the words that count as having come before. Stored facts depend on their order. Each
// coder appends others to a copy.
var usual = slices.Clip([]string{
	"", string(Opens), string(Contact), string(Attempt),
	string(events.Answered), string(events.Voicemailed), string(events.Missed), string(events.Abandoned), string(events.OutcomeUnknown),
	string(events.Inbound), string(events.Outbound),
	string(ActClaim), string(ActUnclaim), string(ActDone), string(ActSnooze),
})

// maxKnown is how many words are looked through for one that comes again. Stored facts depend
// on it, too.
const maxKnown = 64

// coder writes facts, or reads them: one description of each type serves both, so that they
// fit. It changes what it is given only when it reads.
type coder struct {
	reading bool
	rest    string // to be read
	damaged bool
	written []byte

	words []string // so far
	last  int64    // the second of the time before
}

func (c *coder) facts(f *Facts) {
	list(c, &f.Calls, (*coder).call)
	list(c, &f.Texts, (*coder).sent)
	other(c, &f.Older.First, (*coder).miss)
	other(c, &f.Older.Last, (*coder).miss)
	list(c, &f.Older.Minutes, (*coder).miss)
	list(c, &f.Older.Hours, (*coder).miss)
	other(c, &f.Older.Contact, (*coder).end)
	c.time(&f.TextIn)
	other(c, &f.Claimed, (*coder).act)
	other(c, &f.Done, (*coder).act)
	other(c, &f.Snoozed, (*coder).act)
	other(c, &f.Person, (*coder).person)
	c.time(&f.Baseline)
}

func (c *coder) call(x *Call) {
	text(c, &x.ID)
	number(c, &x.Events)
	word(c, &x.Effect)
	word(c, &x.Outcome)
	word(c, &x.Direction)
	c.time(&x.Start)
	c.time(&x.End)
	word(c, &x.Line)
	word(c, &x.LineName)
	word(c, &x.Agent)
	number(c, &x.Callback)
	other(c, &x.Who, (*coder).who)
	text(c, &x.Words)
	text(c, &x.Recording)
}

func (c *coder) who(x *Who) {
	word(c, &x.Phone)
	word(c, &x.Text)
	c.yes(&x.Withheld)
	word(c, &x.Name)
}

func (c *coder) sent(x *Text) {
	text(c, &x.ID)
	number(c, &x.Events)
	word(c, &x.Effect)
	word(c, &x.Sent)
	c.time(&x.At)
	word(c, &x.Agent)
}

func (c *coder) miss(x *Miss) {
	text(c, &x.ID)
	c.time(&x.Start)
	word(c, &x.Outcome)
	word(c, &x.Line)
	word(c, &x.LineName)
}

func (c *coder) end(x *End) {
	text(c, &x.ID)
	c.time(&x.At)
}

func (c *coder) act(x *Act) {
	text(c, &x.ID)
	c.time(&x.At)
	word(c, &x.Kind)
	word(c, &x.By)
	text(c, &x.Why)
	c.time(&x.Until)
}

func (c *coder) person(x *Person) {
	text(c, &x.At)
	c.yes(&x.Known)
	text(c, &x.Name)
	text(c, &x.Company)
	c.yes(&x.Blocked)
	c.yes(&x.DoNotDisturb)
	c.yes(&x.Own)
}

func number[N ~int | ~uint8 | ~uint64](c *coder, n *N) {
	if !c.reading {
		c.written = binary.AppendUvarint(c.written, uint64(*n))
		return
	}
	value, size := binary.Uvarint([]byte(c.rest[:min(len(c.rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		c.damage()
		return
	}
	*n, c.rest = N(value), c.rest[size:]
}

// damage makes all that is still to be read zero.
func (c *coder) damage() { c.rest, c.damaged = "", true }

func (c *coder) yes(is *bool) {
	var n uint64
	if *is {
		n = 1
	}
	number(c, &n)
	if c.reading {
		*is = n == 1
	}
}

func text[T ~string](c *coder, t *T) {
	n := len(*t)
	number(c, &n)
	switch {
	case !c.reading:
		c.written = append(c.written, *t...)
	case n < 0 || n > len(c.rest):
		c.damage()
	default:
		*t, c.rest = T(c.rest[:n]), c.rest[n:]
	}
}

func word[T ~string](c *coder, t *T) {
	n := 1 + slices.Index(c.words, string(*t))
	number(c, &n)
	switch {
	case n < 0 || n > len(c.words):
		c.damage()
	case n == 0:
		text(c, t)
		if len(c.words) < maxKnown {
			c.words = append(c.words, string(*t))
		}
	case c.reading:
		*t = T(c.words[n-1])
	}
}

// time has one number for the seconds since the time before, whose sign is its last bit but
// one. The last bit says whether there are nanoseconds. 1 is added, for 0 is the zero time.
func (c *coder) time(t *time.Time) {
	var head uint64
	nanoseconds := t.Nanosecond()
	if !t.IsZero() {
		since := t.Unix() - c.last
		head = uint64(since<<1^since>>63)<<1 + 1 //nolint:gosec // G115: bits
		if nanoseconds != 0 {
			head++
		}
	}
	if number(c, &head); head == 0 {
		return
	}
	since := (head - 1) >> 1
	c.last += int64(since>>1) ^ -int64(since&1)
	if head%2 == 0 {
		number(c, &nanoseconds)
	}
	if c.reading {
		*t = time.Unix(c.last, int64(nanoseconds)).UTC()
	}
}

func list[T any](c *coder, all *[]T, each func(*coder, *T)) {
	n := len(*all)
	number(c, &n)
	if !c.reading {
		for i := range *all {
			each(c, &(*all)[i])
		}
		return
	}
	if n < 0 || n > len(c.rest) {
		c.damage()
		return
	}
	*all = slices.Grow(*all, min(n, maxCalls+1)) // of damaged facts, n may be anything
	for range n {
		if c.damaged {
			return
		}
		var x T
		each(c, &x)
		*all = append(*all, x)
	}
}

// other is something that is seldom there.
func other[T comparable](c *coder, x *T, each func(*coder, *T)) {
	var none T
	is := *x != none
	c.yes(&is)
	if is {
		each(c, x)
	}
}
