package credential_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/credential"
)

const (
	arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ringback-AbCdEf"
	grace = 72 * time.Hour
)

// client is a fake Secrets Manager.
type client struct {
	get func(ctx context.Context, stage string) (*version, error)
}

func (c client) Call(ctx context.Context, operation string, request []byte) ([]byte, error) {
	var asked map[string]string
	if err := json.Unmarshal(request, &asked); err != nil || operation != "GetSecretValue" || asked["SecretId"] != arn {
		return nil, errors.New("asked for something else")
	}
	found, err := c.get(ctx, asked["VersionStage"])
	if err != nil {
		return nil, err
	}
	return found.answer(), nil
}

// api is a fake Secrets Manager that responds by staging label.
type api func(stage string) ([]byte, error)

func (a api) Call(_ context.Context, _ string, request []byte) ([]byte, error) {
	if bytes.Contains(request, []byte(`"AWSCURRENT"`)) {
		return a("AWSCURRENT")
	}
	return a("AWSPREVIOUS")
}

// vault is a secret that can be rotated. A nil version does not exist.
type vault struct {
	mu                sync.Mutex
	current, previous *version
	down              error // returned instead, if set
	reads             int   // of AWSCURRENT
}

type version struct {
	text    string
	created time.Time
}

// answer is Secrets Manager's response.
func (v *version) answer() []byte {
	text, _ := jsontext.AppendQuote(nil, v.text)
	return fmt.Appendf(nil, `{"ARN":%q,"CreatedDate":%s,"Name":"ringback","SecretString":%s,"VersionStages":[]}`,
		arn, strconv.FormatFloat(float64(v.created.UnixMilli())/1000, 'E', -1, 64), text)
}

// answered is an error response of Secrets Manager.
func answered(code string) error {
	return &awsclient.APIError{Code: code, StatusCode: http.StatusBadRequest}
}

func token(t string) string { return `{"token":"` + t + `","signing_secret":""}` }

func (v *vault) client() client {
	return client{func(_ context.Context, stage string) (*version, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		found := v.previous
		if stage == "AWSCURRENT" {
			v.reads++
			found = v.current
		}
		switch {
		case v.down != nil:
			return nil, v.down
		case found == nil:
			return nil, answered("ResourceNotFoundException")
		}
		return found, nil
	}}
}

// rotate creates a new current version; the current one becomes the previous.
func (v *vault) rotate(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.previous, v.current = v.current, &version{text, time.Now()}
}

// rotateBack swaps the labels and creates no version.
func (v *vault) rotateBack() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.previous, v.current = v.current, v.previous
}

func (v *vault) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.down = err
}

func (v *vault) readCount() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reads
}

func newSource(t *testing.T, v *vault) *credential.Rotating {
	t.Helper()
	source, err := credential.New(t.Context(), v.client(), arn, grace)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func tokens(secrets credential.Secrets) []string {
	var all []string
	for _, s := range secrets {
		all = append(all, s.Token)
	}
	return all
}

func wantTokens(t *testing.T, source *credential.Rotating, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, tokens(source.Secrets(t.Context()))); diff != "" {
		t.Errorf("valid tokens (-want +got):\n%s", diff)
	}
}

var errDown = errors.New("no route to host")

func TestNewReadsBothVersionsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{previous: &version{token(previous), time.Now().Add(-time.Hour)}, current: &version{token(current), time.Now()}}
		source := newSource(t, v)
		for range 100 {
			wantTokens(t, source, current, previous)
		}
		if v.readCount() != 1 {
			t.Errorf("%d reads, want 1", v.readCount())
		}
	})
}

func TestPromise6_NewFailsClosed(t *testing.T) {
	t.Parallel()
	denied := answered("DecryptionFailure")
	ok := &version{token(current), time.Now()}
	for _, tc := range []struct {
		name  string
		vault *vault
		want  error
	}{
		{"no secret at all", &vault{}, credential.ErrUnavailable},
		{"a previous version only", &vault{previous: ok}, credential.ErrUnavailable},
		{"nothing can be read", &vault{current: ok, down: denied}, credential.ErrUnavailable},
		{"an empty secret", &vault{current: &version{"", time.Now()}}, credential.ErrSecret},
		{"an empty token", &vault{current: &version{token(""), time.Now()}}, credential.ErrSecret},
		{"an empty token beside a good previous version", &vault{current: &version{token(""), time.Now()}, previous: ok}, credential.ErrSecret},
		{"a token that is too short", &vault{current: &version{token("short"), time.Now()}}, credential.ErrSecret},
		{"not JSON", &vault{current: &version{current, time.Now()}}, credential.ErrSecret},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			source, err := credential.New(t.Context(), tc.vault.client(), arn, grace)
			if !errors.Is(err, tc.want) {
				t.Errorf("New: got error %v, want %v", err, tc.want)
			}
			if source != nil {
				t.Error("a source beside an error")
			}
		})
	}
}

