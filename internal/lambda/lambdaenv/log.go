package lambdaenv

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ringback/ringback/internal/rawio"
)

// NewLogger returns a function's logger. It writes what [lambdacontext.NewLogger] writes
// under the template's LogFormat, lines of JSON, but does not wake the runtime's monitor
// for each; see package rawio.
func NewLogger() *slog.Logger {
	// slog has no TRACE or FATAL. AWS's logger takes Info for them, too.
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(os.Getenv("AWS_LAMBDA_LOG_LEVEL")))
	lines := slog.NewJSONHandler(rawio.Stdout(), &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr})
	return slog.New(invocation{lines})
}

// invocation adds the id of the invocation to each line.
type invocation struct{ slog.Handler }

func (i invocation) Handle(ctx context.Context, r slog.Record) error {
	if invoked, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", invoked.AwsRequestID))
	}
	return i.Handler.Handle(ctx, r) //nolint:wrapcheck // a wrapper of the handler
}

func (i invocation) WithAttrs(attributes []slog.Attr) slog.Handler {
	return invocation{i.Handler.WithAttrs(attributes)}
}

func (i invocation) WithGroup(name string) slog.Handler { return invocation{i.Handler.WithGroup(name)} }
