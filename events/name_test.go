package events_test

import (
	"strings"
	"testing"

	"github.com/ringback/ringback/events"
)

func TestPersonName(t *testing.T) {
	t.Parallel()
	for _, nobody := range []string{
		"", " ", "0", "-", "- -", "—", "…", "?", "null", "Null", "NULL", "undefined", "None", "N/A", "n/a n/a", "nil", "NaN", "(null)", "<unknown>",
		"null null", "undefined undefined", "None None", "NULL, NULL", "null undefined", "unknown unknown",
		"{{name}}", "{{ contact.first_name }}", "{{{name}}}", "{{first_name}} {{last_name}}", "%NAME%", "%FIRST_NAME% %LAST_NAME%", "%%name%%",
		"${name}", "#{name}", "{!Contact.Name}", "{% name %}", "<%= name %>", "*|FNAME|*", "[[name]]", "{name}", "[First Name]", "<name>",
		"__NAME__", "$Name$", "{{", "[object Object]", "[object Array]", "#REF!", "#NAME?", "#N/A", "Array",
		"No Name", "NO NAME", "New Contact", "Unnamed", "First Last", "First Name", "Your Name", "Ohne Name", "Sin nombre",
		"Unknown Caller", "Unknown Name", "NAME UNKNOWN", "WIRELESS CALLER", "CELL PHONE", "CELL PHONE   CA", "Cell Phone TX", "TOLL FREE CALL",
		"UNAVAILABLE", "Anonymous", "Private", "PRIVATE CALLER", "Private Number", "OUT OF AREA", "No Caller ID", "Unbekannt", "匿名",
		"+1 415-555-8765", "(415) 555-8765", "4155558765", "14155558765.0", "tel:+14155558765", "sip:+14155558765@pbx.example.com",
		"Mobile +14155558765", "+1 415 555 8765 ext. 12", "+14155558765, +14155551234",
	} {
		if got := events.PersonName(nobody); got != "" {
			t.Errorf("%q is %q", nobody, got)
		}
	}
	for _, name := range []string{
		"Ann Lee", "Jane Null", "Null Jane", "None Smith", "Anne Unknown", "jane null", "Nil Armstrong", "Nan Goldin", "Na Li", "Li Na", "Dr. No",
		"Mr. None", "Null Island Ltd", "Private Dining", "Anonymous Coffee", "Restricted Area Bar", "{Ann}", "[Ann]", "(Ann)", "Salt [Bar]", "@ann",
		"100% Juice", "#1 Pizza", "A_B", "O'Brien", "Tom & Jerry", "SAN FRANCISCO CA", "Acme 24/7", "US 1", "1-800-FLOWERS", "🌸", "张伟",
		"Jane Roe +14155558765", "Array Networks", "First Last Bank", strings.Repeat("null ", 100),
	} {
		if got := events.PersonName(name); got != name {
			t.Errorf("%q is %q", name, got)
		}
	}
	for sent, want := range map[string]string{
		"{{first_name}} Lee": "Lee", "Ann {{last_name}}": "Ann", "[object Object] Lee": "Lee", "null Lee": "Lee", "Ann null": "Ann",
		"undefined Lee": "Lee", "Lee, undefined": "Lee,", "Ann %LAST_NAME%": "Ann",
	} {
		if got := events.PersonName(sent); got != want {
			t.Errorf("%q is %q, want %q", sent, got, want)
		}
	}
}
