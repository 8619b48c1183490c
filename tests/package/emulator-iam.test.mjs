// The emulator's IAM: grants, tokens, refusals, discovery, passcodes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  API_KEY_GRANT,
  BASE,
  BX,
  basic,
  claims,
  get,
  header,
  iamBearer,
  iamTokens,
  NOW,
  PASSCODE_GRANT,
  post,
  USER,
  uaaTokens,
  verifies,
  world,
} from './emulator-helpers.mjs'

const TOKEN = '/iam/identity/token'
const KEY_FORM = { grant_type: API_KEY_GRANT, apikey: 'emulator-api-key' }
const PASSWORD = { grant_type: 'password', ...USER }
const WITH_UAA = {
  response_type: 'cloud_iam,uaa',
  uaa_client_id: 'cf',
  uaa_client_secret: '',
}
const refreshWith = (token) => ({ grant_type: 'refresh_token', refresh_token: token })

/** Asserts an IAM refusal in full: status, code, shape, headers. */
async function refused(emulator, form, headers, status, code, pattern = /./) {
  const answer = await post(emulator, TOKEN, form, headers)
  assert.deepEqual([answer.status, answer.body?.errorCode], [status, code])
  const { errorMessage, errorDetails = '', context } = answer.body
  assert.match(`${errorMessage} ${errorDetails}`, pattern)
  assert.equal(answer.headers.get('transaction-id'), context.requestId)
  assert.equal(answer.headers.get('x-correlation-id'), context.requestId)
  assert.match(answer.headers.get('content-type'), /^application\/json/)
  return answer
}

describe('the API-key grant', () => {
  test('without Basic gives a token of the client `default`, and no refresh token', async () => {
    const { status, body, headers } = await post(world(), TOKEN, KEY_FORM)
    assert.equal(status, 200)
    const { access_token: token, ...rest } = body
    assert.deepEqual(rest, {
      refresh_token: 'not_supported',
      token_type: 'Bearer',
      expires_in: 3600,
      expiration: NOW / 1000 + 3600,
      scope: 'ibm openid',
    })
    assert.equal(claims(token).client_id, 'default')
    assert.equal(headers.get('cache-control'), 'no-cache, no-store, must-revalidate')
    assert.equal(headers.get('date'), new Date(NOW).toUTCString())
  })

  test('with Basic gives a refresh token that works', async () => {
    const emulator = world()
    const first = await iamTokens(emulator, KEY_FORM, BX)
    emulator.clock.advance(3_600_000)
    const second = await iamTokens(emulator, refreshWith(first.refresh_token), BX)
    assert.equal(claims(second.access_token).iat, NOW / 1000 + 3600)
    assert.equal(claims(second.access_token).grant_type, 'refresh_token')
    assert.equal(claims(second.access_token).account.bss, emulator.data.accounts[0].id)
  })

  test('gives a signed token with IAM’s header and claims', async () => {
    const emulator = world()
    const { access_token: token } = await iamTokens(emulator, KEY_FORM, BX)
    const { iamId, email } = emulator.data.users[0]
    assert.deepEqual(Object.keys(header(token)), ['kid', 'alg'])
    const { jti, authn, ...rest } = claims(token)
    assert.match(jti, /^[\da-f-]{36}$/)
    assert.equal(authn.iam_id, iamId)
    assert.deepEqual(rest, {
      iam_id: iamId,
      id: iamId,
      realmid: 'IBMid',
      identifier: iamId.slice('IBMid-'.length),
      given_name: 'Una',
      family_name: 'User',
      name: 'Una User',
      email,
      sub: email,
      account: { boundary: 'global', valid: true, bss: emulator.data.accounts[0].id },
      iat: NOW / 1000,
      exp: NOW / 1000 + 3600,
      iss: `${BASE}/iam/identity`,
      grant_type: API_KEY_GRANT,
      scope: 'ibm openid',
      client_id: 'bx',
      acr: 1,
      amr: ['pwd'],
    })
    const { body: jwks } = await get(emulator, '/iam/identity/keys')
    assert.equal(jwks.keys[0].use, undefined)
    assert.equal(await verifies(token, jwks), true)
    const [head, body, signature] = token.split('.')
    const forged = [head, Buffer.from('{"exp":9e9}').toString('base64url'), signature].join('.')
    assert.equal(await verifies(forged, jwks), false)
    assert.ok(body)
  })

  test('of a service id speaks for the service id', async () => {
    const form = { ...KEY_FORM, apikey: 'emulator-service-api-key' }
    const { access_token: token } = await iamTokens(world(), form)
    const { iam_id: iamId, sub, sub_type: type, realmid, email } = claims(token)
    assert.match(iamId, /^iam-ServiceId-/)
    assert.deepEqual([`iam-${sub}`, type, realmid, email], [iamId, 'ServiceId', 'iam', undefined])
  })

  test('refuses an unknown and a disabled key with 400', async () => {
    const emulator = world()
    await refused(emulator, { ...KEY_FORM, apikey: 'x' }, {}, 400, 'BXNIM0415E')
    const form = { ...KEY_FORM, apikey: 'emulator-disabled-api-key' }
    await refused(emulator, form, {}, 400, 'BXNIM0462E')
  })
})

