#!/usr/bin/env node
// Runs a command beside in-memory stand-ins for AWS, on free ports of the loopback interface.
// DYNAMODB_ENDPOINT points at dynalite, which models tables more exactly than moto does. MOTO_ENDPOINT
// points at moto, for SNS, SQS, Secrets Manager and S3. The stand-ins stop when the command ends, and this
// script exits with the command's code.
//
//   node .tools/with-stand-ins.js go test ./internal/table/...
'use strict'

const { spawn } = require('node:child_process')
const path = require('node:path')
const readline = require('node:readline')
const dynalite = require('dynalite')

const [command, ...args] = process.argv.slice(2)
if (!command) {
  console.error('usage: node .tools/with-stand-ins.js COMMAND [ARGUMENT...]')
  process.exit(2)
}

const fail = (err) => {
  console.error(`with-stand-ins: ${err.message}`)
  process.exit(1)
}

// Port 0 lets the system choose, so that two runs at once do not collide.
const startDynalite = () => new Promise((resolve, reject) => {
  const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 })
  server.on('error', reject)
  server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`))
})

// moto stops when its standard input closes, so it stops however this process ends.
const startMoto = () => new Promise((resolve, reject) => {
  const python = path.join(__dirname, 'moto-venv', 'bin', 'python')
  const server = spawn(python, [path.join(__dirname, 'moto-server.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  server.on('error', reject)
  server.on('exit', () => fail(new Error('moto has ended')))
  readline.createInterface({ input: server.stdout }).once('line', resolve)
})

const run = async () => {
  const [tables, others] = await Promise.all([startDynalite(), startMoto()])
  console.log(`dynalite ${require('dynalite/package.json').version} listens at ${tables}, moto at ${others}`)

  const env = {
    ...process.env,
    DYNAMODB_ENDPOINT: tables,
    MOTO_ENDPOINT: others,
    // Made-up credentials, so that the command can never reach the caller's own account.
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  }
  delete env.AWS_PROFILE
  delete env.AWS_SESSION_TOKEN

  const child = spawn(command, args, { env, stdio: 'inherit' })
  child.on('error', fail)
  // A command that a signal ended has no exit code: exit with 1.
  child.on('exit', (code) => process.exit(code ?? 1))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
}

run().catch(fail)
