#!/usr/bin/env bash
# Guess: to DynamoDB 15 and 15.0 are one number, and so they are to moto: a set has it once, however it was written, and a
# number is returned without zeros at its end.
#
# What happens: moto keeps the text. As a sort key, and in a condition, the two are equal; in a set of numbers they are two
# members, ADD of the one keeps the other, and DELETE of the one leaves it. What was put as 1.5E1 is returned as 1.5E1.
# DynamoDB and dynalite return 15, once.
#
# Versions: moto 5.2.5, dynalite 4.0.0 and boto3 1.44.8, each the newest; "Number" and "Sets" among the data types in
# DynamoDB's developer guide. Seen on 2026-11-30:
#   dynalite: put 1.5E1: 15
#   dynalite: put under the keys 15 and 15.0: 1 item
#   dynalite: where seconds = 15.00: 1 item
#   dynalite: ADD 15, ADD 15.0: 15
#   dynalite: then DELETE 15: none
#   moto: put 1.5E1: 1.5E1
#   moto: put under the keys 15 and 15.0: 1 item
#   moto: where seconds = 15.00: 1 item
#   moto: ADD 15, ADD 15.0: 15 15.0
#   moto: then DELETE 15: 15.0
#
# Why it matters to us: two programs that write the same table need not write numbers alike: Python's Decimal keeps the zeros of
# a duration, Go and JavaScript drop them. On moto the one cannot take out of a set what the other put in, and a test that
# compares numbers as text, as they come from the stream, fails there or passes there alone. We keep identifiers as text, and
# our stand-in is dynalite.
set -euo pipefail

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8
npm install --silent --no-audit --no-fund --prefix "$dir" dynalite@4.0.0 > log

cat > serve.js <<'EOF'
const server = require('dynalite')({ createTableMs: 0 })
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
EOF
cat > main.py <<'EOF'
import sys

import boto3
from moto import mock_aws


def run(name, client):
    client.create_table(
        TableName="calls",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "line", "KeyType": "HASH"}, {"AttributeName": "second", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "line", "AttributeType": "S"}, {"AttributeName": "second", "AttributeType": "N"}],
    )
    client.get_waiter("table_exists").wait(TableName="calls", WaiterConfig={"Delay": 1, "MaxAttempts": 20})

    def put(line, second, seconds):
        client.put_item(TableName="calls", Item={"line": {"S": line}, "second": {"N": second}, "seconds": {"N": seconds}})

    def items(line, **more):
        values = {":l": {"S": line}, **more.pop("values", {})}
        return client.query(
            TableName="calls", KeyConditionExpression="line = :l", ExpressionAttributeValues=values, **more)["Items"]

    def change(expression, number):
        return client.update_item(
            TableName="calls", Key={"line": {"S": "sets"}, "second": {"N": "1"}}, UpdateExpression=expression,
            ExpressionAttributeValues={":n": {"NS": [number]}}, ReturnValues="ALL_NEW")["Attributes"]

    def members(item):
        return " ".join(item["durations"]["NS"]) if "durations" in item else "none"

    put("sales", "1", "1.5E1")
    print(f"{name}: put 1.5E1:", items("sales")[0]["seconds"]["N"])
    put("support", "15", "15")
    put("support", "15.0", "15.0")
    print(f"{name}: put under the keys 15 and 15.0: {len(items('support'))} item")
    found = items("support", FilterExpression="seconds = :s", values={":s": {"N": "15.00"}})
    print(f"{name}: where seconds = 15.00: {len(found)} item")
    change("ADD durations :n", "15")
    print(f"{name}: ADD 15, ADD 15.0:", members(change("ADD durations :n", "15.0")))
    print(f"{name}: then DELETE 15:", members(change("DELETE durations :n", "15")))


run("dynalite", boto3.client("dynamodb", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}"))
with mock_aws():
    run("moto", boto3.client("dynamodb", region_name="us-east-1"))
EOF

mkfifo started
node serve.js > started &
server=$!
read -r port < started
env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py "$port" | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
dynalite: put 1.5E1: 15
dynalite: put under the keys 15 and 15.0: 1 item
dynalite: where seconds = 15.00: 1 item
dynalite: ADD 15, ADD 15.0: 15
dynalite: then DELETE 15: none
moto: put 1.5E1: 1.5E1
moto: put under the keys 15 and 15.0: 1 item
moto: where seconds = 15.00: 1 item
moto: ADD 15, ADD 15.0: 15 15.0
moto: then DELETE 15: 15.0
EOF
