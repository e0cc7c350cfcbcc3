#!/usr/bin/env bash
# Guess: in the npm package date-holidays, a state's list has all of the country's holidays and its own besides.
#
# What happens: a state's entry for a day replaces the country's, even when it is out of force. Brazil made 20 November a
# national holiday in December 2023. Amazonas, Mato Grosso, Rio de Janeiro and São Paulo had it before by laws of their own,
# and the package ends these on that day: asked for one of the four, it has lacked the national holiday ever since.
#
# Versions: date-holidays 3.37.0 and the Python package holidays 0.109, both the newest. Seen on 2026-11-29, for
# 20 November of each year:
#   date-holidays BR 2023 no 2026 yes
#   date-holidays BR-SP 2023 yes 2026 no
#   date-holidays BR-RJ 2023 yes 2026 no
#   date-holidays BR-MG 2023 no 2026 yes
#   holidays BR 2026 yes
#   holidays BR-SP 2026 yes
#   holidays BR-RJ 2026 yes
#   holidays BR-MG 2026 yes
#
# Why it matters to us: a list of holidays is made for the part of the country (canadian-thanksgiving.sh says why). With this
# package that loses a national holiday in the two largest cities, and everybody who rang that day is reported as overdue.
# Whatever makes the list, compare it with the country's.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check holidays==0.109
npm install --silent --no-audit --no-fund --prefix "$dir" date-holidays@3.37.0 > log

cat > main.js <<'END'
const Holidays = require('date-holidays')

for (const state of [undefined, 'SP', 'RJ', 'MG']) {
  const listed = new Holidays('BR', state, { types: ['public'] })
  const on = year => listed.getHolidays(year).some(day => day.date.startsWith(`${year}-11-20`)) ? 'yes' : 'no'
  console.log(`date-holidays BR${state ? '-' + state : ''}`, ...[2023, 2026].map(year => `${year} ${on(year)}`))
}
END
cat > main.py <<'END'
import holidays

for state in [None, "SP", "RJ", "MG"]:
    listed = holidays.country_holidays("BR", subdiv=state, years=2026)
    print(f"holidays BR{'-' + state if state else ''} 2026 {'yes' if '2026-11-20' in listed else 'no'}")
END
{
	node main.js
	venv/bin/python main.py
} | tee seen

diff - seen <<'END' || { echo "This has changed." >&2; exit 1; }
date-holidays BR 2023 no 2026 yes
date-holidays BR-SP 2023 yes 2026 no
date-holidays BR-RJ 2023 yes 2026 no
date-holidays BR-MG 2023 no 2026 yes
holidays BR 2026 yes
holidays BR-SP 2026 yes
holidays BR-RJ 2026 yes
holidays BR-MG 2026 yes
END