describe('the password grant', () => {
  test('signs in whatever the case of the user name, without an account', async () => {
    const form = { ...PASSWORD, username: 'USER@Example.com' }
    const answer = await iamTokens(world(), form, BX)
    assert.match(answer.session_id, /^C-/)
    assert.equal(claims(answer.access_token).session_id, answer.session_id)
    assert.equal(claims(answer.access_token).account, undefined)
  })

  test('chooses one of the user’s accounts, at once or at a refresh', async () => {
    const emulator = world()
    const [acme, globex] = emulator.data.accounts.map(({ id }) => id)
    const first = await iamTokens(emulator, { ...PASSWORD, account: acme }, BX)
    assert.equal(claims(first.access_token).account.bss, acme)
    const form = { ...refreshWith(first.refresh_token), account: globex }
    const second = await iamTokens(emulator, form, BX)
    assert.equal(claims(second.access_token).account.bss, globex)
    const foreign = { ...PASSWORD, account: '0'.repeat(32) }
    await refused(emulator, foreign, { authorization: BX }, 403, 'BXNIM0501E')
    await refused(emulator, { ...KEY_FORM, account: globex }, {}, 403, 'BXNIM0501E')
  })

  test('wants Basic, the right password, and a user who is not federated', async () => {
    const emulator = world()
    await refused(emulator, PASSWORD, {}, 401, 'BXNIM0308E')
    const headers = { authorization: BX }
    await refused(emulator, { ...PASSWORD, password: 'x' }, headers, 401, 'BXNIM0602E', /user@ex/)
    await refused(emulator, { ...PASSWORD, username: 'x' }, headers, 401, 'BXNIM0602E')
    const federated = { ...PASSWORD, username: 'federated@example.com' }
    await refused(emulator, federated, headers, 400, 'BXNIM0608E')
  })
})

describe('the passcode grant', () => {
  test('takes a passcode once', async () => {
    const emulator = world()
    const form = {
      grant_type: PASSCODE_GRANT,
      passcode: emulator.passcode('federated@example.com'),
    }
    const { access_token: token } = await iamTokens(emulator, form, BX)
    assert.equal(claims(token).email, 'federated@example.com')
    await refused(emulator, form, { authorization: BX }, 400, 'BXNIM0407E')
  })

  test('wants Basic, and spends nothing without it', async () => {
    const emulator = world()
    const form = { grant_type: PASSCODE_GRANT, passcode: emulator.passcode() }
    await refused(emulator, form, {}, 401, 'BXNIM0308E')
    assert.ok((await iamTokens(emulator, form, BX)).access_token)
  })

  test('refuses one that is older than five minutes, or followed by a newer one', async () => {
    const emulator = world()
    const form = (passcode) => ({ grant_type: PASSCODE_GRANT, passcode })
    const old = emulator.passcode()
    const next = emulator.passcode()
    await refused(emulator, form(old), { authorization: BX }, 400, 'BXNIM0407E')
    emulator.clock.advance(300_000)
    await refused(emulator, form(next), { authorization: BX }, 400, 'BXNIM0407E')
    assert.throws(() => emulator.passcode('nobody'), TypeError)
  })

  test('takes the passcode that IAM gives for a refresh token', async () => {
    const emulator = world()
    const { refresh_token: token } = await iamTokens(emulator, KEY_FORM, BX)
    const form = { ...refreshWith(token), response_type: 'cloud_iam' }
    const headers = { authorization: BX }
    const { status, body } = await post(emulator, '/iam/identity/passcode', form, headers)
    assert.equal(status, 200)
    const login = { grant_type: PASSCODE_GRANT, passcode: body.passcode }
    assert.ok((await iamTokens(emulator, login, BX)).access_token)
    const atUaa = await uaaTokens(emulator, { grant_type: 'password', passcode: body.passcode })
    assert.equal(atUaa.error_description, 'Invalid passcode')
    assert.equal((await post(emulator, '/iam/identity/passcode', form)).status, 401)
  })
})

