package main_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/clipperhouse/displaywidth"
	"github.com/creack/pty"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// filledAt is when everything in the table of these tests has happened.
var filledAt = time.Date(2026, time.March, 12, 20, 0, 0, 0, time.UTC)

const ada, bob, cy = "+14155550120", "+14155550121", "+14155550122"

// fill puts a morning into a table: Ada waits and has left a voicemail, Bob was called back,
// Cy was answered after all.
func fill(t *testing.T, store table.Store) {
	t.Helper()
	w := lookuptest.New(t, store, filledAt)
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5551,"first_name":"Ada","last_name":"Example","phone":"(415) 555-0120","company":"Example Ltd"`),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Left("c1", ada, "2026-03-12T14:01:00Z", "Please call me about the &quot;contract&quot; \u202etoday\u009b31m"),
		lookuptest.Event("sms.received", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"inbound","from":"415-555-0120","to":"`+lookuptest.Line+`","body":"Any news?"`),
		lookuptest.Missed("c2", bob, "2026-03-12T15:00:00Z"),
		lookuptest.Talked("c3", events.Outbound, bob, "2026-03-12T15:30:00Z"),
		lookuptest.Missed("c4", cy, "2026-03-12T16:00:00Z"),
		lookuptest.Talked("c4", events.Inbound, cy, "2026-03-12T16:00:20Z"),
		lookuptest.Talked("c5", events.Inbound, cy, "2026-03-12T17:00:00Z"),
	)
	w.Act(ada, followup.ActClaim, filledAt, "Kim", "")
	w.Add(table.Health{Arrived: filledAt}.Item())
	key := table.Key{PK: table.CallPartition("c1"), SK: table.EventMark + "x"}
	for _, kind := range []events.Kind{events.KindMissedCall, events.KindVoicemail} {
		w.Add(table.AlertedItem(key, kind, filledAt, filledAt))
	}
}

// rejectedItem is in each table as well; it would have expired if it had a date of its own.
func rejectedItem(now time.Time) table.Item {
	return table.RejectedItem(table.Rejection{
		Reason: "wrong signature", Body: []byte("{\"event\":\"call.missed\",\n \"x\":\"\x1b[31m\"}"), Headers: map[string]string{"content-type": "application/json"},
	}, now)
}

// everyLookUp is every command that only reads, by its arguments.
func everyLookUp(rejected string) [][]string {
	all := [][]string{
		{"call", "c1", "--bodies"}, {"message", "m1", "--bodies"}, {"contact", "5551", "--bodies"}, {"rejected", "show", rejected, "--body"},
	}
	for _, command := range [][]string{
		{"waiting"},
		{"today", "--day", "2026-03-12"},
		{"today", "--day", "2026-03-12", "--limit", "1"},
		{"caller", "415-555-0120"},
		{"caller", bob},
		{"caller", "example"},
		{"rejected", "list"},
		{"stats", "--day", "2026-03-12"},
		{"today", "--day", "2026-03-12", "--all"},
	} {
		all = append(all, command, append(command, "--output", "csv"))
	}
	for _, command := range [][]string{
		{"waiting"},
		{"today", "--day", "2026-03-12"},
		{"caller", ada},
		{"call", "c1"},
		{"call", "c3"},
		{"message", "m1"},
		{"contact", "5551"},
		{"rejected", "list"},
		{"rejected", "show", rejected},
		{"stats", "--day", "2026-03-12"},
	} {
		all = append(all, command, append(command, "--output", "json"), append(command, "--utc"))
	}
	return append(all,
		[]string{"call", "none"}, []string{"message", "none"}, []string{"contact", "none"}, []string{"caller", "+14155550199"}, []string{"caller", "nobody"},
		[]string{"rejected", "show", "2026-03-12T14:00:00.000Z#0011223344556677"}, []string{"today", "--day", "2999-01-01"},
		[]string{"waiting", "--after", "AAAAAAAAAAAAAAAAAAAA"})
}

// printedBy is what each command prints, and its exit code.
// passing is how long somebody has waited, in seconds: as JSON, and as CSV behind the time.
var passing = regexp.MustCompile(`("business_seconds": |00Z,)[0-9]+`)

func printedBy(t *testing.T, commands [][]string, flags ...string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, command := range commands {
		got := program.Run(t, append(command, flags...)...)
		all[strings.Join(command, " ")] = fmt.Sprintf("%d\n%s%s", got.Code, passing.ReplaceAllString(got.Stdout, "${1}1"), got.Stderr)
	}
	return all
}

