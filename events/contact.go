package events

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Contact is a change in the address book. Format B's names are in brackets where
// they differ. See https://developer.justcall.io/docs/webhooks.
type Contact struct {
	// ID is contact_id [id].
	ID string
	// FirstName and LastName are format A's, Name is format B's.
	FirstName, LastName, Name string
	// Phone is the number as sent [contact_number], and MorePhones are those that the
	// same members hold besides.
	Phone      string
	MorePhones []string
	// OtherNumbers are the contact's further numbers, as sent; Set and empty if the
	// event says that there are none.
	OtherNumbers Optional[[]string]
	Email        string
	Company      string
	// Source is where the change was made, e.g. "api" or "ui".
	Source string
	// ChangedFields names the members that an update changed.
	ChangedFields []string
	// Blacklisted and DoNotDisturb are members of format B's status.
	Blacklisted, DoNotDisturb Optional[bool]
	// Removed is set if the contact is no longer in the address book.
	Removed bool
}

func newContact(r *reading) Event {
	_, id := r.id()
	said := &r.said
	phone, _ := said.party(slotPhone, slotContactNumber)
	c := &Contact{
		ID:            id,
		FirstName:     said.part(slotFirstName),
		LastName:      said.part(slotLastName),
		Name:          cmp.Or(said.name(slotName), said.name(slotContactName)),
		Phone:         phone,
		OtherNumbers:  said.numbers(slotOtherNumbers),
		Email:         said.text(slotEmail),
		Company:       said.part(slotCompany),
		Source:        said.text(slotSource),
		ChangedFields: said.texts(slotChangedFields),
		Removed:       r.removes,
	}
	c.MorePhones = said.morePhones(phone)
	c.readStatus(said[slotStatus])
	if last := said.text(slotLastName); c.LastName == "" && c.FirstName != "" && (last == "Null" || last == "Unknown") {
		c.LastName = last // a surname: programs write the first one in small letters
	}
	if c.FirstName != "" && c.LastName != "" && PersonName(c.FirstName+" "+c.LastName) == "" {
		c.FirstName, c.LastName = "", ""
	}
	return c
}

// morePhones returns the numbers in the members for a contact's number, besides that one.
func (v *values) morePhones(phone string) (more []string) {
	number := PhoneNumber(phone)
	for _, s := range []slot{slotPhone, slotContactNumber} {
		for _, text := range appendNumbers(nil, unwrapped(v[s])) {
			if other := PhoneNumber(text); other != "" && other != number {
				more = append(more, text)
			}
		}
	}
	return more
}

// The names of a contact's flags, by [bareName]. Format B documents the first of
// each.
var statusFlags = map[string]func(*Contact) *Optional[bool]{
	"blacklist":     blacklisted,
	"blacklisted":   blacklisted,
	"isblacklisted": blacklisted,
	"blocked":       blacklisted,
	"isblocked":     blacklisted,
	"dnd":           doNotDisturb,
	"isdnd":         doNotDisturb,
	"donotdisturb":  doNotDisturb,
}

func blacklisted(c *Contact) *Optional[bool]  { return &c.Blacklisted }
func doNotDisturb(c *Contact) *Optional[bool] { return &c.DoNotDisturb }

// statusWords are what a status that is only a word says of the blacklist.
var statusWords = map[string]bool{
	"active":      false,
	"blacklist":   true,
	"blacklisted": true,
	"blocked":     true,
	"unblocked":   false,
	"whitelisted": false,
}

// readStatus reads the flags. If two names of one flag contradict each other, it is
// set.
func (c *Contact) readStatus(v jsontext.Value) {
	v = unwrapped(v)
	if v.Kind() != '{' {
		if blocked, ok := statusWords[bareName(text(v))]; ok {
			c.Blacklisted = Optional[bool]{blocked, Set}
		}
		return
	}
	eachMember(v, func(name string, value jsontext.Value) {
		if flag, ok := statusFlags[bareName(name)]; ok {
			if said := boolean(value); said.State > flag(c).State || said.Value {
				*flag(c) = said
			}
		}
	})
}

// booleans are the words for yes and no.
var booleans = map[string]bool{
	"0": false, "f": false, "false": false, "n": false, "no": false, "off": false,
	"1": true, "t": true, "true": true, "y": true, "yes": true, "on": true,
}

