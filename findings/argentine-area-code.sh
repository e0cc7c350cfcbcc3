#!/usr/bin/env bash
# Guess: github.com/nyaruka/phonenumbers, a port of Google's libphonenumber, writes every valid number as the original
# does, so a caller's number in national format can be dialled.
#
# What happens: an Argentine mobile loses its area code. The rule for these numbers reorders their groups ("$2 15-$3-$4")
# and puts a 0 before the first group it prints, which is $2. The port puts the 0 before $1, the 9 that marks a mobile,
# and drops $2. Every area code ends up as 09, and the port itself reads the result back as somebody else's number.
# E.164 and international format are right, and so is the national format of Argentine landlines.
#
# Versions: phonenumbers v1.8.1 (the newest) with Go 1.26.8; the Python port phonenumbers 9.0.43. Seen on 2026-11-28.
#   Go     +5491123456789 valid=true national="09 15-2345-6789" read back as +5491523456789
#   Go     +5493412345678 valid=true national="09 15-234-5678" read back as +549152345678
#   Go     +541123456789 valid=true national="011 2345-6789" read back as +541123456789
#   Python +5491123456789 valid=true national="011 15-2345-6789" read back as +5491123456789
#   Python +5493412345678 valid=true national="0341 15-234-5678" read back as +5493412345678
#   Python +541123456789 valid=true national="011 2345-6789" read back as +541123456789
#
# Why it matters to us: alerts show the number to call back, and a short national form is tempting where an SMS counts
# characters. Show international format, and look callers up by E.164 only.
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
	for _, e164 := range []string{"+5491123456789", "+5493412345678", "+541123456789"} {
		number, err := phonenumbers.Parse(e164, "")
		if err != nil {
			panic(err)
		}
		national := phonenumbers.Format(number, phonenumbers.NATIONAL)
		again, err := phonenumbers.Parse(national, "AR")
		back := "an error"
		if err == nil {
			back = phonenumbers.Format(again, phonenumbers.E164)
		}
		fmt.Printf("Go     %s valid=%t national=%q read back as %s\n",
			e164, phonenumbers.IsValidNumber(number), national, back)
	}
}
EOF
cat > main.py <<'EOF'
import phonenumbers as p

for e164 in ["+5491123456789", "+5493412345678", "+541123456789"]:
    national = p.format_number(p.parse(e164, None), p.PhoneNumberFormat.NATIONAL)
    back = p.format_number(p.parse(national, "AR"), p.PhoneNumberFormat.E164)
    print(f'Python {e164} valid={str(p.is_valid_number(p.parse(e164, None))).lower()} national="{national}" read back as {back}')
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules"
go mod init finding 2> log
go get github.com/nyaruka/phonenumbers@v1.8.1 2>> log || { cat log; exit 1; }
{
	go run .
	venv/bin/python main.py
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Go     +5491123456789 valid=true national="09 15-2345-6789" read back as +5491523456789
Go     +5493412345678 valid=true national="09 15-234-5678" read back as +549152345678
Go     +541123456789 valid=true national="011 2345-6789" read back as +541123456789
Python +5491123456789 valid=true national="011 15-2345-6789" read back as +5491123456789
Python +5493412345678 valid=true national="0341 15-234-5678" read back as +5493412345678
Python +541123456789 valid=true national="011 2345-6789" read back as +541123456789
EOF
