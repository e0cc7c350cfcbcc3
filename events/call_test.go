package events_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
)

func set(n int64) events.Optional[int64] {
	return events.Optional[int64]{Value: n, State: events.Set}
}

var null = events.Optional[int64]{State: events.Null}

func TestKindOfACall(t *testing.T) {
	t.Parallel()
	const (
		call      = events.KindCall
		missed    = events.KindMissedCall
		voicemail = events.KindVoicemail
	)
	for _, test := range []struct {
		name string
		typ  events.Type
		data string
		want events.Kind
	}{
		{"call.missed is a missed call by its name", "call.missed", `{"id":1}`, missed},
		{"call.missed is one if its type is empty", "call.missed", `{"id":1,"call_info":{"type":""}}`, missed},
		{"call.missed of a call that was answered is none", "call.missed", `{"id":1,"call_info":{"type":"Answered"}}`, call},
		{"call.missed of a call that we made is none", "call.missed", `{"id":1,"call_info":{"direction":"Outgoing"}}`, call},
		{"a completed call of type Missed", "call.completed", `{"id":1,"call_info":{"type":"Missed"}}`, missed},
		{"a completed call of type MISSED", "call.completed", `{"id":1,"call_info":{"type":" MISSED "}}`, missed},
		{"an updated call of type Missed", "call.updated", `{"id":1,"call_info":{"type":"Missed"}}`, missed},
		{"an incoming call of type Missed", "call.incoming", `{"id":1,"call_info":{"type":"Missed"}}`, missed},
		{"a queued call of type Missed", "call.exits_queue", `{"id":1,"call_info":{"type":"Missed"}}`, missed},
		{"a call of type Missed with an AI report", "jc.call_ai_generated", `{"id":1,"call_info":{"type":"Missed"}}`, missed},
		{"a Sales Dialer call of type Missed was not a caller's", "sd.call_completed", `{"call_sid":"CA1","call_info":{"type":"Missed"}}`, call},
		{"unless it says that it came in", "sd.call_completed", `{"call_sid":"CA1","call_info":{"direction":"Incoming","type":"Missed"}}`, missed},
		{"a call of type Missed under a name that is not registered", "x.y", `{"call_sid":"CA1","call_info":{"type":"Missed"}}`, missed},
		{"one of type Voicemail, too", "x.y", `{"call_sid":"CA1","call_info":{"type":"Voicemail"}}`, voicemail},
		{"one of type Answered is a call", "x.y", `{"call_sid":"CA1","call_info":{"type":"Answered"}}`, call},
		{"and one of no known type is not", "x.y", `{"call_sid":"CA1","call_info":{"type":"Bridged"}}`, events.KindUnknown},

		{"voicemail.received is a voicemail", "voicemail.received", `{"call_id":"x"}`, voicemail},
		{"call.voicemail is one too", "call.voicemail", `{"id":1}`, voicemail},
		{"voicemail.received of type Missed is still one", "voicemail.received", `{"id":1,"call_info":{"type":"Missed"}}`, voicemail},
		{"call.voicemail of type Missed is still one", "call.voicemail", `{"id":1,"call_info":{"type":"missed"}}`, voicemail},
		{"a completed call of type Voicemail", "call.completed", `{"id":1,"call_info":{"type":"Voicemail"}}`, voicemail},
		{"one that we left is none", "call.voicemail", `{"id":1,"call_info":{"direction":"Outgoing"}}`, call},

		{"a completed call of type Answered", "call.completed", `{"id":1,"call_info":{"type":"Answered"}}`, call},
		{"a type that says only what it is not", "call.completed", `{"id":1,"call_info":{"type":"not missed"}}`, call},
		{"a reason without the type", "call.completed", `{"id":1,"call_info":{"missed_call_reason":"Not picked by agent"}}`, missed},
		{"no reason", "call.completed", `{"id":1,"call_info":{"missed_call_reason":"null"}}`, call},
		{"whether the call is archived is not its outcome", "call.completed", `{"id":1,"call_info":{"status":"Missed"}}`, call},
		{"a type beside call_info counts if that says nothing", "call.completed", `{"id":1,"type":"Missed"}`, missed},
		{"and does not if it does", "call.completed", `{"id":1,"type":"Answered","outcome":"answered","call_info":{"type":"Missed"}}`, missed},
		{"nor against a reason", "call.completed", `{"id":1,"call_status":"Answered","call_info":{"missed_call_reason":"After hours"}}`, missed},
		{"an outcome under another name", "call.completed", `{"id":1,"call_outcome":"no-answer"}`, missed},
		{"a disposition is the agent's own word", "call.completed", `{"id":1,"disposition":"Missed","call_info":{"disposition":"no answer"}}`, call},
		{"call_info that is text", "call.completed", `{"id":1,"call_info":"Missed"}`, missed},
		{"call_info that is a list of words", "call.completed", `{"id":1,"call_info":["Incoming","Missed"]}`, missed},
		{"call_info of another direction", "call.completed", `{"id":1,"call_info":["Outgoing","Missed"]}`, call},
		{"call_info that is a list of one", "call.completed", `{"id":1,"call_info":[{"type":"Missed"}]}`, missed},
		{"call_info that is a list of two", "call.completed", `{"id":1,"call_info":[{"type":"Missed"},{"type":"Missed"}]}`, missed},
		{"call_info of one level", "call.completed", `{"id":1,"call_info__direction":"Incoming","call_info__type":"Missed"}`, missed},
		{"call_info of one level, with dots", "call.completed", `{"id":1,"call_info.direction":"Outgoing","call_info.type":"Missed"}`, call},
		{"a reason of one level", "call.completed", `{"id":1,"missed_call_reason":"Not picked by agent"}`, missed},
		{"call_info that is JSON in a string", "call.completed", `{"id":1,"call_info":"{\"type\":\"Missed\"}"}`, missed},
		{"names in another letter case", "call.completed", `{"Id":1,"CallInfo":{"Type":"Missed"},"call_info":{"direction":"Incoming"}}`, missed},
		{"a documented name comes first", "call.completed", `{"id":1,"CallInfo":{"type":"Missed"},"call_info":{"type":"Answered"}}`, call},
		{"call_info that is null", "call.missed", `{"id":1,"call_info":null}`, missed},
		{"a type that is an array", "call.completed", `{"id":1,"call_info":{"type":["Missed"]}}`, missed},
		{"a type that is an object", "call.completed", `{"id":1,"call_info":{"type":{"id":5,"color":"answered","name":"Missed"}}}`, missed},
		{"a type that is an object without a word", "call.completed", `{"id":1,"call_info":{"type":{"color":"missed"}}}`, call},
		{"a direction that is an object", "call.completed", `{"id":1,"call_info":{"direction":{"value":"Outgoing"},"type":"Missed"}}`, call},
		{"a status that is an array", "call.completed", `{"id":1,"status":["no-answer"]}`, missed},
		{"a reason that is an array", "call.completed", `{"id":1,"call_info":{"missed_call_reason":["After hours"]}}`, missed},
		{"a reason that is an object", "call.completed", `{"id":1,"call_info":{"missed_call_reason":{"name":"After hours"}}}`, missed},
		{"a reason that is a number", "call.completed", `{"id":1,"call_info":{"missed_call_reason":3}}`, missed},
		{"a reason that is true", "call.completed", `{"id":1,"call_info":{"missed_call_reason":true}}`, missed},
		{"reasons that are none", "call.completed", `{"id":1,"call_info":{"missed_call_reason":false},"missed_call_reason":[0,""]}`, call},
		{"a status under a name that is not registered", "x.y", `{"call_id":"x","status":"missed"}`, missed},
		{"a status of what is no call", "x.y", `{"message_id":"x","status":"failed"}`, events.KindUnknown},
		{"a status of a person", "agent.status_changed", `{"call_id":"x","status":"unavailable"}`, events.KindUnknown},
		{"a status of a call that a person had", "agent.call_ended", `{"call_id":"x","status":"missed"}`, missed},
		{"a recording of what we left", "sd.voicemail_drop_recording", `{"call_id":"x"}`, events.KindUnknown},
		{"a status of a part of a call", "call.recording", `{"call_id":"x","status":"failed"}`, events.KindUnknown},
		{"call.answered", "call.answered", `{"call_id":"x"}`, call},
		{"call.incoming", "call.incoming", `{"id":1}`, call},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, bodyB(test.typ, test.data))
			if d.Kind != test.want {
				t.Errorf("kind: got %s, want %s", d.Kind, test.want)
			}
			_, isVoicemail := d.Details().Event.(*events.Voicemail)
			if isVoicemail != (d.Kind == voicemail) {
				t.Errorf("a %s is a %T", d.Kind, d.Details().Event)
			}
		})
	}
}

