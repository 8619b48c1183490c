import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environment, grants, KEY, lacked, USER } from './environment-helpers.mjs'
import { assertNoSecret, refusal, SENTINEL } from './helpers.mjs'
import { listener } from './session-helpers.mjs'

test('each name of an API key signs in, in its order', async (t) => {
  const names = [
    'IBM_KEY_PROTECT_API_APIKEY',
    'IBMCLOUD_API_KEY',
    'BLUEMIX_API_KEY',
    'IC_API_KEY',
    'BM_API_KEY',
  ]
  const { set, unset, login, emulator } = environment(t)
  for (const name of names) set({ [name]: KEY })
  for (const name of names) {
    const session = await login()
    assert.deepEqual(session.source, { kind: 'env', where: name, tried: [] })
    unset(name)
  }
  assert.deepEqual(grants(emulator), Array(5).fill('iam apikey'))
  const error = await refusal(login())
  assert.equal(error.code, 'unavailable')
})

test('where nothing is found, it says what each source lacked, and no value', async (t) => {
  const { set, login, home, emulator } = environment(t)
  set({ IBMID: SENTINEL, CF_USER: SENTINEL, IC_IAM_TOKEN: SENTINEL, CF_CLIENT_ID: SENTINEL })
  const { code, message } = await refusal(login())
  assert.equal(code, 'unavailable')
  for (const part of [
    'env: no IBM_CREDENTIALS_FILE',
    'no IBM_KEY_PROTECT_API_APIKEY',
    'no IBMCLOUD_API_KEY',
    'IBMID without IBMID_PASSWORD',
    'CF_USER without CF_PASSWORD',
    'IC_IAM_TOKEN, CF_CLIENT_ID alone is not supported yet',
    'file: no ibm-credentials.env',
    'vcap: no VCAP_SERVICES',
    `ibmcloud: no login in ${home}/.bluemix/config.json`,
    `cf: no login in ${home}/.cf/config.json`,
    'container: not supported yet',
    'vpc: not supported yet',
  ]) {
    assert.ok(message.includes(part), `${part} — ${message}`)
  }
  assert.equal(emulator.requests.length, 0)
})

test('an empty variable is as if unset', async (t) => {
  const { set, login } = environment(t)
  set({ IBM_CREDENTIALS_FILE: '', IBM_KEY_PROTECT_API_APIKEY: '', IBMCLOUD_API_KEY: '' })
  set({ VCAP_SERVICES: '', KEYPROTECT_AUTH_SOURCES: '', IBMCLOUD_CF_API_ENDPOINT: '' })
  set({ BLUEMIX_API_KEY: KEY })
  assert.equal((await login()).source.where, 'BLUEMIX_API_KEY')
})

test('outer white space of a key is dropped; what can’t be one is refused before any request', async (t) => {
  const { set, login, emulator } = environment(t)
  set({ IBMCLOUD_API_KEY: ` ${KEY}\n` })
  await login()
  emulator.requests.clear()
  for (const value of [`"${SENTINEL}"`, `{${SENTINEL}}`, `<${SENTINEL}>`, ' ', `${SENTINEL}\nX`]) {
    set({ IBMCLOUD_API_KEY: value })
    const error = await refusal(login())
    assert.equal(error.code, 'invalid_input')
    assert.ok(error.hint.includes('IBMCLOUD_API_KEY'), error.hint)
  }
  assert.equal(emulator.requests.length, 0)
})

test('a key that the service refuses ends the search, and the error says whose it is', async (t) => {
  const { set, login } = environment(t)
  set({
    IBMCLOUD_API_KEY: SENTINEL,
    VCAP_SERVICES: `{"kms":[{"credentials":{"apikey":"${KEY}"}}]}`,
  })
  const error = await refusal(login())
  assert.equal(error.code, 'invalid_credentials')
  assert.match(error.hint, /IBMCLOUD_API_KEY/)
})

test('refresh token, IBMid and password are read', async (t) => {
  const { set, unset, login, iamLogin, emulator } = environment(t)
  const { refreshToken } = await iamLogin()
  set({ IC_IAM_REFRESH_TOKEN: refreshToken })
  assert.equal((await login()).source.where, 'IC_IAM_REFRESH_TOKEN')
  unset('IC_IAM_REFRESH_TOKEN')
  set({ IBMID: USER.username, IBMID_PASSWORD: USER.password })
  const session = await login()
  assert.equal(session.source.where, 'IBMID')
  assert.equal(session.target().user, USER.username)
  assert.deepEqual(grants(emulator), ['iam refresh_token', 'iam password'])
})

test('an IAM’s credential is passed over where the caller says that there is no IAM', async (t) => {
  const { set, login, base, emulator } = environment(t)
  set({ IBMID: USER.username, IBMID_PASSWORD: USER.password })
  const error = await refusal(login({ endpoints: { uaa: `${base}/uaa`, iam: null } }))
  assert.match(error.message, /env: it is for an IAM/)
  set({ IBMCLOUD_API_KEY: KEY })
  const session = await login({ endpoints: { uaa: `${base}/uaa`, iam: null } })
  assert.ok(await session.uaaToken())
  assert.deepEqual(grants(emulator), ['uaa password'])
})

