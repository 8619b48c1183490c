import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeToken,
  exchangeToken,
  findInstance,
  findOrg,
  findSpace,
  isAuthError,
  login,
} from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { assertNoSecret, collect, refusal, SENTINEL } from './helpers.mjs'

/** Input that is at fault is refused before anything is sent. */
async function refusedUnsent(call) {
  let sent = 0
  const fetch = async () => {
    sent += 1
    throw new Error('sent')
  }
  const error = await refusal((async () => call(fetch))())
  assert.equal(error.code, 'invalid_input', error.message)
  assert.equal(error.retryable, false)
  assert.equal(sent, 0, 'a request was sent')
  return error
}

test('a credential that is not exactly one row is refused', async () => {
  for (const credential of [
    undefined,
    null,
    5,
    'key',
    {},
    [],
    { apiKey: '' },
    { apiKey: '   ' },
    { apiKey: undefined },
    { apiKey: null },
    { apiKey: 5 },
    { apiKey: `"${SENTINEL}"` },
    { apiKey: '{apikey}' },
    { apiKey: '<apikey>' },
    { apiKey: `${SENTINEL}\n${SENTINEL}` },
    { apiKey: `${SENTINEL}\ud800` },
    { apiKey: SENTINEL, passcode: SENTINEL },
    { apiKey: SENTINEL, origin: 'ldap' },
    { apikey: SENTINEL },
    { username: 'u' },
    { username: '', password: SENTINEL },
    { username: 'u', password: '' },
    { username: 'u', password: SENTINEL, origin: 'ldap' },
    { password: SENTINEL },
    { refreshToken: '' },
    { passcode: `${SENTINEL}\u0000` },
  ]) {
    await refusedUnsent((fetch) => login(credential, { fetch }))
    await refusedUnsent((fetch) => exchangeToken(credential, { fetch }))
  }
})

test('undefined fields are as if left out', async () => {
  const emulator = createEmulator()
  await login(
    { ...emulator.credential, passcode: undefined },
    { ...emulator.options, region: undefined },
  )
})

test('a user name can’t be a function: a pair is asked for as one', async () => {
  const error = await refusedUnsent((fetch) =>
    login({ username: () => 'u', password: () => SENTINEL }, { fetch }),
  )
  assert.match(error.message, /username/)
  assert.match(error.hint, /whole credential/)
})

test('a function that fails is told, without what it said of a secret', async () => {
  const error = await refusedUnsent((fetch) =>
    login({ apiKey: () => Promise.reject(new Error('vault is sealed')) }, { fetch }),
  )
  assert.equal(error.cause.message, 'vault is sealed')
  await refusedUnsent((fetch) => login({ apiKey: async () => ({}) }, { fetch }))
  await refusedUnsent((fetch) => login(async () => ({ apiKey: '' }), { fetch }))
})

test('options that do not exist, or are of the wrong kind, are refused', async () => {
  for (const options of [
    { regoin: 'us-south' },
    { region: 5 },
    { region: 'us-south.evil.example' },
    { endpoints: 'public' },
    { endpoints: { kp: 'https://h' } },
    { endpoints: { iam: 'nonsense' } },
    { endpoints: { iam: 'http://iam.example.test' } },
    { endpoints: { iam: 'http://127.0.0.1.evil.test' } },
    { endpoints: { iam: `https://user:${SENTINEL}@iam.example.test` } },
    { endpoints: { iam: `https://iam.example.test?apikey=${SENTINEL}` } },
    { endpoints: { iam: 5 } },
    { endpoints: { base: 'file:///etc' } },
    { uaa: 'yes' },
    { account: '' },
    { client: 'cf' },
    { client: { clientId: 'a', secret: 'b' } },
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
    { retries: -1 },
    { retries: '3' },
    { clock: {} },
    { signal: {} },
    { target: 'acme' },
    { target: { space: 'dev' } },
    { target: { instance: 'a', org: 'b' } },
    { target: { region: 'a' } },
  ]) {
    if ('target' in options) continue
    await refusedUnsent((fetch) => login({ apiKey: SENTINEL }, { fetch, ...options }))
  }
  await refusedUnsent(() => login({ apiKey: SENTINEL }, { fetch: 'fetch' }))
  await refusedUnsent(() => login({ apiKey: SENTINEL }, 'options'))
})

