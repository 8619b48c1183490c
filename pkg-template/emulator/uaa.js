/**
 * UAA: routes, what `/login` says, keys, passcodes, revocation. The token endpoint is in
 * `uaa_token.js`.
 */

import { authorization, json, wantsJson } from './http.js'
import { publicJwk, publicPem, readToken } from './jwt.js'
import { page, passcodePage, redirect, signedIn, signIn, signInPage, signOut } from './pages.js'
import { userByGuid } from './people.js'
import { uaaIssuer } from './uaa_issue.js'
import { token, uaaError } from './uaa_token.js'

/** @import { Call, Handler, Reply, Service } from './types.js' */

const VERSION = '77.20.0'
/** When the zone last changed: UAA writes it as an ETag, in milliseconds and without quotes. */
const ZONE_CHANGED = '1501570800000'
const NEVER_CACHE = { 'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate' }
const BEARER = 'Bearer realm="oauth"'

/** @type {Handler} */
function login(call) {
  const { base, headers } = call
  if (!wantsJson(headers)) {
    if (signedIn(call, 'uaa')) return redirect(`${base}/home`)
    return signInPage(call, call.query.get('form_redirect_uri') ?? `${base}/home`)
  }
  return json(200, {
    app: { version: VERSION },
    commit_id: 'emulator',
    timestamp: '2024-10-24T12:00:00+0000',
    zone_name: 'uaa',
    entityID: 'login.keyprotect-auth.test',
    idpDefinitions: {},
    links: { uaa: base, login: base, register: '/create_account', passwd: '/forgot_password' },
    prompts: {
      username: ['text', 'Email'],
      password: ['password', 'Password'],
      passcode: ['password', `Temporary Authentication Code ( Get one at ${base}/passcode )`],
    },
  })
}

/** @type {Handler} */
function passcode(call) {
  const { base, headers } = call
  const given = passcodePage(call, 'uaa')
  if (given) return given
  if (wantsJson(headers)) {
    const description = 'Full authentication is required to access this resource'
    return uaaError(401, 'unauthorized', description, BEARER)
  }
  const query = new URLSearchParams({ form_redirect_uri: `${base}/passcode` })
  return redirect(`${base}/login?${query}`)
}

/** @type {Handler} */
const home = (call) =>
  signedIn(call, 'uaa')
    ? page('Signed in', `<p><a href="${call.base}/passcode">Get a passcode</a></p>`)
    : redirect(`${call.base}/login`)

/** @type {Handler} */
function logout(call) {
  signOut(call, 'uaa')
  return redirect(`${call.base}/login`)
}

async function tokenKey() {
  const { kty, e, kid, alg, n } = publicJwk
  return { kty, e, use: 'sig', kid, alg, value: await publicPem(), n }
}

/**
 * @param {Call} call
 * @param {unknown} value
 * @returns {Reply}
 */
function tagged({ headers }, value) {
  const tag = { ETag: ZONE_CHANGED, ...NEVER_CACHE }
  if (headers.get('if-none-match') === ZONE_CHANGED) return { status: 304, headers: tag, body: '' }
  return json(200, value, tag)
}

/** @type {Handler} */
const tokenKeys = async (call) => tagged(call, { keys: [await tokenKey()] })

/** @type {Handler} */
const activeTokenKey = async (call) => tagged(call, await tokenKey())

/** @type {Handler} */
function discovery({ base, origin }) {
  return json(200, {
    issuer: uaaIssuer(origin),
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
    ],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'HS256'],
    userinfo_endpoint: `${base}/userinfo`,
    jwks_uri: `${base}/token_keys`,
    end_session_endpoint: `${base}/logout.do`,
    scopes_supported: ['openid', 'profile', 'email', 'phone', 'roles', 'user_attributes'],
    response_types_supported: ['code', 'code id_token', 'id_token', 'token id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'HS256'],
    claims_supported: ['sub', 'user_name', 'origin', 'iss', 'auth_time', 'email', 'client_id'],
    code_challenge_methods_supported: ['S256', 'plain'],
  })
}

/**
 * @param {Call} call
 * @returns {Promise<import('./jwt.js').Claims | undefined>} of a good UAA access token
 */
async function bearerClaims({ headers, world, origin }) {
  const { scheme, value } = authorization(headers)
  const { claims, problem } = await readToken(value, world.now())
  const good = scheme === 'bearer' && !problem && claims.iss === uaaIssuer(origin)
  return good ? claims : undefined
}

/** @type {Handler} */
async function userInfo(call) {
  const claims = await bearerClaims(call)
  const user = claims && userByGuid(call.data, String(claims.user_id))
  if (!user) return uaaError(401, 'invalid_token', 'Invalid access token', BEARER)
  const { guid, userName, givenName = '', familyName = '', email } = user
  return json(200, {
    user_id: guid,
    sub: guid,
    user_name: userName,
    name: `${givenName} ${familyName}`.trim(),
    given_name: givenName,
    family_name: familyName,
    email,
    email_verified: true,
    previous_logon_time: null,
  })
}

/**
 * Of one's own refresh token. Access tokens are not revocable, as by UAA's default.
 * @type {Handler}
 */
async function revoke(call) {
  const claims = await bearerClaims(call)
  if (!claims) return uaaError(401, 'invalid_token', 'Invalid access token', BEARER)
  const id = call.params.id ?? ''
  const login = call.world.uaaLogins.get(id)
  if (!login) return uaaError(404, 'invalid_token', 'Resource not found')
  if (login.owner !== claims.user_id) {
    return uaaError(403, 'insufficient_scope', 'Insufficient scope for this resource')
  }
  call.world.uaaLogins.delete(id)
  return { status: 200, headers: {}, body: '' }
}

/** @type {Service} */
export const uaa = {
  routes: {
    '/login': { GET: login },
    '/info': { GET: login },
    '/login.do': { POST: (call) => signIn(call, 'uaa', { home: '/home', again: '/login' }) },
    '/logout.do': { GET: logout },
    '/': { GET: home },
    '/home': { GET: home },
    '/passcode': { GET: passcode },
    '/oauth/token': { POST: token },
    '/oauth/token/revoke/{id}': { DELETE: revoke },
    '/token_keys': { GET: tokenKeys },
    '/token_key': { GET: activeTokenKey },
    '/userinfo': { GET: userInfo },
    '/.well-known/openid-configuration': { GET: discovery },
    '/oauth/token/.well-known/openid-configuration': { GET: discovery },
  },
  unknown: () => uaaError(404, 'not_found', 'Not emulated, or no such path'),
  wrongMethod: ({ method }) =>
    uaaError(405, 'method_not_allowed', `Request method '${method}' not supported`),
}
