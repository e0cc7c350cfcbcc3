package template_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/tabletest"
)

// SAM does not tell the Makefile which processor the functions are deployed for.
func TestFunctionsAreBuiltForTheProcessorTheyRunOn(t *testing.T) {
	t.Parallel()
	root := filepath.Dir(tabletest.TemplatePath(t))
	// What only make reads, the go command does not notice.
	if _, err := os.Stat(filepath.Join(root, "Makefile")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, environment, want string
	}{
		{"the template's default", "", "GOARCH=arm64 "},
		{"as the environment says", "ARCHITECTURE=x86_64", "GOARCH=amd64 "},
		{"one that Lambda does not have", "ARCHITECTURE=amd64", "neither arm64 nor x86_64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := exec.CommandContext(t.Context(), "make", "--dry-run", "build-WebhookFunction")
			c.Dir = root
			for _, variable := range os.Environ() {
				if name, _, _ := strings.Cut(variable, "="); name != "ARCHITECTURE" && !strings.HasPrefix(name, "MAKE") && name != "MFLAGS" {
					c.Env = append(c.Env, variable)
				}
			}
			c.Env = append(c.Env, "ARTIFACTS_DIR=.", tc.environment)
			output, _ := c.CombinedOutput()
			if !strings.Contains(string(output), tc.want) {
				t.Errorf("make printed\n%s\nwithout %q", output, tc.want)
			}
		})
	}
}
