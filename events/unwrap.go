package events

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// This file reads deliveries in other forms than documented. In this order:
//
//  1. A body that is no JSON is repaired. If that does not help, it may be JSON that is
//     escaped, in base64 or in a script's call, or a form; see undo.go.
//  2. A string with JSON in it stands for that, a list of one for its element.
//  3. In an object, event and type name the event as they are. If they are not there,
//     or if the name is none that we know, a wrapper is looked for: a member that is
//     itself a delivery with type and data.
//  4. Then the envelope's names count in any letter case, with wrappers' names in front
//     of them, and as an object or a list of one; and other members that hold the name
//     of an event.
//  5. Then the legacy form: a type in the data.
//  6. Then a wrapper around anything else that is a delivery.
//  7. Then members that only a call, a message or a contact has, in the data or at
//     the top level: an event without a type.
//  8. Then a delivery with type and data in a member whose name we do not know, if
//     there is one only.
//
// Where there is a type, the data is the member data, if it has something in it, else
// the inside of a wrapper, else all members at the top level, or the only one that has
// an event's data in it. Data is unwrapped in turn.

// maxWraps is how many things may stand around a delivery. One adds one or two.
const maxWraps = 8

// wrappers are names of members, in lower case, that others put around deliveries, or
// around the data. Such a member only counts if a delivery is in it.
var wrappers = map[string]bool{
	"0": true, "attributes": true, "batch": true, "body": true, "call": true, "calls": true, "changes": true, "content": true,
	"data": true, "deliveries": true, "delivery": true, "detail": true, "entries": true, "entry": true, "event": true,
	"events": true, "input": true, "item": true, "items": true, "json": true, "justcall": true, "kinesis": true, "logs": true, "message": true,
	"messages": true, "notification": true, "object": true, "objects": true, "output": true, "params": true, "payload": true,
	"record": true, "records": true, "request": true, "resource": true, "response": true, "result": true, "results": true,
	"sns": true, "steps": true, "trigger": true, "value": true, "values": true, "webhook": true, "webhooks": true,
}

// eventNames are other names for the member that names the event, by [bareName]. Such a
// member, or one inside it, only counts if its text is the name of an event.
var eventNames = map[string]bool{
	"action": true, "detailtype": true, "eventname": true, "eventtype": true, "header": true, "headers": true, "hook": true,
	"kind": true, "meta": true, "metadata": true, "name": true, "notificationtype": true, "subject": true, "topic": true,
	"trigger": true, "triggername": true, "webhookevent": true, "webhooktype": true,
}

// typeNames are the members with the name of an event, in an object in place of the
// name, by [bareName]; best first.
var typeNames = []string{"event", "eventname", "eventtype", "type", "name", "value", "key", "slug", "id"}

// typeIn returns the name of an event: a text, or what textIn finds.
func typeIn(value jsontext.Value) Type {
	if name := textIn(value, typeNames); !isPlaceholder(name) {
		return Type(name)
	}
	return ""
}

// telling are members that only the data of a call, a message or a contact has, by
// [bareName], and the format that has them.
var telling = map[string]Format{
	"callduration": FormatB, "callid": FormatA, "callinfo": FormatB, "callsid": FormatB,
	"contactid": FormatA, "contactnumber": FormatB, "from": FormatA, "justcallnumber": FormatB,
	"messageid": FormatA, "missedcallreason": FormatB, "salesdialernumber": FormatB,
	"smsinfo": FormatB, "to": FormatA,
}

// probeNames are the members of a test that holds no event.
var probeNames = map[string]bool{"challenge": true, "ping": true, "test": true}

// isTest reports whether data is an object that says nothing but that it is a test.
func isTest(data jsontext.Value) bool {
	const longest = 64 // bytes of what a member says
	if !probeNames[strings.ToLower(string(firstName(data)))] {
		return false
	}
	test := true
	eachMember(data, func(name string, value jsontext.Value) {
		short := value.Kind() != '{' && value.Kind() != '[' && len(value) <= longest
		test = test && probeNames[strings.ToLower(name)] && short && !isLongNumber(numberText(value))
	})
	return test
}

