package lambdaruntime

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
)

// Build builds the Lambda function in folder into the file at path.
//
// With release it uses the flags of the deployment, for this machine's processor.
// Without, it uses those of the running program, such as -race: then most packages
// are compiled already.
func Build(ctx context.Context, folder, path string, release bool) error {
	args := []string{"build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", path}
	env := os.Environ()
	switch {
	case release:
		args = append(args, "-trimpath")
		env = append(env, "CGO_ENABLED=0")
	case withRace():
		args = append(args, "-race")
	}
	build := exec.CommandContext(ctx, "go", append(args, ".")...) //nolint:gosec // G204: the arguments are ours
	build.Dir, build.Env = folder, env
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", folder, err, output)
	}
	return nil
}

func withRace() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, setting := range info.Settings {
		if setting.Key == "-race" {
			return setting.Value == "true"
		}
	}
	return false
}
