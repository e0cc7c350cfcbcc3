package alert

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
)

// MaxSubject limits subjects, in UTF-16 code units: SNS accepts less than 100
// characters. See https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.
const MaxSubject = 99

const (
	// maxShort limits a name in a subject and in a text message, in characters.
	maxShort = 30
	// minShort is the least that is worth showing of a text that has to be cut.
	minShort = 6
	// mailWidth is where lines of an e-mail are folded, in characters. A link is not
	// folded, and no line has more than maxMailLine bytes: RFC 5322, section 2.1.1.
	mailWidth   = 76
	maxMailLine = 998
)

// Style is how alerts are written for people. The zero Style tells times in UTC and
// shows numbers as "+" and digits.
type Style struct {
	// Location is the zone of the times that people read; nil means UTC.
	Location *time.Location
	// Show returns a number, "+" and digits, as people read it; nil leaves it as it
	// is.
	Show func(number string) string
	// MailOnly leaves the other forms of an alert empty, which take longer: nobody reads them.
	MailOnly bool
}

// Message is an alert in the forms that people and programs receive.
type Message struct {
	ID   string
	Kind events.Kind
	// Call identifies the call. Alerts of one call must stay in order.
	Call string
	// Subject and Email are for people. SMS is one line, and one text message: see
	// [MaxSMS].
	Subject, Email, SMS string
	// Document is the JSON document, for programs.
	Document []byte
	// Attributes are for filter policies: kind, outcome, line, agent_id and caller, where
	// known. Of several agents, agent_id is a JSON array.
	Attributes map[string]string

	// redact renders the message without names and texts, which a caller can
	// choose, for a topic that refuses the whole message. It is nil in a redacted
	// message.
	redact func() Message
}

// Message renders an alert, whatever the event holds.
func (s Style) Message(a Alert) Message {
	w := s.words(a)
	if s.MailOnly {
		return Message{ID: a.ID, Kind: a.Kind, Call: table.CallOf(a.Key), Email: w.email()}
	}
	return Message{
		ID:         a.ID,
		Kind:       a.Kind,
		Call:       table.CallOf(a.Key),
		Subject:    w.subject(),
		Email:      w.email(),
		SMS:        w.sms(),
		Document:   encode(w.document()),
		Attributes: w.attributes(w.line),
		redact:     w.redacted,
	}
}

// attributes returns the message attributes that are known: SNS accepts no empty
// ones.
func (w words) attributes(line string) map[string]string {
	known := map[string]string{"kind": string(w.Kind)}
	for name, value := range map[string]string{"line": line, "agent_id": w.agentIDs(), "caller": w.Caller, "outcome": string(w.Unserved)} {
		if value != "" {
			known[name] = value
		}
	}
	return known
}

// redacted renders kind, times and keys only, with the numbers as attributes for
// filter policies.
func (w words) redacted() Message {
	a := w.Alert
	key := OneLine(a.Key.PK, maxID)
	return Message{
		ID:      a.ID,
		Kind:    a.Kind,
		Call:    table.CallOf(a.Key),
		Subject: w.title() + ", details in the table",
		Email: w.title() + "\n\nThe details could not be sent. They are in the events table, under\n\n" +
			key + "\n",
		SMS: cut(plain(w.title()+", details in the table under "+key), "...", fitsSMS),
		Document: encode(document{
			Version: documentVersion, ID: OneLine(a.ID, 2*maxID), Kind: a.Kind,
			OccurredAt: stamp(a.OccurredAt), ReceivedAt: stamp(a.ReceivedAt),
			Key: tableKey{PK: key, SK: OneLine(a.Key.SK, 2*maxID)}, Cut: true,
		}),
		Attributes: w.attributes(events.PhoneNumber(w.line)),
	}
}

// words holds the texts of an alert, cleaned and shortened.
type words struct {
	Alert
	style Style

	line, lineName   string
	name, company    string
	callerText       string
	extension        string
	agents           []events.Agent
	reason           string
	claimedBy        string
	servedBy         string
	servedWhy        string
	missedReason     string
	recording        string
	transcription    string
	transcriptionCut bool
}

