package events_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/golden"
)

// sample is one payload on disk, named after its event.
type sample struct {
	event  events.Type
	format events.Format
	body   []byte
}

func (s sample) name() string { return string(s.format) + "/" + string(s.event) }

// samples returns every payload we have: the documented ones of format A, those
// of its sibling help pages, and those of format B.
func samples(t testing.TB) []sample {
	t.Helper()
	var all []sample
	for _, dir := range []struct {
		path   string
		format events.Format
	}{
		{"../events-samples", events.FormatA},
		{"testdata/a", events.FormatA},
		{"testdata/b", events.FormatB},
	} {
		folder := os.DirFS(dir.path)
		names, err := fs.Glob(folder, "*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			body, err := fs.ReadFile(folder, name)
			if err != nil {
				t.Fatal(err)
			}
			event := events.Type(strings.TrimSuffix(path.Base(name), ".json"))
			all = append(all, sample{event, dir.format, body})
		}
	}
	return all
}

// open and decode are for bodies that must be readable.
func open(t testing.TB, body string) *events.Envelope {
	t.Helper()
	e, err := events.Open([]byte(body))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return e
}

func decode(t testing.TB, body string) *events.Delivery {
	t.Helper()
	return open(t, body).Decode()
}

// occurredAt is the time that the body gives.
func occurredAt(d *events.Delivery) time.Time {
	return d.OccurredAt(time.Time{}, time.Time{})
}

// bodyA and bodyB wrap data in an envelope of the format. Format B has only the
// data's own time.
func bodyA(typ events.Type, data string) string {
	return `{"event":"` + string(typ) + `","timestamp":"2026-03-12T14:32:00Z","data":` + data + `}`
}

func bodyB(typ events.Type, data string) string {
	return `{"type":"` + string(typ) + `","webhook_url":"https://example.com/hook","url_id":17,"data":` + data + `}`
}

// key is everything that decides where a delivery is stored.
type key struct {
	Kind       events.Kind
	Outcome    events.Outcome
	Direction  events.Direction
	Entity     events.Entity
	ID         string
	OccurredAt time.Time
	Phone      string
	Digest     string
}

func keyOf(d *events.Delivery) key {
	return key{d.Kind, d.Outcome, d.Direction, d.Entity, d.ID, occurredAt(d), d.Phone, d.Digest}
}

// shapeOf names the Go shape of an event.
func shapeOf(t testing.TB, e events.Event) string {
	t.Helper()
	switch e.(type) {
	case *events.Call:
		return "call"
	case *events.Voicemail:
		return "voicemail"
	case *events.Message:
		return "message"
	case *events.Contact:
		return "contact"
	case *events.Unknown:
		return "unknown"
	default:
		t.Fatalf("no such shape: %T", e)
		return ""
	}
}

// documented is an event that the documents name, with what it is about.
type documented struct {
	event  events.Type
	format events.Format
	kind   events.Kind
	entity events.Entity
	shape  string
}

