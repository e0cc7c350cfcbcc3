#!/usr/bin/env bash
# Guess: a role that works under "--iam strict" of fakecloud, an emulator of AWS, needs no other rights than on AWS.
#
# What happens: fakecloud asks for a right by the name of each operation. IAM has no action sns:PublishBatch; on AWS,
# sns:Publish is the right to publish in batches too. A role with sns:Publish alone is denied, and the one that works has an
# action that does not exist.
#
# Versions: fakecloud 0.51.0 and boto3 1.43.108; "Actions, resources, and condition keys for Amazon SNS" in AWS's Service
# Authorization Reference. Seen on 2026-11-28:
#   sns:Publish                  | Publish: allowed | PublishBatch: AccessDeniedException
#   sns:Publish sns:PublishBatch | Publish: allowed | PublishBatch: allowed
#
# Why it matters to us: the alerts function publishes in batches, by sns:Publish. "make rehearse" grants the other too, for
# the emulator only; template.yaml stays right.
#
# It takes the fakecloud that "make rehearse" builds. Elsewhere: FAKECLOUD=/path/to/fakecloud.
set -euo pipefail

fakecloud=$(realpath "${FAKECLOUD:-$(dirname "$0")/../.tools/fakecloud/bin/fakecloud}")
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.43.108

"$fakecloud" --addr 127.0.0.1:4599 --iam strict > log 2>&1 &
pid=$!

cat > main.py <<'EOF'
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

options = {"endpoint_url": "http://127.0.0.1:4599", "region_name": "us-east-1", "config": Config(retries={"max_attempts": 10})}
admin = {"aws_access_key_id": "test", "aws_secret_access_key": "test", **options}
iam, sts = boto3.client("iam", **admin), boto3.client("sts", **admin)
topic = boto3.client("sns", **admin).create_topic(Name="alerts")["TopicArn"]


def policy(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def attempt(call, **arguments):
    try:
        call(TopicArn=topic, **arguments)
        return "allowed"
    except ClientError as err:
        return err.response["Error"]["Code"]


trust = policy(Action="sts:AssumeRole", Principal={"AWS": "*"})
for actions in (["sns:Publish"], ["sns:Publish", "sns:PublishBatch"]):
    name = f"publisher{len(actions)}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="publish", PolicyDocument=policy(Action=actions, Resource=topic))
    c = sts.assume_role(RoleArn=role, RoleSessionName="finding")["Credentials"]
    sns = boto3.client("sns", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"],
                       aws_session_token=c["SessionToken"], **options)
    one = attempt(sns.publish, Message="m")
    batch = attempt(sns.publish_batch, PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
    print(f"{' '.join(actions):28} | Publish: {one} | PublishBatch: {batch}")
EOF
env -u AWS_CA_BUNDLE -u AWS_PROFILE venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
sns:Publish                  | Publish: allowed | PublishBatch: AccessDeniedException
sns:Publish sns:PublishBatch | Publish: allowed | PublishBatch: allowed
EOF
