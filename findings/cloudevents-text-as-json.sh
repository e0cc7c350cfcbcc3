#!/usr/bin/env bash
# Guess: an event whose data are a text or a boolean, with the content type application/json, has JSON in its body when a
# CloudEvents SDK writes it for HTTP in binary mode, and each SDK reads back what went in. A boolean attribute is true or false.
#
# What happens: only Go's SDK puts the quotes around a text. The bodies of the other two are not JSON: Go, and whatever else
# reads JSON, refuses "+12125550123", and without the plus the Python SDK reads its own text back as a number. It writes False
# for false, in the body and in an attribute, with a capital that neither JSON nor CloudEvents has, and reads a text back, which
# counts as true. The JavaScript SDK reads a text whatever the body is, unless it is an object. In structured mode all is well.
#
# Versions: cloudevents 10.0.0 of npm, cloudevents 2.2.0 of PyPI and github.com/cloudevents/sdk-go/v2 v2.16.2, each the newest,
# the last with Go 1.26.8; the HTTP protocol binding of CloudEvents 1.0.2, sections 3.1.2 and 3.1.3. Known in part as issue
# 558 of the specification (2021, open). Seen on 2026-11-30, what Python, JavaScript and Go read:
#   Python, data "+12125550123": body +12125550123: text +12125550123 | text +12125550123 | refused
#   Python, data "12125550123": body 12125550123: number 12125550123 | text 12125550123 | number 12125550123
#   Python, data false: body False: text False | text False | refused
#   Python, attribute answered false: header False: text False | text False | text False
#   JavaScript, data "+12125550123": body +12125550123: text +12125550123 | text +12125550123 | refused
#   JavaScript, data "12125550123": body 12125550123: number 12125550123 | text 12125550123 | number 12125550123
#   JavaScript, attribute answered false: header false: text false | text false | text false
#   Go, data "+12125550123": body "+12125550123": text +12125550123 | text +12125550123 | text +12125550123
#   Go, data "12125550123": body "12125550123": text 12125550123 | text 12125550123 | text 12125550123
#   Go, data false: body false: boolean false | text false | boolean false
#   Go, attribute answered false: header false: text false | text false | text false
#
# Why it matters to us: whoever passes our alerts on as CloudEvents may send no more than who rang, or whether the call was
# answered. The number is then refused or no longer a text, and "not answered" is read as answered, with which nobody calls
# back. Send an object as data, and put what matters in it.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cloudevents==2.2.0
npm install --silent --no-audit --no-fund --prefix "$dir" cloudevents@10.0.0 > log

# Each program writes its events into a file of its own, and then says what it reads in the files of all three.
cat > main.py <<'EOF'
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent


def write():
    for data in ("+12125550123", "12125550123", False):
        attributes = {"specversion": "1.0", "id": "1", "source": "/phone", "type": "call.missed",
                      "datacontenttype": "application/json", "answered": False}
        message = to_binary_event(CloudEvent(attributes, data))
        yield {"data": data, "headers": message.headers, "body": message.body.decode()}


def kind(value):
    if isinstance(value, bool):
        return f"boolean {str(value).lower()}"
    return f"{'text' if isinstance(value, str) else 'number'} {value}"


def read(sent):
    event = from_binary_event(HTTPMessage(sent["headers"], sent["body"].encode()))
    return {"data": kind(event.get_data()), "answered": kind(event.get_extension("answered"))}


if sys.argv[1] == "write":
    json.dump(list(write()), open("Python.json", "w"))
else:
    sent = {name: json.load(open(name + ".json")) for name in ("Python", "JavaScript", "Go")}
    json.dump({name: [read(s) for s in all] for name, all in sent.items()}, open("read-Python.json", "w"))
EOF
cat > main.js <<'EOF'
const fs = require('fs')
const { CloudEvent, HTTP } = require('cloudevents')

const texts = (headers) => Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, String(v)]))
const kind = (value) => `${typeof value === 'string' ? 'text' : typeof value} ${value}`
function read(sent) {
  const event = HTTP.toEvent({ headers: sent.headers, body: sent.body })
  return { data: kind(event.data), answered: kind(event.answered) }
}

