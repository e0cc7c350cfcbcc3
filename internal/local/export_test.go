package local

import (
	"cmp"
	"net/http"
	"time"
)

// SetMaxFailed limits how many alerts may wait to be retried.
func (c *Config) SetMaxFailed(n int) { c.maxFailed = n }

// SetClock sets the clock, and the time between two looks who waits.
func (c *Config) SetClock(now func() time.Time, every time.Duration) {
	c.now, c.remindEvery = now, every
}

// SetCloseTimes sets how long Close waits for alerts to be forwarded, and then for
// them to be printed and marked.
func (c *Config) SetCloseTimes(forward, print time.Duration) {
	c.lastForwardTime, c.lastPrintTime = forward, print
}

// GiveCloseTime has Close wait that long for alerts to be printed and marked, if nothing
// else was set: a busy machine needs more than people want to wait.
func (c *Config) GiveCloseTime(print time.Duration) { c.lastPrintTime = cmp.Or(c.lastPrintTime, print) }

// SetJustCall sets what requests to JustCall go to.
func (c *Config) SetJustCall(transport http.RoundTripper) { c.justCall = transport }
