package table

import (
	"strings"
	"time"

	"github.com/ringback/ringback/internal/table/attr"
)

// Facts is the attribute of a follow-up with all that is known, by package followup.
const Facts = "facts"

// Unreached is the [State] of an open follow-up of a caller who was tried in vain so often
// that nobody is reminded any more.
const Unreached = "unreached"

// The attributes of a hand act.
const (
	Act   = "act"
	ActID = "act_id"
	By    = "by"
	Why   = "why"
	Until = "until"
)

// FactsOf returns the [Facts] of a follow-up: bytes or, until December 2026, text.
func FactsOf(item Item) string {
	if facts, ok := item[Facts].(attr.Binary); ok {
		return string(facts)
	}
	return Text(item, Facts)
}

// IsFollowUp reports whether a key is that of a follow-up.
func IsFollowUp(key Key) bool { return key.SK == followUpSort }

// CallerOf returns the caller in whose partition a key is, "" if it is in none.
func CallerOf(key Key) string {
	caller, ok := strings.CutPrefix(key.PK, callerPartition)
	if !ok {
		return ""
	}
	return caller
}

// actSort begins the SK of a hand act.
const actSort = "ACT#"

// ActKey returns the key of a hand act.
func ActKey(caller string, at time.Time, id string) Key {
	return Key{PK: CallerPartition(caller), SK: actSort + Time(at) + "#" + keyPart(id)}
}

// IsAct reports whether an item's key is that of a hand act.
func IsAct(key Key) bool { return CallerOf(key) != "" && strings.HasPrefix(key.SK, actSort) }

// Acts returns the query for the hand acts of a caller.
func Acts(caller string) Query {
	return Query{Partition: CallerPartition(caller), SortPrefix: actSort}
}
