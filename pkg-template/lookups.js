// @ts-check
/** @import { Errand } from './call.js' */
/** @import { Keeper } from './keeper.js' */
/** @import { FoundInstance, InstanceNamed, Named, Target, TargetOption, TokenKind } from './types.js' */

import { isWorthAnother } from './again.js'
import { callCore, makeIo } from './call.js'

/** @typedef {Pick<Target, 'org' | 'space' | 'instance'>} Aim */

const WHAT = /** @type {const} */ ({
  findOrg: 'org',
  findSpace: 'space',
  findInstance: 'instance',
  listKeys: 'keys',
})

/**
 * Has the core ask with a token of the session; once more with a fresh one on 401.
 * @param {Keeper} keeper
 * @param {keyof typeof WHAT} name
 * @param {TokenKind} kind
 * @param {Record<string, unknown>} input
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ask(keeper, name, kind, input, signal) {
  const { clock } = keeper.call
  const started = clock.monotonic()
  /** @param {any} [error] */
  const told = (error) => {
    const durationMs = clock.monotonic() - started
    keeper.tell({ type: 'lookup', what: WHAT[name], durationMs, code: error?.code })
  }
  try {
    const answer = await asked(keeper, name, kind, input, signal)
    told()
    return answer
  } catch (error) {
    told(error)
    throw error
  }
}

/**
 * The options of the login. A region that came along with a credential is no wish of the caller’s: it
 * gives way to that of the instance.
 * @param {Keeper} keeper
 * @param {Aim} [aim]
 */
export function optionsAt(keeper, aim) {
  const { options, origin } = keeper.call
  const { region, crn } = aim?.instance ?? {}
  if (!origin?.isRegionBrought || (region ?? crn) === undefined) return options
  return { ...options, region: undefined }
}

/**
 * @param {Keeper} keeper
 * @param {Errand} name
 * @param {TokenKind} kind
 * @param {Record<string, unknown>} input
 * @param {AbortSignal} [signal]
 */
async function asked(keeper, name, kind, input, signal) {
  const once = async () => {
    const token = await keeper.token(kind, signal && { signal })
    const io = makeIo(keeper.call, keeper.plan, signal)
    const options = optionsAt(keeper, /** @type {Aim | undefined} */ (input.target))
    return { token, answer: callCore(name, { options, token, ...input }, io) }
  }
  const { token, answer } = await once()
  try {
    return await answer
  } catch (/** @type {any} */ error) {
    if (error.status !== 401 || !(await isWorthAnother(keeper, kind, token, signal))) throw error
  }
  return (await once()).answer
}

/**
 * The names of a target, looked up.
 * @param {Keeper} keeper
 * @param {TargetOption} target
 * @param {AbortSignal} [signal]
 * @returns {Promise<Aim>}
 */
export async function lookUp(keeper, target, signal) {
  const { instance, org, space } = target
  if (instance !== undefined) {
    return { instance: await findInstance(keeper, instance, undefined, signal) }
  }
  const foundOrg = await findOrg(keeper, /** @type {Named} */ (org), signal)
  if (space === undefined) return { org: foundOrg }
  return { org: foundOrg, space: await findSpace(keeper, space, foundOrg, signal) }
}

/** @param {Keeper} keeper @param {Named} name @param {AbortSignal} [signal] */
export function findOrg(keeper, name, signal) {
  return find(keeper, 'findOrg', 'uaa', name, {}, signal)
}

/**
 * @param {Keeper} keeper
 * @param {Named} name
 * @param {Named | undefined} org
 * @param {AbortSignal} [signal]
 */
export function findSpace(keeper, name, org, signal) {
  return find(keeper, 'findSpace', 'uaa', name, { org }, signal)
}

/**
 * @param {Keeper} keeper
 * @param {InstanceNamed} name
 * @param {string | undefined} resourceGroup
 * @param {AbortSignal} [signal]
 * @returns {Promise<FoundInstance>}
 */
export function findInstance(keeper, name, resourceGroup, signal) {
  return find(keeper, 'findInstance', 'iam', name, { resourceGroup }, signal)
}

/**
 * What is given as an object keeps what it says beside the GUID, and sends nothing.
 * @param {Keeper} keeper
 * @param {'findOrg' | 'findSpace' | 'findInstance'} call
 * @param {TokenKind} kind
 * @param {unknown} name
 * @param {Record<string, unknown>} input
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ guid: string, name: string }>}
 */
async function find(keeper, call, kind, name, input, signal) {
  keeper.checkOpen()
  if (typeof name === 'string') return ask(keeper, call, kind, { name, ...input }, signal)
  const { options } = keeper.call
  const io = makeIo(keeper.call, keeper.plan, signal)
  const known = await callCore(call, { options, name, ...input }, io)
  return { .../** @type {object} */ (name), ...known }
}
