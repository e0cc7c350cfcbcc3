package main_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

const (
	publishBatch = "PublishBatch"
	putItem      = "PutItem"
	query        = "Query"
)

// onFirst fails the first n publications.
func onFirst(n int, fault faultproxy.Fault) faultproxy.Decide {
	return func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != publishBatch {
			return faultproxy.Fault{}
		}
		if n--; n == -1 {
			n++ // stay at 0
			return faultproxy.Fault{}
		}
		return fault
	}
}

// always fails every request of an operation.
func always(operation string, fault faultproxy.Fault) faultproxy.Decide {
	return func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != operation {
			return faultproxy.Fault{}
		}
		return fault
	}
}

// ofHistory reports whether a request queries the caller's contacts and rings, and not
// a call, one ring or the follow-up.
func ofHistory(r faultproxy.Request) bool {
	return r.Operation == query && strings.Contains(string(r.Body), `"RING#~"`)
}

// ofFollowUp reports whether a request reads or writes a follow-up.
func ofFollowUp(r faultproxy.Request) bool {
	return strings.Contains(string(r.Body), `"`+table.FollowUpKey("").SK+`"`)
}

// However a publish fails, the alert arrives. It is repeated only if the topic
// accepted it and answered with an error.
func TestPromise2_AnAlertOutlivesAPublishThatFails(t *testing.T) {
	t.Parallel()
	const late = 2500 * time.Millisecond // longer than the time of an attempt
	for _, tc := range []struct {
		name  string
		fault faultproxy.Fault
		times int // how often it fails, in part for several invocations
		most  int // how often the alert may come
	}{
		{"throttled", faultproxy.TopicThrottled, 1, 1},
		{"throttled for all of an invocation", faultproxy.TopicThrottled, 7, 1},
		{"over the limit of the action", faultproxy.TopicOverLimit, 2, 1},
		{"denied", faultproxy.TopicDenied, 2, 1},
		{"broken", faultproxy.TopicBroken, 7, 1},
		{"cut off", faultproxy.Fault{Cut: true}, 7, 1},
		{"timing out", faultproxy.Fault{Delay: late, Cut: true}, 1, 1},
		{"timing out although accepted", faultproxy.Fault{PassOn: true, Cut: true}, 2, 3},
		{"answering 500 although accepted", faultproxy.Fault{PassOn: true, Status: 500, Body: faultproxy.TopicBroken.Body}, 2, 3},
		{"answering nonsense although accepted", faultproxy.Fault{PassOn: true, Status: 200, Body: "<html>"}, 1, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(sample(t, "call.missed"))
			w.topic.Set(onFirst(tc.times, tc.fault))

			if lost := w.deliver(records); len(lost) > 0 {
				t.Errorf("given up: %d", len(lost))
			}

			got := w.alerts()
			if len(got) < 1 || len(got) > tc.most {
				t.Errorf("came %d times, want at least once and at most %d times", len(got), tc.most)
			}
			for _, d := range got {
				// The ID shows receivers that it is a repetition.
				if d.ID != "CALL#call_1d4e5f6a/missed_call" {
					t.Errorf("came with id %q", d.ID)
				}
			}
			if diff := cmp.Diff([]string{"ALERT#missed_call", "ALERT#missed_call#publishing"}, w.marks("CALL#call_1d4e5f6a")); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
			w.deliver(records)
			w.wantAlerts()
		})
	}
}

// The failure bucket has the whole record. After the fault is fixed, it brings the
// alert.
func TestPromise5_AnAlertThatIsGivenUpIsKeptWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := w.stored(missed("c1"), missed("c2"))
	w.topic.Set(always(publishBatch, faultproxy.TopicDenied))

	lost := w.deliver(records)
	w.wantAlerts()
	if len(lost) != 2 {
		t.Fatalf("%d batches given up, want each record by itself", len(lost))
	}
	if !strings.Contains(w.logs(), "AuthorizationError") || w.logged("alert failed") == 0 {
		t.Errorf("the log does not say why:\n%s", w.logs())
	}
	if diff := cmp.Diff([]string{"ALERT#missed_call#publishing"}, w.marks("CALL#c1")); diff != "" {
		t.Errorf("marked although not published (-want +got):\n%s", diff)
	}

	w.topic.Set(faultproxy.None)
	for _, l := range lost {
		var object struct {
			Payload string `json:"payload"`
		}
		if err := json.Unmarshal(l.Object, &object); err != nil {
			t.Fatal(err)
		}
		if _, err := w.function.Invoke(t.Context(), []byte(object.Payload)); err != nil {
			t.Fatal(err)
		}
	}
	w.wantAlerts("CALL#c1/missed_call", "CALL#c2/missed_call")
}

