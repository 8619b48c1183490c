/**
 * What an API of IBM Cloud reads in the `Authorization` header: whose token, for which account.
 */

import { authorization } from './http.js'
import { readToken } from './jwt.js'

/** @import { Call } from './types.js' */
/** @import { Claims } from './jwt.js' */

/**
 * @typedef {{ claims: Claims, kind: 'iam' | 'uaa', problem?: undefined, endedAt?: undefined }
 *   | { claims?: undefined, kind?: undefined, problem: Problem, endedAt?: number }} Bearer
 * @typedef {'missing' | 'unreadable' | 'signature' | 'ended'} Problem
 */

/**
 * Either service's token, whatever address it was got at.
 * @param {Call} call
 * @returns {Promise<Bearer>} `endedAt` in seconds
 */
export async function bearer({ headers, world }) {
  const { scheme, value } = authorization(headers)
  if (scheme === '') return { problem: 'missing' }
  if (scheme !== 'bearer') return { problem: 'unreadable' }
  const { claims, problem } = await readToken(value, world.now())
  if (problem === 'ended') return { problem, endedAt: Number(claims?.exp) }
  if (problem) return { problem }
  const issuer = String(claims.iss)
  if (issuer.endsWith('/iam/identity')) return { claims, kind: 'iam' }
  if (issuer.endsWith('/uaa/oauth/token')) return { claims, kind: 'uaa' }
  return { problem: 'signature' }
}

/**
 * An IAM token, nothing else.
 * @param {Call} call
 * @returns {Promise<Bearer>}
 */
export async function iamClaims(call) {
  const found = await bearer(call)
  return found.kind === 'uaa' ? { problem: 'signature' } : found
}

/**
 * @param {Claims} claims
 * @returns {string | undefined} the account that the token speaks for
 */
export function accountIn({ account }) {
  if (typeof account !== 'object' || account === null || !('bss' in account)) return undefined
  return typeof account.bss === 'string' ? account.bss : undefined
}
