package logscan_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/logscan"
)

// recorder is a test that only remembers what it was told.
type recorder struct {
	testing.TB

	faults   []string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// end does what happens at the end of a test.
func (r *recorder) end() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	r.cleanups = nil
}

const (
	transcription = "Hi, this is Pat from Globex. Please call me back about the contract."
	token         = "token-of-this-test-4711"
)

func TestFindsWhatIsPrivateHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       logscan.Kind
	}{
		{"a number", "from +14155558765", logscan.Number},
		{"a number without its plus", "from 14155558765", logscan.Number},
		{"a number without its country", "from 4155558765 to", logscan.Number},
		{"a number as people write it", "call (415) 555-8765", logscan.Number},
		{"a number in a URL", "GET /numbers/%2B14155558765", logscan.Number},
		{"the business's own number", "line +14155551234", logscan.Number},
		{"a number of format B", "from 442079460155", logscan.Number},
		{"the same number within its country", "from 02079460155", logscan.Number},
		{"a number in a key", "PHONE#+14155558765", logscan.Number},
		{"an agent's name", "agent Sam Chen answered", logscan.Name},
		{"a first name", "thanks, ROSA!", logscan.Name},
		{"a name that only a text says", "it was Pat.", logscan.Name},
		{"a company", "of Acme Corp, Inc.", logscan.Company},
		{"an e-mail address", "to <jordan@acmecorp.com>", logscan.Email},
		{"an e-mail address in a URL", "?mail=gwen%40example.com", logscan.Email},
		{"a text", "body: Sure! You are confirmed for Friday at 10 AM.", logscan.Text},
		{"a text that is cut", "Please call me back abo…", logscan.Text},
		{"a text over two lines", "Please call\nme back", logscan.Text},
		{"a text in JSON in JSON", `{\"body\":\"Please call\\nme back\"}`, logscan.Text},
		{"a text with JSON's escapes", `Please\u0020call\u0020me back`, logscan.Text},
		{"a text with HTML's escapes", "Here&#039;s the form &amp; my card", logscan.Text},
		{"the same text without", "Here's the form & my card", logscan.Text},
		{"notes", "Customer confirmed renewal", logscan.Text},
		{"a transcribed sentence", "Friday at ten is free", logscan.Text},
		{"a recording", "https://recordings.justcall.io/vm_xyz789.mp3", logscan.Recording},
		{"an attachment", `"https:\/\/media.example.com\/5120072-1.jpg"`, logscan.Recording},
		{"a postal address", "12 Sample Street, Oakland", logscan.Address},
		{"the samples' token", "/justcall/sample-token-not-a-secret", logscan.Secret},
		{"a secret of the test", "path /justcall/" + token, logscan.Secret},
		{"a secret in a URL", "path %2Fjustcall%2F" + url.QueryEscape(token), logscan.Secret},
		{"base64", base64.StdEncoding.EncodeToString([]byte("{}" + transcription)), logscan.Text},
		{"base64 of a URL", base64.RawURLEncoding.EncodeToString([]byte("?" + transcription)), logscan.Text},
		{"hexadecimal", hex.EncodeToString([]byte(transcription)), logscan.Text},
		{"a list of bytes", fmt.Sprintf("%d", []byte(transcription)), logscan.Text},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			logscan.Check(r, `time=now level=INFO msg="delivery answered" key=CALL#1 error=`+tc.text+"\n", token)
			if !slices.ContainsFunc(r.faults, func(fault string) bool {
				return strings.Contains(fault, "holds a "+string(tc.want))
			}) {
				t.Errorf("%q is not taken for a %s: %q", tc.text, tc.want, r.faults)
			}
		})
	}
}

func TestPassesWhatIsNobodys(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"",
		`{"time":"2026-03-12T14:32:00Z","level":"INFO","msg":"delivery answered","status":200,"type":"call.missed","kind":"missed_call","key":"CALL#call_1d4e5f6a","answer":"stored"}`,
		`{"msg":"delivery drained","key":"CALL#CA20820bde05df43a0783e8886c51ace9a","waitedMs":41555}`,
		`{"msg":"alert published","key":"MESSAGE#msg_a1b2c3d4","kind":"voicemail","sinceReceivedMs":4155}`,
		`request "8d0e5d2c-4155-4558-8765-9f3b1a2c3d4e" took 1.415555s at 2026-03-12T14:32:00.000Z`,
		"put item: table unavailable: ThrottlingException (status 400, request \"415\")",
		"digest 82705db579af59de71683de3c9aeabf693c6d72ae8a32ca5",
		// In base64 this id would hold three letters that are a name.
		`{"message":"delivery spilled","key":"CONTACT#0-202","error":"EOF","requestId":"68bfea10-60b4-41aa-af9d-9c441cd0b033"}`,
		"START and STOP",
		"Support, Main Line, Renewals March: what the business calls its own",
	} {
		r := &recorder{}
		logscan.Check(r, text, "", token)
		if len(r.faults) > 0 {
			t.Errorf("%q: %q", text, r.faults)
		}
	}
}

func TestALoggersLinesAreScannedWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	var copied strings.Builder
	lines := logscan.Writer(r)
	log := lines.Logger(&copied)
	log.Info("delivery answered", "key", "CALL#call_1d4e5f6a")
	log.Debug("delivery refused", "from", "+14155558765", "secret", "made-by-the-code")
	lines.Forbid("made-by-the-code")
	if len(r.faults) > 0 {
		t.Errorf("failed before its end: %q", r.faults)
	}
	r.end()

	if len(r.faults) != 2 {
		t.Fatalf("got %d faults, want one for the number and one for the secret: %q", len(r.faults), r.faults)
	}
	for i, kind := range []logscan.Kind{logscan.Secret, logscan.Number} {
		if !slices.ContainsFunc(r.faults, func(fault string) bool {
			return strings.Contains(fault, "holds a "+string(kind)) && strings.Contains(fault, "delivery refused")
		}) {
			t.Errorf("fault %d: no %s named with the line that has it: %q", i, kind, r.faults)
		}
	}
	if diff := cmp.Diff(lines.String(), copied.String()); diff != "" {
		t.Errorf("copied (-kept +copied):\n%s", diff)
	}
}

func TestAProgramsLogIsScannedWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	printed := ""
	logscan.Watch(r, func() string { return printed }, token)
	r.Cleanup(func() { printed = "its last words: " + token }) // as ending a process does
	r.end()
	if len(r.faults) != 1 || !strings.Contains(r.faults[0], "its last words") {
		t.Errorf("want one fault with the line, got %q", r.faults)
	}

	quiet := &recorder{}
	logscan.Logger(quiet).Log(t.Context(), slog.LevelError, "delivery failed")
	quiet.end()
	if len(quiet.faults) > 0 {
		t.Errorf("a clean log fails: %q", quiet.faults)
	}
}
