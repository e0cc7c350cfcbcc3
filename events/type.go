package events

import (
	"maps"
	"slices"
)

// Type is an event's name as it stands on the wire, e.g. "call.missed".
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

// registry names, for every known type, the shape that its data decodes to.
// What is not here decodes to [Unknown].
var registry = map[Type]func(*Delivery){
	TypeCallAIGenerated:            decodeCall,
	TypeCallAIVoiceAgent:           decodeCall,
	TypeCallAnswered:               decodeCall,
	TypeCallCompleted:              decodeCall,
	TypeCallEntersQueue:            decodeCall,
	TypeCallExitsQueue:             decodeCall,
	TypeCallIncoming:               decodeCall,
	TypeCallInitiated:              decodeCall,
	TypeCallMissed:                 decodeCall,
	TypeCallUpdated:                decodeCall,
	TypeCallVoicemail:              decodeCall,
	TypeSalesDialerCallAIGenerated: decodeCall,
	TypeSalesDialerCallCompleted:   decodeCall,
	TypeSalesDialerCallUpdated:     decodeCall,
	TypeVoicemailReceived:          decodeCall,

	TypeSMSDelivered:                 decodeMessage,
	TypeSMSFailed:                    decodeMessage,
	TypeSMSOptIn:                     decodeMessage,
	TypeSMSOptOut:                    decodeMessage,
	TypeSMSReceived:                  decodeMessage,
	TypeSMSSent:                      decodeMessage,
	TypeSMSSentReceived:              decodeMessage,
	TypeSMSStatusUpdated:             decodeMessage,
	TypeWhatsAppMessageReceived:      decodeMessage,
	TypeWhatsAppMessageSent:          decodeMessage,
	TypeWhatsAppMessageStatusUpdated: decodeMessage,

	TypeContactCreated:       decodeContact,
	TypeContactStatusUpdated: decodeContact,
	TypeContactUpdated:       decodeContact,

	TypeAppointmentScheduled: decodeAppointment,
}

// Types returns every registered type, sorted.
func Types() []Type { return slices.Sorted(maps.Keys(registry)) }

// Registered reports whether t is one of [Types].
func (t Type) Registered() bool { _, ok := registry[t]; return ok }

// Kind says what an event is about, whatever its type is called.
type Kind string

// The kinds. A missed call and a voicemail are calls that somebody should
// answer: see [Kind.Alerts].
const (
	KindCall       Kind = "call"
	KindContact    Kind = "contact"
	KindMessage    Kind = "message"
	KindMissedCall Kind = "missed_call"
	KindUnknown    Kind = "unknown"
	KindVoicemail  Kind = "voicemail"
)

// Alerts reports whether a person should learn of the event at once.
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

// The directions. Format A says inbound and outbound, format B Incoming and
// Outgoing; "" is none that we know.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Entity is what an event belongs to; events of one entity are kept together.
type Entity string

// The entities. EntityNone is an event without a usable id.
const (
	EntityCall    Entity = "call"
	EntityContact Entity = "contact"
	EntityMessage Entity = "message"
	EntityNone    Entity = ""
)
