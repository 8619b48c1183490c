import assert from 'node:assert/strict'
import { test } from 'node:test'
import { login } from 'keyprotect-auth'
import { collect, html, json, refusal, serving, stoppedClock, tokens } from './helpers.mjs'

const MINUTE = 60_000
const NO_ACCESS =
  'Unauthorized: Either the user does not have access to the specified resource, the resource does not exist, or the region is incorrectly set'
const REFUSALS = {
  '/kp': { resources: [{ errorMsg: NO_ACCESS }] },
  '/cf': {
    errors: [{ code: 1000, title: 'CF-InvalidAuthToken', detail: 'Invalid Auth Token' }],
  },
  '/rc': { message: 'Token expired', code: 401, global_transaction_id: 'T1' },
}

/**
 * A session on services that take a token if `takes` says so of its number, from 1 on.
 * @param {import('node:test').TestContext} t
 */
async function world(t, takes, more) {
  const clock = stoppedClock()
  let exchanges = 0
  const calls = []
  const server = await serving(t, async ({ path, headers, form }) => {
    if (path.endsWith('/token')) {
      exchanges += 1
      const names = { access_token: `I-${exchanges}`, uaa_token: `U-${exchanges}` }
      return json(tokens({ ...names, refresh_token: 'R' }))
    }
    const number = Number(headers.authorization.split('-').at(-1))
    calls.push({ path, token: headers.authorization, form })
    if (!(await takes(number, calls.length))) {
      return json(REFUSALS[path.slice(0, 3)], { status: 401 })
    }
    return json(path.startsWith('/kp') ? { resources: [{ id: 'k' }] } : { resources: [] })
  })
  const session = await login(
    { apiKey: 'K' },
    { endpoints: { base: server.url }, clock, target: { instance: { guid: 'I1' } }, ...more },
  )
  return { session, clock, calls, url: server.url, exchanges: () => exchanges }
}

test('a token of a minute and more that is refused is renewed once, and the call repeated once', async (t) => {
  const { session, clock, calls, exchanges } = await world(t, (number) => number > 1)
  clock.pass(MINUTE)
  const answer = await session.fetch('/a', { method: 'POST', body: 'b=1' })
  assert.equal(answer.status, 200)
  assert.deepEqual(
    calls.map(({ token, form }) => [token, form]),
    [
      ['Bearer I-1', { b: '1' }],
      ['Bearer I-2', { b: '1' }],
    ],
  )
  assert.equal(exchanges(), 2)
  assert.deepEqual(clock.waits, [])
})

test('each kind of body that can be sent again is', async (t) => {
  const bodies = [
    () => ({ body: 'b=1' }),
    () => ({ body: new URLSearchParams({ b: '1' }) }),
    () => ({ body: new Blob(['b=1']) }),
    () => ({ body: new TextEncoder().encode('b=1') }),
    (url) => new Request(url, { method: 'POST', body: 'b=1' }),
  ]
  for (const make of bodies) {
    const { session, clock, calls, url } = await world(t, (number) => number > 1)
    clock.pass(MINUTE)
    const made = make(`${url}/kp/a`)
    const call = made instanceof Request ? [made] : ['/a', { method: 'POST', ...made }]
    assert.equal((await session.fetch(...call)).status, 200)
    assert.deepEqual(calls[1].form, { b: '1' }, String(make))
  }
})

test('a stream is not sent twice: its 401 is handed back, and nothing renewed', async (t) => {
  const { session, clock, calls, exchanges } = await world(t, () => false)
  clock.pass(MINUTE)
  async function* parts() {
    yield new TextEncoder().encode('b=1')
  }
  for (const body of [new Blob(['b=1']).stream(), parts()]) {
    const answer = await session.fetch('/a', { method: 'POST', body })
    assert.equal(answer.status, 401)
    assert.deepEqual(calls.pop().form, { b: '1' })
  }
  assert.equal(exchanges(), 1)
})

