import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeToken, exchangeToken, login, TokenSet } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'
import { collect, refusal } from './helpers.mjs'

const USER = { username: 'user@example.com', password: 'correct horse' }

test('the errand of the guide works against the emulator', async () => {
  const emulator = createEmulator()
  const { data } = emulator
  const session = await login(emulator.credential, emulator.options)
  assert.equal(await session.orgGuid('acme'), data.orgs[0].guid)
  const space = data.spaces.find((each) => each.name === 'dev' && each.org === data.orgs[0].guid)
  assert.equal(await session.spaceGuid('dev', { org: 'acme' }), space.guid)
  assert.equal(await session.spaceGuid('dev', { org: { guid: data.orgs[0].guid } }), space.guid)
  assert.equal(await session.instanceGuid('kp-demo'), data.instances[0].guid)
  const tokens = await session.oauthTokens()
  assert.equal(tokens.iam, `Bearer ${await session.iamToken()}`)
  assert.equal(tokens.uaa, `Bearer ${await session.uaaToken()}`)
  assert.notEqual(tokens.iam, tokens.uaa)
})

test('it works over a real socket, and signs in once however often it is asked', async (t) => {
  const emulator = createEmulator()
  const server = await serve(emulator.fetch)
  t.after(() => server.close())
  const session = await login(emulator.credential, {
    endpoints: { base: server.url },
    target: { instance: 'kp-demo' },
  })
  await Promise.all(Array.from({ length: 50 }, () => session.iamToken()))
  const keys = await collect(session.keys())
  assert.equal(keys.length, emulator.data.instances[0].keys.length)
  assert.equal(emulator.requests.count({ route: '/identity/token' }), 1)
})

test('a target gives the headers that Key Protect wants, and GUIDs send nothing', async () => {
  const emulator = createEmulator()
  const session = await login(emulator.credential, emulator.options)
  assert.deepEqual(Object.keys(await session.headers()), ['Authorization'])
  const before = emulator.requests.length
  const byInstance = await session.with({ instance: { guid: 'I1' } })
  const byCrn = await session.with({ instance: 'crn:v1:bluemix:public:kms:eu-de:a/1:I2::' })
  const bySpace = await session.with({
    org: { guid: 'cf-org-7' },
    space: { guid: 'default-space' },
  })
  assert.equal(emulator.requests.length, before)
  assert.equal((await byInstance.headers())['Bluemix-Instance'], 'I1')
  assert.equal((await byCrn.headers())['Bluemix-Instance'], 'I2')
  assert.equal(byCrn.target().region, 'eu-de')
  const headers = await bySpace.headers({ token: 'uaa' })
  assert.equal(headers.Authorization, `Bearer ${await session.uaaToken()}`)
  assert.equal(headers['Bluemix-Org'], 'cf-org-7')
  assert.equal(headers['Bluemix-Space'], 'default-space')
  assert.notEqual(await bySpace.headers(), await bySpace.headers(), 'a fresh object each time')
})

test('keys are listed in an instance and, the way of 2017, in a space', async () => {
  const emulator = createEmulator()
  const session = await login(emulator.credential, {
    ...emulator.options,
    target: { org: 'acme', space: 'dev' },
  })
  const inSpace = await collect(session.keys())
  const inInstance = await collect((await session.with({ instance: 'kp-demo' })).keys({ limit: 2 }))
  assert.equal(inSpace.length, 2)
  assert.equal(inInstance.length, 2)
  assert.equal(typeof inInstance[0].id, 'string')
})

test('keys are read page by page, and none more than asked for', async () => {
  const emulator = createEmulator()
  emulator.data.instances[0].keys = Array.from({ length: 450 }, (_, at) => ({ name: `key-${at}` }))
  const session = await login(emulator.credential, {
    ...emulator.options,
    target: { instance: 'kp-demo' },
  })
  emulator.requests.clear()
  assert.equal(new Set((await collect(session.keys())).map((key) => key.id)).size, 450)
  assert.equal(emulator.requests.length, 3)
  assert.equal((await collect(session.keys({ limit: 250 }))).length, 250)
  assert.equal((await collect(session.keys({ limit: 0 }))).length, 0)
  for await (const _key of session.keys()) break
  assert.equal(emulator.requests.length, 3 + 2 + 1)
})

test('each credential signs in at IAM', async () => {
  const emulator = createEmulator()
  const { options } = emulator
  await login(USER, options)
  await login({ passcode: emulator.passcode() }, options)
  const { iam, uaa } = await exchangeToken(emulator.credential, options)
  assert.ok(iam instanceof TokenSet && uaa instanceof TokenSet)
  const again = await login({ refreshToken: iam.refreshToken }, options)
  assert.notEqual(await again.iamToken(), undefined)
  const claims = await decodeToken(`Bearer ${iam.accessToken}`)
  assert.equal(claims.email, USER.username)
})

