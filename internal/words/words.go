// Package words says what was found as people say it, the same in commands and on the page.
package words

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/rerun"
)

// Words says it for people in a zone.
type Words struct {
	Zone *time.Location
	Now  func() time.Time
}

// ZoneName says in which zone times are told.
func (w Words) ZoneName() string {
	name, short := w.Zone.String(), w.Now().In(w.Zone).Format("MST")
	if name == "Local" || name == "" || name == short {
		return short
	}
	return name + " (" + short + ")"
}

// Clock tells a time as briefly as it is clear: the day only if it is another one.
func (w Words) Clock(at time.Time) string {
	at, now := at.In(w.Zone), w.Now().In(w.Zone)
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

// Span says how long something has lasted.
func Span(d time.Duration) string {
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

// Lasted says how long a call or recording is.
func Lasted(seconds int64) string {
	if seconds < 60 {
		return strconv.FormatInt(seconds, 10) + " s"
	}
	return fmt.Sprintf("%d:%02d min", seconds/60, seconds%60)
}

// Size says how long a body is.
func Size(bytes int) string {
	if bytes < 10_000 {
		return strconv.Itoa(bytes) + " bytes"
	}
	return strconv.Itoa(bytes/1000) + " kB"
}

// Who returns what to call a party.
func Who(p lookup.Party) string {
	switch {
	case p.Name != "":
		return p.Name
	case p.Company != "":
		return p.Company
	case p.Shown != "":
		return p.Shown
	case p.Text != "":
		return p.Text
	case p.Withheld:
		return "Number withheld"
	case followup.IsCallSubject(p.Key):
		return "Number not known"
	default:
		return "Nobody knows who"
	}
}

// Outcome says how an incoming call ended.
func Outcome(o events.Outcome) string {
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
		return "outcome unknown"
	}
}

// Calls says how many calls there are, or that there are more than so many.
func Calls(n int, more bool) string {
	switch {
	case more:
		return strconv.Itoa(n) + "+ calls"
	case n == 1:
		return "1 call"
	default:
		return strconv.Itoa(n) + " calls"
	}
}

// Story says in a sentence how often a caller who waits has called.
func (w Words) Story(c lookup.Waiter) string {
	text := Calls(c.Unserved, c.More)
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
		text += "; last at " + w.Clock(c.Latest)
	}
	text += "."
	if c.Attempts > 0 {
		text += " Somebody " + tried(c.Attempts) + " to reach them."
	}
	return text
}

func tried(times int) string {
	if times == 1 {
		return "tried once"
	}
	return fmt.Sprintf("tried %d times", times)
}

// Note says in a few words who takes care of a caller who waits, and what the caller said.
func (w Words) Note(f lookup.FollowUp, v lookup.Voicemail) string {
	var parts []string
	if now := w.Became(f); now.Tone == "taken" || f.State == lookup.Unreached {
		parts = append(parts, now.Text)
	}
	if f.Attempts > 0 {
		parts = append(parts, tried(f.Attempts))
	}
	if f.OtherNumber != "" {
		parts = append(parts, "talked on "+f.OtherNumber)
	}
	switch {
	case v.Words != "":
		parts = append(parts, `"`+v.Words+`"`)
	case f.Outcome == events.Voicemailed, f.Outcome == events.Abandoned:
		parts = append(parts, Outcome(f.Outcome))
	default:
	}
	return strings.Join(parts, "; ")
}

// Counts says how many calls ended how.
func Counts(c lookup.Counts) string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{c.Answered, Outcome(events.Answered), Outcome(events.Answered)},
		{c.Missed, Outcome(events.Missed), Outcome(events.Missed)},
		{c.Abandoned, Outcome(events.Abandoned), Outcome(events.Abandoned)},
		{c.Voicemail, "voicemail", "voicemails"},
		{c.Unknown, Outcome(events.OutcomeUnknown), Outcome(events.OutcomeUnknown)},
	} {
		switch part.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.many))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "no call")
}

// Did says what a hand act changes, for a caller whose follow-up was so before.
func (w Words) Did(act followup.Act, whom string, before ledger.Outcome) string {
	for _, name := range []*string{&act.By, &before.By, &before.ClaimedBy} {
		*name = alert.OneLine(*name, maxName)
	}
	if !before.Waits {
		text := whom + " does not wait"
		switch {
		case before.By != "" && before.Reason == followup.ByHand:
			text += ": " + before.By + " said at " + w.Clock(before.At) + " that it is done"
		case before.By != "":
			text += ": " + before.By + " talked with them until " + w.Clock(before.At)
		case !before.At.IsZero():
			text += " since " + w.Clock(before.At)
		}
		if act.Kind == followup.ActDone { // it does change something: who said so last, and why
			return text + ". Nobody needs to call back."
		}
		return text + ". This changes nothing."
	}
	text := whom + " has waited since " + w.Clock(before.Since) + ". "
	switch act.Kind {
	case followup.ActClaim:
		text += act.By + " takes care until " + w.Clock(act.Until) + "."
		if before.ClaimedBy != "" && before.ClaimedBy != act.By {
			text += " Until now it was " + before.ClaimedBy + "."
		}
	case followup.ActUnclaim:
		text += "Nobody takes care now."
	case followup.ActDone:
		text += "It is done. They wait again if they call and nobody answers."
	case followup.ActSnooze:
		text += "Nobody is reminded until " + w.Clock(act.Until) + ", unless they call again."
	}
	return text
}

