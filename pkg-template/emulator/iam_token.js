/**
 * IAM's token endpoint: its grants, and what a refresh token stands for. Trusted profiles are in
 * `iam_profiles.js`.
 */

import { Refusal } from './http.js'
import { assumeSubject, computeResourceSubject, PROFILE_NAMES } from './iam_profiles.js'
import {
  clientOf,
  DEFAULT_CLIENT,
  iamError,
  iamJson,
  missing,
  notValid,
  readForm,
  refuseStrangers,
  required,
} from './iam_replies.js'
import { signToken, TEST_KEY_ID } from './jwt.js'
import { takePasscode, userByIamId, usersNamed } from './people.js'
import { issueForUser } from './uaa_issue.js'

/** @import { Call, ClientData, Handler } from './types.js' */
/** @import { Login } from './world.js' */

const URN = 'urn:ibm:params:oauth:grant-type:'
const COMMON = [
  'grant_type',
  'response_type',
  'scope',
  'account',
  'bss_account',
  'client_id',
  'client_secret',
  'uaa_client_id',
  'uaa_client_secret',
  'uaa_scope',
]

/**
 * Who signs in, before it is known which tokens come of it.
 * @typedef {Pick<Login, 'owner' | 'account' | 'apiKey' | 'sessionId'> & { isProfile?: boolean }} Subject
 */

/**
 * @typedef {object} Grant
 * @property {string[]} parameters of its own; each is required
 * @property {string[]} [optional]
 * @property {boolean} [needsClient]
 * @property {(call: Call, form: URLSearchParams, clientId: string) => Subject | Promise<Subject>} subject
 */

/** @type {Record<string, Grant>} */
const GRANTS = {
  [`${URN}apikey`]: { parameters: ['apikey'], subject: apiKeySubject },
  password: { parameters: ['username', 'password'], needsClient: true, subject: passwordSubject },
  [`${URN}passcode`]: { parameters: ['passcode'], needsClient: true, subject: passcodeSubject },
  refresh_token: { parameters: ['refresh_token'], subject: refreshSubject },
  [`${URN}cr-token`]: {
    parameters: ['cr_token'],
    optional: PROFILE_NAMES,
    subject: computeResourceSubject,
  },
  [`${URN}assume`]: {
    parameters: ['access_token'],
    optional: PROFILE_NAMES,
    subject: assumeSubject,
  },
}

