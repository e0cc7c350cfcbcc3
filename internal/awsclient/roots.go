package awsclient

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"os"
	"slices"
)

// bundles returns the files in which the system's root certificates may be, as
// crypto/x509 looks for them: those of Amazon Linux and of Debian.
func bundles() []string {
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		return []string{file}
	}
	return []string{"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"}
}

// authorities are in the names of AWS's own. See https://www.amazontrust.com/repository/.
var authorities = [][]byte{[]byte("Amazon Root CA"), []byte("Starfield Services Root")}

// awsRoots returns those of the system's root certificates that are AWS's own, or nil if
// it finds none. To parse all 140 takes a third of a cold start's processor time.
func awsRoots(files []string) (roots *x509.CertPool) {
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // G304: the system's
		if err != nil {
			continue
		}
		const begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
		var certificate []byte
		for block := range bytes.SplitAfterSeq(text, []byte(end)) {
			_, body, _ := bytes.Cut(bytes.TrimSuffix(block, []byte(end)), []byte(begin))
			certificate, err = base64.StdEncoding.AppendDecode(certificate[:0], body) // it skips ends of lines
			if err != nil || !slices.ContainsFunc(authorities, func(name []byte) bool { return bytes.Contains(certificate, name) }) {
				continue
			}
			if roots == nil {
				roots = x509.NewCertPool()
			}
			roots.AppendCertsFromPEM(block)
		}
		break
	}
	return roots
}
