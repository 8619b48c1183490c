// @ts-check
/** @import { Keeper, Plan } from './keeper.js' */
/** @import { TokenKind } from './types.js' */
import { isWorthAnother } from './again.js'
import { wrong } from './call.js'
import { AuthError, struckOut } from './errors.js'

const REDIRECTS = [301, 302, 303, 307, 308]
/** What a `Request` says beside address, headers, body and signal; properties that a copy would miss. */
const FIELDS = /** @type {const} */ ([
  'method',
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrer',
  'referrerPolicy',
  'redirect',
  'duplex',
])

/**
 * The platform's `fetch`, with the session's headers, to the session's hosts only.
 * @param {Keeper} keeper
 * @param {Plan} plan
 * @param {RequestInfo | URL} input a path is Key Protect's
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export async function sessionFetch(keeper, plan, input, init) {
  const given = init ?? {}
  const request = isRequest(input) ? input : undefined
  const text = request === undefined ? String(input) : request.url
  const { url, kind, isKeyProtect } = placeOf(keeper, plan, text)
  const headers = headersOf(given.headers ?? request?.headers)
  if (isKeyProtect) {
    for (const [name, value] of Object.entries(plan.headers)) {
      if (!headers.has(name)) headers.set(name, value)
    }
  }
  const signal = (given.signal === undefined ? request?.signal : given.signal) ?? undefined
  keeper.checkOpen()
  if (signal?.aborted) throw signal.reason
  const asked = { ...fieldsOf(request), ...fieldsOf(given) }
  const body = (await bodyOf(given)) ?? (await bodyOf(request))
  const call = {
    ...asked,
    method: asked.method ?? 'GET',
    signal,
    body,
    redirect: /** @type {RequestRedirect} */ ('manual'),
    duplex: isStream(body) ? 'half' : undefined,
  }
  if (body === undefined) delete call.body
  if (call.duplex === undefined) delete call.duplex
  const doFetch = keeper.call.fetch ?? globalThis.fetch
  const send = async () => {
    const token = await keeper.token(kind, signal && { signal })
    const all = { ...Object.fromEntries(headers), authorization: `Bearer ${token}` }
    try {
      return { token, answer: await doFetch(url.href, { ...call, headers: all }) }
    } catch (thrown) {
      // The caller's own `fetch`, or the platform's about a header, may quote what it was given.
      throw shows(thrown, token) ? struckOut(thrown, [token]) : thrown
    }
  }

  try {
    const { token, answer } = await send()
    const isLast = answer.status !== 401 || isStream(body)
    if (isLast || !(await isWorthAnother(keeper, kind, token, signal))) {
      return checked(answer, asked.redirect, url)
    }
    discard(answer)
    return checked((await send()).answer, asked.redirect, url)
  } catch (/** @type {any} */ error) {
    // As the platform's: wherever it waits, it rejects with the signal's own reason.
    if (signal?.aborted && error instanceof AuthError && error.code === 'aborted') {
      throw signal.reason
    }
    throw error
  }
}

/** @param {any} answer @param {RequestRedirect | undefined} redirect @param {URL} url */
function checked(answer, redirect, url) {
  const isRedirect = answer.type === 'opaqueredirect' || REDIRECTS.includes(answer.status)
  if (!isRedirect || redirect === 'manual') return answer
  discard(answer)
  throw new AuthError({
    code: 'protocol',
    message: `${url.origin}${url.pathname} answered with a redirect`,
    hint: 'Redirects are not followed, since they would carry the token elsewhere; pass redirect: "manual" to get the answer.',
    status: answer.status || undefined,
  })
}

/** Lets go of the connection. @param {any} answer */
function discard(answer) {
  Promise.resolve(answer.body?.cancel?.()).catch(() => {})
}

/**
 * Where a request goes, and which token it gets: that of the service below whose address it lies, the
 * nearest where one lies below another.
 * @param {Keeper} keeper
 * @param {Plan} plan
 * @param {string} text
 * @returns {{ url: URL, kind: TokenKind, isKeyProtect: boolean }}
 */
