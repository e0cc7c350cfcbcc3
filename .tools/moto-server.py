"""Runs moto's server, a stand-in for SNS, SQS, Secrets Manager and S3. It prints the server's URL, creates
the topics, queues and secrets that are asked for, and stops when its standard input ends."""

import argparse
import logging
import sys

import boto3
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends
from moto.sqs.models import SQSBackend

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0, help="0 picks a free port")
parser.add_argument("--topic", action="append", default=[])
parser.add_argument("--queue", action="append", default=[])
parser.add_argument("--secret", action="append", default=[], nargs=2, metavar=("NAME", "TEXT"))
arguments = parser.parse_args()

# moto scans the whole queue thirty times for every ten messages received, to find expired ones. No queue
# of ours lives long enough to have any.
SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True

logging.getLogger("werkzeug").setLevel(logging.ERROR)

server = ThreadedMotoServer(ip_address=arguments.host, port=arguments.port, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
for name in arguments.topic:
    topic = sns_backends["123456789012"]["us-east-1"].create_topic(name)
    print(topic.arn, flush=True)
client = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
client |= {"aws_access_key_id": "stand-in", "aws_secret_access_key": "stand-in"}
for name in arguments.queue:
    boto3.client("sqs", **client).create_queue(QueueName=name)
for name, text in arguments.secret:
    boto3.client("secretsmanager", **client).create_secret(Name=name, SecretString=text)
try:
    sys.stdin.read()
except KeyboardInterrupt:
    pass
