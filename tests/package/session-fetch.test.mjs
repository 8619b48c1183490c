import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAuthError, login } from 'keyprotect-auth'
import { serve } from 'keyprotect-auth/node'
import {
  assertNoSecret,
  html,
  json,
  rawServing,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const KP = 'https://us-south.kms.cloud.ibm.com'
const INSTANCE = { instance: { guid: 'I1' } }

/** A session whose `fetch` answers token requests itself, and records what else it is called with. */
async function recorded(answer = () => json({}), options = {}) {
  const calls = []
  const fetch = async (url, init) => {
    if (url.endsWith('/token')) {
      return json(tokens({ access_token: `${SENTINEL}-I`, uaa_token: `${SENTINEL}-U` }))
    }
    calls.push({ url, init })
    return answer(url, init)
  }
  const session = await login({ apiKey: 'K' }, { fetch, target: INSTANCE, ...options })
  return { session, calls }
}

/** A server that keeps each request as it came, and a session that has it as Key Protect. */
async function echoing(t) {
  const seen = []
  const server = await serve(async (request) => {
    if (request.url.endsWith('/token')) return json(tokens())
    const body = Buffer.from(await request.arrayBuffer()).toString('base64')
    const { method, url, headers } = request
    seen.push({ method, url, body, headers: Object.fromEntries(headers) })
    return json({})
  })
  t.after(() => server.close())
  const session = await login({ apiKey: 'K' }, { endpoints: { base: server.url } })
  return { url: server.url, seen, session }
}

test('each host gets its token, and Key Protect alone the target', async () => {
  const cloud = {
    cf: 'https://api.example.test',
    uaa: 'https://uaa.example.test',
    iam: 'https://iam.cloud.ibm.com',
  }
  const { session, calls } = await recorded(undefined, { endpoints: cloud })
  const [iam, uaa] = [`Bearer ${SENTINEL}-I`, `Bearer ${SENTINEL}-U`]
  for (const [input, token] of [
    ['/api/v2/keys?limit=1', iam],
    [`${KP}/api/v2/keys?limit=1`, iam],
    [new URL(`${KP}/api/v2/keys?limit=1`), iam],
    [new Request(`${KP}/api/v2/keys?limit=1`), iam],
    ['https://iam.cloud.ibm.com/v1/apikeys', iam],
    ['https://resource-controller.cloud.ibm.com/v2/resource_instances', iam],
    ['https://accounts.cloud.ibm.com/coe/v2/accounts', iam],
    ['https://api.example.test/v3/organizations', uaa],
    ['https://uaa.example.test/userinfo', uaa],
  ]) {
    await session.fetch(input)
    const { url, init } = calls.pop()
    assert.equal(init.headers.authorization, token, url)
    const isKeyProtect = url.startsWith(KP)
    if (isKeyProtect) assert.equal(url, `${KP}/api/v2/keys?limit=1`)
    assert.equal(init.headers['bluemix-instance'], isKeyProtect ? 'I1' : undefined, url)
  }
})

test('of two services under one address the nearer one counts, and a path is Key Protect’s', async () => {
  const endpoints = {
    cf: 'https://h.example.test',
    keyProtect: 'https://h.example.test/kp',
    iam: 'https://iam.cloud.ibm.com',
  }
  const { session, calls } = await recorded(undefined, { endpoints })
  for (const input of ['/api/v2/keys', 'https://h.example.test/kp/api/v2/keys']) {
    await session.fetch(input)
    assert.equal(calls.at(-1).url, 'https://h.example.test/kp/api/v2/keys')
    assert.equal(calls.at(-1).init.headers.authorization, `Bearer ${SENTINEL}-I`)
  }
  await session.fetch('https://h.example.test/v3/spaces')
  assert.equal(calls.at(-1).init.headers.authorization, `Bearer ${SENTINEL}-U`)
  const around = { ...endpoints, cf: `${endpoints.cf}/cf`, keyProtect: endpoints.cf }
  const { session: other, calls: seen } = await recorded(undefined, { endpoints: around })
  await other.fetch('https://h.example.test/cf/v3/spaces')
  assert.equal(seen[0].init.headers.authorization, `Bearer ${SENTINEL}-U`)
  assert.equal(seen[0].init.headers['bluemix-instance'], undefined)
})

test('an address that is none of the session’s gets nothing', async () => {
  const { session, calls } = await recorded()
  for (const address of [
    'https://example.test/',
    'https://us-south.kms.cloud.ibm.com.evil.test/api/v2/keys',
    'https://us-south.kms.cloud.ibm.com@evil.test/api/v2/keys',
    'https://evil@us-south.kms.cloud.ibm.com/api/v2/keys',
    'https://us-south.kms.cloud.ibm.com:8443/api/v2/keys',
    'https://us-south.kms.cloud.ibm.com./api/v2/keys',
    'https://eu-de.kms.cloud.ibm.com/api/v2/keys',
    'http://us-south.kms.cloud.ibm.com/api/v2/keys',
    'https://evil.test\\.kms.cloud.ibm.com/',
    'blob:https://us-south.kms.cloud.ibm.com/x',
    'data:text/plain,x',
    '//us-south.kms.cloud.ibm.com/api/v2/keys',
    'api/v2/keys',
    '',
    undefined,
  ]) {
    const error = await refusal(session.fetch(address))
    assert.equal(error.code, 'invalid_input', address)
  }
  const evil = new Request('https://evil.test/', { method: 'POST', body: 'x' })
  assert.equal((await refusal(session.fetch(evil))).code, 'invalid_input')
  assert.equal(evil.bodyUsed, false)
  assert.equal(calls.length, 0)
})

test('no path climbs out of the folder of a service, nor to another host', async () => {
  const base = 'https://h.example.test'
  const { session, calls } = await recorded(undefined, { endpoints: { base } })
  for (const path of [
    '/../other',
    '/..%2fother',
    '/%2e%2e/other',
    '/api/..%2F..%2fother',
    '/..%5cother',
    '/..\\other',
    '/../iam/identity/token/x',
  ]) {
    assert.equal((await refusal(session.fetch(path))).code, 'invalid_input', path)
  }
  assert.equal((await refusal(session.fetch(`${base}/kpx/api`))).code, 'invalid_input')
  assert.equal(calls.length, 0)
  for (const path of ['/\\evil.test/x', '/\t/evil.test/x', '/@evil.test/x', '/a..b', '/x#y']) {
    await session.fetch(path)
    const { url } = calls.pop()
    assert.ok(url.startsWith(`${base}/kp/`) && !url.includes('#'), url)
  }
})

test('the caller’s headers win, in each form', async () => {
  const { session, calls } = await recorded()
  const own = { 'Bluemix-Instance': 'mine', Accept: 'text/x' }
  for (const [input, init] of [
    ['/a', { headers: own }],
    ['/a', { headers: new Headers(own) }],
    ['/a', { headers: Object.entries(own) }],
    [new Request(`${KP}/a`, { headers: own })],
    [new Request(`${KP}/a`, { headers: { authorization: SENTINEL } }), { headers: own }],
  ]) {
    await session.fetch(input, init)
    assert.deepEqual(calls.pop().init.headers, {
      accept: 'text/x',
      'bluemix-instance': 'mine',
      authorization: `Bearer ${SENTINEL}-I`,
    })
  }
})

test('an Authorization header of the caller is refused in each form, and nothing is sent', async () => {
  const { session, calls } = await recorded()
  for (const value of [SENTINEL, `${SENTINEL}\nx`]) {
    for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
      const forms = [() => ({ headers: { [name]: value } }), () => ({ headers: [[name, value]] })]
      if (!value.includes('\n')) {
        forms.push(() => ({ headers: new Headers({ [name]: value }) }))
        forms.push(() => new Request(`${KP}/a`, { headers: { [name]: value } }))
      }
      for (const form of forms) {
        const given = form()
        const call = given instanceof Request ? session.fetch(given) : session.fetch('/a', given)
        assert.equal((await refusal(call)).code, 'invalid_input')
      }
    }
  }
  await assert.rejects(session.fetch('/a', { headers: { 'x-a': 'b\nc' } }), TypeError)
  assert.equal(calls.length, 0)
})