// isLongNumber reports whether a text may be a person's telephone number.
func isLongNumber(text string) bool {
	const fewest = 7
	digits := 0
	for i := range len(text) {
		if c := text[i]; '0' <= c && c <= '9' {
			digits++
		} else if isLetter(c) {
			return false
		}
	}
	return digits >= fewest
}

// isHollow reports whether data is absent, empty or a test.
func isHollow(data jsontext.Value) bool { return isEmpty(data) || isTest(data) }

// formatOf returns the format of an event that does not say its type: B if a member
// is B's, so that it needs the signature of one.
func formatOf(data jsontext.Value) Format {
	format := FormatA
	eachMember(data, func(name string, _ jsontext.Value) {
		if telling[bareName(name)] == FormatB {
			format = FormatB
		}
	})
	return format
}

// firstName returns the name of an object's first member, nil if there is none.
func firstName(object jsontext.Value) []byte {
	if object.Kind() != '{' {
		return nil
	}
	name := object[bytes.IndexByte(object, '"')+1:]
	return name[:max(0, bytes.IndexByte(name, '"'))]
}

// openOdd opens what [openPlain] does not.
func openOdd(body []byte) (*Envelope, error) {
	var found damage
	e, err := unwrap(body, &found, 0)
	if err != nil {
		return nil, err
	}
	e.Body = body
	e.Damage = found.words()
	return e, nil
}

// unwrap opens a delivery, whatever stands around it.
func unwrap(text []byte, found *damage, depth int) (*Envelope, error) {
	value, odd, err := readValue(text)
	switch {
	case errors.Is(err, io.EOF):
		*found |= odd
		return &Envelope{Format: FormatLegacy}, nil // nothing, or white space
	case err != nil && depth < maxWraps:
		return unwrapUndone(text, found, depth, err)
	case err != nil:
		return nil, err
	}
	*found |= odd
	var inner jsontext.Value
	var wrap damage
	switch value.Kind() {
	case '{':
		return unwrapObject(value, found, depth)
	case '"':
		inner, wrap = trimStart([]byte(unquote(value))), damageJSONInString
	case '[':
		if isEmpty(value) {
			return &Envelope{Format: FormatLegacy}, nil
		}
		inner, wrap = onlyElement(value), damageList
	default:
	}
	if len(inner) == 0 || depth == maxWraps {
		return nil, ErrNotObject
	}
	e, err := unwrap(inner, found, depth+1)
	if err != nil {
		return nil, ErrNotObject
	}
	*found |= wrap
	return e, nil
}

// unwrapUndone opens what [undo] makes JSON. Its error is err, why the body is none.
func unwrapUndone(text []byte, found *damage, depth int, err error) (*Envelope, error) {
	plain, odd := undo(text)
	if plain == nil {
		return nil, err
	}
	e, undoneErr := unwrap(plain, &odd, depth+1)
	if undoneErr != nil || e.Probe() {
		return nil, err // words with an equals sign in them
	}
	*found |= odd
	return e, nil
}

// readValue returns the one JSON value that text is, repaired if need be. The error is
// [io.EOF] for nothing but white space; any other wraps [ErrPayload].
func readValue(text []byte) (value jsontext.Value, found damage, err error) {
	strict := func(text []byte) (jsontext.Value, error) {
		if tooDeep(text) {
			return nil, ErrDepth
		}
		dec := jsontext.NewDecoder(bytes.NewBuffer(text))
		raw, err := dec.ReadValue()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, syntaxError(err)
		}
		value := lastRead(dec, text, raw)
		return value, atEnd(dec)
	}
	value, err = strict(text)
	if err == nil || errors.Is(err, io.EOF) {
		return value, 0, err
	}
	// guard 3 ingest: repaired, found := text, damage(0)
	repaired, found := repair(text)
	if found != 0 {
		if value, again := strict(repaired); again == nil || errors.Is(again, io.EOF) {
			return value, found, again
		}
	}
	// The error of what came says where it is wrong.
	if !utf8.Valid(text) && !errors.Is(err, ErrDepth) {
		err = ErrUTF8
	}
	return nil, 0, err
}

