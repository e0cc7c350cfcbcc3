package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func TestCallListsEventsAndAlertsOfALocalStack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo(t, data, samples(t)).exits(t, 0)

	got := run(t, "call", "call_1d4e5f6a", "--data", data)
	got.exits(t, 0)
	want := regexp.MustCompile(`^2026-03-12T14:32:00.000Z  call.missed         missed call
2026-03-12T14:40:00.000Z  voicemail.received  voicemail
\S+Z  alert sent          (missed call|voicemail)
\S+Z  alert sent          (missed call|voicemail)
$`)
	if !want.MatchString(got.stdout) {
		t.Errorf("printed:\n%s", got.stdout)
	}

	got = run(t, "call", "call_none", "--data", data)
	got.exits(t, 1)
	got.complains(t, "call_none")
}

func TestCallSaysWhatKeepsItFromTheTable(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	got := run(t, "call", "c1", "--data", none)
	got.exits(t, 1)
	got.complains(t, none, "ringback serve", "--data", "--stack")
	if _, err := os.Stat(none); err == nil {
		t.Error("a look-up makes a data folder")
	}

	data := t.TempDir()
	runInBackground(t, "serve", "--data", data, "--addr", anyPort).stdout.await(t, "ringback receives webhooks at")
	got = run(t, "call", "c1", "--data", data)
	got.exits(t, 1)
	got.complains(t, "ringback serve", "Stop")
}

func TestCallReadsTheTableOfADeployedStack(t *testing.T) {
	config, name := tabletest.NewTable(t)
	endpoint := tabletest.Endpoint(t)
	a := newAWS(t)
	a.outputs["TableName"] = name
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
	envelope, err := events.Open([]byte(sample(t, "call.missed")))
	if err != nil {
		t.Fatal(err)
	}
	d := envelope.Decode()
	if _, err := dynamostore.New(config, name).Put(t.Context(), table.EventItem(d, time.Time{}, time.Now())); err != nil {
		t.Fatal(err)
	}

	got := run(t, "call", "call_1d4e5f6a", "--stack", "ringback", "--region", "us-east-1")
	got.exits(t, 0)
	got.says(t, "2026-03-12T14:32:00.000Z  call.missed  missed call")

	delete(a.outputs, "TableName")
	got = run(t, "call", "call_1d4e5f6a", "--stack", "ringback", "--region", "us-east-1")
	got.exits(t, 1)
	got.complains(t, "TableName")
}
