// @ts-check
/**
 * Credentials for IBM Key Protect's REST API. See `login`.
 */
import { callCore, given, makeIo, toAuthError } from './call.js'
import { isKnown, settle } from './credential.js'
import { Flight } from './flight.js'
import { Keeper } from './keeper.js'
import { loadCore } from './load.js'
import { aimedSession } from './session.js'
import { TokenSet } from './token_set.js'

export { AuthError, isAuthError } from './errors.js'
export { TokenSet } from './token_set.js'
/** @typedef {import('./session.js').Session} Session */
/**
 * @typedef {import('./types.js').ApiKeyCredential} ApiKeyCredential
 * @typedef {import('./types.js').AuthErrorCode} AuthErrorCode
 * @typedef {import('./types.js').CallOptions} CallOptions
 * @typedef {import('./types.js').Candidate} Candidate
 * @typedef {import('./types.js').Client} Client
 * @typedef {import('./types.js').Clock} Clock
 * @typedef {import('./types.js').Endpoints} Endpoints
 * @typedef {import('./types.js').FetchLike} FetchLike
 * @typedef {import('./types.js').InstanceNamed} InstanceNamed
 * @typedef {import('./types.js').Key} Key
 * @typedef {import('./types.js').PasscodeCredential} PasscodeCredential
 * @typedef {import('./types.js').PasswordCredential} PasswordCredential
 * @typedef {import('./types.js').RefreshTokenCredential} RefreshTokenCredential
 * @typedef {import('./types.js').Secret} Secret
 * @typedef {import('./types.js').Target} Target
 * @typedef {import('./types.js').TargetOption} TargetOption
 * @typedef {import('./types.js').Claims} Claims
 * @typedef {import('./types.js').Credential} Credential
 * @typedef {import('./types.js').ExchangeOptions} ExchangeOptions
 * @typedef {import('./types.js').FindOptions} FindOptions
 * @typedef {import('./types.js').Found} Found
 * @typedef {import('./types.js').FoundInstance} FoundInstance
 * @typedef {import('./types.js').LoginOptions} LoginOptions
 * @typedef {import('./types.js').Named} Named
 * @typedef {import('./load.js').WasmSource} WasmSource
 */

/**
 * Loads the wasm now, from elsewhere than beside this file where `source` says so. Optional: the first
 * call loads it.
 * @param {WasmSource} [source]
 * @returns {Promise<void>}
 * @throws {AuthError} `load_failed`
 */
export async function init(source) {
  await loadCore(source)
}

/**
 * Signs in, at once, so that a wrong credential fails here; then looks up the target, if one is given.
 *
 * Where there is an IAM, it goes to IAM alone, else to the UAA of the Cloud Foundry.
 * @param {Credential} credential
 * @param {LoginOptions} [options]
 * @returns {Promise<Session>}
 * @throws {AuthError}
 */
export async function login(credential, options) {
  const { target, ...rest } = options ?? {}
  const call = given(rest)
  const plan = await callCore('plan', {
    call: 'login',
    names: call.names,
    options: call.options,
    credential: isKnown(credential) ? await settle(credential) : undefined,
    wanted: target,
  })
  const keeper = new Keeper(credential, call, plan)
  await keeper.exchange(call.signal)
  return aimedSession(keeper, target, call.signal)
}

/**
 * Trades a credential for tokens, once; nothing is kept.
 * @param {Credential} credential
 * @param {ExchangeOptions} [options]
 * @returns {Promise<{ iam?: TokenSet, uaa?: TokenSet }>}
 * @throws {AuthError}
 */
export async function exchangeToken(credential, options) {
  const call = given(options)
  const settled = await settle(credential)
  const plan = await callCore('plan', {
    call: 'exchange',
    names: call.names,
    options: call.options,
    credential: settled,
  })
  const input = { options: call.options, credential: settled }
  const flight = new Flight((signal) => callCore('exchange', input, makeIo(call, plan, signal)), {
    isKept: !plan.reusable,
  })
  const { iam, uaa } = await flight.wait(call.signal)
  /** @type {{ iam?: TokenSet, uaa?: TokenSet }} */
  const tokens = {}
  if (iam !== undefined) tokens.iam = new TokenSet(iam)
  if (uaa !== undefined) tokens.uaa = new TokenSet(uaa)
  return tokens
}

/**
 * Finds a Cloud Foundry organization by name, with a UAA access token.
 * @param {string} name
 * @param {FindOptions} options
 * @returns {Promise<Found>}
 * @throws {AuthError} `not_found`, `forbidden`, `expired`
 */
export async function findOrg(name, options) {
  return find('findOrg', name, options, [])
}

/**
 * Finds a space by name in an organization, with a UAA access token.
 * @param {string} name
 * @param {FindOptions & { org: Named }} options
 * @returns {Promise<Found>}
 * @throws {AuthError} `not_found`, `forbidden`, `expired`
 */
export async function findSpace(name, options) {
  return find('findSpace', name, options, ['org'])
}

/**
 * Finds a Key Protect instance by name, with an IAM access token.
 * @param {string} name
 * @param {FindOptions & { resourceGroup?: string }} options `resourceGroup`: its id
 * @returns {Promise<FoundInstance>}
 * @throws {AuthError} `not_found`, `ambiguous` (`candidates`), `expired`
 */
export async function findInstance(name, options) {
  return find('findInstance', name, options, ['resourceGroup'])
}

/**
 * What a token says, unverified. With or without `Bearer ` before it.
 * @param {string} token
 * @returns {Promise<Claims>}
 * @throws {AuthError} `invalid_input` where it is no JWT
 */
export async function decodeToken(token) {
  const core = await loadCore()
  try {
    return JSON.parse(core.claims(String(token)))
  } catch (thrown) {
    throw toAuthError(thrown)
  }
}

/**
 * @param {'findOrg' | 'findSpace' | 'findInstance'} what
 * @param {unknown} name
 * @param {any} options
 * @param {string[]} own the options that only this call has
 * @returns {Promise<any>}
 */
async function find(what, name, options, own) {
  const taken = { token: options?.token }
  /** @type {Record<string, unknown>} */
  const rest = { ...options }
  for (const option of own) {
    Object.assign(taken, { [option]: rest[option] })
    delete rest[option]
  }
  const call = given(rest)
  const plan = await callCore('plan', { call: 'find', names: call.names, options: call.options })
  const input = { options: call.options, name, ...taken }
  const flight = new Flight((signal) => callCore(what, input, makeIo(call, plan, signal)))
  return flight.wait(call.signal)
}
