package local

// SetMaxWaiting limits how many alerts may wait to be tried again.
func (c *Config) SetMaxWaiting(n int) { c.maxWaiting = n }
