/**
 * Cross-origin answers: UAA's own open filter, none elsewhere, or (for demos) all.
 * Source of UAA's rules: its CorsFilter with the defaults that operators leave in place.
 */

/** @import { Reply } from './types.js' */

const PLAIN_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']
const PLAIN_HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'accept-language',
  'content-language',
]
const MARK = 'x-requested-with'
const TWENTY_DAYS = '1728000'

/** @typedef {{ method: string, headers: Headers }} Asked */

/**
 * @param {Asked} asked
 * @returns {Reply | undefined} the filter's own answer, where the request ends there
 */
export function uaaFilter({ method, headers }) {
  const origin = headers.get('origin')
  if (origin === null) return undefined
  if (method !== 'OPTIONS') {
    // "xhr" requests are only ever allowed to read.
    return headers.has(MARK) && method !== 'GET' ? text(405, 'Illegal method') : undefined
  }
  const wanted = headers.get('access-control-request-method')
  const fields = names(headers.get('access-control-request-headers'))
  if (wanted === null || fields.length === 0) return text(400, 'Bad preflight')
  const marked = fields.includes(MARK)
  const methods = marked ? ['GET', 'OPTIONS'] : PLAIN_METHODS
  const allowed = marked ? [...PLAIN_HEADERS, MARK] : PLAIN_HEADERS
  if (!methods.includes(wanted)) return text(405, 'Illegal method requested')
  if (!fields.every((field) => allowed.includes(field)))
    return text(403, 'Illegal header requested')
  return text(200, '', {
    'Access-Control-Allow-Origin': marked ? origin : '*',
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': allowed.join(', '),
    'Access-Control-Max-Age': TWENTY_DAYS,
  })
}

/**
 * @param {Headers} headers of the request
 * @returns {Record<string, string>} to add to every answer of UAA, refusals included
 */
export function uaaHeaders(headers) {
  const origin = headers.get('origin')
  if (origin === null) return {}
  return { 'Access-Control-Allow-Origin': headers.has(MARK) ? origin : '*' }
}

/**
 * @param {Asked} asked
 * @returns {Reply | undefined}
 */
export function openPreflight({ method, headers }) {
  if (method !== 'OPTIONS' || !headers.has('access-control-request-method')) return undefined
  return text(204, '', {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    'Access-Control-Allow-Headers': headers.get('access-control-request-headers') ?? '*',
    'Access-Control-Max-Age': '600',
  })
}

/** @type {Record<string, string>} */
export const openHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': '*',
}

/**
 * @param {number} status
 * @param {string} body
 * @param {Record<string, string>} [headers]
 * @returns {Reply}
 */
function text(status, body, headers = {}) {
  return { status, headers: { 'Content-Type': 'text/plain', ...headers }, body }
}

/** @param {string | null} list */
function names(list) {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}
