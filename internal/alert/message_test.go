package alert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/table"
)

func TestMessagesOfTheSamples(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"call.missed":        sample(t, "call.missed"),
		"voicemail.received": sample(t, "voicemail.received"),
	}
	for _, name := range []string{"call.missed", "call.voicemail", "voicemail.received"} {
		bodies["b."+name] = readFile(t, "..", "..", "events", "testdata", "b", name+".json")
	}
	expected := make(map[string]bool)
	for name, body := range bodies {
		file := filepath.Join("testdata", "golden", name+".txt")
		expected[file] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := messageOf(t, body)
			document := new(strings.Builder)
			encoder := json.NewEncoder(document)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(json.RawMessage(m.Document)); err != nil {
				t.Fatal(err)
			}
			attributes, err := json.MarshalIndent(m.Attributes, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, file, fmt.Appendf(nil, "id: %s\nsubject: %s\nsms: %s\n\n--- email\n%s--- document\n%s--- attributes\n%s\n",
				m.ID, m.Subject, m.SMS, m.Email, document, attributes))
		})
	}
	golden.NoOthers(t, filepath.Join("testdata", "golden", "*"), expected)
}

func TestAMailCanBeHadAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"call.missed", "voicemail.received"} {
		a, err := alert.Read(itemOf(t, sample(t, kind)))
		if err != nil {
			t.Fatal(err)
		}
		whole, m := alert.Style{}.Message(a), alert.Style{MailOnly: true}.Message(a)
		if m.ID != whole.ID || m.Kind != whole.Kind || m.Call != whole.Call || m.Email != whole.Email || m.Email == "" {
			t.Errorf("%s: another mail: %+v", kind, m)
		}
		if m.Subject+m.SMS+string(m.Document) != "" {
			t.Errorf("%s: more than the mail: %+v", kind, m)
		}
	}
}

// call returns a missed call of format B. agentID is JSON.
func call(name, line, agentID string) string {
	return fmt.Sprintf(`{"type":"call.missed","request_id":"01KKXGP6DQG3JM67BC8CAWYFAD","data":{"call_sid":"CA1",
		"call_date":"2026-03-12","call_time":"14:58:00","contact_number":"14155550144","contact_name":%s,
		"justcall_number":"14155550101","justcall_line_name":%s,"agent_id":%s,"call_info":{"direction":"Incoming","type":"missed"}}}`,
		quote(name), quote(line), agentID)
}

func voicemail(transcription string) string {
	return `{"event":"voicemail.received","timestamp":"2026-03-12T14:40:00Z","data":{"call_id":"call_1","from":"+14155550144",
		"to":"+14155550101","agent_id":null,"duration":22,"recording_url":"https://recordings.example.com/1.mp3","transcription":` +
		quote(transcription) + `}}`
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // never fails for a string
	return string(quoted)
}

// document decodes the JSON document of a message.
func document(t testing.TB, m alert.Message) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(m.Document, &d); err != nil {
		t.Fatalf("document: %v in %s", err, m.Document)
	}
	return d
}

func TestWhatCallersWroteIsShownOnOneLine(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sent, want string }{
		{"as it is", "Zoë O'Brien-Łukasik", "Zoë O'Brien-Łukasik"},
		{"quotes and brackets", `"Bob" <b@example.com> & Co`, `"Bob" <b@example.com> & Co`},
		{"line ends", "Pat\r\nSubject: free\n\n\nmoney", "Pat Subject: free money"},
		{"line separators", "Pat\u2028Line\u2029End\u0085", "Pat Line End"},
		{"controls", "P\x00a\x1b[31mt\a", "P a [31mt"},
		{"text that runs the other way", "Pat\u202egnp.exe\u2066\u200f", "Patgnp.exe"},
		{"nothing but space", " \t ", ""},
		{"emoji", "Pat 😀", "Pat 😀"},
		{"noncharacters", "Pat\uffff\ufeff", "Pat"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := messageOf(t, call(tc.sent, "Support", "null"))
			caller, _ := document(t, m)["caller"].(map[string]any)
			got, _ := caller["name"].(string)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("name (-want +got):\n%s", diff)
			}
			for form, text := range map[string]string{"subject": m.Subject, "sms": m.SMS} {
				if strings.ContainsAny(text, "\r\n\x00\x1b\u2028\u202e") {
					t.Errorf("%s: %q", form, text)
				}
			}
			if want := "Caller    " + tc.want + "\n"; tc.want != "" && !strings.Contains(m.Email, want) {
				t.Errorf("e-mail without %q:\n%s", want, m.Email)
			}
		})
	}
}

