import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchangeToken, login } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { json, rawServing, refusal, SENTINEL, serving, tokens } from './helpers.mjs'

const never = () => new Promise(() => {})
const body = JSON.stringify(tokens())

function exchange(fetch, options) {
  return exchangeToken({ apiKey: SENTINEL }, { fetch, retries: 0, ...options })
}

test('a request carries what it must, and follows no redirect', async (t) => {
  const calls = []
  const fetch = async (url, init) => {
    calls.push([url, init])
    return json(tokens())
  }
  await exchange(fetch)
  const [[url, init]] = calls
  assert.equal(url, 'https://iam.cloud.ibm.com/identity/token')
  assert.equal(Object.getPrototypeOf(init.headers), Object.prototype)
  assert.equal(init.method, 'POST')
  assert.equal(typeof init.body, 'string')
  assert.equal(init.redirect, 'manual')
  assert.equal(init.credentials, 'omit')
  assert.equal(init.cache, 'no-store')
  assert.ok(init.signal instanceof AbortSignal)
  const target = await serving(t, () => json(tokens()))
  for (const status of [301, 302, 303, 307, 308]) {
    const headers = { location: `${target.url}/identity/token` }
    const server = await serving(t, () => new Response(null, { status, headers }))
    const error = await refusal(exchange(undefined, { endpoints: { iam: server.url } }))
    assert.equal(error.code, 'protocol')
    assert.match(error.message, /redirect/)
  }
  assert.equal(target.requests.length, 0)
})

test('whatever a fetch does, the call settles as an AuthError and the core lives on', async () => {
  const throwing = () => {
    throw new Error('thrown')
  }
  const stubs = [
    throwing,
    () => 5,
    () => undefined,
    async () => undefined,
    async () => null,
    async () => 'text',
    async () => ({}),
    async () => ({ status: 200 }),
    async () => ({ status: '200', headers: new Headers(), body: null }),
    async () => ({ status: 200, headers: {}, text: async () => body }),
    async () => ({ status: 200, headers: new Headers() }),
    async () => ({ status: 999, headers: new Headers(), text: async () => body }),
    async () => Response.error(),
    async () => {
      const used = new Response(body)
      await used.text()
      return used
    },
    async () => ({
      get status() {
        throw new Error(SENTINEL)
      },
    }),
    async () => ({
      status: 200,
      headers: new Headers(),
      get body() {
        throw new Error(SENTINEL)
      },
    }),
    async () => ({
      status: 200,
      headers: new Headers(),
      text: () => Promise.reject(new Error(SENTINEL)),
    }),
    async () => ({ status: 200, headers: new Headers(), arrayBuffer: async () => SENTINEL }),
    ...[new Error(SENTINEL), SENTINEL, undefined, null, Symbol('x'), { SENTINEL }, 5].map(
      (reason) => () => Promise.reject(reason),
    ),
    async () => new Response(new ReadableStream({ pull: (c) => c.error(SENTINEL) })),
    async () =>
      new Response(
        new ReadableStream({
          pull: (c) => {
            c.enqueue('text')
            c.close()
          },
        }),
      ),
  ]
  for (const stub of stubs) {
    const error = await refusal(exchange(stub))
    assert.ok(['network', 'protocol'].includes(error.code), `${stub}: ${error.code}`)
  }
  const { iam } = await exchange(async () => json(tokens()))
  assert.equal(iam.accessToken, 'FAKE-A')
})

test('what is Response-shaped is read, also without being the platform’s own', async () => {
  const headers = { get: (name) => (name === 'content-type' ? 'application/json' : null) }
  const bytes = new TextEncoder().encode(body)
  const read = [{ done: false, value: bytes }, { done: true }]
  for (const answer of [
    { status: 200, headers, text: async () => body },
    { status: 200, headers, arrayBuffer: async () => bytes.buffer },
    {
      status: 200,
      headers,
      body: { getReader: () => ({ read: async () => read.shift(), cancel: async () => {} }) },
    },
  ]) {
    const { iam } = await exchange(async () => answer)
    assert.equal(iam.accessToken, 'FAKE-A')
  }
  const large = { status: 200, headers, text: async () => 'a'.repeat(2 ** 21) }
  assert.equal((await refusal(exchange(async () => large))).code, 'protocol')
})

