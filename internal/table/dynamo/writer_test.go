package dynamo_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// sent is what matters to a service in a request.
type sent struct {
	Method, URL, ContentType, Target string
	Body                             any
}

// catcher records requests and responds to none.
type catcher []sent

func (c *catcher) Do(r *http.Request) (*http.Response, error) {
	s := sent{
		Method: r.Method, URL: r.URL.Scheme + "://" + r.URL.Host + strings.TrimSuffix(r.URL.Path, "/"),
		ContentType: r.Header.Get("Content-Type"), Target: r.Header.Get("X-Amz-Target"),
	}
	if err := json.UnmarshalRead(r.Body, &s.Body); err != nil {
		return nil, err
	}
	*c = append(*c, s)
	return nil, errors.New("not sent")
}

func anItem() *rapid.Generator[table.Item] {
	return rapid.Custom(func(t *rapid.T) table.Item {
		item := tabletest.Attributes(3, `-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "attributes")
		text := rapid.StringN(1, 30, 100)
		for _, name := range []string{table.PK, table.SK, table.GSI1PK, table.GSI2PK, table.OccurredAt} {
			item[name] = attr.String(text.Draw(t, name))
		}
		return item
	})
}

// normal rewrites the numbers of an item in DynamoDB's JSON as DynamoDB would. The SDK
// leaves that to the table.
func normal(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["N"].(string); ok && len(v) == 1 {
			spelt, err := attr.Normal(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			return map[string]any{"N": spelt}
		}
		for name := range v {
			v[name] = normal(t, v[name])
		}
	case []any:
		for i := range v {
			v[i] = normal(t, v[i])
		}
	}
	return v
}

// Whatever an item holds, the SDK's client sends the same request.
func TestTheWritersRequestIsTheSDKs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		item := anItem().Draw(t, "item")
		name := rapid.SampledFrom([]string{"events", "ringback-EventsTable-1X_2.y"}).Draw(t, "table")
		var want, got catcher
		config := func(to *catcher) aws.Config {
			return aws.Config{
				Region: "eu-central-1", HTTPClient: to, Credentials: awsclient.StandInCredentials,
				Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			}
		}
		_, sdkErr := dynamostore.New(config(&want), name).Put(context.Background(), item)
		_, err := dynamo.NewWriter(config(&got), name).Put(context.Background(), item)
		if errors.Is(err, table.ErrUnavailable) != errors.Is(sdkErr, table.ErrUnavailable) || len(want) != 1 {
			t.Fatalf("%d requests of the SDK's: %v; ours: %v", len(want), sdkErr, err)
		}
		want[0].Body = normal(t, want[0].Body)
		for _, requests := range []catcher{want, got} {
			for i := range requests { // two seconds, perhaps
				if body, ok := requests[i].Body.(map[string]any); ok {
					delete(body, "ExpressionAttributeValues")
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests (-SDK's +ours):\n%s", diff)
		}
	})
}

func TestWarmMakesOneSignedReadAndIgnoresTheResult(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if got := r.Header.Get("X-Amz-Target"); got != "DynamoDB_20120810.GetItem" {
			t.Errorf("target %q", got)
		}
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
			t.Error("request is not signed")
		}
		got, err := io.ReadAll(r.Body)
		if want := `{"TableName":"events","Key":{"PK":{"S":"WARM"},"SK":{"S":"WARM"}}}`; string(got) != want || err != nil {
			t.Errorf("request %s, %v, want %s", got, err, want)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	if hung := dynamo.NewWriter(config(server.URL), "events").Warm(t.Context()); hung {
		t.Error("an answer counts as none")
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestWarmSaysThatTheTableHangs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if !dynamo.NewWriter(config(silentServer(t)), "events").Warm(ctx) {
		t.Error("no answer counts as one")
	}
}
