package measure_test

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/bench/measure"
	"github.com/ringback/ringback/internal/proof/bench/standin"
)

const root = "../../../.."

var signedAt = time.Date(2026, time.March, 20, 9, 8, 7, 0, time.UTC)

func thirty(t *testing.T) []measure.Delivery {
	t.Helper()
	all, err := measure.Make(root, 30, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachDeliveryIsOfAnEventOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[standin.Key]int{}
	signed := 0
	for i, d := range thirty(t) {
		if before, twice := seen[d.Key]; twice {
			t.Errorf("deliveries %d and %d are of one event", before, i)
		}
		seen[d.Key] = i
		signed += len(d.Forged) - 1
		item := measure.Item(&d)
		if item["received_at"] != nil || item["payload"] == nil || !reflect.DeepEqual(item["PK"], map[string]any{"S": d.Key.PK}) {
			t.Errorf("delivery %d: item %v", i, item)
		}
	}
	// Five of every fourteen are of format B, and of the two that are left one.
	if signed != 11 {
		t.Errorf("%d are signed, want 11", signed)
	}
}

func TestFewerAreTheFirstOfMore(t *testing.T) {
	t.Parallel()
	few, err := measure.Make(root, 5, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	more := thirty(t)
	for i := range few {
		if few[i].Key != more[i].Key || !reflect.DeepEqual(measure.Item(&few[i]), measure.Item(&more[i])) {
			t.Errorf("delivery %d is of %v, and of %v among more", i, few[i].Key, more[i].Key)
		}
	}
}

func TestSignaturesAreGoodUntilTheyAreReplaced(t *testing.T) {
	t.Parallel()
	check := func(event []byte) error {
		r, err := gateway.ParseRequest(event)
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := events.Open(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return events.Verify(events.Signature{
			Hex:       r.Headers[events.HeaderSignature],
			Version:   r.Headers[events.HeaderSignatureVersion],
			Timestamp: r.Headers[events.HeaderRequestTimestamp],
		}, r.URL, envelope.Type, events.Tolerance{}, signedAt, measure.SigningSecret)
	}
	for i, d := range thirty(t) {
		if len(d.Forged) < 2 {
			continue
		}
		if err := check(d.Event); err != nil {
			t.Errorf("delivery %d: %v", i, err)
		}
		if err := check(d.Forged[1]); !errors.Is(err, events.ErrSignatureMismatch) {
			t.Errorf("delivery %d with another signature: %v", i, err)
		}
	}
}

func TestTokenIsReplacedWhereverItStands(t *testing.T) {
	t.Parallel()
	d := thirty(t)[0]
	if n := strings.Count(string(d.Event), measure.Token); n != 3 {
		t.Errorf("the token stands there %d times, want 3", n)
	}
	wrong := strings.Repeat("!", len(measure.Token))
	if forged := string(d.Forged[0]); strings.Contains(forged, measure.Token) || strings.Count(forged, wrong) != 3 {
		t.Errorf("got %s", forged)
	}
}

func TestCheckItemsFindsEveryDifference(t *testing.T) {
	t.Parallel()
	all := thirty(t)[:3]
	for _, test := range []struct {
		name   string
		change func(items []map[string]any) []map[string]any
		wrong  bool
	}{
		{"nothing changed", func(items []map[string]any) []map[string]any { return items }, false},
		{"another order", func(items []map[string]any) []map[string]any { return append(items[1:], items[0]) }, false},
		{"one is missing", func(items []map[string]any) []map[string]any { return items[1:] }, true},
		{"one is there twice, in place of another", func(items []map[string]any) []map[string]any {
			return append(items[1:], items[1])
		}, true},
		{"a member is missing", func(items []map[string]any) []map[string]any {
			delete(items[1], "contact_name")
			return items
		}, true},
		{"a member is something else", func(items []map[string]any) []map[string]any {
			items[0]["duration"] = map[string]string{"S": "185"}
			return items
		}, true},
		{"an index's key is missing", func(items []map[string]any) []map[string]any {
			delete(items[0], "occurred_at")
			return items
		}, true},
		{"an index's key too many", func(items []map[string]any) []map[string]any {
			items[0]["GSI2PK"] = map[string]string{"S": "ALERT#2026-03-20"}
			return items
		}, true},
		{"another payload", func(items []map[string]any) []map[string]any {
			items[2]["payload"] = map[string]string{"S": "{}"}
			return items
		}, true},
		{"another sort key", func(items []map[string]any) []map[string]any {
			items[2]["SK"] = map[string]string{"S": "EVENT#"}
			return items
		}, true},
		{"an attribute of ringback's own", func(items []map[string]any) []map[string]any {
			items[2]["extra"] = map[string]bool{"BOOL": true}
			return items
		}, false},
		{"one too many", func(items []map[string]any) []map[string]any {
			return append(items, map[string]any{"PK": map[string]string{"S": "CALL#"}, "SK": items[0]["SK"]})
		}, true},
		{"nothing at all", func([]map[string]any) []map[string]any { return nil }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			items := make([]map[string]any, len(all))
			for i := range all {
				items[i] = maps.Clone(measure.Item(&all[i]))
			}
			stored := map[standin.Key]jsontext.Value{}
			for _, item := range test.change(items) {
				text, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				var key struct{ PK, SK struct{ S string } }
				if err := json.Unmarshal(text, &key); err != nil {
					t.Fatal(err)
				}
				stored[standin.Key{PK: key.PK.S, SK: key.SK.S}] = text
			}
			if err := measure.CheckItems(all, stored); errors.Is(err, measure.ErrWrong) != test.wrong {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCheckAnswer(t *testing.T) {
	t.Parallel()
	const stored = `{"statusCode":200,"body":"{\"status\":\"stored\",\"key\":\"CALL#1\"}"}`
	for _, test := range []struct {
		name    string
		payload string
		code    int
		ok      bool
	}{
		{"stored under the key", stored, http.StatusOK, true},
		{"under another key", strings.Replace(stored, "CALL#1", "CALL#2", 1), http.StatusOK, false},
		{"a duplicate", strings.Replace(stored, "stored", "duplicate", 1), http.StatusOK, false},
		{"another status", strings.Replace(stored, "200", "201", 1), http.StatusOK, false},
		{"no body", `{"statusCode":200,"body":""}`, http.StatusOK, false},
		{"no answer", "", http.StatusOK, false},
		{"refused, as it is to be", `{"statusCode":401,"body":"{}"}`, http.StatusUnauthorized, true},
		{"not refused", stored, http.StatusUnauthorized, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := measure.CheckAnswer([]byte(test.payload), test.code, "stored", "CALL#1")
			if (err == nil) != test.ok || err != nil && !errors.Is(err, measure.ErrWrong) {
				t.Errorf("got %v", err)
			}
		})
	}
}
