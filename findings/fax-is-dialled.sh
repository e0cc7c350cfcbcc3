#!/usr/bin/env bash
# Guess: libphonenumber's parser, which skips "Tel:" before a number, skips or refuses a word behind it. Letters stand for
# keys only where a number is spelt with them, such as 1-800-FLOWERS.
#
# What happens: from three letters on every letter behind a number is dialled. "(Fax)" is 329, "Home" is 4663. German and
# Austrian numbers may grow by so much, so the result is valid, and somebody else's. Google's own code and its ports in Go and
# Python agree; libphonenumber-js stops at the word, and so has no 1-800-FLOWERS either. Where a number cannot be so long the
# result is not possible, but no error comes.
#
# Versions: phonenumbers 9.0.43 (Python), google-libphonenumber 3.2.47, libphonenumber-js 1.13.16 and
# github.com/nyaruka/phonenumbers v1.8.1, each the newest, the last with Go 1.26.8. Seen on 2026-11-30, the country Germany:
#   Python Fax: +49 30 23125 012 -> +493023125012 valid
#   Python +49 30 23125 012 (Fax) -> +493023125012329 valid
#   Python +49 30 23125 012 Home -> +4930231250124663 valid
#   Python +44 20 7946 0123 (Fax) -> +442079460123329 not valid
#   Google Fax: +49 30 23125 012 -> +493023125012 valid
#   Google +49 30 23125 012 (Fax) -> +493023125012329 valid
#   Google +49 30 23125 012 Home -> +4930231250124663 valid
#   Google +44 20 7946 0123 (Fax) -> +442079460123329 not valid
#   libphonenumber-js Fax: +49 30 23125 012 -> +493023125012 valid
#   libphonenumber-js +49 30 23125 012 (Fax) -> +493023125012 valid
#   libphonenumber-js +49 30 23125 012 Home -> +493023125012 valid
#   libphonenumber-js +44 20 7946 0123 (Fax) -> +442079460123 valid
#   Go Fax: +49 30 23125 012 -> +493023125012 valid
#   Go +49 30 23125 012 (Fax) -> +493023125012329 valid
#   Go +49 30 23125 012 Home -> +4930231250124663 valid
#   Go +44 20 7946 0123 (Fax) -> +442079460123329 not valid
#
# Why it matters to us: people write in an address book which of two numbers it is. Read so, the contact's name is not shown
# when he rings, and a check for validity passes. Take a label off on both sides before the parser sees the number, as package
# events does.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43
npm install --silent --no-audit --no-fund --prefix "$dir" libphonenumber-js@1.13.16 google-libphonenumber@3.2.47 > log

cat > texts <<'EOF'
Fax: +49 30 23125 012
+49 30 23125 012 (Fax)
+49 30 23125 012 Home
+44 20 7946 0123 (Fax)
EOF
cat > main.py <<'EOF'
import phonenumbers as p

for text in open("texts").read().splitlines():
    number = p.parse(text, "DE")
    valid = "valid" if p.is_valid_number(number) else "not valid"
    print("Python", text, "->", p.format_number(number, p.PhoneNumberFormat.E164), valid)
EOF
cat > main.js <<'EOF'
const fs = require('fs')
const { parsePhoneNumberFromString } = require('libphonenumber-js/max')
const { PhoneNumberFormat, PhoneNumberUtil } = require('google-libphonenumber')

const texts = fs.readFileSync('texts', 'utf8').trim().split('\n')
const google = PhoneNumberUtil.getInstance()
for (const text of texts) {
  const number = google.parse(text, 'DE')
  const valid = google.isValidNumber(number) ? 'valid' : 'not valid'
  console.log('Google', text, '->', google.format(number, PhoneNumberFormat.E164), valid)
}
for (const text of texts) {
  const number = parsePhoneNumberFromString(text, 'DE')
  console.log('libphonenumber-js', text, '->', number?.number, number?.isValid() ? 'valid' : 'not valid')
}
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

func main() {
	texts, err := os.ReadFile("texts")
	if err != nil {
		panic(err)
	}
	for text := range strings.Lines(string(texts)) {
		text = strings.TrimSpace(text)
		number, err := phonenumbers.Parse(text, "DE")
		if err != nil {
			panic(err)
		}
		valid := "valid"
		if !phonenumbers.IsValidNumber(number) {
			valid = "not valid"
		}
		fmt.Println("Go", text, "->", phonenumbers.Format(number, phonenumbers.E164), valid)
	}
}
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2>> log
go get github.com/nyaruka/phonenumbers@v1.8.1 2>> log || { cat log; exit 1; }
{
	venv/bin/python main.py
	node main.js
	go run .
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Python Fax: +49 30 23125 012 -> +493023125012 valid
Python +49 30 23125 012 (Fax) -> +493023125012329 valid
Python +49 30 23125 012 Home -> +4930231250124663 valid
Python +44 20 7946 0123 (Fax) -> +442079460123329 not valid
Google Fax: +49 30 23125 012 -> +493023125012 valid
Google +49 30 23125 012 (Fax) -> +493023125012329 valid
Google +49 30 23125 012 Home -> +4930231250124663 valid
Google +44 20 7946 0123 (Fax) -> +442079460123329 not valid
libphonenumber-js Fax: +49 30 23125 012 -> +493023125012 valid
libphonenumber-js +49 30 23125 012 (Fax) -> +493023125012 valid
libphonenumber-js +49 30 23125 012 Home -> +493023125012 valid
libphonenumber-js +44 20 7946 0123 (Fax) -> +442079460123 valid
Go Fax: +49 30 23125 012 -> +493023125012 valid
Go +49 30 23125 012 (Fax) -> +493023125012329 valid
Go +49 30 23125 012 Home -> +4930231250124663 valid
Go +44 20 7946 0123 (Fax) -> +442079460123329 not valid
EOF
