package events

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Type is an event's name as sent, e.g. "call.missed".
type Type string

// The event types of format A and of its sibling help pages. No page mentions that
// a contact was deleted; these are the names that it would have.
const (
	TypeCallAnswered      Type = "call.answered"
	TypeCallCompleted     Type = "call.completed"
	TypeCallMissed        Type = "call.missed"
	TypeContactCreated    Type = "contact.created"
	TypeContactDeleted    Type = "contact.deleted"
	TypeContactRemoved    Type = "contact.removed"
	TypeContactUpdated    Type = "contact.updated"
	TypeSMSDelivered      Type = "sms.delivered"
	TypeSMSFailed         Type = "sms.failed"
	TypeSMSOptIn          Type = "sms.optin"
	TypeSMSOptOut         Type = "sms.optout"
	TypeSMSReceived       Type = "sms.received"
	TypeSMSSent           Type = "sms.sent"
	TypeVoicemailReceived Type = "voicemail.received"
)

// The event types that only format B has. See
// https://developer.justcall.io/docs/webhooks.
const (
	TypeAppointmentScheduled         Type = "appointment.scheduled"
	TypeCallAIGenerated              Type = "jc.call_ai_generated"
	TypeCallAIVoiceAgent             Type = "call.ai_voice_agent"
	TypeCallEntersQueue              Type = "call.enters_queue"
	TypeCallExitsQueue               Type = "call.exits_queue"
	TypeCallIncoming                 Type = "call.incoming"
	TypeCallInitiated                Type = "call.initiated"
	TypeCallUpdated                  Type = "call.updated"
	TypeCallVoicemail                Type = "call.voicemail"
	TypeContactStatusUpdated         Type = "jc.contact_status_updated"
	TypeSalesDialerCallAIGenerated   Type = "sd.call_ai_generated"
	TypeSalesDialerCallCompleted     Type = "sd.call_completed"
	TypeSalesDialerCallUpdated       Type = "sd.call_updated"
	TypeSMSSentReceived              Type = "sms.sent_received"
	TypeSMSStatusUpdated             Type = "sms.status_updated"
	TypeWhatsAppMessageReceived      Type = "whatsapp.message_received"
	TypeWhatsAppMessageSent          Type = "whatsapp.message_sent"
	TypeWhatsAppMessageStatusUpdated Type = "whatsapp.message_status_updated"
)

// row is what we know about a type.
type row struct {
	family *family
	// direction is what the type implies, for data that has none.
	direction Direction
	// outcome is what the type's name says of a call: [OutcomeUnknown] that it has
	// ended, and nothing more; "" that it goes on, or nothing.
	outcome Outcome
	// update marks types that only add to a call that other events reported.
	update bool
	// aside marks types whose name says that they are about something beside a call.
	aside bool
	// open marks types whose name is a call's and does not say that it has ended.
	open bool
	// removes marks types that end what they are about.
	removes bool
}

