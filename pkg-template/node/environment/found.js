// @ts-check
/** @import { Client, CredentialFields, Credential, Endpoints, TargetOption } from '../../types.js' */
import { AuthError } from '../../errors.js'

/**
 * What a source is asked with.
 * @typedef {object} Context
 * @property {Record<string, string | undefined>} env an empty variable is absent
 * @property {string} cwd
 * @property {Endpoints | 'private'} [endpoints] the caller's
 * @property {string} [binding]
 * @property {AbortSignal} [signal]
 */

/**
 * A credential, and what goes with it where the caller names none.
 * @typedef {object} Found
 * @property {string} where what to look at: a variable, a file, a binding
 * @property {Credential} credential
 * @property {CredentialFields} known what it is now
 * @property {'iam' | 'uaa'} [at] the only service that knows it
 * @property {Endpoints | 'private'} [endpoints]
 * @property {string} [region]
 * @property {TargetOption} [target]
 * @property {Client} [client]
 * @property {string} [note] what to know if the sign-in fails
 * @property {boolean} [isBorrowed]
 * @property {() => Promise<boolean>} [hasNewer]
 * @property {(refreshToken: string) => boolean} [gaveLast]
 */

/** What a source that has nothing lacks: never a value. @typedef {{ lacks: string }} Lacking */

/**
 * A source that is there but can't be used: it stops the search.
 * @param {string} message
 * @param {string} hint
 */
export function broken(message, hint) {
  return new AuthError({ code: 'invalid_input', message, hint })
}

/** A path or a name in a message: one line. @param {string} text */
export function shown(text) {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?')
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text that is not empty. @param {unknown} value */
export function textOf(value) {
  return typeof value === 'string' && value !== '' ? value : undefined
}
