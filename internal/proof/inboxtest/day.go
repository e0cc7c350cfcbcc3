package inboxtest

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// Now is the afternoon on which the made-up day is looked at: 16:05 in New York.
var Now = time.Date(2026, time.March, 12, 20, 5, 0, 0, time.UTC)

// Call is one event of a call, in the newer of JustCall's formats.
type Call struct {
	ID, Phone, Name string
	Line            string // its name
	Type            string // "call.missed"
	Direction       string // "Incoming"
	Outcome         string // "Missed"
	At              time.Time
	Agent           string
	Seconds         int
	Reason          string
	Words, URL      string
}

// Body returns the event as JustCall posts it.
func (c Call) Body() string {
	lines := map[string]string{"Main line": "14155550100", "Support": "14155550102", "Orders": "14155550103"}
	return encode(map[string]any{
		"request_id": "r-" + c.ID + c.Type, "type": c.Type,
		"data": map[string]any{
			"id": c.ID, "call_sid": c.ID, "contact_number": c.Phone, "contact_name": c.Name,
			"justcall_number": lines[c.Line], "justcall_line_name": c.Line, "agent_name": c.Agent,
			"call_date": c.At.UTC().Format(time.DateOnly), "call_time": c.At.UTC().Format(time.TimeOnly),
			"call_info": map[string]any{
				"direction": c.Direction, "type": c.Outcome, "missed_call_reason": c.Reason,
				"voicemail_transcription": c.Words, "recording": c.URL,
			},
			"call_duration": map[string]any{"total_duration": c.Seconds, "conversation_time": c.Seconds, "ring_time": 12},
		},
	})
}

func encode(v any) string {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // it is text and numbers
	}
	return string(text)
}

// Missed returns a missed call.
func Missed(id, phone, name, line string, at time.Time) Call {
	return Call{ID: id, Phone: phone, Name: name, Line: line, Type: "call.missed", Direction: "Incoming", Outcome: "Missed", At: at, Reason: "Not picked by agent"}
}

// The people of the day. Their numbers are fictional.
const (
	Rosa  = "+14155550121"
	Hana  = "+14155550127"
	Priya = "+12125550133"
	Tom   = "+13125550148"
	Nadia = "+16465550155"
)

