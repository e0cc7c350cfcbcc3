package storm

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object and array are JSON whose members have an order, so that one seed makes
// the same bytes every time. Their values are objects, arrays, strings, numbers,
// ints, bools and nil.
type (
	object []member
	array  []any
	member struct {
		name  string
		value any
	}
)

// number is a JSON number as it is written.
type number string

// speller writes JSON. Without rng it writes as an encoder does; with one it
// writes the same in another way: members in another order, and where it is to
// be wide also with white space, escapes, and whole numbers as floats.
type speller struct {
	rng  *rand.Rand
	wide bool
	out  []byte
}

func (s *speller) write(value any) {
	s.space()
	switch v := value.(type) {
	case object:
		order := make([]int, len(v))
		for i := range order {
			order[i] = i
		}
		if s.rng != nil {
			s.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		s.out = append(s.out, '{')
		for n, i := range order {
			s.comma(n)
			s.write(v[i].name)
			s.out = append(s.out, ':')
			s.write(v[i].value)
		}
		s.out = append(s.out, '}')
	case array:
		s.out = append(s.out, '[')
		for n, element := range v {
			s.comma(n)
			s.write(element)
		}
		s.out = append(s.out, ']')
	case string:
		s.text(v)
	case number:
		s.out = append(s.out, v...)
	case int:
		s.out = strconv.AppendInt(s.out, int64(v), 10)
		if s.wide {
			s.out = append(s.out, pick(s.rng, "", "", "", ".0", "e0", ".00E+0")...)
		}
	case bool:
		s.out = strconv.AppendBool(s.out, v)
	case nil:
		s.out = append(s.out, "null"...)
	default:
		panic(fmt.Sprintf("storm: a %T is no JSON", value))
	}
	s.space()
}

func (s *speller) comma(n int) {
	if n > 0 {
		s.out = append(s.out, ',')
	}
}

func (s *speller) space() {
	if s.wide {
		s.out = append(s.out, pick(s.rng, "", "", "", "", " ", "\n  ", "\r\n\t")...)
	}
}

func (s *speller) text(text string) {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		panic("storm: a made up text is not UTF-8")
	}
	if !s.wide || s.rng.IntN(4) > 0 || strings.Contains(string(quoted), `\`) {
		s.out = append(s.out, quoted...)
		return
	}
	s.out = append(s.out, '"')
	for _, c := range quoted[1 : len(quoted)-1] {
		switch {
		case c == '/':
			s.out = append(s.out, `\/`...)
		case c < 0x80 && s.rng.IntN(3) == 0:
			s.out = fmt.Appendf(s.out, `\u%04x`, c)
		default:
			s.out = append(s.out, c)
		}
	}
	s.out = append(s.out, '"')
}

// pick returns one of the choices; naming one twice makes it twice as likely.
func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }
