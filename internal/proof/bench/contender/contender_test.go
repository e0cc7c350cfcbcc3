package contender_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/standin"
)

func variable(env []string, name string) string {
	value := ""
	for _, v := range env {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			value = rest
		}
	}
	return value
}

func TestCommand(t *testing.T) {
	t.Setenv("GODEBUG_OF_THE_CALLER", "1")
	roots := &standin.Roots{Bundle: "bundle.pem", Directories: "one:two"}
	// The template names the endpoints too, as empty.
	set := contender.Executable("bootstrap", map[string]string{"SSL_CERT_DIR": "/nonexistent", "AWS_ENDPOINT_URL_DYNAMODB": ""})
	plain := contender.Executable("bootstrap", nil)

	for _, test := range []struct {
		name      string
		contender contender.Contender
		roots     *standin.Roots
		want      map[string]string
	}{
		{"without settings", plain, nil, map[string]string{"SSL_CERT_DIR": "", "SSL_CERT_FILE": ""}},
		{"without settings, over TLS", plain, roots, map[string]string{"SSL_CERT_DIR": "one:two", "SSL_CERT_FILE": "bundle.pem"}},
		{"with settings", set, nil, map[string]string{"SSL_CERT_DIR": "/nonexistent", "SSL_CERT_FILE": ""}},
		{"with settings, over TLS", set, roots, map[string]string{"SSL_CERT_DIR": "/nonexistent", "SSL_CERT_FILE": "bundle.pem"}},
	} {
		env := test.contender.Command(standin.Endpoints{Table: "http://table", Secret: "http://secret", Roots: test.roots}).Env
		test.want["AWS_ENDPOINT_URL_DYNAMODB"] = "http://table"
		test.want["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://secret"
		test.want["GODEBUG_OF_THE_CALLER"] = ""
		got := map[string]string{}
		for name := range test.want {
			got[name] = variable(env, name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		names := make([]string, len(env))
		for i, v := range env {
			names[i], _, _ = strings.Cut(v, "=")
		}
		if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s: a variable is set twice: %v", test.name, names)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c := contender.Executable("bootstrap", map[string]string{"B": "2", "A": "1", "EMPTY": "", "TABLE_NAME": "events", "SECRET_ARN": "arn"})
	if got, want := c.Settings(), "`A=1` `B=2`"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := contender.Executable("bootstrap", map[string]string{"EMPTY": ""}).Settings(); got != "none" {
		t.Errorf("got %s, want none", got)
	}
}

func TestUnknownContender(t *testing.T) {
	t.Parallel()
	_, err := contender.Source("").Build(t.Context(), "java")
	if !errors.Is(err, contender.ErrUnknown) || !strings.Contains(err.Error(), contender.PlainSlim) {
		t.Errorf("got %v, want those that there are", err)
	}
}

func TestWhatIsNotInstalledIsSaid(t *testing.T) {
	t.Parallel()
	source := contender.Source(t.TempDir())
	for _, name := range []string{contender.Node, contender.Python} {
		if _, err := source.Build(t.Context(), name); !errors.Is(err, contender.ErrTools) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWithoutCargoThereIsNoRust(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, name := range []string{contender.Rust, contender.RustTuned} {
		if _, err := contender.Source(t.TempDir()).Build(t.Context(), name); !errors.Is(err, contender.ErrCargo) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
