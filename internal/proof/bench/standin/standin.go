// Package standin plays AWS for a benchmark: a table and a secret on loopback,
// each behind an address of its own, over HTTP and over TLS.
//
// The table knows one operation, PutItem on the condition that the item is new.
// It checks the condition and keeps the items, so that the benchmark can see
// afterwards whether a contender did the whole job. It answers at once, unless it
// has a latency.
package standin

import (
	"crypto/tls"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Endpoints are the base URLs at which a function finds table and secret.
type Endpoints struct {
	Table, Secret string
	// Roots make a function trust them over TLS; nil means plain HTTP.
	Roots *Roots
}

// AWS is a running stand-in.
type AWS struct {
	// Plain speaks HTTP, Secure TLS. Both lead to the same table and secret.
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

// Start starts a stand-in whose secret has one version, AWSCURRENT, with the
// text given. It writes root certificates to folder, which must be empty.
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

// Close ends the stand-in.
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

// The operations, as the header X-Amz-Target names them.
const (
	putItem        = "DynamoDB_20120810.PutItem"
	getItem        = "DynamoDB_20120810.GetItem" // warms a connection
	getSecretValue = "secretsmanager.GetSecretValue"
)

func (a *AWS) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The caller is gone.
	}
	time.Sleep(time.Duration(a.Latency.Load()))
	var text, fault string
	switch r.Header.Get("X-Amz-Target") {
	case putItem:
		text, fault = "{}", a.put(body)
	case getItem:
		text = "{}"
	case getSecretValue:
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
	_, _ = io.WriteString(w, text) // Fails only if the caller is gone.
}

// put stores an item if it is new. It refuses a request without that condition:
// such a contender does another job.
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
	if bad || key.PK == "" || key.SK == "" || request.Condition != "attribute_not_exists(PK)" {
		return "ValidationException"
	}
	if _, exists := a.items[key]; exists {
		return "ConditionalCheckFailedException"
	}
	a.items[key] = request.Item
	return ""
}

// readSecret returns the secret's one version: it was never rotated.
func (a *AWS) readSecret(body []byte) (text, fault string) {
	var request struct {
		ID    string `json:"SecretId"`
		Stage string `json:"VersionStage"`
	}
	if json.Unmarshal(body, &request) != nil || !slices.Contains([]string{"", "AWSCURRENT"}, request.Stage) {
		return "", "ResourceNotFoundException"
	}
	return fmt.Sprintf(`{"ARN":%q,"CreatedDate":1767225600.5,"Name":"benchmark","SecretString":%q,`+
		`"VersionId":"1f0a4c6e-2b3d-4e5f-8a9b-0c1d2e3f4a5b","VersionStages":["AWSCURRENT"]}`, request.ID, a.secret), ""
}

