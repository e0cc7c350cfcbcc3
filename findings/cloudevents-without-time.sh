#!/usr/bin/env bash
# Guess: an event without a time, which CloudEvents allows, still has none once a CloudEvents SDK has read it, and each SDK
# writes it back as it was.
#
# What happens: the JavaScript and the Python SDK put in the time of reading; only Go's leaves it out. Written on, it is an
# event that says when it happened. JavaScript does the same with a time that it cannot read, such as a leap second, which
# RFC 3339 allows: a time ten years back becomes now, without an error. The other two refuse that event.
#
# Versions: cloudevents 10.0.0 of npm, cloudevents 2.2.0 of PyPI and github.com/cloudevents/sdk-go/v2 v2.16.2, each the
# newest, the last with Go 1.26.8. Known in part as issue 386 of sdk-javascript (2021, open). Seen on 2026-11-29:
#   JavaScript: no time: the time of reading
#   JavaScript: time 2016-12-31T23:59:60Z: the time of reading
#   JavaScript: time 2026-11-28T20:00:00Z: as sent
#   Python: no time: the time of reading
#   Python: time 2016-12-31T23:59:60Z: refused
#   Python: time 2026-11-28T20:00:00Z: as sent
#   Go: no time: none
#   Go: time 2016-12-31T23:59:60Z: refused
#   Go: time 2026-11-28T20:00:00Z: as sent
#
# Why it matters to us: whoever passes calls on as CloudEvents, into EventBridge or a queue, gets them again when a delivery
# is repeated, and a call of yesterday that came without a time is then one of this minute: it is alerted of, and its caller
# is first in line. Keep when it happened apart from when it was received, and let a missing time be missing.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cloudevents==2.2.0
npm install --silent --no-audit --no-fund --prefix "$dir" cloudevents@10.0.0 > log

cat > events.json <<'EOF'
[
  {"specversion": "1.0", "id": "1", "source": "/phone", "type": "call.missed"},
  {"specversion": "1.0", "id": "2", "source": "/phone", "type": "call.missed", "time": "2016-12-31T23:59:60Z"},
  {"specversion": "1.0", "id": "3", "source": "/phone", "type": "call.missed", "time": "2026-11-28T20:00:00Z"}
]
EOF
cat > main.js <<'EOF'
const { HTTP } = require('cloudevents')

const before = Date.now()
for (const sent of require('./events.json')) {
  let result
  try {
    const headers = { 'content-type': 'application/cloudevents+json' }
    const event = HTTP.toEvent({ headers, body: JSON.stringify(sent) })
    const time = JSON.parse(HTTP.structured(event).body).time
    if (time === undefined) result = 'none'
    else if (Date.parse(time) === Date.parse(sent.time)) result = 'as sent'
    else result = Date.parse(time) >= before ? 'the time of reading' : time
  } catch (err) {
    result = 'refused'
  }
  console.log(`JavaScript: ${sent.time ? 'time ' + sent.time : 'no time'}: ${result}`)
}
EOF
cat > main.py <<'EOF'
import datetime
import json

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event, to_structured_event

before = datetime.datetime.now(datetime.timezone.utc)
for sent in json.load(open("events.json")):
    try:
        event = from_structured_event(HTTPMessage({"content-type": "application/cloudevents+json"}, json.dumps(sent).encode()))
        written = json.loads(to_structured_event(event).body).get("time")
        if written is None:
            result = "none"
        elif written == sent.get("time"):
            result = "as sent"
        else:
            result = "the time of reading" if datetime.datetime.fromisoformat(written) >= before else written
    except ValueError:
        result = "refused"
    print(f"Python: {'time ' + sent['time'] if 'time' in sent else 'no time'}: {result}")
EOF
cat > main.go <<'EOF'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	cloudevents "github.com/cloudevents/sdk-go/v2"
)

func main() {
	raw, err := os.ReadFile("events.json")
	if err != nil {
		panic(err)
	}
	var events []json.RawMessage
	if err := json.Unmarshal(raw, &events); err != nil {
		panic(err)
	}
	for _, sent := range events {
		label, result := "no time", "refused"
		var was, is struct{ Time string }
		if err := json.Unmarshal(sent, &was); err != nil {
			panic(err)
		}
		if was.Time != "" {
			label = "time " + was.Time
		}
		event := cloudevents.NewEvent()
		if err := json.Unmarshal(sent, &event); err == nil {
			written, err := json.Marshal(event)
			if err != nil {
				panic(err)
			}
			if err := json.Unmarshal(written, &is); err != nil {
				panic(err)
			}
			switch is.Time {
			case "":
				result = "none"
			case was.Time:
				result = "as sent"
			default:
				result = is.Time
			}
		}
		fmt.Printf("Go: %s: %s\n", label, result)
	}
}
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2>> log
go get github.com/cloudevents/sdk-go/v2@v2.16.2 2>> log || { cat log; exit 1; }
{
	node main.js
	venv/bin/python main.py
	go run .
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
JavaScript: no time: the time of reading
JavaScript: time 2016-12-31T23:59:60Z: the time of reading
JavaScript: time 2026-11-28T20:00:00Z: as sent
Python: no time: the time of reading
Python: time 2016-12-31T23:59:60Z: refused
Python: time 2026-11-28T20:00:00Z: as sent
Go: no time: none
Go: time 2016-12-31T23:59:60Z: refused
Go: time 2026-11-28T20:00:00Z: as sent
EOF
