package table

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/table/attr"
)

// DueAt is when a timer is due, or a reminder was.
const DueAt = "due_at"

const (
	// reminderMark begins, behind a follow-up's SK, that of each reminder.
	reminderMark = "#REMINDED#"
	// dueLayout is a minute, in UTC.
	dueLayout = "2006-01-02T15:04"
	// timerKeptFor is how long a timer and a reminder's mark are kept. An episode is over
	// long before.
	timerKeptFor = 60 * 24 * time.Hour
)

// TimerMark begins the PK of every timer.
const TimerMark = "DUE#"

// DuePartition returns the PK of the timers of a minute.
func DuePartition(minute time.Time) string { return TimerMark + minute.UTC().Format(dueLayout) }

// IsTimer reports whether a key is that of a timer.
func IsTimer(key Key) bool { return strings.HasPrefix(key.PK, TimerMark) }

// TimerKey returns the key of the timer that says, in a minute, to look whether a
// level of a caller is due.
func TimerKey(minute time.Time, caller string, level int) Key {
	return Key{PK: DuePartition(minute), SK: caller + "#" + strconv.Itoa(level)}
}

// TimerItem returns a timer for [Store.Update], due at a time in its minute.
func TimerItem(key Key, due time.Time) Item {
	return Item{
		PK: str(key.PK), SK: str(key.SK), Version: num("1"), DueAt: str(Time(due)),
		ExpiresAt: num(strconv.FormatInt(due.Add(timerKeptFor).Unix(), 10)),
	}
}

// timerSort begins the SK of what names a timer, in its caller's partition.
const timerSort = "TIMER#"

// NamingItem returns the item that names a timer in the partition of its caller, so that it is
// found when the caller is to be forgotten.
func NamingItem(timer Key, due time.Time) Item {
	minute := strings.TrimPrefix(timer.PK, TimerMark)
	level := timer.SK[strings.LastIndexByte(timer.SK, '#'):]
	return Item{
		PK: str(CallerPartition(TimerCaller(timer))), SK: str(timerSort + minute + level),
		ExpiresAt: num(strconv.FormatInt(due.Add(timerKeptFor).Unix(), 10)),
	}
}

// NamedTimer returns the key of the timer that an item with a key names; ok is false if it
// names none.
func NamedTimer(naming Key) (timer Key, ok bool) {
	rest, ok := strings.CutPrefix(naming.SK, timerSort)
	minute, level, cut := strings.Cut(rest, "#")
	return Key{PK: TimerMark + minute, SK: CallerOf(naming) + "#" + level}, ok && cut
}

// TimerCaller returns whose timer it is.
func TimerCaller(timer Key) string {
	return timer.SK[:max(0, strings.LastIndexByte(timer.SK, '#'))]
}

// FollowUp returns the query for a caller's contacts, for the follow-up, and for the marks
// of the reminders.
func FollowUp(caller string) Query {
	return Query{Partition: CallerPartition(caller), From: ContactSort, To: followUpSort + reminderMark + "~"}
}

// Reminders returns the query for the reminders of an episode of a caller.
func Reminders(caller, episode string) Query {
	return Query{Partition: CallerPartition(caller), SortPrefix: reminderSort(episode)}
}

// ReminderKey returns the key of the mark that records that people were reminded of a
// caller, at a level of an episode; level 0 is that it expired.
func ReminderKey(caller, episode string, level int) Key {
	return Key{PK: CallerPartition(caller), SK: reminderSort(episode) + strconv.Itoa(level)}
}

// ReadReminder returns the level of an episode that a mark records; ok is false if the key is
// another's.
func ReadReminder(mark Key, episode string) (level int, ok bool) {
	text, ok := strings.CutPrefix(mark.SK, reminderSort(episode))
	level, err := strconv.Atoi(text)
	return level, ok && err == nil
}

func reminderSort(episode string) string { return followUpSort + reminderMark + keyPart(episode) + "#" }

// ReminderItem returns the mark with a [ReminderKey], for [Store.Update].
func ReminderItem(key Key, due, at time.Time, reason string) Item {
	item := Item{
		PK: str(key.PK), SK: str(key.SK), Version: num("1"), DueAt: str(Time(due)), AlertedAt: str(Time(at)),
		ExpiresAt: num(strconv.FormatInt(at.Add(timerKeptFor).Unix(), 10)),
	}
	if reason != "" {
		item[Reason] = str(reason)
	}
	return item
}

// DoneItem returns a timer in the version that says that it was looked at, for
// [Store.Update].
func DoneItem(timer Item) (item Item, was int64) {
	was = VersionOf(timer)
	item = maps.Clone(timer)
	item[Version], item[timerDone] = num(strconv.FormatInt(was+1, 10)), attr.Bool(true)
	return item, was
}

// IsDone reports whether a timer was looked at.
func IsDone(timer Item) bool { return timer[timerDone] == attr.Bool(true) }

// timerDone is set when a timer was looked at.
const timerDone = "done"

// EscalationQuery asks for the item that runs of the escalation share, if there is one.
func EscalationQuery() Query {
	return Query{Partition: escalationKey.PK, From: escalationKey.SK, To: escalationKey.SK}
}

var escalationKey = Key{PK: "ESCALATE", SK: "RUN"}

const (
	nextMinute = "next_minute"
	lockedTo   = "locked_until"
	knownSince = "known_since"
)

// Escalation is what runs of the escalation share.
type Escalation struct {
	// Next is the minute whose timers are to be looked at next.
	Next time.Time
	// LockedUntil is until when the run has the turn that took it; zero for none.
	LockedUntil time.Time
	// KnownSince is the [Health.EndedSince] for which timers were set; zero for none.
	KnownSince time.Time
	// Version is that of the stored item.
	Version int64
}

// ReadEscalation reads the item.
func ReadEscalation(item Item) (e Escalation) {
	e.Next, _ = time.Parse(timeLayout, Text(item, nextMinute))
	e.LockedUntil, _ = time.Parse(timeLayout, Text(item, lockedTo))
	e.KnownSince, _ = time.Parse(timeLayout, Text(item, knownSince))
	e.Version = VersionOf(item)
	return e
}

// Item returns the item that follows the stored version, for [Store.Update].
func (e Escalation) Item() Item {
	item := Item{
		PK: str(escalationKey.PK), SK: str(escalationKey.SK), Version: num(strconv.FormatInt(e.Version+1, 10)),
		nextMinute: str(Time(e.Next)),
	}
	if !e.LockedUntil.IsZero() {
		item[lockedTo] = str(Time(e.LockedUntil))
	}
	if !e.KnownSince.IsZero() {
		item[knownSince] = str(Time(e.KnownSince))
	}
	return item
}

// VersionOf returns an item's [Version], 0 if it has none.
func VersionOf(item Item) int64 {
	if n, ok := item[Version].(attr.Number); ok {
		version, _ := strconv.ParseInt(string(n), 10, 64)
		return version
	}
	return 0
}
