// @ts-check
/** @import { TargetOption } from '../../types.js' */
/** @import { FileLogin } from './borrowed.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { join, resolve } from 'node:path'
import { borrowed, holderOf } from './borrowed.js'
import { homeOf, readFields } from './files.js'
import { broken, isObject, shown, textOf } from './found.js'
import { CF_HOME } from './names.js'

/**
 * A login of `cf`. Its version number alone is no reason to ignore a file.
 * @param {Context} context
 * @returns {Promise<Found | Lacking>}
 */
export async function fromCf({ env, cwd, endpoints, signal }) {
  const home = env[CF_HOME] ?? homeOf(env)
  if (home === undefined) return { lacks: 'no home directory' }
  const path = join(resolve(cwd, home), '.cf', 'config.json')
  const fields = await readFields(path, signal)
  const login = loginIn(path, fields)
  if ('lacks' in login) return login
  const { cf, uaa, client } = placeIn(fields)
  if (cf === undefined) throw broken(`${shown(path)} names no API`, 'Sign in with cf again.')
  if (hasEnded(cf))
    return { lacks: `a login to IBM’s Cloud Foundry, which has ended (${shown(path)})` }
  const other = typeof endpoints === 'object' ? endpoints.cf : undefined
  if (other !== undefined && originOf(other) !== originOf(cf)) {
    return { lacks: `a login to another API (${shown(path)})` }
  }
  return {
    where: path,
    ...borrowed(login, async () => loginIn(path, await readFields(path)), 'cf login'),
    at: 'uaa',
    endpoints: { cf, uaa },
    client,
    target: targetIn(fields ?? {}),
    note:
      fields?.SSLDisabled === true
        ? `${shown(path)} says SSLDisabled, which is not followed.`
        : undefined,
  }
}

/**
 * @param {string} path
 * @param {Record<string, unknown> | undefined} fields
 * @returns {FileLogin | Lacking}
 */
function loginIn(path, fields) {
  if (fields === undefined) return { lacks: `no login in ${shown(path)}` }
  if (isObject(fields.CFOnK8s) && fields.CFOnK8s.Enabled === true) {
    return { lacks: `a login of a kubeconfig, which is not read (${shown(path)})` }
  }
  const refreshToken = textOf(fields.RefreshToken)
  if (refreshToken !== undefined) {
    const { cf, uaa, client } = placeIn(fields)
    return { refreshToken, place: [cf, uaa, client.clientId], holder: holderOf(fields.AccessToken) }
  }
  if (textOf(fields.AccessToken) === undefined) return { lacks: `signed out (${shown(path)})` }
  const what =
    fields.UAAGrantType === 'client_credentials'
      ? 'a login by client credentials, whose secret cf does not keep'
      : 'an access token alone, which is not supported yet'
  return { lacks: `${what} (${shown(path)})` }
}

/** @param {Record<string, unknown>} [fields] */
function placeIn(fields = {}) {
  return {
    cf: textOf(fields.Target),
    // Tokens are refreshed where they were asked for.
    uaa: textOf(fields.AuthorizationEndpoint) ?? textOf(fields.UaaEndpoint),
    client: {
      clientId: textOf(fields.UAAOAuthClient) ?? 'cf',
      clientSecret: textOf(fields.UAAOAuthClientSecret) ?? '',
    },
  }
}

/**
 * The org and the space of a file of `cf`.
 * @param {Record<string, unknown>} fields
 * @returns {TargetOption | undefined}
 */
export function targetIn({ OrganizationFields, SpaceFields }) {
  const [org, space] = [OrganizationFields, SpaceFields].map((held) => {
    const { GUID, Name } = isObject(held) ? held : {}
    const guid = textOf(GUID)
    return guid === undefined ? undefined : { guid, name: textOf(Name) }
  })
  return org && { org, space }
}

/** IBM’s Cloud Foundry: nothing answers there any more. @param {string} api */
export function hasEnded(api) {
  const { hostname } = URL.canParse(api) ? new URL(api) : { hostname: '' }
  return /(^|\.)(bluemix\.net|cf\.cloud\.ibm\.com)$/.test(hostname)
}

/** @param {string | URL} address */
function originOf(address) {
  return URL.canParse(String(address)) ? new URL(String(address)).origin : undefined
}
