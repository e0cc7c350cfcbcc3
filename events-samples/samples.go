// Package samples holds JustCall's documented payloads, for programs that have no
// source folder beside them.
package samples

import "embed"

// FS has a file for each documented event, named after its type: call.missed.json.
//
//go:embed *.json
var FS embed.FS
