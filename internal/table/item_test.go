package table_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// arrival is when every delivery here arrives.
var arrival = time.Date(2026, time.March, 12, 15, 0, 0, 123_000_000, time.UTC)

func itemOf(t require, body string) table.Item {
	t.Helper()
	return table.EventItem(decode(t, body), arrival, arrival)
}

// plain returns the text of a string or number, and "" for anything else.
func plain(v attr.Value) string {
	switch v := v.(type) {
	case attr.String:
		return string(v)
	case attr.Number:
		return string(v)
	default:
		return ""
	}
}

// dynamoJSON returns a value as DynamoDB writes it: {"S":"…"}, {"N":"…"}, ….
func dynamoJSON(v attr.Value) any {
	switch v := v.(type) {
	case attr.String:
		return map[string]any{"S": string(v)}
	case attr.Number:
		return map[string]any{"N": string(v)}
	case attr.Binary:
		return map[string]any{"B": base64.StdEncoding.EncodeToString(v)}
	case attr.Bool:
		return map[string]any{"BOOL": bool(v)}
	case attr.Null:
		return map[string]any{"NULL": true}
	case attr.Map:
		return map[string]any{"M": dynamoItem(v)}
	case attr.List:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = dynamoJSON(element)
		}
		return map[string]any{"L": list}
	default:
		return fmt.Sprintf("%T", v)
	}
}

func dynamoItem(item table.Item) map[string]any {
	attributes := make(map[string]any, len(item))
	for name, v := range item {
		attributes[name] = dynamoJSON(v)
	}
	return attributes
}

// goldenJSON writes an item with one attribute on a line.
func goldenJSON(t *testing.T, item table.Item) []byte {
	t.Helper()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(item)) {
		value, err := json.Marshal(dynamoJSON(item[name]), json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, "  "+quote(name)+": "+string(value))
	}
	return []byte("{\n" + strings.Join(lines, ",\n") + "\n}\n")
}

// names returns the texts of a list attribute.
func names(item table.Item, attribute string) []string {
	list, ok := item[attribute].(attr.List)
	if !ok {
		return nil
	}
	var all []string
	for _, v := range list {
		all = append(all, plain(v))
	}
	return all
}

func payload(t require, item table.Item) []byte {
	t.Helper()
	body, err := table.PayloadOf(item)
	if err != nil {
		t.Fatalf("PayloadOf: %v", err)
	}
	return body
}

type sample struct {
	name string // format/event
	body []byte
}

// samples returns the payloads of a folder, under the given name.
func samples(t *testing.T, name, dir string) []sample {
	t.Helper()
	folder := os.DirFS(dir)
	files, err := fs.Glob(folder, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for _, file := range files {
		body, err := fs.ReadFile(folder, file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{path.Join(name, strings.TrimSuffix(file, ".json")), body})
	}
	return all
}

// documented returns the nine samples of format A.
func documented(t *testing.T) []sample {
	t.Helper()
	nine := samples(t, "a", "../../events-samples")
	if len(nine) != 9 {
		t.Fatalf("%d samples, want nine", len(nine))
	}
	return nine
}

func allSamples(t *testing.T) []sample {
	t.Helper()
	return slices.Concat(documented(t),
		samples(t, "a", "../../events/testdata/a"),
		samples(t, "b", "../../events/testdata/b"))
}

func TestItemsMatchTheirGoldenFiles(t *testing.T) {
	t.Parallel()
	expected := map[string]bool{}
	for _, s := range allSamples(t) {
		file := filepath.Join("testdata", "golden", filepath.FromSlash(s.name)+".json")
		expected[file] = true
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			item := itemOf(t, string(s.body))
			if err := table.Check(item); err != nil {
				t.Errorf("the table refuses it: %v", err)
			}
			if diff := cmp.Diff(string(s.body), string(payload(t, item))); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
			golden.Check(t, file, goldenJSON(t, item))
		})
	}
	golden.NoOthers(t, filepath.Join("testdata", "golden", "*", "*.json"), expected)
}

func TestTheCommonItemStaysUnderOneKilobyte(t *testing.T) {
	t.Parallel()
	for _, s := range documented(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			compact := jsontext.Value(s.body).Clone()
			if err := compact.Compact(); err != nil {
				t.Fatal(err)
			}
			// A write is billed by the kilobyte.
			if size := table.Size(itemOf(t, string(compact))); size > 1024 {
				t.Errorf("item has %d bytes, want 1024 at the most", size)
			}
		})
	}
}

