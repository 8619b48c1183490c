import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryStore, resume, login as signIn } from 'keyprotect-auth'
import { environment, grants, lacked, USER } from './environment-helpers.mjs'
import { json, refusal, SENTINEL } from './helpers.mjs'
import { HOUR, listener } from './session-helpers.mjs'

/** A file of `ibmcloud` for a login at the emulator. */
async function signedIn(env, more) {
  const { accessToken, refreshToken } = await env.iamLogin()
  const account = env.emulator.data.accounts[0]
  return {
    APIEndpoint: 'https://cloud.ibm.com',
    IAMEndpoint: `${env.base}/iam`,
    IAMToken: `Bearer ${accessToken}`,
    IAMRefreshToken: refreshToken,
    Region: 'eu-de',
    Account: { GUID: account.id, Name: account.name, Owner: USER.username },
    SomethingNew: { of: 'a later version' },
    ...more,
  }
}

test('a login of ibmcloud brings its IAM and its region along', async (t) => {
  const env = environment(t)
  env.unset('IBMCLOUD_IAM_API_ENDPOINT')
  const path = env.write(join(env.home, '.bluemix/config.json'), await signedIn(env))
  const session = await env.login()
  assert.equal(session.source.kind, 'ibmcloud')
  assert.equal(session.source.where, path)
  assert.deepEqual(Object.keys(lacked(session.source)), ['env', 'file', 'vcap'])
  assert.equal(session.target().region, 'eu-de')
  assert.equal(session.target().user, USER.username)
  assert.deepEqual(grants(env.emulator), ['iam refresh_token'])
  assert.equal((await env.login({ region: 'us-east' })).target().region, 'us-east')
  const demo = await env.login({ target: { instance: 'kp-demo' } })
  assert.equal(demo.target().region, 'us-south', 'a region that came along gives way')
  for await (const key of demo.keys()) assert.ok(key.id)
})

test('the folder is that of the CLI: its own variable, the homes, .ibmcloud before .bluemix', async (t) => {
  const env = environment(t)
  const fields = await signedIn(env)
  const { root, home } = env
  for (const [path, variables] of [
    [join(home, '.bluemix/config.json'), {}],
    [join(home, '.ibmcloud/config.json'), {}],
    [join(root, 'b/.bluemix/config.json'), { BLUEMIX_HOME: join(root, 'b') }],
    [join(root, 'i/.ibmcloud/config.json'), { IBMCLOUD_HOME: join(root, 'i') }],
    [join(root, 'own/config.json'), { IBMCLOUD_CONFIG_HOME: join(root, 'own') }],
  ]) {
    env.write(path, fields)
    env.set(variables)
    assert.equal((await env.login()).source.where, path)
  }
})

test('without a home directory no file is read, not even one beside the program', async (t) => {
  const env = environment(t)
  for (const name of ['.bluemix', '.ibmcloud', '.cf']) {
    env.write(join(env.work, name, 'config.json'), {
      ...(await signedIn(env)),
      Target: `${env.base}/cf`,
      RefreshToken: SENTINEL,
    })
  }
  env.unset('HOME')
  for (const HOME of [undefined, '.', '']) {
    if (HOME !== undefined) env.set({ HOME })
    const { code, message } = await refusal(env.login())
    assert.equal(code, 'unavailable')
    assert.match(message, /ibmcloud: no home directory; cf: no home directory/)
  }
})

test('an empty file, one that is signed out, and an access token alone count as absent', async (t) => {
  const env = environment(t)
  const path = join(env.home, '.bluemix/config.json')
  env.set({ KEYPROTECT_AUTH_SOURCES: 'ibmcloud' })
  for (const [content, part] of [
    ['', 'no login'],
    [' \n', 'no login'],
    ['{}', 'signed out'],
    [{ IAMToken: '', IAMRefreshToken: '' }, 'signed out'],
    [{ IAMToken: `Bearer ${SENTINEL}`, IAMRefreshToken: '' }, 'an access token alone'],
    [{ IAMToken: SENTINEL, IAMRefreshToken: 'not_supported' }, 'an access token alone'],
    [{ IAMRefreshToken: 5 }, 'signed out'],
  ]) {
    env.write(path, content)
    const { code, message } = await refusal(env.login())
    assert.equal(code, 'unavailable')
    assert.ok(message.includes(part) && message.includes(path), message)
  }
  for (const content of [`{"IAMToken":"${SENTINEL}`, '[]', '5']) {
    env.write(path, content)
    const error = await refusal(env.login())
    assert.equal(error.code, 'invalid_input')
    assert.match(error.message, /config\.json is not a JSON object/)
  }
})

