/**
 * UAA's token endpoint: client authentication, the grants `password` (also with a passcode or an API
 * key), `refresh_token`, `client_credentials` and JWT bearer, and its errors.
 */

import { FORM_TYPE, JSON_TYPE, json, mediaType, percentDecode, repeated, stranger } from './http.js'
import { readToken } from './jwt.js'
import {
  checkPassword,
  isLocked,
  takePasscode,
  userByGuid,
  userByIamId,
  usersNamed,
} from './people.js'
import { authenticateClient, badCredentials } from './uaa_client.js'
import { CLIENT_FILTER, NO_STORE, PASSCODE_FILTER, refusal } from './uaa_error.js'
import {
  accessTokenFor,
  accessTokenForClient,
  issueForUser,
  narrow,
  revocationSignature,
  scopeNames,
  uaaIssuer,
  userScope,
} from './uaa_issue.js'
import { UNKNOWN_TOKEN } from './uaa_read.js'

/** @import { Call, ClientData, Handler, User } from './types.js' */

const COMMON = [
  'grant_type',
  'client_id',
  'client_secret',
  'scope',
  'token_format',
  'response_type',
]
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const PARAMETERS = /** @type {Record<string, string[]>} */ ({
  password: ['username', 'password', 'passcode', 'login_hint'],
  refresh_token: ['refresh_token'],
  client_credentials: [],
  [JWT_BEARER]: ['assertion'],
})
/** Grants that a UAA knows, and that a client may lack or the emulator does not have. */
const KNOWN_GRANTS = [
  ...Object.keys(PARAMETERS),
  'authorization_code',
  'user_token',
  'urn:ietf:params:oauth:grant-type:saml2-bearer',
]

/**
 * In UAA's order: the client, the user, the parameters, whether the client may.
 * @type {Handler}
 */
