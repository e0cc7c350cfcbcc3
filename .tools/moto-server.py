"""Runs moto's server, a stand-in for SNS, SQS, Secrets Manager and S3, prints its URL, and ends with
its standard input. Topics that are named are there from the start."""

import argparse
import logging
import sys

from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends
from moto.sqs.models import SQSBackend

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
parser.add_argument("--topic", action="append", default=[])
arguments = parser.parse_args()

# moto looks through the whole queue thirty times for each ten messages that are received, to see
# whether they are too old. None of ours lives for a day.
SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True

logging.getLogger("werkzeug").setLevel(logging.ERROR)

server = ThreadedMotoServer(ip_address=arguments.host, port=arguments.port, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
for name in arguments.topic:
    topic = sns_backends["123456789012"]["us-east-1"].create_topic(name)
    print(topic.arn, flush=True)
try:
    sys.stdin.read()
except KeyboardInterrupt:
    pass
