package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// This test plays the Runtime API itself, to see how an answer arrives: each piece of it
// would wake up who reads.
func TestAnAnswerArrivesInOnePiece(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	function := exec.CommandContext(t.Context(), lambdaruntimetest.Path(t))
	for name, value := range environment(tabletest.StartInstant(t).Endpoint(), "events") {
		function.Env = append(function.Env, name+"="+value)
	}
	function.Env = append(function.Env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = function.Process.Kill(); _ = function.Wait() })

	const limit = 10 * time.Second
	if err := listener.(*net.TCPListener).SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	piece := func() []byte {
		t.Helper()
		buf := make([]byte, 64<<10)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return buf[:n]
	}
	say := func(response string) {
		t.Helper()
		if _, err := conn.Write([]byte(response)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		for name, event := range gatewayEvents(t) {
			if request := piece(); !bytes.HasPrefix(request, []byte("GET /2018-06-01/runtime/invocation/next ")) {
				t.Fatalf("%s: asked %q, want the next event", name, request)
			}
			say(fmt.Sprintf("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: %d\r\nContent-Length: %d\r\n\r\n%s",
				time.Now().Add(limit).UnixMilli(), len(event), event))
			first := piece()
			answer, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(first)))
			if err != nil || answer.RequestURI != "/2018-06-01/runtime/invocation/1/response" {
				t.Fatalf("%s: %q, %v; want an answer", name, first, err)
			}
			if body, err := io.ReadAll(answer.Body); err != nil || !bytes.Contains(body, []byte(`"statusCode":200`)) {
				t.Fatalf("%s: the first piece of the answer is %q, %v; want all of it", name, first, err)
			}
			say("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
		}
	}
}
