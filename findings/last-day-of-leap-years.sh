#!/usr/bin/env bash
# Guess: the end that time.Time.ZoneBounds returns is after the time that it was asked about, so that a loop from one
# end to the next passes every clock change and ends.
#
# What happens: on 31 December of leap years (UTC) the end has passed, or is the time itself. In the years for which a zone's
# data has a rule instead of a list, Go gives each year 365 days. The data that Debian and PyPI ship today has rules from the
# present on; what Go embeds has lists until 2037. A loop that asks again at the end never gets on.
#
# Versions: Go 1.26.11 and 1.27.4; tzdata 2026.6 of PyPI (IANA 2026f). Known as golang/go#81583 (September 2026, fix
# pending). Seen on 2026-11-28, asked about 31 December, 00:00 UTC:
#   go1.26.11 2027: ends 2028-01-01T00:00:00Z, in the future: true
#   go1.26.11 2028: ends 2028-12-31T00:00:00Z, in the future: false
#   go1.27.4 2027: ends 2028-01-01T00:00:00Z, in the future: true
#   go1.27.4 2028: ends 2028-12-31T00:00:00Z, in the future: false
#
# Why it matters to us: business time is counted from one clock change to the next. On Sunday, 31 December 2028, every
# question when somebody has waited for fifteen minutes would never have been answered. Take the next midnight if the end is
# not after the time.
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir" && rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tzdata==2026.6
ZONEINFO=$(venv/bin/python -c 'import importlib.resources; print(importlib.resources.files("tzdata") / "zoneinfo")')
export ZONEINFO

cat > go.mod <<'END'
module finding

go 1.26
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	zone, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		panic(err)
	}
	for _, year := range []int{2027, 2028} {
		at := time.Date(year, time.December, 31, 0, 0, 0, 0, time.UTC).In(zone)
		_, end := at.ZoneBounds()
		fmt.Printf("%s %d: ends %s, in the future: %t\n", runtime.Version(), year, end.UTC().Format(time.RFC3339), end.After(at))
	}
}
END

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules"
for version in go1.26.11 go1.27.4; do
	GOTOOLCHAIN=$version go run .
done | tee seen

diff - seen <<'END' || { echo "This has changed." >&2; exit 1; }
go1.26.11 2027: ends 2028-01-01T00:00:00Z, in the future: true
go1.26.11 2028: ends 2028-12-31T00:00:00Z, in the future: false
go1.27.4 2027: ends 2028-01-01T00:00:00Z, in the future: true
go1.27.4 2028: ends 2028-12-31T00:00:00Z, in the future: false
END
