#!/usr/bin/env bash
# Guess: the ports of libphonenumber agree on the time zones of a number, and a number whose prefix belongs to one island
# has that island's.
#
# What happens: both are wrong about mobiles, in opposite ways. The Python port, as the original does, gives a number that
# is bound to no place all zones of its calling code: a Jamaican mobile has 42 of them, from Hawaii to Newfoundland, though
# 876 is Jamaica's alone. The Go port looks up the digits and does not ask whether they say a place: an Australian mobile,
# or the nationwide 1300, is in Sydney, and Perth is up to three hours off.
#
# Versions: phonenumbers v1.8.1 with Go 1.26.8; the Python port phonenumbers 9.0.43; both the newest. Seen on 2026-11-29:
#   Go     +18765550123 1 America/Jamaica
#   Go     +61491570156 1 Australia/Sydney
#   Go     +611300975707 1 Australia/Sydney
#   Go     +14155550120 1 America/Los_Angeles
#   Python +18765550123 42 America/Adak
#   Python +61491570156 8 Australia/Adelaide
#   Python +611300975707 8 Australia/Adelaide
#   Python +14155550120 1 America/Los_Angeles
#
# Why it matters to us: "call back, it is 17:00 there" is what an alert would like to say, and one zone from the Go port looks
# certain where it is a guess. Taking the first of the Python port's puts Kingston in Alaska. An alert shows the shop's time.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43

cat > main.go <<'EOF'
package main

import (
	"fmt"

	"github.com/nyaruka/phonenumbers"
)

func main() {
	for _, e164 := range []string{"+18765550123", "+61491570156", "+611300975707", "+14155550120"} {
		number, err := phonenumbers.Parse(e164, "")
		if err != nil {
			panic(err)
		}
		zones, err := phonenumbers.GetTimezonesForNumber(number)
		if err != nil {
			panic(err)
		}
		fmt.Println("Go    ", e164, len(zones), zones[0])
	}
}
EOF
cat > main.py <<'EOF'
from phonenumbers import parse, timezone

for e164 in ["+18765550123", "+61491570156", "+611300975707", "+14155550120"]:
    zones = timezone.time_zones_for_number(parse(e164, None))
    print("Python", e164, len(zones), zones[0])
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules"
go mod init finding 2> log
go get github.com/nyaruka/phonenumbers@v1.8.1 2>> log || { cat log; exit 1; }
{
	go run .
	venv/bin/python main.py
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Go     +18765550123 1 America/Jamaica
Go     +61491570156 1 Australia/Sydney
Go     +611300975707 1 Australia/Sydney
Go     +14155550120 1 America/Los_Angeles
Python +18765550123 42 America/Adak
Python +61491570156 8 Australia/Adelaide
Python +611300975707 8 Australia/Adelaide
Python +14155550120 1 America/Los_Angeles
EOF
