package container_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/proof/rehearsal/container"
)

// asFunction makes this program the function that the tests run.
const asFunction = "RINGBACK_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) == "" {
		os.Exit(m.Run())
	}
	lambda.Start(func(_ context.Context, name string) (string, error) {
		_, _ = io.WriteString(os.Stderr, "asked for "+name+"\n")
		switch name {
		case "fail":
			return "", errors.New("as asked for")
		case "crash":
			os.Exit(3)
		}
		return os.Getenv(name), nil
	})
}

// engine is one with its command.
type engine struct {
	*container.Engine
	folder string
}

func start(t *testing.T) engine {
	t.Helper()
	folder, err := os.MkdirTemp("", "rb") //nolint:usetesting // t.TempDir is longer than a socket's path may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	e, err := container.Start(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return engine{e, folder}
}

// run runs the command, as the emulator does.
func (e engine) run(t *testing.T, args ...string) (printed string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = container.Run(t.Context(), e.Socket, args, &out, &errOut)
	return strings.TrimSpace(out.String() + errOut.String()), code
}

func (e engine) must(t *testing.T, args ...string) string {
	t.Helper()
	printed, code := e.run(t, args...)
	if code != 0 {
		t.Fatalf("%q ended with %d: %s", args, code, printed)
	}
	return printed
}

// function has the emulator's command lines make a container of this program, and returns its id and address.
func (e engine) function(t *testing.T) (id, address string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	code := t.TempDir()
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(code, "bootstrap"), program, 0o700); err != nil { //nolint:gosec // G306: it is a program
		t.Fatal(err)
	}
	id = e.must(t, "create", "-p", ":8080", "--label", "fakecloud-lambda=echo", "--label", "fakecloud-instance=fakecloud-1",
		"--add-host", "host.docker.internal:172.17.0.1", "-e", "AWS_ENDPOINT_URL=http://host.docker.internal:4566",
		"-e", "QUEUE=http://host.docker.internal:4566/1/q", "-e", "AWS_SESSION_TOKEN", "-e", asFunction+"=1",
		"-e", "AWS_LAMBDA_FUNCTION_TIMEOUT=10", "--tmpfs", "/tmp:rw", "public.ecr.aws/lambda/provided:al2023", "bootstrap")
	e.must(t, "cp", code+"/.", id+":/var/task")
	e.must(t, "cp", code+"/.", id+":/var/runtime")
	e.must(t, "start", id)
	return id, e.must(t, "port", id, "8080")
}

// invoke returns what the function answers.
func invoke(t *testing.T, address, event string) string {
	t.Helper()
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/2015-03-31/functions/function/invocations", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return string(answer)
}

func TestAFunctionRunsAsTheEmulatorAsks(t *testing.T) {
	t.Setenv("AWS_SESSION_TOKEN", "made up")
	e := start(t)
	e.Endpoint = "http://127.0.0.1:1234"
	e.must(t, "info")
	e.must(t, "ps", "-a", "--filter", "label=fakecloud-instance")
	id, address := e.function(t)
	if !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("it listens on %s", address)
	}
	for event, want := range map[string]string{
		"AWS_SESSION_TOKEN": "made up",                   // by its name alone, from the command's environment
		"AWS_ENDPOINT_URL":  "http://127.0.0.1:1234",     // the engine's own
		"QUEUE":             "http://127.0.0.1:4566/1/q", // no container, so this machine
		"HOME":              "",                          // nothing is inherited
	} {
		if got := invoke(t, address, event); got != `"`+want+`"` {
			t.Errorf("%s is %s, want %q", event, got, want)
		}
	}
	if got := e.must(t, "logs", "--tail", "200", id); !strings.Contains(got, "asked for QUEUE") {
		t.Errorf("logs printed %q", got)
	}
	e.must(t, "rm", "-f", id)
	e.must(t, "rm", "-f", id)
	if _, err := http.Get("http://" + address); err == nil { //nolint:noctx // nobody is there
		t.Error("it still listens")
	}
	if kept, err := os.ReadFile(filepath.Join(e.folder, id+"-echo.log")); err != nil || !strings.Contains(string(kept), "asked for QUEUE") {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestAFailureIsTheAnswerAndTheNextEventIsHandled(t *testing.T) {
	t.Parallel()
	e := start(t)
	_, address := e.function(t)
	for _, tc := range []struct{ event, want string }{
		{"fail", `"errorType":"errorString","errorMessage":"as asked for"`},
		{"crash", `"errorType":"Runtime.ExitError"`},
		{"LANG", `"en_US.UTF-8"`},
	} {
		if got := invoke(t, address, tc.event); !strings.Contains(got, tc.want) {
			t.Errorf("%s: the answer is %s, want %s", tc.event, got, tc.want)
		}
	}
}

func TestWhatDockerCouldDoAndThisCannotIsAnError(t *testing.T) {
	t.Parallel()
	e := start(t)
	id := e.must(t, "create", "image")
	for _, args := range [][]string{
		{},
		{"run", "image"},
		{"create", "--privileged", "x", "image"},
		{"create"},
		{"start", "nobody"},
		{"port", id, "8080"},
		{"cp", ".", id + ":/opt"},
		{"cp", "."},
		{"start"},
	} {
		if printed, code := e.run(t, args...); code == 0 || printed == "" {
			t.Errorf("%q ended with %d: %q", args, code, printed)
		}
	}
	if printed, code := (engine{&container.Engine{Socket: filepath.Join(t.TempDir(), "none")}, ""}).run(t, "info"); code == 0 || !strings.Contains(printed, "no engine") {
		t.Errorf("without an engine: %d, %q", code, printed)
	}
}
