package table_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// respelled returns a body as other senders write it.
func respelled(t require, body []byte) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, options := range map[string][]jsontext.Options{
		"compact":  {},
		"spaced":   {jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true)},
		"indented": {jsontext.WithIndent("  ")},
		"tabs":     {jsontext.WithIndent("\t")},
	} {
		text, err := jsontext.AppendFormat(nil, body, options...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = text
	}
	var members struct {
		Data jsontext.Value `json:"data"`
	}
	if err := json.Unmarshal(all["compact"], &members); err != nil {
		t.Fatalf("members: %v", err)
	}
	inString := func(name, data string) {
		quoted, err := jsontext.AppendQuote(nil, data)
		if err != nil {
			t.Fatalf("quote: %v", err)
		}
		all[name] = bytes.Replace(all["compact"], members.Data, quoted, 1)
	}
	inString("data in a string", string(members.Data))
	inString("data in a string, PHP", strings.ReplaceAll(string(members.Data), "/", `\/`))
	all["data in a string, strange"] = bytes.ReplaceAll(all["data in a string"], []byte(`\"`), []byte(`\u0022`))
	all["a form, strange"] = []byte("payload=" + strings.ReplaceAll(url.QueryEscape(string(all["compact"])), "%3A", "%3a"))
	all["a form"] = []byte("payload=" + url.QueryEscape(string(all["compact"])))
	all["a form, data in a string"] = []byte("payload=" + url.QueryEscape(string(all["data in a string"])))
	capitals := strings.NewReplacer(`"type":`, `"Type":`, `"event":`, `"Event":`, `"data":`, `"Data":`, `"request_id":`, `"Request_id":`)
	all["capitals"] = []byte(capitals.Replace(string(all["compact"])))
	all["capitals, data in a string"] = []byte(strings.TrimSuffix(capitals.Replace(string(all["data in a string"])), "}") + `,"More":"0"}`)
	all["PHP"] = []byte(strings.ReplaceAll(string(all["compact"]), "/", `\/`))
	all["marked"] = append([]byte("\ufeff"), all["compact"]...)
	all["wrapped"] = fmt.Appendf(nil, `{"body":%s}`, all["compact"])
	all["ends with a line break"] = append(slices.Clip(all["compact"]), '\n')
	return all
}

// throughTheTable returns an item as it is read from a table.
func throughTheTable(t require, item table.Item) table.Item {
	t.Helper()
	text, err := itemjson.Encode(item)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	read, err := itemjson.Decode(text)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return read
}

func TestPromise3_EverySampleIsReadBackByteForByteHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for _, s := range allSamples(t) {
		for name, body := range respelled(t, s.body) {
			item := itemOf(t, string(body))
			got, err := table.PayloadOf(throughTheTable(t, item))
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%s, %s: %v\n%s\nwant\n%s", s.name, name, err, got, body)
			}
			packed, ok := item[table.Packed].(attr.Binary)
			if strange := name == "tabs" || strings.HasSuffix(name, ", strange"); strange == ok {
				t.Errorf("%s, %s: packed %t", s.name, name, ok)
			}
			most := 150
			if strings.HasPrefix(name, "capitals") { // names that have no number
				most = 170
			}
			// Lists of objects stand as they are.
			if name != "tabs" && !bytes.Contains(s.body, []byte("[")) && len(packed) > most {
				t.Errorf("%s, %s: %d bytes packed as %d", s.name, name, len(body), len(packed))
			}
		}
	}
}

// Whatever else the members of an object are called, they can be told from its
// attributes or are in the packed body.
func TestPromise3_AnyMembersAreReadBackByteForByte(t *testing.T) {
	t.Parallel()
	names := []string{
		"call_id", "id", "type", "data", "event", "timestamp", "request_id", "agent_id", "duration", "call_info", "notes", "rating", "tags", "body",
		"status", "PK", "packed", "occurred_at", "Data", "", "é", `a\"b`, `a\/b`, "sms_info", "webhook_url", "url_id",
	}
	leaf := rapid.SampledFrom([]string{
		"null", "true", "false", "0", "-0", "1.0", "1e2", "12345678901234567890", "0.013", "98765", `""`, `"a/b"`, `"a\/b"`, `"\u00e9"`, `"é\n\t\"\\"`, `"\ud83d\ude00😀"`,
		`"\u2028"`, `"<>&"`, `"\u007f"`, `"0123456789abcdef"`, `"abc"`, `"01KKSFW2J8FYD80T6TVWSEEPTV"`, `"https://a.example.com/justcall/x_y-z"`, `"https://"`, `"call.missed"`, "[]", "{}", `[1,"a",[null]]`, `[{"a":1}]`,
		`"2026-03-12T14:32:00Z"`, `"2026-03-12T14:32:00.123Z"`, "NaN", `"\ud83d"`,
	})
	object := func(value *rapid.Generator[string]) *rapid.Generator[string] {
		member := rapid.Custom(func(t *rapid.T) string {
			return `"` + rapid.SampledFrom(names).Draw(t, "name") + `":` + value.Draw(t, "value")
		})
		return rapid.Map(rapid.SliceOfN(member, 0, 5), func(members []string) string { return "{" + strings.Join(members, ",") + "}" })
	}
	deep := leaf
	for range 4 {
		deep = rapid.OneOf(leaf, object(deep))
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]string{"call.missed", "sms.sent", "brand.new"}).Draw(t, "type")
		data := object(deep).Draw(t, "data")
		how := rapid.SampledFrom([]string{"", "", "", "string", "form", "string in a form"}).Draw(t, "how")
		if quoted, err := jsontext.AppendQuote(nil, data); err == nil && strings.Contains(how, "string") {
			data = string(quoted)
		}
		name, after := rapid.SampledFrom([]string{"data", "Data"}).Draw(t, "name"), rapid.SampledFrom([]string{"url_id", "more"}).Draw(t, "after")
		body := []byte(`{"event":"` + typ + `","timestamp":` + leaf.Draw(t, "timestamp") + `,"` + name + `":` + data + `,"` + after + `":` + leaf.Draw(t, "url_id") + `}`)
		if strings.Contains(how, "form") {
			body = []byte("payload=" + url.QueryEscape(string(body)))
		}
		envelope, err := events.Open(body)
		if err != nil {
			t.Skip("not to be read")
		}
		if text, err := jsontext.AppendFormat(nil, body, jsontext.WithIndent("  "), jsontext.PreserveRawStrings(true)); err == nil && rapid.Bool().Draw(t, "indented") {
			if envelope, err = events.Open(text); err != nil {
				t.Skip("not to be read")
			}
		}
		item := table.EventItem(envelope.Decode(), arrival, arrival)
		got, err := table.PayloadOf(throughTheTable(t, item))
		if err != nil || !bytes.Equal(got, envelope.Body) {
			t.Errorf("%v\n%s\nwant\n%s", err, got, envelope.Body)
		}
	})
}

