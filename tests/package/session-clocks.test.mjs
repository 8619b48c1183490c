import assert from 'node:assert/strict'
import { test } from 'node:test'
import { login, memoryStore, resume } from 'keyprotect-auth'
import { json, jwt, refusal, serving, stoppedClock, tokens } from './helpers.mjs'
import { HOUR, listener } from './session-helpers.mjs'

const numbered = (_seen, count) => json(tokens({ access_token: `FAKE-${count}` }))

/** A session at an IAM that answers so, with a clock that the test moves. */
async function signedIn(t, answer, { start, clock = stoppedClock(start), ...more } = {}) {
  const heard = listener()
  const server = await serving(t, (seen, count) => answer(seen, count, clock))
  const options = { endpoints: { iam: server.url }, clock, onEvent: heard.onEvent, ...more }
  const session = await login({ apiKey: 'K' }, options)
  return { session, clock, heard, requests: server.requests, options }
}

test('a machine whose clock is hours off works, whatever the times in the token', async (t) => {
  for (const off of [-30 * 365 * 24 * HOUR, -5 * HOUR, 5 * HOUR, 30 * 365 * 24 * HOUR]) {
    const start = Date.now() + off
    const iat = Math.floor(Date.now() / 1000)
    const answer = (_seen, count) =>
      json(tokens({ access_token: jwt({ iat, exp: iat + 3600, n: count }) }))
    const { session, clock, requests } = await signedIn(t, answer, { start })
    assert.equal(session.tokens().iam.expiresAt, start + HOUR)
    clock.pass(0.5 * HOUR)
    await session.iamToken()
    assert.equal(requests.length, 1)
    clock.pass(0.5 * HOUR)
    const { n } = await session.claims()
    assert.deepEqual([n, requests.length], [2, 2])
  }
})

test('an offset of more than 5 s is told once per change', async (t) => {
  const start = Date.UTC(2026, 0, 15, 12)
  let off = 0
  let slowMs = 0
  const answer = (_seen, count, clock) => {
    const date = new Date(clock.wall - off).toUTCString()
    clock.pass(slowMs)
    return json(tokens({ access_token: `FAKE-${count}` }), { headers: { date } })
  }
  const { session, heard } = await signedIn(t, answer, { start })
  const told = async (ms) => {
    off = ms
    const { length } = heard.of('clock')
    await session.refresh()
    return heard
      .of('clock')
      .slice(length)
      .map(({ offsetMs }) => offsetMs)
  }
  assert.deepEqual(await told(5_000), [])
  assert.deepEqual(await told(6_000), [-6_000])
  assert.deepEqual(await told(6_000), [], 'it has been told')
  assert.deepEqual(await told(9_000), [], 'nearly the same')
  assert.deepEqual(await told(-3 * HOUR), [3 * HOUR])
  assert.deepEqual(await told(0), [])
  assert.deepEqual(await told(-3 * HOUR), [3 * HOUR], 'again, since it was right in between')
  slowMs = 20_000
  assert.deepEqual(await told(0), [])
  assert.deepEqual(await told(-15_000), [], 'a slow answer is no offset')
})

test('a wall clock that jumps forth costs one exchange, and back none', async (t) => {
  const { session, clock, requests } = await signedIn(t, numbered)
  clock.wall += 5 * HOUR
  assert.equal(await session.iamToken(), 'FAKE-2')
  clock.wall -= 5 * HOUR
  assert.equal(await session.iamToken(), 'FAKE-2')
  clock.pass(HOUR - 59_000)
  assert.equal(await session.iamToken(), 'FAKE-3', 'by the other clock it has ended')
  assert.equal(requests.length, 3)
})

test('a clock that jumps while the answer is under way gets the caller a second exchange', async (t) => {
  const { session, clock, requests } = await signedIn(t, (seen, count, moved) => {
    if (count === 2) moved.wall += 5 * HOUR
    return numbered(seen, count)
  })
  clock.pass(HOUR)
  assert.deepEqual(await Promise.all([session.iamToken(), session.iamToken({ minValidMs: 1 })]), [
    'FAKE-3',
    'FAKE-3',
  ])
  assert.equal(requests.length, 3)
})

test('a token that is over when it arrives is handed to nobody', async (t) => {
  const { session, clock, requests } = await signedIn(t, (_seen, count, moved) => {
    if (count > 1) moved.pass(1_500)
    return json(tokens({ access_token: `FAKE-${count}`, expires_in: 1 }))
  })
  clock.pass(HOUR)
  for (const call of [() => session.iamToken(), () => session.iamToken({ minValidMs: 0 })]) {
    assert.equal((await refusal(call())).code, 'protocol')
  }
  assert.equal(requests.length, 5, 'one more try each')
})

test('a clock that fails hands out no ended token, sends nothing, and may recover', async (t) => {
  const failing = [
    () => Number.NaN,
    () => undefined,
    () => Number.POSITIVE_INFINITY,
    () => {
      throw new Error('no clock')
    },
  ]
  for (const name of ['now', 'monotonic']) {
    for (const broken of failing) {
      const { session, clock, requests } = await signedIn(t, numbered)
      const whole = clock[name]
      clock.pass(2 * HOUR)
      clock[name] = broken
      for (const call of ['iamToken', 'headers', 'oauthTokens']) {
        const error = await refusal(session[call]())
        assert.deepEqual([error.code, error.message], ['invalid_input', 'the clock gave no time'])
      }
      assert.equal((await refusal(session.iamToken({ minValidMs: 0 }))).code, 'invalid_input')
      assert.equal(requests.length, 1)
      clock[name] = whole
      assert.equal(await session.iamToken(), 'FAKE-2')
    }
  }
})