// Every command says the same over the table of a stack that is not running, of one that is,
// and of a deployed one.
func TestLookUpsSayTheSameOverEveryTable(t *testing.T) {
	data := t.TempDir()
	store := openStore(t, data)
	fill(t, store)
	refused := rejectedItem(time.Now())
	if _, err := store.Put(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	commands := everyLookUp(table.Text(refused, table.SK))
	want := printedBy(t, commands, "--data", data, "--default-country", lookuptest.Country, "--time-zone", "America/New_York")
	for command, text := range map[string][]string{
		"waiting":                              {"0\nWAITS", "Ada Example", "+1 415-555-0120", "1 caller waits. As of", "Nobody has begun to wait today."},
		"today --day 2026-03-12":               {"0\n", "11:00  ", "Called back at 11:3", "Answered at 12:0", "2 answered, 1 missed, 1 voicemail."},
		"caller 415-555-0120":                  {"Ada Example (Example Ltd)", "Since      12 Mar 10:00: 1 call that nobody served", "They wrote", "Any news?", "Contact created"},
		"call c1":                              {"0\nCall", "Please call me about the \"contract\" today 31m", "call.missed", "Alert of a missed call sent", "10:00:00 EDT"},
		"call c1 --utc":                        {"14:00:00 UTC"},
		"message m1":                           {"Any news?", "Ada Example"},
		"contact 5551":                         {"Example Ltd", "+1 415-555-0120"},
		"rejected list":                        {"wrong signature", "BYTES"},
		"caller example":                       {"Ada Example (Example Ltd)", "They wrote", "Any news?"},
		"caller nobody":                        {"3\n", "nobody is known by such a name"},
		"call none":                            {"3\n", "no call none"},
		"caller +14155550199":                  {"3\n", "country code"},
		"today --day 2999-01-01":               {"1\n", "still to come"},
		"today --day 2026-03-12 --all":         {"13:00  ", "answered", "2 answered, 1 missed, 1 voicemail."},
		"stats --day 2026-03-12":               {"ANSWERED", "half of them within 30 min"},
		"waiting --output json":                {`"callers": [`, `"today": {`, `"opened": 0`, `"business_p95_seconds": 0`},
		"waiting --after AAAAAAAAAAAAAAAAAAAA": {"1\n", "cursor"},
		"today --day 2026-03-12 --limit 1":     {"There are more: --after "},
	} {
		for _, part := range text {
			if !strings.Contains(want[command], part) {
				t.Errorf("%s does not say %q:\n%s", command, part, want[command])
			}
		}
	}
	for command, text := range want {
		if strings.Contains(command, "--bod") {
			continue
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			table := !strings.Contains(command, "--output") && !strings.Contains(line, "--after ") && text[0] == '0'
			if wide := displaywidth.String(line); table && wide > 80 {
				t.Errorf("%s: a line of %d columns: %s", command, wide, line)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Errorf("%s prints more than text: %q", command, line)
			}
		}
		if strings.HasSuffix(command, "json") && json.Unmarshal([]byte(text[2:]), new(any)) != nil {
			t.Errorf("%s is no JSON: %s", command, text)
		}
		if rows, err := csv.NewReader(strings.NewReader(text[2:])).ReadAll(); strings.HasSuffix(command, "csv") && (err != nil || len(rows) < 2) {
			t.Errorf("%s is no CSV with rows: %v, %s", command, err, text)
		}
	}

	t.Run("running", func(t *testing.T) {
		running := serve(t, data, "--alert-max-age", "24h", "--default-country", lookuptest.Country, "--time-zone", "America/New_York")
		running.Stdout.Await(t, "ringback receives webhooks at")
		if diff := cmp.Diff(want, printedBy(t, commands, "--data", data)); diff != "" {
			t.Errorf("(-not running +running):\n%s", diff)
		}
		running.Stop().Exits(t, 0)
	})
	t.Run("deployed", func(t *testing.T) {
		config, name := tabletest.NewTable(t)
		endpoint := tabletest.Endpoint(t)
		a := awstest.New(t, token)
		a.Outputs["TableName"] = name
		a.Parameters = map[string]string{"DefaultCountry": lookuptest.Country, "TimeZone": "America/New_York"}
		t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
		store := dynamostore.New(config, name)
		fill(t, store)
		if _, err := store.Put(t.Context(), refused); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, printedBy(t, commands, "--stack", "ringback", "--region", "us-east-1")); diff != "" {
			t.Errorf("(-not running +deployed):\n%s", diff)
		}
	})
}

