import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { login, memoryStore } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { json, rawServing, refusal, serving, stoppedClock, tokens } from './helpers.mjs'
import { door, HOUR, listener } from './session-helpers.mjs'

const numbered = (_seen, count) => json(tokens({ access_token: `FAKE-${count}` }))

/** A session whose exchanges after the first are answered so. */
async function signedIn(t, answer, { uaa = false, credential = { apiKey: 'K' }, ...more } = {}) {
  const clock = stoppedClock()
  const heard = listener()
  const first = uaa ? { refresh_token: 'R1' } : {}
  const server = await serving(t, (seen, count) =>
    count === 1 ? json(tokens({ access_token: 'FAKE-1', ...first })) : answer(seen, count, clock),
  )
  const endpoints = uaa ? { uaa: server.url } : { iam: server.url }
  const options = { endpoints, clock, onEvent: heard.onEvent, ...more }
  const session = await login(credential, options)
  return { session, clock, heard, requests: server.requests }
}

test('parallel calls of different methods on an ended token make one exchange, and all settle', async () => {
  for (const withAborted of [false, true]) {
    const emulator = createEmulator({ now: Date.UTC(2026, 0, 15, 12) })
    const { credential, options, requests, clock } = emulator
    const session = await login(credential, { ...options, target: { instance: 'kp-demo' } })
    clock.advance(2 * HOUR)
    requests.clear()
    const gone = new AbortController()
    const aborted = withAborted ? refusal(session.iamToken({ signal: gone.signal })) : undefined
    gone.abort(new Error('gone'))
    const all = await Promise.all([
      session.iamToken(),
      session.headers(),
      session.oauthTokens(),
      session.orgGuid('acme'),
      session.keys().next(),
    ])
    assert.equal(all[1].Authorization, `Bearer ${all[0]}`)
    assert.equal(all[2].iam, `Bearer ${all[0]}`)
    if (withAborted) assert.equal((await aborted).code, 'aborted')
    assert.equal(requests.filter(({ grant }) => grant !== undefined).length, 1)
  }
})

test('a signal that has aborted begins nothing, and spends nothing', async (t) => {
  const { session, clock, requests } = await signedIn(t, numbered)
  const signal = AbortSignal.abort(new Error('gone'))
  const calls = ['iamToken', 'headers', 'oauthTokens', 'refresh']
  for (const call of calls) {
    const error = await refusal(session[call]({ signal }))
    assert.deepEqual([error.code, error.cause.message], ['aborted', 'gone'])
  }
  clock.pass(2 * HOUR)
  for (const call of calls) assert.equal((await refusal(session[call]({ signal }))).code, 'aborted')
  const options = { endpoints: { iam: 'http://127.0.0.1:9' }, signal }
  let sent = 0
  const spent = {
    ...options,
    fetch: async () => {
      sent += 1
      return json(tokens())
    },
  }
  for (const credential of [{ passcode: 'P' }, { apiKey: 'K' }]) {
    assert.equal((await refusal(login(credential, spent))).code, 'aborted')
  }
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual([sent, requests.length], [0, 1])
})

test('callers abort before, during and after, and the others get their token', async (t) => {
  const answer = door()
  const { session, clock, requests } = await signedIn(t, async (...args) => {
    await answer.pass()
    return numbered(...args)
  })
  clock.pass(2 * HOUR)
  const [during, after] = [new AbortController(), new AbortController()]
  const first = refusal(session.iamToken({ signal: during.signal }))
  const others = [session.iamToken(), session.headers(), session.iamToken({ signal: after.signal })]
  await answer.arrived
  during.abort()
  assert.equal((await first).code, 'aborted')
  answer.open()
  const [token, , late] = await Promise.all(others)
  after.abort()
  assert.deepEqual([token, late, requests.length], ['FAKE-2', 'FAKE-2', 2])
})

test('an exchange that was given up is not joined by who comes next', async (t) => {
  const asked = door()
  let count = 0
  const apiKey = async () => {
    count += 1
    if (count === 2) await asked.pass()
    return 'K'
  }
  const { session, clock, requests } = await signedIn(t, numbered, { credential: { apiKey } })
  clock.pass(2 * HOUR)
  const controller = new AbortController()
  const gone = refusal(session.iamToken({ signal: controller.signal }))
  await asked.arrived
  controller.abort()
  assert.equal((await gone).code, 'aborted')
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
  const next = session.iamToken()
  asked.open()
  assert.equal(await next, 'FAKE-2')
  assert.deepEqual([count, requests.length], [3, 2])
})

