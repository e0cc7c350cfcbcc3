// Package gobuild builds programs for tests.
//
// The go command keeps the result of a package's tests, and gives it again until something changes that the
// tests read. It notices what the test's own process opens or asks the state of, while the tests run; not
// what "go build" reads, which is another process. So this package asks the state of each file that a program
// is built from. A test has to call it from within, not from TestMain before the tests run.
package gobuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds the program in folder into the file at path, with flags of "go build", and
// variables beside this process's environment.
func Build(ctx context.Context, folder, path string, env []string, flags ...string) error {
	// First, so that whatever changes meanwhile is not taken for what was built.
	if _, err := Packages(ctx, folder, env, flags...); err != nil {
		return err
	}
	_, err := run(ctx, folder, env, "build", append(flags, "-o", path)...)
	return err
}

// Packages returns the import paths of all packages that a program links.
func Packages(ctx context.Context, folder string, env []string, flags ...string) ([]string, error) {
	// A package's path; if it is of the main module, its folder and the files that make it too. A file that is
	// ignored is not once its build tags are others.
	const packages = "{{.ImportPath}}{{if and .Module .Module.Main}}" +
		"\t{{.Dir}}\t{{.Module.GoMod}}{{range .GoFiles}}\t{{.}}{{end}}{{range .CgoFiles}}\t{{.}}{{end}}{{range .SFiles}}\t{{.}}{{end}}" +
		"{{range .IgnoredGoFiles}}\t{{.}}{{end}}{{range .EmbedFiles}}\t{{.}}{{end}}{{end}}"
	listed, err := run(ctx, folder, env, "list", append(flags, "-deps", "-f", packages)...)
	if err != nil {
		return nil, err
	}
	var paths []string
	for line := range strings.Lines(listed) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		paths = append(paths, fields[0])
		if len(fields) > 1 {
			notice(fields[1], fields[2], fields[3:])
		}
	}
	return paths, nil
}

// notice asks the state of a package's folder, its module's files and its own. What is amiss, building says.
func notice(folder, module string, files []string) {
	_, _ = os.Stat(folder) // changes when a file comes or goes
	_, _ = os.Stat(module)
	_, _ = os.Stat(strings.TrimSuffix(module, ".mod") + ".sum")
	for _, file := range files {
		path := filepath.Join(folder, file)
		_, _ = os.Stat(path)
		// An embedded file can lie further down, where others may come to match the pattern.
		for dir := filepath.Dir(path); dir != folder; dir = filepath.Dir(dir) {
			_, _ = os.Stat(dir)
		}
	}
}

func run(ctx context.Context, folder string, env []string, command string, args ...string) (stdout string, err error) {
	c := exec.CommandContext(ctx, "go", append([]string{command}, args...)...) //nolint:gosec // G204: the arguments are ours
	c.Dir, c.Env = folder, append(os.Environ(), env...)
	output, err := c.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("go %s in %s: %w", command, folder, err)
	}
	return string(output), nil
}
