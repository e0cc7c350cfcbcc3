package main_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	ringback "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

const samFile = `version = 0.1
[default.global.parameters]
stack_name = "ringback"
region = "eu-central-1"
[default.deploy.parameters]
confirm_changeset = true
`

// deployment is a run of "ringback deploy" with a stand-in for SAM.
type deployment struct {
	samconfig string
	env       []string
	args      []string
	fails     string // the command of SAM that fails

	// typed is what somebody at a terminal types. Without a terminal, stdin is empty.
	terminal bool
	typed    string
}

// deployed is what came of a deployment.
type deployed struct {
	clitest.Result
	sam [][]string // what SAM was called with
	// What the build gets to know.
	answers, processor string
}

// run runs the program as a process of its own, because it reads from the terminal.
func (d deployment) run(t *testing.T) deployed {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"samconfig.toml": d.samconfig,
		"template.yaml":  readFile(t, tabletest.TemplatePath(t)),
		"sam": `#!/bin/sh
[ "$1" != build ] || { printf %s "$RINGBACK_PARAMETERS" > answers; printf %s "$ARCHITECTURE$MAKEFLAGS" > processor; }
for arg; do printf '%s\n' "$arg"; done >> calls
echo >> calls
[ "$1" != deploy ] || [ -z "$CONFIRMS" ] || { read -r answer && echo "confirmed: $answer"; }
[ "$1" != "$FAILS" ]
`,
	} {
		if text == "" {
			continue
		}
		//nolint:gosec // A program must be executable.
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), executable)
	args := append([]string{"deploy", "--sam", filepath.Join(folder, "sam")}, d.args...)
	c.Env = append(append(os.Environ(), "CI=", "TZ=Europe/Berlin", "FAILS="+d.fails, argsVariable+"="+strings.Join(args, "\n")), d.env...)
	c.Dir = folder
	var stdout, stderr clitest.Output
	c.Stdout, c.Stderr = &stdout, &stderr
	if d.terminal {
		screen, terminal, err := pty.Open()
		if err != nil {
			t.Skipf("no terminal: %v", err)
		}
		t.Cleanup(func() { _, _ = screen.Close(), terminal.Close() })
		go func() { _, _ = io.Copy(io.Discard, screen) }()
		if _, err := io.WriteString(screen, d.typed); err != nil {
			t.Fatal(err)
		}
		c.Stdin = terminal
	}
	err = c.Run()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	got := deployed{Result: clitest.Result{Name: program.Name, Code: c.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}}
	if _, err := os.Stat(filepath.Join(folder, "calls")); err == nil {
		for call := range strings.SplitSeq(strings.TrimSuffix(readFile(t, filepath.Join(folder, "calls")), "\n\n"), "\n\n") {
			got.sam = append(got.sam, strings.Split(call, "\n"))
		}
		got.answers, got.processor = readFile(t, filepath.Join(folder, "answers")), readFile(t, filepath.Join(folder, "processor"))
	}
	return got
}

const endOfInput = "\x04"

