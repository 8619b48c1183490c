import assert from 'node:assert/strict'
import { test } from 'node:test'
import { login, memoryStore } from 'keyprotect-auth'
import {
  assertNoSecret,
  json,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const USER = { username: 'u', password: `${SENTINEL}-password` }

/**
 * A server of numbered tokens, and logins at it that share a clock and a store.
 * @param {import('node:test').TestContext} t
 */
async function shared(t, { store, answer = (count) => tokens({ access_token: `FAKE-${count}` }) }) {
  const clock = patientClock()
  const problems = []
  const kept = store ?? memoryStore({ clock })
  kept.clock = clock
  const server = await serving(t, async (_seen, count) => json(await answer(count)))
  const onEvent = (event) => {
    if (event.type === 'store') problems.push(event.problem)
    assertNoSecret(event)
  }
  const signIn = (more, credential = { apiKey: 'K' }) =>
    login(credential, { endpoints: { iam: server.url }, clock, store: kept, onEvent, ...more })
  return { clock, problems, server, store: kept, signIn, exchanges: () => server.requests.length }
}

/** A clock that stands still while others wait for it. */
function patientClock(start) {
  const clock = stoppedClock(start)
  clock.sleep = async (ms, { signal }) => {
    signal?.throwIfAborted()
    clock.waits.push(ms)
    await new Promise((done) => setTimeout(done, 2))
  }
  return clock
}

/** A store that keeps its one record in sight; `faults` replace its methods. */
function openStore(faults) {
  const now = () => store.clock?.mono ?? 0
  const put = (key, text, { ttlMs }) => store.records.set(key, { text, ttlMs, at: now() })
  const store = {
    records: new Map(),
    async get(key) {
      const { text, ttlMs, at } = store.records.get(key) ?? { ttlMs: 0, at: 0 }
      const left = ttlMs - (now() - at)
      return left > 0 ? { text, ttlMs: left } : undefined
    },
    set: async (...record) => void put(...record),
    delete: async (key) => void store.records.delete(key),
    lock: async (key) => ({
      set: async (...record) => Boolean(put(key, ...record)),
      release: async () => {},
    }),
    ...faults,
  }
  return store
}

test('sessions that share a store make one exchange, at once or one after the other', async (t) => {
  const { signIn, exchanges, clock } = await shared(t, {})
  const sessions = await Promise.all([signIn(), signIn(), signIn()])
  sessions.push(await signIn())
  assert.equal(exchanges(), 1)
  clock.pass(2 * HOUR)
  const all = await Promise.all(sessions.map((session) => session.iamToken()))
  assert.deepEqual(new Set(all), new Set(['FAKE-2']))
  assert.equal(exchanges(), 2)
  await Promise.all(sessions.map((session) => session.refresh()))
  assert.ok(exchanges() > 2, 'a refresh takes no token that it has already')
})

test('a handler that logs in at each request makes one exchange per life of a token', async (t) => {
  const { signIn, clock } = await shared(t, {})
  let exchanges = 0
  const fetch = async () => json(tokens({ access_token: `FAKE-${++exchanges}` }))
  for (let minute = 0; minute < 5 * 60; minute += 1) {
    const handled = Array.from({ length: 3 }, async () => (await signIn({ fetch })).headers())
    for (const { Authorization } of await Promise.all(handled)) assert.match(Authorization, /FAKE/)
    // A renewal in the background ends within the minute.
    await new Promise((done) => setTimeout(done, 2))
    clock.pass(MINUTE)
  }
  assert.ok(exchanges >= 5 && exchanges <= 1 + 300 / 43, String(exchanges))
})

test('what another publishes while it holds the lock is taken', async (t) => {
  const first = await shared(t, {})
  const spied = openStore()
  await first.signIn({ store: spied })
  const [[key, { text, ttlMs }]] = spied.records
  const { clock, store } = first
  const lock = await store.lock(key, { ttlMs: 20_000 })
  const { sleep } = clock
  clock.sleep = async (ms, options) => {
    await sleep(ms, options)
    if (clock.waits.length === 3) {
      assert.equal(await lock.set(text, { ttlMs }), true)
      await lock.release()
    }
  }
  const session = await first.signIn()
  assert.equal(await session.iamToken(), 'FAKE-1')
  assert.equal(first.exchanges(), 1)
  assert.equal(clock.waits.length, 3)
  // Another that ends between the look and the lock.
  const late = openStore({ lock: undefined })
  late.lock = async () => {
    late.records.set(key, { text, ttlMs, at: 0 })
    return { set: async () => true, release: async () => {} }
  }
  assert.equal(await (await first.signIn({ store: late })).iamToken(), 'FAKE-1')
  assert.equal(first.exchanges(), 1)
})

test('a holder that never releases is overtaken, when its lease is over or the wait too long', async (t) => {
  const { clock, store, signIn, exchanges, problems } = await shared(t, {})
  clock.sleep = async (ms) => clock.pass(ms)
  const spied = openStore()
  await signIn({ store: spied })
  const [[key]] = spied.records
  const dead = await store.lock(key, { ttlMs: 5000 })
  const session = await signIn()
  assert.equal(await session.iamToken(), 'FAKE-2')
  assert.equal(exchanges(), 2)
  assert.equal(await dead.set('late', { ttlMs: HOUR }), false)
  assert.notEqual((await store.get(key)).text, 'late')
  assert.deepEqual(problems, [])
  const held = openStore({ lock: async () => undefined })
  const start = clock.mono
  await signIn({ store: held })
  assert.ok(clock.mono - start >= 1000 && clock.mono - start <= 31_000)
  assert.deepEqual(problems, ['the lock was held too long by another'])
  assert.equal(held.records.size, 1, 'and publishes')
})

test('an older result that comes late does not replace a newer one', async (t) => {
  for (const store of [undefined, openStore({ lock: undefined })]) {
    let release
    const gate = new Promise((done) => {
      release = done
    })
    const world = await shared(t, {
      store,
      answer: async (count) => {
        if (count === 1) await gate
        return tokens({ access_token: `FAKE-${count}` })
      },
    })
    const slow = world.signIn()
    while (world.exchanges() === 0) await new Promise((done) => setImmediate(done))
    world.clock.pass(MINUTE)
    const quick = await world.signIn()
    assert.equal(await quick.iamToken(), 'FAKE-2')
    release()
    assert.match(await (await slow).iamToken(), /FAKE/)
    const third = await world.signIn()
    assert.equal(await third.iamToken(), 'FAKE-2')
    assert.equal(world.exchanges(), 2)
  }
})

test('a store that fails or returns nonsense costs an exchange and is told, never a call', async (t) => {
  const fail = async () => {
    throw new Error(`failed on ${SENTINEL}`)
  }
  const failAtOnce = () => {
    throw undefined
  }
  const lockOf = (more) => async () => ({ set: async () => true, release: async () => {}, ...more })
  for (const [faults, isTold] of [
    [{ get: fail }, true],
    [{ get: failAtOnce }, true],
    [{ set: fail, lock: undefined }, true],
    [{ lock: fail }, true],
    [{ lock: failAtOnce }, true],
    [{ lock: () => 7 }, true],
    [{ lock: () => ({}) }, true],
    [{ lock: lockOf({ set: fail }) }, true],
    [{ lock: lockOf({ release: fail }) }, true],
    [{ lock: lockOf({ set: async () => false }) }, false],
    [{ lock: async () => null, get: async () => null }, true],
    [{ lock: undefined }, false],
    [{ get: fail, set: fail, lock: fail, delete: fail }, true],
    ...['text', 7, [], {}, { text: 'x' }, { text: 7, ttlMs: 5 }, { text: 'x', ttlMs: Number.NaN }]
      .concat([
        { text: 'x', ttlMs: '5' },
        { text: '', ttlMs: 1000 },
        { text: 'x', ttlMs: 1e300 },
      ])
      .map((record) => [{ get: async () => record }, true]),
  ]) {
    const { signIn, exchanges, problems, clock } = await shared(t, { store: openStore(faults) })
    clock.sleep = async (ms) => clock.pass(ms)
    const session = await signIn()
    assert.equal(await session.iamToken(), 'FAKE-1', JSON.stringify(faults))
    clock.pass(2 * HOUR)
    assert.equal(await session.iamToken(), 'FAKE-2')
    assert.equal(exchanges(), 2)
    assert.equal(problems.length > 0, isTold, JSON.stringify(problems))
    await session.logout()
    assert.equal((await refusal(session.iamToken())).hint, 'signed out')
  }
})

test('a store that hangs costs two seconds, and a lock that comes too late is given back', async (t) => {
  const never = () => new Promise(() => {})
  let isReleased = false
  const late = new Promise((done) => {
    const release = async () => {
      isReleased = true
    }
    setTimeout(() => done({ set: async () => true, release }), 2200)
  })
  const world = await shared(t, { store: openStore({ lock: () => late }) })
  const started = performance.now()
  const [session] = await Promise.all([
    world.signIn({ store: openStore({ get: never, set: never, lock: never }) }),
    world.signIn(),
  ])
  assert.ok(performance.now() - started < 3900, String(performance.now() - started))
  assert.match(await session.iamToken(), /FAKE/)
  assert.deepEqual(new Set(world.problems), new Set(['get failed', 'lock failed']))
  await late
  await new Promise((done) => setImmediate(done))
  assert.equal(isReleased, true)
})

test('a record that was cut, changed, or is of a later version counts as absent, and is told', async (t) => {
  const store = openStore()
  const { signIn, problems, exchanges } = await shared(t, { store })
  await signIn()
  const [[key, { text, ttlMs }]] = store.records
  const record = JSON.parse(text)
  const changed = (change) => JSON.stringify(change(structuredClone(record)))
  const iam = (fields) => changed((all) => ({ ...all, iam: { ...all.iam, ...fields } }))
  let count = exchanges()
  for (const bad of [
    text.slice(0, -1),
    text.slice(0, text.length / 2),
    ` ${text}x`,
    '{}',
    'null',
    '[]',
    '',
    changed((all) => ({ ...all, v: 2 })),
    changed((all) => ({ ...all, v: '1x' })),
    changed(({ v: _v, ...rest }) => rest),
    changed(({ iam: _iam, ...rest }) => rest),
    changed((all) => ({ ...all, ttlMs: all.ttlMs * 2 })),
    iam({ accessToken: 'FAKE-X' }),
    iam({ accessToken: `${SENTINEL}\n` }),
    iam({ leftMs: 10 * HOUR }),
    iam({ leftMs: record.iam.leftMs - 1 }),
    iam({ lifeMs: -1 }),
    iam({ refreshToken: 'other' }),
  ]) {
    store.records.set(key, { text: bad, ttlMs, at: store.clock.mono })
    problems.length = 0
    const session = await signIn()
    count += 1
    assert.equal(await session.iamToken(), `FAKE-${count}`, bad)
    assert.ok(problems.length > 0 && /record|get/.test(problems[0]), bad)
    assert.notEqual(store.records.get(key).text, bad, 'a good one takes its place')
  }
  store.records.set(key, { text, ttlMs, at: store.clock.mono })
  assert.equal(await (await signIn()).iamToken(), 'FAKE-1')
})

test('what is left of a token comes from the store, whatever the clocks of writer and reader', async (t) => {
  for (const [wall, mono] of [
    [5 * HOUR, 0],
    [-5 * HOUR, 9 * HOUR],
    [0, -900],
  ]) {
    const time = stoppedClock()
    const { signIn, exchanges } = await shared(t, { store: memoryStore({ clock: time }) })
    await signIn()
    time.pass(20 * MINUTE)
    const clock = stoppedClock(time.wall + wall)
    clock.mono += mono
    const session = await signIn({ clock })
    assert.equal(await session.iamToken(), 'FAKE-1')
    const left = session.tokens().iam.expiresAt - clock.wall
    assert.ok(Math.abs(left - 40 * MINUTE) <= 2, String(left))
    for (const each of [time, clock]) each.pass(39.5 * MINUTE)
    assert.equal(await session.iamToken(), 'FAKE-2')
    assert.equal(exchanges(), 2)
  }
})

test('a key is a hash of all that makes two logins one, and random where a secret could be guessed', async (t) => {
  const server = await serving(t, ({ form }) =>
    json(tokens({ refresh_token: form.refresh_token ?? `${SENTINEL}-r` })),
  )
  const keyOf = async (credential, more) => {
    const store = openStore()
    const options = { endpoints: { iam: server.url }, clock: stoppedClock(), store, ...more }
    const session = await login(credential, options)
    const [[key]] = store.records
    assert.ok(session.key.startsWith(`${key}.`))
    assert.ok(!session.key.includes(SENTINEL))
    return key
  }
  const apiKey = `${SENTINEL}-key`
  const account = 'a'.repeat(32)
  const variants = [
    [{ apiKey }],
    [{ apiKey: `${apiKey}2` }],
    [{ refreshToken: apiKey }],
    [{ apiKey }, { account }],
    [{ apiKey }, { account: account.replace('a', 'b') }],
    [{ apiKey }, { client: { clientId: 'bx', clientSecret: 'bx' } }],
    [{ apiKey }, { client: { clientId: 'b', clientSecret: 'bx' } }],
    [{ apiKey }, { uaa: true, endpoints: { iam: server.url, cf: 'https://api.example.test' } }],
    [{ apiKey }, { endpoints: { iam: `${server.url}/two` } }],
    [{ apiKey }, { endpoints: { uaa: `${server.url}/three` } }],
    [{ apiKey }, { endpoints: { uaa: server.url } }],
  ]
  const keys = []
  for (const variant of variants) {
    keys.push(await keyOf(...variant))
    assert.equal(await keyOf(...variant), keys.at(-1), 'the same again')
  }
  assert.equal(new Set(keys).size, variants.length)
  assert.equal(
    await keyOf({ apiKey: ` ${apiKey}\n` }),
    keys[0],
    'white space around does not count',
  )
  for (const credential of [
    USER,
    { passcode: 'P' },
    { apiKey: () => apiKey },
    () => ({ apiKey }),
    { username: 'u', password: async () => 'p' },
  ]) {
    const both = [await keyOf(credential), await keyOf(credential)]
    assert.notEqual(both[0], both[1])
    assert.match(both[0], /^r[0-9a-f]{32}$/)
  }
})

test('a store whose time does not count down never makes an ended token look good', async (t) => {
  const kept = new Map()
  const store = {
    get: async (key) => kept.get(key),
    set: async (key, text, { ttlMs }) => kept.set(key, { text, ttlMs }),
    delete: async (key) => kept.delete(key),
  }
  const { signIn, exchanges } = await shared(t, { store })
  const session = await signIn()
  store.clock.pass(2 * HOUR)
  assert.equal(await session.iamToken(), 'FAKE-2')
  await session.refresh()
  assert.equal(exchanges(), 3)
})

test('logout clears the store; dispose leaves it', async (t) => {
  const store = openStore()
  const { signIn, exchanges } = await shared(t, { store })
  const session = await signIn()
  await session[Symbol.asyncDispose]()
  assert.equal(store.records.size, 1)
  await (await signIn()).logout()
  assert.equal(store.records.size, 0)
  assert.equal(exchanges(), 1)
})
