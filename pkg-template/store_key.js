// @ts-check
/** @import { Aim } from './lookups.js' */
/** @import { Plan } from './keeper.js' */
import { wrong } from './call.js'

/**
 * The key of a login in a store: the hash of what the core says makes two logins the same, written as
 * JSON, so that no two join to the same; random where that would be the hash of a weak secret.
 * @param {Plan} plan
 * @returns {Promise<string>}
 */
export async function storeKeyOf({ keyParts }) {
  // Pages that are not a secure context have no hash.
  if (keyParts === undefined || crypto.subtle === undefined) {
    return `r${hex(crypto.getRandomValues(new Uint8Array(16)))}`
  }
  const text = new TextEncoder().encode(JSON.stringify(keyParts))
  return `h${hex(new Uint8Array(await crypto.subtle.digest('SHA-256', text)))}`
}

/**
 * `session.key`: the key in the store, and the target.
 * @param {string} storeKey
 * @param {Aim} aim
 * @param {boolean} [isBorrowed] still so when it is resumed
 */
export function writeKey(storeKey, aim, isBorrowed) {
  const bytes = new TextEncoder().encode(JSON.stringify(aim))
  const text = btoa(String.fromCharCode(...bytes))
  const plain = text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  return `${storeKey}.${plain}${isBorrowed ? '.b' : ''}`
}

/**
 * @param {string} key
 * @returns {{ storeKey: string, aim: Aim, isBorrowed: boolean }}
 */
export function readKey(key) {
  const [, storeKey, text, borrowed] =
    /^([hr][0-9a-f]{32,64})\.([\w-]+)(\.b)?$/.exec(String(key)) ?? []
  if (storeKey === undefined || text === undefined)
    throw wrong('the key', 'one that session.key gave')
  let aim
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    )
    aim = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // What can't be read is no target.
  }
  if (typeof aim !== 'object' || aim === null) throw wrong('the key', 'one that session.key gave')
  return { storeKey, aim, isBorrowed: borrowed !== undefined }
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