test('a target of the wrong kind is refused before anything is sent', async () => {
  for (const target of [
    'acme',
    5,
    null,
    {},
    { space: 'dev' },
    { instance: 'a', org: 'b' },
    { region: 'x' },
  ]) {
    await refusedUnsent((fetch) => login({ apiKey: SENTINEL }, { fetch, target }))
  }
})

test('names that are empty and GUIDs that can’t be one are refused', async () => {
  const token = SENTINEL
  const endpoints = {
    cf: 'https://api.example.test',
    resourceController: 'https://rc.example.test',
  }
  await refusedUnsent((fetch) => findOrg('', { token, endpoints, fetch }))
  await refusedUnsent((fetch) => findOrg(undefined, { token, endpoints, fetch }))
  await refusedUnsent((fetch) => findSpace('', { org: 'acme', token, endpoints, fetch }))
  await refusedUnsent((fetch) => findSpace('dev', { token, endpoints, fetch }))
  await refusedUnsent((fetch) => findSpace('dev', { org: '', token, endpoints, fetch }))
  await refusedUnsent((fetch) =>
    findSpace('dev', { org: { guid: 'a\r\nX: y' }, token, endpoints, fetch }),
  )
  await refusedUnsent((fetch) => findSpace('dev', { org: { guid: '' }, token, endpoints, fetch }))
  await refusedUnsent((fetch) => findInstance('', { token, endpoints, fetch }))
  await refusedUnsent((fetch) => findInstance('crn:v1:x', { token, endpoints, fetch }))
  await refusedUnsent((fetch) =>
    findInstance(
      { guid: 'crn:v1:bluemix:public:kms:us-south:a/1:I::' },
      { token, endpoints, fetch },
    ),
  )
  await refusedUnsent((fetch) => findOrg('acme', { endpoints, fetch }))
  await refusedUnsent((fetch) => findOrg('acme', { token: 'a b', endpoints, fetch }))
  await refusedUnsent((fetch) =>
    findOrg('acme', { token: `${SENTINEL}\u200b${SENTINEL}`, endpoints, fetch }),
  )
  await refusedUnsent((fetch) => findOrg('acme', { token, endpoints, fetch, region: 'us-south' }))
  await refusedUnsent((fetch) => findOrg('acme\ud800', { token, endpoints, fetch }))
})

test('methods of a session refuse options that they do not have', async () => {
  const emulator = createEmulator()
  const session = await login(emulator.credential, emulator.options)
  const before = emulator.requests.length
  for (const call of [
    () => session.iamToken({ minValid: 5 }),
    () => session.headers({ token: 'ibm' }),
    () => session.orgGuid('acme', { space: 'x' }),
    () => session.orgGuid(),
    () => session.spaceGuid('dev'),
    () => session.instanceGuid('kp-demo', { resourceGroup: '' }),
    () => session.with({}),
    () => session.with(),
    () => collect(session.keys()),
    () => collect(session.keys({ limit: -1 })),
    () => collect(session.keys({ limit: '5' })),
  ]) {
    assert.equal((await refusal(call())).code, 'invalid_input', String(call))
  }
  assert.equal(emulator.requests.length, before)
})

test('what is no JWT is invalid_input, and a JWT is decoded with or without Bearer', async () => {
  for (const token of [SENTINEL, 'a.b', 'a.b.c', '', undefined, null, {}]) {
    assert.equal((await refusal(decodeToken(token))).code, 'invalid_input')
  }
  const emulator = createEmulator()
  const session = await login(emulator.credential, emulator.options)
  const token = await session.iamToken()
  assert.deepEqual(await decodeToken(token), await decodeToken(`bearer ${token}`))
})

test('isAuthError knows errors of a second copy, and nothing else', async () => {
  const error = await refusal(decodeToken('x'))
  assert.ok(isAuthError(error) && error instanceof Error)
  for (const other of [new Error('x'), { code: 'expired' }, null, undefined, 'expired']) {
    assert.equal(isAuthError(other), false)
  }
  assertNoSecret(error)
})
