// @ts-check
/** @import { AuthEvent } from './types.js' */

/** @type {((event: AuthEvent) => void)[]} */
const observers = []

/**
 * Has every event of every session told to a function; entries for platforms with a channel of their
 * own call it when imported.
 * @param {(event: AuthEvent) => void} observer
 */
export function observe(observer) {
  observers.push(observer)
}

/**
 * Tells an event to a session's listener and to the platform's. A listener that throws breaks nothing.
 * @param {((event: AuthEvent) => void) | undefined} listener
 * @param {AuthEvent} event
 */
export function tell(listener, event) {
  for (const each of listener === undefined ? observers : [listener, ...observers]) {
    try {
      each(event)
    } catch {
      // Not ours to handle, and not the caller's call to end.
    }
  }
}