test('a file that is just being written is read again', async (t) => {
  const env = environment(t)
  const fields = await signedIn(env)
  for (const cut of ['{"IAMEndpoint":"https://iam.exa', '']) {
    const path = env.write(join(env.home, '.bluemix/config.json'), cut)
    setTimeout(() => env.write(path, fields), 100)
    assert.equal((await env.login()).source.where, path)
  }
})

test('a caller who gives up need not wait for a file', async (t) => {
  const env = environment(t)
  env.write(join(env.home, '.bluemix/config.json'), '{')
  const error = await refusal(env.login({ signal: AbortSignal.timeout(50) }))
  assert.equal(error.code, 'aborted')
})

test('the Cloud Foundry part of 2017 brings API and target along; one that has ended does not', async (t) => {
  const env = environment(t)
  const [org] = env.emulator.data.orgs
  const space = env.emulator.data.spaces.find(({ org: of }) => of === org.guid)
  const part = {
    Target: `${env.base}/cf`,
    OrganizationFields: { GUID: org.guid, Name: org.name },
    SpaceFields: { GUID: space.guid, Name: space.name },
  }
  env.write(join(env.home, '.bluemix/config.json'), await signedIn(env))
  const inPart = env.write(join(env.home, '.bluemix/.cf/config.json'), part)
  const session = await env.login()
  assert.deepEqual(session.target().org, { guid: org.guid, name: org.name })
  assert.deepEqual(session.target().space, { guid: space.guid, name: space.name })
  assert.equal(session.target().api, `${env.base}/cf`)
  const other = await env.login({ target: { instance: { guid: 'g' } } })
  assert.equal(other.target().org, undefined)
  for (const Target of ['https://api.ng.bluemix.net', 'https://api.us-south.cf.cloud.ibm.com']) {
    env.write(inPart, { ...part, Target })
    const { org: none, api } = (await env.login()).target()
    assert.deepEqual([none, api], [undefined, `${env.base}/kp`])
  }
})

test('a private login is renewed where it was made', async (t) => {
  const env = environment(t)
  env.unset('IBMCLOUD_IAM_API_ENDPOINT')
  const at = (name) => `${env.base}/iam/${name}`
  const sent = []
  const fetch = async (url) => {
    sent.push(url)
    return json({ errorCode: 'X', errorMessage: 'x' }, { status: 400 })
  }
  const fields = await signedIn(env, {
    IAMEndpoint: at('a'),
    IAMPrivateEndpoint: at('b'),
    IAMPrivateVPCEndpoint: at('c'),
  })
  const path = join(env.home, '.bluemix/config.json')
  for (const more of [{}, { IsPrivate: true }, { IsPrivate: true, IsAccessFromVPC: true }]) {
    env.write(path, { ...fields, ...more, SSLDisabled: true })
    const error = await refusal(env.login({ fetch }))
    assert.match(error.hint, /SSLDisabled, which is not followed/)
  }
  assert.deepEqual(
    sent,
    ['a', 'b', 'c'].map((name) => `${at(name)}/identity/token`),
  )
})

test('logout forgets a borrowed login and revokes nothing, also after a resume; the file stays as it was', async (t) => {
  const env = environment(t)
  const path = env.write(join(env.home, '.bluemix/config.json'), await signedIn(env))
  const before = [readFileSync(path, 'utf8'), statSync(path).mtimeMs]
  const store = memoryStore({ clock: env.emulator.clock })
  const session = await env.login({ store })
  env.emulator.clock.advance(2 * HOUR)
  await session.iamToken()
  const { fetch, clock } = env.emulator.options
  const options = { fetch, clock, store, endpoints: { iam: `${env.base}/iam` } }
  const resumed = await resume(session.key, options)
  assert.equal(resumed.source.kind, 'store')
  env.emulator.requests.clear()
  const { of, onEvent } = listener()
  await (await resume(session.key, { ...options, onEvent })).logout()
  assert.deepEqual(of('logout'), [{ type: 'logout', isRevoked: false }])
  await session.logout()
  assert.equal(env.emulator.requests.length, 0)
  assert.equal((await refusal(session.iamToken())).hint, 'signed out')
  assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mtimeMs], before)
  const own = await signIn(USER, options)
  env.emulator.requests.clear()
  await own.logout()
  assert.notEqual(env.emulator.requests.length, 0, 'a login of one’s own is revoked')
})

test('a login given in the call says so', async (t) => {
  const { emulator } = environment(t)
  const session = await signIn(emulator.credential, emulator.options)
  assert.deepEqual(session.source, { kind: 'given', where: 'the call', tried: [] })
  const account = emulator.data.accounts[1].id
  const there = await (await signIn(USER, emulator.options)).with({ account })
  assert.equal(there.source.kind, 'given')
})
