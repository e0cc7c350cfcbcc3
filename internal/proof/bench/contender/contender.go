// Package contender builds the functions that the benchmark compares, and gives
// each its environment.
package contender

import (
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
	// Script means that it runs in Node.js or Python and starts in tenths of a
	// second, so that there is time for fewer starts.
	Script bool
	// Versions are those of the language and of the libraries from AWS.
	Versions string
	// Size is that of what is deployed, in bytes: a binary, or code and
	// libraries, without the runtime that Lambda itself has.
	Size int64

	command  lambdaruntime.Command
	settings map[string]string // that other functions do not have
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
)

// Names are the contenders in the order in which they are shown.
var Names = []string{Floor, Ringback, Plain, PlainSlim, PlainTuned, Node, Python}

// Errors of [Source.Build].
var (
	ErrUnknown = errors.New("contender: unknown")
	ErrTools   = errors.New("not installed; \"make bench\" does that")
)

// settings are the variables that template.yaml sets for the webhook function. A
// test keeps them true.
//
//go:embed settings.json
var settings []byte

// What every function works on.
const (
	function = "WebhookFunction"
	table    = "events"
	secret   = "arn:aws:secretsmanager:us-east-1:000000000000:secret:benchmark" //nolint:gosec // G101: names one
)

// Command returns how to run the contender against the endpoints of a stand-in.
// The contender inherits nothing from our own environment.
func (c Contender) Command(at standin.Endpoints) lambdaruntime.Command {
	// What Lambda sets for every function, and what the job needs. See
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
	env := map[string]string{
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_DEFAULT_REGION":              "us-east-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_NAME":        "benchmark",
		"AWS_LAMBDA_FUNCTION_VERSION":     "1",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON",
		"AWS_REGION":                      "us-east-1",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               strings.Repeat("local", 160), // about as long as that of a role
		"LANG":                            "en_US.UTF-8",
		"LAMBDA_TASK_ROOT":                c.command.Dir,
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
		"SECRET_ARN":                      secret,
		"TABLE_NAME":                      table,
		"TZ":                              ":UTC",
	}
	switch {
	case at.Roots == nil:
	case c.Script:
		env["NODE_EXTRA_CA_CERTS"], env["AWS_CA_BUNDLE"] = at.Roots.Certificate, at.Roots.Bundle
	default: // as in Amazon Linux, of which Lambda's base image is made
		env["SSL_CERT_FILE"], env["SSL_CERT_DIR"] = at.Roots.Bundle, at.Roots.Directories
	}
	maps.Copy(env, c.settings)
	env["AWS_ENDPOINT_URL_DYNAMODB"], env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = at.Table, at.Secret
	command := c.command
	command.Env = assignments(env)
	return command
}

// Settings returns the variables that only this contender has, as name=value,
// without empty ones, which count as not set.
func (c Contender) Settings() []string {
	own := maps.Clone(c.settings)
	maps.DeleteFunc(own, func(name, value string) bool {
		return value == "" || name == "TABLE_NAME" || name == "SECRET_ARN"
	})
	return assignments(own)
}

func assignments(env map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, name+"="+env[name])
	}
	return all
}

// Source says where contenders are built.
type Source struct {
	// Root is the repository's folder.
	Root string
	// Tools is the folder with node_modules and venv, for Node.js and Python.
	Tools string
	// Folder takes what is built.
	Folder string
}

// Build builds a contender. The error wraps [ErrUnknown] for another name, and
// [ErrTools] where Node.js or Python lacks what it needs.
func (s Source) Build(ctx context.Context, name string) (c Contender, err error) {
	switch name {
	case Floor, Ringback, Plain, PlainSlim, PlainTuned:
		c, err = s.golang(ctx, name)
	case Node:
		c, err = s.node(ctx)
	case Python:
		c, err = s.python(ctx)
	default:
		err = fmt.Errorf("%w; there are %s", ErrUnknown, strings.Join(Names, ", "))
	}
	if err != nil {
		return Contender{}, fmt.Errorf("%s: %w", name, err)
	}
	c.Name = name
	return c, nil
}

