#!/usr/bin/env bash
# Guess: moto enforces SNS's limits on what is published: it does refuse a single message of 262,145 bytes.
#
# What happens: it measures only the text of a message, each for itself. It takes a batch of five times 100,000 bytes,
# though SNS allows 262,144 for a whole batch by default, and a message that exceeds the limit by its attributes, which
# SNS counts. It also takes a subject with a line break, which SNS refuses.
#
# Versions: moto 5.2.5 and botocore 1.44.8, both the newest; SNS's limits as botocore's descriptions of Publish and
# PublishBatch state them. Seen on 2026-11-28:
#   one message of 262,145 bytes: InvalidParameter
#   five messages of 100,000 bytes: accepted 5 refused 0
#   262,000 bytes and an attribute of 1,000: accepted 1 refused 0
#   subject with a line break: accepted 1 refused 0
#   subject of 101 characters: InvalidParameter
#
# Why it matters to us: alerts go out by PublishBatch, several missed calls at once, each with attributes for filter
# policies and a subject for e-mail that may quote the address book. On moto a batch that is too large, or a contact
# whose name has a line break, goes through; in the user's account the whole batch, or that alert, is refused and retried.
# The code that sums up sizes and cleans subjects needs tests of its own.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check moto==5.2.5 boto3==1.44.8 botocore==1.44.8

cat > main.py <<'EOF'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws


def attempt(label, call, **arguments):
    try:
        answer = call(TopicArn=topic, **arguments)
        print(f"{label}: accepted", len(answer.get("Successful", [1])), "refused", len(answer.get("Failed", [])))
    except ClientError as err:
        print(f"{label}: {err.response['Error']['Code']}")


with mock_aws():
    sns = boto3.client("sns", region_name="us-east-1")
    topic = sns.create_topic(Name="missed-calls")["TopicArn"]
    attempt("one message of 262,145 bytes", sns.publish, Message="x" * 262145)
    attempt(
        "five messages of 100,000 bytes",
        sns.publish_batch,
        PublishBatchRequestEntries=[{"Id": str(i), "Message": "x" * 100000} for i in range(5)],
    )
    attempt(
        "262,000 bytes and an attribute of 1,000",
        sns.publish,
        Message="x" * 262000,
        MessageAttributes={"note": {"DataType": "String", "StringValue": "y" * 1000}},
    )
    attempt("subject with a line break", sns.publish, Message="m", Subject="Missed call from\nFront Desk")
    attempt("subject of 101 characters", sns.publish, Message="m", Subject="s" * 101)
EOF

env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
one message of 262,145 bytes: InvalidParameter
five messages of 100,000 bytes: accepted 5 refused 0
262,000 bytes and an attribute of 1,000: accepted 1 refused 0
subject with a line break: accepted 1 refused 0
subject of 101 characters: InvalidParameter
EOF
