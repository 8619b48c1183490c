// Which of the issuer’s keys `verifyToken` takes, when it reads them, and from where.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { verifyToken } from 'keyprotect-auth'
import { json, rawServing, refusal, serving, stoppedClock } from './helpers.mjs'
import {
  claimsAt,
  DISCOVERY,
  EVIL,
  ec,
  ecJwk,
  HOUR,
  ISSUER,
  issuing,
  KEYS,
  MINUTE,
  other,
  otherJwk,
  refusedFor,
  rsaJwk,
  signed,
} from './verify-helpers.mjs'

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
