// @ts-check
/** @import { Errand, Given } from './call.js' */
/** @import { Plan } from './keeper.js' */
/**
 * Credentials for IBM Key Protect's REST API. See `login`.
 *
 * @import { Origin } from './sign_in.js'
 */
import { callCore, callPlan, given, makeIo, toAuthError, wrong } from './call.js'
import { isKnown, settle } from './credential.js'
import { AuthError } from './errors.js'
import { aborted, Flight } from './flight.js'
import { Keeper } from './keeper.js'
import { loadCore } from './load.js'
import { Session } from './session.js'
import { signIn } from './sign_in.js'
import { readKey } from './store_key.js'
import { TokenSet } from './token_set.js'

export { AuthError, isAuthError } from './errors.js'
export { Session } from './session.js'
export { memoryStore } from './stores/memory.js'
export { TokenSet } from './token_set.js'
export { verifyToken } from './verify.js'
/**
 * @typedef {import('./types.js').ApiKeyCredential} ApiKeyCredential
 * @typedef {import('./types.js').AuthEvent} AuthEvent
 * @typedef {import('./types.js').ResumeOptions} ResumeOptions
 * @typedef {import('./types.js').Source} Source
 * @typedef {import('./types.js').SourceKind} SourceKind
 * @typedef {import('./types.js').Store} Store
 * @typedef {import('./types.js').StoreLock} StoreLock
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
 * @typedef {import('./types.js').ClientCredential} ClientCredential
 * @typedef {import('./types.js').AssertionCredential} AssertionCredential
 * @typedef {import('./types.js').ComputeResourceCredential} ComputeResourceCredential
 * @typedef {import('./types.js').GivenTokens} GivenTokens
 * @typedef {import('./types.js').Profile} Profile
 * @typedef {import('./types.js').AssumedProfile} AssumedProfile
 * @typedef {import('./types.js').Credential} Credential
 * @typedef {import('./types.js').ExchangeOptions} ExchangeOptions
 * @typedef {import('./types.js').FindOptions} FindOptions
 * @typedef {import('./types.js').Found} Found
 * @typedef {import('./types.js').FoundInstance} FoundInstance
 * @typedef {import('./types.js').LoginOptions} LoginOptions
 * @typedef {import('./types.js').Named} Named
 * @typedef {import('./types.js').VerifyOptions} VerifyOptions
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
  return signIn(credential, options, { source: { kind: 'given', where: 'the call', tried: [] } })
}

/**
 * The session that `session.key` named, with its newest tokens and its target. Sends nothing.
 * @param {string} key
 * @param {ResumeOptions} options those of the login; with `credential` it can sign in again
 * @returns {Promise<Session>}
 * @throws {AuthError} `expired` where the store has nothing for the key
 */
export async function resume(key, options) {
  const { credential, ...rest } = options ?? {}
  const { storeKey, aim, isBorrowed } = readKey(key)
  /** @type {Origin} */
  const origin = { source: { kind: 'store', where: 'the store', tried: [] }, isBorrowed }
  const call = { ...given(rest), origin }
  if (call.store === undefined) throw wrong('store', 'given')
  const { names, options: values } = call
  const known =
    credential !== undefined && isKnown(credential) ? await settle(credential) : undefined
  const plan = await callPlan({
    call: 'resume',
    names,
    options: values,
    credential: known,
    target: aim,
  })
  const keeper = new Keeper(credential, call, plan, storeKey)
  await keeper.isStored()
  if (!keeper.has('iam') && !keeper.has('uaa')) {
    if (credential === undefined) {
      throw new AuthError({
        code: 'expired',
        message: 'the store has no login under this key',
        hint: 'Sign in again.',
      })
    }
    await keeper.exchange(call.signal)
  }
  return new Session(keeper, aim, plan, storeKey)
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
  const plan = await callPlan({
    call: 'exchange',
    names: call.names,
    options: call.options,
    credential: settled,
  })
  const input = { options: call.options, credential: settled }
  const { iam, uaa } = await once('exchange', input, call, plan, !plan.reusable)
  /** @type {{ iam?: TokenSet, uaa?: TokenSet }} */
  const tokens = {}
  // It would renew the identity that signed in, not the profile that it assumed.
  if (iam !== undefined && settled.assume !== undefined) delete iam.refreshToken
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
 * The page where a person gets a one-time passcode: what `{ passcode }` signs in with.
 * @param {CallOptions} [options]
 * @returns {Promise<string>}
 * @throws {AuthError} `unavailable` without an IAM or a UAA
 */
export async function passcodeUrl(options) {
  const call = given({ ...options })
  const plan = await callPlan({ call: 'passcodeUrl', names: call.names, options: call.options })
  return (await once('passcodeUrl', { options: call.options }, call, plan)).page
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
  const plan = await callPlan({ call: 'find', names: call.names, options: call.options })
  return once(what, { options: call.options, name, ...taken }, call, plan)
}

/**
 * Has the core do an errand that nobody else waits for.
 * @param {Errand} name
 * @param {Record<string, unknown>} input
 * @param {Given} call
 * @param {Plan} plan
 * @param {boolean} [isKept] it spends something: never aborted
 */
async function once(name, input, call, plan, isKept = false) {
  if (call.signal?.aborted) throw aborted(call.signal)
  const work = (/** @type {AbortSignal} */ signal) =>
    callCore(name, input, makeIo(call, plan, signal))
  return new Flight(work, { isKept }).wait(call.signal)
}
