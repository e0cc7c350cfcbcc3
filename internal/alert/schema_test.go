package alert_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/logscan"
)

func documentSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "alert.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = s.Validate(document)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestDocumentsAreAsTheirSchemaSays(t *testing.T) {
	t.Parallel()
	s := documentSchema(t)
	bodies := []string{
		sample(t, "call.missed"),
		sample(t, "voicemail.received"),
		call("Pat", "Support", "42"),
		call(strings.Repeat("😀", 10_000), strings.Repeat(`"`, 10_000), "-1"),
		voicemail(strings.Repeat("a ", 150_000)),
		`{"event":"call.missed","timestamp":"nonsense","data":{"call_id":"c","from":"anonymous"}}`,
		`{"event":"call.missed","data":{"from":"+14155550144"}}`,
		`{"event":"voicemail.received","data":{"call_id":` + quote(strings.Repeat("c", 1000)) + `,"duration":"long"}}`,
	}
	to := &topic{}
	for _, body := range bodies {
		mustProcess(t, alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t)), itemOf(t, body))
	}
	if len(to.sent) != len(bodies) {
		t.Fatalf("%d sent, want %d", len(to.sent), len(bodies))
	}
	for _, m := range to.sent {
		validate(t, s, m.Document)
		validate(t, s, alert.Redacted(m).Document)
	}
}

// The schema allows unknown members, for documents of later versions, so it would
// not notice an undocumented one.
func TestTheSchemaHasEveryMember(t *testing.T) {
	t.Parallel()
	members := func(typ reflect.Type) (names []string) {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	var described []string
	for name := range documentSchema(t).Properties {
		described = append(described, name)
	}
	slices.Sort(described)
	if written := members(alert.DocumentType); !slices.Equal(written, described) {
		t.Errorf("written: %v, described: %v", written, described)
	}
}
