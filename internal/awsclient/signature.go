package awsclient

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// signer signs the requests of one service in one region: a POST with a body. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
// The SDK's signer, which knows all other requests too, takes three times as long.
type signer struct {
	region, service string
	key             atomic.Pointer[signingKey]
}

// signingKey is good for a day, and for one secret key.
type signingKey struct{ day, secret, key string }

const (
	algorithm   = "AWS4-HMAC-SHA256"
	stampLayout = "20060102T150405Z"
	dayLength   = len("20060102")
)

// sign sets the headers of a signature at a time. It signs all that the request has; User-Agent
// is set later, since proxies change it.
func (s *signer) sign(req *http.Request, body []byte, credentials aws.Credentials, at time.Time) {
	stamp := at.UTC().Format(stampLayout)
	day := stamp[:dayLength]
	header := req.Header
	header["X-Amz-Date"] = []string{stamp}

	// In the order of the alphabet.
	var text strings.Builder
	names := "content-length;content-type;host;x-amz-date;"
	text.WriteString("POST\n" + cmp.Or(req.URL.EscapedPath(), "/") + "\n\ncontent-length:" + strconv.Itoa(len(body)) + "\ncontent-type:" + header.Get("Content-Type") +
		"\nhost:" + req.URL.Host + "\nx-amz-date:" + stamp)
	if credentials.SessionToken != "" {
		header["X-Amz-Security-Token"] = []string{credentials.SessionToken}
		names += "x-amz-security-token;"
		text.WriteString("\nx-amz-security-token:" + credentials.SessionToken)
	}
	names += "x-amz-target"
	digest := sha256.Sum256(body)
	text.WriteString("\nx-amz-target:" + header.Get("X-Amz-Target") + "\n\n" + names + "\n" + hex.EncodeToString(digest[:]))
	digest = sha256.Sum256([]byte(text.String()))

	scope := day + "/" + s.region + "/" + s.service + "/aws4_request"
	signature := mac(s.keyOf(day, credentials.SecretAccessKey), algorithm+"\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(digest[:]))
	header["Authorization"] = []string{algorithm + " Credential=" + credentials.AccessKeyID + "/" + scope +
		", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString([]byte(signature))}
}

func (s *signer) keyOf(day, secret string) string {
	if k := s.key.Load(); k != nil && k.day == day && k.secret == secret {
		return k.key
	}
	k := &signingKey{day, secret, mac(mac(mac(mac("AWS4"+secret, day), s.region), s.service), "aws4_request")}
	s.key.Store(k)
	return k.key
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return string(h.Sum(nil))
}
