// Package gateway translates between API Gateway's HTTP API (payload format 2.0)
// and package [ingest].
//
// A net/http adapter would split header values at commas, which breaks
// signatures.
package gateway
