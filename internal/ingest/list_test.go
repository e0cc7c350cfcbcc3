package ingest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// call is a missed call of format A.
func call(id string) string {
	return `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"` + id + `","direction":"inbound","from":"+14155550123"}}`
}

// callB is one of format B, of another type, as signed by no list of calls.
func callB(id, typ string) string {
	return `{"type":"` + typ + `","data":{"call_sid":"` + id + `","contact_number":"14155550123"}}`
}

func list(bodies ...string) string { return "[" + strings.Join(bodies, ",") + "]" }

// many returns n calls.
func many(n int) []string {
	calls := make([]string, n)
	for i := range calls {
		calls[i] = call(fmt.Sprintf("c%d", i))
	}
	return calls
}

// payloads returns the payloads of the items, sorted, with "REJECTED " before those of rejections.
func payloads(t testing.TB, store *tabletest.Memory) []string {
	t.Helper()
	all := []string{}
	for _, item := range store.Items() {
		if isRejected(item) {
			all = append(all, "REJECTED "+payload(t, item))
		} else {
			all = append(all, payload(t, item))
		}
	}
	slices.Sort(all)
	return all
}

func TestEachEventOfAListIsStored(t *testing.T) {
	t.Parallel()
	a, b := call("a"), callB("b", "call.completed")
	for _, tc := range []struct {
		name, body string
		status     int
		answer     string
		kept       []string
	}{
		{"a list of one", list(a), 200, `{"status":"stored","key":"CALL#a"}`, []string{a}},
		{"a list of two", list(a, b), 200, `{"status":"stored","keys":["CALL#a","CALL#b"]}`, []string{a, b}},
		{"events", `{"events":` + list(a, b) + `}`, 200, `{"status":"stored","keys":["CALL#a","CALL#b"]}`, []string{a, b}},
		{"one twice", list(a, a), 200, `{"status":"stored","keys":["CALL#a","CALL#a"]}`, []string{a}},
		{"with a probe", list(a, `{"event":"call.missed"}`), 200, `{"status":"stored","keys":["CALL#a"]}`, []string{a}},
		{"of probes", list(`{}`, `{}`), 200, `{"status":"probe","keys":[]}`, []string{}},
		{"with what is no event", list(a, `5`), 200, `{"status":"stored","keys":["CALL#a"]}`, []string{"REJECTED 5", a}},
		{"with what may be a probe", list(a, `{"a":1}`), 200, `{"status":"stored","keys":["CALL#a"]}`, []string{`REJECTED {"a":1}`, a}},
		{"of what is no event", list(`{"data":{"a":1}}`, `5`), 400, `{"error":"payload: no event type (event, type or data.type)"}`, []string{"REJECTED 5", `REJECTED {"data":{"a":1}}`}},
		{"25", list(many(25)...), 200, "", many(25)},
		{"26, without a spill", list(many(26)...), 200, "", many(26)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			h := newHandler(t, store, valid(credential.Secret{Token: token}), nil)
			for range 2 { // a redelivery changes nothing
				got := h.Handle(t.Context(), post(tc.body))
				if got.Status != tc.status || tc.answer != "" && string(got.Body) != strings.ReplaceAll(tc.answer, "stored", statusOf(got.Body)) {
					t.Errorf("answer %d %s, want %d %s", got.Status, got.Body, tc.status, tc.answer)
				}
			}
			slices.Sort(tc.kept)
			if diff := cmp.Diff(tc.kept, payloads(t, store)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

// statusOf returns stored, or duplicate where an answer says so.
func in64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func statusOf(body []byte) string {
	if bytes.Contains(body, []byte("duplicate")) {
		return "duplicate"
	}
	return "stored"
}

func TestPromise9_AListTakesOneWriteForEachEvent(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 25} {
		store := &tabletest.Memory{}
		newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(), post(list(many(n)...)))
		if store.Puts() != n {
			t.Errorf("%d writes for %d events", store.Puts(), n)
		}
	}
}

// What the signature does not cover is refused and kept, and costs the others nothing.
func TestPromise6_ABadSignatureInAListIsItsOwn(t *testing.T) {
	t.Parallel()
	a, signedB, unsignedB := call("a"), callB("b", "call.completed"), callB("c", "call.missed")
	secret := credential.Secret{Token: token, SigningSecret: signingSecret}
	for _, tc := range []struct {
		name, body string
		status     int
		kept       []string
	}{
		{"beside format A", list(a, unsignedB), 200, []string{"REJECTED " + unsignedB, a}},
		{"beside a signed one", list(unsignedB, signedB, a), 200, []string{"REJECTED " + unsignedB, signedB, a}},
		{"alone", list(unsignedB, unsignedB), 401, []string{"REJECTED " + unsignedB}},
		{"a list of one", list(unsignedB), 401, []string{"REJECTED " + list(unsignedB)}},
		{"in a wrapper", `{"body":` + unsignedB + `}`, 401, []string{"REJECTED " + `{"body":` + unsignedB + `}`}},
		{"in base64", in64(unsignedB), 401, []string{"REJECTED " + in64(unsignedB)}},
		{"a signed one in base64", in64(signedB), 200, []string{in64(signedB)}},
		{"in a gateway's request", `{"isBase64Encoded":true,"body":` + quote(in64(unsignedB)) + `}`, 401, []string{"REJECTED " + `{"isBase64Encoded":true,"body":` + quote(in64(unsignedB)) + `}`}},
		{"in HTML", html.EscapeString(unsignedB), 401, []string{"REJECTED " + html.EscapeString(unsignedB)}},
		{"in a list in base64", in64(list(a, unsignedB, signedB)), 200, []string{"REJECTED " + unsignedB, a, signedB}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := signed(post(tc.body), signingSecret, base+"/justcall/"+token, "call.completed", now)
			for _, spills := range []bool{false, true} {
				store, sent := &tabletest.Memory{}, []ingest.Received(nil)
				var putter ingest.Putter = store
				if spills {
					putter = failing(fmt.Errorf("put item: %w", table.ErrUnavailable))
				}
				h := newHandler(t, putter, valid(secret), nil)
				h.Spill = spillFunc(func(_ context.Context, received ingest.Received) error {
					sent = append(sent, received)
					return nil
				})
				if got := h.Handle(t.Context(), r); got.Status != tc.status {
					t.Errorf("answer %d %s, want %d", got.Status, got.Body, tc.status)
				}
				if spills != (len(sent) == 1) {
					t.Fatalf("%d messages", len(sent))
				}
				for _, received := range sent {
					drain(t, store, received)
				}
				slices.Sort(tc.kept)
				if diff := cmp.Diff(tc.kept, payloads(t, store)); diff != "" {
					t.Errorf("spilled %v: kept (-want +got):\n%s", spills, diff)
				}
			}
		})
	}
}

// drain stores what was spilled.
func drain(t *testing.T, store ingest.Putter, received ingest.Received) {
	t.Helper()
	for _, one := range received.Each() {
		d, err := one.Decode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ingest.Store(t.Context(), store, one, d); err != nil {
			t.Fatal(err)
		}
	}
}

// Whenever the table stops taking events, nothing of the list is lost.
func TestPromise1_AListIsStoredOrSpilledOrSentAgain(t *testing.T) {
	t.Parallel()
	bodies := append(many(5), `{}`, `5`)
	for fails := range 7 {
		for _, spill := range []string{"works", "fails", "none"} {
			store, puts, sent := &tabletest.Memory{}, 0, []ingest.Received(nil)
			log := &bytes.Buffer{}
			h := newHandler(t, tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) {
				if puts++; puts > fails {
					return false, fmt.Errorf("put item: %w", table.ErrUnavailable)
				}
				return store.Put(ctx, item)
			}), valid(credential.Secret{Token: token}), log)
			switch spill {
			case "works":
				h.Spill = spillFunc(func(_ context.Context, r ingest.Received) error { sent = append(sent, r); return nil })
			case "fails":
				h.Spill = spillFunc(func(context.Context, ingest.Received) error { return errors.New("queue down") })
			}
			got := h.Handle(t.Context(), post(list(bodies...)))

			wantStatus, wantSent := http.StatusOK, 0
			if fails < 6 && spill != "works" {
				wantStatus = http.StatusServiceUnavailable
			} else if fails < 6 {
				wantSent = 1
			}
			if got.Status != wantStatus || len(sent) != wantSent {
				t.Errorf("%d written, spill %s: answer %d %s, %d messages", fails, spill, got.Status, got.Body, len(sent))
			}
			if wantStatus != http.StatusOK {
				if !strings.Contains(log.String(), `"level":"ERROR","msg":"delivery failed","status":503`) {
					t.Errorf("%d written, spill %s: log %s", fails, spill, log)
				}
				continue
			}
			for _, received := range sent {
				drain(t, store, received)
			}
			want := slices.Sorted(slices.Values(append(many(5), "REJECTED 5")))
			if diff := cmp.Diff(want, payloads(t, store)); diff != "" {
				t.Errorf("%d written: kept (-want +got):\n%s", fails, diff)
			}
			if lines := strings.Count(log.String(), "\n"); lines != len(bodies) {
				t.Errorf("%d log lines for %d events:\n%s", lines, len(bodies), log)
			}
		}
	}
}

