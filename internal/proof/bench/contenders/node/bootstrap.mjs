// A minimal runtime for the handler. It takes one invocation after another from the Lambda Runtime API.
// Installing AWS's own client for Node.js needs a C++ compiler, autotools and CMake, which is too much to
// ask of someone who only wants to run a benchmark.
import http from 'node:http'
import { handle } from './handler.mjs'

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

const call = (method, path, body) => new Promise((resolve, reject) => {
  const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const request = http.request(`${base}/${path}`, { method, agent, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk) => { text += chunk })
    response.on('end', () => resolve({ id: response.headers['lambda-runtime-aws-request-id'], text }))
    response.on('error', reject)
  })
  request.on('error', reject)
  request.end(body)
})

for (;;) {
  const { id, text } = await call('GET', 'next')
  try {
    await call('POST', `${id}/response`, JSON.stringify(await handle(JSON.parse(text))))
  } catch (err) {
    await call('POST', `${id}/error`, JSON.stringify({ errorType: err.name, errorMessage: err.message }))
  }
}
