// Package contender builds the functions that the benchmark compares, and gives
// each its environment.
package contender

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// Contender is a function that can be run.
type Contender struct {
	Name string
	// Constant means that it answers a constant and does not do the job.
	Constant bool
	// Script means that it runs in Node.js or Python.
	Script bool
	// Versions are those of the language and of the libraries from AWS.
	Versions string
	// Size is that of what is deployed, in bytes: a binary, or code and
	// libraries, without the runtime that Lambda itself has.
	Size int64

	command  lambdaruntime.Command
	settings map[string]string // this contender's own variables
	roots    string            // file of root certificates that it reads over HTTP too
}

// The contenders.
const (
	Floor      = "floor"
	Ringback   = "ringback"
	Plain      = "plain"
	PlainSlim  = "plain-slim"
	PlainTuned = "plain-tuned"
	Node       = "node"
	Python     = "python"
	Rust       = "rust"
	RustTuned  = "rust-tuned"
)

// Names lists the contenders in the order of the tables.
var Names = []string{Floor, Ringback, RustTuned, Rust, Plain, PlainSlim, PlainTuned, Node, Python}

// Errors of [Source.Build].
var (
	ErrUnknown = errors.New("unknown contender")
	ErrTools   = errors.New("not installed; \"make bench\" installs it")
	// ErrCargo is for the two of Rust, without which the others can be compared.
	ErrCargo = errors.New("cargo is not installed")
)

// settings holds the variables that template.yaml sets for the webhook function. A
// test keeps them equal.
//
//go:embed settings.json
var settings []byte

// Command returns how to run the contender against the endpoints of a stand-in.
// The contender inherits nothing from our own environment.
func (c Contender) Command(at standin.Endpoints) lambdaruntime.Command {
	// What Lambda sets for every function, and what the job needs. See
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
	env := map[string]string{ //nolint:gosec // G101: none of these is a secret
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_DEFAULT_REGION":              "us-east-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_NAME":        "benchmark",
		"AWS_LAMBDA_FUNCTION_VERSION":     "1",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON",
		"AWS_REGION":                      "us-east-1",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               strings.Repeat("local", 160), // about as long as a role's
		"LANG":                            "en_US.UTF-8",
		"LAMBDA_TASK_ROOT":                c.command.Dir,
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
		"SECRET_ARN":                      "arn:aws:secretsmanager:us-east-1:000000000000:secret:benchmark",
		"TABLE_NAME":                      "events",
		"TZ":                              ":UTC",
	}
	switch {
	case at.Roots == nil && c.roots == "":
	case at.Roots == nil:
		env["SSL_CERT_FILE"] = c.roots
	case c.Script:
		env["NODE_EXTRA_CA_CERTS"], env["AWS_CA_BUNDLE"] = at.Roots.Certificate, at.Roots.Bundle
	default: // as in Amazon Linux, which Lambda's base image is made from
		env["SSL_CERT_FILE"], env["SSL_CERT_DIR"] = at.Roots.Bundle, at.Roots.Directories
	}
	maps.Copy(env, c.settings)
	env["AWS_ENDPOINT_URL_DYNAMODB"], env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = at.Table, at.Secret
	command := c.command
	for _, name := range slices.Sorted(maps.Keys(env)) {
		command.Env = append(command.Env, name+"="+env[name])
	}
	return command
}

// Settings lists the variables that only this contender has. It skips empty ones,
// which count as not set.
func (c Contender) Settings() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c.settings)) {
		if c.settings[name] != "" && name != "TABLE_NAME" && name != "SECRET_ARN" {
			all = append(all, "`"+name+"="+c.settings[name]+"`")
		}
	}
	return cmp.Or(strings.Join(all, " "), "none")
}

// Source is the repository's folder, in which contenders are built.
type Source string

// Certificates returns the folder for the stand-in's certificates.
func (s Source) Certificates() string { return s.Built("certificates") }

// Built returns a path under the folder for what is built.
func (s Source) Built(name string) string { return filepath.Join(string(s), ".build", "bench", name) }

func (s Source) tools() string { return filepath.Join(string(s), ".tools", "bench") }

func (s Source) contender(name string) string {
	return filepath.Join(string(s), "internal", "proof", "bench", "contenders", name)
}

