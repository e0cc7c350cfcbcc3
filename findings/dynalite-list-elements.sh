#!/usr/bin/env bash
# Guess: "REMOVE agents[0], agents[1]" takes the first two elements out of a list on any stand-in of DynamoDB, as its
# developer guide shows with an example of two neighbours.
#
# What happens: dynalite takes one out after the other, and the second index counts in the list that the first has already
# shortened. The first and the third element go, and the second stays. Written from the last index to the first, the same
# expression is right. moto is right either way.
#
# Versions: dynalite 4.0.0, moto 5.2.5 and boto3 1.44.8, each the newest; "Removing elements from a list" in DynamoDB's
# developer guide. Seen on 2026-11-29, with a list of Ann, Bob, Cleo and Dan:
#   dynalite: REMOVE agents[0], agents[1]: Bob Dan
#   dynalite: REMOVE agents[1], agents[0]: Cleo Dan
#   moto: REMOVE agents[0], agents[1]: Cleo Dan
#   moto: REMOVE agents[1], agents[0]: Cleo Dan
#
# Why it matters to us: the agents whom a call was offered are a list, and our tests run on dynalite. Code that drops some of
# them by index would be bent until the test passes, and then drop the wrong ones in the user's account. We put items whole.
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
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    client.get_waiter("table_exists").wait(TableName="calls", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    for expression in ("REMOVE agents[0], agents[1]", "REMOVE agents[1], agents[0]"):
        client.put_item(TableName="calls", Item={
            "id": {"S": "call-1"}, "agents": {"L": [{"S": agent} for agent in ("Ann", "Bob", "Cleo", "Dan")]}})
        after = client.update_item(
            TableName="calls", Key={"id": {"S": "call-1"}}, UpdateExpression=expression, ReturnValues="ALL_NEW")
        print(f"{name}: {expression}:", *(agent["S"] for agent in after["Attributes"]["agents"]["L"]))


run("dynalite", boto3.client("dynamodb", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}"))
with mock_aws():
    run("moto", boto3.client("dynamodb", region_name="us-east-1"))
EOF

mkfifo port
node serve.js > port &
server=$!
read -r port < port
env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py "$port" | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
dynalite: REMOVE agents[0], agents[1]: Bob Dan
dynalite: REMOVE agents[1], agents[0]: Cleo Dan
moto: REMOVE agents[0], agents[1]: Cleo Dan
moto: REMOVE agents[1], agents[0]: Cleo Dan
EOF
