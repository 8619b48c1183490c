// @ts-check
/** @import { Given } from './call.js' */
/** @import { AuthEvent, Credential, TokenKind } from './types.js' */
import { callCore, callLoaded, checkNames, makeIo } from './call.js'
import { settle } from './credential.js'
import { AuthError } from './errors.js'
import { tell } from './events.js'
import { Flight } from './flight.js'
import { Stored } from './stored.js'

/**
 * One token that is held, with the lease that the core made for it: `lookWall` and `lookMono` are
 * compared here, and only past them the core is asked.
 * @typedef {{
 *   accessToken: string, promise: Promise<string>, lookWall: number, lookMono: number, lease: Lease,
 *   tokenType: string, refreshToken?: string, user?: string, account?: string,
 * }} Held
 */
/**
 * @typedef {{ wall: number, mono: number }} Instants
 * @typedef {{ look: Instants, end: Instants, minValidMs: number, lifeMs: number }} Lease
 */

/**
 * What the core makes of options, credential and target. `reusable` is absent where the credential
 * is not known before it is asked for, `keyParts` where its key in a store is random.
 * @typedef {{
 *   timeoutMs: number, reusable?: boolean, headers: Record<string, string>, region: string,
 *   iam?: string, cf?: string, uaa?: string, keyProtect?: string, resourceController?: string,
 *   accounts?: string, keyParts?: string[],
 * }} Plan
 */

