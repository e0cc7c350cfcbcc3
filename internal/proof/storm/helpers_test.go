package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/clitest"
	storm "github.com/ringback/ringback/internal/proof/storm"
)

const (
	// argsVariable makes the test binary the command itself, with these arguments, one a line.
	argsVariable = "STORM_TEST_ARGS"

	token         = "token-of-the-storm-0123456789"
	signingSecret = "signing-secret-of-the-storm"
)

// ringback is the path of the program that the storms play against.
var ringback string

func TestMain(m *testing.M) {
	if args := os.Getenv(argsVariable); args != "" {
		os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		storm.Main()
		return
	}
	folder, err := os.MkdirTemp("", "storm-test-")
	if err == nil {
		ringback = filepath.Join(folder, "ringback")
		var printed []byte
		if printed, err = exec.Command("go", "build", "-ldflags", "-s -w", "-o", ringback, "../../../cmd/ringback").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, printed)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// program is the command itself.
var program = clitest.Program{Name: "storm", Main: storm.Run}
