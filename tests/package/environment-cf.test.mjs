import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { environment, grants, KEY, lacked, USER } from './environment-helpers.mjs'
import { json, refusal, SENTINEL, serving, tokens } from './helpers.mjs'
import { HOUR, listener } from './session-helpers.mjs'

/** A file of `cf` for a login at the emulator. */
async function signedIn(env, more) {
  const { accessToken, refreshToken } = await env.uaaLogin()
  const [org] = env.emulator.data.orgs
  const space = env.emulator.data.spaces.find(({ org: of }) => of === org.guid)
  return {
    AccessToken: `bearer ${accessToken}`,
    RefreshToken: refreshToken,
    ConfigVersion: 4,
    Target: `${env.base}/cf/`,
    AuthorizationEndpoint: `${env.base}/uaa`,
    UaaEndpoint: 'https://uaa.example.test',
    OrganizationFields: { GUID: org.guid, Name: org.name, QuotaDefinition: {} },
    SpaceFields: { GUID: space.guid, Name: space.name, AllowSSH: false },
    UAAOAuthClient: 'cf',
    UAAOAuthClientSecret: '',
    UAAGrantType: '',
    ...more,
  }
}

test('a login of cf brings its API, its UAA and its target along', async (t) => {
  const env = environment(t)
  const fields = await signedIn(env)
  const path = env.write(join(env.home, '.cf/config.json'), fields)
  const session = await env.login()
  assert.equal(session.source.kind, 'cf')
  assert.equal(session.source.where, path)
  assert.deepEqual(Object.keys(lacked(session.source)), ['env', 'file', 'vcap', 'ibmcloud'])
  assert.deepEqual(session.target().org.name, 'acme')
  assert.equal((await session.headers())['Bluemix-Space'], fields.SpaceFields.GUID)
  assert.equal(await session.orgGuid('acme'), fields.OrganizationFields.GUID)
  for await (const key of session.keys()) assert.ok(key.id)
  assert.deepEqual(grants(env.emulator), ['uaa refresh_token'])
  const inBeta = await env.login({ target: { org: 'beta' } })
  assert.equal(inBeta.target().org.name, 'beta')
  assert.equal(inBeta.target().space, undefined)
  env.write(path, { ...fields, SpaceFields: { GUID: '', Name: '' } })
  const { org, space } = (await env.login()).target()
  assert.deepEqual([org.name, space], ['acme', undefined])
  env.write(path, { ...fields, OrganizationFields: { GUID: '' }, SpaceFields: undefined })
  assert.equal((await env.login()).target().org, undefined)
})

test('CF_HOME is the parent of the folder; a file of any version is read, with a byte order mark too', async (t) => {
  const env = environment(t)
  env.set({ CF_HOME: env.root })
  for (const ConfigVersion of [3, 4, 5]) {
    const text = JSON.stringify(await signedIn(env, { ConfigVersion }))
    const path = env.write(join(env.root, '.cf/config.json'), `\uFEFF${text}`)
    assert.equal((await env.login()).source.where, path)
  }
})

test('without an authorization endpoint the UAA is looked for', async (t) => {
  const env = environment(t)
  const fields = await signedIn(env, { AuthorizationEndpoint: '', UaaEndpoint: '' })
  env.write(join(env.home, '.cf/config.json'), fields)
  await env.login()
  assert.equal(env.emulator.requests.count({ route: '/' }), 1)
  assert.deepEqual(grants(env.emulator), ['uaa refresh_token'])
})

test('the client of the file gets the tokens', async (t) => {
  const clients = [
    { service: 'iam', clientId: 'bx', clientSecret: 'bx' },
    { service: 'uaa', clientId: 'cf', clientSecret: '' },
  ]
  const env = environment(t, { data: { clients } })
  const seen = []
  const server = await serving(t, ({ headers }) => {
    seen.push(headers.authorization)
    return json(tokens({ refresh_token: 'R' }))
  })
  const client = { UAAOAuthClient: 'mine', UAAOAuthClientSecret: 's' }
  for (const more of [client, { UAAOAuthClient: '', UAAOAuthClientSecret: undefined }]) {
    const AuthorizationEndpoint = server.url
    env.write(join(env.home, '.cf/config.json'), {
      Target: server.url,
      AuthorizationEndpoint,
      RefreshToken: 'R',
      ...more,
    })
    await env.login({ fetch: undefined })
  }
  assert.deepEqual(
    seen,
    ['mine:s', 'cf:'].map((pair) => `Basic ${Buffer.from(pair).toString('base64')}`),
  )
})

