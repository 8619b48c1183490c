/**
 * What UAA answers to an access token of its own: whose it is, what it says, that it is revoked.
 */

import { authorization, FORM_TYPE, json, mediaType } from './http.js'
import { userByGuid } from './people.js'
import { clientByBasic, nobody } from './uaa_client.js'
import { refusal, TOKEN_FILTER, uaaError } from './uaa_error.js'
import { readUaaToken, UNKNOWN_TOKEN } from './uaa_read.js'

/** @import { Call, Handler } from './types.js' */

const NO_TOKEN = 'Full authentication is required to access this resource'

/** @param {Call} call */
async function bearerClaims(call) {
  const { scheme, value } = authorization(call.headers)
  if (scheme !== 'bearer') throw refusal(401, 'unauthorized', NO_TOKEN, { filter: TOKEN_FILTER })
  const claims = await readUaaToken(call, value)
  if (!claims) throw refusal(401, 'invalid_token', UNKNOWN_TOKEN, { filter: TOKEN_FILTER })
  return claims
}

/** @type {Handler} */
export async function userInfo(call) {
  const { aud, user_id: id } = await bearerClaims(call)
  const user = userByGuid(call.data, String(id))
  if (!user || !Array.isArray(aud) || !aud.includes('openid')) {
    const description = 'Invalid token does not contain resource id (openid)'
    return uaaError(403, 'access_denied', description, { filter: TOKEN_FILTER })
  }
  const { guid, userName, givenName = '', familyName = '', email } = user
  return json(200, {
    user_id: guid,
    sub: guid,
    user_name: userName,
    name: `${givenName} ${familyName}`.trim(),
    given_name: givenName,
    family_name: familyName,
    email,
    email_verified: true,
    previous_logon_time: null,
  })
}

/**
 * Ends a token that UAA keeps: an opaque access token, one from a refresh, or any refresh token.
 * @type {Handler}
 */
export async function revoke(call) {
  const { client_id: clientId, user_id: userId, scope } = await bearerClaims(call)
  const { uaaLogins, uaaTokens } = call.world
  const id = call.params.id ?? ''
  const kept = uaaTokens.get(id) ?? uaaLogins.get(id)
  // The same client may, whoever the user is.
  const own = kept && (kept.clientId === clientId || (userId && kept.owner === userId))
  if (!own && !(Array.isArray(scope) && scope.includes('tokens.revoke'))) {
    const description = 'Insufficient scope for this resource'
    return uaaError(403, 'insufficient_scope', description, { scope: ['tokens.revoke'] })
  }
  if (!kept) return uaaError(404, 'invalid_token', 'Resource not found')
  uaaTokens.delete(id)
  uaaLogins.delete(id)
  return { status: 200, headers: {}, body: '' }
}

/** @type {Handler} */
export async function introspect(call) {
  const { headers, body } = call
  if (!(await mayIntrospect(call))) return uaaError(403, 'access_denied', 'Access is denied')
  const form = new URLSearchParams(mediaType(headers) === FORM_TYPE ? body : '')
  const token = form.get('token')
  if (token === null) return uaaError(400, 'invalid_request', 'The parameter token is missing')
  const claims = await readUaaToken(call, token)
  return json(200, claims ? { ...claims, active: true } : { revocable: false, active: false })
}

/** @param {Call} call */
async function mayIntrospect(call) {
  if (authorization(call.headers).scheme === 'bearer') {
    const { scope } = await bearerClaims(call)
    return Array.isArray(scope) && scope.includes('uaa.resource')
  }
  const client = clientByBasic(call)
  if (!client) throw nobody()
  return client.authorities?.includes('uaa.resource') ?? false
}
