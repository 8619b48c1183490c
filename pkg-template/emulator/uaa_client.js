/**
 * Who the client is that asks UAA: Basic, or the form of the token endpoint.
 */

import { authorization, basicParts, FORM_TYPE, formDecode, mediaType } from './http.js'
import { CLIENT_FILTER, refusal, TOKEN_FILTER } from './uaa_error.js'
import { readUaaToken, UNKNOWN_TOKEN, uaaClient } from './uaa_read.js'

/** @import { Call, ClientData } from './types.js' */

const NOBODY = 'An Authentication object was not found in the SecurityContext'

export function nobody() {
  return refusal(401, 'unauthorized', NOBODY, { filter: CLIENT_FILTER })
}

/** @param {string} [description] */
export function badCredentials(description = 'Bad credentials') {
  return refusal(401, 'invalid_client', description, { filter: CLIENT_FILTER })
}

/**
 * @param {Call} call
 * @returns {ClientData | undefined} undefined where there is no Basic at all
 */
export function clientByBasic({ headers, data }) {
  const { scheme, value } = authorization(headers)
  if (scheme !== 'basic') return undefined
  const parts = basicParts(value)
  if (!parts) throw badCredentials('Invalid basic authentication token')
  const [id, secret] = [formDecode(parts.id), formDecode(parts.secret)]
  if (id === undefined || secret === undefined) {
    throw badCredentials('Failed to URL Decode credentials')
  }
  return withSecret(uaaClient(data, id), secret)
}

/**
 * At the token endpoint.
 * @param {Call} call
 * @param {URLSearchParams} form
 * @returns {Promise<ClientData>}
 */
export async function authenticateClient(call, form) {
  const { headers, data } = call
  const basic = clientByBasic(call)
  if (basic) return basic
  const { scheme, value } = authorization(headers)
  const id = form.get('client_id')
  // A bearer token here starts another grant (`user_token`), not this one.
  if (scheme === 'bearer' && id !== null && !(await readUaaToken(call, value))) {
    throw refusal(401, 'invalid_token', UNKNOWN_TOKEN, { filter: TOKEN_FILTER })
  }
  if (scheme !== '' || id === null || mediaType(headers) !== FORM_TYPE) throw nobody()
  const client = uaaClient(data, id)
  const secret = form.get('client_secret')
  // A public client has no secret at all, and may refresh; `cf` has one, the empty text.
  const refreshes = form.get('grant_type') === 'refresh_token' && form.get('refresh_token')
  if (client && client.clientSecret === undefined && secret === null && refreshes) return client
  return withSecret(client, secret)
}

/**
 * @param {ClientData | undefined} client
 * @param {string | null} secret
 */
function withSecret(client, secret) {
  if (client && client.clientSecret === undefined) throw badCredentials('Missing credentials')
  if (client?.clientSecret !== secret) throw badCredentials()
  return client
}
