// What the tests of the package share: servers that misbehave, and what must never be seen.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { isAuthError } from 'keyprotect-auth'
import { serve } from 'keyprotect-auth/node'

/** Stands in credentials; must be nowhere in any output. */
export const SENTINEL = 'SENTINEL-7f3a'

export const FORM = 'application/x-www-form-urlencoded'

/** The body of a good token answer. */
export function tokens(fields = {}) {
  return { access_token: 'FAKE-A', token_type: 'Bearer', expires_in: 3600, ...fields }
}

export function json(body, init = {}) {
  const headers = { 'content-type': 'application/json', ...init.headers }
  return new Response(JSON.stringify(body), { ...init, headers })
}

export function html(status, text = '<html><body>no</body></html>') {
  return new Response(text, { status, headers: { 'content-type': 'text/html' } })
}

/** A JWT whose signature nobody checks. */
export function jwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.c2ln`
}

/**
 * Serves a handler on loopback for one test; `requests` has what came: method, path, headers, form.
 * @param {import('node:test').TestContext} t
 */
export async function serving(t, handler) {
  const requests = []
  const server = await serve(async (request) => {
    const url = new URL(request.url)
    const body = await request.text()
    const seen = {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      headers: Object.fromEntries(request.headers),
      form: Object.fromEntries(new URLSearchParams(body)),
    }
    requests.push(seen)
    return handler(seen, requests.length)
  })
  t.after(() => server.close())
  return { url: server.url, requests }
}

/**
 * A server of raw bytes: `answer(socket)` is called when a request's headers are in.
 * @param {import('node:test').TestContext} t
 */
export async function rawServing(t, answer) {
  const sockets = new Set()
  let count = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
      if (!text.includes('\r\n\r\n')) return
      text = ''
      count += 1
      answer(socket, count)
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${server.address().port}`, count: () => count }
}

/** A clock that stands still, moves when told, and whose waits pass at once. */
export function stoppedClock(start = Date.UTC(2026, 0, 15, 12)) {
  const clock = {
    wall: start,
    mono: 1000,
    waits: [],
    now: () => clock.wall,
    monotonic: () => clock.mono,
    random: () => 0.5,
    sleep: async (ms, { signal } = {}) => {
      signal?.throwIfAborted()
      clock.waits.push(ms)
      clock.pass(ms)
    },
    pass: (ms) => {
      clock.wall += ms
      clock.mono += ms
    },
  }
  return clock
}

/** The `AuthError` that a promise rejects with; it must have a hint and show no secret. */
export async function refusal(promise) {
  let error
  try {
    await promise
  } catch (thrown) {
    error = thrown
  }
  assert.ok(isAuthError(error), `no AuthError: ${inspect(error)}`)
  assertNoSecret(error)
  if (error.code !== 'aborted') assert.notEqual(error.hint, '')
  return error
}

/** No form of a value that a program may print shows a secret. */
export function assertNoSecret(value, secret = SENTINEL) {
  const forms = [
    inspect(value, { depth: 9, showHidden: true }),
    String(value),
    String(value?.message),
    String(value?.stack),
    String(value?.cause?.stack),
  ]
  try {
    forms.push(JSON.stringify(value) ?? '')
  } catch {
    // Not JSON: then it can't be printed as such.
  }
  for (const form of forms) assert.ok(!form.includes(secret), `shows a secret: ${form}`)
}

export async function collect(iterable) {
  const items = []
  for await (const item of iterable) items.push(item)
  return items
}
