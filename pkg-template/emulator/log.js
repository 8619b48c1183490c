/**
 * The log of requests. A secret stands in it as a fingerprint: equal secrets look equal, and none
 * can be read.
 */

import { FORM_TYPE, mediaType } from './http.js'

/** @import { RequestLog, RequestMatch, RequestRecord } from './types.js' */

const SECRET_FIELDS = new Set([
  'access_token',
  'apikey',
  'assertion',
  'authentication_token',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'cookie',
  'cr_token',
  'iam_token',
  'id_token',
  'passcode',
  'password',
  'refresh_token',
  'security_code',
  'security_question_answer',
  'token',
  'uaa_client_secret',
])

/** @returns {RequestLog} */
export function createLog() {
  /** @type {RequestRecord[]} */
  const records = []
  // Not enumerable, so that the log prints and compares as the array that it is.
  return /** @type {RequestLog} */ (
    Object.defineProperties(records, {
      count: {
        /** @param {RequestMatch} [match] */
        value: (match) => records.filter((record) => matches(record, match)).length,
      },
      clear: {
        value: () => {
          records.length = 0
        },
      },
    })
  )
}

/**
 * @param {Pick<RequestRecord, 'service' | 'method' | 'route'>} facts
 * @param {{ headers: Headers, body: string, url: URL }} request
 * @returns {Promise<RequestRecord>}
 */
export async function recordOf(facts, { headers, body, url }) {
  const form = mediaType(headers) === FORM_TYPE ? new URLSearchParams(body) : undefined
  const grant = form?.get('grant_type')?.split(':').at(-1)
  return {
    ...facts,
    ...(grant ? { grant } : {}),
    status: 0,
    headers: await safeHeaders(headers),
    ...(form ? { form: await safeFields(form) } : {}),
    ...(url.search ? { query: await safeFields(url.searchParams) } : {}),
  }
}

/**
 * @param {unknown} actual
 * @param {unknown} wanted an object: each of its members must match
 * @returns {boolean}
 */
function matches(actual, wanted) {
  if (wanted === undefined) return true
  if (typeof wanted === 'function') return wanted(actual) === true
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted
  if (typeof actual !== 'object' || actual === null) return false
  const members = /** @type {Record<string, unknown>} */ (actual)
  return Object.entries(wanted).every(([name, part]) => matches(members[name], part))
}

/** @param {Headers} headers */
async function safeHeaders(headers) {
  /** @type {Record<string, string>} */
  const safe = {}
  for (const [name, value] of headers) {
    if (name === 'authorization' || name === 'proxy-authorization') {
      const [scheme = '', ...rest] = value.split(' ')
      // The scheme may stay; a value of one word may be the secret itself.
      const secret = await fingerprint(rest.length > 0 ? rest.join(' ') : scheme)
      safe[name] = rest.length > 0 ? `${scheme} ${secret}` : secret
    } else {
      safe[name] = SECRET_FIELDS.has(name) ? await fingerprint(value) : value
    }
  }
  return safe
}

/** @param {URLSearchParams} params */
async function safeFields(params) {
  /** @type {Record<string, string | string[]>} */
  const safe = {}
  for (const [name, value] of params) {
    const shown = SECRET_FIELDS.has(name) ? await fingerprint(value) : value
    const before = safe[name]
    if (before === undefined) safe[name] = shown
    else safe[name] = [before, shown].flat()
  }
  return safe
}

/** @param {string} secret */
async function fingerprint(secret) {
  // "Present and empty" is worth seeing: the `cf` client's secret.
  if (secret === '') return ''
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret.trim()))
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'))
  return `fp:${hex.join('').slice(0, 8)}`
}
