package alert

import "reflect"

// DocumentType is the type of the JSON document.
var DocumentType = reflect.TypeFor[document]()

// RequestSize returns how many bytes a message takes in a request.
func RequestSize(m Message) int { return newSending(&m, new(error)).size }

// Bare returns the form of a message that is sent when the topic refuses it.
func Bare(m Message) Message { return *m.bare }
