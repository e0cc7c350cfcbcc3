package gateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const samplesFolder = "../../../events-samples"

// httpEvent is an HTTP API event as API Gateway sends it. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
type httpEvent struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Headers         map[string]string `json:"headers"`
	RequestContext  requestContext    `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpRequest `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpRequest struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

const (
	sampleToken  = "sample-token-not-a-secret"
	samplePath   = "/justcall/" + sampleToken
	sampleDomain = "example.execute-api.us-east-1.amazonaws.com"
)

// delivered returns the gateway event of a body that arrives two seconds after its own
// timestamp. It is deterministic.
func delivered(t testing.TB, body []byte) httpEvent {
	t.Helper()
	var sent struct {
		Timestamp time.Time `json:"timestamp"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	at := sent.Timestamp.Add(2 * time.Second)
	const route, agent = "ANY /justcall/{token+}", "axios/1.7.9"
	digest := sha256.Sum256(body)
	return httpEvent{
		Version:  "2.0",
		RouteKey: route,
		RawPath:  samplePath,
		Headers: map[string]string{
			"accept":            "application/json, text/plain, */*",
			"accept-encoding":   "gzip, compress, deflate, br",
			"content-length":    strconv.Itoa(len(body)),
			"content-type":      "application/json",
			"host":              sampleDomain,
			"user-agent":        agent,
			"x-forwarded-for":   "192.0.2.1",
			"x-forwarded-port":  "443",
			"x-forwarded-proto": "https",
		},
		RequestContext: requestContext{
			AccountID:    "123456789012",
			APIID:        "example",
			DomainName:   sampleDomain,
			DomainPrefix: "example",
			HTTP: httpRequest{
				Method:    http.MethodPost,
				Path:      samplePath,
				Protocol:  "HTTP/1.1",
				SourceIP:  "192.0.2.1",
				UserAgent: agent,
			},
			RequestID: base64.URLEncoding.EncodeToString(digest[:11]),
			RouteKey:  route,
			Stage:     "$default",
			Time:      at.Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch: at.UnixMilli(),
		},
		PathParameters: map[string]string{"token": sampleToken},
		Body:           string(body),
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func TestSamples(t *testing.T) {
	t.Parallel()
	payloads, err := filepath.Glob(filepath.Join(samplesFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(payloads) != 9 {
		t.Fatalf("%d payloads in events-samples, want nine", len(payloads))
	}
	expected := map[string]bool{}
	for _, payload := range payloads {
		name := filepath.Base(payload)
		file := filepath.Join(samplesFolder, "webhook", name)
		expected[file] = true
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(payload)
			if err != nil {
				t.Fatal(err)
			}
			event := marshal(t, delivered(t, body))
			golden.Check(t, file, event)

			store := &tabletest.Memory{}
			answer, err := gateway.New(handler(t, store)).Invoke(t.Context(), event)
			if err != nil {
				t.Fatal(err)
			}
			items := store.Items()
			if len(items) != 1 {
				t.Fatalf("%d items kept, want one", len(items))
			}
			kept, err := table.PayloadOf(items[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(body), string(kept)); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
			wantResponse(t, answer, response{
				StatusCode: http.StatusOK,
				Headers:    map[string]string{"content-type": "application/json"},
				Body:       `{"status":"stored","key":"` + table.Text(items[0], table.PK) + `"}`,
			})
		})
	}
	golden.NoOthers(t, filepath.Join(samplesFolder, "webhook", "*.json"), expected)
}
