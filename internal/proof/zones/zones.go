// Package zones has the time zones and the instants with which tests of clocks try
// their code.
package zones

import (
	"archive/zip"
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/zone"
)

// odd change their clocks at midnight, by half an hour, by two hours, for Ramadan, or
// have done away with it.
var odd = []string{
	"America/Havana", "America/Vancouver", "Africa/Casablanca", "Antarctica/Troll", "Asia/Gaza", "Australia/Lord_Howe", "Pacific/Apia",
}

// All returns the zones of the database, one of those with the same rules; if short, some
// odd ones.
func All(t *testing.T, short bool) (all []*time.Location) {
	t.Helper()
	names := odd
	if !short {
		names = distinct(t)
	}
	for _, name := range names {
		z, err := zone.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, z)
	}
	return all
}

func distinct(t *testing.T) (names []string) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	data, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../zone/zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		rules, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		if !seen[string(rules)] {
			names = append(names, file.Name)
		}
		seen[string(rules)] = true
	}
	return names
}

// Changes returns when the clocks of a zone change in twenty years, the last days of
// leap years, and some other times.
func Changes(z *time.Location, random *rand.Rand) (all []time.Time) {
	offset := func(at time.Time) int {
		_, seconds := at.In(z).Zone()
		return seconds
	}
	begin := time.Date(2018, time.January, 1, 0, 0, 0, 0, time.UTC)
	for n := range 20 * 366 {
		at, last := begin.AddDate(0, 0, n+1), begin.AddDate(0, 0, n)
		switch {
		case n%366 == 0:
			all = append(all, at.Add(time.Duration(random.IntN(366*24*60))*time.Minute))
		case at.YearDay() == 366:
			all = append(all, at)
		}
		if offset(at) == offset(last) {
			continue
		}
		for at.Sub(last) > time.Minute {
			if middle := last.Add(at.Sub(last) / 2).Truncate(time.Minute); offset(middle) == offset(at) {
				at = middle
			} else {
				last = middle
			}
		}
		all = append(all, at)
	}
	return all
}