const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/

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
  /** What the core remembers of failures; no secret. @type {object} */
  #memory = {}
  /** The refusal that is given again while the credential is held back. @type {AuthError | undefined} */
  #refusal
  #isClosed = false
  /** @type {Stored | undefined} */
  #stored
  #offsetMs = 0

  /**
   * @param {Credential | undefined} credential
   * @param {Given} call
   * @param {Plan} plan
   * @param {string} [key] of the login's record in the store
   */
  constructor(credential, call, plan, key) {
    this.#credential = credential
    // What is asked for anew at each exchange can always be used again.
    this.#isReusable = plan.reusable ?? credential !== undefined
    this.#call = call
    this.#plan = plan
    if (call.store !== undefined && key !== undefined) {
      const problem = (/** @type {string} */ text) => this.tell({ type: 'store', problem: text })
      this.#stored = new Stored(call.store, key, call.clock, problem)
    }
  }

  /** The options of the login, for lookups on its tokens. */
  get call() {
    return this.#call
  }

  get plan() {
    return this.#plan
  }

  /** Where the UAA is, if an exchange found it. */
  get uaaEndpoint() {
    return this.#known.uaaEndpoint
  }

  /** @param {TokenKind} kind */
  has(kind) {
    return this.#held(kind) !== undefined
  }

  /** @param {AuthEvent} event */
  tell(event) {
    tell(this.#call.onEvent, event)
  }

  /** Whom the tokens belong to, as far as they say. */
  holder() {
    return { user: this.#iam?.user ?? this.#uaa?.user, account: this.#iam?.account }
  }

  /** When each token ends and is due, in milliseconds since the epoch; no secret. */
  times() {
    /** @type {{ iam?: { expiresAt: number, dueAt: number }, uaa?: { expiresAt: number, dueAt: number } }} */
    const times = {}
    for (const kind of /** @type {const} */ (['iam', 'uaa'])) {
      const lease = this.#held(kind)?.lease
      if (lease !== undefined) times[kind] = { expiresAt: lease.end.wall, dueAt: lease.look.wall }
    }
    return times
  }

  /** Milliseconds since the token was asked for. @param {TokenKind} kind */
  ageMs(kind) {
    const lease = this.#held(kind)?.lease
    return lease === undefined ? 0 : this.#call.clock.monotonic() - (lease.end.mono - lease.lifeMs)
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
    return this.#looked(kind, options)
  }

  /**
   * @param {TokenKind} kind
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options]
   */
  async #looked(kind, options = {}) {
    checkNames(options, ['minValidMs', 'signal'])
    const { minValidMs, signal } = options
    this.checkOpen()
    const held = this.#held(kind)
    if (held === undefined) throw noToken(kind)
    const verdict = this.#judge(held, minValidMs)
    if (verdict.handOut) {
      if (minValidMs === undefined) this.#rest(held, verdict.quietMs)
      if (verdict.exchange) this.#flight ??= this.#takeOff(true)
      return held.promise
    }
    if (verdict.refuseMs !== undefined) throw this.#refusedAgain(verdict.refuseMs)
    await this.exchange(signal)
    const renewed = this.#held(kind)
    if (renewed === undefined) throw noToken(kind)
    if (minValidMs !== undefined && !this.#judge(renewed, minValidMs).handOut) {
      throw new AuthError({
        code: 'unavailable',
        message: `a new token lives less than minValidMs (${minValidMs} ms)`,
        hint: 'Ask for less.',
      })
    }
    return renewed.promise
  }

  /** @param {TokenKind} kind */
  #held(kind) {
    return kind === 'iam' ? this.#iam : this.#uaa
  }

  checkOpen() {
    if (!this.#isClosed) return
    throw new AuthError({
      code: 'expired',
      message: 'the session was signed out',
      hint: 'signed out',
    })
  }

  /**
   * @param {Held | undefined} held
   * @param {number} [minValidMs]
   * @returns {{ handOut: boolean, exchange: boolean, quietMs: number, refuseMs?: number }}
   */
  #judge(held, minValidMs) {
    return callLoaded('judge', {
      lease: held?.lease,
      memory: this.#memory,
      ...this.#instants(),
      minValidMs,
    })
  }

  #instants() {
    const { clock } = this.#call
    return { wall: clock.now(), mono: clock.monotonic() }
  }

  /** Nothing changes for so long: callers need not look. @param {Held} held @param {number} quietMs */
  #rest(held, quietMs) {
    const { wall, mono } = this.#instants()
    held.lookWall = wall + quietMs
    held.lookMono = mono + quietMs
  }

  /** @param {number} retryAfterMs */
  #refusedAgain(retryAfterMs) {
    const { code, message, hint, status, serviceCode, requestId } = /** @type {AuthError} */ (
      this.#refusal
    )
    return new AuthError({ code, message, hint, status, serviceCode, requestId, retryAfterMs })
  }

  /**
   * Signs in or renews; whoever comes meanwhile waits for the same exchange.
   * @param {AbortSignal} [signal] ends this wait alone
   */
  exchange(signal) {
    this.#flight ??= this.#takeOff(false)
    return this.#flight.wait(signal)
  }

  /**
   * Renews now, whatever was refused before.
   * @param {AbortSignal} [signal]
   */
  async refresh(signal) {
    this.checkOpen()
    this.#memory = {}
    await this.exchange(signal)
  }

  /**
   * A token other than the one that was refused: what is there already, else by an exchange.
   * @param {TokenKind} kind
   * @param {string} refused
   * @param {AbortSignal} [signal]
   */
  async renewed(kind, refused, signal) {
    if (this.#held(kind)?.accessToken === refused) await this.exchange(signal)
  }

  /** @param {boolean} isBackground */
  #takeOff(isBackground) {
    // What is good only once may be spent by the exchange: that is never given up half-way.
    const isKept = isBackground || !this.#isReusable || this.#refreshToken() !== undefined
    const flight = new Flight((signal) => this.#run(signal, isBackground), { isKept })
    const land = () => {
      if (this.#flight === flight) this.#flight = undefined
    }
    flight.done.then(land, land)
    return flight
  }

  #refreshToken() {
    return this.#iam === undefined ? this.#uaa?.refreshToken : this.#iam.refreshToken
  }

  /** @param {AbortSignal} signal @param {boolean} isBackground */
  async #run(signal, isBackground) {
    const started = this.#call.clock.monotonic()
    /** @type {any} */
    let failure
    let isFound = false
    try {
      isFound = await this.#obtain(signal)
    } catch (error) {
      failure = error
    }
    const durationMs = this.#call.clock.monotonic() - started
    if (failure === undefined || failure.code !== 'aborted') {
      const { code, serviceCode } = failure ?? {}
      const random = this.#call.clock.random?.() ?? Math.random()
      const input = { memory: this.#memory, code, serviceCode, random, ...this.#instants() }
      this.#memory = callLoaded('settle', input)
      this.#refusal = failure
      for (const held of [this.#iam, this.#uaa]) {
        // The verdict has changed: the next caller looks.
        if (failure !== undefined && held !== undefined) this.#rest(held, 0)
      }
    }
    if (!isFound) this.tell({ type: 'exchange', isBackground, durationMs, code: failure?.code })
    if (failure !== undefined) throw failure
  }

  /**
   * From the store, if another has exchanged meanwhile; else by an exchange.
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether it was found in the store
   */
  async #obtain(signal) {
    if (this.#stored === undefined) {
      await this.#exchangeNow(signal)
      return false
    }
    return this.#stored.exclusively(
      {
        found: (record) => this.adopt(record),
        exchange: () => this.#exchangeNow(signal),
        record: () => this.#record(),
      },
      signal,
    )
  }

  /** @param {AbortSignal} signal */
  async #exchangeNow(signal) {
    const io = makeIo(this.#call, this.#plan, signal)
    const refreshToken = this.#refreshToken()
    if (refreshToken !== undefined) {
      const canSignInAgain = this.#credential !== undefined
      const exchanged = await this.#ask({ refreshToken, canSignInAgain }, io)
      if (!exchanged.signInAgain) {
        await this.#keep(exchanged)
        if (!canSignInAgain) this.#keepAlive()
        return
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
    await this.#keep(await this.#ask({ credential }, io))
  }

  /** @param {Record<string, unknown>} input @param {import('./platform.js').Io} io */
  #ask(input, io) {
    return callCore('exchange', { options: this.#call.options, ...this.#known, ...input }, io)
  }

  /** @param {any} exchanged */
  async #keep({ iam, uaa, uaaEndpoint, uaaAsked, byRefresh, serverMs, sentWall }) {
    if (this.#isClosed) {
      // Signed out while it was under way: what it brought is of no use to anybody.
      await this.#revoke({ iam, uaa })
      return
    }
    this.#watchClock(serverMs, sentWall)
    this.#iam = this.#fresh(iam, this.#iam, byRefresh)
    this.#uaa = this.#fresh(uaa, this.#uaa, byRefresh)
    if (uaaEndpoint !== undefined) this.#known = { uaaEndpoint }
    // IAM refused the asking for a UAA token: it is not asked again.
    if (!uaaAsked) this.#call = { ...this.#call, options: { ...this.#call.options, uaa: false } }
    // What is good only once is of no more use, and need not lie around.
    if (!this.#isReusable) this.#credential = undefined
  }

  /**
   * @param {any} set
   * @param {Held | undefined} before
   * @param {boolean} byRefresh
   */
  #fresh(set, before, byRefresh) {
    if (set === undefined) return undefined
    const isSame = before !== undefined && set.accessToken === before.accessToken
    if (isSame && JWT.test(set.accessToken)) {
      // A JWT ends when it ends, whatever the answer around it says: this one comes from a cache.
      if (!this.#judge(before).handOut) {
        throw new AuthError({
          code: 'protocol',
          message: 'the service answered with the token that has ended',
          hint: 'A cache answers in its place: token requests must not be cached.',
        })
      }
      return before
    }
    return heldOf(set, byRefresh ? before?.refreshToken : undefined)
  }

  /** @param {number | undefined} serverMs @param {number} sentWall */
  #watchClock(serverMs, sentWall) {
    if (serverMs === undefined) return
    const offsetMs = Math.round(serverMs - sentWall)
    // A Date header tells whole seconds, and a round trip lies between: 5 s are no noise.
    if (Math.abs(offsetMs) <= 5_000 || Math.abs(offsetMs - this.#offsetMs) <= 5_000) return
    this.#offsetMs = offsetMs
    this.tell({ type: 'clock', offsetMs })
  }

  /**
   * Takes over a record of the store, if it is newer than what is held.
   * @param {{ text: string, ttlMs: number }} record
   * @returns {boolean} whether its token may be handed out
   */
  adopt({ text, ttlMs }) {
    const random = this.#call.clock.random?.() ?? Math.random()
    let read
    try {
      read = callLoaded('readRecord', { text, ttlMs, random, ...this.#instants() })
    } catch {
      this.tell({ type: 'store', problem: 'the record can’t be read and counts as absent' })
      return false
    }
    const { iam, uaa, uaaEndpoint } = read
    const [first, own] = [iam ?? uaa, this.#iam ?? this.#uaa]
    if (own !== undefined && first.lease.end.mono <= own.lease.end.mono + 1) return false
    this.#iam = iam && heldOf(iam)
    this.#uaa = uaa && heldOf(uaa)
    if (uaaEndpoint !== undefined) this.#known = { uaaEndpoint }
    return this.#judge(this.#iam ?? this.#uaa).handOut
  }

  /** Whether the store had a token that may be handed out. */
  async isStored() {
    const record = await this.#stored?.read()
    return record !== undefined && this.adopt(record)
  }

  #record() {
    const held = { iam: this.#iam, uaa: this.#uaa, ...this.#known }
    const { record, ttlMs } = callLoaded('writeRecord', { held, ...this.#instants() })
    return { text: JSON.stringify(record), ttlMs: this.#isClosed ? 0 : ttlMs }
  }

  /**
   * Forgets; with `revoke` also where the services and the store can.
   * @param {{ revoke: boolean }} options
   */
  async close({ revoke }) {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#flight?.abandon(
      new AuthError({
        code: 'aborted',
        message: 'the session was signed out',
        cause: 'signed out',
      }),
    )
    const tokens = { iam: this.#iam, uaa: this.#uaa }
    this.#iam = undefined
    this.#uaa = undefined
    this.#credential = undefined
    this.#refusal = undefined
    const isRevoked = revoke && (await this.#revoke(tokens))
    if (revoke) await this.#stored?.clear()
    this.tell({ type: 'logout', isRevoked })
  }

  /**
   * @param {{ iam?: { accessToken: string }, uaa?: { accessToken: string } }} tokens
   * @returns {Promise<boolean>} whether a service took it; a failure must not fail the sign-out
   */
  async #revoke(tokens) {
    const input = { options: this.#call.options, ...this.#known, tokens }
    return callCore('revoke', input, makeIo(this.#call, this.#plan)).then(
      ({ taken }) => taken > 0,
      () => false,
    )
  }

  /** IAM ends a login that lies idle; one that can’t repeat itself is worth a word now and then. */
  #keepAlive() {
    const accessToken = this.#iam?.accessToken
    if (accessToken === undefined) return
    const input = { options: this.#call.options, token: accessToken }
    callCore('keepAlive', input, makeIo(this.#call, this.#plan)).catch(() => {})
  }

  /**
   * A one-time passcode of this user.
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  async passcode(signal) {
    this.checkOpen()
    const refreshToken = this.#iam?.refreshToken
    if (refreshToken === undefined) {
      throw new AuthError({
        code: 'unavailable',
        message: 'a passcode is got by an IAM refresh token, and this login has none',
        hint: 'Sign in at IAM with user name and password or a passcode; an API key has one with the option client { clientId: "bx", clientSecret: "bx" }.',
      })
    }
    const input = { options: this.#call.options, refreshToken }
    const { passcode } = await callCore('passcode', input, makeIo(this.#call, this.#plan, signal))
    return passcode
  }

  /**
   * Another login of the same user, in another account, by a refresh grant.
   * @param {string} account
   * @param {AbortSignal} [signal]
   */
  async inAccount(account, signal) {
    this.checkOpen()
    const refreshToken = this.#iam?.refreshToken
    if (refreshToken === undefined) {
      throw new AuthError({
        code: 'unavailable',
        message: 'another account is reached by an IAM refresh token, and this login has none',
        hint: 'An API key is bound to its own account; sign in with the option account instead.',
      })
    }
    const call = { ...this.#call, options: { ...this.#call.options, account }, store: undefined }
    const other = new Keeper(this.#credential, call, { ...this.#plan, reusable: this.#isReusable })
    other.#iam = this.#iam
    other.#known = this.#known
    await other.refresh(signal)
    return other
  }
}

/**
 * @param {any} set
 * @param {string} [oldRefreshToken] stays good where the answer holds no other
 * @returns {Held}
 */
function heldOf(set, oldRefreshToken) {
  const { accessToken, tokenType, refreshToken = oldRefreshToken, lease, holder } = set
  return {
    accessToken,
    promise: Promise.resolve(accessToken),
    lookWall: lease.look.wall,
    lookMono: lease.look.mono,
    lease,
    tokenType,
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