test('what is sent is what the platform’s fetch sends', async (t) => {
  const { url, seen, session } = await echoing(t)
  const form = () => new FormData()
  const stream = () => new Blob(['stream']).stream()
  const request = (init) => new Request(`${url}/kp/r?a=%20b`, init)
  const base = `${url}/kp/p`
  for (const make of [
    () => [base],
    () => [new URL(`${base}?a=b#c`)],
    () => [base, null],
    () => [base, { method: 'head' }],
    () => [base, { method: undefined, body: undefined, headers: undefined }],
    () => [base, { method: 'delete' }],
    () => [base, { method: 'PATCH', body: 'x' }],
    () => [base, { method: 'POST', body: 'text ü' }],
    () => [base, { method: 'POST', body: '' }],
    () => [base, { method: 'POST' }],
    () => [base, { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) }],
    () => [base, { method: 'POST', body: new Blob(['b'], { type: 'text/x' }) }],
    () => [base, { method: 'POST', body: new Uint8Array([0, 255]) }],
    () => [base, { method: 'POST', body: stream(), duplex: 'half' }],
    () => [base, { headers: [['x-a', '1'], ['x-a', '2']] }], // biome-ignore format: one case a line
    () => [request()],
    () => [request({ method: 'POST', body: 'text', headers: { 'content-type': 'a/b' } })],
    () => [request({ method: 'POST', body: 'text' })],
    () => [request({ method: 'POST', body: '' })],
    () => [request({ method: 'POST', body: 'text' }), { method: 'PUT', body: 'other' }],
    () => [request({ method: 'POST', body: 'text' }), { headers: { 'x-b': '1' } }],
    () => [request({ method: 'POST', body: 'text' }), { method: undefined, body: null }],
    () => [base, request({ method: 'POST', body: 'text' })],
  ]) {
    const [input, init] = make()
    await fetch(input, init)
    await session.fetch(...make())
    const [theirs, ours] = seen.splice(0)
    delete ours.headers.authorization
    // A stream that a Request hands out is read whole: its length is known.
    for (const { headers } of [theirs, ours]) {
      if (init instanceof Request) for (const name of LENGTH) delete headers[name]
    }
    assert.deepEqual(ours, theirs, String(make))
  }
  await session.fetch(base, { method: 'POST', body: form() })
  assert.match(seen.pop().headers['content-type'], /^multipart\/form-data; boundary=/)
})