func (s Style) words(a Alert) words {
	w := words{
		Alert:        a,
		style:        s,
		line:         OneLine(a.Line, MaxName),
		lineName:     OneLine(a.LineName, MaxName),
		name:         cmp.Or(nameOf(a.ContactName), nameOf(a.CallerName)),
		company:      OneLine(a.Company, MaxName),
		callerText:   OneLine(a.CallerText, MaxName),
		extension:    OneLine(a.Extension, maxExtension),
		reason:       OneLine(a.Reason, maxReason),
		claimedBy:    OneLine(a.ClaimedBy, MaxName),
		servedBy:     OneLine(a.Served.By, MaxName),
		servedWhy:    OneLine(a.Served.Why, maxReason),
		missedReason: OneLine(a.MissedReason, maxReason),
		recording:    Link(a.RecordingURL),
	}
	// What JustCall sent in a national form has no country code.
	w.Caller = cmp.Or(events.PhoneNumber(s.show(a.Caller)), events.PhoneNumber(a.Caller), a.Caller)
	if s.Show != nil && w.Caller != "" && !strings.HasPrefix(s.show(w.Caller), "+") {
		// A short code, or an extension of the firm's own. Behind a "+" it would be a number abroad.
		w.Caller, w.callerText = "", w.number()
	}
	w.line = cmp.Or(events.PhoneNumber(s.show(a.Line)), events.PhoneNumber(a.Line), w.line)
	if w.name == w.callerText {
		w.name = ""
	}
	for _, tried := range a.Agents[:min(len(a.Agents), maxAgents)] {
		w.agents = append(w.agents, events.Agent{ID: tried.ID, Name: OneLine(tried.Name, MaxName)})
	}
	var whole bool
	w.transcription, whole = clean(a.Transcription, maxTranscription)
	w.transcriptionCut = !whole
	return w
}

// nameOf returns a name as one line, "" if it is none.
func nameOf(name string) string { return events.PersonName(OneLine(name, MaxName)) }

// agentIDs returns the ids of the agents as an attribute.
func (w words) agentIDs() string {
	var ids []string
	for _, a := range w.Agents[:min(len(w.Agents), maxAgents)] {
		if id, ok := a.ID.Get(); ok {
			ids = append(ids, strconv.FormatInt(id, 10))
		}
	}
	if len(ids) > 1 {
		return string(encode(ids))
	}
	return strings.Join(ids, "")
}

