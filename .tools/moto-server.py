"""Runs moto's server, a stand-in for SNS, SQS, Secrets Manager and S3. It prints the server's URL, creates
the topics given by --topic, and stops when its standard input ends."""

import argparse
import logging
import sys

from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends
from moto.sqs.models import SQSBackend

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=0, help="0 picks a free port")
parser.add_argument("--topic", action="append", default=[])
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
try:
    sys.stdin.read()
except KeyboardInterrupt:
    pass