func TestAgentID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		data string
		want events.Optional[int64]
		fits bool
	}{
		{"absent", `{"ID":"x"}`, events.Optional[int64]{}, true},
		{"null", `{"agent_id":null}`, null, true},
		{"an empty string is nobody", `{"agent_id":""}`, null, true},
		{"white space is nobody", `{"agent_id":" \t"}`, null, true},
		{"zero is not nobody", `{"agent_id":0}`, set(0), true},
		{"zero as a string", `{"agent_id":"0"}`, set(0), true},
		{"a number", `{"agent_id":42}`, set(42), true},
		{"a number as a string", `{"agent_id":"42"}`, set(42), true},
		{"a number with space around it", `{"agent_id":" 42 "}`, set(42), true},
		{"a whole number written as a float", `{"agent_id":42.0}`, set(42), true},
		{"a whole number written with an exponent", `{"agent_id":4.2e1}`, set(42), true},
		{"a negative number", `{"agent_id":-1}`, set(-1), true},
		{"the largest number", `{"agent_id":9223372036854775807}`, set(9223372036854775807), true},
		{"a larger number", `{"agent_id":9223372036854775808}`, events.Optional[int64]{}, false},
		{"a fraction", `{"agent_id":42.5}`, events.Optional[int64]{}, false},
		{"beyond every number", `{"agent_id":1e400}`, events.Optional[int64]{}, false},
		{"a word", `{"agent_id":"Sam"}`, events.Optional[int64]{}, false},
		{"a bool", `{"agent_id":false}`, events.Optional[int64]{}, false},
		{"an object", `{"agent_id":{}}`, events.Optional[int64]{}, false},
		{"an array", `{"agent_id":[]}`, events.Optional[int64]{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			call := decode(t, bodyB("call.missed", test.data))
			message := decode(t, bodyB("sms.sent", test.data))
			voicemail := decode(t, bodyB("call.voicemail", test.data))
			for name, got := range map[string]events.Optional[int64]{
				"call":      call.Details().Event.(*events.Call).AgentID,
				"message":   message.Details().Event.(*events.Message).AgentID,
				"voicemail": voicemail.Details().Event.(*events.Voicemail).AgentID,
			} {
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				value, ok := got.Get()
				if ok != (test.want.State == events.Set) || value != test.want.Value {
					t.Errorf("%s: Get returns %d, %v", name, value, ok)
				}
			}
			if fits := len(call.TypeMismatches) == 0; fits != test.fits {
				t.Errorf("type mismatches: %q", call.TypeMismatches)
			}
		})
	}
}