test('a server that breaks off is network, and the rest of its answer is not shown', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
  for (const answer of [
    (socket) => socket.destroy(),
    (socket) => socket.end('HTTP/1.1 200'),
    (socket) => socket.end(`${head}Content-Length: 500\r\n\r\n{"access_token":"${SENTINEL}`),
    (socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`),
    (socket) => socket.end(`${head}Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n{"a":"b"`),
  ]) {
    const server = await rawServing(t, answer)
    const error = await refusal(exchange(undefined, { endpoints: { iam: server.url } }))
    assert.equal(error.code, 'network', String(answer))
    assert.equal(error.retryable, true)
  }
})

test('a broken connection is tried again', async (t) => {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
  const server = await rawServing(t, (socket, count) =>
    count < 2 ? socket.destroy() : socket.end(answer),
  )
  await exchangeToken({ apiKey: 'K' }, { endpoints: { iam: server.url } })
  assert.equal(server.count(), 2)
})

test('a host that is not there is network, and says its code', async () => {
  const error = await refusal(exchange(undefined, { endpoints: { iam: 'http://127.0.0.1:9' } }))
  assert.equal(error.code, 'network')
  assert.match(error.message, /127\.0\.0\.1:9\/identity\/token/)
})

test('timeoutMs holds to the end of the body', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n'
  for (const answer of [
    () => {},
    (socket) => socket.write(head),
    (socket) => socket.write(`${head}{"a`),
  ]) {
    const server = await rawServing(t, answer)
    const options = { endpoints: { iam: server.url }, timeoutMs: 60 }
    const error = await refusal(exchange(undefined, options))
    assert.equal(error.code, 'timeout')
  }
  assert.equal((await refusal(exchange(never, { timeoutMs: 20 }))).code, 'timeout')
  const stuck = async () => new Response(new ReadableStream({ pull: never }))
  assert.equal((await refusal(exchange(stuck, { timeoutMs: 20 }))).code, 'timeout')
})

test('a signal ends the call before, during the headers and during the body', async (t) => {
  const reason = new Error('enough')
  const aborted = async (fetch, signal, options) => {
    const error = await refusal(exchange(fetch, { signal, ...options }))
    assert.equal(error.code, 'aborted')
    return error
  }
  assert.equal((await aborted(never, AbortSignal.abort(reason))).cause, reason)
  assert.equal((await aborted(never, AbortSignal.abort('text'))).cause, 'text')
  const timeout = await aborted(never, AbortSignal.timeout(20))
  assert.equal(timeout.cause.name, 'TimeoutError')
  for (const answer of [
    () => {},
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{'),
  ]) {
    const controller = new AbortController()
    const server = await rawServing(t, (socket) => {
      answer(socket)
      setTimeout(() => controller.abort(reason), 20)
    })
    const options = { endpoints: { iam: server.url } }
    assert.equal((await aborted(undefined, controller.signal, options)).cause, reason)
  }
})

test('a fetch that says AbortError for everything does not hide who ended the call', async () => {
  const polyfill = (_url, { signal }) =>
    new Promise((_resolve, reject) => {
      const end = () => reject(new DOMException('x', 'AbortError'))
      if (signal.aborted) end()
      else signal.addEventListener('abort', end)
    })
  const own = await refusal(exchange(polyfill, { timeoutMs: 20 }))
  assert.equal(own.code, 'timeout')
  const theirs = await refusal(exchange(polyfill, { signal: AbortSignal.timeout(20) }))
  assert.equal(theirs.code, 'aborted')
  assert.equal(theirs.cause.name, 'TimeoutError')
  const nobody = await refusal(exchange(() => Promise.reject(new DOMException('x', 'AbortError'))))
  assert.equal(nobody.code, 'network')
})

test('one caller’s signal ends that caller’s wait alone', async () => {
  const emulator = createEmulator()
  let release
  const gate = new Promise((resolve) => {
    release = resolve
  })
  let isGated = false
  const fetch = async (url, init) => {
    if (isGated) await gate
    return emulator.fetch(url, init)
  }
  const session = await login(emulator.credential, { ...emulator.options, fetch })
  emulator.clock.advance(4_000_000)
  isGated = true
  const controller = new AbortController()
  const leaving = refusal(session.iamToken({ signal: controller.signal }))
  const staying = session.iamToken()
  controller.abort()
  assert.equal((await leaving).code, 'aborted')
  release()
  assert.equal(typeof (await staying), 'string')
})

test('when the last waiter has gone, the work is aborted', async () => {
  let sent
  const fetch = (_url, { signal }) => {
    sent = signal
    return never()
  }
  const controller = new AbortController()
  const leaving = refusal(exchange(fetch, { signal: controller.signal }))
  while (sent === undefined) await new Promise((done) => setImmediate(done))
  controller.abort()
  assert.equal((await leaving).code, 'aborted')
  await new Promise((done) => setTimeout(done, 10))
  assert.equal(sent.aborted, true)
})

test('what is good only once is never given up half-way', async () => {
  let sent
  const fetch = (_url, { signal }) => {
    sent = signal
    return never()
  }
  const controller = new AbortController()
  const options = { fetch, signal: controller.signal, timeoutMs: 200 }
  const leaving = refusal(exchangeToken({ passcode: SENTINEL }, options))
  while (sent === undefined) await new Promise((done) => setImmediate(done))
  controller.abort()
  assert.equal((await leaving).code, 'aborted')
  await new Promise((done) => setTimeout(done, 10))
  assert.equal(sent.aborted, false)
})
