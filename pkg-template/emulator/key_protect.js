/**
 * Key Protect: the list of keys and their number, in today's shape for an instance and in that of
 * 2017 for a Cloud Foundry org and space.
 */

import { accountIn, bearer } from './bearer.js'
import { MADE_AT, sameName } from './data.js'
import { json, Refusal, repeated, stranger } from './http.js'
import { userByGuid, userByIamId } from './people.js'

/** @import { Claims } from './jwt.js' */
/** @import { Call, Handler, Instance, Key, Org, Reply, Service, Space, User } from './types.js' */

const KEY_TYPE = 'application/vnd.ibm.kms.key+json'
const ERROR_TYPE = 'application/vnd.ibm.kms.error+json'
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const FILTERS = ['state', 'extractable']
const NO_ACCESS =
  'Unauthorized: Either the user does not have access to the specified resource, the resource does not exist, or the region is incorrectly set'

/**
 * @param {Call} call
 * @param {number} status
 * @param {unknown} value
 * @param {Record<string, string>} [more] headers
 * @returns {Reply}
 */
function answer({ headers, world }, status, value, more = {}) {
  const id = headers.get('correlation-id') || world.guid('request')
  return json(status, value, { 'correlation-id': id, ...more })
}

/**
 * @param {Call} call
 * @param {number} status
 * @param {string} errorMsg begins with the status text
 * @param {string} [code] of the one reason; none is given without it
 */
function failure(call, status, errorMsg, code) {
  const message = errorMsg.replace(/^[^:]*: /, '')
  const moreInfo = 'https://cloud.ibm.com/apidocs/key-protect'
  const reasons = code === undefined ? {} : { reasons: [{ code, message, status, moreInfo }] }
  return answer(call, status, {
    metadata: { collectionType: ERROR_TYPE, collectionTotal: 1 },
    resources: [{ errorMsg, ...reasons }],
  })
}

/**
 * @param {Call} call
 * @param {string} text
 * @param {string} [code]
 */
function badRequest(call, text, code = 'INVALID_FIELD_ERR') {
  return new Refusal(failure(call, 400, `Bad Request: ${text}`, code))
}

/**
 * Reads `Bluemix-*`: an instance, or an org and a space; never both, never half of it.
 * @param {Call} call
 */
function placeOf(call) {
  const [instance, org, space] = ['instance', 'org', 'space'].map(
    (name) => call.headers.get(`bluemix-${name}`) ?? undefined,
  )
  if (instance === undefined) {
    if (org && space) return { instance, org, space }
    throw badRequest(call, 'A Bluemix-Instance Header, or Bluemix-Org and Bluemix-Space, is wanted')
  }
  if (org !== undefined || space !== undefined) {
    throw badRequest(call, 'Either a Bluemix-Instance Header, or Bluemix-Org and Bluemix-Space')
  }
  if (!UUID.test(instance)) {
    const text = 'Please provide a valid Bluemix-Instance Header containing a valid UUID'
    throw badRequest(call, text)
  }
  return { instance, org, space }
}

/**
 * The keys that the request's headers point to, if its token opens that place.
 * @param {Call} call
 * @returns {Promise<{ keys: Key[], shape: (key: Key) => object }>}
 */
async function keysOf(call) {
  const { claims, kind, problem } = await bearer(call)
  if (problem === 'unreadable') {
    throw badRequest(call, 'The bearer token could not be read', 'BEARER_SUB_EXTRACTION_ERR')
  }
  if (problem) {
    const text = 'Unauthorized: The user does not have a valid token'
    throw new Refusal(failure(call, 401, text, 'UNAUTHORIZED_ERR'))
  }
  const place = placeOf(call)
  const found =
    place.instance === undefined
      ? spaceKeys(call, place, personOf(call, kind, claims))
      : instanceKeys(call, place.instance, kind === 'iam' ? accountIn(claims) : undefined)
  if (!found) throw new Refusal(failure(call, 401, NO_ACCESS))
  return found
}

/**
 * @param {Call} call
 * @param {string} wanted GUID
 * @param {string | undefined} account that the token speaks for
 */
function instanceKeys({ data }, wanted, account) {
  const instance = data.instances.find(
    ({ guid, service, state, region }) =>
      guid === wanted &&
      service === 'kms' &&
      state === 'active' &&
      region === (data.keyProtect.region ?? region),
  )
  if (!instance || instance.account !== account) return undefined
  const by = data.users.find(({ accounts }) => accounts.includes(account))?.iamId ?? 'IBMid-NOBODY'
  const keys = /** @type {Key[]} */ (instance.keys ?? [])
  return { keys, shape: (/** @type {Key} */ key) => today(instance, key, by) }
}

/**
 * @param {Call} call
 * @param {{ org: string | undefined, space: string | undefined }} place GUIDs
 * @param {User | undefined} user
 */
function spaceKeys({ data }, place, user) {
  const org = data.orgs.find(({ guid }) => guid === place.org)
  const space = data.spaces.find(({ guid }) => guid === place.space)
  if (!user || !org || space?.org !== org.guid) return undefined
  const sees = (/** @type {Org | Space} */ { members }) =>
    members?.some((name) => sameName(name, user.userName)) ?? true
  if (!sees(org) || !sees(space)) return undefined
  const keys = /** @type {Key[]} */ (space.keys ?? [])
  return { keys, shape: (/** @type {Key} */ key) => of2017(key, user.iamId) }
}

