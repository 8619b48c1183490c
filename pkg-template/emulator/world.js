/**
 * What the services remember between requests: logins, passcodes, browser sessions, wrong
 * passwords. Ids come from the seed and a count, so that equal runs give equal bytes.
 */

import { codeFrom, guidFrom, hex32 } from './derive.js'

/** @import { EmulatorData } from './types.js' */

/**
 * What a refresh token stands for.
 * @typedef {object} Login
 * @property {string} clientId
 * @property {string} owner IAM: `iam_id`; UAA: `user_id`
 * @property {number} endsAt
 * @property {string} [account] IAM
 * @property {string} [apiKey] IAM: the key that made it, whose account is fixed
 * @property {string} [sessionId] IAM
 * @property {string[]} [scope] UAA
 * @property {string} [revocationSignature] UAA
 * @property {number} [authTime] UAA, seconds
 */

/**
 * An access token that UAA keeps: an opaque one, or a JWT that says `revocable`.
 * @typedef {object} StoredToken
 * @property {string} jwt
 * @property {string} clientId
 * @property {string} [owner] `user_id`; a client's own token has none
 */

/**
 * @typedef {object} Passcode
 * @property {string} owner `user_id`
 * @property {number} endsAt
 * @property {('iam' | 'uaa')[]} services that take it
 */

/**
 * @typedef {object} World
 * @property {EmulatorData} data
 * @property {boolean} loose
 * @property {boolean} cors
 * @property {() => number} now the services' clock, milliseconds since the epoch
 * @property {(kind: string) => string} id 32 hexadecimal digits, never the same
 * @property {(kind: string) => string} guid
 * @property {(kind: string) => string} code 32 characters
 * @property {Map<string, Login>} iamLogins by refresh token
 * @property {Map<string, Login>} uaaLogins by refresh token
 * @property {Map<string, StoredToken>} uaaTokens access tokens by `jti`
 * @property {Map<string, Passcode>} passcodes by code
 * @property {Map<string, string>} sessions browser sessions: cookie → `user_id`
 * @property {Map<string, number[]>} failures wrong passwords in a row at UAA: `user_id` → instants
 * @property {() => void} forget
 */

/**
 * @param {{ data: EmulatorData, loose: boolean, cors: boolean, now: () => number }} parts
 * @returns {World}
 */
export function createWorld({ data, loose, cors, now }) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  /** @param {string} kind */
  const next = (kind) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return count
  }
  /** @type {World} */
  const world = {
    data,
    loose,
    cors,
    now,
    id: (kind) => hex32(data.seed, 'issued', kind, next(kind)),
    guid: (kind) => guidFrom(data.seed, 'issued', kind, next(kind)),
    code: (kind) => codeFrom(data.seed, 'issued', kind, next(kind)),
    iamLogins: new Map(),
    uaaLogins: new Map(),
    uaaTokens: new Map(),
    passcodes: new Map(),
    sessions: new Map(),
    failures: new Map(),
    forget() {
      counts.clear()
      for (const memory of [
        world.iamLogins,
        world.uaaLogins,
        world.uaaTokens,
        world.passcodes,
        world.sessions,
        world.failures,
      ]) {
        memory.clear()
      }
    },
  }
  return world
}