// Only the messages of a batch that the topic did not accept are sent again.
func TestOnlyTheRefusedPartOfABatchIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := w.stored(missed("c1"), missed("c2"), missed("c3"))
	const answer = `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>` +
		`<Successful><member><Id>0</Id><MessageId>1</MessageId></member><member><Id>2</Id><MessageId>3</MessageId></member></Successful>` +
		`<Failed><member><Id>1</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member></Failed>` +
		`</PublishBatchResult></PublishBatchResponse>`
	w.topic.Set(onFirst(1, faultproxy.Fault{Status: http.StatusOK, Body: answer}))

	if failed := w.invoke(records); failed != "" {
		t.Errorf("reported %s although all was sent in the end", failed)
	}
	w.wantAlerts("CALL#c2/missed_call") // the only one that reached the real topic
	for _, pk := range []string{"CALL#c1", "CALL#c2", "CALL#c3"} {
		if got := w.marks(pk); len(got) != 2 {
			t.Errorf("%s has marks %v, want one of before and one of after", pk, got)
		}
	}
}

// The record comes again, and not the alert: see package alert.
func TestAnAlertNeitherWaitsForNorFailsWithItsEnrichment(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault faultproxy.Fault
	}{
		{"throttled", faultproxy.TableThrottled},
		{"denied", faultproxy.TableDenied},
		{"broken", faultproxy.TableBroken},
		{"cut off", faultproxy.Fault{Cut: true}},
		{"hanging", faultproxy.Fault{Delay: time.Hour, Cut: true}}, // past the function's timeout
		{"nonsense", faultproxy.Fault{Status: http.StatusOK, Body: "<html>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(sample(t, "call.missed"))
			w.table.Set(func(r faultproxy.Request) faultproxy.Fault {
				if ofHistory(r) {
					return tc.fault
				}
				return faultproxy.Fault{}
			})

			if failed := w.invoke(records); failed == "" {
				t.Error("nobody looks again whether the caller was served")
			}
			got := w.wantAlerts("CALL#call_1d4e5f6a/missed_call")
			if len(got) == 1 && (got[0].Caller.Number != "+14155558765" || got[0].Line.Number != "+14155551234" || got[0].Missed24h != 0) {
				t.Errorf("got %+v, want what the event itself says and no count", got[0].document)
			}
			if w.logged("alert enrichment failed") != 1 || !strings.Contains(w.logs(), `"enriched":false`) {
				t.Errorf("the log does not say that it is missing:\n%s", w.logs())
			}
		})
	}
}

// The record comes again until the follow-up is kept. The alert does not.
func TestAnAlertNeitherWaitsForNorFailsWithTheFollowUp(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]faultproxy.Fault{
		"throttled": faultproxy.TableThrottled,
		"denied":    faultproxy.TableDenied,
		"hanging":   {Delay: time.Hour, Cut: true}, // past the function's timeout
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(sample(t, "call.missed"))
			w.table.Set(func(r faultproxy.Request) faultproxy.Fault {
				if ofFollowUp(r) {
					return fault
				}
				return faultproxy.Fault{}
			})
			if failed := w.invoke(records); failed != records[0].Sequence {
				t.Errorf("reported %q, want the record's %q", failed, records[0].Sequence)
			}
			w.wantAlerts("CALL#call_1d4e5f6a/missed_call")
			if w.logged("follow-up not kept") != 1 {
				t.Errorf("the log does not say so:\n%s", w.logs())
			}

			w.table.Set(faultproxy.None)
			w.deliver(records)
			w.wantAlerts()
			if kept, err := ledger.Load(t.Context(), w.store, "+14155558765"); kept.Version == 0 || err != nil {
				t.Errorf("the follow-up is not kept: %v\n%s", err, w.logs())
			}
		})
	}
}

func TestAnAlertSaysWhatTheTableKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := func(s string) attr.Value { return attr.String(s) }
	if _, err := w.store.Put(t.Context(), table.Item{
		table.PK: text("CALLER#+14155558765"), table.SK: text("CONTACT#1"), "name": text("Kim Novak"), "company": text("Vertigo"),
	}); err != nil {
		t.Fatal(err)
	}
	earlier := strings.Replace(missed("c0", `"from":"+14155558765"`, `"to":"+14155551234"`), "T14:32", "T09:00", 1)
	w.deliver(w.stored(earlier))
	w.deliver(w.stored(sample(t, "call.missed")))
	records := w.stored(sample(t, "voicemail.received"))
	w.deliver(records)

	for _, d := range w.wantAlerts("CALL#c0/missed_call", "CALL#call_1d4e5f6a/missed_call", "CALL#call_1d4e5f6a/voicemail") {
		if d.Caller.Name != "Kim Novak" || d.Caller.Company != "Vertigo" {
			t.Errorf("%s: caller %+v, want Kim Novak of Vertigo", d.ID, d.Caller)
		}
		if d.Kind != "voicemail" {
			continue
		}
		if d.Missed24h != 2 {
			t.Errorf("missed %d times, want 2", d.Missed24h)
		}
		if d.MissedCall == nil || d.MissedCall.CallID != "call_1d4e5f6a" || d.MissedCall.OccurredAt != "2026-03-12T14:32:00.000Z" {
			t.Errorf("the voicemail's missed call is %+v", d.MissedCall)
		}
	}
}

// While the marks cannot be read, nobody knows whether an alert was published.
func TestPromise2_WithoutTheMarksAnAlertComesLater(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault faultproxy.Fault
	}{
		{"throttled", faultproxy.TableThrottled},
		{"denied", faultproxy.TableDenied},
		{"broken", faultproxy.TableBroken},
		{"cut off", faultproxy.Fault{Cut: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(missed("c1"), missed("c2"))
			w.table.Set(func(r faultproxy.Request) faultproxy.Fault {
				if r.Operation == query && !ofHistory(r) {
					return tc.fault
				}
				return faultproxy.Fault{}
			})
			if failed := w.invoke(records); failed != records[0].Sequence {
				t.Errorf("reported %q, want the first record's %q", failed, records[0].Sequence)
			}
			w.wantAlerts()

			w.table.Set(faultproxy.None)
			w.deliver(records)
			w.wantAlerts("CALL#c1/missed_call", "CALL#c2/missed_call")
		})
	}
}

// Reporting the record would repeat the alert for certain.
func TestAnAlertThatCannotBeMarkedIsNotSentAgainForThat(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault faultproxy.Fault
	}{
		{"throttled", faultproxy.TableThrottled},
		{"denied", faultproxy.TableDenied},
		{"cut off", faultproxy.Fault{Cut: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(missed("c1"))
			w.table.Set(always(putItem, tc.fault))
			if lost := w.deliver(records); len(lost) > 0 {
				t.Errorf("given up: %d", len(lost))
			}
			w.wantAlerts("CALL#c1/missed_call")
			if w.logged("alert published") != 1 || w.logged("alert not marked") != 1 {
				t.Errorf("the log does not say so:\n%s", w.logs())
			}
		})
	}
}

func TestPromise5_ARecordThatCannotBeReadKeepsNoOtherBack(t *testing.T) {
	t.Parallel()
	// All of these pass the filter, which only checks the attribute alert.
	for name, damage := range map[string][2]string{
		"an attribute of an unknown type": {`"NewImage":{`, `"NewImage":{"x":{"XS":["a"]},`},
		"a number that is an object":      {`"NewImage":{`, `"NewImage":{"x":{"N":{}},`},
		"an attribute of no type":         {`"NewImage":{`, `"NewImage":{"x":{},`},
		"an attribute of two types":       {`"NewImage":{`, `"NewImage":{"x":{"S":"a","N":"1"},`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(missed("c1"), missed("c2"), missed("c3"))
			text := strings.Replace(string(records[1].Text), damage[0], damage[1], 1)
			if text == string(records[1].Text) {
				t.Fatal("nothing is damaged")
			}
			records[1].Text = []byte(text)

			if failed := w.invoke(records); failed != records[1].Sequence {
				t.Errorf("reported %q, want the damaged record's %q", failed, records[1].Sequence)
			}
			w.wantAlerts("CALL#c1/missed_call", "CALL#c3/missed_call")

			lost := w.deliver(records)
			w.wantAlerts()
			if len(lost) != 1 || len(lost[0].Records) != 1 || string(lost[0].Records[0].Text) != text {
				t.Errorf("given up: %+v, want the damaged record, as it is and alone", lost)
			}
		})
	}
}

