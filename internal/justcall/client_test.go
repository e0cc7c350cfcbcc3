package justcall_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/timing"
)

// inTurn responds to the first requests with these, and then lets JustCall respond.
func inTurn(handlers ...http.Handler) func(*http.Request) http.Handler {
	return func(*http.Request) http.Handler {
		if len(handlers) == 0 {
			return nil
		}
		next := handlers[0]
		handlers = handlers[1:]
		return next
	}
}

const html = "<html><body>We will be back soon</body></html>"

func TestPromise12_WhatMaySucceedLaterIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]http.Handler{
		"429":              justcalltest.Respond(http.StatusTooManyRequests, ""),
		"500":              justcalltest.Respond(http.StatusInternalServerError, "{}"),
		"503 of a proxy":   justcalltest.Respond(http.StatusServiceUnavailable, html),
		"HTML with 200":    justcalltest.Respond(http.StatusOK, html),
		"half an object":   justcalltest.Respond(http.StatusOK, `{"status":"success","data":[{"id":1`),
		"a list":           justcalltest.Respond(http.StatusOK, `[]`),
		"nothing":          justcalltest.Respond(http.StatusOK, ""),
		"no response":      http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		"a reset by peers": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(io.ErrUnexpectedEOF) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := account(t, 1)
				c, err := justcall.New(justcall.Credentials{Key: justcalltest.Key, Secret: justcalltest.Secret}, unlimited, "", failing{justcalltest.Transport{Handler: s}})
				if err != nil {
					t.Fatal(err)
				}
				s.Before = inTurn(first, first)
				got, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
				if err != nil || len(got) != 1 || s.Requests() != 3 {
					t.Errorf("%d rows after %d requests, %v; want 1 after 3", len(got), s.Requests(), err)
				}
			})
		})
	}
}

// failing turns a panic into an error.
type failing struct{ http.RoundTripper }

func (f failing) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	return f.RoundTripper.RoundTrip(r)
}

func TestWhatIsRefusedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		with   http.Handler
		status int
		says   string
	}{
		{"wrong key", justcalltest.Respond(http.StatusUnauthorized, `{"status":"failed","message":"Unauthorized"}`), http.StatusUnauthorized, "copy both again"},
		{"plan without an API", justcalltest.Respond(http.StatusForbidden, `{}`), http.StatusForbidden, "Team plan"},
		{"parameter", justcalltest.Respond(http.StatusBadRequest, `{}`), http.StatusBadRequest, "newest version"},
		{"not there", justcalltest.Respond(http.StatusNotFound, `{}`), http.StatusNotFound, "does not know"},
		{"200 that says otherwise", justcalltest.Respond(http.StatusOK, `{"status":"failed","message":"+12125550123 is not yours"}`), http.StatusOK, "refused"},
		{"moved", redirect("https://elsewhere.example.com/"), http.StatusFound, "redirect"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, c := account(t, 1)
			s.Before = func(*http.Request) http.Handler { return test.with }
			_, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
			failure := (*justcall.Error)(nil)
			if !errors.As(err, &failure) || failure.Status != test.status || failure.Operation != "list calls" {
				t.Fatalf("error %v, want one of status %d", err, test.status)
			}
			if s.Requests() != 1 || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "2125550123") {
				t.Errorf("%d requests, %v; want one, and %q", s.Requests(), err, test.says)
			}
		})
	}
}

func redirect(to string) http.Handler { return http.RedirectHandler(to, http.StatusFound) }

func TestAnAPIThatIsDownEndsInOneClearError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := account(t, 1)
		const id = "0b7e1f66-3f0f-4d5e-9a53-1f2f5c1c9a11"
		s.Before = func(*http.Request) http.Handler {
			return justcalltest.Respond(http.StatusInternalServerError, `{"uuid":"`+id+`"}`)
		}
		began := time.Now()
		_, err := justcall.All(c.Calls(t.Context(), justcall.Cursor{}))
		if err == nil || !strings.Contains(err.Error(), "status.justcall.io") || !strings.Contains(err.Error(), id) {
			t.Errorf("error %v", err)
		}
		if s.Requests() != 5 || time.Since(began) > time.Minute {
			t.Errorf("%d requests in %v, want 5 within a minute", s.Requests(), time.Since(began))
		}
	})
}

