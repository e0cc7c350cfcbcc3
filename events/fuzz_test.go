package events_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
)

var hexDigest = regexp.MustCompile(`^[0-9a-f]{16}$`)

func FuzzDecode(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.body)
	}
	for _, bad := range badBodies {
		f.Add([]byte(bad.body))
	}
	for _, test := range damaged {
		f.Add([]byte(test.body))
		f.Add([]byte("[" + test.body + "," + test.body + "]"))
	}
	for _, body := range []string{
		``, `{}`, "\xfe\xff\xfe\xff", `{"type":"call.completed"}`, `{"data":{"type":"x","call_id":98765.0}}`,
		`{"event":"call.missed","call_id":"flat","data":{}}`,
		bodyA("call.missed", `{"call_id":"a\u0000#","direction":"Outgoing","from":1e400,"agent_id":9.8765e4}`),
		bodyB("sms.received", `{"id":null,"sms_date":"2024-03-21","sms_time":"9:08:22","sms_info":{"body":5}}`),
		`{"type":"x","request_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","data":[1,[2]]}`,
		`{"type":"x","request_id":"000000000ſ000000000000000","data":"text"}`,
		`{"event":"x","timestamp":"9999-12-31T23:59:59-01:00","data":false}`,
		bodyA(" CALL-NoAnswer ", `{"call_id":"null","call_sid":-1,"status":"Answered by voicemail"}`),
		bodyB("call.completed", `{"id":0,"call_info":{"direction":"Inbound call","type":"Abandoned before ringing","missed_call_reason":"n/a"}}`),
		`{"type":"AppointmentsCheduled"}`,
		bodyB("sd.call_missed", `{"call_sid":"s","call_info":[{"type":"missed"}]}`),
	} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		as := string(body)
		e, err := events.Open(body)
		if err != nil {
			if e != nil || !errors.Is(err, events.ErrPayload) {
				t.Fatalf("envelope %v, error %v", e, err)
			}
			parts := events.Split(body)
			if errors.Is(err, events.ErrSeveral) != (len(parts) > 1) {
				t.Fatalf("%d parts, error %v", len(parts), err)
			}
			return
		}
		if e.Type == "" && !e.Probe() && !slices.Contains(e.Damage, "no type") {
			t.Error("neither a type, nor a probe, nor without a type")
		}
		if !e.Probe() && !e.Data.IsValid() {
			t.Errorf("data that is not JSON: %q", e.Data)
		}
		if !bytes.Contains(body, e.Body) {
			t.Errorf("the envelope's body is not in the body: %q", e.Body)
		}
		d := e.Decode()

		if !hexDigest.MatchString(d.Digest) {
			t.Errorf("digest %q", d.Digest)
		}
		if at := occurredAt(d); !at.IsZero() && (at.Year() < 0 || at.Year() > 9999 || at.Location() != time.UTC || at.Nanosecond()%1e6 != 0) {
			t.Errorf("time %s", at)
		}
		if (d.ID == "") != (d.Entity == events.EntityNone) {
			t.Errorf("entity %q with id %q", d.Entity, d.ID)
		}
		if !e164.MatchString(d.Phone) {
			t.Errorf("phone %q", d.Phone)
		}
		for _, field := range d.Fields {
			if !field.Value.IsValid() || field.Value.Kind() == 'n' {
				t.Errorf("field %s: %s", field.Name, field.Value)
			}
			if slices.Contains(d.NewFields[len(e.NewFields):], field.Name) {
				t.Errorf("%s is documented and new", field.Name)
			}
		}
		checkMembers(t, d)
		details := e.Details()
		if details.Kind != d.Kind || details.Outcome != d.Outcome || details.Direction != d.Direction || details.ID != d.ID || details.Phone != d.Phone {
			t.Errorf("details of a %s %q with %q: %+v", d.Kind, d.ID, d.Phone, details)
		}
		if d.Kind.Alerts() && (d.Direction != events.Inbound || d.Outcome == events.Answered || !d.Outcome.Known()) {
			t.Errorf("a %s, %s and %s", d.Kind, d.Direction, d.Outcome)
		}
		shape := shapeOf(t, details.Event)
		if fits, known := map[events.Kind][]string{
			events.KindCall:       {"call"},
			events.KindMissedCall: {"call"},
			events.KindVoicemail:  {"voicemail"},
			events.KindMessage:    {"message"},
			events.KindContact:    {"contact"},
			events.KindUnknown:    {"unknown"},
		}[d.Kind]; !known || !slices.Contains(fits, shape) {
			t.Errorf("a %s of shape %s", d.Kind, shape)
		}
		if d.Type.Registered() && d.Format != events.FormatLegacy && d.Type.Name() != events.TypeAppointmentScheduled && d.Kind == events.KindUnknown {
			t.Errorf("registered, but unknown: %s", d.Type)
		}

		if as != string(body) {
			t.Fatal("the body has changed")
		}
		if diff := cmp.Diff(d, open(t, as).Decode(), cmp.AllowUnexported(events.Envelope{})); diff != "" {
			t.Errorf("another time, another delivery:\n%s", diff)
		}
		if again := open(t, string(d.Body)); keyOf(again.Decode()) != keyOf(d) {
			t.Error("the stored body has another key")
		}
		if !spaceMatters(e.Damage) {
			diff := cmp.Diff(keyOf(d), keyOf(open(t, " "+as+"\n").Decode()))
			if diff == "" {
				return
			}
			t.Errorf("space around it, another key:\n%s", diff)
		}
	})
}

