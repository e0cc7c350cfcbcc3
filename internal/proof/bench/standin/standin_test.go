package standin_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/bench/standin"
)

const (
	putItem        = "DynamoDB_20120810.PutItem"
	getItem        = "DynamoDB_20120810.GetItem"
	getSecretValue = "secretsmanager.GetSecretValue"
)

func start(t *testing.T) *standin.AWS {
	t.Helper()
	aws, err := standin.Start(t.TempDir(), `{"token":"t"}`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(aws.Close)
	return aws
}

// call returns the status and the answer to one call.
func call(t *testing.T, url, operation, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", operation)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10); response.Header.Get("X-Amz-Crc32") != want {
		t.Errorf("checksum %q, want %s", response.Header.Get("X-Amz-Crc32"), want)
	}
	return response.StatusCode, string(text)
}

func TestTableTakesAnItemOnce(t *testing.T) {
	t.Parallel()
	aws := start(t)
	const ok, no = http.StatusOK, http.StatusBadRequest
	for _, step := range []struct {
		name   string
		body   string
		status int
		answer string
	}{
		{"a new item", put("CALL#1", "EVENT#1", "a"), ok, "{}"},
		{"the same key again", put("CALL#1", "EVENT#1", "b"), no, "ConditionalCheckFailedException"},
		{"another sort key", put("CALL#1", "EVENT#2", "c"), ok, "{}"},
		{"another partition key", put("CALL#2", "EVENT#1", "d"), ok, "{}"},
		{"without the condition", strings.Replace(put("CALL#3", "EVENT#1", "e"), "ConditionExpression", "Comment", 1), no, "ValidationException"},
		{"on another condition", strings.Replace(put("CALL#3", "EVENT#1", "f"), "attribute_not_exists(PK)", "attribute_exists(PK)", 1), no, "ValidationException"},
		{"without a key", put("", "EVENT#1", "g"), no, "ValidationException"},
		{"without a sort key", put("CALL#3", "", "h"), no, "ValidationException"},
		{"not JSON", "{", no, "ValidationException"},
	} {
		status, answer := call(t, aws.Plain.Table, putItem, step.body)
		if status != step.status || !strings.Contains(answer, step.answer) {
			t.Errorf("%s: %d %s, want %d %s", step.name, status, answer, step.status, step.answer)
		}
	}
	got := map[string]bool{}
	for _, item := range aws.Items() {
		var stored struct {
			Mark struct {
				S string `json:"S"`
			} `json:"Mark"`
		}
		if err := json.Unmarshal(item, &stored); err != nil {
			t.Fatal(err)
		}
		got[stored.Mark.S] = true
	}
	if diff := cmp.Diff(map[string]bool{"a": true, "c": true, "d": true}, got); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if writes := aws.Writes.Load(); writes != 9 {
		t.Errorf("%d writes counted, want 9", writes)
	}

	aws.Reset()
	if len(aws.Items())+int(aws.Writes.Load()+aws.Connections.Load()) > 0 {
		t.Error("something is left after a reset")
	}
	if status, _ := call(t, aws.Plain.Table, putItem, put("CALL#1", "EVENT#1", "a")); status != ok {
		t.Error("an item counts as stored before the reset")
	}
}

func put(pk, sk, mark string) string {
	return `{"TableName":"events","ConditionExpression":"attribute_not_exists(PK)","Item":{"PK":{"S":"` +
		pk + `"},"SK":{"S":"` + sk + `"},"Mark":{"S":"` + mark + `"}}}`
}

