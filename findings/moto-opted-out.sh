#!/usr/bin/env bash
# Guess: on moto a phone number has opted out of text messages if it is on the list of numbers that have opted out, and a number
# that opts in is off the list.
#
# What happens: the question does not look at the list. Every number that ends in 99 has opted out, whatever the list says, and
# the list, which opens with eight British numbers, holds none that ends so. Opting in takes a number off the list and changes
# no answer, and a message to any of them is accepted. 555-0199 is one of the numbers that samples and tests may use.
#
# Versions: moto 5.2.5 and boto3 1.44.8, both the newest; moto's list of SNS features says so of the question alone. Seen on
# 2026-11-30:
#   +12125550199: opted out True, on the list False, publish accepted
#   +12125550198: opted out False, on the list False, publish accepted
#   +447700900149: opted out False, on the list True, publish accepted
#   opted in +12125550199: opted out True, on the list False
#   opted in +447700900149: opted out False, on the list False
#
# Why it matters to us: alerts go out by SMS too, and one who answered STOP gets none. A check that warns of such subscribers
# would be told the opposite by the two calls that it may choose from, and with one fictional number for another its test turns
# from green to red. On moto it can be tried only by replacing the answers.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[sns]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > main.py <<'EOF'
import boto3
from moto import mock_aws


def answers(sns, number):
    out = sns.check_if_phone_number_is_opted_out(phoneNumber=number)["isOptedOut"]
    listed = number in sns.list_phone_numbers_opted_out()["phoneNumbers"]
    return f"opted out {out}, on the list {listed}"


with mock_aws():
    sns = boto3.client("sns", region_name="us-east-1")
    for number in ("+12125550199", "+12125550198", "+447700900149"):
        sns.publish(PhoneNumber=number, Message="a missed call")
        print(f"{number}: {answers(sns, number)}, publish accepted")
    for number in ("+12125550199", "+447700900149"):
        sns.opt_in_phone_number(phoneNumber=number)
        print(f"opted in {number}: {answers(sns, number)}")
EOF
env -u AWS_CA_BUNDLE AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none venv/bin/python main.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
+12125550199: opted out True, on the list False, publish accepted
+12125550198: opted out False, on the list False, publish accepted
+447700900149: opted out False, on the list True, publish accepted
opted in +12125550199: opted out True, on the list False
opted in +447700900149: opted out False, on the list False
EOF
