// @ts-check
/** @import { Credential, LoginOptions, Source } from './types.js' */
/** @import { Session } from './session.js' */
import { callPlan, given } from './call.js'
import { isKnown, settle } from './credential.js'
import { tell } from './events.js'
import { Keeper } from './keeper.js'
import { aimedSession } from './session.js'
import { storeKeyOf } from './store_key.js'

/**
 * Where a login’s credential came from, and what follows from that.
 * @typedef {object} Origin
 * @property {Source} source
 * @property {boolean} [isBorrowed] another’s login: forgotten, never revoked
 * @property {boolean} [isRegionBrought] the region is no wish of the caller’s: it gives way to the instance’s
 * @property {() => Promise<boolean>} [hasNewer] whether its place holds another refresh token by now
 * @property {(refreshToken: string) => boolean} [gaveLast] whether its place gave this one last
 */

/**
 * Signs in, then looks up the target.
 * @param {Credential} credential
 * @param {LoginOptions | undefined} options
 * @param {Origin} origin
 * @param {Credential} [known] what a function gives now: its key in a store is made of it
 * @returns {Promise<Session>}
 */
export async function signIn(credential, options, origin, known = credential) {
  const { target, ...rest } = options ?? {}
  const call = { ...given(rest), origin }
  const plan = await callPlan({
    call: 'login',
    names: call.names,
    options: call.options,
    credential: isKnown(known) ? await settle(known) : undefined,
    wanted: target,
  })
  const { kind, where } = origin.source
  if (kind !== 'given') tell(call.onEvent, { type: 'source', kind, where, isStale: false })
  const storeKey = await storeKeyOf(plan)
  // What is asked for anew can be used again, whatever it gave.
  const reusable = typeof credential === 'function' ? undefined : plan.reusable
  const keeper = new Keeper(credential, call, { ...plan, reusable }, storeKey)
  await keeper.exchange(call.signal)
  return aimedSession(keeper, target, storeKey, call.signal)
}