describe('the refresh grant', () => {
  test('wants the client that got the token, and a token that is known and not ended', async () => {
    const emulator = world()
    emulator.data.clients.push({ service: 'iam', clientId: 'other', clientSecret: 's+c ret' })
    const { refresh_token: token } = await iamTokens(emulator, KEY_FORM, BX)
    const form = refreshWith(token)
    await refused(emulator, form, {}, 400, 'BXNIM0137E')
    const other = { authorization: basic('other', 's+c ret') }
    await refused(emulator, form, other, 400, 'BXNIM0137E')
    const headers = { authorization: BX }
    await refused(emulator, refreshWith('not_supported'), headers, 400, 'BXNIM0407E')
    emulator.clock.advance(30 * 24 * 3_600_000)
    await refused(emulator, form, headers, 400, 'BXNIM0408E')
  })

  test('ends with the API key that made it', async () => {
    const emulator = world()
    const { refresh_token: token } = await iamTokens(emulator, KEY_FORM, BX)
    emulator.data.apiKeys[0].disabled = true
    await refused(emulator, refreshWith(token), { authorization: BX }, 400, 'BXNIM0407E')
  })

  test('refuses a token that was revoked', async () => {
    const emulator = world()
    const { refresh_token: token } = await iamTokens(emulator, KEY_FORM, BX)
    const headers = { authorization: BX }
    assert.equal((await post(emulator, '/iam/identity/revoke', { token }, headers)).status, 200)
    assert.equal((await post(emulator, '/iam/identity/revoke', { token }, headers)).status, 200)
    await refused(emulator, refreshWith(token), headers, 400, 'BXNIM0407E')
  })
})

describe('IAM and UAA in one exchange', () => {
  test('gives a UAA token of the same user, whatever separates the response types', async () => {
    const emulator = world()
    for (const separator of [',', ' ', ', ']) {
      const form = { ...KEY_FORM, ...WITH_UAA, response_type: `cloud_iam${separator}uaa` }
      const answer = await iamTokens(emulator, form, BX)
      const { user_id: id, iss } = claims(answer.uaa_token)
      assert.deepEqual([id, iss], [emulator.data.users[0].guid, `${BASE}/uaa/oauth/token`])
      const refreshed = await uaaTokens(emulator, refreshWith(answer.uaa_refresh_token))
      assert.equal(refreshed.refresh_token, answer.uaa_refresh_token)
      const both = { ...refreshWith(answer.refresh_token), ...WITH_UAA }
      assert.ok((await iamTokens(emulator, both, BX)).uaa_token)
    }
  })

  test('wants Basic and both fields of the UAA client, the secret empty but there', async () => {
    const emulator = world()
    const headers = { authorization: BX }
    const form = { ...KEY_FORM, ...WITH_UAA }
    await refused(emulator, form, {}, 401, 'BXNIM0308E')
    const { uaa_client_secret: _, ...noSecret } = form
    await refused(emulator, noSecret, headers, 400, 'BXNIM0109E', /uaa_client_secret/)
    const { uaa_client_id: __, ...noId } = form
    await refused(emulator, noId, headers, 400, 'BXNIM0109E', /uaa_client_id/)
    await refused(emulator, { ...form, uaa_client_secret: 'x' }, headers, 400, 'BXNIM0310E')
  })

  test('can leave the UAA token out, or refuse to be asked', async () => {
    const emulator = world({ data: { iam: { uaa: 'absent' } } })
    const form = { ...KEY_FORM, ...WITH_UAA }
    const absent = await iamTokens(emulator, form, BX)
    assert.ok(absent.access_token)
    assert.equal(absent.uaa_token, undefined)
    emulator.data.iam.uaa = 'refused'
    const { body } = await refused(emulator, form, { authorization: BX }, 400, 'BXNIM0106E')
    assert.equal(body.errorMessage, 'response_type: only cloud_iam is valid')
    assert.ok((await iamTokens(emulator, KEY_FORM, BX)).access_token)
  })
})

