// @ts-check
/** @import { Given } from './call.js' */
/** @import { Plan } from './keeper.js' */
/** @import { AuthEvent, Clock, Credential } from './types.js' */
import { callCore, makeIo } from './call.js'
import { settle } from './credential.js'
import { AuthError } from './errors.js'
import { tell } from './events.js'

/** What a login was made with, what its exchanges found out, and its errands at the services. */
export class Login {
  /** @type {Credential | undefined} */
  #credential
  #isReusable
  #call
  #plan
  /**
   * So that the next exchange need not ask, and assumes the same profile. No secret.
   * @type {{ uaaEndpoint?: string, assume?: unknown }}
   */
  #known = {}
  /** Its tokens are the caller's own. */
  #isGiven = false
  /** What its exchanges tell. @type {(event: AuthEvent) => void} */
  #tell

  /**
   * @param {Credential | undefined} credential
   * @param {Given} call
   * @param {Plan} plan
   */
  constructor(credential, call, plan) {
    this.#credential = credential
    // What is asked for anew at each exchange can always be used again.
    this.#isReusable = plan.reusable ?? credential !== undefined
    this.#call = call
    this.#plan = plan
    this.#tell = (event) => tell(call.onEvent, event)
  }

  get call() {
    return this.#call
  }

  get plan() {
    return this.#plan
  }

  get known() {
    return this.#known
  }

  /** Whether it is another's: forgotten, never revoked. */
  get isBorrowed() {
    return this.#isGiven || this.#call.origin?.isBorrowed === true
  }

  /** Whether an exchange of the credential may spend it. */
  get spends() {
    // Nothing is known of what a function will give.
    if (!this.#isReusable || typeof this.#credential !== 'object') return true
    const { passcode, refreshToken } = this.#credential
    return passcode !== undefined || refreshToken !== undefined
  }

  /**
   * By the refresh token, if there is one; by the credential if that is refused, or if the service
   * fails on it while no token is good.
   * @param {{ refreshToken?: string, isAnyGood: boolean, checkWanted: () => void, clock: Clock, signal: AbortSignal }} with_
   * @returns {Promise<{ exchanged: any, refreshToken?: string }>} with the refresh token that was sent
   */
  async exchange({ refreshToken, isAnyGood, checkWanted, clock, signal }) {
    const io = makeIo({ ...this.#call, clock }, this.#plan, signal)
    // Whose login is borrowed may have renewed it: that one's token goes before what is held.
    const isOld = refreshToken !== undefined && (await this.#call.origin?.hasNewer?.())
    if (refreshToken !== undefined && !isOld) {
      const exchanged = await this.#renew(refreshToken, isAnyGood, io)
      if (exchanged !== undefined) {
        this.#tellStale(exchanged, refreshToken)
        return { exchanged, refreshToken }
      }
    }
    if (this.#credential === undefined) {
      throw new AuthError({
        code: 'expired',
        message: 'the login has ended, and what it was made with is good only once',
        hint: 'Sign in again.',
      })
    }
    const credential = await settle(this.#credential)
    checkWanted()
    const exchanged = await this.#ask({ credential }, io)
    // A profile goes with the tokens that it got.
    this.#known = { ...this.#known, assume: credential.assume }
    const { refreshToken: sent } = credential
    if (typeof sent !== 'string') return { exchanged }
    this.#tellStale(exchanged, sent)
    return { exchanged, refreshToken: sent }
  }

  /**
   * Another refresh token came for the one that a CLI's file holds: its copy may be dead now.
   * @param {any} exchanged
   * @param {string} sent
   */
  #tellStale({ iam, uaa }, sent) {
    const { origin } = this.#call
    const { refreshToken = sent } = iam ?? uaa ?? {}
    if (refreshToken === sent || !origin?.gaveLast?.(sent)) return
    const { kind, where } = origin.source
    this.#tell({ type: 'source', kind, where, isStale: true })
  }

  /**
   * @param {string} refreshToken
   * @param {boolean} isAnyGood
   * @param {import('./platform.js').Io} io
   * @returns {Promise<any>} undefined where it is the credential’s turn
   */
  async #renew(refreshToken, isAnyGood, io) {
    // A borrowed login was just read: it has nothing to offer but what was refused.
    const hasCredential = this.#credential !== undefined && !this.isBorrowed
    // A service that fails is no reason to send the credential while a token is good.
    const canSignInAgain = hasCredential && !isAnyGood
    try {
      const exchanged = await this.#ask({ refreshToken, canSignInAgain }, io)
      return exchanged.signInAgain ? undefined : exchanged
    } catch (/** @type {any} */ error) {
      if (hasCredential && error.code === 'expired') return undefined
      throw error
    }
  }

  /** @param {Record<string, unknown>} input @param {import('./platform.js').Io} io */
  #ask(input, io) {
    return callCore('exchange', { options: this.#call.options, ...this.#known, ...input }, io)
  }

  /**
   * Takes in what an exchange found out.
   * @param {{ uaaEndpoint?: string, assume?: unknown, uaaAsked?: boolean, isGiven?: boolean }} found
   */
  learn({ uaaEndpoint, assume, uaaAsked = true, isGiven = this.#isGiven }) {
    this.#isGiven = isGiven
    if (uaaEndpoint !== undefined) this.#known = { ...this.#known, uaaEndpoint }
    if (assume !== undefined) this.#known = { ...this.#known, assume }
    // IAM refused the asking for a UAA token: it is not asked again.
    if (!uaaAsked) this.#call = { ...this.#call, options: { ...this.#call.options, uaa: false } }
  }

  /** What is good only once is of no more use, and need not lie around. */
  used() {
    if (!this.#isReusable) this.#credential = undefined
  }

  forget() {
    this.#credential = undefined
  }

  /** The same in another account, which is reached by a refresh token. @param {string} account */
  inAccount(account) {
    if (this.#known.assume !== undefined) {
      throw new AuthError({
        code: 'invalid_input',
        message: 'the login assumes a trusted profile, which is of one account',
        hint: 'Sign in with the profile of the other account.',
      })
    }
    const call = { ...this.#call, options: { ...this.#call.options, account } }
    const plan = { ...this.#plan, reusable: this.#isReusable }
    return { credential: this.#credential, call, plan, known: this.#known }
  }

  /**
   * @param {{ iam?: object, uaa?: object }} tokens
   * @returns {Promise<boolean>} whether a service took it; a failure must not fail the sign-out, and what
   *   is borrowed is still its owner’s
   */
  async revoke(tokens) {
    if (this.isBorrowed) return false
    const input = { options: this.#call.options, ...this.#known, tokens }
    return callCore('revoke', input, makeIo(this.#call, this.#plan)).then(
      ({ taken }) => taken > 0,
      () => false,
    )
  }

  /**
   * IAM ends a login that lies idle; one that can’t repeat itself is worth a word now and then.
   * @param {string} accessToken
   * @param {Clock} clock
   */
  keepAlive(accessToken, clock) {
    if (this.#credential !== undefined && !this.isBorrowed) return
    const input = { options: this.#call.options, token: accessToken }
    callCore('keepAlive', input, makeIo({ ...this.#call, clock }, this.#plan)).catch(() => {})
  }

  /**
   * @param {string} refreshToken
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  async passcode(refreshToken, signal) {
    const input = { options: this.#call.options, refreshToken }
    const io = makeIo(this.#call, this.#plan, signal)
    return (await callCore('passcode', input, io)).passcode
  }
}