// The answer cannot name the record, so Lambda halves the batch until it is alone.
func TestPromise5_ARecordWithoutANumberIsFoundByHalving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := w.stored(missed("c1"), missed("c2"), missed("c3"), missed("c4"), missed("c5"))
	text := strings.Replace(string(records[2].Text), `"SequenceNumber":"`+records[2].Sequence+`",`, "", 1)
	if text == string(records[2].Text) {
		t.Fatal("nothing is damaged")
	}
	records[2].Text = []byte(text)
	if lost := w.deliver(records); len(lost) != 1 || len(lost[0].Records) != 1 || string(lost[0].Records[0].Text) != text {
		t.Errorf("given up: %+v, want the damaged record alone", lost)
	}
	w.wantAlerts("CALL#c1/missed_call", "CALL#c2/missed_call", "CALL#c4/missed_call", "CALL#c5/missed_call")
}

// An item with a damaged payload still says that somebody called.
func TestAPayloadThatCannotBeReadIsAlertedWithWhatTheItemSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := w.stored(missed("c1", `"from":"+14155558765"`))
	text := string(records[0].Text)
	const packed = `"packed":{"B":"`
	if !strings.Contains(text, packed) {
		t.Fatal("no body in the record")
	}
	records[0].Text = []byte(strings.Replace(text, packed, packed+"AAAA", 1))
	if lost := w.deliver(records); len(lost) > 0 {
		t.Errorf("given up: %d", len(lost))
	}
	if got := w.wantAlerts("CALL#c1/missed_call"); len(got) == 1 && got[0].Caller.Number != "+14155558765" {
		t.Errorf("caller %+v, want the number that the item has", got[0].Caller)
	}
}

func TestPromise2_ARecordThatIsSeenTwiceAlertsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := w.stored(missed("c1"), voicemail("c1"), missed("c2"))
	twice := slices.Concat(records, records)

	w.deliver(twice)
	w.wantAlerts("CALL#c1/missed_call", "CALL#c1/voicemail", "CALL#c2/missed_call")
	w.deliver(records)
	w.deliver(twice[2:5])
	w.wantAlerts()
	if got := w.logged("alert skipped"); got != 3+3 {
		t.Errorf("%d lines say that an alert is skipped, want one for each of the two batches after the first: 6", got)
	}
}

// JustCall may report one missed call in several events.
func TestPromise2_EventsOfAMissedCallAlertOnce(t *testing.T) {
	t.Parallel()
	first, second := missed("c1", `"agent_id":null`), missed("c1", `"agent_id":42`)
	t.Run("in one batch", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.deliver(w.stored(first, second))
		w.wantAlerts("CALL#c1/missed_call")
	})
	t.Run("one after the other", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.deliver(w.stored(second))
		w.deliver(w.stored(first))
		w.wantAlerts("CALL#c1/missed_call")
	})
	t.Run("voicemails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		voicemailB := `{"type":"call.voicemail","request_id":"01KKYHXC6EBDG8AGZ0N4CPNFNW","data":{"call_sid":"c1","call_info":{"type":"voicemail"}}}`
		w.deliver(w.stored(voicemail("c1"), voicemailB))
		w.deliver(w.stored(strings.Replace(voicemailB, "call.voicemail", "voicemail.received", 1)))
		w.wantAlerts("CALL#c1/voicemail")
	})
	t.Run("the first of them damaged", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		records := w.stored(first, second)
		records[0].Text = []byte(strings.Replace(string(records[0].Text), `"NewImage":{`, `"NewImage":{"x":{"XS":["a"]},`, 1))
		if lost := w.deliver(records); len(lost) != 1 {
			t.Errorf("given up: %d, want the damaged one", len(lost))
		}
		w.wantAlerts("CALL#c1/missed_call")
	})
	t.Run("the publish failing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.topic.Set(onFirst(4, faultproxy.TopicThrottled))
		if lost := w.deliver(w.stored(first, second)); len(lost) > 0 {
			t.Errorf("given up: %d", len(lost))
		}
		w.wantAlerts("CALL#c1/missed_call")
	})
}

