package local

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ringback/ringback/internal/credential"
)

// SecretFile is the secret's name in the data folder. It has the form of the secret
// on AWS, so that people can add a signing secret; and perhaps JustCall's keys.
const SecretFile = "secret.json"

// ReadSecret reads the secret of a data folder. If the folder has none yet, the
// error wraps [fs.ErrNotExist].
func ReadSecret(folder string) (credential.Secret, error) {
	path := filepath.Join(folder, SecretFile)
	text, err := os.ReadFile(path) //nolint:gosec // G304: the user's own folder
	if err != nil {
		return credential.Secret{}, fmt.Errorf("read secret: %w", err)
	}
	rest, _ := splitKeys(text)
	secret, err := credential.Parse(string(rest))
	if err != nil {
		return credential.Secret{}, fmt.Errorf("%s: %w\nMend it, or delete it to get a new token and with it a new URL", path, err)
	}
	return secret, nil
}

// readOrMakeSecret reads the secret. The first time it makes one, with a random
// token.
func readOrMakeSecret(folder string) (credential.Secret, error) {
	secret, err := ReadSecret(folder)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	secret = credential.Secret{Token: rand.Text()}
	text, err := json.MarshalIndent(secret, "", "  ")
	if err != nil {
		return credential.Secret{}, fmt.Errorf("make secret: %w", err)
	}
	// Write all or nothing: half a secret would stop every later start.
	path := filepath.Join(folder, SecretFile)
	err = os.WriteFile(path+".new", append(text, '\n'), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return credential.Secret{}, fmt.Errorf("make secret: %w", err)
	}
	return secret, nil
}
