// @ts-check
/** @import { AuthErrorCode, AuthEvent, Clock, FetchLike } from './types.js' */
import { struckOut } from './errors.js'
import { tell } from './events.js'

/**
 * What the core gets of the platform for one call, and the only code that touches what a caller made
 * (its `fetch`, the answer of that, its clock). Methods never throw synchronously; a failure is a
 * plain object `{ kind, code, unsent, crossOrigin }`.
 */
export class Io {
  /**
   * The last error that a `fetch` rejected with, for the `cause` of an error; shows no secret.
   * @type {Error | undefined}
   */
  thrown

  /**
   * @param {{ fetch?: FetchLike, clock: Clock, timeoutMs: number, signal?: AbortSignal,
   *   onEvent?: (event: AuthEvent) => void }} options
   */
  constructor({ fetch, clock, timeoutMs, signal, onEvent }) {
    this.doFetch = fetch ?? globalThis.fetch
    this.clock = clock
    this.timeoutMs = timeoutMs
    this.signal = signal
    this.onEvent = onEvent
  }

  wall() {
    return orNaN(() => this.clock.now())
  }

  mono() {
    return orNaN(() => this.clock.monotonic())
  }

  random() {
    const { random } = this.clock
    return random === undefined ? Math.random() : orNaN(() => this.clock.random?.() ?? 0.5)
  }

  /** @param {number} ms */
  async sleep(ms) {
    if (this.signal?.aborted) throw { kind: 'aborted' }
    await this.clock.sleep(ms, { signal: this.signal })
    if (this.signal?.aborted) throw { kind: 'aborted' }
  }

  /**
   * @param {string} service its name in events
   * @param {number} [resend] how often the same request was sent before
   */
  attempt(service, resend) {
    return new Attempt(this, service, resend)
  }
}

/** One attempt: its signal, and its time limit to the end of the body. Real time, whatever `clock`. */
class Attempt {
  #controller = new AbortController()
  /** @type {'aborted' | 'timeout' | undefined} */
  #kind
  /** @type {{ cancel: () => Promise<unknown> } | undefined} */
  #reader
  /** What `fetch` gave. @type {any} */
  #answer
  #io
  #timer
  /** @type {(failure: unknown) => void} */
  #rejectEnding = () => {}
  #ending
  #onAbort = () => this.#end('aborted', this.#io.signal?.reason)

  #service
  #resend
  #started = performance.now()
  /** Empty until it is sent. */
  #url = ''
  /** @type {RequestInit} */
  #init = {}
  #requestId = ''
  /** @type {number | undefined} */
  #status
  /** Why no answer came that can be read. @type {AuthErrorCode | undefined} */
  #code

