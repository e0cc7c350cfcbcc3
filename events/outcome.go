package events

// Outcome says how a call ended for the person who called, whatever words JustCall
// used for it.
type Outcome string

// The outcomes; "" while a call is under way, and for anything but a call. Those of
// an outgoing call say how our own attempt ended: it never needs an alert.
const (
	// Answered means that a person talked with the caller.
	Answered Outcome = "answered"
	// Voicemailed means that the caller left a message.
	Voicemailed Outcome = "voicemail"
	// Missed means that the call rang and nobody answered.
	Missed Outcome = "missed"
	// Abandoned means that the caller gave up before or while an agent's phone rang.
	Abandoned Outcome = "abandoned"
	// OutcomeUnknown means that the call ended and nothing we know says how.
	OutcomeUnknown Outcome = "unknown"
)

