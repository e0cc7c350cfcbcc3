package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// secret stands for an item's content: no error may contain it.
const secret = "+14155550100"

func secretItem() table.Item {
	return table.Item{table.PK: attr.String("CALL#" + secret), table.SK: attr.String("EVENT#1"), "from": attr.String(secret)}
}

// putter puts an item into a DynamoDB table.
type putter interface {
	Put(ctx context.Context, item table.Item) (created bool, err error)
}

// config is that of a stand-in, with a limit on attempts that only a hang reaches,
// however busy the machine is.
func config(endpoint string) aws.Config { return limited(endpoint, time.Minute) }

func limited(endpoint string, limit time.Duration) aws.Config {
	c, client := awsclient.StandIn(endpoint), awsclient.NewHTTPClient()
	client.SetLimit(limit)
	c.HTTPClient = client
	return c
}

// putters open the table named "events".
var putters = map[string]func(aws.Config) putter{
	"webhook's": func(c aws.Config) putter { return dynamo.NewWriter(c, "events") },
	"SDK's":     func(c aws.Config) putter { return dynamostore.New(c, "events") },
}

// withEach runs a test with each of the putters.
func withEach(t *testing.T, test func(t *testing.T, open func(endpoint string) putter)) {
	t.Helper()
	withEachConfigured(t, func(t *testing.T, open func(aws.Config) putter) {
		t.Helper()
		test(t, func(endpoint string) putter { return open(config(endpoint)) })
	})
}

func withEachConfigured(t *testing.T, test func(t *testing.T, open func(aws.Config) putter)) {
	t.Helper()
	t.Parallel()
	for name, open := range putters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// request is a request to put an item.
type request struct {
	Operation string `json:"-"`

	TableName           string         `json:"TableName"`
	Item                map[string]any `json:"Item"`
	ConditionExpression string         `json:"ConditionExpression"`

	// Values are those of the condition, without what changes with the time.
	Values map[string]any `json:"ExpressionAttributeValues"`
}

// asked starts a server that always responds with body, and returns the requests that
// it got. An unknown member of a request fails the test.
func asked(t *testing.T, body string) (endpoint string, requests func() []request) {
	t.Helper()
	var (
		mu  sync.Mutex
		all []request
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var got request
		if err := json.UnmarshalRead(r.Body, &got, json.RejectUnknownMembers(true)); err != nil {
			t.Errorf("request: %v", err)
		}
		got.Operation = r.Header.Get("X-Amz-Target")
		all = append(all, got)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []request {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestPromise9_PutIsOneConditionalCall(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		endpoint, requests := asked(t, "{}")
		if created, err := open(endpoint).Put(t.Context(), secretItem()); !created || err != nil {
			t.Errorf("Put = %t, %v, want true, nil", created, err)
		}
		text := func(s string) any { return map[string]any{"S": s} }
		want := []request{{
			Operation:           "DynamoDB_20120810.PutItem",
			TableName:           "events",
			Item:                map[string]any{"PK": text("CALL#" + secret), "SK": text("EVENT#1"), "from": text(secret)},
			ConditionExpression: "attribute_not_exists(PK) OR expires_at <= :now",
		}}
		got := requests()
		for i := range got {
			if len(got[i].Values) != 1 {
				t.Errorf("values %v, want the time", got[i].Values)
			}
			got[i].Values = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestPromise2_PutOfAKeyThatExistsIsNoError(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, apiError("ConditionalCheckFailedException", "The conditional request failed"))
		}))
		t.Cleanup(server.Close)
		if created, err := open(server.URL).Put(t.Context(), secretItem()); created || err != nil {
			t.Errorf("Put = %t, %v, want false, nil", created, err)
		}
	})
}

func TestPutRefusesBeforeSending(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		endpoint, requests := asked(t, "{}")
		s := open(endpoint)
		large := secretItem()
		large["payload"] = attr.Binary(make([]byte, table.MaxItemSize))
		if _, err := s.Put(t.Context(), large); !errors.Is(err, table.ErrTooLarge) {
			t.Errorf("Put: %v, want %v", err, table.ErrTooLarge)
		}
		if _, err := s.Put(t.Context(), table.Item{table.PK: attr.String("CALL#1")}); !errors.Is(err, table.ErrKey) {
			t.Errorf("Put: %v, want %v", err, table.ErrKey)
		}
		if n := len(requests()); n > 0 {
			t.Errorf("%d calls, want none", n)
		}
	})
}

// answer is a server's response.
type answer struct {
	status int
	body   string
}

