package awsclient

import (
	"crypto/x509"
	"time"
)

// AttemptTimeout lets a test add up how long a call can take.
const (
	AttemptTimeout = attemptTimeout
	IdleTimeout    = idleTimeout
)

// AWSRoots exports awsRoots.
func AWSRoots(file string) *x509.CertPool { return awsRoots([]string{file + ".none", file}) }

// Name is the service's name in a signature.
func (s ServiceSpec) Name() string { return s.name }

// Trust sets the system's root certificates.
func (c *HTTPClient) Trust(roots *x509.CertPool) { c.roots = roots }

// TrustAll makes the client look at all of the system's root certificates.
func (c *HTTPClient) TrustAll() { c.others.Store(true) }

// Others reports whether all of the system's root certificates are looked at.
func (c *HTTPClient) Others() bool { return c.others.Load() }

// SetClock replaces the clock.
func (c *HTTPClient) SetClock(now func() time.Time) { c.now = now }

// CloseIdle closes the connections that nobody uses.
func (c *HTTPClient) CloseIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, all := range c.idle {
		for _, conn := range all {
			_ = conn.Close()
		}
	}
	clear(c.idle)
}

// Idle returns the number of connections that nobody uses.
func (c *HTTPClient) Idle() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, all := range c.idle {
		n += len(all)
	}
	return n
}
