// Package standin plays AWS for a benchmark: a table and a secret on loopback, each
// at an address of its own, over HTTP and over TLS.
//
// The table knows one operation, PutItem on the condition that the item is new. It
// checks the condition and keeps the items, so that the benchmark can check
// afterwards whether a contender did the whole job. It answers at once, unless a
// latency is set.
package standin

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Endpoints are the base URLs of the table and the secret.
type Endpoints struct {
	Table, Secret string
	// Roots makes a function trust them over TLS; nil means plain HTTP.
	Roots *Roots
}

// AWS is a running stand-in.
type AWS struct {
	// Plain speaks HTTP, Secure TLS. Both serve the same table and secret.
	Plain, Secure Endpoints
	// Latency is how long every call waits before it takes effect, in ns.
	Latency atomic.Int64
	// Writes counts the calls of PutItem, Connections those to the table.
	Writes, Connections atomic.Int64

	secret  string
	servers []*httptest.Server

	mu    sync.Mutex
	items map[Key]jsontext.Value
}

// Key is an item's primary key.
type Key struct{ PK, SK string }

// Start starts a stand-in. Its secret has one version, AWSCURRENT, with the text
// given. It empties folder and writes root certificates to it.
func Start(folder, secret string) (*AWS, error) {
	a := &AWS{secret: secret}
	a.Reset()
	certificate, root, err := newChain()
	if err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	roots, err := writeRoots(folder, root)
	if err != nil {
		return nil, fmt.Errorf("write root certificates: %w", err)
	}
	plain, secure := (*httptest.Server).Start, func(server *httptest.Server) {
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
		server.StartTLS()
	}
	a.Plain = Endpoints{Table: a.serve(plain, a.count), Secret: a.serve(plain, nil)}
	a.Secure = Endpoints{Table: a.serve(secure, a.count), Secret: a.serve(secure, nil), Roots: roots}
	return a, nil
}

// serve returns the address of a new server.
func (a *AWS) serve(start func(*httptest.Server), connections func(net.Conn, http.ConnState)) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(a.answer))
	server.Config.ConnState = connections
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	start(server)
	a.servers = append(a.servers, server)
	return server.URL
}

// Close stops the stand-in.
func (a *AWS) Close() {
	for _, server := range a.servers {
		server.Close()
	}
}

// Reset forgets the items and the counts.
func (a *AWS) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.items = make(map[Key]jsontext.Value, 1<<12)
	a.Writes.Store(0)
	a.Connections.Store(0)
}

// Items returns the stored items by key, in DynamoDB's own JSON.
func (a *AWS) Items() map[Key]jsontext.Value {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.items)
}

func (a *AWS) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		a.Connections.Add(1)
	}
}

func (a *AWS) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The caller has gone.
	}
	time.Sleep(time.Duration(a.Latency.Load()))
	var text, fault string
	switch r.Header.Get("X-Amz-Target") {
	case "DynamoDB_20120810.PutItem":
		text, fault = "{}", a.put(body)
	case "DynamoDB_20120810.GetItem": // warms a connection
		text = "{}"
	case "secretsmanager.GetSecretValue":
		text, fault = a.readSecret(body)
	default:
		fault = "ValidationException"
	}
	status := http.StatusOK
	if fault != "" {
		status, text = http.StatusBadRequest, fmt.Sprintf(`{"__type":"com.amazonaws#%s","message":%q}`, fault, fault)
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("X-Amzn-Requestid", "7B0C2D7E9F7A4C4D8E1F2A3B4C5D6E7F8091A2B3C4D5E6F70819")
	// DynamoDB sends a checksum, and the SDKs verify it.
	header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(text))), 10))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // Fails only if the caller has gone.
}

// put stores an item if it is new. It refuses a request without that condition: a
// contender that sends one does another job.
func (a *AWS) put(body []byte) (fault string) {
	var request struct {
		Item      jsontext.Value `json:"Item"`
		Condition string         `json:"ConditionExpression"`
	}
	var item struct {
		PK, SK struct{ S string }
	}
	bad := json.Unmarshal(body, &request) != nil || json.Unmarshal(request.Item, &item) != nil
	key := Key{item.PK.S, item.SK.S}
	a.Writes.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if bad || key.PK == "" || key.SK == "" || !strings.HasPrefix(request.Condition, "attribute_not_exists(PK)") {
		return "ValidationException"
	}
	if _, exists := a.items[key]; exists {
		return "ConditionalCheckFailedException"
	}
	a.items[key] = request.Item
	return ""
}