// Figures says what became of the waits of a day, and how long those took that a conversation
// ended, in business hours.
func Figures(of lookup.Figures) string {
	var parts []string
	for _, part := range []struct {
		n    int
		text string
	}{
		{of.Returned, "called back"},
		{of.Rescued, "rang again"},
		{of.Otherwise, "ended otherwise"},
		{of.Waiting - of.Unreached, "still waiting"},
		{of.Unreached, "not reached"},
		{of.Expired, "expired"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	if of.Opened == 0 {
		return "Nobody has begun to wait today."
	}
	text := fmt.Sprintf("%d began to wait today: %s.", of.Opened, strings.Join(parts, ", "))
	if of.Talked == 0 {
		return text
	}
	span := func(seconds int64) string { return Span(time.Duration(seconds) * time.Second) }
	return text + fmt.Sprintf(" Half talked within %s, 95%% within %s; of %d, %d within 15 min, %d within 1 h, %d the same day.",
		span(of.BusinessP50), span(of.BusinessP95), of.Talked, of.Within15Min, of.Within1Hour, of.SameDay)
}

// Title says what happened.
func Title(e lookup.Entry) string {
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
	case !e.Kind.IsCall():
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

// Happened says what else is known of an entry, in a few words.
func Happened(e lookup.Entry) (all []string) {
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
		add(Lasted(e.Seconds))
	}
	add(e.Reason)
	return all
}

// maxName is how long a name is, in characters.
const maxName = 60

// Standing says how things stand. Tone is "open" if somebody has to do something, "taken" if
// somebody does, "closed", or "quiet". More is what somebody said about it.
type Standing struct{ Tone, Text, More string }

// Became says how things stand with a caller, or what became of a call.
func (w Words) Became(f lookup.FollowUp) (said Standing) {
	said.Tone, said.More = "closed", f.Why
	at, by := "", ""
	if !f.EndedAt.IsZero() {
		at = " at " + w.Clock(f.EndedAt)
	}
	if f.EndedBy != "" {
		by = " by " + f.EndedBy
	}
	switch f.State {
	case lookup.Waits, lookup.Unreached:
		said.Tone, said.Text = "open", "Waits for a call back"
		if f.State == lookup.Unreached {
			said.Text = "Not reached, after several attempts"
		}
		switch {
		case f.ClaimedBy != "":
			said.Tone, said.Text = "taken", f.ClaimedBy+" takes care until "+w.Clock(f.ClaimedUntil)
		case !f.SnoozedUntil.IsZero():
			said.Tone, said.Text = "taken", "No reminders until "+w.Clock(f.SnoozedUntil)
		}
	case lookup.Returned:
		said.Text = "Called back" + at + by
	case lookup.Rescued:
		said.Text = "Called again" + at + ", answered" + by
	case lookup.Queue:
		said.Text = "Called back from the queue" + at
	case lookup.Done:
		said.Text = "Marked as done" + at + by
	case lookup.Blocked:
		said.Text = "The contact is blocked"
	case lookup.Own:
		said.Tone, said.Text = "quiet", "One of your own numbers"
	case lookup.History:
		said.Tone, said.Text = "quiet", "From before ringback began"
	case lookup.Contact:
		said.Text = "In contact since"
	case lookup.Answered:
		said.Text = "Answered" + at + by
	case lookup.Outgoing:
		said.Tone, said.Text = "quiet", "It was our own call"
	case lookup.Nobody:
		said.Tone, said.Text = "quiet", "Nobody to call back"
	case lookup.NeverWaited:
		said.Tone, said.Text = "quiet", "Every call was served"
	case lookup.NotKnown:
		said.Tone, said.Text = "quiet", "Not known yet"
	}
	return said
}

// Alert says what was done about an alert.
func Alert(a lookup.Alert) string {
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

// Sentence begins a text with a capital letter.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Released says what becomes of an event of a refused delivery if it is taken in.
func Released(r rerun.Released) string {
	typ := alert.Visible(string(r.Type))
	switch {
	case r.Err != nil:
		return "no event: " + r.Err.Error()
	case r.New:
		return typ + ": stored"
	case r.Stored:
		return typ + ": is in the table already"
	case r.Alerts():
		return typ + ": would be stored, and alert people if it is not long ago"
	default:
		return typ + ": would be stored"
	}
}
