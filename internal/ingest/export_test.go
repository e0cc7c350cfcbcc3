package ingest

import "iter"

// TokenIn exports tokenIn.
func TokenIn(path string) (token string, ok bool) { return tokenIn(path) }

// Spellings exports spellings.
func (h *Handler) Spellings(r Request, token string) iter.Seq[string] { return h.spellings(r, token) }
