package events_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

// The vendor's own example.
const (
	vectorSecret    = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
	vectorURL       = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
	vectorType      = events.TypeCallCompleted
	vectorTimestamp = "2024-03-21 17:08:22"
	vectorHex       = "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
)

var (
	vectorTime = time.Date(2024, 3, 21, 17, 8, 22, 0, time.UTC)
	vector     = events.Signature{Hex: vectorHex, Version: "v1", Timestamp: vectorTimestamp}
	tolerance  = events.Tolerance{Past: 3 * time.Hour, Ahead: 5 * time.Minute}
)

func TestSignMakesTheVendorsVector(t *testing.T) {
	t.Parallel()
	if got := events.Sign(vectorSecret, vectorURL, vectorType, vectorTimestamp); got != vectorHex {
		t.Errorf("got %s, want %s", got, vectorHex)
	}
}

func TestVerifyHeaders(t *testing.T) {
	t.Parallel()
	with := func(change func(*events.Signature)) events.Signature {
		s := vector
		change(&s)
		return s
	}
	for _, test := range []struct {
		name      string
		signature events.Signature
		want      error
	}{
		{"the vendor's vector", vector, nil},
		{"no version counts as v1", with(func(s *events.Signature) { s.Version = "" }), nil},
		{"hex digits in upper case", with(func(s *events.Signature) { s.Hex = strings.ToUpper(s.Hex) }), nil},

		{"no headers", events.Signature{}, events.ErrSignatureMissing},
		{"no signature", with(func(s *events.Signature) { s.Hex = "" }), events.ErrSignatureMissing},
		{"no timestamp", with(func(s *events.Signature) { s.Timestamp = "" }), events.ErrSignatureMissing},

		{"another version", with(func(s *events.Signature) { s.Version = "v2" }), events.ErrSignatureVersion},
		{"a version in upper case", with(func(s *events.Signature) { s.Version = "V1" }), events.ErrSignatureVersion},
		{"a repeated version", with(func(s *events.Signature) { s.Version = "v1,v1" }), events.ErrSignatureVersion},

		{"a repeated signature, joined by a comma", with(func(s *events.Signature) { s.Hex += "," + s.Hex }), events.ErrSignatureMalformed},
		{"a repeated signature, joined by a comma and a space", with(func(s *events.Signature) { s.Hex += ", " + s.Hex }), events.ErrSignatureMalformed},
		{"a repeated signature, joined by nothing", with(func(s *events.Signature) { s.Hex += s.Hex }), events.ErrSignatureMalformed},
		{"a repeated timestamp", with(func(s *events.Signature) { s.Timestamp += "," + s.Timestamp }), events.ErrSignatureMalformed},
		{"a digit that is not hex", with(func(s *events.Signature) { s.Hex = "g" + s.Hex[1:] }), events.ErrSignatureMalformed},
		{"one digit less", with(func(s *events.Signature) { s.Hex = s.Hex[1:] }), events.ErrSignatureMalformed},
		{"one byte less", with(func(s *events.Signature) { s.Hex = s.Hex[2:] }), events.ErrSignatureMalformed},
		{"one byte more", with(func(s *events.Signature) { s.Hex += "00" }), events.ErrSignatureMalformed},
		{"a prefix", with(func(s *events.Signature) { s.Hex = "sha256=" + s.Hex }), events.ErrSignatureMalformed},
		{"space around it", with(func(s *events.Signature) { s.Hex = " " + s.Hex }), events.ErrSignatureMalformed},
		{"a timestamp that is no time", with(func(s *events.Signature) { s.Timestamp = "now" }), events.ErrSignatureMalformed},
		{"a timestamp of white space", with(func(s *events.Signature) { s.Timestamp = " " }), events.ErrSignatureMalformed},

		{"all zeros", with(func(s *events.Signature) { s.Hex = strings.Repeat("0", 64) }), events.ErrSignatureMismatch},
		{"the same time, written otherwise", with(func(s *events.Signature) { s.Timestamp = "2024-03-21T17:08:22Z" }), events.ErrSignatureMismatch},
		{"a plain SHA-256 of the message", with(func(s *events.Signature) {
			sum := sha256.Sum256([]byte(vectorSecret + "|" + url.QueryEscape(vectorURL) + "|" + string(vectorType) + "|" + vectorTimestamp))
			s.Hex = hex.EncodeToString(sum[:])
		}), events.ErrSignatureMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := events.Verify(test.signature, vectorURL, vectorType, tolerance, vectorTime, vectorSecret)
			checkSignatureError(t, err, test.want)
		})
	}
}