func TestOnlyMissedCallsAndVoicemailsAskForAnAlert(t *testing.T) {
	t.Parallel()
	for _, s := range allSamples(t) {
		item := itemOf(t, string(s.body))
		alert := table.AlertOf(item)
		if kind := plain(item[table.Kind]); alert.Alerts() != (kind == "missed_call" || kind == "voicemail") || alert.Alerts() && string(alert) != kind {
			t.Errorf("%s: of kind %s asks for %q", s.name, kind, alert)
		}
		day, err := time.Parse(time.DateOnly, plain(item[table.OccurredAt])[:len(time.DateOnly)])
		if err != nil {
			t.Fatal(err)
		}
		listed := slices.Contains(table.AlertPartitions(day), plain(item[table.GSI2PK]))
		if want := alert.Alerts() && !events.Type(table.EventType(item)).IsUpdate(); listed != want {
			t.Errorf("%s: in its day's list %t, want %t", s.name, listed, want)
		}
	}
}

// An update is not in its day's list. If there was nothing else to alert of, its mark is.
func TestTheMarkOfAnUpdateIsInTheListOfItsDay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 12, 14, 32, 0, 0, time.UTC)
	for typ, listed := range map[string]bool{"call.updated": true, "call.missed": false} {
		event := itemOf(t, `{"type":"`+typ+`","data":{"call_sid":"s","call_date":"2026-03-12","call_time":"14:32:00","call_info":{"direction":"Incoming","type":"Missed"}}}`)
		if _, ok := event[table.GSI2PK]; ok == listed {
			t.Errorf("%s is listed: %t", typ, ok)
		}
		mark := table.AlertedItem(table.KeyOf(event), events.KindMissedCall, at, arrival)
		if got, ok := mark[table.GSI2PK]; ok != listed || ok && plain(got) != table.AlertPartition(table.KeyOf(event), at) {
			t.Errorf("the mark of %s is listed under %q", typ, plain(got))
		}
		if err := table.Check(mark); err != nil {
			t.Error(err)
		}
	}
}

// What became of the calls of a day is in their list, too.
func TestMarksOfWhatWasTakenBackAreInTheListOfTheDay(t *testing.T) {
	t.Parallel()
	event, other := table.Key{PK: "CALL#1", SK: "EVENT#2026-03-12T14:32:00.000Z#call.missed#0123456789abcdef"}, table.Key{PK: "CALL#2", SK: "EVENT#2"}
	untimed := table.Key{PK: "CALL#1", SK: "EVENT#0000-00-00T00:00:00.000Z#call.missed#0123456789abcdef"}
	for name, mark := range map[string]func(table.Key) table.Item{
		"returned": func(event table.Key) table.Item {
			return table.ReturnedItem(event, events.KindMissedCall, "answered", arrival)
		},
		"twin": func(event table.Key) table.Item {
			return table.TwinItem(event, events.KindMissedCall, "same ring", other)
		},
	} {
		got := mark(event)
		if plain(got[table.GSI2PK]) != table.AlertPartition(event, arrival) || plain(got[table.OccurredAt]) != "2026-03-12T14:32:00.000Z" {
			t.Errorf("%s: %v", name, got)
		}
		if _, listed := mark(untimed)[table.GSI2PK]; listed {
			t.Errorf("%s: the day is made up", name)
		}
	}
}

