// The emulator's UAA: grants, tokens, refusals, keys, pages.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BASE,
  basic,
  CF,
  claims,
  get,
  header,
  NOW,
  PASSCODE_GRANT,
  post,
  USER,
  uaaBearer,
  uaaTokens,
  verifies,
  world,
} from './emulator-helpers.mjs'

const TOKEN = '/uaa/oauth/token'
const PASSWORD = { grant_type: 'password', ...USER }
const JSON_PLEASE = { accept: 'application/json' }
const LOCKED = 'Your account has been locked because of too many failed attempts to login.'
const refreshWith = (token) => ({ grant_type: 'refresh_token', refresh_token: token })

/** Asserts a UAA refusal in full: status, code, text, headers. */
async function refused(emulator, form, headers, status, error, description, path = TOKEN) {
  const answer = await post(emulator, path, form, { authorization: CF, ...headers })
  assert.deepEqual([answer.status, answer.body?.error], [status, error])
  if (description !== undefined) assert.equal(answer.body.error_description, description)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const challenge = answer.headers.get('www-authenticate')
  if (status === 401) assert.match(challenge, /^(Basic|Bearer) (realm="[\w/]+", )?error="/)
  else assert.doesNotMatch(challenge ?? '', /error=/)
  return challenge
}

describe('the password grant', () => {
  test('answers in UAA’s shape', async () => {
    const { status, body, headers } = await post(
      world(),
      TOKEN,
      { ...PASSWORD, scope: '' },
      {
        authorization: CF,
      },
    )
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'application/json;charset=UTF-8')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('pragma'), 'no-cache')
    assert.equal(body.token_type, 'bearer')
    assert.equal(body.expires_in, 1199)
    assert.match(body.refresh_token, /^[\da-f]{32}-r$/)
    assert.match(body.scope, /\bcloud_controller\.read\b/)
    assert.equal(body.expiration, undefined)
  })

  test('gives a signed token with UAA’s header and claims', async () => {
    const emulator = world()
    const { access_token: token, jti } = await uaaTokens(emulator)
    const { guid, userName } = emulator.data.users[0]
    const { kid, ...head } = header(token)
    assert.deepEqual(head, { alg: 'RS256', jku: `${BASE}/uaa/token_keys`, typ: 'JWT' })
    assert.match(kid, /TEST/)
    const { rev_sig: signature, scope, aud, ...rest } = claims(token)
    assert.match(signature, /^[\da-f]{8}$/)
    assert.ok(scope.includes('cloud_controller.read') && aud.includes('cloud_controller'))
    assert.deepEqual(rest, {
      jti,
      sub: guid,
      grant_type: 'password',
      user_id: guid,
      origin: 'uaa',
      user_name: userName,
      email: userName,
      auth_time: NOW / 1000,
      client_id: 'cf',
      cid: 'cf',
      azp: 'cf',
      iat: NOW / 1000,
      exp: NOW / 1000 + 1200,
      iss: `${BASE}/uaa/oauth/token`,
      zid: 'uaa',
      client_auth_method: 'none',
    })
    const { body: jwks } = await get(emulator, '/uaa/token_keys')
    assert.equal(await verifies(token, jwks), true)
  })

  test('takes client credentials from the header or, the secret being there, the body', async () => {
    const emulator = world()
    emulator.data.clients.push({ service: 'uaa', clientId: 'app|1', clientSecret: 'p+ss:wörd%' })
    const odd = `Basic ${btoa('app%7C1:p%2Bss%3Aw%C3%B6rd%25')}`
    assert.equal((await post(emulator, TOKEN, PASSWORD, { authorization: odd })).status, 200)
    const body = { ...PASSWORD, client_id: 'cf', client_secret: '' }
    assert.equal((await post(emulator, TOKEN, body)).status, 200)
    const none = { authorization: undefined }
    await refused(emulator, { ...PASSWORD, client_id: 'cf' }, none, 401, 'invalid_client')
    await refused(emulator, PASSWORD, none, 401, 'unauthorized')
    const headers = (authorization) => ({ authorization })
    const wrong = headers(basic('cf', 'x'))
    await refused(emulator, PASSWORD, wrong, 401, 'invalid_client', 'Bad credentials')
    await refused(emulator, PASSWORD, headers('Bearer x'), 401, 'unauthorized')
    await refused(emulator, PASSWORD, headers('Basic ***'), 401, 'invalid_client')
    await refused(emulator, { ...PASSWORD, client_id: 'x' }, {}, 401, 'invalid_client')
  })

  test('compares user names without case, and takes an API key of IAM', async () => {
    const emulator = world()
    const upper = await uaaTokens(emulator, { ...PASSWORD, username: 'USER@EXAMPLE.COM' })
    assert.equal(claims(upper.access_token).user_name, 'user@example.com')
    const key = { grant_type: 'password', username: 'apikey', password: 'emulator-api-key' }
    assert.equal(claims((await uaaTokens(emulator, key)).access_token).origin, 'uaa')
    for (const password of ['x', 'emulator-disabled-api-key']) {
      await refused(emulator, { ...key, password }, {}, 401, 'invalid_client', 'Bad credentials')
    }
  })

  test('refuses a federated user, whose password is for the page', async () => {
    const form = { ...PASSWORD, username: 'federated@example.com', password: 'battery staple' }
    await refused(world(), form, {}, 401, 'invalid_client', 'Bad credentials')
  })

  test('takes login_hint in the body or the query', async () => {
    const emulator = world()
    emulator.data.users.push({ userName: USER.username, password: 'ldap pw', origin: 'ldap' })
    const form = { ...PASSWORD, password: 'ldap pw' }
    const hint = (origin) => ({ ...form, login_hint: JSON.stringify({ origin }) })
    const body = await uaaTokens(emulator, hint('ldap'))
    assert.equal(claims(body.access_token).origin, 'ldap')
    assert.equal(claims((await uaaTokens(emulator, form)).access_token).origin, 'ldap')
    const query = `${TOKEN}?login_hint=${encodeURIComponent('{"origin":"ldap"}')}`
    assert.equal((await post(emulator, query, form, { authorization: CF })).status, 200)
    await refused(emulator, hint('uaa'), {}, 401, 'invalid_client', 'Bad credentials')
    await refused(emulator, hint('nowhere'), {}, 401, 'unauthorized')
    const broken = { ...form, login_hint: 'ldap' }
    const text = 'The origin provided in the login hint is invalid.'
    await refused(emulator, broken, {}, 401, 'unauthorized', text)
  })

  test('narrows the scope, and refuses one that the client has not', async () => {
    const emulator = world()
    const narrowed = await uaaTokens(emulator, { ...PASSWORD, scope: 'openid' })
    assert.equal(narrowed.scope, 'openid')
    for (const scope of ['x', 'openid x']) {
      const text = 'x is invalid. Please use a valid scope name in the request'
      await refused(emulator, { ...PASSWORD, scope }, {}, 400, 'invalid_scope', text)
    }
  })

  test('locks for 300 s after five wrong passwords, the right one too', async () => {
    const emulator = world()
    const wrong = { ...PASSWORD, password: 'x' }
    const fail = () => refused(emulator, wrong, {}, 401, 'invalid_client', 'Bad credentials')
    for (let i = 0; i < 4; i += 1) await fail()
    assert.ok((await uaaTokens(emulator)).access_token)
    for (let i = 0; i < 5; i += 1) await fail()
    await refused(emulator, PASSWORD, {}, 401, 'unauthorized', LOCKED)
    emulator.clock.advance(299_999)
    await refused(emulator, PASSWORD, {}, 401, 'unauthorized', LOCKED)
    emulator.clock.advance(1)
    assert.ok((await uaaTokens(emulator)).access_token)
    await fail()
  })
})

