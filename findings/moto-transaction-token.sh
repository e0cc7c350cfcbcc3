#!/usr/bin/env bash
# Guess: TransactWriteItems with a ClientRequestToken may be repeated on moto as on DynamoDB: the second call of the same
# token changes nothing, and other items under the same token are refused.
#
# What happens: moto takes the token and does not look at it. A counter raised under one token twice is raised twice, and a
# third call under it with another number is carried out as well. Every SDK sends such a token of its own accord, so that
# a repeated attempt after a lost answer is safe; on moto it is not.
#
# Versions: moto 5.2.5 and botocore 1.44.8, both the newest; the rule as botocore's description of TransactWriteItems states
# it. Seen on 2026-11-29:
#   add 1: count 1
#   add 1, same token: count 2
#   add 5, same token: count 7
#
# Why it matters to us: webhooks are delivered more than once, so whatever counts or stores one has to be safe to repeat. A
# test on moto of code that relies on the token fails where DynamoDB would be right, and one that it refuses a token used for
# something else cannot be written. dynalite has no transactions at all. We write each event once under a condition on its
# key, which both stand-ins check.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > main.py <<'EOF'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

with mock_aws():
    table = boto3.client("dynamodb", region_name="us-east-1")
    table.create_table(
        TableName="callers",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "phone", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "phone", "AttributeType": "S"}],
    )
    key = {"phone": {"S": "+12125550123"}}
    for label, number in {"add 1": "1", "add 1, same token": "1", "add 5, same token": "5"}.items():
        try:
            table.transact_write_items(ClientRequestToken="webhook-1", TransactItems=[{"Update": {
                "TableName": "callers",
                "Key": key,
                "UpdateExpression": "ADD missed :n",
                "ExpressionAttributeValues": {":n": {"N": number}},
            }}])
            print(f"{label}: count", table.get_item(TableName="callers", Key=key)["Item"]["missed"]["N"])
        except ClientError as err:
            print(f"{label}:", err.response["Error"]["Code"])
EOF

env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
add 1: count 1
add 1, same token: count 2
add 5, same token: count 7
EOF
