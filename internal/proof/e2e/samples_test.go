package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/table"
)

// The whole way: gateway, webhook, table, stream, alerts, topic, subscriber.
// Nine events make nine items and two alerts, straight or by way of the queue.
func TestTheSamplesMakeTwoAlerts(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]bool{"straight": false, "by way of the queue": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			subscriber := moto.Subscribe(t, s.topicARN, nil)
			if outage {
				s.table.Set(func(faultproxy.Request) faultproxy.Fault { return faultproxy.Fault{Cut: true} })
			}
			webhook := s.webhook()
			for name, body := range samples(t) {
				if got, err := post(t.Context(), webhook, body); err != nil || got.code != 200 {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			}
			s.table.Set(faultproxy.None)
			s.drain(s.function("drain", "DrainFunction", "SQS"))

			items := s.items()
			if len(items) != 9 {
				t.Errorf("%d items, want 9", len(items))
			}
			alerts, settings := s.function("alerts", "AlertsFunction", "DynamoDB")
			var shard eventsource.Shard
			for range 2 { // what the function itself writes comes by the stream as well
				records, err := shard.Insert(inOrder(items)...)
				if err != nil {
					t.Fatal(err)
				}
				lost, err := settings.Stream().Deliver(t.Context(), alerts, records)
				if err != nil || len(lost) > 0 {
					t.Fatalf("%d given up, %v", len(lost), err)
				}
				before := items
				items = s.items()
				maps.DeleteFunc(items, func(key table.Key, _ table.Item) bool { return before[key] != nil })
			}
			if len(items) != 9 { // that is, without the two marks of the first round
				t.Errorf("%d items beside the marks, want 9", len(items))
			}

			type told struct {
				ID     string `json:"id"`
				Missed *struct {
					CallID     string `json:"call_id"`
					OccurredAt string `json:"occurred_at"`
				} `json:"missed_call"`
			}
			got := map[string]string{}
			for _, m := range moto.Receive(t, subscriber) {
				var d told
				if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &d); err != nil {
					t.Fatal(err)
				}
				if _, twice := got[d.ID]; twice {
					t.Errorf("%s came twice", d.ID)
				}
				if got[d.ID] = ""; d.Missed != nil {
					got[d.ID] = d.Missed.CallID + " at " + d.Missed.OccurredAt
				}
			}
			want := map[string]string{
				"CALL#call_1d4e5f6a/missed_call": "",
				"CALL#call_1d4e5f6a/voicemail":   "call_1d4e5f6a at 2026-03-12T14:32:00.000Z",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("alerts and the missed calls that they name (-want +got):\n%s", diff)
			}
		})
	}
}

// inOrder are items by key, which for the events of a call is by time.
func inOrder(items map[table.Key]table.Item) []table.Item {
	return slices.SortedFunc(maps.Values(items), func(a, b table.Item) int {
		x, y := table.KeyOf(a), table.KeyOf(b)
		return slices.Compare([]string{x.PK, x.SK}, []string{y.PK, y.SK})
	})
}
