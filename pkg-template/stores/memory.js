// @ts-check
/** @import { Clock, Store } from '../types.js' */
import { systemClock } from '../platform.js'

/**
 * Keeps tokens in the memory of this process, for sessions that share it. Times by the monotonic
 * clock; what has ended is dropped when it is asked for, and when others are put in.
 * @param {{ clock?: Clock }} [options]
 * @returns {Store}
 */
export function memoryStore({ clock = systemClock } = {}) {
  /** @type {Map<string, { text: string, end: number }>} */
  const records = new Map()
  /** @type {Map<string, { end: number }>} */
  const leases = new Map()
  const now = () => clock.monotonic()

  const drop = () => {
    for (const map of [records, leases]) {
      for (const [key, { end }] of map) if (end <= now()) map.delete(key)
    }
  }
  /** @param {string} key @param {string} text @param {number} ttlMs */
  const put = (key, text, ttlMs) => {
    drop()
    records.set(key, { text, end: now() + ttlMs })
  }

  return {
    async get(key) {
      const record = records.get(key)
      if (record === undefined) return undefined
      const ttlMs = record.end - now()
      if (ttlMs > 0) return { text: record.text, ttlMs }
      records.delete(key)
      return undefined
    },
    async set(key, text, { ttlMs }) {
      put(key, text, ttlMs)
    },
    async delete(key) {
      records.delete(key)
    },
    async lock(key, { ttlMs }) {
      const holder = leases.get(key)
      if (holder !== undefined && holder.end > now()) return undefined
      const lease = { end: now() + ttlMs }
      leases.set(key, lease)
      const isHeld = () => leases.get(key) === lease && lease.end > now()
      return {
        async set(text, { ttlMs: recordMs }) {
          if (!isHeld()) return false
          put(key, text, recordMs)
          return true
        },
        async release() {
          if (leases.get(key) === lease) leases.delete(key)
        },
      }
    },
  }
}
