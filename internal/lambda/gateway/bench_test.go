package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table/dynamo"
)

// whole is the handler as main wires it, with a table that responds at once.
func whole(t testing.TB) (*gateway.Handler, *tabletest.Instant) {
	t.Helper()
	instant := tabletest.StartInstant(t)
	config, client := awsclient.StandIn(instant.Endpoint()), awsclient.NewHTTPClient()
	client.SetLimit(time.Minute) // a retry on a busy machine would be a second connection
	config.HTTPClient = client
	writer := dynamo.NewWriter(config, "events")
	writer.Warm(t.Context())
	log := slog.New(slog.NewJSONHandler(discard{}, nil))
	h := ingest.New(writer, credential.Fixed{Token: sampleToken, SigningSecret: signingSecret}, log)
	return gateway.New(h), instant
}

// discard is [io.Discard], but the logger does not recognise it and skip its work.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// deliveries returns one of format A and one of format B, signed.
func deliveries(t testing.TB) map[string][]byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(samplesFolder, "call.completed.json"))
	if err != nil {
		t.Fatal(err)
	}
	plain := delivered(t, body)
	signed := delivered(t, []byte(`{"type":"call.completed","request_id":"01HSGYEV6Y9Y6JQEBP3MBCEH3S","webhook_url":"https://example.com","url_id":7,"data":{`+
		`"id":4711,"call_sid":"CA0123456789","contact_number":"14155558765","contact_name":"","contact_email":"",`+
		`"justcall_number":"14155551234","justcall_line_name":"Main line","agent_id":2,"agent_name":"Sam Sample","agent_email":"sam@example.com",`+
		`"call_date":"2026-03-12","call_time":"14:32:00","cost_incurred":0.02,"call_info":{"direction":"Incoming","type":"answered",`+
		`"status":"Unarchived","disposition":"","notes":"","rating":"","recording":"https://example.com/r.mp3"},`+
		`"call_duration":{"total_duration":61,"conversation_time":50,"ring_time":11},"tags":[]}}`))
	timestamp := time.Now().UTC().Format(time.DateTime)
	signed.Headers[events.HeaderSignature] = events.Sign(signingSecret, "https://"+signed.RequestContext.DomainName+signed.RawPath, "call.completed", timestamp)
	signed.Headers[events.HeaderSignatureVersion] = events.SignatureVersion
	signed.Headers[events.HeaderRequestTimestamp] = timestamp
	return map[string][]byte{"A": marshal(t, plain), "B signed": marshal(t, signed)}
}

// The whole handler, without the Runtime API.
func BenchmarkInvoke(b *testing.B) {
	for name, event := range deliveries(b) {
		b.Run(name, func(b *testing.B) {
			h, _ := whole(b)
			b.ReportAllocs()
			for b.Loop() {
				answer, err := h.Invoke(context.Background(), event)
				if err != nil || !bytes.Contains(answer, []byte("stored")) {
					b.Fatalf("%s, %v", answer, err)
				}
			}
		})
	}
}

func BenchmarkParseRequest(b *testing.B) {
	for name, event := range deliveries(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(event)))
			for b.Loop() {
				if _, err := gateway.ParseRequest(event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