func TestLookUpsSayWhatKeepsThemFromTheTable(t *testing.T) {
	a := awstest.New(t, token)
	fault := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#`+fault+`","Message":"not authorized to perform: dynamodb:Query"}`)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
	deployed := []string{"--stack", "ringback", "--region", "us-east-1"}
	commands := [][]string{
		{"waiting"}, {"today"}, {"caller", ada}, {"call", "c1"}, {"message", "m1"}, {"contact", "1"}, {"rejected", "list"}, {"stats"},
	}
	for _, tc := range []struct {
		fault string
		code  int
		says  []string
	}{
		{"AccessDeniedException", 4, []string{"no access", "dynamodb:Query", "docs/lookups.md#access"}},
		{"ExpiredTokenException", 4, []string{"expired"}},
		{"UnrecognizedClientException", 4, []string{"expired"}},
		{"ResourceNotFoundException", 5, []string{"no such table", "--region"}},
	} {
		fault = tc.fault
		for _, command := range commands {
			got := program.Run(t, append(command, deployed...)...)
			got.Exits(t, tc.code)
			got.Complains(t, tc.says...)
		}
	}
	a.StackFault = "Stack with id ringback does not exist"
	got := program.Run(t, append([]string{"waiting"}, deployed...)...)
	got.Exits(t, 5)
	got.Complains(t, "no such stack", "is it deployed there?")
	a.StackFault = ""
	delete(a.Outputs, "TableName")
	got = program.Run(t, append([]string{"waiting"}, deployed...)...)
	got.Exits(t, 5)
	got.Complains(t, "TableName")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	got = program.Run(t, append([]string{"waiting"}, deployed...)...)
	got.Exits(t, 4)
	got.Complains(t, "AWS_PROFILE")

	none := filepath.Join(t.TempDir(), "none")
	for _, command := range commands {
		got := program.Run(t, append(command, "--data", none)...)
		got.Exits(t, 5)
		got.Complains(t, none, "ringback serve", "--data", "--stack")
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a look-up makes a data folder")
	}
}

func TestLookUpsRefuseWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo(t, data, samples(t)).Exits(t, 0)
	long := strings.Repeat("a#/", 1000)
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"caller"}, 1, "one telephone number"},
		{[]string{"caller", "+1", "415"}, 1, "in quotes"},
		{[]string{"caller", "Nobody"}, 3, "no telephone number"},
		{[]string{"caller", strings.Repeat("1", 3000)}, 1, "no telephone number"},
		{[]string{"caller", "call:" + long}, 3, "nothing found"},
		{[]string{"call"}, 1, "ID"},
		{[]string{"call", ""}, 1, "ID"},
		{[]string{"call", long}, 3, "nothing found"},
		{[]string{"call", "\xff"}, 1, "no id"},
		{[]string{"message", long}, 3, "nothing found"},
		{[]string{"contact", long}, 3, "nothing found"},
		{[]string{"rejected", "show", long}, 1, "rejected list"},
		{[]string{"waiting", "--limit", "0"}, 1, "--limit"},
		{[]string{"waiting", "--after", "!"}, 1, "cursor"},
		{[]string{"waiting", "--output", "xml"}, 1, "table, json or csv"},
		{[]string{"waiting", "--watch", "--output", "json"}, 1, "--watch"},
		{[]string{"waiting", "--watch", "--every", "1ms"}, 1, "--every"},
		{[]string{"today", "--day", "monday"}, 1, "--day"},
		{[]string{"today", "--since", "long ago"}, 1, "--since"},
		{[]string{"today", "--since", "2020-01-01"}, 1, "at most 31"},
		{[]string{"today", "--since", "-5h"}, 1, "--since"},
		{[]string{"today", "--since", "2999-01-01"}, 1, "still to come"},
		{[]string{"today", "--since", "40d"}, 1, "at most 31"},
		{[]string{"today", "--day", "2026-03-12", "--since", "1h"}, 1, "day"},
		{[]string{"today", "--time-zone", "Europe/Atlantis"}, 1, "no time zone"},
		{[]string{"waiting", "--default-country", "XX"}, 1, "unknown country"},
	} {
		got := program.Run(t, append(tc.args, "--data", data)...)
		got.Exits(t, tc.code)
		got.Complains(t, tc.says)
	}
	got := program.Run(t, "call", "CALL#call_1d4e5f6a", "--data", data, "--bodies")
	got.Exits(t, 0)
	if want := sample(t, "call.missed") + "\n" + sample(t, "voicemail.received") + "\n"; got.Stdout != want {
		t.Errorf("printed:\n%s", got.Stdout)
	}
}

