package alert

import "reflect"

// DocumentType is the type of the JSON document.
var DocumentType = reflect.TypeFor[document]()

// RequestSize returns the size of a message in a request, in bytes.
func RequestSize(m Message) int { return newSending(&m, new(error)).size }

// Redacted returns the form of a message that is sent when the topic refuses it.
func Redacted(m Message) Message { return m.redact() }

// What the tests of texts need.
var (
	Clean    = clean
	FitsSMS  = fitsSMS
	Septets  = septets
	ZoneName = zoneName
)
