// @ts-check
/** @import { Clock } from './types.js' */
import { systemClock } from './platform.js'

/**
 * The system's clock for work that nobody waits for: its waits between tries do not keep Node alive,
 * until somebody does.
 */
export class IdleClock {
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  #timers = new Set()
  #isAwaited = false

  now = systemClock.now
  monotonic = systemClock.monotonic

  /** @type {Clock['sleep']} */
  sleep = (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.#timers.delete(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', end)
        this.#timers.delete(timer)
        resolve(undefined)
      }, ms)
      this.#timers.add(timer)
      // Only Node has it, where a timer is more than a number.
      if (!this.#isAwaited) timer.unref?.()
      if (signal?.aborted) end()
      else signal?.addEventListener('abort', end, { once: true })
    })

  /** From now on somebody waits. */
  awaited() {
    this.#isAwaited = true
    for (const timer of this.#timers) timer.ref?.()
  }
}
