// Package lambdaruntimetest runs the binary of a function for a test.
package lambdaruntimetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// Main builds functions, by the folders of their sources, says where the binaries
// are, and runs the tests. It is the whole of a TestMain, but for [os.Exit]. They
// are built as they are deployed where there is a table to test against, else so
// that they are built faster.
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

// Start runs a binary until the test ends, with what Lambda sets for every
// function, and env, which wins. Whatever it prints is scanned, for the secrets
// as well. The error is that of [lambdaruntime.Start].
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
