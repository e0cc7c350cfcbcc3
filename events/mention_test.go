package events_test

import (
	"testing"

	"github.com/ringback/ringback/events"
)

func TestMentionsMissedCall(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"event":"call.missed","data":{"call_id":`:          true,
		`{'type': 'MISSED'}`:                                 true,
		`<event>Call_Missed</event>`:                         true,
		`{"call_info":{"type":"Voice mail"`:                  true,
		"voicemail.received":                                 true,
		"VOICE_MAIL":                                         true,
		`"type":"Abandoned before ringing`:                   true,
		"status=no-answer":                                   true,
		"Unanswered":                                         true,
		"m\x00i\x00s\x00s\x00e\x00d\x00":                     true,
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx missed": true,
		"": false,
		`{"event":"call.completed","data":{"call_id":"x","fr`: false,
		"mis1sed":     false,
		"voice, mail": false,
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\xff\xfe random bytes": false,
	} {
		if got := events.MentionsMissedCall([]byte(body)); got != want {
			t.Errorf("%q: got %v", body, got)
		}
	}
}
