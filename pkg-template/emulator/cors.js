/**
 * Cross-origin answers: UAA's own open filter, none elsewhere, or (for demos) all.
 * Source of UAA's rules: its CorsFilter with the defaults that operators leave in place.
 */

/** @import { Reply } from './types.js' */

const PLAIN_METHODS = ['GET', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH']
const MARKED_METHODS = ['GET', 'OPTIONS']
const PLAIN_HEADERS = [
  'accept',
  'accept-language',
  'content-type',
  'content-language',
  'authorization',
]
const MARK = 'x-requested-with'
const TWENTY_DAYS = '1728000'

/** @typedef {{ method: string, headers: Headers }} Asked */

/**
 * @param {Asked} asked
 * @returns {Reply | undefined} the filter's own answer, where the request ends there
 */
export function uaaFilter({ method, headers }) {
  if (!headers.get('origin')) return undefined
  const marked = isMarked(headers)
  const methods = marked ? MARKED_METHODS : PLAIN_METHODS
  if (method !== 'OPTIONS') {
    return methods.includes(method) ? undefined : text(405, 'Illegal method.')
  }
  const wanted = headers.get('access-control-request-method')
  const fields = headers.get('access-control-request-headers')
  if (wanted === null) return text(400, 'Access-Control-Request-Method header is missing')
  if (!methods.includes(wanted.toUpperCase())) return text(405, 'Illegal method requested')
  const allowMethods = { 'Access-Control-Allow-Methods': methods.join(', ') }
  if (fields === null) {
    return text(400, 'Missing Access-Control-Request-Headers header.', allowMethods)
  }
  const allowed = marked ? [...PLAIN_HEADERS, MARK] : PLAIN_HEADERS
  if (!names(fields).every((field) => allowed.includes(field))) {
    return text(403, 'Illegal header requested', allowMethods)
  }
  return text(200, '', {
    ...allowMethods,
    // Given back as it came.
    'Access-Control-Allow-Headers': fields,
    'Access-Control-Max-Age': TWENTY_DAYS,
  })
}

/**
 * @param {Asked} asked
 * @returns {Record<string, string>} to add to the answers of UAA, refusals included
 */
export function uaaHeaders({ method, headers }) {
  const origin = headers.get('origin')
  const marked = isMarked(headers)
  // A method that is allowed to nobody ends before the filter looks at the origin.
  if (!origin || !(marked ? MARKED_METHODS : PLAIN_METHODS).includes(method)) return {}
  return { 'Access-Control-Allow-Origin': marked ? origin : '*' }
}

/**
 * An "xhr" request, by what scripts of old sent: such ones may only read.
 * @param {Headers} headers
 */
function isMarked(headers) {
  const fields = names(headers.get('access-control-request-headers') ?? '')
  return Boolean(headers.get(MARK)) || fields.includes(MARK)
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

/** @param {string} list */
function names(list) {
  return list.toLowerCase().replaceAll(' ', '').split(',')
}
