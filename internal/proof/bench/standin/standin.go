// Package standin is AWS for a benchmark: a table and a secret on loopback,
// each behind an address of its own, as on AWS.
//
// The table knows PutItem with the one condition that the item is new, which it
// really checks, and keeps what it took, so that a benchmark can tell afterwards
// that every contender did the whole job. It answers at once, unless it is told
// to take its time.
package standin

import (
	"context"
	"crypto/tls"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Config says what stands in.
type Config struct {
	// Secret is the text of the secret's one version, AWSCURRENT.
	Secret string
	// TLS is how both speak HTTPS; nil is plain HTTP.
	TLS *tls.Config
}

// AWS is a running stand-in.
type AWS struct {
	// TableURL and SecretURL are the endpoints.
	TableURL, SecretURL string

	config  Config
	servers []*http.Server

	mu          sync.Mutex
	items       map[key]jsontext.Value
	calls       map[string]int
	connections int
	latency     time.Duration
}

type key struct{ pk, sk string }

// Start starts a stand-in on free ports of the loopback interface.
func Start(ctx context.Context, config Config) (*AWS, error) {
	a := &AWS{config: config}
	a.Reset()
	var err error
	if a.TableURL, err = a.serve(ctx, true); err != nil {
		return nil, err
	}
	if a.SecretURL, err = a.serve(ctx, false); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *AWS) serve(ctx context.Context, isTable bool) (url string, err error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	// AWS offers HTTP/1.1 here.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:           http.HandlerFunc(a.answer),
		ReadHeaderTimeout: time.Minute,
		Protocols:         protocols,
		TLSConfig:         a.config.TLS,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	if isTable {
		server.ConnState = a.count
	}
	a.servers = append(a.servers, server)
	scheme := "http"
	if a.config.TLS != nil {
		scheme = "https"
		go func() { _ = server.ServeTLS(listener, "", "") }() // Ends with ErrServerClosed.
	} else {
		go func() { _ = server.Serve(listener) }()
	}
	return scheme + "://" + listener.Addr().String(), nil
}

// Close ends the stand-in.
func (a *AWS) Close() {
	for _, server := range a.servers {
		_ = server.Close()
	}
}

// Reset forgets what was stored and counted.
func (a *AWS) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.items = make(map[key]jsontext.Value, 1<<12)
	a.calls = map[string]int{}
	a.connections = 0
}

// SetLatency has every call wait that long before it is looked at.
func (a *AWS) SetLatency(latency time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency = latency
}

// Items returns what is stored, in no order, in DynamoDB's own JSON.
func (a *AWS) Items() [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	items := make([][]byte, 0, len(a.items))
	for _, item := range a.items {
		items = append(items, item)
	}
	return items
}

// Calls returns how often each operation was called.
func (a *AWS) Calls() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.calls)
}

// Connections returns how many connections to the table were opened.
func (a *AWS) Connections() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.connections
}

func (a *AWS) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.connections++
	}
}

// The operations, as the header X-Amz-Target names them.
const (
	PutItem        = "DynamoDB_20120810.PutItem"
	GetItem        = "DynamoDB_20120810.GetItem"
	GetSecretValue = "secretsmanager.GetSecretValue"
)

func (a *AWS) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The caller is gone.
	}
	operation := r.Header.Get("X-Amz-Target")
	a.mu.Lock()
	a.calls[operation]++
	latency := a.latency
	a.mu.Unlock()
	time.Sleep(latency)
	status, text := http.StatusBadRequest, fault("ValidationException")
	switch operation {
	case PutItem:
		status, text = a.put(body)
	case GetItem:
		status, text = http.StatusOK, "{}"
	case GetSecretValue:
		status, text = a.secret(body)
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("X-Amzn-Requestid", "7B0C2D7E9F7A4C4D8E1F2A3B4C5D6E7F8091A2B3C4D5E6F70819")
	// DynamoDB sends it, and the SDKs check it.
	header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(text))), 10))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // Fails only if the caller is gone.
}

// put stores an item, if it is new. A request without that condition is none of
// the job that is measured.
func (a *AWS) put(body []byte) (status int, text string) {
	var request struct {
		Item      jsontext.Value `json:"Item"`
		Condition string         `json:"ConditionExpression"`
	}
	var keys struct {
		PK, SK struct {
			S string `json:"S"`
		}
	}
	if json.Unmarshal(body, &request) != nil || json.Unmarshal(request.Item, &keys) != nil ||
		keys.PK.S == "" || keys.SK.S == "" || request.Condition != "attribute_not_exists(PK)" {
		return http.StatusBadRequest, fault("ValidationException")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := key{keys.PK.S, keys.SK.S}
	if _, exists := a.items[at]; exists {
		return http.StatusBadRequest, fault("ConditionalCheckFailedException")
	}
	a.items[at] = request.Item
	return http.StatusOK, "{}"
}

// secret answers with the secret's one version: nothing was rotated yet.
func (a *AWS) secret(body []byte) (status int, text string) {
	var request struct {
		SecretID string `json:"SecretId"`
		Stage    string `json:"VersionStage"`
	}
	if json.Unmarshal(body, &request) != nil || request.Stage != "" && request.Stage != "AWSCURRENT" {
		return http.StatusBadRequest, `{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret value."}`
	}
	answer, err := json.Marshal(map[string]any{
		"ARN":           request.SecretID,
		"CreatedDate":   1_767_225_600.5,
		"Name":          "benchmark",
		"SecretString":  a.config.Secret,
		"VersionId":     "1f0a4c6e-2b3d-4e5f-8a9b-0c1d2e3f4a5b",
		"VersionStages": []string{"AWSCURRENT"},
	}, json.Deterministic(true))
	if err != nil {
		return http.StatusInternalServerError, fault("InternalServerError")
	}
	return http.StatusOK, string(answer)
}

func fault(code string) string {
	return `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"` + code + `"}`
}
