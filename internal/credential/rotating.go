package credential

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/awsclient"
)

const (
	// refreshInterval is the least time between two looks that a miss causes:
	// wrong tokens must not become calls.
	refreshInterval = time.Minute
	// maxAge is how long versions are taken without looking again, so that a
	// token that was rotated away ends everywhere.
	maxAge = 10 * time.Minute
	// lookTime bounds a look that a delivery waits for.
	lookTime = 2 * time.Second
)

// Labels of the two versions that Secrets Manager keeps through a rotation. See
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

// API is Secrets Manager: an [awsclient.Service].
type API interface {
	Call(ctx context.Context, operation string, request []byte) (answer []byte, err error)
}

// Rotating is a source that follows a secret in Secrets Manager. It may be
// used concurrently.
type Rotating struct {
	// Now tells the time; New sets it, tests replace it.
	Now func() time.Time

	client API
	arn    string
	grace  time.Duration

	mu       sync.Mutex
	lookedAt time.Time // last look, successful or not
	lookErr  error     // why the last look failed
	versions versions
}

// versions is what one look found.
type versions struct {
	current, previous Secret
	previousUntil     time.Time
	// previousUnusable is true where there is a previous version that is no
	// secret of ours; previous is then empty.
	previousUnusable bool
}

// New returns a source for the secret of that ARN, read once. The previous
// version stays valid for grace after a rotation. The error wraps
// [ErrUnavailable] or [ErrSecret].
func New(ctx context.Context, client API, arn string, grace time.Duration) (*Rotating, error) {
	r := &Rotating{Now: time.Now, client: client, arn: arn, grace: grace}
	r.lookedAt = r.Now()
	var err error
	if r.versions, err = r.look(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Secrets returns the versions that are valid now. When the last look is ten
// minutes old it looks again; if that fails, what is known stays valid.
func (r *Rotating) Secrets(ctx context.Context) Secrets {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Now().Sub(r.lookedAt) >= maxAge {
		r.lookAgain(ctx)
	}
	return r.valid()
}

// Refresh looks again, at most once a minute, for a caller whose token or
// signature matched none of [Rotating.Secrets]. It returns nil if it is too
// early to look. If the last look failed, it returns why, wrapping
// [ErrUnavailable] or [ErrSecret]: then nobody can say whether the caller was
// wrong.
func (r *Rotating) Refresh(ctx context.Context) (Secrets, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	early := r.Now().Sub(r.lookedAt) < refreshInterval
	if !early {
		r.lookAgain(ctx)
	}
	if early || r.lookErr != nil {
		return nil, r.lookErr
	}
	return r.valid(), nil
}

// lookAgain takes over what a look finds. If it fails, what is known stays.
func (r *Rotating) lookAgain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	before, known := r.lookedAt, r.versions
	r.lookedAt = r.Now()
	found, err := r.look(ctx)
	if r.lookErr = err; err != nil {
		return
	}
	replaced := found.current != known.current
	switch {
	case replaced && found.previousUnusable,
		replaced && found.previous == known.current && found.previousUntil.Before(before.Add(r.grace)):
		// Either a slip came between the version that we know and the current
		// one, or both are older than this rotation: labels were moved onto
		// versions made before. The grace begins when we see it.
		found.previous, found.previousUntil = known.current, r.lookedAt.Add(r.grace)
	case !replaced && found.previousUnusable:
		found.previous, found.previousUntil = known.previous, known.previousUntil
	case !replaced && found.previous == known.previous && known.previousUntil.After(found.previousUntil):
		found.previousUntil = known.previousUntil
	}
	r.versions = found
}

func (r *Rotating) valid() Secrets {
	secrets := Secrets{r.versions.current}
	if r.versions.previous.Token != "" && r.Now().Before(r.versions.previousUntil) {
		secrets = append(secrets, r.versions.previous)
	}
	return secrets
}

// look reads both versions side by side.
func (r *Rotating) look(ctx context.Context) (versions, error) {
	var (
		found                   versions
		currentSince, prevSince time.Time
		currentErr, prevErr     error
		waitForPrevious         sync.WaitGroup
	)
	waitForPrevious.Go(func() {
		found.previous, prevSince, prevErr = r.version(ctx, stagePrevious)
	})
	found.current, currentSince, currentErr = r.version(ctx, stageCurrent)
	waitForPrevious.Wait()

	if currentErr != nil {
		return versions{}, currentErr
	}
	var answer *awsclient.Answer
	switch {
	case errors.As(prevErr, &answer) && answer.Code == "ResourceNotFoundException":
		// Never rotated.
	case errors.Is(prevErr, ErrSecret):
		found.previousUnusable = true
	case prevErr != nil:
		return versions{}, prevErr
	}
	// The younger version was made for the rotation, as far as one look can
	// tell.
	rotated := currentSince
	if prevSince.After(rotated) {
		rotated = prevSince
	}
	found.previousUntil = rotated.Add(r.grace)
	return found, nil
}

func (r *Rotating) version(ctx context.Context, stage string) (Secret, time.Time, error) {
	request, err := jsontext.AppendQuote([]byte(`{"SecretId":`), r.arn)
	if err != nil {
		return Secret{}, time.Time{}, fmt.Errorf("%w: ARN: %w", ErrUnavailable, err)
	}
	request = append(request, `,"VersionStage":"`+stage+`"}`...)
	answer, err := r.client.Call(ctx, "GetSecretValue", request)
	if err != nil {
		return Secret{}, time.Time{}, fmt.Errorf("%w: %s: %w", ErrUnavailable, stage, err)
	}
	secret, err := Parse(awsclient.Text(answer, "SecretString"))
	if err != nil {
		return Secret{}, time.Time{}, fmt.Errorf("%s: %w", stage, err)
	}
	// Seconds since 1970, with a fraction.
	since, err := strconv.ParseFloat(string(awsclient.Member(answer, "CreatedDate")), 64)
	if err != nil {
		return Secret{}, time.Time{}, fmt.Errorf("%w: %s: no date of creation", ErrUnavailable, stage)
	}
	return secret, time.UnixMilli(int64(since * 1000)), nil
}
