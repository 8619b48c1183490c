// Against a real UAA: what the package promises, and the contract that the emulator must keep too.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { decodeToken, exchangeToken, isAuthError, login, verifyToken } from 'keyprotect-auth'
import { provideJava, skipUnless } from '../../tools/provide.mjs'
import { clients, startUaa, uaaPasscode, users } from './uaa/start.mjs'
import { uaaContract } from './uaa-contract.mjs'

const skip = skipUnless(await provideJava())
const uaa = skip ? undefined : await startUaa()
after(() => uaa?.stop())

const url = uaa?.url ?? ''
const options = { endpoints: { uaa: url } }
const keys = uaa && createRemoteJWKSet(new URL(`${url}/token_keys`))

/** Verifies with the server's own keys, by a library that is not ours. @param {string} token */
async function verified(token) {
  assert.ok(keys)
  const { payload } = await jwtVerify(token, keys, { issuer: `${url}/oauth/token` })
  return payload
}

/** A `fetch` that remembers the grants it sent. */
function counting() {
  /** @type {(string | null)[]} */
  const grants = []
  /** @type {typeof fetch} */
  const counted = async (input, init) => {
    if (String(input).includes('/oauth/token')) {
      grants.push(new URLSearchParams(String(init?.body)).get('grant_type'))
    }
    return fetch(input, init)
  }
  return { grants, fetch: counted }
}

/** @param {string} code */
function authError(code) {
  return (/** @type {unknown} */ err) => {
    assert.ok(isAuthError(err), String(err))
    assert.equal(err.code, code)
    return true
  }
}

test('a password gives a token that the server has signed', { skip }, async () => {
  const session = await login(users.marissa, options)
  const token = await session.uaaToken()
  const claims = await verified(token)
  assert.equal(claims.user_name, 'marissa')
  assert.equal(claims.client_id, 'cf')
  assert.deepEqual(await decodeToken(token), claims)
  assert.deepEqual(await verifyToken(token, { issuer: `${url}/oauth/token` }), claims)
})

test('one exchange serves all callers', { skip }, async () => {
  const { grants, fetch } = counting()
  const session = await login(users.marissa, { ...options, fetch })
  const tokens = await Promise.all(Array.from({ length: 20 }, () => session.uaaToken()))
  assert.equal(new Set(tokens).size, 1)
  assert.deepEqual(grants, ['password'])
})

test('a password with every odd character signs in', { skip }, async () => {
  const session = await login(users.odd, options)
  assert.equal((await verified(await session.uaaToken())).user_name, 'odd')
})

test('the origin goes along as a login hint', { skip }, async () => {
  const session = await login({ ...users.marissa, origin: 'uaa' }, options)
  assert.equal((await verified(await session.uaaToken())).origin, 'uaa')
})

test('a wrong password is invalid_credentials after a single request', { skip }, async () => {
  const { grants, fetch } = counting()
  const wrong = { ...users.marissa, password: 'wrong' }
  await assert.rejects(
    login(wrong, { ...options, fetch }),
    (err) =>
      authError('invalid_credentials')(err) &&
      /** @type {any} */ (err).status === 401 &&
      /** @type {any} */ (err).retryable === false,
  )
  assert.deepEqual(grants, ['password'])
})

test('a passcode signs in once', { skip }, async () => {
  const { username, password } = users.marissa
  const passcode = await uaaPasscode(url, username, password)
  const { uaa: tokens } = await exchangeToken({ passcode }, options)
  assert.equal((await verified(tokens?.accessToken ?? '')).user_name, username)
  await assert.rejects(exchangeToken({ passcode }, options), authError('invalid_credentials'))
})

test('a refresh token signs in', { skip }, async () => {
  const { uaa: tokens } = await exchangeToken(users.marissa, options)
  const session = await login({ refreshToken: tokens?.refreshToken ?? '' }, options)
  const token = await session.uaaToken()
  assert.notEqual(token, tokens?.accessToken)
  assert.equal((await verified(token)).user_name, 'marissa')
})

test('a refresh token that is none is expired', { skip }, async () => {
  await assert.rejects(exchangeToken({ refreshToken: 'garbage' }, options), authError('expired'))
})

test('a refresh token of another client is invalid_credentials', { skip }, async () => {
  const { uaa: tokens } = await exchangeToken(users.marissa, options)
  const credential = { refreshToken: tokens?.refreshToken ?? '' }
  await assert.rejects(
    exchangeToken(credential, { ...options, client: clients.short }),
    authError('invalid_credentials'),
  )
})

test('a client of odd characters is refused by this UAA, which does not decode Basic', {
  skip,
}, async () => {
  // RFC 6749, section 2.3.1 has both parts form-encoded, and UAA since decodes them; 4.30 does not.
  const call = exchangeToken(users.odd, { ...options, client: clients.odd })
  await assert.rejects(call, authError('invalid_credentials'))
})

test('a client signs in as itself, also one of odd characters', { skip }, async () => {
  for (const client of [clients.admin, clients.odd]) {
    const { uaa: tokens } = await exchangeToken(client, options)
    const claims = await verified(tokens?.accessToken ?? '')
    assert.deepEqual([claims.client_id, claims.user_name], [client.clientId, undefined])
    assert.equal(tokens?.refreshToken, undefined)
    const wrong = exchangeToken({ ...client, clientSecret: 'wrong' }, options)
    await assert.rejects(wrong, authError('invalid_credentials'))
  }
})

test('a token of a trusted issuer, here the UAA itself, is exchanged and renewed', {
  skip,
}, async () => {
  const { uaa: theirs } = await exchangeToken(users.marissa, options)
  const assertion = theirs?.accessToken ?? ''
  const { grants, fetch } = counting()
  const session = await login({ assertion }, { ...options, client: clients.bearer, fetch })
  const claims = await verified(await session.uaaToken())
  assert.deepEqual([claims.user_name, claims.client_id], ['marissa', 'bearer'])
  await session.refresh()
  // UAA since gives a refresh token with this grant; 4.30 does not, so the assertion is sent again.
  assert.deepEqual(grants, Array(2).fill('urn:ietf:params:oauth:grant-type:jwt-bearer'))
  const altered = `${assertion.slice(0, -8)}AAAAAAAA`
  await assert.rejects(
    exchangeToken({ assertion: altered }, { ...options, client: clients.bearer }),
    authError('expired'),
  )
})

test('a session renews a token that has ended', { skip }, async () => {
  const { grants, fetch } = counting()
  const session = await login(users.marissa, { ...options, client: clients.short, fetch })
  const first = await session.uaaToken()
  assert.equal(await session.uaaToken(), first)
  // The server's clock is the real one: its token must really end.
  await new Promise((resolve) => setTimeout(resolve, 5_500))
  await assert.rejects(verified(first), { code: 'ERR_JWT_EXPIRED' })
  const second = await session.uaaToken()
  assert.notEqual(second, first)
  assert.equal((await verified(second)).user_name, 'marissa')
  assert.deepEqual(grants, ['password', 'refresh_token'])
})

if (uaa) {
  const { username, password } = users.marissa
  uaaContract({
    test,
    url,
    fetch,
    user: users.marissa,
    passcode: () => uaaPasscode(url, username, password),
    generation: 4,
    otherClient: clients.short,
    machine: clients.admin,
    bearer: clients.bearer,
    oddClient: clients.odd,
    spareUser: users.spare,
  })
} else {
  test('UAA contract', { skip }, () => {})
}
