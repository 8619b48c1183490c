// IBM's own Node SDK as a witness: it signs in to the emulator and lists keys, over a real socket.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import KeyProtectV2 from '@ibm-cloud/ibm-key-protect/ibm-key-protect-api/v2.js'
import {
  ContainerAuthenticator,
  IamAssumeAuthenticator,
  IamAuthenticator,
  IamTokenManager,
} from 'ibm-cloud-sdk-core'
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

test('the SDK and the package send the same requests for a container and for an assumed profile', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cr-token-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const crTokenFilename = join(folder, 'token')
  writeFileSync(crTokenFilename, 'emulator-cr-token')
  const url = `${server.url}/iam`
  const options = { endpoints: { base: server.url } }
  const [{ id, name, crn, account }] = emulator.data.profiles
  const pairs = [
    [
      new ContainerAuthenticator({ url, crTokenFilename, iamProfileName: name }),
      { crToken: 'emulator-cr-token', profile: { name } },
    ],
    [
      new ContainerAuthenticator({ url, crTokenFilename, iamProfileId: id }),
      { crToken: 'emulator-cr-token', profile: { id } },
    ],
    ...[
      [{ iamProfileId: id }, { id }],
      [{ iamProfileCrn: crn }, { crn }],
      [
        { iamProfileName: name, iamAccountId: account },
        { name, account },
      ],
    ].map(([theirs, assume]) => [
      new IamAssumeAuthenticator({ url, apikey: apiKey, ...theirs }),
      { apiKey, assume },
    ]),
  ]
  for (const [authenticator, credential] of pairs) {
    emulator.requests.clear()
    await authenticator.authenticate({})
    const count = emulator.requests.length
    await login(credential, { ...options, uaa: false })
    const [theirs, ours] = [emulator.requests.slice(0, count), emulator.requests.slice(count)]
    assert.equal(ours.length, theirs.length)
    for (const [at, request] of ours.entries()) {
      for (const field of ['method', 'route', 'query']) {
        assert.deepEqual(request[field], theirs[at][field])
      }
      assert.equal(request.headers.authorization, theirs[at].headers.authorization)
      // The token of who assumes is another one each time.
      const sameForm = ({ access_token, ...form }) => ({
        ...form,
        hasToken: access_token !== undefined,
      })
      assert.deepEqual(sameForm(request.form), sameForm(theirs[at].form))
    }
  }
})
