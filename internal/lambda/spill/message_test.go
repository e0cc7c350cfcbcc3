package spill_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const token = "sample-token-not-a-secret"

// arrival is when a delivery came in, finer than the milliseconds of an item.
var arrival = time.Date(2026, time.March, 12, 14, 32, 2, 123456789, time.UTC)

// sample is a documented payload.
func sample(t testing.TB, event string) []byte {
	t.Helper()
	body, err := fs.ReadFile(os.DirFS("../../../events-samples"), event+".json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// allowed reports whether SQS takes a text. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html.
func allowed(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD, r >= 0x10000:
		default:
			return false
		}
	}
	return true
}

// roundTrip fails if a delivery is not the same after encoding and decoding, or if
// SQS would refuse the message.
func roundTrip(t interface {
	Helper()
	Errorf(format string, arguments ...any)
}, r ingest.Received,
) {
	t.Helper()
	text, err := spill.Encode(r)
	if err != nil {
		t.Errorf("encode: %v", err)
		return
	}
	if !allowed(text) || len(text) > spill.MaxMessage || text == "" {
		t.Errorf("SQS would refuse %.200q of %d bytes", text, len(text))
	}
	got, err := spill.Decode(text)
	if err != nil {
		t.Errorf("decode: %v", err)
		return
	}
	if bytes.Equal(r.Body, got.Body) {
		r.Body, got.Body = nil, nil // comparing in detail takes long
	}
	if diff := cmp.Diff(r, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
}

func TestEveryDeliveryComesBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 300),
			rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
			rapid.Map(rapid.IntRange(0, 400<<10), func(n int) []byte { return bytes.Repeat([]byte("é\x01"), n/3) }),
		).Draw(t, "body")
		roundTrip(t, ingest.Received{
			ReceivedAt: time.Unix(rapid.Int64Range(1, 1<<37).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanosecond")).UTC(),
			Headers:    rapid.MapOfN(rapid.String(), rapid.String(), 0, 5).Draw(t, "headers"),
			Body:       body,
			Reason:     rapid.String().Draw(t, "reason"),
			Reasons:    rapid.SliceOfN(rapid.String(), 0, 5).Draw(t, "reasons"),
		})
	})
}

func FuzzEveryBodyComesBackAsItWas(f *testing.F) {
	f.Add([]byte(nil), "")
	f.Add(sample(f, "call.missed"), "application/json")
	f.Add([]byte("\x00\x1f\x7f\uFFFD\uFFFE\uFFFF\U0010FFFF\u2028<>&\"\\"), "\uFFFE")
	f.Add([]byte("\xff\xfe"), "")
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		roundTrip(t, ingest.Received{
			ReceivedAt: arrival,
			Headers:    map[string]string{"content-type": strings.ToValidUTF8(header, "\uFFFD")},
			Body:       body,
		})
	})
}

func TestAMessageIsForPeopleToReadUnlessItIsLarge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		body     string
		readable bool
	}{
		{"a documented payload", string(sample(t, "call.missed")), true},
		{"control characters", "\x00\x01\uFFFE", true},
		{"nothing", "", true},
		{"as much as may be", strings.Repeat("a", 200_000), true},
		{"a large text", strings.Repeat("a", 200<<10), false},
		{"a text that is large once it is JSON", strings.Repeat("\x01", 100<<10), false},
		{"no text", "\xff", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := ingest.Received{ReceivedAt: arrival, Body: []byte(test.body)}
			roundTrip(t, r)
			text, err := spill.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(text, `"body":`); got != test.readable {
				t.Errorf("readable %t, want %t: %.100s", got, test.readable, text)
			}
		})
	}
}