test('each credential signs in at a plain Cloud Foundry, found from its API', async () => {
  const emulator = createEmulator()
  const { base } = emulator.endpoints
  const options = { ...emulator.options, endpoints: { cf: `${base}/cf` } }
  const session = await login(USER, options)
  assert.equal((await decodeToken(await session.uaaToken())).user_name, USER.username)
  await login({ passcode: emulator.passcode() }, options)
  await login({ apiKey: 'emulator-api-key' }, options)
  const { uaa, iam } = await exchangeToken(USER, options)
  assert.equal(iam, undefined)
  await login({ refreshToken: uaa.refreshToken }, options)
  assert.equal(emulator.requests.count({ service: 'iam' }), 0)
  assert.equal(await session.spaceGuid('dev', { org: 'acme' }), emulator.data.spaces[0].guid)
  assert.equal((await refusal(session.iamToken())).code, 'unavailable')
  assert.equal((await refusal(session.instanceGuid('kp-demo'))).code, 'unavailable')
})

test('a uaa that is given is not looked for', async () => {
  const emulator = createEmulator()
  const { base } = emulator.endpoints
  const endpoints = { cf: 'https://api.example.test', uaa: `${base}/uaa` }
  await login(USER, { ...emulator.options, endpoints })
  assert.deepEqual(
    emulator.requests.map((request) => request.route),
    ['/oauth/token'],
  )
})

test('an IAM that gives no UAA token is normal, and asking for one sends nothing', async () => {
  for (const uaa of ['absent', 'refused']) {
    const emulator = createEmulator({ data: { iam: { uaa } } })
    const session = await login(emulator.credential, emulator.options)
    const before = emulator.requests.length
    assert.equal((await refusal(session.uaaToken())).code, 'unavailable', uaa)
    assert.equal((await refusal(session.orgGuid('acme'))).code, 'unavailable', uaa)
    assert.equal(emulator.requests.length, before)
    assert.deepEqual(Object.keys(await session.oauthTokens()), ['iam'])
  }
})

test('what is good only once is sent once', async () => {
  const emulator = createEmulator()
  const passcode = emulator.passcode()
  await login({ passcode }, emulator.options)
  emulator.requests.clear()
  assert.equal((await refusal(login({ passcode }, emulator.options))).code, 'invalid_credentials')
  assert.equal(emulator.requests.length, 1)
})

test('target tells what is known, and JSON of a session is that', async () => {
  const emulator = createEmulator()
  const session = await login(emulator.credential, {
    ...emulator.options,
    target: { org: 'acme', space: 'dev' },
  })
  const target = session.target()
  assert.equal(target.user, USER.username)
  assert.equal(target.account, emulator.data.accounts[0].id)
  assert.deepEqual(target.org, { guid: emulator.data.orgs[0].guid, name: 'acme' })
  assert.equal(target.space.name, 'dev')
  assert.equal(target.api, `${emulator.endpoints.base}/cf`)
  assert.deepEqual(JSON.parse(JSON.stringify(session)), target)
  assert.equal(await session.orgGuid(), target.org.guid)
  assert.equal(await session.spaceGuid('dev'), target.space.guid)
  assert.equal(await session.spaceGuid(), target.space.guid)
})

test('a change of org never keeps the other org’s space', async () => {
  const emulator = createEmulator()
  const session = await login(emulator.credential, {
    ...emulator.options,
    target: { org: 'acme', space: 'dev' },
  })
  const headers = await (await session.with({ org: 'beta' })).headers()
  assert.equal(headers['Bluemix-Org'], emulator.data.orgs[1].guid)
  assert.equal('Bluemix-Space' in headers, false)
})

test('the host follows the instance’s region', async () => {
  const seen = []
  const emulator = createEmulator()
  const { base } = emulator.endpoints
  // IBM's own addresses, answered by the emulator.
  const fetch = (url, init) => {
    seen.push(new URL(url).host)
    const to = { 'iam.cloud.ibm.com': 'iam', 'resource-controller.cloud.ibm.com': 'rc' }
    const { host, pathname, search } = new URL(url)
    return emulator.fetch(`${base}/${to[host] ?? 'kp'}${pathname}${search}`, init)
  }
  const session = await login(emulator.credential, { fetch, target: { instance: 'kp-eu' } })
  await collect(session.keys())
  assert.deepEqual(seen, [
    'iam.cloud.ibm.com',
    'resource-controller.cloud.ibm.com',
    'eu-de.kms.cloud.ibm.com',
  ])
  const other = login(emulator.credential, {
    fetch,
    region: 'us-south',
    target: { instance: 'kp-eu' },
  })
  assert.equal((await refusal(other)).code, 'invalid_input')
})
