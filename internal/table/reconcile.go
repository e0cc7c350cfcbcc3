package table

import (
	"maps"
	"strconv"
)

// reconcilePartition has what the reconciler and the import know of each of JustCall's
// lists.
const reconcilePartition = "RECONCILE"

// progress is the attribute with it.
const progress = "progress"

// ReconcileKey returns the key of what is known of a list.
func ReconcileKey(list string) Key { return Key{PK: reconcilePartition, SK: keyPart(list)} }

// ReconcileQuery asks for the items of the lists whose names begin so.
func ReconcileQuery(prefix string) Query {
	return Query{Partition: reconcilePartition, SortPrefix: prefix}
}

// ReadReconcile returns what is known of a list, as it was written.
func ReadReconcile(item Item) string { return Text(item, progress) }

// ReconcileItem returns the item of a list in place of the version was, for
// [Store.Update].
func ReconcileItem(list, text string, was int64) Item {
	key := ReconcileKey(list)
	return Item{
		PK: str(key.PK), SK: str(key.SK), Version: num(strconv.FormatInt(was+1, 10)),
		progress: str(text),
	}
}

// Versioned returns a new item as [Store.Update] writes it where there is none.
func Versioned(item Item) Item {
	item = maps.Clone(item)
	item[Version] = num("1")
	return item
}

// IsEmptied reports whether an event has nothing but its keys: it was erased, and is
// known all the same.
func IsEmptied(event Item) bool { return event[Payload] == nil && event[Packed] == nil }