test('a 401 to a token of 5 s to 60 s is handed back, and the body is unread', async (t) => {
  for (const ageMs of [5000, MINUTE - 1]) {
    const { session, clock, calls, exchanges } = await world(t, () => false)
    clock.pass(ageMs)
    const answer = await session.fetch('/a')
    assert.equal(answer.status, 401)
    assert.equal((await answer.json()).resources[0].errorMsg, NO_ACCESS)
    assert.deepEqual([calls.length, exchanges()], [1, 1])
    assert.deepEqual(clock.waits, [])
  }
})

test('a token younger than 5 s gets one short wait', async (t) => {
  for (const takes of [(_number, count) => count > 1, () => false]) {
    const { session, clock, calls, exchanges } = await world(t, takes)
    clock.pass(4999)
    const answer = await session.fetch('/a')
    assert.equal(answer.status, takes(1, 2) ? 200 : 401)
    assert.deepEqual([calls.length, exchanges()], [2, 1])
    assert.equal(clock.waits.length, 1)
    assert.ok(clock.waits[0] <= 2000)
  }
})

test('fifty calls that are refused at once make one exchange', async (t) => {
  for (const path of ['/a', 'cf']) {
    const { session, clock, calls, url, exchanges } = await world(t, (number) => number > 1)
    clock.pass(10 * MINUTE)
    const address = path === 'cf' ? `${url}/cf/v3/organizations` : path
    const answers = await Promise.all(Array.from({ length: 50 }, () => session.fetch(address)))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.deepEqual([calls.length, exchanges()], [100, 2])
    assert.deepEqual(clock.waits, [], 'who comes late takes the new token, and waits for nothing')
  }
})

test('a call that is refused after another has renewed takes the new token, however young', async (t) => {
  let release
  const gate = new Promise((done) => {
    release = done
  })
  const { session, clock, calls, exchanges } = await world(t, async (number, count) => {
    if (count === 1) await gate
    return number > 1
  })
  clock.pass(10 * MINUTE)
  const slow = session.fetch('/a')
  while (calls.length === 0) await new Promise((done) => setImmediate(done))
  assert.equal((await session.fetch('/a')).status, 200)
  clock.pass(30_000)
  release()
  assert.equal((await slow).status, 200)
  assert.equal(exchanges(), 2)
})

test('a service that refuses every token makes no storm of renewals', async (t) => {
  const { session, clock, calls, exchanges } = await world(t, () => false)
  clock.pass(10 * MINUTE)
  for (let count = 0; count < 100; count += 1) {
    assert.equal((await session.fetch('/a')).status, 401)
    clock.pass(100)
  }
  assert.equal(exchanges(), 2)
  assert.ok(calls.length <= 200)
})

test('a true refusal (403) and what is no 401 renews nothing', async (t) => {
  const clock = stoppedClock()
  const body = { resources: [{ errorMsg: 'Forbidden: x', reasons: [{ status: 403 }] }] }
  let answer = () => json(body, { status: 403 })
  const server = await serving(t, ({ path }) =>
    path.endsWith('/token') ? json(tokens({ uaa_token: 'U' })) : answer(),
  )
  const endpoints = { base: server.url }
  const target = { instance: { guid: 'I1' } }
  const session = await login({ apiKey: 'K' }, { endpoints, clock, target, retries: 0 })
  clock.pass(10 * MINUTE)
  for (let count = 0; count < 20; count += 1) {
    assert.equal((await session.fetch('/a')).status, 403)
  }
  assert.equal(server.requests.length, 21)
  assert.equal((await refusal(collect(session.keys()))).code, 'forbidden')
  // A token that is too long for the server's header lines.
  for (const status of [431, 400]) {
    answer = () => html(status, 'Request Header Or Cookie Too Large')
    assert.equal((await session.fetch('/a')).status, status)
    assert.equal((await refusal(collect(session.keys()))).code, 'protocol')
    assert.equal((await refusal(session.orgGuid('acme'))).code, 'protocol')
  }
  assert.equal(server.requests.filter(({ path }) => path.endsWith('/token')).length, 1)
})

