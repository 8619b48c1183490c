// @ts-check
/** @import { Credential } from './types.js' */
import { wrong } from './call.js'
import { AuthError, struckOut } from './errors.js'

/** Fields that may be given as a function, called at each exchange. */
const SECRETS = [
  'apiKey',
  'password',
  'passcode',
  'refreshToken',
  'clientSecret',
  'assertion',
  'crToken',
  'iamToken',
  'uaaToken',
]

/**
 * The credential as plain values: functions called, what is undefined left out. A pair that changes
 * together is one function for the whole, so that a name never meets the password of the next.
 * @param {Credential} credential
 * @returns {Promise<Record<string, unknown>>}
 */
export async function settle(credential) {
  const fields =
    typeof credential === 'function' ? await ask('the credential', credential) : credential
  if (typeof fields !== 'object' || fields === null) throw wrong('the credential', 'an object')
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  const settled = entries.map(async ([name, value]) => {
    if (typeof value !== 'function') return [name, value]
    if (!SECRETS.includes(name)) {
      throw new AuthError({
        code: 'invalid_input',
        message: `${name} can’t be a function`,
        hint: 'Give a function for the whole credential: what changes together is asked together.',
      })
    }
    return [name, await ask(name, value)]
  })
  return Object.fromEntries(await Promise.all(settled))
}

/**
 * Whether what is given to check a login before anything is asked: a function's value is not known yet.
 * @param {Credential} credential
 */
export function isKnown(credential) {
  return (
    typeof credential !== 'function' &&
    !Object.values(credential ?? {}).some((value) => typeof value === 'function')
  )
}

/** Functions of this package: their errors are for the caller as they are. @type {WeakSet<Function>} */
const OURS = new WeakSet()

/**
 * @template {Function} F
 * @param {F} give
 * @returns {F}
 */
export function ours(give) {
  OURS.add(give)
  return give
}

/** @param {string} name @param {() => unknown} give @returns {Promise<any>} */
async function ask(name, give) {
  try {
    return await give()
  } catch (thrown) {
    if (OURS.has(give)) throw thrown
    throw new AuthError({
      code: 'invalid_input',
      message: `the function for ${name} failed`,
      hint: 'Its own error is the cause.',
      cause: struckOut(thrown, []),
    })
  }
}