// golang builds a Go program with the deployment's flags. It gives plain-tuned
// those of the settings that suit any Go function, so that only the code
// differs between it and ringback, and the floor as many processors.
func (s Source) golang(ctx context.Context, name string) (Contender, error) {
	var template map[string]string
	if err := json.Unmarshal(settings, &template); err != nil {
		return Contender{}, fmt.Errorf("read settings: %w", err)
	}
	folder, binary, own := s.contender(Plain), filepath.Join(s.Folder, name), map[string]string(nil)
	switch name {
	case Floor:
		folder, own = s.contender(Floor), map[string]string{"GOMAXPROCS": template["GOMAXPROCS"]}
	case Ringback:
		folder, own = filepath.Join(s.Root, "functions", "webhook"), template
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
	c.Versions = versions(built, `: (go)(\S+)|dep\tgithub.com/aws/(aws-lambda-go|aws-sdk-go-v2|aws-sdk-go-v2/service/dynamodb)\t(\S+)`)
	c.Size, err = size(binary)
	return c, errors.Join(errBuilt, err)
}

// Executable returns a contender that is one Go binary, with settings of its own.
func Executable(path string, settings map[string]string) Contender {
	return Contender{command: lambdaruntime.Command{Path: path, Dir: filepath.Dir(path)}, settings: settings}
}

// DeployedSize builds the webhook function as "sam build" does, for the
// processor that template.yaml names, and returns the binary's size in bytes.
func (s Source) DeployedSize(ctx context.Context) (int64, error) {
	folder := filepath.Join(s.Folder, "deployed")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return 0, fmt.Errorf("build for Lambda: %w", err)
	}
	if _, err := run(ctx, s.Root, "make", "build-"+function, "ARTIFACTS_DIR="+folder); err != nil {
		return 0, err
	}
	return size(filepath.Join(folder, "bootstrap"))
}

// node bundles the handler into one file, as esbuild does for Lambda.
func (s Source) node(ctx context.Context) (Contender, error) {
	runtime, err := exec.LookPath("node")
	if err != nil {
		return Contender{}, fmt.Errorf("%w: Node.js: %w", ErrTools, err)
	}
	modules := filepath.Join(s.Tools, "node_modules")
	if _, err := os.Stat(modules); err != nil {
		return Contender{}, fmt.Errorf("%w: %w", ErrTools, err)
	}
	code := filepath.Join(s.Folder, Node, "index.mjs")
	if _, err := run(ctx, s.contender(Node), "env", "NODE_PATH="+modules, filepath.Join(modules, ".bin", "esbuild"), "bootstrap.mjs",
		"--bundle", "--minify", "--platform=node", "--target=node20", "--format=esm", "--main-fields=module,main",
		// The SDK's CommonJS parts ask for Node's own modules.
		"--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
		"--log-level=warning", "--outfile="+code); err != nil {
		return Contender{}, err
	}
	return s.script(ctx, lambdaruntime.Command{Path: runtime, Args: []string{code}, Dir: filepath.Dir(code)},
		"node/package.json", `^(v)(\S+)|"(@aws-sdk/.*)": "(.*)"`, code)
}

// python runs the handler and boto3 under AWS's own client of the Runtime API.
func (s Source) python(ctx context.Context) (Contender, error) {
	runtime, folder := filepath.Join(s.Tools, "venv", "bin", "python"), filepath.Join(s.Folder, Python)
	libraries, err := filepath.Glob(filepath.Join(s.Tools, "venv", "lib", "python3*", "site-packages"))
	if err != nil || len(libraries) != 1 {
		return Contender{}, fmt.Errorf("%w: no libraries of one Python in %s", ErrTools, s.Tools)
	}
	// Python writes what it compiles beside the source, so the source is copied.
	if _, err := run(ctx, s.contender(Python), "install", "-D", "-t", folder, "handler.py"); err != nil {
		return Contender{}, err
	}
	return s.script(ctx, lambdaruntime.Command{Path: runtime, Args: []string{"-m", "awslambdaric", "handler.handle"}, Dir: folder},
		"python/requirements.txt", `^(Python) (\S+)|(boto3|awslambdaric)==(.*)`, libraries[0], filepath.Join(folder, "handler.py"))
}

// script returns a contender that consists of some files. A pattern finds the
// versions that another file pins, as in [versions].
func (s Source) script(ctx context.Context, command lambdaruntime.Command, pins, pattern string, files ...string) (Contender, error) {
	version, errVersion := run(ctx, "", command.Path, "--version")
	pinned, errPinned := os.ReadFile(s.contender(pins))
	bytes, err := size(files...)
	return Contender{Script: true, command: command, Size: bytes, Versions: versions(version+"\n"+string(pinned), pattern)},
		errors.Join(errVersion, errPinned, err)
}

// versions lists the names and versions that a pattern's groups find in a text.
func versions(text, pattern string) string {
	var all []string
	for _, groups := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.TrimSpace(strings.Join(groups[1:], " ")))
	}
	return strings.Join(all, ", ")
}

// size returns the size of files and folders as they are deployed: without pip
// and setuptools, and without what Python compiles itself.
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

func (s Source) contender(name string) string {
	return filepath.Join(s.Root, "internal", "proof", "bench", "contenders", name)
}
