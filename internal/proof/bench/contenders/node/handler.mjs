// The webhook function as most would write it for Node.js: the AWS SDK v3, bundled. For each
// delivery it checks the token and the signature, decodes the body, makes one conditional write of an
// item with the same keys, payload and members as that of functions/webhook, logs one line, and gives
// the same answer.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { marshall } from '@aws-sdk/util-dynamodb'

// A signature may be at most this old, and at most this far ahead of our clock, in milliseconds.
const maxAge = 3 * 60 * 60 * 1000
const maxAhead = 5 * 60 * 1000

const table = new DynamoDBClient({})
const { SecretString } = await new SecretsManagerClient({}).send(
  new GetSecretValueCommand({ SecretId: process.env.SECRET_ARN }))
const secret = JSON.parse(SecretString)

export const handle = async (request) => {
  if (!same(request.pathParameters?.token ?? '', secret.token)) {
    return respond(401, { error: 'unauthorized' })
  }
  const body = request.isBase64Encoded ? Buffer.from(request.body, 'base64').toString() : request.body
  const delivery = decode(body)
  if (!delivery) {
    return respond(400, { error: 'not a JSON object with a type and data' })
  }
  const url = `https://${request.requestContext.domainName}${request.rawPath}`
  if (delivery.format === 'B' && !verify(url, delivery.type, request.headers)) {
    return respond(401, { error: 'unauthorized' })
  }
  return store(delivery)
}

const store = async (delivery) => {
  const item = itemOf(delivery)
  let status = 'stored'
  try {
    await table.send(new PutItemCommand({
      TableName: process.env.TABLE_NAME,
      Item: marshall(item),
      ConditionExpression: 'attribute_not_exists(PK)',
    }))
  } catch (err) {
    if (err.name !== 'ConditionalCheckFailedException') {
      console.error(JSON.stringify({ level: 'ERROR', message: 'delivery failed', error: err.name }))
      return respond(503, { error: 'try again later' })
    }
    status = 'duplicate'
  }
  console.log(JSON.stringify({
    time: new Date(), level: 'INFO', message: 'delivery answered',
    status: 200, type: delivery.type, kind: kindOf(delivery), key: item.PK, answer: status,
  }))
  return respond(200, { status, key: item.PK })
}

const respond = (statusCode, answer) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(answer),
})

const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

// verify checks format B's signature. API Gateway sends header names in lower case.
const verify = (url, type, headers) => {
  const timestamp = headers['x-justcall-request-timestamp'] ?? ''
  const age = Date.now() - Date.parse(`${timestamp.replace(' ', 'T')}Z`)
  if (!(age <= maxAge && age >= -maxAhead)) {
    return false
  }
  const message = [secret.signing_secret, encodeURIComponent(url), type, timestamp].join('|')
  return same(headers['x-justcall-signature'] ?? '', createHmac('sha256', secret.signing_secret).update(message).digest('hex'))
}

const decode = (body) => {
  try {
    const { event, timestamp, type, data } = JSON.parse(body)
    const delivery = { format: event ? 'A' : 'B', type: event || type, timestamp, data, body }
    return delivery.type && Object.keys(data).length > 0 ? delivery : undefined
  } catch {
    return undefined
  }
}

const itemOf = (delivery) => {
  const { format, type, timestamp, data, body } = delivery
  const at = occurredAt(format, timestamp, data)
  const item = {}
  for (const [name, value] of Object.entries(data)) {
    if (value !== null) {
      item[name] = value
    }
  }
  item.PK = partition(type, data)
  item.SK = `EVENT#${at}#${type}#${digest(data)}`
  item.occurred_at = at
  item.payload = body
  const phone = phoneOf(type, data)
  if (phone) {
    item.GSI1PK = `PHONE#${phone}`
  }
  if (['missed_call', 'voicemail'].includes(kindOf(delivery))) {
    item.GSI2PK = `ALERT#${at.slice(0, 10)}#${crc32(item.PK) % 4}`
  }
  return item
}

const occurredAt = (format, timestamp, data) => {
  if (format === 'A') {
    return new Date(timestamp).toISOString()
  }
  const [date, clock] = data.call_date ? [data.call_date, data.call_time] : [data.sms_date, data.sms_time]
  return new Date(`${date}T${clock.padStart(8, '0')}Z`).toISOString()
}

// digest hashes the data in canonical form, so that a redelivery gets the same key.
const digest = (data) => createHash('sha256').update(JSON.stringify(sorted(data))).digest('hex').slice(0, 16)

const sorted = (value) => {
  if (Array.isArray(value)) {
    return value.map(sorted)
  }
  if (value === null || typeof value !== 'object') {
    return value
  }
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]))
}

const partitions = { call: 'CALL', voicemail: 'CALL', sms: 'MESSAGE', contact: 'CONTACT' }

const partition = (type, data) => {
  const prefix = partitions[type.split('.')[0]]
  const id = idOf(data)
  return prefix && id ? `${prefix}#${id}` : `EVENT#${type}`
}

const idOf = (data) => {
  const id = data.call_id || data.call_sid || data.message_id || data.contact_id || data.id
  return id ? String(id) : ''
}

const kindOf = ({ type, data }) => {
  const family = type.split('.')[0]
  const outcome = String(data.call_info?.type ?? '').toLowerCase()
  if (family === 'voicemail' || type === 'call.voicemail' || outcome === 'voicemail') {
    return 'voicemail'
  }
  if (type === 'call.missed' || outcome === 'missed') {
    return 'missed_call'
  }
  return { call: 'call', contact: 'contact', sms: 'message' }[family] ?? 'unknown'
}

// phoneOf is the number of the outside party, as + and digits.
const phoneOf = (type, data) => {
  const outbound = data.direction === 'outbound' || type === 'sms.sent' || type === 'sms.delivered'
  const number = data.contact_number || data.phone || (outbound ? data.to : data.from) || ''
  const digits = number.replace(/\D/g, '')
  return digits && `+${digits}`
}
