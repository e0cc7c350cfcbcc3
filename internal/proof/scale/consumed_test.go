package scale_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// What is computed is what a table says that it charged for. The stand-in says nothing of
// its indexes; so what they hold is written to another table, as items.
func TestTheUnitsAreThoseThatATableConsumes(t *testing.T) {
	t.Parallel()
	config, name := tabletest.NewTable(t)
	_, other := tabletest.NewTable(t)
	service := awsclient.NewService(awsclient.DynamoDB, config)
	put := func(name string, item table.Item) (units float64) {
		t.Helper()
		request, err := itemjson.Append([]byte(`{"TableName":"`+name+`","ReturnConsumedCapacity":"INDEXES","Item":`), inASCII(item))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			ConsumedCapacity struct {
				Table struct{ CapacityUnits float64 }
			}
		}
		text, err := service.Call(t.Context(), "PutItem", append(request, '}'))
		if err == nil {
			err = json.Unmarshal(text, &answer)
		}
		if units = answer.ConsumedCapacity.Table.CapacityUnits; err != nil || units == 0 {
			t.Fatalf("put: %v, %s", err, text)
		}
		return units
	}

	plan := newPlan(t, play.Mix{Seed: 1, Deliveries: 1500})
	got, want := map[string]float64{}, measure(t, plan)
	alerts := map[string]bool{}
	for i, body := range bodiesOf(plan) {
		envelope, err := events.Open(body)
		if err != nil {
			t.Fatal(err)
		}
		item := table.EventItem(envelope.Decode(), time.Time{}, time.Time{})
		got["table"] += put(name, item)
		if id := plan.Events[i].Alert; id != "" && !alerts[id] {
			alerts[id] = true
			got["marks"] += put(name, table.AlertedItem(table.KeyOf(item), table.AlertOf(item), time.Unix(0, 0), time.Time{}))
		}
	}
	client := dynamodb.NewFromConfig(config)
	for _, index := range table.Indexes() {
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String(name), IndexName: aws.String(string(index))})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range page.Items {
				item := dynamostore.Item(entry)
				for _, index := range table.Indexes() { // it is not to be in the other table's
					partition, _ := index.Attributes()
					if v, ok := item[partition]; ok {
						delete(item, partition)
						item["x"+partition[1:]] = v
					}
				}
				got[string(index)] += put(other, item)
			}
		}
	}

	all := 0.0
	for name, want := range map[string]float64{
		"table": want.Table, "marks": want.Alerts, "GSI1": want.Phones, "GSI2": want.Calls + want.Answered, "GSI3": 0,
	} {
		units := got[name] / float64(len(plan.Events))
		if all += units; !near(units, want, 1e-9) {
			t.Errorf("%s: the table consumed %g units for an event, %g are computed", name, units, want)
		}
	}
	if !near(all, want.Units(), 1e-9) {
		t.Errorf("an event consumed %g units in all, %g are computed", all, want.Units())
	}
}

// inASCII returns an item of the same size. The stand-in counts letters, DynamoDB bytes.
func inASCII(item table.Item) table.Item {
	other := make(table.Item, len(item))
	for name, v := range item {
		other[name] = valueInASCII(v)
	}
	return other
}

func valueInASCII(v attr.Value) attr.Value {
	switch v := v.(type) {
	case attr.String:
		text := []byte(v)
		for i, c := range text {
			if c >= utf8.RuneSelf {
				text[i] = 'x'
			}
		}
		return attr.String(text)
	case attr.List:
		list := make(attr.List, len(v))
		for i := range v {
			list[i] = valueInASCII(v[i])
		}
		return list
	case attr.Map:
		return attr.Map(inASCII(table.Item(v)))
	default:
		return v
	}
}
