package ingest

import "iter"

// Spellings exports spellings.
func (h *Handler) Spellings(r Request, token string) iter.Seq[string] { return h.spellings(r, token) }
