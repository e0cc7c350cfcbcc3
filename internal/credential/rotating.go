package credential

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/awsclient"
)

const (
	// refreshInterval is the minimum time between two reads that wrong tokens or
	// signatures cause: an attacker must not be able to cause a call for each.
	refreshInterval = time.Minute
	// maxAge is how long versions are used before the secret is read again, so that
	// every instance stops accepting a token that was rotated out.
	maxAge = 10 * time.Minute
	// readTimeout bounds a read that a delivery waits for.
	readTimeout = 2 * time.Second
)

// The staging labels of the two versions that Secrets Manager keeps during a
// rotation. See
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

// Caller calls Secrets Manager; [awsclient.Service] is one.
type Caller interface {
	Call(ctx context.Context, operation string, request []byte) (response []byte, err error)
}

// Rotating follows the rotations of a secret in Secrets Manager. It may be used
// concurrently.
type Rotating struct {
	// Now returns the current time. New sets it; tests replace it.
	Now func() time.Time

	client Caller
	arn    string
	grace  time.Duration

	mu       sync.Mutex
	readAt   time.Time // of the last read, successful or not
	readErr  error     // why the last read failed
	versions versions
}

// versions is the result of one read.
type versions struct {
	current, previous Secret
	previousUntil     time.Time
	// previousUnusable is true if there is a previous version that is not a valid
	// [Secret]; previous is then empty.
	previousUnusable bool
}

// New reads the secret with that ARN. Its previous version stays valid for grace
// after a rotation. The error wraps [ErrUnavailable] or [ErrSecret].
func New(ctx context.Context, client Caller, arn string, grace time.Duration) (*Rotating, error) {
	r := &Rotating{Now: time.Now, client: client, arn: arn, grace: grace}
	r.readAt = r.Now()
	var err error
	if r.versions, err = r.read(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Secrets returns the versions that are valid now. It reads the secret again if the
// last read is ten minutes old; if that fails, the known versions stay valid.
func (r *Rotating) Secrets(ctx context.Context) Secrets {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Now().Sub(r.readAt) >= maxAge {
		r.refresh(ctx)
	}
	return r.valid()
}

// Refresh reads the secret again, at most once a minute, for a caller whose token
// or signature matched none of [Rotating.Secrets]. The error is [ErrTooEarly] if it
// is too early for another read. If the last read failed, it wraps [ErrUnavailable]
// or [ErrSecret]. In both cases the caller's token may be a new one that we do not
// know yet.
func (r *Rotating) Refresh(ctx context.Context) (Secrets, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	early := r.Now().Sub(r.readAt) < refreshInterval
	if !early {
		r.refresh(ctx)
	}
	switch {
	case r.readErr != nil:
		// guard 7 ingest: return nil, nil
		return nil, r.readErr
	case early:
		// guard 7 ingest: return nil, nil
		return nil, ErrTooEarly
	}
	return r.valid(), nil
}

// refresh replaces the known versions by those of a new read, unless it fails.
func (r *Rotating) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	before, known := r.readAt, r.versions
	r.readAt = r.Now()
	found, err := r.read(ctx)
	if r.readErr = err; err != nil {
		// guard 7 ingest: r.versions = found; return
		return
	}
	replaced := found.current != known.current
	switch {
	case replaced && found.previousUnusable,
		replaced && found.previous == known.current && found.previousUntil.Before(before.Add(r.grace)):
		// Either an unusable version was current in between, or the labels were
		// moved onto two older versions, whose dates say nothing about this
		// rotation. The grace period starts now that we see it.
		found.previous, found.previousUntil = known.current, r.readAt.Add(r.grace)
	case !replaced && found.previousUnusable:
		found.previous, found.previousUntil = known.previous, known.previousUntil
	case !replaced && found.previous == known.previous && known.previousUntil.After(found.previousUntil):
		found.previousUntil = known.previousUntil
	}
	r.versions = found
}

func (r *Rotating) valid() Secrets {
	secrets := Secrets{r.versions.current}
	// guard 7 ingest e2e: if r.versions.previous.Token != "" {
	if r.versions.previous.Token != "" && r.Now().Before(r.versions.previousUntil) {
		// guard 7 ingest webhook e2e:
		secrets = append(secrets, r.versions.previous)
	}
	return secrets
}

// read reads both versions, concurrently.
func (r *Rotating) read(ctx context.Context) (versions, error) {
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
	var apiErr *awsclient.APIError
	switch {
	case errors.As(prevErr, &apiErr) && apiErr.Code == "ResourceNotFoundException":
		// Never rotated.
	case errors.Is(prevErr, ErrSecret):
		found.previousUnusable = true
	case prevErr != nil:
		return versions{}, prevErr
	}
	// One read can only assume that the rotation created the newer version.
	rotated := currentSince
	if prevSince.After(rotated) {
		rotated = prevSince
	}
	found.previousUntil = rotated.Add(r.grace)
	return found, nil
}

// getSecretValue is a request for one version of a secret. See
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html.
type getSecretValue struct {
	SecretID     string `json:"SecretId"`
	VersionStage string
}

// secretValue has the members of the response that we read.
type secretValue struct {
	SecretString string
	CreatedDate  float64 // seconds since 1970
}

// Text returns the current text of a secret of any form. The error wraps
// [ErrUnavailable].
func Text(ctx context.Context, client Caller, arn string) (string, error) {
	value, err := readValue(ctx, client, arn, stageCurrent)
	return value.SecretString, err
}

func readValue(ctx context.Context, client Caller, arn, stage string) (secretValue, error) {
	request, err := json.Marshal(getSecretValue{SecretID: arn, VersionStage: stage})
	if err != nil {
		return secretValue{}, fmt.Errorf("%w: ARN: %w", ErrUnavailable, err)
	}
	response, err := client.Call(ctx, "GetSecretValue", request)
	if err != nil {
		return secretValue{}, fmt.Errorf("%w: %s: %w", ErrUnavailable, stage, err)
	}
	var value secretValue
	if err := json.Unmarshal(response, &value); err != nil { // err may quote the secret
		return secretValue{}, fmt.Errorf("%w: %s: unreadable response", ErrUnavailable, stage)
	}
	return value, nil
}

func (r *Rotating) version(ctx context.Context, stage string) (Secret, time.Time, error) {
	value, err := readValue(ctx, r.client, r.arn, stage)
	if err != nil {
		return Secret{}, time.Time{}, err
	}
	secret, err := Parse(value.SecretString)
	switch {
	case err != nil:
		return Secret{}, time.Time{}, fmt.Errorf("%s: %w", stage, err)
	case value.CreatedDate == 0:
		return Secret{}, time.Time{}, fmt.Errorf("%w: %s: no date of creation", ErrUnavailable, stage)
	}
	return secret, time.UnixMilli(int64(value.CreatedDate * 1000)), nil
}