// registry has a row for every known type. Of any other type, the name and the data
// decide what it is. A new type also takes a sample in testdata and, if no row there covers it, one in
// docs/table.md; tests check both.
var registry = map[Type]row{
	TypeCallAIGenerated: {family: &calls, update: true},
	// That an AI agent took part does not say how the call ended: its word does, or
	// the call's other events do.
	TypeCallAIVoiceAgent:           {family: &calls},
	TypeCallAnswered:               {family: &calls, outcome: Answered},
	TypeCallCompleted:              {family: &calls, outcome: OutcomeUnknown},
	TypeCallEntersQueue:            {family: &calls},
	TypeCallExitsQueue:             {family: &calls},
	TypeCallIncoming:               {family: &calls},
	TypeCallInitiated:              {family: &calls},
	TypeCallMissed:                 {family: &calls, outcome: Missed},
	TypeCallUpdated:                {family: &calls, update: true},
	TypeCallVoicemail:              {family: &calls, outcome: Voicemailed},
	TypeSalesDialerCallAIGenerated: {family: &calls, direction: Outbound, update: true},
	TypeSalesDialerCallCompleted:   {family: &calls, direction: Outbound, outcome: OutcomeUnknown},
	TypeSalesDialerCallUpdated:     {family: &calls, direction: Outbound, update: true},
	TypeVoicemailReceived:          {family: &calls, outcome: Voicemailed},

	TypeSMSDelivered:                 {family: &messages, direction: Outbound},
	TypeSMSFailed:                    {family: &messages, direction: Outbound},
	TypeSMSOptIn:                     {family: &messages, direction: Inbound},
	TypeSMSOptOut:                    {family: &messages, direction: Inbound},
	TypeSMSReceived:                  {family: &messages, direction: Inbound},
	TypeSMSSent:                      {family: &messages, direction: Outbound},
	TypeSMSSentReceived:              {family: &messages},
	TypeSMSStatusUpdated:             {family: &messages},
	TypeWhatsAppMessageReceived:      {family: &messages, direction: Inbound},
	TypeWhatsAppMessageSent:          {family: &messages, direction: Outbound},
	TypeWhatsAppMessageStatusUpdated: {family: &messages},

	TypeContactCreated:       {family: &contacts},
	TypeContactDeleted:       {family: &contacts, removes: true},
	TypeContactRemoved:       {family: &contacts, removes: true},
	TypeContactStatusUpdated: {family: &contacts},
	TypeContactUpdated:       {family: &contacts},

	TypeAppointmentScheduled: {family: &appointments},
}

// Types returns every registered type, sorted.
func Types() []Type { return slices.Sorted(maps.Keys(registry)) }

// Registered reports whether t is one of [Types], however it is spelled.
func (t Type) Registered() bool { return t.Name() != "" }

// tells reports whether the name alone says what the event is.
func (t Type) tells() bool {
	known, registered := t.row()
	return registered || known.family == &calls
}

// IsUpdate reports whether events of type t only add to a call that other
// events reported: a note, a tag, an AI summary.
func (t Type) IsUpdate() bool { return registry[t.Name()].update }

// Name returns the type of [Types] that t spells, "" if it is none of them. Only
// letters and digits count, whatever their case, with or without "jc" or "justcall"
// in front.
func (t Type) Name() Type {
	if _, ok := registry[t]; ok {
		return t
	}
	var letters [maxTypeLength]byte
	spelled, ok := t.spelling(letters[:0])
	if !ok {
		return ""
	}
	for _, vendor := range vendors {
		// guard 3: if name, ok := spellings()[vendor+string(spelled)]; ok {
		if name, ok := spellings()[strings.TrimPrefix(string(spelled), vendor)]; ok {
			return name
		}
	}
	return ""
}

// vendors are what may stand in front of a name. "sd", the sales dialer, may not: its
// events are others.
var vendors = []string{"justcall", "jc"}

// maxTypeLength is longer than any spelling of a registered type.
const maxTypeLength = 64

// spellings has the registered types by their letters, without the vendor.
var spellings = sync.OnceValue(func() map[string]Type {
	all := make(map[string]Type, len(registry))
	for typ := range registry {
		spelled, _ := typ.spelling(nil)
		name := strings.TrimPrefix(string(spelled), "jc")
		all[name] = typ
		if what, ok := strings.CutPrefix(name, "contact"); ok {
			for _, entity := range []string{"contact", "contacts"} {
				all[entity+what] = typ
				all[entity+strings.TrimSuffix(what, "d")] = typ // "contacts.delete"
			}
		}
	}
	return all
})

