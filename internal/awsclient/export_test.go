package awsclient

import (
	"crypto/tls"
	"crypto/x509"
)

// AttemptTimeout lets a test add up how long a call can take.
const AttemptTimeout = attemptTimeout

// AWSRoots exports awsRoots.
func AWSRoots(file string) *x509.CertPool { return awsRoots([]string{file + ".none", file}) }

// Trust sets the system's root certificates.
func (c *HTTPClient) Trust(roots *x509.CertPool) {
	c.transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}

// Others reports whether all of the system's root certificates are looked at.
func (c *HTTPClient) Others() bool { return c.others.Load() }
