// A token is what its issuer gave out, or `verifyToken` says what about it is not.
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign as signRaw } from 'node:crypto'
import { test } from 'node:test'
import {
  createLocalJWKSet,
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose'
import { decodeToken, exchangeToken, login, verifyToken } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import {
  assertNoSecret,
  json,
  rawServing,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const ISSUER = 'https://uaa.example.test/oauth/token'
const KEYS = 'https://uaa.example.test/token_keys'
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`
const EVIL = 'https://evil.example.test'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const rsa = await generateKeyPair('RS256', { extractable: true })
const ec = await generateKeyPair('ES256', { extractable: true })
const other = await generateKeyPair('RS256', { extractable: true })
const rsaJwk = { ...(await exportJWK(rsa.publicKey)), kid: 'a' }
const ecJwk = { ...(await exportJWK(ec.publicKey)), kid: 'e', use: 'sig', alg: 'ES256' }
const rsaPem = await exportPKCS8(rsa.privateKey)
const otherJwk = { ...(await exportJWK(other.publicKey)), kid: 'o' }

/** An issuer in this process: a `fetch` of its own, so that each test has keys of its own. */
function issuing({ keys = [rsaJwk, ecJwk], document, answer } = {}) {
  const requests = []
  const issuer = {
    keys,
    answer,
    requests,
    count: (url) => requests.filter((asked) => asked === url).length,
    fetch: async (url) => {
      requests.push(url)
      const odd = await issuer.answer?.(url)
      if (odd) return odd
      if (url === DISCOVERY) return json({ issuer: ISSUER, jwks_uri: KEYS, ...document })
      return url === KEYS ? json({ keys: issuer.keys }) : json({}, { status: 404 })
    },
  }
  return issuer
}

/** Claims that hold by a clock. */
const claimsAt = (now = Date.now()) => ({
  iss: ISSUER,
  exp: Math.floor(now / 1000) + 3600,
  sub: 'me',
})

function signed(claims, header = {}, key = rsa.privateKey) {
  return new SignJWT({ ...claimsAt(), ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'a', ...header })
    .sign(key)
}

/** A token of raw parts, signed by the issuer's RSA key. */
function signedRaw(header, claims) {
  const part = (value) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${signRaw('sha256', Buffer.from(text), rsaPem).toString('base64url')}`
}

/** The same token with other claims and the old signature. */
function forged(token, change) {
  const [head, body, signature] = token.split('.')
  const claims = change(Buffer.from(body, 'base64url').toString())
  return `${head}.${Buffer.from(claims).toString('base64url')}.${signature}`
}

async function refusedFor(named, token, options) {
  const error = await refusal(verifyToken(token, { issuer: ISSUER, ...options }))
  assert.equal(error.code, 'invalid_credentials', `${named}: ${error.message}`)
  assert.match(error.message, new RegExp(`\\b${named}\\b`))
  assert.equal(error.retryable, false)
  for (const part of String(token).split('.')) {
    if (part.length > 12) assertNoSecret(error, part)
  }
  return error
}

test('tokens of the emulator’s IAM and UAA are verified, with and without Bearer', async () => {
  const emulator = createEmulator()
  const { iam, uaa } = await exchangeToken(emulator.credential, { ...emulator.options, uaa: true })
  const at = { fetch: emulator.options.fetch }
  for (const { accessToken } of [iam, uaa]) {
    const { iss: issuer } = await decodeToken(accessToken)
    const claims = await verifyToken(accessToken, { issuer, ...at })
    assert.deepEqual(claims, await decodeToken(accessToken))
    assert.deepEqual(await verifyToken(`Bearer ${accessToken}\n`, { issuer, ...at }), claims)
    const cut = `${accessToken.slice(0, -6)}AAAAAA`
    assert.match((await refusal(verifyToken(cut, { issuer, ...at }))).message, /signature/)
  }
})

test('tokens that jose signs are verified, and those that it refuses are refused', async () => {
  const issuer = issuing()
  const local = createLocalJWKSet({ keys: issuer.keys })
  const rs256 = await signed({ aud: 'a' })
  const es256 = await signed({ aud: ['x', 'a'] }, { alg: 'ES256', kid: 'e' }, ec.privateKey)
  const flipped = (token) => {
    const [head, body, signature] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    bytes[bytes.length >> 1] ^= 1
    return `${head}.${body}.${bytes.toString('base64url')}`
  }
  const renamed = (token) => forged(token, (claims) => claims.replace('"me"', '"it"'))
  const seconds = Math.floor(Date.now() / 1000)
  const [head, body] = es256.split('.')
  // The form of X.509, which Node signs by default: DER instead of r and s.
  const der = signRaw('sha256', Buffer.from(`${head}.${body}`), {
    key: await exportPKCS8(ec.privateKey),
  })
  const good = [rs256, es256, await signed({ aud: 'a', nbf: seconds + 30 })]
  const bad = {
    signature: [flipped(rs256), flipped(es256), renamed(rs256), renamed(es256)],
    'a signature of another length': [
      `${head}.${body}.${der.toString('base64url')}`,
      `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
      `${head}.${body}.`,
      `${rs256.slice(0, rs256.lastIndexOf('.'))}.`,
      `${rs256}AAAA`,
    ],
    'another key': [await signed({ aud: 'a' }, {}, other.privateKey)],
    'the key of another alg': [
      await signed({ aud: 'a' }, { kid: 'e' }),
      await signed({ aud: 'a' }, { alg: 'ES256', kid: 'a' }, ec.privateKey),
    ],
    'an unknown kid': [await signed({ aud: 'a' }, { kid: '?' })],
    exp: [await signed({ aud: 'a', exp: seconds - 61 })],
    nbf: [await signed({ aud: 'a', nbf: seconds + 90 })],
    iss: [await signed({ aud: 'a', iss: `${ISSUER}/` })],
    aud: [await signed({ aud: ['x'] }), await signed({})],
    crit: [signedRaw({ alg: 'RS256', kid: 'a', crit: ['x'], x: 1 }, { ...claimsAt(), aud: 'a' })],
  }
  const byJose = (token) =>
    jwtVerify(token, local, { issuer: ISSUER, audience: 'a', clockTolerance: 60 })
  const byUs = (token) => verifyToken(token, { issuer: ISSUER, audience: 'a', fetch: issuer.fetch })
  for (const token of good) assert.deepEqual(await byUs(token), (await byJose(token)).payload)
  for (const [what, tokens] of Object.entries(bad)) {
    for (const token of tokens) {
      await assert.rejects(byJose(token), `jose took ${what}`)
      const { code } = await refusal(byUs(token))
      assert.equal(code, what === 'exp' ? 'expired' : 'invalid_credentials', what)
    }
  }
})

test('the examples of RFC 7515 are verified (A.2, A.3)', async () => {
  const claims =
    'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
  const n =
    'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ'
  const x = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'
  const y = 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'
  const a2 = `eyJhbGciOiJSUzI1NiJ9.${claims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`
  const a3 = `eyJhbGciOiJFUzI1NiJ9.${claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`
  const keys = [
    { kty: 'RSA', n, e: 'AQAB' },
    { kty: 'EC', crv: 'P-256', x, y },
  ]
  const { fetch } = issuing({ keys })
  const clock = stoppedClock(1_300_819_000_000)
  for (const token of [a2, a3]) {
    // Their issuer, joe, has no address, and is judged after the signature.
    await refusedFor('iss', token, { fetch, clock })
    const turned = token.replace(/.(?=.{9}$)/, (symbol) => (symbol === 'A' ? 'B' : 'A'))
    await refusedFor('signature', turned, { fetch, clock })
    const joy = forged(token, (claims) => claims.replace('joe', 'joy'))
    await refusedFor('signature', joy, { fetch, clock })
  }
})

test('the header of a token chooses neither algorithm nor key', async () => {
  const issuer = issuing({
    keys: [
      { kty: 'oct', k: 'AQAB', kid: 'a' },
      { kty: 'MAC', alg: 'HS256', kid: 'a', value: 'k' },
      rsaJwk,
    ],
  })
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hmac = (secret, alg = 'HS256') => {
    const text = `${part({ alg, kid: 'a' })}.${part(claimsAt())}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const pem = await exportSPKI(rsa.publicKey)
  const jku = `${EVIL}/k`
  const mine = await exportJWK(other.publicKey)
  for (const [named, token] of [
    ['alg', hmac(pem)],
    ['alg', hmac(Buffer.from('AQAB', 'base64url'))],
    ['alg', `${part({ alg: 'none' })}.${part(claimsAt())}.`],
    ['alg', `${part({ alg: 'None', kid: 'a' })}.${part(claimsAt())}.`],
    ['alg', `${part({ kid: 'a' })}.${part(claimsAt())}.c2ln`],
    ['signature', hmac(pem, 'RS256')],
    ['signature', await signed({}, { kid: undefined, jwk: mine }, other.privateKey)],
    ['signature', await signed({}, { jwk: mine }, other.privateKey)],
    ['signature', await signed({}, { jku, x5u: jku }, other.privateKey)],
    ['signature', await signed({}, { x5c: ['AAAA'] }, other.privateKey)],
    ['key', await signed({}, { kid: 'o', jku, jwk: mine }, other.privateKey)],
    ['crit', signedRaw({ alg: 'RS256', kid: 'a', crit: ['x'], x: 1 }, claimsAt())],
    ['crit', signedRaw({ alg: 'RS256', kid: 'a', crit: ['b64'], b64: false }, claimsAt())],
    ['kid', signedRaw('{"alg":"RS256","kid":"o","kid":"a"}', claimsAt())],
    ['alg', signedRaw('{"alg":"none","kid":"a","alg":"RS256"}', claimsAt())],
  ]) {
    await refusedFor(named, token, { fetch: issuer.fetch })
  }
  // One that points elsewhere and is the issuer’s all the same is good.
  const fine = await signed({}, { jku })
  assert.equal((await verifyToken(fine, { issuer: ISSUER, fetch: issuer.fetch })).sub, 'me')
  assert.deepEqual([...new Set(issuer.requests)], [DISCOVERY, KEYS])
})

test('a token that can’t be good has nothing asked', async () => {
  const issuer = issuing()
  const options = { issuer: ISSUER, fetch: issuer.fetch }
  await refusedFor(
    'alg',
    await new SignJWT(claimsAt()).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32)),
    options,
  )
  for (const token of [
    '',
    'opaque',
    SENTINEL,
    'e30.e30',
    'a.b.c',
    `${await signed({})}=`,
    undefined,
    5,
    {},
  ]) {
    const { code } = await refusal(verifyToken(token, options))
    assert.equal(code, 'invalid_input', String(token))
  }
  assert.deepEqual(issuer.requests, [])
})

test('options that are wrong are invalid_input, and nothing is asked', async () => {
  const issuer = issuing()
  const token = await signed({})
  for (const options of [
    undefined,
    null,
    'x',
    {},
    { issuer: undefined },
    { issuer: 5 },
    { issuer: 'uaa.example.test' },
    { issuer: 'http://uaa.example.test/oauth/token' },
    { issuer: `https://user:${SENTINEL}@uaa.example.test` },
    { issuer: `${ISSUER}?x=1` },
    { audience: '' },
    { audience: [] },
    { audience: ['a', 5] },
    { audience: ['a', ''] },
    { audience: 5 },
    { audience: null },
    { audiance: 'a' },
    { region: 'us-south' },
    { retries: 1 },
    { onEvent: () => {} },
    { timeoutMs: 0 },
    { clock: {} },
    { clock: { ...stoppedClock(), now: () => Number.NaN } },
    { signal: {} },
    { fetch: 'x' },
  ]) {
    const all =
      options && typeof options === 'object' && Object.keys(options).length > 0
        ? { issuer: ISSUER, fetch: issuer.fetch, ...options }
        : options
    const { code } = await refusal(verifyToken(token, all))
    assert.equal(code, 'invalid_input', JSON.stringify(options))
  }
  assert.deepEqual(issuer.requests, [])
})

test('times have a minute of leeway, by the clock that was given', async () => {
  const { fetch } = issuing()
  const clock = stoppedClock()
  const seconds = clock.wall / 1000
  const at = (claims) =>
    signed(claims).then((token) => verifyToken(token, { issuer: ISSUER, fetch, clock }))
  await at({ exp: seconds - 59 })
  assert.equal((await refusal(at({ exp: seconds - 60 }))).code, 'expired')
  await at({ exp: seconds + 1, nbf: seconds + 60, iat: seconds + 9000 })
  assert.match((await refusal(at({ exp: seconds + 1, nbf: seconds + 61 }))).message, /nbf/)
  for (const exp of [undefined, null, String(seconds + 1), [], {}]) {
    await refusedFor('exp', signedRaw({ alg: 'RS256', kid: 'a' }, { iss: ISSUER, exp }), {
      fetch,
      clock,
    })
  }
  // A signature that is none is told first: an expired token of anybody’s is not said to be expired.
  await refusedFor('signature', await signed({ exp: 1 }, {}, other.privateKey), { fetch, clock })
})

test('one of the audiences must fit, where any is asked for', async () => {
  const { fetch } = issuing()
  const options = { issuer: ISSUER, fetch }
  for (const aud of ['a', ['x', 'a']]) {
    const token = await signed({ aud })
    await verifyToken(token, options)
    await verifyToken(token, { ...options, audience: 'a' })
    await verifyToken(token, { ...options, audience: ['b', 'a'] })
    await refusedFor('aud', token, { fetch, audience: ['b', 'A'] })
  }
  await refusedFor('aud', await signed({}), { fetch, audience: 'a' })
})

test('a key is used for what it is for, and by its kid', async () => {
  const token = await signed({})
  const nameless = await signed({}, { kid: undefined })
  const { kid, ...bare } = rsaJwk
  const verified = (keys, which = token) =>
    verifyToken(which, { issuer: ISSUER, fetch: issuing({ keys }).fetch })
  const good = [
    [{ ...rsaJwk, use: 'sig', alg: 'RS256' }],
    [
      {
        ...rsaJwk,
        n: Buffer.concat([Buffer.alloc(1), Buffer.from(rsaJwk.n, 'base64url')]).toString(
          'base64url',
        ),
      },
    ],
    [{ ...rsaJwk, value: '-----BEGIN PUBLIC KEY-----', x5c: ['AAAA'] }],
    [{ ...otherJwk, kid }, rsaJwk],
    [{ ...ecJwk, kid }, rsaJwk, { kty: 'oct', k: 'AQAB' }],
  ]
  for (const keys of good) assert.equal((await verified(keys)).sub, 'me')
  for (const keys of [[bare], [otherJwk, rsaJwk], [otherJwk, ecJwk, bare]]) {
    assert.equal((await verified(keys, nameless)).sub, 'me')
  }
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    format: 'jwk',
  })
  for (const keys of [
    [],
    [{ ...rsaJwk, use: 'enc' }],
    [{ ...rsaJwk, alg: 'RS512' }],
    [{ ...rsaJwk, kty: 'MAC' }],
    [{ ...rsaJwk, key_ops: ['encrypt'] }],
    [{ ...small, kid }],
    [bare],
    [otherJwk],
    [ecJwk],
  ]) {
    assert.match((await refusal(verified(keys))).message, /key/)
  }
  assert.match((await refusal(verified([otherJwk], nameless))).message, /signature/)
  // Numbers that are no point of the curve.
  const off = { ...ecJwk, x: ecJwk.y, y: ecJwk.x }
  const es256 = await signed({}, { alg: 'ES256', kid: 'e' }, ec.privateKey)
  assert.match((await refusal(verified([off], es256))).message, /key/)
})

test('a flood of unknown key ids costs one further reading a minute, and good tokens none', async () => {
  const issuer = issuing()
  const clock = stoppedClock()
  const options = { issuer: ISSUER, fetch: issuer.fetch, clock }
  const good = await signed({ exp: clock.wall / 1000 + 7200 })
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const odd = Array.from(
    { length: 500 },
    (_, at) => `${part({ alg: 'RS256', kid: `odd-${at}` })}.${part(claimsAt())}.c2ln`,
  )
  const flood = async () => {
    const calls = odd.flatMap((token, at) => [
      verifyToken(token, options).catch((error) => error),
      ...(at % 10 === 0 ? [verifyToken(good, options)] : []),
    ])
    return (await Promise.all(calls)).map((result) => result.code ?? result.sub)
  }
  assert.deepEqual(new Set(await flood()), new Set(['invalid_credentials', 'me']))
  for (const token of odd) await refusedFor('key', token, options)
  assert.equal(issuer.count(KEYS), 2)
  clock.pass(MINUTE - 1)
  await flood()
  assert.equal(issuer.count(KEYS), 2)

  // The keys can't be read any more: those that are known do.
  issuer.answer = () => new Response('', { status: 503 })
  clock.pass(1)
  const asked = issuer.requests.length
  assert.deepEqual(new Set(await flood()), new Set(['server_error', 'me']))
  const again = await refusal(verifyToken(odd[0], options))
  assert.equal(again.code, 'server_error')
  assert.equal(again.status, 503)
  assert.ok(again.retryable && again.retryAfterMs <= MINUTE)
  assert.equal(issuer.requests.length, asked + 1)
  await verifyToken(good, options)

  // A key that is new is found a minute later.
  issuer.answer = undefined
  issuer.keys = [rsaJwk, otherJwk]
  const fresh = await signed({}, { kid: 'o' }, other.privateKey)
  assert.equal((await refusal(verifyToken(fresh, options))).code, 'server_error')
  clock.pass(MINUTE)
  assert.equal((await verifyToken(fresh, options)).sub, 'me')
})

test('keys are read once for all, and kept for a day', async () => {
  const issuer = issuing()
  const clock = stoppedClock()
  const options = { issuer: ISSUER, fetch: issuer.fetch, clock }
  const token = await signed({ exp: clock.wall / 1000 + 1e6 })
  await Promise.all(Array.from({ length: 20 }, () => verifyToken(token, options)))
  clock.pass(24 * HOUR - 1)
  await verifyToken(token, options)
  assert.deepEqual(issuer.requests, [DISCOVERY, KEYS])
  clock.pass(1)
  issuer.keys = [ecJwk]
  await refusedFor('key', token, options)
  // The first one of that day, and one again for the key that is gone.
  assert.equal(issuer.count(KEYS), 3)
})

test('keys are those of one issuer and one fetch', async () => {
  const token = await signed({})
  const one = issuing()
  await verifyToken(token, { issuer: ISSUER, fetch: one.fetch })
  const two = issuing({ keys: [{ ...otherJwk, kid: 'a' }] })
  await refusedFor('signature', token, { fetch: two.fetch })
  const elsewhere = 'https://other.example.test'
  const error = await refusal(verifyToken(token, { issuer: elsewhere, fetch: one.fetch }))
  assert.equal(error.code, 'protocol')
  assert.equal(one.requests.at(-1), `${elsewhere}/.well-known/openid-configuration`)
})

test('a discovery document that leads astray is protocol, and is not followed', async () => {
  const token = await signed({})
  for (const document of [
    { issuer: `${ISSUER}/` },
    { issuer: undefined },
    { issuer: EVIL },
    { jwks_uri: `${EVIL}/keys` },
    { jwks_uri: 'http://uaa.example.test/token_keys' },
    { jwks_uri: 'https://uaa.example.test.evil.example/keys' },
    { jwks_uri: undefined },
    { jwks_uri: `${EVIL}/keys`, public_hosts: ['https://k.example.test'] },
  ]) {
    const issuer = issuing({ document })
    const error = await refusal(verifyToken(token, { issuer: ISSUER, fetch: issuer.fetch }))
    assert.equal(error.code, 'protocol', JSON.stringify(document))
    assert.deepEqual(issuer.requests, [DISCOVERY])
  }
  const hosts = {
    jwks_uri: 'https://k.example.test/keys',
    public_hosts: ['https://k.example.test'],
  }
  const regional = issuing({
    document: hosts,
    answer: (url) => (url === hosts.jwks_uri ? json({ keys: [rsaJwk] }) : undefined),
  })
  assert.equal((await verifyToken(token, { issuer: ISSUER, fetch: regional.fetch })).sub, 'me')
})

test('IBM’s keys are read from the regional host that its discovery names', async () => {
  const issuer = 'https://iam.cloud.ibm.com/identity'
  const requests = []
  const jwks_uri = 'https://identity-3.us-east.iam.cloud.ibm.com/identity/keys'
  const fetch = async (url) => {
    requests.push(url)
    return url === jwks_uri ? json({ keys: [rsaJwk] }) : json({ issuer, jwks_uri })
  }
  assert.equal((await verifyToken(await signed({ iss: issuer }), { issuer, fetch })).sub, 'me')
  assert.deepEqual(requests, [`${issuer}/.well-known/openid-configuration`, jwks_uri])
})

test('a failed reading of the keys keeps its own code, and the next call reads anew', async () => {
  const token = await signed({})
  const clock = stoppedClock()
  for (const [code, answer] of [
    ['server_error', () => new Response('', { status: 500 })],
    ['rate_limited', () => new Response('', { status: 429, headers: { 'retry-after': '99' } })],
    ['forbidden', () => new Response('', { status: 403 })],
    ['protocol', () => new Response('', { status: 404 })],
    ['protocol', () => new Response('<html>')],
    ['protocol', () => json({ keys: 5 })],
    ['protocol', () => new Response(null, { status: 302, headers: { location: EVIL } })],
    ['protocol', () => new Response(new Uint8Array((1 << 20) + 1))],
    ['protocol', () => 5],
    ['network', () => Promise.reject(new TypeError('fetch failed'))],
  ]) {
    for (const failing of [DISCOVERY, KEYS]) {
      const issuer = issuing()
      const options = { issuer: ISSUER, fetch: issuer.fetch, clock }
      issuer.answer = (url) => (url === failing ? answer() : undefined)
      assert.equal((await refusal(verifyToken(token, options))).code, code, String(answer))
      issuer.answer = undefined
      clock.pass(MINUTE)
      assert.equal((await verifyToken(token, options)).sub, 'me')
    }
  }
})

test('a reading that hangs ends in time, and a caller’s signal ends its wait alone', async (t) => {
  const hanging = await rawServing(t, () => {})
  const token = await signed({})
  const options = { issuer: hanging.url, clock: stoppedClock() }
  const late = await refusal(verifyToken(token, { ...options, timeoutMs: 20 }))
  assert.equal(late.code, 'timeout')

  const issuer = issuing()
  let answer = () => {}
  issuer.answer = (url) =>
    url === KEYS
      ? new Promise((resolve) => {
          answer = () => resolve(undefined)
        })
      : undefined
  const controller = new AbortController()
  const shared = { issuer: ISSUER, fetch: issuer.fetch }
  const left = refusal(verifyToken(token, { ...shared, signal: controller.signal }))
  const stayed = verifyToken(token, shared)
  while (issuer.count(KEYS) === 0) await new Promise((done) => setTimeout(done, 1))
  controller.abort('enough')
  const error = await left
  assert.equal(error.code, 'aborted')
  assert.equal(error.cause, 'enough')
  answer()
  assert.equal((await stayed).sub, 'me')
  const { signal } = controller
  assert.equal((await refusal(verifyToken(token, { ...shared, signal }))).code, 'aborted')
})

test('servers that break off, or answer with garbage, are told as what they are', async (t) => {
  const token = await signed({})
  const clock = stoppedClock()
  for (const [code, bytes] of [
    ['network', ''],
    ['network', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"issuer":'],
    ['protocol', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\u0000\u0001[]'],
  ]) {
    const server = await rawServing(t, (socket) => socket.end(bytes))
    assert.equal((await refusal(verifyToken(token, { issuer: server.url, clock }))).code, code)
  }
})

test('the keys are asked for by plain reads that bear nothing', async (t) => {
  const server = await serving(t, ({ path, headers, method }) => {
    assert.equal(method, 'GET')
    assert.equal(headers.authorization, undefined)
    const issuer = server.url
    return path === '/keys'
      ? json({ keys: [rsaJwk] })
      : json({ issuer, jwks_uri: `${issuer}/keys` })
  })
  const token = await signed({ iss: server.url })
  assert.equal((await verifyToken(token, { issuer: server.url })).sub, 'me')
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/.well-known/openid-configuration', '/keys'],
  )
})

test('a login judges no signature: only verifyToken does', async (t) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const broken = forged(await signed({}), (claims) => claims.replace('"me"', '"it"'))
  const none = `${part({ alg: 'none' })}.${part(claimsAt())}.`
  for (const [token, code] of [
    [broken, 'invalid_credentials'],
    [none, 'invalid_credentials'],
    ['opaque', 'invalid_input'],
    ['e30.e30', 'invalid_input'],
  ]) {
    const server = await serving(t, () => json(tokens({ access_token: token })))
    const session = await login({ apiKey: 'k' }, { endpoints: { iam: server.url } })
    assert.equal(await session.iamToken(), token)
    if (code === 'invalid_input') await refusal(session.claims())
    else assert.equal((await session.claims()).iss, ISSUER)
    const { fetch } = issuing()
    assert.equal((await refusal(verifyToken(token, { issuer: ISSUER, fetch }))).code, code)
  }
})
