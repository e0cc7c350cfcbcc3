#!/usr/bin/env bash
# Guess: on moto, a query whose Limit is exactly the number of items left answers as on DynamoDB and dynalite: with a
# LastEvaluatedKey, since it stopped at the limit, and the page after it is empty.
#
# What happens: moto looks ahead and leaves the key out, so no page comes after the last item. dynalite stops at the limit
# and gives the key, with a filter too. Where the last page is not full, both give the same pages.
#
# Versions: moto 5.2.5, dynalite 4.0.0 and boto3 1.44.8, each the newest; the rule as botocore's description of Query's Limit
# states it. Seen on 2026-11-29, with four missed calls:
#   dynalite: Limit 2: pages of 2 2 0
#   dynalite: Limit 3: pages of 3 1
#   dynalite: Limit 4: pages of 4 0
#   dynalite: Limit 2, other callers only: pages of 0 0 0
#   moto: Limit 2: pages of 2 2
#   moto: Limit 3: pages of 3 1
#   moto: Limit 4: pages of 4
#   moto: Limit 2, other callers only: pages of 0 0
#
# Why it matters to us: the inbox shows waiting callers page by page. Code that takes a LastEvaluatedKey for "there are more"
# passes every test on moto, and links to an empty page as soon as a list has exactly one page of callers. Our tests of
# paging run on dynalite.
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


def pages(client, limit, **more):
    request = {
        "TableName": "calls",
        "KeyConditionExpression": "line = :l",
        "ExpressionAttributeValues": {":l": {"S": "sales"}},
        "Limit": limit,
    }
    if more:
        request["FilterExpression"] = "caller <> :c"
        request["ExpressionAttributeValues"][":c"] = {"S": "+12125550123"}
    while True:
        answer = client.query(**request)
        yield answer["Count"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def run(name, client):
    client.create_table(
        TableName="calls",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "line", "KeyType": "HASH"}, {"AttributeName": "rang", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("line", "rang")],
    )
    client.get_waiter("table_exists").wait(TableName="calls", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    for minute in range(4):
        client.put_item(TableName="calls", Item={
            "line": {"S": "sales"}, "rang": {"S": f"2026-11-27T09:0{minute}"}, "caller": {"S": "+12125550123"}})
    for limit in (2, 3, 4):
        print(f"{name}: Limit {limit}: pages of", *pages(client, limit))
    print(f"{name}: Limit 2, other callers only: pages of", *pages(client, 2, filtered=True))


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
dynalite: Limit 2: pages of 2 2 0
dynalite: Limit 3: pages of 3 1
dynalite: Limit 4: pages of 4 0
dynalite: Limit 2, other callers only: pages of 0 0 0
moto: Limit 2: pages of 2 2
moto: Limit 3: pages of 3 1
moto: Limit 4: pages of 4
moto: Limit 2, other callers only: pages of 0 0
EOF
