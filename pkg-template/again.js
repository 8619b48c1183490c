// @ts-check
/** @import { Keeper } from './keeper.js' */
/** @import { TokenKind } from './types.js' */
import { aborted } from './flight.js'

/** A token younger than this that is refused is not at fault: the service says 401 for "no access" too. */
const YOUNG_MS = 60_000
/** One that is younger than this may not be known everywhere yet. */
const NEW_MS = 5_000
const SHORT_WAIT_MS = 1_000

/**
 * Whether a request that was answered with 401 is worth another try: with a fresh token, got here or by
 * another call meanwhile, or with the same one after a short wait.
 * @param {Keeper} keeper
 * @param {TokenKind} kind
 * @param {string} token
 * @param {AbortSignal | undefined} [signal]
 */
export async function isWorthAnother(keeper, kind, token, signal) {
  if ((await keeper.token(kind, signal && { signal })) !== token) return true
  const ageMs = keeper.ageMs(kind)
  if (ageMs >= YOUNG_MS) {
    await keeper.renewed(kind, token, signal)
    return true
  }
  if (ageMs >= NEW_MS) return false
  try {
    await keeper.call.clock.sleep(SHORT_WAIT_MS, { signal })
  } catch (thrown) {
    throw signal?.aborted ? aborted(signal) : thrown
  }
  return true
}
