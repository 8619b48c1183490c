// What a UAA answers, request by request, pinned in one list: it runs against the real server and
// against the emulator, so that the two cannot drift apart.

import { endpointContract } from './uaa-contract-endpoints.mjs'
import { grantContract } from './uaa-contract-grants.mjs'
import { contractKit } from './uaa-contract-kit.mjs'

/** @typedef {import('./uaa-contract-kit.mjs').Client} Client */
/** @typedef {import('./uaa-contract-kit.mjs').User} User */

/**
 * @typedef {object} ContractOptions
 * @property {(name: string, options: { skip?: string | false }, run: () => Promise<void>) => unknown} test
 * @property {string} url
 * @property {(url: string, init: object) => Promise<Response>} fetch
 * @property {User} user
 * @property {() => Promise<string>} passcode a new one-time passcode of `user`
 * @property {4 | 77} [generation]
 * @property {Client} [client] password and refresh grant, the empty secret
 * @property {Client} [otherClient] another one of this kind
 * @property {Client} [machine] client credentials alone
 * @property {Client} [bearer] JWT bearer alone
 * @property {Client} [oddClient] client credentials, odd characters in id and secret, uaa.resource
 * @property {User} [spareUser] is locked afterwards
 */

/**
 * Registers the contract's tests. A case whose client or user is not given is skipped by name.
 * @param {ContractOptions} options
 * @returns {Promise<unknown>}
 */
export function uaaContract(options) {
  const kit = contractKit(options)
  grantContract(kit, options)
  endpointContract(kit, options)
  return Promise.all(kit.registered)
}