func TestDeployAsksWhomToAlertOnceAndOnlyAtATerminal(t *testing.T) {
	const question = "Whom should this stack alert?"
	atTerminal := []string{"deploy", "--config-env", "default"}
	everything := []string{`AlertEmail="support@example.com"`, `OpsEmail="ops@example.com"`, `TimeZone="America/New_York"`}
	for _, tc := range []struct {
		name       string
		deployment deployment
		stack      func(*awstest.AWS) // nil: the first deployment
		asked      bool
		deploy     []string // what "sam deploy" gets
	}{
		{
			name:       "the first deployment",
			deployment: deployment{terminal: true, typed: "support@example.com\nops@example.com\nAmerica/New_York\n"},
			asked:      true, deploy: slices.Concat(atTerminal, []string{"--parameter-overrides"}, everything),
		},
		{
			name: "beside what the file sets",
			deployment: deployment{
				terminal: true, typed: "support@example.com\nops@example.com\nAmerica/New_York\n",
				samconfig: samFile + `parameter_overrides = "LogRetentionDays=365 GradualDeployment=true"`,
			},
			asked:  true,
			deploy: slices.Concat(atTerminal, []string{"--parameter-overrides", "LogRetentionDays=365 GradualDeployment=true"}, everything),
		},
		{
			name:       "what is no address or zone is asked again",
			deployment: deployment{terminal: true, typed: "support\n a b@example.com\nsupport@example.com\n\nCET\nEurope/Nowhere\nEurope/Paris\n"},
			asked:      true, deploy: append(slices.Clone(atTerminal), "--parameter-overrides", `AlertEmail="support@example.com"`, `TimeZone="Europe/Paris"`),
		},
		{
			name:       "Enter takes the zone of the machine in the form of POSIX",
			deployment: deployment{terminal: true, typed: "\n\n\n", env: []string{"TZ=:Europe/Berlin"}},
			asked:      true, deploy: append(slices.Clone(atTerminal), "--parameter-overrides", `TimeZone="Europe/Berlin"`),
		},
		{
			name:       "a machine without a zone",
			deployment: deployment{terminal: true, typed: "\n\n\n", env: []string{"TZ="}},
			asked:      true, deploy: append(slices.Clone(atTerminal), "--parameter-overrides", `TimeZone="UTC"`),
		},
		{
			name:       "Enter takes nobody, and the zone of the machine",
			deployment: deployment{terminal: true, typed: "\n\n\n"},
			asked:      true, deploy: append(slices.Clone(atTerminal), "--parameter-overrides", `TimeZone="Europe/Berlin"`),
		},
		{
			name:       "the end of the input",
			deployment: deployment{terminal: true, typed: endOfInput},
			asked:      true, deploy: atTerminal,
		},
		{
			name: "a stack that has nobody", deployment: deployment{terminal: true, typed: "support@example.com\n\n\n"},
			stack: func(a *awstest.AWS) { a.Parameters["TimeZone"] = "Europe/Berlin" },
			asked: true, deploy: append(slices.Clone(atTerminal), "--parameter-overrides", `AlertEmail="support@example.com"`),
		},
		{name: "an address in the stack", deployment: deployment{terminal: true}, stack: func(a *awstest.AWS) { a.Parameters["AlertEmail"] = "support@example.com" }, deploy: atTerminal},
		{name: "only alarms", deployment: deployment{terminal: true}, stack: func(a *awstest.AWS) { a.Parameters["OpsEmail"] = "ops@example.com" }, deploy: atTerminal},
		{name: "only text messages", deployment: deployment{terminal: true}, stack: func(a *awstest.AWS) { a.Parameters["AlertSms"] = "+14155550123" }, deploy: atTerminal},
		{
			name: "a queue that is subscribed by hand", deployment: deployment{terminal: true},
			stack: func(a *awstest.AWS) { a.Subscriptions[awstest.AlertsARN] = []string{awstest.Confirmed} }, deploy: atTerminal,
		},
		{
			name:       "an address that the file takes away",
			deployment: deployment{terminal: true, typed: "\n\n\n", samconfig: samFile + `parameter_overrides = 'AlertEmail=""'`},
			stack: func(a *awstest.AWS) {
				a.Parameters["AlertEmail"], a.Parameters["TimeZone"] = "support@example.com", "Europe/Berlin"
			},
			asked: true, deploy: atTerminal,
		},
		{name: "an address in the file", deployment: deployment{terminal: true, samconfig: samFile + `parameter_overrides = "AlertEmail=support@example.com"`}, deploy: atTerminal},
		{name: "as SAM's long form", deployment: deployment{terminal: true, samconfig: samFile + `parameter_overrides = "ParameterKey=AlertEmail,ParameterValue=support@example.com"`}, deploy: atTerminal},
		{name: "in a list", deployment: deployment{terminal: true, samconfig: samFile + `parameter_overrides = ["LogRetentionDays=365", "OpsEmail=\"ops@example.com\""]`}, deploy: atTerminal},
		{name: "in a table", deployment: deployment{terminal: true, samconfig: samFile + `parameter_overrides = { AlertSms = "+14155550123" }`}, deploy: atTerminal},
		{name: "in a file of its own", deployment: deployment{terminal: true, samconfig: samFile + `parameter_overrides = "file://parameters.yaml"`}, deploy: atTerminal},
		{
			name: "asked for", deployment: deployment{terminal: true, typed: "-\nops@example.com\n\n", args: []string{"--ask"}},
			stack: func(a *awstest.AWS) {
				a.Parameters["AlertEmail"], a.Parameters["TimeZone"] = "support@example.com", "Europe/Berlin"
			},
			asked: true, deploy: append(slices.Clone(atTerminal), "--parameter-overrides", `AlertEmail=""`, `OpsEmail="ops@example.com"`),
		},
		{name: "no terminal", deployment: deployment{}, deploy: append(slices.Clone(atTerminal), "--no-confirm-changeset")},
		{name: "no terminal, asked for", deployment: deployment{args: []string{"--ask"}}, deploy: append(slices.Clone(atTerminal), "--no-confirm-changeset")},
		{name: "CI", deployment: deployment{terminal: true, env: []string{"CI=true"}}, deploy: append(slices.Clone(atTerminal), "--no-confirm-changeset")},
		{
			name: "CI, and a stack that has nobody", deployment: deployment{terminal: true, env: []string{"CI=1"}},
			stack: func(*awstest.AWS) {}, deploy: append(slices.Clone(atTerminal), "--no-confirm-changeset"),
		},
		{
			name: "CI that is off", deployment: deployment{terminal: true, typed: endOfInput, env: []string{"CI=false"}},
			asked: true, deploy: atTerminal,
		},
		{
			name: "another environment",
			deployment: deployment{
				args:      []string{"--config-env", "prod"},
				samconfig: samFile + "[prod.deploy.parameters]\nstack_name = \"ringback-prod\"\nregion = \"eu-west-1\"\n",
			},
			deploy: []string{"deploy", "--config-env", "prod", "--no-confirm-changeset"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := awstest.New(t, token)
			a.Parameters = map[string]string{}
			a.Subscriptions = map[string][]string{}
			if tc.stack == nil {
				a.StackFault = "Stack with id ringback does not exist"
			} else {
				tc.stack(a)
			}
			if tc.deployment.samconfig == "" {
				tc.deployment.samconfig = samFile
			}
			got := tc.deployment.run(t)
			got.Exits(t, 0)
			if asked := strings.Contains(got.Stdout, question); asked != tc.asked {
				t.Errorf("asked: %t, want %t\n%s", asked, tc.asked, got.Stdout)
			}
			build := []string{"build", "--config-env", tc.deploy[2]}
			if diff := cmp.Diff([][]string{build, tc.deploy}, got.sam); diff != "" {
				t.Errorf("calls of SAM (-want +got):\n%s%s", diff, got.Stdout)
			}
			// Only a deployed stack has functions that must learn of other parameters.
			want := ""
			if _, answers, ok := strings.Cut(strings.Join(tc.deploy, " "), "--parameter-overrides "); ok && tc.stack != nil {
				want = answers
			}
			if got.answers != want {
				t.Errorf("the build gets %q, want %q", got.answers, want)
			}
			if tc.name == "another environment" && (a.Stack != "ringback-prod" || a.Region != "eu-west-1") {
				t.Errorf("looked at %s in %s", a.Stack, a.Region)
			}
		})
	}
}

