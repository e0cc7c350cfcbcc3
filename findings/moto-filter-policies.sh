#!/usr/bin/env bash
# Guess: a filter policy that moto's Subscribe accepts selects the messages that it selects on SNS; moto refuses the
# operators that it does not know, such as wildcard.
#
# What happens: three operators that it accepts select otherwise. equals-ignore-case puts the message into lower case and
# not the policy, so a policy with a capital letter does not even match its own spelling. anything-but splits the text of
# a String.Array into characters, so an array of only the unwanted value is delivered. A policy on the body that lists
# null never matches null.
#
# Versions: moto 5.2.5 and boto3 1.44.8, both the newest; "String value matching" in SNS's developer guide. Seen on
# 2026-11-28:
#   {"line": [{"wildcard": "Sal*"}]} | ('String', 'Sales') | policy refused, InvalidParameter
#   {"line": [{"equals-ignore-case": "sales"}]} | ('String', 'Sales') | delivered
#   {"line": [{"equals-ignore-case": "Sales"}]} | ('String', 'sales') | not delivered
#   {"line": [{"equals-ignore-case": "Sales"}]} | ('String', 'Sales') | not delivered
#   {"line": [{"anything-but": ["sales"]}]} | ('String', 'sales') | not delivered
#   {"line": [{"anything-but": ["sales"]}]} | ('String.Array', '["sales"]') | delivered
#   {"agent": ["Ann"]} | {"agent": "Ann"} | delivered
#   {"agent": [null]} | {"agent": null} | not delivered
#
# Why it matters to us: subscribers choose their alerts by such policies, and moto is where we would try one before we
# document it. It rejects right policies, and it delivers what "all but" was meant to keep out.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check moto==5.2.5 boto3==1.44.8 botocore==1.44.8

cat > main.py <<'EOF'
import json

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws


def attempt(policy, message="{}", **attributes):
    scope = "MessageAttributes" if attributes else "MessageBody"
    topic = sns.create_topic(Name="missed-calls")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    try:
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint="arn:aws:sqs:us-east-1:123456789012:alerts",
            Attributes={"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope},
        )
        sns.publish(
            TopicArn=topic,
            Message=message,
            MessageAttributes={n: {"DataType": t, "StringValue": v} for n, (t, v) in attributes.items()},
        )
        result = "delivered" if "Messages" in sqs.receive_message(QueueUrl=queue) else "not delivered"
    except ClientError as err:
        result = "policy refused, " + err.response["Error"]["Code"]
    print(json.dumps(policy), attributes["line"] if attributes else message, result, sep=" | ")
    sqs.delete_queue(QueueUrl=queue)
    sns.delete_topic(TopicArn=topic)


with mock_aws():
    sns = boto3.client("sns", region_name="us-east-1")
    sqs = boto3.client("sqs", region_name="us-east-1")
    attempt({"line": [{"wildcard": "Sal*"}]}, line=("String", "Sales"))
    attempt({"line": [{"equals-ignore-case": "sales"}]}, line=("String", "Sales"))
    attempt({"line": [{"equals-ignore-case": "Sales"}]}, line=("String", "sales"))
    attempt({"line": [{"equals-ignore-case": "Sales"}]}, line=("String", "Sales"))
    attempt({"line": [{"anything-but": ["sales"]}]}, line=("String", "sales"))
    attempt({"line": [{"anything-but": ["sales"]}]}, line=("String.Array", '["sales"]'))
    attempt({"agent": ["Ann"]}, '{"agent": "Ann"}')
    attempt({"agent": [None]}, '{"agent": null}')
EOF

env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
{"line": [{"wildcard": "Sal*"}]} | ('String', 'Sales') | policy refused, InvalidParameter
{"line": [{"equals-ignore-case": "sales"}]} | ('String', 'Sales') | delivered
{"line": [{"equals-ignore-case": "Sales"}]} | ('String', 'sales') | not delivered
{"line": [{"equals-ignore-case": "Sales"}]} | ('String', 'Sales') | not delivered
{"line": [{"anything-but": ["sales"]}]} | ('String', 'sales') | not delivered
{"line": [{"anything-but": ["sales"]}]} | ('String.Array', '["sales"]') | delivered
{"agent": ["Ann"]} | {"agent": "Ann"} | delivered
{"agent": [null]} | {"agent": null} | not delivered
EOF
