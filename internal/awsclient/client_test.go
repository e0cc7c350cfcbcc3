package awsclient_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/logscan"
)

// wire is a server that says what a test wants it to say, byte for byte.
type wire struct {
	url         string
	connections atomic.Int64
	requests    atomic.Int64
}

// serve calls answer for each request of each connection, until that returns false.
func serve(t *testing.T, answer func(connection, request int, conn net.Conn) bool) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "http://" + listener.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n := int(w.connections.Add(1))
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				for request := 1; ; request++ {
					r, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return
					}
					w.requests.Add(1)
					if !answer(n, request, conn) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return w
}

func says200(conn net.Conn) bool {
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	return err == nil
}

func post(ctx context.Context, client *awsclient.HTTPClient, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(resp.Body)
	return string(text), errors.Join(err, resp.Body.Close())
}

// closing is a client whose connections end with the test.
func closing(t *testing.T) *awsclient.HTTPClient {
	t.Helper()
	client := awsclient.NewHTTPClient()
	client.SetLimit(time.Minute) // only if something hangs
	t.Cleanup(client.CloseIdle)
	return client
}

func TestWithoutALimitAnAttemptMayTakeAnyTime(t *testing.T) {
	t.Parallel()
	w := serve(t, func(_, _ int, conn net.Conn) bool { return says200(conn) })
	client := closing(t)
	client.SetLimit(0)
	if got, err := post(t.Context(), client, w.url, "a request"); got != "{}" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// Services close idle connections, and while a function is frozen it cannot notice.
func TestAConnectionThatWasClosedMeanwhileCostsNoAttempt(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	w := serve(t, func(n, _ int, conn net.Conn) bool {
		says200(conn)
		if n > 1 {
			return true
		}
		_ = conn.Close()
		close(closed)
		return false
	})
	client := closing(t)
	for range 3 {
		if got, err := post(t.Context(), client, w.url, "a request"); got != "{}" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		<-closed
	}
	if w.requests.Load() != 3 || w.connections.Load() != 2 {
		t.Errorf("the server saw %d requests on %d connections, want 3 on 2", w.requests.Load(), w.connections.Load())
	}
}

// A server that ends a new connection, or breaks off its response, may have done what it was asked.
func TestWhatMayHaveBeenDoneIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no response":                 "",
		"half a header":               "HTTP/1.1 200 OK\r\nContent-Le",
		"half a body":                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
		"half a chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"no HTTP":                     "Jordan Lee says hello\r\n",
		"no header":                   "HTTP/1.1 200 OK\r\nJordan Lee says hello\r\n\r\n{}",
		"only an interim response":    "HTTP/1.1 100 Continue\r\n\r\n",
		"another protocol":            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"more than a response may be": "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + strings.Repeat("x", 17<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, func(_, _ int, conn net.Conn) bool {
				_, _ = io.WriteString(conn, text)
				return false
			})
			if got, err := post(t.Context(), closing(t), w.url, "a request"); err == nil || strings.Contains(err.Error(), "Jordan") {
				t.Errorf("%.20q, %v; want an error, and nothing of the response in it", got, err)
			}
			if n := w.requests.Load(); n != 1 {
				t.Errorf("%d requests, want one", n)
			}
		})
	}
}

func TestEveryFormOfResponseIsRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, response string
		reused         bool
	}{
		{"of a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", true},
		{"in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\nA: trailer\r\n\r\n", true},
		{"behind interim responses", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", true},
		{"the last of its connection", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", false},
		{"of an old server", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", false},
		// Nobody asked for it, so it is not the response to what is asked next.
		{"with another behind it", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, func(_, _ int, conn net.Conn) bool {
				_, err := io.WriteString(conn, tc.response)
				return err == nil
			})
			client := closing(t)
			for range 3 {
				if got, err := post(t.Context(), client, w.url, "a request"); got != "{}" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
			want := map[bool]int64{true: 1, false: 3}[tc.reused]
			if n := w.connections.Load(); n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
		})
	}
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	t.Parallel()
	w := serve(t, func(_, _ int, conn net.Conn) bool { return says200(conn) })
	client := closing(t)
	if _, err := post(t.Context(), client, w.url, "a request"); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, err := post(ended, client, w.url, "another"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that it was canceled", err)
		}
	}
	if n := w.requests.Load(); n != 1 {
		t.Errorf("%d requests, want the first only", n)
	}
}

