#!/usr/bin/env bash
# Guess: packages that count the parts of a long text message agree, as long as the text has only characters of the SMS
# alphabet and each package knows that € and the brackets take two places.
#
# What happens: sms-length divides the places by 153. The two places of such a character may not be in two parts, so where
# one would be, the first part stays a place short and everything after it moves on. Twilio's calculator and split-sms
# count so. The same letters with the € one place further on fit into two parts again.
#
# Versions: sms-length 0.2.2, sms-segments-calculator 1.3.0 and split-sms 0.1.7, each the newest; GSM 03.40 (today 3GPP TS
# 23.040), section 9.2.3.24.1. Seen on 2026-11-29:
#   306 letters: sms-length 2, sms-segments-calculator 2, split-sms 2 (153 153)
#   152 letters, €, 152 letters: sms-length 2, sms-segments-calculator 3, split-sms 3 (152 152 1)
#   153 letters, €, 151 letters: sms-length 2, sms-segments-calculator 2, split-sms 2 (153 152)
#   153 €: sms-length 2, sms-segments-calculator 3, split-sms 3 (76 76 1)
#
# Why it matters to us: an alert by SMS is cut to one message of 160 places, where adding up is right. A budget of two parts,
# 306 places, would not be kept by adding up: with brackets from a caller's text or a € some alerts need a third part, which
# is paid for, depending on where the character stands. For more than one part, split and count.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --prefix "$dir" sms-length@0.2.2 sms-segments-calculator@1.3.0 split-sms@0.1.7 > log

cat > main.js <<'EOF'
const { count } = require('sms-length')
const { SegmentedMessage } = require('sms-segments-calculator')
const { split } = require('split-sms')

for (const [name, text] of [
  ['306 letters', 'a'.repeat(306)],
  ['152 letters, €, 152 letters', 'a'.repeat(152) + '€' + 'a'.repeat(152)],
  ['153 letters, €, 151 letters', 'a'.repeat(153) + '€' + 'a'.repeat(151)],
  ['153 €', '€'.repeat(153)],
]) {
  const parts = split(text).parts
  console.log(`${name}: sms-length ${count(text).messages},`,
    `sms-segments-calculator ${new SegmentedMessage(text).segmentsCount},`,
    `split-sms ${parts.length} (${parts.map(part => part.length).join(' ')})`)
}
EOF
node main.js | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
306 letters: sms-length 2, sms-segments-calculator 2, split-sms 2 (153 153)
152 letters, €, 152 letters: sms-length 2, sms-segments-calculator 3, split-sms 3 (152 152 1)
153 letters, €, 151 letters: sms-length 2, sms-segments-calculator 2, split-sms 2 (153 152)
153 €: sms-length 2, sms-segments-calculator 3, split-sms 3 (76 76 1)
EOF
