package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table/tabletest"
)

func TestDemoStoresTheNineSamplesOnce(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	first := demo(t, data, samples(t))
	first.exits(t, 0)
	first.says(t,
		"Posting 9 sample events",
		"9 of 9 samples stored, 9 of them new",
		"1 missed call(s), 1 voicemail(s)",
		"CALL#call_1d4e5f6a", "MESSAGE#msg_a1b2c3d4", "CONTACT#98765",
		"◀ missed call", "◀ voicemail",
	)
	if got := strings.Count(first.stdout, "stored  "); got != 9 {
		t.Errorf("%d answers say stored, want 9:\n%s", got, first.stdout)
	}
	if got := strings.Count(first.stdout, "◀"); got != 2 {
		t.Errorf("%d items are marked, want 2:\n%s", got, first.stdout)
	}

	second := demo(t, data, samples(t))
	second.exits(t, 0)
	second.says(t, "9 of 9 samples stored, 0 of them new", "1 missed call(s), 1 voicemail(s)")
	if got := strings.Count(second.stdout, "duplicate  "); got != 9 {
		t.Errorf("%d answers say duplicate, want 9:\n%s", got, second.stdout)
	}
	for _, r := range []result{first, second} {
		if r.stderr != "" {
			t.Errorf("stderr: %s", r.stderr)
		}
	}
}

func TestDemoRunsFromTheFolderOfTheSource(t *testing.T) {
	t.Chdir(root(t))
	got := run(t, "demo", "--data", t.TempDir())
	got.exits(t, 0)
	got.says(t, "9 of 9 samples stored, 9 of them new")
}

func TestDemoFailsUnlessEverySampleIsStored(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, sample, want string }{
		{"cut short", `{"event":"call.missed","data":{`, "tenth"},
		{"not an object", `[]`, "tenth"},
		{"no type", `{"data":{"call_id":"1"}}`, "tenth"},
		{"a probe, which is answered 200 and not stored", `{"event":"call.missed","data":{}}`, "1 of 10 samples"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			folder := copySamples(t)
			if err := os.WriteFile(filepath.Join(folder, "tenth.json"), []byte(tc.sample), 0o600); err != nil {
				t.Fatal(err)
			}
			got := demo(t, t.TempDir(), folder)
			got.exits(t, 1)
			got.complains(t, tc.want)
			// What became of the nine is shown all the same.
			got.says(t, "Posting 10 sample events", "CALL#call_1d4e5f6a")
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
	got.exits(t, 0)
	got.says(t, "10 of 10 samples stored, 10 of them new", "EVENT#fax.received")
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
			got.exits(t, 1)
			got.complains(t, folder, "--samples")
		})
	}
}

func TestTheTokenOfADemoIsInNoError(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo(t, data, samples(t)).exits(t, 0)
	secret, err := local.ReadSecret(data)
	if err != nil {
		t.Fatal(err)
	}
	got := demo(t, data, t.TempDir())
	got.exits(t, 1)
	got.hides(t, secret.Token)
}

func demo(t *testing.T, data, samples string) result {
	t.Helper()
	return run(t, "demo", "--data", data, "--samples", samples, "--template", tabletest.TemplatePath(t))
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
