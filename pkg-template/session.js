// @ts-check
/** @import { Keeper, Plan } from './keeper.js' */
/** @import { Key, InstanceNamed, Named, Target, TargetOption, TokenKind } from './types.js' */
import { callCore, checkNames, makeIo, wrong } from './call.js'

/** A target whose names are looked up. @typedef {Pick<Target, 'org' | 'space' | 'instance'>} Aim */

/**
 * A login: hands out tokens and headers that are good now, renewing them where needed. Made by
 * `login`; holds no secret that can be printed.
 */
export class Session {
  #keeper
  #aim
  #plan
  #headers

  /**
   * @param {Keeper} keeper
   * @param {Aim} aim
   * @param {Plan} plan what the core makes of the aim
   */
  constructor(keeper, aim, plan) {
    this.#keeper = keeper
    this.#aim = aim
    this.#plan = plan
    this.#headers = plan.headers
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
  async headers(options) {
    const kind = options === undefined ? this.#defaultKind() : this.#kind(options)
    const token = await this.#keeper.token(kind, options?.signal && { signal: options.signal })
    return { Authorization: `Bearer ${token}`, ...this.#headers }
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
      const page = await this.#call('listKeys', { target: this.#aim, offset, limit: left }, signal)
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
   * A session with another target, on the same tokens. GUIDs and CRNs send nothing.
   * @param {TargetOption} target
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Session>}
   */
  async with(target, options) {
    checkNames(options, ['signal'])
    await callCore('plan', { options: this.#keeper.call.options, wanted: target ?? null })
    return aimedSession(this.#keeper, target, options?.signal)
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

  /**
   * @param {'listKeys'} name
   * @param {Record<string, unknown>} input
   * @param {AbortSignal} [signal]
   */
  async #call(name, input, signal) {
    const keeper = this.#keeper
    const token = await keeper.token(this.#defaultKind(), signal && { signal })
    const { options } = keeper.call
    return callCore(name, { options, token, ...input }, makeIo(keeper.call, keeper.plan, signal))
  }
}

/**
 * A session aimed at a target, its names looked up first.
 * @param {Keeper} keeper
 * @param {TargetOption | undefined} target
 * @param {AbortSignal} [signal]
 */
export async function aimedSession(keeper, target, signal) {
  const aim = target === undefined ? {} : await lookUp(keeper, target, signal)
  const plan = await callCore('plan', { options: keeper.call.options, target: aim })
  return new Session(keeper, aim, plan)
}

/**
 * @param {Keeper} keeper
 * @param {TargetOption} target
 * @param {AbortSignal} [signal]
 * @returns {Promise<Aim>}
 */
async function lookUp(keeper, target, signal) {
  const { instance, org, space } = target
  if (instance !== undefined) {
    return { instance: await findInstance(keeper, instance, undefined, signal) }
  }
  const foundOrg = await findOrg(keeper, org, signal)
  if (space === undefined) return { org: foundOrg }
  return { org: foundOrg, space: await findSpace(keeper, space, foundOrg, signal) }
}

/** @param {Keeper} keeper @param {Named} name @param {AbortSignal} [signal] */
function findOrg(keeper, name, signal) {
  return find(keeper, 'findOrg', 'uaa', name, {}, signal)
}

/**
 * @param {Keeper} keeper
 * @param {Named} name
 * @param {Named | undefined} org
 * @param {AbortSignal} [signal]
 */
function findSpace(keeper, name, org, signal) {
  return find(keeper, 'findSpace', 'uaa', name, { org }, signal)
}

/**
 * @param {Keeper} keeper
 * @param {InstanceNamed} name
 * @param {string | undefined} resourceGroup
 * @param {AbortSignal} [signal]
 */
function findInstance(keeper, name, resourceGroup, signal) {
  return find(keeper, 'findInstance', 'iam', name, { resourceGroup }, signal)
}

/**
 * What is given as an object keeps what it says beside the GUID.
 * @param {Keeper} keeper
 * @param {'findOrg' | 'findSpace' | 'findInstance'} call
 * @param {TokenKind} kind
 * @param {unknown} name
 * @param {Record<string, unknown>} input
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ guid: string, name: string }>}
 */
async function find(keeper, call, kind, name, input, signal) {
  const isText = typeof name === 'string'
  // Only a name is asked for, and only asking needs a token.
  const token = isText ? await keeper.token(kind, signal && { signal }) : undefined
  const { options } = keeper.call
  const io = makeIo(keeper.call, keeper.plan, signal)
  const found = await callCore(call, { options, token, name, ...input }, io)
  return isText ? found : { .../** @type {object} */ (name), ...found }
}
