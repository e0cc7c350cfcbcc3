#!/usr/bin/env bash
# Guess: the Python package holidays, asked for Canada and nothing else, lists the days on which most Canadian shops are
# closed, and lists a province's own days only if the province is named.
#
# What happens: a country alone has only the days that hold in all of its parts. Thanksgiving is a holiday in nine of
# Canada's thirteen provinces and territories, so Canada alone has none, nor Victoria Day. The United Kingdom alone lacks
# Easter Monday and the summer bank holiday, because Scotland has neither. No error, no warning; most of the year looks right.
#
# Versions: holidays 0.109. Seen on 2026-11-28, for 2027:
#   CA: 6 days, Victoria Day False, Thanksgiving False
#   CA-ON: 11 days, Victoria Day True, Thanksgiving True
#   GB: 8 days, Easter Monday False, summer False
#   GB-ENG: 10 days, Easter Monday True, summer True
#
# Why it matters to us: business time stops on the holidays of a list, which is best made with this package: it is released
# every month. On a holiday that is not in the list, everybody who rang the closed shop is reported as overdue. Name the
# province, state or nation.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check holidays==0.109

cat > main.py <<'END'
import holidays

for country, part, days in [
    ("CA", None, {"Victoria Day": "2027-05-24", "Thanksgiving": "2027-10-11"}),
    ("CA", "ON", {"Victoria Day": "2027-05-24", "Thanksgiving": "2027-10-11"}),
    ("GB", None, {"Easter Monday": "2027-03-29", "summer": "2027-08-30"}),
    ("GB", "ENG", {"Easter Monday": "2027-03-29", "summer": "2027-08-30"}),
]:
    listed = holidays.country_holidays(country, subdiv=part, years=2027)
    print(f"{country}{'-' + part if part else ''}: {len(listed)} days,",
          ", ".join(f"{name} {day in listed}" for name, day in days.items()))
END
venv/bin/python main.py | tee seen

diff - seen <<'END' || { echo "This has changed." >&2; exit 1; }
CA: 6 days, Victoria Day False, Thanksgiving False
CA-ON: 11 days, Victoria Day True, Thanksgiving True
GB: 8 days, Easter Monday False, summer False
GB-ENG: 10 days, Easter Monday True, summer True
END