// A day's list has everything that may be an unserved caller.
func TestPromise3_ACallOfUnknownOutcomeIsInTheListOfItsDay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, typ, info              string
		outcome, direction, kind, in string
	}{
		{"a word that nobody knows", "call.completed", `"direction":"Incoming","type":"Bridged"`, "unknown", "inbound", "call", "ALERT#2026-03-12"},
		{"no word", "call.completed", `"direction":"Incoming","type":""`, "unknown", "inbound", "call", "ALERT#2026-03-12"},
		{"no direction either", "call.completed", `"type":""`, "unknown", "", "call", "ALERT#2026-03-12"},
		{"a call that was blocked", "call.completed", `"direction":"Incoming","type":"Blocked"`, "unknown", "inbound", "call", "ALERT#2026-03-12"},
		{"a call that we made", "call.completed", `"direction":"Outgoing","type":""`, "unknown", "outbound", "call", ""},
		{"the sales dialer's", "sd.call_completed", `"type":"Bridged"`, "unknown", "outbound", "call", ""},
		{"a call that goes on", "call.incoming", `"direction":"Incoming","type":""`, "", "inbound", "call", ""},
		{"an answered call", "call.completed", `"direction":"Incoming","type":"Answered"`, "answered", "inbound", "call", "ANSWERED#2026-03-12"},
		{"a call that was picked up", "call.answered", `"direction":"Incoming","type":"Answered"`, "answered", "inbound", "call", ""},
		{"an update of an answered call", "call.updated", `"direction":"Incoming","type":"Answered"`, "answered", "inbound", "call", ""},
		{"a call of ours that was answered", "call.completed", `"direction":"Outgoing","type":"Answered"`, "answered", "outbound", "call", ""},
		{"an abandoned call", "call.completed", `"direction":"Incoming","type":"Abandoned before ringing"`, "abandoned", "inbound", "missed_call", "ALERT#2026-03-12"},
		{"a missed call that we made", "call.missed", `"direction":"Outgoing","type":"Missed"`, "missed", "outbound", "call", ""},
		{"a voicemail that we left", "call.voicemail", `"direction":"Outgoing"`, "voicemail", "outbound", "call", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			item := itemOf(t, `{"type":"`+test.typ+`","data":{"call_sid":"s","call_date":"2026-03-12","call_time":"14:32:00","call_info":{`+test.info+`}}}`)
			alert := test.kind
			if alert == "call" {
				alert = ""
			}
			want := map[string]string{
				table.Outcome: test.outcome, table.Kind: test.kind,
			}
			if got := string(table.DirectionOf(item)); got != test.direction {
				t.Errorf("direction: got %q, want %q", got, test.direction)
			}
			for name, want := range want {
				if got := table.Text(item, name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			if got := table.AlertOf(item); string(got) != alert {
				t.Errorf("it asks for %q, want %q", got, alert)
			}
			if got := strings.TrimSuffix(table.Text(item, table.GSI2PK), "#2"); got != test.in { // the shard of this call
				t.Errorf("it is in %q, want %q", got, test.in)
			}
		})
	}
}

func TestADirectionIsKeptAsSent(t *testing.T) {
	t.Parallel()
	item := itemOf(t, `{"type":"sms.sent","data":{"id":1,"direction":"Outgoing"}}`)
	if got := table.Text(item, table.Direction); got != "Outgoing" {
		t.Errorf("got %q", got)
	}
}