// boolean reads yes or no, however it is written. For anything else it returns null.
func boolean(v jsontext.Value) Optional[bool] {
	if v.Kind() == 't' || v.Kind() == 'f' {
		return Optional[bool]{v.Kind() == 't', Set}
	}
	if said, ok := booleans[strings.ToLower(strings.TrimSpace(numberText(v)))]; ok {
		return Optional[bool]{said, Set}
	}
	return Optional[bool]{State: Null}
}

// numbers returns all telephone numbers in a member, as sent.
func (v *values) numbers(from slot) Optional[[]string] {
	switch value := unwrapped(v[from]); {
	case value == nil:
		return Optional[[]string]{}
	case numberText(value) == "" && value.Kind() != '[' && value.Kind() != '{':
		return Optional[[]string]{State: Null}
	default:
		return Optional[[]string]{appendNumbers(nil, value), Set}
	}
}

// appendNumbers appends the telephone numbers in a value. It may be a number or a
// text with one or several, a list of such, or an object that has them under a name
// for numbers, with their country code, or further inside.
func appendNumbers(all []string, v jsontext.Value) []string {
	switch v.Kind() {
	case '"', '0':
		return appendSplit(all, numberText(v))
	case '[':
		eachElement(v, func(element jsontext.Value) { all = appendNumbers(all, element) })
	case '{':
		var code countryCode
		var one candidate // of several spellings of one number
		first := len(all)
		eachMember(v, func(name string, value jsontext.Value) {
			number := strings.TrimSpace(text(value))
			if code.read(name, value) {
				return
			}
			if rank := slices.Index(spellingNames, bareName(name)); rank >= 0 && isNumberText(value) {
				if number = numberText(value); number != "" {
					one.offer(number, rank)
				}
				return
			}
			if isNumberName(name) || strings.HasPrefix(number, "+") || value.Kind() == '{' || value.Kind() == '[' {
				all = appendNumbers(all, value)
			}
		})
		all = appendSplit(all, one.text)
		for i := range all[first:] {
			all[first+i] = code.before(all[first+i])
		}
	default:
	}
	return all
}

// spellingNames are members that an object has for one number, best first, by [bareName].
var spellingNames = []string{"e164", "international", "internationalformat", "phonenumber", "number", "value", "raw", "formatted", "national", "nationalformat"}

// minListedDigits is how many digits a telephone number in a list has at least. What
// is shorter is the extension of the number before it, as in "+1 415 555 0101,12".
const minListedDigits = 6

// appendSplit appends the telephone numbers in a text.
func appendSplit(all []string, text string) []string {
	first := len(all)
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;|\r\n", r) })
	numbers := 0
	for _, part := range parts {
		if countDigits(part) >= minListedDigits {
			numbers++
		}
	}
	if numbers < 2 {
		parts = []string{strings.Trim(text, ",;|\r\n ")} // with an extension or parameters, perhaps
	}
	for _, part := range parts {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
		case countDigits(part) < minListedDigits && len(all) > first:
			all[len(all)-1] += "," + part
		default:
			all = append(all, listed(part)...)
		}
	}
	return all
}

// listed returns the numbers in a part of a list, or what is there in place of one.
func listed(part string) []string {
	if number, _, _ := readAlone(part); (number == "" || isList(part)) && !isMasked(part) {
		if all := numbersWithin(part); len(all) > 0 {
			return all
		}
	}
	return []string{part}
}

// numberNames are found in the names of members with a telephone number, by
// [bareName].
var numberNames = []string{"number", "phone", "mobile", "cell", "home", "work", "office", "tel", "e164", "value"}

func isNumberName(name string) bool {
	name = bareName(name)
	if strings.HasSuffix(name, "id") {
		return false // of a number, such as phone_number_id
	}
	for _, part := range numberNames {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "", ".", "")

// bareName returns a name in lower case, without what separates its words.
func bareName(name string) string {
	return separators.Replace(strings.ToLower(name))
}

// unwrapped returns the list or object in a text that is one in JSON, and any other
// value unchanged.
func unwrapped(v jsontext.Value) jsontext.Value {
	inner := jsontext.Value(strings.TrimSpace(text(v)))
	if (inner.Kind() == '[' || inner.Kind() == '{') && inner.IsValid(jsontext.AllowDuplicateNames(true)) {
		return inner
	}
	return v
}
