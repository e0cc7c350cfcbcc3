"""The webhook function as most would write it in Python: boto3.

For each delivery it checks the token and the signature, decodes the body, makes one conditional
write of an item with the same keys, payload and members as that of functions/webhook, logs one line,
and gives the same answer.
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import zlib
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote

import boto3
from boto3.dynamodb.types import TypeSerializer

# A signature may be at most this old, and at most this far ahead of our clock.
MAX_AGE = timedelta(hours=3)
MAX_AHEAD = timedelta(minutes=5)

PARTITIONS = {"call": "CALL", "voicemail": "CALL", "sms": "MESSAGE", "contact": "CONTACT"}
KINDS = {"call": "call", "contact": "contact", "sms": "message"}

log = logging.getLogger()
log.setLevel(logging.INFO)
serialize = TypeSerializer().serialize
table = boto3.client("dynamodb")
table_name = os.environ["TABLE_NAME"]
secret = json.loads(
    boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET_ARN"])["SecretString"]
)


def handle(request, _context):
    token = (request.get("pathParameters") or {}).get("token", "")
    if not hmac.compare_digest(token.encode(), secret["token"].encode()):
        return respond(401, {"error": "unauthorized"})
    body = request.get("body") or ""
    if request.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    delivery = decode(body)
    if delivery is None:
        return respond(400, {"error": "not a JSON object with a type and data"})
    url = f"https://{request['requestContext']['domainName']}{request['rawPath']}"
    if delivery["format"] == "B" and not verify(url, delivery["type"], request["headers"]):
        return respond(401, {"error": "unauthorized"})
    return store(delivery)


def store(delivery):
    item = item_of(delivery)
    status = "stored"
    try:
        table.put_item(
            TableName=table_name,
            Item={name: serialize(value) for name, value in item.items()},
            ConditionExpression="attribute_not_exists(PK)",
        )
    except table.exceptions.ConditionalCheckFailedException:
        status = "duplicate"
    except Exception:
        log.exception("delivery failed")
        return respond(503, {"error": "try again later"})
    log.info(
        "delivery answered",
        extra={
            "status": 200,
            "type": delivery["type"],
            "kind": kind_of(delivery["type"], delivery["data"]),
            "key": item["PK"],
            "answer": status,
        },
    )
    return respond(200, {"status": status, "key": item["PK"]})


def respond(status, answer):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}


def verify(url, kind, headers):
    """Checks format B's signature. API Gateway sends header names in lower case."""
    timestamp = headers.get("x-justcall-request-timestamp", "")
    try:
        at = datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    age = datetime.now(timezone.utc) - at
    if age > MAX_AGE or age < -MAX_AHEAD:
        return False
    key = secret["signing_secret"]
    message = "|".join([key, quote(url, safe="!~*'()"), kind, timestamp])
    wanted = hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers.get("x-justcall-signature", "").encode(), wanted.encode())


def decode(body):
    try:
        # DynamoDB takes no floats.
        envelope = json.loads(body, parse_float=Decimal)
        data = envelope["data"]
        kind = envelope.get("event") or envelope.get("type")
    except (ValueError, TypeError, KeyError):
        return None
    if not kind or not isinstance(data, dict) or not data:
        return None
    return {
        "format": "A" if envelope.get("event") else "B",
        "type": kind,
        "timestamp": envelope.get("timestamp"),
        "data": data,
        "body": body,
    }


def item_of(delivery):
    data, event = delivery["data"], delivery["type"]
    at = written(occurred_at(delivery))
    item = {name: value for name, value in data.items() if value is not None}
    item["PK"] = partition(event, data)
    item["SK"] = f"EVENT#{at}#{event}#{digest(data)}"
    item["occurred_at"] = at
    item["payload"] = delivery["body"]
    phone = phone_of(event, data)
    if phone:
        item["GSI1PK"] = f"PHONE#{phone}"
    if kind_of(event, data) in ("missed_call", "voicemail"):
        item["GSI2PK"] = f"ALERT#{at[:10]}#{zlib.crc32(item['PK'].encode()) % 4}"
    return item


def occurred_at(delivery):
    if delivery["format"] == "A":
        return datetime.fromisoformat(delivery["timestamp"].replace("Z", "+00:00")).astimezone(timezone.utc)
    data = delivery["data"]
    prefix = "call" if data.get("call_date") else "sms"
    return datetime.strptime(f"{data[f'{prefix}_date']} {data[f'{prefix}_time']}", "%Y-%m-%d %H:%M:%S")


def written(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def digest(data):
    """Hashes the data in canonical form, so that a redelivery gets the same key."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=float)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def partition(event, data):
    prefix, key = PARTITIONS.get(event.split(".")[0]), id_of(data)
    return f"{prefix}#{key}" if prefix and key else f"EVENT#{event}"


def id_of(data):
    for name in ("call_id", "call_sid", "message_id", "contact_id", "id"):
        if data.get(name):
            return str(data[name])
    return ""


def kind_of(event, data):
    family = event.split(".")[0]
    outcome = str((data.get("call_info") or {}).get("type", "")).lower()
    if family == "voicemail" or event == "call.voicemail" or outcome == "voicemail":
        return "voicemail"
    if event == "call.missed" or outcome == "missed":
        return "missed_call"
    return KINDS.get(family, "unknown")


def phone_of(event, data):
    """Returns the number of the outside party, as + and digits."""
    outbound = data.get("direction") == "outbound" or event in ("sms.sent", "sms.delivered")
    number = data.get("contact_number") or data.get("phone") or data.get("to" if outbound else "from") or ""
    digits = re.sub(r"\D", "", number)
    return f"+{digits}" if digits else ""
