/**
 * UAA's refusals. Who refuses shows in `WWW-Authenticate`: the filters before an endpoint name their
 * realm whatever the status is, the endpoints themselves name none and answer a 401 alone.
 */

import { json, Refusal } from './http.js'

/** @import { Reply } from './types.js' */

export const NO_STORE = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }

/** The filter for clients, and for users by password. */
export const CLIENT_FILTER = 'Basic realm="UAA/client"'
/** The filter for passcodes. */
export const PASSCODE_FILTER = 'Bearer realm="oauth"'
/** The filter for access tokens. */
export const TOKEN_FILTER = 'Bearer realm="UAA/oauth"'

/**
 * @typedef {object} Details
 * @property {string} [filter] the realm of the filter that refuses; an endpoint where left out
 * @property {string[]} [scope] what could be asked for, or is lacking
 */

/**
 * @param {number} status
 * @param {string} error
 * @param {string} description
 * @param {Details} [details]
 * @returns {Reply}
 */
export function uaaError(status, error, description, { filter, scope } = {}) {
  const body = {
    error,
    error_description: description,
    ...(scope ? { scope: scope.join(' ') } : {}),
  }
  const summary = Object.entries(body).map(([name, value]) => `${name}="${value}"`)
  const explained = status === 401 || error === 'insufficient_scope'
  const challenge = explained
    ? `${filter === undefined ? 'Bearer ' : `${filter}, `}${summary.join(', ')}`
    : filter
  const headers =
    challenge === undefined ? NO_STORE : { ...NO_STORE, 'WWW-Authenticate': challenge }
  return json(status, body, headers)
}

/**
 * @param {Parameters<typeof uaaError>} what
 */
export function refusal(...what) {
  return new Refusal(uaaError(...what))
}
