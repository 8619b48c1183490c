/**
 * The Resource Controller: service instances by name, GUID or CRN, for the account of the token.
 */

import { accountIn, iamClaims } from './bearer.js'
import { MADE_AT } from './data.js'
import { guidFrom } from './derive.js'
import { json, Refusal, repeated, stranger } from './http.js'

/** @import { Call, Handler, Instance, Reply, Service } from './types.js' */

const PARAMETERS = [
  'guid',
  'name',
  'resource_group_id',
  'resource_id',
  'resource_plan_id',
  'type',
  'sub_type',
  'limit',
  'start',
  'state',
  'updated_from',
  'updated_to',
]
const MOST = 100

/**
 * @param {Call} call
 * @param {number} status
 * @param {unknown} value
 * @param {string} [id] of the transaction
 * @returns {Reply}
 */
function answer(call, status, value, id = transaction(call)) {
  return json(status, value, { 'Transaction-Id': id })
}

/** @param {Call} call */
function transaction({ headers, world }) {
  return headers.get('x-correlation-id') || headers.get('transaction-id') || world.guid('request')
}

/**
 * @param {Call} call
 * @param {number} status
 * @param {string} errorCode
 * @param {string} message
 */
function failure(call, status, errorCode, message) {
  const id = transaction(call)
  const body = { message, status_code: status, error_code: errorCode, transaction_id: id }
  return answer(call, status, body, id)
}

/**
 * @param {Call} call
 * @returns {Promise<Instance[]>} those of the token's account
 */
async function visible(call) {
  const { claims, problem, endedAt } = await iamClaims(call)
  if (claims) {
    const account = accountIn(claims)
    return call.data.instances.filter((instance) => instance.account === account)
  }
  const id = transaction(call)
  const ended = problem === 'ended' && endedAt !== undefined
  const message = ended
    ? `Token expired at ${new Date(endedAt * 1000).toISOString()}`
    : 'Unauthorized: a valid IAM token is wanted'
  // As recorded: this one answer has a shape of its own.
  const body = { message, code: 401, global_transaction_id: id }
  throw new Refusal(answer(call, 401, body, id))
}

/** @type {Handler} */
async function list(call) {
  const instances = await visible(call)
  refuseOddQuery(call)
  const start = call.query.get('start')
  // Where a page token is given it stands for the whole query.
  const page = start === null ? { offset: 0, query: String(call.query) } : openToken(call, start)
  const query = new URLSearchParams(page.query)
  const found = instances.filter((instance) => fits(call, instance, query))
  const limit = limitOf(call, query)
  const next = page.offset + limit
  const shown = found.slice(page.offset, next)
  const more = next < found.length ? pageToken(next, page.query) : undefined
  return answer(call, 200, {
    rows_count: shown.length,
    next_url: more === undefined ? null : `${call.base}/v2/resource_instances?start=${more}`,
    resources: shown.map((instance) => resource(call, instance)),
  })
}

/** @type {Handler} */
async function one(call) {
  const { id } = call.params
  const instance = (await visible(call)).find(({ guid, crn }) => guid === id || crn === id)
  if (instance) return answer(call, 200, resource(call, instance))
  return failure(call, 404, 'RC-ServiceInstanceNotFound', `Instance not found: ${id}`)
}

/** @param {Call} call */
function refuseOddQuery(call) {
  if (call.world.loose) return
  const odd = stranger(call.query, PARAMETERS) ?? repeated(call.query)
  if (odd === undefined) return
  const message = `Strict: unknown or repeated parameter: ${odd}`
  throw new Refusal(failure(call, 400, 'RC-InvalidParameter', message))
}

/**
 * @param {Call} call
 * @param {Instance} instance
 * @param {URLSearchParams} query
 */
function fits(call, instance, query) {
  const record = /** @type {Record<string, unknown>} */ (resource(call, instance))
  const state = query.get('state')
  const alive = state === null ? ['active', 'provisioning'] : [state]
  const updated = String(record.updated_at)
  return (
    alive.includes(instance.state) &&
    updated >= (query.get('updated_from') ?? '') &&
    updated <= (query.get('updated_to') ?? '\uffff') &&
    [
      'guid',
      'name',
      'resource_group_id',
      'resource_id',
      'resource_plan_id',
      'type',
      'sub_type',
    ].every((field) => !query.has(field) || record[field] === query.get(field))
  )
}

/**
 * @param {Call} call
 * @param {URLSearchParams} query
 */
function limitOf(call, query) {
  const limit = query.get('limit') ?? String(MOST)
  if (!/^[1-9]\d*$/.test(limit)) {
    throw new Refusal(failure(call, 400, 'RC-InvalidParameter', 'limit is not a number above 0'))
  }
  // A larger one is cut without a word.
  return Math.min(Number(limit), MOST)
}

/**
 * @param {number} offset
 * @param {string} query of the first page
 */
function pageToken(offset, query) {
  return btoa(`${offset}?${query}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * @param {Call} call
 * @param {string} token
 */
function openToken(call, token) {
  let text = ''
  try {
    text = atob(token.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    // Read as no token at all, below.
  }
  const [, offset, query = ''] = /^(\d+)\?(.*)$/.exec(text) ?? []
  if (offset === undefined) {
    throw new Refusal(failure(call, 400, 'RC-InvalidParameter', 'start is not a page token'))
  }
  return { offset: Number(offset), query }
}

/**
 * @param {Call} call
 * @param {Instance} instance
 */
function resource({ data }, instance) {
  const { guid, name, crn, region, account, resourceGroup, resourceId, service, state } = instance
  const plan = guidFrom(data.seed, 'plan', resourceId)
  const { extensions = {}, createdAt = MADE_AT } = instance
  return {
    id: crn,
    guid,
    url: `/v2/resource_instances/${guid}`,
    created_at: createdAt,
    updated_at: createdAt,
    deleted_at: null,
    name,
    region_id: region,
    account_id: account,
    resource_plan_id: plan,
    resource_group_id: resourceGroup,
    target_crn: `crn:v1:bluemix:public:globalcatalog::::deployment:${plan}%3A${region}`,
    crn,
    state,
    type: 'service_instance',
    sub_type: service,
    resource_id: resourceId,
    dashboard_url: `https://cloud.ibm.com/services/${service}/${encodeURIComponent(crn)}`,
    last_operation: { type: 'create', state: 'succeeded', async: false },
    extensions,
    locked: false,
  }
}

/** @type {Service} */
export const resourceController = {
  routes: {
    '/v2/resource_instances': { GET: list },
    '/v2/resource_instances/{id}': { GET: one },
  },
  unknown: (call) => failure(call, 404, 'RC-NotFound', 'Not Found'),
  wrongMethod: (call) => failure(call, 405, 'RC-MethodNotAllowed', 'Method Not Allowed'),
}
