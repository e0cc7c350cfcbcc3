package dynamostore_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// query is what a table is asked for.
type query struct {
	TableName                 string                       `json:"TableName"`
	KeyConditionExpression    string                       `json:"KeyConditionExpression"`
	ExpressionAttributeValues map[string]map[string]string `json:"ExpressionAttributeValues"`
	ConsistentRead            bool                         `json:"ConsistentRead"`
	IndexName                 string                       `json:"IndexName"`
	ScanIndexForward          bool                         `json:"ScanIndexForward"`
	Limit                     int                          `json:"Limit"`
	ExclusiveStartKey         map[string]map[string]string `json:"ExclusiveStartKey"`
}

func TestQueryIsOneCall(t *testing.T) {
	t.Parallel()
	type values = map[string]map[string]string
	text := func(s string) map[string]string { return map[string]string{"S": s} }
	for _, c := range []struct {
		name  string
		query table.Query
		want  query
	}{
		{"partition", table.Query{Partition: "P"}, query{
			KeyConditionExpression:    "PK = :partition",
			ExpressionAttributeValues: values{":partition": text("P")},
			ConsistentRead:            true,
			ScanIndexForward:          true,
		}},
		{"prefix", table.Query{Index: table.GSI1, Partition: "P", SortPrefix: "a", NewestFirst: true}, query{
			KeyConditionExpression:    "GSI1PK = :partition AND begins_with(occurred_at, :prefix)",
			ExpressionAttributeValues: values{":partition": text("P"), ":prefix": text("a")},
			IndexName:                 "GSI1",
		}},
		{"both bounds", table.Query{Partition: "P", From: "a", To: "b", Limit: 7}, query{
			KeyConditionExpression:    "PK = :partition AND SK BETWEEN :from AND :to",
			ExpressionAttributeValues: values{":partition": text("P"), ":from": text("a"), ":to": text("b")},
			ConsistentRead:            true,
			ScanIndexForward:          true,
			Limit:                     7,
		}},
		{"lower bound", table.Query{Index: table.GSI2, Partition: "P", From: "a"}, query{
			KeyConditionExpression:    "GSI2PK = :partition AND occurred_at >= :from",
			ExpressionAttributeValues: values{":partition": text("P"), ":from": text("a")},
			IndexName:                 "GSI2",
			ScanIndexForward:          true,
		}},
		{"upper bound", table.Query{Partition: "P", To: "b"}, query{
			KeyConditionExpression:    "PK = :partition AND SK <= :to",
			ExpressionAttributeValues: values{":partition": text("P"), ":to": text("b")},
			ConsistentRead:            true,
			ScanIndexForward:          true,
		}},
		{"behind a page", table.Query{
			Index: table.GSI1, Partition: "P",
			After: table.Position{Index: table.GSI1, Partition: "P", Sort: "s", PK: "k", SK: "l"}.Cursor(),
		}, query{
			KeyConditionExpression:    "GSI1PK = :partition",
			ExpressionAttributeValues: values{":partition": text("P")},
			IndexName:                 "GSI1",
			ScanIndexForward:          true,
			ExclusiveStartKey:         values{"GSI1PK": text("P"), "occurred_at": text("s"), "PK": text("k"), "SK": text("l")},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []query
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var q query
				if err := json.UnmarshalRead(r.Body, &q, json.RejectUnknownMembers(true)); err != nil {
					t.Errorf("request: %v", err)
				}
				got = append(got, q)
				_, _ = io.WriteString(w, `{"Count":0,"Items":[]}`)
			}))
			t.Cleanup(server.Close)
			if _, err := dynamostore.New(awsclient.StandIn(server.URL), "events").Query(t.Context(), c.query); err != nil {
				t.Error(err)
			}
			c.want.TableName = "events"
			if diff := cmp.Diff([]query{c.want}, got); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing here writes a set, but a person may, at the console.
func TestASetIsReadAsAList(t *testing.T) {
	t.Parallel()
	got := dynamostore.Item(map[string]types.AttributeValue{
		"texts":   &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"numbers": &types.AttributeValueMemberNS{Value: []string{"1"}},
		"bytes":   &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
	})
	want := table.Item{
		"texts":   attr.List{attr.String("a"), attr.String("b")},
		"numbers": attr.List{attr.Number("1")},
		"bytes":   attr.List{attr.Binary{1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
