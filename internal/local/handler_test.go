package local_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	root := strings.TrimSuffix(stack.URL, ingest.Path+"/"+tokenOf(stack))
	for _, tc := range []struct {
		name, method, url, body string

		status int
		answer string
		allow  string
	}{
		{"GET, the probe", "GET", stack.URL, "", 200, `{"status":"probe"}`, ""},
		{"HEAD, without a body", "HEAD", stack.URL, "", 200, "", ""},
		{"POST without a body", "POST", stack.URL, "", 200, `{"status":"probe"}`, ""},
		{"POST of an event", "POST", stack.URL, missed, 200, `{"status":"stored","key":"CALL#call_1"}`, ""},
		{"POST with a slash behind the token", "POST", stack.URL + "/", missedB, 200, `{"status":"stored","key":"CALL#CA01"}`, ""},
		{"POST of no JSON", "POST", stack.URL, "event=call.missed", 400, `{"error":"payload: not valid JSON at byte 0"}`, ""},
		{"POST with a wrong token", "POST", stack.URL + "0", missed, 401, `{"error":"unauthorized"}`, ""},
		{"GET with a wrong token", "GET", root + ingest.Path + "/0", "", 401, `{"error":"unauthorized"}`, ""},
		{"HEAD with a wrong token", "HEAD", root + ingest.Path + "/0", "", 401, "", ""},
		{"POST without a token", "POST", root + ingest.Path, missed, 401, `{"error":"unauthorized"}`, ""},
		{"POST with the token in the query", "POST", root + ingest.Path + "?token=" + tokenOf(stack), missed, 401, `{"error":"unauthorized"}`, ""},
		{"PUT", "PUT", stack.URL, missed, 405, `{"error":"method not allowed: use POST"}`, "GET, HEAD, POST"},
		{"DELETE with a wrong token", "DELETE", stack.URL + "0", "", 405, `{"error":"method not allowed: use POST"}`, "GET, HEAD, POST"},
		{"another path", "POST", root + "/webhook", missed, 404, `{"error":"no such path: webhooks are posted to /justcall/{token}"}`, ""},
		{"the root", "GET", root, "", 404, `{"error":"no such path: webhooks are posted to /justcall/{token}"}`, ""},
		{"more behind the token", "POST", stack.URL + "/more", missed, 404, `{"error":"no such path: webhooks are posted to /justcall/{token}"}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := send(t, tc.method, tc.url, nil, strings.NewReader(tc.body))
			if got.status != tc.status || got.body != tc.answer {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tc.status, tc.answer)
			}
			if allow := got.header.Get("Allow"); allow != tc.allow {
				t.Errorf("Allow: %q, want %q", allow, tc.allow)
			}
			if kind := got.header.Get("Content-Type"); kind != "application/json" {
				t.Errorf("Content-Type: %q, want application/json", kind)
			}
		})
	}
}

func TestBodiesUpToTheLimitAreRead(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	// White space between the members compresses well enough for an item.
	padded := func(size int) string {
		head, tail := missed[:1], missed[1:]
		return head + strings.Repeat(" ", size-len(missed)) + tail
	}
	for _, tc := range []struct {
		name, body string
		status     int
		answer     string
	}{
		{"at the limit", padded(ingest.MaxBody), 200, `{"status":"stored","key":"CALL#call_1"}`},
		{"one byte over", padded(ingest.MaxBody + 1), 413, `{"error":"delivery too large to store"}`},
		{"far over", padded(ingest.MaxBody + 100<<10), 413, `{"error":"delivery too large to store"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := post(t, stack.URL, tc.body)
			if got.status != tc.status || got.body != tc.answer {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tc.status, tc.answer)
			}
		})
	}
	settle(t, stack) // to read so much takes longer than Close waits, on a busy machine
}

func TestHeaderNamesMayHaveAnyCase(t *testing.T) {
	t.Parallel()
	stack, address := startSigned(t)
	for _, change := range []func(string) string{strings.ToLower, strings.ToUpper, http.CanonicalHeaderKey} {
		headers := make(http.Header)
		for name, values := range sign(signingSecret, stack.URL, time.Now()) {
			headers[change(name)] = values // sent with this spelling
		}
		c := dial(t, address)
		c.request(t, stack.URL, headers, missedB)
		if status, answer := c.answer(t); status != http.StatusOK {
			t.Errorf("%s: %d %s, want 200", change("X-Name"), status, answer)
		}
	}
}

func TestARepeatedHeaderIsJoinedAndSoNoSignature(t *testing.T) {
	t.Parallel()
	stack, _ := startSigned(t)
	headers := sign(signingSecret, stack.URL, time.Now())
	right := headers.Get(events.HeaderSignature)
	headers.Add(events.HeaderSignature, right)
	if got := send(t, http.MethodPost, stack.URL, headers, strings.NewReader(missedB)); got.status != http.StatusUnauthorized {
		t.Errorf("got %+v, want 401", got)
	}
	kept := rejections(t, stack.Store)
	if len(kept) != 1 {
		t.Fatalf("%d rejections, want 1", len(kept))
	}
	m, ok := kept[0]["headers"].(attr.Map)
	if !ok {
		t.Fatalf("headers: %T, want a map", kept[0]["headers"])
	}
	if diff := cmp.Diff(right+","+right, table.Text(m, events.HeaderSignature)); diff != "" {
		t.Errorf("signature (-want +got):\n%s", diff)
	}
}

