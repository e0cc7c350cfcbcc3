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
	"github.com/ringback/ringback/internal/proof/bench/deliveries"
	"github.com/ringback/ringback/internal/proof/bench/measure"
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
	os.Exit(withAuthority(m))
}

// authority is one for all tests: keys take their time.
var authority *standin.Authority

func withAuthority(m *testing.M) int {
	folder, err := os.MkdirTemp("", "authority")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if authority, err = standin.NewAuthority(folder, time.Now()); err != nil {
		panic(err)
	}
	return m.Run()
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
	secret := credential.Secret{Token: deliveries.Token, SigningSecret: deliveries.SigningSecret}
	switch flaw {
	case "checks no signature":
		secret.SigningSecret = ""
	case "is told a wrong token":
		secret.Token = strings.Repeat("y", len(deliveries.Token))
	case "takes any token":
		secret.Token = strings.Repeat("x", len(deliveries.Token))
	}
	store := flawed{writer, flaw}
	return gateway.New(ingest.New(store, credential.Fixed(secret), slog.New(slog.DiscardHandler)))
}

func bench(t *testing.T) *measure.Bench {
	t.Helper()
	all, err := deliveries.Make("../../../..", 28, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b := &measure.Bench{Deliveries: all, Warmup: 14, Authority: authority}
	for config, to := range map[*standin.Config]**standin.AWS{
		{Secret: deliveries.Secret}:                     &b.AWS,
		{Secret: deliveries.Secret, TLS: authority.TLS}: &b.Secure,
	} {
		stand, err := standin.Start(t.Context(), *config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stand.Close)
		*to = stand
	}
	return b
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
	for _, secure := range []bool{false, true} {
		cold, err := b.Cold(t.Context(), c, secure)
		if err != nil {
			t.Fatal(err)
		}
		if cold.Init <= 0 || cold.First <= 0 || cold.Total() != cold.Init+cold.First {
			t.Errorf("TLS %v: got %+v", secure, cold)
		}
	}
	warm, err := b.Warm(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(warm.Latencies) != len(b.Deliveries)-b.Warmup || warm.CPU <= 0 || warm.CPU > time.Second || warm.PeakRSS < 1<<20 || warm.Connections != 0 {
		t.Errorf("got %+v", warm)
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
			if err := bench(t).Check(t.Context(), self(t, flaw)); !errors.Is(err, deliveries.ErrWrong) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Every run is checked, not only the first.
func TestEveryRunIsChecked(t *testing.T) {
	t.Parallel()
	b, c := bench(t), self(t, "leaves an attribute out")
	if _, err := b.Warm(t.Context(), c); !errors.Is(err, deliveries.ErrWrong) {
		t.Errorf("warm: %v", err)
	}
	if _, err := b.Cold(t.Context(), self(t, "stores nothing"), true); !errors.Is(err, deliveries.ErrWrong) {
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
	if _, err := bench(t).Cold(t.Context(), c, false); !errors.Is(err, measure.ErrFailed) {
		t.Errorf("got %v", err)
	}
}

func TestMeasuresTheStandIn(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.SetLatency(time.Millisecond)
	if took, err := b.StandIn(t.Context(), time.Now); err != nil || took < time.Millisecond || took > time.Second {
		t.Errorf("got %v, %v", took, err)
	}
}
