package events_test

import (
	"bytes"
	"testing"

	"github.com/ringback/ringback/events"
)

// A caller can build an envelope from data that Open has not checked.
func TestDecodeCannotFail(t *testing.T) {
	t.Parallel()
	decode := func(format events.Format, typ events.Type, data []byte) {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("%s %s: panic %v on data %q", format, typ, r, data)
			}
		}()
		e := &events.Envelope{Format: format, Type: typ, Data: data, Timestamp: data}
		e.Decode()
		e.Details()
	}
	for _, s := range samples(t) {
		data := open(t, string(s.body)).Data
		for n := range data {
			// Every cut of one sample; of the others, enough to stay quick.
			if s.event == "call.completed" || n%9 == len(s.event)%9 {
				decode(s.format, s.event, data[:n:n])
			}
		}
	}
	for _, data := range []string{
		"{", "[", `"`, " ", ` {`, `{x}`, `{"id"}`, `{"id":}`, `{"id",}`, `{"id" "x"}`, `{,}`, `{"tags":[}`, `{"tags":[,]}`,
		`{"tags":[}}`, `{"id":"\`, `{"id":"\"`, `{"\`, `{]}`, `[}`, `}`, `xxxxxxxx`, `{"a":{"b":[}]}}`, `{"id":1 2}`,
	} {
		for _, typ := range []events.Type{"call.completed", "sms.received", "contact.created", "odd"} {
			for _, format := range []events.Format{events.FormatA, events.FormatB, events.FormatLegacy} {
				decode(format, typ, []byte(data))
			}
		}
	}
}

// A caller that reuses the body's memory changes data that Open has checked.
func TestDecodeOfAReusedBodyDoesNotPanic(t *testing.T) {
	t.Parallel()
	for _, over := range []byte(`x"\{}[]:, `) {
		for _, s := range samples(t) {
			body := bytes.Clone(s.body)
			e := open(t, string(body))
			for _, b := range [][]byte{e.Data, e.Body} {
				copy(b, bytes.Repeat([]byte{over}, len(b)/2))
				e.Decode()
				e.Details()
			}
		}
	}
}
