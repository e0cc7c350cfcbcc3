#!/usr/bin/env bash
# Guess: the newest moto and the newest boto3 fit together: a client of DynamoDB Streams that lists a table's streams can
# read them.
#
# What happens: only ListStreams works. Where a request names a stream, botocore now sends it to a host of the account, the
# number in the ARN followed by .streams-ddb; moto serves the host that all accounts share, and answers "Not yet
# implemented" with 404, though it has the operation. Of DynamoDB itself it knows the accounts' hosts. Without account
# endpoints everything works.
#
# Versions: moto 5.2.5 and boto3 1.44.8, both the newest. Seen on 2026-11-29:
#   preferred: ListStreams at streams.dynamodb.us-east-1.amazonaws.com: 1 stream
#   preferred: DescribeStream at 123456789012.streams-ddb.us-east-1.amazonaws.com: 404 Not yet implemented
#   disabled: ListStreams at streams.dynamodb.us-east-1.amazonaws.com: 1 stream
#   disabled: DescribeStream at streams.dynamodb.us-east-1.amazonaws.com: 1 shard
#
# Why it matters to us: "Not yet implemented" reads as if moto had no streams, so one would drop the test of the way from the
# table to the alerts, or look for another stand-in. Set account_id_endpoint_mode to disabled, or run moto as a server and
# name its address.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > main.py <<'EOF'
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

hosts = []


def attempt(call):
    try:
        return call()
    except ClientError as err:
        return f"{err.response['Error']['Code']} {err.response['Error']['Message']}"


with mock_aws():
    arn = boto3.client("dynamodb", region_name="us-east-1").create_table(
        TableName="calls",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    for mode in ["preferred", "disabled"]:  # preferred is the default
        streams = boto3.client("dynamodbstreams", region_name="us-east-1", config=Config(account_id_endpoint_mode=mode))
        streams.meta.events.register("request-created.*", lambda request, **_: hosts.append(urlsplit(request.url).hostname))
        for name, call in {
            "ListStreams": lambda: f"{len(streams.list_streams()['Streams'])} stream",
            "DescribeStream": lambda: f"{len(streams.describe_stream(StreamArn=arn)['StreamDescription']['Shards'])} shard",
        }.items():
            result = attempt(call)
            print(f"{mode}: {name} at {hosts[-1]}: {result}")
EOF

env -u AWS_CA_BUNDLE -u AWS_ACCOUNT_ID_ENDPOINT_MODE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none \
	venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
preferred: ListStreams at streams.dynamodb.us-east-1.amazonaws.com: 1 stream
preferred: DescribeStream at 123456789012.streams-ddb.us-east-1.amazonaws.com: 404 Not yet implemented
disabled: ListStreams at streams.dynamodb.us-east-1.amazonaws.com: 1 stream
disabled: DescribeStream at streams.dynamodb.us-east-1.amazonaws.com: 1 shard
EOF
