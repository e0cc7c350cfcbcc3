// Package contender builds the functions that a benchmark compares, and says in
// what environment each runs.
package contender

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// Contender is a function that can be run.
type Contender struct {
	// Name is what it is called in tables, Title what it is.
	Name, Title string
	// Constant is true if it does not do the job, but answers a constant.
	Constant bool
	// Slow is true if it starts in tenths of a second, so that there is time
	// for fewer starts.
	Slow bool
	// Versions are those of the language and of the libraries from AWS.
	Versions string
	// Size is the size in bytes of what is deployed with it: a binary, or code
	// and libraries. A runtime that the platform has does not count.
	Size int64

	path string
	args []string
	dir  string
	// own is what it has beside what every function has, trust how it finds an
	// authority's certificate.
	own   map[string]string
	trust func(*standin.Authority) map[string]string
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

// Names are the contenders, in the order in which they are shown.
var Names = []string{Floor, Ringback, Plain, PlainSlim, PlainTuned, Node, Python}

var titles = map[string]string{
	Floor:      "aws-lambda-go answering a constant, built with our flags",
	Ringback:   "functions/webhook, built with our flags",
	Plain:      "an ordinary Go handler, built as `sam build` does",
	PlainSlim:  "the same source, built with our flags",
	PlainTuned: "the same binary, with two of our settings",
	Node:       "an ordinary Node.js handler, bundled",
	Python:     "an ordinary Python handler",
}

// ErrUnknown says that there is no such contender.
var ErrUnknown = errors.New("contender: unknown")

// Source says where contenders are built.
type Source struct {
	// Root is the repository's folder.
	Root string
	// Tools is the folder with node_modules and venv, for Node.js and Python.
	Tools string
	// Folder takes what is built.
	Folder string
}

// Build builds a contender.
func (s Source) Build(ctx context.Context, name string) (Contender, error) {
	build := map[string]func(context.Context) (Contender, error){
		Floor:      s.floor,
		Ringback:   s.ringback,
		Plain:      s.plain,
		PlainSlim:  s.plainSlim,
		PlainTuned: s.plainTuned,
		Node:       s.node,
		Python:     s.python,
	}[name]
	if build == nil {
		return Contender{}, fmt.Errorf("%w: %q; there are %s", ErrUnknown, name, strings.Join(Names, ", "))
	}
	c, err := build(ctx)
	if err != nil {
		return Contender{}, fmt.Errorf("%s: %w", name, err)
	}
	c.Name, c.Title = name, titles[name]
	return c, nil
}

// What every function is told to work on.
const (
	function = "WebhookFunction"
	table    = "events"
	secret   = "arn:aws:secretsmanager:us-east-1:000000000000:secret:benchmark" //nolint:gosec // G101: names one
)

// Command returns how to run the contender on a stand-in. The authority is that
// of the stand-in's TLS, or nil where it has none. Nothing of the caller's own
// environment is passed on.
func (c Contender) Command(aws *standin.AWS, authority *standin.Authority) lambdaruntime.Command {
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
		"AWS_SESSION_TOKEN":               strings.Repeat("local", sessionTokenLength/len("local")),
		"LANG":                            "en_US.UTF-8",
		"LAMBDA_TASK_ROOT":                c.dir,
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
		"SECRET_ARN":                      secret,
		"TABLE_NAME":                      table,
		"TZ":                              ":UTC",
	}
	if authority != nil {
		maps.Copy(env, c.trust(authority))
	}
	// A setting wins over what the image has.
	maps.Copy(env, c.own)
	env["AWS_ENDPOINT_URL_DYNAMODB"] = aws.TableURL
	env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = aws.SecretURL
	command := lambdaruntime.Command{Path: c.path, Args: c.args, Dir: c.dir}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		command.Env = append(command.Env, name+"="+env[name])
	}
	return command
}

// Settings returns the variables that only this contender has, as name=value.
// Those that are empty count as not set. Where table and secret are, all are
// told.
func (c Contender) Settings() []string {
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(c.own)) {
		if c.own[name] != "" && name != "TABLE_NAME" && name != "SECRET_ARN" {
			settings = append(settings, name+"="+c.own[name])
		}
	}
	return settings
}

// sessionTokenLength is about what the credentials of a role have.
const sessionTokenLength = 800