test('what people export of a cf login signs in at the UAA of its API', async (t) => {
  const { set, unset, login, base, uaaLogin, emulator } = environment(t)
  const { refreshToken } = await uaaLogin()
  set({ CF_USERNAME: USER.username, CF_PASSWORD: USER.password })
  const lacking = await refusal(login({ only: ['env'] }))
  assert.match(lacking.message, /CF_USERNAME without CF_API_URL/)
  set({ CF_API_URL: `${base}/cf`, CF_ORIGIN: 'uaa' })
  const session = await login()
  assert.equal(session.source.where, 'CF_USERNAME')
  assert.ok(await session.orgGuid('acme'))
  set({ CF_REFRESH_TOKEN: refreshToken })
  assert.equal((await login()).source.where, 'CF_REFRESH_TOKEN')
  unset('CF_REFRESH_TOKEN', 'CF_USERNAME', 'CF_API_URL', 'CF_ORIGIN')
  set({ CF_USER: USER.username, IBMCLOUD_CF_API_ENDPOINT: `${base}/cf` })
  assert.equal((await login()).source.where, 'CF_USER')
  assert.deepEqual(grants(emulator), ['uaa password', 'uaa refresh_token', 'uaa password'])
})

test('addresses of the environment are used, those of the caller go before them', async (t) => {
  const { set, login, base, emulator } = environment(t)
  set({ IBMCLOUD_API_KEY: KEY, IBMCLOUD_CF_API_ENDPOINT: `${base}/cf` })
  set({ IBMCLOUD_UAA_ENDPOINT: `${base}/uaa` })
  const session = await login()
  assert.ok(await session.orgGuid('acme'))
  assert.ok(await session.instanceGuid('kp-demo'))
  assert.equal(session.target().api, `${base}/cf`)
  const elsewhere = async (url) => {
    sent.push(url)
    throw new TypeError('no')
  }
  const sent = []
  const options = { fetch: elsewhere, retries: 0 }
  await refusal(login({ ...options, endpoints: { iam: 'https://iam.example.test' } }))
  await refusal(login({ ...options, endpoints: { base: 'https://all.example.test' } }))
  await refusal(login({ ...options, endpoints: 'private' }))
  assert.deepEqual(sent, [
    'https://iam.example.test/identity/token',
    'https://all.example.test/iam/identity/token',
    'https://private.us-south.iam.cloud.ibm.com/identity/token',
  ])
  assert.equal(emulator.requests.count({ route: '/identity/token' }), 1)
})

test('IAM stays IBM’s where only a Cloud Foundry is named', async (t) => {
  const { set, unset, login, base } = environment(t)
  unset('IBMCLOUD_IAM_API_ENDPOINT')
  set({ IBMCLOUD_API_KEY: KEY, IBMCLOUD_CF_API_ENDPOINT: `${base}/cf` })
  const sent = []
  const fetch = async (url) => {
    sent.push(url)
    throw new TypeError('no')
  }
  await refusal(login({ fetch, retries: 0 }))
  assert.deepEqual(sent, ['https://iam.cloud.ibm.com/identity/token'])
})

test('the properties of IBM’s SDKs: addresses, client, user and password', async (t) => {
  const { set, unset, login, base, emulator } = environment(t)
  unset('IBMCLOUD_KP_API_ENDPOINT')
  set({
    IBMCLOUD_IAM_API_ENDPOINT: 'https://iam.example.test',
    IBM_KEY_PROTECT_API_AUTH_URL: `${base}/iam/identity/token`,
    IBM_KEY_PROTECT_API_URL: `${base}/kp/`,
    IBM_KEY_PROTECT_API_APIKEY: KEY,
    IBM_KEY_PROTECT_API_CLIENT_ID: 'bx',
    IBM_KEY_PROTECT_API_CLIENT_SECRET: 'bx',
    IBM_KEY_PROTECT_API_AUTH_TYPE: 'iAm',
  })
  const session = await login()
  assert.equal(session.target().api, `${base}/kp`)
  assert.ok(await session.passcode(), 'the client got a refresh token')
  set({ IBM_KEY_PROTECT_API_AUTH_TYPE: 'Basic' })
  set({ IBM_KEY_PROTECT_API_USERNAME: USER.username, IBM_KEY_PROTECT_API_PASSWORD: USER.password })
  await login()
  assert.equal(grants(emulator).at(-1), 'iam password')
})

