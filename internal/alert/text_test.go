package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/zone"
)

func TestTextsAreDecodedOnceWherePeopleRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sent, want string }{
		{"named entities", "Se&aacute;n O&#39;Brien", "Seán O'Brien"},
		{"an ampersand", "Smith &amp; Sons", "Smith & Sons"},
		{"hexadecimal, either case", "O&#x27;Brien &#X26; Co", "O'Brien & Co"},
		{"with zeros in front", "O&#039;Brien", "O'Brien"},
		{"Windows' numbers", "O&#146;Brien", "O’Brien"},
		{"an emoji in two halves", "Pat &#55357;&#56832;", "Pat 😀"},
		{"half an emoji", "Pat &#55357;", "Pat \ufffd"},
		{"a blank that does not break", "Pat&nbsp;Smith", "Pat Smith"},
		{"once", "&amp;lt; &amp;amp; &#38;#39;", "&lt; &amp; &#39;"},
		{"no semicolon, no entity", "AT&TNT, R&D, A&B, ?a=1&copy=2", "AT&TNT, R&D, A&B, ?a=1&copy=2"},
		{"a name with another in front", "&notit; &ampere;", "&notit; &ampere;"},
		{"a name nobody knows", "Q&A; &foo;", "Q&A; &foo;"},
		{"an entity for a semicolon", "a&semi;b&#59;c", "a;b;c"},
		{"numbers that are no character", "a&#;b&#x;c&#99999999999;d", "a&#;b&#x;c&#99999999999;d"},
		{"a control", "a&#0;b&#7;c&#10;d", "a b c d"},
		{"a mark of direction", "Pat&#x202e;gnp", "Patgnp"},

		{"a backslash before a quote", `O\'Brien "\"Bob\""`, `O'Brien ""Bob""`},
		{"before a slash", `24\/7`, "24/7"},
		{"line ends in two characters", `one\r\ntwo\tthree`, "one two three"},
		{"a code unit", `Se\u00e1n`, "Seán"},
		{"two code units", `Pat \ud83d\ude00`, "Pat 😀"},
		{"half a pair", `Pat \ud83d`, "Pat \ufffd"},
		{"half a pair, then a letter", `\ud83d\u0041`, "\ufffdA"},
		{"a backslash before a backslash", `a\\nb`, `a\nb`},
		{"only a backslash", `AC\DC \ \u12 \u00zz`, `AC\DC \ \u12 \u00zz`},
		{"a backslash at the end", `Pat\`, `Pat\`},
		{"a quote that was escaped and then encoded", `O\&#39;Brien \&quot;Bob\&quot;`, `O'Brien "Bob"`},
		{"a backslash before another entity", `AC\&amp;DC`, `AC\&DC`},

		{"line breaks", "one<br>two<br/>three<br />four<BR>five", "one two three four five"},
		{"escaped line breaks", `one<br\/>two\u003cbr\u003ethree`, "one two three"},
		{"paragraphs", "<p>one</p><p class=\"x\">two</p>", "one two"},
		{"letters in bold", "<b>bo</b>ld <a href=\"https://example.com\">link</a>", "bold link"},
		{"a tag that was written", "&lt;br&gt;", "<br>"},
		{"an address", "Bob <b@example.com>", "Bob <b@example.com>"},
		{"signs", "a < b > c, I <3 you, <script>", "a < b > c, I <3 you, <script>"},
		{"a tag without an end", "one <br", "one <br"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, whole := alert.Clean(tc.sent, 200); got != tc.want || !whole {
				t.Errorf("%q became %q, want %q", tc.sent, got, tc.want)
			}
		})
	}
}