// Build builds a contender. The error wraps [ErrUnknown] for another name,
// [ErrTools] if the libraries for Node.js or Python are missing, and [ErrCargo] if there
// is nothing to build Rust with.
func (s Source) Build(ctx context.Context, name string) (c Contender, err error) {
	if libraries, ok := map[string]string{Node: "node_modules", Python: "venv"}[name]; ok {
		if _, err := os.Stat(filepath.Join(s.tools(), libraries)); err != nil {
			return c, fmt.Errorf("%w: %w", ErrTools, err)
		}
	}
	switch name {
	case Floor, Ringback, Plain, PlainSlim, PlainTuned:
		c, err = s.golang(ctx, name)
	case Node:
		c, err = s.node(ctx)
	case Python:
		c, err = s.python(ctx)
	case Rust, RustTuned:
		c, err = s.rust(ctx, name)
	default:
		err = fmt.Errorf("%w; choose from %s", ErrUnknown, strings.Join(Names, ", "))
	}
	c.Name = name
	return c, err
}

// golang builds a Go program, by default with the deployment's flags. The floor
// gets ringback's GOMAXPROCS, so that both use as many processors. plain-tuned
// gets all settings that suit any Go function: it differs from ringback in code
// alone.
func (s Source) golang(ctx context.Context, name string) (Contender, error) {
	var template map[string]string
	if err := json.Unmarshal(settings, &template); err != nil {
		return Contender{}, fmt.Errorf("read settings: %w", err)
	}
	folder, binary, own := s.contender(Plain), s.Built(name), map[string]string(nil)
	switch name {
	case Floor:
		folder, own = s.contender(Floor), map[string]string{"GOMAXPROCS": template["GOMAXPROCS"]}
	case Ringback:
		folder, own = filepath.Join(string(s), "functions", "webhook"), template
	case PlainTuned:
		own = map[string]string{"GOMAXPROCS": template["GOMAXPROCS"], "SSL_CERT_DIR": template["SSL_CERT_DIR"]}
	}
	var err error
	if name == Plain {
		// No flags, and no cgo: Lambda binaries are mostly built on another system.
		_, err = run(ctx, folder, "env", "CGO_ENABLED=0", "go", "build", "-o", binary, ".")
	} else {
		err = lambdaruntime.Build(ctx, folder, binary, true)
	}
	if err != nil {
		return Contender{}, err
	}
	c := Executable(binary, own)
	c.Constant = name == Floor
	built, errBuilt := run(ctx, "", "go", "version", "-m", binary)
	c.Versions = versions(built)
	c.Size, err = size(binary)
	return c, errors.Join(errBuilt, err)
}

// Executable returns a contender that is one Go binary, with settings of its own.
func Executable(path string, settings map[string]string) Contender {
	return Contender{command: lambdaruntime.Command{Path: path, Dir: filepath.Dir(path)}, settings: settings}
}

// rust builds one of the two binaries of the Rust handler. Cargo keeps what it has
// compiled, which takes ten minutes, apart for each: AWS's library of cryptography is
// built with the variable or without.
func (s Source) rust(ctx context.Context, name string) (Contender, error) {
	if _, err := exec.LookPath("cargo"); err != nil {
		return Contender{}, fmt.Errorf("%w: %w", ErrCargo, err)
	}
	folder, target := s.contender(Rust), filepath.Join(s.tools(), name)
	build := []string{"cargo", "build", "--release", "--quiet", "--bin", name, "--target-dir", target}
	var own map[string]string
	if name == RustTuned {
		// AWS-LC otherwise measures the processor's jitter at each start, for tens of milliseconds, beside the sources
		// of entropy that every machine of Lambda has.
		build = append([]string{"AWS_LC_SYS_NO_JITTER_ENTROPY=1"}, build...)
		own = map[string]string{"SSL_CERT_DIR": "/nonexistent"}
	}
	if _, err := run(ctx, folder, "env", build...); err != nil {
		return Contender{}, err
	}
	c := Executable(filepath.Join(target, "release", name), own)
	c.roots = standin.Bundle(s.Certificates())
	compiler, errCompiler := run(ctx, folder, "rustc", "--version")
	pinned, errPinned := os.ReadFile(filepath.Join(folder, "Cargo.toml")) //nolint:gosec // G304: a file of the repository
	c.Versions = versions(compiler + "\n" + string(pinned))
	bytes, err := size(c.command.Path)
	c.Size = bytes
	return c, errors.Join(errCompiler, errPinned, err)
}