// The lines of an account begin alike.
func TestANarrowTableShowsTheEndOfANumber(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	w := lookuptest.New(t, store, filledAt)
	for i, line := range []string{"+14155550101", "+14155550102"} {
		id := fmt.Sprint(i)
		w.Post(
			lookuptest.Event("call.missed", "2026-03-12T14:00:00Z", `"call_id":"`+id+`","direction":"inbound","from":"+1415555013`+id+`","to":"`+line+`","contact_name":"Ada Example of Examples"`),
			lookuptest.Event("voicemail.received", "2026-03-12T14:01:00Z", `"call_id":"`+id+`","from":"+1415555013`+id+`","to":"`+line+`","duration":9,"transcription":"Please call me back about the contract."`),
		)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	got := program.Run(t, "waiting", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "…5-0101  ", "…5-0102  ")
}

// What else is printed is a file's; this is what people see.
func TestATerminalGetsNoEscapesOfOthers(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	lookuptest.New(t, store, filledAt).Post("{\"event\":\"call.missed\",\"timestamp\":\"2026-03-12T14:00:00Z\",\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"+14155550120\",\"contact_name\":\"\x1b[31m\u009b31m\"}}")
	refused := rejectedItem(time.Now())
	if err := errors.Join(putItem(t, store, refused), store.Close()); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"call", "c1"}, {"call", "c1", "--bodies"}, {"rejected", "show", table.Text(refused, table.SK), "--body"}, {"waiting"}} {
		primary, terminal, err := pty.Open()
		if err != nil {
			t.Skip("no terminal: ", err)
		}
		if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
			t.Fatal(err)
		}
		done := make(chan string, 1)
		go func() {
			text := make([]byte, 64<<10)
			n, _ := io.ReadAtLeast(primary, text, 20)
			done <- string(text[:n])
		}()
		if code := program.Main(t.Context(), append(command, "--data", data), terminal, io.Discard); code != 0 {
			t.Errorf("%s: exit code %d", command, code)
		}
		if text := <-done; strings.ContainsAny(text, "\x1b\u009b") {
			t.Errorf("%s: %q", command, text)
		}
		_ = terminal.Close()
		_ = primary.Close()
	}
}

func putItem(t *testing.T, store table.Store, item table.Item) error {
	t.Helper()
	_, err := store.Put(t.Context(), item)
	return err
}

func TestWatchShowsTheListAnewWhenItChanges(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	running := serve(t, data, "--demo")
	running.Stdout.Await(t, "Still serving")
	watch := program.Start(t, "waiting", "--watch", "--every", "1s", "--data", data)
	watch.Stdout.Await(t, "1 caller waits.")
	program.Run(t, "done", sampleCaller, "--by", "Kim", "--why", "talked", "--data", data).Exits(t, 0)
	watch.Stdout.Await(t, "Nobody waits.")
	watch.Stop().Exits(t, 0)
	if text := watch.Stdout.String(); strings.Contains(text, "to wait today") {
		t.Errorf("the figures of the day are read again and again:\n%s", text)
	}
	running.Stop().Exits(t, 0)
}

// The list is worth more than the figures below it.
func TestTheListIsThereWithoutItsFigures(t *testing.T) {
	config, name := tabletest.NewTable(t)
	fill(t, dynamostore.New(config, name))
	to, err := url.Parse(tabletest.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	days := `"IndexName":"` + string(table.GSI2) + `"`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), days) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","Message":"no"}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a := awstest.New(t, token)
	a.Outputs["TableName"] = name
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
	for form, want := range map[string]string{"table": "1 caller waits.", "json": `"callers": [`} {
		got := program.Run(t, "waiting", "--stack", "ringback", "--region", "us-east-1", "--output", form)
		got.Exits(t, 0)
		got.Says(t, want)
		got.Complains(t, "figures of today are missing")
		got.Hides(t, "to wait today")
		got.Hides(t, `"today":`)
	}
}

