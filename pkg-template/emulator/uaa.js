/**
 * UAA: routes, what `/login` says, keys, passcodes. The token endpoint is in `uaa_token.js`, what
 * takes an access token in `uaa_bearer.js`.
 */

import { JSON_TYPE, json, preferred, wantsJson } from './http.js'
import { publicJwk, publicPem } from './jwt.js'
import { page, passcodePage, redirect, signedIn, signIn, signInPage, signOut } from './pages.js'
import { introspect, revoke, userInfo } from './uaa_bearer.js'
import { TOKEN_FILTER, uaaError } from './uaa_error.js'
import { uaaIssuer } from './uaa_issue.js'
import { token } from './uaa_token.js'

/** @import { Call, Handler, Reply, Service } from './types.js' */

const VERSION = '77.20.0'
/** When the zone last changed: UAA writes it as an ETag, in milliseconds and without quotes. */
const ZONE_CHANGED = '1501570800000'
const NEVER_CACHE = { 'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate' }

/** @type {Handler} */
function login(call) {
  const { base, headers } = call
  const type = preferred(headers, ['text/html', JSON_TYPE])
  if (type === undefined) return notAcceptable()
  if (type === JSON_TYPE) return info(call)
  if (signedIn(call, 'uaa')) return redirect(`${base}/home`)
  return signInPage(call, call.query.get('form_redirect_uri') ?? `${base}/home`)
}

/** @type {Handler} */
function info({ base }) {
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
    return uaaError(401, 'unauthorized', description, { filter: TOKEN_FILTER })
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
 * For what comes as JSON alone: whoever takes none gets a page of 406, whatever the answer was.
 * @param {Handler} handler
 * @returns {Handler}
 */
function jsonOnly(handler) {
  return (call) => {
    const reply = handler(call)
    if (preferred(call.headers, [JSON_TYPE])) return reply
    return Promise.resolve(reply).then(notAcceptable, notAcceptable)
  }
}

function notAcceptable() {
  return page('Not acceptable', '<p>There is no such representation.</p>', 406)
}

/** @type {Service} */
export const uaa = {
  routes: {
    '/login': { GET: login },
    '/info': { GET: jsonOnly(info) },
    '/login.do': { POST: (call) => signIn(call, 'uaa', { home: '/home', again: '/login' }) },
    '/logout.do': { GET: logout },
    '/': { GET: home },
    '/home': { GET: home },
    '/passcode': { GET: passcode },
    '/oauth/token': { POST: jsonOnly(token) },
    '/oauth/token/revoke/{id}': { DELETE: revoke },
    '/token_keys': { GET: jsonOnly(tokenKeys) },
    '/token_key': { GET: jsonOnly(activeTokenKey) },
    '/userinfo': { GET: jsonOnly(userInfo), POST: jsonOnly(userInfo) },
    '/introspect': { POST: jsonOnly(introspect) },
    '/.well-known/openid-configuration': { GET: jsonOnly(discovery) },
    '/oauth/token/.well-known/openid-configuration': { GET: jsonOnly(discovery) },
  },
  unknown: () => uaaError(404, 'not_found', 'Not emulated, or no such path'),
  wrongMethod: ({ method }) =>
    uaaError(405, 'method_not_allowed', `Request method '${method}' not supported`),
}
