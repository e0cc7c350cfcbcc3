// Package zone has the time zones of the IANA database, embedded: Go's own copy is
// older than the release of Go, and that of the machine as old as the machine.
// "make generate" writes zoneinfo.zip from the newest data that
// .tools/requirements.txt pins.
package zone

import (
	"archive/zip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

//go:embed zoneinfo.zip
var zoneinfo string

// ErrUnknown means that the database has no such zone.
var ErrUnknown = errors.New("no time zone of the IANA database, such as America/New_York or UTC")

// Load returns a zone by its name in the IANA database, such as "America/New_York",
// in any letter case. The error wraps [ErrUnknown].
func Load(name string) (*time.Location, error) {
	if strings.EqualFold(name, "UTC") {
		return time.UTC, nil
	}
	archive, err := zip.NewReader(strings.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("zone data: %w", err)
	}
	for _, file := range archive.File {
		if strings.EqualFold(file.Name, name) {
			return read(file)
		}
	}
	return nil, fmt.Errorf("%q: %w", name, ErrUnknown)
}

func read(file *zip.File) (*time.Location, error) {
	content, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("zone data: %w", err)
	}
	rules, err := io.ReadAll(content)
	if err != nil {
		return nil, fmt.Errorf("zone data: %w", err)
	}
	location, err := time.LoadLocationFromTZData(file.Name, rules)
	if err != nil {
		return nil, fmt.Errorf("zone data of %s: %w", file.Name, err)
	}
	return location, nil
}

// Local returns the zone of this machine, with the rules of the embedded database if
// the zone's name can be found.
func Local() *time.Location { return local(os.LookupEnv, os.Readlink) }

func local(lookupEnv func(string) (string, bool), readlink func(string) (string, error)) *time.Location {
	name, ok := lookupEnv("TZ")
	if !ok {
		name, _ = readlink("/etc/localtime")
	}
	name = strings.TrimPrefix(name, ":")
	if _, after, ok := strings.Cut(name, "zoneinfo/"); ok {
		name = after
	}
	if location, err := Load(name); err == nil {
		return location
	}
	return time.Local
}
