import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchangeToken, login } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { FORM, json, refusal, serving, stoppedClock, tokens } from './helpers.mjs'

const HOUR = 3_600_000

function options(server, more) {
  return { endpoints: { iam: server.url }, ...more }
}

test('a token that has ended is renewed, one that has not is handed out as it is', async (t) => {
  const clock = stoppedClock()
  let count = 0
  const server = await serving(t, () => json(tokens({ access_token: `FAKE-${++count}` })))
  const session = await login({ apiKey: 'K' }, options(server, { clock }))
  assert.equal(await session.iamToken(), 'FAKE-1')
  assert.equal(session.iamToken(), session.iamToken(), 'the same promise while it is fresh')
  clock.pass(HOUR - 61_000)
  assert.equal(await session.iamToken(), 'FAKE-1')
  clock.pass(2000)
  assert.equal(await session.iamToken(), 'FAKE-2')
  assert.equal(server.requests.length, 2)
})

test('neither a clock set back nor a machine that slept makes an ended token look good', async (t) => {
  for (const move of [
    (clock) => {
      clock.mono += HOUR
      clock.wall -= 5 * HOUR
    },
    (clock) => {
      clock.wall += HOUR
    },
  ]) {
    const clock = stoppedClock()
    let count = 0
    const server = await serving(t, () => json(tokens({ access_token: `FAKE-${++count}` })))
    const session = await login({ apiKey: 'K' }, options(server, { clock }))
    move(clock)
    assert.equal(await session.iamToken(), 'FAKE-2')
  }
})

test('many callers on an ended token make one exchange', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, () => json(tokens()))
  const session = await login({ apiKey: 'K' }, options(server, { clock }))
  clock.pass(2 * HOUR)
  await Promise.all(Array.from({ length: 1000 }, () => session.iamToken()))
  assert.equal(server.requests.length, 2)
})

test('both tokens of one IAM exchange are renewed by one request, by the refresh token', async () => {
  const emulator = createEmulator({ now: Date.UTC(2026, 0, 15, 12) })
  const session = await login(emulator.credential, emulator.options)
  emulator.requests.clear()
  emulator.clock.advance(2 * HOUR)
  const [iam, uaa] = await Promise.all([session.iamToken(), session.uaaToken()])
  assert.notEqual(iam, uaa)
  assert.deepEqual(
    emulator.requests.map(({ grant }) => grant),
    ['refresh_token'],
  )
})

test('a refused refresh token leads back to the credential, and one request more', async (t) => {
  const clock = stoppedClock()
  const grants = []
  const server = await serving(t, ({ form }) => {
    grants.push(form.grant_type.split(':').at(-1))
    return form.grant_type === 'refresh_token'
      ? json({ errorCode: 'BXNIM0408E', errorMessage: 'ended' }, { status: 400 })
      : json(tokens({ refresh_token: 'R1' }))
  })
  const session = await login({ username: 'u', password: 'p' }, options(server, { clock }))
  clock.pass(2 * HOUR)
  await session.iamToken()
  assert.deepEqual(grants, ['password', 'refresh_token', 'password'])
})

test('a refresh token on which the service fails for good leads to the credential', async (t) => {
  const clock = stoppedClock()
  const grants = []
  const server = await serving(t, ({ form }) => {
    grants.push(form.grant_type)
    return form.grant_type === 'refresh_token'
      ? json({ error: 'server_error' }, { status: 500 })
      : json(tokens({ refresh_token: 'R1' }))
  })
  const endpoints = { uaa: server.url }
  const session = await login({ username: 'u', password: 'p' }, { endpoints, clock, retries: 1 })
  clock.pass(2 * HOUR)
  await session.uaaToken()
  assert.deepEqual(grants, ['password', 'refresh_token', 'refresh_token', 'password'])
})

test('a login that can’t repeat itself ends as expired, with a hint', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, ({ form }) =>
    form.grant_type === 'refresh_token'
      ? json({ error: 'invalid_token', error_description: 'revoked' }, { status: 401 })
      : json(tokens({ refresh_token: 'R1' })),
  )
  const session = await login({ passcode: 'P' }, { endpoints: { uaa: server.url }, clock })
  clock.pass(2 * HOUR)
  const error = await refusal(session.uaaToken())
  assert.equal(error.code, 'expired')
  assert.match(error.hint, /sign in again/i)
})

test('a login without a refresh token that can’t repeat itself ends as expired', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, () => json(tokens()))
  const session = await login({ passcode: 'P' }, { endpoints: { uaa: server.url }, clock })
  clock.pass(2 * HOUR)
  assert.equal((await refusal(session.uaaToken())).code, 'expired')
  assert.equal(server.requests.length, 1)
})

