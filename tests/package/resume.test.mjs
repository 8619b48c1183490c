import assert from 'node:assert/strict'
import { test } from 'node:test'
import { login, memoryStore, resume } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { json, refusal, SENTINEL, serving, stoppedClock, tokens } from './helpers.mjs'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const USER = { username: 'user@example.com', password: 'correct horse' }

function world(more) {
  const emulator = createEmulator({ now: Date.UTC(2026, 0, 15, 12), ...more })
  const options = { ...emulator.options, store: memoryStore({ clock: emulator.clock }) }
  return { emulator, options }
}

test('a key names the login and its target; nothing is sent while the token is good', async () => {
  const { emulator, options } = world()
  const account = emulator.data.accounts[0].id
  const target = { instance: 'kp-demo' }
  const session = await login(USER, { ...options, account, target })
  const inSpace = await session.with({ org: 'acme', space: 'dev' })
  emulator.requests.clear()
  for (const each of [session, inSpace]) {
    assert.match(each.key, /^[\w.-]+$/)
    const resumed = await resume(each.key, options)
    assert.deepEqual(await resumed.headers(), await each.headers())
    assert.deepEqual(resumed.target(), each.target())
    assert.equal(await resumed.uaaToken(), await each.uaaToken())
    assert.equal(resumed.key, each.key)
    assert.equal((await resumed.claims()).email, USER.username)
  }
  assert.equal(emulator.requests.length, 0)
})

test('a name of any letters comes back in the target', async () => {
  const name = 'ünïcødé 🔑 <&>"'
  const { emulator, options } = world({ data: { orgs: [{ name }] } })
  const session = await login(USER, { ...options, target: { org: name } })
  assert.equal((await resume(session.key, options)).target().org.name, name)
  assert.equal(emulator.data.orgs[0].name, name)
})

test('a resumed session has the newest tokens, and renews by the refresh token for the others', async () => {
  const { emulator, options } = world()
  const session = await login(USER, options)
  emulator.clock.advance(2 * HOUR)
  const second = await session.iamToken()
  const resumed = await resume(session.key, options)
  emulator.requests.clear()
  assert.equal(await resumed.iamToken(), second)
  assert.equal(emulator.requests.length, 0)
  emulator.clock.advance(2 * HOUR)
  const third = await resumed.iamToken()
  assert.equal(await session.iamToken(), third)
  assert.equal(emulator.requests.count({ route: '/identity/token' }), 1)
  assert.equal(emulator.requests[0].grant, 'refresh_token')
})

test('one whose token has ended is resumed without a request, and renewed at its first use', async () => {
  const { emulator, options } = world()
  const { key } = await login(USER, options)
  emulator.clock.advance(20 * DAY)
  emulator.requests.clear()
  const resumed = await resume(key, options)
  assert.equal(emulator.requests.length, 0)
  assert.ok(resumed.tokens().iam.expiresAt < emulator.clock.now())
  await Promise.all([resumed.iamToken(), resumed.uaaToken()])
  assert.equal(emulator.requests[0].grant, 'refresh_token')
})

test('single-use refresh tokens are spent once, however many were resumed', async (t) => {
  const clock = stoppedClock()
  // Who waits for the others does not move the clock on.
  clock.sleep = () => new Promise((done) => setTimeout(done, 2))
  const store = memoryStore({ clock })
  const spent = []
  const server = await serving(t, ({ form }, count) => {
    if (spent.includes(form.refresh_token)) return json({ error: 'invalid_token' }, { status: 401 })
    if (form.refresh_token !== undefined) spent.push(form.refresh_token)
    return json(tokens({ access_token: `A${count}`, refresh_token: `R${count}` }))
  })
  const options = { endpoints: { uaa: server.url }, clock, store }
  const first = await login({ passcode: 'P' }, options)
  const sessions = [first]
  for (let count = 0; count < 4; count += 1) sessions.push(await resume(first.key, options))
  for (let round = 0; round < 3; round += 1) {
    clock.pass(2 * HOUR)
    const all = await Promise.all(sessions.map((session) => session.uaaToken()))
    assert.equal(new Set(all).size, 1)
  }
  assert.equal(server.requests.length, 4)
})

test('where the store has nothing it is expired, unless a credential can sign in again', async () => {
  const { emulator, options } = world()
  const session = await login(USER, options)
  const { key } = session
  await session.logout()
  emulator.requests.clear()
  const error = await refusal(resume(key, options))
  assert.equal(error.code, 'expired')
  assert.match(error.hint, /sign in/i)
  const elsewhere = { ...options, store: memoryStore({ clock: emulator.clock }) }
  assert.equal((await refusal(resume(key, elsewhere))).code, 'expired')
  assert.equal(emulator.requests.length, 0)
  const again = await resume(key, { ...elsewhere, credential: USER })
  assert.equal((await again.claims()).email, USER.username)
  assert.equal(emulator.requests.length, 1)
  assert.equal(typeof (await (await resume(key, elsewhere)).iamToken()), 'string')
})

