package ingest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// rotating starts a handler over a secret that can be rotated, on a fake clock.
func rotating(t *testing.T, log *bytes.Buffer) (*secretsManager, *ingest.Handler) {
	t.Helper()
	secret := &secretsManager{}
	secret.rotate(token, "")
	source, err := credential.New(t.Context(), secret, "arn", 72*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, &tabletest.Memory{}, source, log)
	h.Now = time.Now
	return secret, h
}

// with posts with a token and returns the status.
func with(t *testing.T, h *ingest.Handler, token string) int {
	t.Helper()
	r := post(missedB)
	r.Path, r.URL = "/justcall/"+token, base+"/justcall/"+token
	return h.Handle(t.Context(), r).Status
}

// The secret is read once a minute at most. A new token that comes within that
// minute is told to come back, and then it is known.
func TestPromise7_ANewTokenIsPutOffUntilItCanBeKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		secret, h := rotating(t, nil)
		secret.rotate(newToken, "")
		if got := with(t, h, newToken); got != http.StatusServiceUnavailable {
			t.Errorf("at once: %d, want 503", got)
		}
		time.Sleep(30 * time.Second)
		if got := with(t, h, newToken); got != http.StatusServiceUnavailable {
			t.Errorf("after half a minute: %d, want 503", got)
		}
		time.Sleep(30 * time.Second)
		if got := with(t, h, newToken); got != http.StatusOK {
			t.Errorf("after a minute: %d, want 200", got)
		}
	})
}

// Whoever guesses gets three times a 503 in a minute, whatever the minute.
func TestPromise6_AnUnknownTokenIsPutOffThreeTimesAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, h := rotating(t, nil)
		var putOff []time.Time
		for i := range 600 {
			switch got := with(t, h, fmt.Sprintf("%s-%d", wrongToken, i)); got {
			case http.StatusServiceUnavailable:
				putOff = append(putOff, time.Now())
			case http.StatusUnauthorized:
			default:
				t.Fatalf("%d, want 401 or 503", got)
			}
			time.Sleep(time.Second)
		}
		if len(putOff) < 25 {
			t.Errorf("%d put off in ten minutes, want about 30", len(putOff))
		}
		for i := 3; i < len(putOff); i++ {
			if pause := putOff[i].Sub(putOff[i-3]); pause < time.Minute {
				t.Errorf("four put off within %v", pause)
			}
		}
	})
}

func TestOnlyWhatCouldBeATokenIsPutOff(t *testing.T) {
	t.Parallel()
	for unknown, want := range map[string]int{
		"":                               401,
		"short":                          401,
		strings.Repeat("a", 15):          401,
		strings.Repeat("a", 16):          503,
		"a token with blanks in it":      401,
		"a-token-with-a.dot-in-it-12345": 401,
		strings.ToUpper(token):           503,
	} {
		synctest.Test(t, func(t *testing.T) {
			_, h := rotating(t, nil)
			if got := with(t, h, unknown); got != want {
				t.Errorf("%q: %d, want %d", unknown, got, want)
			}
		})
	}
}

// A secret that never changes cannot be rotating.
func TestAFixedSecretPutsNothingOff(t *testing.T) {
	t.Parallel()
	h := newHandler(t, &tabletest.Memory{}, credential.Fixed(credential.Secret{Token: token}), nil)
	if got := with(t, h, newToken); got != http.StatusUnauthorized {
		t.Errorf("%d, want 401", got)
	}
}

// The alarm on failures must not count it.
func TestWhatIsPutOffIsLoggedAsThatAndNotAsAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		_, h := rotating(t, &log)
		with(t, h, newToken)
		if got := log.String(); !strings.Contains(got, `"msg":"delivery put off"`) || strings.Contains(got, "ERROR") {
			t.Errorf("log: %s", got)
		}
	})
}
