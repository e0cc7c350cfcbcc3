package alert

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// maxListed limits the callers whom an e-mail or a document lists.
const maxListed = 100

// Overdue is a reminder of callers of one line whom nobody has called back.
type Overdue struct {
	// Level counts the reminders of these callers, from 1.
	Level int
	// Line is the number called, and LineName its name in JustCall, as in [Alert].
	Line, LineName string
	// Waiting are the callers, at least one, those first who wait longest.
	Waiting []Waiter
	// AsOf is when the last event arrived, if that is so long ago that somebody may have
	// called back meanwhile; otherwise zero.
	AsOf time.Time
}

// Waiter is a caller who waits.
type Waiter struct {
	// CallID is JustCall's id of the first call that nobody served.
	CallID string
	// Key is that of the item that says who waits.
	Key table.Key
	// Caller, CallerText, Withheld, Name and Company say who it is, as in [Alert].
	Caller, CallerText, Name, Company string
	Withheld                          bool
	// Outcome is how the calls ended at best.
	Outcome events.Outcome
	// First is when the first of them began.
	First time.Time
	// Unserved is how many there were. More is set if there were more than that.
	Unserved int
	More     bool
	// Attempts is how often somebody tried to call back.
	Attempts int
	// OtherNumber is another number of the same contact, with which somebody has talked
	// since; "" for none.
	OtherNumber string
	// DoNotDisturb is set if the contact asked not to be called.
	DoNotDisturb bool
}

// Overdue renders a reminder. It identifies one of a caller by the first call and the
// level, and one of several by all of theirs, so a reminder that is sent again has the
// same ID.
func (s Style) Overdue(o Overdue) Message {
	var all []waits // that are listed
	for _, one := range o.Waiting[:min(len(o.Waiting), maxListed)] {
		all = append(all, s.waits(o, one))
	}
	first, total := all[0], len(o.Waiting)
	d := first.document()
	if total > 1 {
		first.ID = "OVERDUE#" + table.BodyDigest([]byte(o.ids()))
		first.Caller = "" // no attribute
		d = document{Version: d.Version, Kind: d.Kind, TimeZone: d.TimeZone, Line: d.Line, Key: d.Key}
	}
	d.ID, d.Level, d.Callers, d.AsOf = first.ID, o.Level, total, stamp(o.AsOf)
	d.Waiting = listOf(all)
	intro := ""
	if !o.AsOf.IsZero() {
		intro = unsure
	}
	level := func(m Message) Message {
		m.Call = m.ID
		m.Attributes["level"] = strconv.Itoa(o.Level)
		return m
	}
	m := Message{
		ID:         first.ID,
		Kind:       events.KindOverdue,
		Subject:    first.short().shorten("…", fitsSubject),
		Email:      listEmail(all, total, intro, true),
		SMS:        first.short().textMessage(),
		Document:   encode(d),
		Attributes: first.attributes(first.line),
		redact:     func() Message { return level(first.redacted()) },
	}
	if total > 1 {
		head := headingOf(all, total)
		if name := first.words.short().line; name != "" {
			head += " on " + name
		}
		m.Subject, m.SMS = listed(all, head)
	}
	return level(m)
}

// listOf returns callers for a document.
func listOf(all []waits) (list []waiting) {
	for _, w := range all {
		list = append(list, waiting{
			CallID: w.callID(), Caller: w.caller(), Outcome: string(w.ended()), Since: stamp(w.of.First),
			Unserved: w.of.Unserved, More: w.of.More, Attempts: w.of.Attempts, OtherNumber: w.of.OtherNumber, DoNotDisturb: w.of.DoNotDisturb,
		})
	}
	return list
}

// id identifies the reminder of one caller.
func (o Overdue) id(one Waiter) string {
	return fmt.Sprintf("%s/OVERDUE#%d", table.CallPartition(one.CallID), o.Level)
}

func (o Overdue) ids() string {
	var b strings.Builder
	for _, one := range o.Waiting {
		b.WriteString(o.id(one) + "\n")
	}
	return b.String()
}

// waits has the texts of a caller who waits.
type waits struct {
	words
	of    Waiter
	level int
	asOf  time.Time
}

