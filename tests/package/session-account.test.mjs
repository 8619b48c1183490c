import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { login } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import {
  assertNoSecret,
  collect,
  json,
  jwt,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const HOUR = 3_600_000
const USER = { username: 'user@example.com', password: 'correct horse' }
const NOW = Date.UTC(2026, 0, 15, 12)

/** @param {object} [more] options of the login */
async function emulated(credential, more) {
  const emulator = createEmulator({
    now: NOW,
    data: { accounts: [{ name: 'One' }, { name: 'Two' }] },
  })
  const session = await login(credential ?? emulator.credential, { ...emulator.options, ...more })
  emulator.requests.clear()
  return { emulator, session, accounts: emulator.data.accounts }
}

async function until(isSo) {
  for (let turn = 0; turn < 500 && !isSo(); turn += 1) {
    await new Promise((done) => setTimeout(done, 2))
  }
}

const grants = ({ requests }) => requests.map(({ grant, route }) => grant ?? route)

test('a session with another target is on the same tokens: one exchange for both', async () => {
  const { emulator, session } = await emulated()
  const other = await session.with({ instance: { guid: 'I1' } })
  emulator.clock.advance(2 * HOUR)
  const [one, two] = await Promise.all([session.iamToken(), other.headers()])
  assert.equal(two.Authorization, `Bearer ${one}`)
  assert.equal(emulator.requests.length, 1)
  assert.equal(other.iamToken(), session.iamToken(), 'the same promise')
  assert.deepEqual(await session.headers(), { Authorization: `Bearer ${one}` })
})

test('another account is reached by one refresh grant, and the session before stays as it was', async () => {
  const { emulator, session, accounts } = await emulated(USER, { account: undefined })
  const before = await session.iamToken()
  const other = await session.with({ account: accounts[1].id })
  assert.deepEqual(grants(emulator), ['refresh_token'])
  assert.equal((await other.claims()).account.bss, accounts[1].id)
  assert.equal(other.target().account, accounts[1].id)
  assert.equal(other.target().user, USER.username)
  assert.equal(await session.iamToken(), before)
  emulator.clock.advance(2 * HOUR)
  assert.equal((await other.claims()).account.bss, accounts[1].id, 'also after a renewal')
  assert.equal((await session.claims()).account?.bss, undefined)
  await other.logout()
  assert.equal(typeof (await session.iamToken()), 'string')
})

test('another account is without the target of the one before', async () => {
  const { session, accounts } = await emulated(USER, { target: { instance: { guid: 'I1' } } })
  const other = await session.with({ account: accounts[1].id })
  assert.equal(other.target().instance, undefined)
  assert.deepEqual(Object.keys(await other.headers()), ['Authorization'])
  assert.equal(session.target().instance.guid, 'I1')
})

test('another account is refused where the service or the login can’t give it', async () => {
  const { emulator, session, accounts } = await emulated()
  assert.equal((await refusal(session.with({ account: 'f'.repeat(32) }))).code, 'forbidden')
  const alone = await login(emulator.credential, { ...emulator.options, uaa: false })
  const error = await refusal(alone.with({ account: accounts[1].id }))
  assert.equal(error.code, 'unavailable')
  assert.match(error.hint, /account/)
  emulator.requests.clear()
  for (const target of [
    { account: undefined },
    { account: 7 },
    { account: '' },
    { account: accounts[0].id, org: 'acme' },
    { org: undefined },
    {},
    null,
    'acme',
    { instance: 'a', org: 'b' },
    { space: 'dev' },
  ]) {
    assert.equal((await refusal(session.with(target))).code, 'invalid_input', inspect(target))
  }
  assert.equal(emulator.requests.length, 0)
})

test('a passcode signs in elsewhere as the same user, once', async () => {
  const { emulator, session } = await emulated(USER)
  const passcode = await session.passcode()
  assert.deepEqual(grants(emulator), ['refresh_token'])
  const elsewhere = await login({ passcode }, emulator.options)
  assert.equal((await elsewhere.claims()).email, USER.username)
  const again = await refusal(login({ passcode }, emulator.options))
  assert.equal(again.code, 'invalid_credentials')
  const atUaa = { ...emulator.options, endpoints: { cf: `${emulator.endpoints.base}/cf` } }
  const plain = await login(USER, atUaa)
  assert.equal((await refusal(plain.passcode())).code, 'unavailable')
})

test('refresh renews now, both tokens by one request', async () => {
  const { emulator, session } = await emulated()
  const [iam, uaa] = await Promise.all([session.iamToken(), session.uaaToken()])
  await Promise.all([session.refresh(), session.refresh()])
  assert.deepEqual(grants(emulator), ['refresh_token'])
  assert.notEqual(await session.iamToken(), iam)
  assert.notEqual(await session.uaaToken(), uaa)
})

test('tokens tells when what is held ends and is due; nothing is sent, and no secret in it', async () => {
  const { emulator, session } = await emulated()
  const times = session.tokens()
  assert.deepEqual(Object.keys(times), ['iam', 'uaa'])
  assert.equal(times.iam.expiresAt, NOW + HOUR)
  const share = (times.iam.dueAt - NOW) / HOUR
  assert.ok(share >= 0.72 && share <= 0.88, String(share))
  assert.ok(times.uaa.expiresAt > NOW)
  assert.deepEqual(Object.keys(times.iam), ['expiresAt', 'dueAt'])
  assert.equal(emulator.requests.length, 0)
  emulator.clock.advance(2 * HOUR)
  await session.iamToken()
  assert.equal(session.tokens().iam.expiresAt, NOW + 3 * HOUR)
})

test('claims says what the token says of its holder, and no opaque token breaks anything', async (t) => {
  const { session } = await emulated()
  assert.equal((await session.claims()).sub, USER.username)
  assert.equal((await session.claims({ token: 'uaa' })).user_name, USER.username)
  assert.equal((await refusal(session.claims({ token: 'x' }))).code, 'invalid_input')
  for (const token of ['opaque', `a.${SENTINEL}`, `a.${SENTINEL}.b`, `${jwt({})}.x`]) {
    const server = await serving(t, () => json(tokens({ access_token: token })))
    const other = await login({ apiKey: 'K' }, { endpoints: { iam: server.url } })
    assert.equal((await refusal(other.claims())).code, 'invalid_input', token)
    assert.equal((await other.headers()).Authorization, `Bearer ${token}`)
    assertNoSecret(other.target())
  }
})

test('a login that can’t repeat itself is kept alive as it is renewed; another is not', async () => {
  const { emulator, session } = await emulated(USER)
  emulator.clock.advance(2 * HOUR)
  await session.iamToken()
  assert.deepEqual(grants(emulator), ['refresh_token'])
  emulator.requests.clear()
  const passcode = emulator.passcode()
  const { options } = emulator
  const kept = await login({ passcode }, options)
  for (let round = 0; round < 2; round += 1) {
    emulator.requests.clear()
    emulator.clock.advance(2 * HOUR)
    await kept.iamToken()
    await until(() => emulator.requests[1]?.status !== undefined)
    const [, word] = emulator.requests
    assert.deepEqual(grants(emulator), ['refresh_token', '/v1/sessions/{sessionId}/state'])
    assert.deepEqual([word.method, word.status], ['PATCH', 204], 'it names the session')
  }
})

test('a login that is kept alive in vain goes on', async (t) => {
  const clock = stoppedClock()
  const leftOver = []
  const note = (reason) => leftOver.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const token = (jti) => ({ access_token: jwt({ jti, session_id: 'C/1' }), refresh_token: 'R' })
  const server = await serving(t, ({ path }, count) =>
    path.startsWith('/v1/sessions')
      ? json({ errorCode: 'BXNIM0407E', errorMessage: 'm' }, { status: 400 })
      : json(tokens(token(count))),
  )
  const options = { endpoints: { iam: server.url }, clock }
  const session = await login({ passcode: 'P' }, options)
  clock.pass(2 * HOUR)
  await session.iamToken()
  await until(() => server.requests.length > 2)
  await new Promise((done) => setTimeout(done, 10))
  assert.equal(server.requests.at(-1).path, '/v1/sessions/C%2F1/state')
  assert.equal(server.requests.at(-1).headers.authorization, `Basic ${btoa('bx:bx')}`)
  assert.deepEqual(leftOver, [])
})

test('logout at IAM revokes the refresh token; every method then rejects as expired', async () => {
  const events = []
  const { emulator, session } = await emulated(undefined, {
    onEvent: (event) => event.type === 'logout' && events.push(event),
    target: { instance: { guid: 'I1' } },
  })
  const shared = await session.with({ org: { guid: 'o' }, space: { guid: 's' } })
  await session.logout()
  const revoked = emulator.requests.filter(({ route }) => route === '/identity/revoke')
  assert.equal(revoked.length, 1)
  assert.equal(revoked[0].status, 200)
  assert.equal(revoked[0].form.token_type_hint, 'refresh_token')
  assert.deepEqual(events, [{ type: 'logout', isRevoked: true }])
  emulator.requests.clear()
  await session.logout()
  await shared.logout()
  assert.equal(events.length, 1)
  for (const each of [session, shared]) {
    for (const call of [
      () => each.iamToken(),
      () => each.uaaToken({ minValidMs: 1 }),
      () => each.oauthTokens(),
      () => each.headers(),
      () => each.headers({ token: 'uaa' }),
      () => each.fetch('/api/v2/keys'),
      () => each.fetch(`${emulator.endpoints.base}/cf/v3/organizations`),
      () => collect(each.keys()),
      () => each.claims(),
      () => each.refresh(),
      () => each.passcode(),
      () => each.orgGuid('acme'),
      () => each.orgGuid({ guid: 'o' }),
      () => each.spaceGuid('dev', { org: 'acme' }),
      () => each.instanceGuid('kp-demo'),
      () => each.with({ instance: 'kp-demo' }),
      () => each.with({ instance: { guid: 'I1' } }),
      () => each.with({ account: 'a'.repeat(32) }),
      () => each.authenticator().authenticate({}),
    ]) {
      const error = await refusal(call())
      assert.equal(error.code, 'expired', String(call))
      assert.equal(error.hint, 'signed out')
    }
    assert.deepEqual(each.tokens(), {})
    assert.equal(each.target().user, undefined)
  }
  assert.equal(emulator.requests.length, 0)
})

test('logout at a UAA revokes what it keeps, the refresh token before the token that speaks for it', async (t) => {
  const stored = jwt({ jti: 'J1', revocable: true })
  for (const [fields, paths] of [
    [{ access_token: 'OPAQUE/A', refresh_token: 'OPAQUE-r' }, ['OPAQUE-r', 'OPAQUE%2FA']],
    [
      { access_token: stored, refresh_token: jwt({ jti: 'J1-r', revocable: true }) },
      ['J1-r', 'J1'],
    ],
    [{ access_token: jwt({ jti: 'J2' }), refresh_token: 'OPAQUE-r' }, ['OPAQUE-r']],
    [{ access_token: jwt({ jti: 'J2' }) }, []],
  ]) {
    const revoked = []
    const server = await serving(t, ({ method, path, headers }) => {
      if (method === 'POST') return json(tokens(fields))
      revoked.push(path)
      assert.equal(method, 'DELETE')
      assert.equal(headers.authorization, `Bearer ${fields.access_token}`)
      return new Response('')
    })
    const session = await login(USER, { endpoints: { uaa: server.url } })
    await session.logout()
    const expected = paths.map((id) => `/oauth/token/revoke/${id}`)
    assert.deepEqual(revoked, expected)
  }
})

test('a service that does not revoke is no trouble', async (t) => {
  for (const answer of [
    () => json({ errorCode: 'BXNIM0060E', errorMessage: 'm' }, { status: 404 }),
    () => new Response('no', { status: 503 }),
    () => new Response(null, { status: 302, headers: { location: 'https://evil.test' } }),
  ]) {
    const events = []
    const server = await serving(t, ({ path }) =>
      path.endsWith('/token') ? json(tokens({ refresh_token: 'R' })) : answer(),
    )
    const options = { endpoints: { iam: server.url }, clock: stoppedClock() }
    const session = await login(USER, {
      ...options,
      onEvent: (event) => event.type === 'logout' && events.push(event.isRevoked),
    })
    await session.logout()
    assert.equal((await refusal(session.iamToken())).hint, 'signed out')
    assert.deepEqual(events, [false])
  }
})

test('dispose forgets here and sends nothing', async () => {
  const { emulator, session } = await emulated(USER)
  await session[Symbol.asyncDispose]()
  assert.equal((await refusal(session.iamToken())).hint, 'signed out')
  await session[Symbol.asyncDispose]()
  await session.logout()
  assert.equal(emulator.requests.length, 0)
})