export async function token(call) {
  const form = readForm(call)
  const client = await authenticateClient(call, form)
  const grantType = form.get('grant_type') ?? ''
  const own = PARAMETERS[grantType]
  if (own) refuseStrangers(call, form, own)
  const user = await signedIn(call, form, client)
  if ((form.get('client_id') ?? client.clientId) !== client.clientId) {
    const description = 'Given client ID does not match authenticated client'
    throw refusal(401, 'invalid_client', description)
  }
  if (grantType === 'client_credentials') checkOwnScope(form, client)
  if (grantType === '') throw refusal(400, 'invalid_request', 'Missing grant type')
  if (grantType === 'implicit') {
    const description = 'Implicit grant type not supported from token endpoint'
    throw refusal(400, 'invalid_grant', description)
  }
  if (grantType === 'refresh_token' && !form.get('refresh_token')) {
    throw refusal(400, 'invalid_request', 'refresh_token parameter not provided')
  }
  if (!KNOWN_GRANTS.includes(grantType)) {
    throw refusal(400, 'unsupported_grant_type', 'Unsupported grant type')
  }
  if (!(client.grants ?? ['password', 'refresh_token']).includes(grantType)) {
    throw refusal(401, 'invalid_client', 'Unauthorized grant type')
  }
  if (!own) throw refusal(400, 'unsupported_grant_type', `Not emulated: ${grantType}`)
  const answer = await grant(call, form, client, user)
  return json(200, answer, { 'Content-Type': 'application/json;charset=UTF-8', ...NO_STORE })
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {ClientData} client
 * @returns {Promise<User | undefined>} nobody where the grant signs in no user
 */
async function signedIn(call, form, client) {
  const grantType = form.get('grant_type')
  if (grantType === 'password') return signInUser(call, form, client)
  return grantType === JWT_BEARER ? userByAssertion(call, form) : undefined
}

/**
 * Of the identity providers that a UAA trusts the emulator has one: itself.
 * @param {Call} call
 * @param {URLSearchParams} form
 */
async function userByAssertion(call, form) {
  const assertion = form.get('assertion')
  if (assertion === null) throw unauthorized('Assertion is missing')
  const { claims, problem } = await readToken(assertion, call.world.now())
  if (problem === 'unreadable') throw unauthorized('Unable to decode expected id_token')
  if (claims?.iss !== uaaIssuer(call.origin)) {
    throw unauthorized('Unable to map issuer to a single registered provider')
  }
  if (problem !== undefined) {
    throw refusal(401, 'invalid_token', 'Could not verify token signature.')
  }
  const user = userByGuid(call.data, String(claims.user_id))
  if (user === undefined) throw unauthorized('Unable to authenticate the user of the assertion')
  return user
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {ClientData} client
 * @param {User | undefined} user signed in
 */
function grant(call, form, client, user) {
  const opaque = form.get('token_format') === 'opaque'
  const scope = form.get('scope')
  if (user) return issueForUser(call, user, { client, scope, opaque })
  if (form.get('grant_type') === 'refresh_token') return refresh(call, form, { client, opaque })
  return accessTokenForClient(call, { client, scope: narrow(scope, authorities(client)), opaque })
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {string[]} own parameters of the grant
 */
function refuseStrangers({ world }, form, own) {
  if (world.loose) return
  const odd = stranger(form, [...COMMON, ...own])
  if (odd !== undefined) {
    throw refusal(400, 'invalid_request', `Strict: unknown or not emulated parameter: ${odd}`)
  }
  // UAA takes everything but `opaque` for `jwt`.
  if (!['', 'jwt', 'opaque'].includes(form.get('token_format') ?? '')) {
    throw refusal(400, 'invalid_request', 'Strict: token_format is jwt or opaque')
  }
}

/**
 * As an operator sets UAA up who forbids queries, but for `login_hint`, which `cf` sends there.
 * @param {Call} call
 */
function readForm(call) {
  // Another type is not read at all, so that every parameter is missing.
  const form = new URLSearchParams(mediaType(call.headers) === FORM_TYPE ? call.body : '')
  const { loose } = call.world
  const [inQuery] = [...call.query.keys()].filter((name) => name !== 'login_hint')
  if (inQuery !== undefined && !loose) {
    throw refusal(406, 'query_string_not_allowed', 'Parameters must be passed in the body')
  }
  for (const [name, value] of call.query) form.append(name, value)
  const twice = repeated(form)
  if (twice !== undefined && !loose) {
    throw refusal(400, 'invalid_request', `Strict: parameter given twice: ${twice}`)
  }
  return form
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {ClientData} client
 * @returns {User}
 */
function signInUser(call, form, client) {
  const passcode = takesPasscode(call) ? form.get('passcode') : null
  const user = passcode === null ? userByPassword(call, form) : userByPasscode(call, passcode)
  const all = userScope(client)
  const odd = scopeNames(form.get('scope')).find((name) => !all.includes(name))
  if (odd !== undefined) {
    const description = `${odd} is invalid. Please use a valid scope name in the request`
    const filter = passcode === null ? CLIENT_FILTER : PASSCODE_FILTER
    throw refusal(400, 'invalid_scope', description, { filter })
  }
  return user
}

/**
 * UAA sees a passcode only where JSON or a form is the first thing that is accepted.
 * @param {Call} call
 */
function takesPasscode({ headers }) {
  const first = headers.get('accept')?.split(/[,;]/, 1)[0]?.trim().toLowerCase()
  return first === undefined || first === JSON_TYPE || first === FORM_TYPE
}

/**
 * @param {Call} call
 * @param {string} passcode
 * @returns {User}
 */
function userByPasscode(call, passcode) {
  if (passcode === '') throw unauthorized('Passcode information is missing.', PASSCODE_FILTER)
  const user = takePasscode(call, passcode, 'uaa')
  if (!user) throw unauthorized('Invalid passcode', PASSCODE_FILTER)
  return user
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @returns {User}
 */
function userByPassword(call, form) {
  const { data, world } = call
  const userName = form.get('username') ?? ''
  const password = form.get('password') ?? ''
  const origins = originsOf(call, form.get('login_hint'))
  if (password === '') throw badCredentials('No password supplied')
  // IBM's UAA: an API key as the password of the user `apikey`.
  if (userName === 'apikey') {
    const apiKey = data.apiKeys.find(({ key, disabled }) => key === password && !disabled)
    const owner = apiKey && userByIamId(data, apiKey.iamId)
    if (!owner) throw badCredentials()
    return owner
  }
  const users = usersNamed(data, userName, origins)
  for (const user of users) {
    if (isLocked(world, user)) {
      const description =
        'Your account has been locked because of too many failed attempts to login.'
      throw unauthorized(description)
    }
    if (!user.federated && checkPassword(world, user, password)) return user
  }
  throw badCredentials()
}

/**
 * @param {Call} call
 * @param {string | null} hint JSON, decoded once more than other values
 * @returns {string[]} identity providers to ask, in order
 */
function originsOf({ data }, hint) {
  if (hint === null || hint === '') return ['uaa', 'ldap']
  let origin
  try {
    origin = JSON.parse(percentDecode(hint.replaceAll('+', ' '))).origin
  } catch {
    // Stricter than UAA, which passes over what it cannot read.
    throw unauthorized('The origin provided in the login hint is invalid.')
  }
  const provider = data.users.some((user) => user.origin === origin && !user.federated)
  if (origin !== 'uaa' && !provider) {
    const description =
      'The origin provided in the login_hint does not match an active Identity Provider, that supports password grant.'
    throw unauthorized(description)
  }
  return [origin]
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {{ client: ClientData, opaque: boolean }} how
 */
function refresh(call, form, { client, opaque }) {
  const { world, data } = call
  const refreshToken = form.get('refresh_token') ?? ''
  const login = world.uaaLogins.get(refreshToken)
  if (!login) throw refusal(401, 'invalid_token', UNKNOWN_TOKEN)
  if (login.clientId !== client.clientId) {
    throw refusal(400, 'invalid_grant', `Wrong client for this refresh token: ${login.clientId}`)
  }
  if (login.endsAt <= world.now()) {
    const ended = new Date(login.endsAt).toISOString()
    throw refusal(401, 'invalid_token', `Invalid refresh token expired at ${ended}`)
  }
  const user = userByGuid(data, login.owner)
  if (!user) {
    throw refusal(401, 'invalid_token', `Token bears a non-existent user ID: ${login.owner}`)
  }
  const all = login.scope ?? []
  const asked = scopeNames(form.get('scope'))
  if (!asked.every((name) => all.includes(name))) {
    const description = `Unable to narrow the scope of the client authentication to [${asked.join(', ')}].`
    throw refusal(400, 'invalid_scope', description, { scope: all })
  }
  if (login.revocationSignature !== revocationSignature(user, client)) {
    throw refusal(401, 'invalid_token', 'Invalid refresh token: revocable signature mismatch')
  }
  return accessTokenFor(call, user, {
    client,
    scope: narrow(form.get('scope'), all),
    authTime: login.authTime,
    refreshToken,
    opaque,
    // What comes of a refresh token that UAA keeps, it keeps too.
    revocable: true,
  })
}

/**
 * @param {URLSearchParams} form
 * @param {ClientData} client
 */
function checkOwnScope(form, client) {
  const all = authorities(client)
  const odd = scopeNames(form.get('scope')).find((name) => !all.includes(name))
  if (odd === undefined) return
  throw refusal(400, 'invalid_scope', `Invalid scope: ${odd}`, { scope: all })
}

/** @param {ClientData} client */
function authorities(client) {
  return client.authorities ?? ['uaa.none']
}

/**
 * @param {string} description
 * @param {string} [filter]
 */
function unauthorized(description, filter = CLIENT_FILTER) {
  return refusal(401, 'unauthorized', description, { filter })
}
