/**
 * Requests taken apart and replies put together, the same way for every service.
 */

/** @import { Reply } from './types.js' */

export const FORM_TYPE = 'application/x-www-form-urlencoded'
export const JSON_TYPE = 'application/json'

/** Ends the handling of a request with this reply. */
export class Refusal extends Error {
  /** @param {Reply} reply */
  constructor(reply) {
    super(`refused with ${reply.status}`)
    this.reply = reply
  }
}

/**
 * @param {number} status
 * @param {unknown} value
 * @param {Record<string, string>} [headers]
 * @returns {Reply}
 */
export function json(status, value, headers = {}) {
  return {
    status,
    headers: { 'Content-Type': JSON_TYPE, ...headers },
    body: JSON.stringify(value),
  }
}

/**
 * @param {Request | URL | string} input
 * @param {RequestInit} init
 * @param {string} base against which a relative address is read
 */
export async function readRequest(input, init, base) {
  const request =
    typeof input === 'object' && input !== null && 'headers' in input ? input : undefined
  const url = new URL(request ? request.url : String(input), base)
  const headers = new Headers(init.headers ?? request?.headers)
  // A `Response` reads every kind of body, and knows the media type that `fetch` would send with it.
  const carrier = new Response(/** @type {BodyInit | null} */ (init.body ?? null))
  const type = carrier.headers.get('content-type')
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type)
  const body = init.body == null && request ? await request.text() : await carrier.text()
  const method = (init.method ?? request?.method ?? 'GET').toUpperCase()
  return { url, method, headers, body }
}

/**
 * @param {Headers} headers
 * @returns {string} the media type without its parameters, in lower case
 */
export function mediaType(headers) {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/**
 * The media type that suits the caller best: by weight, then the more exact one, then as listed. Where
 * a `*` leaves it open, the first one offered.
 * @param {Headers} headers
 * @param {readonly string[]} offered
 * @returns {string | undefined} undefined where none will do
 */
export function preferred(headers, offered) {
  const ranges = (headers.get('accept') || '*/*').split(',').map((entry) => {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((part) => part.startsWith('q='))?.slice(2)
    return { type, weight: Number(weight ?? 1), stars: type.split('*').length }
  })
  ranges.sort((a, b) => b.weight - a.weight || a.stars - b.stars)
  for (const { type, weight } of ranges) {
    const [start = ''] = type.split('*', 1)
    const match = offered.find((one) => (type === start ? one === type : one.startsWith(start)))
    if (match !== undefined && weight > 0) return match
  }
  return undefined
}

/**
 * Whether JSON suits the caller better than a page; a mere `*` is a browser's or curl's.
 * @param {Headers} headers
 */
export function wantsJson(headers) {
  return preferred(headers, ['text/html', JSON_TYPE]) === JSON_TYPE
}

/** @param {Headers} headers */
export function authorization(headers) {
  const [, scheme = '', value = ''] =
    /^(\S+)\s*(.*)$/.exec(headers.get('authorization') ?? '') ?? []
  return { scheme: scheme.toLowerCase(), value: value.trim() }
}

/**
 * @param {string} value what follows `Basic`
 * @returns {{ id: string, secret: string } | undefined} as sent, not form-decoded
 */
export function basicParts(value) {
  let text
  try {
    text = new TextDecoder().decode(Uint8Array.from(atob(value), (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { id: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/**
 * @param {string} text
 * @returns {string | undefined} undefined where a `%` stands alone
 */
export function formDecode(text) {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/**
 * @param {URLSearchParams} params
 * @returns {string | undefined} the first name that occurs twice
 */
export function repeated(params) {
  const names = [...params.keys()]
  return names.find((name, index) => names.indexOf(name) !== index)
}

/**
 * @param {URLSearchParams} params
 * @param {readonly string[]} known
 * @returns {string | undefined}
 */
export function stranger(params, known) {
  return [...params.keys()].find((name) => !known.includes(name))
}

/**
 * @param {Headers} headers
 * @param {string} name
 */
export function cookie(headers, name) {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}

/**
 * @param {Record<string, Record<string, unknown>>} routes
 * @param {string} path
 */
export function findRoute(routes, path) {
  for (const route of Object.keys(routes)) {
    const names = [...route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
    const pattern = route.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')
    const match = new RegExp(`^${pattern}$`).exec(path)
    if (!match) continue
    const values = match.slice(1).map(percentDecode)
    return {
      route,
      params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])),
    }
  }
  return undefined
}

/**
 * Decodes what is well-formed and leaves the rest, as servers do.
 * @param {string} text
 */
export function percentDecode(text) {
  return text.replaceAll(/(?:%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run
    }
  })
}
