// IBM's own Node SDK as a witness: it signs in to the emulator and lists keys, over a real socket.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import KeyProtectV2 from '@ibm-cloud/ibm-key-protect/ibm-key-protect-api/v2.js'
import { IamAuthenticator, IamTokenManager } from 'ibm-cloud-sdk-core'
import { login } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'

const emulator = createEmulator()
const server = await serve(emulator.fetch)
after(() => server.close())
const { apiKey } = emulator.credential
const [instance] = emulator.data.instances

function service(authenticator) {
  const Client = KeyProtectV2.default ?? KeyProtectV2
  return new Client({ authenticator, serviceUrl: `${server.url}/kp` })
}

test('the SDK signs in and lists the keys that the package lists', async () => {
  const authenticator = new IamAuthenticator({ apikey: apiKey, url: `${server.url}/iam` })
  const { status, result } = await service(authenticator).getKeys({
    bluemixInstance: instance.guid,
  })
  assert.equal(status, 200)
  const session = await login(emulator.credential, {
    endpoints: { base: server.url },
    target: { instance: instance.name },
  })
  const ours = []
  for await (const key of session.keys()) ours.push(key)
  assert.deepEqual(result.resources, ours)
  assert.ok(ours.length > 0)
})

test('the SDK is refused where the package is refused', async () => {
  const authenticator = new IamAuthenticator({ apikey: 'none', url: `${server.url}/iam` })
  const call = service(authenticator).getKeys({ bluemixInstance: instance.guid })
  await assert.rejects(call, { status: 400 })
})

test('the SDK’s token manager gets a token that carries the same identity', async () => {
  const manager = new IamTokenManager({ apikey: apiKey, url: `${server.url}/iam` })
  const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
  const theirs = claims(await manager.getToken())
  const session = await login(emulator.credential, { endpoints: { base: server.url }, uaa: false })
  const ours = claims(await session.iamToken())
  for (const name of ['iam_id', 'account', 'iss', 'scope', 'grant_type', 'client_id']) {
    assert.deepEqual(ours[name], theirs[name], name)
  }
})

test('the SDK and the package send IAM the same request', async () => {
  emulator.requests.clear()
  await new IamTokenManager({ apikey: apiKey, url: `${server.url}/iam` }).getToken()
  await login(emulator.credential, { endpoints: { base: server.url }, uaa: false })
  const [theirs, ours] = emulator.requests
  for (const name of ['method', 'route', 'form', 'query'])
    assert.deepEqual(ours[name], theirs[name])
  for (const name of ['authorization', 'content-type']) {
    assert.equal(ours.headers[name], theirs.headers[name], name)
  }
  // Wanted: the SDK's HTTP library takes anything, ours only what it can read.
  assert.equal(ours.headers.accept, 'application/json')
})