// Each byte may be the one for which a write costs twice as much.
func TestADirectionIsAnAttributeOnlyWhereNoMemberTellsIt(t *testing.T) {
	t.Parallel()
	long := `"direction":"Incoming","notes":"` + strings.Repeat("x", table.MaxItemSize) + `"`
	for _, test := range []struct{ name, typ, info, attribute, want string }{
		{"told", "call.completed", `"direction":"Incoming"`, "", "inbound"},
		{"in small letters", "call.completed", `"direction":"outgoing"`, "", "outbound"},
		{"in other words", "call.completed", `"direction":"An incoming call"`, "inbound", "inbound"},
		{"by the type alone", "sd.call_completed", `"type":"Bridged"`, "outbound", "outbound"},
		{"not at all", "call.completed", `"type":""`, "", ""},
		{"by a member that has no room", "call.completed", long, "inbound", "inbound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			item := itemOf(t, `{"type":"`+test.typ+`","data":{"call_sid":"s","call_info":{`+test.info+`}}}`)
			if got := table.Text(item, table.Direction); got != test.attribute {
				t.Errorf("attribute %q, want %q", got, test.attribute)
			}
			if got := table.DirectionOf(item); string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAWithheldNumberIsInNoPhonePartition(t *testing.T) {
	t.Parallel()
	for _, from := range []string{`""`, `null`, `"Anonymous"`, `"+266696687"`, `"0"`, `{}`} {
		item := itemOf(t, bodyA("call.missed", "2026-03-12T14:32:00Z", `{"call_id":"c1","direction":"inbound","from":`+from+`}`))
		if v, ok := item[table.GSI1PK]; ok {
			t.Errorf("from %s: it is in %q, want nowhere", from, plain(v))
		}
		if err := table.Check(item); err != nil {
			t.Errorf("from %s: the table refuses it: %v", from, err)
		}
	}
}

func TestMembersKeepTheirOwnTypes(t *testing.T) {
	t.Parallel()
	item := itemOf(t, bodyA("call.completed", "2026-03-12T14:32:00Z", `{
		"call_id": "c1", "agent_id": null, "agent_name": "é\u00e9\n\"\\\ud83d\ude00", "notes": "",
		"duration": 185, "cost_incurred": 0.10, "queue_callback": true,
		"tags": [1, "two", false, null, [], {}],
		"call_info": {"type": "missed", "rating": null, "call_traits": ["a"]}
	}`))
	want := map[string]any{
		"call_id":        map[string]any{"S": "c1"},
		"agent_name":     map[string]any{"S": "éé\n\"\\😀"},
		"notes":          map[string]any{"S": ""},
		"duration":       map[string]any{"N": "185"},
		"cost_incurred":  map[string]any{"N": "0.10"},
		"queue_callback": map[string]any{"BOOL": true},
		"tags": map[string]any{"L": []any{
			map[string]any{"N": "1"},
			map[string]any{"S": "two"},
			map[string]any{"BOOL": false},
			map[string]any{"NULL": true},
			map[string]any{"L": []any{}},
			map[string]any{"M": map[string]any{}},
		}},
		"call_info": map[string]any{"M": map[string]any{
			"type":        map[string]any{"S": "missed"},
			"rating":      map[string]any{"NULL": true},
			"call_traits": map[string]any{"L": []any{map[string]any{"S": "a"}}},
		}},
	}
	got := dynamoItem(item)
	for _, own := range []string{
		table.PK, table.SK, table.Kind, table.GSI2PK, table.OccurredAt, table.ReceivedAt, table.Payload, table.Outcome, table.Direction,
	} {
		if _, ok := got[own]; !ok {
			t.Errorf("no %s", own)
		}
		delete(got, own)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestNumbersStayExact(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		number string
		isText bool // where the table cannot hold it
	}{
		{number: "0"},
		{number: "-0"},
		{number: "185.0"},
		{number: "9007199254740993"},
		{number: strings.Repeat("9", 38)},
		{number: strings.Repeat("9", 39), isText: true},
		{number: "0." + strings.Repeat("3", 38)},
		{number: "0." + strings.Repeat("3", 39), isText: true},
		{number: "1" + strings.Repeat("0", 100)},
		{number: "9.9E125"},
		{number: "1e126", isText: true},
		{number: "-1e-130"},
		{number: "1e-131", isText: true},
		{number: "1e400", isText: true},
		{number: "-1E+400", isText: true},
		{number: "1e99999999999999999999", isText: true},
	} {
		t.Run(tc.number, func(t *testing.T) {
			t.Parallel()
			item := itemOf(t, bodyA("call.completed", "2026-03-12T14:32:00Z", `{"cost_incurred":`+tc.number+`,"tags":[`+tc.number+`]}`))
			want := map[string]any{"N": tc.number}
			if tc.isText {
				want = map[string]any{"S": tc.number}
			}
			if diff := cmp.Diff(any(want), dynamoJSON(item["cost_incurred"])); diff != "" {
				t.Errorf("member (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(any(map[string]any{"L": []any{want}}), dynamoJSON(item["tags"])); diff != "" {
				t.Errorf("inside a list (-want +got):\n%s", diff)
			}
			if err := table.Check(item); err != nil {
				t.Errorf("the table refuses it: %v", err)
			}
		})
	}
}

func TestAnyNumberIsKeptWithItsValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,45})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		item := itemOf(t, bodyA("call.completed", "2026-03-12T14:32:00Z", `{"cost_incurred":`+number+`}`))
		if err := table.Check(item); err != nil {
			t.Fatalf("the table refuses it: %v", err)
		}
		want, ok := new(big.Rat).SetString(number)
		got, gotOK := new(big.Rat).SetString(plain(item["cost_incurred"]))
		if !ok || !gotOK || want.Cmp(got) != 0 {
			t.Errorf("kept as %q", plain(item["cost_incurred"]))
		}
	})
}

func TestWhatNoAttributeCanHoldIsInThePayloadOnly(t *testing.T) {
	t.Parallel()
	lists := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	objects := func(levels int) string {
		return strings.Repeat(`{"a":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
	}
	for _, tc := range []struct {
		name, tags string
		only       []string
	}{
		{"lists 32 levels deep are held", lists(32), nil},
		{"objects 32 levels deep are held", objects(32), nil},
		{"lists 33 levels deep", lists(33), []string{"tags"}},
		{"objects 33 levels deep", objects(33), []string{"tags"}},
		{"as deep as a body may be", lists(events.MaxDepth - 2), []string{"tags"}},
		{"an empty name", `{"":1}`, []string{"tags"}},
		{"an empty name inside a list", `[{"a":{"":1}}]`, []string{"tags"}},
		{"a name over 64 KB", `{"` + strings.Repeat("n", 64<<10+1) + `":1}`, []string{"tags"}},
		{"a name of 64 KB is held", `{"` + strings.Repeat("n", 64<<10) + `":1}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			body := bodyA("call.missed", "2026-03-12T14:32:00Z", `{"call_id":"c1","tags":`+tc.tags+`}`)
			item := itemOf(t, body)
			if diff := cmp.Diff(tc.only, names(item, table.PayloadOnly)); diff != "" {
				t.Errorf("only in payload (-want +got):\n%s", diff)
			}
			if _, held := item["tags"]; held != (tc.only == nil) {
				t.Errorf("attribute: %v", held)
			}
			if diff := cmp.Diff("CALL#c1", plain(item[table.PK])); diff != "" {
				t.Errorf("PK (-want +got):\n%s", diff)
			}
			if err := table.Check(item); err != nil {
				t.Errorf("the table refuses it: %v", err)
			}
			if string(payload(t, item)) != body {
				t.Error("the payload is not the body")
			}
		})
	}
}