// agentNames returns the agents as people know them.
func (w words) agentNames() string {
	var names []string
	for _, a := range w.agents {
		id, ok := a.ID.Get()
		switch {
		case a.Name != "":
			names = append(names, a.Name)
		case ok:
			names = append(names, "agent "+strconv.FormatInt(id, 10))
		}
	}
	if more := len(w.Agents) - len(w.agents); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// who returns the caller's name and company, as far as they are known.
func who(name, company string) string {
	if name != "" && company != "" {
		return name + " (" + company + ")"
	}
	return cmp.Or(name, company)
}

// number says which number to call back.
func (w words) number() string {
	switch {
	case w.Caller != "" && w.extension != "":
		return w.style.show(w.Caller) + " ext. " + w.extension
	case w.Caller != "":
		return w.style.show(w.Caller)
	case w.callerText != "":
		return w.callerText
	case w.Withheld:
		return "number withheld"
	default:
		return "number not known"
	}
}

// show returns a number as people read it, and any other text as it is.
func (s Style) show(number string) string {
	if s.Show == nil || events.PhoneNumber(number) == "" {
		return number
	}
	return cmp.Or(OneLine(s.Show(number), maxShort), number)
}

// clock returns a time of day and day, as people read them.
func (s Style) clock(at time.Time) string {
	local := s.local(at)
	return local.Format("2 January 2006, 15:04 ") + zoneName(local)
}

func (s Style) local(at time.Time) time.Time {
	if s.Location == nil {
		return at.UTC()
	}
	return at.In(s.Location)
}

// title says what a message is about.
func (a Alert) title() string {
	if said, ok := a.end(); ok {
		return said.title
	}
	switch a.Kind {
	case events.KindVoicemail:
		return "Voicemail"
	case events.KindOverdue:
		return "Not called back"
	case events.KindDigest:
		return "Found too late for an alert"
	default:
		return "Missed call"
	}
}

// end is why an alert is taken back, in words: a title, a sentence, and what a text
// message adds to the title.
type end struct{ title, sentence, note string }

const noNeed = "No need to call back."

func endOf(why reason) end {
	switch why {
	case answered:
		return end{"Answered after all", "Somebody answered this call. There is no need to call back.", noNeed}
	case outgoing:
		return end{"Not an incoming call", "This call went out. There is no need to call back.", noNeed}
	case old:
		return end{"Call of an earlier day", "This call began too long ago for an alert.", ""}
	case sameRing:
		return end{"Same call as another alert", "Another alert tells of this call: see that one.", "See that one."}
	case paused:
		return end{"Told before", "Another alert tells of this caller: see that one.", "See that one."}
	case blocked:
		return end{"Blocked", "The contact was blocked.", noNeed}
	case ours:
		return end{"One of your own numbers", "This is one of your own numbers.", noNeed}
	case reason(followup.Returned):
		return end{"Called back", "The caller was called back.", noNeed}
	case reason(followup.Queue):
		return end{"Called back", "JustCall called back, and the caller answered.", noNeed}
	case reason(followup.Rescued):
		return end{"Called again, and was answered", "The caller called again, and somebody answered.", noNeed}
	case reason(followup.ByHand):
		return end{"Done", "Somebody said that there is no need to call back.", noNeed}
	case reason(followup.Earlier):
		return end{"Talked since", "You have talked with the caller since.", noNeed}
	default:
		return end{"Alert withdrawn", "This alert does not stand any more.", ""}
	}
}

// end reports whether an alert takes another one back, and what it says then.
func (a Alert) end() (said end, ok bool) {
	switch a.Kind {
	case events.KindReturned:
		return endOf(reason(a.Reason)), true
	case events.KindCorrection:
		return endOf(answered), true
	default:
		return end{}, false
	}
}

// heading returns the title. For a repeated missed call it adds the count.
func (w words) heading() string {
	text := w.title()
	if w.isFoundLate() {
		text += " found late"
	}
	switch {
	case w.Kind != events.KindMissedCall:
	case w.Count > 1:
		text += ", " + w.nth() + " since " + w.sinceWhen()
	case w.MissedTimes > 1:
		text += fmt.Sprintf(", %s in 24 h", ordinal(w.MissedTimes))
	}
	return text
}

// isFoundLate reports whether a message tells of a call that people would have been told
// of earlier, had its webhook come.
func (w words) isFoundLate() bool { return w.FoundLate && w.Kind.Alerts() }

// nth says which of the caller's calls it is since somebody served them.
func (w words) nth() string {
	if w.More {
		return strconv.Itoa(w.Count) + "+"
	}
	return ordinal(w.Count)
}

// sinceWhen tells since when the caller waits: the time of day, and the day too if that
// is not the day of the call.
func (w words) sinceWhen() string {
	since, at := w.style.local(w.Since), w.style.local(w.OccurredAt)
	if since.Format(time.DateOnly) == at.Format(time.DateOnly) {
		return since.Format("15:04")
	}
	return since.Format("2 Jan 15:04")
}

// soFar says what happened since the caller's first call; "" for nothing.
func (w words) soFar() string {
	tried := triedTimes(w.Attempts)
	switch {
	case w.Count > 1:
		calls := w.nth() + " call"
		if w.More {
			calls += "s"
		}
		text := calls + " since " + w.style.clock(w.Since) + ", " + cmp.Or(tried, "nobody has called back")
		if w.Silenced == 1 {
			text += "; the one before made no alert"
		} else if w.Silenced > 1 {
			text += fmt.Sprintf("; %d before it made no alert", w.Silenced)
		}
		return text
	case tried != "":
		return tried
	}
	return ""
}

// triedTimes says how often somebody tried to call back; "" for never.
func triedTimes(n int) string {
	switch {
	case n == 1:
		return "tried once"
	case n > 1:
		return "tried " + strconv.Itoa(n) + " times"
	}
	return ""
}

// claimed says who takes care of the caller; "" if nobody is known to.
func (w words) claimed() string {
	if w.claimedBy == "" {
		return ""
	}
	return w.claimedBy + ", until " + w.style.local(w.ClaimedUntil).Format("15:04")
}

func ordinal(n int) string {
	ending := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		ending = "st"
	case n%10 == 2:
		ending = "nd"
	case n%10 == 3:
		ending = "rd"
	}
	return strconv.Itoa(n) + ending
}