// A webhook may have been added although the response says otherwise, or never came.
func TestAChangeIsRepeatedOnlyIfItCannotHaveHappened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := account(t, 0)
		s.Before = inTurn(justcalltest.Respond(http.StatusTooManyRequests, ""), justcalltest.Respond(http.StatusInternalServerError, ""))
		err := c.AddWebhook(t.Context(), events.TypeCallMissed, "https://hooks.example.com/justcall/token")
		failure := (*justcall.Error)(nil)
		if !errors.As(err, &failure) || failure.Status != http.StatusInternalServerError || s.Requests() != 2 {
			t.Errorf("%v after %d requests, want status 500 after 2", err, s.Requests())
		}
		if strings.Contains(err.Error(), "token") {
			t.Errorf("the error holds the token: %v", err)
		}
	})
}

func TestWebhooksAreListedAddedAndRemoved(t *testing.T) {
	t.Parallel()
	s, c := account(t, 0)
	s.AddHook(events.TypeCallMissed, "https://crm.example.com/hook", justcall.WebhookBlacklisted)
	const ours = "https://hooks.example.com/justcall/token"
	if err := c.AddWebhook(t.Context(), events.TypeCallMissed, ours); err != nil {
		t.Fatal(err)
	}
	got, err := c.Webhooks(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if got[0].Status != justcall.WebhookBlacklisted || got[1].Status != justcall.WebhookActive || got[1].URL != ours || got[1].Version != got[1].Latest {
		t.Errorf("webhooks %+v", got)
	}
	if err := c.RemoveWebhook(t.Context(), got[0].ID); err != nil {
		t.Fatal(err)
	}
	if got, err = c.Webhooks(t.Context()); err != nil || len(got) != 1 || got[0].URL != ours {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.RemoveWebhook(t.Context(), "gone"); err == nil {
		t.Error("no error for a webhook that is not there")
	}
}

func TestPromise12_TheLimitsAreSharedWithOthers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		limits  justcall.Limits // of the account's plan
		headers bool
		others  int           // requests that others make with the same key, each minute
		ahead   time.Duration // of JustCall's clock
		resetIn bool
	}{
		{name: "Team", limits: justcall.TeamLimits, headers: true},
		{name: "Team, without headers", limits: justcall.TeamLimits},
		{name: "Business", limits: justcall.Limits{PerHour: 5400, PerMinute: 90}, headers: true},
		{name: "an old plan", limits: justcall.Limits{PerHour: 400, PerMinute: 16}, headers: true},
		{name: "others are busy", limits: justcall.TeamLimits, headers: true, others: 9},
		{name: "others are busy, and the limits are reset in some seconds", limits: justcall.TeamLimits, headers: true, others: 9, resetIn: true},
		{name: "JustCall's clock is a day ahead", limits: justcall.TeamLimits, headers: true, ahead: 24 * time.Hour},
		{name: "JustCall's clock is a day behind", limits: justcall.TeamLimits, headers: true, ahead: -24 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, c := account(t, 0)
				s.Limits, s.NoLimitHeaders, s.ResetIn = test.limits, !test.headers, test.resetIn
				s.Now = func() time.Time { return time.Now().Add(test.ahead) }
				var sent []time.Time
				s.Before = func(*http.Request) http.Handler {
					s.Change(func() { sent = append(sent, time.Now()) })
					return justcalltest.Respond(http.StatusOK, `{"data":[]}`)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var refused atomic.Int64
				if test.others > 0 {
					go func() {
						for ctx.Err() == nil {
							if !get(ctx, s) {
								refused.Add(1)
							}
							timing.Sleep(ctx, time.Minute/time.Duration(test.others))
						}
					}()
				}
				const requests = 1000
				began := time.Now()
				for range requests {
					if _, err := c.Webhooks(ctx); err != nil {
						t.Fatal(err)
					}
				}
				took := time.Since(began)
				cancel()
				if test.others == 0 {
					atMost(t, sent, time.Minute, test.limits.PerMinute*2/3)
					atMost(t, sent, time.Hour, test.limits.PerHour*2/3)
				}
				if refused.Load() > 0 {
					t.Errorf("%d requests of others were refused", refused.Load())
				}
				// At two thirds of the hour's limit, and half as fast if others are busy.
				if most := time.Hour * requests * 3 / time.Duration(test.limits.PerHour); took > most+2*time.Minute {
					t.Errorf("%d requests took %v, want at most %v", requests, took, most)
				}
			})
		})
	}
}

