/**
 * IAM's answers: headers, the error shape, and who the client is. Also what the token endpoint and
 * the passcode endpoint have in common.
 */

import {
  authorization,
  basicParts,
  FORM_TYPE,
  formDecode,
  json,
  mediaType,
  Refusal,
  repeated,
  stranger,
} from './http.js'

/** @import { Call, Handler, Reply } from './types.js' */

const REQUEST_TYPES = /** @type {Record<string, string>} */ ({
  '/identity/token': 'incoming.Identity_Token',
  '/oidc/token': 'incoming.OIDC_Token',
  '/identity/passcode': 'incoming.Identity_Passcode',
})

/** The client of a call without any client authentication. */
export const DEFAULT_CLIENT = 'default'

/**
 * @param {Call} call
 * @param {number} status
 * @param {unknown} value
 * @returns {Reply}
 */
export function iamJson(call, status, value) {
  return json(status, value, iamHeaders(call, requestId(call)))
}

/**
 * @param {Call} call
 * @param {number} status
 * @param {string} errorCode `BXNIM…E`
 * @param {string} errorMessage
 * @param {string} [errorDetails]
 * @returns {Reply}
 */
export function iamError(call, status, errorCode, errorMessage, errorDetails) {
  const id = requestId(call)
  const time = stamp(call.world.now())
  const context = {
    requestId: id,
    requestType: REQUEST_TYPES[call.path] ?? 'incoming.Identity_Other',
    userAgent: call.headers.get('user-agent') ?? 'unknown',
    url: call.origin,
    instanceId: 'emulator',
    threadId: 'emulator',
    host: 'emulator',
    startTime: time,
    endTime: time,
    elapsedTime: '0',
    locale: 'en_US',
    clusterName: 'emulator',
  }
  const details = errorDetails === undefined ? {} : { errorDetails }
  return json(status, { errorCode, errorMessage, ...details, context }, iamHeaders(call, id))
}

/** @type {Handler} */
export const unknownPath = (call) =>
  iamError(call, 404, 'BXNIM0060E', 'Web application exception', 'HTTP 404 Not Found')

/** @type {Handler} */
export const wrongMethod = (call) =>
  iamError(call, 405, 'BXNIM0060E', 'Web application exception', 'HTTP 405 Method Not Allowed')

/**
 * @param {Call} call
 * @param {string} property
 */
export function missing(call, property) {
  return new Refusal(
    iamError(
      call,
      400,
      'BXNIM0109E',
      'Property missing or empty',
      `The property '${property}' is missing or empty.`,
    ),
  )
}

/**
 * @param {Call} call
 * @param {string} message
 * @param {string} [details]
 */
export function notValid(call, message, details) {
  return new Refusal(iamError(call, 400, 'BXNIM0106E', message, details))
}

/**
 * Reads the form of a token or passcode request: right type, nothing twice, nothing in the query.
 * @param {Call} call
 * @returns {URLSearchParams}
 */
export function readForm(call) {
  if (authorization(call.headers).scheme === 'bearer') {
    const details = 'A token request takes no bearer token; Basic with the client id is wanted.'
    throw new Refusal(iamError(call, 401, 'BXNIM0308E', 'No authorization header found', details))
  }
  if (mediaType(call.headers) !== FORM_TYPE) {
    const details = 'HTTP 415 Unsupported Media Type'
    throw new Refusal(iamError(call, 415, 'BXNIM0060E', 'Web application exception', details))
  }
  const form = new URLSearchParams(call.body)
  const [inQuery] = call.query.keys()
  if (call.world.loose) {
    for (const [name, value] of call.query) form.append(name, value)
  } else if (inQuery !== undefined) {
    throw notValid(call, `${inQuery}: not in the query`, 'Strict: it would end in logs.')
  }
  const twice = repeated(form)
  if (twice !== undefined && !call.world.loose) throw notValid(call, `${twice}: given twice`)
  return form
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {readonly string[]} known
 */
export function refuseStrangers(call, form, known) {
  const name = call.world.loose ? undefined : stranger(form, known)
  if (name !== undefined) {
    throw notValid(call, `${name}: unknown here`, 'Strict: not a parameter, or not emulated.')
  }
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {string} name
 */
export function required(call, form, name) {
  const value = form.get(name)
  if (!value) throw missing(call, name)
  return value
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {{ wanted?: boolean }} [options] refuse a call without client authentication
 * @returns {string} the client's id
 */
export function clientOf(call, form, { wanted = false } = {}) {
  const { scheme, value } = authorization(call.headers)
  const inForm = form.get('client_id')
  const given =
    scheme === 'basic'
      ? basicParts(value)
      : inForm !== null && { id: inForm, secret: form.get('client_secret') ?? '' }
  if (scheme !== '' && !given) throw unknownClient(call)
  if (!given) {
    if (!wanted) return DEFAULT_CLIENT
    throw new Refusal(iamError(call, 401, 'BXNIM0308E', 'No authorization header found'))
  }
  // IBM's clients send the parts raw, the standard form-encodes them: both are let in.
  const client = call.data.clients.find(
    ({ service, clientId, clientSecret = '' }) =>
      service === 'iam' &&
      [given.id, formDecode(given.id)].includes(clientId) &&
      [given.secret, formDecode(given.secret)].includes(clientSecret),
  )
  if (!client || (inForm !== null && inForm !== client.clientId)) throw unknownClient(call)
  return client.clientId
}

/** @param {Call} call */
function unknownClient(call) {
  return new Refusal(iamError(call, 400, 'BXNIM0310E', 'Client id or client secret is not valid'))
}

/** @param {Call} call */
function requestId({ headers, world }) {
  return headers.get('x-correlation-id') || world.guid('request')
}

/**
 * @param {Call} call
 * @param {string} id
 */
function iamHeaders({ headers, world }, id) {
  return {
    'Transaction-Id': id,
    'X-Correlation-Id': id,
    'X-Request-Id': headers.get('x-request-id') || world.guid('request'),
    'Content-Language': 'en-US',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Expires: '0',
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
  }
}

/**
 * @param {number} instant
 * @returns {string} as IAM writes times: `dd.mm.yyyy hh:mm:ss:SSS UTC`
 */
function stamp(instant) {
  const [, year, month, day, time, ms] =
    /^(\d+)-(\d+)-(\d+)T([\d:]+)\.(\d+)Z$/.exec(new Date(instant).toISOString()) ?? []
  return `${day}.${month}.${year} ${time}:${ms} UTC`
}