const noAnswer, leftVoicemail = "no answer", "left a voicemail"

// outcome says how the call ended, in words.
func (w words) outcome() string {
	waited, _ := w.RingDuration.Get()
	length, _ := w.Duration.Get()
	switch w.ended() {
	case events.Abandoned:
		if w.Queued {
			return after("gave up in the queue", waited)
		}
		return after("gave up", waited)
	case events.Voicemailed:
		if text := lasted(length); text != "" {
			return leftVoicemail + " of " + text
		}
		return leftVoicemail
	case events.Answered:
		return "answered"
	default:
		return after(noAnswer, waited)
	}
}

// ended returns the outcome, or the one that the kind implies.
func (w words) ended() events.Outcome {
	switch {
	case w.Outcome != "":
		return w.Outcome
	case w.Kind == events.KindVoicemail:
		return events.Voicemailed
	case w.Kind == events.KindMissedCall:
		return events.Missed
	default:
		return events.Answered
	}
}

func after(what string, seconds int64) string {
	if text := lasted(seconds); text != "" {
		return what + " after " + text
	}
	return what
}

// short holds the parts of a subject or of a text message.
type short struct {
	head, number              string
	name, company, line, when string
	note                      string
	comma, colon              string // before the number, and before the note
}

func (s short) String() string {
	text := s.head + ": "
	if caller := who(s.name, s.company); caller != "" {
		text += caller + s.comma
	}
	text += s.number
	if s.line != "" {
		text += " on " + s.line
	}
	if s.when != "" {
		text += ", " + s.when
	}
	if s.note != "" {
		text += s.colon + s.note
	}
	return text
}

// shorten cuts or leaves out what does not fit: the note first, and the name last.
// The number to call back is never lost.
func (s short) shorten(dots string, fits func(string) bool) string {
	kept := short{head: s.head, comma: s.comma, colon: s.colon}
	for _, part := range []struct {
		to    *string
		whole string
		cut   bool
	}{
		// guard 2 alert (AnAlertAlwaysSays): {&kept.number, "", true},
		{&kept.number, s.number, true},
		{&kept.name, s.name, true},
		{&kept.line, s.line, true},
		{&kept.when, s.when, false},
		{&kept.company, s.company, false},
		{&kept.note, s.note, s.colon == quoted},
	} {
		with := func(text string) bool {
			*part.to = text
			return fits(kept.String())
		}
		if with(part.whole) {
			continue
		}
		shorter := ""
		if part.cut {
			shorter = cut(part.whole, dots, with)
		}
		if part.to != &kept.number && utf8.RuneCountInString(shorter) < minShort {
			shorter = ""
		}
		*part.to = shorter
	}
	return kept.String()
}

// short returns the parts of a subject. For a text message there are more.
func (w words) short() short {
	return short{
		head:    w.heading(),
		number:  w.number(),
		name:    OneLine(w.name, maxShort),
		company: OneLine(w.company, maxShort),
		line:    OneLine(cmp.Or(w.lineName, w.style.show(w.line)), maxShort),
		comma:   ", ",
	}
}

func (w words) subject() string {
	return w.short().shorten("…", fitsSubject)
}

// quoted goes before what a caller said.
const quoted = ": "

func (w words) sms() string {
	s := w.short()
	s.when = w.when()
	said, back := w.end()
	switch {
	case back:
		s.colon, s.note = ". ", said.note
	case w.transcription != "":
		s.colon, s.note = quoted, w.transcription
	case w.Kind == events.KindMissedCall:
		var notes []string
		if w.outcome() != noAnswer {
			notes = append(notes, w.outcome())
		}
		if w.claimedBy != "" {
			notes = append(notes, "claimed by "+OneLine(w.claimedBy, maxShort))
		}
		s.colon, s.note = ", ", strings.Join(notes, ", ")
	}
	return s.textMessage()
}

// textMessage returns the parts as one text message.
func (s short) textMessage() string {
	s.comma = " "
	for _, part := range s.texts() {
		*part = plain(*part)
	}
	s.number = plain(s.number)
	if !fitsSMS(s.String()) {
		worded := s
		for _, part := range worded.texts() {
			*part = withoutSymbols(*part)
		}
		if _, ok := septets(worded.String()); ok {
			s = worded
		}
	}
	return s.shorten("...", fitsSMS)
}