// registered is every event that the documents name: format A and its sibling
// pages first, then format B. Written out a second time on purpose.
var registered = []documented{
	{"call.answered", events.FormatA, events.KindCall, events.EntityCall, "call"},
	{"call.completed", events.FormatA, events.KindCall, events.EntityCall, "call"},
	{"call.missed", events.FormatA, events.KindMissedCall, events.EntityCall, "call"},
	{"contact.created", events.FormatA, events.KindContact, events.EntityContact, "contact"},
	{"contact.deleted", events.FormatA, events.KindContact, events.EntityContact, "contact"}, // in no document
	{"contact.removed", events.FormatA, events.KindContact, events.EntityContact, "contact"}, // in no document
	{"contact.updated", events.FormatA, events.KindContact, events.EntityContact, "contact"},
	{"sms.delivered", events.FormatA, events.KindMessage, events.EntityMessage, "message"},
	{"sms.failed", events.FormatA, events.KindMessage, events.EntityMessage, "message"},
	{"sms.optin", events.FormatA, events.KindMessage, events.EntityMessage, "message"},
	{"sms.optout", events.FormatA, events.KindMessage, events.EntityMessage, "message"},
	{"sms.received", events.FormatA, events.KindMessage, events.EntityMessage, "message"},
	{"sms.sent", events.FormatA, events.KindMessage, events.EntityMessage, "message"},
	{"voicemail.received", events.FormatA, events.KindVoicemail, events.EntityCall, "voicemail"},

	{"appointment.scheduled", events.FormatB, events.KindUnknown, events.EntityNone, "unknown"},
	{"call.ai_voice_agent", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.answered", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.completed", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.enters_queue", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.exits_queue", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.incoming", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.initiated", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.missed", events.FormatB, events.KindMissedCall, events.EntityCall, "call"},
	{"call.updated", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"call.voicemail", events.FormatB, events.KindVoicemail, events.EntityCall, "voicemail"},
	{"jc.call_ai_generated", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"jc.contact_status_updated", events.FormatB, events.KindContact, events.EntityContact, "contact"},
	{"sd.call_ai_generated", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"sd.call_completed", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"sd.call_updated", events.FormatB, events.KindCall, events.EntityCall, "call"},
	{"sms.received", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
	{"sms.sent", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
	{"sms.sent_received", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
	{"sms.status_updated", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
	{"voicemail.received", events.FormatB, events.KindVoicemail, events.EntityCall, "voicemail"},
	{"whatsapp.message_received", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
	{"whatsapp.message_sent", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
	{"whatsapp.message_status_updated", events.FormatB, events.KindMessage, events.EntityMessage, "message"},
}

func TestTypesAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	var want []events.Type
	for _, r := range registered {
		want = append(want, r.event)
		if !r.event.Registered() {
			t.Errorf("%s is not registered", r.event)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), events.Types()); diff != "" {
		t.Errorf("Types (-want +got):\n%s", diff)
	}
}

func TestEveryDocumentedEventHasASample(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, s := range samples(t) {
		found[s.name()] = true
	}
	for _, r := range registered {
		if name := string(r.format) + "/" + string(r.event); !found[name] {
			t.Errorf("no sample for %s", name)
		}
	}
}

func TestSamplesDecodeToTheRegisteredShape(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			d := decode(t, string(s.body))
			i := slices.IndexFunc(registered, func(r documented) bool {
				return r.event == s.event && r.format == s.format
			})
			if i < 0 {
				t.Fatalf("no document names %s", s.name())
			}
			want := registered[i]
			if d.Type != want.event || d.Format != want.format {
				t.Errorf("opens as %s/%s", d.Format, d.Type)
			}
			if got := shapeOf(t, d.Details().Event); got != want.shape {
				t.Errorf("shape: got %s, want %s", got, want.shape)
			}
			if d.Kind != want.kind {
				t.Errorf("kind: got %s, want %s", d.Kind, want.kind)
			}
			if d.Entity != want.entity {
				t.Errorf("entity: got %q, want %q", d.Entity, want.entity)
			}
			if len(d.TypeMismatches) > 0 {
				t.Errorf("type mismatches: %q", d.TypeMismatches)
			}
			if len(d.NewFields) > 0 {
				t.Errorf("documented, but taken for new: %q", d.NewFields)
			}
			if occurredAt(d).IsZero() {
				t.Error("no time")
			}
			if d.Probe() {
				t.Error("taken for a probe")
			}
		})
	}
}

func TestOnlyMissedCallsAndVoicemailsAlert(t *testing.T) {
	t.Parallel()
	want := map[events.Kind]bool{
		events.KindCall:       false,
		events.KindContact:    false,
		events.KindMessage:    false,
		events.KindMissedCall: true,
		events.KindUnknown:    false,
		events.KindVoicemail:  true,
		"":                    false,
	}
	for kind, alerts := range want {
		if kind.Alerts() != alerts {
			t.Errorf("%q alerts: %v, want %v", kind, kind.Alerts(), alerts)
		}
	}
}

// goldenDelivery is a delivery as the golden files show it.
type goldenDelivery struct {
	Format         events.Format               `json:"format"`
	Type           events.Type                 `json:"type"`
	Kind           events.Kind                 `json:"kind"`
	Outcome        events.Outcome              `json:"outcome"`
	Direction      events.Direction            `json:"direction"`
	Entity         events.Entity               `json:"entity"`
	ID             string                      `json:"id"`
	OccurredAt     string                      `json:"occurred_at"`
	RequestID      string                      `json:"request_id"`
	Phone          string                      `json:"phone"`
	Digest         string                      `json:"digest"`
	Event          map[string]events.Event     `json:"event"`
	Fields         []map[string]jsontext.Value `json:"fields"`
	NewFields      []string                    `json:"new_fields"`
	TypeMismatches []string                    `json:"type_mismatches"`
}

// marshalOptional writes an optional number as itself, null, or "absent".
func marshalOptional(enc *jsontext.Encoder, o events.Optional[int64]) error {
	switch o.State {
	case events.Set:
		return enc.WriteToken(jsontext.Int(o.Value))
	case events.Null:
		return enc.WriteToken(jsontext.Null)
	default:
		return enc.WriteToken(jsontext.String("absent"))
	}
}

func goldenJSON(t *testing.T, d *events.Delivery) []byte {
	t.Helper()
	g := goldenDelivery{
		Format:         d.Format,
		Type:           d.Type,
		Kind:           d.Kind,
		Outcome:        d.Outcome,
		Direction:      d.Direction,
		Entity:         d.Entity,
		ID:             d.ID,
		OccurredAt:     occurredAt(d).Format("2006-01-02T15:04:05.000Z07:00"),
		RequestID:      d.RequestID,
		Phone:          d.Phone,
		Digest:         d.Digest,
		Event:          map[string]events.Event{shapeOf(t, d.Details().Event): d.Details().Event},
		NewFields:      d.NewFields,
		TypeMismatches: d.TypeMismatches,
	}
	for _, f := range d.Fields {
		g.Fields = append(g.Fields, map[string]jsontext.Value{f.Name: f.Value})
	}
	text, err := json.Marshal(g,
		json.WithMarshalers(json.MarshalToFunc(marshalOptional)),
		jsontext.WithIndent("  "),
	)
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func TestSamplesMatchTheirGoldenFiles(t *testing.T) {
	t.Parallel()
	expected := map[string]bool{}
	for _, s := range samples(t) {
		file := filepath.Join("testdata", "golden", strings.ToLower(string(s.format)), string(s.event)+".json")
		expected[file] = true
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			golden.Check(t, file, goldenJSON(t, decode(t, string(s.body))))
		})
	}
	golden.NoOthers(t, filepath.Join("testdata", "golden", "*", "*.json"), expected)
}