// own are the names with a meaning of ours. JustCall may well begin to use
// one, such as format or reason.
var own = []string{
	table.PK, table.SK, table.GSI1PK, table.GSI2PK, table.GSI3PK, table.GSI3SK, table.ExpiresAt, table.Packed,
	table.Alert, table.Damage, table.Event, table.Format, table.Kind, table.TypeMismatches, table.NewFields, table.OccurredAt,
	table.Payload, table.PayloadCoding, table.PayloadOnly, table.Reason, table.ReceivedAt,
}

func TestNoMemberTakesThePlaceOfAnOwnAttribute(t *testing.T) {
	t.Parallel()
	var members []string
	for _, name := range own {
		members = append(members, quote(name)+`:"forged"`)
	}
	forged := strings.Join(members, ",")
	for _, typ := range append(events.Types(), "brand.new") {
		for _, body := range []string{
			bodyA(string(typ), "2026-03-12T14:32:00Z", "{"+forged+"}"),
			`{"type":` + quote(string(typ)) + `,"data":{` + forged + `}}`,
			`{"event":` + quote(string(typ)) + `,"data":{"a":1},"PK":"forged","expires_at":1,"kind":"forged","payload":"forged"}`,
		} {
			item := itemOf(t, body)
			for name, v := range item {
				if name != table.Payload && plain(v) == "forged" {
					t.Errorf("%s: the sender wrote our %s", typ, name)
				}
			}
			if string(payload(t, item)) != body {
				t.Errorf("%s: the payload is not the body", typ)
			}
			if _, ok := item[table.ExpiresAt]; ok {
				t.Errorf("%s: an event expires", typ)
			}
		}
	}
}

func TestOwnAttributesWinEvenOverDocumentedMembers(t *testing.T) {
	t.Parallel()
	d := decode(t, `{"type":"call.missed","request_id":"01HSGYB2CQ8V0NSE0YA5ZG1V4K","data":{"call_sid":"CA01","contact_number":"14155558765","new":1,"agent_id":{}}}`)
	want := dynamoItem(table.EventItem(d, arrival, arrival))
	for name := range want {
		if slices.Contains(own, name) {
			d.Fields = append(d.Fields, events.Field{Name: name, Value: jsontext.Value(`"forged"`)})
		}
	}
	if diff := cmp.Diff(want, dynamoItem(table.EventItem(d, arrival, arrival))); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func TestAPayloadThatIsNotPackedIsTextUpTo8KiBAndCompressedBeyond(t *testing.T) {
	t.Parallel()
	for size, compressed := range map[int]bool{8<<10 - 1: false, 8 << 10: false, 8<<10 + 1: true} {
		body := "\t" + bodyA("sms.received", "2026-03-12T14:35:00Z", `{"message_id":"m1","body":""}`)
		body = strings.Replace(body, `"body":""`, `"body":"`+strings.Repeat("x", size-len(body))+`"`, 1)
		for name, item := range map[string]table.Item{
			"event":    itemOf(t, body),
			"rejected": table.RejectedItem(table.Rejection{Body: []byte(body)}, arrival),
		} {
			_, isText := item[table.Payload].(attr.String)
			if isText == compressed || (plain(item[table.PayloadCoding]) == "gzip") != compressed {
				t.Errorf("%s of %d bytes: text %v, coding %q", name, size, isText, plain(item[table.PayloadCoding]))
			}
			if string(payload(t, item)) != body {
				t.Errorf("%s of %d bytes: the payload is not the body", name, size)
			}
		}
	}
}

func TestAnyBodyIsReadBackByteForByte(t *testing.T) {
	t.Parallel()
	check := func(t require, body []byte) {
		t.Helper()
		item := table.RejectedItem(table.Rejection{Reason: "payload: not valid JSON", Body: body}, arrival)
		if err := table.Check(item); err != nil {
			t.Fatalf("the table refuses it: %v", err)
		}
		if !bytes.Equal(payload(t, item), body) {
			t.Fatalf("payload differs from body %.60q", body)
		}
	}
	for _, body := range [][]byte{
		nil,
		{},
		{0},
		{0xff, 0xfe},
		[]byte("\x1f\x8b\x08\x00truncated"),
		bytes.Repeat([]byte{0xc3}, 8<<10),
		bytes.Repeat([]byte{0xc3}, 8<<10+1),
	} {
		check(t, body)
	}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		check(t, bytes.Repeat(body, rapid.SampledFrom([]int{1, 1, 1, 1000}).Draw(t, "times")))
	})
}