// readInside returns the JSON that a string holds, as readValue does.
func readInside(value jsontext.Value) (inner jsontext.Value, found damage, err error) {
	said := []byte(text(value))
	if inner, found, err = readValue(said); err == nil || errors.Is(err, io.EOF) {
		return inner, found, err
	}
	plain, odd := undo(said)
	inner, found, again := readValue(plain)
	if again != nil || odd == damageForm && !tells(inner) {
		return nil, 0, err
	}
	return inner, found | odd, nil
}

// startsJSON reports whether text, without space in front, begins as what could be or
// hold an object.
func startsJSON(text []byte) bool {
	return len(text) > 0 && (text[0] == '{' || text[0] == '[' || text[0] == '"')
}

// onlyElement returns the element of a list of one, else nil.
func onlyElement(list jsontext.Value) jsontext.Value {
	n, only := 0, jsontext.Value(nil)
	eachElement(list, func(element jsontext.Value) {
		n++
		only = element
	})
	if n != 1 {
		return nil
	}
	return only
}

// inside is a delivery in a wrapper.
type inside struct {
	*Envelope

	damage damage
	// whole is set if the delivery names its event and has data of its own.
	whole bool
	// stray is set if the wrapper's name is none of wrappers.
	stray bool
}

// unwrapObject opens an object, which is strict JSON.
func unwrapObject(object jsontext.Value, found *damage, depth int) (*Envelope, error) {
	t, err := readTop(object)
	if err != nil {
		return nil, err
	}
	sent := t.Envelope
	if isPlaceholder(string(t.event)) {
		t.event = ""
	}
	if isPlaceholder(string(t.typ)) {
		t.typ = ""
	}
	t.setType()
	var around []inside // the deliveries in wrappers, in the order received
	// A relay's event has nothing of a call or message; in one, a text may be anybody's.
	relayed := t.Type != "" && !isHollow(t.Data) && !t.Type.tells() && !tells(t.Data)
	if t.Type == "" || isHollow(t.Data) || relayed {
		around = wrapped(object, depth)
	}
	whole := func(i inside) bool { return i.whole && !i.stray && (!relayed || i.Type.tells()) }
	if i := slices.IndexFunc(around, whole); i >= 0 {
		*found |= around[i].damage | damageWrapped
		return around[i].Envelope, nil
	}
	around, strays := known(around)
	if t.Type == "" || isHollow(t.Data) {
		*found |= t.foldNames(object)
	}
	switch {
	case t.Type != "" && !t.Type.tells() && isHollow(t.Data) && len(strays) == 1 && strays[0].Type.tells() && !tells(object):
		// A relay's own name for what it received.
		*found |= strays[0].damage | damageWrapped
		return strays[0].Envelope, nil
	case t.Type != "":
		t.typedData(object, found, depth)
		return &t.Envelope, nil
	case legacyType(t.Data) != "":
		t.Type = legacyType(t.Data)
		return &t.Envelope, nil
	}
	data, odd := unwrapData(t.Data, depth)
	switch {
	case legacyType(data) != "":
		t.Type = legacyType(data)
		fallthrough
	case tells(data):
		t.Data = data
		*found |= odd
		if t.Type == "" {
			t.Format = formatOf(data)
			*found |= damageNoType
		}
		return &t.Envelope, nil
	case len(around) > 0:
		*found |= around[0].damage | damageWrapped
		return around[0].Envelope, nil
	}
	flat := flatData(object, t.beside)
	switch {
	case tells(flat):
		// guard 3 ingest: _ = flat
		t.Data, t.NewFields = flat, nil
		t.Format = formatOf(flat)
		*found |= damageFlat | damageNoType
		return &t.Envelope, nil
	case len(strays) == 1: // of several, all but one would be lost
		*found |= strays[0].damage | damageWrapped
		return strays[0].Envelope, nil
	case isHollow(flat) && isHollow(t.Data):
		return &Envelope{Format: FormatLegacy, Data: t.Data}, nil // a probe
	case isHollow(t.Data):
		return nil, ErrNoTypeNoData
	case sent.Type != "":
		return &sent, nil // a placeholder: better than no name
	default:
		return nil, ErrNoType
	}
}

