// @ts-check
/** @import { AuthErrorCode, Candidate } from './types.js' */

const BRAND = Symbol.for('keyprotect-auth.AuthError')

/**
 * The one error of this package. `code` is stable and meant to be compared; `message` says what
 * happened and `hint` what to do, both for people. Neither ever holds a secret.
 */
export class AuthError extends Error {
  /**
   * @param {{
   *   code: AuthErrorCode, message: string, hint?: string, retryable?: boolean,
   *   retryAfterMs?: number, status?: number, serviceCode?: string, requestId?: string,
   *   candidates?: Candidate[], cause?: unknown,
   * }} fields
   */
  constructor(fields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.name = 'AuthError'
    /** @type {AuthErrorCode} */
    this.code = fields.code
    /** What to do about it. */
    this.hint = fields.hint ?? ''
    /** Whether the same call may succeed later without a change. */
    this.retryable = fields.retryable ?? false
    // Assigned only where there is something to say, so that a printed error stays short.
    /** How long the service asks to wait, in milliseconds. @type {number | undefined} */
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs
    /** The HTTP status, where a service answered. @type {number | undefined} */
    if (fields.status !== undefined) this.status = fields.status
    /** The service's own code, such as `BXNIM0415E`. @type {string | undefined} */
    if (fields.serviceCode !== undefined) this.serviceCode = fields.serviceCode
    /** What to quote to the service's support. @type {string | undefined} */
    if (fields.requestId !== undefined) this.requestId = fields.requestId
    /** For `ambiguous` those that fit. @type {Candidate[] | undefined} */
    if (fields.candidates !== undefined) this.candidates = fields.candidates
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/**
 * Whether a value is an `AuthError`, also one of another realm or of a second copy of this package.
 * @param {unknown} value
 * @returns {value is AuthError}
 */
export function isAuthError(value) {
  return typeof value === 'object' && value !== null && BRAND in value
}

/**
 * A copy of an error that shows no secret; the original may quote what was sent.
 * @param {any} error
 * @param {string[]} secrets
 * @returns {Error | undefined}
 */
export function struckOut(error, secrets, depth = 0) {
  if (!(error instanceof Error) || depth > 3) return undefined
  // The longest first: a short one may be a part of it.
  const longest = [...secrets].sort((one, other) => other.length - one.length)
  const strike = (/** @type {unknown} */ value) =>
    longest.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), String(value))
  try {
    const cause = struckOut(error.cause, secrets, depth + 1)
    const copy = new Error(strike(error.message), cause === undefined ? undefined : { cause })
    copy.name = strike(error.name)
    const { code } = /** @type {{ code?: unknown }} */ (error)
    return typeof code === 'string' ? Object.assign(copy, { code: strike(code) }) : copy
  } catch {
    // A getter of a foreign error threw: there is nothing to tell.
    return undefined
  }
}
