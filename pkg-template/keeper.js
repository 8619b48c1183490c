// @ts-check
/** @import { Given } from './call.js' */
/** @import { Credential, TokenKind } from './types.js' */
import { callCore, checkNames, makeIo } from './call.js'
import { settle } from './credential.js'
import { AuthError } from './errors.js'
import { Flight } from './flight.js'

/**
 * One token that is held, with the lease that the core made for it: `look` is compared here, and
 * only past it the core is asked.
 * @typedef {{
 *   promise: Promise<string>, lookWall: number, lookMono: number, lease: { lifeMs: number },
 *   refreshToken?: string, user?: string, account?: string,
 * }} Held
 */

/**
 * What the core makes of options, credential and target. `reusable` is absent where the credential
 * is not known before it is asked for.
 * @typedef {{
 *   timeoutMs: number, reusable?: boolean, headers: Record<string, string>, keyProtect?: string,
 *   cf?: string, region: string,
 * }} Plan
 */

/** Holds the tokens of one login, and renews them: one exchange at a time, however many ask. */
export class Keeper {
  /** @type {Credential | undefined} */
  #credential
  #isReusable
  #call
  #plan
  /** @type {Held | undefined} */
  #iam
  /** @type {Held | undefined} */
  #uaa
  /** @type {Flight<void> | undefined} */
  #flight
  /** What an exchange found out, so that the next one need not ask. @type {{ uaaEndpoint?: string }} */
  #known = {}

  /**
   * @param {Credential} credential
   * @param {Given} call
   * @param {Plan} plan
   */
  constructor(credential, call, plan) {
    this.#credential = credential
    // What is asked for anew at each exchange can always be used again.
    this.#isReusable = plan.reusable ?? true
    this.#call = call
    this.#plan = plan
  }

  /** The options of the login, for lookups on its tokens. */
  get call() {
    return this.#call
  }

  get plan() {
    return this.#plan
  }

  /** @param {TokenKind} kind */
  has(kind) {
    return (kind === 'iam' ? this.#iam : this.#uaa) !== undefined
  }

  /** Whom the tokens belong to, as far as they say. */
  holder() {
    return {
      user: this.#iam?.user ?? this.#uaa?.user,
      account: this.#iam?.account,
    }
  }

  /**
   * The access token. While it is fresh this is one comparison on each clock, and the same promise.
   * @param {TokenKind} kind
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options]
   * @returns {Promise<string>}
   */
  token(kind, options) {
    const held = kind === 'iam' ? this.#iam : this.#uaa
    if (held !== undefined && options === undefined) {
      const { clock } = this.#call
      if (clock.now() < held.lookWall && clock.monotonic() < held.lookMono) return held.promise
    }
    return this.#renewed(kind, options)
  }

  /**
   * @param {TokenKind} kind
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options]
   */
  async #renewed(kind, options = {}) {
    checkNames(options, ['minValidMs', 'signal'])
    const { minValidMs, signal } = options
    if (await this.#isGood(kind, minValidMs)) return this.#promise(kind)
    if (!this.has(kind)) throw noToken(kind)
    await this.exchange(signal)
    if (!this.has(kind)) throw noToken(kind)
    if (minValidMs !== undefined && !(await this.#isGood(kind, minValidMs))) {
      throw new AuthError({
        code: 'unavailable',
        message: `a new token lives less than minValidMs (${minValidMs} ms)`,
        hint: 'Ask for less.',
      })
    }
    return this.#promise(kind)
  }

  /** @param {TokenKind} kind @returns {Promise<string>} */
  #promise(kind) {
    const held = kind === 'iam' ? this.#iam : this.#uaa
    return held === undefined ? Promise.reject(noToken(kind)) : held.promise
  }

  /** @param {TokenKind} kind @param {number} [minValidMs] @returns {Promise<boolean>} */
  async #isGood(kind, minValidMs) {
    const held = kind === 'iam' ? this.#iam : this.#uaa
    if (held === undefined) return false
    const { clock } = this.#call
    const { lease } = held
    return callCore('isGood', {
      lease,
      wall: clock.now(),
      mono: clock.monotonic(),
      minValidMs,
    })
  }

  /**
   * Signs in or renews; whoever comes meanwhile waits for the same exchange.
   * @param {AbortSignal} [signal] ends this wait alone
   */
  exchange(signal) {
    this.#flight ??= this.#takeOff()
    return this.#flight.wait(signal)
  }

  #takeOff() {
    // What is good only once may be spent by the exchange: that is never given up half-way.
    const isKept = !this.#isReusable || this.#refreshToken() !== undefined
    const flight = new Flight((signal) => this.#run(signal), { isKept })
    const land = () => {
      this.#flight = undefined
    }
    flight.done.then(land, land)
    return flight
  }

  #refreshToken() {
    return this.#iam === undefined ? this.#uaa?.refreshToken : this.#iam.refreshToken
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    const io = makeIo(this.#call, this.#plan, signal)
    const refreshToken = this.#refreshToken()
    if (refreshToken !== undefined) {
      const canSignInAgain = this.#credential !== undefined
      const exchanged = await this.#ask({ refreshToken, canSignInAgain }, io)
      if (!exchanged.signInAgain) return this.#keep(exchanged)
    }
    if (this.#credential === undefined) {
      throw new AuthError({
        code: 'expired',
        message: 'the login has ended, and what it was made with is good only once',
        hint: 'Sign in again.',
      })
    }
    const credential = await settle(this.#credential)
    return this.#keep(await this.#ask({ credential }, io))
  }

  /** @param {Record<string, unknown>} input @param {import('./platform.js').Io} io */
  #ask(input, io) {
    return callCore('exchange', { options: this.#call.options, ...this.#known, ...input }, io)
  }

  /** @param {any} exchanged */
  #keep({ iam, uaa, uaaEndpoint, uaaAsked, byRefresh }) {
    this.#iam = held(iam, byRefresh ? this.#iam : undefined)
    this.#uaa = held(uaa, byRefresh ? this.#uaa : undefined)
    if (uaaEndpoint !== undefined) this.#known = { uaaEndpoint }
    // IAM refused the asking for a UAA token: it is not asked again.
    if (!uaaAsked) this.#call = { ...this.#call, options: { ...this.#call.options, uaa: false } }
    // What is good only once is of no more use, and need not lie around.
    if (!this.#isReusable) this.#credential = undefined
  }
}

/**
 * @param {any} set
 * @param {Held} [before]
 * @returns {Held | undefined}
 */
function held(set, before) {
  if (set === undefined) return undefined
  const { accessToken, refreshToken = before?.refreshToken, lease, holder } = set
  return {
    promise: Promise.resolve(accessToken),
    lookWall: lease.look.wall,
    lookMono: lease.look.mono,
    lease,
    refreshToken,
    ...holder,
  }
}

/** @param {TokenKind} kind */
function noToken(kind) {
  return new AuthError({
    code: 'unavailable',
    message: `this login has no ${kind === 'iam' ? 'IAM' : 'UAA'} token`,
    hint:
      kind === 'iam'
        ? 'It signed in to a UAA: name an IAM in the option endpoints.'
        : 'The service gave none with this login, as IBM Cloud does today. For a Cloud Foundry of your own set endpoints.cf and iam: null.',
  })
}
