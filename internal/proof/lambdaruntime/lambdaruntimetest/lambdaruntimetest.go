// Package lambdaruntimetest runs the binary of a function for a test.
package lambdaruntimetest

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// asFunction makes a test binary the function that it tests.
const asFunction = "LAMBDARUNTIMETEST_FUNCTION"

// path is the binary of the function under test. The first test that asks for it has it built: package gobuild says
// why not earlier.
var path func() (string, error)

// Main runs the tests of a function, whose main it is given. It is a whole TestMain
// except for [os.Exit]. If there is a table to test against, the function is built as for
// deployment. Otherwise the test binary is the function too, because linking another
// takes seconds.
func Main(m *testing.M, function func()) (code int) {
	if os.Getenv(asFunction) != "" {
		function()
		return 0
	}
	return run(m, func(folder string) (string, error) {
		if os.Getenv(tabletest.EndpointVariable) == "" {
			return os.Executable()
		}
		return build(folder, true)
	})
}

// Build is [Main] for a function whose tests need a binary without the tests. It is built as
// for deployment if there is a table to test against, else in the way that builds faster.
func Build(m *testing.M) (code int) {
	return run(m, func(folder string) (string, error) {
		return build(folder, os.Getenv(tabletest.EndpointVariable) != "")
	})
}

func run(m *testing.M, binary func(folder string) (string, error)) (code int) {
	folder, err := os.MkdirTemp("", "functions")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path = sync.OnceValues(func() (string, error) { return binary(folder) })
	return m.Run()
}

func build(folder string, release bool) (string, error) {
	binary := filepath.Join(folder, "bootstrap")
	return binary, lambdaruntime.Build(context.Background(), ".", binary, release)
}

// Path returns the path of the binary of the function under test.
func Path(t testing.TB) string {
	t.Helper()
	binary, err := path()
	if err != nil {
		t.Fatal(err)
	}
	return binary
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
		asFunction:              "1",
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
