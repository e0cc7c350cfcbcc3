#!/usr/bin/env bash
# Guess: github.com/nyaruka/phonenumbers, a port of Google's libphonenumber, takes an extension off a number whatever stands
# behind it: a bracket, a full stop, a blank. The original first removes what can end no number.
#
# What happens: with anything behind the extension the port keeps the number whole and dials it: "(ext. 12)" is four more
# digits, since letters stand for keys of a telephone, 398 for "ext". A short German number turns into another valid one. The
# pattern for what can end no number is copied from Java, where && in brackets is an intersection of sets; to Go it is two
# ampersands, which no number ends with.
#
# Versions: phonenumbers v1.8.1 (the newest) with Go 1.26.8; the Python port phonenumbers 9.0.43. Seen on 2026-11-30:
#   Go     "+1 212 555 0123 ext. 12" +12125550123 extension="12" valid=true
#   Go     "+1 212 555 0123 ext. 12 " +1212555012339812 extension="" valid=false
#   Go     "+1 212 555 0123 (ext. 12)" +1212555012339812 extension="" valid=false
#   Go     "+49 30 23125 012 (x12)" +49302312501212 extension="" valid=true
#   Python "+1 212 555 0123 ext. 12" +12125550123 extension="12" valid=true
#   Python "+1 212 555 0123 ext. 12 " +12125550123 extension="12" valid=true
#   Python "+1 212 555 0123 (ext. 12)" +12125550123 extension="12" valid=true
#   Python "+49 30 23125 012 (x12)" +493023125012 extension="12" valid=true
#
# Why it matters to us: address books write extensions in brackets, and a blank at the end is invisible. Such a contact would
# not be found when it rings, and calling back would reach nobody, or somebody else. Take the extension off before the port
# sees the number, as package events does.
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
	for _, text := range []string{
		"+1 212 555 0123 ext. 12",
		"+1 212 555 0123 ext. 12 ",
		"+1 212 555 0123 (ext. 12)",
		"+49 30 23125 012 (x12)",
	} {
		number, err := phonenumbers.Parse(text, "US")
		if err != nil {
			panic(err)
		}
		fmt.Printf("Go     %q %s extension=%q valid=%t\n",
			text, phonenumbers.Format(number, phonenumbers.E164), number.GetExtension(), phonenumbers.IsValidNumber(number))
	}
}
EOF
cat > main.py <<'EOF'
import phonenumbers as p

for text in [
    "+1 212 555 0123 ext. 12",
    "+1 212 555 0123 ext. 12 ",
    "+1 212 555 0123 (ext. 12)",
    "+49 30 23125 012 (x12)",
]:
    number = p.parse(text, "US")
    valid = str(p.is_valid_number(number)).lower()
    e164 = p.format_number(number, p.PhoneNumberFormat.E164)
    print(f'Python "{text}" {e164} extension="{number.extension or ""}" valid={valid}')
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2> log
go get github.com/nyaruka/phonenumbers@v1.8.1 2>> log || { cat log; exit 1; }
{
	go run .
	venv/bin/python main.py
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Go     "+1 212 555 0123 ext. 12" +12125550123 extension="12" valid=true
Go     "+1 212 555 0123 ext. 12 " +1212555012339812 extension="" valid=false
Go     "+1 212 555 0123 (ext. 12)" +1212555012339812 extension="" valid=false
Go     "+49 30 23125 012 (x12)" +49302312501212 extension="" valid=true
Python "+1 212 555 0123 ext. 12" +12125550123 extension="12" valid=true
Python "+1 212 555 0123 ext. 12 " +12125550123 extension="12" valid=true
Python "+1 212 555 0123 (ext. 12)" +12125550123 extension="12" valid=true
Python "+49 30 23125 012 (x12)" +493023125012 extension="12" valid=true
EOF
