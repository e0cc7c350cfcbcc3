package main

import (
	"context"
	"time"
)

// Exported for tests.
var (
	Main = main
	Run  = run

	NewRoot = newRoot
)

// SigningSecretEnv names the variable that "send --sign" reads.
const SigningSecretEnv = signingSecretEnv

// Address is the pattern of an e-mail address.
var Address = address.String()

// PostTime limits one delivery.
const PostTime = postTime

// PostWithin posts to a URL and waits so long for the answer.
func PostWithin(ctx context.Context, url string, limit time.Duration) error {
	_, err := poster{url: url, now: time.Now, limit: limit}.post(ctx, []byte("{}"))
	return err
}

// ReadUntil reads the time of a snooze.
var ReadUntil = readUntil