// spaceMatters reports whether space around a body changes what is in it: in a form
// and behind a NUL, and in UTF-16, of which it makes something else.
func spaceMatters(damage []string) bool {
	return slices.ContainsFunc(damage, func(word string) bool {
		return word == "form" || word == "nul" || word == "utf-16"
	})
}

func FuzzRepair(f *testing.F) {
	for _, test := range damaged {
		f.Add([]byte(test.body))
	}
	for _, bad := range badBodies {
		f.Add([]byte(bad.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		once, found := events.Repair(body)
		twice, again := events.Repair(bytes.Clone(once))
		if jsontext.Value(once).IsValid() && (again != 0 || !bytes.Equal(once, twice)) {
			t.Errorf("repaired again (%d):\n%q\n%q", again, once, twice)
		}
		if jsontext.Value(body).IsValid() && (found != 0 || !bytes.Equal(bytes.TrimLeft(body, " \t\r\n"), once)) {
			t.Errorf("what is sound is repaired (%d):\n%q\n%q", found, body, once)
		}
	})
}

// checkMembers compares the delivery with what jsontext's decoder, which checked
// the body, reads in the data.
func checkMembers(t *testing.T, d *events.Delivery) {
	t.Helper()
	if d.Data.Kind() != '{' {
		return
	}
	dec := jsontext.NewDecoder(bytes.NewReader(d.Data))
	if _, err := dec.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var all, kept []events.Field
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		field := events.Field{Name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		field.Value = value.Clone()
		all = append(all, field)
		if slices.ContainsFunc(d.Fields, func(f events.Field) bool { return f.Name == field.Name }) {
			kept = append(kept, field)
		}
	}
	if diff := cmp.Diff(kept, d.Fields, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("fields (-decoder +ours):\n%s", diff)
	}
	if d.Kind == events.KindUnknown {
		return // NewFields does not list its members
	}
	for _, field := range all {
		isNew := slices.Contains(d.NewFields[len(d.Envelope.NewFields):], field.Name)
		isKept := slices.ContainsFunc(kept, func(f events.Field) bool { return f.Name == field.Name })
		if !isNew && !isKept && field.Value.Kind() != 'n' {
			t.Errorf("%s is neither a field nor a new one", field.Name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(vectorHex, "v1", vectorTimestamp, vectorURL, string(vectorType), vectorSecret, vectorTime.Unix())
	f.Add(strings.ToUpper(vectorHex), "", vectorTimestamp, vectorURL, string(vectorType), vectorSecret, vectorTime.Unix()+6660)
	f.Add("", "", "", "", "", "", int64(0))
	f.Add(strings.Repeat("0", 64), "v1", "1711040902", "https://example.com/a b!*'()", "x|y", "", int64(1711040902))
	f.Add(vectorHex+","+vectorHex, "v2", "9999-12-31T23:59:59Z", "%", "#", "|", int64(253402300799))
	for _, typ := range events.Types() {
		f.Add(events.Sign(vectorSecret, vectorURL, typ, "1711040902123"), "v1", "1711040902123", vectorURL, string(typ), vectorSecret, vectorTime.Unix())
	}

	f.Fuzz(func(t *testing.T, signature, version, timestamp, url, typ, secret string, unix int64) {
		// Beyond these years a time.Time wraps around.
		now := time.Unix(unix%253402300800, 0)
		verify := func(s events.Signature, now time.Time, secrets ...string) error {
			err := events.Verify(s, url, events.Type(typ), tolerance, now, secrets...)
			if err != nil && !errors.Is(err, events.ErrSignature) {
				t.Fatalf("%v does not wrap ErrSignature", err)
			}
			return err
		}
		right := events.Sign(secret, url, events.Type(typ), timestamp)
		if _, err := hex.DecodeString(right); err != nil || len(right) != 64 {
			t.Fatalf("no signature: %q", right)
		}

		given := events.Signature{Hex: signature, Version: version, Timestamp: timestamp}
		if err := verify(given, now, secret); err == nil {
			at, ok := events.ParseTime(timestamp)
			switch {
			case secret == "":
				t.Error("verified with an empty secret")
			case !strings.EqualFold(signature, right):
				t.Errorf("verified %q, which is not %q", signature, right)
			case !ok || now.Sub(at) > tolerance.Past || at.Sub(now) > tolerance.Ahead:
				t.Errorf("verified at %s what was signed at %s", now, at)
			case version != "" && version != "v1":
				t.Errorf("verified version %q", version)
			}
		}
		for _, unsigned := range []events.Signature{
			{Version: version, Timestamp: timestamp},
			{Hex: signature, Version: version},
			{},
		} {
			if verify(unsigned, now, secret) == nil {
				t.Errorf("unsigned, but verified: %+v", unsigned)
			}
		}
		given.Hex = right
		if verify(given, now) == nil || verify(given, now, "", "") == nil {
			t.Error("verified without a secret")
		}

		at, ok := events.ParseTime(timestamp)
		if !ok || secret == "" {
			return
		}
		signed := events.Signature{Hex: right, Version: events.SignatureVersion, Timestamp: timestamp}
		if err := verify(signed, at, "another", secret); err != nil {
			t.Errorf("what Sign made: %v", err)
		}
	})
}

func FuzzPhoneNumber(f *testing.F) {
	for _, text := range []string{
		"+14155558765", "14155558765", "(415) 555-0120", "+44 (0)20 7946 0117", "0049 30 5550115", "011 49 30 5550115",
		"0011 49 30 5550115", "tel:415-555-8765;phone-context=+1;ext=12", "sip:+14155558765:x@pbx.example.com;user=phone",
		"Jane <+14155558765>", "+1 415 555 8765 (ext. 12)", "+١٤١٥٥٥٥٨٧٦٥", "\u202a+1‑415–5558765\u202c", "+266696687",
		"No Caller ID", "anonymous@anonymous.invalid", "-1", "%2B14155558765", "&#43;1", "+1415\xff", `{"n":1}`,
		"14155558765.00", "1.4155558765E+10", "14,155,558,765", "*67 4155558765", "1-800-FLOWERS", "+1 415 555 ••••", "192.168.100.200",
		"John (415) 555-8765 x12, Acme", "**+14155558765**", "[+14155558765](tel:+14155558765)", "415-555-8765 / 212-555-0100",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number, extension := events.SplitNumber(text)
		if !e164.MatchString(number) {
			t.Errorf("%q is no number", number)
		}
		if strings.Trim(extension, "0123456789") != "" || number == "" && extension != "" {
			t.Errorf("the extension is %q", extension)
		}
		if events.PhoneNumber(text) != number || events.PhoneNumber(number) != number {
			t.Errorf("%q becomes %q", number, events.PhoneNumber(number))
		}
		if number != "" && events.Withheld(text) {
			t.Errorf("%q is a number, and withheld", text)
		}
	})
}

// FuzzFold: whatever the events of a call are, their order and repetitions change
// nothing. Each line is the body of an event.
func FuzzFold(f *testing.F) {
	f.Add([]byte(eventOfA("call.missed", 10, "")+"\n"+eventOfA("call.answered", 20, `,"agent_id":4`)), uint64(1))
	f.Add([]byte(eventOfA("voicemail.received", 10, `,"duration":"0:22"`)+"\n"+`{"event":"call.missed","data":{"call_id":"c1","from":["+14155550144"]}}`), uint64(2))
	f.Fuzz(func(t *testing.T, bodies []byte, seed uint64) {
		var parts []events.Part
		for i, body := range bytes.Split(bodies, []byte("\n")) {
			if _, err := events.Open(body); err == nil && i < 8 {
				parts = append(parts, partOf(t, string(body), i))
			}
		}
		want := events.Fold(parts...)
		rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // G404: the same for one input
		again := append(slices.Clone(parts), parts...)
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if diff := cmp.Diff(want, events.Fold(again...)); diff != "" {
			t.Errorf("folded (-in one order +in another):\n%s", diff)
		}
	})
}
