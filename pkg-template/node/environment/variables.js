// @ts-check
/** @import { CredentialFields } from '../../types.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { fromNamedFile } from './credentials_file.js'
import { ADDRESSES, API_KEYS, CF, CF_USERS, IBMID, NOT_YET, REFRESH_TOKENS } from './names.js'
import { fromProperties } from './properties.js'

/**
 * Environment variables: those of IBM’s SDKs, first the file that they name; then those of the CLIs and
 * of Terraform.
 * @param {Context} context
 * @returns {Promise<Found | Lacking>}
 */
export async function fromVariables(context) {
  const { env } = context
  const readers = [
    () => fromNamedFile(context),
    () => fromProperties(env),
    () => apiKey(env),
    () => refreshToken(env),
    () => ibmId(env),
    () => cloudFoundry(context),
  ]
  const lacking = []
  for (const read of readers) {
    const result = await read()
    if (result === undefined) continue
    if (!('lacks' in result)) return result
    lacking.push(result.lacks)
  }
  const unusable = NOT_YET.filter((name) => env[name] !== undefined)
  if (unusable.length > 0) lacking.push(`${unusable.join(', ')} alone is not supported yet`)
  return { lacks: lacking.join(', ') }
}

/** @param {Context['env']} env @returns {Found | Lacking} */
function apiKey(env) {
  const [name, key = ''] = firstOf(env, API_KEYS)
  if (name === undefined) return { lacks: `no ${API_KEYS.join(', no ')}` }
  return found(name, { apiKey: key })
}

/** @param {Context['env']} env @returns {Found | undefined} */
function refreshToken(env) {
  const [name, token = ''] = firstOf(env, REFRESH_TOKENS)
  return name === undefined ? undefined : { ...found(name, { refreshToken: token }), at: 'iam' }
}

/** @param {Context['env']} env @returns {Found | Lacking | undefined} */
function ibmId(env) {
  const [name, secret] = IBMID
  const [username, password] = [env[name], env[secret]]
  if (username === undefined) return undefined
  if (password === undefined) return { lacks: `${name} without ${secret}` }
  return { ...found(name, { username, password }), at: 'iam' }
}

/**
 * What people export of a `cf` login.
 * @param {Context} context
 * @returns {Found | Lacking | undefined}
 */
function cloudFoundry({ env, endpoints }) {
  const [user, username = ''] = firstOf(env, CF_USERS)
  const { [CF.password]: password, [CF.refreshToken]: token, [CF.origin]: origin } = env
  /** @type {Found | undefined} */
  let it
  if (token !== undefined) it = found(CF.refreshToken, { refreshToken: token })
  else if (user !== undefined && password !== undefined) {
    it = found(user, { username, password, origin })
  }
  if (it === undefined) {
    return user === undefined ? undefined : { lacks: `${user} without ${CF.password}` }
  }
  const api = env[CF.api]
  // The address of another service than the one named must not get the password.
  const own = api === undefined ? { cf: env[ADDRESSES.cf], uaa: env[ADDRESSES.uaa] } : { cf: api }
  const isNamed =
    typeof endpoints === 'object' && [endpoints.cf, endpoints.uaa, endpoints.base].some(Boolean)
  if (!isNamed && own.cf === undefined && own.uaa === undefined) {
    return { lacks: `${it.where} without ${CF.api}` }
  }
  return { ...it, at: 'uaa', endpoints: own }
}

/**
 * @param {Context['env']} env
 * @param {readonly string[]} names
 * @returns {[string, string] | []}
 */
function firstOf(env, names) {
  for (const name of names) {
    const value = env[name]
    if (value !== undefined) return [name, value]
  }
  return []
}

/** @param {string} where @param {CredentialFields} known @returns {Found} */
function found(where, known) {
  return { where, credential: known, known }
}
