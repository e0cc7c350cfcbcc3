package alert

import (
	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// PartOf returns what an event's item says of its call or text. It cannot fail: an
// item whose payload cannot be read says what its attributes repeat of it.
func PartOf(item table.Item) events.Part { return partOf(item) }
