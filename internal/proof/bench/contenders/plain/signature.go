package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"time"
)

// How old a signature may be, and how far ahead of our clock.
const maxAge, maxAhead = 3 * time.Hour, 5 * time.Minute

var errSignature = errors.New("signature")

// component turns what [url.QueryEscape] writes into what encodeURIComponent
// does.
var component = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

// verify checks format B's signature. API Gateway writes header names in lower
// case.
func verify(secret, address, typ string, headers map[string]string, now time.Time) error {
	timestamp := headers["x-justcall-request-timestamp"]
	at, err := time.Parse("2006-01-02 15:04:05", timestamp)
	if err != nil || now.Sub(at) > maxAge || at.Sub(now) > maxAhead {
		return errSignature
	}
	given, err := hex.DecodeString(headers["x-justcall-signature"])
	if err != nil {
		return errSignature
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{secret, component.Replace(url.QueryEscape(address)), typ, timestamp}, "|")))
	if !hmac.Equal(mac.Sum(nil), given) {
		return errSignature
	}
	return nil
}
