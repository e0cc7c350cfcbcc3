package play

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object and array are JSON whose members have an order, so that one seed makes the same bytes every time. Their
// values are objects, arrays, strings, numbers, ints, bools and nil.
type (
	object []member
	array  []any
	member struct {
		name  string
		value any
	}
)

// members returns an object of names and values, in turn.
func members(pairs ...any) (all object) {
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, member{pair[0].(string), pair[1]})
	}
	return all
}

// raw is written as it is: a number, or what is almost JSON.
type raw string

// speller writes JSON. Without rng it writes as an encoder does; with one it writes the same in another way:
// members in another order and, if it is wide, with white space, escapes, and integers as floats.
type speller struct {
	rng  *rand.Rand
	wide bool
	out  []byte
}

func (s *speller) write(value any) {
	s.space()
	switch v := value.(type) {
	case object:
		if s.rng != nil {
			v = slices.Clone(v)
			s.rng.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		}
		s.list('{', '}', len(v), func(i int) {
			s.write(v[i].name)
			s.out = append(s.out, ':')
			s.write(v[i].value)
		})
	case array:
		s.list('[', ']', len(v), func(i int) { s.write(v[i]) })
	case string:
		s.text(v)
	case raw:
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

func (s *speller) list(begin, end byte, n int, write func(i int)) {
	s.out = append(s.out, begin)
	for i := range n {
		if i > 0 {
			s.out = append(s.out, ',')
		}
		write(i)
	}
	s.out = append(s.out, end)
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
	escape := s.wide && s.rng.IntN(4) == 0 && !strings.Contains(string(quoted), `\`)
	for i, c := range quoted {
		switch {
		case escape && c == '/':
			s.out = append(s.out, `\/`...)
		case escape && c < 0x80 && i > 0 && i < len(quoted)-1 && s.rng.IntN(3) == 0:
			s.out = fmt.Appendf(s.out, `\u%04x`, c)
		default:
			s.out = append(s.out, c)
		}
	}
}

// pick returns one of the choices; naming one twice makes it twice as likely.
func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }
