/**
 * IAM's trusted profiles: who becomes one, by a compute resource's token or by a token of an identity.
 */

import { Refusal } from './http.js'
import { iamError, notValid, required } from './iam_replies.js'
import { readToken } from './jwt.js'

/** @import { Call, Profile } from './types.js' */
/** @import { Grant } from './iam_token.js' */

export const PROFILE_NAMES = ['profile_id', 'profile_crn', 'profile_name']

/** @type {Grant['subject']} */
export function computeResourceSubject(call, form) {
  const profile = profileOf(call, form)
  if (profile.crTokens?.includes(form.get('cr_token') ?? '')) return subjectOf(profile)
  throw notEligible(call)
}

/** @type {Grant['subject']} */
export async function assumeSubject(call, form) {
  const { claims } = await readToken(form.get('access_token') ?? '', call.world.now())
  if (claims?.iss !== `${call.base}/identity`) {
    throw new Refusal(iamError(call, 400, 'BXNIM0407E', 'Provided access_token is invalid'))
  }
  if (form.get('profile_name')) required(call, form, 'account')
  else if (form.has('account')) throw notValid(call, 'account: only beside profile_name')
  const profile = profileOf(call, form)
  if (profile.trusted?.includes(String(claims.iam_id)) ?? true) return subjectOf(profile)
  throw notEligible(call)
}

/** @param {Profile} profile */
function subjectOf({ id, account }) {
  return { owner: id, account, isProfile: true }
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 */
function profileOf(call, form) {
  const [name, second] = PROFILE_NAMES.filter((one) => form.has(one))
  if (name === undefined || second !== undefined) {
    throw notValid(call, 'exactly one of profile_id, profile_crn, profile_name is wanted')
  }
  const value = required(call, form, name)
  const field = /** @type {'id' | 'crn' | 'name'} */ (name.slice('profile_'.length))
  const account = form.get('account')
  const profile = call.data.profiles.find(
    (one) => one[field] === value && (account === null || one.account === account),
  )
  if (profile !== undefined) return profile
  throw notEligible(call)
}

/** IAM says the same of a profile that is not there. @param {Call} call */
function notEligible(call) {
  const message = 'The trusted profile is not eligible for this identity.'
  return new Refusal(iamError(call, 400, 'BXNIM0398E', message))
}