/**
 * @param {Call} call
 * @param {'iam' | 'uaa'} kind
 * @param {Claims} claims
 */
function personOf({ data }, kind, claims) {
  return kind === 'iam'
    ? userByIamId(data, String(claims.iam_id))
    : userByGuid(data, String(claims.user_id))
}

/** @type {Handler} */
async function list(call) {
  const { keys, shape } = await keysOf(call)
  refuseOddQuery(call, [...FILTERS, 'limit', 'offset', 'sort'])
  const limit = whole(call, 'limit', 200, { least: 1, most: 5000 })
  const offset = whole(call, 'offset', 0, { least: 0, most: Number.MAX_SAFE_INTEGER })
  const shown = sorted(call, filtered(call, keys).map(shape)).slice(offset, offset + limit)
  return answer(call, 200, {
    metadata: { collectionType: KEY_TYPE, collectionTotal: shown.length },
    // An empty collection has no `resources` at all.
    ...(shown.length > 0 ? { resources: shown } : {}),
  })
}

/** @type {Handler} */
async function count(call) {
  const { keys } = await keysOf(call)
  refuseOddQuery(call, FILTERS)
  const total = String(filtered(call, keys).length)
  return answer(call, 200, null, { 'Key-Total': total })
}

/**
 * @param {Call} call
 * @param {string[]} known
 */
function refuseOddQuery(call, known) {
  if (call.world.loose) return
  const odd = stranger(call.query, known)
  if (odd !== undefined) throw badRequest(call, `Strict: unknown or not emulated parameter: ${odd}`)
  const twice = repeated(call.query)
  if (twice !== undefined) throw badRequest(call, `Strict: parameter given twice: ${twice}`)
}

/**
 * @param {Call} call
 * @param {string} name
 * @param {number} otherwise
 * @param {{ least: number, most: number }} bounds
 */
function whole(call, name, otherwise, { least, most }) {
  const text = call.query.get(name)
  if (text === null) return otherwise
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw badRequest(call, `${name} must be a number from ${least} to ${most}`)
}

/**
 * @param {Call} call
 * @param {Key[]} keys
 */
function filtered(call, keys) {
  const { query, headers } = call
  const states = (query.get('state') ?? '0,1,2,3').split(',').map(Number)
  if (!states.every((state) => [0, 1, 2, 3, 5].includes(state))) {
    throw badRequest(call, 'state must be a list of 0, 1, 2, 3 and 5')
  }
  const extractable = query.get('extractable')
  if (extractable !== null && !['true', 'false'].includes(extractable)) {
    throw badRequest(call, 'extractable must be true or false')
  }
  const ring = headers.get('x-kms-key-ring')
  return keys.filter(
    (key) =>
      states.includes(key.state ?? 1) &&
      (extractable === null || String(key.extractable ?? false) === extractable) &&
      (ring === null || (key.keyRing ?? 'default') === ring),
  )
}

/**
 * @param {Call} call
 * @param {object[]} shown
 */
function sorted({ query }, shown) {
  const sort = query.get('sort')
  if (sort === null) return shown
  const fields = sort.split(',').map((field) => /^(-?)(.*)$/.exec(field) ?? [])
  const value = (/** @type {object} */ key, /** @type {string} */ field) =>
    String(/** @type {Record<string, unknown>} */ (key)[field] ?? '')
  return [...shown].sort((a, b) => {
    for (const [, sign, field = ''] of fields) {
      const order =
        value(a, field) < value(b, field) ? -1 : value(a, field) > value(b, field) ? 1 : 0
      if (order !== 0) return sign === '-' ? -order : order
    }
    return 0
  })
}

/**
 * @param {Instance} instance
 * @param {Key} key
 * @param {string} by
 */
function today(instance, key, by) {
  const { id, name, description, state = 1, extractable = false, imported = false } = key
  const made = key.createdAt ?? MADE_AT
  return {
    id,
    type: KEY_TYPE,
    name,
    ...(description === undefined ? {} : { description }),
    state,
    extractable,
    crn: `${instance.crn.replace(/::$/, '')}:key:${id}`,
    imported,
    createdBy: by,
    creationDate: made,
    lastUpdateDate: made,
    algorithmMetadata: { bitLength: '256', mode: 'Deprecated' },
    algorithmBitSize: 256,
    algorithmMode: 'Deprecated',
    keyRingID: key.keyRing ?? 'default',
    dualAuthDelete: { enabled: false },
    deleted: state === 5,
  }
}

/**
 * @param {Key} key
 * @param {string} by
 */
function of2017({ id, name, description, state = 1, createdAt = MADE_AT }, by) {
  return {
    id,
    type: KEY_TYPE,
    name,
    ...(description === undefined ? {} : { description }),
    state,
    createdBy: by,
    creationDate: createdAt,
    lastUpdateDate: createdAt,
    algorithmType: 'AES',
    algorithmMetadata: { bitLength: '256', mode: 'GCM' },
  }
}

/** @type {Service} */
export const keyProtect = {
  routes: { '/api/v2/keys': { GET: list, HEAD: count } },
  unknown: (call) => failure(call, 404, 'Not Found: Not emulated, or no such resource'),
  wrongMethod: (call) => failure(call, 405, 'Method Not Allowed: Not emulated'),
}
