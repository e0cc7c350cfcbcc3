package measure_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/measure"
	"github.com/ringback/ringback/internal/proof/bench/report"
	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo"
)

// flawVariable says that this program is to be a function, with a flaw.
const flawVariable = "MEASURE_TEST_FLAW"

func TestMain(m *testing.M) {
	if flaw := os.Getenv(flawVariable); flaw != "" {
		lambda.Start(function(flaw))
		return
	}
	os.Exit(m.Run())
}

// flawed is a table that is written to as it should not be.
type flawed struct {
	store ingest.Putter
	flaw  string
}

func (f flawed) Put(ctx context.Context, item table.Item) (bool, error) {
	switch f.flaw {
	case "stores nothing":
		return true, nil
	case "leaves an attribute out":
		delete(item, "agent_id")
	case "writes another attribute":
		item["agent_name"] = attr.String("somebody")
	case "stores under another key":
		item[table.SK] = attr.String(table.Text(item, table.SK) + "#again")
	case "writes twice":
		created, err := f.store.Put(ctx, item)
		if err == nil {
			_, err = f.store.Put(ctx, item)
		}
		return created, err
	case "takes duplicates for new":
		_, err := f.store.Put(ctx, item)
		return true, err
	}
	return f.store.Put(ctx, item)
}

func function(flaw string) lambda.Handler {
	writer := dynamo.NewWriter(awsclient.StandIn(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")), "events")
	secret := credential.Secret{Token: measure.Token, SigningSecret: measure.SigningSecret}
	switch flaw {
	case "checks no signature":
		secret.SigningSecret = ""
	case "is told a wrong token":
		secret.Token = strings.Repeat("y", len(measure.Token))
	case "takes any token":
		secret.Token = strings.Repeat("x", len(measure.Token))
	}
	store := flawed{writer, flaw}
	return gateway.New(ingest.New(store, credential.Fixed(secret), slog.New(slog.DiscardHandler)))
}

func bench(t *testing.T) *measure.Bench {
	t.Helper()
	all, err := measure.Make(root, 28, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	aws, err := standin.Start(t.TempDir(), measure.Secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(aws.Close)
	return &measure.Bench{Deliveries: all, Warmup: 14, AWS: aws}
}

func self(t *testing.T, flaw string) contender.Contender {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return contender.Executable(path, map[string]string{flawVariable: flaw})
}

func TestMeasuresAFunctionThatDoesItsJob(t *testing.T) {
	t.Parallel()
	b, c := bench(t), self(t, "none")
	if err := b.Check(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, at := range []standin.Endpoints{b.AWS.Plain, b.AWS.Secure} {
		begun, first, total := report.Init, report.First, report.Cold
		if at.Roots != nil {
			begun, first, total = report.InitTLS, report.FirstTLS, report.ColdTLS
		}
		cold, err := b.Cold(t.Context(), c, at)
		if err != nil {
			t.Fatal(err)
		}
		if cold[begun] <= 0 || cold[first] <= 0 || cold[total] != cold[begun]+cold[first] || len(cold) != 3 {
			t.Errorf("%s: got %v", at.Table, cold)
		}
	}
	warm, err := b.Warm(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if warm[report.P50] <= 0 || warm[report.P99] < warm[report.P50] || warm[report.CPU] <= 0 ||
		warm[report.CPU] > float64(time.Second) || warm[report.RSS] < 1<<20 || warm[report.Opened] != 0 || len(warm) != 5 {
		t.Errorf("got %v", warm)
	}
}

func TestMeasuresNoFunctionThatDoesAnotherJob(t *testing.T) {
	t.Parallel()
	for _, flaw := range []string{
		"checks no signature", "is told a wrong token", "takes any token",
		"stores nothing", "leaves an attribute out", "writes another attribute", "stores under another key",
		"writes twice", "takes duplicates for new",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			if err := bench(t).Check(t.Context(), self(t, flaw)); !errors.Is(err, measure.ErrWrong) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Every run is checked, not only the first.
func TestEveryRunIsChecked(t *testing.T) {
	t.Parallel()
	b, c := bench(t), self(t, "leaves an attribute out")
	if _, err := b.Warm(t.Context(), c); !errors.Is(err, measure.ErrWrong) {
		t.Errorf("warm: %v", err)
	}
	if _, err := b.Cold(t.Context(), self(t, "stores nothing"), b.AWS.Secure); !errors.Is(err, measure.ErrWrong) {
		t.Errorf("cold: %v", err)
	}
}

// The floor does not do the job, and is not asked to.
func TestAConstantIsNotChecked(t *testing.T) {
	t.Parallel()
	b, c := bench(t), self(t, "stores nothing")
	c.Constant = true
	if err := b.Check(t.Context(), c); err != nil {
		t.Error(err)
	}
	if _, err := b.Warm(t.Context(), c); err != nil {
		t.Error(err)
	}
}

func TestAFunctionThatDoesNotStartIsAFailure(t *testing.T) {
	t.Parallel()
	c := contender.Executable(os.DevNull, nil)
	b := bench(t)
	if _, err := b.Cold(t.Context(), c, b.AWS.Plain); !errors.Is(err, measure.ErrFailed) {
		t.Errorf("got %v", err)
	}
}