// The list is written as in the stack's country.
func TestLookUpsDoNotNeedTheListOfOwnNumbers(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	running := serve(t, data, "--default-country", "US", "--own-numbers", "(415) 555-0100")
	running.Stdout.Await(t, "ringback receives webhooks at")
	for _, command := range [][]string{{"waiting"}, {"today"}} {
		program.Run(t, append(command, "--data", data, "--default-country", "FR")...).Exits(t, 0)
	}
	got := program.Run(t, "erase", ada, "--data", data, "--default-country", "FR")
	got.Exits(t, 3)
	got.Complains(t, "has nothing of that caller")
	running.Stop().Exits(t, 0)
}

func TestAListOfOwnNumbersThatIsWrongKeepsNoLookUpFromTheTable(t *testing.T) {
	config, name := tabletest.NewTable(t)
	endpoint := tabletest.Endpoint(t)
	a := awstest.New(t, token)
	a.Outputs["TableName"] = name
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
	fill(t, dynamostore.New(config, name))
	deployed := []string{"--stack", "ringback", "--region", "us-east-1"}
	a.Parameters = map[string]string{"DefaultCountry": "US", "OwnNumbers": "Reception"}
	program.Run(t, append([]string{"waiting"}, deployed...)...).Exits(t, 0)
	got := program.Run(t, append([]string{"rebuild"}, deployed...)...)
	got.Exits(t, 1)
	got.Complains(t, "OwnNumbers of the stack", "number 1 of it")
	a.Parameters["OwnNumbers"] = strings.Replace(ada, "+1", "", 1)
	program.Run(t, append([]string{"rebuild", "--default-country", "FR"}, deployed...)...).Exits(t, 0)
	program.Run(t, append([]string{"caller", ada}, deployed...)...).Says(t, "One of your own numbers")
}

// A table of an earlier version has no follow-ups, no spellings, and days without shards.
func TestLookUpsReadATableOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	envelope, err := events.Open([]byte(lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z")))
	if err != nil {
		t.Fatal(err)
	}
	item := table.EventItem(envelope.Decode(), time.Time{}, filledAt)
	partitions := table.AlertPartitions(filledAt)
	item[table.GSI2PK] = attr.String(partitions[len(partitions)-1])
	if err := errors.Join(putItem(t, store, item), store.Close()); err != nil {
		t.Fatal(err)
	}
	got := program.Run(t, "today", "--day", "2026-03-12", "--time-zone", "UTC", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "+1 415-555-0120", "Not known yet", "1 missed")
	got = program.Run(t, "waiting", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "Nobody waits.")
	got = program.Run(t, "caller", ada, "--data", data)
	got.Exits(t, 0)
	got.Says(t, "They called, and nobody answered")
	got.Hides(t, "Not known yet")
}

func TestShellsCompleteCommandsAndFlags(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := program.Run(t, "completion", shell)
		got.Exits(t, 0)
		got.Says(t, "ringback")
	}
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{[]string{"wai"}, []string{"waiting"}},
		{[]string{"rejected", ""}, []string{"list", "show", "release"}},
		{[]string{"waiting", "--output", ""}, []string{"table", "json", "csv"}},
		{[]string{"today", "--day", ""}, []string{"today", "yesterday"}},
		{[]string{"call", "--ou"}, []string{"--output"}},
		{[]string{"caller", ""}, []string{":4"}}, // no files
	} {
		got := program.Run(t, append([]string{"__complete"}, tc.args...)...)
		got.Exits(t, 0)
		got.Says(t, tc.want...)
	}
}

// refuse keeps a delivery as refused, and returns its ID.
func refuse(t *testing.T, store table.Store, body string) string {
	t.Helper()
	item := table.RejectedItem(table.Rejection{Reason: "wrong signature", Body: []byte(body)}, time.Now())
	if err := putItem(t, store, item); err != nil {
		t.Fatal(err)
	}
	return table.Text(item, table.SK)
}

func TestARefusedDeliveryIsTakenInOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	recent := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	id := refuse(t, store, lookuptest.Missed("c1", ada, recent))
	list := refuse(t, store, "["+lookuptest.Missed("c2", bob, recent)+","+lookuptest.Missed("c3", cy, recent)+"]")
	none := refuse(t, store, "hello")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	running := serve(t, data, "--alert-max-age", "24h")
	running.Stdout.Await(t, "ringback receives webhooks at")
	release := func(id string, flags ...string) string {
		got := program.Run(t, append([]string{"rejected", "release", id, "--data", data}, flags...)...)
		got.Exits(t, 0)
		return got.Stdout
	}
	if got := release(id); got != "call.missed: would be stored, and alert people if it is not long ago\nNothing was written. Add --write to do it.\n" {
		t.Error(got)
	}
	program.Run(t, "call", "c1", "--data", data).Exits(t, 3)
	if got := release(id, "--write"); got != "call.missed: stored\n" {
		t.Error(got)
	}
	running.Stdout.Await(t, "c1")
	if got := release(id, "--write"); got != "call.missed: is in the table already\n" {
		t.Error(got)
	}
	if got := release(list, "--write"); got != "call.missed: stored\ncall.missed: stored\n" {
		t.Error(got)
	}
	running.Stdout.Await(t, "c3")
	got := program.Run(t, "rejected", "release", none, "--data", data, "--write")
	got.Exits(t, 1)
	got.Says(t, "no event:")
	got.Complains(t, "no event in it")
	got = program.Run(t, "rejected", "release", "2026-03-12T14:00:00.000Z#0011223344556677", "--data", data)
	got.Exits(t, 3)
	printed := running.Stop()
	printed.Exits(t, 0)
	if n := strings.Count(printed.Stdout, "Kept as   CALL#c1"); n != 1 {
		t.Errorf("%d alerts of one call:\n%s", n, printed.Stdout)
	}
}

func TestReplayShowsWhatTodaysCodeMakesOfStoredEvents(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	envelope, err := events.Open([]byte(lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z")))
	if err != nil {
		t.Fatal(err)
	}
	item := table.EventItem(envelope.Decode(), time.Time{}, filledAt)
	item[table.Kind], item[table.Outcome] = attr.String("call"), attr.String("unknown")
	delete(item, table.GSI1PK)
	if err := errors.Join(putItem(t, store, item), store.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"c1"}, "call.missed  GSI1PK, kind: call → missed_call, outcome: unknown → missed\n1 event read, 1 differ, 0 written.\nNothing was written. Add --write to do it.\n"},
		{[]string{"--all", "--write"}, "call.missed  GSI1PK, kind: call → missed_call, outcome: unknown → missed\n1 event read, 1 differ, 1 written.\n"},
		{[]string{"--all"}, "1 event read, 0 differ, 0 written.\n"},
	} {
		got := program.Run(t, append(append([]string{"replay"}, tc.args...), "--data", data)...)
		got.Exits(t, 0)
		if got.Stdout != tc.want {
			t.Errorf("%s printed\n%swant\n%s", tc.args, got.Stdout, tc.want)
		}
	}
	program.Run(t, "replay", "none", "--data", data).Exits(t, 3)
	for _, args := range [][]string{{"replay"}, {"replay", "c1", "--all"}, {"replay", "c1", "c2"}} {
		got := program.Run(t, append(args, "--data", data)...)
		got.Exits(t, 1)
		got.Complains(t, "--all")
	}
}

func TestTailFollowsWhatBecomesOfACall(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	running := serve(t, data)
	url := urlIn(t, running.Stdout.Await(t, "Stop it with Ctrl-C"))
	tail := program.Start(t, "tail", "--every", "1s", "--data", data)
	body := writeFile(t, "missed.json", lookuptest.Missed("c1", sampleCaller, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)))
	program.Run(t, "send", "--url", url, body).Exits(t, 0)
	tail.Stdout.Await(t, "missed  Waits for a call back")
	program.Run(t, "done", sampleCaller, "--by", "Kim", "--why", "talked", "--data", data).Exits(t, 0)
	tail.Stdout.Await(t, "missed  Marked as done at ")
	tail.Stop().Exits(t, 0)
	running.Stop().Exits(t, 0)
}

