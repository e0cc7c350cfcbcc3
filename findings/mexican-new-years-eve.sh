#!/usr/bin/env bash
# Guess: the Python package workalendar, asked for Mexico, lists the holidays of Mexican labour law, and 31 December is not one
# of them.
#
# What happens: it is one in every year but those before which New Year's Day is a Monday. The package means to move a New
# Year's Day that is a Saturday to the Friday before, as its comment says, but its condition holds for each day of the week
# whose number is not 0. Mexico does not move holidays in this way at all: article 74 of the law lists the days, and three
# of them on Mondays.
#
# Versions: workalendar 17.0.0 and holidays 0.109, both the newest. Seen on 2026-11-30, for 31 December:
#   workalendar 2024 Tuesday, the day before Wednesday: holiday
#   workalendar 2025 Wednesday, the day before Thursday: holiday
#   workalendar 2026 Thursday, the day before Friday: holiday
#   workalendar 2027 Friday, the day before Saturday: holiday
#   workalendar 2028 Sunday, the day before Monday: no holiday
#   holidays 2024 Tuesday, the day before Wednesday: no holiday
#   holidays 2025 Wednesday, the day before Thursday: no holiday
#   holidays 2026 Thursday, the day before Friday: no holiday
#   holidays 2027 Friday, the day before Saturday: no holiday
#   holidays 2028 Sunday, the day before Monday: no holiday
#
# Why it matters to us: business time stands still on the holidays of a list. With one day too many nobody who rings on the last
# working day of the year is ever reported as waiting until the next year, and no later check contradicts it. Read through the
# list that a package makes, once for the days that it lacks and once for those that it has.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check workalendar==17.0.0 holidays==0.109

cat > main.py <<'EOF'
import datetime

import holidays
from workalendar.america import Mexico

packages = {
    "workalendar": lambda day: Mexico().is_holiday(day),
    "holidays": lambda day: day in holidays.country_holidays("MX"),
}
for name, is_holiday in packages.items():
    for year in range(2024, 2029):
        day = datetime.date(year, 12, 31)
        following = day + datetime.timedelta(days=1)
        answer = "holiday" if is_holiday(day) else "no holiday"
        print(f"{name} {year} {day:%A}, the day before {following:%A}: {answer}")
EOF
venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
workalendar 2024 Tuesday, the day before Wednesday: holiday
workalendar 2025 Wednesday, the day before Thursday: holiday
workalendar 2026 Thursday, the day before Friday: holiday
workalendar 2027 Friday, the day before Saturday: holiday
workalendar 2028 Sunday, the day before Monday: no holiday
holidays 2024 Tuesday, the day before Wednesday: no holiday
holidays 2025 Wednesday, the day before Thursday: no holiday
holidays 2026 Thursday, the day before Friday: no holiday
holidays 2027 Friday, the day before Saturday: no holiday
holidays 2028 Sunday, the day before Monday: no holiday
EOF