// texts returns the parts that people wrote.
func (s *short) texts() []*string { return []*string{&s.name, &s.company, &s.line, &s.note} }

// when tells the time, and the day too if that is not the day on which people are told.
func (w words) when() string {
	if w.OccurredAt.IsZero() {
		return ""
	}
	at, told := w.style.local(w.OccurredAt), w.style.local(w.SentAt)
	format := "15:04 "
	if !w.SentAt.IsZero() && at.Format(time.DateOnly) != told.Format(time.DateOnly) {
		format = "2 Jan 15:04 "
	}
	return at.Format(format) + zoneName(at)
}

func (w words) email() string {
	var b strings.Builder
	row := rows(&b)
	b.WriteString(w.title() + "\n\n")
	said, back := w.end()
	switch {
	case back:
		b.WriteString(said.sentence + "\n\n")
	case w.isFoundLate():
		b.WriteString("Found late: JustCall's webhook did not tell of this call.\n\n")
	}
	row("Caller", who(w.name, w.company))
	row("Number", w.number())
	row("Line", w.lineText())
	if !w.OccurredAt.IsZero() {
		row("Time", w.style.clock(w.OccurredAt))
	}
	if w.isFoundLate() && !w.ReceivedAt.IsZero() {
		row("Found", w.style.clock(w.ReceivedAt))
	}
	told := w.OccurredAt
	if !w.MissedAt.IsZero() {
		told = w.MissedAt // the row "Call" has it
	}
	if !w.StartedAt.IsZero() && w.style.clock(w.StartedAt) != w.style.clock(told) {
		row("Began", w.style.clock(w.StartedAt))
	}
	if outcome := w.outcome(); outcome != noAnswer && outcome != leftVoicemail { // the title says that
		row("Outcome", sentence(outcome))
	}
	if back {
		row("Said", w.servedWhy)
	} else { // else the title says it
		row("Reason", w.missedReason)
	}
	row("By", w.servedBy)
	row("Tried", w.agentNames())
	if w.MissedTimes > 1 && w.Kind == events.KindMissedCall {
		row("Missed", fmt.Sprintf("%d times in the last 24 hours", w.MissedTimes))
	}
	if text := w.soFar(); text != "" {
		row("So far", sentence(text))
	}
	row("Claimed", w.claimed())
	if w.Kind == events.KindVoicemail {
		w.writeVoicemail(&b, row)
	}
	b.WriteString("\n")
	row("Call id", OneLine(w.CallID, maxID))
	row("Kept as", OneLine(w.Key.PK, maxID))
	return b.String()
}

// rowIndent is where the values of an e-mail's rows begin.
const rowIndent = 10

// rows returns what writes the rows of an e-mail; those without a value are left out.
func rows(b *strings.Builder) func(name, value string) {
	return func(name, value string) {
		for i, text := range fold(value, mailWidth-rowIndent) {
			if i > 0 {
				name = ""
			}
			if text != "" {
				fmt.Fprintf(b, "%-*s%s\n", rowIndent, name, text)
			}
		}
	}
}

func (w words) writeVoicemail(b *strings.Builder, row func(name, value string)) {
	switch {
	case len(w.recording) <= maxMailLine-rowIndent:
		row("Listen", w.recording)
	case w.callID() != "":
		row("Listen", "the link is too long for an e-mail: ringback call "+OneLine(w.CallID, maxID))
	default:
		row("Listen", "the link is too long for an e-mail: it is in the table")
	}
	if !w.MissedAt.IsZero() {
		row("Call", "missed "+w.style.clock(w.MissedAt))
	}
	if w.transcription != "" {
		// Indented, so that no line of what a caller said looks like a row.
		b.WriteString("\n" + strings.Join(fold(`"`+w.transcription+`"`, mailWidth-1), "\n ") + "\n")
	}
}

// sentence begins a text with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func (w words) lineText() string {
	number := w.style.show(w.line)
	if w.lineName != "" && number != "" {
		return w.lineName + " (" + number + ")"
	}
	return cmp.Or(w.lineName, number)
}
