package inbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/table"
)

// words says what was found, as people say it.
type words struct {
	zone *time.Location
	now  func() time.Time
}

func (w words) functions() template.FuncMap {
	return template.FuncMap{
		"alertText": alertText,
		"ago":       func(at time.Time) string { return span(w.now().Sub(at)) },
		"became":    w.became,
		"buttons":   buttonsOf,
		"calls":     calls,
		"clock":     w.clock,
		"day":       func(at time.Time) string { return at.In(w.zone).Format("Monday, 2 January 2006") },
		"done":      doneReasons,
		"exact":     func(at time.Time) string { return at.In(w.zone).Format("2 January 2006, 15:04:05 MST") },
		"happened":  happened,
		"hasPage":   hasPage,
		"iso":       func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"lasted":    lasted,
		"link":      link,
		"links":     links,
		"menu":      menu,
		"outcome":   outcome,
		"paging":    paging,
		"rowID":     rowID,
		"sentence":  sentence,
		"sign":      sign,
		"story":     w.story,
		"size":      size,
		"snoozes":   func() []choice { return snoozes },
		"tel":       tel,
		"time":      func(at time.Time) string { return at.In(w.zone).Format("15:04") },
		"title":     title,
		"url":       address,
		"what":      what,
		"who":       who,
	}
}

// zoneName says in which zone times are told.
func (w words) zoneName() string {
	name, short := w.zone.String(), w.now().In(w.zone).Format("MST")
	if name == "Local" || name == "" || name == short {
		return short
	}
	return name + " (" + short + ")"
}

// clock tells a time as briefly as it is clear: the day only if it is another one.
func (w words) clock(at time.Time) string {
	at, now := at.In(w.zone), w.now().In(w.zone)
	switch days := now.Sub(at).Hours() / 24; {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
		return at.Format("15:04")
	case days < 6 && days > -6:
		return at.Format("Mon 15:04")
	case at.Year() == now.Year():
		return at.Format("2 Jan 15:04")
	default:
		return at.Format("2 Jan 2006 15:04")
	}
}

// span says how long something has lasted.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	d = max(d, 0)
	switch hours, minutes := int(d/time.Hour), int(d/time.Minute)%60; {
	case d < time.Minute:
		return "under 1 min"
	case d < time.Hour:
		return fmt.Sprintf("%d min", minutes)
	case d < day:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case d < 10*day:
		return fmt.Sprintf("%d d %d h", hours/24, hours%24)
	default:
		return fmt.Sprintf("%d days", hours/24)
	}
}

// lasted says how long a call or recording is.
func lasted(seconds int64) string {
	if seconds < 60 {
		return strconv.FormatInt(seconds, 10) + " s"
	}
	return fmt.Sprintf("%d:%02d min", seconds/60, seconds%60)
}

func size(bytes int) string {
	if bytes < 10_000 {
		return strconv.Itoa(bytes) + " bytes"
	}
	return strconv.Itoa(bytes/1000) + " kB"
}

// who returns what to call a party.
func who(p lookup.Party) string {
	switch {
	case p.Name != "":
		return p.Name
	case p.Company != "":
		return p.Company
	case p.Shown != "":
		return p.Shown
	case p.Text != "":
		return p.Text
	case p.Withheld || followup.IsCallSubject(p.Key):
		return "Number withheld"
	default:
		return "Nobody knows who"
	}
}

// tel returns the link that dials a number, "" if it is none.
func tel(number string) template.URL {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return template.URL("tel:" + number) //nolint:gosec // G203: "+" and digits
}

// outcome says how an incoming call ended.
func outcome(o events.Outcome) string {
	switch o {
	case events.Missed:
		return "missed"
	case events.Abandoned:
		return "gave up"
	case events.Voicemailed:
		return "voicemail"
	case events.Answered:
		return "answered"
	default:
		return "ended, nobody knows how"
	}
}

func calls(n int, more bool) string {
	switch {
	case more:
		return strconv.Itoa(n) + "+ calls"
	case n == 1:
		return "1 call"
	default:
		return strconv.Itoa(n) + " calls"
	}
}

