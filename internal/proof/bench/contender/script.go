package contender

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringback/ringback/internal/proof/bench/standin"
)

// ErrTools says that what Node.js or Python needs is not installed.
var ErrTools = errors.New("not installed; \"make bench\" does that")

// node is one bundled file, as esbuild makes it for Lambda.
func (s Source) node(ctx context.Context) (Contender, error) {
	runtime, err := exec.LookPath("node")
	if err != nil {
		return Contender{}, fmt.Errorf("%w: Node.js: %w", ErrTools, err)
	}
	modules := filepath.Join(s.Tools, "node_modules")
	esbuild := filepath.Join(modules, ".bin", "esbuild")
	if _, err := os.Stat(esbuild); err != nil {
		return Contender{}, fmt.Errorf("%w: %w", ErrTools, err)
	}
	versions, err := nodeVersions(ctx, runtime, filepath.Join(s.contender(Node), "package.json"))
	if err != nil {
		return Contender{}, err
	}
	code := filepath.Join(s.Folder, Node, "index.mjs")
	//nolint:gosec // G204: the arguments are ours
	build := exec.CommandContext(ctx, esbuild, filepath.Join(s.contender(Node), "bootstrap.mjs"),
		"--bundle", "--minify", "--platform=node", "--target=node20", "--format=esm", "--main-fields=module,main",
		// What the SDK still has of CommonJS asks for Node's own modules.
		"--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
		"--log-level=warning", "--outfile="+code)
	build.Env = append(os.Environ(), "NODE_PATH="+modules)
	if output, err := build.CombinedOutput(); err != nil {
		return Contender{}, fmt.Errorf("bundle: %w\n%s", err, output)
	}
	info, err := os.Stat(code)
	if err != nil {
		return Contender{}, fmt.Errorf("size: %w", err)
	}
	return Contender{
		Slow:     true,
		Size:     info.Size(),
		Versions: versions,
		path:     runtime,
		args:     []string{code},
		dir:      filepath.Dir(code),
		trust: func(a *standin.Authority) map[string]string {
			return map[string]string{"NODE_EXTRA_CA_CERTS": a.Certificate}
		},
	}, nil
}

// python is the handler and boto3, under AWS's own client of the Runtime API.
func (s Source) python(ctx context.Context) (Contender, error) {
	const handler = "handler"
	runtime := filepath.Join(s.Tools, "venv", "bin", "python")
	libraries, err := filepath.Glob(filepath.Join(s.Tools, "venv", "lib", "python3*", "site-packages"))
	if err != nil || len(libraries) != 1 {
		return Contender{}, fmt.Errorf("%w: no libraries of one Python in %s", ErrTools, s.Tools)
	}
	code, err := os.ReadFile(filepath.Join(s.contender(Python), handler+".py"))
	if err != nil {
		return Contender{}, fmt.Errorf("read handler: %w", err)
	}
	// Python writes what it has compiled beside the source.
	folder := filepath.Join(s.Folder, Python)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return Contender{}, fmt.Errorf("copy handler: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, handler+".py"), code, 0o600); err != nil { //nolint:gosec // G703: the caller's to choose
		return Contender{}, fmt.Errorf("copy handler: %w", err)
	}
	size, err := librarySize(libraries[0])
	if err != nil {
		return Contender{}, fmt.Errorf("size: %w", err)
	}
	versions, err := pythonVersions(ctx, runtime, filepath.Join(s.contender(Python), "requirements.txt"))
	if err != nil {
		return Contender{}, err
	}
	return Contender{
		Slow:     true,
		Size:     size + int64(len(code)),
		Versions: versions,
		path:     runtime,
		args:     []string{"-m", "awslambdaric", handler + ".handle"},
		dir:      folder,
		trust: func(a *standin.Authority) map[string]string {
			return map[string]string{"AWS_CA_BUNDLE": a.Bundle}
		},
	}, nil
}

// librarySize is the size of what is deployed of a folder of Python libraries:
// without pip and what it brings, and without what Python compiles itself.
func librarySize(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "__pycache__" || strings.HasPrefix(name, "pip") || strings.HasPrefix(name, "setuptools")):
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

func nodeVersions(ctx context.Context, runtime, manifest string) (string, error) {
	text, err := os.ReadFile(manifest) //nolint:gosec // G304: a file of the repository
	if err != nil {
		return "", fmt.Errorf("versions: %w", err)
	}
	var pinned struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(text, &pinned); err != nil {
		return "", fmt.Errorf("versions: %w", err)
	}
	versions, err := output(ctx, runtime, "--version")
	versions = "Node.js " + strings.TrimPrefix(versions, "v")
	for _, name := range slices.Sorted(maps.Keys(pinned.Dependencies)) {
		versions += ", " + name + " " + pinned.Dependencies[name]
	}
	return versions, err
}

func pythonVersions(ctx context.Context, runtime, requirements string) (string, error) {
	text, err := os.ReadFile(requirements) //nolint:gosec // G304: a file of the repository
	if err != nil {
		return "", fmt.Errorf("versions: %w", err)
	}
	versions, err := output(ctx, runtime, "--version")
	for line := range strings.Lines(string(text)) {
		name, version, ok := strings.Cut(strings.TrimSpace(line), "==")
		if ok && (name == "boto3" || name == "awslambdaric") {
			versions += ", " + name + " " + version
		}
	}
	return versions, err
}

func output(ctx context.Context, program string, args ...string) (string, error) {
	text, err := exec.CommandContext(ctx, program, args...).Output() //nolint:gosec // G204: the arguments are ours
	if err != nil {
		return "", fmt.Errorf("versions: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
