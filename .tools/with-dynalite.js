#!/usr/bin/env node
// Runs a command with DYNAMODB_ENDPOINT pointing at a DynamoDB stand-in that lives only as long
// as the command does, in memory and on a free port of the loopback interface. It exits as the
// command does.
//
//   node .tools/with-dynalite.js go test ./internal/table/...
'use strict'

const { spawn } = require('node:child_process')
const dynalite = require('dynalite')

const [command, ...args] = process.argv.slice(2)
if (!command) {
  console.error('usage: node .tools/with-dynalite.js COMMAND [ARGUMENT...]')
  process.exit(2)
}

const fail = (err) => {
  console.error(`with-dynalite: ${err.message}`)
  process.exit(1)
}

const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 })
server.on('error', fail)

// Port 0 lets the system choose, so two runs side by side never meet.
server.listen(0, '127.0.0.1', () => {
  const endpoint = `http://127.0.0.1:${server.address().port}`
  console.log(`dynalite ${require('dynalite/package.json').version} listens at ${endpoint}`)

  const env = {
    ...process.env,
    DYNAMODB_ENDPOINT: endpoint,
    // Never the caller's own account, whatever the command does with its environment.
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  }
  delete env.AWS_PROFILE
  delete env.AWS_SESSION_TOKEN

  const child = spawn(command, args, { env, stdio: 'inherit' })
  child.on('error', fail)
  // A command that a signal ended has no exit code: 1 stands in.
  child.on('exit', (code) => process.exit(code ?? 1))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
})
