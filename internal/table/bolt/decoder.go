package bolt

import (
	"bytes"
	"hash/maphash"
	"maps"
	"sync"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

const (
	rememberedItems = 1024
	// maxRememberedItem is the size in bytes of the largest text that is remembered.
	maxRememberedItem = 16 << 10
)

// decoder decodes items, and remembers the last ones: each consumer reads a new item from
// the feed, and some read it again with the other items of its call.
type decoder struct {
	seed maphash.Seed

	mu    sync.Mutex
	slots [rememberedItems]decoded // by the hash of the text
}

type decoded struct {
	text []byte
	item table.Item // never changes
}

func newDecoder() *decoder { return &decoder{seed: maphash.MakeSeed()} }

// decode returns the item with a text. The map is the caller's; the values are shared.
func (d *decoder) decode(text []byte) (table.Item, error) {
	if len(text) > maxRememberedItem {
		return itemjson.Decode(text)
	}
	slot := &d.slots[maphash.Bytes(d.seed, text)%rememberedItems]
	d.mu.Lock()
	known := *slot
	d.mu.Unlock()
	if known.item != nil && bytes.Equal(known.text, text) {
		return maps.Clone(known.item), nil
	}
	item, err := itemjson.Decode(text)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	*slot = decoded{bytes.Clone(text), item}
	d.mu.Unlock()
	return maps.Clone(item), nil
}
