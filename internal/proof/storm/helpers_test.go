package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/proof/gobuild"
	storm "github.com/ringback/ringback/internal/proof/storm"
)

const (
	// argsVariable makes the test binary the command itself, with these arguments, one a line.
	argsVariable = "STORM_TEST_ARGS"

	token         = "token-of-the-storm-0123456789"
	signingSecret = "signing-secret-of-the-storm"
)

// built builds the program that the storms play against.
var built func() (path string, err error)

func TestMain(m *testing.M) {
	if args := os.Getenv(argsVariable); args != "" {
		os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		storm.Main()
		return
	}
	folder, err := os.MkdirTemp("", "storm-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = sync.OnceValues(func() (string, error) {
		path := filepath.Join(folder, "ringback")
		return path, gobuild.Build(context.Background(), "../../../cmd/ringback", path, nil, "-ldflags", "-s -w")
	})
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// ringback is the path of the program that the storms play against.
func ringback(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// program is the command itself.
var program = clitest.Program{Name: "storm", Main: storm.Run}