// spelling appends the letters and digits of a name, in lower case, and reports
// whether all of them are ASCII and it is short enough to be registered.
func (t Type) spelling(to []byte) ([]byte, bool) {
	if len(t) > maxTypeLength {
		return nil, false
	}
	for i, r := range string(t) {
		c := t[i]
		switch {
		case r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return nil, false
		case 'A' <= c && c <= 'Z':
			to = append(to, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			to = append(to, c)
		}
	}
	return to, true
}

// row returns what is known about a type. One that is not registered, and whose name
// tells how a call ended, is a call's.
func (t Type) row() (known row, registered bool) {
	if known, registered = registry[t]; registered {
		return known, true
	}
	if name := t.Name(); name != "" {
		return registry[name], true
	}
	// guard 3 e2e: known.family = &calls
	known.family = &unknowns
	var call, other, person, dialer, before, strange, copied, failed, voicemail bool
	var pair pairReader
	for name := []byte(t); pair.next(&name); {
		said, both := pair.lookUp()
		before = before || said == saysBefore
		failed = failed || both && said == saysCompleted || string(pair.word()) == "drop" // "recording_failed"; "voicemail_drop" is ours
		strange = strange || said == saysNothing && nameWords[string(pair.word())] == aboutNothing &&
			directions[string(pair.word())] == "" && !slices.Contains(vendors, string(pair.word()))
		switch about := nameWords[string(pair.word())]; {
		case about == aboutPerson:
			person = true
		case said == saysVoicemail:
			// "voice.message" is no message.
			call, voicemail, other = true, true, other && !both
		case about == aboutCopy:
			copied = true
		case about == aboutNothing:
			// "missedcall" is a call, "recall" is none.
			call = call || said != saysNothing && len(withoutCall(pair.word())) < len(pair.word())
		default:
			call, other, dialer = call || about == aboutCall, other || about == aboutOther, dialer || about == aboutDialer
		}
	}
	other = other || copied && (failed || !voicemail)
	known.aside = other || person && !call
	if !call || other {
		return known, false
	}
	if dialer {
		known.direction = Outbound
	}
	said := phrase([]byte(t))
	if said == saysHungUp && !before || said == saysCallBack {
		said = saysCompleted // every call ends so
	}
	if outcome := outcomes[said]; outcome.Known() || said == saysCompleted && !strange {
		known.family, known.outcome = &calls, outcome
		known.direction = cmp.Or(known.direction, directionOf([]byte(t)))
	}
	known.open = said < saysCompleted // "call.transferred"
	return known, false
}

// about is what a word in an unregistered type's name is about.
type about uint8

const (
	aboutNothing about = iota
	aboutCall
	aboutDialer // which makes calls, and takes none
	aboutOther
	aboutCopy   // of what was said: of a call it is another thing, but a voicemail is nothing else
	aboutPerson // or a channel, whose own state it may be, unless it says that it is a call's
)

// nameWords tell "call.missed_by_all" from "sms.failed" and "call.recording_failed".
var nameWords = map[string]about{
	"call": aboutCall, "calls": aboutCall, "missed": aboutCall, "abandoned": aboutCall, "unanswered": aboutCall,

	"agent": aboutPerson, "availability": aboutPerson, "device": aboutPerson, "member": aboutPerson, "presence": aboutPerson,
	"team": aboutPerson, "user": aboutPerson, "whatsapp": aboutPerson,

	"autodialer": aboutDialer, "dialer": aboutDialer, "salesdialer": aboutDialer, "sd": aboutDialer,

	"appointment": aboutOther, "callback": aboutOther, "campaign": aboutOther, "chat": aboutOther, "contact": aboutOther,
	"deleted": aboutOther, "email": aboutOther, "fax": aboutOther, "greeting": aboutOther, "meeting": aboutOther,
	"message": aboutOther, "mms": aboutOther, "note": aboutOther, "notification": aboutOther, "payment": aboutOther,
	"permission": aboutOther, "rating": aboutOther, "removed": aboutOther, "settings": aboutOther, "sms": aboutOther,
	"survey": aboutOther, "tag": aboutOther, "task": aboutOther, "text": aboutOther, "transfer": aboutOther, "webhook": aboutOther,

	"recording": aboutCopy, "summary": aboutCopy, "transcript": aboutCopy, "transcription": aboutCopy,
}

// Kind says what an event is about, whatever its type's name.
type Kind string

// The kinds. Somebody should return a missed call and a voicemail: see
// [Kind.Alerts].
const (
	KindCall       Kind = "call"
	KindContact    Kind = "contact"
	KindMessage    Kind = "message"
	KindMissedCall Kind = "missed_call"
	KindUnknown    Kind = "unknown"
	KindVoicemail  Kind = "voicemail"
)

// The kinds of messages that no event has: most are about an alert that was sent before.
const (
	// KindReturned takes an alert back, for programs.
	KindReturned Kind = "returned"
	// KindCorrection says so, for people.
	KindCorrection Kind = "correction"
	// KindOverdue says that nobody has called back.
	KindOverdue Kind = "overdue"
	// KindDigest lists who waits because of calls that were found too late for an alert.
	KindDigest Kind = "digest"
	// KindWebhook says that JustCall does not post what it should.
	KindWebhook Kind = "webhook"
)

// IsCall reports whether the event belongs to a call.
func (k Kind) IsCall() bool { return k == KindCall || k.Alerts() }

// Alerts reports whether the event sends an alert.
func (k Kind) Alerts() bool { return k == KindMissedCall || k == KindVoicemail }

// Format is the wire format of a delivery.
type Format string

// The wire formats; the package comment describes them.
const (
	FormatA      Format = "A"
	FormatB      Format = "B"
	FormatLegacy Format = "legacy"
)

// Direction of a call or message, seen from the JustCall account.
type Direction string

// The directions; "" if the event gives none that we know.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// directions maps words to directions, in lower case: format A's and format B's, which
// also count in a phrase, and short ones that count alone.
var directions = map[string]Direction{
	"inbound":  Inbound,
	"outbound": Outbound,
	"incoming": Inbound,
	"outgoing": Outbound,
	"in":       Inbound,
	"out":      Outbound,
	"i":        Inbound,
	"o":        Outbound,
	"ib":       Inbound,
	"ob":       Outbound,
	// What other programs write.
	"egress":    Outbound,
	"ingress":   Inbound,
	"inward":    Inbound,
	"outward":   Outbound,
	"ausgehend": Outbound,
	"eingehend": Inbound,
	"entrant":   Inbound,
	"entrante":  Inbound,
	"inkomend":  Inbound,
	"saliente":  Outbound,
	"sortant":   Outbound,
	"uitgaand":  Outbound,
	"uscente":   Outbound,
	// What a dialer leaves at once when a machine answers.
	"vmdrop": Outbound, "voicemaildrop": Outbound,
	// As format B writes them, which saves reading the letters one by one.
	"Incoming": Inbound,
	"Outgoing": Outbound,
}

// directionOf returns the direction that a word or phrase tells, "" if it tells none
// or both. "Outgoing" contains "in", and is one word all the same.
func directionOf(text []byte) (told Direction) {
	if d, ok := directions[string(text)]; ok {
		return d
	}
	var pair pairReader
	for pair.next(&text) {
		word := withoutCall(pair.word())
		d := directions[string(word)]
		if d == "" {
			d = directions[string(pair.both())] // "out-going"
		}
		switch {
		case d == "", len(word) <= len("out") && (len(text) > 0 || pair.before > 0):
		case told != "" && told != d:
			return ""
		default:
			told = d
		}
	}
	return told
}

// directionAlone returns the direction that a name is, and nothing besides: "outbound_call".
func directionAlone(name []byte) Direction {
	var pair pairReader
	for rest := name; pair.next(&rest); {
		if word := string(withoutCall(pair.word())); word != "call" && directions[word] == "" {
			return ""
		}
	}
	return directionOf(name)
}

// Entity is what an event belongs to. Events of one entity are kept together.
type Entity string

// The entities. EntityNone is an event without a usable id.
const (
	EntityCall    Entity = "call"
	EntityContact Entity = "contact"
	EntityMessage Entity = "message"
	EntityNone    Entity = ""
)