describe('the passcode of a password grant', () => {
  test('works once, for five minutes, and the newest alone', async () => {
    const emulator = world()
    const form = (passcode) => ({ grant_type: 'password', passcode })
    const invalid = (passcode) =>
      refused(emulator, form(passcode), {}, 401, 'unauthorized', 'Invalid passcode')
    const old = emulator.passcode()
    const code = emulator.passcode()
    assert.match(code, /^[\w-]{32}$/)
    await invalid(old)
    assert.ok((await uaaTokens(emulator, form(code))).access_token)
    await invalid(code)
    const late = emulator.passcode('federated@example.com')
    emulator.clock.advance(300_000)
    await invalid(late)
    const missing = 'Passcode information is missing.'
    await refused(emulator, form(''), {}, 401, 'unauthorized', missing)
    const iamGrant = { grant_type: PASSCODE_GRANT, passcode: 'x' }
    await refused(emulator, iamGrant, {}, 400, 'unsupported_grant_type')
  })
})

describe('the refresh grant', () => {
  test('gives a new access token and the same refresh token, with its old end', async () => {
    const emulator = world()
    const first = await uaaTokens(emulator)
    const life = 30 * 24 * 3_600_000
    emulator.clock.advance(life - 1)
    const second = await uaaTokens(emulator, refreshWith(first.refresh_token))
    assert.equal(second.refresh_token, first.refresh_token)
    assert.notEqual(second.jti, first.jti)
    assert.equal(claims(second.access_token).auth_time, NOW / 1000)
    emulator.clock.advance(1)
    await refused(emulator, refreshWith(first.refresh_token), {}, 401, 'invalid_token')
  })

  test('refuses another client, an unknown token, none, and one older than the password', async () => {
    const emulator = world()
    emulator.data.clients.push({ service: 'uaa', clientId: 'other', clientSecret: 'o' })
    const { refresh_token: token } = await uaaTokens(emulator)
    const other = { authorization: basic('other', 'o') }
    await refused(emulator, refreshWith(token), other, 400, 'invalid_grant')
    const unknown = 'The token expired, was revoked, or the token ID is incorrect.'
    await refused(emulator, refreshWith('x'), {}, 401, 'invalid_token', unknown)
    await refused(emulator, { grant_type: 'refresh_token' }, {}, 400, 'invalid_request')
    emulator.data.users[0].password = 'changed'
    const mismatch = 'Invalid refresh token: revocable signature mismatch'
    await refused(emulator, refreshWith(token), {}, 401, 'invalid_token', mismatch)
  })
})

