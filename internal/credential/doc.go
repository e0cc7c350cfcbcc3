// Package credential holds what a delivery must prove: the token in its path and,
// if configured, the secret that signs format B.
//
// In AWS both are in one Secrets Manager secret, as
// {"token": "…", "signing_secret": ""}. After a rotation the previous version stays
// valid for a bounded time, so that deliveries already under way with the old token
// or signature are accepted. On a single machine a fixed secret takes its place.
//
// Everything fails closed: without a token nothing starts.
package credential
