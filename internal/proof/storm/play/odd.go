package play

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ringback/ringback/events"
)

// odd is how a body differs from what JustCall documents, and is read all the same. Every delivery of an event is odd
// in the same way.
type odd = string

// What can stand in the place of the text of a damaged call, and around the envelope of one that is whole.
const (
	flat       = "flat"
	dataAsText = "data as text"
)

var (
	damages = map[odd]member{
		"lone surrogate": {"contact_name", raw(`"Zo\ud83d"`)},
		"Latin-1 byte":   {"contact_name", raw("\"Ren\xe9\"")},
		"raw newline":    {"contact_note", raw("\"One\ntwo\tthree\"")},
		"NaN":            {"queue_score", raw("NaN")},
	}
	envelopes = []odd{"BOM", "NUL at the end", "wrapped", "in a list", "list of events", "letter case", "form", dataAsText, flat}
)

const oddShare = 12 // of a hundred events of calls and messages

// makeOdd makes an event odd, or not.
func (t *teller) makeOdd(d *draft) {
	oddities := append([]odd{"duplicate name"}, envelopes...)
	for name := range damages {
		oddities = append(oddities, name)
	}
	slices.Sort(oddities)
	chosen := pick(t.rng, oddities...)
	isCall := d.Kind == events.KindCall || d.Kind.Alerts()
	if t.plain || d.Format == events.FormatLegacy || !isCall && (d.Kind != events.KindMessage || chosen == flat) || t.rng.IntN(100) >= oddShare {
		return
	}
	d.odd = chosen
	damage, ok := damages[chosen]
	switch at := slices.IndexFunc(d.data, func(m member) bool { return m.name == damage.name }); {
	case chosen == "duplicate name":
		d.data = append(d.data, d.data[0])
	case ok && at >= 0:
		d.data[at] = damage
	case ok:
		d.data = append(d.data, damage)
	}
}

// around returns what the body holds, of the envelope that is documented; its last member but those of format B is
// the data.
func around(o odd, envelope object) any {
	at := slices.IndexFunc(envelope, func(m member) bool { return m.name == "data" })
	data := envelope[at].value.(object)
	switch o {
	case flat:
		return append(slices.Delete(envelope, at, at+1), data...)
	case dataAsText:
		envelope[at].value = string(written(data))
	case "letter case":
		for i, m := range envelope {
			envelope[i].name = strings.ToUpper(m.name[:1]) + m.name[1:]
		}
	case "wrapped":
		return object{{"body", envelope}}
	case "in a list":
		return array{envelope}
	case "list of events":
		return object{{"events", array{envelope}}}
	}
	return envelope
}

// finish returns the body of what is written.
func finish(o odd, text []byte) []byte {
	switch o {
	case "BOM":
		return slices.Concat([]byte("\ufeff"), text)
	case "NUL at the end":
		return append(text, 0)
	case "form":
		return []byte("payload=" + url.QueryEscape(string(text)))
	}
	return text
}

// dialled returns a number, often as JustCall documents it, and sometimes as telephones, exchanges and people write
// it.
func (t *teller) dialled(number string) any {
	if t.plain || t.rng.IntN(100) < 60 {
		return "+" + number
	}
	groups := []string{number[:1], number[1:4], number[4:7], number[7:]}
	if strings.HasPrefix(number, london) {
		groups = []string{number[:2], number[2:4], number[4:8], number[8:]}
	}
	code, area, rest := groups[0], groups[1], strings.Join(groups[2:], " ")
	joined := func(by string) string { return "+" + strings.Join(groups, by) }
	all := []any{
		"tel:+" + number, "tel:" + joined("-"), "sip:+" + number + "@pbx.example.com", "sips:+" + number + "@pbx.example.com;user=phone",
		joined(" ") + " ext. 12", joined(" ") + " x12", "+" + number + ",12", joined(" ") + "#12",
		joined("\u00a0"), joined("\u2011"), joined("–"), joined("-"), joined("."), "\u202a" + joined(" ") + "\u202c", "\u200e+" + number, "+" + number + "\n",
		fmt.Sprintf("+%s (%s) %s", code, area, rest),
		"00" + number, "00 " + strings.Join(groups, " "), "011" + number, "011 " + strings.Join(groups, " "),
		object{{"phoneNumber", "+" + number}},
		array{"+" + number},
	}
	if code != "1" { // North America has no such 0
		all = append(all, fmt.Sprintf("+%s (0)%s %s", code, area, rest), fmt.Sprintf("+%s(0) %s-%s", code, area, rest))
	}
	return pick(t.rng, all...)
}
