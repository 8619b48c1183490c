/**
 * The accounts of a user: `GET /coe/v2/accounts` with an IAM token.
 */

import { iamClaims } from './bearer.js'
import { MADE_AT } from './data.js'
import { json } from './http.js'
import { userByIamId } from './people.js'

/** @import { Call, Handler, Service } from './types.js' */

/** @type {Handler} */
async function list(call) {
  const { claims } = await iamClaims(call)
  if (!claims) return general(call, 401, 'Unauthorized')
  const { data } = call
  const iamId = String(claims.iam_id)
  const user = userByIamId(data, iamId)
  // An API key of a service id sees its own account, so does a trusted profile.
  const others = [
    ...data.apiKeys.filter((key) => key.iamId === iamId),
    ...data.profiles.filter(({ id }) => id === iamId),
  ]
  const ids = user?.accounts ?? others.map(accountOf)
  const accounts = data.accounts.filter(({ id }) => ids.includes(id))
  return json(200, {
    total_results: accounts.length,
    total_pages: 1,
    prev_url: null,
    next_url: null,
    resources: accounts.map(({ id, name }) => ({
      metadata: {
        guid: id,
        url: `/coe/v2/accounts/${id}`,
        created_at: MADE_AT,
        updated_at: MADE_AT,
      },
      entity: {
        name,
        type: 'PAYG',
        state: 'ACTIVE',
        owner_userid: user?.userName ?? '',
        owner_iam_id: iamId,
      },
    })),
  })
}

/** @param {{ account: string }} of */
function accountOf({ account }) {
  return account
}

/**
 * @param {Call} call
 * @param {number} status
 * @param {string} message
 */
function general({ headers, world }, status, message) {
  const id = headers.get('x-correlation-id') || world.guid('request')
  return json(status, { message, code: status, transaction_id: id }, { 'Transaction-Id': id })
}

/** @type {Service} */
export const accounts = {
  routes: { '/coe/v2/accounts': { GET: list } },
  unknown: (call) => general(call, 404, 'Not Found'),
  wrongMethod: (call) => general(call, 405, 'Method Not Allowed'),
}
