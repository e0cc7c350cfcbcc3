package local

import "time"

// SetMaxFailed limits how many alerts may wait to be retried.
func (c *Config) SetMaxFailed(n int) { c.maxFailed = n }

// SetCloseTimes sets how long Close waits for alerts to be forwarded, and then for
// them to be printed and marked.
func (c *Config) SetCloseTimes(forward, print time.Duration) {
	c.lastForwardTime, c.lastPrintTime = forward, print
}
