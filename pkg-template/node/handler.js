// @ts-check
/** @import { IncomingMessage, ServerResponse } from 'node:http' */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * Binds a fetch-style handler to `node:http` and what is built on it (Express, Connect). Behind a body
 * parser it takes what that made (`req.body`); where the body was read and nothing is left of it, it
 * fails at once and says so.
 * @param {(request: Request) => Promise<Response> | Response} handler
 * @returns {(req: IncomingMessage, res: ServerResponse) => void}
 */
export function nodeHandler(handler) {
  return (req, res) => {
    answer(handler, req, res).catch((error) => {
      // The peer went away, or the handler failed: nothing of the error goes over the wire.
      if (!res.headersSent && !res.destroyed) plain(res, 500, 'the handler failed')
      else res.destroy(error instanceof Error ? error : undefined)
    })
  }
}

/**
 * @param {(request: Request) => Promise<Response> | Response} handler
 * @param {IncomingMessage} req
 * @param {ServerResponse} res
 */
async function answer(handler, req, res) {
  const controller = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) controller.abort()
  })
  const body = bodyOf(req)
  if (body === null) {
    plain(res, 500, 'the body was read before this handler: mount it before any body parser')
    return
  }
  const response = await handler(toRequest(req, body, controller.signal))
  res.statusCode = response.status
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') res.setHeader(name, value)
  })
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  if (response.body === null || req.method === 'HEAD') {
    await response.body?.cancel()
    res.end()
    return
  }
  await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), res)
}

/**
 * @param {IncomingMessage} req
 * @param {BodyInit | undefined} body
 * @param {AbortSignal} signal
 */
function toRequest(req, body, signal) {
  const isTls = 'encrypted' in req.socket && req.socket.encrypted === true
  const { originalUrl } = /** @type {{ originalUrl?: string }} */ (/** @type {unknown} */ (req))
  const host = req.headers.host ?? 'localhost'
  const url = new URL(`${isTls ? 'https' : 'http'}://${host}${originalUrl ?? req.url ?? '/'}`)
  const headers = new Headers()
  for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
    headers.append(req.rawHeaders[at] ?? '', req.rawHeaders[at + 1] ?? '')
  }
  return new Request(url, {
    method: req.method ?? 'GET',
    headers,
    signal,
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  })
}

/**
 * The body as the platform's `Request` takes it; `null` where it was read and is gone.
 * @param {IncomingMessage} req
 * @returns {BodyInit | undefined | null}
 */
function bodyOf(req) {
  if (req.method === 'GET' || req.method === 'HEAD') return undefined
  const { body } = /** @type {{ body?: unknown }} */ (/** @type {unknown} */ (req))
  if (typeof body === 'string' || body instanceof Uint8Array) return /** @type {BodyInit} */ (body)
  const isRead = req.readableEnded || req.readableDidRead
  if (isRead && typeof body === 'object' && body !== null) {
    const type = req.headers['content-type'] ?? ''
    return type.startsWith('application/x-www-form-urlencoded')
      ? new URLSearchParams(/** @type {Record<string, string>} */ (body)).toString()
      : JSON.stringify(body)
  }
  if (isRead) return null
  return /** @type {BodyInit} */ (/** @type {unknown} */ (Readable.toWeb(req)))
}

/**
 * @param {ServerResponse} res
 * @param {number} status
 * @param {string} text
 */
function plain(res, status, text) {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  res.end(`${text}\n`)
}