// Day returns what JustCall posted on the made-up day, before [Now].
func Day() (bodies []string) {
	at := func(hour, minute int) time.Time {
		return time.Date(2026, time.March, 12, hour+4, minute, 8, 0, time.UTC) // New York
	}
	call := func(c Call) { bodies = append(bodies, c.Body()) }
	missed := func(id, phone, name, line string, at time.Time) { call(Missed(id, phone, name, line, at)) }
	gaveUp := func(id, phone, line string, at time.Time) {
		call(Call{ID: id, Phone: phone, Line: line, Type: "call.completed", Direction: "Incoming", Outcome: "Abandoned", At: at})
	}
	voicemail := func(id, phone, name, line string, at time.Time, seconds int, words string) {
		call(Call{
			ID: id, Phone: phone, Name: name, Line: line, Type: "call.voicemail", Direction: "Incoming", Outcome: "Voicemail", At: at,
			Seconds: seconds, Words: words, URL: "https://recordings.example.com/" + id + ".mp3",
		})
	}
	back := func(id, phone, name, agent string, at time.Time, seconds int) {
		call(Call{ID: id, Phone: phone, Name: name, Line: "Main line", Type: "call.completed", Direction: "Outgoing", Outcome: "Answered", At: at, Agent: agent, Seconds: seconds})
	}
	answered := func(id, phone, agent string, at time.Time, seconds int) {
		call(Call{ID: id, Phone: phone, Line: "Main line", Type: "call.completed", Direction: "Incoming", Outcome: "Answered", At: at, Agent: agent, Seconds: seconds})
	}
	contact := func(id int, phone, first, last, company string, at time.Time) {
		bodies = append(bodies, encode(map[string]any{
			"event": "contact.created", "timestamp": at.Format(time.RFC3339),
			"data": map[string]any{"contact_id": id, "first_name": first, "last_name": last, "phone": phone, "company": company},
		}))
	}
	text := func(event, id, from, to, body string, at time.Time) {
		direction, agent := "inbound", ""
		if event == "sms.sent" {
			direction, agent = "outbound", "Jordan Lee"
		}
		bodies = append(bodies, encode(map[string]any{
			"event": event, "timestamp": at.Format(time.RFC3339),
			"data": map[string]any{"message_id": id, "direction": direction, "from": from, "to": to, "body": body, "agent_name": agent},
		}))
	}

	contact(5001, Rosa, "Rosa", "Delgado", "Delgado Bakery", at(8, 0))
	contact(5002, Hana, "Hana", "Ito", "Ito & Sons", at(8, 1))
	contact(5003, Tom, "Tom", "Okafor", "", at(8, 2))

	missed("CA0001", Hana, "Hana Ito", "Main line", at(8, 41))
	back("CA0002", Hana, "Hana Ito", "Jordan Lee", at(8, 52), 214)
	missed("CA0003", "+14155550161", "", "Support", at(9, 3))
	answered("CA0004", "+14155550161", "Sam Chen", at(9, 20), 95)
	missed("CA0005", "+14155550162", "", "Main line", at(9, 14))
	back("CA0006", "+14155550162", "", "Kim Park", at(9, 40), 61)
	gaveUp("CA0007", "+14155550163", "Support", at(9, 47))
	back("CA0008", "+14155550163", "", "Kim Park", at(10, 2), 130)
	answered("CA0009", Rosa, "Kim Park", at(9, 30), 312)
	missed("CA0010", Rosa, "Rosa Delgado", "Orders", at(10, 52))
	voicemail("CA0011", Rosa, "Rosa Delgado", "Orders", at(11, 5), 34, "Hi, this is Rosa from the bakery. The flour for tomorrow has not arrived yet. Could you call me back before two, please?")
	text("sms.received", "msg-1", Rosa, "+14155550103", "Any news about the delivery?", at(12, 18))
	text("sms.sent", "msg-2", "+14155550103", Rosa, "Hello Rosa, we are looking into it.", at(12, 25))
	missed("CA0012", Rosa, "Rosa Delgado", "Orders", at(13, 31))
	missed("CA0013", "+14155550164", "", "Main line", at(11, 12))
	back("CA0014", "+14155550164", "", "Sam Chen", at(11, 20), 44)
	missed("CA0015", "+14155550165", "", "Main line", at(12, 6))
	gaveUp("CA0016", "+14155550166", "Main line", at(12, 9))
	back("CA0017", "+14155550166", "", "Jordan Lee", at(12, 30), 88)
	answered("CA0018", "+14155550165", "Jordan Lee", at(12, 15), 70)
	gaveUp("CA0019", "+12125550188", "Support", at(14, 22))
	missed("CA0020", Nadia, "نادية حداد", "Support", at(14, 48))
	voicemail("CA0021", Priya, "Priya Nair", "Main line", at(15, 12), 19, "Hello, I would like to move my appointment to next week. Thank you!")
	missed("CA0022", Tom, "Tom Okafor", "Main line", at(15, 40))
	voicemail("CA0023", "anonymous", "", "Support", at(15, 56), 11, "It is me again, about the broken lock. You know my number.")
	// The others who called were answered.
	agents := []string{"Jordan Lee", "Kim Park", "Sam Chen"}
	for i, hour := range []int{8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 10, 11, 11, 11, 12, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15} {
		answered(fmt.Sprintf("CA01%02d", i), fmt.Sprintf("+1415555%04d", 170+i), agents[i%3], at(hour, 3+i*7%55), 40+i*37%400)
	}
	return bodies
}

// Rejected is a delivery that is refused, because it is no JSON.
const Rejected = `<html>The gateway is <b>busy</b></html>`

// Named returns a call by somebody with a name of their choice, in every text of it.
func Named(id, phone, text string, at time.Time) string {
	c := Missed(id, phone, text, text, at)
	c.Type, c.Outcome, c.Words, c.Reason, c.Agent, c.URL = "call.voicemail", "Voicemail", text, text, text, "javascript:alert(1)"
	return c.Body()
}

// ID returns the id of the nth call of many.
func ID(n int) string { return fmt.Sprintf("CB%06d", n) }
