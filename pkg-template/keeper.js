// @ts-check
/** @import { Given } from './call.js' */
/** @import { Held } from './held.js' */
/** @import { AuthEvent, Clock, Credential, TokenKind } from './types.js' */
import { callLoaded, checkNames } from './call.js'
import { AuthError } from './errors.js'
import { tell } from './events.js'
import { aborted, Flight } from './flight.js'
import {
  ageMs,
  cached,
  givenOver,
  heldOf,
  isFresh,
  isOver,
  isSame,
  noToken,
  overOnArrival,
  rest,
  tooShort,
} from './held.js'
import { IdleClock } from './idle.js'
import { Login } from './login.js'
import { Offset } from './offset.js'
import { systemClock } from './platform.js'
import { Policy } from './policy.js'
import { Stored } from './stored.js'

/**
 * What the core makes of options, credential and target. `reusable` is absent where the credential
 * is not known before it is asked for, `keyParts` where its key in a store is random.
 * @typedef {{
 *   timeoutMs: number, reusable?: boolean, headers: Record<string, string>, region: string,
 *   iam?: string, cf?: string, uaa?: string, keyProtect?: string, resourceController?: string,
 *   accounts?: string, keyParts?: string[],
 * }} Plan
 */

/** Holds the tokens of one login, and renews them: one exchange at a time, however many ask. */
export class Keeper {
  #login
  #clock
  #policy
  /** @type {Held | undefined} */
  #iam
  /** @type {Held | undefined} */
  #uaa
  /** @type {Flight<void> | undefined} */
  #flight
  /** Its waits, if it is one that nobody waited for when it started. @type {IdleClock | undefined} */
  #idle
  /** The wait that callers without wishes of their own share. @type {{ iam?: Promise<string>, uaa?: Promise<string> }} */
  #waits = {}
  #isClosed = false
  /** What the last exchange was made with. @type {'credential' | 'refreshToken' | undefined} */
  #by
  /** @type {Stored | undefined} */
  #stored
  #offset = new Offset()

  /**
   * @param {Credential | undefined} credential
   * @param {Given} call
   * @param {Plan} plan
   * @param {string} [key] of the login's record in the store
   */
  constructor(credential, call, plan, key) {
    this.#login = new Login(credential, call, plan)
    this.#clock = call.clock
    this.#policy = new Policy(call.clock)
    if (call.store !== undefined && key !== undefined) {
      const problem = (/** @type {string} */ text) => this.tell({ type: 'store', problem: text })
      this.#stored = new Stored(call.store, key, problem)
    }
  }

  /** The options of the login, for lookups on its tokens. */
  get call() {
    return this.#login.call
  }

  get plan() {
    return this.#login.plan
  }

  /** Whether the login is another's. */
  get isBorrowed() {
    return this.#login.isBorrowed
  }

  /** Where the UAA is, if an exchange found it. */
  get uaaEndpoint() {
    return this.#login.known.uaaEndpoint
  }

  /** @param {TokenKind} kind */
  has(kind) {
    return this.#held(kind) !== undefined
  }