// Of an item that somebody has changed, the body is not made up.
func TestPromise3_APackedBodyIsReadOnlyWithTheAttributesThatItWasPackedWith(t *testing.T) {
	t.Parallel()
	whole := itemOf(t, bodyA("call.missed", "2026-03-12T14:32:00Z", `{"call_id":"c1","direction":"inbound","from":"private"}`))
	packed, ok := whole[table.Packed].(attr.Binary)
	if !ok {
		t.Fatal("not packed")
	}
	for name, change := range map[string]table.Item{
		"a member":    {"from": attr.String("Private")},
		"the key":     {table.SK: attr.String("EVENT#2026-03-12T14:32:01.000Z#call.missed#0000000000000000")},
		"cut short":   {table.Packed: packed[:len(packed)-1]},
		"the sum":     {table.Packed: slices.Concat(packed[:1], []byte{1, 2, 3, 4}, packed[5:])},
		"other flags": {table.Packed: slices.Concat(attr.Binary{0x80}, packed[1:])},
		"empty":       {table.Packed: attr.Binary{}},
	} {
		item := maps.Clone(whole)
		maps.Copy(item, change)
		if body, err := table.PayloadOf(item); err == nil || strings.Contains(err.Error(), "rivate") {
			t.Errorf("%s changed: read %q, error %v", name, body, err)
		}
	}
}

// What an earlier version stored: the direction a second time, and a body packed with fewer operations.
func TestPromise3_AnItemOfAnEarlierVersionIsRead(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]events.Direction{
		"call.completed": events.Inbound, "sd.call_completed": events.Outbound, "sms.status_updated": events.Outbound,
	} {
		stored, err := os.ReadFile("testdata/earlier/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile("../../events/testdata/b/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		item, err := itemjson.Decode(stored)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := table.PayloadOf(item); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, body)
		}
		if got := table.DirectionOf(item); got != want {
			t.Errorf("%s: direction %q, want %q", name, got, want)
		}
	}
}

// Stored items refer to the names by number.
func TestTheNamesOfPackedBodiesStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	if n := len(table.MemberNames()); n > 0xC0 {
		t.Errorf("%d names, at most 192 have a number", n)
	}
	const names, sum = 156, "2591fdf90dc465ca"
	if got := table.BodyDigest([]byte(strings.Join(table.MemberNames()[:min(names, len(table.MemberNames()))], " "))); got != sum {
		t.Errorf("the first %d names have the digest %s, want %s: add new names at the end", names, got, sum)
	}
}

// FuzzPayloadOf: no packed body may crash a reader.
func FuzzPayloadOf(f *testing.F) {
	item := table.Item{
		table.PK: attr.String("CALL#c1"), table.SK: attr.String("EVENT#2026-03-12T14:32:00.000Z#call.missed#0123456789abcdef"),
		"call_id": attr.String("c1"), "duration": attr.Number("185"), "tags": attr.List{attr.Bool(true)},
		"call_info": attr.Map{"type": attr.String("missed"), "notes": attr.Null{}},
	}
	for _, seed := range []string{
		"", "\x00\x00\x00\x00\x00\xc0\xe0", "\x02\x00\x00\x00\x00\xc5\xe0\xe0", "\x00\x00\x00\x00\x00\xe1\x01\xf0\xea\x11\x1c\xe3",
		"\x20\x00\x00\x00\x00\xe2\x02p=\xe6\x00\xe3\xef\xe5\x00\xe4\xe0\xe7\xe0\xe7", "\x00\x00\x00\x00\x00\xe7", "\x00\x00\x00\x00\x00\xe5\x00\xe6\x00\xe5\x00\xe3\xe0",
		"\x00\x00\x00\x00\x00\xe2\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x00\x00\x00\x00\x00\xe3\xe4\xe0\xe0\xe0\xe0", "\x00\x00\x00\x00\x00\xe8\xff\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		changed := maps.Clone(item)
		changed[table.Packed] = attr.Binary(packed)
		_, _ = table.PayloadOf(changed)
	})
}
