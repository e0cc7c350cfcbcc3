package alert_test

import (
	"bytes"
	"cmp"
	"path/filepath"
	"reflect"
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
	var compare func(where string, typ reflect.Type, s *jsonschema.Schema)
	compare = func(where string, typ reflect.Type, s *jsonschema.Schema) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		for s.Ref != nil || s.Items2020 != nil {
			s = cmp.Or(s.Ref, s.Items2020)
		}
		if s.AdditionalProperties != nil {
			t.Errorf("%s: the schema forbids the members of later versions", where)
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		written := map[string]reflect.Type{}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			written[name] = typ.Field(i).Type
			switch described := s.Properties[name]; {
			case described != nil:
				compare(where+"/"+name, written[name], described)
			case !strings.HasSuffix(where, "/line") || !partyOnly[name]:
				t.Errorf("%s/%s is not described", where, name)
			}
		}
		for name := range s.Properties {
			if written[name] == nil {
				t.Errorf("%s/%s is not written", where, name)
			}
		}
	}
	compare("", alert.DocumentType, documentSchema(t))
}

// partyOnly are the members of a caller that a line never has.
var partyOnly = map[string]bool{"extension": true, "text": true, "company": true, "withheld": true}

func TestTheSchemaSaysWhatEachKindHas(t *testing.T) {
	t.Parallel()
	s := documentSchema(t)
	const head = `{"version":2,"id":"a","key":{"PK":"p","SK":"s"},"kind":`
	for text, valid := range map[string]bool{
		`"missed_call","caller":{"number":"+14155550100","carrier":"one of a later version"}}`: true,
		`"overdue"}`:            false,
		`"overdue","cut":true}`: true,
		`"overdue","level":1,"callers":1,"waiting":[{"caller":{},"outcome":"missed"}]}`: true,
		`"missed_call","voicemail":{}}`:                    false,
		`"returned","missed_call":{"call_id":"c"}}`:        false,
		`"voicemail","missed_call":{"call_id":"c"}}`:       true,
		`"voicemail","voicemail":{"duration_seconds":0}}`:  true,
		`"voicemail","voicemail":{"duration_seconds":-1}}`: false,
		`"missed_call","ring_seconds":-1}`:                 false,
	} {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(head + text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(document); (err == nil) != valid {
			t.Errorf("%s: %v", text, err)
		}
	}
}