// Whatever the type's name, somebody called and was not served.
func TestPromise3_ACallUnderAnyNameIsRead(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]events.Kind{
		"Missed": events.KindMissedCall, "Abandoned": events.KindMissedCall, "Voicemail": events.KindVoicemail, "Bridged": events.KindUnknown,
	} {
		if got := decode(t, bodyB("x.y", `{"call_sid":"s","call_info":{"type":"`+word+`"}}`)).Kind; got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		json string
		want events.Optional[int64]
		fits bool
	}{
		{`22`, set(22), true},
		{`"22"`, set(22), true},
		{`22.0`, set(22), true},
		{`22.7`, set(22), true},
		{`"22.7"`, set(22), true},
		{`2.2e1`, set(22), true},
		{`"00:22"`, set(22), true},
		{`"0:22"`, set(22), true},
		{`" 1:22 "`, set(82), true},
		{`"90:00"`, set(5400), true},
		{`"1:02:03"`, set(3723), true},
		{`"00:00:22.5"`, set(22), true},
		{`"22s"`, set(22), true},
		{`"22 sec"`, set(22), true},
		{`"22.5 Seconds"`, set(22), true},
		{`"1m 22s"`, set(82), true},
		{`"1 hour, 2 minutes, 3 seconds"`, set(3723), true},
		{`"1h2m3s"`, set(3723), true},
		{`"PT1H2M3S"`, set(3723), true},
		{`" PT22.5S "`, set(22), true},
		{`0`, set(0), true},
		{`""`, null, true},
		{`" "`, null, true},
		{`null`, null, true},
		{`-1`, null, true},

		{`"1:60"`, events.Optional[int64]{}, false},
		{`"1:2:3:4"`, events.Optional[int64]{}, false},
		{`":"`, events.Optional[int64]{}, false},
		{`"-1:00"`, events.Optional[int64]{}, false},
		{`"1.5 min"`, events.Optional[int64]{}, false},
		{`"22 parsecs"`, events.Optional[int64]{}, false},
		{`"s"`, events.Optional[int64]{}, false},
		{`"PT"`, events.Optional[int64]{}, false},
		{`"P1D"`, events.Optional[int64]{}, false},
		{`"22m22"`, events.Optional[int64]{}, false},
		{`"99999999s"`, events.Optional[int64]{}, false},
		{`"long"`, events.Optional[int64]{}, false},
		{`"NaN"`, events.Optional[int64]{}, false},
		{`1e400`, events.Optional[int64]{}, false},
		{`-0.5`, events.Optional[int64]{}, false},
		{`true`, events.Optional[int64]{}, false},
		{`[22]`, events.Optional[int64]{}, false},
	} {
		t.Run(test.json, func(t *testing.T) {
			t.Parallel()
			for name, data := range map[string]string{
				"duration":      `{"duration":` + test.json + `,"ring_duration":` + test.json + `}`,
				"call_duration": `{"call_duration":{"total_duration":` + test.json + `,"ring_time":` + test.json + `}}`,
			} {
				d := decode(t, bodyA("call.missed", data))
				call := d.Details().Event.(*events.Call)
				if diff := cmp.Diff([]events.Optional[int64]{test.want, test.want}, []events.Optional[int64]{call.Duration, call.RingDuration}); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				if fits := len(d.TypeMismatches) == 0; fits != test.fits {
					t.Errorf("%s: type mismatches: %q", name, d.TypeMismatches)
				}
			}
		})
	}
}

