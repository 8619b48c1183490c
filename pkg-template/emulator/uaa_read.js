/**
 * UAA's clients and access tokens, found again.
 */

import { readToken } from './jwt.js'
import { userByGuid } from './people.js'
import { clientSignature, revocationSignature, uaaIssuer } from './uaa_issue.js'

/** @import { Call, FullData } from './types.js' */
/** @import { Claims } from './jwt.js' */

export const UNKNOWN_TOKEN = 'The token expired, was revoked, or the token ID is incorrect.'

/**
 * @param {FullData} data
 * @param {unknown} id
 */
export function uaaClient({ clients }, id) {
  return clients.find(({ service, clientId }) => service === 'uaa' && clientId === id)
}

/**
 * @param {Call} call
 * @param {string} token a JWT, or the id of one that UAA keeps
 * @returns {Promise<Claims | undefined>} of a token that is good
 */
export async function readUaaToken({ world, data, origin }, token) {
  const stored = world.uaaTokens.get(token)
  const { claims, problem } = await readToken(stored?.jwt ?? token, world.now())
  if (problem || claims.iss !== uaaIssuer(origin)) return undefined
  if (claims.revocable && !world.uaaTokens.has(String(claims.jti))) return undefined
  const client = uaaClient(data, claims.client_id)
  if (!client) return undefined
  if (claims.user_id === undefined) {
    return claims.rev_sig === clientSignature(client) ? claims : undefined
  }
  const user = userByGuid(data, String(claims.user_id))
  return user && claims.rev_sig === revocationSignature(user, client) ? claims : undefined
}
