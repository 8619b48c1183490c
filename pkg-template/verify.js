// @ts-check
/** @import { Given } from './call.js' */
/** @import { Instants } from './held.js' */
/** @import { Claims, VerifyOptions } from './types.js' */
import { address, callCore, callLoaded, callPlan, given, makeIo } from './call.js'
import { AuthError } from './errors.js'
import { aborted, Flight } from './flight.js'
import { Policy } from './policy.js'

/**
 * A key as the core read it; `imported` once it was used, `undefined` in it where the platform refuses it.
 * @typedef {{ alg: 'RS256' | 'ES256', kid?: string, jwk: JsonWebKey,
 *   imported?: Promise<CryptoKey | undefined> }} Key
 */
/** @typedef {{ keys: Key[], read: Instants, again?: Instants, hasFailed?: boolean }} Kept */
/**
 * What is kept of an issuer: its keys, the reading under way, and why the last one again failed.
 * @typedef {{ kept?: Kept, flight?: Flight<Kept>, failure?: AuthError }} Entry
 */

const ALGORITHMS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
}

/** Names come from callers, who may take them from requests: a bound. */
const MOST_ISSUERS = 100

/**
 * By `fetch`, since what one of them says of an issuer must not speak for another.
 * @type {WeakMap<object, Map<string, Entry>>}
 */
const caches = new WeakMap()

/**
 * The claims of a token, once its signature, its issuer and its times are checked. With or without
 * `Bearer ` before it.
 *
 * RS256 and ES256 with the keys that the issuer publishes (OpenID Connect Discovery); they are kept for
 * 24 hours at most, and read again for a key that is not among them, once a minute at most.
 * @param {string} token
 * @param {VerifyOptions} options `issuer` as the token's `iss` has it; one of `audience` must fit, if given
 * @returns {Promise<Claims>}
 * @throws {AuthError} `expired`; `invalid_credentials` names what failed; `invalid_input` where it is no
 *   JWT; a failed reading of the keys has its own code
 */
export async function verifyToken(token, options) {
  const call = given({ ...options })
  const plan = await callPlan({ call: 'verify', names: call.names, options: call.options })
  const { issuer, audience } = options ?? {}
  const subject = { token, issuer: address(issuer), audience }
  const entry = entryOf(call, String(issuer))
  const policy = new Policy(call.clock)
  /** @param {'first' | 'again'} reading */
  const read = (reading) => {
    entry.flight ??= startReading(entry, reading, policy, (signal) => {
      const { timeoutMs } = plan
      // More tries would be more requests than one a minute.
      const limits = reading === 'again' ? { timeoutMs, retries: 0 } : { timeoutMs }
      const input = { options: limits, issuer: subject.issuer }
      return callCore('issuerKeys', input, makeIo(call, plan, signal))
    })
    return entry.flight.wait(call.signal)
  }
  if (call.signal?.aborted) throw aborted(call.signal)
  const { keys, ...pick } = await pickKeys(subject, entry, policy, read)
  const signature = await isSignedByOne(keys, pick)
  if (call.signal?.aborted) throw aborted(call.signal)
  const { wall } = policy.checkedNow()
  return JSON.parse(callLoaded('verifiedClaims', { ...subject, signature, wall }))
}

/** @param {Given} call @param {string} issuer @returns {Entry} */
function entryOf({ fetch }, issuer) {
  const by = fetch ?? globalThis.fetch ?? {}
  const entries = caches.get(by) ?? new Map()
  caches.set(by, entries)
  const entry = entries.get(issuer) ?? {}
  // The one that was not asked for longest is the first in the map.
  entries.delete(issuer)
  entries.set(issuer, entry)
  for (const oldest of entries.keys()) {
    if (entries.size <= MOST_ISSUERS) break
    entries.delete(oldest)
  }
  return entry
}

/**
 * The keys that the token may be signed with, read first where the core says so.
 * @param {Record<string, unknown>} subject
 * @param {Entry} entry
 * @param {Policy} policy
 * @param {(reading: 'first' | 'again') => Promise<Kept>} read
 * @returns {Promise<{ keys: Key[], alg: 'RS256' | 'ES256', signed: string, signature: string }>}
 */
async function pickKeys(subject, entry, policy, read) {
  let { kept } = entry
  let isFresh = false
  for (;;) {
    const known = kept && {
      ...kept,
      keys: kept.keys.map(({ alg, kid }) => ({ alg, kid })),
      isFresh,
    }
    const pick = callLoaded('pickKeys', { ...subject, kept: known, ...policy.checkedNow() })
    if (pick.waitMs !== undefined) throw failedBefore(entry.failure, pick.waitMs)
    if (pick.again === undefined) {
      return { ...pick, keys: pick.keys.map((/** @type {number} */ place) => kept?.keys[place]) }
    }
    kept = await read(pick.again ? 'again' : 'first')
    isFresh = true
  }
}

/**
 * One reading for all who wait; it is never aborted, since its result is for those too who come later.
 * @param {Entry} entry
 * @param {'first' | 'again'} reading
 * @param {Policy} policy
 * @param {(signal: AbortSignal) => Promise<{ keys: Key[] }>} ask
 * @returns {Flight<Kept>}
 */
function startReading(entry, reading, policy, ask) {
  const now = policy.now()
  const { kept } = entry
  const again = reading === 'again' ? now : undefined
  const work = async (/** @type {AbortSignal} */ signal) => {
    try {
      const { keys } = await ask(signal)
      entry.kept = { keys, read: now, again }
      return entry.kept
    } catch (error) {
      if (reading === 'again' && kept !== undefined) {
        // What is known stays good.
        entry.kept = { ...kept, again, hasFailed: true }
        entry.failure = /** @type {AuthError} */ (error)
      }
      throw error
    } finally {
      entry.flight = undefined
    }
  }
  return new Flight(work, { isKept: true })
}

/**
 * The failure of the last reading, as it stands until the next.
 * @param {AuthError | undefined} failure
 * @param {number} retryAfterMs
 */
function failedBefore(failure, retryAfterMs) {
  const { code = 'protocol', message = '', hint, retryable, status, requestId } = failure ?? {}
  return new AuthError({ code, message, hint, retryable, status, requestId, retryAfterMs })
}

/**
 * @param {Key[]} keys
 * @param {{ alg: 'RS256' | 'ES256', signed: string, signature: string }} pick
 * @returns {Promise<boolean | undefined>} `undefined` where none of the keys can be used
 */
async function isSignedByOne(keys, { alg, signed, signature }) {
  if (globalThis.crypto?.subtle === undefined) {
    throw new AuthError({
      code: 'unavailable',
      message: 'there is no Web Crypto here',
      hint: 'A page has it on https and on localhost only.',
    })
  }
  const bytes = Uint8Array.from(atob(signature), (char) => char.charCodeAt(0))
  const text = new TextEncoder().encode(signed)
  /** @type {boolean | undefined} */
  let found
  for (const key of keys) {
    // A key whose numbers make no key is like none.
    key.imported ??= crypto.subtle
      .importKey('jwk', key.jwk, ALGORITHMS[alg], false, ['verify'])
      .catch(() => undefined)
    const imported = await key.imported
    if (imported === undefined) continue
    found = await crypto.subtle.verify(ALGORITHMS[alg], imported, bytes, text).catch(() => false)
    if (found) return true
  }
  return found
}