func TestABodyCutShortIsNotStored(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	address := addressOf(t, stack)
	for name, part := range map[string]string{
		"what came is no JSON":            missed[:len(missed)/2],
		"what came is an event by itself": strings.TrimSuffix(missed, "}}") + "}}",
		"nothing came":                    "",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, address)
			c.head(t, stack.URL, nil, len(missed)+10)
			c.write(t, part)
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			status, answer := c.answer(t)
			if status != http.StatusServiceUnavailable || answer != `{"error":"body not received, send it again"}` {
				t.Errorf("got %d %s, want 503", status, answer)
			}
		})
	}
	if got := partition(t, stack.Store, "CALL#call_1"); len(got) > 0 {
		t.Errorf("stored: %v, want nothing", got)
	}
	if got := rejections(t, stack.Store); len(got) > 0 {
		t.Errorf("%d rejections, want none", len(got))
	}
}

func TestCloseAnswersWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	stack := start(t, folder)
	c := dial(t, addressOf(t, stack))
	// The server sends 100 Continue only when the handler reads the body.
	c.head(t, stack.URL, http.Header{"Expect": {"100-continue"}}, len(missed))
	c.write(t, missed[:20])
	if line := c.line(t); line != "HTTP/1.1 100 Continue" {
		t.Fatalf("got %q, want 100 Continue", line)
	}
	if line := c.line(t); line != "" {
		t.Fatalf("got %q, want an empty line", line)
	}

	closed := make(chan error, 1)
	go func() { closed <- stack.Close() }()
	for refused := false; !refused; {
		c, err := net.DialTimeout("tcp", addressOf(t, stack), time.Second)
		if refused = err != nil; !refused {
			_ = c.Close()
		}
	}
	select {
	case err := <-closed:
		t.Fatalf("Close returned with a request under way: %v", err)
	default:
	}
	c.write(t, missed[20:])
	if status, answer := c.answer(t); status != http.StatusOK || answer != `{"status":"stored","key":"CALL#call_1"}` {
		t.Errorf("got %d %s, want it stored", status, answer)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if got := partition(t, start(t, folder).Store, "CALL#call_1"); len(got) != 1 {
		t.Errorf("%d items after a restart, want 1", len(got))
	}
}

// Browsers open connections before they need them.
func TestCloseDoesNotWaitForAConnectionThatAsksNothing(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	dial(t, addressOf(t, stack))
	// Connections are accepted in order.
	if got := post(t, stack.URL, missed); got.Status != "stored" {
		t.Fatalf("post: %+v", got)
	}
	if err := stack.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestOfManyEqualDeliveriesOneIsStored(t *testing.T) {
	t.Parallel()
	const deliveries = 200
	stack := start(t, t.TempDir())
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		count = make(map[string]int)
	)
	for range deliveries {
		all.Go(func() {
			got, err := try(t.Context(), http.MethodPost, stack.URL, nil, strings.NewReader(missed))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			count[fmt.Sprint(got.status, " ", got.Status)]++
		})
	}
	all.Wait()
	if diff := cmp.Diff(map[string]int{"200 stored": 1, "200 duplicate": deliveries - 1}, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if got := partition(t, stack.Store, "CALL#call_1"); len(got) != 1 {
		t.Errorf("%d items, want 1", len(got))
	}
}

func TestTheLogNamesNobody(t *testing.T) {
	t.Parallel()
	log := logscan.Writer(t)
	stack, err := local.Start(t.Context(), local.Config{Folder: t.TempDir(), Address: anyPort}, log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	post(t, stack.URL, missed)
	post(t, stack.URL+"0", missed)
	post(t, stack.URL, missed[:80])
	send(t, http.MethodGet, stack.URL+"/more", nil, strings.NewReader(""))
	c := dial(t, addressOf(t, stack))
	c.write(t, "POST "+strings.TrimPrefix(stack.URL, "http://")+" HTTP/9\r\nFrom: +14155558765\r\n\r\n")
	c.answer(t)
	client.CloseIdleConnections()
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(log.String(), "\n"); lines < 4 {
		t.Errorf("%d lines, want one per delivery:\n%s", lines, log)
	}
	for _, private := range []string{tokenOf(stack), "4155558765", "4155551234"} {
		if strings.Contains(log.String(), private) {
			t.Errorf("the log has %s in it:\n%s", private, log)
		}
	}
}

// startSigned starts a stack that checks signatures.
func startSigned(t *testing.T) (stack *local.Stack, address string) {
	t.Helper()
	folder := t.TempDir()
	writeFile(t, folder+"/"+secretFile, `{"token":"0123456789abcdef","signing_secret":"`+signingSecret+`"}`)
	stack = start(t, folder)
	return stack, addressOf(t, stack)
}

func addressOf(t *testing.T, stack *local.Stack) string {
	t.Helper()
	u, err := url.Parse(stack.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// conn is a connection on which a test writes raw requests.
type conn struct {
	*net.TCPConn
	reader *bufio.Reader
}

func dial(t *testing.T, address string) conn {
	t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn{c.(*net.TCPConn), bufio.NewReader(c)}
}

func (c conn) write(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// head begins a POST to target. Header names keep their spelling.
func (c conn) head(t *testing.T, target string, headers http.Header, length int) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nConnection: close\r\n", u.RequestURI(), u.Host, length)
	for name, values := range headers {
		for _, value := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	c.write(t, b.String()+"\r\n")
}

func (c conn) request(t *testing.T, target string, headers http.Header, body string) {
	t.Helper()
	c.head(t, target, headers, len(body))
	c.write(t, body)
}

func (c conn) line(t *testing.T) string {
	t.Helper()
	line, err := c.reader.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func (c conn) answer(t *testing.T) (status int, body string) {
	t.Helper()
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