function placeOf(keeper, plan, text) {
  const isPath = text.startsWith('/') && !text.startsWith('//')
  if (isPath && plan.keyProtect === undefined) {
    throw new AuthError({
      code: 'unavailable',
      message: 'a path is Key Protect’s, and there is no Key Protect here',
      hint: 'Name it in the option endpoints.keyProtect, or give a whole address.',
    })
  }
  const whole = isPath ? plan.keyProtect + text : text
  if (!URL.canParse(whole)) throw wrong('the address', 'a URL or a path')
  const url = new URL(whole)
  url.hash = ''
  const { keyProtect, cf, uaa, iam, resourceController, accounts } = plan
  /** @type {[string | undefined, TokenKind][]} */
  const services = [
    [keyProtect, keeper.has('iam') ? 'iam' : 'uaa'],
    ...(isPath
      ? []
      : /** @type {[string | undefined, TokenKind][]} */ ([
          [cf, 'uaa'],
          [keeper.uaaEndpoint ?? uaa, 'uaa'],
          [iam, 'iam'],
          [resourceController, 'iam'],
          [accounts, 'iam'],
        ])),
  ]
  const length = (/** @type {string | undefined} */ base) => base?.length ?? 0
  const [found] = services
    .filter(([base]) => isOf(base, url))
    .sort(([one], [other]) => length(other) - length(one))
  if (found !== undefined) return { url, kind: found[1], isKeyProtect: found[0] === keyProtect }
  throw new AuthError({
    code: 'invalid_input',
    message: `${url.origin}${isPath ? url.pathname : ''} is none of the session’s addresses`,
    hint: 'The token goes to the services in endpoints only; call the platform’s fetch for others.',
  })
}

/** Whether an address lies below a service's. @param {string | undefined} base @param {URL} url */
function isOf(base, url) {
  if (base === undefined || url.username !== '' || url.password !== '') return false
  const { origin, pathname } = new URL(base)
  if (url.origin !== origin || !url.pathname.startsWith('/')) return false
  const folder = pathname.endsWith('/') ? pathname : `${pathname}/`
  if (folder === '/') return true
  // A server may take these for slashes, and climb out of the service's folder.
  const steps = url.pathname
    .replaceAll(/%2f|%5c/gi, '/')
    .replaceAll(/%2e/gi, '.')
    .split('/')
  if (steps.includes('..')) return false
  return url.pathname.startsWith(folder) || url.pathname === pathname
}

/**
 * @param {HeadersInit | undefined} given
 * @returns {Headers}
 */
function headersOf(given) {
  let headers
  try {
    headers = new Headers(given)
  } catch (thrown) {
    // The error may quote the value: of this header none is shown.
    if (!namesOf(given).some((name) => String(name).trim().toLowerCase() === 'authorization')) {
      throw thrown
    }
  }
  if (headers !== undefined && !headers.has('authorization')) return headers
  throw new AuthError({
    code: 'invalid_input',
    message: 'the request has an Authorization header of its own',
    hint: 'session.fetch sets it; call the platform’s fetch to send another one.',
  })
}

/** @param {any} given @returns {unknown[]} */
function namesOf(given) {
  if (typeof given !== 'object' || given === null) return []
  return Array.isArray(given) ? given.map((pair) => pair?.[0]) : Object.keys(given)
}

/**
 * What is said, not what is undefined.
 * @param {any} source a `Request`, or an object of such fields, also of a platform's own
 * @returns {RequestInit & { duplex?: string }}
 */
function fieldsOf(source) {
  const entries = [...Object.entries(source ?? {}), ...FIELDS.map((name) => [name, source?.[name]])]
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/**
 * What is to be sent. A `Request` hands out its body as a stream or, in some browsers, not at all: it is
 * read whole, so that it goes out as the platform sends it, and can go out again.
 * @param {any} source
 * @returns {Promise<any>}
 */
async function bodyOf(source) {
  if (!isRequest(source)) return source?.body ?? undefined
  if (source.body === null || source.method === 'GET' || source.method === 'HEAD') return undefined
  const bytes = await source.arrayBuffer()
  return bytes.byteLength === 0 && source.body === undefined ? undefined : bytes
}

/** @param {unknown} value @returns {value is Request} */
function isRequest(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (/** @type {any} */ (value).url) === 'string' &&
    typeof (/** @type {any} */ (value).arrayBuffer) === 'function'
  )
}

/** Whether a body is gone once it is sent; Node also takes its own streams. @param {unknown} body */
function isStream(body) {
  return (
    typeof body === 'object' &&
    body !== null &&
    ('getReader' in body || Symbol.asyncIterator in body)
  )
}

/** @param {any} error @param {string} token @param {number} [depth] @returns {boolean} */
function shows(error, token, depth = 0) {
  if (!(error instanceof Error) || depth > 3) return false
  const text = `${error.message}\n${error.stack}`
  return text.includes(token) || shows(error.cause, token, depth + 1)
}
