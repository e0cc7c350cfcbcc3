#!/usr/bin/env bash
# Guess: the newest patch of a supported Go release brings the year's time zone rules to a program that imports
# time/tzdata.
#
# What happens: patches leave the rules as they are, and neither of the two newest releases has this autumn's.
# British Columbia, Alberta and Manitoba did not set their clocks back on 1 November 2026. Go 1.26.11 embeds 2025c and is
# an hour slow in all three. Go 1.27.4 embeds 2026c, which has the first two and not Manitoba. No error is returned, and
# Go names plausible zones. IANA's newest rules call Vancouver's time MST and Winnipeg's EST.
#
# Versions: Go 1.26.11 and 1.27.4, the newest patches; tzdata 2026.6 of PyPI (IANA 2026f). Seen on 2026-11-28, for a call
# at 20:00 UTC:
#   go1.26.11 America/Vancouver 12:00 -0800 PST
#   go1.26.11 America/Edmonton 13:00 -0700 MST
#   go1.26.11 America/Winnipeg 14:00 -0600 CST
#   go1.26.11 America/Toronto 15:00 -0500 EST
#   go1.27.4 America/Vancouver 13:00 -0700 MST
#   go1.27.4 America/Edmonton 14:00 -0600 CST
#   go1.27.4 America/Winnipeg 14:00 -0600 CST
#   go1.27.4 America/Toronto 15:00 -0500 EST
#   IANA 2026f America/Vancouver 13:00 -0700 MST
#   IANA 2026f America/Edmonton 14:00 -0600 CST
#   IANA 2026f America/Winnipeg 15:00 -0500 EST
#   IANA 2026f America/Toronto 15:00 -0500 EST
#
# Why it matters to us: an alert by SMS or e-mail says when the caller rang, in the shop's local time, and its business
# hours and holidays begin in that time too. For a shop in Winnipeg both are an hour off all winter, with the newest Go.
# Go asks ZONEINFO first, then the system's database, then time/tzdata: newer rules have to come by one of the first two.
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir" && rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tzdata==2026.6

cat > go.mod <<'EOF'
module finding

go 1.26
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	call := time.Date(2026, time.November, 28, 20, 0, 0, 0, time.UTC)
	for _, name := range []string{"America/Vancouver", "America/Edmonton", "America/Winnipeg", "America/Toronto"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		fmt.Println(runtime.Version(), name, call.In(zone).Format("15:04 -0700 MST"))
	}
}
EOF
cat > main.py <<'EOF'
import datetime
import tzdata
import zoneinfo

call = datetime.datetime(2026, 11, 28, 20, tzinfo=datetime.timezone.utc)
for name in ["America/Vancouver", "America/Edmonton", "America/Winnipeg", "America/Toronto"]:
    print("IANA", tzdata.IANA_VERSION, name, call.astimezone(zoneinfo.ZoneInfo(name)).strftime("%H:%M %z %Z"))
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules"
{
	for version in go1.26.11 go1.27.4; do
		GOTOOLCHAIN=$version go build -o "$version" .
		# time/tzdata embeds this file. ZONEINFO names it so that the machine's own database, which Go prefers, has no say.
		ZONEINFO="$(GOTOOLCHAIN=$version go env GOROOT)/lib/time/zoneinfo.zip" "./$version"
	done
	PYTHONTZPATH='' venv/bin/python main.py
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
go1.26.11 America/Vancouver 12:00 -0800 PST
go1.26.11 America/Edmonton 13:00 -0700 MST
go1.26.11 America/Winnipeg 14:00 -0600 CST
go1.26.11 America/Toronto 15:00 -0500 EST
go1.27.4 America/Vancouver 13:00 -0700 MST
go1.27.4 America/Edmonton 14:00 -0600 CST
go1.27.4 America/Winnipeg 14:00 -0600 CST
go1.27.4 America/Toronto 15:00 -0500 EST
IANA 2026f America/Vancouver 13:00 -0700 MST
IANA 2026f America/Edmonton 14:00 -0600 CST
IANA 2026f America/Winnipeg 15:00 -0500 EST
IANA 2026f America/Toronto 15:00 -0500 EST
EOF
