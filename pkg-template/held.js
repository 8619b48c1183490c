// @ts-check
/** @import { Clock, TokenKind } from './types.js' */
import { AuthError } from './errors.js'

/**
 * @typedef {{ wall: number, mono: number }} Instants
 * @typedef {{ look: Instants, end: Instants, minValidMs: number, lifeMs: number }} Lease
 */

/**
 * One token that is held, with the lease that the core made for it: `lookWall` and `lookMono` are
 * compared here, and only past them the core is asked.
 * @typedef {{
 *   accessToken: string, promise: Promise<string>, lookWall: number, lookMono: number, lease: Lease,
 *   tokenType: string, refreshToken?: string,
 * }} Held
 */

/**
 * @param {any} set a token set as the core gives it
 * @param {string} [oldRefreshToken] stays good where the answer holds no other
 * @returns {Held}
 */
export function heldOf(set, oldRefreshToken) {
  const { accessToken, tokenType, refreshToken = oldRefreshToken, lease } = set
  return {
    accessToken,
    promise: Promise.resolve(accessToken),
    lookWall: lease.look.wall,
    lookMono: lease.look.mono,
    lease,
    tokenType,
    refreshToken,
  }
}

/**
 * Whether both clocks say that nobody need look; one that fails says no.
 * @param {Held} held
 * @param {Clock} clock
 */
export function isFresh(held, clock) {
  try {
    return clock.now() < held.lookWall && clock.monotonic() < held.lookMono
  } catch {
    return false
  }
}

/**
 * Whether a token has ended, by either clock.
 * @param {Held} held
 * @param {Instants} now
 */
export function isOver({ lease: { end } }, { wall, mono }) {
  return !(wall < end.wall && mono < end.mono)
}

/**
 * Nothing changes for so long: callers need not look.
 * @param {Held} held
 * @param {Instants} now
 * @param {number} quietMs
 */
export function rest(held, { wall, mono }, quietMs) {
  held.lookWall = wall + quietMs
  held.lookMono = mono + quietMs
}

/**
 * Milliseconds since a token was asked for, by the clock that says more: the other stood still.
 * @param {Held | undefined} held
 * @param {Instants} now
 */
export function ageMs(held, { wall, mono }) {
  if (held === undefined) return 0
  const { end, lifeMs } = held.lease
  return Math.max(wall - end.wall, mono - end.mono) + lifeMs
}

const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/

/**
 * Whether an answer brought the very token that is held. A JWT ends when it ends, whatever the answer
 * around it says.
 * @param {Held | undefined} before
 * @param {{ accessToken: string } | undefined} set
 */
export function isSame(before, set) {
  return (
    before !== undefined && before.accessToken === set?.accessToken && JWT.test(set.accessToken)
  )
}

/** @param {TokenKind} kind */
export function noToken(kind) {
  return new AuthError({
    code: 'unavailable',
    message: `this login has no ${kind === 'iam' ? 'IAM' : 'UAA'} token`,
    hint:
      kind === 'iam'
        ? 'It signed in to a UAA: name an IAM in the option endpoints.'
        : 'The service gave none with this login, as IBM Cloud does today. For a Cloud Foundry of your own set endpoints.cf and iam: null.',
  })
}

/** @param {number} minValidMs */
export function tooShort(minValidMs) {
  return new AuthError({
    code: 'unavailable',
    message: `a new token lives less than minValidMs (${minValidMs} ms)`,
    hint: 'Ask for less.',
  })
}

export function overOnArrival() {
  return new AuthError({
    code: 'protocol',
    message: 'the new token had ended when it was there',
    hint: 'The answer took longer than the token lives; what stands between may hold answers back.',
  })
}

/** The ended token came again: from a cache. */
export function cached() {
  return new AuthError({
    code: 'protocol',
    message: 'the service answered with the token that has ended',
    hint: 'A cache answers in its place: token requests must not be cached.',
  })
}

export function givenOver() {
  return new AuthError({
    code: 'expired',
    message: 'the given token has ended',
    hint: 'Give a new one, or a function that does.',
  })
}
