// @ts-check
/** @import { Keeper, Plan } from './keeper.js' */
/** @import { Origin } from './sign_in.js' */
/** @import { Claims, Key, InstanceNamed, Named, Source, Target, TargetOption, TokenKind } from './types.js' */
import { callPlan, checkNames, toAuthError, wrong } from './call.js'
import { loadedCore } from './load.js'
import { ask, findInstance, findOrg, findSpace, lookUp, optionsAt } from './lookups.js'
import { sessionFetch } from './session_fetch.js'
import { storeKeyOf, writeKey } from './store_key.js'

/** A target whose names are looked up. @typedef {import('./lookups.js').Aim} Aim */

/**
 * A login: hands out tokens and headers that are good now, renewing them where needed. Made by
 * `login`; holds no secret that can be printed.
 */
export class Session {
  #keeper
  #aim
  #plan
  #toHeaders
  #storeKey

  /**
   * @param {Keeper} keeper
   * @param {Aim} aim
   * @param {Plan} plan what the core makes of the aim
   * @param {string} storeKey
   */
  constructor(keeper, aim, plan, storeKey) {
    this.#keeper = keeper
    this.#aim = aim
    this.#plan = plan
    const { headers } = plan
    const isBare = Object.keys(headers).length === 0
    /** @type {(token: string) => Record<string, string>} */
    this.#toHeaders = isBare
      ? (token) => ({ Authorization: `Bearer ${token}` })
      : (token) => ({ Authorization: `Bearer ${token}`, ...headers })
    this.#storeKey = storeKey
  }

  /**
   * The IAM access token, renewed first where needed.
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options] `minValidMs`: how long it must
   *   still live; 60 000, at most a fifth of its life
   * @returns {Promise<string>}
   * @throws {AuthError} `unavailable` where the login has none
   */
  iamToken(options) {
    return this.#keeper.token('iam', options)
  }

  /**
   * The Cloud Foundry UAA access token, renewed first where needed.
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options]
   * @returns {Promise<string>}
   * @throws {AuthError} `unavailable` where the login has none
   */
  uaaToken(options) {
    return this.#keeper.token('uaa', options)
  }

  /**
   * Both tokens with `Bearer ` before them, as `bx iam oauth-tokens` prints them.
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<{ iam?: string, uaa?: string }>} what there is of them
   */
  async oauthTokens(options) {
    checkNames(options, ['signal'])
    this.#keeper.checkOpen()
    /** @type {{ iam?: string, uaa?: string }} */
    const tokens = {}
    if (this.#keeper.has('iam')) tokens.iam = `Bearer ${await this.iamToken(options)}`
    if (this.#keeper.has('uaa')) tokens.uaa = `Bearer ${await this.uaaToken(options)}`
    return tokens
  }

  /**
   * What Key Protect wants: `Authorization`, and by target `Bluemix-Instance`, or `Bluemix-Org` with
   * `Bluemix-Space`. A fresh plain object each time.
   * @param {{ token?: TokenKind, signal?: AbortSignal }} [options] `token`: IAM's where there is one
   * @returns {Promise<Record<string, string>>}
   */
  headers(options) {
    if (options === undefined) return this.#keeper.token(this.#defaultKind()).then(this.#toHeaders)
    return this.#headersOf(options)
  }

  /** @param {{ token?: TokenKind, signal?: AbortSignal }} options */
  async #headersOf(options) {
    return this.#toHeaders(await this.#keeper.token(this.#kind(options), only(options.signal)))
  }

  #defaultKind() {
    return this.#keeper.has('iam') ? 'iam' : 'uaa'
  }

  /** @param {{ token?: TokenKind }} options @returns {TokenKind} */
  #kind(options) {
    checkNames(options, ['token', 'signal'])
    const { token = this.#defaultKind() } = options
    if (token !== 'iam' && token !== 'uaa') throw wrong('token', '"iam" or "uaa"')
    return token
  }