func TestEveryTextForPeopleIsDecoded(t *testing.T) {
	t.Parallel()
	body := `{"type":"call.missed","request_id":"01KKXGP6DQG3JM67BC8CAWYFAD","data":{"call_sid":"CA1",
		"call_date":"2026-03-12","call_time":"14:58:00","contact_number":"14155550144","contact_name":"Se&aacute;n O&#39;Brien",
		"justcall_number":"14155550101","justcall_line_name":"Smith &amp; Sons","agent_id":7,"agent_name":"Kim O\\'Hara",
		"call_info":{"direction":"Incoming","type":"missed","missed_call_reason":"No agents<br/>online"}}}`
	m := messageOf(t, body)
	const rows = "Caller    Seán O'Brien\nNumber    +14155550144\nLine      Smith & Sons (+14155550101)\n"
	for _, want := range []string{rows, "Reason    No agents online\n", "Tried     Kim O'Hara\n"} {
		if !strings.Contains(m.Email, want) {
			t.Errorf("e-mail without %q:\n%s", want, m.Email)
		}
	}
	for _, want := range []string{"Seán O'Brien", "Smith & Sons"} {
		if !strings.Contains(m.Subject, want) || !strings.Contains(m.SMS, want) || !strings.Contains(string(m.Document), want) {
			t.Errorf("without %q:\n%s\n%s\n%s", want, m.Subject, m.SMS, m.Document)
		}
	}
	v := messageOf(t, voicemail("Hi,<br/>it&#39;s <b>Pat</b> &amp; Kim"))
	if !strings.Contains(v.Email, `"Hi, it's Pat & Kim"`) || !strings.Contains(v.SMS, "Hi, it's Pat & Kim") {
		t.Errorf("transcription:\n%s\n%s", v.Email, v.SMS)
	}
}

func TestCharactersThatNobodySeesStayWhereTheyMatter(t *testing.T) {
	t.Parallel()
	const zwnj, zwj = "\u200c", "\u200d"
	for _, tc := range []struct{ name, sent, want string }{
		{"a Persian name", "علی" + zwnj + "رضا", "علی" + zwnj + "رضا"},
		{"a Persian word", "می" + zwnj + "خواهم", "می" + zwnj + "خواهم"},
		{"at the beginning and end", zwnj + "علی" + zwnj, "علی"},
		{"before a blank", "علی" + zwnj + " رضا", "علی رضا"},
		{"twice", "علی" + zwnj + zwnj + "رضا", "علی" + zwnj + "رضا"},
		{"between digits", "1" + zwnj + "2", "12"},
		{"a family", "👩" + zwj + "👩" + zwj + "👧", "👩" + zwj + "👩" + zwj + "👧"},
		{"a profession with a colour", "👩🏽" + zwj + "⚕️", "👩🏽" + zwj + "⚕️"},
		{"Sinhala", "ශ්" + zwj + "රී", "ශ්" + zwj + "රී"},
		{"Malayalam, at the end of a word", "അവന്" + zwj + " വന്നു", "അവന്" + zwj + " വന്നു"},
		{"an emoji and nothing", "👩" + zwj, "👩"},
		{"marks and isolates of direction", "\u200eP\u200fa\u061ct\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "Pat"},
		{"soft hyphens and fillers", "Pa\u00adt\u3164\u115f\u034f\u2060\u200b\ufeff", "Pat"},
		{"tags and private characters", "Pat\U000e0041\ue000\U000f0000", "Pat"},
		{"an accent of its own", "Zoe\u0308", "Zoe\u0308"},
		{"an emoji newer than Go", "Pat \U0001fae9", "Pat \U0001fae9"},
		{"what could not be read", "Pat \ufffd", "Pat \ufffd"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, _ := alert.Clean(tc.sent, 200); got != tc.want {
				t.Errorf("%q became %q, want %q", tc.sent, got, tc.want)
			}
		})
	}
}

func TestACutKeepsWhatPeopleSeeAsOneCharacter(t *testing.T) {
	t.Parallel()
	const family, accent, flag = "👩\u200d👩\u200d👧", "e\u0301", "🇨🇦"
	for _, tc := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abcdef", 4, "abc…"},
		{"ab cdef", 4, "ab…"},
		{"a" + family + "b", 5, "a…"},
		{"a" + family + "bc", 7, "a" + family + "…"},
		{"a" + accent + "b", 3, "a…"},
		{flag + flag, 3, flag + "…"},
		{"e" + strings.Repeat("\u0301", 100), 4, "e\u0301\u0301…"}, // no name is empty for its accents
	} {
		if got, whole := alert.Clean(tc.text, tc.limit); got != tc.want || whole {
			t.Errorf("%q in %d: %q, want %q", tc.text, tc.limit, got, tc.want)
		}
	}
}

func TestZonesHaveAnAbbreviationOrAnOffset(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.November, 28, 20, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"UTC": "UTC", "America/New_York": "EST", "Europe/Berlin": "CET", "America/Sao_Paulo": "UTC-3",
		"Asia/Kathmandu": "UTC+5:45", "Asia/Dubai": "UTC+4", "America/St_Johns": "NST", "Etc/GMT+5": "UTC-5",
	} {
		location, err := zone.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := alert.ZoneName(at.In(location)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
