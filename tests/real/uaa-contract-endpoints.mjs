// The half of the UAA contract on what lies beside the grants: opaque tokens, keys, pages, CORS.

import assert from 'node:assert/strict'
import { basic, ORIGIN, refused } from './uaa-contract-kit.mjs'

/**
 * @param {ReturnType<typeof import('./uaa-contract-kit.mjs').contractKit>} kit
 * @param {import('./uaa-contract.mjs').ContractOptions} options
 */
export function endpointContract(
  { rules, json, ask, send, grant, password, refresh, pin, client },
  { url, user, oddClient },
) {
  pin('opaque tokens are renewed by asking for them again', async () => {
    const { body } = await password({ token_format: 'opaque' })
    assert.match(body.access_token, /^[0-9a-f]{32}$/)
    assert.match(body.refresh_token, /^[0-9a-f]{32}-r$/)
    assert.equal(body.jti, body.access_token)
    const again = await refresh(body.refresh_token, { token_format: 'opaque' })
    assert.match(again.body.access_token, /^[0-9a-f]{32}$/)
  })

  pin('opaque tokens are revoked by their holder', async () => {
    const { body } = await password({ token_format: 'opaque' })
    const headers = { ...json, authorization: `Bearer ${body.access_token}` }
    for (const token of [body.refresh_token, body.access_token]) {
      const { status, text } = await ask(`/oauth/token/revoke/${token}`, headers, 'DELETE')
      assert.deepEqual([status, text], [200, ''])
    }
    refused(await refresh(body.refresh_token), 401, 'invalid_token')
    refused(await ask('/userinfo', headers), 401, 'invalid_token')
  })

  pin('what is not stored cannot be revoked', async () => {
    const { body } = await password()
    const headers = { ...json, authorization: `Bearer ${body.access_token}` }
    for (const id of [body.jti, '0'.repeat(32), `${'0'.repeat(32)}-r`]) {
      const answer = await ask(`/oauth/token/revoke/${id}`, headers, 'DELETE')
      refused(answer, 403, 'insufficient_scope')
    }
  })

  pin('nothing is revoked without a good token', async () => {
    const { body } = await password({ token_format: 'opaque' })
    const path = `/oauth/token/revoke/${body.refresh_token}`
    refused(await ask(path, json, 'DELETE'), 401, 'unauthorized')
    const headers = { ...json, authorization: `Bearer ${'0'.repeat(32)}` }
    refused(await ask(path, headers, 'DELETE'), 401, 'invalid_token')
    assert.equal((await refresh(body.refresh_token)).status, 200)
  })

  pin('userinfo names the user', async () => {
    const { body } = await password()
    const headers = { ...json, authorization: `Bearer ${body.access_token}` }
    const { status, body: info } = await ask('/userinfo', headers)
    assert.equal(status, 200)
    assert.equal(info.user_name, user.username)
    assert.equal(info.sub, info.user_id)
  })

  pin('userinfo wants the scope openid', async () => {
    const { body } = await password({ scope: 'uaa.user' })
    const headers = { ...json, authorization: `Bearer ${body.access_token}` }
    refused(await ask('/userinfo', headers), 403, 'access_denied')
  })

  pin('userinfo without a token is 401 unauthorized', async () => {
    const answer = await ask('/userinfo')
    refused(answer, 401, 'unauthorized')
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer /)
  })

  pin('a client without uaa.resource cannot introspect', async () => {
    const { body } = await password()
    refused(await send('/introspect', { token: body.access_token }), 403, 'access_denied')
    refused(await send('/introspect', { token: body.access_token }, {}), 401, 'unauthorized')
  })

  pin(
    'a client with uaa.resource introspects',
    async () => {
      const odd = /** @type {Client} */ (oddClient)
      const headers = { authorization: basic(odd, rules.basicIsFormEncoded) }
      for (const more of [{}, { token_format: 'opaque' }]) {
        const { body } = await password(/** @type {Record<string, string>} */ (more))
        const { body: claims } = await send('/introspect', { token: body.access_token }, headers)
        assert.deepEqual([claims.active, claims.user_name], [true, user.username])
        const other = await send('/introspect', { token: body.refresh_token }, headers)
        assert.deepEqual([other.status, other.body.active], [200, false])
      }
    },
    { oddClient },
  )

  pin('the token endpoint has nothing but JSON', async () => {
    const grants = (/** @type {string} */ accept) =>
      password({}, { authorization: basic(client), accept })
    for (const accept of ['text/html', 'text/plain']) {
      assert.equal((await grants(accept)).status, 406)
    }
    for (const accept of ['*/*', 'application/*', 'text/html, application/json']) {
      assert.equal((await grants(accept)).status, 200)
    }
  })

  pin('the token endpoint takes no PUT', async () => {
    const headers = { ...json, authorization: basic(client) }
    refused(await ask('/oauth/token', headers, 'PUT'), 405, 'method_not_allowed')
  })

  for (const path of ['/login', '/info']) {
    pin(`${path} is JSON where JSON is asked for first`, async () => {
      for (const accept of ['application/json', 'application/json, text/plain, */*']) {
        const { status, body } = await ask(path, { accept })
        assert.equal(status, 200)
        assert.equal(typeof body.app.version, 'string')
        assert.ok(URL.canParse(body.links.uaa) && URL.canParse(body.links.login))
        assert.equal(typeof body.zone_name, 'string')
        assert.deepEqual(body.prompts.username.length, 2)
        assert.equal(body.prompts.password[0], 'password')
      }
    })
  }

  pin('/login is a page for whoever does not ask for JSON', async () => {
    const html = 'text/html'
    for (const accept of [
      html,
      '*/*',
      `${html}, application/json`,
      `application/json;q=0.5, ${html}`,
    ]) {
      const { status, headers } = await ask('/login', { accept })
      assert.equal(status, 200)
      assert.match(headers.get('content-type') ?? '', /^text\/html/)
    }
  })

  pin('/info has no page', async () => {
    assert.equal((await ask('/info', { accept: 'text/html' })).status, 406)
    const { status, headers } = await ask('/info', { accept: '*/*' })
    assert.equal(status, 200)
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
  })

  pin('the keys are public and have a tag', async () => {
    const { status, headers, body } = await ask('/token_keys')
    assert.equal(status, 200)
    const [key] = body.keys
    assert.deepEqual([key.kty, key.use, key.alg], ['RSA', 'sig', 'RS256'])
    assert.ok(key.kid && key.n && key.e)
    assert.match(key.value, /^-----BEGIN PUBLIC KEY-----/)
    if (rules.modulusHasSignByte) assert.equal(Buffer.from(key.n, 'base64url')[0], 0)
    const tag = headers.get('etag') ?? ''
    assert.match(tag, /^"?\d{13}"?$/)
    assert.equal((await ask('/token_keys', { ...json, 'if-none-match': tag })).status, 304)
    assert.equal((await ask('/token_key')).body.kid, key.kid)
  })

  pin('discovery names endpoints, and an issuer below the base', async () => {
    for (const prefix of ['', '/oauth/token']) {
      const { status, body } = await ask(`${prefix}/.well-known/openid-configuration`)
      assert.equal(status, 200)
      assert.match(body.issuer, /\/oauth\/token$/)
      assert.equal(body.token_endpoint, `${url}/oauth/token`)
      assert.equal(body.authorization_endpoint, `${url}/oauth/authorize`)
      assert.equal(body.jwks_uri, `${url}/token_keys`)
      assert.equal('grant_types_supported' in body || 'revocation_endpoint' in body, false)
    }
  })

  pin('a preflight allows the headers of a sign-in to every origin', async () => {
    const { status, headers } = await preflight('accept,authorization,content-type')
    assert.equal(status, 200)
    assert.equal(headers.get('access-control-allow-origin'), '*')
    assert.match(headers.get('access-control-allow-methods') ?? '', /\bPOST\b/)
    assert.equal(headers.get('access-control-allow-headers'), 'accept,authorization,content-type')
    assert.equal(headers.get('access-control-max-age'), '1728000')
  })

  pin('a preflight for another header is 403, without headers 400', async () => {
    for (const wanted of ['x-cf-encoded-credentials', 'accept,if-none-match', 'cache-control']) {
      assert.equal((await preflight(wanted)).status, 403)
    }
    assert.equal((await preflight('')).status, 400)
  })

  pin('a preflight of an X-Requested-With POST is 405', async () => {
    assert.equal((await preflight('x-requested-with')).status, 405)
  })

  pin('answers to another origin can be read, refusals too', async () => {
    const headers = { authorization: basic(client), origin: ORIGIN }
    for (const answer of [await grant({}, headers), await password({}, headers)]) {
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.equal(answer.headers.get('access-control-expose-headers'), null)
    }
  })

  /** @param {string} wanted */
  function preflight(wanted) {
    const headers = {
      origin: ORIGIN,
      'access-control-request-method': 'POST',
      ...(wanted && { 'access-control-request-headers': wanted }),
    }
    return ask('/oauth/token', headers, 'OPTIONS')
  }
}
