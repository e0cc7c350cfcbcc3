package standin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Authority is a certificate authority of one run's own, and the stores of root
// certificates that have it in them.
type Authority struct {
	// TLS is how a server that the authority vouches for speaks HTTPS.
	TLS *tls.Config
	// Certificate is the file with the authority's certificate alone.
	Certificate string
	// Bundle is the file with the machine's roots and the authority's.
	Bundle string
	// Directories are what lies beside the bundle where Linux distributions of
	// Lambda's family keep it, in the form of SSL_CERT_DIR: two names of one
	// folder, with the bundle and the same once more with trust rules.
	Directories string
	// Roots is how many certificates the bundle has.
	Roots int
}

// bundles are where systems keep their roots.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
}

const keyBits = 2048

// NewAuthority makes an authority, valid from now for a day, with its files in
// folder.
func NewAuthority(folder string, now time.Time) (*Authority, error) {
	root, rootKey, err := issue(&x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Benchmark root"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil, nil)
	if err != nil {
		return nil, err
	}
	leaf, leafKey, err := issue(&x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "Benchmark"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}, root, rootKey)
	if err != nil {
		return nil, err
	}
	a := &Authority{TLS: &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}},
		NextProtos:   []string{"http/1.1"},
	}}
	return a, a.write(folder, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
}

func issue(template, parent *x509.Certificate, signer *rsa.PrivateKey) (*x509.Certificate, *rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	return certificate, key, nil
}

// write writes the stores. The layout is that of the ca-certificates package of
// Amazon Linux and Fedora: /etc/ssl/certs is a link to /etc/pki/tls/certs, which
// has links to both bundles.
func (a *Authority) write(folder string, root []byte) error {
	extracted, certs, link := filepath.Join(folder, "extracted"), filepath.Join(folder, "certs"), filepath.Join(folder, "ssl-certs")
	a.Certificate = filepath.Join(folder, "authority.pem")
	a.Bundle = filepath.Join(extracted, "tls-ca-bundle.pem")
	a.Directories = link + string(filepath.ListSeparator) + certs
	trusted := filepath.Join(extracted, "ca-bundle.trust.crt")

	all := append(machineRoots(), root...)
	a.Roots = strings.Count(string(all), "-----BEGIN CERTIFICATE-----")
	for _, dir := range []string{extracted, certs} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("make certificate store: %w", err)
		}
	}
	for path, text := range map[string][]byte{
		a.Certificate: root,
		a.Bundle:      all,
		trusted:       []byte(strings.ReplaceAll(string(all), " CERTIFICATE-", " TRUSTED CERTIFICATE-")),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("make certificate store: %w", err)
		}
	}
	for path, target := range map[string]string{
		link:                                  certs,
		filepath.Join(certs, "ca-bundle.crt"): a.Bundle,
		filepath.Join(certs, "ca-bundle.trust.crt"): trusted,
	} {
		if err := os.Symlink(target, path); err != nil {
			return fmt.Errorf("make certificate store: %w", err)
		}
	}
	return nil
}

func machineRoots() []byte {
	for _, path := range bundles {
		if text, err := os.ReadFile(path); err == nil { //nolint:gosec // G304: one of the above
			return text
		}
	}
	return nil
}
