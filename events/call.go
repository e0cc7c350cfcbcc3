package events

import (
	"cmp"
	"strings"
)

// Call is a call's event, except for voicemails. Format B's names stand in
// brackets where they differ. See https://developer.justcall.io/docs/webhooks.
type Call struct {
	// ID is call_id [call_sid, else id].
	ID        string
	Direction Direction
	// From and To are the numbers as sent [contact_number and justcall_number,
	// put in order by the direction].
	From, To string
	// AgentID is null where nobody took the call.
	AgentID     Optional[int64]
	AgentName   string
	ContactName string
	// Duration is the call's length in seconds [call_duration.total_duration],
	// RingDuration how long it rang [call_duration.ring_time].
	Duration, RingDuration Optional[int64]
	// Status is how the call stands, in format A's words. Format B's
	// call_info.status says whether the call is archived and is not read.
	Status string
	// Outcome is format B's call_info.type, in lower case, e.g. "missed".
	Outcome string
	// MissedReason is format B's call_info.missed_call_reason.
	MissedReason string
	// RecordingURL points at the recording [call_info.recording].
	RecordingURL string
	Notes        string
	Disposition  string
}

// Voicemail is a voicemail: voicemail.received, and format B's call.voicemail.
// Its CallID is that of the missed call that it was left on.
type Voicemail struct {
	CallID string
	// From is the caller and To the line called, as sent.
	From, To    string
	AgentID     Optional[int64]
	AgentName   string
	ContactName string
	// Duration is the message's length in seconds; format B does not give it.
	Duration Optional[int64]
	// RecordingURL points at the recording [call_info.recording].
	RecordingURL string
	// Transcription is the spoken text [call_info.voicemail_transcription].
	Transcription string
}

// The values of format B's call_info.type that decide a call's kind.
const (
	outcomeMissed    = "missed"
	outcomeVoicemail = "voicemail"
)

func decodeCall(d *Delivery) {
	in := d.read(callShape)
	d.identify(EntityCall, in.callID, in.callSID, in.id)
	d.Kind = kindOfCall(d.Type, in.outcome)

	// Format A's voicemails say no direction. Missed and voicemail are
	// something that only happens to who calls in.
	direction := in.direction
	if direction == "" && d.Kind.Alerts() {
		direction = Inbound
	}
	d.Phone = PhoneNumber(in.outsideParty(direction))
	from, to := in.parties(direction)

	if d.Kind == KindVoicemail {
		d.Event = &Voicemail{
			CallID:        d.ID,
			From:          from,
			To:            to,
			AgentID:       in.agentID,
			AgentName:     in.agentName,
			ContactName:   in.contactName,
			Duration:      in.duration,
			RecordingURL:  cmp.Or(in.recordingURL, in.recording),
			Transcription: in.transcription,
		}
		return
	}
	duration := in.duration
	if duration.State == Absent {
		duration = in.totalDuration
	}
	d.Event = &Call{
		ID:           d.ID,
		Direction:    direction,
		From:         from,
		To:           to,
		AgentID:      in.agentID,
		AgentName:    in.agentName,
		ContactName:  in.contactName,
		Duration:     duration,
		RingDuration: in.ringDuration,
		Status:       in.status,
		Outcome:      outcomeWord(in.outcome),
		MissedReason: in.missedReason,
		RecordingURL: cmp.Or(in.recordingURL, in.recording),
		Notes:        in.notes,
		Disposition:  in.disposition,
	}
}

// kindOfCall tells what a call's event is about. A call of format B may arrive
// as missed under several names. What says that a message was left wins: it is
// still a call to answer.
func kindOfCall(t Type, outcome string) Kind {
	switch outcome = outcomeWord(outcome); {
	case t == TypeVoicemailReceived, t == TypeCallVoicemail, outcome == outcomeVoicemail:
		return KindVoicemail
	case t == TypeCallMissed, outcome == outcomeMissed:
		return KindMissedCall
	default:
		return KindCall
	}
}

func outcomeWord(outcome string) string { return strings.ToLower(strings.TrimSpace(outcome)) }

// parseDirection compares whole words: "outgoing" contains "in".
func parseDirection(word string) Direction {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "inbound", "incoming":
		return Inbound
	case "outbound", "outgoing":
		return Outbound
	default:
		return ""
	}
}
