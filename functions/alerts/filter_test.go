package main_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/moto"
)

// Filter policies as the documentation recommends them.
func TestASubscriberGetsWhatItsFilterPolicyAsksFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const support, sales = "+14155551234", "+14155551235"
	policies := map[string]map[string][]string{
		"one line":              {"line": {support}},
		"another line":          {"line": {sales}},
		"both lines":            {"line": {support, sales}},
		"voicemails":            {"kind": {"voicemail"}},
		"voicemails of a line":  {"kind": {"voicemail"}, "line": {support}},
		"an agent":              {"agent_id": {"42"}},
		"a line without alerts": {"line": {"+14155550000"}},
	}
	queues := map[string]string{}
	for name, policy := range policies {
		queues[name] = moto.Subscribe(t, w.topicARN, policy)
	}

	w.deliver(w.stored(
		missed("c1", `"from":"+14155558765"`, `"to":"`+support+`"`, `"agent_id":42`, `"agent_name":"Kim Novak"`),
		missed("c2", `"from":"+14155558765"`, `"to":"`+sales+`"`),
		voicemail("c2", `"from":"+14155558765"`, `"to":"`+sales+`"`, `"agent_id":42`),
		voicemail("c3", `"from":null`, `"to":"`+support+`"`, `"duration":22`, `"transcription":"Call me back."`),
		missed("c4"),
	))

	const (
		c1  = "CALL#c1/missed_call"
		c2  = "CALL#c2/missed_call"
		c2v = "CALL#c2/voicemail"
		c3v = "CALL#c3/voicemail"
		c4  = "CALL#c4/missed_call"
	)
	want := map[string][]string{
		"one line": {c1, c3v}, "another line": {c2, c2v}, "both lines": {c1, c2, c2v, c3v},
		"voicemails": {c2v, c3v}, "voicemails of a line": {c3v}, "an agent": {c1, c2, c2v},
		"a line without alerts": nil, "no policy": {c1, c2, c2v, c3v, c4},
	}
	queues["no policy"] = w.subscriber
	got := map[string][]string{}
	whole := map[string]delivered{}
	for name, queue := range queues {
		got[name] = nil
		for _, d := range readAlerts(t, moto.Receive(t, queue)) {
			got[name] = append(got[name], d.ID)
			// All subscribers get the same alert.
			if first, seen := whole[d.ID]; seen {
				if diff := cmp.Diff(first, d, cmp.AllowUnexported(delivered{})); diff != "" {
					t.Errorf("%s of %s differs (-another's +its):\n%s", d.ID, name, diff)
				}
			}
			whole[d.ID] = d
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts by subscriber, in order (-want +got):\n%s", diff)
	}

	attributes := map[string]map[string]string{}
	for id, d := range whole {
		delete(d.attributes, "AWS.SNS.SMS.SMSType")
		attributes[id] = d.attributes
	}
	if diff := cmp.Diff(map[string]map[string]string{
		c1:  {"kind": "missed_call", "outcome": "missed", "line": support, "caller": "+14155558765", "agent_id": "42"},
		c2:  {"kind": "missed_call", "outcome": "missed", "line": sales, "caller": "+14155558765", "agent_id": "42"}, // the voicemail names him
		c2v: {"kind": "voicemail", "outcome": "voicemail", "line": sales, "caller": "+14155558765", "agent_id": "42"},
		c3v: {"kind": "voicemail", "outcome": "voicemail", "line": support},
		c4:  {"kind": "missed_call", "outcome": "missed"},
	}, attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if d := whole[c3v]; d.Version != 2 || d.Voicemail.Transcription != "Call me back." || d.Voicemail.Seconds != 22 ||
		!d.Caller.Withheld || d.Line.Number != support || d.CallID != "c3" || d.OccurredAt != "2026-03-12T14:32:00.000Z" {
		t.Errorf("the document of %s is not complete: %+v", c3v, d.document)
	}
}

// The policies of the template's own subscriptions, and those that the documentation
// recommends to programs and incident tools.
func TestWhatIsTakenBackReachesProgramsAndItsCorrectionPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	queues := map[string]string{
		"people":   moto.Subscribe(t, w.topicARN, json.RawMessage(`{"kind": [{"anything-but": ["returned"]}]}`)),
		"programs": moto.Subscribe(t, w.topicARN, json.RawMessage(`{"kind": [{"anything-but": ["correction"]}]}`)),
		"incident": moto.Subscribe(t, w.topicARN, json.RawMessage(`{"kind": ["returned"]}`)),
	}
	const who = `"from":"+14155558765"`
	w.deliver(w.stored(missed("c1", who, `"to":"+14155551234"`)))
	w.deliver(w.stored(body("call.answered", []string{`"call_id":"c1"`, `"direction":"inbound"`, who, `"to":"+14155551234"`})))
	got := map[string][]string{}
	for name, queue := range queues {
		for _, d := range readAlerts(t, moto.Receive(t, queue)) {
			got[name] = append(got[name], d.Kind+" "+d.ID)
		}
	}
	const id = "CALL#c1/missed_call"
	if diff := cmp.Diff(map[string][]string{
		"people":   {"missed_call " + id, "correction " + id},
		"programs": {"missed_call " + id, "returned " + id},
		"incident": {"returned " + id},
	}, got); diff != "" {
		t.Errorf("by subscriber (-want +got):\n%s", diff)
	}
	if marks := w.marks("CALL#c1"); len(marks) != 4 {
		t.Errorf("marks: %v", marks)
	}
}
