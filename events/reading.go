package events

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// family is a group of types whose events have the same shape.
type family struct {
	kind Kind
	// shape returns the documented members.
	shape func() shape
	// ids are the members that can identify what the event belongs to, best first.
	ids []identifier
	// respelled returns the members of shape by [bareName]; see [spellingsOf].
	respelled func() map[string]member
	// open is set if no document lists the members, so none counts as new.
	open bool
	// event makes the event for [Details].
	event func(*reading) Event
}

type identifier struct {
	slot   slot
	entity Entity
}

// The families. A new one takes a variable here and rows in the registry.
var (
	calls = family{
		kind:  KindCall,
		shape: callShape, respelled: spellingsOf(callShape),
		ids:   []identifier{{slotParentID, EntityCall}, {slotCallSID, EntityCall}, {slotCallID, EntityCall}, {slotID, EntityCall}},
		event: newCall,
	}
	messages = family{
		kind:  KindMessage,
		shape: messageShape, respelled: spellingsOf(messageShape),
		ids:   []identifier{{slotMessageID, EntityMessage}, {slotID, EntityMessage}},
		event: newMessage,
	}
	contacts = family{
		kind:  KindContact,
		shape: contactShape, respelled: spellingsOf(contactShape),
		ids:   []identifier{{slotContactID, EntityContact}, {slotID, EntityContact}},
		event: newContact,
	}
	// An appointment belongs to a call, message or contact, if its data names one.
	appointments = family{kind: KindUnknown, shape: appointmentShape, respelled: spellingsOf(appointmentShape), ids: unknowns.ids, event: newUnknown}
	// A plain `id` does not count: it may be a call's or anything else's.
	unknowns = family{
		kind:  KindUnknown,
		shape: unknownShape, respelled: spellingsOf(unknownShape),
		ids: []identifier{
			{slotCallSID, EntityCall},
			{slotCallID, EntityCall},
			{slotMessageID, EntityMessage},
			{slotContactID, EntityContact},
		},
		open:  true,
		event: newUnknown,
	}
)

// reading is the data of one event, read by the shape of its family.
// [Envelope.Decode] and [Envelope.Details] each take from it what they need.
type reading struct {
	*family

	kind      Kind
	direction Direction
	outcome   Outcome
	removes   bool
	said      values
	// fields are the documented members as received, nulls included.
	fields []Field
	// undocumented names members that no document mentions. mismatched names members
	// of another type than documented, sorted.
	undocumented, mismatched []string
}

// read reads the data by the shape of the event's type.
func (e *Envelope) read() *reading {
	known, registered := e.Type.row()
	r := e.readAs(known)
	// guard 3: if !registered && false {
	if !registered && known.family == &unknowns && r.tellsOfCall(known) {
		// Whatever the type's name, it is a call that was answered, or not.
		known.family, known.direction = &calls, cmp.Or(known.direction, directionAlone([]byte(e.Type)))
		if !r.underWay(e.Type) {
			known.outcome = OutcomeUnknown
		}
		return e.readAs(known)
	}
	return r
}

