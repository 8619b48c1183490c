// @ts-check
/** @import { Client, CredentialFields, Endpoints } from '../../types.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { broken } from './found.js'
import { PREFIX } from './names.js'

/** @typedef {typeof import('./names.js').PROPERTIES[number]} Property */
/** @typedef {(property: Property) => string | undefined} Get */

/** Kinds of IBM’s SDKs that have no grant here yet. */
const NOT_YET = ['iamassume', 'container', 'vpc']
/** Those that sign in elsewhere, or not at all. */
const OTHERS = ['noauth', 'cp4d', 'mcsp', 'mcspv2']

/**
 * The properties of IBM’s SDKs for Key Protect, from variables or a credentials file.
 * @param {Context['env']} values
 * @param {string} [file] theirs; without it they are variables
 * @returns {Found | Lacking}
 */
export function fromProperties(values, file) {
  /** @type {Get} */
  const get = (property) => values[PREFIX + property] || undefined
  const lacks = `no ${PREFIX}APIKEY`
  if (!Object.keys(values).some((name) => name.startsWith(PREFIX) && values[name])) return { lacks }
  const read = credentialOf(get)
  if (read === undefined) return { lacks }
  if ('lacks' in read) return read
  for (const property of /** @type {const} */ (['AUTH_DISABLE_SSL', 'DISABLE_SSL'])) {
    if (get(property)?.toLowerCase() === 'true') {
      throw broken(`${PREFIX}${property} asks to skip the checks of TLS`, 'They are never skipped.')
    }
  }
  const { property, known } = read
  const name = PREFIX + property
  return {
    where: file === undefined ? name : file,
    credential: known,
    known,
    // An API key is good at a UAA too, where the caller says that there is no IAM.
    at: property === 'REFRESH_TOKEN' ? 'iam' : undefined,
    endpoints: endpointsOf(get),
    client: clientOf(get),
  }
}

/**
 * @param {Get} get
 * @returns {{ property: Property, known: CredentialFields } | Lacking | undefined}
 */
function credentialOf(get) {
  const type = get('AUTH_TYPE')?.trim().toLowerCase()
  switch (type) {
    case undefined:
      return (
        apiKey(get) ??
        password(get) ??
        refreshToken(get) ??
        (get('BEARER_TOKEN') === undefined ? undefined : tokenAlone())
      )
    case 'iam':
      return apiKey(get) ?? refreshToken(get) ?? missing(type, 'APIKEY')
    case 'basic':
      return password(get) ?? missing(type, 'USERNAME')
    case 'bearertoken':
      return tokenAlone()
  }
  if (NOT_YET.includes(type)) {
    throw broken(`${PREFIX}AUTH_TYPE is ${type}, which is not supported yet`, 'Use an API key.')
  }
  // What is no kind may be a secret in the wrong place.
  const what = OTHERS.includes(type) ? type : 'no kind of sign-in'
  throw broken(`${PREFIX}AUTH_TYPE is ${what}`, 'Known here are iam and basic.')
}

/** @param {Get} get */
function apiKey(get) {
  const key = get('APIKEY')
  return key === undefined ? undefined : made('APIKEY', { apiKey: key })
}

/** @param {Get} get */
function password(get) {
  const [username, secret] = [get('USERNAME'), get('PASSWORD')]
  if (username === undefined && secret === undefined) return undefined
  if (username === undefined) return missing('basic', 'USERNAME')
  if (secret === undefined) return missing('basic', 'PASSWORD')
  return made('USERNAME', { username, password: secret })
}

/** @param {Get} get */
function refreshToken(get) {
  const token = get('REFRESH_TOKEN')
  return token === undefined ? undefined : made('REFRESH_TOKEN', { refreshToken: token })
}

/** @param {Property} property @param {CredentialFields} known */
function made(property, known) {
  return { property, known }
}

/** @returns {Lacking} */
function tokenAlone() {
  return { lacks: `${PREFIX}BEARER_TOKEN alone is not supported yet` }
}

/** @param {string} type @param {Property} property @returns {never} */
function missing(type, property) {
  throw broken(`${PREFIX}${property} is not set, which ${type} needs`, 'Set it.')
}

/** @param {Get} get @returns {Endpoints} */
function endpointsOf(get) {
  return { iam: get('AUTH_URL'), keyProtect: get('URL') }
}

/** @param {Get} get @returns {Client | undefined} */
function clientOf(get) {
  const [clientId, clientSecret] = [get('CLIENT_ID'), get('CLIENT_SECRET')]
  if (clientId !== undefined) return { clientId, clientSecret }
  return clientSecret === undefined ? undefined : missing('a client', 'CLIENT_ID')
}
