package events

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// PersonName returns a name as sent, without what programs leave where they have none:
// templates that nobody filled in, words for nothing, and a telephone company's words for a
// caller whose name it does not know. It returns "" if nothing is left, or only a number.
//
// Some people are called Null, None or Unknown. Such a word is a name if another one stands
// beside it, unless it is written as only programs do.
func PersonName(text string) string {
	if len(text) > maxWithin {
		return text
	}
	name := withoutNull(withoutTemplates(text))
	if isPlaceholder(name) || isBlank(name) || namesNobody(name) || isNumberOnly(name) {
		return ""
	}
	return name
}

// withoutNull takes out words that only programs write, from among others. In small letters
// throughout, such a word may be a name like the others.
func withoutNull(name string) string {
	words := strings.Fields(name)
	kept := slices.DeleteFunc(slices.Clone(words), func(word string) bool {
		word = strings.Trim(word, ",;()")
		return word == "null" || word == "undefined" || word == "nan"
	})
	left := strings.Join(kept, " ")
	if len(kept) == len(words) || len(kept) > 0 && !strings.ContainsFunc(left, unicode.IsUpper) {
		return name
	}
	return left
}

// namesNobody reports whether all the words of a name together, or each of them, say that
// there is none.
func namesNobody(name string) bool {
	words := strings.Fields(name)
	last := len(words) - 1
	switch {
	case !slices.ContainsFunc(words, func(word string) bool { return !isPlaceholder(word) && !isPunctuation(word) }):
		return true
	case name[0] == '#' && last == 0 && strings.HasSuffix(name, "!") || name == "#NAME?":
		return true // a spreadsheet's error
	case strings.ContainsFunc(name, unicode.IsDigit):
		return false
	case last > 1 && len(words[last]) == len("CA") && nobodysNames()[onlyLetters(strings.Join(words[:last], ""))]:
		return true // a mobile phone and its state: "CELL PHONE   CA"
	}
	letters := onlyLetters(name)
	return nobodysNames()[letters] || saysWithheld(letters)
}

func isPunctuation(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPunct(r) })
}

// onlyLetters returns the letters of a text, in lower case.
func onlyLetters(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// nobodysNames are what stands in place of a name, by [onlyLetters].
var nobodysNames = sync.OnceValue(func() map[string]bool {
	return wordSet(`
	array callername cellphone cellularcall cellularcaller cellularphone contactname customername externalcall
	externalcaller firstlast firstname firstnamelastname fullname incomingcall landlinecaller lastname mobilecaller
	mobilephone mobilephonecaller namenotfound namelesscontact newcaller newcontact newcustomer newlead noname
	nonameavailable nonamefound nonamegiven nonameprovided objectobject telephonenumber tollfree tollfreecall
	tollfreecaller tollfreenumber unassigned unidentifiedcaller unknowncontact unknowncustomer unknownlead unnamed
	unnamedcaller unnamedcontact untitled unsavedcontact voipcall voipcaller wirelesscall wirelesscaller wirelessnumber
	wirelessphone yourname
	keinname kontaktohnename neuerkontakt ohnename unbenannt nouveaucontact sansnom contactosinnombre nuevocontacto
	sinnombre novocontato semnome nuovocontatto senzanome geennaam nieuwcontact zondernaam`)
})

// templates are the marks around what a program should have filled in. Those that people
// use, too, count only around the name of a variable for a name.
var templates = [...]struct {
	begin, end string
	people     bool
}{
	{"{{", "}}", false},
	{"${", "}", false},
	{"#{", "}", false},
	{"{!", "}", false},
	{"{%", "%}", false},
	{"<%", "%>", false},
	{"*|", "|*", false},
	{"[[", "]]", false},
	{"[object ", "]", false},
	{"%%", "%%", true},
	{"%", "%", true},
	{"{", "}", true},
	{"[", "]", true},
	{"<", ">", true},
	{"#", "#", true},
	{"$", "$", true},
	{"@", "@", true},
	{"__", "__", true},
	{"|", "|", true},
}

// withoutTemplates takes out variables that nobody filled in.
func withoutTemplates(name string) string {
	if len(name) > maxWithin || !strings.ContainsAny(name, "{[<%#$@_|*") {
		return name
	}
	left := name
	for _, t := range templates {
		for from := 0; ; {
			begin := strings.Index(left[from:], t.begin)
			if begin < 0 {
				break
			}
			begin += from
			inside := begin + len(t.begin)
			length := strings.Index(left[inside:], t.end)
			if length < 0 {
				break
			}
			if t.people && !strings.HasSuffix(bareName(left[inside:inside+length]), "name") {
				from = inside
				continue
			}
			left, from = left[:begin]+" "+strings.TrimLeft(left[inside+length+len(t.end):], "}"), begin
		}
	}
	if left == name {
		return name
	}
	return strings.Join(strings.Fields(left), " ")
}

// isNumberOnly reports whether a name is a telephone number, and nothing besides: JustCall
// names an unnamed contact by its number.
func isNumberOnly(name string) bool {
	_, isURI := subscriberOf(name)
	return hasNumber(name) && (isURI || !hasWords(name))
}

// The members of an object with a name, by [bareName]; best first.
var (
	wholeNames = []string{"fullname", "displayname", "name", "contactname", "formattedname", "formatted", "value", "label", "title", "text"}
	firstNames = []string{"firstname", "first", "givenname", "given", "fname", "forename"}
	lastNames  = []string{"lastname", "last", "familyname", "family", "surname", "lname"}
)

// nameIn returns the name in a text, or, where it should be one, in a list of texts or in
// an object with a name or its parts, also if that is JSON in a text.
func nameIn(v jsontext.Value) string {
	v = unwrapped(v)
	switch v.Kind() {
	case '"':
		return text(v)
	case '[':
		var all []string
		separator := " "
		eachElement(v, func(element jsontext.Value) {
			if name := PersonName(textOrObject(element)); name != "" {
				all = append(all, name)
				if strings.Contains(name, " ") {
					separator = ", " // names, not the parts of one
				}
			}
		})
		return strings.Join(all, separator)
	case '{':
		return textOrObject(v)
	default:
		return ""
	}
}

func textOrObject(v jsontext.Value) string {
	if v.Kind() != '{' {
		return text(v)
	}
	first, last := textIn(v, firstNames), textIn(v, lastNames)
	if whole := PersonName(textIn(v, wholeNames)); whole != "" && (first == "" || last == "") {
		return whole
	}
	return strings.TrimSpace(first + " " + last)
}