// What the next request would read is the response to the one that was given up.
func TestAConnectionThatWasGivenUpIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		end  func(cancel func(), client *awsclient.HTTPClient)
		want error
	}{
		{"by whoever asked", func(cancel func(), _ *awsclient.HTTPClient) { cancel() }, context.Canceled},
		{"by its time limit", func(_ func(), client *awsclient.HTTPClient) { client.SetLimit(50 * time.Millisecond) }, context.DeadlineExceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{})
			w := serve(t, func(n, _ int, conn net.Conn) bool {
				if n == 1 {
					close(asked)
					_, _ = io.Copy(io.Discard, conn) // until it is closed
					return false
				}
				return says200(conn)
			})
			client := closing(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tc.want == context.DeadlineExceeded { //nolint:errorlint // it is what the table says
				tc.end(nil, client)
			} else {
				go func() {
					<-asked
					tc.end(cancel, client)
				}()
			}
			if _, err := post(ctx, client, w.url, "a request"); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			client.SetLimit(time.Minute)
			if got, err := post(t.Context(), client, w.url, "another"); got != "{}" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// The services close connections that were idle for long. One that is closed just now may
// have taken the request.
func TestAConnectionThatWasIdleForLongIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	w := serve(t, func(_, _ int, conn net.Conn) bool { return says200(conn) })
	client := closing(t)
	now := time.Now()
	client.SetClock(func() time.Time { return now })
	for _, pause := range []time.Duration{0, awsclient.IdleTimeout - 1, awsclient.IdleTimeout, 0} {
		now = now.Add(pause)
		if _, err := post(t.Context(), client, w.url, "a request"); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.connections.Load(); n != 2 {
		t.Errorf("%d connections, want a second one after the long pause", n)
	}
}

func TestARequestIsSentWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	var got atomic.Value
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got.Store(fmt.Sprintf("%s %s %s %d %q %s", r.Method, r.Host, r.RequestURI, r.ContentLength, r.Header["X-A"], body))
		_, _ = io.WriteString(w, "{}")
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	host := listener.Addr().String()
	for _, tc := range []struct {
		name string
		body io.Reader
		set  func(*http.Request)
		want string // "" for an error
	}{
		{"of a length", strings.NewReader("body"), func(*http.Request) {}, "POST " + host + ` /a?b=c%20d 4 ["v"] body`},
		{"of unknown length", io.MultiReader(strings.NewReader("bo"), strings.NewReader("dy")), func(*http.Request) {}, "POST " + host + ` /a?b=c%20d 4 ["v"] body`},
		{"empty", nil, func(*http.Request) {}, "POST " + host + ` /a?b=c%20d 0 ["v"] `},
		{"to a host by another name", nil, func(r *http.Request) { r.Host = "other.example" }, `POST other.example /a?b=c%20d 0 ["v"] `},
		// A header cannot end in the middle of a value.
		{"with a line break in a header", nil, func(r *http.Request) { r.Header.Set("X-A", "v\r\nX-A: w") }, "POST " + host + ` /a?b=c%20d 0 ["v  X-A: w"] `},
		{"shorter than it is said to be", strings.NewReader("body"), func(r *http.Request) { r.ContentLength = 5 }, ""},
		{"longer than it is said to be", strings.NewReader("body"), func(r *http.Request) { r.ContentLength = 3 }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got.Store("")
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+host+"/a?b=c%20d", tc.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-A", "v")
			tc.set(req)
			resp, err := closing(t).Do(req)
			if (err == nil) != (tc.want != "") || got.Load() != tc.want {
				t.Errorf("the server got %q, want %q (%v)", got.Load(), tc.want, err)
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		})
	}
}

// Each gets the response to its own request.
func TestConcurrentExchangesDoNotMix(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	client := closing(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for j := range 50 {
				body := fmt.Sprintf("%d.%d %s", i, j, strings.Repeat("x", i*j*10))
				if got, err := post(t.Context(), client, "http://"+listener.Addr().String(), body); got != body || err != nil {
					t.Errorf("asked %.10q, got %.10q, %v", body, got, err)
				}
			}
		})
	}
	all.Wait()
}