func TestPayloadOfNamesADamagedItem(t *testing.T) {
	t.Parallel()
	whole := itemOf(t, "\t"+bodyA("sms.received", "2026-03-12T14:35:00Z", `{"body":"`+strings.Repeat("private ", 2000)+`"}`))
	compressed, ok := whole[table.Payload].(attr.Binary)
	if !ok {
		t.Fatal("not compressed")
	}
	for name, v := range map[string]attr.Value{
		"cut short": compressed[:len(compressed)-9],
		"not gzip":  attr.String("private"),
		"missing":   nil,
	} {
		item := maps.Clone(whole)
		item[table.Payload] = v
		_, err := table.PayloadOf(item)
		if err == nil || strings.Contains(err.Error(), "private") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestALargeMemberIsInThePayloadOnly(t *testing.T) {
	t.Parallel()
	body := bodyA("voicemail.received", "2026-03-12T14:40:00Z",
		`{"call_id":"c1","from":"+14155558765","to":"+14155551234","notes":"short","transcription":"`+strings.Repeat("call me back ", 1<<20/13)+`"}`)
	item := itemOf(t, body)
	if err := table.Check(item); err != nil {
		t.Fatalf("the table refuses it: %v", err)
	}
	if diff := cmp.Diff([]string{"transcription"}, names(item, table.PayloadOnly)); diff != "" {
		t.Errorf("only in payload (-want +got):\n%s", diff)
	}
	if _, ok := item["transcription"]; ok {
		t.Error("the transcription is an attribute all the same")
	}
	got := map[string]string{}
	for _, name := range []string{table.PK, "from", "notes", table.GSI1PK, table.Kind} {
		got[name] = plain(item[name])
	}
	want := map[string]string{
		table.PK: "CALL#c1", "from": "+14155558765", "notes": "short",
		table.GSI1PK: "PHONE#+14155558765", table.Kind: "voicemail",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is small (-want +got):\n%s", diff)
	}
	if string(payload(t, item)) != body {
		t.Error("the payload is not the body")
	}
}

func TestManyLargeMembersLeaveOnlyAsManyAsNeedBe(t *testing.T) {
	t.Parallel()
	large := func(kilobytes int) string { return `"` + strings.Repeat("x", kilobytes<<10) + `"` }
	item := itemOf(t, bodyA("call.completed", "2026-03-12T14:40:00Z",
		`{"call_id":"c1","notes":`+large(150)+`,"disposition":`+large(200)+`,"status":`+large(100)+`,"tags":[`+large(120)+`]}`))
	if err := table.Check(item); err != nil {
		t.Fatalf("the table refuses it: %v", err)
	}
	if diff := cmp.Diff([]string{"disposition"}, names(item, table.PayloadOnly)); diff != "" {
		t.Errorf("only in payload (-want +got):\n%s", diff)
	}
}

func TestTheNamesOfWhatIsInThePayloadOnlyFitAsWell(t *testing.T) {
	t.Parallel()
	filled := func(letters int) table.Item {
		d := decode(t, bodyA("call.completed", "2026-03-12T14:40:00Z", `{"call_id":"c1"}`))
		for name, size := range map[string]int{"notes": 500 << 10, "disposition": letters} {
			d.Fields = append(d.Fields, events.Field{Name: name, Value: jsontext.Value(quote(strings.Repeat("x", size)))})
		}
		return table.EventItem(d, arrival, arrival)
	}
	// With the notes out, the rest comes as close to the table's limit as the
	// few bytes that it takes to name them.
	rest := table.Size(filled(0))
	for over := -30; over <= 3; over++ {
		if err := table.Check(filled(table.MaxItemSize - rest + over)); err != nil {
			t.Errorf("%+d bytes: %v", over, err)
		}
	}
}

// What the table would take without its members it must take with as many as
// fit.
func TestTheTableTakesEveryItemWhosePayloadFits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: what does not compress, the same every time
	noise := make([]byte, 560<<10)
	for i := range noise {
		noise[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random.IntN(64)]
	}
	fitted, refused := 0, 0
	for _, over := range []int{-6000, -4000, -2000, -500, 500, 2000} {
		// Each of its bytes holds six bits of noise. The noise is in the
		// payload, but in no attribute.
		size := (table.MaxItemSize + over) * 8 / 6
		body := `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","metadata":"` + string(noise[:size]) +
			`","data":{"call_id":"c1","from":"+14155558765","notes":"` + strings.Repeat("n", 5000) + `"}}`
		d := decode(t, body)
		item := table.EventItem(d, arrival, arrival)
		bare := maps.Clone(item)
		for _, field := range d.Fields {
			delete(bare, field.Name)
		}
		delete(bare, table.PayloadOnly)

		const named = 100 // more than it takes to name the three members
		switch size := table.Size(bare); {
		case size <= table.MaxItemSize-named:
			fitted++
			if err := table.Check(item); err != nil {
				t.Errorf("%d bytes without members: %v", size, err)
			}
		case size > table.MaxItemSize:
			refused++
			if err := table.Check(item); !errors.Is(err, table.ErrTooLarge) {
				t.Errorf("%d bytes without members: got error %v, want ErrTooLarge", size, err)
			}
		}
		shed := names(item, table.PayloadOnly)
		for _, field := range d.Fields {
			if _, ok := item[field.Name]; ok == slices.Contains(shed, field.Name) {
				t.Errorf("%s is an attribute: %v; is named as shed: %v", field.Name, ok, !ok)
			}
		}
	}
	if fitted == 0 || refused == 0 {
		t.Errorf("%d fitted and %d did not: the sizes miss the limit", fitted, refused)
	}
}

func TestListsOfNamesAreCapped(t *testing.T) {
	t.Parallel()
	members := []string{`"call_id":"c1"`}
	for i := range 100 {
		members = append(members, fmt.Sprintf(`"%s%02d":1`, strings.Repeat("é", 100), i))
	}
	item := itemOf(t, bodyA("call.missed", "2026-03-12T14:32:00Z", "{"+strings.Join(members, ",")+"}"))
	listed := names(item, table.NewFields)
	if len(listed) != 32 {
		t.Errorf("%d names, want 32", len(listed))
	}
	for _, name := range listed {
		if want := strings.Repeat("é", 32) + "…"; name != want {
			t.Errorf("name %q, want %q", name, want)
		}
	}
	if err := table.Check(item); err != nil {
		t.Errorf("the table refuses it: %v", err)
	}

	odd := itemOf(t, bodyA("call.missed", "2026-03-12T14:32:00Z", `{"x`+strings.Repeat("é", 100)+`":1,"":2}`))
	want := []string{"x" + strings.Repeat("é", 31) + "…", ""}
	if diff := cmp.Diff(want, names(odd, table.NewFields)); diff != "" {
		t.Errorf("a name is cut between letters (-want +got):\n%s", diff)
	}
	if err := table.Check(odd); err != nil {
		t.Errorf("the table refuses it: %v", err)
	}
}

func TestATypeOfAnyLengthIsStored(t *testing.T) {
	t.Parallel()
	short := itemOf(t, bodyA("fax.\x00received", "2026-03-12T14:32:00Z", `{"a":1}`))
	if diff := cmp.Diff("fax.\x00received", table.EventType(short)); diff != "" {
		t.Errorf("event is the type as sent (-want +got):\n%s", diff)
	}

	body := bodyA(strings.Repeat("t", 100<<10), "2026-03-12T14:32:00Z", `{"a":1}`)
	long := itemOf(t, body)
	if err := table.Check(long); err != nil {
		t.Errorf("the table refuses it: %v", err)
	}
	if got := table.EventType(long); !strings.HasPrefix(got, "sha256-") || plain(long[table.PK]) != "EVENT#"+got {
		t.Errorf("event %q in partition %q, want a hash in both", got, plain(long[table.PK]))
	}
	if string(payload(t, long)) != body {
		t.Error("the payload is not the body")
	}
}

func TestATimeInTheBodyWinsOverTheHeader(t *testing.T) {
	t.Parallel()
	header := time.Date(2026, time.March, 12, 14, 59, 0, 0, time.UTC)
	with := table.EventItem(decode(t, bodyA("call.missed", "2026-03-12T14:32:00Z", `{"call_id":"c1"}`)), header, arrival)
	without := table.EventItem(decode(t, `{"event":"call.missed","data":{"call_id":"c1","direction":"inbound","from":"+14155558765"}}`), header, arrival)
	got := []string{
		plain(with[table.OccurredAt]), plain(with[table.ReceivedAt]),
		plain(without[table.OccurredAt]), plain(without[table.ReceivedAt]),
	}
	want := []string{
		"2026-03-12T14:32:00.000Z", "2026-03-12T15:00:00.123Z",
		"2026-03-12T14:59:00.000Z", "2026-03-12T15:00:00.123Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
}

func TestARejectionIsKeptWholeForThirtyDays(t *testing.T) {
	t.Parallel()
	got := dynamoItem(table.RejectedItem(table.Rejection{
		Reason:  "signature: mismatch",
		Body:    []byte(`{"type":"call.missed"}`),
		Headers: map[string]string{"content-type": "application/json", events.HeaderRequestTimestamp: "x"},
	}, arrival))
	want := map[string]any{
		table.PK:         map[string]any{"S": "REJECTED#2026-03-12"},
		table.SK:         map[string]any{"S": "2026-03-12T15:00:00.123Z#" + table.BodyDigest([]byte(`{"type":"call.missed"}`))},
		table.Reason:     map[string]any{"S": "signature: mismatch"},
		table.ReceivedAt: map[string]any{"S": "2026-03-12T15:00:00.123Z"},
		table.ExpiresAt:  map[string]any{"N": fmt.Sprint(time.Date(2026, time.April, 11, 15, 0, 0, 0, time.UTC).Unix())},
		table.Payload:    map[string]any{"S": `{"type":"call.missed"}`},
		"headers": map[string]any{"M": map[string]any{
			"content-type":                map[string]any{"S": "application/json"},
			events.HeaderRequestTimestamp: map[string]any{"S": "x"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

// Package ingest makes UTF-8 of what a header may hold beside line breaks.
func TestARejectionIsKeptWhateverItsHeadersHold(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"NUL":  "\x00",
		"long": strings.Repeat("v", 10<<10),
	} {
		item := table.RejectedItem(table.Rejection{
			Reason:  "signature: malformed",
			Body:    []byte("{}"),
			Headers: map[string]string{events.HeaderSignature: value},
		}, arrival)
		if err := table.Check(item); err != nil {
			t.Errorf("header %s: the table refuses it: %v", name, err)
		}
	}
}

// valueGen makes JSON of any shape that a body may have below its data.
func valueGen() *rapid.Generator[string] {
	text := rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\x00", "+14155558765", "inbound", "2026-03-12", "0"})), quote)
	leaf := rapid.OneOf(text, rapid.SampledFrom([]string{"null", "true", "0", "-1.5", "1e400", "98765", strings.Repeat("9", 50), "[]", "{}"}))
	deep := rapid.Map(rapid.IntRange(1, 40), func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) })
	list := rapid.Map(rapid.SliceOfN(leaf, 0, 3), func(v []string) string { return "[" + strings.Join(v, ",") + "]" })
	object := rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"", "type", "body", "ring_time", "é"}), leaf, 0, 3), objectText)
	return rapid.OneOf(leaf, list, object, deep)
}

