package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table/attr"
)

// An item has the members of its event as attributes, and would have them a second
// time in the body. So the body is kept packed: as what has to be known beside the
// attributes to write it again, byte for byte.
//
// A packed body is a byte of flags, CRC-32 of the body, and operations that append to the
// body, which begins with "{", or with a byte order mark before it. An operation is one
// byte, with operands behind it:
//
//	0–191          the member memberNames[n], with the value of the item's attribute;
//	               null if there is none. Of an object only "{" is written, and the
//	               members that follow are its own.
//	opRun + n      n + 1 members, each the next one in memberNames
//	opEnd          the end of the object
//	opName n       the name memberNames[n], whose value follows
//	opNext         the next name in memberNames, whose value follows
//	opText n …     n bytes as they stand
//	opCode + c n … n characters of codes[c]
//	opTop, opData  "{", and members at the top level, or of the data, follow
//	opString f     the text up to opClose is written as a string; it has the flags f of its own
//	opForm f       … as a value of a form
//	opPhrase + n   phrases[n]
//
// At the top level, attributes of other names have some of the values: see [lookUp]. Flags
// say how the sender writes JSON. A body that is written in none of these ways is not
// packed.
//
// Deflate, with the members written out as its dictionary, was measured as well: it
// needs nearly three times the bytes, and a hundred times the time, most of it to set up
// its tables. See docs/table.md.
const (
	maxMember = 0xC0
	opRun     = 0xC0
	opEnd     = 0xE0
	opName    = 0xE1
	opText    = 0xE2
	opTop     = 0xE3
	opData    = 0xE4
	opString  = 0xE5
	opForm    = 0xE6
	opClose   = 0xE7
	opCode    = 0xE8
	opNext    = 0xEF
	opPhrase  = 0xF0

	longestRun = opEnd - opRun
	sumSize    = 4 // bytes of CRC-32
)

// Flags of a packed body. No other bit may be set.
const (
	spaced         = 1 << iota // a blank behind "," and ":"
	indented                   // each member on a line of its own, indented by two blanks for each level
	escapedSlash               // "/" is written as "\/"
	escapedUnicode             // letters beyond ASCII are written as \u and four digits
	marked                     // a byte order mark stands before it
	form                       // it is a form: the first operations write what stands before the "{"

	allFlags = spaced | indented | escapedSlash | escapedUnicode | marked | form

	mark = "\ufeff"
)

// memberNames are the names that a packed body refers to by number, in the order in which
// JustCall sends them, so that most follow the one before. Some are in it several times.
// Stored items depend on their numbers: new names may only be added at the end.
var memberNames = strings.Fields(`
	request_id webhook_url url_id type data
	id call_sid contact_number contact_name contact_email justcall_number justcall_line_name
	agent_id agent_name agent_email call_date call_user_date call_time call_user_time cost_incurred
	call_info direction type missed_call_reason status disposition notes rating recording recording_child
	voicemail_transcription call_traits
	call_duration total_duration friendly_duration conversation_time queue_wait_time ring_time hold_time
	wrap_up_time handle_time
	ivr_info digit_pressed content
	queue_callback callback_requested callback_requested_time callback_attempted callback_attempted_time
	callback_reached callback_reached_time callback_status callback_wait_duration callback_reached_duration
	justcall_ai call_moments customer_sentiment call_score call_score_parameters dead_air_time filler_word
	de_escalation empathy talk_listen_ratio greetings words_per_minute monologue_duration call_etiquette
	customer_sentiment_score call_transcription call_summary tags
	sms_date sms_user_date sms_time sms_user_time direction cost_incurred sms_info body is_mms mms delivery_status
	is_deleted medium
	event timestamp data call_id direction from to agent_id agent_name duration ring_duration status recording_url
	notes disposition transcription
	message_id direction from to body media_url media_urls status delivered_at
	contact_id changed_fields first_name last_name phone email company source
	campaign id name type sales_dialer_number
	extension other_numbers address blacklist dnd dnm status_updated_at created_at last_updated_at
	metadata crm_record datetime
	booked_via calendar_id calendar_name calendar_link calendar_language customer_first_name customer_last_name
	customer_email customer_number customer_ip_address customer_timezone customer_slot user_timezone user_slot
	slot_duration appointment_date appointment_user_date appointment_customer_date appointment_time
	appointment_user_time appointment_customer_time
`)

// MemberNames returns the names that have numbers in what is stored. They keep them for
// ever; some have several.
func MemberNames() []string { return memberNames }

