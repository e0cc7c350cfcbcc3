// Package lambdaruntimetest runs the binary of a function for a test.
package lambdaruntimetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// Main builds functions, stores the paths of their binaries, and runs the tests. It
// is a whole TestMain except for [os.Exit]. The map's keys are the folders of the
// sources. If there is a table to test against, the functions are built as for
// deployment, else in the way that builds faster.
func Main(m *testing.M, binaries map[string]*string) (code int) {
	folder, err := os.MkdirTemp("", "functions")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	release := os.Getenv(tabletest.EndpointVariable) != ""
	for source, binary := range binaries {
		*binary = filepath.Join(folder, fmt.Sprint("bootstrap-", filepath.Base(source)))
		if err := lambdaruntime.Build(context.Background(), source, *binary, release); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

// Start runs a binary until the test ends. Its environment is what Lambda sets for
// every function, and env, which wins. Its output is scanned, also for the secrets.
// The error is [lambdaruntime.Start]'s.
func Start(t testing.TB, binary string, env map[string]string, secrets ...string) (*lambdaruntime.Process, error) {
	t.Helper()
	all := map[string]string{
		"AWS_ACCESS_KEY_ID":     "local",
		"AWS_LAMBDA_LOG_FORMAT": "JSON",
		"AWS_REGION":            "us-east-1",
		"AWS_SECRET_ACCESS_KEY": "local",
	}
	maps.Copy(all, env)
	command := lambdaruntime.Command{Path: binary}
	for name, value := range all {
		command.Env = append(command.Env, name+"="+value)
	}
	process, err := lambdaruntime.Start(t.Context(), command)
	var refused *lambdaruntime.InitError
	switch {
	case err == nil:
		logscan.Watch(t, process.Logs, secrets...)
		t.Cleanup(func() { process.Kill() })
	case errors.As(err, &refused):
		logscan.Check(t, refused.Logs, secrets...)
	}
	return process, err
}

// Refuses starts a binary as [Start] does, and expects it to refuse, with each of want in
// what it logs. It fails the test otherwise.
func Refuses(t testing.TB, binary string, env map[string]string, want ...string) {
	t.Helper()
	_, err := Start(t, binary, env)
	var refused *lambdaruntime.InitError
	if !errors.As(err, &refused) {
		t.Fatalf("started, or failed otherwise: %v", err)
	}
	logs := strings.ReplaceAll(refused.Logs, `\"`, `"`)
	for _, text := range want {
		if !strings.Contains(logs, text) {
			t.Errorf("does not say %q: %s", text, logs)
		}
	}
}