func (e *Envelope) readAs(known row) *reading {
	r := &reading{family: known.family, removes: known.removes}
	if e.Data.Kind() == '{' {
		// No documented payload has more members, and few have shorter ones.
		const most, shortest = 25, 20
		r.fields = make([]Field, 0, min(most, len(e.Data)/shortest))
		documented := r.shape()
		var respelled []respelling
		eachRawMember(e.Data, func(start, end int, value jsontext.Value) {
			// Documented names have no escapes, unless somebody wrote them with some.
			m, ok := documented[string(e.Data[start:end])]
			name := m.name
			if !ok {
				name = unquote(e.Data[start-1 : end+1])
				m, ok = documented[name]
			}
			if ok {
				r.fields = append(r.fields, Field{name, value})
				if !m.read(value, &r.said) {
					r.mismatched = append(r.mismatched, name)
				}
				return
			}
			if m, ok := r.respelled()[bareName(name)]; ok {
				respelled = append(respelled, respelling{name, m, value})
			}
			if !r.open {
				r.undocumented = append(r.undocumented, name)
			}
		})
		r.said.addRespelled(respelled)
		if r.family == &calls {
			r.said.addNested()
		}
		slices.Sort(r.mismatched)
	} else {
		r.mismatched = []string{"data"}
	}

	r.direction = cmp.Or(r.statedDirection(), known.direction)
	r.kind = r.family.kind
	if r.family != &calls {
		return r
	}
	if r.direction == "" && known.outcome.unserved() == "" && r.ofDialer() {
		r.direction = Outbound
	}
	r.outcome = known.outcome.Best(r.told())
	if r.direction != Outbound && r.leftMessage() {
		r.outcome = r.outcome.Best(Voicemailed)
	}
	switch {
	case !r.outcome.Known() && r.answeredByAPerson():
		r.outcome = Answered
	case r.outcome == OutcomeUnknown && known.open && r.said.no(slotIsAnswered) && !r.ended():
		r.outcome = "" // it may still ring
	case r.outcome == OutcomeUnknown && r.said.no(slotIsAnswered) && !r.anyWord(saysBlocked):
		r.outcome = Missed
	case r.outcome == "" && known.update && r.outcomeWord() != "" && phrase([]byte(r.outcomeWord())) == saysNothing:
		r.outcome = OutcomeUnknown
	case r.outcome == OutcomeUnknown && e.Format == FormatA && phrase(r.said.words(slotStatus)) == saysCompleted && r.namesAgent() && !r.onlyRang():
		// Format A's word for an answered call. A missed call may be completed as well,
		// but no agent took it.
		r.outcome = Answered
	case r.outcome == OutcomeUnknown && r.direction != Outbound && r.talkedWithAnAgent():
		// Whatever the word, such as "transferred". On a call of ours an agent is always
		// named, and the word may be one for a mailbox.
		r.outcome = Answered
	case r.outcome == OutcomeUnknown && r.callback() > 0 && !r.mayHaveTalked():
		// They left the queue for a call back.
		r.outcome = Abandoned
	case !r.outcome.Known() && r.toldIn(slotExitReason) == Abandoned && r.talkTime() <= 0:
		// Who left a queue in another way may still be served.
		r.outcome = Abandoned
	}
	// guard 10: if kind := r.outcome.unserved(); kind != "" {
	if kind := r.outcome.unserved(); kind != "" && r.direction != Outbound {
		// Format A's voicemails have no direction, but only an incoming call can be
		// missed.
		r.kind, r.direction = kind, Inbound
	}
	return r
}

// tellsOfCall reports whether the data of an unregistered type is that of a call, and
// says how it ended. A status may be that of anything, such as a recording.
func (r *reading) tellsOfCall(known row) bool {
	if outcomes[phrase(r.said.words(slotInfoType))].Known() || r.said.saysAny(slotInfoMissedReason) {
		return true
	}
	entity, _ := r.id()
	return !known.aside && entity == EntityCall && (r.told().Known() || r.said.yes(slotIsAnswered) || r.said.no(slotIsAnswered))
}

// answeredByAPerson reports whether a flag says that the call was answered, and nothing that
// a menu or a machine did.
func (r *reading) answeredByAPerson() bool {
	if !r.said.yes(slotIsAnswered) || r.voiceAgent() || r.answeredBy() == ByMachine {
		return false
	}
	word := strings.ToLower(r.outcomeWord())
	return word == "" || words[word] == saysCompleted || phrase([]byte(word)) == saysUnderWay
}

// talkedWithAnAgent reports whether an agent is named and somebody talked, and nothing says
// that it was a machine, or with nobody.
func (r *reading) talkedWithAnAgent() bool {
	return r.talked().Value > 0 && r.namesAgent() && r.answeredBy() != ByMachine &&
		r.toldIn(slotExitReason) != Abandoned && !r.anyWord(saysBlocked)
}

// underWay reports whether the type's name or a word says that the call has not ended: that
// it is not answered is no wonder.
func (r *reading) underWay(typ Type) bool {
	return phrase([]byte(typ)) == saysUnderWay || r.anyWord(saysUnderWay)
}

// ended reports whether the data tells that the call is over, by a word or a time.
func (r *reading) ended() bool {
	took := r.said.duration(slotTotalDuration, slotDuration, slotConversationTime)
	return r.told() != "" || took.State == Set || r.said.saysAny(slotEndedAt)
}

// anyWord reports whether a word that should tell the outcome says this.
func (r *reading) anyWord(wanted says) bool {
	return slices.ContainsFunc(outcomeSlots[:], func(s slot) bool {
		return phrase(r.said.words(s)) == wanted
	})
}

// namesAgent reports whether the event says which agent took the call.
func (r *reading) namesAgent() bool {
	id := r.said.integer(slotAgentID)
	return id.State == Set && id.Value > 0 || !isPlaceholder(r.said.text(slotAgentName))
}

// addNested adds what stands in an object in place of the word that tells the outcome:
// "status": {"answered": false}.
func (v *values) addNested() {
	for _, s := range [...]slot{slotStatus, slotInfoStatus, slotOutcome, slotInfoType, slotCallType, slotType} {
		if v[s].Kind() == '{' {
			var said values
			callShape()["call_info"].read(v[s], &said)
			v.add(&said)
		}
	}
}

