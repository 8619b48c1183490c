// @ts-check
/** @import { Held, Instants } from './held.js' */
/** @import { Clock } from './types.js' */
import { callLoaded } from './call.js'
import { AuthError } from './errors.js'
import { orNaN } from './platform.js'

/** Asks the core what is to be done, with what it remembers of failures and the time. */
export class Policy {
  #clock
  /** What the core remembers; no secret. @type {{ refusals?: number }} */
  #memory = {}
  /** The refusal that is given again while the credential is held back. @type {AuthError | undefined} */
  #refusal

  /** @param {Clock} clock the caller's */
  constructor(clock) {
    this.#clock = clock
  }

  /** Both clocks; NaN for one that fails. @returns {Instants} */
  now() {
    return { wall: orNaN(() => this.#clock.now()), mono: orNaN(() => this.#clock.monotonic()) }
  }

  /**
   * Both clocks; without them nothing can be said of a token.
   * @throws {AuthError} `invalid_input` where one fails
   */
  checkedNow() {
    const now = this.now()
    if (Number.isFinite(now.wall) && Number.isFinite(now.mono)) return now
    throw new AuthError({
      code: 'invalid_input',
      message: 'the clock gave no time',
      hint: 'clock.now() and clock.monotonic() give milliseconds, as numbers.',
    })
  }

  random() {
    const given = orNaN(() => this.#clock.random?.() ?? Math.random())
    return Number.isFinite(given) ? given : 0.5
  }

  /**
   * @param {Held | undefined} held
   * @param {Instants} now
   * @param {number} [minValidMs]
   * @returns {{ handOut: boolean, exchange: boolean, quietMs: number, refuseMs?: number }}
   */
  judge(held, now, minValidMs) {
    return callLoaded('judge', { lease: held?.lease, memory: this.#memory, ...now, minValidMs })
  }

  /**
   * Takes in how an exchange ended.
   * @param {{ code?: string, serviceCode?: string }} failure without a code it was none
   */
  settle(failure) {
    const { refusals = 0 } = this.#memory
    const { code, serviceCode } = failure
    const input = { memory: this.#memory, code, serviceCode, random: this.random(), ...this.now() }
    this.#memory = callLoaded('settle', input)
    // Other failures in between do not lift what was refused, nor change what it was.
    if ((this.#memory.refusals ?? 0) > refusals) {
      this.#refusal = /** @type {AuthError} */ (failure)
    }
  }

  /** @param {number} retryAfterMs */
  refusedAgain(retryAfterMs) {
    const { code, message, hint, status, serviceCode, requestId } = /** @type {AuthError} */ (
      this.#refusal
    )
    return new AuthError({ code, message, hint, status, serviceCode, requestId, retryAfterMs })
  }
}
