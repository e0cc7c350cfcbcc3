package lambdaenv_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
)

// writes records each write to a connection.
type writes struct {
	mu  sync.Mutex
	all []string
}

func (w *writes) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, text)
}

// take returns the writes since the last call.
func (w *writes) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.all
	w.all = nil
	return all
}

type writtenTo struct {
	net.Conn
	to *writes
}

func (c writtenTo) Write(p []byte) (int, error) {
	c.to.add(string(p))
	return c.Conn.Write(p)
}

// echo responds with the body and a trailer of each request.
func echo(t *testing.T) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Told", r.Trailer.Get("Told"))
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// ofUnknownLength hides the length of a text from net/http, as aws-lambda-go does.
func ofUnknownLength(text string) io.Reader { return struct{ io.Reader }{strings.NewReader(text)} }

// fatal is implemented by tests, rapid's included.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// exchange posts a body and returns the response. The time limit is only reached if the
// exchange hangs.
func exchange(t fatal, client *http.Client, endpoint string, body io.Reader, trailer http.Header) (echoed, told string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, body)
	if err != nil {
		t.Fatalf("%v", err)
	}
	req.Trailer = trailer
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d, %v", resp.StatusCode, err)
	}
	return string(answer), resp.Header.Get("Told")
}

// client returns a client and the writes to its connections.
func client() (*http.Client, *writes) {
	written := &writes{}
	return &http.Client{Transport: lambdaenv.NewTransport(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return writtenTo{conn, written}, nil
	})}, written
}

func TestAnAnswerIsOneWrite(t *testing.T) {
	t.Parallel()
	endpoint := echo(t)
	client, written := client()
	for _, body := range []string{`{"statusCode":200}`, "", "x", "ends as a header does\r\n\r\n", strings.Repeat("x", 3000)} {
		if echoed, _ := exchange(t, client, endpoint, ofUnknownLength(body), http.Header{"Told": nil}); echoed != body {
			t.Errorf("%.40q came back of %.40q", echoed, body)
		}
		all := written.take()
		most := 1
		if strings.HasSuffix(body, "\r\n\r\n") {
			most = 2
		}
		if len(all) == 0 || len(all) > most {
			t.Errorf("%d writes for %.40q, want one: %.300q", len(all), body, all)
		}
	}
}

// Any body arrives whole, however it is read, and so does the one after it.
func TestRequestsArriveWhole(t *testing.T) {
	t.Parallel()
	endpoint := echo(t)
	client, _ := client()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{
			"\r\n", "\r\n\r\n", "0\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
			"{}", "x", strings.Repeat("y", 5000), strings.Repeat("z", 70_000),
		})
		body := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "body"), "")
		reader := ofUnknownLength(body)
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 1:
			reader = strings.NewReader(body)
		case 2:
			reader = iotest.HalfReader(reader)
		case 3:
			reader = iotest.DataErrReader(reader)
		}
		told := rapid.SampledFrom([]string{"", "at the end"}).Draw(t, "trailer")
		trailer := http.Header{}
		if told != "" {
			trailer.Set("Told", told)
		}
		echoed, heard := exchange(t, client, endpoint, reader, trailer)
		if echoed != body {
			t.Errorf("%d bytes came back of %d", len(echoed), len(body))
		}
		if _, known := reader.(*strings.Reader); !known && body != "" && heard != told {
			t.Errorf("trailer %q, want %q", heard, told)
		}
	})
}

func TestAnAbortedRequestLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	endpoint := echo(t)
	broken := errors.New("broken")
	client, written := client()
	body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	// The next request starts afresh.
	if echoed, _ := exchange(t, client, endpoint, ofUnknownLength("whole"), nil); echoed != "whole" {
		t.Errorf("%q came back", echoed)
	}
	if all := written.take(); len(all) != 1 {
		t.Errorf("%d writes, want that of the second request: %q", len(all), all)
	}
}

// aws-lambda-go reports a failure in a header of up to 1 MB and in trailers, which it
// sets while the body is read.
func TestAFailureIsReported(t *testing.T) {
	t.Parallel()
	endpoint := echo(t)
	client, _ := client()
	for _, size := range []int{10, 5000, 100_000} {
		long := strings.Repeat("x", size)
		reason := long[:min(size, 2000)] // net/http's server accepts trailers of up to 4096 bytes
		trailer := http.Header{"Told": nil}
		body := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) {
			trailer.Set("Told", reason)
			return 0, io.EOF
		}))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = trailer
		req.Header.Set("Lambda-Runtime-Function-Xray-Error-Cause", long)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		echoed, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if told := resp.Header.Get("Told"); string(echoed) != "half" || err != nil || told != reason {
			t.Errorf("%d bytes: %q and %d bytes came back, %v", size, echoed, len(told), err)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
