package lambdaruntime

import (
	"context"
	"runtime/debug"

	"github.com/ringback/ringback/internal/proof/gobuild"
)

// Build builds the Lambda function in folder into the file at path.
//
// With release it uses the flags of the deployment, for this machine's processor.
// Without, it uses those of the running program, such as -race: then most packages
// are compiled already.
func Build(ctx context.Context, folder, path string, release bool) error {
	flags := []string{"-tags", "lambda.norpc", "-ldflags", "-s -w"}
	var env []string
	switch {
	case release:
		flags, env = append(flags, "-trimpath"), []string{"CGO_ENABLED=0"}
	case withRace():
		flags = append(flags, "-race")
	}
	return gobuild.Build(ctx, folder, path, env, flags...)
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
