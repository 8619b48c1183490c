// @ts-check
/** @import { Endpoints } from '../../types.js' */
/** @import { Context, Found } from './found.js' */
import { ADDRESSES } from './names.js'

const IBM = 'https://iam.cloud.ibm.com'

/**
 * Why a credential does not go with the addresses that the caller names; a secret must not reach another
 * company than the one that gave it.
 * @param {Found} found
 * @param {Context['endpoints']} given
 */
export function unfit({ at }, given) {
  const iam = given === 'private' ? IBM : given?.iam
  if (at === 'iam' && iam === null) return 'it is for an IAM, and endpoints.iam is null'
  if (at === 'uaa' && iam !== undefined && iam !== null)
    return 'it is for a UAA, and an IAM is named'
  return undefined
}

/**
 * The addresses of a login: the caller’s, then those that came with the credential, then those of the
 * environment. IAM stays IBM’s where none names it.
 * @param {Found} found
 * @param {Context} context
 * @returns {Endpoints | 'private' | undefined}
 */
export function endpointsFor({ at, endpoints: own }, { env, endpoints: given }) {
  if (given === 'private' || own === 'private') return 'private'
  const named = defined(given ?? {})
  if ('base' in named) return at === 'uaa' ? { ...named, iam: null } : named
  const variables = defined(
    Object.fromEntries(Object.entries(ADDRESSES).map(([name, variable]) => [name, env[variable]])),
  )
  const brought = defined(own ?? {})
  if (at === 'uaa') {
    // The variables are IBM’s: a token of another Cloud Foundry has no business there, but at the Key
    // Protect that they name.
    const { keyProtect } = variables
    return { ...defined({ keyProtect }), ...brought, ...named, iam: null }
  }
  /** @type {Endpoints} */
  const all = { ...variables, ...brought, ...named }
  if (!('iam' in all) && (all.cf ?? all.uaa) !== undefined) all.iam = IBM
  return Object.keys(all).length === 0 ? undefined : all
}

/** @param {object} fields @returns {Endpoints} */
function defined(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