func TestDirectionIsAWholeWord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		json  string
		want  events.Direction
		phone string
	}{
		{`"inbound"`, events.Inbound, "+14155558765"},
		{`"Incoming"`, events.Inbound, "+14155558765"},
		{`" INBOUND "`, events.Inbound, "+14155558765"},
		{`"outbound"`, events.Outbound, "+14155551234"},
		{`"Outgoing"`, events.Outbound, "+14155551234"}, // contains "in"
		{`"OUTGOING"`, events.Outbound, "+14155551234"},
		{`"in"`, events.Inbound, "+14155558765"},
		{`"OUT"`, events.Outbound, "+14155551234"},
		{`"Inbound call"`, events.Inbound, "+14155558765"},
		{`"Out-going"`, events.Outbound, "+14155551234"},
		{`"out bound call"`, events.Outbound, "+14155551234"},
		{`"In Coming"`, events.Inbound, "+14155558765"},
		{`"sortant"`, events.Outbound, "+14155551234"},
		{`"Llamada saliente"`, events.Outbound, "+14155551234"},
		{`["outbound"]`, events.Outbound, "+14155551234"},
		{`"outgoing_call"`, events.Outbound, "+14155551234"},
		{`"OutgoingCall"`, events.Outbound, "+14155551234"},
		{`"outbound-api"`, events.Outbound, "+14155551234"},
		{`"in progress"`, "", ""},
		{`"call in"`, "", ""},
		{`"dropout"`, "", ""},
		{`"outgoing inbound"`, "", ""},
		{`""`, "", ""},
		{`null`, "", ""},
		{`1`, "", ""},
	} {
		t.Run(test.json, func(t *testing.T) {
			t.Parallel()
			d := decode(t, bodyA("call.completed", `{"call_id":"x","from":"+14155558765","to":"+14155551234","direction":`+test.json+`}`))
			if got := d.Details().Event.(*events.Call).Direction; got != test.want {
				t.Errorf("direction: got %q, want %q", got, test.want)
			}
			if d.Phone != test.phone {
				t.Errorf("phone: got %q, want %q", d.Phone, test.phone)
			}
		})
	}
}

