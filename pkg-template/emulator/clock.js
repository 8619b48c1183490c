/**
 * The emulator's clock: what the client reads, and the services' own, which may differ.
 */

/** @import { EmulatorClock } from './types.js' */

// Kept at import, so that a test's fake timers can't stop a sleeper.
const later = globalThis.setTimeout

/**
 * @param {number | undefined} start milliseconds since the epoch at which it stands; real time where left out
 * @returns {{ clock: EmulatorClock, serverNow: () => number, reset: () => void }}
 */
export function createClock(start) {
  let moved = 0
  let ahead = 0
  /** @type {{ end: number, wake: () => void }[]} */
  let sleepers = []

  const now = () => (start ?? Date.now()) + moved
  const monotonic = () => (start === undefined ? performance.now() : 0) + moved

  function wakeNext() {
    const end = Math.min(...sleepers.map((sleeper) => sleeper.end))
    const next = sleepers.find((sleeper) => sleeper.end === end)
    if (!next) return
    sleepers = sleepers.filter((sleeper) => sleeper !== next)
    moved += Math.max(0, next.end - monotonic())
    next.wake()
  }

  /** @type {EmulatorClock} */
  const clock = {
    now,
    monotonic,
    sleep(ms, { signal } = {}) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const stop = () => {
          sleepers = sleepers.filter((other) => other !== sleeper)
          reject(signal?.reason)
        }
        const sleeper = {
          end: monotonic() + duration(ms),
          wake() {
            signal?.removeEventListener('abort', stop)
            resolve()
          },
        }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', stop, { once: true })
        // A turn, not a microtask: a loop that polls by sleeping must let others work.
        later(wakeNext, 0)
      })
    },
    advance(ms) {
      moved += duration(ms)
    },
    skew(ms) {
      if (!Number.isFinite(ms)) throw new TypeError(`not a number of milliseconds: ${ms}`)
      ahead = ms
    },
  }

  return {
    clock,
    serverNow: () => now() + ahead,
    reset() {
      moved = 0
      ahead = 0
      const woken = sleepers
      sleepers = []
      for (const sleeper of woken) sleeper.wake()
    },
  }
}

/** @param {number} ms */
function duration(ms) {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) {
    throw new TypeError(`not a duration in milliseconds: ${ms}`)
  }
  return ms
}