test('lookups and keys renew once on a 401, and repeat once', async (t) => {
  for (const [call, code] of [
    [(session) => collect(session.keys()), undefined],
    [(session) => session.orgGuid('none'), 'not_found'],
    [(session) => session.spaceGuid('none', { org: { guid: 'o' } }), 'not_found'],
    [(session) => session.instanceGuid('none'), 'not_found'],
  ]) {
    const { session, clock, calls, exchanges } = await world(t, (number) => number > 1)
    clock.pass(10 * MINUTE)
    if (code === undefined) assert.deepEqual(await call(session), [{ id: 'k' }])
    else assert.equal((await refusal(call(session))).code, code)
    assert.equal(exchanges(), 2, String(call))
    assert.equal(calls[0].token.replace('-1', '-2'), calls[1].token)
  }
})

test('lookups and keys end with what the service says where no token helps', async (t) => {
  for (const [ageMs, exchanged, tries] of [
    [10 * MINUTE, 2, 2],
    [30_000, 1, 1],
    [2000, 1, 2],
  ]) {
    for (const [call, code, hint] of [
      [(session) => collect(session.keys()), 'forbidden', /region/],
      [(session) => session.orgGuid('none'), 'expired', /./],
      [(session) => session.instanceGuid('none'), 'expired', /./],
    ]) {
      const { session, clock, calls, exchanges } = await world(t, () => false)
      clock.pass(ageMs)
      const error = await refusal(call(session))
      assert.equal(error.code, code, String(call))
      assert.equal(error.status, 401)
      assert.match(error.hint, hint)
      if (code === 'expired' && calls[0].path.startsWith('/rc')) assert.equal(error.requestId, 'T1')
      assert.deepEqual([exchanges(), calls.length], [exchanged, tries])
      assert.equal(typeof (await session.iamToken()), 'string', 'the login goes on')
    }
  }
})

test('a renewal that is refused after a 401 rejects, and is not asked for again for a minute', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, ({ path }, count) => {
    if (count === 1) return json(tokens())
    if (!path.endsWith('/token')) return json({}, { status: 401 })
    return json({ errorCode: 'BXNIM0415E', errorMessage: 'm' }, { status: 400 })
  })
  const session = await login({ apiKey: 'K' }, { endpoints: { base: server.url }, clock })
  clock.pass(10 * MINUTE)
  for (let count = 0; count < 20; count += 1) {
    assert.equal((await refusal(session.fetch('/a'))).code, 'invalid_credentials')
    clock.pass(1000)
  }
  assert.equal(server.requests.filter(({ path }) => path.endsWith('/token')).length, 2)
})

test('a signal ends the short wait and the renewal after a 401', async (t) => {
  const reason = new Error('enough')
  for (const ageMs of [1000, 10 * MINUTE]) {
    const controller = new AbortController()
    const { session, clock, exchanges, calls } = await world(t, () => {
      controller.abort(reason)
      return false
    })
    clock.sleep = (_ms, { signal }) => Promise.reject(signal.reason)
    clock.pass(ageMs)
    const { signal } = controller
    assert.equal(await session.fetch('/a', { signal }).catch((thrown) => thrown), reason)
    assert.deepEqual([exchanges(), calls.length], [1, 1])
  }
  const controller = new AbortController()
  const { session, clock } = await world(t, () => false)
  clock.sleep = (_ms, { signal }) => {
    controller.abort(reason)
    return Promise.reject(signal.reason)
  }
  const error = await refusal(session.orgGuid('acme', { signal: controller.signal }))
  assert.equal(error.code, 'aborted')
  assert.equal(error.cause, reason)
})