func TestLimitsHoldWhateverWasSent(t *testing.T) {
	t.Parallel()
	long := map[string]string{
		"10 000 letters":     strings.Repeat("x", 10_000),
		"10 000 quotes":      strings.Repeat(`"`, 10_000),
		"10 000 backslashes": strings.Repeat(`\`, 10_000),
		"10 000 emoji":       strings.Repeat("😀", 10_000),
		"10 000 words":       strings.Repeat("word ", 10_000),
		"10 000 controls":    strings.Repeat("\x01", 10_000),
		"10 000 ideographs":  strings.Repeat("电", 10_000),
		"10 000 accents":     "e" + strings.Repeat("\u0301", 10_000),
		"10 000 entities":    strings.Repeat("&amp;", 10_000),
		"300 KB":             strings.Repeat("Bitte rufen Sie zurück. ", 12_500),
	}
	for name, text := range long {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{call(text, text, "42"), voicemail(text)} {
				m := messageOf(t, body)
				if n := len(utf16.Encode([]rune(m.Subject))); n > alert.MaxSubject {
					t.Errorf("subject of %d characters: %s", n, m.Subject)
				}
				if !alert.FitsSMS(m.SMS) {
					t.Errorf("more than one text message: %s", m.SMS)
				}
				for row := range strings.Lines(m.Email) {
					if len(row) > 998 {
						t.Errorf("line of %d bytes in the e-mail: %s", len(row), row)
					}
				}
				for form, shown := range map[string]string{"subject": m.Subject, "sms": m.SMS, "email": m.Email} {
					if !strings.Contains(shown, "+14155550144") {
						t.Errorf("%s without the number to call: %s", form, shown)
					}
				}
				const billedAsOne = 64 << 10
				if size := alert.RequestSize(m); size > billedAsOne {
					t.Errorf("message of %d bytes", size)
				}
			}
		})
	}
}

func TestATranscriptionThatIsTooLongIsCutAndSaysSo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		cut        bool
	}{
		{"at the limit", strings.Repeat("a", 2000), false},
		{"one over", strings.Repeat("a", 2001), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v, _ := document(t, messageOf(t, voicemail(tc.text)))["voicemail"].(map[string]any)
			text, _ := v["transcription"].(string)
			cut, _ := v["transcription_cut"].(bool)
			if cut != tc.cut || utf8.RuneCountInString(text) != 2000 || strings.HasSuffix(text, "…") != tc.cut {
				t.Errorf("cut %t, %d characters, ends in %q", cut, utf8.RuneCountInString(text), text[len(text)-3:])
			}
		})
	}
}

func TestWhatIsNotKnownIsNotSaid(t *testing.T) {
	t.Parallel()
	withheld := `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"call_1","direction":"inbound","from":"anonymous","to":"+14155550101","agent_id":null}}`
	empty := `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"call_1","from":"","to":null}}`
	for _, tc := range []struct {
		name, body string
		attributes map[string]string
		caller     any
		subject    string
	}{
		{
			"agent null", sample(t, "call.missed"),
			map[string]string{"kind": "missed_call", "outcome": "missed", "line": "+14155551234", "caller": "+14155558765"},
			map[string]any{"number": "+14155558765"},
			"Missed call: +14155558765 on +14155551234",
		},
		{
			"agent zero", call("", "Support", "0"),
			map[string]string{"kind": "missed_call", "outcome": "missed", "line": "+14155550101", "caller": "+14155550144", "agent_id": "0"},
			map[string]any{"number": "+14155550144"},
			"Missed call: +14155550144 on Support",
		},
		{
			"caller withheld", withheld,
			map[string]string{"kind": "missed_call", "outcome": "missed", "line": "+14155550101"},
			map[string]any{"withheld": true},
			"Missed call: number withheld on +14155550101",
		},
		{
			"caller and line empty", empty,
			map[string]string{"kind": "missed_call", "outcome": "missed"},
			map[string]any{"withheld": true},
			"Missed call: number withheld",
		},
		{
			"a name that is the number", call("+1 415 555 0144", "Support", "null"),
			map[string]string{"kind": "missed_call", "outcome": "missed", "line": "+14155550101", "caller": "+14155550144"},
			map[string]any{"number": "+14155550144"},
			"Missed call: +14155550144 on Support",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := messageOf(t, tc.body)
			if diff := cmp.Diff(tc.attributes, m.Attributes); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.caller, document(t, m)["caller"]); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
			if m.Subject != tc.subject {
				t.Errorf("subject: %q, want %q", m.Subject, tc.subject)
			}
		})
	}
}

func TestOnlyLinksThatLookLikeOnesAreSent(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]any{
		"https://recordings.example.com/1.mp3?a=b&c=d":      "https://recordings.example.com/1.mp3?a=b&c=d",
		"https://recordings.example.com/1.mp3?a=1&amp;b=2":  "https://recordings.example.com/1.mp3?a=1&b=2",
		"https://recordings.example.com/1.mp3?a=1&copy=2":   "https://recordings.example.com/1.mp3?a=1&copy=2",
		`https:\\/\\/recordings.example.com\\/1.mp3`:        "https://recordings.example.com/1.mp3",
		`https://recordings.example.com/1.mp3?n=\"x\"`:      "https://recordings.example.com/1.mp3?n=%22x%22",
		" https://recordings.example.com/1.mp3 ":            "https://recordings.example.com/1.mp3",
		"http://recordings.example.com/1.mp3":               "http://recordings.example.com/1.mp3",
		"javascript:alert(1)":                               nil,
		"/1.mp3":                                            nil,
		"https://":                                          nil,
		"https://example.com/\nBcc: x":                      nil,
		"https://example.com/" + strings.Repeat("a", 8<<10): nil,
	} {
		body := strings.Replace(voicemail("Hi"), "https://recordings.example.com/1.mp3", strings.ReplaceAll(sent, "\n", `\n`), 1)
		m := messageOf(t, body)
		v, _ := document(t, m)["voicemail"].(map[string]any)
		if diff := cmp.Diff(want, v["recording_url"]); diff != "" {
			t.Errorf("%q (-want +got):\n%s", sent, diff)
		}
	}
}

