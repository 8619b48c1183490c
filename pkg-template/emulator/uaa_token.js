/**
 * UAA's token endpoint: client authentication, the grants `password` (also with a passcode or an API
 * key), `refresh_token` and `client_credentials`, and its errors.
 */

import {
  authorization,
  basicParts,
  FORM_TYPE,
  formDecode,
  json,
  mediaType,
  percentDecode,
  Refusal,
  repeated,
  stranger,
} from './http.js'
import {
  checkPassword,
  isLocked,
  takePasscode,
  userByGuid,
  userByIamId,
  usersNamed,
} from './people.js'
import {
  accessTokenFor,
  accessTokenForClient,
  issueForUser,
  narrow,
  revocationSignature,
  userScope,
} from './uaa_issue.js'

/** @import { Call, ClientData, Handler, Reply, User } from './types.js' */

const NO_STORE = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }
const COMMON = [
  'grant_type',
  'client_id',
  'client_secret',
  'scope',
  'token_format',
  'response_type',
]
const PARAMETERS = /** @type {Record<string, string[]>} */ ({
  password: ['username', 'password', 'passcode', 'login_hint'],
  refresh_token: ['refresh_token'],
  client_credentials: [],
})
/** Grants that a UAA knows, and that a client may lack or the emulator does not have. */
const KNOWN_GRANTS = [
  ...Object.keys(PARAMETERS),
  'authorization_code',
  'user_token',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:saml2-bearer',
]

/**
 * @param {number} status
 * @param {string} error
 * @param {string} description
 * @param {string} [challenge] start of `WWW-Authenticate` on a 401
 * @returns {Reply}
 */
export function uaaError(status, error, description, challenge = 'Basic realm="UAA/client"') {
  const authenticate = `${challenge}, error="${error}", error_description="${description}"`
  return json(
    status,
    { error, error_description: description },
    { ...NO_STORE, ...(status === 401 ? { 'WWW-Authenticate': authenticate } : {}) },
  )
}

/**
 * @param {number} status
 * @param {string} error
 * @param {string} description
 */
function refusal(status, error, description) {
  return new Refusal(uaaError(status, error, description))
}

