#!/usr/bin/env bash
# Guess: whether libphonenumber-js reads a number depends on the text of the number.
#
# What happens: of tel: URIs with a phone-context it reads every other one. The first is right, the same text again is no
# number, the third is right. One line's URI spoils that of another. The patterns that check the context are global regular
# expressions of the module, and keep the place where the last match ended. Numbers without a phone-context are not touched,
# nor is Google's own library.
#
# Versions: libphonenumber-js 1.13.16 and google-libphonenumber 3.2.47, both the newest. Known as pull request 498 of
# libphonenumber-js (July 2026, open). Seen on 2026-11-29:
#   libphonenumber-js tel:2125550123;phone-context=+1 +12125550123
#   libphonenumber-js tel:2125550123;phone-context=+1 undefined
#   libphonenumber-js tel:2125550123;phone-context=+1 +12125550123
#   libphonenumber-js tel:1632960123;phone-context=+44 undefined
#   libphonenumber-js tel:+12125550123;ext=12 +12125550123
#   google-libphonenumber tel:2125550123;phone-context=+1 +12125550123
#   google-libphonenumber tel:2125550123;phone-context=+1 +12125550123
#   google-libphonenumber tel:2125550123;phone-context=+1 +12125550123
#   google-libphonenumber tel:1632960123;phone-context=+44 +441632960123
#   google-libphonenumber tel:+12125550123;ext=12 +12125550123
#
# Why it matters to us: a function stays alive from one webhook to the next, so the caller of one call decides whether that of
# the next has a number; a test that parses each number once sees nothing. SIP exchanges write local numbers with
# a phone-context. Where JavaScript reads our events or an address book, put the context before the digits first.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --prefix "$dir" libphonenumber-js@1.13.16 google-libphonenumber@3.2.47 > log

cat > main.js <<'EOF'
const { parsePhoneNumberFromString } = require('libphonenumber-js')
const { PhoneNumberFormat, PhoneNumberUtil } = require('google-libphonenumber')

const texts = [
  'tel:2125550123;phone-context=+1',
  'tel:2125550123;phone-context=+1',
  'tel:2125550123;phone-context=+1',
  'tel:1632960123;phone-context=+44',
  'tel:+12125550123;ext=12',
]
for (const text of texts) console.log('libphonenumber-js', text, parsePhoneNumberFromString(text)?.number)
const google = PhoneNumberUtil.getInstance()
for (const text of texts) console.log('google-libphonenumber', text, google.format(google.parse(text), PhoneNumberFormat.E164))
EOF
node main.js | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
libphonenumber-js tel:2125550123;phone-context=+1 +12125550123
libphonenumber-js tel:2125550123;phone-context=+1 undefined
libphonenumber-js tel:2125550123;phone-context=+1 +12125550123
libphonenumber-js tel:1632960123;phone-context=+44 undefined
libphonenumber-js tel:+12125550123;ext=12 +12125550123
google-libphonenumber tel:2125550123;phone-context=+1 +12125550123
google-libphonenumber tel:2125550123;phone-context=+1 +12125550123
google-libphonenumber tel:2125550123;phone-context=+1 +12125550123
google-libphonenumber tel:1632960123;phone-context=+44 +441632960123
google-libphonenumber tel:+12125550123;ext=12 +12125550123
EOF
