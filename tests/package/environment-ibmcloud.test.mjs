import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryStore, resume, login as signIn } from 'keyprotect-auth'
import { environment, grants, lacked, USER } from './environment-helpers.mjs'
import { json, jwt, refusal, SENTINEL, serving, tokens } from './helpers.mjs'
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

/** An IAM that counts its refresh tokens: each grant gives the next. */
async function rotating(t, env) {
  const [sent, others, refuse] = [[], [], new Set(['dead'])]
  const server = await serving(t, ({ form, path }) => {
    if (path !== '/identity/token') {
      others.push(path)
      return json({})
    }
    sent.push(form.refresh_token)
    if (refuse.has(form.refresh_token)) {
      return json({ errorCode: 'BXNIM0407E', errorMessage: 'no' }, { status: 400 })
    }
    const access_token = jwt({ session_id: 'S', jti: `A${sent.length}` })
    return json(tokens({ access_token, refresh_token: `R${sent.length}` }))
  })
  const write = (IAMRefreshToken, more) =>
    env.write(join(env.home, '.bluemix/config.json'), {
      IAMEndpoint: server.url,
      IAMRefreshToken,
      Account: { GUID: 'acc' },
      ...more,
    })
  env.unset('IBMCLOUD_IAM_API_ENDPOINT')
  return { sent, others, refuse, write, options: { fetch: undefined, clock: env.emulator.clock } }
}

test('the file is read again before a renewal: the CLI’s newer token goes first', async (t) => {
  const env = environment(t)
  const { sent, write, options } = await rotating(t, env)
  write('F1')
  const session = await env.login(options)
  await session.refresh()
  write('F2')
  await session.refresh()
  await session.refresh()
  write('')
  await session.refresh()
  assert.deepEqual(sent, ['F1', 'R1', 'F2', 'R3', 'R4'])
})

test('an event says when the CLI’s copy has gone stale, once', async (t) => {
  const env = environment(t)
  const { write, options } = await rotating(t, env)
  const where = write('F1')
  const { of, onEvent } = listener()
  const session = await env.login({ ...options, onEvent })
  await session.refresh()
  const taken = { type: 'source', kind: 'ibmcloud', where, isStale: false }
  assert.deepEqual(of('source'), [taken, { ...taken, isStale: true }])
})

test('a file that is another’s login by now is not used, and the one that is held goes on', async (t) => {
  const env = environment(t)
  const { sent, write, options } = await rotating(t, env)
  const token = (iam_id) => ({ IAMToken: `Bearer ${jwt({ iam_id })}` })
  write('F1', token('a'))
  const session = await env.login(options)
  const others = [
    { Account: { GUID: 'other' } },
    { IAMEndpoint: 'https://iam.example.test' },
    token('b'),
  ]
  for (const other of others) {
    write(SENTINEL, other)
    await session.refresh()
  }
  write('F2', token('a'))
  await session.refresh()
  write('F3', { IAMToken: 'opaque' })
  await session.refresh()
  assert.deepEqual(sent, ['F1', 'R1', 'R2', 'R3', 'F2', 'F3'])
})

test('a borrowed login that is refused is not sent twice', async (t) => {
  const env = environment(t)
  const { sent, write, options } = await rotating(t, env)
  const path = write('dead')
  const error = await refusal(env.login(options))
  assert.ok(['expired', 'invalid_credentials'].includes(error.code), error.code)
  assert.ok(error.hint.includes(path))
  assert.deepEqual(sent, ['dead'])
})

test('what is held and refused is the end, where the file has nothing newer', async (t) => {
  const env = environment(t)
  const { sent, refuse, write, options } = await rotating(t, env)
  write('F1')
  const session = await env.login(options)
  refuse.add('R1')
  assert.equal((await refusal(session.refresh())).code, 'expired')
  assert.deepEqual(sent, ['F1', 'R1'])
})

test('a borrowed login can’t repeat itself, and is kept alive while it is used', async (t) => {
  const env = environment(t)
  const { write, others, options } = await rotating(t, env)
  write('F1')
  const session = await env.login(options)
  await session.refresh()
  for (let turn = 0; turn < 100 && others.length < 2; turn += 1) {
    await new Promise((done) => setTimeout(done, 10))
  }
  assert.deepEqual(others, Array(2).fill('/v1/sessions/S/state'))
})

test('a login that was signed out at the CLI before the first exchange is told', async (t) => {
  const env = environment(t)
  const { write, options, sent } = await rotating(t, env)
  write('F1')
  const store = {
    get: async () => void write(''),
    set: async () => {},
    delete: async () => {},
  }
  const error = await refusal(env.login({ ...options, store }))
  assert.equal(error.code, 'expired')
  assert.match(error.hint, /ibmcloud login/)
  assert.deepEqual(sent, [])
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