func (s Style) waits(o Overdue, one Waiter) waits {
	return waits{level: o.Level, of: one, asOf: o.AsOf, words: s.words(Alert{
		ID:          o.id(one),
		Kind:        events.KindOverdue,
		Outcome:     one.Outcome,
		Key:         one.Key,
		CallID:      one.CallID,
		StartedAt:   one.First,
		Line:        o.Line,
		LineName:    o.LineName,
		Caller:      one.Caller,
		CallerText:  one.CallerText,
		Withheld:    one.Withheld,
		ContactName: one.Name,
		Company:     one.Company,
	})}
}

// short returns the parts of a subject and of a text message.
func (w waits) short() short {
	s := w.words.short()
	s.head = w.heading()
	s.when, s.colon, s.note = w.since(), ", ", w.said()
	return s
}

// heading says how urgent it is, and as of when, if that is long ago.
func (w waits) heading() string {
	heading := w.title()
	if w.level > 1 {
		heading = "Still not called back"
	}
	if !w.asOf.IsZero() {
		heading += " as of " + w.moment(w.asOf)
	}
	return heading
}

// since says from when on the caller has waited.
func (w waits) since() string {
	if w.of.First.IsZero() {
		return ""
	}
	return "since " + w.moment(w.of.First)
}

// moment returns a day and a time of day in few letters.
func (w waits) moment(at time.Time) string {
	at = w.style.local(at)
	return at.Format("2 Jan 15:04 ") + zoneName(at)
}

// said says what happened since then.
func (w waits) said() string {
	var all []string
	if w.ended() == events.Voicemailed {
		all = append(all, "voicemail")
	}
	switch n := strconv.Itoa(w.of.Unserved); {
	case w.of.More:
		all = append(all, n+"+ calls")
	case w.of.Unserved > 1:
		all = append(all, n+" calls")
	}
	if text := triedTimes(w.of.Attempts); text != "" {
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// headingOf returns the heading of several callers.
func headingOf(all []waits, total int) string {
	heading := all[0].heading()
	return fmt.Sprintf("%d callers %s", total, strings.ToLower(heading[:1])+heading[1:])
}

// listed returns a subject and a text message of several callers: as many of them as
// fit.
func listed(all []waits, head string) (subject, sms string) {
	subject = cut(head, "…", fitsSubject)

	sms = cut(plain(head), "...", fitsSMS)
	for i, w := range all {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		more := sms + separator
		if name := w.words.short().name; name != "" {
			more += plain(name) + " "
		}
		more += plain(w.number())
		if !fitsSMS(more) {
			break
		}
		sms = more
	}
	return subject, sms
}

func fitsSubject(text string) bool { return units(text) <= MaxSubject }

// unsure is why a reminder says as of when it holds.
const unsure = "Nothing has arrived from JustCall since then, so somebody may have called back."

// listEmail returns an e-mail about one caller or several, with a sentence about all. They
// called one line, or each its own.
func listEmail(all []waits, total int, intro string, oneLine bool) string {
	var b strings.Builder
	row := rows(&b)
	if total == 1 {
		b.WriteString(all[0].heading() + "\n\n")
	} else {
		b.WriteString(headingOf(all, total) + "\n\n")
	}
	if intro != "" {
		b.WriteString(intro + "\n\n")
	}
	if total > 1 && oneLine {
		row("Line", all[0].lineText())
	}
	for i, w := range all {
		if total > 1 && (i > 0 || oneLine) {
			b.WriteString("\n")
		}
		row("Caller", who(w.name, w.company))
		row("Number", w.number())
		if total == 1 || !oneLine {
			row("Line", w.lineText())
		}
		if !w.of.First.IsZero() {
			row("Since", w.style.clock(w.of.First))
		}
		if text := w.said(); text != "" {
			row("So far", sentence(text))
		}
		if w.of.OtherNumber != "" {
			row("Talked on", w.style.show(w.of.OtherNumber))
		}
		if w.of.DoNotDisturb {
			row("Contact", "Asked not to be called")
		}
		row("Call id", OneLine(w.CallID, maxID))
	}
	if more := total - len(all); more > 0 {
		fmt.Fprintf(&b, "\nAnd %d more.\n", more)
	}
	return b.String()
}