  /** @param {AuthEvent} event */
  tell(event) {
    tell(this.#login.call.onEvent, event)
  }

  /** Whom the tokens belong to, as far as they say. */
  holder() {
    const of = (/** @type {Held | undefined} */ held) =>
      held === undefined ? {} : callLoaded('holder', { token: held.accessToken })
    const iam = of(this.#iam)
    return { user: iam.user ?? of(this.#uaa).user, account: iam.account }
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
    return ageMs(this.#held(kind), this.#policy.now())
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
   * The access token. While it is fresh this is one comparison on each clock, and the same promise.
   * @param {TokenKind} kind
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options]
   * @returns {Promise<string>}
   */
  token(kind, options) {
    if (options === undefined) {
      const isIam = kind === 'iam'
      // Who waits for the same exchange need not read the clocks.
      const wait = isIam ? this.#waits.iam : this.#waits.uaa
      if (wait !== undefined) return wait
      const held = isIam ? this.#iam : this.#uaa
      if (held !== undefined && isFresh(held, this.#clock)) return held.promise
    }
    try {
      return this.#looked(kind, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * @param {TokenKind} kind
   * @param {{ minValidMs?: number, signal?: AbortSignal }} [options]
   */
  #looked(kind, options) {
    checkNames(options, ['minValidMs', 'signal'])
    const { minValidMs, signal } = options ?? {}
    this.checkOpen()
    if (signal?.aborted) throw aborted(signal)
    const held = this.#held(kind)
    if (held === undefined) throw noToken(kind)
    if (minValidMs === undefined && isFresh(held, this.#clock)) return held.promise
    const now = this.#policy.checkedNow()
    const verdict = this.#policy.judge(held, now, minValidMs)
    if (verdict.handOut) {
      if (minValidMs === undefined) rest(held, now, verdict.quietMs)
      if (verdict.exchange) this.#flight ??= this.#takeOff(true)
      return held.promise
    }
    if (verdict.refuseMs !== undefined) throw this.#policy.refusedAgain(verdict.refuseMs)
    const wait = this.#waited(kind, minValidMs, signal)
    if (options === undefined) this.#waits[kind] = wait
    return wait
  }

  /**
   * The token of an exchange, however short it lives.
   * @param {TokenKind} kind
   * @param {number} [minValidMs]
   * @param {AbortSignal} [signal]
   */
  async #waited(kind, minValidMs, signal) {
    await this.exchange(signal)
    let renewed = this.#brought(kind)
    if (isOver(renewed, this.#policy.now())) {
      // It ended on its way: the answer was slow, or the machine slept meanwhile.
      await this.exchange(signal)
      renewed = this.#brought(kind)
    }
    const now = this.#policy.checkedNow()
    if (isOver(renewed, now)) throw overOnArrival()
    if (minValidMs !== undefined && !this.#policy.judge(renewed, now, minValidMs).handOut) {
      throw tooShort(minValidMs)
    }
    return renewed.promise
  }

  /** The token that is held, also one that has ended. @param {TokenKind} kind */
  current(kind) {
    this.checkOpen()
    const held = this.#held(kind)
    if (held === undefined) throw noToken(kind)
    return held.accessToken
  }

  /** What an exchange brought that was waited for. @param {TokenKind} kind */
  #brought(kind) {
    if (this.#isClosed) throw signedOut()
    const held = this.#held(kind)
    if (held === undefined) throw noToken(kind)
    return held
  }

  /**
   * Signs in or renews; whoever comes meanwhile waits for the same exchange.
   * @param {AbortSignal} [signal] ends this wait alone
   * @returns {Promise<void>}
   */
  async exchange(signal) {
    // What nobody wants any more is not begun; one that was given up is not joined.
    if (signal?.aborted) throw aborted(signal)
    if (this.#flight === undefined || this.#flight.isGivenUp) this.#flight = this.#takeOff(false)
    this.#idle?.awaited()
    return this.#flight.wait(signal)
  }

  /**
   * Renews now, whatever was refused before.
   * @param {AbortSignal} [signal]
   */
  async refresh(signal) {
    this.checkOpen()
    await this.exchange(signal)
  }

  /**
   * A token other than the one that was refused: what is there already, else by an exchange.
   * @param {TokenKind} kind
   * @param {string} refused
   * @param {AbortSignal} [signal]
   */
  async renewed(kind, refused, signal) {
    this.checkOpen()
    if (this.#held(kind)?.accessToken !== refused) return
    const { refuseMs } = this.#policy.judge(undefined, this.#policy.checkedNow())
    if (refuseMs !== undefined) throw this.#policy.refusedAgain(refuseMs)
    await this.exchange(signal)
  }

  /** @param {boolean} isBackground */
  #takeOff(isBackground) {
    // What is good only once may be spent by the exchange: that is never given up half-way.
    const isKept = isBackground || this.#login.spends || this.#refreshToken() !== undefined
    // A caller's own clock decides itself what its waits keep alive.
    this.#idle = isBackground && this.#clock === systemClock ? new IdleClock() : undefined
    const land = () => {
      if (this.#flight !== flight) return
      this.#flight = undefined
      this.#idle = undefined
      this.#waits = {}
    }
    /** @type {Flight<void>} */
    const flight = new Flight((signal) => this.#run(signal, isBackground, land), { isKept })
    flight.done.then(land, land)
    return flight
  }

  #refreshToken() {
    return this.#iam === undefined ? this.#uaa?.refreshToken : this.#iam.refreshToken
  }

  /**
   * @param {AbortSignal} signal
   * @param {boolean} isBackground
   * @param {() => void} land from there on it is over for those who come
   */
  async #run(signal, isBackground, land) {
    const started = this.#policy.now().mono
    const clock = this.#idle ?? this.#clock
    /** @type {any} */
    let failure
    /** @type {'found' | 'new' | 'same' | undefined} */
    let outcome
    try {
      outcome = await this.#obtain(clock, signal)
    } catch (error) {
      failure = error
    }
    const durationMs = this.#policy.now().mono - started
    if (failure?.code !== 'aborted') {
      // A renewal that brought the same token again is tried again as if it had failed.
      this.#policy.settle(failure ?? { code: outcome === 'same' ? 'protocol' : undefined })
      for (const held of [this.#iam, this.#uaa]) {
        // The verdict has changed: the next caller looks.
        if (failure !== undefined && held !== undefined) rest(held, this.#policy.now(), 0)
      }
    }
    land()
    if (outcome !== 'found') {
      const by = failure === undefined ? this.#by : undefined
      this.tell({ type: 'exchange', isBackground, by, durationMs, code: failure?.code })
    }
    if (failure !== undefined) throw failure
  }

  /**
   * From the store, if another has exchanged meanwhile; else by an exchange.
   * @param {Clock} clock
   * @param {AbortSignal} signal
   * @returns {Promise<'found' | 'new' | 'same'>}
   */
  async #obtain(clock, signal) {
    if (this.#stored === undefined) return this.#exchangeNow(clock, signal)
    /** @type {'new' | 'same'} */
    let outcome = 'new'
    const isFound = await this.#stored.exclusively(
      {
        found: (record) => this.adopt(record),
        exchange: async () => {
          outcome = await this.#exchangeNow(clock, signal)
        },
        record: () => this.#record(),
      },
      clock,
      signal,
    )
    return isFound ? 'found' : outcome
  }

  /** @param {Clock} clock @param {AbortSignal} signal */
  async #exchangeNow(clock, signal) {
    // The store, or the function for a credential, may have taken its time.
    const checkWanted = () => {
      if (this.#isClosed) throw signedOut()
    }
    checkWanted()
    const { exchanged, refreshToken } = await this.#login.exchange({
      refreshToken: this.#refreshToken(),
      isAnyGood: this.#isAnyGood(),
      checkWanted,
      clock,
      signal,
    })
    this.#by = exchanged.byRefresh ? 'refreshToken' : 'credential'
    const outcome = await this.#keep(exchanged, refreshToken)
    const { accessToken } = this.#iam ?? {}
    if (exchanged.byRefresh && accessToken !== undefined) {
      this.#login.keepAlive(accessToken, clock)
    }
    return outcome
  }

  #isAnyGood() {
    const now = this.#policy.now()
    return [this.#iam, this.#uaa].some(
      (held) => held !== undefined && this.#policy.judge(held, now).handOut,
    )
  }

  /**
   * @param {any} exchanged
   * @param {string} [refreshToken] the one that was sent
   * @returns {Promise<'new' | 'same'>}
   */
  async #keep(exchanged, refreshToken) {
    const { iam, uaa, uaaEndpoint, uaaAsked, byRefresh, isGiven, serverMs, sentWall } = exchanged
    this.#login.learn({ uaaEndpoint, uaaAsked, isGiven })
    if (this.#isClosed) {
      // Signed out while it was under way: what it brought is of no use to anybody.
      await this.#login.revoke({ iam, uaa })
      return 'new'
    }
    const now = this.#policy.now()
    const offsetMs = this.#offset.news(serverMs, sentWall, now.wall)
    if (offsetMs !== undefined) this.tell({ type: 'clock', offsetMs })
    const [before, set] = iam === undefined ? [this.#uaa, uaa] : [this.#iam, iam]
    const isOld = isSame(before, set)
    if (before !== undefined && isOld && isOver(before, now)) throw isGiven ? givenOver() : cached()
    const beside = byRefresh && iam !== undefined ? this.#uaa?.refreshToken : undefined
    const old = byRefresh ? refreshToken : undefined
    this.#iam = iam && (isOld ? before : heldOf(iam, old))
    if (iam === undefined) this.#uaa = isOld ? before : heldOf(uaa, old)
    else this.#uaa = uaa && (isSame(this.#uaa, uaa) ? this.#uaa : heldOf(uaa, beside))
    this.#login.used()
    return isOld ? 'same' : 'new'
  }

  /**
   * Takes over a record of the store, if it is newer than what is held.
   * @param {{ text: string, ttlMs: number }} record
   * @returns {boolean} whether its token may be handed out
   */
  adopt({ text, ttlMs }) {
    if (this.#isClosed) return false
    const now = this.#policy.now()
    let read
    try {
      read = callLoaded('readRecord', { text, ttlMs, random: this.#policy.random(), ...now })
    } catch {
      this.tell({ type: 'store', problem: 'the record can’t be read and counts as absent' })
      return false
    }
    const { iam, uaa, uaaEndpoint, assume } = read
    const [first, own] = [iam ?? uaa, this.#iam ?? this.#uaa]
    // The same token is no news, whatever a store that rounds says of its time.
    const isKnown = own !== undefined && first.accessToken === own.accessToken
    if (isKnown || (own !== undefined && first.lease.end.mono <= own.lease.end.mono + 1))
      return false
    this.#iam = iam && heldOf(iam)
    this.#uaa = uaa && heldOf(uaa)
    this.#login.learn({ uaaEndpoint, assume })
    return this.#policy.judge(this.#iam ?? this.#uaa, now).handOut
  }

  /** Whether the store had a token that may be handed out. */
  async isStored() {
    const record = await this.#stored?.read()
    return record !== undefined && this.adopt(record)
  }

  #record() {
    const held = { iam: this.#iam, uaa: this.#uaa, ...this.#login.known }
    const { record, ttlMs } = callLoaded('writeRecord', { held, ...this.#policy.now() })
    return { text: JSON.stringify(record), ttlMs: this.#isClosed ? 0 : ttlMs }
  }

  /**
   * Forgets; with `revoke` also where the services and the store can.
   * @param {{ revoke: boolean }} options
   */
  async close({ revoke }) {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waits = {}
    this.#flight?.abandon(signedOut())
    const tokens = { iam: this.#iam, uaa: this.#uaa }
    this.#iam = undefined
    this.#uaa = undefined
    this.#login.forget()
    const isRevoked = revoke && (await this.#login.revoke(tokens))
    if (revoke) await this.#stored?.clear()
    this.tell({ type: 'logout', isRevoked })
  }

  /**
   * A one-time passcode of this user.
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  async passcode(signal) {
    const refreshToken = this.#iamRefreshToken(
      'a passcode is got by',
      'Sign in at IAM with user name and password or a passcode; an API key has one with the option client { clientId: "bx", clientSecret: "bx" }.',
    )
    return this.#login.passcode(refreshToken, signal)
  }

  /**
   * Another login of the same user, in another account, by a refresh grant.
   * @param {string} account
   * @param {string} storeKey
   * @param {AbortSignal} [signal]
   */
  async inAccount(account, storeKey, signal) {
    this.#iamRefreshToken(
      'another account is reached by',
      'An API key is bound to its own account; sign in with the option account instead.',
    )
    const { credential, call, plan, known } = this.#login.inAccount(account)
    const other = new Keeper(credential, call, plan, storeKey)
    other.#iam = this.#iam
    other.#login.learn(known)
    await other.refresh(signal)
    return other
  }

  /** @param {string} what it is needed for @param {string} hint */
  #iamRefreshToken(what, hint) {
    this.checkOpen()
    const refreshToken = this.#iam?.refreshToken
    if (refreshToken !== undefined) return refreshToken
    const message = `${what} an IAM refresh token, and this login has none`
    throw new AuthError({ code: 'unavailable', message, hint })
  }
}

function signedOut() {
  return new AuthError({
    code: 'aborted',
    message: 'the session was signed out',
    cause: 'signed out',
  })
}
