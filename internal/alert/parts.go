package alert

import (
	"sync"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

const (
	maxParts = 2048 // are remembered
	// maxRead is how many bytes an item may have at most that is remembered: all together
	// take some megabytes.
	maxRead = 16 << 10
)

// partNames are the attributes, beside the keys, that [PartOf] reads. What else an item has, its
// packed body has in it.
var partNames = [...]string{
	table.Packed, table.Payload, table.PayloadCoding, table.Event, table.Kind, table.Alert, table.OccurredAt,
	table.ReceivedAt, table.FoundBy, table.GSI1PK, table.Outcome, "justcall_line_name",
}

// Parts remembers what [PartOf] returned of the newest items: several consumers ask for that,
// and each more than once. It may be used concurrently. Nil remembers nothing.
type Parts struct {
	mu    sync.Mutex
	known map[table.Key]knownPart
}

type knownPart struct {
	read [len(partNames)]string
	part events.Part
}

// Of returns what [PartOf] does. What the part refers to must not be changed.
func (p *Parts) Of(item table.Item) events.Part {
	if p == nil {
		return PartOf(item)
	}
	var read [len(partNames)]string
	size := 0
	for i, name := range partNames {
		switch v := item[name].(type) {
		case attr.String:
			read[i] = string(v)
		case attr.Binary:
			read[i] = string(v)
		}
		size += len(read[i])
	}
	if size > maxRead {
		return PartOf(item)
	}
	key := table.KeyOf(item)
	p.mu.Lock()
	known, ok := p.known[key]
	p.mu.Unlock()
	if ok && known.read == read {
		return known.part
	}
	part := PartOf(item)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxParts {
		p.known = make(map[table.Key]knownPart)
	}
	p.known[key] = knownPart{read, part}
	return part
}