// Only the topic knows its limit for sure.
func TestPromise5_WhatTheTopicRefusesForItsSizeGoesOutRedacted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault faultproxy.Fault
	}{
		{"a request too long", faultproxy.TopicTooLarge},
		{"a parameter not valid", faultproxy.TopicRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(missed("c1"), voicemail("c2", `"transcription":"the words that the topic does not take"`), missed("c3"))
			w.topic.Set(func(r faultproxy.Request) faultproxy.Fault {
				if strings.Contains(string(r.Body), "the+words+that") {
					return tc.fault
				}
				return faultproxy.Fault{}
			})
			if failed := w.invoke(records); failed != "" {
				t.Errorf("reported %s, want nothing to be sent again", failed)
			}
			for _, d := range w.wantAlerts("CALL#c1/missed_call", "CALL#c2/voicemail", "CALL#c3/missed_call") {
				redacted := d.ID == "CALL#c2/voicemail"
				if d.Cut != redacted || d.Key.PK != strings.SplitN(d.ID, "/", 2)[0] {
					t.Errorf("got %+v, want it whole or, of c2, at least the key", d.document)
				}
			}
			if w.logged("alert cut") != 1 {
				t.Errorf("the log does not say that an alert was cut:\n%s", w.logs())
			}
		})
	}
}

func TestAVoicemailOf300KBIsCutAndNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	words := strings.Repeat("call me back about the invoice ", 300<<10/31)
	records := w.stored(
		voicemail("c1", `"transcription":`+quote(words), `"from":"+14155558765"`),
		voicemail("c2", `"transcription":`+quote(strings.Repeat("é☎", 60<<10))),
		missed("c3"),
	)
	if lost := w.deliver(records); len(lost) > 0 {
		t.Errorf("given up: %d", len(lost))
	}
	for _, d := range w.wantAlerts("CALL#c1/voicemail", "CALL#c2/voicemail", "CALL#c3/missed_call") {
		switch d.ID {
		case "CALL#c1/voicemail":
			if !d.Voicemail.TranscriptionCut || !strings.HasPrefix(d.Voicemail.Transcription, "call me back") || d.Caller.Number != "+14155558765" {
				t.Errorf("got %+v, want the start of the words and the caller", d.document)
			}
		case "CALL#c2/voicemail":
			if !d.Voicemail.TranscriptionCut || !strings.HasPrefix(d.Voicemail.Transcription, "é☎é☎") {
				t.Errorf("got %.80q cut=%v, want the start", d.Voicemail.Transcription, d.Voicemail.TranscriptionCut)
			}
		}
	}
}

// Texts of callers and colleagues cannot break a form or fake a line.
func TestTextsOfOthersBreakNothing(t *testing.T) {
	t.Parallel()
	nasty := "Kim \x00\x07\x1b[31m\r\nNumber    +15550100\u2028\u202e\"quoted\" \\ <b>&amp;</b> {\"kind\":\"voicemail\"}"
	long := strings.Repeat("Maximiliana ", 10_000/12)
	w := newWorld(t)
	w.stored(
		`{"event":"contact.created","timestamp":"2026-03-01T10:00:00Z","data":{"contact_id":1,"first_name":` + quote(nasty) + `,"last_name":` + quote(long) + `,"company":` + quote(long) + `,"phone":"+14155558765"}}`,
	)
	w.deliver(w.stored(
		missed("c1", `"from":"+14155558765"`, `"agent_name":`+quote(nasty+long)),
		voicemail("c2", `"from":`+quote(nasty+long), `"to":`+quote(long), `"agent_name":`+quote(long), `"transcription":`+quote(nasty), `"recording_url":"javascript:alert(1)"`),
		missed(`c3\n\u0000`+strings.Repeat("x", 3000), `"from":"+14155558765"`),
	))
	got := w.alerts()
	if len(got) != 3 {
		t.Errorf("%d alerts, want 3", len(got))
	}
	for _, d := range got {
		texts := map[string]string{
			"caller": d.Caller.Name, "company": d.Caller.Company,
			"line": d.Line.Number, "transcription": d.Voicemail.Transcription,
		}
		for _, agent := range d.Agents {
			texts["agent"] += agent.Name
		}
		for name, text := range texts {
			if strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, "\u2028\u202e") {
				t.Errorf("%s has control characters: %q", name, text)
			}
			if n := utf8.RuneCountInString(text); n > 2000 || name != "transcription" && n > 100 {
				t.Errorf("%s has %d characters", name, n)
			}
		}
		if d.Voicemail.RecordingURL != "" {
			t.Errorf("a link of another kind: %q", d.Voicemail.RecordingURL)
		}
		for name, value := range d.attributes {
			if len(value) > 256 || strings.ContainsFunc(value, unicode.IsControl) {
				t.Errorf("attribute %s: %q", name, value)
			}
		}
	}

	messages := w.published()
	if len(messages) != 3 {
		t.Errorf("%d messages sent, want 3: one was sent again", len(messages))
	}
	for _, m := range messages {
		if n := utf8.RuneCountInString(m["subject"]); n == 0 || n > alert.MaxSubject || strings.ContainsFunc(m["subject"], unicode.IsControl) {
			t.Errorf("subject of %d characters: %q", n, m["subject"])
		}
		if n := utf8.RuneCountInString(m["sms"]); n == 0 || n > alert.MaxSMS || strings.ContainsFunc(m["sms"], unicode.IsControl) {
			t.Errorf("text message of %d characters: %q", n, m["sms"])
		}
		if strings.ContainsAny(m["email"], "\x00\x07\x1b\r\u2028\u202e") {
			t.Errorf("the mail has control characters: %q", m["email"])
		}
		for line := range strings.Lines(m["email"]) {
			if strings.HasPrefix(line, "Number    +15550100") {
				t.Errorf("a caller wrote a line of the mail: %q", m["email"])
			}
		}
	}
}

func TestAnAgentAndACallerMayBeUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(w.stored(
		sample(t, "call.missed"), // agent_id null
		missed("c1", `"from":null`, `"to":"+14155551234"`, `"agent_id":0`),
		missed("c2", `"from":"anonymous"`, `"to":"+14155551234"`),
		missed("c3", `"from":""`, `"agent_id":"42"`, `"agent_name":"Kim Novak"`),
	))
	want := map[string]map[string]string{
		"CALL#call_1d4e5f6a/missed_call": {"kind": "missed_call", "outcome": "missed", "line": "+14155551234", "caller": "+14155558765"},
		"CALL#c1/missed_call":            {"kind": "missed_call", "outcome": "missed", "line": "+14155551234", "agent_id": "0"},
		"CALL#c2/missed_call":            {"kind": "missed_call", "outcome": "missed", "line": "+14155551234"},
		"CALL#c3/missed_call":            {"kind": "missed_call", "outcome": "missed", "agent_id": "42"},
	}
	got := map[string]map[string]string{}
	for _, d := range w.alerts() {
		if d.attributes["AWS.SNS.SMS.SMSType"] != "Transactional" {
			t.Errorf("%s: not marked as transactional: %v", d.ID, d.attributes)
		}
		delete(d.attributes, "AWS.SNS.SMS.SMSType")
		got[d.ID] = d.attributes
		known := d.attributes["caller"] != ""
		if d.Caller.Withheld == known || d.Caller.Number != d.attributes["caller"] {
			t.Errorf("%s: caller %+v with attributes %v", d.ID, d.Caller, d.attributes)
		}
		if _, agent := d.attributes["agent_id"]; (len(d.Agents) > 0) != agent {
			t.Errorf("%s: agents %+v with attributes %v", d.ID, d.Agents, d.attributes)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// Format B has other names for the same members.
func TestBothFormatsAlert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var bodies []string
	for _, name := range []string{"call.missed", "call.voicemail", "voicemail.received"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "events", "testdata", "b", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(text))
	}
	if lost := w.deliver(w.stored(bodies...)); len(lost) > 0 {
		t.Errorf("given up: %d", len(lost))
	}
	got := w.alerts()
	if len(got) != len(bodies) {
		t.Errorf("%d alerts, want %d", len(got), len(bodies))
	}
	for _, d := range got {
		if d.Line.Number != d.attributes["line"] || !strings.HasPrefix(d.Line.Number, "+1415555010") || d.Line.Name == "" {
			t.Errorf("%s: line %+v with attributes %v, want that of the business", d.ID, d.Line, d.attributes)
		}
		if d.Caller.Number == "" || d.Caller.Number != d.attributes["caller"] || d.Caller.Number == d.Line.Number {
			t.Errorf("%s: caller %+v with attributes %v, want who called", d.ID, d.Caller, d.attributes)
		}
		if d.OccurredAt == "" || d.CallID == "" || d.ID != "CALL#"+d.CallID+"/"+d.Kind {
			t.Errorf("%s: occurred at %q in call %q", d.ID, d.OccurredAt, d.CallID)
		}
	}
}

