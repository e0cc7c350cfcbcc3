#!/usr/bin/env bash
# Guess: the Standard Webhooks libraries sign a moment: a datetime that knows its zone gives the signature that the same moment
# in UTC gives, and whoever verifies a minute later accepts it.
#
# What happens: the Python library takes the clock's reading in that zone for UTC. At noon in New York it signs noon in UTC,
# which was hours before, and no receiver accepts a delivery signed so, its own verify included. svix, which uses it, does the
# same. The JavaScript library signs the moment. In UTC, as most servers and CI run, all agree.
#
# Versions: standardwebhooks 1.1.0 and svix 2.9.1 of PyPI, standardwebhooks 1.1.1 of npm, each the newest. Known as
# issue 251 of standard-webhooks (August 2025, open). Seen on 2026-11-30, each signing the present moment in a zone:
#   Python: UTC: accepted
#   Python: America/New_York: No matching signature found
#   Python: Europe/London in winter: the signature of UTC
#   Python: Europe/London in summer: another signature than of UTC
#   Python, svix: America/New_York: No matching signature found
#   JavaScript: America/New_York: accepted
#
# Why it matters to us: format B of our webhooks is signed, and whoever tests a receiver, or passes our events on, signs with
# such a library. In London it works all winter and is refused from the last Sunday of March on. Keep moments as seconds or in
# UTC until a person reads them.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0 svix==2.9.1 tzdata==2026.6
npm install --silent --no-audit --no-fund --prefix "$dir" standardwebhooks@1.1.1 > log

cat > main.py <<'EOF'
import datetime
import zoneinfo

import standardwebhooks
import svix

body = '{"type": "call.missed"}'
secret = b"a secret for this test only"
verifier = standardwebhooks.Webhook(secret)


def attempt(signer, zone):
    now = datetime.datetime.now(zone)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign("msg_1", now, body),
    }
    try:
        verifier.verify(body, headers)
        return "accepted"
    except Exception as err:
        return err


def same(signer, moment):
    here = moment.astimezone(zoneinfo.ZoneInfo("Europe/London"))
    if signer.sign("msg_1", here, body) == signer.sign("msg_1", moment, body):
        return "the signature of UTC"
    return "another signature than of UTC"


new_york = zoneinfo.ZoneInfo("America/New_York")
print("Python: UTC:", attempt(verifier, datetime.timezone.utc))
print("Python: America/New_York:", attempt(verifier, new_york))
for season, month in (("winter", 1), ("summer", 7)):
    moment = datetime.datetime(2026, month, 15, 12, tzinfo=datetime.timezone.utc)
    print(f"Python: Europe/London in {season}:", same(verifier, moment))
print("Python, svix: America/New_York:", attempt(svix.Webhook(secret), new_york))
EOF
cat > main.js <<'EOF'
const { Webhook } = require('standardwebhooks')

const body = '{"type": "call.missed"}'
const webhook = new Webhook('a secret for this test only', { format: 'raw' })
const now = new Date()
const headers = {
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(Math.floor(now / 1000)),
  'webhook-signature': webhook.sign('msg_1', now, body),
}
webhook.verify(body, headers)
console.log(`JavaScript: ${process.env.TZ}: accepted`)
EOF
{
	venv/bin/python main.py
	TZ=America/New_York node main.js
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Python: UTC: accepted
Python: America/New_York: No matching signature found
Python: Europe/London in winter: the signature of UTC
Python: Europe/London in summer: another signature than of UTC
Python, svix: America/New_York: No matching signature found
JavaScript: America/New_York: accepted
EOF
