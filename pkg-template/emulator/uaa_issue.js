/**
 * UAA's tokens: claims, scopes, lifetimes. IAM uses it too, where a UAA token is asked of it.
 */

import { hex32 } from './derive.js'
import { signToken, TEST_KEY_ID } from './jwt.js'

/** @import { Call, ClientData, User } from './types.js' */
/** @import { Login } from './world.js' */

/** What the `cf` client can have. */
const CF_SCOPE = [
  'openid',
  'password.write',
  'uaa.user',
  'cloud_controller.read',
  'cloud_controller.write',
]
const ACCESS_TOKEN_SECONDS = 1200
const REFRESH_TOKEN_SECONDS = 2_592_000

/**
 * @typedef {object} UaaAnswer
 * @property {string} access_token
 * @property {string} token_type
 * @property {string} [refresh_token]
 * @property {number} expires_in
 * @property {string} scope
 * @property {string} jti
 */

/**
 * @param {ClientData} client
 * @returns {string[]}
 */
export function userScope(client) {
  return client.scope ?? CF_SCOPE
}

/**
 * @param {string | null} asked separated by single spaces, so that a second one asks for an empty name
 * @returns {string[]}
 */
export function scopeNames(asked) {
  return asked === null || asked.trim() === '' ? [] : asked.split(/[\s+]/)
}

/**
 * @param {string | null} asked empty is all
 * @param {string[]} all
 */
export function narrow(asked, all) {
  const wanted = scopeNames(asked)
  return wanted.length === 0 ? all : all.filter((name) => wanted.includes(name))
}

/**
 * Changes with the password and the client's secret, so that old refresh tokens end.
 * @param {User} user
 * @param {ClientData} client
 */
export function revocationSignature(user, client) {
  const { guid, password = '' } = user
  return hex32('rev_sig', guid, password, client.clientId, client.clientSecret ?? '').slice(0, 8)
}

/** @param {ClientData} client */
export function clientSignature({ clientId, clientSecret = '' }) {
  return hex32('rev_sig', clientId, clientSecret).slice(0, 8)
}

/**
 * Tokens for a user, and a login that the refresh token stands for.
 * @param {Call} call
 * @param {User} user
 * @param {{ client: ClientData, scope: string | null, opaque?: boolean }} how `scope` as asked
 * @returns {Promise<UaaAnswer>}
 */
export async function issueForUser(call, user, { client, scope, opaque = false }) {
  const { world } = call
  const { refreshTokenSeconds = REFRESH_TOKEN_SECONDS } = client
  const refreshToken = `${world.id('UAA refresh token')}-r`
  /** @type {Login} */
  const login = {
    clientId: client.clientId,
    owner: user.guid,
    endsAt: world.now() + refreshTokenSeconds * 1000,
    scope: narrow(scope, userScope(client)),
    revocationSignature: revocationSignature(user, client),
    authTime: Math.floor(world.now() / 1000),
  }
  // Only a client that may refresh is given a refresh token.
  const refreshes = client.grants?.includes('refresh_token') ?? true
  if (refreshes) world.uaaLogins.set(refreshToken, login)
  return accessTokenFor(call, user, {
    client,
    scope: login.scope ?? [],
    authTime: login.authTime,
    refreshToken: refreshes ? refreshToken : undefined,
    opaque,
    revocable: opaque,
  })
}

/**
 * @typedef {object} How
 * @property {ClientData} client
 * @property {string[]} scope
 * @property {string} [refreshToken]
 * @property {boolean} opaque the token itself is but its id
 * @property {boolean} revocable UAA keeps it, and takes it no longer once it is revoked
 */

/**
 * @param {Call} call
 * @param {User} user
 * @param {How & { authTime?: number }} how
 */
export function accessTokenFor(call, user, { authTime, ...how }) {
  return answer(call, how, {
    sub: user.guid,
    // Passcode logins read `password` too, and a refresh keeps the first grant.
    grant_type: 'password',
    user_id: user.guid,
    origin: user.origin,
    user_name: user.userName,
    email: user.email ?? user.userName,
    auth_time: authTime,
    rev_sig: revocationSignature(user, how.client),
  })
}

/**
 * @param {Call} call
 * @param {{ client: ClientData, scope: string[], opaque: boolean }} how
 */
export function accessTokenForClient(call, how) {
  const { client, scope, opaque } = how
  return answer(
    call,
    { ...how, revocable: opaque },
    {
      sub: client.clientId,
      authorities: scope,
      grant_type: 'client_credentials',
      rev_sig: clientSignature(client),
    },
  )
}

/**
 * @param {Call} call
 * @param {How} how
 * @param {Record<string, unknown> & { user_id?: string }} own claims
 * @returns {Promise<UaaAnswer>}
 */
async function answer({ world, origin }, how, own) {
  const { client, scope, refreshToken, opaque, revocable } = how
  const { clientId, accessTokenSeconds = ACCESS_TOKEN_SECONDS } = client
  const iat = Math.floor(world.now() / 1000)
  const jti = world.id('UAA token')
  const audience = new Set([clientId, ...scope.map((name) => name.replace(/\.[^.]*$/, ''))])
  const header = {
    alg: 'RS256',
    jku: `${origin}/uaa/token_keys`,
    kid: TEST_KEY_ID,
    typ: 'JWT',
  }
  const jwt = await signToken(header, {
    jti,
    ...own,
    scope,
    client_id: clientId,
    cid: clientId,
    azp: clientId,
    ...(revocable ? { revocable } : {}),
    iat,
    exp: iat + accessTokenSeconds,
    iss: uaaIssuer(origin),
    zid: 'uaa',
    aud: [...audience],
    client_auth_method: client.clientSecret ? 'client_secret_basic' : 'none',
  })
  if (revocable) world.uaaTokens.set(jti, { jwt, clientId, owner: own.user_id })
  return {
    access_token: opaque ? jti : jwt,
    token_type: 'bearer',
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    // UAA rounds down what is left when it writes the answer.
    expires_in: accessTokenSeconds - 1,
    scope: scope.join(' '),
    jti,
  }
}

/** @param {string} origin */
export function uaaIssuer(origin) {
  return `${origin}/uaa/oauth/token`
}