test('what is no login that can be renewed counts as absent', async (t) => {
  const env = environment(t)
  const path = join(env.home, '.cf/config.json')
  const good = { Target: `${env.base}/cf`, RefreshToken: SENTINEL }
  env.set({ KEYPROTECT_AUTH_SOURCES: 'cf' })
  for (const [content, part] of [
    ['', 'no login'],
    ['{}', 'signed out'],
    [' \n', 'no login'],
    [{ ...good, RefreshToken: '' }, 'signed out'],
    [{ AccessToken: SENTINEL, RefreshToken: '' }, 'an access token alone'],
    [{ AccessToken: SENTINEL, UAAGrantType: 'client_credentials' }, 'secret cf does not keep'],
    [{ ...good, CFOnK8s: { Enabled: true } }, 'kubeconfig'],
    [{ ...good, Target: 'https://api.ng.bluemix.net' }, 'which has ended'],
    [{ ...good, Target: 'https://api.eu-de.cf.cloud.ibm.com/' }, 'which has ended'],
  ]) {
    env.write(path, content)
    const { code, message } = await refusal(env.login())
    assert.equal(code, 'unavailable')
    assert.ok(message.includes(part) && message.includes(path), message)
  }
  env.write(path, { ...good, Target: '' })
  assert.equal((await refusal(env.login())).code, 'invalid_input')
  assert.equal(env.emulator.requests.length, 0)
  env.write(path, '{}')
  env.set({ KEYPROTECT_AUTH_SOURCES: '' })
  env.set({ VCAP_SERVICES: `{"kms":[{"name":"kp","credentials":{"apikey":"${KEY}"}}]}` })
  assert.equal((await env.login()).source.kind, 'vcap')
})

test('a login to one company’s API goes nowhere else', async (t) => {
  const env = environment(t)
  const fields = await signedIn(env)
  env.write(join(env.home, '.cf/config.json'), fields)
  for (const [endpoints, part] of [
    ['private', 'it is for a UAA'],
    [{ iam: 'https://iam.cloud.ibm.com' }, 'it is for a UAA'],
    [{ cf: 'https://api.example.test' }, 'a login to another API'],
  ]) {
    const { code, message } = await refusal(env.login({ endpoints }))
    assert.equal(code, 'unavailable')
    assert.ok(message.includes(part), message)
  }
  env.set({ IBMCLOUD_CF_API_ENDPOINT: 'https://api.example.test' })
  env.set({ IBMCLOUD_UAA_ENDPOINT: 'https://uaa.example.test' })
  const session = await env.login({ endpoints: { cf: fields.Target } })
  assert.equal(session.target().api, `${env.base}/cf`)
  const path = join(env.home, '.cf/config.json')
  env.write(path, { ...fields, AuthorizationEndpoint: '', UaaEndpoint: '' })
  assert.ok(await (await env.login()).uaaToken(), 'its own UAA is looked for')
  const { base } = env
  assert.ok(await (await env.login({ endpoints: { base } })).uaaToken())
  assert.deepEqual(grants(env.emulator), Array(3).fill('uaa refresh_token'))
})

test('it is renewed by its refresh token, which stays good at a UAA that does not rotate', async (t) => {
  const env = environment(t)
  env.write(join(env.home, '.cf/config.json'), await signedIn(env))
  const { of, onEvent } = listener()
  const session = await env.login({ onEvent })
  const before = await session.uaaToken()
  env.emulator.clock.advance(24 * HOUR)
  assert.notEqual(await session.uaaToken(), before)
  assert.deepEqual(
    of('source').map(({ isStale }) => isStale),
    [false],
  )
  assert.equal((await session.claims()).user_name, USER.username)
})

test('at a UAA that rotates the event says that the file is stale', async (t) => {
  const env = environment(t)
  const server = await serving(t, (_, count) => json(tokens({ refresh_token: `R${count}` })))
  env.write(join(env.home, '.cf/config.json'), {
    Target: server.url,
    AuthorizationEndpoint: server.url,
    RefreshToken: 'F1',
  })
  const { of, onEvent } = listener()
  const session = await env.login({ fetch: undefined, onEvent })
  await session.refresh()
  assert.deepEqual(
    of('source').map(({ kind, isStale }) => [kind, isStale]),
    [
      ['cf', false],
      ['cf', true],
    ],
  )
  assert.deepEqual(
    server.requests.map(({ form }) => form.refresh_token),
    ['F1', 'R1'],
  )
})
