// After a logout, no secret is left in the memory of the wasm: not in what was freed, not on its stack.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  decodeToken,
  exchangeToken,
  findOrg,
  login,
  memoryStore,
  resume,
  verifyToken,
} from 'keyprotect-auth'
import { collect, html, json, jwt, rawServing, serving, stoppedClock, tokens } from './helpers.mjs'

// Once the package has loaded it, this gives the exports of the instance that is in use.
const { initSync } = await import(new URL('core.js', import.meta.resolve('keyprotect-auth')))

/** A secret for one place; long, so that a part of it is as telling as the whole. */
function secretsFor(...places) {
  return Object.fromEntries(places.map((place) => [place, randomBytes(24).toString('hex')]))
}

/**
 * The places of which twelve characters in a row are found: as UTF-8, as UTF-16, within base64 (Basic
 * headers, the parts of a JWT) wherever they begin there.
 */
function left(secrets) {
  const memory = Buffer.from(initSync().memory.buffer)
  const found = []
  for (const [place, secret] of Object.entries(secrets)) {
    const forms = []
    for (let at = 0; at + 12 <= secret.length; at += 4) {
      const part = secret.slice(at, at + 12)
      forms.push(Buffer.from(part), Buffer.from(part, 'utf16le'))
      for (const skip of [0, 1, 2]) {
        const base64 = Buffer.from(' '.repeat(skip) + part).toString('base64')
        forms.push(Buffer.from(base64.slice(4, 12)))
      }
    }
    if (forms.some((form) => memory.includes(form))) found.push(place)
  }
  return found
}

/** A `fetch` that notes which secrets are in the memory while a request is under way: the scan sees. */
function watched(secrets) {
  const seen = new Set()
  const watch = async (url, init) => {
    const memory = Buffer.from(initSync().memory.buffer)
    for (const [place, secret] of Object.entries(secrets)) {
      const base64 = Buffer.from(` ${secret}`).toString('base64').slice(4, 24)
      if (memory.includes(secret) || memory.includes(base64)) seen.add(place)
    }
    return fetch(url, init)
  }
  return { fetch: watch, seen }
}

const failed = (promise) =>
  promise.then(
    () => assert.fail('did not fail'),
    () => {},
  )

test('what a login, its renewals and its lookups held is gone after logout', async (t) => {
  const secrets = secretsFor('key', 'access', 'refresh', 'uaa', 'passcode', 'org', 'body', 'client')
  const clock = stoppedClock()
  const claims = { account: { bss: 'A' }, session_id: secrets.access, sub: secrets.access }
  const server = await serving(t, ({ path, form }) => {
    if (path.endsWith('/passcode')) return json({ passcode: secrets.passcode })
    if (path.endsWith('/revoke')) return new Response('')
    if (path.includes('/v3/')) return json({ pagination: {}, resources: [{ name: secrets.org }] })
    if (path.includes('/v2/')) return json({ resources: [{ name: secrets.org }] })
    if (path.includes('/api/v2/')) return json({ resources: [{ id: secrets.body }] })
    return json(
      tokens({
        access_token: jwt({ ...claims, grant: form.grant_type }),
        refresh_token: secrets.refresh,
        uaa_token: jwt({ sub: secrets.uaa }),
        note: secrets.body,
      }),
    )
  })
  const { fetch, seen } = watched(secrets)
  const session = await login(
    { apiKey: secrets.key },
    {
      endpoints: Object.fromEntries(
        ['iam', 'cf', 'uaa', 'keyProtect', 'resourceController'].map((name) => [name, server.url]),
      ),
      client: { clientId: 'c', clientSecret: secrets.client },
      target: { instance: { guid: 'I1' } },
      store: memoryStore({ clock }),
      fetch,
      clock,
    },
  )
  await session.claims()
  await session.passcode()
  await failed(session.orgGuid(secrets.org.slice(0, 20)))
  await failed(session.instanceGuid(secrets.org))
  await collect(session.keys())
  await (await session.fetch(`/api/v2/keys?name=${secrets.org}`)).text()
  clock.pass(2 * 3_600_000)
  await session.headers()
  await session.refresh()
  assert.deepEqual(left(secrets), [], 'between calls')
  await session.logout()
  // The UAA token's claims are read after its answer, and no request is sent meanwhile.
  assert.deepEqual([...seen].sort(), ['access', 'client', 'key', 'org', 'refresh'])
  assert.deepEqual(left(secrets), [])
})