func TestDeployWarnsEachTimeThatNobodyIsTold(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		a := awstest.New(t, token)
		a.Parameters = map[string]string{"AlertEmail": "support@example.com"}
		a.Subscriptions = map[string][]string{awstest.AlertsARN: {awstest.Pending}}
		got := deployment{samconfig: samFile, terminal: terminal}.run(t)
		got.Exits(t, 0)
		clitest.Contains(t, "stderr", got.Stderr, "WARNING: Nobody is alerted to missed calls and voicemails yet", "WARNING: Nobody is told when this stack has a problem")
		got.Hides(t, "support@example.com")
	}
	a := awstest.New(t, token)
	a.SubscribeFault = "AuthorizationError"
	got := deployment{samconfig: samFile}.run(t)
	got.Exits(t, 0)
	clitest.Contains(t, "stderr", got.Stderr, "Hint: ")

	awstest.New(t, token)
	got = deployment{samconfig: samFile}.run(t)
	got.Exits(t, 0)
	if got.Stderr != "" {
		t.Errorf("stderr: %s", got.Stderr)
	}
}

func TestDeploySaysWhatFailed(t *testing.T) {
	for _, tc := range []struct {
		name       string
		deployment deployment
		change     func(t *testing.T, a *awstest.AWS)
		want       []string
		calls      int
	}{
		{"no samconfig.toml", deployment{}, nil, []string{"samconfig.toml"}, 0},
		{"a samconfig.toml that is none", deployment{samconfig: "version ="}, nil, []string{"samconfig.toml"}, 0},
		{"an environment that is not there", deployment{samconfig: samFile, args: []string{"--config-env", "prod"}}, nil, []string{`"prod"`}, 0},
		{
			"parameters that the template does not have",
			deployment{samconfig: samFile + `parameter_overrides = "AlertEmial=support@example.com LogRetentionDays=365 Opsemail=ops@example.com"`},
			nil,
			[]string{"samconfig.toml sets AlertEmial and Opsemail"},
			0,
		},
		{
			"a time zone that does not exist",
			deployment{samconfig: samFile + `parameter_overrides = "TimeZone=Europe/Atlantis"`},
			nil,
			[]string{`samconfig.toml sets TimeZone to "Europe/Atlantis": no time zone`},
			0,
		},
		{
			"a country that does not exist",
			deployment{samconfig: samFile + `parameter_overrides = "DefaultCountry=UK"`},
			nil,
			[]string{`samconfig.toml sets DefaultCountry`, `"UK"`, "GB"},
			0,
		},
		{
			"a number of our own that is none",
			deployment{samconfig: samFile + `parameter_overrides = "OwnNumbers='+1 415 555 0100, 911a'"`},
			nil,
			[]string{"would not start", "OwnNumbers", "number 2 of it"},
			0,
		},
		{
			"a number of our own without its country, which the stack does not have",
			deployment{samconfig: samFile + `parameter_overrides = "OwnNumbers='(415) 555-0100'"`},
			nil,
			[]string{"would not start", "OwnNumbers or DefaultCountry", "number 1 of it has no country code"},
			0,
		},
		{
			"hours that can mean two things",
			deployment{samconfig: samFile + `parameter_overrides = "BusinessHours='Mon-Fri 9-5'"`},
			nil,
			[]string{"would not start", `"9-5", at character 9`, "write 9:00-17:00 or 9am-5am", "BusinessHours", "docs/followups.md"},
			0,
		},
		{
			"a holiday that is no day",
			deployment{samconfig: samFile + `parameter_overrides = "Holidays=2027-02-29"`},
			nil,
			[]string{`"2027-02-29"`, "no day of the calendar"},
			0,
		},
		{
			"a second reminder before the first",
			deployment{samconfig: samFile + `parameter_overrides = "EscalateAgainAfter=10m"`},
			nil,
			[]string{"10m0s, is not after the first, 15m0s"},
			0,
		},
		{
			"a second reminder before the first, which the stack has",
			deployment{samconfig: samFile + `parameter_overrides = "EscalateAgainAfter=90m"`},
			func(_ *testing.T, a *awstest.AWS) { a.Parameters = map[string]string{"EscalateAfter": "2h"} },
			[]string{"1h30m0s, is not after the first, 2h0m0s"},
			0,
		},
		{
			"a time that is none",
			deployment{samconfig: samFile + `parameter_overrides = "EscalateAfter=soon"`},
			nil,
			[]string{`EscalateAfter is "soon"`, "15m"},
			0,
		},
		{"no stack", deployment{samconfig: "[default.deploy.parameters]\n"}, nil, []string{"stack_name"}, 0},
		{"no credentials", deployment{samconfig: samFile}, func(t *testing.T, _ *awstest.AWS) {
			t.Helper()
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}, []string{"credentials"}, 0},
		{"a profile that is not there", deployment{samconfig: samFile + "profile = \"nobody\"\n"}, nil, []string{"nobody"}, 0},
		{"no right to look at the stack", deployment{samconfig: samFile}, func(_ *testing.T, a *awstest.AWS) {
			a.StackFault = "not authorized to perform cloudformation:DescribeStacks"
		}, []string{"not authorized"}, 0},
		{"the build", deployment{samconfig: samFile, fails: "build"}, nil, []string{"sam build", "exit status 1"}, 1},
		{"the deployment", deployment{samconfig: samFile, fails: "deploy"}, nil, []string{"sam deploy", "exit status 1"}, 2},
		{"no SAM", deployment{samconfig: samFile, args: []string{"--sam", "/nonexistent/sam"}}, nil, []string{"/nonexistent/sam"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := awstest.New(t, token)
			if tc.change != nil {
				tc.change(t, a)
			}
			got := tc.deployment.run(t)
			got.Fails(t)
			got.Complains(t, tc.want...)
			if len(got.sam) != tc.calls {
				t.Errorf("SAM ran %d times, want %d", len(got.sam), tc.calls)
			}
		})
	}
}