/** @type {Handler} */
export async function token(call) {
  const form = readForm(call)
  const grantType = required(call, form, 'grant_type')
  const grant = Object.hasOwn(GRANTS, grantType) ? GRANTS[grantType] : undefined
  if (!grant) throw notValid(call, 'grant_type: not valid', `Not emulated: ${grantType}`)
  refuseStrangers(call, form, [...COMMON, ...grant.parameters, ...(grant.optional ?? [])])
  const clientId = clientOf(call, form, { wanted: grant.needsClient ?? false })
  for (const name of grant.parameters) required(call, form, name)
  const uaaClient = checkResponseType(call, form, clientId)
  const subject = chooseAccount(call, form, await grant.subject(call, form, clientId))
  const uaaScope = form.get('uaa_scope') ?? ''
  return answer(call, subject, { clientId, grantType, uaaClient, uaaScope })
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {string} clientId
 * @returns {ClientData | undefined} the UAA client, where a UAA token is asked for
 */
function checkResponseType(call, form, clientId) {
  const types = (form.get('response_type') || 'cloud_iam').split(/\s*,\s*|\s+/)
  const odd = types.find((type) => type !== 'cloud_iam' && type !== 'uaa')
  if (odd !== undefined) throw notValid(call, 'response_type: not valid', `Not emulated: ${odd}`)
  if (!types.includes('cloud_iam')) throw notValid(call, 'response_type: cloud_iam is missing')
  if (!types.includes('uaa')) return undefined
  if (call.data.iam.uaa === 'refused') {
    throw notValid(call, 'response_type: only cloud_iam is valid')
  }
  if (clientId === DEFAULT_CLIENT) clientOf(call, form, { wanted: true })
  const uaaClientId = required(call, form, 'uaa_client_id')
  // The key must be there; its value is the `cf` client's secret, which is empty.
  const secret = form.get('uaa_client_secret')
  if (secret === null) throw missing(call, 'uaa_client_secret')
  const client = call.data.clients.find(
    (one) => one.service === 'uaa' && one.clientId === uaaClientId && one.clientSecret === secret,
  )
  if (client) return client
  throw new Refusal(iamError(call, 400, 'BXNIM0310E', 'UAA client id or secret is not valid'))
}

/** @type {Grant['subject']} */
function apiKeySubject(call, form) {
  const apiKey = call.data.apiKeys.find(({ key }) => key === form.get('apikey'))
  if (!apiKey) {
    throw new Refusal(iamError(call, 400, 'BXNIM0415E', 'Provided API key could not be found.'))
  }
  if (apiKey.disabled) {
    throw new Refusal(iamError(call, 400, 'BXNIM0462E', 'Provided API key is disabled.'))
  }
  return { owner: apiKey.iamId, account: apiKey.account, apiKey: apiKey.key }
}

/** @type {Grant['subject']} */
function passwordSubject(call, form) {
  const userName = form.get('username') ?? ''
  const users = usersNamed(call.data, userName)
  const user = users.find(({ password }) => password === form.get('password'))
  if (users.some(({ federated }) => federated)) {
    const message = 'The user is federated: an API key or a one-time passcode is needed.'
    throw new Refusal(iamError(call, 400, 'BXNIM0608E', message))
  }
  if (!user) {
    throw new Refusal(
      iamError(
        call,
        401,
        'BXNIM0602E',
        'The credentials you entered are incorrect.',
        `The credentials you entered for the user '${userName}' are incorrect.`,
      ),
    )
  }
  return { owner: user.iamId, sessionId: `C-${call.world.guid('session')}` }
}

/** @type {Grant['subject']} */
function passcodeSubject(call, form) {
  const user = takePasscode(call, form.get('passcode') ?? '', 'iam')
  if (!user) {
    // The real code for a passcode that is wrong, old or used is not on record.
    const message = 'Provided passcode is not valid.'
    throw new Refusal(iamError(call, 400, 'BXNIM0407E', message))
  }
  return { owner: user.iamId, sessionId: `C-${call.world.guid('session')}` }
}

/** @type {Grant['subject']} */
function refreshSubject(call, form, clientId) {
  return loginOf(call, form, clientId)
}

/**
 * The login that the form's refresh token stands for.
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {string} clientId
 * @returns {Login}
 */
export function loginOf(call, form, clientId) {
  const login = call.world.iamLogins.get(form.get('refresh_token') ?? '')
  if (!login) {
    throw new Refusal(iamError(call, 400, 'BXNIM0407E', 'Provided refresh_token is invalid'))
  }
  if (login.clientId !== clientId) {
    const message = 'Provided refresh_token was created for a different client id'
    throw new Refusal(iamError(call, 400, 'BXNIM0137E', message))
  }
  if (login.endsAt <= call.world.now()) {
    throw new Refusal(iamError(call, 400, 'BXNIM0408E', 'Provided refresh_token is expired'))
  }
  const { owner } = login
  const gone =
    login.apiKey !== undefined
      ? !call.data.apiKeys.some(({ key, disabled }) => key === login.apiKey && !disabled)
      : !userByIamId(call.data, owner)
  if (gone)
    throw new Refusal(iamError(call, 400, 'BXNIM0407E', 'Provided refresh_token is invalid'))
  return login
}

/**
 * @param {Call} call
 * @param {URLSearchParams} form
 * @param {Subject} subject
 * @returns {Subject}
 */
function chooseAccount(call, form, subject) {
  const wanted = form.get('account') || form.get('bss_account')
  if (!wanted) return subject
  const allowed =
    subject.apiKey !== undefined
      ? [subject.account]
      : (userByIamId(call.data, subject.owner)?.accounts ?? [subject.account])
  const known = call.data.accounts.some(({ id }) => id === wanted)
  if (!known || !allowed.includes(wanted)) {
    // No recording names the code; BXNIM0501E ("not authorized") is the nearest one.
    const message = 'You are not authorized to use this account.'
    throw new Refusal(iamError(call, 403, 'BXNIM0501E', message))
  }
  return { ...subject, account: wanted }
}

/**
 * @param {Call} call
 * @param {Subject} subject
 * @param {{ clientId: string, grantType: string, uaaClient?: ClientData, uaaScope: string }} how
 */
async function answer(call, subject, { clientId, grantType, uaaClient, uaaScope }) {
  const { world, data } = call
  const { accessTokenSeconds = 3600, refreshTokenSeconds = 2_592_000, uaa } = data.iam
  const iat = Math.floor(world.now() / 1000)
  const exp = iat + accessTokenSeconds
  const claims = {
    ...subjectClaims(call, subject),
    iat,
    exp,
    iss: `${call.base}/identity`,
    grant_type: grantType,
    scope: 'ibm openid',
    client_id: clientId,
    acr: 1,
    amr: ['pwd'],
  }
  const accessToken = await signToken({ kid: TEST_KEY_ID, alg: 'RS256' }, claims)
  let refreshToken = 'not_supported'
  if (clientId !== DEFAULT_CLIENT && !subject.isProfile) {
    refreshToken = `OK${world.id('IAM refresh token')}${world.id('IAM refresh token')}`
    const { owner, account, apiKey, sessionId } = subject
    const endsAt = world.now() + refreshTokenSeconds * 1000
    world.iamLogins.set(refreshToken, { owner, account, apiKey, sessionId, clientId, endsAt })
  }
  const user = userByIamId(data, subject.owner)
  const fromUaa =
    uaaClient && uaa === 'issued' && user
      ? await issueForUser(call, user, { client: uaaClient, scope: uaaScope })
      : undefined
  return iamJson(call, 200, {
    access_token: accessToken,
    refresh_token: refreshToken,
    ...(fromUaa
      ? { uaa_token: fromUaa.access_token, uaa_refresh_token: fromUaa.refresh_token }
      : {}),
    token_type: 'Bearer',
    expires_in: accessTokenSeconds,
    expiration: exp,
    scope: 'ibm openid',
    ...(subject.sessionId ? { session_id: subject.sessionId } : {}),
  })
}

/**
 * @param {Call} call
 * @param {Subject} subject
 */
function subjectClaims({ world, data }, { owner, account, sessionId, apiKey }) {
  const [realmid = '', identifier = ''] = /^([^-]*)-(.*)$/.exec(owner)?.slice(1) ?? [owner, owner]
  const user = userByIamId(data, owner)
  const person = user && {
    given_name: user.givenName ?? '',
    family_name: user.familyName ?? '',
    name: [user.givenName, user.familyName].filter(Boolean).join(' ') || user.userName,
    email: user.email ?? user.userName,
  }
  const sub = user ? (user.email ?? user.userName) : identifier
  const named =
    data.apiKeys.find(({ key }) => key === apiKey) ?? data.profiles.find(({ id }) => id === owner)
  const name = named?.name ?? identifier
  const names = person ?? { name }
  return {
    iam_id: owner,
    id: owner,
    realmid,
    ...(sessionId ? { session_id: sessionId } : {}),
    jti: world.guid('IAM token'),
    identifier,
    ...names,
    sub,
    ...(person ? {} : { sub_type: identifier.replace(/-.*$/, '') }),
    authn: { sub, iam_id: owner, ...names },
    // Without an account chosen there is none in the token, and IBM Cloud's APIs refuse it.
    ...(account ? { account: { boundary: 'global', valid: true, bss: account } } : {}),
  }
}
