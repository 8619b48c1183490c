// @ts-check
/** @import { AuthEvent } from './types.js' */

/** @type {{ observer: (event: AuthEvent) => unknown, isHeard: () => boolean }[]} */
const observers = []

/**
 * Has every event of every session told to a function; entries for platforms with a channel of their
 * own call it when imported.
 * @param {(event: AuthEvent) => unknown} observer
 * @param {() => boolean} [isHeard] whether anybody listens behind it now; an event that nobody hears is
 *   not made
 */
export function observe(observer, isHeard = () => true) {
  observers.push({ observer, isHeard })
}

/**
 * Tells an event to a session's listener and to the platform's. One that throws, or whose promise
 * rejects, breaks nothing; none can change what the next one is told.
 * @param {((event: AuthEvent) => unknown) | undefined} listener
 * @param {AuthEvent} event what is undefined in it is left out
 */
export function tell(listener, event) {
  const hearing = listener === undefined ? [] : [listener]
  for (const { observer, isHeard } of observers) if (isHeard()) hearing.push(observer)
  if (hearing.length === 0) return
  const known = Object.entries(event).filter(([, value]) => value !== undefined)
  const told = /** @type {AuthEvent} */ (Object.freeze(Object.fromEntries(known)))
  for (const each of hearing) {
    try {
      // Not ours to handle, and not the caller's call to end; nor may it end the process.
      Promise.resolve(each(told)).catch(() => {})
    } catch {
      // The same.
    }
  }
}
