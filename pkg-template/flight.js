// @ts-check
import { AuthError } from './errors.js'

/**
 * One piece of shared work. Waiters come and go, each with a signal of its own; when the last has
 * gone, the work is aborted one turn of the event loop later, unless it spends something.
 * @template T
 */
export class Flight {
  #controller = new AbortController()
  #waiters = 0
  #isSettled = false
  #isKept
  /** @type {(error: unknown) => void} */
  #reject = () => {}

  /**
   * @param {(signal: AbortSignal) => Promise<T>} work
   * @param {{ isKept?: boolean }} [options] `isKept`: never aborted
   */
  constructor(work, { isKept = false } = {}) {
    this.#isKept = isKept
    const settle = () => {
      this.#isSettled = true
    }
    /** @type {Promise<T>} */
    this.done = new Promise((resolve, reject) => {
      this.#reject = reject
      work(this.#controller.signal).then(resolve, reject)
    })
    // Whoever waits sees the rejection; if nobody does any more, it must not end the process.
    this.done.then(settle, settle)
  }

  /** Whether it was aborted, and only has to notice yet: nobody should join it. */
  get isGivenUp() {
    return this.#controller.signal.aborted
  }

  /**
   * @param {AbortSignal} [signal] ends this wait alone
   * @returns {Promise<T>}
   */
  wait(signal) {
    this.#waiters += 1
    if (signal === undefined) return this.done
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#leave()
        reject(aborted(signal))
      }
      if (signal.aborted) {
        leave()
        return
      }
      signal.addEventListener('abort', leave, { once: true })
      const stay = () => signal.removeEventListener('abort', leave)
      this.done.then(resolve, reject).finally(stay)
    })
  }

  /**
   * Turns all waiters away; the work goes on, if it is one that is never aborted.
   * @param {unknown} error
   */
  abandon(error) {
    this.#reject(error)
    if (!this.#isKept) this.#controller.abort()
  }

  #leave() {
    this.#waiters -= 1
    if (this.#waiters > 0 || this.#isKept) return
    setTimeout(() => {
      if (this.#waiters === 0 && !this.#isSettled) this.#controller.abort()
    }, 0)
  }
}

/** @param {AbortSignal} signal */
export function aborted(signal) {
  return new AuthError({
    code: 'aborted',
    message: 'the caller’s signal ended the call',
    cause: signal.reason,
  })
}
