#!/usr/bin/env bash
# Guess: what one vCard library writes another reads; a card that goes back and forth between two programs stays as it is.
#
# What happens: a semicolon gets one more backslash each time. vobject puts one before every semicolon, in a tel: URI too, where
# RFC 6350 has none, so a number with an extension is no number any more; it takes a card of version 4.0 and treats it as one of
# 3.0. go-vcard takes a backslash off before a comma and not before a semicolon, and doubles it when it writes. Each reads what
# it wrote itself.
#
# Versions: vobject 0.9.9, github.com/emersion/go-vcard of 18 June 2026 and github.com/nyaruka/phonenumbers v1.8.1 for the
# number, each the newest, the last two with Go 1.26.8; RFC 6350, sections 3.4 and 4. Seen on 2026-11-30:
#   as sent:
#     vobject  tel:+1-212-555-0123;ext=12 | mornings; not Fridays
#     go-vcard tel:+1-212-555-0123;ext=12 | mornings\; not Fridays | +12125550123
#   vobject writes:
#     vobject  tel:+1-212-555-0123;ext=12 | mornings; not Fridays
#     go-vcard tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays | the phone number supplied is not a number
#   go-vcard writes that on:
#     vobject  tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays
#     go-vcard tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays | the phone number supplied is not a number
#   vobject writes that on:
#     vobject  tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays
#     go-vcard tel:+1-212-555-0123\\;ext=12 | mornings\\; not Fridays | the phone number supplied is not a number
#
# Why it matters to us: names of callers come from address books, which synchronise as vCards; vobject and go-vcard are what
# Python and Go have for them. A contact that has gone through both looks whole, and yet stays nameless when it rings, since what
# cannot be parsed is found under no number. Package events reads a number and its extension with the backslashes too.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check vobject==0.9.9

cat > main.py <<'EOF'
import sys

import vobject

card = vobject.readOne(open(sys.argv[1], newline="").read())
print("  vobject ", card.tel.value, "|", card.note.value)
if len(sys.argv) > 2:
    open(sys.argv[2], "w", newline="").write(card.serialize())
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/emersion/go-vcard"
	"github.com/nyaruka/phonenumbers"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	card, err := vcard.NewDecoder(strings.NewReader(string(text))).Decode()
	if err != nil {
		panic(err)
	}
	number, err := phonenumbers.Parse(card.Value("TEL"), "US")
	is := fmt.Sprint(err)
	if err == nil {
		is = phonenumbers.Format(number, phonenumbers.E164)
	}
	fmt.Println("  go-vcard", card.Value("TEL"), "|", card.Value("NOTE"), "|", is)
	if len(os.Args) > 2 {
		var written strings.Builder
		if err := vcard.NewEncoder(&written).Encode(card); err != nil {
			panic(err)
		}
		if err := os.WriteFile(os.Args[2], []byte(written.String()), 0o600); err != nil {
			panic(err)
		}
	}
}
EOF
cat > sent.vcf <<'EOF'
BEGIN:VCARD
VERSION:4.0
FN:Ann Example
N:Example;Ann;;;
TEL;VALUE=uri:tel:+1-212-555-0123;ext=12
NOTE:mornings\; not Fridays
END:VCARD
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2> log
go get github.com/emersion/go-vcard@v0.0.0-20260618161152-d854b7e0e2d3 github.com/nyaruka/phonenumbers@v1.8.1 2>> log ||
	{ cat log; exit 1; }
go build -o main .
{
	echo "as sent:"
	venv/bin/python main.py sent.vcf first.vcf
	./main sent.vcf
	echo "vobject writes:"
	venv/bin/python main.py first.vcf
	./main first.vcf second.vcf
	echo "go-vcard writes that on:"
	venv/bin/python main.py second.vcf third.vcf
	./main second.vcf
	echo "vobject writes that on:"
	venv/bin/python main.py third.vcf
	./main third.vcf
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
as sent:
  vobject  tel:+1-212-555-0123;ext=12 | mornings; not Fridays
  go-vcard tel:+1-212-555-0123;ext=12 | mornings\; not Fridays | +12125550123
vobject writes:
  vobject  tel:+1-212-555-0123;ext=12 | mornings; not Fridays
  go-vcard tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays | the phone number supplied is not a number
go-vcard writes that on:
  vobject  tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays
  go-vcard tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays | the phone number supplied is not a number
vobject writes that on:
  vobject  tel:+1-212-555-0123\;ext=12 | mornings\; not Fridays
  go-vcard tel:+1-212-555-0123\\;ext=12 | mornings\\; not Fridays | the phone number supplied is not a number
EOF