func TestALongListIsSpilledWhole(t *testing.T) {
	t.Parallel()
	store, sent, log := &tabletest.Memory{}, []ingest.Received(nil), &bytes.Buffer{}
	h := newHandler(t, store, valid(credential.Secret{Token: token}), log)
	h.Spill = spillFunc(func(_ context.Context, r ingest.Received) error { sent = append(sent, r); return nil })
	body := list(append(many(100), "5")...)
	got := h.Handle(t.Context(), post(body))
	if got.Status != http.StatusOK || string(got.Body) != `{"status":"spilled"}` || store.Puts() != 0 || len(sent) != 1 || string(sent[0].Body) != body {
		t.Fatalf("answer %d %s, %d writes, %d messages", got.Status, got.Body, store.Puts(), len(sent))
	}
	drain(t, store, sent[0])
	want := slices.Sorted(slices.Values(append(many(100), "REJECTED 5")))
	if diff := cmp.Diff(want, payloads(t, store)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if !strings.Contains(log.String(), `"msg":"delivery spilled"`) {
		t.Errorf("log %s", log)
	}

	// A queue that does not take so much does not lose it.
	store = &tabletest.Memory{}
	h = newHandler(t, store, valid(credential.Secret{Token: token}), nil)
	h.Spill = spillFunc(func(context.Context, ingest.Received) error { return errors.New("message over 1 MiB") })
	if got := h.Handle(t.Context(), post(body)); got.Status != http.StatusOK || len(store.Items()) != 101 {
		t.Errorf("answer %d %.100s, %d items", got.Status, got.Body, len(store.Items()))
	}
}

func TestAnEventOfAListThatIsTooLargeCostsTheOthersNothing(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	h := newHandler(t, tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) {
		if text(item[table.PK]) == "CALL#c1" {
			return false, fmt.Errorf("put item: %w", table.ErrTooLarge)
		}
		return store.Put(ctx, item)
	}), valid(credential.Secret{Token: token}), nil)
	got := h.Handle(t.Context(), post(list(many(3)...)))
	if got.Status != http.StatusRequestEntityTooLarge || len(store.Items()) != 2 {
		t.Errorf("answer %d %s, %d items", got.Status, got.Body, len(store.Items()))
	}
}