// directionSlots are where a call's direction is told; the last two are under names that
// no document has.
var directionSlots = [...]slot{slotDirection, slotInfoDirection, slotInfoType, slotCallType, slotType}

// outcomeSlots are where a call's outcome is told: format B's call_info.type, format A's
// status, and then, under names that no document has, in the data. Format B's
// call_info.status says whether the call is archived.
var outcomeSlots = [...]slot{slotInfoType, slotStatus, slotOutcome, slotCallType, slotType}

const documentedOutcomes = 2

// told returns what the data itself says about how the call ended.
func (r *reading) told() (outcome Outcome) {
	for _, slot := range outcomeSlots[:documentedOutcomes] {
		outcome = outcome.Best(r.toldIn(slot))
	}
	switch {
	case outcome.Known():
		return outcome
	case r.said.saysAny(slotInfoMissedReason):
		return Missed
	}
	for _, slot := range outcomeSlots[documentedOutcomes:] {
		outcome = outcome.Best(r.toldIn(slot))
	}
	flagged := r.flagged()
	if outcome == Answered && flagged != "" {
		return flagged // on doubt nobody was served
	}
	return outcome.Best(flagged)
}

// flagged returns what flags say of a caller who was not served.
func (r *reading) flagged() Outcome {
	switch {
	case r.said.yes(slotIsVoicemail):
		return Voicemailed
	// guard 10 events (FlagsOfAnOutcome): case false:
	case r.said.yes(slotIsMissed):
		return Missed
	case r.said.yes(slotIsAbandoned):
		return Abandoned
	}
	return ""
}

// statedDirection returns the direction that the data gives.
func (r *reading) statedDirection() Direction {
	return cmp.Or(r.said.direction(directionSlots[:]...), r.said.flaggedDirection())
}

// leftMessage reports whether the data has the words of a voicemail, and nothing says that an
// agent answered, or that the call was kept out. What tells that there are none is no message.
func (r *reading) leftMessage() bool {
	if !r.said.saysAny(slotInfoTranscription) || !r.outcome.Known() && r.namesAgent() || r.anyWord(saysBlocked) {
		return false
	}
	words := strings.ToLower(r.said.text(slotInfoTranscription))
	return words != "" && !strings.Contains(words, "transcri")
}

// ofDialer reports whether the call is from the sales dialer's number, which makes calls and
// takes none.
func (r *reading) ofDialer() bool {
	dialer, _ := r.said.party(slotSalesDialerNumber)
	line, _ := r.said.party(slotJustCallNumber)
	return line == "" && hasNumber(dialer)
}

// toldIn returns what one member says about how the call ended. Every call ends with
// somebody hanging up: it was abandoned only if nobody had talked.
func (r *reading) toldIn(from slot) Outcome {
	if r.said[from] == nil {
		return ""
	}
	switch said := phrase(r.said.words(from)); {
	case said == saysHungUp && r.talkTime() > 0 && r.namesAgent():
		return Answered
	case said == saysHungUp && r.talkTime() > 0, // with a menu, perhaps
		said == saysCallBack && r.mayHaveTalked():
		return OutcomeUnknown
	default:
		return outcomes[said]
	}
}

// mayHaveTalked reports whether somebody talked with the caller, or an agent is named who may
// have.
func (r *reading) mayHaveTalked() bool {
	return r.talkTime() > 0 || r.namesAgent()
}

// talkTime returns how long the caller was talked with at most, in seconds. Format A says how
// long the call was, of which some was ringing.
func (r *reading) talkTime() int64 {
	if talked, ok := r.said.duration(slotConversationTime).Get(); ok {
		return talked
	}
	return r.said.duration(slotDuration).Value - r.said.duration(slotRingDuration, slotRingTime).Value
}

// talked returns how long two people talked, in seconds, as far as the event tells it apart
// from the ringing. Whether a duration that is shorter than the ringing holds any of it, nobody
// can say.
func (r *reading) talked() Optional[int64] {
	talked := r.said.duration(slotConversationTime)
	took, ring := r.said.duration(slotDuration), r.said.duration(slotRingDuration, slotRingTime)
	if talked.State == Set || took.State != Set || ring.State != Set || took.Value < ring.Value || r.kind == KindVoicemail {
		return talked
	}
	return Optional[int64]{r.talkTime(), Set}
}

// onlyRang reports whether the data says that the call took no longer than it rang.
func (r *reading) onlyRang() bool {
	took, known := r.said.duration(slotDuration).Get()
	return known && (took == 0 || took == r.said.duration(slotRingDuration, slotRingTime).Value)
}

