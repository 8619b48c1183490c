// @ts-check
/** @import { AuthError } from '../errors.js' */
/** @import { Session } from '../session.js' */
/** @import { EnvironmentOptions, LoginOptions } from '../types.js' */
/** @import { Context, Found } from './environment/found.js' */
import { cwd, env as variables } from 'node:process'
import '../index.node.js'
import { callPlan, given, wrong } from '../call.js'
import { isAuthError } from '../errors.js'
import { signIn } from '../sign_in.js'
import { endpointsFor } from './environment/addresses.js'
import { REGIONS } from './environment/names.js'
import { search } from './environment/search.js'

/** What a message of a service does not say: whose credential it speaks of. */
const ABOUT_CREDENTIAL = [
  'invalid_input',
  'invalid_credentials',
  'expired',
  'mfa_required',
  'forbidden',
]

/**
 * Signs in with the first credential that the environment holds: variables, a credentials file, a
 * binding of Cloud Foundry, a login of `ibmcloud` or `cf`. `session.source` tells which. One that is
 * there but broken ends the search. No CLI is run, no file is written.
 * @param {EnvironmentOptions} [options] those of `login`; `only`: the kinds that count; `binding`: the
 *   name of one in `VCAP_SERVICES`
 * @returns {Promise<Session>}
 * @throws {AuthError} `unavailable` where there is none, saying what each source lacked; `ambiguous` where
 *   several bindings fit; `invalid_input` for one that can’t be used
 */
export async function loginFromEnvironment(options) {
  const { only, binding, ...rest } = options ?? {}
  if (binding !== undefined && typeof binding !== 'string') throw wrong('binding', 'a text')
  const call = given(rest)
  // A wrong option is told before anything is read.
  await callPlan({ call: 'login', names: call.names, options: call.options, wanted: rest.target })
  const { endpoints, signal } = rest
  const env = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  /** @type {Context} */
  const context = { env, cwd: workingDirectory(), endpoints, binding, signal }
  const { found, source } = await search(context, only)
  const { credential, known, isBorrowed, hasNewer, gaveLast } = found
  const region = rest.region ?? found.region ?? REGIONS.map((name) => env[name]).find(Boolean)
  const origin = {
    source,
    isBorrowed,
    hasNewer,
    gaveLast,
    isRegionBrought: region !== undefined && rest.region === undefined,
  }
  /** @type {LoginOptions} */
  const all = {
    ...rest,
    region,
    endpoints: endpointsFor(found, context),
    client: rest.client ?? found.client,
    target: rest.target ?? found.target,
  }
  try {
    return await signIn(credential, all, origin, known)
  } catch (error) {
    throw withPlace(error, found)
  }
}

/** One that was removed under the program has no file either. */
function workingDirectory() {
  try {
    return cwd()
  } catch {
    return '/'
  }
}

/** @param {unknown} error @param {Found} found */
function withPlace(error, { where, note }) {
  if (!isAuthError(error)) return error
  if (ABOUT_CREDENTIAL.includes(error.code)) error.hint += ` The credential is that of ${where}.`
  if (note !== undefined) error.hint += ` ${note}`
  return error
}
