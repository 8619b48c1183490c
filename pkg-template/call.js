// @ts-check
/** @import { Origin } from './sign_in.js' */
/** @import { AuthEvent, CallOptions, Clock, FetchLike, Store } from './types.js' */
import { AuthError } from './errors.js'
import { loadCore, loadedCore } from './load.js'
import { Io, systemClock } from './platform.js'

/** Options that are plain values and enter the core. */
const VALUES = /** @type {const} */ ([
  'region',
  'endpoints',
  'uaa',
  'account',
  'client',
  'timeoutMs',
  'retries',
])

/**
 * What a call was given, taken apart: values for the core, functions for the platform.
 * @typedef {{ names: string[], options: Record<string, unknown>, fetch?: FetchLike, clock: Clock,
 *   signal?: AbortSignal, onEvent?: (event: AuthEvent) => void, store?: Store, origin?: Origin }} Given
 */

/**
 * @param {CallOptions & Record<string, unknown>} [options]
 * @returns {Given}
 */
export function given(options = {}) {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object')
  const names = Object.keys(options).filter((name) => options[name] !== undefined)
  /** @type {Record<string, unknown>} */
  const values = {}
  for (const name of VALUES) {
    if (options[name] !== undefined) values[name] = options[name]
  }
  if (typeof values.endpoints === 'object' && values.endpoints !== null) {
    values.endpoints = addresses(values.endpoints)
  }
  const { fetch, clock = systemClock, signal, onEvent, store } = options
  if (onEvent !== undefined && typeof onEvent !== 'function') throw wrong('onEvent', 'a function')
  checkStore(store)
  if (fetch !== undefined && typeof fetch !== 'function') throw wrong('fetch', 'a function')
  const ticks = ['now', 'monotonic', 'sleep']
  if (!ticks.every((name) => typeof (/** @type {any} */ (clock)?.[name]) === 'function')) {
    throw wrong('clock', '{ now, monotonic, sleep }')
  }
  checkSignal(signal)
  const kept = /** @type {Store | undefined} */ (store)
  return { names, options: values, fetch, clock, signal, onEvent, store: kept }
}

/** @param {any} store */
function checkStore(store) {
  const calls = ['get', 'set', 'delete']
  if (store !== undefined && !calls.every((name) => typeof store?.[name] === 'function')) {
    throw wrong('store', '{ get, set, delete, lock? }')
  }
}

/** @param {unknown} signal */
export function checkSignal(signal) {
  const isSignal =
    typeof signal === 'object' &&
    signal !== null &&
    'aborted' in signal &&
    'addEventListener' in signal
  if (signal !== undefined && !isSignal) throw wrong('signal', 'an AbortSignal')
}

/**
 * The platform's `URL` reads addresses, the core judges what it read. Undefined is as if left out.
 * @param {object} endpoints
 */
function addresses(endpoints) {
  const entries = Object.entries(endpoints).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const isAddress = typeof value === 'string' || value instanceof URL
      return [name, isAddress ? address(String(value)) : value]
    }),
  )
}

/**
 * An address as it was written, and as the platform reads it.
 * @param {string} raw
 */
export function address(raw) {
  return URL.canParse(raw) ? { raw, href: new URL(raw).href } : { raw }
}

/**
 * @typedef {'exchange' | 'findOrg' | 'findSpace' | 'findInstance' | 'listKeys' | 'passcode' | 'passcodeUrl'
 *   | 'keepAlive' | 'revoke' | 'issuerKeys'} Errand
 */

/**
 * Has the core do an errand. What it rejects with becomes an `AuthError`.
 * @param {Errand} name
 * @param {Record<string, unknown>} input
 * @param {Io} io
 * @returns {Promise<any>}
 */
export async function callCore(name, input, io) {
  const core = await loadCore()
  try {
    return await core.call(name, toText(input), io)
  } catch (thrown) {
    throw toAuthError(thrown, io)
  }
}

/**
 * What the core makes of options, credential and target.
 * @param {Record<string, unknown>} input
 * @returns {Promise<import('./keeper.js').Plan>}
 */
export async function callPlan(input) {
  const core = await loadCore()
  try {
    return core.plan(toText(input))
  } catch (thrown) {
    throw toAuthError(thrown)
  }
}

/**
 * Has the core decide something at once; after a login or a plan it is always loaded.
 * @param {'judge' | 'settle' | 'readRecord' | 'writeRecord' | 'holder' | 'pickKeys' | 'verifiedClaims'} name
 * @param {Record<string, unknown>} input
 * @returns {any}
 */
export function callLoaded(name, input) {
  try {
    return loadedCore().decide(name, toText(input))
  } catch (thrown) {
    throw toAuthError(thrown)
  }
}

/**
 * @param {Given} call
 * @param {{ timeoutMs: number }} plan
 * @param {AbortSignal} [signal]
 */
export function makeIo(call, plan, signal) {
  const { fetch, clock, onEvent } = call
  return new Io({ fetch, clock, timeoutMs: plan.timeoutMs, signal, onEvent })
}

/** @param {unknown} input */
export function toText(input) {
  try {
    return JSON.stringify(input)
  } catch {
    throw new AuthError({
      code: 'invalid_input',
      message: 'a value of the call can’t be written as JSON',
      hint: 'Give plain texts, numbers and objects.',
    })
  }
}

/**
 * @param {any} thrown
 * @param {Io} [io]
 */
export function toAuthError(thrown, io) {
  if (thrown instanceof AuthError) return thrown
  if (typeof thrown?.code !== 'string' || typeof thrown.message !== 'string') {
    return new AuthError({
      code: 'protocol',
      message: 'the core failed',
      hint: 'This is a fault of keyprotect-auth: please report it.',
    })
  }
  return new AuthError({ ...thrown, cause: thrown.code === 'network' ? io?.thrown : undefined })
}

/** @param {string} name @param {string} wanted */
export function wrong(name, wanted) {
  return new AuthError({
    code: 'invalid_input',
    message: `${name} is not ${wanted}`,
    hint: 'See its documentation.',
  })
}

/**
 * Refuses options of a method that it does not have.
 * @param {object | undefined} options
 * @param {string[]} known
 */
export function checkNames(options, known) {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object')
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !known.includes(name)) {
      throw new AuthError({
        code: 'invalid_input',
        message: `there is no option "${name}" here`,
        hint: `Known are ${known.join(', ')}.`,
      })
    }
  }
  if ('signal' in options) checkSignal(options.signal)
}
