package dynamo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc32"
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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// countingServer responds to every request with body at once and counts the
// connections.
func countingServer(t *testing.T, body string) (endpoint string, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	sum := fmt.Sprint(crc32.ChecksumIEEE([]byte(body)))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Crc32", sum)
		_, _ = io.WriteString(w, body) // the request is not read: an instant server
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func TestTheConnectionIsReused(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		for _, size := range []int{0, 1000, 20_000} {
			t.Run(fmt.Sprintf("items of %d bytes", size), func(t *testing.T) {
				t.Parallel()
				endpoint, connections := countingServer(t, "{}")
				s := open(endpoint)
				item := secretItem()
				item["payload"] = attr.String(strings.Repeat("x", size))
				for range 100 {
					if _, err := s.Put(t.Context(), item); err != nil {
						t.Fatal(err)
					}
				}
				if n := connections.Load(); n != 1 {
					t.Errorf("%d connections for 100 calls one after the other, want one", n)
				}
			})
		}
	})
}

func TestConcurrentCallsReuseTheirConnections(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		endpoint, connections := countingServer(t, "{}")
		s := open(endpoint)
		const callers = 40
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range 20 {
					if _, err := s.Put(t.Context(), secretItem()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		// While one is being dialled, another may become free.
		if n := connections.Load(); n > 2*callers {
			t.Errorf("%d connections for %d callers", n, callers)
		}
	})
}

// With the SDK's own HTTP client, long responses of a server that does not wait for the
// whole request fail; retries hide it.
func TestLongResponsesNeedNoRetry(t *testing.T) {
	t.Parallel()
	body := `{"Items":[{"PK":{"S":"` + strings.Repeat("x", 200_000) + `"}}]}`
	endpoint, connections := countingServer(t, body)
	once := func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }
	s := dynamostore.New(config(endpoint), "events", once)
	for range 100 {
		page, err := s.Query(t.Context(), table.Query{Partition: strings.Repeat("p", 2000)})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(table.Text(page.Items[0], table.PK)); n != 200_000 {
			t.Fatalf("%d bytes arrived", n)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestEachAttemptSendsTheWholeBody(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		payload := rand.Text() + strings.Repeat("x", 100_000)
		var calls atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || !strings.Contains(string(body), payload) || r.ContentLength != int64(len(body)) {
				t.Errorf("attempt %d: %d of %d bytes, %v", calls.Load(), len(body), r.ContentLength, err)
			}
			if calls.Add(1) < 3 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(w, "{}")
		}))
		t.Cleanup(server.Close)
		item := secretItem()
		item["payload"] = attr.String(payload)
		if created, err := open(server.URL).Put(t.Context(), item); !created || err != nil {
			t.Errorf("Put = %t, %v, want true, nil", created, err)
		}
	})
}

// counted counts the attempts, also those that do not reach the server in time.
type counted struct {
	client aws.HTTPClient
	n      atomic.Int64
}

func (c *counted) Do(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.client.Do(r) //nolint:wrapcheck // it stands in for client
}

// Each attempt has a time limit of its own; package awsclient tests how long all take.
func TestASilentTableFailsAfterThreeAttempts(t *testing.T) {
	withEachConfigured(t, func(t *testing.T, open func(aws.Config) putter) {
		for _, c := range []struct {
			name  string
			serve func(http.ResponseWriter)
		}{
			{"no response", func(http.ResponseWriter) {}},
			{"half a response", func(w http.ResponseWriter) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "{")
				_ = http.NewResponseController(w).Flush()
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					c.serve(w)
					<-r.Context().Done()
				}))
				t.Cleanup(server.Close)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only if an attempt hangs
				defer cancel()
				to := limited(server.URL, 200*time.Millisecond)
				attempts := &counted{client: to.HTTPClient}
				to.HTTPClient = attempts
				_, err := open(to).Put(ctx, secretItem())
				checkClass(t, err, table.ErrUnavailable)
				if n := attempts.n.Load(); n != 3 || ctx.Err() != nil {
					t.Errorf("%d attempts, %v, want 3 that end by themselves", n, ctx.Err())
				}
			})
		}
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	withEach(t, func(t *testing.T, open func(string) putter) {
		var calls atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}))
		t.Cleanup(server.Close)
		if _, err := open(server.URL).Put(t.Context(), secretItem()); err == nil {
			t.Error("Put: no error")
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}")
	}))
	b.Cleanup(server.Close)
	item := secretItem()
	for i := range 30 {
		item[fmt.Sprintf("field_%d", i)] = attr.String("value")
	}
	for name, open := range putters {
		b.Run(name, func(b *testing.B) {
			s := open(config(server.URL))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Put(context.Background(), item); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