func apiError(code, message string) string {
	return fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q}`, code, message)
}

func TestErrorClasses(t *testing.T) {
	t.Parallel()
	unclassified := errors.New("none of ours")
	for _, c := range []struct {
		name   string
		answer answer
		want   error
		calls  int
	}{
		{"throttled table", answer{400, apiError("ProvisionedThroughputExceededException", "slow")}, table.ErrUnavailable, 3},
		{"throttled account", answer{400, apiError("RequestLimitExceeded", "slow")}, table.ErrUnavailable, 3},
		{"throttled request", answer{400, apiError("ThrottlingException", "slow")}, table.ErrUnavailable, 3},
		{"throttled by its status alone", answer{429, apiError("Throttled", "slow")}, table.ErrUnavailable, 3},
		{"internal error", answer{500, apiError("InternalServerError", "oops")}, table.ErrUnavailable, 3},
		{"500 without a body", answer{500, ""}, table.ErrUnavailable, 3},
		{"503 of something between", answer{503, "<html>" + secret}, table.ErrUnavailable, 3},
		{"conflicting replica", answer{400, apiError("ReplicatedWriteConflictException", "again")}, table.ErrUnavailable, 1},
		{"item size", answer{400, apiError("ValidationException", "Item size has exceeded the maximum allowed size")}, table.ErrTooLarge, 1},
		{"invalid parameter", answer{400, apiError("ValidationException", "not a number: "+secret)}, unclassified, 1},
		{"unreadable request", answer{400, apiError("SerializationException", secret)}, unclassified, 1},
		{"no access", answer{400, apiError("AccessDeniedException", "role x may not dynamodb:PutItem")}, unclassified, 1},
		{"no table", answer{400, apiError("ResourceNotFoundException", "no such table")}, unclassified, 1},
		{"not an answer of DynamoDB", answer{404, "<html>" + secret}, unclassified, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			withEach(t, func(t *testing.T, open func(string) putter) {
				var calls atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					calls.Add(1)
					w.Header().Set("X-Amzn-Requestid", "request-7")
					w.WriteHeader(c.answer.status)
					_, _ = io.WriteString(w, c.answer.body)
				}))
				t.Cleanup(server.Close)
				s := open(server.URL)

				created, err := s.Put(t.Context(), secretItem())
				if created || err == nil {
					t.Fatalf("Put = %t, %v, want an error", created, err)
				}
				checkClass(t, err, c.want)
				if n := int(calls.Load()); n != c.calls {
					t.Errorf("%d calls, want %d", n, c.calls)
				}
				if reader, ok := s.(table.Store); ok {
					_, err = reader.Query(t.Context(), table.Query{Partition: "CALL#" + secret})
					checkClass(t, err, c.want)
				}
			})
		})
	}
}

// Something between us and the table may respond in its place.
func TestPromise1_OnlyAResponseOfTheTableIsASuccess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, sum string }{
		{"nothing", "", ""},
		{"a page", "<html>", ""},
		{"half an answer", `{"a"`, ""},
		{"another kind of JSON", `"ok"`, ""},
		{"one that was changed on the way", "{}", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.sum != "" {
					w.Header().Set("X-Amz-Crc32", c.sum)
				}
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			created, err := dynamo.NewWriter(config(server.URL), "events").Put(t.Context(), secretItem())
			if created || err == nil {
				t.Fatalf("Put = %t, %v, want an error", created, err)
			}
			checkClass(t, err, table.ErrUnavailable)
		})
	}
}

// checkClass checks that err wraps want and no other sentinel, and that its text has
// nothing of the item.
func checkClass(t *testing.T, err, want error) {
	t.Helper()
	for _, sentinel := range []error{table.ErrUnavailable, table.ErrTooLarge, table.ErrKey, table.ErrValue, table.ErrQuery} {
		if is := errors.Is(err, sentinel); is != errors.Is(want, sentinel) {
			t.Errorf("error %q: is %q = %t", err, sentinel, is)
		}
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), secret) {
			t.Errorf("error %q has content", e)
		}
	}
}

func TestAccessDeniedSaysWho(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Requestid", "request-7")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, apiError("AccessDeniedException", "role x may not dynamodb:PutItem"))
		}))
		t.Cleanup(server.Close)
		_, err := open(server.URL).Put(t.Context(), secretItem())
		for _, want := range []string{"put item", "AccessDeniedException", "role x may not", "request-7"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		}
	})
}

func TestConnectionRefusedIsUnavailable(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		_, err := open(server.URL).Put(t.Context(), secretItem())
		checkClass(t, err, table.ErrUnavailable)
	})
}

func TestDeadlineIsUnavailable(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		s := open(silentServer(t))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := s.Put(ctx, secretItem())
		checkClass(t, err, table.ErrUnavailable)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestCancelIsNotUnavailable(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		s := open(silentServer(t))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		_, err := s.Put(ctx, secretItem())
		if !errors.Is(err, context.Canceled) || errors.Is(err, table.ErrUnavailable) {
			t.Errorf("error %v, want %v alone", err, context.Canceled)
		}
	})
}

// The server writes the item and cuts the connection before it responds. The second
// attempt then finds our own item.
func TestPromise2_ResponseLostAfterTheWriteIsNoError(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		for _, c := range []struct {
			name string
			lose func(t *testing.T, w http.ResponseWriter)
		}{
			{"before the response", func(t *testing.T, w http.ResponseWriter) {
				cut(t, w, "")
			}},
			{"within the headers", func(t *testing.T, w http.ResponseWriter) {
				cut(t, w, "HTTP/1.1 200 OK\r\nContent-")
			}},
			{"within the body", func(t *testing.T, w http.ResponseWriter) {
				cut(t, w, "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{")
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if calls.Add(1) == 1 {
						c.lose(t, w)
						return
					}
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, apiError("ConditionalCheckFailedException", "The conditional request failed"))
				}))
				t.Cleanup(server.Close)
				created, err := open(server.URL).Put(t.Context(), secretItem())
				if created || err != nil {
					t.Errorf("Put = %t, %v, want false, nil", created, err)
				}
				if n := calls.Load(); n != 2 {
					t.Errorf("%d calls, want 2", n)
				}
			})
		}
	})
}

// cut writes the start of a response and closes the connection.
func cut(t *testing.T, w http.ResponseWriter, response string) {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, response)
	_ = conn.Close()
}

// silentServer accepts connections and never responds.
func silentServer(t *testing.T) (endpoint string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return "http://" + listener.Addr().String()
}
