// The half of the UAA contract on grants: what a token request gets.

import assert from 'node:assert/strict'
import { basic, read, refused } from './uaa-contract-kit.mjs'

/**
 * @param {ReturnType<typeof import('./uaa-contract-kit.mjs').contractKit>} kit
 * @param {import('./uaa-contract.mjs').ContractOptions} options
 */
export function grantContract(
  { rules, json, grant, password, refresh, pin, client },
  { url, fetch, user, passcode, otherClient, machine, bearer, oddClient, spareUser },
) {
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

  pin(
    'a token of the UAA itself is an assertion; what is none is 401',
    async () => {
      const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
      const headers = { authorization: basic(/** @type {any} */ (bearer)) }
      const { body } = await password()
      const assertion = body.access_token
      const good = await grant({ grant_type, assertion }, headers)
      assert.equal(good.status, 200)
      const [, claims] = good.body.access_token.split('.')
      const { user_name, client_id } = JSON.parse(Buffer.from(claims, 'base64url').toString())
      assert.deepEqual([user_name, client_id], [user.username, bearer?.clientId])
      const foreign = [
        { alg: 'RS256', kid: 'k' },
        { iss: 'https://x.example.test', exp: 4e9 },
      ]
      const unknown = `${foreign.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.c2ln`
      for (const [odd, error, description] of /** @type {const} */ ([
        [undefined, 'unauthorized', /^Assertion is missing$/],
        ['', 'unauthorized', /^Unable to decode/],
        ['garbage', 'unauthorized', /^Unable to decode/],
        ['a.b.c', 'unauthorized', /^Unable to decode/],
        [unknown, 'unauthorized', /^Unable to map issuer/],
        [`${assertion.slice(0, -8)}AAAAAAAA`, 'invalid_token', /^Could not verify token signature/],
      ])) {
        const form = odd === undefined ? { grant_type } : { grant_type, assertion: odd }
        refused(await grant(form, headers), 401, error, description)
      }
    },
    { bearer },
  )

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
}