// known parts the deliveries in wrappers that we know from whole ones in others.
func known(around []inside) (known, strays []inside) {
	for _, i := range around {
		switch {
		case !i.stray:
			known = append(known, i)
		case i.whole:
			strays = append(strays, i)
		}
	}
	return known, strays
}

// wrapped returns the deliveries in an object's members.
func wrapped(object jsontext.Value, depth int) (all []inside) {
	if depth == maxWraps {
		return nil
	}
	eachMember(object, func(name string, value jsontext.Value) {
		if !startsJSON(value) {
			return
		}
		var found damage
		e, err := unwrap(value, &found, depth+1)
		if err != nil || e.Probe() || found&damageForm != 0 && !e.Type.tells() {
			return
		}
		flat := found&damageFlat != 0
		named := found&damageNoType == 0 && (e.Format == FormatA && (!flat || tells(e.Data)) || e.Format == FormatB && !flat)
		all = append(all, inside{e, found, named, !wrappers[strings.ToLower(name)]})
	})
	return all
}

// foldNames reads the names of the envelope in any letter case, where the documented
// ones are absent.
func (t *top) foldNames(object jsontext.Value) damage {
	noData, noType := isHollow(t.Data), t.Type == ""
	odd := false
	eachMember(object, func(name string, value jsontext.Value) {
		lower := strings.ToLower(withoutPath(name))
		if isEmpty(value) {
			return
		}
		read := true
		switch {
		case lower == "event" && t.event == "" && noType:
			t.event = typeIn(value)
			read = t.event != "" && value.Kind() != '{'
			odd = odd || t.event != ""
		case lower == "type" && t.typ == "" && noType:
			t.typ = typeIn(value)
			read = t.typ != "" && value.Kind() != '{'
			odd = odd || t.typ != ""
		case eventNames[bareName(name)] && t.event == "" && noType && typeIn(value).Registered():
			t.event = typeIn(value)
			read = value.Kind() == '"'
			odd = true
		case lower == name:
			read = false
		case lower == "request_id" && t.RequestID == "" && value.Kind() == '"':
			t.RequestID = text(value)
		case lower == "timestamp" && isEmpty(t.Timestamp):
			t.Timestamp = value
		case lower == "data" && noData:
			t.Data, noData = value, false
		default:
			read = false
		}
		if read {
			odd = true
			is := func(other string) bool { return other == name }
			t.NewFields = slices.DeleteFunc(t.NewFields, is)
			t.beside = slices.DeleteFunc(t.beside, is)
		}
	})
	if !odd {
		return 0
	}
	t.setType()
	return damageLetterCase
}

// typedData finds the data of an event that has a type.
func (t *top) typedData(object jsontext.Value, found *damage, depth int) {
	if !isHollow(t.Data) {
		data, odd := unwrapData(t.Data, depth)
		t.Data = data
		*found |= odd
		return
	}
	wrapper, wrap := "", damage(0)
	eachNamed(object, t.beside, func(name string, value jsontext.Value) {
		if wrapper != "" || !wrappers[strings.ToLower(name)] {
			return
		}
		if data, odd := unwrapData(value, depth); tells(data) {
			t.Data, wrapper, wrap = data, name, odd|damageWrapped
		}
	})
	if wrapper != "" {
		t.NewFields = slices.DeleteFunc(t.NewFields, func(other string) bool { return other == wrapper })
		*found |= wrap
		return
	}
	if len(t.beside) > 0 {
		// guard 3 ingest e2e: _ = flatData(object, t.beside)
		t.Data = flatData(object, t.beside)
		t.NewFields = nil
		*found |= damageFlat
	}
	if !tells(t.Data) && !slices.Contains(t.beside, "id") {
		// Perhaps in a member whose name we do not know.
		if inner, odd := onlyTelling(t.Data, depth); inner != nil {
			t.Data = inner
			*found |= odd | damageWrapped
		}
	}
}