const LENGTH = ['content-length', 'transfer-encoding', 'content-type']

test('what the platform’s fetch refuses is refused, with its own error', async (t) => {
  const { url, seen, session } = await echoing(t)
  const used = async () => {
    const request = new Request(`${url}/kp/a`, { method: 'POST', body: 'x' })
    await request.text()
    return [request]
  }
  for (const make of [
    () => [`${url}/kp/a`, { method: 'GET', body: 'x' }],
    () => [`${url}/kp/a`, { method: 'TRACE' }],
    () => [`${url}/kp/a`, { method: 'a b' }],
    () => [`${url}/kp/a`, { headers: { 'a b': 'c' } }],
    () => [`${url}/kp/a`, { headers: [['a']] }],
    () => [`${url}/kp/a`, { mode: 'navigate' }],
    used,
  ]) {
    await assert.rejects(fetch(...(await make())), TypeError)
    await assert.rejects(session.fetch(...(await make())), TypeError)
  }
  assert.equal(seen.length, 0)
})

test('a body comes and goes as a stream, and a Request is used up', async (t) => {
  const { url, seen, session } = await echoing(t)
  let pulled = 0
  const body = new ReadableStream({
    pull(controller) {
      pulled += 1
      if (pulled > 3) controller.close()
      else controller.enqueue(new TextEncoder().encode(`part ${pulled};`))
    },
  })
  const answer = await session.fetch('/a', { method: 'POST', body })
  assert.equal(Buffer.from(seen[0].body, 'base64').toString(), 'part 1;part 2;part 3;')
  assert.ok(answer instanceof Response && answer.body instanceof ReadableStream)
  const request = new Request(`${url}/kp/a`, { method: 'POST', body: 'x' })
  await session.fetch(request)
  assert.equal(request.bodyUsed, true)
})

test('a redirect is refused unless the caller asks for it; other answers are handed back', async (t) => {
  const { session } = await (async () => {
    const server = await serving(t, ({ path }) => {
      if (path.endsWith('/token')) return json(tokens({ access_token: SENTINEL }))
      const status = Number(path.split('/').at(-1))
      const headers = { location: 'https://evil.test/' }
      return new Response(status === 304 ? null : 'text', { status, headers })
    })
    return { session: await login({ apiKey: 'K' }, { endpoints: { base: server.url } }) }
  })()
  const address = (status) => `${session.target().api.replace(/cf$/, 'kp')}/${status}`
  for (const status of [301, 302, 303, 307, 308]) {
    for (const redirect of [undefined, 'follow', 'error']) {
      const error = await refusal(session.fetch(`/${status}`, { redirect }))
      assert.equal(error.code, 'protocol')
      assert.equal(error.status, status)
    }
    const own = new Request(address(status), { redirect: 'manual' })
    for (const call of [session.fetch(`/${status}`, { redirect: 'manual' }), session.fetch(own)]) {
      const answer = await call
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('location'), 'https://evil.test/')
    }
  }
  for (const status of [200, 300, 304, 400, 403, 404, 409, 429, 431, 500, 503]) {
    assert.equal((await session.fetch(`/${status}`)).status, status)
  }
})