// A function that is built for another processor does not start.
func TestDeployBuildsForTheProcessorOfTheStack(t *testing.T) {
	for _, tc := range []struct {
		name, file, stack, want string
	}{
		{"neither says", "", "", ""}, // the Makefile takes the template's default
		{"as the file says", `parameter_overrides = "Architecture=arm64"`, "x86_64", "arm64"},
		{"as it was deployed", "", "arm64", "arm64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := awstest.New(t, token)
			if tc.stack != "" {
				a.Parameters = map[string]string{"Architecture": tc.stack}
			}
			got := deployment{samconfig: samFile + tc.file, env: []string{"ARCHITECTURE=x86_64", "MAKEFLAGS=-- ARCHITECTURE=x86_64"}}.run(t)
			got.Exits(t, 0)
			if got.processor != tc.want {
				t.Errorf("built for %q, want %q", got.processor, tc.want)
			}
		})
	}
}

// What is typed behind the answers is for SAM, which asks whether to deploy.
func TestDeployLeavesTheTerminalToSAM(t *testing.T) {
	a := awstest.New(t, token)
	a.StackFault = "Stack with id ringback does not exist"
	got := deployment{
		samconfig: samFile, terminal: true, typed: "support@example.com\n\n\ny\n", env: []string{"CONFIRMS=1"},
	}.run(t)
	got.Exits(t, 0)
	got.Says(t, "confirmed: y\n")
}

// Or CloudFormation refuses what was answered.
func TestAnAddressIsWhatTheTemplateTakes(t *testing.T) {
	t.Parallel()
	var template struct {
		Parameters map[string]struct {
			AllowedPattern string `yaml:"AllowedPattern"`
		} `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, tabletest.TemplatePath(t))), &template); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AlertEmail", "OpsEmail"} {
		if got, want := template.Parameters[name].AllowedPattern, "^$|"+ringback.Address; got != want {
			t.Errorf("%s has the pattern %q, want %q", name, got, want)
		}
	}
}