// phrases are parts of a webhook's URL. New ones may only be added at the end.
var phrases = []string{`"https://`, "/justcall/", `"`, ".execute-api.", ".amazonaws.com"}

// codes are for ids and for the parts of a URL: each character takes some bits only.
var codes = [...]struct {
	bits     int
	alphabet string
	quoted   bool // it writes a string
}{
	{4, "0123456789abcdef", true},
	{5, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", true}, // a ULID
	{6, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", false},
}

const codeOfURLs = len(codes) - 1

// errPacked says that a packed body does not belong to its item, or that the item has
// been changed since.
var errPacked = errors.New("the payload does not fit the item's attributes")

// within is where a member stands: at the top level of the body, or in an object that is
// an attribute.
type within struct {
	top    bool
	object attr.Map
}

// lookUp returns the attribute that has a member's value. At the top level, of what
// [EventItem] keeps there, that is the type and the time in the item's key.
func lookUp(item Item, at within, name string) attr.Value {
	if !at.top {
		return at.object[name]
	}
	switch name {
	case "data":
		return attr.Map(item)
	case "event", "type":
		return str(EventType(item))
	case "timestamp":
		if own := KeyTime(KeyOf(item)); !own.IsZero() {
			return str(strings.Replace(Time(own), ".000Z", "Z", 1))
		}
	default:
		return item[name] // of data whose members stand at the top level
	}
	return nil
}

const (
	// maxPacked bounds how many objects within each other are packed.
	maxPacked = 6
	// maxEnclosed bounds how many texts within each other are: JSON in a string of a form.
	maxEnclosed = 2
)

// pack returns a body packed, or nil if it is not to be packed. The item must have all
// its other attributes.
func pack(item Item, body []byte) []byte {
	const longest = 1 << 20 // bytes, of what is tried
	if len(body) > longest || len(body) == 0 {
		return nil
	}
	p := packer{item: item, body: body, last: -1, run: -1}
	p.text = make([]byte, 0, 256)
	p.packed = make([]byte, 1+sumSize, 160)
	binary.BigEndian.PutUint32(p.packed[1:], crc32.ChecksumIEEE(body))
	if body[0] == '{' || bytes.HasPrefix(body, []byte(mark)) {
		p.flags = flagsOf(body)
		p.packed[0] = p.flags
		if p.flags&marked != 0 {
			p.at = len(mark)
		}
		if p.at == len(body) || body[p.at] != '{' || !p.object(within{top: true}) {
			return nil
		}
		// guard 3 table (EverySample):
		p.asItStands(body[p.at:])
	} else {
		p.packed[0] = form
		if !p.form() {
			return nil
		}
	}
	if len(p.packed) >= len(body) {
		return nil
	}
	// There are several ways to write a text in another one.
	// guard 3 table (EverySample): if false {
	if p.written && !unpacksTo(body, item, p.packed) {
		return nil
	}
	return p.packed
}

func unpacksTo(body []byte, item Item, packed []byte) bool {
	again, err := unpack(item, packed)
	return err == nil && bytes.Equal(again, body)
}

// flagsOf returns how a body seems to be written. If it is not, it is not packed, or not
// well.
func flagsOf(body []byte) (flags byte) {
	if body[0] != '{' {
		flags = marked
	}
	switch start := body[:min(len(body), 64)]; {
	case bytes.Contains(start, []byte("{\n")):
		flags |= indented
	case bytes.Contains(start, []byte(`": `)):
		flags |= spaced
	}
	for rest := body; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 || i+1 == len(rest) {
			return flags
		}
		switch rest[i+1] {
		case '/':
			flags |= escapedSlash
		case 'u':
			flags |= escapedUnicode
		}
		rest = rest[i+2:]
	}
}

type packer struct {
	pen // its text is what was tried last

	item   Item
	body   []byte
	at     int // how much of the body was read
	packed []byte
	last   int // the member that was named last
	run    int // where in packed the run is that it belongs to, or -1
	copied int // where in packed a text as it stands begins that ends there, or 0
	within int // how many texts that enclose another one are being packed

	written bool // one was
}

// follows reports whether what was tried follows in the body, and goes behind it.
func (p *packer) follows() bool {
	if !bytes.HasPrefix(p.body[p.at:], p.text[1:]) {
		return false
	}
	p.at += len(p.text) - 1
	return true
}

// try begins to write what may follow, behind the byte that was read last.
func (p *packer) try() { p.text = append(p.text[:0], p.body[max(0, p.at-1)]) }

// object packs an object, with its "{".
func (p *packer) object(members within) bool {
	p.at++
	p.depth++
	for {
		if p.at < len(p.body) && p.body[p.at] != ',' {
			p.try()
			p.end()
			if p.follows() {
				p.add(opEnd)
				return true
			}
			p.depth++
		}
		if !p.member(members) {
			return false
		}
	}
}

func (p *packer) member(of within) bool {
	from := p.at
	n := p.last + 1
	p.try()
	p.separate()
	p.name(memberNames[n%len(memberNames)])
	if n == len(memberNames) || !p.follows() { // mostly it does
		p.try()
		p.separate()
		if !p.follows() || p.at >= len(p.body) || p.body[p.at] != '"' {
			return false
		}
		length := bytes.IndexByte(p.body[p.at+1:], '"')
		if length < 0 {
			return false
		}
		name := p.body[p.at+1:][:length]
		n = p.find(name)
		p.try()
		p.name(string(name)) // of the escaped names none is known
		if n < 0 || !p.follows() {
			p.at = from
			return p.unknownMember(string(name), of)
		}
	}
	if done, ok := p.value(n, of); done {
		return ok
	}
	end := endOfValue(p.body, p.at)
	if end < 0 {
		return false
	}
	if n == p.last+1 {
		p.add(opNext)
	} else {
		p.add(opName, byte(n)) //nolint:gosec // G115: there are fewer names
	}
	p.last = n
	if of.top {
		if done, ok := p.envelope(memberNames[n], of); done {
			return ok
		}
	}
	p.literal(p.body[p.at:end])
	p.at = end
	return true
}

// envelope packs a value that may be the data, or have the event in it, if it is an object
// or a string that holds one.
func (p *packer) envelope(name string, of within) (done, ok bool) {
	op := byte(opTop)
	if strings.EqualFold(name, "data") {
		op, of = opData, within{object: p.item}
	}
	rest := p.body[p.at:]
	switch {
	case rest[0] == '{' && p.depth < maxPacked:
		p.add(op)
		return true, p.object(of)
	case len(rest) > 1 && rest[0] == '"' && rest[1] == '{':
		end := endOfValue(p.body, p.at)
		if end < 0 {
			return true, false
		}
		if text, err := jsontext.AppendUnquote(nil, p.body[p.at:end]); err == nil && p.enclosed(opString, text, op, of) {
			p.at = end
			return true, true
		}
	}
	return false, false
}

// form packs a form of one value.
func (p *packer) form() bool {
	value := bytes.IndexByte(p.body, '=') + 1
	if !bytes.HasPrefix(p.body[value:], []byte("%7B")) {
		return false
	}
	text, err := url.QueryUnescape(string(p.body[value:]))
	if err != nil {
		return false
	}
	p.asItStands(p.body[:value])
	return p.enclosed(opForm, []byte(text), opTop, within{top: true})
}

// enclosed packs a text that the body has in another form, and that begins with an object.
// If it cannot, nothing is packed.
func (p *packer) enclosed(how byte, text []byte, op byte, of within) bool {
	if p.within == maxEnclosed {
		return false
	}
	outer := *p
	p.body, p.at, p.depth, p.flags = text, 0, 0, flagsOf(text)
	p.within++
	p.add(how, p.flags, op)
	if !p.object(of) {
		*p = outer
		return false
	}
	p.asItStands(text[p.at:])
	p.add(opClose)
	p.body, p.at, p.depth, p.flags = outer.body, outer.at, outer.depth, outer.flags
	p.within--
	p.written = true
	return true
}

// value packs the value of a member whose attribute has it. done is false if none has.
func (p *packer) value(n int, of within) (done, ok bool) {
	v := lookUp(p.item, of, memberNames[n])
	if object, isObject := v.(attr.Map); isObject && p.depth < maxPacked && p.at < len(p.body) && p.body[p.at] == '{' {
		p.refer(n)
		return true, p.object(within{object: object})
	}
	at := p.at
	p.try()
	if !p.pen.value(v) || !p.follows() || p.at < len(p.body) && !isDelimiter(p.body[p.at]) {
		p.at = at
		return false, false
	}
	p.refer(n)
	return true, true
}

func isDelimiter(c byte) bool { return c == ',' || c == '}' || c == '\n' }

// find returns the number of a name: if it can be, one that follows the last.
func (p *packer) find(name []byte) int {
	const near = 4
	for n := p.last + 1; n < min(len(memberNames), p.last+1+near); n++ {
		if memberNames[n] == string(name) {
			return n
		}
	}
	return slices.Index(memberNames, string(name))
}

// refer adds a member whose value is an attribute.
func (p *packer) refer(n int) {
	switch {
	case n != p.last+1:
		p.add(byte(n)) //nolint:gosec // G115: there are fewer names
	case p.run >= 0 && p.packed[p.run] < opRun+longestRun-1:
		p.packed[p.run]++
	default:
		p.add(opRun)
		p.run = len(p.packed) - 1
	}
	p.last = n
}

// add adds an operation, which ends a run.
func (p *packer) add(operation ...byte) {
	p.packed = append(p.packed, operation...)
	p.run, p.copied = -1, 0
}

// unknownMember packs a member of another name, which stands as it is.
func (p *packer) unknownMember(name string, of within) bool {
	from := p.at
	for p.at < len(p.body) && p.body[p.at] != '"' {
		p.at++
	}
	p.at = endOfValue(p.body, p.at)
	for p.at >= 0 && p.at < len(p.body) && (p.body[p.at] == ':' || p.body[p.at] == ' ') {
		p.at++
	}
	if p.at < 0 || p.at == len(p.body) {
		return false
	}
	p.asItStands(p.body[from:p.at])
	if of.top {
		if done, ok := p.envelope(name, of); done {
			return ok
		}
	}
	end := endOfValue(p.body, p.at)
	if end < 0 {
		return false
	}
	p.literal(p.body[p.at:end])
	p.at = end
	return true
}

// literal packs a value as it stands, ids and URLs in fewer bytes.
func (p *packer) literal(v []byte) {
	if len(v) > 2 && v[0] == '"' && len(v)-2 <= math.MaxUint8 {
		for c, code := range codes {
			if code.quoted && isOf(v[1:len(v)-1], code.alphabet) {
				p.coded(c, v[1:len(v)-1])
				return
			}
		}
	}
	if phraseAt(v) != 0 {
		p.asItStands(v)
		return
	}
	alphabet := codes[codeOfURLs].alphabet
	for len(v) > 0 {
		if i := phraseAt(v); i >= 0 {
			p.add(opPhrase + byte(i)) //nolint:gosec // G115: there are few phrases
			v = v[len(phrases[i]):]
			continue
		}
		coded, n := isOf(v[:1], alphabet), 1
		for n < len(v) && n < math.MaxUint8 && isOf(v[n:n+1], alphabet) == coded && phraseAt(v[n:]) < 0 {
			n++
		}
		if coded {
			p.coded(codeOfURLs, v[:n])
		} else {
			p.asItStands(v[:n])
		}
		v = v[n:]
	}
}

// phraseAt returns the number of the phrase that a text begins with, or -1.
func phraseAt(text []byte) int {
	for i, phrase := range phrases {
		if len(text) >= len(phrase) && string(text[:len(phrase)]) == phrase {
			return i
		}
	}
	return -1
}

// isOf reports whether a text has only characters of an alphabet.
func isOf(text []byte, alphabet string) bool {
	for _, c := range text {
		if strings.IndexByte(alphabet, c) < 0 {
			return false
		}
	}
	return true
}

// coded packs a text by the code c.
func (p *packer) coded(c int, text []byte) {
	p.add(opCode+byte(c), byte(len(text))) //nolint:gosec // G115: callers see to that
	bits, n := 0, 0
	for _, char := range text {
		bits, n = bits<<codes[c].bits|strings.IndexByte(codes[c].alphabet, char), n+codes[c].bits
		if n >= 8 {
			n -= 8
			p.packed = append(p.packed, byte(bits>>n)) //nolint:gosec // G115: the higher bits were written before
		}
	}
	if n > 0 {
		p.packed = append(p.packed, byte(bits<<(8-n))) //nolint:gosec // G115: as above
	}
}

func (p *packer) asItStands(text []byte) {
	if len(text) == 0 {
		return
	}
	const short = 1 << 7 // its length is one byte
	if p.copied > 0 && int(p.packed[p.copied])+len(text) < short {
		p.packed[p.copied] += byte(len(text)) //nolint:gosec // G115: it is short
		p.packed = append(p.packed, text...)
		return
	}
	p.add(opText)
	p.packed = append(binary.AppendUvarint(p.packed, uint64(len(text))), text...)
	if len(text) < short {
		p.copied = len(p.packed) - len(text) - 1
	}
}

// endOfValue returns where the JSON value ends that begins at i, or -1.
func endOfValue(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return -1
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ',', ':', ' ', '\t', '\n', '\r':
			continue
		default:
			for i+1 < len(text) && strings.IndexByte(",:]} \t\r\n", text[i+1]) < 0 {
				i++
			}
		}
		if depth < 0 {
			return -1
		}
		if depth == 0 {
			return i + 1
		}
	}
	return -1
}
