package awsclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/awsclient"
)

// recorder keeps a request and sends none.
type recorder struct{ req *http.Request }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.req = req
	return nil, errors.New("not sent")
}

// The SDK's signer is the judge. Several requests in a row share a signing key, or do not.
func TestSignaturesAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[A-Za-z0-9/+=]{1,40}`)
		region := rapid.SampledFrom([]string{"us-east-1", "eu-central-1", "cn-north-1"}).Draw(t, "region")
		spec := rapid.SampledFrom([]awsclient.ServiceSpec{awsclient.DynamoDB, awsclient.SecretsManager, awsclient.SQS}).Draw(t, "service")
		endpoint := rapid.SampledFrom([]string{"", "http://127.0.0.1:8000", "http://localhost:4566/", "https://example.com/a/path"}).Draw(t, "endpoint")
		var credentials aws.Credentials
		var sent recorder
		config := aws.Config{
			Region: region, HTTPClient: &sent,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		}
		if endpoint != "" {
			config.BaseEndpoint = &endpoint
		}
		service := awsclient.NewService(spec, config)
		for range rapid.IntRange(1, 4).Draw(t, "requests") {
			credentials = aws.Credentials{
				AccessKeyID:     word.Draw(t, "access key"),
				SecretAccessKey: rapid.SampledFrom([]string{"one secret", "another"}).Draw(t, "secret key"),
				SessionToken:    rapid.OneOf(rapid.Just(""), word).Draw(t, "session token"),
			}
			at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0)
			service.Now = func() time.Time { return at }
			body := rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(t, "body") // no request of ours is empty
			_, _ = service.CallOnce(t.Context(), "Operation", body)

			judged, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sent.req.URL.String(), bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Content-Type", "X-Amz-Target", "User-Agent"} {
				judged.Header.Set(name, sent.req.Header.Get(name))
			}
			digest := sha256.Sum256(body)
			if err := v4.NewSigner().SignHTTP(t.Context(), credentials, judged, hex.EncodeToString(digest[:]), spec.Name(), region, at); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(judged.Header, sent.req.Header); diff != "" {
				t.Fatalf("headers (-SDK +ours):\n%s", diff)
			}
			if got, err := io.ReadAll(sent.req.Body); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("body %q, %v", got, err)
			}
		}
	})
}