test('a refresh answer without a refresh token leaves the old one in use', async (t) => {
  const clock = stoppedClock()
  const seen = []
  const server = await serving(t, ({ form }) => {
    seen.push(form.refresh_token)
    return json(tokens(form.grant_type === 'refresh_token' ? {} : { refresh_token: 'R1' }))
  })
  const session = await login({ passcode: 'P' }, { endpoints: { uaa: server.url }, clock })
  for (let round = 0; round < 2; round += 1) {
    clock.pass(2 * HOUR)
    await session.uaaToken()
  }
  assert.deepEqual(seen, [undefined, 'R1', 'R1'])
})

test('a rotated refresh token replaces the old one', async (t) => {
  const clock = stoppedClock()
  const seen = []
  const server = await serving(t, ({ form }, count) => {
    seen.push(form.refresh_token)
    return json(tokens({ refresh_token: `R${count}` }))
  })
  const session = await login({ passcode: 'P' }, { endpoints: { uaa: server.url }, clock })
  for (let round = 0; round < 2; round += 1) {
    clock.pass(2 * HOUR)
    await session.uaaToken()
  }
  assert.deepEqual(seen, [undefined, 'R1', 'R2'])
})

test('minValidMs is honoured, and more than a new token has is unavailable after one try', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, () => json(tokens()))
  const session = await login({ apiKey: 'K' }, options(server, { clock }))
  clock.pass(HOUR / 2)
  await session.iamToken({ minValidMs: HOUR / 2 })
  assert.equal(server.requests.length, 1)
  await session.iamToken({ minValidMs: HOUR / 2 + 1 })
  assert.equal(server.requests.length, 2)
  assert.equal((await refusal(session.iamToken({ minValidMs: 2 * HOUR }))).code, 'unavailable')
  assert.equal(server.requests.length, 3)
  for (const minValidMs of [-1, Number.NaN, '5m', {}]) {
    assert.equal((await refusal(session.iamToken({ minValidMs }))).code, 'invalid_input')
  }
})

test('a secret may be a function, asked at each exchange; so may the whole credential', async (t) => {
  const clock = stoppedClock()
  const keys = []
  const server = await serving(t, ({ form }) => {
    keys.push(form.apikey ?? `${form.username}:${form.password}`)
    return json(tokens())
  })
  let count = 0
  const session = await login({ apiKey: async () => `K${++count}` }, options(server, { clock }))
  clock.pass(2 * HOUR)
  await session.iamToken()
  const pairs = await login(
    () => ({ username: `u${++count}`, password: `p${count}` }),
    options(server, { clock }),
  )
  clock.pass(2 * HOUR)
  await pairs.iamToken()
  assert.deepEqual(keys, ['K1', 'K2', 'u3:p3', 'u4:p4'])
})

test('what a service says of a lifetime is read in each form', async (t) => {
  const clock = stoppedClock()
  const life = async (fields) => {
    const server = await serving(t, () =>
      json({ access_token: 'A', token_type: 'Bearer', ...fields }),
    )
    const { iam } = await exchangeToken({ apiKey: 'K' }, options(server, { clock }))
    return iam.expiresAt - clock.now()
  }
  assert.equal(await life({ expires_in: 3600 }), HOUR)
  assert.equal(await life({ expires_in: '3600' }), HOUR)
  assert.equal(await life({ expires_in: 1e12 }), 365 * 24 * HOUR)
  assert.equal(await life({ expires_in: 1 }), 1000)
  for (const fields of [{}, { expires_in: 0 }, { expires_in: -1 }, { expires_in: 'soon' }]) {
    const error = await refusal(life(fields))
    assert.equal(error.code, 'protocol')
  }
})

test('a new token is handed out however short it lives', async (t) => {
  const server = await serving(t, () => json(tokens({ expires_in: 1 })))
  const session = await login({ apiKey: 'K' }, options(server, { clock: stoppedClock() }))
  assert.equal(await session.iamToken(), 'FAKE-A')
})

test('a token request has Basic or body credentials only, never the ended bearer token', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, ({ headers, form }) => {
    assert.match(headers['content-type'], new RegExp(`^${FORM}`))
    return /^Bearer/i.test(headers.authorization ?? '')
      ? json({ error: 'unauthorized' }, { status: 401 })
      : json(tokens({ refresh_token: form.refresh_token ?? 'R' }))
  })
  const session = await login({ passcode: 'P' }, { endpoints: { uaa: server.url }, clock })
  clock.pass(2 * HOUR)
  await session.uaaToken()
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    ['Basic Y2Y6', 'Basic Y2Y6'],
  )
})
