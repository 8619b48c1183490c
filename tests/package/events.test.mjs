import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { exchangeToken, findOrg, login, memoryStore } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import {
  collect,
  html,
  json,
  rawServing,
  refusal,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const HOUR = 3_600_000
const DATE = Date.UTC(2026, 0, 15, 12)

/** A listener that keeps what it is told. */
function listening() {
  const events = []
  const onEvent = (event) => {
    events.push(event)
  }
  return { events, onEvent, of: (type) => events.filter((event) => event.type === type) }
}

/** Answers that date themselves as the stopped clock does. */
const dated = (body, init) =>
  json(body, { headers: { date: new Date(DATE).toUTCString() }, ...init })

test('a request is told with where it went, its answer and the id that was sent', async () => {
  const emulator = createEmulator()
  const { of, onEvent } = listening()
  const session = await login(emulator.credential, { ...emulator.options, onEvent })
  await session.orgGuid('acme')
  await session.instanceGuid('kp-demo')
  await collect((await session.with({ instance: 'kp-demo' })).keys())
  const { base } = emulator.endpoints
  const told = of('request')
  assert.deepEqual(
    told.map(({ service, method, endpoint, status }) => [service, method, endpoint, status]),
    [
      ['iam', 'POST', `${base}/iam/identity/token`, 200],
      ['cf', 'GET', `${base}/cf/v3/organizations`, 200],
      ['resourceController', 'GET', `${base}/rc/v2/resource_instances`, 200],
      ['resourceController', 'GET', `${base}/rc/v2/resource_instances`, 200],
      ['keyProtect', 'GET', `${base}/kp/api/v2/keys`, 200],
    ],
  )
  const sent = ['x-correlation-id', 'x-vcap-request-id', 'correlation-id']
  const ids = emulator.requests.map(({ headers }) =>
    sent.map((name) => headers[name]).find(Boolean),
  )
  assert.equal(ids.length, 5)
  assert.deepEqual(
    told.map(({ requestId }) => requestId),
    ids,
  )
  assert.equal(new Set(ids).size, 5, 'one of its own for each')
  for (const event of told) {
    assert.ok(event.durationMs >= 0 && event.durationMs < 60_000)
    assert.equal('code' in event, false)
  }
})

test('a UAA is sent no id, so none is told', async (t) => {
  const server = await serving(t, () => json(tokens()))
  const { of, onEvent } = listening()
  await login({ apiKey: 'K' }, { endpoints: { uaa: server.url }, onEvent })
  const [event] = of('request')
  assert.equal(event.service, 'uaa')
  assert.equal('requestId' in event, false)
  const names = Object.keys(server.requests[0].headers).join()
  assert.doesNotMatch(names, /correlation|vcap/)
})

test('each try is told, and a request without an answer says why there is none', async (t) => {
  const { events, of, onEvent } = listening()
  const clock = stoppedClock()
  const server = await serving(t, (_request, count) => (count < 3 ? html(503) : json(tokens())))
  await exchangeToken({ apiKey: 'K' }, { endpoints: { iam: server.url }, clock, onEvent })
  assert.deepEqual(
    of('request').map(({ resend, status }) => [resend, status]),
    [
      [0, 503],
      [1, 503],
      [2, 200],
    ],
  )
  const silent = await rawServing(t, () => {})
  const fallen = await rawServing(t, (socket) => socket.destroy())
  const half = await rawServing(t, (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{'),
  )
  const moved = await serving(
    t,
    () => new Response(null, { status: 302, headers: { location: '/' } }),
  )
  const own = { endpoints: { iam: 'https://iam.cloud.ibm.com' } }
  for (const [options, code, status] of [
    [{ endpoints: { iam: silent.url }, timeoutMs: 30 }, 'timeout'],
    [{ endpoints: { iam: fallen.url } }, 'network'],
    [{ endpoints: { iam: half.url } }, 'network', 200],
    [{ endpoints: { iam: moved.url } }, 'protocol'],
    [{ ...own, fetch: async () => 5 }, 'protocol'],
    [{ ...own, fetch: () => Promise.reject(new Error('x')) }, 'network'],
    [{ endpoints: { iam: silent.url } }, 'aborted'],
  ]) {
    events.length = 0
    const signal = code === 'aborted' ? AbortSignal.timeout(30) : undefined
    await refusal(exchangeToken({ apiKey: 'K' }, { ...options, signal, retries: 0, onEvent }))
    await new Promise((done) => setTimeout(done, 20))
    assert.deepEqual(
      events.map((event) => [event.type, event.code, event.status]),
      [['request', code, status]],
    )
  }
})

test('what was never sent is not told as a request', async () => {
  const { events, onEvent } = listening()
  const options = { onEvent, signal: AbortSignal.abort(), fetch: async () => json(tokens()) }
  await refusal(login({ apiKey: 'K' }, options))
  await refusal(exchangeToken({ passcode: 'P' }, options))
  const endpoints = { cf: 'https://cf.example.test' }
  await refusal(findOrg('acme', { ...options, token: 'T', endpoints }))
  await refusal(exchangeToken({ apiKey: '<K>' }, { onEvent }))
  const fetch = async () => json(tokens({ refresh_token: 'R' }))
  const session = await login({ apiKey: 'K' }, { onEvent, fetch })
  events.length = 0
  await refusal(session.passcode({ signal: options.signal }))
  await new Promise((done) => setTimeout(done, 10))
  assert.deepEqual(events, [])
})

test('an exchange is told once, for sign-in, renewal and the one in the background', async (t) => {
  const clock = stoppedClock()
  const { of, onEvent } = listening()
  let isDown = false
  const server = await serving(t, () => {
    clock.pass(20)
    return isDown ? html(500) : dated(tokens())
  })
  const options = { endpoints: { iam: server.url }, clock, onEvent, retries: 0 }
  const session = await login({ apiKey: 'K' }, options)
  clock.pass(2 * HOUR)
  await session.iamToken()
  clock.pass(0.9 * HOUR)
  isDown = true
  await session.iamToken()
  for (let turn = 0; turn < 100 && of('exchange').length < 3; turn += 1) {
    await new Promise((done) => setTimeout(done, 5))
  }
  const told = of('exchange').map((event) => ({ ...event, type: undefined }))
  assert.deepEqual(
    told.map(({ isBackground, durationMs, code }) => [isBackground, durationMs, code]),
    [
      [false, 20, undefined],
      [false, 20, undefined],
      [true, 20, 'server_error'],
    ],
  )
})

test('a lookup is told with its length on the session’s clock, and its code where it failed', async () => {
  const emulator = createEmulator()
  const clock = stoppedClock()
  const { of, onEvent } = listening()
  const fetch = async (url, init) => {
    clock.pass(50)
    return emulator.fetch(url, init)
  }
  const options = { ...emulator.options, clock, fetch, onEvent }
  const session = await login(emulator.credential, options)
  await session.orgGuid('acme')
  await session.spaceGuid('dev', { org: 'acme' })
  await refusal(session.instanceGuid('nowhere'))
  await collect(
    (await session.with({ instance: { guid: emulator.data.instances[0].guid } })).keys(),
  )
  assert.deepEqual(of('lookup'), [
    { type: 'lookup', what: 'org', durationMs: 50 },
    { type: 'lookup', what: 'space', durationMs: 100 },
    { type: 'lookup', what: 'instance', durationMs: 50, code: 'not_found' },
    { type: 'lookup', what: 'keys', durationMs: 50 },
  ])
})

test('a store that fails, holds nonsense or hangs is told, without what it said', async (t) => {
  const server = await serving(t, () => json(tokens()))
  const record = (value) => ({ ...memoryStore(), get: async () => value })
  for (const [store, problem] of [
    [{ ...memoryStore(), get: () => Promise.reject(new Error('quotes K')) }, 'get failed'],
    [record({ text: 5, ttlMs: 'soon' }), 'get gave what is no record'],
    [record({ text: '{"v":2}', ttlMs: 5000 }), 'the record can’t be read and counts as absent'],
    [
      { ...memoryStore(), lock: undefined, set: () => Promise.reject(new Error('K')) },
      'set failed',
    ],
  ]) {
    const { of, onEvent } = listening()
    await login({ apiKey: 'K' }, { endpoints: { iam: server.url }, store, onEvent })
    assert.ok(
      of('store').some((event) => event.problem === problem),
      `${problem}: ${JSON.stringify(of('store'))}`,
    )
    for (const event of of('store')) assert.deepEqual(Object.keys(event), ['type', 'problem'])
  }
})

test('a clock that is off by more than 5 s is told once per offset', async (t) => {
  const clock = stoppedClock(DATE)
  let offset = 4000
  const server = await serving(t, () => {
    const date = new Date(clock.wall + offset).toUTCString()
    return json(tokens(), { headers: { date } })
  })
  const { of, onEvent } = listening()
  const session = await login({ apiKey: 'K' }, { endpoints: { iam: server.url }, clock, onEvent })
  assert.deepEqual(of('clock'), [])
  offset = -3 * HOUR
  await session.refresh()
  await session.refresh()
  assert.deepEqual(of('clock'), [{ type: 'clock', offsetMs: -3 * HOUR }])
})

test('a logout says whether a service took it', async (t) => {
  for (const [status, isRevoked] of [
    [200, true],
    [503, false],
  ]) {
    const server = await serving(t, ({ path }) =>
      path.endsWith('/revoke')
        ? new Response('', { status })
        : json(tokens({ refresh_token: 'R' })),
    )
    const { of, onEvent } = listening()
    const clock = stoppedClock()
    const session = await login(
      { passcode: 'P' },
      { endpoints: { iam: server.url }, clock, onEvent },
    )
    await session.logout()
    await session.logout()
    assert.deepEqual(of('logout'), [{ type: 'logout', isRevoked }])
  }
})

test('calls without a session tell of their requests too', async () => {
  const emulator = createEmulator()
  const { of, onEvent } = listening()
  const { uaa } = await exchangeToken(emulator.credential, { ...emulator.options, onEvent })
  await findOrg('acme', { ...emulator.options, token: uaa.accessToken, onEvent })
  assert.deepEqual(
    of('request').map(({ service }) => service),
    ['iam', 'cf'],
  )
})

test('a listener that throws, rejects or changes events breaks nothing', async (t) => {
  const server = await serving(t, () => json(tokens({ refresh_token: 'R' })))
  const leftOver = []
  const note = (reason) => leftOver.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const others = []
  const other = ({ type }) => others.push(type)
  subscribe('keyprotect-auth', other)
  t.after(() => unsubscribe('keyprotect-auth', other))
  const odd = Object.defineProperty({}, 'then', {
    get: () => {
      throw new Error('mine')
    },
  })
  for (const onEvent of [
    () => {
      throw new Error('mine')
    },
    async () => {
      throw new Error('mine')
    },
    (event) => {
      event.type = 'changed'
    },
    () => odd,
  ]) {
    const options = { endpoints: { iam: server.url }, onEvent }
    const session = await login({ passcode: 'P' }, options)
    await session.refresh()
    await session.logout()
  }
  await new Promise((done) => setTimeout(done, 20))
  assert.deepEqual(leftOver, [])
  const kinds = ['request', 'exchange', 'request', 'exchange', 'request', 'logout']
  assert.deepEqual(others, Array(4).fill(kinds).flat(), 'others are told as if it were not there')
})

test('a promise that a listener gives is not waited for', async (t) => {
  const server = await serving(t, () => json(tokens()))
  const onEvent = () => new Promise(() => {})
  await login({ apiKey: 'K' }, { endpoints: { iam: server.url }, onEvent })
})

test('what is no function is no listener', async () => {
  assert.equal((await refusal(login({ apiKey: 'K' }, { onEvent: {} }))).code, 'invalid_input')
})
