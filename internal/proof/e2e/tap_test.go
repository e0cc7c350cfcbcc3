package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// tap is the table's stream, which dynalite has none of: every write that the
// table has done is a record, whether the program that asked for it was told or
// not. It stands between the table and the proxy with the faults.
type tap struct {
	next http.RoundTripper
	put  func(partition string, records ...eventsource.Record)

	// Writes of one partition are done one after the other, so that their records
	// come in the order in which the table did them.
	seed       maphash.Seed
	partitions [64]sync.Mutex

	mu       sync.Mutex
	shard    eventsource.Shard
	written  map[table.Key]bool
	rewrites int
	faults   []error // of the test
}

func newTap(put func(partition string, records ...eventsource.Record)) *tap {
	return &tap{put: put, seed: maphash.MakeSeed(), written: map[table.Key]bool{}}
}

// wrap is for [faultproxy.Proxy.Through].
func (tp *tap) wrap(next http.RoundTripper) http.RoundTripper {
	tp.next = next
	return tp
}

// RoundTrip implements [http.RoundTripper].
func (tp *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	switch name := operation(r); name {
	case "GetItem", "Query":
		return tp.next.RoundTrip(r)
	case "PutItem":
	default:
		return nil, tp.fault(fmt.Errorf("the tap does not know what %s writes", name))
	}
	body, err := reread(r)
	if err != nil {
		return nil, err
	}
	var request struct {
		Item json.RawMessage `json:"Item"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	item, err := itemjson.Decode(request.Item)
	if err != nil {
		return nil, err
	}
	partition := table.KeyOf(item).PK
	turn := &tp.partitions[maphash.String(tp.seed, partition)%uint64(len(tp.partitions))]
	turn.Lock()
	defer turn.Unlock()
	response, err := tp.next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusOK {
		err = tp.record(partition, item)
	}
	return response, err
}

// record appends what was written to the stream.
func (tp *tap) record(partition string, item table.Item) error {
	tp.mu.Lock()
	made := tp.shard.Insert
	if key := table.KeyOf(item); tp.written[key] {
		if table.VersionOf(item) == 0 { // those with a version change
			tp.rewrites++
		}
		made = tp.shard.Modify
	} else {
		tp.written[key] = true
	}
	records, err := made(item)
	tp.mu.Unlock()
	if err != nil {
		return tp.fault(fmt.Errorf("the tap cannot make a record: %w", err))
	}
	tp.put(partition, records...)
	return nil
}

// fault notes what no program can cause, and returns it. A request may outlast
// the test.
func (tp *tap) fault(err error) error {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.faults = append(tp.faults, err)
	return err
}

// check fails the test if there was a fault.
func (tp *tap) check(t *testing.T) {
	t.Helper()
	tp.mu.Lock()
	defer tp.mu.Unlock()
	if err := errors.Join(tp.faults...); err != nil {
		t.Error(err)
	}
}

// keys are those of everything that was written, and how often one was written
// over.
func (tp *tap) keys() (written map[table.Key]bool, rewrites int) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	written = make(map[table.Key]bool, len(tp.written))
	for key := range tp.written {
		written[key] = true
	}
	return written, tp.rewrites
}

// operation is what a request of one of the JSON protocols asks for.
func operation(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	return target[strings.LastIndexByte(target, '.')+1:]
}

// reread returns a request's body, and has it read again.
func reread(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody() // never fails
	return body, nil
}

// What the storm rests on.
func TestTheTapHasARecordOfEachWriteAndOfNothingElse(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var mu sync.Mutex
	var got []string
	stream := newTap(func(partition string, records ...eventsource.Record) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range records {
			var record struct {
				Name   string `json:"eventName"`
				Change struct {
					Image struct {
						SK   map[string]string `json:"SK"`
						Data map[string]string `json:"data"`
					} `json:"NewImage"`
				} `json:"dynamodb"`
			}
			if err := json.Unmarshal(r.Text, &record); err != nil {
				t.Error(err)
			}
			got = append(got, record.Name+" "+partition+" "+record.Change.Image.SK["S"]+" "+record.Change.Image.Data["S"])
		}
	})
	s.table.Through(stream.wrap)
	client := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.table.URL()), Credentials: awsclient.StandInCredentials,
		HTTPClient: awsclient.NewHTTPClient(), Retryer: retry.AddWithMaxAttempts(aws.NopRetryer{}, 1),
	})
	put := func(sort, data string, fault faultproxy.Fault, conditional bool) error {
		s.table.Set(func(faultproxy.Request) faultproxy.Fault { return fault })
		in := &dynamodb.PutItemInput{TableName: aws.String(s.tableName), Item: map[string]types.AttributeValue{
			table.PK: &types.AttributeValueMemberS{Value: "CALL#1"},
			table.SK: &types.AttributeValueMemberS{Value: sort},
			"data":   &types.AttributeValueMemberS{Value: data},
		}}
		if conditional {
			in.ConditionExpression = aws.String("attribute_not_exists(PK)")
		}
		_, err := client.PutItem(t.Context(), in)
		return err
	}
	for _, tc := range []struct {
		name        string
		sort, data  string
		fault       faultproxy.Fault
		conditional bool
		fails       bool
		want        string // the record; "" for none
	}{
		{"a write", "1", "first", faultproxy.Fault{}, true, false, "INSERT CALL#1 1 first"},
		{"one that the condition refuses", "1", "second", faultproxy.Fault{}, true, true, ""},
		{"one whose connection is cut afterwards", "2", "first", faultproxy.Fault{PassOn: true, Cut: true}, true, true, "INSERT CALL#1 2 first"},
		{"the same again", "2", "first", faultproxy.Fault{}, true, true, ""},
		{"one whose connection is cut before", "3", "first", faultproxy.Fault{Cut: true}, true, true, ""},
		{"one that is throttled", "4", "first", faultproxy.TableThrottled, true, true, ""},
		{"one that writes over what is there", "1", "third", faultproxy.Fault{}, false, false, "MODIFY CALL#1 1 third"},
	} {
		if err := put(tc.sort, tc.data, tc.fault, tc.conditional); (err != nil) != tc.fails {
			t.Errorf("%s: %v", tc.name, err)
		}
		var want []string
		if tc.want != "" {
			want = []string{tc.want}
		}
		mu.Lock()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		got = nil
		mu.Unlock()
	}
	stream.check(t)
	written, rewrites := stream.keys()
	if diff := cmp.Diff(map[table.Key]bool{{PK: "CALL#1", SK: "1"}: true, {PK: "CALL#1", SK: "2"}: true}, written); diff != "" || rewrites != 1 {
		t.Errorf("%d rewrites, want 1; written (-want +got):\n%s", rewrites, diff)
	}
	if got := len(s.items()); got != len(written) {
		t.Errorf("%d items, and %d keys", got, len(written))
	}
}
