package events

// Call is an event of a call other than a voicemail. Format B's names are in
// brackets where they differ. See https://developer.justcall.io/docs/webhooks.
type Call struct {
	// ID is call_id [call_sid, else id].
	ID        string
	Direction Direction
	// From and To are the numbers as sent [contact_number and justcall_number,
	// depending on the direction].
	From, To string
	// AgentID is null if nobody took the call.
	AgentID     Optional[int64]
	AgentName   string
	ContactName string
	// Duration is the call's length in seconds [call_duration.total_duration],
	// RingDuration how long it rang [call_duration.ring_time].
	Duration, RingDuration Optional[int64]
	// MissedReason is format B's call_info.missed_call_reason.
	MissedReason string
	// RecordingURL points at the recording [call_info.recording].
	RecordingURL string
	Notes        string
	Disposition  string
}

// Voicemail is a voicemail: voicemail.received, and format B's call.voicemail.
// Its CallID is that of the missed call it belongs to.
type Voicemail struct {
	CallID string
	// From is the caller and To the line, as sent.
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

// newCall returns a [*Voicemail] if the caller left a message, else a [*Call].
func newCall(r *reading) Event {
	_, id := r.id()
	from, to := r.parties()
	said := &r.said
	if r.kind == KindVoicemail {
		return &Voicemail{
			CallID:        id,
			From:          from,
			To:            to,
			AgentID:       said.integer(slotAgentID),
			AgentName:     said.text(slotAgentName),
			ContactName:   said.name(slotContactName),
			Duration:      said.duration(slotDuration),
			RecordingURL:  said.text(slotRecordingURL, slotInfoRecording),
			Transcription: said.text(slotTranscription, slotInfoTranscription),
		}
	}
	duration := said.duration(slotDuration)
	if duration.State == Absent {
		duration = said.duration(slotTotalDuration)
	}
	return &Call{
		ID:           id,
		Direction:    r.direction,
		From:         from,
		To:           to,
		AgentID:      said.integer(slotAgentID),
		AgentName:    said.text(slotAgentName),
		ContactName:  said.name(slotContactName),
		Duration:     duration,
		RingDuration: said.duration(slotRingDuration, slotRingTime),
		MissedReason: string(said.words(slotInfoMissedReason)),
		RecordingURL: said.text(slotRecordingURL, slotInfoRecording),
		Notes:        said.text(slotNotes, slotInfoNotes),
		Disposition:  said.text(slotDisposition, slotInfoDisposition),
	}
}
