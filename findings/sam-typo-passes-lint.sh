#!/usr/bin/env bash
# Guess: cfn-lint checks an AWS::Serverless::Function at least as strictly as the Lambda function and the event source
# mapping that SAM makes of it, as it did when it ran SAM's transform before its rules.
#
# What happens: it now reads SAM templates with schemas of its own, which know the names of properties and few of their
# values. A time-out that Lambda rejects, a number of retries out of range and a misspelt response type all pass; the
# same three values are errors once the resources are written out. A misspelt property name is caught in both.
#
# Versions: cfn-lint 1.58.0, the newest. Seen on 2026-11-28, with the exit codes:
#   sam: exit code 0
#   sam-name.yaml:10:7:10:14:E3002:Additional properties are not allowed ('TimeOut' was unexpected. Did you mean 'Timeout'?)
#   sam-name: exit code 2
#   written-out.yaml:10:7:10:14:E3717:901 is greater than the maximum of 900 for functions without 'CapacityProviderConfig' (Lambda Managed Instances)
#   written-out.yaml:17:7:17:27:E3034:100000 is greater than the maximum of 10000
#   written-out.yaml:18:31:18:53:E3030:'ReportBatchItemFailure' is not one of ['ReportBatchItemFailures']
#   written-out: exit code 2
#
# Why it matters to us: "make validate" runs cfn-lint and "sam validate --lint" on template.yaml, whose functions are all
# written this way. ReportBatchItemFailures is what keeps one poisoned record from holding up its shard; a typo in
# it is found by the deployment at the earliest, not by the check.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cfn-lint==1.58.0

cat > sam.yaml <<'EOF'
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Alert:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: src/
      Timeout: 901
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/calls/stream/2026-11-28T00:00:00.000
            StartingPosition: LATEST
            MaximumRetryAttempts: 100000
            FunctionResponseTypes: [ReportBatchItemFailure]
EOF
cat > written-out.yaml <<'EOF'
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Alert:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      Role: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/alert
      Code: {S3Bucket: code, S3Key: alert.zip}
      Timeout: 901
  AlertStream:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Alert
      EventSourceArn: !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/calls/stream/2026-11-28T00:00:00.000
      StartingPosition: LATEST
      MaximumRetryAttempts: 100000
      FunctionResponseTypes: [ReportBatchItemFailure]
EOF
sed 's/Timeout:/TimeOut:/' sam.yaml > sam-name.yaml

for template in sam sam-name written-out; do
	code=0
	venv/bin/cfn-lint --format parseable "$template.yaml" || code=$?
	echo "$template: exit code $code"
done | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
sam: exit code 0
sam-name.yaml:10:7:10:14:E3002:Additional properties are not allowed ('TimeOut' was unexpected. Did you mean 'Timeout'?)
sam-name: exit code 2
written-out.yaml:10:7:10:14:E3717:901 is greater than the maximum of 900 for functions without 'CapacityProviderConfig' (Lambda Managed Instances)
written-out.yaml:17:7:17:27:E3034:100000 is greater than the maximum of 10000
written-out.yaml:18:31:18:53:E3030:'ReportBatchItemFailure' is not one of ['ReportBatchItemFailures']
written-out: exit code 2
EOF
