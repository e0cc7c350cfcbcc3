package contender

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// floor is aws-lambda-go answering a constant, with the deployment's flags, and
// on as many processors as template.yaml says.
func (s Source) floor(ctx context.Context) (Contender, error) {
	settings, err := s.settings(processors)
	if err != nil {
		return Contender{}, err
	}
	c, err := s.deployed(ctx, s.contender(Floor), Floor)
	c.Constant, c.own = true, settings
	return c, err
}

// The settings that any Go function can have.
const (
	processors  = "GOMAXPROCS"
	directories = "SSL_CERT_DIR"
)

// settings returns what template.yaml has of the variables of those names.
func (s Source) settings(names ...string) (map[string]string, error) {
	template, err := s.template()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, name := range names {
		if value, ok := template[name]; ok {
			settings[name] = value
		}
	}
	return settings, nil
}

// ringback is functions/webhook, with the deployment's flags and environment.
func (s Source) ringback(ctx context.Context) (Contender, error) {
	template, err := s.template()
	if err != nil {
		return Contender{}, err
	}
	c, err := s.deployed(ctx, filepath.Join(s.Root, "functions", "webhook"), Ringback)
	c.own = template
	return c, err
}

// plain is an ordinary handler as "sam build" builds one, with no flags and no
// settings.
func (s Source) plain(ctx context.Context) (Contender, error) {
	binary := filepath.Join(s.Folder, Plain)
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".") //nolint:gosec // G204: the arguments are ours
	// For Lambda one builds on another processor or system most of the time,
	// where there is no cgo.
	build.Dir, build.Env = s.contender(Plain), append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return Contender{}, fmt.Errorf("build: %w\n%s", err, output)
	}
	return binaryContender(binary)
}

// plainSlim is the same handler with the deployment's flags, so that one sees
// what they give.
func (s Source) plainSlim(ctx context.Context) (Contender, error) {
	return s.deployed(ctx, s.contender(Plain), PlainSlim)
}

// plainTuned is that one with the template's settings, so that what is left
// between it and ringback is the code.
func (s Source) plainTuned(ctx context.Context) (Contender, error) {
	settings, err := s.settings(processors, directories)
	if err != nil {
		return Contender{}, err
	}
	c, err := s.deployed(ctx, s.contender(Plain), PlainTuned)
	c.own = settings
	return c, err
}

func (s Source) deployed(ctx context.Context, source, name string) (Contender, error) {
	binary := filepath.Join(s.Folder, name)
	if err := lambdaruntime.Build(ctx, source, binary, true); err != nil {
		return Contender{}, err //nolint:wrapcheck // It says what was built.
	}
	return binaryContender(binary)
}

func binaryContender(path string) (Contender, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Contender{}, fmt.Errorf("size: %w", err)
	}
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		return Contender{}, fmt.Errorf("versions: %w", err)
	}
	versions := []string{"Go " + strings.TrimPrefix(built.GoVersion, "go")}
	for _, module := range built.Deps {
		switch module.Path {
		case "github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/service/dynamodb":
			versions = append(versions, strings.TrimPrefix(module.Path, "github.com/aws/")+" "+module.Version)
		}
	}
	c := Executable(path, nil)
	c.Size, c.Versions = info.Size(), strings.Join(versions, ", ")
	return c, nil
}

// Executable returns a contender that is one Go binary, with settings of its own.
func Executable(path string, settings map[string]string) Contender {
	return Contender{path: path, dir: filepath.Dir(path), own: settings, trust: asInLambda}
}

// DeployedSize builds the webhook function as "sam build" does, for the
// processor that template.yaml names, and returns the size of the binary in
// bytes.
func (s Source) DeployedSize(ctx context.Context) (int64, error) {
	folder := filepath.Join(s.Folder, "deployed")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return 0, fmt.Errorf("build for Lambda: %w", err)
	}
	//nolint:gosec // G204: the arguments are ours
	build := exec.CommandContext(ctx, "make", "-C", s.Root, "build-"+function, "ARTIFACTS_DIR="+folder)
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build for Lambda: %w\n%s", err, output)
	}
	info, err := os.Stat(filepath.Join(folder, "bootstrap"))
	if err != nil {
		return 0, fmt.Errorf("build for Lambda: %w", err)
	}
	return info.Size(), nil
}

func (s Source) contender(name string) string {
	return filepath.Join(s.Root, "internal", "bench", "contenders", name)
}

func (s Source) template() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(s.Root, "template.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return TemplateEnvironment(text, function, map[string]string{
		"EventsTable":   table,
		"WebhookSecret": secret,
		// No delivery of a benchmark is spilled.
		"SpillQueue": "http://127.0.0.1:9/000000000000/spill",
	})
}

// asInLambda is where Go finds root certificates in Amazon Linux, of which
// Lambda's base image is made.
func asInLambda(a *standin.Authority) map[string]string {
	return map[string]string{"SSL_CERT_FILE": a.Bundle, "SSL_CERT_DIR": a.Directories}
}
