// What a UAA answers, request by request, pinned in one list: it runs against the real server and
// against the emulator, so that the two cannot drift apart.

import assert from 'node:assert/strict'

/**
 * What changed between releases. 4 is the server that runs in the tests; 77 is a current one as
 * its source has it. Everything else in this file holds for both.
 */
const GENERATIONS = {
  4: {
    refused: 'unauthorized',
    basicIsFormEncoded: false,
    noRefreshToken: [401, 'invalid_token'],
    passcode: /^[\w-]{10}$/,
    // RFC 7518, section 6.3.1.1 forbids the extra octet, and Chromium imports no such key.
    modulusHasSignByte: true,
  },
  77: {
    refused: 'invalid_client',
    basicIsFormEncoded: true,
    noRefreshToken: [400, 'invalid_request'],
    passcode: /^[\w-]{32}$/,
    modulusHasSignByte: false,
  },
}

const ORIGIN = 'https://app.example.test'

/** @typedef {{ clientId: string, clientSecret: string }} Client */
/** @typedef {{ username: string, password: string }} User */

/**
 * Registers the contract's tests. A case whose client or user is not given is skipped by name.
 * @param {object} options
 * @param {(name: string, options: { skip?: string | false }, run: () => Promise<void>) => unknown} options.test
 * @param {string} options.url
 * @param {(url: string, init: object) => Promise<Response>} options.fetch
 * @param {User} options.user
 * @param {() => Promise<string>} options.passcode a new one-time passcode of `user`
 * @param {4 | 77} [options.generation]
 * @param {Client} [options.client] password and refresh grant, the empty secret
 * @param {Client} [options.otherClient] another one of this kind
 * @param {Client} [options.machine] client credentials alone
 * @param {Client} [options.oddClient] client credentials, odd characters in id and secret, uaa.resource
 * @param {User} [options.spareUser] is locked afterwards
 * @returns {Promise<unknown>}
 */