// story says in a sentence how often a caller who waits has called.
func (w words) story(c lookup.Waiter) string {
	text := calls(c.Unserved, c.More)
	if label := c.Line.Label(); label != "" {
		text += " to " + label
	}
	switch c.Outcome {
	case events.Voicemailed:
		text += ", with a voicemail"
	case events.Abandoned:
		text += "; gave up before anybody could answer"
	default:
	}
	if !c.Latest.Equal(c.Since) {
		text += "; last at " + w.clock(c.Latest)
	}
	text += "."
	switch {
	case c.Attempts == 1:
		text += " Somebody tried once to reach them."
	case c.Attempts > 1:
		text += fmt.Sprintf(" Somebody tried %d times to reach them.", c.Attempts)
	}
	return text
}

// sign is a word for the sign beside an unserved call.
func sign(o events.Outcome) string {
	switch o {
	case events.Voicemailed:
		return "voicemail"
	case events.Answered:
		return "answered"
	case events.Missed, events.Abandoned:
		return "missed"
	default:
		return "other"
	}
}

// what is a word for the sign beside an entry.
func what(e lookup.Entry) string {
	switch {
	case e.Kind == lookup.KindAct:
		return "act"
	case e.Kind == events.KindMessage:
		return "text"
	case e.Kind == events.KindContact:
		return "contact"
	case !isCall(e.Kind):
		return "other"
	case e.Direction == events.Outbound:
		return "out"
	default:
		return sign(e.Outcome)
	}
}

func isCall(kind events.Kind) bool { return kind.IsCall() }

// title says what happened.
func title(e lookup.Entry) string {
	out := e.Direction == events.Outbound
	switch {
	case e.Kind == lookup.KindAct:
		return actTitle(e)
	case e.Kind == events.KindMessage && out:
		return "We wrote"
	case e.Kind == events.KindMessage:
		return "They wrote"
	case e.Kind == events.KindContact && strings.HasSuffix(e.Type, ".created"):
		return "Contact created"
	case e.Kind == events.KindContact && strings.HasSuffix(e.Type, ".deleted"):
		return "Contact deleted"
	case e.Kind == events.KindContact:
		return "Contact changed"
	case !isCall(e.Kind):
		return cmp.Or(e.Type, "Something of an unknown type")
	case out && e.Outcome == events.Answered:
		return "We called, and they answered"
	case out:
		return "We called"
	}
	switch e.Outcome {
	case events.Answered:
		return "They called, and we answered"
	case events.Voicemailed:
		return "They left a voicemail"
	case events.Missed:
		return "They called, and nobody answered"
	case events.Abandoned:
		return "They called, and gave up"
	case events.OutcomeUnknown:
		return "They called; nobody knows how it ended"
	default:
		return "They called"
	}
}

func actTitle(e lookup.Entry) string {
	by := cmp.Or(e.By, "Somebody")
	switch followup.ActKind(e.Act) {
	case followup.ActClaim:
		return by + " took care of them"
	case followup.ActUnclaim:
		return by + " no longer takes care of them"
	case followup.ActDone:
		return by + " said it is done"
	case followup.ActSnooze:
		return by + " put reminders off"
	default:
		return by + " did something"
	}
}

// happened says what else is known of an entry, in a few words.
func happened(e lookup.Entry) (all []string) {
	add := func(text string) {
		if text != "" {
			all = append(all, text)
		}
	}
	if label := e.Line.Label(); label != "" {
		word := "to "
		if e.Direction == events.Outbound {
			word = "from "
		}
		add(word + label)
	}
	if e.Agent != "" {
		add("with " + e.Agent)
	}
	if e.Seconds > 0 {
		add(lasted(e.Seconds))
	}
	add(e.Reason)
	return all
}

