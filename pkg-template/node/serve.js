// @ts-check
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { nodeHandler } from './handler.js'

/**
 * Serves a fetch-style handler, on loopback unless `host` says otherwise.
 * @param {(request: Request) => Promise<Response> | Response} handler
 * @param {{ port?: number, host?: string, tls?: import('node:https').ServerOptions }} [options]
 *   `port` 0 takes a free one
 * @returns {Promise<{ url: string, close: () => Promise<void>, [Symbol.asyncDispose]: () => Promise<void> }>}
 */
export async function serve(handler, { port = 0, host = '127.0.0.1', tls } = {}) {
  const listener = nodeHandler(handler)
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(undefined))
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const name = host.includes(':') ? `[${host}]` : host
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  }
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${bound}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}
