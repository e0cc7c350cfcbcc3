package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func TestCallListsEventsAndAlertsOfALocalStack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo(t, data, samples(t)).Exits(t, 0)

	got := program.Run(t, "call", "call_1d4e5f6a", "--data", data)
	got.Exits(t, 0)
	want := regexp.MustCompile(`^2026-03-12T14:32:00.000Z  call.missed         missed call
2026-03-12T14:40:00.000Z  voicemail.received  voicemail
\S+Z  alert sent          (missed call|voicemail)
\S+Z  alert sent          (missed call|voicemail)
$`)
	if !want.MatchString(got.Stdout) {
		t.Errorf("printed:\n%s", got.Stdout)
	}

	got = program.Run(t, "call", "call_1d4e5f6a", "--data", data, "--bodies")
	got.Exits(t, 0)
	if want := sample(t, "call.missed") + "\n" + sample(t, "voicemail.received") + "\n"; got.Stdout != want {
		t.Errorf("printed:\n%s", got.Stdout)
	}

	got = program.Run(t, "call", "call_none", "--data", data)
	got.Exits(t, 1)
	got.Complains(t, "call_none")
}

func TestCallSaysWhatKeepsItFromTheTable(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	got := program.Run(t, "call", "c1", "--data", none)
	got.Exits(t, 1)
	got.Complains(t, none, "ringback serve", "--data", "--stack")
	if _, err := os.Stat(none); err == nil {
		t.Error("a look-up makes a data folder")
	}

	data := t.TempDir()
	program.Start(t, "serve", "--data", data, "--addr", anyPort).Stdout.Await(t, "ringback receives webhooks at")
	got = program.Run(t, "call", "c1", "--data", data)
	got.Exits(t, 1)
	got.Complains(t, "ringback serve", "Stop")
}

func TestCallReadsTheTableOfADeployedStack(t *testing.T) {
	config, name := tabletest.NewTable(t)
	endpoint := tabletest.Endpoint(t)
	a := awstest.New(t, token)
	a.Outputs["TableName"] = name
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
	envelope, err := events.Open([]byte(sample(t, "call.missed")))
	if err != nil {
		t.Fatal(err)
	}
	d := envelope.Decode()
	if _, err := dynamostore.New(config, name).Put(t.Context(), table.EventItem(d, time.Time{}, time.Now())); err != nil {
		t.Fatal(err)
	}

	got := program.Run(t, "call", "call_1d4e5f6a", "--stack", "ringback", "--region", "us-east-1")
	got.Exits(t, 0)
	got.Says(t, "2026-03-12T14:32:00.000Z  call.missed  missed call")

	delete(a.Outputs, "TableName")
	got = program.Run(t, "call", "call_1d4e5f6a", "--stack", "ringback", "--region", "us-east-1")
	got.Exits(t, 1)
	got.Complains(t, "TableName")
}