func TestNewFailsIfThePreviousVersionCannotBeRead(t *testing.T) {
	t.Parallel()
	broken := client{func(_ context.Context, stage string) (*version, error) {
		if stage == "AWSPREVIOUS" {
			return nil, errDown
		}
		return &version{token(current), time.Now()}, nil
	}}
	if _, err := credential.New(t.Context(), broken, arn, grace); !errors.Is(err, credential.ErrUnavailable) || !errors.Is(err, errDown) {
		t.Errorf("New: got error %v, want ErrUnavailable and its cause", err)
	}
}

func TestNewFailsOnABinarySecret(t *testing.T) {
	t.Parallel()
	binary := api(func(string) ([]byte, error) {
		return []byte(`{"SecretBinary":"e30=","CreatedDate":1.7E9}`), nil
	})
	if _, err := credential.New(t.Context(), binary, arn, grace); !errors.Is(err, credential.ErrSecret) {
		t.Errorf("New: got error %v, want ErrSecret", err)
	}
}

// Without dates nothing says how long the previous version stays valid.
func TestNewFailsOnAVersionWithoutADate(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"", `,"CreatedDate":null`, `,"CreatedDate":"yesterday"`} {
		undated := api(func(string) ([]byte, error) {
			return []byte(`{"SecretString":"{\"token\":\"` + current + `\"}"` + date + `}`), nil
		})
		if _, err := credential.New(t.Context(), undated, arn, grace); !errors.Is(err, credential.ErrUnavailable) {
			t.Errorf("date %q: got error %v, want ErrUnavailable", date, err)
		}
	}
}

func TestErrorsDoNotCarryTheSecret(t *testing.T) {
	t.Parallel()
	v := &vault{current: &version{`{"token":"too-PRIVATE"}`, time.Now()}}
	_, err := credential.New(t.Context(), v.client(), arn, grace)
	if err == nil || strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("New: got error %v", err)
	}
	if !strings.Contains(err.Error(), "AWSCURRENT") {
		t.Errorf("error %q does not say which version is wrong", err)
	}
}

func TestWithoutAPreviousVersionOnlyTheCurrentOneIsValid(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		previous *version
	}{
		{"never rotated", nil},
		{"the previous version is not JSON", &version{"made by hand", time.Now()}},
		{"the previous version has no token", &version{token(""), time.Now()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := &vault{current: &version{token(current), time.Now()}, previous: tc.previous}
			wantTokens(t, newSource(t, v), current)
		})
	}
}

func TestThePreviousVersionExpiresToTheSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rotated := time.Now()
		v := &vault{previous: &version{token(previous), rotated.Add(-1000 * time.Hour)}, current: &version{token(current), rotated}}
		time.Sleep(grace - time.Second)
		source := newSource(t, v)
		wantTokens(t, source, current, previous)
		time.Sleep(time.Second - time.Nanosecond)
		wantTokens(t, source, current, previous)
		time.Sleep(time.Nanosecond)
		wantTokens(t, source, current)
	})
}

func TestLongAfterARotationNewReturnsTheCurrentVersionOnly(t *testing.T) {
	t.Parallel()
	v := &vault{
		previous: &version{token(previous), time.Now().Add(-2 * grace)},
		current:  &version{token(current), time.Now().Add(-grace)},
	}
	wantTokens(t, newSource(t, v), current)
}

func TestRotatingBackKeepsTheNewerVersionForItsGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token(previous), time.Now().Add(-1000 * time.Hour)}}
		v.rotate(token(current))
		time.Sleep(time.Hour)
		v.rotateBack()
		source := newSource(t, v)
		wantTokens(t, source, previous, current)
		time.Sleep(grace)
		wantTokens(t, source, previous)
	})
}

func TestRefreshReadsAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token(previous), time.Now()}}
		source := newSource(t, v)
		v.rotate(token(current))

		refresh := func(want ...string) {
			t.Helper()
			got, err := source.Refresh(t.Context())
			if early := len(want) == 0; early != errors.Is(err, credential.ErrTooEarly) || !early && err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tokens(got)); diff != "" {
				t.Errorf("Refresh (-want +got):\n%s", diff)
			}
		}
		time.Sleep(time.Minute - time.Nanosecond)
		refresh()
		wantTokens(t, source, previous)
		time.Sleep(time.Nanosecond)
		refresh(current, previous)
		wantTokens(t, source, current, previous)

		for range 1000 {
			refresh()
			time.Sleep(time.Minute/1000 - time.Nanosecond)
		}
		if v.readCount() != 2 {
			t.Errorf("%d reads, want 2", v.readCount())
		}
	})
}

func TestVersionsAreReadAgainAfterTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token(previous), time.Now()}}
		source := newSource(t, v)
		v.rotate(token(current))
		time.Sleep(10*time.Minute - time.Nanosecond)
		wantTokens(t, source, previous)
		if v.readCount() != 1 {
			t.Errorf("%d reads within ten minutes, want 1", v.readCount())
		}
		time.Sleep(time.Nanosecond)
		wantTokens(t, source, current, previous)
		wantTokens(t, source, current, previous)
		if v.readCount() != 2 {
			t.Errorf("%d reads, want 2", v.readCount())
		}
	})
}

func TestALeakedTokenExpiresTenMinutesAfterASecondRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token("leaked-token-0123456789"), time.Now()}}
		source := newSource(t, v)
		v.rotate(token(previous))
		v.rotate(token(current))
		time.Sleep(10 * time.Minute)
		wantTokens(t, source, current, previous)
	})
}

func TestAFailedReadKeepsTheKnownVersions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		breaks func(*vault)
		want   error
	}{
		{"not to be reached", func(v *vault) { v.fail(errDown) }, credential.ErrUnavailable},
		{"the new version is not JSON", func(v *vault) { v.rotate("{") }, credential.ErrSecret},
		{"the new version has no token", func(v *vault) { v.rotate(token("")) }, credential.ErrSecret},
		{"the secret is gone", func(v *vault) { v.fail(answered("ResourceNotFoundException")) }, credential.ErrUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := &vault{current: &version{token(previous), time.Now()}}
				v.rotate(token(current))
				source := newSource(t, v)
				tc.breaks(v)

				time.Sleep(time.Minute)
				if got, err := source.Refresh(t.Context()); !errors.Is(err, tc.want) || got != nil {
					t.Errorf("Refresh: %v, %v, want %v", tokens(got), err, tc.want)
				}
				wantTokens(t, source, current, previous)
				for range 10 {
					time.Sleep(10 * time.Minute)
					wantTokens(t, source, current, previous)
				}
			})
		})
	}
}

func TestAfterAFailureTheNextReadFindsTheNewVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token(previous), time.Now()}}
		source := newSource(t, v)
		v.rotate(token(current))
		v.fail(errDown)
		time.Sleep(time.Minute)
		_, _ = source.Refresh(t.Context())
		v.fail(nil)
		time.Sleep(time.Minute)
		got, err := source.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{current, previous}, tokens(got)); diff != "" {
			t.Errorf("Refresh (-want +got):\n%s", diff)
		}
	})
}

// In the minute after a failed read nothing new is known: an unknown token may be the
// new one. "Too early for another read" is a result only after a successful read.
func TestUntilAReadSucceedsAnUnknownTokenIsNotRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		look func(ctx context.Context, source *credential.Rotating)
	}{
		{"after a miss that could not look", func(ctx context.Context, source *credential.Rotating) {
			time.Sleep(time.Minute)
			_, _ = source.Refresh(ctx)
		}},
		{"after a regular look that failed", func(ctx context.Context, source *credential.Rotating) {
			time.Sleep(10 * time.Minute)
			_ = source.Secrets(ctx)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := &vault{current: &version{token(previous), time.Now()}}
				source := newSource(t, v)
				v.rotate(token(current))
				v.fail(errDown)
				tc.look(t.Context(), source)
				reads := v.readCount()

				for range 3 {
					time.Sleep(time.Second)
					if got, err := source.Refresh(t.Context()); !errors.Is(err, credential.ErrUnavailable) {
						t.Errorf("Refresh: %v, %v, want ErrUnavailable", tokens(got), err)
					}
				}
				if v.readCount() != reads {
					t.Errorf("%d reads within the minute, want none", v.readCount()-reads)
				}
			})
		})
	}
}

func TestAReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		source, err := credential.New(t.Context(), client{func(ctx context.Context, _ string) (*version, error) {
			if hangs.Load() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return &version{token(current), time.Now()}, nil
		}}, arn, grace)
		if err != nil {
			t.Fatal(err)
		}
		hangs.Store(true)
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := source.Refresh(ctx); !errors.Is(err, credential.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Refresh: %v, want ErrUnavailable and DeadlineExceeded", err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want the context's 2s", took)
		}
	})
}

func TestRotatingIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	start := time.Now()
	v := &vault{current: &version{token(current), start}, previous: &version{token(previous), start.Add(-time.Hour)}}
	source := newSource(t, v)
	source.Now = func() time.Time { return start.Add(time.Duration(now.Add(int64(time.Second)))) }

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				secrets := source.Secrets(t.Context())
				if !secrets.Authorize(current) {
					t.Error("the current token is refused")
				}
				if i%20 == 0 {
					v.rotateBack()
					v.rotateBack()
				}
				if fresh, err := source.Refresh(t.Context()); err != nil && !errors.Is(err, credential.ErrTooEarly) || err == nil && !slices.Contains(tokens(fresh), current) {
					t.Errorf("Refresh: %v, %v", tokens(fresh), err)
				}
			}
		})
	}
	all.Wait()
}

// Labels can be moved onto old versions, whose dates do not say when that happened.
func TestMovingLabelsOntoOldVersionsStartsAGracePeriod(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{
			current:  &version{token(current), time.Now().Add(-30 * 24 * time.Hour)},
			previous: &version{token(previous), time.Now().Add(-365 * 24 * time.Hour)},
		}
		source := newSource(t, v)
		time.Sleep(time.Hour)
		v.rotateBack()
		seen := time.Now()
		for _, tc := range []struct {
			after time.Duration
			want  bool
		}{{0, true}, {grace / 2, true}, {grace - time.Nanosecond, true}, {grace, false}} {
			time.Sleep(time.Until(seen.Add(tc.after)))
			secrets := source.Secrets(t.Context())
			if !secrets.Authorize(previous) {
				t.Errorf("%v after: the version that is current again is refused", tc.after)
			}
			if got := secrets.Authorize(current); got != tc.want {
				t.Errorf("%v after: the version in use until then: %v, want %v", tc.after, got, tc.want)
			}
		}
	})
}

func TestAHangingReadTimesOut(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(context.Context, *credential.Rotating) error{
		"a miss": func(ctx context.Context, source *credential.Rotating) error {
			_, err := source.Refresh(ctx)
			return err
		},
		"a regular look": func(ctx context.Context, source *credential.Rotating) error {
			_ = source.Secrets(ctx)
			_, err := source.Refresh(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				hang := false
				v := &vault{current: &version{token(current), time.Now()}}
				answer := v.client()
				source, err := credential.New(t.Context(), client{func(ctx context.Context, stage string) (*version, error) {
					if hang {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					return answer.get(ctx, stage)
				}}, arn, grace)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				hang = true
				began := time.Now()
				if err := look(t.Context(), source); !errors.Is(err, credential.ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable", err)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("a delivery waited %v", took)
				}
			})
		})
	}
}

func TestAnUnusableVersionInBetweenExpiresNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token(previous), time.Now()}}
		source := newSource(t, v)
		time.Sleep(time.Hour)
		v.rotate(`{"token":"` + current + `","signingSecret":"x"}`)
		time.Sleep(time.Hour)
		if !source.Secrets(t.Context()).Authorize(previous) {
			t.Error("the slip ends what was valid")
		}
		v.rotate(token(current))
		time.Sleep(time.Hour)
		for _, tc := range []struct {
			after time.Duration
			want  bool
		}{{0, true}, {time.Hour, true}, {grace, false}} {
			time.Sleep(tc.after)
			secrets := source.Secrets(t.Context())
			if !secrets.Authorize(current) || secrets.Authorize(previous) != tc.want {
				t.Errorf("%v after: current %v, previous %v; want true, %v", tc.after, secrets.Authorize(current), secrets.Authorize(previous), tc.want)
			}
		}
	})
}

// A warm instance must not expire a version before a new instance does.
func TestTheGraceFollowsTheNewestVersionsEvenWithTheSameContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{current: &version{token(previous), time.Now()}}
		source := newSource(t, v)
		v.rotate(token(current))
		time.Sleep(11 * time.Minute)
		_ = source.Secrets(t.Context())
		time.Sleep(grace - time.Hour)
		v.rotate(token(previous))
		v.rotate(token(current))
		time.Sleep(2 * time.Hour)
		if !source.Secrets(t.Context()).Authorize(previous) {
			t.Error("a warm source refuses what a new one takes")
		}
	})
}