test('the old path of the token endpoint works as well', async () => {
  const { status, body } = await post(world(), '/iam/oidc/token', KEY_FORM)
  assert.deepEqual([status, body.token_type], [200, 'Bearer'])
})

describe('the token endpoint refuses', () => {
  test('another content type, a bearer token, another method, an unknown client', async () => {
    const emulator = world()
    const json = { 'content-type': 'application/json' }
    await refused(emulator, KEY_FORM, json, 415, 'BXNIM0060E')
    await refused(emulator, KEY_FORM, { authorization: 'Bearer x' }, 401, 'BXNIM0308E')
    await refused(emulator, KEY_FORM, { authorization: basic('bx', 'x') }, 400, 'BXNIM0310E')
    await refused(emulator, KEY_FORM, { authorization: 'Basic ***' }, 400, 'BXNIM0310E')
    const query = new URLSearchParams(KEY_FORM)
    const { status, body } = await get(emulator, `${TOKEN}?${query}`)
    assert.deepEqual([status, body.errorCode], [405, 'BXNIM0060E'])
  })

  test('parameters that are missing, empty, unknown, repeated or in the query', async () => {
    const emulator = world()
    await refused(emulator, {}, {}, 400, 'BXNIM0109E', /grant_type/)
    await refused(emulator, { grant_type: API_KEY_GRANT }, {}, 400, 'BXNIM0109E', /apikey/)
    await refused(emulator, { ...KEY_FORM, apikey: '' }, {}, 400, 'BXNIM0109E', /apikey/)
    const form = { grant_type: 'password', username: 'x' }
    await refused(emulator, form, { authorization: BX }, 400, 'BXNIM0109E', /password/)
    await refused(emulator, { ...KEY_FORM, hello: '1' }, {}, 400, 'BXNIM0106E', /hello/)
    const twice = [...Object.entries(KEY_FORM), ['apikey', 'x']]
    await refused(emulator, twice, {}, 400, 'BXNIM0106E', /apikey/)
    const { status } = await post(emulator, `${TOKEN}?account=1`, KEY_FORM)
    assert.equal(status, 400)
    await refused(emulator, { grant_type: 'client_credentials' }, {}, 400, 'BXNIM0106E')
    await refused(emulator, { ...KEY_FORM, response_type: 'x' }, {}, 400, 'BXNIM0106E')
    await refused(emulator, { ...KEY_FORM, response_type: 'uaa' }, {}, 400, 'BXNIM0106E')
  })

  test('with the correlation id that the client sent', async () => {
    const headers = { 'X-Correlation-ID': 'c-1', 'X-Request-ID': 'r-1' }
    const { body, ...answer } = await post(world(), TOKEN, {}, headers)
    assert.equal(body.context.requestId, 'c-1')
    assert.match(body.context.startTime, /^15\.01\.2026 12:00:00:000 UTC$/)
    assert.equal(answer.headers.get('x-request-id'), 'r-1')
  })
})

describe('IAM’s other endpoints', () => {
  test('discovery stands under /identity alone', async () => {
    const emulator = world()
    const { body } = await get(emulator, '/iam/identity/.well-known/openid-configuration')
    assert.equal(body.issuer, `${BASE}/iam/identity`)
    assert.equal(body.passcode_endpoint, `${BASE}/iam/identity/passcode`)
    assert.equal(body.code_challenge_methods_supported, undefined)
    assert.equal((await get(emulator, '/iam/.well-known/openid-configuration')).status, 404)
  })

  test('userinfo and the accounts answer a good token, and no other', async () => {
    const emulator = world()
    const authorization = await iamBearer(emulator)
    const info = await get(emulator, '/iam/identity/userinfo', { authorization })
    assert.equal(info.body.email, 'user@example.com')
    const accounts = await get(emulator, '/accounts/coe/v2/accounts', { authorization })
    assert.deepEqual(
      accounts.body.resources.map(({ metadata, entity }) => [metadata.guid, entity.name]),
      emulator.data.accounts.map(({ id, name }) => [id, name]),
    )
    const { uaa_token: uaa } = await iamTokens(emulator, { ...KEY_FORM, ...WITH_UAA }, BX)
    for (const bad of [{}, { authorization: `Bearer ${uaa}` }, { authorization: 'Bearer x' }]) {
      assert.equal((await get(emulator, '/iam/identity/userinfo', bad)).status, 401)
      assert.equal((await get(emulator, '/accounts/coe/v2/accounts', bad)).status, 401)
    }
  })
})
