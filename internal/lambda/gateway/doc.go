// Package gateway translates between API Gateway and [ingest]: an HTTP API
// event (payload format 2.0) in, its response out.
//
// It reads the few members that are needed straight from the bytes. A
// net/http adapter in between would split header values at commas, which
// breaks signatures, and would cost more than the work itself.
package gateway
