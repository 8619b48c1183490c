/**
 * IAM: routes, discovery, keys, passcodes, user information, revocation. The token endpoint is in
 * `iam_token.js`.
 */

import { authorization, Refusal } from './http.js'
import {
  clientOf,
  iamError,
  iamJson,
  notValid,
  readForm,
  refuseStrangers,
  required,
  unknownPath,
  wrongMethod,
} from './iam_replies.js'
import { loginOf, token } from './iam_token.js'
import { publicJwk, readToken } from './jwt.js'
import { passcodePage, signIn, signInPage } from './pages.js'
import { givePasscode, userByIamId } from './people.js'

/** @import { Call, Handler, Service } from './types.js' */

const GRANT_URN = 'urn:ibm:params:oauth:grant-type:'

/** @type {Handler} */
function discovery(call) {
  const identity = `${call.base}/identity`
  return iamJson(call, 200, {
    issuer: identity,
    authorization_endpoint: `${identity}/authorize`,
    token_endpoint: `${identity}/token`,
    revocation_endpoint: `${identity}/revoke`,
    passcode_endpoint: `${identity}/passcode`,
    userinfo_endpoint: `${identity}/userinfo`,
    jwks_uri: `${identity}/keys`,
    response_types_supported: ['code', 'id_token', 'token id_token'],
    grant_types_supported: [
      'implicit',
      'authorization_code',
      'password',
      'refresh_token',
      ...[
        'apikey',
        'identity-cookie',
        'iam-cookie',
        'delegated-refresh-token',
        'ims-portal',
        'iam-authz',
        'derive',
      ].map((name) => GRANT_URN + name),
    ],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    scopes_supported: [
      'openid',
      'email',
      'profile',
      'ibm',
      'roles',
      'containers-kubernetes',
      'containers-openshift',
    ],
    claims_supported: ['iam_id', 'sub', 'aud', 'iss'],
    public_hosts: [call.origin],
  })
}

/** @type {Handler} */
const keys = (call) => iamJson(call, 200, { keys: [publicJwk] })

/** @type {Handler} */
async function userInfo(call) {
  const { claims } = await readToken(authorization(call.headers).value, call.world.now())
  if (claims?.iss !== `${call.base}/identity` || authorization(call.headers).scheme !== 'bearer') {
    return iamError(call, 401, 'BXNIM0308E', 'No authorization header found')
  }
  const { iss, sub, iam_id, name, given_name, family_name, email, account } = claims
  return iamJson(call, 200, {
    ...{ iss, sub, iam_id, name, given_name, family_name, email, account },
  })
}

/** @type {Handler} */
function passcode(call) {
  const form = readForm(call)
  refuseStrangers(call, form, ['grant_type', 'refresh_token', 'response_type'])
  const clientId = clientOf(call, form, { wanted: true })
  if (required(call, form, 'grant_type') !== 'refresh_token') {
    throw notValid(call, 'grant_type: not valid')
  }
  required(call, form, 'refresh_token')
  const user = userByIamId(call.data, loginOf(call, form, clientId).owner)
  // A service id has no passcodes.
  if (!user) throw new Refusal(iamError(call, 403, 'BXNIM0501E', 'You are not authorized.'))
  return iamJson(call, 200, { passcode: givePasscode(call.world, user, ['iam']) })
}

/**
 * RFC 7009, as far as the reference guesses it: an unknown token is no error.
 * @type {Handler}
 */
function revoke(call) {
  const form = readForm(call)
  refuseStrangers(call, form, ['token', 'token_type_hint', 'client_id', 'client_secret'])
  const clientId = clientOf(call, form, { wanted: true })
  const refreshToken = required(call, form, 'token')
  if (call.world.iamLogins.get(refreshToken)?.clientId === clientId) {
    call.world.iamLogins.delete(refreshToken)
  }
  return iamJson(call, 200, {})
}

/**
 * A word that a login is still in use, as IBM's command line sends it: no body, the client's Basic.
 * @type {Handler}
 */
function keepAlive(call) {
  const clientId = clientOf(call, new URLSearchParams(), { wanted: true })
  if (call.body !== '') throw notValid(call, 'body: not expected', 'Strict: there is none.')
  const logins = [...call.world.iamLogins.values()]
  const login = logins.find(({ sessionId }) => sessionId === call.params.sessionId)
  if (login?.clientId === clientId) return { ...iamJson(call, 204, {}), body: '' }
  return iamError(call, 404, 'BXNIM0060E', 'Web application exception', 'HTTP 404 Not Found')
}

/** @type {Handler} */
const passcodeForPeople = (call) =>
  passcodePage(call, 'iam') ?? signInPage(call, `${call.base}/identity/passcode`)

/** @type {Handler} */
const signInHere = (call) =>
  signIn(call, 'iam', { home: '/identity/passcode', again: '/identity/passcode' })

/** @type {Service} */
export const iam = {
  routes: {
    '/identity/token': { POST: token },
    // The old path, which IBM's Go client for Key Protect still takes.
    '/oidc/token': { POST: token },
    '/identity/keys': { GET: keys },
    '/identity/.well-known/openid-configuration': { GET: discovery },
    '/identity/passcode': { GET: passcodeForPeople, POST: passcode },
    '/identity/userinfo': { GET: userInfo },
    '/identity/revoke': { POST: revoke },
    '/v1/sessions/{sessionId}/state': { PATCH: keepAlive },
    '/login.do': { POST: signInHere },
  },
  unknown: unknownPath,
  wrongMethod,
}