func TestSecretHasOneVersion(t *testing.T) {
	t.Parallel()
	aws := start(t)
	for body, want := range map[string]int{
		`{"SecretId":"arn"}`:                              http.StatusOK,
		`{"SecretId":"arn","VersionStage":"AWSCURRENT"}`:  http.StatusOK,
		`{"SecretId":"arn","VersionStage":"AWSPREVIOUS"}`: http.StatusBadRequest,
	} {
		status, answer := call(t, aws.Plain.Secret, getSecretValue, body)
		has := strings.Contains(answer, `"SecretString":"{\"token\":\"t\"}"`)
		if status != want || has != (want == http.StatusOK) {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

func TestUnknownOperationsAreRefused(t *testing.T) {
	t.Parallel()
	aws := start(t)
	if status, _ := call(t, aws.Plain.Table, "DynamoDB_20120810.Scan", "{}"); status != http.StatusBadRequest {
		t.Errorf("got %d", status)
	}
	if status, _ := call(t, aws.Plain.Table, getItem, "{}"); status != http.StatusOK {
		t.Errorf("a read that warms: got %d", status)
	}
}

func TestLatencyIsAtLeastWhatWasSet(t *testing.T) {
	t.Parallel()
	aws := start(t)
	const latency = 30 * time.Millisecond
	aws.Latency.Store(int64(latency))
	before := time.Now()
	call(t, aws.Plain.Table, putItem, put("CALL#1", "EVENT#1", "a"))
	if took := time.Since(before); took < latency {
		t.Errorf("answered after %v", took)
	}
}

func TestCountsConnectionsToTheTable(t *testing.T) {
	t.Parallel()
	aws := start(t)
	for range 2 {
		client := &http.Client{Transport: &http.Transport{}}
		for range 3 {
			get(t, client, aws.Plain.Table)
		}
		client.CloseIdleConnections()
	}
	get(t, &http.Client{Transport: &http.Transport{}}, aws.Plain.Secret)
	if got := aws.Connections.Load(); got != 2 {
		t.Errorf("%d connections, want 2", got)
	}
}

func get(t *testing.T, client *http.Client, url string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

// Go reads these stores as it reads the system's own. It verifies a chain of
// three certificates, of which the server sends two.
func TestEveryStoreTrustsTheStandIn(t *testing.T) {
	t.Parallel()
	aws := start(t)
	trust := aws.Secure.Roots
	dial := func(roots *x509.CertPool) error {
		config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) != 2 || len(state.VerifiedChains) != 1 || len(state.VerifiedChains[0]) != 3 {
				t.Errorf("%d certificates sent, verified %v", len(state.PeerCertificates), state.VerifiedChains)
			}
			return nil
		}
		dialer := tls.Dialer{Config: config}
		connection, err := dialer.DialContext(context.WithoutCancel(t.Context()), "tcp", strings.TrimPrefix(aws.Secure.Table, "https://"))
		if err == nil {
			_ = connection.Close()
		}
		return err
	}
	stores := map[string]string{"certificate": trust.Certificate, "bundle": trust.Bundle}
	for i, directory := range filepath.SplitList(trust.Directories) {
		entries, err := os.ReadDir(directory)
		if err != nil || len(entries) != 2 {
			t.Fatalf("directory %d: %v, %v", i, entries, err)
		}
		stores[directory] = filepath.Join(directory, "ca-bundle.crt")
	}
	if len(stores) != 4 {
		t.Errorf("stores %v, want two directories", stores)
	}
	for name, path := range stores {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		if err := dial(roots); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := dial(x509.NewCertPool()); err == nil {
		t.Error("connected without the stand-in's certificate")
	}
	if trust.Count < 1 {
		t.Errorf("%d roots", trust.Count)
	}
}

// BenchmarkStandIn measures the stand-in's own part of a latency: a write on an
// open connection, from a bare socket in its own process.
func BenchmarkStandIn(b *testing.B) {
	aws, err := standin.Start(b.TempDir(), `{}`)
	if err != nil {
		b.Fatal(err)
	}
	defer aws.Close()
	host := strings.TrimPrefix(aws.Plain.Table, "http://")
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", host)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for i := 0; b.Loop(); i++ {
		body := put(strconv.Itoa(i), strings.Repeat("x", 1000), "")
		request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Target: %s\r\nContent-Length: %d\r\n\r\n%s", host, putItem, len(body), body)
		if _, err := io.WriteString(conn, request); err != nil {
			b.Fatal(err)
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.StatusCode, err)
		}
	}
}