// checkSignatureError also checks that no error gives anything away.
func checkSignatureError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if got == nil {
		return
	}
	if !errors.Is(got, events.ErrSignature) || errors.Is(got, events.ErrPayload) {
		t.Errorf("%v does not wrap ErrSignature alone", got)
	}
	for _, word := range []string{vectorSecret, vectorHex, vectorHex[:8], vectorURL, vectorTimestamp} {
		if strings.Contains(got.Error(), word) {
			t.Errorf("the error's text holds %q: %v", word, got)
		}
	}
}

func TestVerifyRefusesEveryFlippedByte(t *testing.T) {
	t.Parallel()
	// flip changes one byte into another that occurs in such texts.
	flip := func(text string, i int) string {
		changed := []byte(text)
		switch changed[i] {
		case '9':
			changed[i] = '8'
		case 'f', 'z':
			changed[i] = 'a'
		default:
			changed[i]++
		}
		return string(changed)
	}
	for i := range vectorHex {
		s := vector
		s.Hex = flip(s.Hex, i)
		err := events.Verify(s, vectorURL, vectorType, tolerance, vectorTime, vectorSecret)
		if !errors.Is(err, events.ErrSignatureMismatch) {
			t.Errorf("signature, byte %d: %v", i, err)
		}
	}
	for i := range vectorSecret {
		err := events.Verify(vector, vectorURL, vectorType, tolerance, vectorTime, flip(vectorSecret, i))
		if !errors.Is(err, events.ErrSignatureMismatch) {
			t.Errorf("secret, byte %d: %v", i, err)
		}
	}
	for i := range vectorURL {
		err := events.Verify(vector, flip(vectorURL, i), vectorType, tolerance, vectorTime, vectorSecret)
		if !errors.Is(err, events.ErrSignatureMismatch) {
			t.Errorf("url, byte %d: %v", i, err)
		}
	}
	for i := range vectorType {
		err := events.Verify(vector, vectorURL, events.Type(flip(string(vectorType), i)), tolerance, vectorTime, vectorSecret)
		if !errors.Is(err, events.ErrSignatureMismatch) {
			t.Errorf("type, byte %d: %v", i, err)
		}
	}
	for i := range vectorTimestamp {
		s := vector
		s.Timestamp = flip(s.Timestamp, i)
		want := events.ErrSignatureMismatch
		if _, ok := events.ParseTime(s.Timestamp); !ok {
			want = events.ErrSignatureMalformed
		}
		err := events.Verify(s, vectorURL, vectorType, tolerance, vectorTime, vectorSecret)
		if !errors.Is(err, want) {
			t.Errorf("timestamp, byte %d (%s): got %v, want %v", i, s.Timestamp, err, want)
		}
	}
}

func TestVerifySecrets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		secrets []string
		want    error
	}{
		{"the current secret", []string{vectorSecret, "previous"}, nil},
		{"the previous secret", []string{"current", vectorSecret}, nil},
		{"a previous one beside none that is current", []string{"", vectorSecret}, nil},
		{"a current one beside none that is previous", []string{vectorSecret, ""}, nil},
		{"the same secret twice", []string{vectorSecret, vectorSecret}, nil},
		{"other secrets", []string{"current", "previous"}, events.ErrSignatureMismatch},
		{"another secret beside an empty one", []string{"current", ""}, events.ErrSignatureMismatch},
		{"the secret with a line feed", []string{vectorSecret + "\n"}, events.ErrSignatureMismatch},
		{"no secrets", nil, events.ErrSignatureSecret},
		{"an empty secret", []string{""}, events.ErrSignatureSecret},
		{"only empty secrets", []string{"", ""}, events.ErrSignatureSecret},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := events.Verify(vector, vectorURL, vectorType, tolerance, vectorTime, test.secrets...)
			checkSignatureError(t, err, test.want)
		})
	}
}

func TestVerifyNeverTakesAnEmptySecret(t *testing.T) {
	t.Parallel()
	s := events.Signature{Hex: events.Sign("", vectorURL, vectorType, vectorTimestamp), Timestamp: vectorTimestamp}
	err := events.Verify(s, vectorURL, vectorType, tolerance, vectorTime, "", "")
	checkSignatureError(t, err, events.ErrSignatureSecret)
	err = events.Verify(s, vectorURL, vectorType, tolerance, vectorTime, "", vectorSecret)
	checkSignatureError(t, err, events.ErrSignatureMismatch)
}

