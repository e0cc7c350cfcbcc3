package deliveries_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/bench/deliveries"
)

const root = "../../../.."

var signedAt = time.Date(2026, time.March, 20, 9, 8, 7, 0, time.UTC)

func thirty(t *testing.T) []deliveries.Delivery {
	t.Helper()
	all, err := deliveries.Make(root, 30, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachDeliveryIsOfAnEventOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	signed := 0
	for i, d := range thirty(t) {
		if before, twice := seen[d.Item]; twice {
			t.Errorf("deliveries %d and %d are of one event", before, i)
		}
		seen[d.Item] = i
		if d.Signed() {
			signed++
		}
		if strings.Contains(d.Item, `"received_at"`) || !strings.Contains(d.Item, `"PK":{"S":"`+d.Key+`"}`) {
			t.Errorf("delivery %d: item %s", i, d.Item)
		}
	}
	// Five of every fourteen are of format B, and of the two that are left one.
	if signed != 11 {
		t.Errorf("%d are signed, want 11", signed)
	}
}

func TestFewerAreTheFirstOfMore(t *testing.T) {
	t.Parallel()
	few, err := deliveries.Make(root, 5, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(thirty(t)[:5], few); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
		}, r.URL, envelope.Type, events.Tolerance{}, signedAt, deliveries.SigningSecret)
	}
	for i, d := range thirty(t) {
		if !d.Signed() {
			continue
		}
		if err := check(d.Event); err != nil {
			t.Errorf("delivery %d: %v", i, err)
		}
		forged, err := d.WithSignature(strings.Repeat("0", 64))
		if err != nil {
			t.Fatal(err)
		}
		if err := check(forged); !errors.Is(err, events.ErrSignatureMismatch) {
			t.Errorf("delivery %d with another signature: %v", i, err)
		}
	}
}

func TestTokenIsReplacedWhereverItStands(t *testing.T) {
	t.Parallel()
	d := thirty(t)[0]
	if n := strings.Count(string(d.Event), deliveries.Token); n != 3 {
		t.Errorf("the token stands there %d times, want 3", n)
	}
	other, err := d.WithToken("another")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(other); strings.Contains(text, deliveries.Token) || strings.Count(text, "another") != 3 {
		t.Errorf("got %s", text)
	}
}

func TestCheckItemsFindsEveryDifference(t *testing.T) {
	t.Parallel()
	all := thirty(t)[:3]
	good := func() []map[string]any {
		items := make([]map[string]any, len(all))
		for i, d := range all {
			if err := json.Unmarshal([]byte(d.Item), &items[i]); err != nil {
				t.Fatal(err)
			}
			items[i]["received_at"] = map[string]string{"S": "2026-03-20T09:08:07.000Z"}
		}
		return items
	}
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
		{"an attribute is missing", func(items []map[string]any) []map[string]any {
			delete(items[1], "contact_name")
			return items
		}, true},
		{"an attribute is something else", func(items []map[string]any) []map[string]any {
			items[0]["duration"] = map[string]string{"S": "185"}
			return items
		}, true},
		{"an attribute too many", func(items []map[string]any) []map[string]any {
			items[2]["extra"] = map[string]bool{"BOOL": true}
			return items
		}, true},
		{"no time of arrival", func(items []map[string]any) []map[string]any {
			delete(items[0], "received_at")
			return items
		}, true},
		{"one too many", func(items []map[string]any) []map[string]any {
			return append(items, map[string]any{"received_at": items[0]["received_at"]})
		}, true},
		{"nothing at all", func([]map[string]any) []map[string]any { return nil }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stored [][]byte
			for _, item := range test.change(good()) {
				text, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				stored = append(stored, text)
			}
			if err := deliveries.CheckItems(all, stored); errors.Is(err, deliveries.ErrWrong) != test.wrong {
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
			err := deliveries.CheckAnswer([]byte(test.payload), test.code, "stored", "CALL#1")
			if (err == nil) != test.ok || err != nil && !errors.Is(err, deliveries.ErrWrong) {
				t.Errorf("got %v", err)
			}
		})
	}
}
