package standin

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// newChain returns a certificate for this machine with a chain like that of AWS's
// endpoints: an intermediate authority issued it, and a root issued that one. The
// root's certificate comes back as PEM. One RSA key serves all three.
func newChain() (chain tls.Certificate, root []byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return chain, nil, err
	}
	chain.PrivateKey = key
	var issuer *x509.Certificate
	for i, usage := range []x509.KeyUsage{x509.KeyUsageCertSign, x509.KeyUsageCertSign, x509.KeyUsageDigitalSignature} {
		certificate := &x509.Certificate{
			SerialNumber:          big.NewInt(int64(i + 1)),
			Subject:               pkix.Name{CommonName: fmt.Sprintf("Benchmark %d", i)},
			NotBefore:             time.Unix(0, 0),
			NotAfter:              time.Unix(1<<32, 0),
			KeyUsage:              usage,
			BasicConstraintsValid: true,
			IsCA:                  usage == x509.KeyUsageCertSign,
			SubjectKeyId:          []byte{byte(i)},
			IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		der, err := x509.CreateCertificate(rand.Reader, certificate, cmp.Or(issuer, certificate), key.Public(), key)
		if err != nil {
			return chain, nil, err
		}
		issuer, chain.Certificate = certificate, append([][]byte{der}, chain.Certificate...)
	}
	root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain.Certificate[2]})
	chain.Certificate = chain.Certificate[:2] // A server does not send the root.
	return chain, root, nil
}

// Roots are files of root certificates, as functions read them.
type Roots struct {
	// Certificate is the file with the stand-in's root alone, Bundle the one with
	// the machine's roots as well.
	Certificate, Bundle string
	// Directories has the form of SSL_CERT_DIR: two names of one folder, which
	// holds the bundle in two forms.
	Directories string
	// Count is the number of certificates in the bundle.
	Count int
}

// writeRoots writes the files to an empty folder. The layout is that of the
// ca-certificates package of Amazon Linux and Fedora: /etc/ssl/certs links to
// /etc/pki/tls/certs, which links to both bundles.
func writeRoots(folder string, own []byte) (*Roots, error) {
	certs, link := filepath.Join(folder, "certs"), filepath.Join(folder, "ssl-certs")
	trusted := filepath.Join(folder, "ca-bundle.trust.crt")
	r := &Roots{
		Certificate: filepath.Join(folder, "stand-in.pem"),
		Bundle:      filepath.Join(folder, "tls-ca-bundle.pem"),
		Directories: link + string(filepath.ListSeparator) + certs,
	}
	all := machineRoots() + string(own)
	r.Count = strings.Count(all, "-----BEGIN CERTIFICATE-----")
	return r, errors.Join(
		os.Mkdir(certs, 0o750),
		os.WriteFile(r.Certificate, own, 0o600),
		os.WriteFile(r.Bundle, []byte(all), 0o600),
		os.WriteFile(trusted, []byte(strings.ReplaceAll(all, " CERTIFICATE-", " TRUSTED CERTIFICATE-")), 0o600),
		os.Symlink(certs, link),
		os.Symlink(r.Bundle, filepath.Join(certs, "ca-bundle.crt")),
		os.Symlink(trusted, filepath.Join(certs, "ca-bundle.trust.crt")),
	)
}

func machineRoots() string {
	for _, path := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"} {
		if text, err := os.ReadFile(path); err == nil { //nolint:gosec // G304: one of the above
			return string(text)
		}
	}
	return ""
}