func TestVerifyTolerance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		age  time.Duration // of the timestamp, by our clock
		want error
	}{
		{"accepts what was just made", 0, nil},
		{"accepts the fifth attempt, 111 minutes old", 111 * time.Minute, nil},
		{"accepts what is exactly as old as allowed", 3 * time.Hour, nil},
		{"refuses what is a millisecond older", 3*time.Hour + time.Millisecond, events.ErrSignatureStale},
		{"refuses what is a year old", 365 * 24 * time.Hour, events.ErrSignatureStale},
		{"accepts a clock that is behind ours", -time.Minute, nil},
		{"accepts what is exactly as far ahead as allowed", -5 * time.Minute, nil},
		{"refuses what is a millisecond further ahead", -5*time.Minute - time.Millisecond, events.ErrSignatureStale},
		{"refuses tomorrow", -24 * time.Hour, events.ErrSignatureStale},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, timestamp := range []string{
				vectorTimestamp,
				"2024-03-21T17:08:22Z",
				"2024-03-21T22:38:22+05:30",
				"1711040902",
				"1711040902000",
			} {
				s := events.Signature{
					Hex:       events.Sign(vectorSecret, vectorURL, vectorType, timestamp),
					Version:   events.SignatureVersion,
					Timestamp: timestamp,
				}
				// The clock's own zone does not matter.
				now := vectorTime.Add(test.age).In(time.FixedZone("", 3600))
				err := events.Verify(s, vectorURL, vectorType, tolerance, now, vectorSecret)
				checkSignatureError(t, err, test.want)
			}
		})
	}
}

func TestVerifySaysStaleOnlyOfWhatJustCallSigned(t *testing.T) {
	t.Parallel()
	s := vector
	s.Hex = strings.Repeat("0", 64)
	err := events.Verify(s, vectorURL, vectorType, tolerance, vectorTime.Add(24*time.Hour), vectorSecret)
	checkSignatureError(t, err, events.ErrSignatureMismatch)
}

func TestSignEncodesTheURLAsECMAScriptDoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, url, encoded string }{
		{"a space and !*'()", "https://example.com/a b!*'()", "https%3A%2F%2Fexample.com%2Fa%20b!*'()"},
		{"what is unreserved", "AZaz09-_.~", "AZaz09-_.~"},
		{"what is reserved", ";/?:@&=+$,#[]%", "%3B%2F%3F%3A%40%26%3D%2B%24%2C%23%5B%5D%25"},
		{"letters beyond ASCII", "https://exämple.com/€/😀", "https%3A%2F%2Fex%C3%A4mple.com%2F%E2%82%AC%2F%F0%9F%98%80"},
		{"what is encoded already", "https://example.com/%20", "https%3A%2F%2Fexample.com%2F%2520"},
		{"the message's own separator", "a|b", "a%7Cb"},
		{"control characters", "a\x00\x7f", "a%00%7F"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mac := func(encoded string) string {
				h := hmac.New(sha256.New, []byte(vectorSecret))
				h.Write([]byte(vectorSecret + "|" + encoded + "|call.completed|" + vectorTimestamp))
				return hex.EncodeToString(h.Sum(nil))
			}
			got := events.Sign(vectorSecret, test.url, vectorType, vectorTimestamp)
			if got != mac(test.encoded) {
				t.Errorf("not the signature over %s", test.encoded)
			}
			if escaped := url.QueryEscape(test.url); escaped != test.encoded && got == mac(escaped) {
				t.Errorf("the signature over %s", escaped)
			}
		})
	}
}

func TestVerifyTakesWhatSignMakesAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringN(1, -1, -1).Draw(t, "secret")
		ours := rapid.String().Draw(t, "url")
		typ := events.Type(rapid.String().Draw(t, "type"))
		at := vectorTime.Add(-time.Duration(rapid.IntRange(0, 3*60*60).Draw(t, "age")) * time.Second)
		timestamp := at.Format("2006-01-02 15:04:05")
		s := events.Signature{
			Hex:       events.Sign(secret, ours, typ, timestamp),
			Version:   rapid.SampledFrom([]string{"", "v1"}).Draw(t, "version"),
			Timestamp: timestamp,
		}
		others := rapid.SliceOfN(rapid.StringMatching(`[0-9a-f]{40}`), 0, 2).Draw(t, "other secrets")
		secrets := rapid.Permutation(append(others, secret)).Draw(t, "secrets")
		if err := events.Verify(s, ours, typ, tolerance, vectorTime, secrets...); err != nil {
			t.Fatalf("not taken: %v", err)
		}

		url2 := rapid.String().Draw(t, "another url")
		typ2 := events.Type(rapid.String().Draw(t, "another type"))
		if err := events.Verify(s, url2, typ, tolerance, vectorTime, secret); (err == nil) != (url2 == ours) {
			t.Fatalf("url %q for %q: %v", url2, ours, err)
		}
		if err := events.Verify(s, ours, typ2, tolerance, vectorTime, secret); (err == nil) != (typ2 == typ) {
			t.Fatalf("type %q for %q: %v", typ2, typ, err)
		}
	})
}
