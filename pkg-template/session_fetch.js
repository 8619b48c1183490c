// @ts-check
/** @import { Keeper, Plan } from './keeper.js' */
/** @import { TokenKind } from './types.js' */
import { isWorthAnother } from './again.js'
import { wrong } from './call.js'
import { AuthError } from './errors.js'

/**
 * The platform's `fetch`, with the session's headers, to the session's hosts only.
 * @param {Keeper} keeper
 * @param {Plan} plan
 * @param {RequestInfo | URL} input a path is Key Protect's
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export async function sessionFetch(keeper, plan, input, init = {}) {
  const request = isRequest(input) ? input : undefined
  const url = resolve(plan, request === undefined ? String(input) : request.url)
  const kind = tokenFor(keeper, plan, url)
  const headers = new Headers(init.headers ?? request?.headers)
  if (headers.has('authorization')) {
    throw new AuthError({
      code: 'invalid_input',
      message: 'the request has an Authorization header of its own',
      hint: 'session.fetch sets it; call the platform’s fetch to send another one.',
    })
  }
  if (isOf(plan.keyProtect, url)) {
    for (const [name, value] of Object.entries(plan.headers)) {
      if (!headers.has(name)) headers.set(name, value)
    }
  }
  const body = init.body ?? request?.body ?? undefined
  const signal = init.signal ?? request?.signal ?? undefined
  const call = {
    ...(request === undefined ? {} : { method: request.method }),
    ...init,
    ...(body === undefined ? {} : { body }),
    ...(isStream(body) ? { duplex: 'half' } : {}),
    signal,
    redirect: /** @type {RequestRedirect} */ ('manual'),
  }
  const doFetch = keeper.call.fetch ?? globalThis.fetch
  const send = async () => {
    const token = await keeper.token(kind, signal == null ? undefined : { signal })
    const all = { ...Object.fromEntries(headers), authorization: `Bearer ${token}` }
    return { token, answer: await doFetch(url.href, { ...call, headers: all }) }
  }

  const { token, answer } = await send()
  const isLast = answer.status !== 401 || isStream(body)
  if (isLast || !(await isWorthAnother(keeper, kind, token, signal)))
    return checked(answer, init, url)
  await answer.body?.cancel()
  return checked((await send()).answer, init, url)
}

/** @param {any} answer @param {RequestInit} init @param {URL} url */
function checked(answer, init, url) {
  const isRedirect =
    answer.type === 'opaqueredirect' || (answer.status >= 300 && answer.status < 400)
  if (!isRedirect || answer.status === 304 || init.redirect === 'manual') return answer
  throw new AuthError({
    code: 'protocol',
    message: `${url.origin}${url.pathname} answered with a redirect`,
    hint: 'Redirects are not followed, since they would carry the token elsewhere; pass redirect: "manual" to get the answer.',
    status: answer.status,
  })
}

/** @param {Plan} plan @param {string} text */
function resolve(plan, text) {
  if (text.startsWith('/') && !text.startsWith('//')) {
    if (plan.keyProtect === undefined) {
      throw new AuthError({
        code: 'unavailable',
        message: 'a path is Key Protect’s, and there is no Key Protect here',
        hint: 'Name it in the option endpoints.keyProtect, or give a whole address.',
      })
    }
    return new URL(plan.keyProtect + text)
  }
  if (!URL.canParse(text)) throw wrong('the address', 'a URL or a path')
  return new URL(text)
}

/** @param {Keeper} keeper @param {Plan} plan @param {URL} url @returns {TokenKind} */
function tokenFor(keeper, plan, url) {
  const uaa = [plan.cf, keeper.uaaEndpoint ?? plan.uaa]
  if (uaa.some((base) => isOf(base, url))) return 'uaa'
  if (isOf(plan.keyProtect, url)) return keeper.has('iam') ? 'iam' : 'uaa'
  if ([plan.iam, plan.resourceController, plan.accounts].some((base) => isOf(base, url)))
    return 'iam'
  throw new AuthError({
    code: 'invalid_input',
    message: `${url.origin} is none of the session’s hosts`,
    hint: 'The token goes to the hosts in endpoints only; call the platform’s fetch for others.',
  })
}

/** Whether an address lies below a service's. @param {string | undefined} base @param {URL} url */
function isOf(base, url) {
  if (base === undefined || url.username !== '' || url.password !== '') return false
  const { origin, pathname } = new URL(base)
  const folder = pathname.endsWith('/') ? pathname : `${pathname}/`
  return url.origin === origin && (url.pathname.startsWith(folder) || url.pathname === pathname)
}

/** @param {unknown} value @returns {value is Request} */
function isRequest(value) {
  return typeof value === 'object' && value !== null && 'url' in value && 'headers' in value
}

/** @param {unknown} body */
function isStream(body) {
  return typeof body === 'object' && body !== null && 'getReader' in body
}
