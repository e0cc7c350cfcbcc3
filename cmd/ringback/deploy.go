package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
)

// answersVariable has what changes of a stack's parameters while it is built. The Makefile makes it a part
// of the functions' packages, so that a version with the new parameters is published.
const answersVariable = "RINGBACK_PARAMETERS"

// architectureVariable has the processor that the Makefile builds the functions for.
const architectureVariable = "ARCHITECTURE"

type deployFlags struct {
	sam, env string
	ask      bool
}

func newDeploy() *cobra.Command {
	var flags deployFlags
	c := &cobra.Command{
		Use:   "deploy",
		Short: "Build and deploy a stack, and ask whom to alert",
		Long: `deploy runs "sam build" and "sam deploy" in the folder of the source, as
"make deploy" does.

If the stack has nobody to alert, it first asks whom. CloudFormation keeps the
answers: they hold for later deployments, from any machine. After the deployment
it warns if nobody is alerted.

Without a terminal, or if CI is set, it asks nothing, and neither does SAM.`,
		Example: `  ringback deploy --config-env prod
  ringback deploy --ask`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return flags.run(c) },
	}
	c.Flags().StringVar(&flags.sam, "sam", "sam", "the SAM command")
	c.Flags().StringVar(&flags.env, "config-env", "default", "environment of samconfig.toml")
	c.Flags().BoolVar(&flags.ask, "ask", false, "ask for addresses and time zone again")
	return c
}

func (f *deployFlags) run(c *cobra.Command) error {
	ctx := c.Context()
	file, err := readSAMConfig("samconfig.toml", f.env)
	if err != nil {
		return err
	}
	template, err := readDefaults("template.yaml")
	if err != nil {
		return err
	}
	if unknown := file.unknown(template); len(unknown) > 0 {
		return fmt.Errorf("samconfig.toml sets %s, which template.yaml does not have", strings.Join(unknown, " and "))
	}
	if err := file.check(); err != nil {
		return err
	}
	cfg, err := deployed.ConfigOf(ctx, file.profile, file.region)
	if err != nil {
		return err
	}
	stack, err := deployed.ReadSettings(ctx, cfg, file.stack)
	if err != nil {
		return err
	}
	if err := errors.Join(file.checkNumbers(stack.Parameters), file.checkReminders(stack.Parameters, template)); err != nil {
		return err
	}

	attended := isTerminal(os.Stdin) && !inCI()
	var answers []string
	if attended && (f.ask || hasNobody(ctx, cfg, file, stack)) {
		if answers, err = askWhom(ctx, os.Stdin, c.OutOrStdout(), func(name string) string {
			return file.value(name, stack.Parameters)
		}); err != nil {
			return err
		}
	}

	build := f.command(c, "build")
	processor := file.value("Architecture", stack.Parameters)
	build.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		// The make that SAM runs is to build for the processor that is deployed, whatever the one that
		// runs this was called with. What the template says by itself, it knows.
		return strings.HasPrefix(name, "MAKE") || name == "MFLAGS" || name == architectureVariable && !file.includes
	})
	if stack.Parameters != nil {
		build.Env = append(build.Env, answersVariable+"="+strings.Join(answers, " "))
	}
	if processor != "" {
		build.Env = append(build.Env, architectureVariable+"="+processor)
	}
	if err := build.Run(); err != nil {
		return fmt.Errorf("sam build: %w", err)
	}
	deploy := f.command(c, "deploy")
	if !attended {
		deploy.Args = append(deploy.Args, "--no-confirm-changeset")
	}
	if answers != nil {
		// Parameters on the command line replace those of the file.
		deploy.Args = append(append(append(deploy.Args, "--parameter-overrides"), file.overrides...), answers...)
	}
	if err := deploy.Run(); err != nil {
		return fmt.Errorf("sam deploy: %w", err)
	}

	if stack, err = deployed.ReadSettings(ctx, cfg, file.stack); err != nil {
		return err
	}
	warnOfSilence(ctx, c.ErrOrStderr(), cfg, stack.Outputs)
	return nil
}

// hasNobody reports whether a stack has nobody to alert: no address in its parameters, and no
// subscriber of the alerts.
func hasNobody(ctx context.Context, cfg aws.Config, file samConfig, stack deployed.Settings) bool {
	for _, name := range []string{"AlertEmail", "AlertSms", "OpsEmail"} {
		if file.value(name, stack.Parameters) != "" {
			return false
		}
	}
	arn := stack.Outputs[deployed.OutputTopicARN]
	if arn == "" {
		return !file.includes
	}
	found, err := deployed.ReadSubscribers(ctx, cfg, arn)
	return err == nil && found == deployed.Subscribers{} && !file.includes
}

// command returns a run of SAM on the terminal of this program.
func (f *deployFlags) command(c *cobra.Command, command string) *exec.Cmd {
	//nolint:gosec // The user chooses the command.
	run := exec.CommandContext(c.Context(), f.sam, command, "--config-env", f.env)
	run.Stdin, run.Stdout, run.Stderr = os.Stdin, c.OutOrStdout(), c.ErrOrStderr()
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	return run
}

func inCI() bool {
	switch os.Getenv("CI") {
	case "", "0", "false":
		return false
	}
	return true
}

// isTerminal reports whether someone may type there.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
