// @ts-check
/** @import { Clock, Store, StoreLock } from './types.js' */

const CALL_MS = 2_000
const LOCK_MS = 30_000
const WAIT_MS = 100

/**
 * One record of a caller's store. Whatever the store does (throws, hangs, returns nonsense) costs an
 * exchange and is told, never a call.
 */
export class Stored {
  #store
  #key
  #clock
  #tell

  /**
   * @param {Store} store
   * @param {string} key
   * @param {Clock} clock
   * @param {(problem: string) => void} tell
   */
  constructor(store, key, clock, tell) {
    this.#store = store
    this.#key = key
    this.#clock = clock
    this.#tell = tell
  }

  /** @returns {Promise<{ text: string, ttlMs: number } | undefined>} */
  async read() {
    const record = await this.#guarded('get', () => this.#store.get(this.#key))
    if (record === undefined || record === null) return undefined
    if (typeof record.text === 'string' && Number.isFinite(record.ttlMs) && record.ttlMs > 0) {
      return record
    }
    this.#tell('get gave what is no record')
    return undefined
  }

  /**
   * Lock, read again, exchange, publish. While another holds the lock, its result is waited for; after
   * that (or where the store can't lock) the work is done here.
   * @param {{
   *   found: (record: { text: string, ttlMs: number }) => boolean,
   *   exchange: () => Promise<void>,
   *   record: () => { text: string, ttlMs: number },
   * }} steps
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether it was found
   */
  async exclusively({ found, exchange, record }, signal) {
    const lock = await this.#lock(found, signal)
    if (lock === 'found') return true
    try {
      await exchange()
      const { text, ttlMs } = record()
      if (ttlMs <= 0) return false
      if (lock === undefined) await this.write(text, ttlMs)
      else await this.#guarded('set', () => lock.set(text, { ttlMs }))
      return false
    } finally {
      if (lock !== undefined) await this.#guarded('release', () => lock.release())
    }
  }

  /** @param {string} text @param {number} ttlMs */
  async write(text, ttlMs) {
    await this.#guarded('set', () => this.#store.set(this.#key, text, { ttlMs }))
  }

  async clear() {
    await this.#guarded('delete', () => this.#store.delete(this.#key))
  }

  /**
   * @param {(record: { text: string, ttlMs: number }) => boolean} found
   * @param {AbortSignal} signal
   * @returns {Promise<StoreLock | 'found' | undefined>}
   */
  async #lock(found, signal) {
    const end = this.#clock.monotonic() + LOCK_MS
    const { lock } = this.#store
    for (;;) {
      const before = await this.read()
      if (before !== undefined && found(before)) return 'found'
      if (typeof lock !== 'function') return undefined
      const mark = {}
      const held = await this.#guarded(
        'lock',
        () => lock.call(this.#store, this.#key, { ttlMs: LOCK_MS, signal }),
        mark,
      )
      if (held === mark) return undefined
      if (held !== undefined && held !== null) {
        const again = await this.read()
        if (again === undefined || !found(again)) return held
        await this.#guarded('release', () => held.release())
        return 'found'
      }
      if (this.#clock.monotonic() >= end) {
        this.#tell('the lock was held too long by another')
        return undefined
      }
      await this.#clock.sleep(WAIT_MS, { signal })
    }
  }

  /**
   * @param {string} name
   * @param {() => any} call
   * @param {unknown} [failed] what a failed call gives
   * @returns {Promise<any>}
   */
  async #guarded(name, call, failed) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`took longer than ${CALL_MS} ms`)), CALL_MS)
    })
    try {
      return await Promise.race([(async () => call())(), late])
    } catch {
      // What a store says may quote what it keeps: only which call failed is told.
      this.#tell(`${name} failed`)
      return failed
    } finally {
      clearTimeout(timer)
    }
  }
}
