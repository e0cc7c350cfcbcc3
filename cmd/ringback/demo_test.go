package main_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

func TestDemoStoresTheNineSamplesAndAlertsOfTwoOnce(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	first := program.Run(t, "demo", "--data", data, "--samples", samples(t), "--time-zone", "America/New_York")
	first.Exits(t, 0)
	first.Says(t,
		"Posting 9 sample events",
		"9 of 9 samples stored, 9 of them new. 2 of 2 alerts sent just now.",
		"CALL#call_1d4e5f6a", "MESSAGE#msg_a1b2c3d4", "CONTACT#98765",
		"◀ missed call", "◀ voicemail",
		"▶ Missed call\n  Number    +1 415-555-8765\n  Line      +1 415-555-1234\n  Time      12 March 2026, 10:32 EDT\n",
		"▶ Voicemail\n  Number    +1 415-555-8765\n  Line      +1 415-555-1234\n  Time      12 March 2026, 10:40 EDT\n",
		// The call that it was left on.
		"  Call      missed 12 March 2026, 10:32 EDT\n",
		"Who waits:\n\n  +1 415-555-8765, since 12 March 2026, 10:32 EDT\n  Sam Chen calls back at 12 March 2026, 10:44 EDT, and they talk for a minute.\n",
		"  +1 415-555-8765 waits no more: called back after 12m0s.\n",
	)
	second := demo(t, data, samples(t))
	second.Exits(t, 0)
	second.Says(t,
		"9 of 9 samples stored, 0 of them new. 2 of 2 alerts sent before, none again.",
		"  CALL#call_1d4e5f6a  missed call  sent before, at ",
		"  CALL#call_1d4e5f6a  voicemail    sent before, at ",
		"Who waits:\n\n  +1 415-555-8765 waits no more: called back after 12m0s",
	)
	for _, tc := range []struct {
		name, in, text string
		want           int
	}{
		{"first", first.Stdout, "stored  ", 9},
		{"first", first.Stdout, "◀", 2},
		{"first", first.Stdout, "▶", 2},
		{"second", second.Stdout, "duplicate  ", 9},
		{"second", second.Stdout, "◀", 2},
		{"second", second.Stdout, "▶", 0},
		{"second", second.Stdout, "sent before, at ", 2},
	} {
		if got := strings.Count(tc.in, tc.text); got != tc.want {
			t.Errorf("%s run: %q is there %d times, want %d:\n%s", tc.name, tc.text, got, tc.want, tc.in)
		}
	}
	for _, r := range []clitest.Result{first, second} {
		if r.Stderr != "" {
			t.Errorf("stderr: %s", r.Stderr)
		}
	}
}

func TestDemoFailsUnlessTheAlertsAreThoseOfTheSamples(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  []string
	}{
		{
			name: "a folder from before there were alerts",
			spoil: func(t *testing.T, path string) {
				t.Helper()
				tamper(t, path, func(tx *bbolt.Tx) error {
					items := tx.Bucket([]byte("keys"))
					cursor := items.Cursor()
					mark := []byte("CALL#call_1d4e5f6a\x00\x01ALERT#")
					for key, _ := cursor.Seek(mark); bytes.HasPrefix(key, mark); key, _ = cursor.Seek(mark) {
						if err := items.Delete(key); err != nil {
							return err
						}
					}
					return nil
				})
			},
			want: []string{"2 of 2 alerts were not sent", "choose another folder"},
		},
		{
			name: "an alert of a call that was answered",
			spoil: func(t *testing.T, path string) {
				t.Helper()
				s, err := bolt.Open(path, schema.Events())
				if err != nil {
					t.Fatal(err)
				}
				event := table.Key{PK: table.CallPartition("call_7b8c9d0e"), SK: "EVENT#1"}
				_, err = s.Put(t.Context(), table.AlertedItem(event, events.KindMissedCall, time.Now(), time.Now()))
				if err := errors.Join(err, s.Close()); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"unexpected alerts: 1"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			demo(t, data, samples(t)).Exits(t, 0)
			tc.spoil(t, filepath.Join(data, "events.db"))
			got := demo(t, data, samples(t))
			got.Exits(t, 1)
			got.Complains(t, tc.want...)
			got.Says(t, "9 of 9 samples stored, 0 of them new")
		})
	}
}