// The form of messages is an interface between two deployments: after an update, one
// version reads what another has sent.
func TestTheFormOfAMessage(t *testing.T) {
	t.Parallel()
	got, err := spill.Encode(ingest.Received{
		ReceivedAt: arrival,
		Headers:    map[string]string{"content-type": "application/json", "a": "b"},
		Body:       []byte(`{"event":"call.missed"}`),
		Reason:     "payload: no data",
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"received_at":"2026-03-12T14:32:02.123456789Z","headers":{"a":"b","content-type":"application/json"},` +
		`"reason":"payload: no data","body":"{\"event\":\"call.missed\"}"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// incompressible returns a text of n letters that hardly compresses.
func incompressible(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	random := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	_, _ = random.Read(b)
	for i := range b {
		b[i] = letters[b[i]%64]
	}
	return string(b)
}

// overQueue makes a message that is larger than a queue takes.
var overQueue = incompressible(1100 << 10)

// Everything that the table takes fits the queue: the largest items, of events and
// of rejections, with the largest headers that API Gateway allows (10,240 bytes in
// all).
func TestWhatFitsTheTableFitsTheQueue(t *testing.T) {
	t.Parallel()
	// largest returns the largest body that the table takes, or one that is less than
	// a hundredth smaller. How much a body grows on its way into an item does not
	// depend on its size, so one item that fits says where the limit is.
	largest := func(body func(n int) []byte) []byte {
		t.Helper()
		handled := func(n int) (size int, fits bool) {
			store := &tabletest.Memory{}
			h := ingest.New(store, credential.Fixed{Token: token}, logscan.Logger(t))
			if h.Handle(t.Context(), delivery(body(n))).Status == http.StatusRequestEntityTooLarge {
				return 0, false
			}
			return table.Size(store.One(t)), true
		}
		const first = 420 << 10 // so large that no attribute holds the text
		size, fits := handled(first)
		if !fits {
			t.Fatalf("%d bytes do not fit", first)
		}
		n := first * table.MaxItemSize / size
		for _, fits = handled(n); !fits; _, fits = handled(n) {
			n -= n / 200
		}
		if _, fits := handled(n + n/100); fits {
			t.Fatalf("%d bytes fit as well as %d", n+n/100, n)
		}
		return body(n)
	}
	noise := incompressible(600 << 10)
	for name, body := range map[string]func(n int) []byte{
		"an event": func(n int) []byte {
			return []byte(`{"event":"voicemail.received","data":{"call_id":"c1","transcription":"` + noise[:n] + `"}}`)
		},
		"a rejection": func(n int) []byte { return []byte(noise[:n]) },
		"a rejection of bytes": func(n int) []byte {
			b := []byte(noise[:n])
			for i := range b {
				b[i] += 128
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := largest(body)
			if len(whole) < 390<<10 {
				t.Fatalf("%d bytes is not large", len(whole))
			}
			text, err := spill.Encode(ingest.Received{
				ReceivedAt: arrival,
				Headers:    map[string]string{"content-type": strings.Repeat("\x7f\x01", 5120)},
				Body:       whole,
				Reason:     strings.Repeat("r", 1000),
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("a body of %d bytes makes a message of %d", len(whole), len(text))
		})
	}
}

// A drain of an earlier version reads what the webhook spills.
func TestOnlyWhatNoWebhookBroughtHasANewerForm(t *testing.T) {
	t.Parallel()
	for foundBy, want := range map[string]string{"": `{"version":1,`, table.FoundByReconcile: `{"version":2,"source":"reconcile",`} {
		r := ingest.Received{ReceivedAt: arrival, Body: []byte("{}"), FoundBy: foundBy}
		if text, err := spill.Encode(r); err != nil || !strings.HasPrefix(text, want) {
			t.Errorf("%q: %.80s, %v; want %s…", foundBy, text, err, want)
		}
		roundTrip(t, r)
	}
}

func TestWhatDoesNotFitIsAnError(t *testing.T) {
	t.Parallel()
	_, err := spill.Encode(ingest.Received{ReceivedAt: arrival, Body: []byte(overQueue)})
	if !errors.Is(err, spill.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, spill.ErrTooLarge)
	}
}

func TestDecodeRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":              "",
		"no JSON":              "marked-4711",
		"no object":            `["marked-4711"]`,
		"no version":           `{"received_at":"2026-03-12T14:32:02Z","body":"marked-4711"}`,
		"another version":      `{"version":3,"received_at":"2026-03-12T14:32:02Z","body":"marked-4711"}`,
		"no source":            `{"version":2,"received_at":"2026-03-12T14:32:02Z","body":"marked-4711"}`,
		"a source before 2":    `{"version":1,"source":"marked-4711","received_at":"2026-03-12T14:32:02Z","body":""}`,
		"no time":              `{"version":1,"body":"marked-4711"}`,
		"a time that is none":  `{"version":1,"received_at":"marked-4711","body":""}`,
		"no body":              `{"version":1,"received_at":"2026-03-12T14:32:02Z"}`,
		"two bodies":           `{"version":1,"received_at":"2026-03-12T14:32:02Z","body":"","body_gzip":""}`,
		"a body that is none":  `{"version":1,"received_at":"2026-03-12T14:32:02Z","body":4711}`,
		"no base64":            `{"version":1,"received_at":"2026-03-12T14:32:02Z","body_gzip":"4711!"}`,
		"no gzip":              `{"version":1,"received_at":"2026-03-12T14:32:02Z","body_gzip":"NDcxMQ=="}`,
		"gzip that is cut":     `{"version":1,"received_at":"2026-03-12T14:32:02Z","body_gzip":"H4sIAAAAAAAA/w=="}`,
		"a member of its own":  `{"version":1,"received_at":"2026-03-12T14:32:02Z","body":"","marked-4711":1}`,
		"a member given twice": `{"version":1,"version":1,"received_at":"2026-03-12T14:32:02Z","body":"marked-4711"}`,
		"more than one":        `{"version":1,"received_at":"2026-03-12T14:32:02Z","body":""}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := spill.Decode(text)
			if !errors.Is(err, spill.ErrMessage) || strings.Contains(err.Error(), "4711") {
				t.Errorf("got %v, want %v without content", err, spill.ErrMessage)
			}
		})
	}
}

func FuzzDecodeRefusesOrComesBack(f *testing.F) {
	f.Add(`{"version":1,"received_at":"2026-03-12T14:32:02Z","body":"x"}`)
	f.Add(`{"version":1,"received_at":"2026-03-12T14:32:02+01:00","headers":{"a":""},"body_gzip":"H4sIAAAAAAAA/w=="}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := spill.Decode(text)
		switch {
		case err == nil:
			roundTrip(t, r)
		case !errors.Is(err, spill.ErrMessage):
			t.Errorf("got %v, want %v", err, spill.ErrMessage)
		}
	})
}

// delivery is a request with the right token.
func delivery(body []byte) ingest.Request {
	return ingest.Request{
		Method:  http.MethodPost,
		Path:    ingest.Path + "/" + token,
		Headers: map[string]string{"content-type": "application/json", events.HeaderRequestTimestamp: "2026-03-12 14:32:01"},
		Body:    body,
	}
}
