#!/usr/bin/env bash
# Guess: the two maintained parsers of OpenStreetMap's opening hours, one in Rust with a Python package and one in
# JavaScript, agree when a shop opens that is open 09:00 to 17:00 on work days and "by appointment" otherwise.
#
# What happens: the Python package uses what stands behind || on whole days without another rule, not at the times outside
# it. After hours on a Monday the shop is closed and has no next change: it never opens again, and so its list of intervals
# ends. All Saturday it is plainly open. The JavaScript package calls both unknown, with the comment, and opens on Tuesday
# at 09:00. Without the || part they agree.
#
# Versions: opening-hours-py 2.1.4 and opening_hours 3.15.0, both the newest. Seen on 2026-11-29:
#   Python with ||: Mon 20:00 closed, next change never, Sat 11:00 open
#   Python without: Mon 20:00 closed, next change Tue 09:00, Sat 11:00 closed
#   JavaScript with ||: Mon 20:00 unknown, next change Tue 09:00, Sat 11:00 unknown
#   JavaScript without: Mon 20:00 closed, next change Tue 09:00, Sat 11:00 closed
#
# Why it matters to us: a caller waits until the shop opens. Hours taken over from a map listing with such a parser would
# put off every follow-up of an evening for ever, and count the weekend as business time. Our hours have a syntax without
# fallbacks, and refuse what they do not know.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opening-hours-py==2.1.4
npm install --silent --no-audit --no-fund --prefix "$dir" opening_hours@3.15.0 > log

cat > main.py <<'EOF'
from datetime import datetime

from opening_hours import OpeningHours

monday, saturday = datetime(2027, 2, 1, 20), datetime(2027, 2, 6, 11)
for name, text in [("with ||", 'Mo-Fr 09:00-17:00 || "by appointment"'), ("without", "Mo-Fr 09:00-17:00")]:
    hours = OpeningHours(text)
    states = [str(hours.state(time)[0]).removeprefix("State.").lower() for time in (monday, saturday)]
    change = hours.next_change(monday)
    print(f"Python {name}: Mon 20:00 {states[0]}, next change {f'{change:%a %H:%M}' if change else 'never'},",
          f"Sat 11:00 {states[1]}")
EOF
cat > main.js <<'EOF'
const OpeningHours = require('opening_hours')

const [monday, saturday] = [new Date(2027, 1, 1, 20), new Date(2027, 1, 6, 11)]
for (const [name, text] of [['with ||', 'Mo-Fr 09:00-17:00 || "by appointment"'], ['without', 'Mo-Fr 09:00-17:00']]) {
  const hours = new OpeningHours(text)
  const states = [monday, saturday].map(time => hours.getStateString(time, true))
  const change = hours.getNextChange(monday)
  console.log(`JavaScript ${name}: Mon 20:00 ${states[0]}, next change`,
    `${change ? `${change.toDateString().slice(0, 3)} ${change.toTimeString().slice(0, 5)}` : 'never'},`,
    `Sat 11:00 ${states[1]}`)
}
EOF
{
	venv/bin/python main.py
	TZ=UTC node main.js
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Python with ||: Mon 20:00 closed, next change never, Sat 11:00 open
Python without: Mon 20:00 closed, next change Tue 09:00, Sat 11:00 closed
JavaScript with ||: Mon 20:00 unknown, next change Tue 09:00, Sat 11:00 unknown
JavaScript without: Mon 20:00 closed, next change Tue 09:00, Sat 11:00 closed
EOF
