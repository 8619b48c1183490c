// @ts-check
/** @import { Endpoints, TargetOption } from '../../types.js' */
/** @import { FileLogin } from './borrowed.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { join, resolve } from 'node:path'
import { borrowed, holderOf } from './borrowed.js'
import { hasEnded, targetIn } from './cf.js'
import { homeOf, kindAt, readFields } from './files.js'
import { isObject, shown, textOf } from './found.js'
import { IBMCLOUD_FOLDER, IBMCLOUD_HOMES } from './names.js'

/** What IAM writes where there is no refresh token. */
const NONE = 'not_supported'

/**
 * A login of `ibmcloud`, or of `bx`, as its folder holds it.
 * @param {Context} context
 * @returns {Promise<Found | Lacking>}
 */
export async function fromIbmCloud(context) {
  const folder = await folderOf(context)
  if (folder === undefined) return { lacks: 'no home directory' }
  const path = join(folder, 'config.json')
  const fields = await readFields(path, context.signal)
  const login = loginIn(path, fields)
  if ('lacks' in login) return login
  const read = async () => loginIn(path, await readFields(path))
  const inCloudFoundry = await readFields(join(folder, '.cf', 'config.json'), context.signal)
  return {
    where: path,
    ...borrowed(login, read, 'ibmcloud login'),
    at: 'iam',
    region: regionIn(fields),
    ...endpointsIn(fields, inCloudFoundry),
    note:
      fields?.SSLDisabled === true
        ? `${shown(path)} says SSLDisabled, which is not followed.`
        : undefined,
  }
}

/** @param {Context} context */
async function folderOf({ env, cwd }) {
  const named = env[IBMCLOUD_FOLDER]
  if (named !== undefined) return resolve(cwd, named)
  const home = IBMCLOUD_HOMES.map((name) => env[name]).find(Boolean) ?? homeOf(env)
  if (home === undefined) return undefined
  const folder = resolve(cwd, home, '.ibmcloud')
  return (await kindAt(folder)) === 'folder' ? folder : resolve(cwd, home, '.bluemix')
}

/**
 * @param {string} path
 * @param {Record<string, unknown> | undefined} fields
 * @returns {FileLogin | Lacking}
 */
function loginIn(path, fields) {
  if (fields === undefined) return { lacks: `no login in ${shown(path)}` }
  const refreshToken = textOf(fields.IAMRefreshToken)
  if (refreshToken !== undefined && refreshToken !== NONE) {
    const account = isObject(fields.Account) ? fields.Account.GUID : undefined
    return { refreshToken, place: [iamIn(fields), account], holder: holderOf(fields.IAMToken) }
  }
  const isAlone = textOf(fields.IAMToken) !== undefined
  const what = isAlone ? 'an access token alone, which is not supported yet' : 'signed out'
  return { lacks: `${what} (${shown(path)})` }
}

/** @param {Record<string, unknown>} fields */
function iamIn({
  IAMEndpoint,
  IAMPrivateEndpoint,
  IAMPrivateVPCEndpoint,
  IsPrivate,
  IsAccessFromVPC,
}) {
  const own =
    IsPrivate === true ? (IsAccessFromVPC ? IAMPrivateVPCEndpoint : IAMPrivateEndpoint) : undefined
  return textOf(own) ?? textOf(IAMEndpoint)
}

/**
 * Where the login was made, and what it is aimed at: the Cloud Foundry part is of 2017, and gone from
 * the CLI of today.
 * @param {Record<string, unknown> | undefined} fields
 * @param {Record<string, unknown> | undefined} cloudFoundry
 * @returns {{ endpoints: Endpoints, target?: TargetOption }}
 */
function endpointsIn(fields, cloudFoundry) {
  const endpoints = { iam: fields && iamIn(fields) }
  const cf = textOf(cloudFoundry?.Target)
  if (cloudFoundry === undefined || cf === undefined || hasEnded(cf)) return { endpoints }
  return { endpoints: { ...endpoints, cf }, target: targetIn(cloudFoundry) }
}

/** @param {Record<string, unknown> | undefined} fields */
function regionIn(fields) {
  const region = textOf(fields?.Region) ?? textOf(fields?.RegionID)
  // Old files hold other names, too.
  return region !== undefined && /^[a-z]+-[a-z]+\d*$/.test(region) ? region : undefined
}
