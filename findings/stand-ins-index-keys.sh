#!/usr/bin/env bash
# Guess: a DynamoDB stand-in that checks the keys of an index at all checks them as DynamoDB does: an item whose index
# key is an empty string, or of a type other than the declared one, is refused.
#
# What happens: each stand-in lets through what the other refuses. dynalite stores the empty string, which it refuses
# as a table's key, and the item then appears in the index. moto stores a number where the index declares a string; it
# refuses NULL in the same place.
#
# Versions: dynalite 4.0.0, moto 5.2.5 and boto3 1.44.8, each the newest; DynamoDB's rules as botocore's description of
# PutItem states them. Seen on 2026-11-28:
#   dynalite: table key empty: ValidationException
#   dynalite: index key empty: stored
#   dynalite: index key a number: ValidationException
#   dynalite: index key NULL: ValidationException
#   dynalite: index key left out: stored
#   dynalite: items in the index: 1
#   moto: table key empty: ValidationException
#   moto: index key empty: ValidationException
#   moto: index key a number: stored
#   moto: index key NULL: ValidationException
#   moto: index key left out: stored
#   moto: items in the index: 1
#
# Why it matters to us: the index by phone number is keyed by the caller, and some callers withhold theirs. Code that
# writes an empty key for them works on dynalite, on which our tests run, and loses exactly these calls in the user's
# account. One stand-in proves too little about index keys; the writer has to leave the attribute out.
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
from botocore.exceptions import ClientError
from moto import mock_aws


def attempt(name, label, call, **arguments):
    try:
        answer = call(TableName="calls", **arguments)
        print(f"{name}: {label}:", answer["Count"] if "Count" in answer else "stored")
    except ClientError as err:
        print(f"{name}: {label}:", err.response["Error"]["Code"])


def run(name, client):
    client.create_table(
        TableName="calls",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", "caller")],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-caller",
            "KeySchema": [{"AttributeName": "caller", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
    )
    client.get_waiter("table_exists").wait(TableName="calls", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    put = client.put_item
    attempt(name, "table key empty", put, Item={"id": {"S": ""}})
    attempt(name, "index key empty", put, Item={"id": {"S": "1"}, "caller": {"S": ""}})
    attempt(name, "index key a number", put, Item={"id": {"S": "2"}, "caller": {"N": "12125550123"}})
    attempt(name, "index key NULL", put, Item={"id": {"S": "3"}, "caller": {"NULL": True}})
    attempt(name, "index key left out", put, Item={"id": {"S": "4"}})
    attempt(name, "items in the index", client.scan, IndexName="by-caller")


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
dynalite: table key empty: ValidationException
dynalite: index key empty: stored
dynalite: index key a number: ValidationException
dynalite: index key NULL: ValidationException
dynalite: index key left out: stored
dynalite: items in the index: 1
moto: table key empty: ValidationException
moto: index key empty: ValidationException
moto: index key a number: stored
moto: index key NULL: ValidationException
moto: index key left out: stored
moto: items in the index: 1
EOF
