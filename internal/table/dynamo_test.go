package table_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/table"
)

// secret stands for whatever an item holds: no error may tell it.
const secret = "+14155550100"

func secretItem() table.Item {
	return table.Item{table.PK: str("CALL#" + secret), table.SK: str("EVENT#1"), "from": str(secret)}
}

type fakeAPI struct {
	putItem func(*dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error)
	query   func(*dynamodb.QueryInput) (*dynamodb.QueryOutput, error)
}

func (f fakeAPI) PutItem(
	_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	return f.putItem(in)
}

func (f fakeAPI) Query(
	_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	return f.query(in)
}

func TestPromise9_PutIsOneConditionalCall(t *testing.T) {
	t.Parallel()
	calls := 0
	s := table.New(fakeAPI{putItem: func(in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
		calls++
		if aws.ToString(in.TableName) != "events" || aws.ToString(in.ConditionExpression) != "attribute_not_exists(PK)" || in.ReturnValues != "" {
			t.Errorf("request: %+v", in)
		}
		return &dynamodb.PutItemOutput{}, nil
	}}, "events")
	if created, err := s.Put(t.Context(), secretItem()); !created || err != nil {
		t.Errorf("Put = %t, %v, want true, nil", created, err)
	}
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestPromise2_PutOfAKeyThatExistsIsNoError(t *testing.T) {
	t.Parallel()
	s := table.New(fakeAPI{putItem: func(*dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
		return nil, fmt.Errorf("operation: %w", &types.ConditionalCheckFailedException{})
	}}, "events")
	if created, err := s.Put(t.Context(), secretItem()); created || err != nil {
		t.Errorf("Put = %t, %v, want false, nil", created, err)
	}
}

func TestPutRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	s := table.New(fakeAPI{}, "events") // a call would panic
	large := secretItem()
	large["payload"] = &types.AttributeValueMemberB{Value: make([]byte, table.MaxItemSize)}
	if _, err := s.Put(t.Context(), large); !errors.Is(err, table.ErrTooLarge) {
		t.Errorf("Put: %v, want %v", err, table.ErrTooLarge)
	}
	if _, err := s.Put(t.Context(), table.Item{table.PK: str("CALL#1")}); !errors.Is(err, table.ErrKey) {
		t.Errorf("Put: %v, want %v", err, table.ErrKey)
	}
}

func TestQueryConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		query table.Query
		want  string
	}{
		{"partition", table.Query{Partition: "P"}, "PK = :partition"},
		{"prefix", table.Query{Index: table.GSI1, Partition: "P", SortPrefix: "a"}, "GSI1PK = :partition AND begins_with(GSI1SK, :prefix)"},
		{"both bounds", table.Query{Partition: "P", From: "a", To: "b"}, "PK = :partition AND SK BETWEEN :from AND :to"},
		{"lower bound", table.Query{Index: table.GSI2, Partition: "P", From: "a"}, "GSI2PK = :partition AND GSI2SK >= :from"},
		{"upper bound", table.Query{Partition: "P", To: "b"}, "PK = :partition AND SK <= :to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := table.New(fakeAPI{query: func(in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
				if diff := cmp.Diff(c.want, aws.ToString(in.KeyConditionExpression)); diff != "" {
					t.Errorf("condition (-want +got):\n%s", diff)
				}
				if onTable := c.query.Index == table.Base; aws.ToBool(in.ConsistentRead) != onTable || (in.IndexName == nil) != onTable {
					t.Errorf("index %q, consistent %t", aws.ToString(in.IndexName), aws.ToBool(in.ConsistentRead))
				}
				return &dynamodb.QueryOutput{}, nil
			}}, "events")
			if _, err := s.Query(t.Context(), c.query); err != nil {
				t.Error(err)
			}
		})
	}
}

// answer is what a server says to a request.
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
			t.Parallel()
			var calls atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("X-Amzn-Requestid", "request-7")
				w.WriteHeader(c.answer.status)
				_, _ = io.WriteString(w, c.answer.body)
			}))
			t.Cleanup(server.Close)
			s := table.New(newClient(server.URL), "events")

			created, err := s.Put(t.Context(), secretItem())
			if created || err == nil {
				t.Fatalf("Put = %t, %v, want an error", created, err)
			}
			checkClass(t, err, c.want)
			if n := int(calls.Load()); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
			_, err = s.Query(t.Context(), table.Query{Partition: "CALL#" + secret})
			checkClass(t, err, c.want)
		})
	}
}

// checkClass checks that err is want, or none of the sentinels if want is none,
// and that its text tells nothing of the item.
func checkClass(t *testing.T, err, want error) {
	t.Helper()
	for _, sentinel := range []error{table.ErrUnavailable, table.ErrTooLarge, table.ErrKey, table.ErrValue, table.ErrQuery} {
		if is := errors.Is(err, sentinel); is != errors.Is(want, sentinel) {
			t.Errorf("error %q: is %q = %t", err, sentinel, is)
		}
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), secret) {
			t.Errorf("error %q tells content", e)
		}
	}
}

func TestAccessDeniedTellsThePerson(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "request-7")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, apiError("AccessDeniedException", "role x may not dynamodb:PutItem"))
	}))
	t.Cleanup(server.Close)
	_, err := table.New(newClient(server.URL), "events").Put(t.Context(), secretItem())
	for _, want := range []string{"put item", "AccessDeniedException", "role x may not", "request-7"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not tell %q", err, want)
		}
	}
}

func TestConnectionRefusedIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := table.New(newClient(server.URL), "events").Put(t.Context(), secretItem())
	checkClass(t, err, table.ErrUnavailable)
}

func TestDeadlineIsUnavailable(t *testing.T) {
	t.Parallel()
	s := table.New(newClient(silentServer(t)), "events")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Put(ctx, secretItem())
	checkClass(t, err, table.ErrUnavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestCancelIsNotUnavailable(t *testing.T) {
	t.Parallel()
	s := table.New(newClient(silentServer(t)), "events")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := s.Put(ctx, secretItem())
	if !errors.Is(err, context.Canceled) || errors.Is(err, table.ErrUnavailable) {
		t.Errorf("error %v, want %v alone", err, context.Canceled)
	}
}

// The server writes the item and cuts the connection before it answers; the
// SDK's second attempt then finds our own item.
func TestPromise2_ResponseLostAfterTheWriteIsNoError(t *testing.T) {
	t.Parallel()
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
			created, err := table.New(newClient(server.URL), "events").Put(t.Context(), secretItem())
			if created || err != nil {
				t.Errorf("Put = %t, %v, want false, nil", created, err)
			}
			if n := calls.Load(); n != 2 {
				t.Errorf("%d calls, want 2", n)
			}
		})
	}
}

// cut writes the beginning of a response and closes the connection.
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
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	table.Warm(t.Context(), newClient(server.URL), "events")
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func newClient(endpoint string) *dynamodb.Client {
	return table.NewClient(table.ClientOptions{
		Region:   "us-east-1",
		Endpoint: endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

// silentServer takes connections and requests and never answers.
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
