// The emulator's IAM over loopback HTTP, and beside it a plain server that answers with one of its
// tokens as fast as Node can. Runs in the app that has the package installed.
import { createServer } from 'node:http'
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'

const emulator = createEmulator()
let requests = 0
const server = await serve(async (request) => {
  if (new URL(request.url).pathname === '/requests') return Response.json(requests)
  requests += 1
  const response = await emulator.fetch(request)
  // The log of requests would grow with each round.
  emulator.requests.clear()
  return response
})
const url = `${server.url}/iam`
const { apiKey } = emulator.credential

// A token by hand, to know how long a real one is.
const body = new URLSearchParams({
  grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
  apikey: apiKey,
})
const response = await fetch(`${url}/identity/token`, { method: 'POST', body })
const answer = await response.json()
const token = answer.access_token

const plain = createServer((request, reply) => {
  if (request.url === '/requests') {
    reply.end(JSON.stringify(requests))
    return
  }
  requests += 1
  request.resume().on('end', () => {
    const text = JSON.stringify({ ...answer, access_token: numbered(requests) })
    reply.setHeader('Content-Type', 'application/json')
    reply.end(text)
  })
})
await new Promise((resolve) => plain.listen(0, '127.0.0.1', resolve))
const plainUrl = `http://127.0.0.1:${plain.address().port}`

/** Another token each time, as long as a real one. @param {number} number */
function numbered(number) {
  return token.slice(0, -8) + String(number).padStart(8, '0')
}

process.once('disconnect', () => process.exit())
process.send?.({ url, plainUrl, apiKey, tokenLength: token.length })
