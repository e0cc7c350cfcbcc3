package awsclient_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/logscan"
)

// authority is a root certificate, and a server's that it issued.
type authority struct {
	root   *x509.Certificate
	server tls.Certificate
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
			BasicConstraintsValid: true,
		}
	}
	issue := func(template, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		issued, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return issued
	}
	root, server := template(name), template("server")
	root.IsCA = true
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	parent := issue(root, root)
	return authority{parent, tls.Certificate{Certificate: [][]byte{issue(server, parent).Raw}, PrivateKey: key}}
}

// serve returns the URL of a server that returns the body of each request.
func (a authority) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.server}}
	server.Config.ErrorLog = slog.NewLogLogger(logscan.Logger(t).Handler(), slog.LevelDebug)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func pool(roots ...*x509.Certificate) *x509.CertPool {
	all := x509.NewCertPool()
	for _, root := range roots {
		all.AddCert(root)
	}
	return all
}

// bundle writes a file as ca-certificates makes it.
func bundle(t *testing.T, roots ...*x509.Certificate) (file string) {
	t.Helper()
	var text bytes.Buffer
	for _, root := range roots {
		text.WriteString("# " + root.Subject.CommonName + "\n")
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	file = filepath.Join(t.TempDir(), "bundle.crt")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAWSRoots(t *testing.T) {
	t.Parallel()
	other, amazon := newAuthority(t, "Example Root"), newAuthority(t, "Amazon Root CA 1")
	starfield := newAuthority(t, "Starfield Services Root Certificate Authority - G2")
	got := awsclient.AWSRoots(bundle(t, other.root, amazon.root, other.root, starfield.root))
	if got == nil || !got.Equal(pool(amazon.root, starfield.root)) {
		t.Error("want AWS's own, and no others")
	}
	for name, file := range map[string]string{"none of AWS's": bundle(t, other.root), "no file": filepath.Join(t.TempDir(), "none")} {
		if awsclient.AWSRoots(file) != nil {
			t.Errorf("%s: want none", name)
		}
	}
}

// The system trusts amazon and another, and not stranger, whose name is AWS's.
func TestAWSComesFirstAndOthersAreTrustedAsEver(t *testing.T) {
	amazon, other, stranger := newAuthority(t, "Amazon Root CA 1"), newAuthority(t, "Example Root"), newAuthority(t, "Amazon Root CA 1")
	for _, test := range []struct {
		name    string
		bundle  string
		server  authority
		refused bool
		others  bool // all of the system's were looked at
	}{
		{"AWS", bundle(t, other.root, amazon.root), amazon, false, false},
		{"another", bundle(t, other.root, amazon.root), other, false, true},
		{"a stranger", bundle(t, other.root, amazon.root), stranger, true, true},
		{"no roots of AWS", bundle(t, other.root), other, false, false},
		{"no file that we know", "none", other, false, false},
		{"no file, a stranger", "none", stranger, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("SSL_CERT_FILE", test.bundle)
			client := awsclient.NewHTTPClient()
			client.Trust(pool(amazon.root, other.root))
			url := test.server.serve(t)
			for range 2 {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("an item"))
				if err != nil {
					t.Fatal(err)
				}
				response, err := client.Do(request)
				for timedOut := net.Error(nil); errors.As(err, &timedOut) && timedOut.Timeout() && t.Context().Err() == nil; { // the machine is busy
					request.Body, _ = request.GetBody()
					response, err = client.Do(request)
				}
				if test.refused {
					if !errors.As(err, new(x509.UnknownAuthorityError)) {
						t.Errorf("got %v, want it refused", err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(response.Body); string(body) != "an item" || err != nil {
					t.Errorf("it got %q (%v)", body, err)
				}
				_ = response.Body.Close()
			}
			if client.Others() != test.others {
				t.Errorf("all roots were looked at: %t, want %t", client.Others(), test.others)
			}
		})
	}
}

// Both connections are refused before either is tried again.
func TestTwoMayFindAStrangerAtOnce(t *testing.T) {
	amazon, other := newAuthority(t, "Amazon Root CA 1"), newAuthority(t, "Other Root")
	t.Setenv("SSL_CERT_FILE", bundle(t, amazon.root))
	var together sync.WaitGroup
	together.Add(2)
	var hellos atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{other.server}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if hellos.Add(1) <= 2 {
			together.Done()
			together.Wait()
		}
		return nil, nil //nolint:nilnil // the server's own
	}}
	server.Config.ErrorLog = slog.NewLogLogger(logscan.Logger(t).Handler(), slog.LevelDebug)
	server.StartTLS()
	t.Cleanup(server.Close)
	client := closing(t)
	client.Trust(pool(amazon.root, other.root))
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := post(t.Context(), client, server.URL, ""); errors.As(err, new(x509.UnknownAuthorityError)) {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Close of a TLS connection would write, for up to five seconds, to a server that no longer reads.
func TestNothingIsWrittenAfterARequestWasGivenUp(t *testing.T) {
	stranger := newAuthority(t, "Stranger")
	t.Setenv("SSL_CERT_FILE", bundle(t, stranger.root))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	rest := make(chan []byte, 1)
	go func() {
		defer close(rest)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		server := tls.Server(conn, &tls.Config{ //nolint:gosec // G402: in TLS 1.2 an alert can be told from data
			MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{stranger.server},
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		})
		_, err = io.ReadFull(server, make([]byte, 1<<20))
		cancel()
		if err == nil {
			text, _ := io.ReadAll(conn)
			rest <- text
		}
	}()
	client := closing(t)
	client.Trust(pool(stranger.root))
	if _, err := post(ctx, client, "https://"+listener.Addr().String(), strings.Repeat("x", 64<<20)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was given up", err)
	}
	const alert, alertLength = "\x15\x03\x03", 31
	if text := <-rest; len(text) < alertLength || bytes.HasPrefix(text[len(text)-alertLength:], []byte(alert)) {
		t.Errorf("an alert came behind %d bytes", len(text))
	}
}
