import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { exchangeToken, login } from 'keyprotect-auth'
import {
  assertNoSecret,
  html,
  json,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const SECRETS = [`${SENTINEL}-access`, `${SENTINEL}-refresh`, `${SENTINEL}-key`]
const answer = () =>
  json(
    tokens({ access_token: SECRETS[0], refresh_token: SECRETS[1], uaa_token: `${SENTINEL}.b.c` }),
  )

test('a session, its target and its promises show no secret', async (t) => {
  const server = await serving(t, answer)
  const session = await login({ apiKey: SECRETS[2] }, { endpoints: { iam: server.url } })
  for (const value of [session, session.target(), [session], { session }, session.headers]) {
    assertNoSecret(value)
  }
  assert.equal(await session.iamToken(), SECRETS[0])
})

test('a set of tokens is data to keep, and hides its secrets when printed', async (t) => {
  const server = await serving(t, answer)
  const { iam } = await exchangeToken({ passcode: SECRETS[2] }, { endpoints: { iam: server.url } })
  const kept = JSON.parse(JSON.stringify(iam))
  assert.equal(kept.accessToken, SECRETS[0])
  assert.equal(kept.refreshToken, SECRETS[1])
  assert.ok(!String(iam).includes(SENTINEL))
  const { inspect } = await import('node:util')
  assert.ok(!inspect({ iam }, { depth: 9 }).includes(SENTINEL))
  assert.match(inspect(iam), /expiresAt: \d{4}-.*Z/)
})

test('a credential in each place of a failing call is in no error', async (t) => {
  const quoting = (text) =>
    json(
      { errorCode: 'BXNIM0415E', errorMessage: `no ${text}`, errorDetails: text },
      { status: 400 },
    )
  const refusing = (text) =>
    json({ error: 'access_denied', error_description: `no ${text}` }, { status: 403 })
  for (const [handler, credential] of [
    [() => quoting(SENTINEL), { apiKey: SENTINEL }],
    [() => quoting(SENTINEL), { username: 'u', password: SENTINEL }],
    [() => quoting(SENTINEL), { passcode: SENTINEL }],
    [() => quoting(SENTINEL), { refreshToken: SENTINEL }],
    [() => html(400, SENTINEL), { apiKey: SENTINEL }],
    [() => new Response(`{"access_token":"${SENTINEL}`), { apiKey: SENTINEL }],
  ]) {
    const server = await serving(t, handler)
    await refusal(login(credential, { endpoints: { iam: server.url } }))
  }
  const profile = { id: 'iam-Profile-1' }
  const quotingToken = ({ form }) =>
    form.access_token === undefined ? json(tokens({ access_token: SENTINEL })) : quoting(SENTINEL)
  for (const [handler, credential, where, client] of [
    [() => quoting(SENTINEL), { crToken: SENTINEL, profile }, 'iam'],
    [quotingToken, { apiKey: 'k', assume: profile }, 'iam'],
    [() => quoting(SENTINEL), { apiKey: 'k' }, 'iam', { clientId: 'c', clientSecret: SENTINEL }],
    [() => refusing(SENTINEL), { clientId: 'c', clientSecret: SENTINEL }, 'uaa'],
    [() => refusing(`+${SENTINEL}%`), { clientId: 'c', clientSecret: `+${SENTINEL}%` }, 'uaa'],
    [() => refusing(SENTINEL), { assertion: SENTINEL }, 'uaa'],
  ]) {
    const server = await serving(t, handler)
    const error = await refusal(login(credential, { endpoints: { [where]: server.url }, client }))
    assert.notEqual(error.status, undefined, where)
  }
  const fetch = () => Promise.reject(new TypeError(`invalid header value: "Bearer ${SENTINEL}"`))
  const error = await refusal(exchangeToken({ apiKey: SENTINEL }, { fetch, retries: 0 }))
  assert.match(error.cause.message, /\[redacted\]/)
})

test('a renewal that fails shows no secret, and no rejection is left over', async (t) => {
  const clock = stoppedClock()
  const server = await serving(t, ({ form }) =>
    form.grant_type === 'refresh_token' ? html(403, SENTINEL) : answer(),
  )
  const leftOver = []
  const note = (reason) => leftOver.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const session = await login({ passcode: SECRETS[2] }, { endpoints: { iam: server.url }, clock })
  clock.pass(7_200_000)
  const calls = await Promise.allSettled([
    session.iamToken(),
    session.headers(),
    session.oauthTokens(),
  ])
  for (const { reason } of calls) assertNoSecret(reason)
  await refusal(session.iamToken({ signal: AbortSignal.abort() }))
  await new Promise((done) => setTimeout(done, 20))
  assert.deepEqual(leftOver, [])
})

test('an uncaught error prints no secret', () => {
  // By the environment: node prints the line of the script that threw.
  const script = `
    import { login } from 'keyprotect-auth'
    const secret = process.env.SECRET
    const fetch = () => Promise.reject(new TypeError('invalid header value: ' + secret))
    await login({ apiKey: secret }, { fetch, retries: 0 })`
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module'], {
    cwd: new URL('.', import.meta.url),
    env: { ...process.env, SECRET: SENTINEL },
    input: script,
    encoding: 'utf8',
  })
  assert.equal(status, 1)
  assert.match(stderr, /AuthError/)
  assert.match(stderr, /invalid header value/)
  assert.ok(!stderr.includes(SENTINEL), stderr)
})