if (process.argv[2] === 'write') {
  const sent = ['+12125550123', '12125550123'].map((data) => {
    const attributes = { id: '1', source: '/phone', type: 'call.missed', datacontenttype: 'application/json', answered: false }
    const message = HTTP.binary(new CloudEvent({ ...attributes, data }))
    return { data, headers: texts(message.headers), body: message.body }
  })
  fs.writeFileSync('JavaScript.json', JSON.stringify(sent))
} else {
  const all = ['Python', 'JavaScript', 'Go'].map((name) => [name, JSON.parse(fs.readFileSync(`${name}.json`)).map(read)])
  fs.writeFileSync('read-JavaScript.json', JSON.stringify(Object.fromEntries(all)))
}
EOF
cat > main.go <<'EOF'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type message struct {
	Data    any               `json:"data"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func write(data any) message {
	event := cloudevents.NewEvent()
	event.SetID("1")
	event.SetSource("/phone")
	event.SetType("call.missed")
	event.SetExtension("answered", false)
	if err := event.SetData(cloudevents.ApplicationJSON, data); err != nil {
		panic(err)
	}
	request := must(http.NewRequest(http.MethodPost, "http://localhost", nil))
	if err := cehttp.WriteRequest(context.Background(), binding.ToMessage(&event), request); err != nil {
		panic(err)
	}
	sent := message{Data: data, Headers: map[string]string{}, Body: string(must(io.ReadAll(request.Body)))}
	for name := range request.Header {
		sent.Headers[strings.ToLower(name)] = request.Header.Get(name)
	}
	return sent
}

func kind(value any) string {
	switch v := value.(type) {
	case bool:
		return fmt.Sprintf("boolean %t", v)
	case float64:
		return fmt.Sprintf("number %.0f", v)
	default:
		return fmt.Sprintf("text %v", v)
	}
}

func read(sent message) map[string]string {
	request := must(http.NewRequest(http.MethodPost, "http://localhost", strings.NewReader(sent.Body)))
	for name, value := range sent.Headers {
		request.Header.Set(name, value)
	}
	event := must(cloudevents.NewEventFromHTTPRequest(request))
	result := map[string]string{"data": "refused", "answered": kind(event.Extensions()["answered"])}
	var data any
	if err := event.DataAs(&data); err == nil {
		result["data"] = kind(data)
	}
	return result
}

func main() {
	if os.Args[1] == "write" {
		all := []message{write("+12125550123"), write("12125550123"), write(false)}
		if err := os.WriteFile("Go.json", must(json.Marshal(all)), 0o600); err != nil {
			panic(err)
		}
		return
	}
	results := map[string][]map[string]string{}
	for _, name := range []string{"Python", "JavaScript", "Go"} {
		var all []message
		if err := json.Unmarshal(must(os.ReadFile(name+".json")), &all); err != nil {
			panic(err)
		}
		for _, sent := range all {
			results[name] = append(results[name], read(sent))
		}
	}
	if err := os.WriteFile("read-Go.json", must(json.Marshal(results)), 0o600); err != nil {
		panic(err)
	}
}
EOF
cat > table.py <<'EOF'
import json

names = ("Python", "JavaScript", "Go")
read = [json.load(open(f"read-{reader}.json")) for reader in names]
for name in names:
    sent = json.load(open(name + ".json"))
    for i, s in enumerate(sent):
        print(f"{name}, data {json.dumps(s['data'])}: body {s['body']}:", " | ".join(r[name][i]["data"] for r in read))
    print(f"{name}, attribute answered false: header {sent[0]['headers']['ce-answered']}:",
          " | ".join(r[name][0]["answered"] for r in read))
EOF

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2>> log
go get github.com/cloudevents/sdk-go/v2@v2.16.2 2>> log || { cat log; exit 1; }
go build -o main .
for step in write read; do
	venv/bin/python main.py $step
	node main.js $step
	./main $step
done
venv/bin/python table.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Python, data "+12125550123": body +12125550123: text +12125550123 | text +12125550123 | refused
Python, data "12125550123": body 12125550123: number 12125550123 | text 12125550123 | number 12125550123
Python, data false: body False: text False | text False | refused
Python, attribute answered false: header False: text False | text False | text False
JavaScript, data "+12125550123": body +12125550123: text +12125550123 | text +12125550123 | refused
JavaScript, data "12125550123": body 12125550123: number 12125550123 | text 12125550123 | number 12125550123
JavaScript, attribute answered false: header false: text false | text false | text false
Go, data "+12125550123": body "+12125550123": text +12125550123 | text +12125550123 | text +12125550123
Go, data "12125550123": body "12125550123": text 12125550123 | text 12125550123 | text 12125550123
Go, data false: body false: boolean false | text false | boolean false
Go, attribute answered false: header false: text false | text false | text false
EOF