test('a clock that fails during the exchange leaves a token that nobody trusts', async (t) => {
  for (const name of ['now', 'monotonic']) {
    const clock = stoppedClock()
    const whole = clock[name]
    clock[name] = () => Number.NaN
    const { session, heard } = await signedIn(t, numbered, { clock })
    assert.ok(heard.of('clock').every(({ offsetMs }) => Number.isFinite(offsetMs)))
    clock[name] = whole
    assert.equal(await session.iamToken(), 'FAKE-2')
  }
})

test('a token of 20 minutes, 300 s before its end, is used at once and renewed in time', async (t) => {
  const clock = stoppedClock()
  const { session, options } = await signedIn(
    t,
    (_seen, count) =>
      json(tokens({ access_token: `FAKE-${count}`, expires_in: count === 1 ? 1200 : 900 })),
    { clock, store: memoryStore({ clock }) },
  )
  clock.pass(900_000)
  const heard = listener()
  const other = await resume(session.key, {
    ...options,
    onEvent: heard.onEvent,
    credential: { apiKey: 'K' },
  })
  assert.equal(await other.iamToken(), 'FAKE-1')
  const { expiresAt, dueAt } = other.tokens().iam
  assert.deepEqual([expiresAt - clock.wall, dueAt - clock.wall], [300_000, 60_000])
  clock.pass(60_000)
  const renewed = heard.next('exchange')
  assert.equal(await other.iamToken(), 'FAKE-1')
  assert.equal((await renewed).isBackground, true)
  assert.equal(await other.iamToken(), 'FAKE-2')
  assert.equal(other.tokens().iam.dueAt - clock.wall, 0.8 * 900_000)
})

test('renewal of a short token is due while callers still get the good one', async (t) => {
  for (const [seconds, due] of [
    [5, 3.6],
    [120, 86.4],
    [300, 216],
    [400, 306],
    [3600, 3168],
  ]) {
    const clock = Object.assign(stoppedClock(), { random: () => 1 })
    const { session } = await signedIn(t, () => json(tokens({ expires_in: seconds })), { clock })
    assert.equal(Math.round(session.tokens().iam.dueAt - clock.wall), due * 1000)
  }
})

test('a cache that answers with the ended token is protocol; while it is good it is only no news', async (t) => {
  const iat = Math.floor(Date.UTC(2026, 0, 15, 12) / 1000)
  const same = jwt({ iat, exp: iat + 3600 })
  const { session, clock, heard, requests } = await signedIn(t, () =>
    json(tokens({ access_token: same })),
  )
  clock.pass(0.8 * HOUR)
  for (let second = 0; second < 600; second += 1) {
    assert.equal(await session.iamToken(), same)
    await new Promise(setImmediate)
    clock.pass(1_000)
  }
  assert.ok(requests.length < 25, `${requests.length} requests in ten minutes`)
  assert.ok(heard.of('exchange').every(({ code }) => code === undefined))
  assert.equal(await session.iamToken(), same, 'within the last two minutes')
  clock.pass(60_000)
  assert.equal(await session.iamToken(), same, 'it is handed out while it isn’t over')
  clock.pass(60_000)
  const error = await refusal(session.iamToken())
  assert.equal(error.code, 'protocol')
  assert.match(error.hint, /cache/)
  assert.equal((await refusal(session.refresh())).code, 'protocol')
})

test('an expires_in that says nothing, or that it is over, fails the renewal and not the callers', async (t) => {
  const lives = [0, '0', -1, '-60', 'soon', null, {}, [3600], '']
  const { session, clock, heard } = await signedIn(t, (_seen, count) =>
    json(
      tokens({ access_token: `FAKE-${count}`, expires_in: count === 1 ? 3600 : lives[count - 2] }),
    ),
  )
  clock.pass(0.8 * HOUR)
  for (const life of lives) {
    const renewed = heard.next('exchange')
    assert.equal(await session.iamToken(), 'FAKE-1')
    assert.equal((await renewed).code, 'protocol', JSON.stringify(life))
    clock.mono += 46_000
  }
})

test('a life in digits, of a year and more, or missing beside a JWT is read', async (t) => {
  const year = 365 * 24 * HOUR
  for (const [fields, life] of [
    [{ expires_in: '3600' }, HOUR],
    [{ expires_in: 1e12 }, year],
    [{ expires_in: '31536001' }, year],
    [{ expires_in: undefined, access_token: jwt({ iat: 1000, exp: 4600 }) }, HOUR],
    [{ expires_in: null, access_token: jwt({ iat: 1000, exp: 4600 }) }, HOUR],
  ]) {
    const { session, clock } = await signedIn(t, () => json(tokens(fields)))
    assert.equal(session.tokens().iam.expiresAt - clock.wall, life)
    clock.pass(life - 61_000)
    await session.iamToken()
  }
})

test('how old a refused token is tells the clock that went on while the machine slept', async (t) => {
  const { session, clock, requests, options } = await signedIn(t, ({ path }, count) =>
    path === '/identity/token' ? numbered({}, count) : json({}, { status: 401 }),
  )
  clock.wall += 10 * 60_000
  const answer = await session.fetch(`${options.endpoints.iam}/v1/x`)
  assert.equal(answer.status, 401)
  assert.equal(requests.filter(({ path }) => path === '/identity/token').length, 2)
})
