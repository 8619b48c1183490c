// A token is what its issuer gave out, or `verifyToken` says what about it is not.
import assert from 'node:assert/strict'
import { createHmac, sign as signRaw } from 'node:crypto'
import { test } from 'node:test'
import { createLocalJWKSet, exportJWK, exportPKCS8, exportSPKI, jwtVerify, SignJWT } from 'jose'
import { decodeToken, exchangeToken, login, verifyToken } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { json, refusal, SENTINEL, serving, stoppedClock, tokens } from './helpers.mjs'
import {
  claimsAt,
  DISCOVERY,
  EVIL,
  ec,
  forged,
  ISSUER,
  issuing,
  KEYS,
  other,
  refusedFor,
  rsa,
  rsaJwk,
  signed,
  signedRaw,
} from './verify-helpers.mjs'

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
