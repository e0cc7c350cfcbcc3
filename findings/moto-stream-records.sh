#!/usr/bin/env bash
# Guess: the stream of a table in moto has the records that the stream of DynamoDB has: one for each item that a write
# changed, with the item as it is afterwards.
#
# What happens: an UpdateItem that creates an item writes two INSERT records, the first with nothing but the key; one in a
# transaction does as well. A write that changes nothing writes a MODIFY record whose images are equal. DynamoDB writes one
# record for the first and none for the second. PutItem and BatchWriteItem of new items are right.
#
# Versions: moto 5.2.5 and boto3 1.44.8, both the newest; "Change data capture for DynamoDB Streams" in DynamoDB's developer
# guide. Seen on 2026-11-29:
#   PutItem, new: INSERT {'id': 'call-1', 'state': 'missed'}
#   PutItem, the same again: MODIFY {'id': 'call-1', 'state': 'missed'}
#   UpdateItem, same value: MODIFY {'id': 'call-1', 'state': 'missed'}
#   UpdateItem, new item: INSERT {'id': 'call-2'} | INSERT {'id': 'call-2', 'state': 'missed'}
#   TransactWriteItems, Update of a new item: INSERT {'id': 'call-3'} | INSERT {'id': 'call-3', 'state': 'missed'}
#   BatchWriteItem, new: INSERT {'id': 'call-4', 'state': 'missed'}
#
# Why it matters to us: the alerts function reads the INSERT records of the table's stream. We put whole items, which moto gets
# right. With the first UpdateItem, a test fed from moto's stream would see a call that has no type and no caller, and then
# the same call again as new. One that counts a table's changes is wrong already. Our tests make the records themselves.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > main.py <<'EOF'
import boto3
from botocore.config import Config
from moto import mock_aws


def item(call):
    return {"id": {"S": call}, "state": {"S": "missed"}}


def update(call):
    return {
        "TableName": "calls",
        "Key": {"id": {"S": call}},
        "UpdateExpression": "SET #s = :s",
        "ExpressionAttributeNames": {"#s": "state"},
        "ExpressionAttributeValues": {":s": {"S": "missed"}},
    }


with mock_aws():
    table = boto3.client("dynamodb", region_name="us-east-1")
    # moto knows the streams' common endpoint only; see moto-stream-by-arn.sh.
    streams = boto3.client("dynamodbstreams", region_name="us-east-1", config=Config(account_id_endpoint_mode="disabled"))
    arn = table.create_table(
        TableName="calls",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    cursor = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    for label, write in {
        "PutItem, new": lambda: table.put_item(TableName="calls", Item=item("call-1")),
        "PutItem, the same again": lambda: table.put_item(TableName="calls", Item=item("call-1")),
        "UpdateItem, same value": lambda: table.update_item(**update("call-1")),
        "UpdateItem, new item": lambda: table.update_item(**update("call-2")),
        "TransactWriteItems, Update of a new item": lambda: table.transact_write_items(
            TransactItems=[{"Update": update("call-3")}]),
        "BatchWriteItem, new": lambda: table.batch_write_item(
            RequestItems={"calls": [{"PutRequest": {"Item": item("call-4")}}]}),
    }.items():
        write()
        answer = streams.get_records(ShardIterator=cursor)
        cursor = answer["NextShardIterator"]
        print(f"{label}:", " | ".join(
            f"{r['eventName']} { {n: v['S'] for n, v in r['dynamodb']['NewImage'].items()} }" for r in answer["Records"]))
EOF

env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
PutItem, new: INSERT {'id': 'call-1', 'state': 'missed'}
PutItem, the same again: MODIFY {'id': 'call-1', 'state': 'missed'}
UpdateItem, same value: MODIFY {'id': 'call-1', 'state': 'missed'}
UpdateItem, new item: INSERT {'id': 'call-2'} | INSERT {'id': 'call-2', 'state': 'missed'}
TransactWriteItems, Update of a new item: INSERT {'id': 'call-3'} | INSERT {'id': 'call-3', 'state': 'missed'}
BatchWriteItem, new: INSERT {'id': 'call-4', 'state': 'missed'}
EOF