/** @type {Handler} */
export async function token(call) {
  const form = readForm(call)
  const client = authenticateClient(call, form)
  const grantType = form.get('grant_type')
  if (!grantType) throw refusal(400, 'invalid_request', 'Missing grant type')
  if (!KNOWN_GRANTS.includes(grantType)) {
    throw refusal(400, 'unsupported_grant_type', 'Unsupported grant type')
  }
  if (!(client.grants ?? ['password', 'refresh_token']).includes(grantType)) {
    throw refusal(401, 'invalid_client', 'Unauthorized grant type')
  }
  const own = PARAMETERS[grantType]
  if (!own) throw refusal(400, 'unsupported_grant_type', `Not emulated: ${grantType}`)
  const odd = call.world.loose ? undefined : stranger(form, [...COMMON, ...own])
  if (odd !== undefined) {
    throw refusal(400, 'invalid_request', `Strict: unknown or not emulated parameter: ${odd}`)
  }
  if ((form.get('token_format') || 'jwt') !== 'jwt') {
    throw refusal(400, 'invalid_request', 'Strict: only token_format=jwt is emulated')
  }
  const answer = await grant(call, form, client, grantType)
  return json(200, answer, { 'Content-Type': 'application/json;charset=UTF-8', ...NO_STORE })
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {ClientData} client
 * @param {string} grantType
 */
function grant(call, form, client, grantType) {
  if (grantType === 'refresh_token') return refresh(call, form, client)
  if (grantType === 'client_credentials') {
    const authorities = client.authorities ?? ['uaa.none']
    return accessTokenForClient(call, client, checkedScope(form, authorities))
  }
  const user = form.has('passcode')
    ? userByPasscode(call, form.get('passcode') ?? '')
    : userByPassword(call, form)
  checkedScope(form, userScope(client))
  return issueForUser(call, user, { client, scope: form.get('scope') })
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
 * @returns {ClientData}
 */
function authenticateClient({ headers, data }, form) {
  const { scheme, value } = authorization(headers)
  const nobody = 'An Authentication object was not found in the SecurityContext'
  const find = (/** @type {string} */ id) =>
    data.clients.find(({ service, clientId }) => service === 'uaa' && clientId === id)

  if (scheme === 'basic') {
    const parts = basicParts(value)
    const [id, secret] = parts ? [formDecode(parts.id), formDecode(parts.secret)] : []
    if (id === undefined || secret === undefined) {
      throw refusal(401, 'invalid_client', 'Failed to URL Decode credentials')
    }
    const client = find(id)
    if (client?.clientSecret !== secret) throw refusal(401, 'invalid_client', 'Bad credentials')
    if ((form.get('client_id') ?? id) !== id) {
      const description = 'Given client ID does not match authenticated client'
      throw refusal(401, 'invalid_client', description)
    }
    return client
  }
  // A bearer token here would start another grant (`user_token`), not this one.
  if (scheme !== '') throw refusal(401, 'unauthorized', nobody)
  const id = form.get('client_id')
  if (id === null) throw refusal(401, 'unauthorized', nobody)
  const client = find(id)
  const secret = form.get('client_secret')
  if (secret === null) {
    // A public client has no secret at all, and may refresh; `cf` has one, the empty text.
    if (client && client.clientSecret === undefined && form.get('grant_type') === 'refresh_token') {
      return client
    }
    throw refusal(401, 'invalid_client', 'Missing credentials')
  }
  if (client?.clientSecret !== secret) throw refusal(401, 'invalid_client', 'Bad credentials')
  return client
}

/**
 * @param {Call} call
 * @param {string} passcode
 * @returns {User}
 */
function userByPasscode(call, passcode) {
  if (passcode === '') throw refusal(401, 'unauthorized', 'Passcode information is missing.')
  const user = takePasscode(call, passcode, 'uaa')
  if (!user) throw refusal(401, 'unauthorized', 'Invalid passcode')
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
  // IBM's UAA: an API key as the password of the user `apikey`.
  if (userName === 'apikey') {
    const apiKey = data.apiKeys.find(({ key, disabled }) => key === password && !disabled)
    const owner = apiKey && userByIamId(data, apiKey.iamId)
    if (!owner) throw refusal(401, 'invalid_client', 'Bad credentials')
    return owner
  }
  const users = usersNamed(data, userName, origins)
  for (const user of users) {
    if (isLocked(world, user)) {
      const description =
        'Your account has been locked because of too many failed attempts to login.'
      throw refusal(401, 'unauthorized', description)
    }
    if (!user.federated && checkPassword(world, user, password)) return user
  }
  throw refusal(401, 'invalid_client', 'Bad credentials')
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
    origin = undefined
  }
  if (typeof origin !== 'string') {
    throw refusal(401, 'unauthorized', 'The origin provided in the login hint is invalid.')
  }
  const provider = data.users.some((user) => user.origin === origin && !user.federated)
  if (origin !== 'uaa' && !provider) {
    const description =
      'The origin provided in the login_hint does not match an active Identity Provider, that supports password grant.'
    throw refusal(401, 'unauthorized', description)
  }
  return [origin]
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {ClientData} client
 */
function refresh(call, form, client) {
  const { world, data } = call
  const refreshToken = form.get('refresh_token')
  if (!refreshToken) {
    throw refusal(400, 'invalid_request', 'refresh_token parameter not provided')
  }
  const login = world.uaaLogins.get(refreshToken)
  if (!login) {
    const description = 'The token expired, was revoked, or the token ID is incorrect.'
    throw refusal(401, 'invalid_token', description)
  }
  if (login.clientId !== client.clientId) {
    // The real text repeats the token, so that a client which prints it is found out.
    throw refusal(400, 'invalid_grant', `Wrong client for this refresh token: ${refreshToken}`)
  }
  if (login.endsAt <= world.now()) {
    const ended = new Date(login.endsAt).toISOString()
    throw refusal(401, 'invalid_token', `Invalid refresh token expired at ${ended}`)
  }
  const user = userByGuid(data, login.owner)
  if (!user) {
    throw refusal(401, 'invalid_token', `Token bears a non-existent user ID: ${login.owner}`)
  }
  if (login.revocationSignature !== revocationSignature(user, client)) {
    throw refusal(401, 'invalid_token', 'Invalid refresh token: revocable signature mismatch')
  }
  const scope = checkedScope(form, login.scope ?? [])
  return accessTokenFor(call, user, { client, scope, authTime: login.authTime, refreshToken })
}

/**
 * @param {URLSearchParams} form
 * @param {string[]} all
 */
function checkedScope(form, all) {
  const asked = form.get('scope')
  const scope = narrow(asked, all)
  if (scope.length > 0) return scope
  const description = `[${asked}] is invalid. This user is not allowed any of the requested scopes`
  throw refusal(400, 'invalid_scope', description)
}