// onlyTelling returns the data in the only member that has any, nil if none or more than
// one has.
func onlyTelling(object jsontext.Value, depth int) (only jsontext.Value, found damage) {
	n := 0
	eachMember(object, func(_ string, value jsontext.Value) {
		if value.Kind() != '{' {
			return
		}
		if inner, odd := unwrapData(value, depth+1); tells(inner) {
			n++
			only, found = inner, odd
		}
	})
	if n != 1 {
		return nil, 0
	}
	return only, found
}

// flatData returns an object of the members that stand at the top level instead of in
// the data.
func flatData(object jsontext.Value, names []string) jsontext.Value {
	flat := jsontext.Value{'{'}
	var taken map[string]bool // names that the object has
	eachNamed(object, names, func(name string, value jsontext.Value) {
		if len(flat) > 1 {
			flat = append(flat, ',')
		}
		if bare := withoutPath(name); bare != name {
			if taken == nil {
				taken = make(map[string]bool, len(names))
				for _, name := range names {
					taken[name] = true
				}
			}
			if !taken[bare] {
				taken[bare], name = true, bare
			}
		}
		flat, _ = jsontext.AppendQuote(flat, name)
		flat = append(append(flat, ':'), value...)
	})
	return append(flat, '}')
}

// eachNamed is eachMember for the members with these names, which are in the order received.
func eachNamed(object jsontext.Value, names []string, visit func(name string, value jsontext.Value)) {
	if len(names) == 0 {
		return
	}
	eachMember(object, func(name string, value jsontext.Value) {
		if len(names) > 0 && name == names[0] { // no name comes twice
			names = names[1:]
			visit(name, value)
		}
	})
}

// withoutPath cuts the wrappers off a name that has them in front, as programs write
// where they make one level of several: "data__call_id", "body.data.from", "data_to".
func withoutPath(name string) string {
	for _, separator := range []string{"__", ".", "/"} {
		for {
			wrapper, rest, ok := strings.Cut(name, separator)
			if !ok || !wrappers[strings.ToLower(wrapper)] {
				break
			}
			name = rest
		}
	}
	if front := "data_"; len(name) > len(front) && strings.EqualFold(name[:len(front)], front) {
		return name[len(front):]
	}
	return name
}

// tells reports whether data has a member that only an event's data has.
func tells(data jsontext.Value) (found bool) {
	if data.Kind() == '{' {
		eachMember(data, func(name string, value jsontext.Value) {
			found = found || telling[bareName(name)] != "" && !isEmpty(value)
		})
	}
	return found
}

// unwrapData returns the object in data that is JSON in a string, a list of one, or an
// object whose only member is a wrapper. It returns any other data as it is.
func unwrapData(data jsontext.Value, depth int) (jsontext.Value, damage) {
	if depth >= maxWraps {
		return data, 0
	}
	switch data.Kind() {
	case '"':
		value, odd, err := readInside(data)
		if err != nil {
			return data, 0
		}
		if inner, more := unwrapData(value, depth+1); inner.Kind() == '{' {
			return inner, odd | more | damageJSONInString
		}
	case '[':
		if inner, more := unwrapData(onlyElement(data), depth+1); inner.Kind() == '{' {
			return inner, more | damageList
		}
	case '{':
		if inner, more := unwrapMember(data, depth); inner != nil {
			return inner, more | damageWrapped
		}
	default:
	}
	return data, 0
}

// unwrapMember returns the data in the first wrapper of an object that has any, nil if
// none has or if the object has members of an event's data itself.
func unwrapMember(object jsontext.Value, depth int) (inner jsontext.Value, found damage) {
	if tells(object) {
		return nil, 0
	}
	eachMember(object, func(name string, value jsontext.Value) {
		if inner != nil || !wrappers[strings.ToLower(name)] || isEmpty(value) {
			return
		}
		if data, odd := unwrapData(value, depth+1); tells(data) {
			inner, found = data, odd
		}
	})
	return inner, found
}
