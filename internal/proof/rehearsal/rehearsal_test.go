package main_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	rehearsal "github.com/ringback/ringback/internal/proof/rehearsal"
)

// pidFile names the file in which this program, run as the emulator, writes its process id. Without an address it ends.
const pidFile = "RINGBACK_TEST_EMULATOR"

func TestMain(m *testing.M) {
	file := os.Getenv(pidFile)
	if file == "" {
		os.Exit(m.Run())
	}
	if len(os.Args) < 3 || os.Args[1] != "--addr" {
		_, _ = io.WriteString(os.Stdout, "fakecloud 0.51.0\n")
		return
	}
	if strings.HasPrefix(file, "broken") {
		_, _ = io.WriteString(os.Stderr, "as asked for by the test\n")
		os.Exit(3)
	}
	_ = os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o600)
	http.HandleFunc("/_fakecloud/health", func(http.ResponseWriter, *http.Request) {})
	_ = (&http.Server{Addr: os.Args[2], ReadHeaderTimeout: time.Minute}).ListenAndServe()
	os.Exit(4)
}

// served runs the program with this one for its emulator, and ends it once something is printed.
func served(t *testing.T) (out, errOut string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	there := script(t, "exit 0")
	temporary, err := os.MkdirTemp("", "rb") //nolint:usetesting // t.TempDir is longer than a socket's path may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temporary) })
	t.Setenv("TMPDIR", temporary) // what a failed rehearsal keeps
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	printed, printing := io.Pipe()
	text := make(chan string)
	go func() {
		line := make([]byte, 1000)
		n, _ := printed.Read(line)
		cancel()
		text <- string(line[:n])
	}()
	var errs bytes.Buffer
	args := []string{"--serve", "--fakecloud", self, "--fakecloud-version", "0.51.0", "--sam", there, "--ringback", there, "--addr", address}
	code = rehearsal.Run(ctx, args, printing, &errs)
	_ = printing.Close()
	return <-text, errs.String(), code
}

func TestTheEmulatorEndsWithTheRehearsal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	t.Setenv(pidFile, file)
	t.Setenv("AWS_PROFILE", "somebody's")
	out, errOut, code := served(t)
	if code != 0 || !strings.Contains(out, "answers on 127.0.0.1:") {
		t.Errorf("it ended with %d, and printed %q and %q", code, out, errOut)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if alive(t, file) {
		t.Error("the emulator still runs")
	}
	if profile, ok := os.LookupEnv("AWS_PROFILE"); ok {
		t.Errorf("AWS_PROFILE is still %q: what is started here could reach an account", profile)
	}
}

func TestAnEmulatorThatDoesNotStartIsQuoted(t *testing.T) {
	t.Setenv(pidFile, "broken")
	_, errOut, code := served(t)
	if code != 1 || !strings.Contains(errOut, "exit status 3\nas asked for by the test") {
		t.Errorf("it ended with %d and printed %q", code, errOut)
	}
}

// script makes a program that the shell runs.
func script(t *testing.T, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no shell")
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil { //nolint:gosec // G306: it is a program
		t.Fatal(err)
	}
	return path
}

func TestWhatIsMissingIsSaidWithWhatToDo(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	there, emulator := script(t, "exit 0"), script(t, "echo fakecloud 0.51.0")
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, tc := range []struct{ name, flag, value, want string }{
		{"no emulator", "--fakecloud", nowhere, `"make rehearse" installs it`},
		{"an emulator that does not run", "--fakecloud", script(t, "exit 1"), "--version: exit status 1"},
		{"another version", "--fakecloud", script(t, "echo fakecloud 0.50.0"), `is version "0.50.0", and this rehearsal knows 0.51.0: delete it`},
		{"no SAM", "--sam", nowhere, `"make .tools/venv/installed" makes it`},
		{"no ringback", "--ringback", nowhere, `"make build" makes it`},
		{"a port in use", "--addr", taken.Addr().String(), "give another --addr"},
		{"every address of the machine", "--addr", "0.0.0.0:4566", "an address of this machine only"},
		{"a name", "--addr", "localhost:4566", "an address of this machine only"},
		{"no port", "--addr", "127.0.0.1", "an address of this machine only"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			args := []string{
				"--fakecloud", emulator, "--fakecloud-version", "0.51.0", "--sam", there, "--ringback", there, "--addr", "127.0.0.1:0",
				tc.flag, tc.value, // the last counts
			}
			var out, errOut bytes.Buffer
			if code := rehearsal.Run(t.Context(), args, &out, &errOut); code != 1 || !strings.Contains(errOut.String(), tc.want) {
				t.Errorf("it ended with %d and printed %q, without %q", code, errOut.String(), tc.want)
			}
		})
	}
}

// alive reports whether a process with that id, read from a file, is there.
func alive(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return false
	}
	state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !strings.Contains(string(state), ") Z ")
}

func TestAProgramEndsWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc")
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "pid")
	program := script(t, "sleep 600 & echo $! > "+file+".new; echo begun; mv "+file+".new "+file+"; wait")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := rehearsal.Command(ctx, folder, nil, program, "argument")
		ended <- err
	}()
	for !alive(t, file) {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a program that was ended is taken to have done its work")
	}
	for alive(t, file) {
		time.Sleep(5 * time.Millisecond)
	}
	if log, err := os.ReadFile(filepath.Join(folder, "program.log")); err != nil || !strings.Contains(string(log), "argument\nbegun\n") {
		t.Errorf("the log is %q, %v", log, err)
	}
}
