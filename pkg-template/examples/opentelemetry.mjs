// @ts-check
/**
 * Turns what a session tells into OpenTelemetry spans, with `@opentelemetry/api` alone:
 *
 *     import { trace } from '@opentelemetry/api'
 *     import { login } from 'keyprotect-auth'
 *     import { spans } from './opentelemetry.mjs'
 *
 *     const onEvent = spans(trace.getTracer('keyprotect-auth'))
 *     const session = await login({ apiKey: process.env.IBMCLOUD_API_KEY }, { onEvent })
 *
 * or, in Node, for all sessions of the process:
 *
 *     import { subscribe } from 'node:diagnostics_channel'
 *     subscribe('keyprotect-auth', spans(trace.getTracer('keyprotect-auth')))
 *
 * Attributes have the names of OpenTelemetry's semantic conventions for HTTP where those have one. Events
 * are told when a thing has ended, so spans stand side by side below the span that is active then.
 */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'

/** @import { Attributes, Tracer } from '@opentelemetry/api' */
/** @import { AuthEvent } from 'keyprotect-auth' */

/**
 * @param {Tracer} tracer
 * @returns {(event: any) => void} what `onEvent` takes
 */
export function spans(tracer) {
  return (/** @type {AuthEvent} */ event) => {
    const { name, kind = SpanKind.INTERNAL, attributes } = described(event)
    const end = Date.now()
    const start = end - ('durationMs' in event ? event.durationMs : 0)
    const span = tracer.startSpan(name, { kind, attributes, startTime: start })
    const error = errorType(event)
    if (error !== undefined) {
      span.setAttribute('error.type', error)
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end(end)
  }
}

/**
 * @param {AuthEvent} event
 * @returns {{ name: string, kind?: SpanKind, attributes: Attributes }}
 */
function described(event) {
  if (event.type === 'request') return request(event)
  const { type, ...rest } = event
  const attributes = Object.fromEntries(
    Object.entries(rest)
      .filter(([field]) => field !== 'durationMs' && field !== 'code')
      .map(([field, value]) => [`keyprotect_auth.${snake(field)}`, value]),
  )
  return { name: `keyprotect-auth ${type}`, attributes }
}

/** @param {Extract<AuthEvent, { type: 'request' }>} event */
function request({ service, method, endpoint, resend, status, requestId }) {
  const { origin, hostname, port, protocol } = new URL(endpoint)
  const path = endpoint.slice(origin.length)
  return {
    // The path has no ids in it, so that it can stand in a name.
    name: `${method} ${path}`,
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': method,
      'http.request.resend_count': resend || undefined,
      'http.response.status_code': status,
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'url.full': endpoint,
      'url.template': path,
      'keyprotect_auth.service': service,
      'keyprotect_auth.request_id': requestId,
    },
  }
}

/** The convention's `error.type`: our code, else the status. @param {AuthEvent} event */
function errorType(event) {
  if ('code' in event) return event.code
  const isRefused = event.type === 'request' && event.status !== undefined && event.status >= 400
  return isRefused ? String(event.status) : undefined
}

/** @param {string} camel */
function snake(camel) {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