// After a crash the alert goes out: twice only if the crash came between publishing
// and marking.
func TestPromise2_AnAlertOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		table bool // the process dies at the request to the table, or else to the topic
		fault faultproxy.Fault
		want  []string
	}{
		{"killed before the publish", false, faultproxy.Fault{Cut: true}, []string{"CALL#c1/missed_call"}},
		{"killed after the publish, before its answer", false, faultproxy.Fault{PassOn: true, Cut: true}, []string{"CALL#c1/missed_call", "CALL#c1/missed_call"}},
		{"killed before the mark", true, faultproxy.Fault{Cut: true}, []string{"CALL#c1/missed_call", "CALL#c1/missed_call"}},
		{"killed after the mark", true, faultproxy.Fault{PassOn: true, Cut: true}, []string{"CALL#c1/missed_call"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			records := w.stored(missed("c1"))
			process, err := w.function.Process()
			if err != nil {
				t.Fatal(err)
			}
			fault := tc.fault
			fault.Then = func() { process.Kill() }
			if tc.table {
				killed := false
				w.table.Set(func(r faultproxy.Request) faultproxy.Fault {
					if killed || r.Operation != putItem || !strings.Contains(string(r.Body), `"`+table.AlertedAt+`"`) {
						return faultproxy.Fault{}
					}
					killed = true
					return fault
				})
			} else {
				w.topic.Set(onFirst(1, fault))
			}
			if _, err := w.function.Invoke(t.Context(), eventsource.Event(records)); !errors.Is(err, eventsource.ErrFunction) {
				t.Fatalf("the process was to be killed: %v", err)
			}

			if lost := w.deliver(records); len(lost) > 0 {
				t.Errorf("given up: %d", len(lost))
			}
			w.wantAlerts(tc.want...)
			if len(w.started) != 2 {
				t.Errorf("%d processes, want a second one", len(w.started))
			}
			w.deliver(records)
			w.wantAlerts()
		})
	}
}

// A batch that is too large for one invocation continues in the next.
func TestManyRecordsAtOnceAllAlert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var bodies, want []string
	for i := range 35 {
		id := "c" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		bodies = append(bodies, missed(id, `"from":"+14155558765"`))
		want = append(want, "CALL#"+id+"/missed_call")
	}
	var publishes atomic.Int32
	w.topic.Set(func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation == publishBatch && publishes.Add(1)%3 == 2 {
			return faultproxy.TopicThrottled
		}
		return faultproxy.Fault{}
	})
	if lost := w.deliver(w.stored(bodies...)); len(lost) > 0 {
		t.Errorf("given up: %d", len(lost))
	}
	w.wantAlerts(want...)
}

// The stream also has marks, and events without an alert.
func TestOnlyEventsToAlertPassTheFilter(t *testing.T) {
	t.Parallel()
	settings, err := eventsource.Read(tabletest.TemplatePath(t), "AlertsFunction", "DynamoDB")
	if err != nil {
		t.Fatal(err)
	}
	var shard eventsource.Shard
	passes := func(make func(...table.Item) ([]eventsource.Record, error), item table.Item) bool {
		records, err := make(item)
		if err != nil {
			t.Fatal(err)
		}
		return settings.Filter.Match(records[0].Text)
	}
	items := map[string]table.Item{}
	for _, name := range []string{
		"call.answered", "call.completed", "call.missed", "contact.created", "contact.updated",
		"sms.delivered", "sms.received", "sms.sent", "voicemail.received",
	} {
		items[name] = itemOf(t, sample(t, name))
	}
	items["a mark"] = table.AlertedItem(table.KeyOf(items["call.missed"]), "missed_call", received, received)
	ring := table.Ring{Caller: "+14155550144", Line: "+14155550101", Start: received}
	items["a seat in a ring"] = table.SeatItem(table.Seat{Ring: ring, What: "missed_call", N: 1}, table.KeyOf(items["call.missed"]), received)
	items["a rejection"] = table.RejectedItem(table.Rejection{Reason: "payload", Body: []byte("{")}, received)
	for name, item := range items {
		want := table.IsEvent(table.KeyOf(item))
		if got := passes(shard.Insert, item); got != want {
			t.Errorf("%s inserted: passes is %v, want %v", name, got, want)
		}
		if passes(shard.Modify, item) || passes(shard.Remove, item) {
			t.Errorf("%s: a change that is no insert passes", name)
		}
	}
}