func objectText(members map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		all = append(all, quote(name)+":"+members[name])
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestEveryDeliveryMakesAnItemThatTheTableTakes(t *testing.T) {
	t.Parallel()
	members := []string{
		"call_id", "call_sid", "id", "message_id", "contact_id", "direction", "from", "to", "contact_number",
		"call_date", "call_time", "sms_date", "agent_id", "status", "duration", "call_info", "call_duration", "sms_info",
		"tags", "phone", "changed_fields", "media_url", "PK", "expires_at", "", "brand_new",
	}
	var typs []string
	for _, typ := range events.Types() {
		typs = append(typs, string(typ))
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := quote(rapid.SampledFrom(append(typs, "brand.new", "x\x00#")).Draw(t, "type"))
		data := rapid.OneOf(rapid.Map(rapid.MapOfN(rapid.SampledFrom(members), valueGen(), 1, 8), objectText), valueGen()).Draw(t, "data")
		timestamp := rapid.OneOf(rapid.Just(`"2026-03-12T14:32:00Z"`), valueGen()).Draw(t, "timestamp")
		body := rapid.SampledFrom([]string{
			`{"event":` + typ + `,"timestamp":` + timestamp + `,"data":` + data + `}`,
			`{"type":` + typ + `,"request_id":` + timestamp + `,"data":` + data + `}`,
		}).Draw(t, "body")
		item := itemOf(t, body)
		if err := table.Check(item); err != nil {
			t.Fatalf("the table refuses it: %v", err)
		}
		if string(payload(t, item)) != body {
			t.Error("the payload is not the body")
		}
		if !utf8.ValidString(plain(item[table.PK]) + plain(item[table.SK])) {
			t.Error("a key is not UTF-8")
		}
	})
}

// quote writes text as a JSON string; what is not UTF-8 in it is replaced.
func quote(text string) string {
	quoted, _ := jsontext.AppendQuote(nil, text)
	return string(quoted)
}
