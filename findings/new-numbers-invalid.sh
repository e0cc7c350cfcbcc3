#!/usr/bin/env bash
# Guess: the newest release of github.com/nyaruka/phonenumbers, whose change log is a row of "Update metadata", knows the
# numbers that telephones have today; IsValidNumber is a safe check before a number goes into the address book.
#
# What happens: v1.8.1 of 15 July 2026 is the newest, with the data of libphonenumber 9.0.32. It calls Japan's mobile
# numbers with 060 and Quebec's area code 273 invalid, and finds no region for the latter. The same parser with the data of
# 9.0.43, in Python, accepts both. IsPossibleNumber and E.164 format are right in either.
#
# Versions: phonenumbers v1.8.1 with Go 1.26.8; the Python port phonenumbers 9.0.43. Seen on 2026-11-28:
#   Go +819012345678 possible=true valid=true region="JP"
#   Go +816012345678 possible=true valid=false region="JP"
#   Go +14382015550 possible=true valid=true region="CA"
#   Go +12732015550 possible=true valid=false region=""
#   Python +819012345678 possible=true valid=true region="JP"
#   Python +816012345678 possible=true valid=true region="JP"
#   Python +14382015550 possible=true valid=true region="CA"
#   Python +12732015550 possible=true valid=true region="CA"
#
# Why it matters to us: a caller with a new number is a caller like any other. A webhook that keeps only "valid" numbers,
# or an address book that refuses them, drops the calls of whole districts without an error. Ask IsPossibleNumber at most.
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

	p "github.com/nyaruka/phonenumbers"
)

func main() {
	for _, e164 := range []string{"+819012345678", "+816012345678", "+14382015550", "+12732015550"} {
		number, err := p.Parse(e164, "")
		if err != nil {
			panic(err)
		}
		fmt.Printf("Go %s possible=%t valid=%t region=%q\n",
			p.Format(number, p.E164), p.IsPossibleNumber(number), p.IsValidNumber(number), p.GetRegionCodeForNumber(number))
	}
}
EOF
cat > main.py <<'EOF'
import json

import phonenumbers as p

for e164 in ["+819012345678", "+816012345678", "+14382015550", "+12732015550"]:
    number = p.parse(e164, None)
    possible, valid, region = map(
        json.dumps, (p.is_possible_number(number), p.is_valid_number(number), p.region_code_for_number(number)))
    print(f"Python {e164} possible={possible} valid={valid} region={region}")
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules"
go mod init finding 2> log
go get github.com/nyaruka/phonenumbers@v1.8.1 2>> log || { cat log; exit 1; }
{
	go run .
	venv/bin/python main.py
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Go +819012345678 possible=true valid=true region="JP"
Go +816012345678 possible=true valid=false region="JP"
Go +14382015550 possible=true valid=true region="CA"
Go +12732015550 possible=true valid=false region=""
Python +819012345678 possible=true valid=true region="JP"
Python +816012345678 possible=true valid=true region="JP"
Python +14382015550 possible=true valid=true region="CA"
Python +12732015550 possible=true valid=true region="CA"
EOF
