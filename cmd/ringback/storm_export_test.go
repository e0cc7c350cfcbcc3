package main

import (
	"io"
	"time"
)

// ShowProgress is exported for tests.
func ShowProgress(to io.Writer, n int, every time.Duration) (add, end func()) {
	p := showProgress(to, n, every)
	return p.add, p.end
}