  /**
   * Key Protect's keys, page by page: the proof that the credentials work.
   * @param {{ limit?: number, signal?: AbortSignal }} [options] `limit`: at most so many keys
   * @returns {AsyncGenerator<Key, void, undefined>}
   * @throws {AuthError} `invalid_input` without an instance or a space as target, `forbidden`
   */
  async *keys(options) {
    checkNames(options, ['limit', 'signal'])
    const { limit, signal } = options ?? {}
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
      throw wrong('limit', 'a whole number from 0 on')
    }
    let offset = 0
    while (limit === undefined || offset < limit) {
      const left = limit === undefined ? undefined : limit - offset
      const input = { target: this.#aim, offset, limit: left }
      const page = await ask(this.#keeper, 'listKeys', this.#defaultKind(), input, signal)
      const keys = /** @type {{ resources?: Key[] }} */ (JSON.parse(page.text)).resources ?? []
      yield* limit === undefined ? keys : keys.slice(0, limit - offset)
      offset += page.count
      if (!page.more) return
    }
  }

  /**
   * The GUID of an organization; of the target's without a name.
   * @param {Named} [org]
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<string>}
   * @throws {AuthError} `not_found`
   */
  async orgGuid(org = this.#aim.org ?? '', options) {
    checkNames(options, ['signal'])
    return (await findOrg(this.#keeper, org, options?.signal)).guid
  }

  /**
   * The GUID of a space.
   * @param {Named} [space] the target's without it
   * @param {{ org?: Named, signal?: AbortSignal }} [options] `org`: the target's without it
   * @returns {Promise<string>}
   * @throws {AuthError} `not_found`, `invalid_input` without any org
   */
  async spaceGuid(space = this.#aim.space ?? '', options) {
    checkNames(options, ['org', 'signal'])
    const org = options?.org ?? this.#aim.org
    return (await findSpace(this.#keeper, space, org, options?.signal)).guid
  }

  /**
   * The GUID of a Key Protect instance, from the Resource Controller.
   * @param {InstanceNamed} [instance] the target's without it
   * @param {{ resourceGroup?: string, signal?: AbortSignal }} [options] `resourceGroup`: its id
   * @returns {Promise<string>}
   * @throws {AuthError} `not_found`, `ambiguous` (`candidates`)
   */
  async instanceGuid(instance = this.#aim.instance ?? '', options) {
    checkNames(options, ['resourceGroup', 'signal'])
    const { resourceGroup, signal } = options ?? {}
    const found = await findInstance(this.#keeper, instance, resourceGroup, signal)
    return found.guid
  }

  /**
   * A session with another target, on the same tokens (GUIDs and CRNs send nothing); or one in another
   * account, by a refresh grant, without the target: that lies in the account before.
   * @param {TargetOption | { account: string }} target
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Session>}
   */
  async with(target, options) {
    checkNames(options, ['signal'])
    const { signal } = options ?? {}
    const keeper = this.#keeper
    if (typeof target === 'object' && target !== null && 'account' in target) {
      checkNames(target, ['account'])
      const account = { ...keeper.call.options, account: target.account ?? null }
      const plan = await callPlan({ options: account })
      const storeKey = await storeKeyOf({ ...plan, keyParts: undefined })
      const other = await keeper.inAccount(target.account, storeKey, signal)
      return new Session(other, {}, plan, storeKey)
    }
    await callPlan({ options: keeper.call.options, wanted: target ?? null })
    return aimedSession(keeper, target, this.#storeKey, signal)
  }

  /**
   * The platform's `fetch`, with the session's headers, to the session's hosts only; a path is Key
   * Protect's. Once more with a fresh token on 401, where the body can be sent again.
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   * @throws {AuthError} for a failed token, an unknown host (`invalid_input`), a redirect (`protocol`);
   *   the request itself rejects as the platform's does
   */
  fetch = (input, init) => sessionFetch(this.#keeper, this.#plan, input, init)

  /**
   * What IBM's SDKs take as `authenticator`: it sets `Authorization` alone.
   * @returns {{ authenticate: (request: { headers?: object }) => Promise<void>, authenticationType: () => string }}
   */
  authenticator() {
    return {
      authenticate: async (request) => {
        const token = await this.#keeper.token(this.#defaultKind())
        // In another case it would be a second header beside ours.
        const others = Object.entries(request.headers ?? {}).filter(
          ([name]) => name.toLowerCase() !== 'authorization',
        )
        request.headers = { ...Object.fromEntries(others), Authorization: `Bearer ${token}` }
      },
      authenticationType: () => (this.#defaultKind() === 'iam' ? 'iam' : 'bearerToken'),
    }
  }

  /**
   * What the current token says of its holder, unverified; where the login has ended, what the last one
   * said.
   * @param {{ token?: TokenKind, signal?: AbortSignal }} [options]
   * @returns {Promise<Claims>}
   * @throws {AuthError} `invalid_input` where the token is no JWT
   */
  async claims(options = {}) {
    const kind = this.#kind(options)
    const token = await this.#keeper.token(kind, only(options.signal)).catch((error) => {
      // Whose it was, a token says also when it has ended and no other can be had.
      if (error.code !== 'expired') throw error
      return this.#keeper.current(kind)
    })
    try {
      return JSON.parse(loadedCore().claims(token))
    } catch (thrown) {
      throw toAuthError(thrown)
    }
  }

  /**
   * When the tokens that are held end and are due, in milliseconds since the epoch. Nothing is sent.
   * @returns {{ iam?: { expiresAt: number, dueAt: number }, uaa?: { expiresAt: number, dueAt: number } }}
   */
  tokens() {
    return this.#keeper.times()
  }

  /**
   * Renews now, also where a refused credential is held back.
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<void>}
   */
  async refresh(options) {
    checkNames(options, ['signal'])
    await this.#keeper.refresh(options?.signal)
  }

  /**
   * A one-time passcode, to sign in elsewhere as this user (IAM).
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<string>}
   * @throws {AuthError} `unavailable` where the login has no IAM refresh token
   */
  async passcode(options) {
    checkNames(options, ['signal'])
    return this.#keeper.passcode(options?.signal)
  }

  /**
   * Signs out: revokes what the services can revoke, clears the store, and forgets. Later calls reject
   * with `expired`, those under way with `aborted`.
   * @returns {Promise<void>}
   */
  async logout() {
    await this.#keeper.close({ revoke: true })
  }

  /** Forgets here only; nothing is sent. */
  async [Symbol.asyncDispose]() {
    await this.#keeper.close({ revoke: false })
  }

  /** Names the login and its target for `resume`, in the store that it was made with. No secret. */
  get key() {
    return writeKey(this.#storeKey, this.#aim, this.#keeper.isBorrowed)
  }

  /**
   * Where the credential came from: a kind of source, where that is, and what the sources before it
   * lacked.
   * @returns {Source}
   */
  get source() {
    const { source } = /** @type {Origin} */ (this.#keeper.call.origin)
    return structuredClone(source)
  }

  /**
   * What the session is aimed at and whose it is, as far as it is known. Nothing is sent.
   * @returns {Target}
   */
  target() {
    const { user, account } = this.#keeper.holder()
    const { region, cf, keyProtect } = this.#plan
    const all = { api: cf ?? keyProtect, region, user, account, ...this.#aim }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  }

  /** Printing a session as JSON tells its target. */
  toJSON() {
    return this.target()
  }
}

/**
 * A session aimed at a target, its names looked up first.
 * @param {Keeper} keeper
 * @param {TargetOption | undefined} target
 * @param {string} storeKey
 * @param {AbortSignal} [signal]
 */
export async function aimedSession(keeper, target, storeKey, signal) {
  const aim = target === undefined ? {} : await lookUp(keeper, target, signal)
  const plan = await callPlan({ options: optionsAt(keeper, aim), target: aim })
  return new Session(keeper, aim, plan, storeKey)
}

/** @param {AbortSignal} [signal] */
function only(signal) {
  return signal && { signal }
}