test('what a refused, broken or unreadable exchange held is gone', async (t) => {
  const secrets = secretsFor('key', 'password', 'user', 'body', 'refresh')
  const { key, password, user, body, refresh } = secrets
  const quoted = `${key} ${password} ${user} ${refresh}`
  const refusal = { errorCode: 'BXNIM0415E', errorMessage: quoted, errorDetails: quoted }
  const answers = [
    () => html(200, `<html>${body} ${quoted}</html>`),
    () => html(403, body),
    () => new Response(`{"access_token":"${body}","refresh_token":"${body}`),
    () => new Response(`{"access_token":"${body}\\n${body}\\u00e9","expires_in":1}`),
    () => json(refusal, { status: 400 }),
    () => json({ error: 'invalid_grant', error_description: quoted }, { status: 401 }),
    () => json({ message: body, requirements: { code: body } }, { status: 500 }),
    () => json(tokens({ access_token: `${body}\n` })),
    () => json(tokens({ access_token: body, expires_in: -1 })),
    () => json({ [body]: [[[{ [body]: `${body}\\"` }]]] }),
    () => new Response(body.repeat(30_000)),
  ]
  for (const [at, answer] of answers.entries()) {
    const server = await serving(t, answer)
    for (const endpoints of [{ iam: server.url }, { uaa: server.url }]) {
      for (const credential of [
        { apiKey: key },
        { username: user, password: `pä${password}` },
        { refreshToken: refresh },
        { passcode: key },
      ]) {
        const { fetch, seen } = watched(secrets)
        await failed(login(credential, { endpoints, fetch, retries: 0 }))
        assert.equal(seen.size > 0, true)
      }
    }
    assert.deepEqual(left(secrets), [], `answer ${at}`)
  }
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n'
  for (const answer of [
    (socket) => socket.end(`${head}{"access_token":"${body}`),
    (socket) => socket.write(`${head}{"access_token":"${body}`),
    (socket) => socket.destroy(),
  ]) {
    const server = await rawServing(t, answer)
    const options = { endpoints: { iam: server.url }, retries: 0, timeoutMs: 50 }
    await failed(login({ apiKey: key }, options))
    assert.deepEqual(left(secrets), [])
  }
})

test('what was given up is gone: aborted calls, and a store’s records', async (t) => {
  const secrets = secretsFor('key', 'access', 'refresh', 'broken')
  const clock = stoppedClock()
  const server = await serving(t, () =>
    json(tokens({ access_token: secrets.access, refresh_token: secrets.refresh })),
  )
  const store = memoryStore({ clock })
  const options = { endpoints: { iam: server.url }, store, clock }
  const { key } = await login({ apiKey: secrets.key }, options)
  const again = await resume(key, options)
  assert.equal(await again.iamToken(), secrets.access)
  const texts = [`{"v":1,"iam":{"accessToken":"${secrets.broken}`, secrets.broken, '{"v":2}']
  for (const text of texts) {
    const broken = { ...store, get: async () => ({ text, ttlMs: 1000 }) }
    await failed(resume(key, { ...options, store: broken }))
  }
  const controller = new AbortController()
  const fetch = () => {
    controller.abort()
    return new Promise(() => {})
  }
  const { signal } = controller
  await failed(
    exchangeToken({ apiKey: secrets.key }, { ...options, store: undefined, fetch, signal }),
  )
  await new Promise((done) => setTimeout(done, 10))
  await again.logout()
  assert.deepEqual(left(secrets), [])
})

test('what calls without a session held is gone', async (t) => {
  const secrets = secretsFor('token', 'name', 'passcode', 'access')
  const server = await serving(t, ({ path }) =>
    path.includes('/v3/')
      ? json({ pagination: {}, resources: [{ guid: 'g', name: secrets.name }] })
      : json(tokens({ access_token: secrets.access, refresh_token: secrets.access })),
  )
  await decodeToken(`Bearer ${jwt({ sub: secrets.token, n: [secrets.name] })}`)
  await failed(decodeToken(secrets.token))
  await failed(decodeToken(`{${secrets.token}}`))
  const token = jwt({ sub: secrets.token })
  const issuer = 'https://issuer.example.test'
  for (const keys of [[], [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }]]) {
    const fetch = async (url) =>
      json(url.endsWith('/keys') ? { keys } : { issuer, jwks_uri: `${issuer}/keys` })
    await failed(verifyToken(token, { issuer, fetch }))
  }
  await findOrg(secrets.name, { token, endpoints: { cf: server.url } })
  await exchangeToken({ passcode: secrets.passcode }, { endpoints: { iam: server.url } })
  await failed(login({ apiKey: `<${secrets.token}>` }, { endpoints: { iam: server.url } }))
  await failed(login({ apiKey: secrets.token, passcode: secrets.passcode }, {}))
  await failed(login({ apiKey: `${secrets.token}\ud800` }, {}))
  assert.deepEqual(left(secrets), [])
})