export function uaaContract({
  test,
  url,
  fetch,
  user,
  passcode,
  generation = 77,
  client = { clientId: 'cf', clientSecret: '' },
  otherClient,
  machine,
  oddClient,
  spareUser,
}) {
  const rules = GENERATIONS[generation]
  const json = { accept: 'application/json' }

  /** @param {string} path @param {Record<string, string>} [headers] @param {string} [method] */
  const ask = async (path, headers = json, method = 'GET') =>
    read(await fetch(url + path, { method, headers, redirect: 'manual' }))

  /** @param {string} path @param {Record<string, string>} form @param {Record<string, string>} [headers] */
  const send = async (path, form, headers = { authorization: basic(client) }) =>
    read(
      await fetch(url + path, {
        method: 'POST',
        headers: { ...json, 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(form).toString(),
        redirect: 'manual',
      }),
    )

  /** @param {Record<string, string>} form @param {Record<string, string>} [headers] */
  const grant = (form, headers) => send('/oauth/token', form, headers)

  /** @param {Record<string, string>} [more] @param {Record<string, string>} [headers] */
  const password = (more, headers) => grant({ grant_type: 'password', ...user, ...more }, headers)

  /** @param {string} token @param {Record<string, string>} [more] @param {Record<string, string>} [headers] */
  const refresh = (token, more, headers) =>
    grant({ grant_type: 'refresh_token', refresh_token: token, ...more }, headers)

  /** @type {Promise<unknown>[]} */
  const registered = []
  /** @param {string} name @param {() => Promise<void>} run @param {Record<string, unknown>} [needed] */
  const pin = (name, run, needed = {}) => {
    const lacking = Object.keys(needed).find((what) => needed[what] === undefined)
    const skip = lacking === undefined ? false : `${lacking} is not given`
    registered.push(Promise.resolve(test(`UAA contract: ${name}`, { skip }, run)))
  }

  pin('the password grant takes Basic with an empty secret', async () => {
    const { status, headers, body } = await password()
    assert.equal(status, 200)
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('pragma'), 'no-cache')
    assert.equal(body.token_type, 'bearer')
    assert.ok(Number.isInteger(body.expires_in) && body.expires_in > 0)
    assert.equal(body.access_token.split('.').length, 3)
    assert.equal(typeof body.refresh_token, 'string')
    assert.equal(typeof body.scope, 'string')
    assert.equal(typeof body.jti, 'string')
    assert.equal('refresh_expires_in' in body || 'expiration' in body, false)
  })

  pin('an access token says who and for how long', async () => {
    const { body } = await password()
    const [head, claims] = body.access_token
      .split('.', 2)
      .map((/** @type {string} */ part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
    assert.equal(head.alg, 'RS256')
    assert.equal(typeof head.kid, 'string')
    assert.equal(claims.user_name, user.username)
    assert.equal(claims.sub, claims.user_id)
    assert.equal(claims.grant_type, 'password')
    assert.equal(claims.origin, 'uaa')
    assert.equal(claims.zid, 'uaa')
    assert.equal(claims.jti, body.jti)
    assert.deepEqual([claims.cid, claims.azp, claims.client_id], Array(3).fill(client.clientId))
    assert.ok(Array.isArray(claims.aud) && Array.isArray(claims.scope))
    assert.equal(claims.scope.join(' '), body.scope)
    // Rounded down from what is left when the answer is written.
    assert.ok([0, 1].includes(claims.exp - claims.iat - body.expires_in))
  })

  pin('an empty scope is as good as none', async () => {
    const [none, empty] = [await password(), await password({ scope: '' })]
    assert.deepEqual(empty.body.scope.split(' ').sort(), none.body.scope.split(' ').sort())
  })

  pin('a scope narrows the token', async () => {
    const { body } = await password({ scope: 'openid' })
    assert.equal(body.scope, 'openid')
  })

  pin('an unknown scope is 400 invalid_scope, beside a known one too', async () => {
    for (const scope of ['no.such.scope', 'openid no.such.scope', 'openid  uaa.user']) {
      refused(await password({ scope }), 400, 'invalid_scope', / is invalid\./)
    }
  })

  pin('user names compare without case', async () => {
    assert.equal((await password({ username: user.username.toUpperCase() })).status, 200)
  })

  pin('a wrong password, user, client and secret get the same 401', async () => {
    const answers = [
      await password({ password: 'wrong' }),
      await password({ username: 'no-such-user' }),
      await password({}, { authorization: basic({ ...client, clientSecret: 'wrong' }) }),
      await password({}, { authorization: basic({ clientId: 'no-such', clientSecret: '' }) }),
    ]
    for (const answer of answers) {
      refused(answer, 401, rules.refused, /^Bad credentials$/)
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm="UAA\/client"/)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }
    // A success clears the count of failures: this case can run again and again.
    assert.equal((await password()).status, 200)
  })

  pin(
    'five wrong passwords lock the account, for the right one too',
    async () => {
      for (let i = 0; i < 5; i++) {
        const wrong = await password({ ...spareUser, password: 'wrong' })
        refused(wrong, 401, rules.refused, /^Bad credentials$/)
      }
      const right = await password({ ...spareUser })
      refused(right, 401, 'unauthorized', /^Your account has been locked/)
      assert.equal(right.headers.get('retry-after'), null)
    },
    { spareUser },
  )

  pin('a login hint names the provider, encoded once or twice', async () => {
    const hint = '{"origin":"uaa"}'
    assert.equal((await password({ login_hint: hint })).status, 200)
    assert.equal((await password({ login_hint: encodeURIComponent(hint) })).status, 200)
  })

  pin('a login hint of an unknown provider is 401 unauthorized', async () => {
    const answer = await password({ login_hint: '{"origin":"no-such"}' })
    refused(answer, 401, 'unauthorized', /login_hint does not match/)
  })

  pin('an unknown grant is 400 unsupported_grant_type', async () => {
    refused(await grant({ grant_type: 'no-such' }), 400, 'unsupported_grant_type')
  })

  pin('no grant is 400 invalid_request', async () => {
    refused(await grant({ user: user.username }), 400, 'invalid_request', /^Missing grant type$/)
  })

  pin('a form sent as JSON has no grant', async () => {
    const answer = await read(
      await fetch(`${url}/oauth/token`, {
        method: 'POST',
        headers: {
          ...json,
          authorization: basic(client),
          'content-type': 'application/json',
        },
        body: JSON.stringify({ grant_type: 'password', ...user }),
      }),
    )
    refused(answer, 400, 'invalid_request')
  })

  pin('a grant that the client may not use is 401 invalid_client', async () => {
    const answer = await grant({ grant_type: 'client_credentials' })
    refused(answer, 401, 'invalid_client', /^Unauthorized grant type/)
  })

  pin('the client may stand in the form, its empty secret with it', async () => {
    const form = { client_id: client.clientId, client_secret: client.clientSecret }
    assert.equal((await password(form, {})).status, 200)
  })

  pin('a client in the form without the parameter client_secret is 401', async () => {
    const answer = await password({ client_id: client.clientId }, {})
    assert.equal(answer.status, 401)
    assert.ok(['unauthorized', 'invalid_client'].includes(answer.body.error))
  })

  pin('no client at all is 401', async () => {
    const answer = await password({}, {})
    assert.equal(answer.status, 401)
    assert.equal(answer.body.error, 'unauthorized')
  })

  pin('Basic and the same client_id in the form go together', async () => {
    assert.equal((await password({ client_id: client.clientId })).status, 200)
  })

  pin('Basic and another client_id in the form are 401 invalid_client', async () => {
    const answer = await password({ client_id: 'no-such' })
    refused(answer, 401, 'invalid_client', /does not match authenticated client$/)
  })

  pin('a refresh gives the same refresh token, again and again', async () => {
    const { body: first } = await password()
    for (let i = 0; i < 2; i++) {
      const { status, body } = await refresh(first.refresh_token)
      assert.equal(status, 200)
      assert.equal(body.refresh_token, first.refresh_token)
      assert.notEqual(body.access_token, first.access_token)
    }
  })

  pin('a refresh cannot widen the scope', async () => {
    const { body } = await password({ scope: 'openid' })
    const answer = await refresh(body.refresh_token, { scope: 'openid uaa.user' })
    refused(answer, 400, 'invalid_scope', /^Unable to narrow the scope/)
    assert.equal(answer.body.scope, 'openid')
  })

  pin('a refresh narrows the scope for once', async () => {
    const { body } = await password({ scope: 'openid uaa.user' })
    assert.equal((await refresh(body.refresh_token, { scope: 'openid' })).body.scope, 'openid')
    const { body: again } = await refresh(body.refresh_token, { scope: '' })
    assert.deepEqual(again.scope.split(' ').sort(), ['openid', 'uaa.user'])
  })

  pin(
    'a refresh token of another client is 400 invalid_grant',
    async () => {
      const { body } = await password()
      const headers = { authorization: basic(/** @type {Client} */ (otherClient)) }
      const answer = await refresh(body.refresh_token, {}, headers)
      const text = `Wrong client for this refresh token: ${client.clientId}`
      refused(answer, 400, 'invalid_grant')
      assert.equal(answer.body.error_description, text)
    },
    { otherClient },
  )

  pin('what is no refresh token is 401 invalid_token', async () => {
    const { body } = await password()
    for (const token of ['garbage', `${'0'.repeat(32)}-r`, body.access_token]) {
      const answer = await refresh(token)
      refused(answer, 401, 'invalid_token')
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer /)
    }
  })

  pin('a refresh without a token is refused', async () => {
    const [status, error] = rules.noRefreshToken
    refused(await grant({ grant_type: 'refresh_token' }), status, error)
  })

  pin('a passcode gives tokens once', async () => {
    const code = await passcode()
    assert.match(code, rules.passcode)
    const form = { grant_type: 'password', passcode: code }
    const { status, body } = await grant(form)
    assert.equal(status, 200)
    assert.equal(typeof body.refresh_token, 'string')
    refused(await grant(form), 401, 'unauthorized', /^Invalid passcode$/)
  })

  pin('a newer passcode of the same user ends the older one', async () => {
    const [older, newer] = [await passcode(), await passcode()]
    refused(
      await grant({ grant_type: 'password', passcode: older }),
      401,
      'unauthorized',
      /^Invalid passcode$/,
    )
    assert.equal((await grant({ grant_type: 'password', passcode: newer })).status, 200)
  })

  pin('a passcode is seen only where JSON is accepted first', async () => {
    const form = { grant_type: 'password', passcode: await passcode() }
    for (const accept of ['*/*', 'text/plain, application/json']) {
      const headers = { authorization: basic(client), accept }
      refused(await grant(form, headers), 401, rules.refused, /^No password supplied$/)
    }
    const headers = { authorization: basic(client), accept: 'application/json, */*' }
    assert.equal((await grant(form, headers)).status, 200)
  })

  pin('a refused passcode asks for no Basic', async () => {
    const answer = await grant({ grant_type: 'password', passcode: 'wrong' })
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm="oauth", /)
  })

  pin('an empty passcode is 401 unauthorized', async () => {
    const answer = await grant({ grant_type: 'password', passcode: '' })
    refused(answer, 401, 'unauthorized', /^Passcode information is missing\.$/)
  })

  pin(
    'client credentials give no refresh token',
    async () => {
      const headers = { authorization: basic(/** @type {Client} */ (machine)) }
      const { status, body } = await grant({ grant_type: 'client_credentials' }, headers)
      assert.equal(status, 200)
      assert.equal('refresh_token' in body, false)
      assert.notEqual(body.scope, '')
    },
    { machine },
  )

  pin(
    'client credentials have no scope but the client’s own',
    async () => {
      const headers = { authorization: basic(/** @type {Client} */ (machine)) }
      const form = { grant_type: 'client_credentials' }
      const { body } = await grant(form, headers)
      const [scope = ''] = body.scope.split(' ')
      assert.equal((await grant({ ...form, scope }, headers)).body.scope, scope)
      const answer = await grant({ ...form, scope: `${scope} no.such.scope` }, headers)
      refused(answer, 400, 'invalid_scope', /^Invalid scope: no\.such\.scope$/)
    },
    { machine },
  )

  pin(
    'odd characters in a client are read as they stand in the form',
    async () => {
      const { clientId, clientSecret } = /** @type {Client} */ (oddClient)
      const form = { client_id: clientId, client_secret: clientSecret }
      const { status } = await grant({ grant_type: 'client_credentials', ...form }, {})
      assert.equal(status, 200)
    },
    { oddClient },
  )

  pin(
    `odd characters in Basic are ${rules.basicIsFormEncoded ? 'form-encoded' : 'taken as they are'}`,
    async () => {
      const odd = /** @type {Client} */ (oddClient)
      for (const encoded of [true, false]) {
        const headers = { authorization: basic(odd, encoded) }
        const { status } = await grant({ grant_type: 'client_credentials' }, headers)
        assert.equal(status, encoded === rules.basicIsFormEncoded ? 200 : 401)
      }
    },
    { oddClient },
  )

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

  return Promise.all(registered)
}

/** @param {Client} client @param {boolean} [encoded] RFC 6749, section 2.3.1 */
function basic({ clientId, clientSecret }, encoded = true) {
  const form = (/** @type {string} */ text) =>
    encoded ? new URLSearchParams([['', text]]).toString().slice(1) : text
  return `Basic ${Buffer.from(`${form(clientId)}:${form(clientSecret)}`).toString('base64')}`
}

/** @param {Response} response */
async function read(response) {
  const text = await response.text()
  /** @type {any} */
  let body
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  return { status: response.status, headers: response.headers, text, body }
}

/**
 * @param {Awaited<ReturnType<typeof read>>} answer
 * @param {unknown} status
 * @param {unknown} error
 * @param {RegExp} [description]
 */
function refused({ status: gotStatus, body, text }, status, error, description) {
  assert.deepEqual([gotStatus, body?.error], [status, error], text)
  if (description) assert.match(body.error_description, description)
}