describe('the token endpoint', () => {
  test('gives a client that may a token of its own, and `cf` none', async () => {
    const emulator = world()
    const form = { grant_type: 'client_credentials' }
    await refused(emulator, form, {}, 401, 'invalid_client', 'Unauthorized grant type')
    emulator.data.clients.push({
      service: 'uaa',
      clientId: 'robot',
      clientSecret: 'r',
      grants: ['client_credentials'],
      authorities: ['cloud_controller.admin_read_only'],
    })
    const { body } = await post(emulator, TOKEN, form, { authorization: basic('robot', 'r') })
    assert.equal(body.refresh_token, undefined)
    const { sub, authorities, user_id: user } = claims(body.access_token)
    assert.deepEqual([sub, user], ['robot', undefined])
    assert.deepEqual(authorities, ['cloud_controller.admin_read_only'])
  })

  test('says in its challenge who refuses: the filters, or the endpoint itself', async () => {
    const emulator = world()
    const ask = (form, headers, error = 'invalid_client', status = 401) =>
      refused(emulator, form, headers, status, error)
    assert.match(await ask({ ...PASSWORD, password: 'x' }), /^Basic realm="UAA\/client", /)
    const noSecret = { authorization: basic('x', '') }
    assert.match(await ask(PASSWORD, noSecret), /^Basic realm="UAA\/client", /)
    const scope = { ...PASSWORD, scope: 'x' }
    assert.equal(await ask(scope, {}, 'invalid_scope', 400), 'Basic realm="UAA/client"')
    const passcode = { grant_type: 'password', passcode: 'x' }
    assert.match(await ask(passcode, {}, 'unauthorized'), /^Bearer realm="oauth", /)
    assert.match(await ask({ grant_type: 'client_credentials' }), /^Bearer error="/)
    assert.match(await ask(refreshWith('x'), {}, 'invalid_token'), /^Bearer error="/)
    const form = { ...PASSWORD, client_id: 'cf' }
    const bearer = { authorization: 'Bearer x' }
    assert.match(await ask(form, bearer, 'invalid_token'), /^Bearer realm="UAA\/oauth", /)
  })

  test('looks at the user before it looks whether the client may', async () => {
    const emulator = world()
    const machine = { service: 'uaa', clientId: 'm', clientSecret: 'm', grants: [] }
    emulator.data.clients.push(machine)
    const headers = { authorization: basic('m', 'm') }
    const wrong = { ...PASSWORD, password: 'x' }
    await refused(emulator, wrong, headers, 401, 'invalid_client', 'Bad credentials')
    const text = 'Unauthorized grant type'
    await refused(emulator, PASSWORD, headers, 401, 'invalid_client', text)
  })

  test('refuses other methods, types, queries, and what is unknown or repeated', async () => {
    const emulator = world()
    const read = await get(emulator, `${TOKEN}?${new URLSearchParams(PASSWORD)}`)
    assert.deepEqual([read.status, read.body.error], [405, 'method_not_allowed'])
    const json = { 'content-type': 'application/json' }
    await refused(emulator, PASSWORD, json, 400, 'invalid_request', 'Missing grant type')
    const path = `${TOKEN}?grant_type=password`
    await refused(emulator, PASSWORD, {}, 406, 'query_string_not_allowed', undefined, path)
    await refused(emulator, { ...PASSWORD, hello: '1' }, {}, 400, 'invalid_request')
    const twice = [...Object.entries(PASSWORD), ['password', 'x']]
    await refused(emulator, twice, {}, 400, 'invalid_request')
    await refused(emulator, { grant_type: 'magic' }, {}, 400, 'unsupported_grant_type')
  })
})

describe('keys and discovery', () => {
  test('are tagged without quotes, and not sent again to who has them', async () => {
    const emulator = world()
    const { headers, body } = await get(emulator, '/uaa/token_keys')
    const [key] = body.keys
    assert.deepEqual([key.kty, key.use, key.alg, key.e], ['RSA', 'sig', 'RS256', 'AQAB'])
    assert.match(key.value, /^-----BEGIN PUBLIC KEY-----\n/)
    const tag = headers.get('etag')
    assert.match(tag, /^\d{13}$/)
    const again = await get(emulator, '/uaa/token_keys', { 'if-none-match': tag })
    assert.deepEqual([again.status, again.text], [304, ''])
    const quoted = await get(emulator, '/uaa/token_keys', { 'if-none-match': `"${tag}"` })
    assert.equal(quoted.status, 200)
    assert.deepEqual((await get(emulator, '/uaa/token_key')).body, key)
  })

  test('name the issuer and the endpoints', async () => {
    const emulator = world()
    const { body } = await get(emulator, '/uaa/.well-known/openid-configuration')
    assert.equal(body.issuer, `${BASE}/uaa/oauth/token`)
    assert.equal(body.jwks_uri, `${BASE}/uaa/token_keys`)
    assert.equal(body.grant_types_supported, undefined)
    const authorization = await uaaBearer(emulator)
    const { body: info } = await get(emulator, '/uaa/userinfo', { authorization })
    assert.equal(info.user_name, 'user@example.com')
    assert.equal((await get(emulator, '/uaa/userinfo')).status, 401)
  })
})

describe('pages', () => {
  test('/login and /info are JSON for who asks for it, and /login else a page', async () => {
    const emulator = world()
    for (const path of ['/uaa/login', '/uaa/info']) {
      const { body } = await get(emulator, path, JSON_PLEASE)
      assert.deepEqual(body.prompts.username, ['text', 'Email'])
      assert.ok(Object.values(body.prompts).every((prompt) => prompt.length === 2))
      assert.match(body.prompts.passcode[1], new RegExp(`${BASE}/uaa/passcode`))
      assert.equal((await get(emulator, path, { accept: 'text/plain' })).status, 406)
    }
    const { headers, text } = await get(emulator, '/uaa/login', { accept: '*/*' })
    assert.match(headers.get('content-type'), /^text\/html/)
    assert.match(text, /<form method="post"/)
  })

  const signIns = [
    ['uaa', '/passcode', 'JSESSIONID', (code) => ({ grant_type: 'password', passcode: code })],
    ['iam', '/identity/passcode', 'IAM_EMULATOR_SESSION', undefined],
  ]
  for (const [service, path, name, form] of signIns) {
    test(`a person signs in at ${service} and gets a passcode`, async () => {
      const emulator = world()
      const base = `/${service}`
      const asked = await get(emulator, base + path)
      const page = asked.status === 302 ? await follow(emulator, asked) : asked
      const [, returnTo] = /name="form_redirect_uri" type="hidden" value="([^"]+)"/.exec(page.text)
      assert.equal(returnTo, BASE + base + path)
      const signIn = (fields) => post(emulator, `${base}/login.do`, fields)
      const person = { username: 'federated@example.com', form_redirect_uri: returnTo }
      const failed = await signIn({ ...person, password: 'x' })
      assert.match((await follow(emulator, failed)).text, /Unable to verify/)
      const done = await signIn({ ...person, password: 'battery staple' })
      assert.deepEqual([done.status, done.headers.get('location')], [302, returnTo])
      const [cookie] = done.headers.get('set-cookie').split(';')
      assert.ok(cookie.startsWith(`${name}=`))
      const shown = await get(emulator, base + path, { cookie })
      const [, code] = /<code id="passcode">([\w-]{32})<\/code>/.exec(shown.text)
      const { body } = await get(emulator, base + path, { cookie, ...JSON_PLEASE })
      assert.match(body, /^[\w-]{32}$/)
      assert.notEqual(body, code)
      if (form) assert.ok((await uaaTokens(emulator, form(body))).access_token)
    })
  }

  test('send nobody elsewhere, give a passcode to nobody unknown, and end with the session', async () => {
    const emulator = world()
    const away = { ...USER, form_redirect_uri: 'https://evil.example.test/' }
    const { headers } = await post(emulator, '/uaa/login.do', away)
    assert.equal(headers.get('location'), `${BASE}/uaa/home`)
    const odd = { ...USER, form_redirect_uri: `${BASE}/uaa/\u4e2d\r\nX: y` }
    assert.equal((await post(emulator, '/uaa/login.do', odd)).status, 302)
    const cookie = headers.get('set-cookie').split(';')[0]
    const signedOut = await get(emulator, '/uaa/passcode', JSON_PLEASE)
    assert.deepEqual([signedOut.status, signedOut.body.error], [401, 'unauthorized'])
    assert.match((await get(emulator, '/uaa/home', { cookie })).text, /Signed in/)
    assert.equal((await get(emulator, '/uaa/login', { cookie })).status, 302)
    await get(emulator, '/uaa/logout.do', { cookie })
    assert.equal((await get(emulator, '/uaa/passcode', { cookie })).status, 302)
  })
})

function follow(emulator, { headers }) {
  return get(emulator, headers.get('location').slice(BASE.length))
}
