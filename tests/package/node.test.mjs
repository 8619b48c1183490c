import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { nodeHandler, serve } from 'keyprotect-auth/node'

const echo = async (request) => {
  const { pathname, search } = new URL(request.url)
  const headers = new Headers({ 'x-method': request.method, 'x-path': pathname + search })
  headers.append('set-cookie', 'a=1')
  headers.append('set-cookie', 'b=2')
  return new Response(await request.text(), { status: 201, headers })
}

async function listening(t, listener) {
  const server = createServer(listener)
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${server.address().port}`
}

test('a handler is served on a free port of loopback, with everything passed on', async (t) => {
  const server = await serve(echo)
  t.after(() => server.close())
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const answer = await fetch(`${server.url}/a/b?c=d`, { method: 'POST', body: 'x'.repeat(300_000) })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.get('x-method'), 'POST')
  assert.equal(answer.headers.get('x-path'), '/a/b?c=d')
  assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2'])
  assert.equal((await answer.text()).length, 300_000)
  const head = await fetch(server.url, { method: 'HEAD' })
  assert.equal(head.status, 201)
})

test('close ends at once, whatever is under way, and can be left to a dispose', async () => {
  const server = await serve(() => new Promise(() => {}))
  const hanging = fetch(server.url).catch((error) => error)
  await new Promise((done) => setTimeout(done, 20))
  await server[Symbol.asyncDispose]()
  assert.ok((await hanging) instanceof Error)
  await assert.rejects(fetch(server.url))
})

test('a port that is taken rejects', async (t) => {
  const first = await serve(echo)
  t.after(() => first.close())
  const port = Number(new URL(first.url).port)
  await assert.rejects(serve(echo, { port }), { code: 'EADDRINUSE' })
})

test('a handler that fails is a 500 that tells nothing', async (t) => {
  const url = await listening(
    t,
    nodeHandler(() => Promise.reject(new Error('SENTINEL'))),
  )
  const answer = await fetch(url)
  assert.equal(answer.status, 500)
  assert.ok(!(await answer.text()).includes('SENTINEL'))
})

test('behind a body parser it takes what that made', async (t) => {
  const handler = nodeHandler(echo)
  for (const [type, sent, parse, want] of [
    ['application/json', '{"a":1}', JSON.parse, '{"a":1}'],
    [
      'application/x-www-form-urlencoded',
      'a=b+c&d=',
      (text) => Object.fromEntries(new URLSearchParams(text)),
      'a=b+c&d=',
    ],
    ['text/plain', 'text', (text) => text, 'text'],
    ['application/octet-stream', 'bytes', (text) => Buffer.from(text), 'bytes'],
  ]) {
    const url = await listening(t, (req, res) => {
      let text = ''
      req.on('data', (chunk) => {
        text += chunk
      })
      req.on('end', () => {
        req.body = parse(text)
        handler(req, res)
      })
    })
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type },
      body: sent,
    })
    assert.equal(await answer.text(), want, type)
  }
})

test('a body that was read and is gone is told at once, never waited for', async (t) => {
  const handler = nodeHandler(echo)
  const url = await listening(t, (req, res) => {
    req.resume()
    req.on('end', () => handler(req, res))
  })
  const answer = await fetch(url, { method: 'POST', body: 'x', signal: AbortSignal.timeout(2000) })
  assert.equal(answer.status, 500)
  assert.match(await answer.text(), /before any body parser/)
})

test('a client that goes away aborts the request', async (t) => {
  let seen
  const aborted = new Promise((done) => {
    seen = done
  })
  const url = await listening(
    t,
    nodeHandler((request) => {
      request.signal.addEventListener('abort', seen)
      return new Promise(() => {})
    }),
  )
  const client = httpRequest(url)
  client.on('error', () => {})
  client.end()
  setTimeout(() => client.destroy(), 30)
  await aborted
})
