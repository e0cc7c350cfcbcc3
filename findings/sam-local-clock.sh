#!/usr/bin/env bash
# Guess: an event that "sam local start-api" makes for an HTTP API tells when its request came in, as API Gateway's does: in
# milliseconds in timeEpoch, as text in time. Header names are in lower case, as payload format 2.0 has them.
#
# What happens: time and timeEpoch are default arguments of a Python function, so both are worked out once, when SAM is
# loaded: every request comes in at the second in which the server started. timeEpoch counts seconds, and read as
# milliseconds it is in January 1970. The event of "sam local generate-event" has milliseconds. In both, header names
# begin with capitals, and the source address of the generated one is a network, with a mask.
#
# Versions: aws-sam-cli 1.170.0, the newest. Known as its issues 9279 (September 2026, open; the clock) and 2726 (closed; the
# names). Seen on 2026-11-29, for two requests two seconds apart:
#   start-api: the second request came later: False
#   start-api: timeEpoch as milliseconds is in 1970
#   start-api: headers Host Content-Type Content-Length X-Justcall-Signature X-Forwarded-Proto X-Forwarded-Port
#   generate-event: timeEpoch as milliseconds is in 2020
#   generate-event: headers Header1 Header2
#   generate-event: source address 192.168.0.1/32
#
# Why it matters to us: "sam local start-api" is how one tries a webhook before it is deployed. Code that takes the time of
# arrival from the event is right in the first test and hours off on the second day, code that looks for
# X-Justcall-Signature works here and refuses each webhook on AWS, and code that parses the address fails on SAM's own
# example. Ours takes the clock and compares names in lower case, and its tests make the events as AWS does.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==1.170.0

# start-api answers only if Docker runs. This is what it calls for each request.
cat > events.py <<'EOF'
import datetime
import json
import subprocess
import time

from flask import Flask, request
from samcli.local.apigw.event_constructor import construct_v2_event_http


def year(event):
    return datetime.datetime.fromtimestamp(event["requestContext"]["timeEpoch"] / 1000, datetime.timezone.utc).year


def webhook():
    with Flask("start-api").test_request_context(
        "/justcall", method="POST", data=b"{}",
        headers=[("content-type", "application/json"), ("x-justcall-signature", "none")],
    ):
        return construct_v2_event_http(request, 3000, [], route_key="POST /justcall")


first = webhook()
time.sleep(2)
second = webhook()
later = [second["requestContext"][name] > first["requestContext"][name] for name in ("time", "timeEpoch")]
print("start-api: the second request came later:", any(later))
print("start-api: timeEpoch as milliseconds is in", year(second))
print("start-api: headers", *second["headers"])
example = json.loads(subprocess.check_output(["venv/bin/sam", "local", "generate-event", "apigateway", "http-api-proxy"]))
print("generate-event: timeEpoch as milliseconds is in", year(example))
print("generate-event: headers", *example["headers"])
print("generate-event: source address", example["requestContext"]["http"]["sourceIp"])
EOF
SAM_CLI_TELEMETRY=0 venv/bin/python events.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
start-api: the second request came later: False
start-api: timeEpoch as milliseconds is in 1970
start-api: headers Host Content-Type Content-Length X-Justcall-Signature X-Forwarded-Proto X-Forwarded-Port
generate-event: timeEpoch as milliseconds is in 2020
generate-event: headers Header1 Header2
generate-event: source address 192.168.0.1/32
EOF