test('logout with a renewal in flight: callers are aborted, what it brings is revoked', async (t) => {
  for (const inBackground of [true, false]) {
    const answer = door()
    const revoked = door()
    const { session, clock, requests } = await signedIn(
      t,
      async (seen, count) => {
        if (seen.form.token === 'R-new' || seen.path.endsWith('/R-new')) revoked.pass()
        if (seen.form.grant_type === undefined) return json({})
        await answer.pass()
        return json(tokens({ access_token: `FAKE-${count}`, refresh_token: 'R-new' }))
      },
      { uaa: true, credential: { username: 'u', password: 'p' } },
    )
    clock.pass(inBackground ? 0.85 * HOUR : 2 * HOUR)
    const first = session.uaaToken()
    if (inBackground) assert.equal(await first, 'FAKE-1')
    await answer.arrived
    const waits = inBackground
      ? [session.uaaToken({ minValidMs: HOUR })]
      : [first, session.headers()]
    const errors = waits.map((wait) => refusal(wait))
    const out = session.logout()
    const late = refusal(session.uaaToken())
    answer.open()
    for (const error of errors) assert.equal((await error).code, 'aborted')
    assert.equal((await late).code, 'expired')
    await out
    await revoked.arrived
    for (const call of ['uaaToken', 'headers', 'oauthTokens', 'refresh']) {
      const error = await refusal(session[call]())
      assert.deepEqual([error.code, error.hint], ['expired', 'signed out'])
    }
    assert.deepEqual(session.tokens(), {})
    assert.ok(requests.length >= 3)
  }
})

test('logout while the function for the credential runs sends nothing any more', async (t) => {
  const asked = door()
  let count = 0
  const { session, clock, requests } = await signedIn(t, numbered, {
    credential: async () => {
      count += 1
      if (count === 2) await asked.pass()
      return { apiKey: 'K' }
    },
  })
  clock.pass(2 * HOUR)
  const error = refusal(session.iamToken())
  await asked.arrived
  await session.logout()
  asked.open()
  assert.equal((await error).code, 'aborted')
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(requests.length, 1)
})

test('logout while the store is read takes nothing over from it', async (t) => {
  const inner = memoryStore({ clock: stoppedClock() })
  const read = door()
  let isSlow = false
  const store = {
    ...inner,
    get: async (key) => {
      const record = await inner.get(key)
      if (isSlow) await read.pass()
      return record
    },
  }
  const { session, clock } = await signedIn(t, numbered, { store })
  const record = await signedIn(t, numbered, { store: inner })
  record.clock.pass(2 * HOUR)
  await record.session.iamToken()
  clock.pass(2 * HOUR)
  isSlow = true
  const error = refusal(session.iamToken())
  await read.arrived
  const out = session.logout()
  read.open()
  await out
  assert.equal((await error).code, 'aborted')
  assert.equal((await refusal(session.iamToken())).code, 'expired')
  assert.deepEqual(session.tokens(), {})
})

test('refresh tokens that rotate, and one that the first answer does not repeat, stay in use', async (t) => {
  const { session, clock, requests } = await signedIn(
    t,
    ({ form }, count) =>
      json(
        tokens({
          access_token: `FAKE-${count}`,
          refresh_token: count === 3 ? 'R3' : undefined,
          form,
        }),
      ),
    { credential: { refreshToken: 'R0' } },
  )
  for (let round = 0; round < 4; round += 1) {
    clock.pass(2 * HOUR)
    await session.iamToken()
  }
  assert.deepEqual(
    requests.map(({ form }) => form.refresh_token).filter((token) => token !== undefined),
    ['R0', 'R0', 'R0', 'R3', 'R3'],
  )
})

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const BODY = JSON.stringify(tokens({ access_token: 'FAKE-2' }))
const whole = (socket) => socket.end(`${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`)

