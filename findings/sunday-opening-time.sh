#!/usr/bin/env bash
# Guess: github.com/rickar/cal/v2 opens a calendar whose work day starts at 09:00 at 09:00 local time on every work day.
#
# What happens: it adds nine hours to midnight. On the Sunday when clocks go forward WorkdayStart answers 10:00 and
# WorkdayEnd 18:00, in autumn 08:00 and 16:00. IsWorkTime of the same calendar reads the clock instead, so the two
# contradict each other for an hour in the morning and one in the evening.
#
# Versions: cal v2.1.13 with Go 1.26.8. Seen on 2026-11-28, for a shop in New York, open 09:00 to 17:00 on all days:
#   Sun 1 Mar WorkdayStart 09:00 WorkdayEnd 17:00 IsWorkTime 08:30 false 09:30 true 17:30 false
#   Sun 8 Mar WorkdayStart 10:00 WorkdayEnd 18:00 IsWorkTime 08:30 false 09:30 true 17:30 false
#   Sun 1 Nov WorkdayStart 08:00 WorkdayEnd 16:00 IsWorkTime 08:30 false 09:30 true 17:30 false
#
# Why it matters to us: whether a call was missed in business hours decides how urgent its alert is, and "back at 09:00"
# belongs in the same alert. Asked about 09:30 on those two Sundays, the two methods give different answers, in a week
# when nobody tests. Build the hour with time.Date.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > main.go <<'EOF'
package main

import (
	"fmt"
	"time"

	"github.com/rickar/cal/v2"
)

func main() {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	shop := cal.NewBusinessCalendar()
	shop.SetWorkday(time.Sunday, true)
	shop.SetWorkHours(9*time.Hour, 17*time.Hour)
	for _, noon := range []time.Time{
		time.Date(2026, time.March, 1, 12, 0, 0, 0, zone),
		time.Date(2026, time.March, 8, 12, 0, 0, 0, zone),
		time.Date(2026, time.November, 1, 12, 0, 0, 0, zone),
	} {
		fmt.Println(noon.Format("Mon 2 Jan"),
			"WorkdayStart", shop.WorkdayStart(noon).Format("15:04"), "WorkdayEnd", shop.WorkdayEnd(noon).Format("15:04"),
			"IsWorkTime 08:30", shop.IsWorkTime(noon.Add(-210*time.Minute)),
			"09:30", shop.IsWorkTime(noon.Add(-150*time.Minute)), "17:30", shop.IsWorkTime(noon.Add(330*time.Minute)))
	}
}
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2> log
go get github.com/rickar/cal/v2@v2.1.13 2>> log || { cat log; exit 1; }
go run . | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Sun 1 Mar WorkdayStart 09:00 WorkdayEnd 17:00 IsWorkTime 08:30 false 09:30 true 17:30 false
Sun 8 Mar WorkdayStart 10:00 WorkdayEnd 18:00 IsWorkTime 08:30 false 09:30 true 17:30 false
Sun 1 Nov WorkdayStart 08:00 WorkdayEnd 16:00 IsWorkTime 08:30 false 09:30 true 17:30 false
EOF