// It must not fill the memory, nor be read until the time limit.
func TestAnEndlessResponseIsRefused(t *testing.T) {
	t.Parallel()
	kilobyte := strings.Repeat("x", 1<<10) // with a part of a few bytes, the test takes seconds of the CPU
	for name, parts := range map[string][2]string{
		"status":            {"HTTP/1.1 200 ", "x"},
		"header":            {"HTTP/1.1 200 OK\r\nA: ", "x"},
		"headers":           {"HTTP/1.1 200 OK\r\n", "A: " + kilobyte + "\r\n"},
		"interim responses": {"", "HTTP/1.1 103 Early Hints\r\nLink: " + kilobyte + "\r\n\r\n"},
		"chunks":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "400\r\n" + kilobyte + "\r\n"},
		"body":              {"HTTP/1.1 200 OK\r\n\r\n", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// More than the limit and what sockets hold, but not so much that the test cannot fail.
			const endless = 64 << 20
			var sent atomic.Int64
			w := serve(t, func(_, _ int, conn net.Conn) bool {
				_, _ = io.WriteString(conn, parts[0])
				for piece := strings.Repeat(parts[1], 64<<10/len(parts[1])); sent.Load() < endless; {
					n, err := io.WriteString(conn, piece)
					sent.Add(int64(n))
					if err != nil {
						break
					}
				}
				return false
			})
			if got, err := post(t.Context(), closing(t), w.url, "a request"); err == nil || sent.Load() >= endless {
				t.Errorf("%.20q, %v, after %d bytes", got, err, sent.Load())
			}
		})
	}
}

// A burst opens many connections, and what comes after it uses one.
func TestConnectionsThatNobodyNeedsAnyMoreAreClosed(t *testing.T) {
	t.Parallel()
	const burst = 5
	var together sync.WaitGroup
	together.Add(burst)
	w := serve(t, func(_, request int, conn net.Conn) bool {
		if request == 1 {
			together.Done()
			together.Wait()
		}
		return says200(conn)
	})
	client := closing(t)
	now := time.Now()
	client.SetClock(func() time.Time { return now })
	var all sync.WaitGroup
	for range burst {
		all.Go(func() {
			if _, err := post(t.Context(), client, w.url, "a request"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for range 3 {
		now = now.Add(awsclient.IdleTimeout / 2)
		if _, err := post(t.Context(), client, w.url, "a request"); err != nil {
			t.Error(err)
		}
	}
	if n := client.Idle(); n != 1 || w.connections.Load() != burst {
		t.Errorf("%d of %d connections are open, want one", n, w.connections.Load())
	}
}

// A mistake in a setting must not send a signature to somebody in plain text.
func TestAURLOfAnotherSchemeIsRefused(t *testing.T) {
	t.Parallel()
	w := serve(t, func(_, _ int, conn net.Conn) bool { return says200(conn) })
	for _, scheme := range []string{"htps", "ftp", ""} {
		if _, err := post(t.Context(), closing(t), strings.Replace(w.url, "http:", strings.TrimPrefix(scheme+":", ":"), 1), "a request"); err == nil {
			t.Errorf("%q is sent", scheme)
		}
	}
	if n := w.connections.Load(); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
}

// Nobody asked for it, so it is not the response to what is asked next.
func TestWhatComesBehindAResponseIsNotTheNextOne(t *testing.T) {
	t.Parallel()
	const forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
	body := strings.Repeat("x", 64<<10) // more than the client reads ahead
	response := "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + body + forged
	plain := serve(t, func(_, _ int, conn net.Conn) bool {
		_, err := io.WriteString(conn, response)
		return err == nil
	})
	stranger := newAuthority(t, "Stranger")
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, response)
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}))
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{stranger.server}}
	secure.Config.ErrorLog = slog.NewLogLogger(logscan.Logger(t).Handler(), slog.LevelDebug)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for _, url := range []string{plain.url, secure.URL} {
		client := closing(t)
		client.Trust(pool(stranger.root))
		client.TrustAll()
		for range 3 {
			if got, err := post(t.Context(), client, url, "a request"); got != body || err != nil {
				t.Errorf("%s: %.20q, %v", url, got, err)
			}
		}
	}
}