// get makes a request with the account's key, as another program, and reports whether it
// was answered.
func get(ctx context.Context, s *justcalltest.Server) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.justcall.io/v2.1/users", nil)
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", justcalltest.Key+":"+justcalltest.Secret)
	resp, err := justcalltest.Transport{Handler: s}.RoundTrip(req)
	return err != nil || resp.StatusCode == http.StatusOK
}

func atMost(t *testing.T, sent []time.Time, length time.Duration, most int) {
	t.Helper()
	for i, at := range sent {
		if i >= most && at.Sub(sent[i-most]) < length {
			t.Fatalf("%d requests in %v, want at most %d in %v", most+1, at.Sub(sent[i-most]), most, length)
		}
	}
}

func TestARequestThatWouldHaveToWaitTooLongFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := account(t, 0)
		s.Limits = justcall.Limits{PerHour: 3, PerMinute: 3}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		var err error
		for range 5 {
			if _, err = c.Webhooks(ctx); err != nil {
				break
			}
		}
		if !errors.Is(err, justcall.ErrLimit) || time.Since(began) > time.Second {
			t.Errorf("%v after %v, want ErrLimit at once", err, time.Since(began))
		}
		if !strings.Contains(err.Error(), "list webhooks") {
			t.Errorf("the error does not say what failed: %v", err)
		}
	})
}

func TestPromise8_NothingPrintsAKey(t *testing.T) {
	t.Parallel()
	s, c := account(t, 0)
	credentials := justcall.Credentials{Key: justcalltest.Key, Secret: justcalltest.Secret}
	var printed bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&printed, nil))
	logger.Info("credentials", "value", credentials)
	slog.New(slog.NewTextHandler(&printed, nil)).Info("client", "value", c)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&printed, verb+"\n"+verb+"\n", credentials, c)
	}
	for _, with := range []http.Handler{redirect("https://elsewhere.example.com/"), justcalltest.Respond(http.StatusUnauthorized, justcalltest.Key)} {
		s.Before = func(*http.Request) http.Handler { return with }
		_, err := c.Webhooks(t.Context())
		fmt.Fprintln(&printed, err)
	}
	for _, bad := range []justcall.Credentials{
		{Key: justcalltest.Key},
		{Secret: justcalltest.Secret},
		{Key: justcalltest.Key + "\n", Secret: justcalltest.Secret},
		{Key: justcalltest.Key + ":" + justcalltest.Secret, Secret: justcalltest.Secret},
		{Key: justcalltest.Key, Secret: justcalltest.Secret + "é"},
	} {
		_, err := justcall.New(bad, unlimited, "", nil)
		if !errors.Is(err, justcall.ErrCredentials) {
			t.Errorf("error %v, want ErrCredentials", err)
		}
		fmt.Fprintln(&printed, err)
	}
	for _, address := range []string{"https://api.example.com/%zz" + justcalltest.Secret, justcalltest.Secret} {
		_, err := justcall.New(credentials, unlimited, address, nil)
		if err == nil {
			t.Error("no error for what is no URL")
		}
		fmt.Fprintln(&printed, err)
	}
	for _, secret := range []string{justcalltest.Key, justcalltest.Secret} {
		for _, spelled := range []string{secret, fmt.Sprintf("%x", secret)} {
			if strings.Contains(printed.String(), spelled) {
				t.Errorf("a key is printed:\n%s", printed.String())
			}
		}
	}
}

// The header goes to one host only.
func TestPromise8_ARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	s, _ := account(t, 0)
	var paths []string
	s.Before = func(r *http.Request) http.Handler {
		paths = append(paths, r.URL.Path)
		return redirect("https://api.justcall.io/v2.1/elsewhere")
	}
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Webhooks(t.Context()); err == nil || !slices.Equal(paths, []string{"/v2.1/webhooks"}) {
		t.Errorf("requests %v, %v", paths, err)
	}
}