// DeployedSize builds the webhook function as "sam build" does, for the processor
// that template.yaml names. It returns the size of the binary in bytes.
func (s Source) DeployedSize(ctx context.Context) (int64, error) {
	folder := s.Built("deployed")
	if _, err := run(ctx, string(s), "make", "build-WebhookFunction", "ARTIFACTS_DIR="+folder); err != nil {
		return 0, err
	}
	return size(filepath.Join(folder, "bootstrap"))
}

// node bundles the handler and its modules into one file, as esbuild does for
// Lambda.
func (s Source) node(ctx context.Context) (Contender, error) {
	modules, code := filepath.Join(s.tools(), "node_modules"), filepath.Join(s.Built(Node), "index.mjs")
	if _, err := run(ctx, s.contender(Node), "env", "NODE_PATH="+modules, filepath.Join(modules, ".bin", "esbuild"), "bootstrap.mjs",
		"--bundle", "--minify", "--platform=node", "--target=node20", "--format=esm", "--main-fields=module,main",
		// The SDK's CommonJS parts require Node's own modules.
		"--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
		"--log-level=warning", "--outfile="+code); err != nil {
		return Contender{}, err
	}
	return s.script(ctx, Node, "package.json", lambdaruntime.Command{Path: "node", Args: []string{code}, Dir: s.Built(Node)}, code)
}

// python runs the handler under AWS's own client of the Runtime API. It runs a
// copy, since Python writes compiled files beside the source.
func (s Source) python(ctx context.Context) (Contender, error) {
	venv, folder := filepath.Join(s.tools(), "venv"), s.Built(Python)
	if _, err := run(ctx, s.contender(Python), "install", "-D", "-t", folder, "handler.py"); err != nil {
		return Contender{}, err
	}
	command := lambdaruntime.Command{Path: filepath.Join(venv, "bin", "python"), Args: []string{"-m", "awslambdaric", "handler.handle"}, Dir: folder}
	return s.script(ctx, Python, "requirements.txt", command, filepath.Join(venv, "lib"), filepath.Join(folder, "handler.py"))
}

// script returns a contender that consists of files. The file pins has the
// versions of its libraries.
func (s Source) script(ctx context.Context, name, pins string, command lambdaruntime.Command, files ...string) (Contender, error) {
	version, errVersion := run(ctx, "", command.Path, "--version")
	pinned, errPinned := os.ReadFile(filepath.Join(s.contender(name), pins)) //nolint:gosec // G304: a file of the repository
	bytes, err := size(files...)
	return Contender{Script: true, command: command, Size: bytes, Versions: versions(version + "\n" + string(pinned))},
		errors.Join(errVersion, errPinned, err)
}

// version matches a name and a version in what "go version -m", "node --version",
// "python --version" and "rustc --version" print, in package.json, requirements.txt and
// Cargo.toml.
var version = regexp.MustCompile(`: (go)(\S+)|dep\tgithub.com/aws/(aws-lambda-go|aws-sdk-go-v2|aws-sdk-go-v2/service/dynamodb)\t(\S+)` +
	`|^(v)(\S+)|"(@aws-sdk/.*)": "(.*)"|^(Python) (\S+)|(boto3|awslambdaric)==(.*)` +
	`|^(rustc) (\S+)|(lambda_runtime|aws-sdk-dynamodb|tokio) = .*?"=([0-9.]+)"`)

// versions lists the names and versions in a text.
func versions(text string) string {
	var all []string
	for _, groups := range version.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.TrimSpace(strings.Join(groups[1:], " ")))
	}
	return strings.Join(all, ", ")
}

// size returns the size of files and folders as they are deployed, in bytes:
// without pip, setuptools and the files that Python compiles.
func size(paths ...string) (bytes int64, err error) {
	for _, path := range paths {
		err = errors.Join(err, filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := entry.Name()
			if entry.IsDir() && (name == "__pycache__" || strings.HasPrefix(name, "pip") || strings.HasPrefix(name, "setuptools")) {
				return filepath.SkipDir
			}
			info, err := entry.Info()
			if err == nil && !entry.IsDir() {
				bytes += info.Size()
			}
			return err
		}))
	}
	return bytes, err
}

// run runs a program in a folder and returns its output.
func run(ctx context.Context, folder, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the arguments are ours
	command.Dir = folder
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