// What the table shows was read from it, and not made of what was sent.
func TestTheDemosTableShowsWhatIsInTheTable(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data)
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	program.Run(t, "send", "--url", url, "--samples", samples(t),
		writeFile(t, "same.json", `{"event":"call.recorded","timestamp":"2026-03-12T15:00:00Z","data":{"call_id":"call_1d4e5f6a"}}`),
		writeFile(t, "other.json", `{"event":"call.completed","timestamp":"2026-03-12T15:00:00Z","data":{"call_id":"call_of_another_day"}}`),
	).Exits(t, 0)
	b.Stop().Exits(t, 0)
	got := demo(t, data, samples(t))
	got.Exits(t, 0)
	got.Says(t, "9 of 9 samples stored, 9 of them new", "\nand 1 event of other calls, messages and contacts.\n")
	_, shown, _ := strings.Cut(got.Stdout, "In the table now:")
	clitest.Contains(t, "the table", shown, "call.recorded")
	if strings.Contains(shown, "call_of_another_day") {
		t.Errorf("the table shows another call:\n%s", shown)
	}
}

func TestDemoRunsFromTheFolderOfTheSource(t *testing.T) {
	t.Chdir(root(t))
	got := program.Run(t, "demo", "--data", t.TempDir())
	got.Exits(t, 0)
	got.Says(t, "9 of 9 samples stored, 9 of them new")
}

func TestDemoFailsUnlessEverySampleIsStored(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sample, want string }{
		{"cut short", `{"event":"call.missed","data":{`, "tenth"},
		{"not an object", `[5]`, "tenth"},
		{"no type", `{"data":{"a":"1"}}`, "tenth"},
		{"a probe, which is answered 200 and not stored", `{"event":"call.missed","data":{}}`, "1 of 10 samples"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			folder := copySamples(t)
			if err := os.WriteFile(filepath.Join(folder, "tenth.json"), []byte(tc.sample), 0o600); err != nil {
				t.Fatal(err)
			}
			got := demo(t, t.TempDir(), folder)
			got.Exits(t, 1)
			got.Complains(t, tc.want)
			// The other nine are shown even so.
			got.Says(t, "Posting 10 sample events", "CALL#call_1d4e5f6a")
		})
	}
}

func TestDemoTakesAnEventThatIsNotKnown(t *testing.T) {
	t.Parallel()
	folder := copySamples(t)
	if err := os.WriteFile(filepath.Join(folder, "fax.received.json"), []byte(`{"event":"fax.received","data":{"pages":2}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := demo(t, t.TempDir(), folder)
	got.Exits(t, 0)
	got.Says(t, "10 of 10 samples stored, 10 of them new", "EVENT#fax.received")
}

func TestWithoutSamplesDemoSaysWhereTheyAre(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]string{
		"no folder":          filepath.Join(t.TempDir(), "none"),
		"nothing in it":      t.TempDir(),
		"no samples in it":   filepath.Dir(writeFile(t, "README.md", "")),
		"a file, not folder": filepath.Join(samples(t), "call.missed.json"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := demo(t, t.TempDir(), folder)
			got.Exits(t, 1)
			got.Complains(t, folder, "--samples")
		})
	}
}

func TestTheTokenOfADemoIsInNoError(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo(t, data, samples(t)).Exits(t, 0)
	secret, err := local.ReadSecret(data)
	if err != nil {
		t.Fatal(err)
	}
	got := demo(t, data, t.TempDir())
	got.Exits(t, 1)
	got.Hides(t, secret.Token)
}

func demo(t *testing.T, data, samples string) clitest.Result {
	t.Helper()
	return program.Run(t, "demo", "--data", data, "--samples", samples)
}

// A binary from "go install" has no source folder beside it.
func TestTheProgramStandsAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	got := program.Run(t, "demo")
	got.Exits(t, 0)
	got.Says(t, "9 of 9 samples stored, 9 of them new. 2 of 2 alerts sent just now.")

	w := newWebhook(t, http.StatusOK, stored)
	program.Run(t, "send", "--url", w.url(), "call.missed").Exits(t, 0)
	if got := len(w.requests()); got != 1 {
		t.Errorf("%d posted, want the sample", got)
	}
}

// copySamples returns a folder with the nine samples.
func copySamples(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	paths, err := filepath.Glob(filepath.Join(samples(t), "*.json"))
	if err != nil || len(paths) != 9 {
		t.Fatalf("%d samples, %v, want 9", len(paths), err)
	}
	for _, path := range paths {
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), []byte(readFile(t, path)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// tamper changes the file of a store that is not open.
func tamper(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}
