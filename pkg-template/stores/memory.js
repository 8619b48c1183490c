// @ts-check
/** @import { Clock, Store } from '../types.js' */
import { systemClock } from '../platform.js'

/**
 * Keeps tokens in the memory of this process, for sessions that share it. A record has ended when one of
 * both clocks says so (one may have been moved, the other stands still while a machine sleeps); it is
 * dropped when it is asked for, and when others are put in. Locks go by the monotonic clock alone.
 * @param {{ clock?: Clock }} [options]
 * @returns {Store}
 */
export function memoryStore({ clock = systemClock } = {}) {
  /** @type {Map<string, { text: string, wallEnd: number, monoEnd: number }>} */
  const records = new Map()
  /** @type {Map<string, { end: number }>} */
  const leases = new Map()
  const now = () => clock.monotonic()
  /** @param {{ wallEnd: number, monoEnd: number }} record */
  const left = ({ wallEnd, monoEnd }) => Math.min(wallEnd - clock.now(), monoEnd - now())

  const drop = () => {
    for (const [key, record] of records) if (!(left(record) > 0)) records.delete(key)
    for (const [key, { end }] of leases) if (end <= now()) leases.delete(key)
  }
  /** @param {string} key @param {string} text @param {number} ttlMs */
  const put = (key, text, ttlMs) => {
    drop()
    records.set(key, { text, wallEnd: clock.now() + ttlMs, monoEnd: now() + ttlMs })
  }

  return {
    async get(key) {
      const record = records.get(key)
      if (record === undefined) return undefined
      const ttlMs = left(record)
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
