package eventsource

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// Record is one change in a table's stream.
type Record struct {
	Sequence string
	// Text is the record as JSON; tests may damage it.
	Text []byte
}

const streamARN = "arn:aws:dynamodb:us-east-1:000000000000:table/events/stream/2026-03-12T00:00:00.000"

// record is a stream record in an event. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html.
type record struct {
	EventID        string `json:"eventID"`
	EventName      string `json:"eventName"`
	EventVersion   string `json:"eventVersion"`
	EventSource    string `json:"eventSource"`
	AWSRegion      string `json:"awsRegion"`
	Change         change `json:"dynamodb"`
	EventSourceARN string `json:"eventSourceARN"`
}

type change struct {
	Created        int64           `json:"ApproximateCreationDateTime"`
	Keys           json.RawMessage `json:"Keys"`
	NewImage       json.RawMessage `json:"NewImage,omitempty"`
	SequenceNumber string          `json:"SequenceNumber"`
	SizeBytes      int             `json:"SizeBytes"`
	StreamViewType string          `json:"StreamViewType"`
}

// Shard makes stream records in order. The zero Shard is ready.
type Shard struct{ written int }

// Insert returns the records of new items.
func (s *Shard) Insert(items ...table.Item) ([]Record, error) { return s.records("INSERT", items) }

// Modify returns the records of overwritten items.
func (s *Shard) Modify(items ...table.Item) ([]Record, error) { return s.records("MODIFY", items) }

// Remove returns the records of deleted items.
func (s *Shard) Remove(items ...table.Item) ([]Record, error) { return s.records("REMOVE", items) }

func (s *Shard) records(name string, items []table.Item) ([]Record, error) {
	records := make([]Record, len(items))
	for i, item := range items {
		image, err := itemjson.Encode(item)
		if err != nil {
			return nil, err
		}
		keys, err := itemjson.Encode(table.Item{table.PK: item[table.PK], table.SK: item[table.SK]})
		if err != nil {
			return nil, err
		}
		s.written++
		size := len(image)
		if name == "REMOVE" {
			image = nil // the view is NEW_IMAGE
		}
		created := time.Date(2026, 3, 12, 14, 32, 0, 0, time.UTC).Unix() + int64(s.written)
		records[i].Sequence = fmt.Sprintf("44215845%020d", s.written)
		records[i].Text, err = json.Marshal(record{
			EventID:        fmt.Sprintf("%032x", s.written),
			EventName:      name,
			EventVersion:   "1.1",
			EventSource:    "aws:dynamodb",
			AWSRegion:      "us-east-1",
			EventSourceARN: streamARN,
			Change: change{
				Created:        created,
				Keys:           keys,
				NewImage:       image,
				SequenceNumber: records[i].Sequence,
				SizeBytes:      size,
				StreamViewType: "NEW_IMAGE",
			},
		})
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}
