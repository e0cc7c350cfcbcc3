// Package credential holds what a delivery must show: the token in its path
// and, where one is configured, the secret that signs format B.
//
// In AWS both live in one Secrets Manager secret, as
// {"token": "…", "signing_secret": ""}. After a rotation the previous value
// stays valid for a bounded time, so that what is under way with the old token
// or signature is not refused. On one machine a fixed secret takes its place.
//
// Everything fails closed: without a token nothing starts.
package credential
