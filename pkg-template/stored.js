// @ts-check
/** @import { Clock, Store, StoreLock } from './types.js' */
import { aborted } from './flight.js'

const CALL_MS = 2_000
const LOCK_MS = 30_000
const WAIT_MS = 100
const FAILED = Symbol('failed')

/**
 * One record of a caller's store. Whatever the store does (throws, hangs, returns nonsense) costs an
 * exchange and is told, never a call.
 */
export class Stored {
  #store
  #key
  #tell
  /** It hung: until the next use of the store it is not asked again. */
  #hangs = false
  /** The record that was written here last: it can hold no news. @type {string | undefined} */
  #own

  /**
   * @param {Store} store
   * @param {string} key
   * @param {(problem: string) => void} tell
   */
  constructor(store, key, tell) {
    this.#store = store
    this.#key = key
    this.#tell = tell
  }

  /** @returns {Promise<{ text: string, ttlMs: number } | undefined>} */
  read() {
    this.#hangs = false
    return this.#read()
  }

  async #read() {
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
   * that (or where the store can't lock) the work is done here, and published unless another was newer.
   * @param {{
   *   found: (record: { text: string, ttlMs: number }) => boolean,
   *   exchange: () => Promise<void>,
   *   record: () => { text: string, ttlMs: number },
   * }} steps
   * @param {Clock} clock serves the waits for the lock
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether it was found
   */
  async exclusively({ found: taken, exchange, record }, clock, signal) {
    this.#hangs = false
    const found = (/** @type {{ text: string, ttlMs: number }} */ other) =>
      other.text !== this.#own && taken(other)
    const lock = await this.#lock(found, clock, signal)
    if (lock === 'found') return true
    try {
      await exchange()
      const { text, ttlMs } = record()
      if (ttlMs <= 0) return false
      this.#own = text
      if (lock !== undefined) {
        await this.#guarded('set', () => lock.set(text, { ttlMs }))
      } else {
        const other = await this.#read()
        if (other === undefined || !found(other)) {
          await this.#guarded('set', () => this.#store.set(this.#key, text, { ttlMs }))
        }
      }
      return false
    } finally {
      if (lock !== undefined) await this.#guarded('release', () => lock.release())
    }
  }

  async clear() {
    this.#hangs = false
    this.#own = undefined
    await this.#guarded('delete', () => this.#store.delete(this.#key))
  }

  /**
   * @param {(record: { text: string, ttlMs: number }) => boolean} found
   * @param {Clock} clock
   * @param {AbortSignal} signal
   * @returns {Promise<StoreLock | 'found' | undefined>}
   */
  async #lock(found, clock, signal) {
    const end = clock.monotonic() + LOCK_MS
    const { lock } = this.#store
    for (;;) {
      const before = await this.#read()
      if (before !== undefined && found(before)) return 'found'
      if (typeof lock !== 'function') return undefined
      const held = await this.#guarded(
        'lock',
        () => lock.call(this.#store, this.#key, { ttlMs: LOCK_MS, signal }),
        { failed: FAILED, late: release },
      )
      if (held === FAILED) return undefined
      if (held !== undefined && held !== null) {
        if (typeof held.set !== 'function' || typeof held.release !== 'function') {
          this.#tell('lock gave what is no lock')
          return undefined
        }
        const again = await this.#read()
        if (again === undefined || !found(again)) return held
        await this.#guarded('release', () => held.release())
        return 'found'
      }
      if (clock.monotonic() >= end) {
        this.#tell('the lock was held too long by another')
        return undefined
      }
      try {
        await clock.sleep(WAIT_MS, { signal })
      } catch (thrown) {
        throw signal.aborted ? aborted(signal) : thrown
      }
    }
  }

  /**
   * @param {string} name
   * @param {() => any} call
   * @param {{ failed?: unknown, late?: (result: any) => unknown }} [options] `failed`: what a failed call
   *   gives; `late`: is given what comes too late
   * @returns {Promise<any>}
   */
  async #guarded(name, call, { failed, late: tooLate } = {}) {
    if (this.#hangs) return failed
    const work = (async () => call())()
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#hangs = true
        reject(new Error('too late'))
      }, CALL_MS)
    })
    try {
      return await Promise.race([work, late])
    } catch {
      // What a store says may quote what it keeps: only which call failed is told.
      this.#tell(`${name} failed`)
      work.then(tooLate).catch(() => {})
      return failed
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A lock that came too late is nobody's. @param {any} lock */
function release(lock) {
  return lock?.release?.()
}
