package events

import "math/bits"

// damage is a set of what can be odd about a body that is read all the same.
type damage uint32

const (
	damageUTF16 damage = 1 << iota
	damageBOM
	damageUTF8
	damageSurrogate
	damageControl
	damageEscape
	damageWord
	damageNumber
	damageComma
	damageNUL
	damageDuplicate
	damageForm
	damageBase64
	damageEscaped
	damageJSONInString
	damageList
	damageWrapped
	damageLetterCase
	damageFlat
	damageNoType
)

// damageWords are the words for each damage, in the order of the bits.
var damageWords = [...]string{
	"utf-16",            // it is UTF-16, not UTF-8
	"bom",               // a byte order mark is in front
	"utf-8",             // bytes in a text are not UTF-8, and read as U+FFFD
	"surrogate",         // half a surrogate pair, read as U+FFFD
	"control character", // in a text, not escaped
	"escape",            // an escape that JSON does not have, read as it stands
	"nan",               // NaN, Infinity, undefined or None, read as null; True and False
	"number",            // a number that JSON has only as a text: +14155558765, 0049
	"comma",             // a comma too many, or no value behind a colon, read as null
	"nul",               // bytes behind the end, from a NUL on
	"duplicate name",    // the last member of a name that says something counts
	"form",              // it is form-encoded, or multipart
	"base64",            // it is base64
	"escaped",           // its quotes are escaped: &quot; or \"
	"json in string",    // a string holds JSON
	"list",              // the data is a list of one
	"wrapped",           // something else stands around the delivery or its data
	"letter case",       // names of the envelope in another letter case or spelling
	"flat",              // the data's members stand at the top level
	"no type",           // no event type; the members show what it is
}

// DamageWords returns all words that [Envelope.Damage] can have.
func DamageWords() []string { return damageWords[:] }

func (d damage) words() []string {
	if d == 0 {
		return nil
	}
	words := make([]string, 0, bits.OnesCount32(uint32(d)))
	for i, word := range damageWords {
		if d&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}