func TestEraseForgetsACaller(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	fill(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	running := serve(t, data, "--default-country", lookuptest.Country)
	running.Stdout.Await(t, "ringback receives webhooks at")
	got := program.Run(t, "erase", "(415) 555-0120", "--scan", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "4 events emptied, of 1 call, 1 text and 1 contact", "Nothing was erased.")
	program.Run(t, "caller", ada, "--data", data).Exits(t, 0)
	got.Hides(t, "events.db.former")
	former := filepath.Join(data, "events.db.former")
	if err := os.WriteFile(former, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got = program.Run(t, "erase", "(415) 555-0120", "--scan", "--write", "--data", data)
	got.Exits(t, 0)
	got.Says(t, "4 events emptied", "#erase-a-caller", former+", the table of an earlier version, still has")
	got.Hides(t, "0120")
	for _, command := range [][]string{{"caller", ada}, {"erase", ada}} {
		got := program.Run(t, append(command, "--data", data)...)
		got.Exits(t, 3)
		got.Hides(t, "Ada")
	}
	for _, command := range [][]string{{"waiting"}, {"today", "--day", "2026-03-12"}, {"call", "c1"}, {"call", "c1", "--output", "json"}, {"contact", "5551"}} {
		got := program.Run(t, append(command, "--data", data)...)
		got.Exits(t, 0)
		got.Hides(t, "0120")
		got.Hides(t, "Example")
	}
	got = program.Run(t, "erase", "Ada", "--data", data)
	got.Exits(t, 1)
	got.Complains(t, "no telephone number")
	running.Stop().Exits(t, 0)
}

// A command that meets a damaged item shows the others, and does not end as if it had seen all.
func TestACommandSaysThatItemsAreDamaged(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	fill(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	program.Run(t, "waiting", "--data", data).Exits(t, 0)
	program.Run(t, "rebuild", "--data", data).Exits(t, 0)
	db, err := bbolt.Open(filepath.Join(data, "events.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		rows := tx.Bucket([]byte("rows"))
		first, _ := rows.Cursor().First()
		return rows.Put(first, []byte("PRIVATE"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		says    string
		command []string
	}{
		{"events read", []string{"rebuild"}},
		{"Nothing was erased.", []string{"erase", ada, "--scan"}},
	} {
		got := program.Run(t, append(tc.command, "--data", data)...)
		got.Exits(t, 1)
		got.Says(t, tc.says)
		got.Complains(t, "docs/operations.md#a-damaged-item")
	}
}

// A row says how far people were reminded, how long the voicemail is, and with which other
// number of the contact somebody has talked.
func TestWaitingShowsWhatElseIsKnown(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store := openStore(t, data)
	w := lookuptest.New(t, store, filledAt)
	w.Add(table.ReminderItem(table.ReminderKey(ada, "first", 2), filledAt, time.Now(), ""))
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5551,"first_name":"Ada","phone":"`+ada+`","other_numbers":["`+bob+`"],"status":{"dnd":true}`),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Left("c1", ada, "2026-03-12T14:01:00Z", "Please call"),
		lookuptest.Talked("c2", events.Outbound, bob, "2026-03-12T15:30:00Z"),
	)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	got := program.Run(t, "waiting", "--data", data)
	got.Exits(t, 0)
	got.Says(t, `talked on `+bob)
	got = program.Run(t, "waiting", "--data", data, "--output", "csv")
	got.Exits(t, 0)
	rows, err := csv.NewReader(strings.NewReader(got.Stdout)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%q, %v", rows, err)
	}
	for name, want := range map[string]string{"level": "2", "other_number": bob, "voicemail": "Please call"} {
		if i := slices.Index(rows[0], name); i < 0 || rows[1][i] != want {
			t.Errorf("%s: %q in %q", name, rows[1], rows[0])
		}
	}
	got = program.Run(t, "caller", ada, "--data", data)
	got.Exits(t, 0)
	got.Says(t, "asked not to be called")
	for _, command := range []string{"waiting", "caller"} {
		args := []string{command, "--data", data, "--output", "json"}
		if command == "caller" {
			args = append(args, ada)
		}
		got = program.Run(t, args...)
		got.Exits(t, 0)
		got.Says(t, `"level": 2`, `"other_number": "`+bob+`"`)
	}
}

// A call's ID is what "ringback call" takes, so that it is whole however little room there is.
func TestTheIDsOfACallersCallsAreWhole(t *testing.T) {
	t.Parallel()
	data, id := t.TempDir(), "CA"+strings.Repeat("0123456789abcdef", 2)
	store := openStore(t, data)
	lookuptest.New(t, store, time.Now()).Post(lookuptest.Missed(id, ada, "2026-03-12T14:00:00Z"))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	got := program.Run(t, "caller", ada, "--data", data)
	got.Exits(t, 0)
	got.Says(t, " "+id+"\n")
}
