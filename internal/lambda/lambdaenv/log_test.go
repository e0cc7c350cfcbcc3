package lambdaenv_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
)

// TestLogsAreThoseOfAWS compares what our logger and AWS's write to the standard output.
// Each runs in a process of its own, since both read the environment once.
func TestLogsAreThoseOfAWS(t *testing.T) {
	if which := os.Getenv("TEST_LOGGER"); which != "" {
		log := lambdaenv.NewLogger()
		if which == "theirs" {
			log = lambdacontext.NewLogger()
		}
		ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
		for level := slog.LevelDebug; level <= slog.LevelError; level += 4 {
			log.Log(ctx, level, "a message", "key", "a \"value\"\n", "number", 7)
		}
		log.With("of", "all").InfoContext(ctx, "more")
		log.WithGroup("group").InfoContext(ctx, "grouped", "key", 1)
		log.Info("outside an invocation")
		return
	}
	t.Parallel()
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	times := regexp.MustCompile(`"timestamp":"[^"]*"`)
	for _, level := range []string{"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
		lines := map[string]string{}
		for _, which := range []string{"ours", "theirs"} {
			cmd := exec.CommandContext(t.Context(), test, "-test.run=^TestLogsAreThoseOfAWS$")
			cmd.Env = append(os.Environ(), "TEST_LOGGER="+which, "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL="+level)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			json, _, _ := bytes.Cut(out, []byte("PASS"))
			lines[which] = times.ReplaceAllString(string(json), `"timestamp":""`)
		}
		if lines["ours"] == "" && level != "ERROR" && level != "FATAL" {
			t.Errorf("level %q: nothing is logged", level)
		}
		if diff := cmp.Diff(lines["theirs"], lines["ours"]); diff != "" {
			t.Errorf("level %q (-AWS's +ours):\n%s", level, diff)
		}
	}
}
