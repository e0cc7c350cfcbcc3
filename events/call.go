package events

import (
	"slices"
	"strings"
)

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
	// VoiceAgent is set if an AI agent took part [call_info.call_traits].
	VoiceAgent bool
	// AnsweredBy is who answered an outgoing call, if the event says so
	// [call_info.call_answered_by, or the word in call_info.type].
	AnsweredBy AnsweredBy
	// Callback is what became of the call back that the caller asked for while waiting in
	// a queue [queue_callback].
	Callback Callback
}

// AnsweredBy says who answered an outgoing call; "" if that is not known.
type AnsweredBy string

// Who answers.
const (
	ByHuman   AnsweredBy = "human"
	ByMachine AnsweredBy = "machine"
)

// Callback is how far JustCall's own call back has come. Of two, the higher one counts.
type Callback uint8

// The stages of a call back; the zero Callback is that nobody asked for one.
const (
	CallbackRequested Callback = iota + 1
	// CallbackAttempted means that JustCall has called.
	CallbackAttempted
	// CallbackReached means that the caller answered. JustCall's callback_reached says
	// only that an agent did.
	CallbackReached
)

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
			AgentName:     said.name(slotAgentName),
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
		AgentName:    said.name(slotAgentName),
		ContactName:  said.name(slotContactName),
		Duration:     duration,
		RingDuration: said.duration(slotRingDuration, slotRingTime),
		MissedReason: string(said.words(slotInfoMissedReason)),
		RecordingURL: said.text(slotRecordingURL, slotInfoRecording),
		Notes:        said.text(slotNotes, slotInfoNotes),
		Disposition:  said.text(slotDisposition, slotInfoDisposition),
		VoiceAgent:   r.voiceAgent(),
		AnsweredBy:   r.answeredBy(),
		Callback:     r.callback(),
	}
}

// voiceAgent reports whether a trait, however it is spelled, is that of an AI agent.
func (r *reading) voiceAgent() bool {
	has := func(trait string) bool { return strings.Contains(bareName(trait), "voiceagent") }
	return slices.ContainsFunc(r.said.texts(slotCallTraits), has) || has(text(r.said[slotCallTraits]))
}

// answeredBy returns who answered. If the event says two things, it was a machine.
func (r *reading) answeredBy() (by AnsweredBy) {
	for _, s := range [...]slot{slotAnsweredBy, slotInfoType} {
		said := letters(r.said[s])
		var pair pairReader
		for pair.next(&said) {
			switch string(pair.word()) { // it may be somebody's name
			case "machine", "voicemail", "mailbox", "fax", "anrufbeantworter", "antwoordapparaat", "contestador", "repondeur", "telefonsvarare":
				return ByMachine
			case "bot", "ivr", "robot":
				if s == slotAnsweredBy {
					return ByMachine
				}
			case "human", "person":
				by = ByHuman
			}
		}
	}
	return by
}

// callback reads the stages, which are told by yes and no or by anything that is no
// placeholder.
func (r *reading) callback() (stage Callback) {
	for i, s := range [...]slot{slotCallbackRequested, slotCallbackAttempted, slotCallbackStatus} {
		v := r.said[s]
		said := boolean(v)
		// Only a plain yes says that somebody was reached.
		if said.Value || said.State != Set && s != slotCallbackStatus && !isPlaceholder(numberText(v)) {
			stage = Callback(i + 1)
		}
	}
	return stage
}