// outcomeWord returns the word that should tell the outcome, as sent.
func (r *reading) outcomeWord() string {
	for _, slot := range outcomeSlots {
		if word := r.said.words(slot); len(word) > 0 {
			return string(word)
		}
	}
	return ""
}

// id returns what the event belongs to, by its first usable id.
func (r *reading) id() (Entity, string) {
	for _, candidate := range r.ids {
		if candidate.slot == slotParentID && r.direction == Outbound {
			continue // it rings an agent, and its direction is not the call's
		}
		if id := r.said.id(candidate.slot); id != "" {
			return candidate.entity, id
		}
	}
	return EntityNone, ""
}

// outside returns what the data says of the party that is not the account's own
// line, as sent. said is set if it says anything, be it that the number is withheld.
func (r *reading) outside() (text string, said bool) {
	text, said = r.documentedOutside()
	// What hides a number on purpose does not only leave it open.
	if hasNumber(text) || Withheld(text) && !isPlaceholder(text) {
		return text, said
	}
	// It is whose it is; only the line's is surely not the other party's.
	other, ok := r.said.party(slotOtherNumber)
	if number := PhoneNumber(other); number != "" && number == PhoneNumber(r.line()) {
		return text, said
	}
	if text == "" || hasNumber(other) {
		return other, said || ok
	}
	return text, said
}

func (r *reading) documentedOutside() (text string, said bool) {
	text, said = r.said.party(slotPhone, slotCustomerNumber, slotContactNumber)
	if hasNumber(text) {
		return text, said
	}
	var other string
	var ok bool
	switch r.direction {
	case Inbound:
		other, ok = r.said.party(slotFrom, slotCaller)
	case Outbound:
		other, ok = r.said.party(slotTo, slotCallee)
	}
	if text == "" || hasNumber(other) {
		return other, said || ok
	}
	return text, said
}

// phone returns the number of the outside party, by [PhoneNumber].
func (r *reading) phone() string {
	text, _ := r.outside()
	return PhoneNumber(text)
}

// line returns the account's own line, as sent.
func (r *reading) line() string {
	from, to := r.parties()
	if r.direction == Outbound {
		return from
	}
	return to
}

// parties returns who called or wrote, and who was called or written to, as
// sent.
func (r *reading) parties() (from, to string) {
	from, _ = r.said.party(slotFrom, slotCaller)
	to, _ = r.said.party(slotTo, slotCallee)
	outside, _ := r.said.party(slotContactNumber)
	ours, _ := r.said.party(slotSalesDialerNumber, slotJustCallNumber)
	if r.direction == Outbound {
		return cmp.Or(from, ours), cmp.Or(to, outside)
	}
	return cmp.Or(from, outside), cmp.Or(to, ours)
}

// dates are where the data has its own time, best first.
var dates = []struct {
	slot slot
	name string
}{
	{slotSMSDate, "sms_date"},
	{slotCallDate, "call_date"},
	{slotDateTime, "datetime"}, // from before 2023
}

// dayOf returns a date without the time of day that programs put behind it where they
// have none, midnight. Any other text it returns as it is.
func dayOf(date string) string {
	const day, seconds = len(time.DateOnly), len(time.DateTime)
	if len(date) < seconds {
		if isPlain(date) { // perhaps the seconds since 1970
			if at, ok := ParseTime(date); ok && at.Equal(at.Truncate(24*time.Hour)) {
				return at.Format(time.DateOnly)
			}
		}
		return date
	}
	// What is behind the seconds is a fraction or a zone, and the day is the one here.
	if at, ok := ParseTime(date[:seconds]); ok && at.Equal(at.Truncate(24*time.Hour)) && strings.Trim(date[day:seconds], "T 0:") == "" {
		return date[:day]
	}
	return date
}

// date returns the data's own time, zero if it gives none, and the name of the first
// member with a date that is none.
func (r *reading) date() (at time.Time, unreadable string) {
	clock := r.said.text(slotSMSTime, slotCallTime)
	for _, d := range dates {
		date := numberText(r.said[d.slot])
		if date == "" {
			continue
		}
		day := dayOf(date)
		if at, ok := ParseTime(day + " " + clock); ok && clock != "" {
			return at, ""
		}
		for _, both := range [...]string{day, clock, date} { // any may hold both
			const shortest = len("1711040902") // "20240321" is no time since 1970
			if at, ok := ParseTime(both); ok && len(both) >= shortest {
				return at, ""
			}
		}
		unreadable = cmp.Or(unreadable, d.name)
	}
	return time.Time{}, unreadable
}