// An item with a damaged payload still says that somebody called.
func TestAnItemWithADamagedPayloadStillAlerts(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{"no JSON": "{", "nothing": "", "an array": "[]"} {
		item := maps.Clone(itemOf(t, sample(t, "call.missed")))
		delete(item, table.Packed)
		item[table.Payload] = str(payload)
		a, err := alert.Read(item)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.ID != "CALL#call_1d4e5f6a/missed_call" || a.CallID != "call_1d4e5f6a" || a.Caller != "+14155558765" || a.OccurredAt.IsZero() {
			t.Errorf("%s: %+v", name, a)
		}
		if got := (alert.Style{}).Message(a).Subject; got != "Missed call: +14155558765" {
			t.Errorf("%s: subject %q", name, got)
		}
		delete(item, table.GSI1PK)
		a, _ = alert.Read(item)
		m := alert.Style{}.Message(a)
		if got := document(t, m)["caller"]; got != nil || m.Subject != "Missed call: number not known" {
			t.Errorf("%s: caller %v, subject %q; nobody withheld it", name, got, m.Subject)
		}
	}
}

func TestWhatIsNoAlertIsAnError(t *testing.T) {
	t.Parallel()
	without := func(name string) table.Item {
		item := maps.Clone(itemOf(t, sample(t, "call.missed")))
		delete(item, name)
		return item
	}
	other := without("")
	other[table.Alert] = str("overdue")
	for name, item := range map[string]table.Item{
		"without a kind": without(table.Kind), "without PK": without(table.PK), "without SK": without(table.SK),
		"of another kind": other, "empty": {},
	} {
		if _, err := alert.Read(item); !errors.Is(err, alert.ErrItem) {
			t.Errorf("%s: %v, want %v", name, err, alert.ErrItem)
		}
	}
}

// Whatever the topic objects to, the redacted message does not have it.
func TestTheRedactedMessageHoldsNothingThatACallerWrote(t *testing.T) {
	t.Parallel()
	const wrote = "Hyacinth"
	m := alert.Redacted(messageOf(t, call(wrote, wrote, "42")))
	for form, text := range map[string]string{"subject": m.Subject, "email": m.Email, "sms": m.SMS, "document": string(m.Document)} {
		if strings.Contains(text, wrote) || strings.Contains(text, "14155550144") {
			t.Errorf("%s: %s", form, text)
		}
	}
	d := document(t, m)
	if d["id"] != "CALL#CA1/missed_call" || d["cut"] != true || d["kind"] != string(events.KindMissedCall) {
		t.Errorf("document: %v", d)
	}
}

// The page shows the document of a sample, as a firm in New York gets it.
func TestThePageShowsADocumentThatIsSent(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	a, err := alert.Read(itemOf(t, sample(t, "voicemail.received")))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, alert.Style{Location: zone}.Message(a).Document, "", "  "); err != nil {
		t.Fatal(err)
	}
	if page := readFile(t, "..", "..", "docs", "alerts.md"); !strings.Contains(page, "```json\n"+want.String()+"\n```\n") {
		t.Errorf("docs/alerts.md does not show:\n%s", &want)
	}
}