// nasty are texts that are hard for readers of JSON. Each stands as the whole body, as
// the data, and as a member of the data.
func nasty() []string {
	all := []string{
		"", " ", "\x00", "\ufeff", "\ufeff\ufeff", "\xef\xbb", "\xff\xfe", "\xfe\xff", "\xff\xfe\x00\x00", "\x00\x00\xfe\xff",
		"null", "true", "nul", "nan", "NaN", "-NaN", "+Infinity", "Infinity1", "undefined", "NaNNaN",
		"0", "-0", "-", "+1", "01", "1.", ".5", "1e", "1e5", "1E+5", "1e400", "-1e-400", "0x1F", "1_000", strings.Repeat("9", 400), "1." + strings.Repeat("0", 400) + "1", "1e" + strings.Repeat("9", 50),
		`""`, `"`, `"\`, `"\"`, `"\\"`, `"\u"`, `"\u00"`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00\ud800"`, `"\x"`, `"\'"`, `"\u{1F600}"`, "\"\\\n\"", "\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\u2028\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xed\xa0\x80\xed\xb0\x80\"", `"\uFDD0\uFFFF\uFFFE"`,
		"[]", "[", "]", "[,]", "[1,]", "[1 2]", "[[]", "[]]", `[""]`, "[null]", "[{}]", "[[[[]]]]", "[\"\x00\"]", "[1]x", "[{]}", "[}", `["a",`, `[{"a":1}`, `["{\"event\":\"x\",\"data\":{\"call_id\":\"c\"}}"]`,
		"{}", "{", "}", "{,}", `{"a"}`, `{"a":}`, `{:1}`, `{1:1}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`, `{"":1,"":2}`, `{"\u0000":1}`, `{"\ud800":1,"\ud801":2}`, "{\"\xff\":1,\"\xfe\":2}", `{"__proto__":1}`, `{a:1}`, `{'a':1}`, `{"a":1}/**/`, `{"a":1}//`, `{"a":1}#`, `{"a":1}{"a":2}`, "{\"a\":1}\n{\"a\":2}", "{\"a\":1}\x00", "{\"a\":1}\x00{", "{\x00}", "{\"a\":1\x0b}", "{\"a\":1}\f",
		`{"data":null}`, `{"data":[]}`, `{"data":[{}]}`, `{"data":"{}"}`, `{"data":"["}`, `{"data":"\"\\\"\""}`, `{"data":{"data":{"data":{}}}}`, `{"body":{"body":{"body":{"body":{"body":{"body":{"body":{"body":{"body":{"body":{"call_id":"c"}}}}}}}}}}}`,
		`{"event":{},"type":[],"data":0}`, `{"EVENT":"a","Event":"b","Data":{"call_id":"c"},"DATA":{"call_id":"d"}}`, `{"events":[],"items":[{}]}`, `{"events":[{"events":[{"events":[{"call_id":"c"}]}]}]}`,
		"=", "a=", "=a", "a=b", "a=b&a=c", "%", "%7B", "%7B%7D", "payload=", "payload=%", "payload=%7B", "payload={}", "payload=[", "payload=%7B%22call_id%22%3A1%7D", "a[", "a[]=1", "a[b][c][d][e][f][g][h][i][j]=1", "[=1", "]=1", "call_id=%00%ff", "call_id=1;from=2",
		"e30=", "e30", "W10=", "bnVsbA==", "ImUzMD0i", "ZTMwPQ==", "eyJh", "====", "{&quot;}", "{&quot;a&quot;:1}", "{&amp;quot;", "&quot;", "[&#91;", `{\"a\":1}`, `{\`, `\"`, `[\n]`, "cb({})", "cb({", "(({}))", "=({\"a\":1})", "data: {}",
		"--", "--\n", "--b\n\n\n--b--", "--b\nContent-Disposition: form-data; name=a[b][c\n\n{}\n--b--", "--b\n:\n\n--b--",
		"<xml/>", "call.missed", "--boundary\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{}\r\n--boundary--",
	}
	for _, open := range []string{"[", `{"":`, `{"data":`, `{"data":[`, `{"body":"`, `"`} {
		for _, n := range []int{8, 9, 31, 32, 33, 63, 64, 65, 10_000} {
			all = append(all, strings.Repeat(open, n))
		}
	}
	for _, n := range []int{8, 9, 20, 31, 32, 33, 60, 64} {
		all = append(all, strings.Repeat("[", n)+strings.Repeat("]", n), strings.Repeat(`{"data":`, n)+"1"+strings.Repeat("}", n))
	}
	quoted := `{"call_id":"c"}`
	for range 10 {
		quoted = quote(quoted)
		all = append(all, quoted)
	}
	return all
}

// Whatever comes, it is answered, never with a fault of ours; and what the answer says
// is stored is in the table, byte for byte, or else the table has what was refused.
func TestNastyInputIsAnsweredAndKept(t *testing.T) {
	t.Parallel()
	var bodies []string
	for _, text := range nasty() {
		bodies = append(bodies, text,
			`{"event":"call.missed","data":`+text+`}`,
			`{"type":"call.missed","data":{"call_sid":`+text+`,"contact_number":`+text+`,"call_info":`+text+`,"call_date":`+text+`,"tags":`+text+`}}`,
			`{"event":"call.missed","timestamp":`+text+`,"call_id":"c1","new":`+text+`}`,
			`{"payload":`+text+`}`, list(text, call("c")), list(call("c"), text), "payload="+text)
	}
	all := samples(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		body := all[name]
		for i := range body {
			if (i+len(name))%4 != 0 && len(body) > 300 {
				continue // enough of the long ones
			}
			flipped := []byte(body)
			flipped[i] ^= 1 << (i / 4 % 8)
			bodies = append(bodies, body[:i], string(flipped))
		}
	}
	h := func(store ingest.Putter) *ingest.Handler {
		return newHandler(t, store, valid(credential.Secret{Token: token}), nil)
	}
	store := &tabletest.Memory{}
	one := h(tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) { return store.Put(ctx, item) }))
	for i, body := range bodies {
		if testing.Short() && i%17 != 0 {
			continue
		}
		store = &tabletest.Memory{}
		got := one.Handle(t.Context(), post(body))
		if got.Status != http.StatusOK && got.Status != http.StatusBadRequest {
			t.Errorf("%.200q: answer %d %s", body, got.Status, got.Body)
			continue
		}
		parts := []string{body}
		if e, err := events.Open([]byte(body)); errors.Is(err, events.ErrSeveral) || err == nil && len(e.Body) != len(body) {
			parts = nil
			for _, part := range events.Split([]byte(body)) {
				parts = append(parts, string(part))
			}
		}
		kept := payloads(t, store)
		for _, is := range kept {
			if !slices.Contains(parts, strings.TrimPrefix(is, "REJECTED ")) && strings.TrimPrefix(is, "REJECTED ") != body {
				t.Errorf("%.200q: kept %.200q", body, is)
			}
		}
		if len(kept) == 0 && string(got.Body) != probed && string(got.Body) != `{"status":"probe","keys":[]}` {
			t.Errorf("%.200q: nothing kept, answer %d %s", body, got.Status, got.Body)
		}
		if got.Status == http.StatusBadRequest && slices.ContainsFunc(kept, func(is string) bool { return !strings.HasPrefix(is, "REJECTED ") }) {
			t.Errorf("%.200q: answer %d, kept %.200q", body, got.Status, kept)
		}
		before := len(kept)
		if again := one.Handle(t.Context(), post(body)); again.Status != got.Status || len(store.Items()) != before {
			t.Errorf("%.200q: again %d %s, %d items, not %d", body, again.Status, again.Body, len(store.Items()), before)
		}
	}
	t.Logf("%d bodies", len(bodies))
}

// A body that cannot be read is kept; if it is about a missed call, the log says so.
func TestARefusedBodyThatMentionsAMissedCallIsLogged(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		call("c1")[:60]:                                               true,
		"<event>Call-Missed</event>":                                  true,
		`{'event':'voicemail.received'}`:                              true,
		`{"a":{"status":"missed"}}`:                                   true, // answered 200: perhaps a probe
		`{'event': 'call.missed', 'data': {'call_id': None}}`:         true,
		`{&quot;event&quot;:&quot;call.missed&quot;}`:                 true,
		`{event:"call.missed",data:{call_id:"c1"}}`:                   true,
		`{"event":"call.completed","data":{"status" "not answered"}}`: true,
		`callback(` + call("c1")[:60]:                                 true,
		"data: " + call("c1") + "\nretry: 5\n\n":                      true,
		"event: call.missed\nfrom: +14155550100\n":                    true,
		call("c1") + "\nend":                                          true,
		`{"event":"call.completed","data":{"call_id"`:                 false,
		"words":                            false,
		call("c1"):                         false, // it is read
		list(call("c1"), `{"a":"missed"}`): true,
	} {
		for _, store := range []ingest.Putter{&tabletest.Memory{}, failing(fmt.Errorf("put item: %w", table.ErrUnavailable))} {
			log := &bytes.Buffer{}
			h := newHandler(t, store, valid(credential.Secret{Token: token}), log)
			h.Spill = spillFunc(func(context.Context, ingest.Received) error { return nil })
			h.Handle(t.Context(), post(body))
			if got := strings.Contains(log.String(), `"mentionsMissedCall":true`); got != want {
				t.Errorf("%s: %v\n%s", body, got, log)
			}
		}
	}
	// Nor does a refused signature: such a body can be read.
	log := &bytes.Buffer{}
	newHandler(t, &tabletest.Memory{}, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), log).Handle(t.Context(), post(callB("c1", "call.missed")))
	if strings.Contains(log.String(), "mentions") {
		t.Errorf("log %s", log)
	}
}

func TestPromise3_NothingIsDroppedBecauseItIsDamaged(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a byte order mark":   "\ufeff" + call("c1"),
		"half an emoji":       strings.Replace(call("c1"), `"from"`, `"notes":"\ud83d","from"`, 1),
		"Latin-1":             strings.Replace(call("c1"), `"from"`, "\"notes\":\"\xe9\",\"from\"", 1),
		"a name twice":        strings.Replace(call("c1"), `"from"`, `"from":"","from"`, 1),
		"a NUL at the end":    call("c1") + "\x00",
		"NaN":                 strings.Replace(call("c1"), `"from"`, `"n":NaN,"from"`, 1),
		"JSON in a string":    quote(call("c1")),
		"a wrapper":           `{"body":` + call("c1") + `}`,
		"a form":              "payload=" + url.QueryEscape(call("c1")),
		"base64":              in64(call("c1")),
		"a gateway's request": `{"isBase64Encoded":true,"body":` + quote(in64(call("c1"))) + `}`,
		"HTML":                html.EscapeString(call("c1")),
		"backslashes":         strings.Trim(quote(call("c1")), `"`),
		"a script's call":     "callback(" + call("c1") + ");",
		"a part":              "--b\r\nContent-Disposition: form-data; name=payload\r\n\r\n" + call("c1") + "\r\n--b--\r\n",
		"the data's members":  `{"event":"call.missed","call_id":"c1","from":"+14155550123"}`,
		"a list of one":       `{"event":"call.missed","data":[{"call_id":"c1","from":"+14155550123"}]}`,
		"a name's large type": strings.Replace(call("c1"), `"event"`, `"EVENT"`, 1),
	} {
		store := &tabletest.Memory{}
		got := newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(), post(body))
		if string(got.Body) != `{"status":"stored","key":"CALL#c1"}` {
			t.Errorf("%s: answer %d %s", name, got.Status, got.Body)
			continue
		}
		item := store.One(t)
		if payload(t, item) != body || table.AlertOf(item) != events.KindMissedCall || len(namesIn(item, table.Damage)) == 0 {
			t.Errorf("%s: kept %v", name, item)
		}
	}
}

func TestTheLogSaysWhatWasOdd(t *testing.T) {
	t.Parallel()
	log, store := &bytes.Buffer{}, &tabletest.Memory{}
	newHandler(t, store, valid(credential.Secret{Token: token}), log).Handle(t.Context(), post("\ufeff"+strings.Replace(call("c1"), `"from"`, "\"notes\":\"\xff\",\"from\"", 1)))
	if !strings.Contains(log.String(), `"damage":"bom, utf-8"`) {
		t.Errorf("log %s", log)
	}
	if diff := cmp.Diff([]string{"bom", "utf-8"}, namesIn(store.One(t), table.Damage)); diff != "" {
		t.Errorf("damage (-want +got):\n%s", diff)
	}
}