func TestPhoneIsTheOutsideParty(t *testing.T) {
	t.Parallel()
	const outside, ours = "+14155558765", "+14155551234"
	for _, test := range []struct {
		name string
		typ  events.Type
		data string
		want string
	}{
		{"who called, of an inbound call", "call.completed", `{"direction":"inbound","from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"who was called, of an outbound call", "call.completed", `{"direction":"outbound","from":"` + ours + `","to":"` + outside + `"}`, outside},
		{"who called, of a missed call without direction", "call.missed", `{"from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"who called, of a voicemail, which has no direction", "voicemail.received", `{"from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"who wrote", "sms.received", `{"from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"who opted out", "sms.optout", `{"from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"who opted in", "sms.optin", `{"from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"who was written to", "sms.sent", `{"from":"` + ours + `","to":"` + outside + `"}`, outside},
		{"who it was delivered to", "sms.delivered", `{"from":"` + ours + `","to":"` + outside + `"}`, outside},
		{"who it failed to reach", "sms.failed", `{"from":"` + ours + `","to":"` + outside + `"}`, outside},
		{"the direction before the name", "sms.sent", `{"direction":"inbound","from":"` + outside + `","to":"` + ours + `"}`, outside},
		{"nobody where neither tells", "sms.status_updated", `{"from":"` + outside + `","to":"` + ours + `"}`, ""},
		{"format B's contact, of an incoming call", "call.completed", `{"contact_number":"14155558765","justcall_number":"14155551234","call_info":{"direction":"Incoming"}}`, outside},
		{"format B's contact, of an outgoing call", "call.completed", `{"contact_number":"14155558765","justcall_number":"14155551234","call_info":{"direction":"Outgoing"}}`, outside},
		{"format B's contact as a number", "sms.sent", `{"contact_number":14155558765,"justcall_number":14155551234,"direction":"Outgoing"}`, outside},
		{"format B's contact as a number with an exponent", "sms.sent", `{"contact_number":1.4155558765e10}`, outside},
		{"who called, where the contact's number is empty", "call.missed", `{"contact_number":"","from":"` + outside + `"}`, outside},
		{"nobody where the caller is empty", "call.missed", `{"from":"","to":"` + ours + `"}`, ""},
		{"nobody where the caller is null", "call.missed", `{"from":null,"to":"` + ours + `"}`, ""},
		{"nobody where the caller is withheld", "call.missed", `{"from":"+266696687","to":"` + ours + `"}`, ""},
		{"nobody where the contact is anonymous", "call.missed", `{"contact_number":"anonymous","justcall_number":"14155551234"}`, ""},
		{"nobody where the contact's number is -1", "call.missed", `{"contact_number":-1}`, ""},
		{"the number in an object", "call.missed", `{"contact_number":{"e164":"` + outside + `"}}`, outside},
		{"the number in an array", "call.missed", `{"from":["` + outside + `"]}`, outside},
		{"nobody where an object has no number", "call.missed", `{"contact_number":{"n":1}}`, ""},
		{"who called, where the contact's number is a word", "call.missed", `{"contact_number":"JustCall","from":"` + outside + `"}`, outside},
		{"an appointment's customer", "appointment.scheduled", `{"customer_number":"14155558765"}`, outside},
		{"a contact's phone", "contact.created", `{"phone":"(415) 555-8765"}`, "+4155558765"},
		{"a contact's number", "jc.contact_status_updated", `{"contact_number":14155558765}`, outside},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := decode(t, bodyB(test.typ, test.data)).Phone; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestBothFormatsGiveTheSameShapes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want events.Event
	}{
		{
			"format A's missed call",
			bodyA("call.missed", `{"call_id":"call_1","direction":"inbound","from":"+14155558765","to":"+14155551234","agent_id":null,"ring_duration":30,"status":"missed"}`),
			&events.Call{
				ID: "call_1", Direction: events.Inbound, From: "+14155558765", To: "+14155551234",
				AgentID: null, RingDuration: set(30),
			},
		},
		{
			"format B's missed call",
			bodyB("call.missed", `{"id":7,"call_sid":"CA1","contact_number":"14155558765","contact_name":"Pat","justcall_number":"14155551234","agent_id":"","call_info":{"direction":"Incoming","type":"Missed","missed_call_reason":"Caller hung up","status":"Unarchived","disposition":"","notes":""},"call_duration":{"total_duration":30,"ring_time":"30","conversation_time":0}}`),
			&events.Call{
				ID: "CA1", Direction: events.Inbound, From: "14155558765", To: "14155551234",
				AgentID: null, ContactName: "Pat", Duration: set(30), RingDuration: set(30),
				MissedReason: "Caller hung up",
			},
		},
		{
			"format A's completed call",
			bodyA("call.completed", `{"call_id":"call_1","direction":"outbound","from":"+14155551234","to":"+14155558765","agent_id":42,"agent_name":"Jordan","duration":185,"status":"completed","recording_url":"https://example.com/r","notes":"n","disposition":"d"}`),
			&events.Call{
				ID: "call_1", Direction: events.Outbound, From: "+14155551234", To: "+14155558765",
				AgentID: set(42), AgentName: "Jordan", Duration: set(185),
				RecordingURL: "https://example.com/r", Notes: "n", Disposition: "d",
			},
		},
		{
			"format B's outgoing call puts our line first",
			bodyB("call.completed", `{"id":7,"call_sid":"CA1","contact_number":14155558765,"justcall_number":14155551234,"agent_id":42,"agent_name":"Jordan","call_info":{"direction":"Outgoing","type":"answered","recording":"https://example.com/r","disposition":"d","notes":"n"},"call_duration":{"total_duration":185}}`),
			&events.Call{
				ID: "CA1", Direction: events.Outbound, From: "14155551234", To: "14155558765",
				AgentID: set(42), AgentName: "Jordan", Duration: set(185),
				RecordingURL: "https://example.com/r", Notes: "n", Disposition: "d",
			},
		},
		{
			"a missed call whose name is not registered",
			bodyB("call.abandoned", `{"id":7,"call_sid":"CA1","contact_number":"14155558765","justcall_number":"14155551234","agent_id":null,"call_info":{"direction":"Incoming","type":"Missed"},"tags":[]}`),
			&events.Call{ID: "CA1", Direction: events.Inbound, From: "14155558765", To: "14155551234", AgentID: null},
		},
		{
			"a Sales Dialer call's line",
			bodyB("sd.call_completed", `{"call_sid":"CA1","contact_number":"14155558765","sales_dialer_number":"14155551234","campaign":{"id":1},"call_info":{"direction":"Outgoing"}}`),
			&events.Call{ID: "CA1", Direction: events.Outbound, From: "14155551234", To: "14155558765"},
		},
		{
			"format A's voicemail",
			bodyA("voicemail.received", `{"call_id":"call_1","from":"+14155558765","to":"+14155551234","agent_id":42,"duration":22,"recording_url":"https://example.com/v","transcription":"Hi"}`),
			&events.Voicemail{
				CallID: "call_1", From: "+14155558765", To: "+14155551234", AgentID: set(42),
				Duration: set(22), RecordingURL: "https://example.com/v", Transcription: "Hi",
			},
		},
		{
			"format B's voicemail",
			bodyB("call.voicemail", `{"call_sid":"CA1","contact_number":"14155558765","justcall_number":"14155551234","agent_id":null,"call_info":{"direction":"Incoming","recording":"https://example.com/v","voicemail_transcription":"Hi"}}`),
			&events.Voicemail{
				CallID: "CA1", From: "14155558765", To: "14155551234", AgentID: null,
				RecordingURL: "https://example.com/v", Transcription: "Hi",
			},
		},
		{
			"format A's text, with HTML entities as they are",
			bodyA("sms.received", `{"message_id":"msg_1","direction":"inbound","from":"+14155558765","to":"+14155551234","body":"5 &lt; 6 \\o/","media_url":null}`),
			&events.Message{
				ID: "msg_1", Direction: events.Inbound, From: "+14155558765", To: "+14155551234",
				Body: `5 &lt; 6 \o/`,
			},
		},
		{
			"a picture",
			bodyA("sms.received", `{"message_id":"msg_1","media_url":"https://example.com/1"}`),
			&events.Message{ID: "msg_1", Direction: events.Inbound, MediaURLs: []string{"https://example.com/1"}},
		},
		{
			"several pictures",
			bodyA("sms.received", `{"message_id":"msg_1","media_urls":["https://example.com/1","https://example.com/2"]}`),
			&events.Message{ID: "msg_1", Direction: events.Inbound, MediaURLs: []string{"https://example.com/1", "https://example.com/2"}},
		},
		{
			"no picture, in all its spellings",
			bodyA("sms.received", `{"message_id":"msg_1","media_url":"","media_urls":["",null]}`),
			&events.Message{ID: "msg_1", Direction: events.Inbound},
		},
		{
			"format A's delivered text",
			bodyA("sms.delivered", `{"message_id":"msg_1","direction":"outbound","from":"+14155551234","to":"+14155558765","status":"delivered","delivered_at":"2026-03-12T14:36:04Z"}`),
			&events.Message{
				ID: "msg_1", Direction: events.Outbound, From: "+14155551234", To: "+14155558765",
				Status: "delivered", DeliveredAt: "2026-03-12T14:36:04Z",
			},
		},
		{
			"format B's text",
			bodyB("sms.sent", `{"id":7,"contact_number":"14155558765","contact_name":"Pat","justcall_number":"14155551234","agent_id":42,"agent_name":"Jordan","direction":"Outgoing","sms_info":{"body":"Hi","is_mms":"0"},"delivery_status":"sent"}`),
			&events.Message{
				ID: "7", Direction: events.Outbound, From: "14155551234", To: "14155558765",
				ContactName: "Pat", Body: "Hi", AgentID: set(42), AgentName: "Jordan", Status: "sent",
			},
		},
		{
			"format A's contact",
			bodyA("contact.updated", `{"contact_id":98765,"changed_fields":["company"],"first_name":"Jordan","last_name":"Lee","phone":"+14155558765","email":"j@example.com","company":"Acme","source":"ui"}`),
			&events.Contact{
				ID: "98765", FirstName: "Jordan", LastName: "Lee", Phone: "+14155558765",
				Email: "j@example.com", Company: "Acme", Source: "ui", ChangedFields: []string{"company"},
			},
		},
		{
			"format B's contact",
			bodyB("jc.contact_status_updated", `{"id":7,"name":"Jordan Lee","contact_number":14155558765,"other_numbers":[],"email":null,"company":"","status":{"blacklist":0,"dnd":1,"dnm":0}}`),
			&events.Contact{
				ID: "7", Name: "Jordan Lee", Phone: "14155558765",
				OtherNumbers: events.Optional[[]string]{State: events.Set},
				Blacklisted:  yes(false), DoNotDisturb: yes(true),
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, test.body)
			if diff := cmp.Diff(test.want, d.Details().Event); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if len(d.TypeMismatches)+len(d.NewFields) > 0 {
				t.Errorf("type mismatches %q, new fields %q", d.TypeMismatches, d.NewFields)
			}
		})
	}
}

// Some languages write an empty object as [].
func TestEmptyObjectsHaveSeveralSpellings(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{`{}`, `{ }`, `[]`, `[ ]`, `""`, `null`} {
		t.Run(empty, func(t *testing.T) {
			t.Parallel()
			d := decode(t, bodyB("call.missed", `{"id":7,"call_info":`+empty+`,"call_duration":`+empty+`}`))
			if len(d.TypeMismatches) > 0 {
				t.Errorf("type mismatches: %q", d.TypeMismatches)
			}
		})
	}
}