// readSecret returns the secret's only version: it was never rotated.
func (a *AWS) readSecret(body []byte) (text, fault string) {
	var request struct {
		Stage string `json:"VersionStage"`
	}
	if json.Unmarshal(body, &request) != nil || !slices.Contains([]string{"", "AWSCURRENT"}, request.Stage) {
		return "", "ResourceNotFoundException"
	}
	return fmt.Sprintf(`{"CreatedDate":1767225600.5,"SecretString":%q,"VersionStages":["AWSCURRENT"]}`, a.secret), ""
}

// newChain returns a certificate for this machine with a chain like that of AWS's
// endpoints: an intermediate authority issued it, and a root issued that one. The
// root's certificate comes back as PEM. One RSA key serves all three. The names are like
// those of AWS's authorities, by which clients may know them.
func newChain() (chain tls.Certificate, root []byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return chain, nil, err
	}
	chain.PrivateKey = key
	var issuer *x509.Certificate
	for i, usage := range []x509.KeyUsage{x509.KeyUsageCertSign, x509.KeyUsageCertSign, x509.KeyUsageDigitalSignature} {
		certificate := &x509.Certificate{
			SerialNumber:          big.NewInt(int64(i + 1)),
			Subject:               pkix.Name{CommonName: fmt.Sprintf("Amazon Root CA of the benchmark, %d", i)},
			NotBefore:             time.Unix(0, 0),
			NotAfter:              time.Unix(1<<32, 0),
			KeyUsage:              usage,
			BasicConstraintsValid: true,
			IsCA:                  usage == x509.KeyUsageCertSign,
			SubjectKeyId:          []byte{byte(i)},
			IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		der, err := x509.CreateCertificate(rand.Reader, certificate, cmp.Or(issuer, certificate), key.Public(), key)
		if err != nil {
			return chain, nil, err
		}
		issuer, chain.Certificate = certificate, append([][]byte{der}, chain.Certificate...)
	}
	root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain.Certificate[2]})
	chain.Certificate = chain.Certificate[:2] // A server does not send the root.
	return chain, root, nil
}

// Roots are files of root certificates, as functions read them.
type Roots struct {
	// Certificate is the file with the stand-in's root alone, Bundle the one with
	// the machine's roots as well.
	Certificate, Bundle string
	// Directories has the form of SSL_CERT_DIR: two names of one folder, which
	// holds the bundle in two forms.
	Directories string
	// Count is the number of certificates in the bundle.
	Count int
}

// Bundle is the file of [Roots] of that name in a folder.
func Bundle(folder string) string { return filepath.Join(folder, "tls-ca-bundle.pem") }

// writeRoots writes the files to a folder, after emptying it. The layout is that of the
// ca-certificates package of Amazon Linux and Fedora: /etc/ssl/certs links to
// /etc/pki/tls/certs, which links to both bundles.
func writeRoots(folder string, own []byte) (*Roots, error) {
	certs, link := filepath.Join(folder, "certs"), filepath.Join(folder, "ssl-certs")
	trusted := filepath.Join(folder, "ca-bundle.trust.crt")
	r := &Roots{
		Certificate: filepath.Join(folder, "stand-in.pem"),
		Bundle:      Bundle(folder),
		Directories: link + string(filepath.ListSeparator) + certs,
	}
	all := string(own)
	for _, path := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"} {
		if text, err := os.ReadFile(path); err == nil { //nolint:gosec // G304: one of these
			all = string(text) + all
			break
		}
	}
	r.Count = strings.Count(all, "-----BEGIN CERTIFICATE-----")
	return r, errors.Join(
		os.RemoveAll(folder),
		os.MkdirAll(certs, 0o750),
		os.WriteFile(r.Certificate, own, 0o600),
		os.WriteFile(r.Bundle, []byte(all), 0o600), //nolint:gosec // G703: the paths are ours
		os.WriteFile(trusted, []byte(strings.ReplaceAll(all, " CERTIFICATE-", " TRUSTED CERTIFICATE-")), 0o600), //nolint:gosec // G703: as above
		os.Symlink(certs, link),
		os.Symlink(r.Bundle, filepath.Join(certs, "ca-bundle.crt")),
		os.Symlink(trusted, filepath.Join(certs, "ca-bundle.trust.crt")),
	)
}