// became says how things stand with a caller, or what became of a call. Tone is "open" if
// somebody has to do something, "taken" if somebody does, "closed", or "quiet".
func (w words) became(f lookup.FollowUp) (said struct{ Tone, Text, More string }) {
	by := func(before, after string) string {
		if f.EndedBy == "" {
			return before + after
		}
		return before + " by " + f.EndedBy + after
	}
	said.Tone, said.More = "closed", f.Why
	at := ""
	if !f.EndedAt.IsZero() {
		at = " at " + w.clock(f.EndedAt)
	}
	switch f.State {
	case lookup.Waits, lookup.Unreached:
		said.Tone, said.Text = "open", "Waits for a call back"
		if f.State == lookup.Unreached {
			said.Text = "Not reached, after several attempts"
		}
		switch {
		case f.ClaimedBy != "":
			said.Tone, said.Text = "taken", f.ClaimedBy+" takes care until "+w.clock(f.ClaimedUntil)
		case !f.SnoozedUntil.IsZero():
			said.Tone, said.Text = "taken", "No reminders until "+w.clock(f.SnoozedUntil)
		}
	case lookup.Returned:
		said.Text = by("Called back", at)
	case lookup.Rescued:
		said.Text = "Called again, and was answered"
		if f.EndedBy != "" {
			said.Text += " by " + f.EndedBy
		}
		said.Text += at
	case lookup.Queue:
		said.Text = "Called back from the queue" + at
	case lookup.Texted:
		said.Text = by("Answered by text", at)
	case lookup.Done:
		said.Text = by("Marked as done", at)
	case lookup.Blocked:
		said.Text = "The contact is blocked"
	case lookup.History:
		said.Tone, said.Text = "quiet", "From before ringback began"
	case lookup.Contact:
		said.Text = "In contact since"
	case lookup.Answered:
		said.Text = by("Answered after all", "")
	case lookup.Outgoing:
		said.Tone, said.Text = "quiet", "It was our own call"
	case lookup.Nobody:
		said.Tone, said.Text = "quiet", "Nobody to call back"
	case lookup.NeverWaited:
		said.Tone, said.Text = "quiet", "Every call was served"
	default:
		said.Tone, said.Text = "quiet", ""
	}
	return said
}

// rowID returns an id for the parts of a row. It tells nothing of what the key is.
func rowID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "r" + hex.EncodeToString(sum[:6])
}

// address returns a path with a query of names and values.
func address(path string, pairs ...string) string {
	query := make(url.Values)
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			query.Set(pair[0], pair[1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// paging returns a list's address with where to go on.
func paging(list string, next lookup.Cursor) string {
	mark := "?"
	if strings.Contains(list, "?") {
		mark = "&"
	}
	return list + mark + url.Values{"after": {string(next)}}.Encode()
}

// entryOf is an entry of the menu.
type entryOf struct {
	Path, Text string
	Here       bool
}

func menu(section, name, path, text string) entryOf { return entryOf{path, text, section == name} }

// buttons are those about a caller who waits.
type buttons struct {
	Can             bool
	Key, Whom, Back string
	Claimed         bool
}

func buttonsOf(f frame, p lookup.Party, state lookup.FollowUp) buttons {
	return buttons{Can: f.ReadOnly == "", Key: p.Key, Whom: who(p), Back: f.Path, Claimed: state.ClaimedBy != ""}
}

// hasPage reports whether a party has a page of its own.
func hasPage(p lookup.Party) bool { return p.Number != "" || followup.IsCallSubject(p.Key) }

// link returns the page about an entry, "" if there is none.
func link(e lookup.Entry) string {
	switch {
	case e.Kind == lookup.KindAct:
		return ""
	case e.ID == "":
		return address("/event", "pk", e.Key.PK, "sk", e.Key.SK)
	case e.Kind == events.KindMessage:
		return address("/text", "id", e.ID)
	case e.Kind == events.KindContact:
		return address("/contact", "id", e.ID)
	case isCall(e.Kind):
		return address("/call", "id", e.ID)
	default:
		return address("/event", "pk", e.Key.PK, "sk", e.Key.SK)
	}
}

// links returns the page about what an event belongs to.
func links(key table.Key) []choice {
	for _, of := range []struct{ prefix, path, text string }{
		{table.CallPartition(""), "/call", "The whole call"},
		{table.MessagePartition(""), "/text", "The whole text"},
		{table.ContactPartition(""), "/contact", "The contact"},
	} {
		if id, ok := strings.CutPrefix(key.PK, of.prefix); ok {
			return []choice{{address(of.path, "id", id), of.text}}
		}
	}
	return nil
}

// alertText says what was done about an alert.
func alertText(a lookup.Alert) string {
	kind := "Alert"
	switch a.Kind {
	case events.KindMissedCall:
		kind = "Alert of a missed call"
	case events.KindVoicemail:
		kind = "Alert of a voicemail"
	default:
	}
	switch a.Did {
	case "sent":
		kind += " sent"
	case "returned":
		kind += " taken back"
	case "not_sent":
		kind += " not sent"
		if a.OtherCall != "" {
			kind += ": another call speaks for this one"
		}
	default:
		kind += " under way"
	}
	if a.Reason != "" {
		kind += ": " + a.Reason
	}
	return kind
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