test('a property that is there but can’t be used ends the search', async (t) => {
  const { set, unset, login, emulator } = environment(t)
  const P = 'IBM_KEY_PROTECT_API_'
  set({ IBMCLOUD_API_KEY: KEY })
  for (const [properties, part] of [
    [{ AUTH_TYPE: 'container' }, 'AUTH_TYPE is container, which is not supported yet'],
    [{ AUTH_TYPE: 'noAuth' }, 'AUTH_TYPE is noauth'],
    [{ AUTH_TYPE: SENTINEL }, 'AUTH_TYPE is no kind of sign-in'],
    [{ AUTH_TYPE: 'iam' }, 'APIKEY is not set'],
    [{ AUTH_TYPE: 'basic' }, 'USERNAME is not set'],
    [{ USERNAME: SENTINEL }, 'PASSWORD is not set'],
    [{ PASSWORD: SENTINEL }, 'USERNAME is not set'],
    [{ APIKEY: SENTINEL, CLIENT_SECRET: SENTINEL }, 'CLIENT_ID is not set'],
    [{ APIKEY: SENTINEL, AUTH_DISABLE_SSL: 'true' }, 'AUTH_DISABLE_SSL asks to skip'],
  ]) {
    const names = Object.keys(properties).map((name) => P + name)
    set(Object.fromEntries(Object.entries(properties).map(([name, value]) => [P + name, value])))
    const error = await refusal(login())
    assert.equal(error.code, 'invalid_input')
    assert.ok(error.message.includes(part), error.message)
    unset(...names)
  }
  assert.equal(emulator.requests.length, 0)
  set({ [`${P}BEARER_TOKEN`]: SENTINEL, [`${P}URL`]: 'https://kp.example.test' })
  assert.equal((await login()).source.where, 'IBMCLOUD_API_KEY')
})

test('only, and KEYPROTECT_AUTH_SOURCES, say which kinds count', async (t) => {
  const { set, login } = environment(t)
  set({
    IBMCLOUD_API_KEY: KEY,
    VCAP_SERVICES: `{"kms":[{"name":"kp","credentials":{"apikey":"${KEY}"}}]}`,
  })
  const only = ['cf', 'vcap', 'file', 'container', 'vpc']
  const { source } = await login({ only })
  assert.equal(source.kind, 'vcap')
  assert.deepEqual(Object.keys(lacked(source)), ['file'])
  set({ KEYPROTECT_AUTH_SOURCES: ' vcap , cf ' })
  assert.equal((await login()).source.kind, 'vcap')
  const error = await refusal(login({ only: ['env', 'cf'] }))
  assert.equal(error.code, 'unavailable')
  assert.doesNotMatch(error.message, /env:|vcap:/)
  for (const wrong of [['nope'], 'env', [5], {}]) {
    assert.equal((await refusal(login({ only: wrong }))).code, 'invalid_input')
  }
  set({ KEYPROTECT_AUTH_SOURCES: `env,${SENTINEL}` })
  const unknown = await refusal(login())
  assert.equal(unknown.code, 'invalid_input')
  assert.match(unknown.message, /KEYPROTECT_AUTH_SOURCES/)
})

test('options are those of login: a typo is told before anything is read', async (t) => {
  const { set, login, home, emulator } = environment(t)
  set({ IBM_CREDENTIALS_FILE: home })
  for (const options of [{ bindng: 'x' }, { target: { nope: 1 } }, { binding: 5 }, { region: 5 }]) {
    const error = await refusal(login(options))
    assert.equal(error.code, 'invalid_input')
    assert.doesNotMatch(error.message, /IBM_CREDENTIALS_FILE/)
  }
  assert.equal(emulator.requests.length, 0)
})

test('a region of the environment picks Key Protect’s host, and gives way to the instance’s', async (t) => {
  const { set, unset, login } = environment(t)
  unset(
    'IBMCLOUD_IAM_API_ENDPOINT',
    'IBMCLOUD_KP_API_ENDPOINT',
    'IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT',
  )
  set({ IBMCLOUD_API_KEY: KEY, IBMCLOUD_REGION: 'eu-gb', BLUEMIX_REGION: 'jp-tok' })
  const fetch = async () => Response.json({ access_token: 'FAKE', expires_in: 3600 })
  const session = await login({ fetch })
  assert.equal(session.target().region, 'eu-gb')
  const crn = 'crn:v1:bluemix:public:kms:eu-de:a/0123:6bc3ed5a-0000-4000-8000-000000000001::'
  const there = await session.with({ instance: crn })
  assert.equal(there.target().api, 'https://eu-de.kms.cloud.ibm.com')
  const asked = await login({ fetch, region: 'us-east' })
  assert.equal(asked.target().region, 'us-east')
  assert.equal((await refusal(asked.with({ instance: crn }))).code, 'invalid_input')
})

test('an event says which credential was taken, before it is sent; no form of it shows a secret', async (t) => {
  const { set, login } = environment(t)
  set({ IBMCLOUD_API_KEY: KEY })
  const heard = listener()
  const session = await login({ onEvent: heard.onEvent })
  assert.deepEqual(heard.events[0], {
    type: 'source',
    kind: 'env',
    where: 'IBMCLOUD_API_KEY',
    isStale: false,
  })
  for (const value of [session, session.source, heard.events]) assertNoSecret(value, KEY)
  const { source } = session
  source.tried.push('changed')
  assert.deepEqual(session.source.tried, [])
  assert.deepEqual((await session.with({ org: { guid: 'g' } })).source, session.source)
})
