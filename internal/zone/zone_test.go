package zone_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/zone"
)

// It fails when the data is older than what is known to have changed: British
// Columbia, Alberta and Manitoba did not set their clocks back in November 2026.
func TestTheDataIsCurrent(t *testing.T) {
	t.Parallel()
	winter := time.Date(2026, time.November, 28, 20, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"America/Vancouver": "13:00 MST",
		"America/Edmonton":  "14:00 CST",
		"America/Winnipeg":  "15:00 EST",
		"America/Toronto":   "15:00 EST",
		"Europe/London":     "20:00 GMT",
		"Asia/Kolkata":      "01:30 IST",
		"America/Sao_Paulo": "17:00 -03",
	} {
		location, err := zone.Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := winter.In(location).Format("15:04 MST"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestZonesAreNamedAsInTheDatabase(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"UTC": "UTC", "utc": "UTC", "Etc/UTC": "Etc/UTC", "america/new_york": "America/New_York",
		"US/Pacific": "US/Pacific", "America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires",
	} {
		location, err := zone.Load(asked)
		if err != nil || location.String() != want {
			t.Errorf("%s: %v, %v, want %s", asked, location, err, want)
		}
	}
	// PST and UTC+3 are no zones: the database has no such names.
	for _, name := range []string{"", "Local", "PST", "UTC+3", "Europe/Atlantis", "../../etc/passwd", "America/", "tzdata.zi"} {
		if location, err := zone.Load(name); !errors.Is(err, zone.ErrUnknown) {
			t.Errorf("%q: %v, %v, want %v", name, location, err, zone.ErrUnknown)
		}
	}
}

func TestTheMachinesZoneHasTheRulesOfTheData(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, variable, link, want string }{
		{"a link", "unset", "/usr/share/zoneinfo/America/Vancouver", "America/Vancouver"},
		{"a link of macOS", "unset", "/var/db/timezone/zoneinfo/America/Winnipeg", "America/Winnipeg"},
		{"the variable before the link", "Europe/Paris", "/usr/share/zoneinfo/America/Vancouver", "Europe/Paris"},
		{"a variable as POSIX has it", ":Europe/Paris", "", "Europe/Paris"},
		{"a variable with a path", "/usr/share/zoneinfo/Asia/Tokyo", "", "Asia/Tokyo"},
		{"neither", "unset", "", "Local"},
		{"a file", "unset", "/etc/clock", "Local"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			lookup := func(string) (string, bool) { return tc.variable, tc.variable != "unset" }
			readlink := func(name string) (string, error) {
				if tc.link == "" {
					return "", &fs.PathError{Op: "readlink", Path: name, Err: os.ErrInvalid}
				}
				return tc.link, nil
			}
			if got := zone.LocalWith(lookup, readlink).String(); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