  /** @param {Io} io @param {string} service @param {number} [resend] */
  constructor(io, service, resend) {
    this.#io = io
    this.#service = service
    this.#resend = resend
    this.#ending = new Promise((_resolve, reject) => {
      this.#rejectEnding = reject
    })
    this.#ending.catch(() => {})
    this.#timer = setTimeout(
      () => this.#end('timeout', new DOMException('no whole answer in time', 'TimeoutError')),
      io.timeoutMs,
    )
    if (io.signal?.aborted) this.#onAbort()
    else io.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /**
   * @param {'aborted' | 'timeout'} kind
   * @param {unknown} reason
   */
  #end(kind, reason) {
    if (this.#kind !== undefined) return
    this.#kind = kind
    this.#code = kind
    this.#controller.abort(reason)
    this.#rejectEnding({ kind })
    this.#reader?.cancel().catch(() => {})
  }

  close() {
    clearTimeout(this.#timer)
    this.#io.signal?.removeEventListener('abort', this.#onAbort)
    if (this.#url === '') return
    tell(this.#io.onEvent, {
      type: 'request',
      service: this.#service,
      method: String(this.#init.method),
      endpoint: endpointOf(this.#url),
      resend: this.#resend,
      status: this.#status,
      code: this.#code,
      requestId: this.#requestId === '' ? undefined : this.#requestId,
      durationMs: performance.now() - this.#started,
    })
  }

  /** @param {string} url */
  requestId(url) {
    // A header of our own would cost a page's cross-origin call its preflight.
    this.#requestId = isCrossOrigin(url) ? '' : randomId()
    return this.#requestId
  }

  /** @param {unknown} thrown @param {string} [url] */
  #network(thrown, url) {
    this.#io.thrown = struckOut(thrown, secretsOf(this.#init))
    this.#code = 'network'
    const code = errorCode(thrown)
    return {
      kind: 'network',
      code,
      unsent: ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code),
      crossOrigin: url !== undefined && isCrossOrigin(url),
    }
  }

  /**
   * @param {string} url
   * @param {RequestInit} init
   * @returns {Promise<Response>} a genuine one, for its status and headers; the body is read by `body`
   */
  async fetch(url, init) {
    if (this.#kind !== undefined) throw { kind: this.#kind }
    this.#url = url
    this.#init = init
    const { doFetch } = this.#io
    let answer
    try {
      answer = await Promise.race([
        this.#ending,
        // The async function turns what is thrown, and what is no promise, into a promise.
        (async () => doFetch(url, { ...init, ...policy(), signal: this.#controller.signal }))(),
      ])
    } catch (thrown) {
      throw this.#kind === undefined ? this.#network(thrown, url) : { kind: this.#kind }
    }
    try {
      const response = genuine(answer)
      this.#answer = answer
      this.#status = response.status
      return response
    } catch (thrown) {
      this.#code = 'protocol'
      throw thrown
    }
  }

  /**
   * @param {number} maxBody
   * @returns {Promise<Uint8Array>}
   */
  async body(maxBody) {
    if (this.#kind !== undefined) throw { kind: this.#kind }
    const reading = (/** @type {{ cancel: () => Promise<unknown> }} */ reader) => {
      this.#reader = reader
    }
    try {
      return await Promise.race([this.#ending, bytesOf(this.#answer, maxBody, reading)])
    } catch (thrown) {
      if (this.#kind !== undefined) throw { kind: this.#kind }
      if (!isFailure(thrown)) throw this.#network(thrown)
      this.#code = 'protocol'
      throw thrown
    }
  }
}

/** Redirects would carry the credential elsewhere; cookies and caches have no part in this. */
function policy() {
  const known = globalThis.Request?.prototype ?? {}
  /** @type {RequestInit} */
  const init = { redirect: 'manual' }
  if ('credentials' in known) init.credentials = 'omit'
  if ('cache' in known) init.cache = 'no-store'
  return init
}

/**
 * @param {any} answer
 * @returns {Response} the answer itself, or one made of its status and headers
 */
function genuine(answer) {
  try {
    const { status } = answer
    if (answer.type === 'opaqueredirect') throw { kind: 'redirect' }
    if (!Number.isInteger(status) || typeof answer.headers?.get !== 'function') {
      throw { kind: 'not_a_response' }
    }
    if (status >= 300 && status < 400) throw { kind: 'redirect' }
    if (status < 200 || status > 599 || answer.bodyUsed === true) throw { kind: 'not_a_response' }
    if (answer instanceof globalThis.Response) return answer
    const headers = new Headers()
    for (const name of FOREIGN_HEADERS) {
      const value = answer.headers.get(name)
      if (typeof value === 'string') headers.set(name, value)
    }
    return new Response(null, { status, headers })
  } catch (thrown) {
    throw isFailure(thrown) ? thrown : { kind: 'not_a_response' }
  }
}

const FOREIGN_HEADERS = [
  'retry-after',
  'date',
  'x-ratelimit-reset',
  'transaction-id',
  'x-correlation-id',
  'correlation-id',
  'x-vcap-request-id',
]

/**
 * The body of anything Response-shaped.
 * @param {any} answer
 * @param {number} maxBody
 * @param {(reader: { cancel: () => Promise<unknown> }) => void} reading
 * @returns {Promise<Uint8Array>}
 */
async function bytesOf(answer, maxBody, reading) {
  if (typeof answer.body?.getReader === 'function') {
    const reader = answer.body.getReader()
    reading(reader)
    /** @type {Uint8Array[]} */
    const chunks = []
    let length = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return joined(chunks, length)
      if (!(value instanceof Uint8Array)) throw { kind: 'not_a_response' }
      length += value.length
      if (length > maxBody) {
        reader.cancel().catch(() => {})
        throw { kind: 'too_large' }
      }
      chunks.push(value)
    }
  }
  if (answer instanceof globalThis.Response) return new Uint8Array()
  if (typeof answer.arrayBuffer !== 'function' && typeof answer.text !== 'function') {
    throw { kind: 'not_a_response' }
  }
  const read =
    typeof answer.arrayBuffer === 'function'
      ? new Uint8Array(await answer.arrayBuffer())
      : new TextEncoder().encode(await answer.text())
  if (read.length > maxBody) throw { kind: 'too_large' }
  return read
}

/** @param {Uint8Array[]} chunks @param {number} length */
function joined(chunks, length) {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** @param {any} thrown */
function isFailure(thrown) {
  const kinds = ['redirect', 'not_a_response', 'too_large']
  return Object.getPrototypeOf(thrown ?? null) === Object.prototype && kinds.includes(thrown.kind)
}

/** The platform's code of a broken connection, as Node hides it in `cause`. @param {any} thrown */
function errorCode(thrown) {
  try {
    for (const code of [thrown?.cause?.code, thrown?.code]) {
      if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code
    }
  } catch {
    // A getter of a foreign object threw: there is no code.
  }
  return ''
}

/**
 * An address for events: without its query, and without the ids in its path (of an opaque token that is
 * revoked the id is the token itself).
 * @param {string} url
 */
function endpointOf(url) {
  return url.replace(/\?.*/s, '').replace(/(\/token\/revoke|\/sessions)\/[^/]+/, '$1/{id}')
}

/** Fields of forms that are no secrets; to strike them out would only make an error harder to read. */
const PLAIN = [
  'grant_type',
  'response_type',
  'token_type_hint',
  'uaa_client_id',
  'client_id',
  'account',
  'profile_id',
  'profile_crn',
  'profile_name',
]

/**
 * What an error about a request may quote and must not show: as it was given and as it was sent.
 * @param {RequestInit} init
 */
function secretsOf({ headers, body }) {
  const { Authorization = '' } = /** @type {Record<string, string>} */ (headers ?? {})
  const form = [...new URLSearchParams(typeof body === 'string' ? body : '')]
  const values = form.flatMap(([name, value]) =>
    PLAIN.includes(name)
      ? []
      : [value, encodeURIComponent(value), new URLSearchParams({ '': value }).toString().slice(1)],
  )
  const all = [Authorization, Authorization.replace(/^\w+ +/, ''), ...values]
  return all.filter((text) => text !== '')
}

/** @param {string} url */
function isCrossOrigin(url) {
  const { location } = globalThis
  const isPage = typeof location === 'object' && typeof location?.origin === 'string'
  return isPage && typeof process === 'undefined' && new URL(url).origin !== location.origin
}

function randomId() {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  // Pages that are not a secure context lack randomUUID.
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** What a caller's clock gives; NaN where it fails. @param {() => number} read */
export function orNaN(read) {
  try {
    return Number(read())
  } catch {
    return Number.NaN
  }
}

/** The clock that is used unless the caller brings one. @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', end)
        resolve(undefined)
      }, ms)
      if (signal?.aborted) end()
      else signal?.addEventListener('abort', end, { once: true })
    }),
}
