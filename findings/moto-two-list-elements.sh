#!/usr/bin/env bash
# Guess: a ProjectionExpression that names two elements of a list, or two members of one element, returns both, on moto as on
# DynamoDB, dynalite and for the members of a map.
#
# What happens: moto returns the one that is named last. It makes an item for each path and merges them, and in that merge a
# list replaces the list before it. The item and the key look complete, and no error says that something is missing.
#
# Versions: moto 5.2.5, dynalite 4.0.0 and boto3 1.44.8, each the newest; "Using projection expressions" in DynamoDB's
# developer guide. moto's pull request 6375 (2023, merged) promises the merge. Seen on 2026-11-30, for a call that rang at
# Ann's for 9 seconds and at Bob's for 12:
#   dynalite: agents[0], agents[1]: {'agents': ['Ann', 'Bob']}
#   dynalite: agents[1], agents[0]: {'agents': ['Ann', 'Bob']}
#   dynalite: rings[1].who, rings[1].seconds: {'rings': [{'seconds': '12', 'who': 'Bob'}]}
#   dynalite: lastring.who, lastring.seconds: {'lastring': {'seconds': '12', 'who': 'Bob'}}
#   moto: agents[0], agents[1]: {'agents': ['Bob']}
#   moto: agents[1], agents[0]: {'agents': ['Ann']}
#   moto: rings[1].who, rings[1].seconds: {'rings': [{'seconds': '12'}]}
#   moto: lastring.who, lastring.seconds: {'lastring': {'seconds': '12', 'who': 'Bob'}}
#
# Why it matters to us: a call keeps the agents whom it was offered as a list, and a page that shows "Ann, then Bob" would read
# no more than that. On moto its test loses Ann, and code bent until it passes asks for the agents one by one. Our readers
# take whole items, or the flat attributes of an index.
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


def plain(value):
    (kind, content), = value.items()
    if kind == "L":
        return [plain(v) for v in content]
    if kind == "M":
        return {k: plain(content[k]) for k in sorted(content)}
    return content


def run(name, client):
    client.create_table(
        TableName="calls",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    client.get_waiter("table_exists").wait(TableName="calls", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    ann = {"M": {"who": {"S": "Ann"}, "seconds": {"N": "9"}}}
    bob = {"M": {"who": {"S": "Bob"}, "seconds": {"N": "12"}}}
    client.put_item(TableName="calls", Item={
        "id": {"S": "call-1"}, "agents": {"L": [{"S": "Ann"}, {"S": "Bob"}]}, "rings": {"L": [ann, bob]}, "lastring": bob})
    for paths in ("agents[0], agents[1]", "agents[1], agents[0]", "rings[1].who, rings[1].seconds",
                  "lastring.who, lastring.seconds"):
        answer = client.get_item(TableName="calls", Key={"id": {"S": "call-1"}}, ProjectionExpression=paths)
        print(f"{name}: {paths}: {plain({'M': answer['Item']})}")


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
dynalite: agents[0], agents[1]: {'agents': ['Ann', 'Bob']}
dynalite: agents[1], agents[0]: {'agents': ['Ann', 'Bob']}
dynalite: rings[1].who, rings[1].seconds: {'rings': [{'seconds': '12', 'who': 'Bob'}]}
dynalite: lastring.who, lastring.seconds: {'lastring': {'seconds': '12', 'who': 'Bob'}}
moto: agents[0], agents[1]: {'agents': ['Bob']}
moto: agents[1], agents[0]: {'agents': ['Ann']}
moto: rings[1].who, rings[1].seconds: {'rings': [{'seconds': '12'}]}
moto: lastring.who, lastring.seconds: {'lastring': {'seconds': '12', 'who': 'Bob'}}
EOF