test('a broken connection rejects as the platform’s fetch does', async (t) => {
  const { url } = await rawServing(t, (socket) => socket.destroy())
  const endpoints = { iam: 'https://iam.cloud.ibm.com', keyProtect: url }
  const { session } = await recorded((...call) => fetch(...call), { endpoints })
  const error = await session.fetch('/a').catch((thrown) => thrown)
  assert.ok(error instanceof TypeError && !isAuthError(error))
  assertNoSecret(error)
})

test('what a fetch throws passes untouched, but for a token in it', async () => {
  const own = new TypeError('no way')
  const { session } = await recorded((_url, { headers }) => {
    if (headers['x-quote'] === undefined) throw own
    const cause = new Error(`in ${JSON.stringify(headers)}`)
    throw new TypeError(`invalid: ${headers.authorization}`, { cause })
  })
  assert.equal(await session.fetch('/a').catch((thrown) => thrown), own)
  const error = await session.fetch('/a', { headers: { 'x-quote': '1' } }).catch((thrown) => thrown)
  assert.equal(error.name, 'TypeError')
  assert.match(error.message, /redacted/)
  assertNoSecret(error)
})

test('the caller’s fetch is called with an absolute address and plain objects', async () => {
  const signal = new AbortController().signal
  const { session, calls } = await recorded(() => ({ status: 200, headers: new Map() }))
  const request = new Request(`${KP}/a`, { method: 'POST', body: 'x', cache: 'no-store', signal })
  const answer = await session.fetch(request, { dispatcher: 7 })
  assert.equal(answer.status, 200, 'handed back as it is, whatever its class')
  const [{ url, init }] = calls
  assert.equal(url, `${KP}/a`)
  assert.equal(Object.getPrototypeOf(init), Object.prototype)
  assert.equal(Object.getPrototypeOf(init.headers), Object.prototype)
  const { method, redirect, cache, dispatcher, duplex } = init
  assert.deepEqual(
    { method, redirect, cache, dispatcher, duplex },
    { method: 'POST', redirect: 'manual', cache: 'no-store', dispatcher: 7, duplex: undefined },
  )
  assert.equal(new TextDecoder().decode(init.body), 'x')
  assert.ok(init.signal instanceof AbortSignal)
  await session.fetch('/a')
  assert.equal(calls[1].init.method, 'GET')
  assert.equal('body' in calls[1].init, false)
})

test('a signal ends the call with its own reason, whatever it waits for', async (t) => {
  const held = []
  const server = await serving(t, ({ path }) =>
    path.endsWith('/token') ? json(tokens()) : new Promise((done) => held.push(done)),
  )
  const session = await login({ apiKey: 'K' }, { endpoints: { base: server.url } })
  const reason = new Error('enough')
  const before = { signal: AbortSignal.abort(reason) }
  assert.equal(await session.fetch('/a', before).catch((thrown) => thrown), reason)
  const used = new Request(`${server.url}/kp/a`, before)
  assert.equal(await session.fetch(used).catch((thrown) => thrown), reason)
  const body = new ReadableStream()
  const endless = new Request(used.url, { method: 'POST', body, duplex: 'half', ...before })
  assert.equal(await session.fetch(endless).catch((thrown) => thrown), reason)
  assert.equal(held.length, 0)
  const controller = new AbortController()
  const during = session.fetch('/a', { signal: controller.signal }).catch((thrown) => thrown)
  while (held.length === 0) await new Promise((done) => setImmediate(done))
  controller.abort()
  assert.equal((await during).name, 'AbortError')
  held[0](html(200))
  const without = session.fetch(new Request(`${server.url}/kp/a`, before), { signal: null })
  while (held.length === 1) await new Promise((done) => setImmediate(done))
  held[1](html(503))
  assert.equal((await without).status, 503)
})

test('a signal ends the wait for a token with its own reason, a failed token is an AuthError', async (t) => {
  const clock = stoppedClock()
  let isHeld = false
  const server = await serving(t, ({ path }, count) => {
    assert.ok(path.endsWith('/token'))
    if (count === 1) return json(tokens())
    if (isHeld) return new Promise(() => {})
    return json({ errorCode: 'BXNIM0415E', errorMessage: 'm' }, { status: 400 })
  })
  const session = await login({ apiKey: 'K' }, { endpoints: { base: server.url }, clock })
  clock.pass(7_200_000)
  isHeld = true
  const controller = new AbortController()
  const reason = new Error('enough')
  const { signal } = controller
  const waiting = session.fetch('/a', { signal }).catch((thrown) => thrown)
  while (server.requests.length === 1) await new Promise((done) => setImmediate(done))
  controller.abort(reason)
  assert.equal(await waiting, reason)
  await new Promise((done) => setTimeout(done, 10))
  isHeld = false
  assert.equal((await refusal(session.fetch('/a'))).code, 'invalid_credentials')
})