test('servers that break off or stay silent cost a try, and at last an error', async (t) => {
  const partly = (text) => (socket) => socket.write(text, () => socket.destroy())
  const kinds = [
    ['before', (socket) => socket.destroy(), 'network'],
    ['in the status line', partly('HTTP/1.1 2'), 'network'],
    ['in the headers', partly('HTTP/1.1 200 OK\r\ncontent-'), 'network'],
    ['after the headers', partly(`${HEAD}content-length: ${BODY.length}\r\n\r\n`), 'network'],
    ['in the body', partly(`${HEAD}content-length: ${BODY.length}\r\n\r\n{"acc`), 'network'],
    ['never', () => {}, 'timeout'],
    [
      'silent in the body',
      (socket) => socket.write(`${HEAD}content-length: 999\r\n\r\n{`),
      'timeout',
    ],
    ['after the timeout', (socket) => setTimeout(whole, 180, socket), 'timeout'],
    ['500', (socket) => socket.end('HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n'), 'server_error'],
  ]
  for (const [name, answer, code] of kinds) {
    let bad = 0
    const server = await rawServing(t, (socket, count) =>
      count <= bad ? answer(socket) : whole(socket),
    )
    const clock = stoppedClock()
    const options = { endpoints: { iam: server.url }, clock, timeoutMs: 120, retries: 2 }
    const session = await login({ apiKey: 'K' }, options)
    bad = server.count() + 2
    clock.pass(2 * HOUR)
    assert.equal(await session.iamToken(), 'FAKE-2', name)
    assert.equal(server.count(), bad + 1, name)
    bad = server.count() + 3
    clock.pass(2 * HOUR)
    const errors = await Promise.all([refusal(session.iamToken()), refusal(session.headers())])
    assert.deepEqual(
      errors.map((error) => error.code),
      [code, code],
      name,
    )
    assert.equal(server.count(), bad, name)
    assert.equal(await session.iamToken(), 'FAKE-2', `${name}: nothing is remembered`)
  }
})

test('429 is waited for as the service asks, or told at once where that is too long', async (t) => {
  const date = (ms) => new Date(Date.UTC(2026, 0, 15) + ms).toUTCString()
  const { session, clock, requests } = await signedIn(
    t,
    (seen, count) => {
      const headers = [{}, { 'retry-after': '7' }, { 'retry-after': date(9000), date: date(0) }, {}]
      return count < 6
        ? json({}, { status: 429, headers: headers[count - 2] })
        : numbered(seen, count)
    },
    { retries: 4 },
  )
  clock.pass(2 * HOUR)
  assert.equal(await session.iamToken(), 'FAKE-6')
  assert.deepEqual(clock.waits, [250, 7000, 9000, 2000])
  assert.equal(requests.length, 6)
  const long = await signedIn(t, () =>
    json({}, { status: 429, headers: { 'retry-after': '3600' } }),
  )
  long.clock.pass(2 * HOUR)
  const error = await refusal(long.session.iamToken())
  assert.deepEqual([error.code, error.retryAfterMs], ['rate_limited', HOUR])
  assert.equal(long.requests.length, 2)
})

/** How long a program runs that ends right after a renewal has begun in the background, in ms. */
async function lifeOf(t, answer) {
  const { url } = await serving(t, (seen, count) =>
    count === 1 ? json(tokens({ expires_in: 1 })) : answer(seen),
  )
  const text = `
    import { login } from 'keyprotect-auth'
    const options = { endpoints: { iam: '${url}' }, timeoutMs: 700 }
    const session = await login({ apiKey: 'K' }, options)
    const { dueAt } = session.tokens().iam
    await new Promise((resolve) => setTimeout(resolve, dueAt - Date.now() + 5))
    await session.iamToken({ minValidMs: 0 })
    const started = performance.now()
    process.on('exit', () => process.stdout.write(String(Math.round(performance.now() - started))))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    cwd: new URL('.', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(code, 0)
  return Number(out)
}

test('a process ends by itself with a renewal in the background: no wait keeps it alive', async (t) => {
  const later = { 'retry-after': '6' }
  const [good, busy, hanging] = await Promise.all([
    lifeOf(t, () => json(tokens())),
    lifeOf(t, () => json({}, { status: 503, headers: later })),
    lifeOf(t, () => new Promise(() => {})),
  ])
  assert.ok(good < 400, `${good} ms after a good answer`)
  assert.ok(busy < 400, `${busy} ms although it could try again in 6 s`)
  assert.ok(hanging < 1200, `${hanging} ms: one request, to its limit of 700`)
})