test('a record outlives its refresh token for 30 days at most', async () => {
  const { emulator, options } = world()
  const { key } = await login(USER, options)
  emulator.clock.advance(30 * DAY - 1)
  await resume(key, options)
  emulator.clock.advance(1)
  assert.equal((await refusal(resume(key, options))).code, 'expired')
})

test('a refused refresh token ends a resumed session, unless it has the credential', async () => {
  const { emulator, options } = world({ data: { iam: { refreshTokenSeconds: 7200 } } })
  const { key } = await login(USER, options)
  emulator.clock.advance(3 * HOUR)
  const without = await resume(key, options)
  assert.equal((await refusal(without.iamToken())).code, 'expired')
  const credential = async () => USER
  const resumed = await resume(key, { ...options, credential })
  assert.equal(typeof (await resumed.iamToken()), 'string')
})

test('a plain Cloud Foundry is resumed without looking for its UAA again', async () => {
  const { emulator, options } = world()
  const plain = { ...options, endpoints: { cf: `${emulator.endpoints.base}/cf` } }
  const { key } = await login(USER, plain)
  const resumed = await resume(key, plain)
  emulator.clock.advance(2 * HOUR)
  emulator.requests.clear()
  await resumed.uaaToken()
  assert.deepEqual(
    emulator.requests.map(({ route }) => route),
    ['/oauth/token'],
  )
  const answer = await resumed.fetch(`${emulator.endpoints.base}/uaa/userinfo`)
  assert.equal(answer.status, 200)
})

test('a record that can’t be read is as none, and told', async () => {
  const { options } = world()
  const { key } = await login(USER, options)
  const [name] = key.split('.')
  await options.store.set(name, `{"v":9,"${SENTINEL}":1}`, { ttlMs: DAY })
  const events = []
  const onEvent = (event) => events.push(event)
  assert.equal((await refusal(resume(key, { ...options, onEvent }))).code, 'expired')
  assert.deepEqual(
    events.map(({ type }) => type),
    ['store'],
  )
})

test('a resumed session is signed out like another, and its login with it', async () => {
  const { emulator, options } = world()
  const session = await login(USER, options)
  const resumed = await resume(session.key, options)
  await resumed.logout()
  assert.equal(emulator.requests.count({ route: '/identity/revoke' }), 1)
  assert.equal((await refusal(resume(session.key, options))).code, 'expired')
  emulator.clock.advance(2 * HOUR)
  const again = await session.iamToken()
  assert.equal(typeof again, 'string', 'this one can sign in anew')
})

test('what is no key, or comes without a store, is invalid input', async () => {
  const { emulator, options } = world()
  const { key } = await login(USER, options)
  const [name] = key.split('.')
  const aim = (value) => `${name}.${btoa(JSON.stringify(value)).replace(/=+$/, '')}`
  emulator.requests.clear()
  for (const bad of [
    undefined,
    '',
    name,
    `${name}.`,
    `${name}.!`,
    `${name}.e`,
    `x${key}`,
    `${key}.x`,
    aim(null),
    aim(7),
    aim([]),
    aim({ instance: 7 }),
    aim({ instance: { guid: 'a\nb' } }),
    aim({ space: { guid: 's' } }),
  ]) {
    assert.equal((await refusal(resume(bad, options))).code, 'invalid_input', String(bad))
  }
  for (const store of [undefined, null, {}, { get() {} }]) {
    assert.equal((await refusal(resume(key, { ...options, store }))).code, 'invalid_input')
  }
  assert.equal((await refusal(resume(key))).code, 'invalid_input')
  assert.equal(emulator.requests.length, 0)
})

test('a login of an account that was switched to is resumed by its own key', async () => {
  const { emulator, options } = world()
  const session = await login(USER, options)
  const other = await session.with({ account: emulator.data.accounts[1].id })
  const resumed = await resume(other.key, options)
  assert.equal(resumed.target().account, emulator.data.accounts[1].id)
  assert.equal(await resumed.iamToken(), await other.iamToken())
})

test('a target is not taken: the key has it', async () => {
  const { options } = world()
  const { key } = await login(USER, options)
  const error = await refusal(resume(key, { ...options, target: { instance: 'kp-demo' } }))
  assert.equal(error.code, 'invalid_input')
})

test('a machine that slept does not hand out an ended token of the store', async (t) => {
  const clock = stoppedClock()
  const store = memoryStore({ clock })
  let count = 0
  const server = await serving(t, () => json(tokens({ access_token: `FAKE-${++count}` })))
  const options = { endpoints: { iam: server.url }, clock, store }
  const credential = { apiKey: 'K' }
  const session = await login(credential, options)
  clock.wall += 2 * HOUR
  const resumed = await resume(session.key, { ...options, credential })
  assert.equal(await resumed.iamToken(), 'FAKE-2')
  clock.wall += 2 * HOUR
  assert.equal(await (await login(credential, options)).iamToken(), 'FAKE-3')
})
