package events

import (
	"maps"
	"slices"
)

// Type is an event's name as sent, e.g. "call.missed".
type Type string

// The event types of format A and of its sibling help pages.
const (
	TypeCallAnswered      Type = "call.answered"
	TypeCallCompleted     Type = "call.completed"
	TypeCallMissed        Type = "call.missed"
	TypeContactCreated    Type = "contact.created"
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
	// kind is set if the type is more specific than its family's kind.
	kind Kind
	// direction is what the type implies, for data that has none.
	direction Direction
	// update marks types that only add to a call that other events reported.
	update bool
}

// registry has a row for every known type. Any other type decodes to [Unknown]. A
// new type also takes a sample in testdata and, if no row there covers it, one in
// docs/table.md; tests check both.
var registry = map[Type]row{
	TypeCallAIGenerated:            {family: &calls, update: true},
	TypeCallAIVoiceAgent:           {family: &calls},
	TypeCallAnswered:               {family: &calls},
	TypeCallCompleted:              {family: &calls},
	TypeCallEntersQueue:            {family: &calls},
	TypeCallExitsQueue:             {family: &calls},
	TypeCallIncoming:               {family: &calls},
	TypeCallInitiated:              {family: &calls},
	TypeCallMissed:                 {family: &calls, kind: KindMissedCall},
	TypeCallUpdated:                {family: &calls, update: true},
	TypeCallVoicemail:              {family: &calls, kind: KindVoicemail},
	TypeSalesDialerCallAIGenerated: {family: &calls, update: true},
	TypeSalesDialerCallCompleted:   {family: &calls},
	TypeSalesDialerCallUpdated:     {family: &calls, update: true},
	TypeVoicemailReceived:          {family: &calls, kind: KindVoicemail},

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
	TypeContactStatusUpdated: {family: &contacts},
	TypeContactUpdated:       {family: &contacts},

	TypeAppointmentScheduled: {family: &appointments},
}

// Types returns every registered type, sorted.
func Types() []Type { return slices.Sorted(maps.Keys(registry)) }

// Registered reports whether t is one of [Types].
func (t Type) Registered() bool { _, ok := registry[t]; return ok }

// IsUpdate reports whether events of type t only add to a call that other
// events reported: a note, a tag, an AI summary.
func (t Type) IsUpdate() bool { return registry[t].update }

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

// directions maps JustCall's words, in lower case: format A's first, then
// format B's.
var directions = map[string]Direction{
	"inbound":  Inbound,
	"outbound": Outbound,
	"incoming": Inbound,
	"outgoing": Outbound,
}

// outcomes maps the values of format B's call_info.type, in lower case, that
// decide a call's kind.
var outcomes = map[string]Kind{
	"missed":    KindMissedCall,
	"voicemail": KindVoicemail,
}

// urgency orders the kinds that alert. If an event's type says one and its outcome
// another, the later one counts: a voicemail implies a missed call.
var urgency = []Kind{KindMissedCall, KindVoicemail}

func mostUrgent(a, b Kind) Kind {
	if slices.Index(urgency, b) > slices.Index(urgency, a) {
		return b
	}
	return a
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
