// IBM's own Node SDK, unchanged, with a session as its authenticator, over a real socket.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import KeyProtectV2 from '@ibm-cloud/ibm-key-protect/ibm-key-protect-api/v2.js'
import { BaseService } from 'ibm-cloud-sdk-core'
import { isAuthError, login } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'

const HOUR = 3_600_000
const KeyProtect = KeyProtectV2.default ?? KeyProtectV2

/**
 * An emulator behind a socket, where `before` may answer first, and a session on it.
 * @param {import('node:test').TestContext} t
 */
async function world(t, { before = () => undefined, ...more } = {}) {
  const emulator = createEmulator({ now: Date.UTC(2026, 0, 15, 12) })
  const seen = []
  const server = await serve(async (request) => {
    if (new URL(request.url).pathname.startsWith('/kp/')) seen.push(request.headers)
    return before(request, seen.length) ?? emulator.fetch(request)
  })
  t.after(() => server.close())
  const session = await login(emulator.credential, {
    endpoints: { base: server.url },
    clock: emulator.clock,
    ...more,
  })
  emulator.requests.clear()
  const serviceUrl = `${server.url}/kp`
  const authenticator = session.authenticator()
  return {
    emulator,
    seen,
    session,
    serviceUrl,
    service: new KeyProtect({ authenticator, serviceUrl }),
  }
}

test('the Key Protect SDK lists keys with it', async (t) => {
  const { emulator, service, session, seen } = await world(t)
  const [instance] = emulator.data.instances
  const bluemixInstance = instance.guid
  const { result } = await service.getKeys({ bluemixInstance })
  assert.equal(result.resources.length, instance.keys.length)
  assert.ok(result.resources.length > 0)
  const { result: page } = await service.getKeys({ bluemixInstance, limit: 1, offset: 1 })
  assert.deepEqual(page.resources, [result.resources[1]])
  const authorization = `Bearer ${await session.iamToken()}`
  assert.equal(seen.length, 2)
  for (const headers of seen) assert.equal(headers.get('authorization'), authorization)
  assert.equal(emulator.requests.count({ service: 'iam' }), 0, 'the session had its token')
})

test('the token is asked for at each call, renewed where it has ended, one exchange for many', async (t) => {
  const { emulator, service, seen } = await world(t)
  const bluemixInstance = emulator.data.instances[0].guid
  await service.getKeys({ bluemixInstance })
  emulator.clock.advance(2 * HOUR)
  emulator.requests.clear()
  await Promise.all(Array.from({ length: 10 }, () => service.getKeys({ bluemixInstance })))
  assert.equal(emulator.requests.count({ route: '/identity/token' }), 1)
  assert.notEqual(seen[0].get('authorization'), seen[1].get('authorization'))
})

test('with retries on, each try has one Authorization header', async (t) => {
  const before = (_request, count) =>
    count === 1 || count === 2
      ? new Response('', { status: 503, headers: { 'retry-after': '0.005' } })
      : undefined
  const { emulator, service, session, seen } = await world(t, { before })
  service.enableRetries({ maxRetries: 3, maxRetryInterval: 1 })
  const { status } = await service.getKeys({ bluemixInstance: emulator.data.instances[0].guid })
  assert.equal(status, 200)
  assert.equal(seen.length, 3)
  const authorization = `Bearer ${await session.iamToken()}`
  // Two headers of one name would come joined by a comma.
  for (const headers of seen) assert.equal(headers.get('authorization'), authorization)
})

test('the SDK’s own Bluemix-Instance is left alone, whatever the session’s target', async (t) => {
  const { emulator, service, seen } = await world(t, { target: { instance: { guid: 'other' } } })
  const bluemixInstance = emulator.data.instances[0].guid
  await service.getKeys({ bluemixInstance, headers: { 'X-Own': '1' } })
  assert.equal(seen[0].get('bluemix-instance'), bluemixInstance)
  assert.equal(seen[0].get('x-own'), '1')
  assert.equal(seen[0].get('bluemix-org'), null)
})

test('a rejection reaches the SDK’s caller as the AuthError that it is', async (t) => {
  const { emulator, service, session, seen } = await world(t)
  const call = () => service.getKeys({ bluemixInstance: emulator.data.instances[0].guid })
  emulator.data.apiKeys[0].disabled = true
  emulator.clock.advance(2 * HOUR)
  await assert.rejects(call(), (error) => isAuthError(error) && error.serviceCode === 'BXNIM0462E')
  await session.logout()
  await assert.rejects(call(), (error) => error.code === 'expired' && error.hint === 'signed out')
  assert.equal(seen.length, 0)
})

test('any service of the SDK’s core takes it as it is', async (t) => {
  const { session, serviceUrl } = await world(t)
  const authenticator = session.authenticator()
  const service = new BaseService({ authenticator, serviceUrl })
  assert.equal(service.getAuthenticator(), authenticator)
  assert.equal(authenticator.authenticationType(), 'iam')
  const plain = await login(
    { username: 'user@example.com', password: 'correct horse' },
    { endpoints: { uaa: serviceUrl.replace(/kp$/, 'uaa') } },
  )
  assert.equal(plain.authenticator().authenticationType(), 'bearerToken')
  const token = `Bearer ${await session.iamToken()}`
  for (const headers of [undefined, {}, { a: '1' }, { authorization: 'x', AUTHORIZATION: 'y' }]) {
    const request = { headers }
    assert.equal(await authenticator.authenticate(request), undefined)
    const { a } = headers ?? {}
    assert.deepEqual(request.headers, { ...(a && { a }), Authorization: token })
    assert.notEqual(request.headers, headers, 'a copy, as the SDK’s own do it')
  }
})
