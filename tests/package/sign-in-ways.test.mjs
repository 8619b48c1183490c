// The ways to sign in beside an API key, a password and a passcode; each at the emulator, which demands
// its parameters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeToken,
  exchangeToken,
  login,
  memoryStore,
  passcodeUrl,
  resume,
} from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { collect, jwt, refusal, SENTINEL, serving } from './helpers.mjs'
import { HOUR } from './session-helpers.mjs'

const USER = { username: 'user@example.com', password: 'correct horse' }
const CONTAINER = { crToken: 'emulator-cr-token', profile: { name: 'kp-reader' } }

function setUp(data) {
  const emulator = createEmulator(data && { data })
  const [profile] = emulator.data.profiles
  return { emulator, options: { ...emulator.options, uaa: false }, profile }
}

const cfOf = ({ endpoints }) => `${endpoints.base}/cf`

/** A plain Cloud Foundry with a client of its own. */
function foundry(client = {}) {
  const emulator = createEmulator()
  emulator.data.clients.push({
    service: 'uaa',
    clientId: 'worker',
    clientSecret: 'worker-secret',
    grants: ['client_credentials'],
    authorities: ['cloud_controller.read'],
    ...client,
  })
  const sent = []
  const fetch = (url, init) => {
    sent.push({ ...init.headers, form: Object.fromEntries(new URLSearchParams(init.body)) })
    return emulator.fetch(url, init)
  }
  const options = { ...emulator.options, fetch, endpoints: { cf: cfOf(emulator) } }
  return { emulator, options, sent }
}

test('a compute resource becomes the trusted profile that it is linked to', async () => {
  const { emulator, options, profile } = setUp()
  for (const name of [{ name: profile.name }, { id: profile.id }, { crn: profile.crn }]) {
    const credential = { ...CONTAINER, profile: name }
    const session = await login(credential, { ...options, target: { instance: 'kp-demo' } })
    const claims = await session.claims()
    assert.equal(claims.iam_id, profile.id)
    assert.equal(claims.account.bss, profile.account)
    assert.ok((await collect(session.keys())).length > 0)
  }
  const sent = emulator.requests.filter(({ route }) => route === '/identity/token')
  for (const { form, headers } of sent) {
    assert.equal('response_type' in form || 'account' in form, false)
    assert.equal(headers.authorization, undefined)
  }
})

test('the token of a container is read anew at each exchange', async () => {
  const { emulator, options, profile } = setUp()
  profile.crTokens.push('rotated')
  const given = ['emulator-cr-token\n', 'rotated']
  const crToken = async () => given.shift()
  const session = await login({ crToken, profile: { id: profile.id } }, options)
  const before = await session.iamToken()
  emulator.clock.advance(HOUR)
  assert.notEqual(await session.iamToken(), before)
  const [first, second] = emulator.requests.map(({ form }) => form.cr_token)
  assert.notEqual(first, second)
  assert.equal(given.length, 0)
})

test('a container without a link to the profile is forbidden', async () => {
  const { options } = setUp()
  for (const credential of [
    { ...CONTAINER, crToken: SENTINEL },
    { ...CONTAINER, profile: { name: 'none' } },
  ]) {
    const error = await refusal(login(credential, options))
    assert.deepEqual([error.code, error.serviceCode], ['forbidden', 'BXNIM0398E'])
  }
})

test('an identity assumes a trusted profile, and each renewal does so again', async () => {
  const { emulator, options, profile } = setUp()
  const { name, account } = profile
  for (const assume of [{ id: profile.id }, { crn: profile.crn }, { name, account }]) {
    emulator.requests.clear()
    const session = await login({ ...emulator.credential, assume }, options)
    assert.equal((await session.claims()).iam_id, profile.id)
    emulator.clock.advance(HOUR)
    await session.iamToken()
    assert.equal((await session.claims()).iam_id, profile.id)
    assert.equal(emulator.requests.count({ route: '/identity/token' }), 4)
  }
})

test('a passcode login that assumes a profile is renewed by its refresh token, as the profile', async () => {
  const { emulator, options, profile } = setUp()
  const store = memoryStore({ clock: emulator.clock })
  const assume = { id: profile.id }
  const passcode = emulator.passcode()
  const session = await login({ passcode, assume }, { ...options, store })
  emulator.clock.advance(HOUR)
  assert.equal((await decodeToken(await session.iamToken())).iam_id, profile.id)
  const grants = emulator.requests.map(({ form }) => form.grant_type?.split(':').at(-1))
  assert.deepEqual(grants, ['passcode', 'assume', 'refresh_token', 'assume'])
  // Who resumes it knows neither the passcode nor the profile.
  const resumed = await resume(session.key, { ...options, store })
  emulator.clock.advance(HOUR)
  assert.equal((await decodeToken(await resumed.iamToken())).iam_id, profile.id)
  const error = await refusal(session.with({ account: emulator.data.accounts[1].id }))
  assert.equal(error.code, 'invalid_input')
})

test('a profile that does not trust the identity is forbidden, and the identity gets no token', async () => {
  const { emulator, options, profile } = setUp()
  profile.trusted = ['IBMid-SOMEBODY']
  const credential = { ...emulator.credential, assume: { id: profile.id } }
  for (const call of [login, exchangeToken]) {
    const error = await refusal(call(credential, options))
    assert.deepEqual([error.code, error.serviceCode], ['forbidden', 'BXNIM0398E'])
  }
})

test('tokens of an assumed profile come without what would renew the identity', async () => {
  const { emulator, options, profile } = setUp()
  const credential = { ...USER, assume: { id: profile.id } }
  const { iam } = await exchangeToken(credential, options)
  assert.equal((await decodeToken(iam.accessToken)).iam_id, profile.id)
  assert.equal(iam.refreshToken, undefined)
  assert.equal(emulator.requests.length, 2)
})

test('the same identity under two profiles shares no tokens', async () => {
  const { emulator, options, profile } = setUp({
    profiles: [{ name: 'one' }, { name: 'two' }],
  })
  const [, other] = emulator.data.profiles
  const store = memoryStore({ clock: emulator.clock })
  const sessions = []
  for (const assume of [{ id: profile.id }, { id: other.id }, undefined]) {
    sessions.push(await login({ ...emulator.credential, assume }, { ...options, store }))
  }
  const holders = await Promise.all(sessions.map(async (each) => (await each.claims()).iam_id))
  assert.equal(new Set(holders).size, 3)
})

test('a client signs in as itself at a UAA', async () => {
  const { emulator, options, sent } = foundry()
  const credential = { clientId: 'worker', clientSecret: 'worker-secret' }
  const session = await login(credential, options)
  const claims = await session.claims({ token: 'uaa' })
  assert.equal(claims.client_id, 'worker')
  assert.equal(claims.user_id, undefined)
  const { Authorization, form } = sent.at(-1)
  assert.equal(Authorization, `Basic ${btoa('worker:worker-secret')}`)
  assert.deepEqual(form, { grant_type: 'client_credentials' })
  emulator.clock.advance(HOUR)
  await session.uaaToken()
  assert.equal(emulator.requests.at(-1).form.grant_type, 'client_credentials')
})

test('a client’s id and secret survive whatever signs they hold', async () => {
  const secret = { clientId: 'app|1', clientSecret: 'p+ss:wörd%' }
  const { options, sent } = foundry(secret)
  await login(secret, options)
  const [, basic] = sent.at(-1).Authorization.split(' ')
  assert.equal(atob(basic), 'app%7C1:p%2Bss%3Aw%C3%B6rd%25')
})

test('a client with a wrong secret, or without the grant, is told so', async () => {
  const { options } = foundry()
  const wrong = await refusal(login({ clientId: 'worker', clientSecret: SENTINEL }, options))
  assert.equal(wrong.code, 'invalid_credentials')
  const cf = await refusal(login({ clientId: 'cf', clientSecret: '' }, options))
  assert.equal(cf.code, 'invalid_input')
})

test('a token of a provider that the UAA trusts is exchanged, and renewed by its refresh token', async () => {
  const { emulator, options, sent } = foundry()
  const { uaa } = await exchangeToken(USER, options)
  const session = await login({ assertion: `Bearer ${uaa.accessToken}` }, options)
  assert.equal((await session.claims({ token: 'uaa' })).user_name, USER.username)
  const { form, Authorization } = sent.at(-1)
  assert.equal(form.grant_type, 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  assert.equal(form.assertion, uaa.accessToken)
  assert.equal(Authorization, 'Basic Y2Y6')
  emulator.clock.advance(HOUR)
  await session.uaaToken()
  assert.equal(emulator.requests.at(-1).form.grant_type, 'refresh_token')
  const garbage = await refusal(login({ assertion: 'a.b.c' }, options))
  assert.equal(garbage.code, 'invalid_credentials')
  const altered = `${uaa.accessToken.slice(0, -8)}AAAAAAAA`
  assert.equal((await refusal(login({ assertion: altered }, options))).code, 'expired')
})

const hourFrom = (ms) => ({ iat: ms / 1000, exp: (ms + HOUR) / 1000 })

test('given tokens are used as they are, and nothing is sent', async () => {
  const { emulator, options } = setUp()
  const { iam, uaa } = await exchangeToken(emulator.credential, emulator.options)
  emulator.requests.clear()
  const both = { iamToken: `Bearer ${iam.accessToken}`, uaaToken: uaa.accessToken }
  const session = await login(both, emulator.options)
  assert.equal(await session.iamToken(), iam.accessToken)
  assert.equal(await session.uaaToken(), uaa.accessToken)
  assert.equal((await session.claims()).email, USER.username)
  await session.refresh()
  assert.equal(emulator.requests.length, 0)
  const aimed = await login(both, { ...emulator.options, target: { instance: 'kp-demo' } })
  assert.ok((await collect(aimed.keys())).length > 0)
  const alone = await login({ uaaToken: uaa.accessToken }, emulator.options)
  assert.equal(await alone.orgGuid('acme'), emulator.data.orgs[0].guid)
  assert.equal((await refusal(alone.iamToken())).code, 'unavailable')
  emulator.requests.clear()
  await session.logout()
  assert.equal(emulator.requests.length, 0, 'a token of somebody else is not revoked')
  assert.equal((await exchangeToken(both, options)).iam.accessToken, iam.accessToken)
})

test('a given token is not revoked by a session that was resumed either', async () => {
  const { emulator, options } = foundry()
  const client = { clientId: 'opaque', clientSecret: '', grants: ['password'] }
  emulator.data.clients.push({ service: 'uaa', ...client })
  // An opaque token is one that a UAA can revoke.
  const form = { grant_type: 'password', ...USER, token_format: 'opaque' }
  const answer = await emulator.fetch(`${emulator.endpoints.base}/uaa/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('opaque:')}`, accept: 'application/json' },
    body: new URLSearchParams(form),
  })
  const { access_token: uaaToken } = await answer.json()
  const store = memoryStore({ clock: emulator.clock })
  const given = { ...options, endpoints: { uaa: `${emulator.endpoints.base}/uaa` }, store }
  emulator.requests.clear()
  const session = await login({ uaaToken }, given)
  const resumed = await resume(session.key, given)
  assert.equal(await resumed.uaaToken(), uaaToken)
  await resumed.logout()
  await session.logout()
  assert.equal(emulator.requests.length, 0)
})

test('a given token that has ended is expired, without any request, and says of whom it was', async () => {
  const { emulator, options } = setUp()
  const iamToken = jwt({ ...hourFrom(emulator.clock.now() - 2 * HOUR), email: 'old@example.com' })
  const target = { instance: { guid: 'I1' } }
  const session = await login({ iamToken }, { ...options, target })
  for (const call of [session.iamToken(), session.headers(), session.keys().next()]) {
    assert.equal((await refusal(call)).code, 'expired')
  }
  assert.equal((await session.claims()).email, 'old@example.com')
  assert.equal(emulator.requests.length, 0)
})

test('a given token ends on the way, and a function gives the next one', async () => {
  const { emulator, options } = setUp()
  const fresh = () => jwt(hourFrom(emulator.clock.now()))
  const given = [fresh()]
  const text = await login({ iamToken: given[0] }, options)
  const asked = await login({ iamToken: async () => given.at(-1) }, options)
  emulator.clock.advance(HOUR - 120_000)
  assert.equal(await text.iamToken(), given[0])
  assert.equal(await asked.iamToken(), given[0])
  emulator.clock.advance(120_000)
  given.push(fresh())
  assert.equal((await refusal(text.iamToken())).code, 'expired')
  assert.equal(await asked.iamToken(), given[1])
  assert.equal(emulator.requests.length, 0)
})

test('what is no JWT is handed out all the same', async () => {
  const { emulator, options } = setUp()
  for (const iamToken of ['not-a-jwt', 'a.b.c']) {
    const session = await login({ iamToken }, options)
    assert.equal((await session.headers()).Authorization, `Bearer ${iamToken}`)
    assert.equal((await refusal(session.claims())).code, 'invalid_input')
    assert.equal(session.target().user, undefined)
    emulator.clock.advance(100 * HOUR)
    assert.equal(await session.iamToken(), iamToken)
  }
})

test('a line break in a given token is invalid_input, and shows nothing of it', async () => {
  const { options } = setUp()
  for (const iamToken of [`eyJhbGciOiJSUzI1NiJ9.e30\n.${SENTINEL}`, `a\u200b${SENTINEL}`]) {
    const error = await refusal(login({ iamToken }, options))
    assert.equal(error.code, 'invalid_input')
  }
})

test('a given token assumes a profile, anew until it ends', async () => {
  const { emulator, options, profile } = setUp({ iam: { accessTokenSeconds: 3600 } })
  const assume = { id: profile.id }
  const { iam } = await exchangeToken(emulator.credential, options)
  emulator.requests.clear()
  emulator.data.iam.accessTokenSeconds = 900
  const session = await login({ iamToken: iam.accessToken, assume }, options)
  assert.equal((await session.claims()).iam_id, profile.id)
  const before = await session.iamToken()
  emulator.clock.advance(HOUR / 2)
  assert.notEqual(await session.iamToken(), before)
  assert.equal(emulator.requests.length, 2)
  emulator.clock.advance(HOUR / 2)
  assert.equal((await refusal(session.iamToken())).code, 'expired')
  assert.equal(emulator.requests.length, 2)
})

test('what does not go together is invalid_input, and nothing is sent', async () => {
  const { emulator, options } = setUp()
  const cf = { ...options, uaa: undefined, endpoints: { cf: cfOf(emulator) } }
  const client = { clientId: 'worker', clientSecret: SENTINEL }
  for (const [credential, where, part] of [
    [client, options, 'clientSecret'],
    [{ assertion: SENTINEL }, options, 'assertion'],
    [{ ...CONTAINER, crToken: SENTINEL }, cf, 'crToken'],
    [{ ...USER, assume: { id: 'p' } }, cf, 'assume'],
    [client, { ...cf, client: { clientId: 'other' } }, 'client'],
    [{ ...CONTAINER, crToken: SENTINEL }, { ...options, account: 'a1' }, 'account'],
    [{ ...CONTAINER, profile: { id: 'a', name: 'b' } }, options, 'profile'],
    [{ crToken: SENTINEL }, options, 'profile'],
    [{ clientId: 'worker' }, cf, 'clientSecret'],
    [{ ...emulator.credential, assume: { name: 'no-account' } }, options, 'assume'],
    [{ ...emulator.credential, assume: () => ({ id: 'p' }) }, options, 'assume'],
    [{ ...emulator.credential, profile: { id: 'p' } }, options, 'two kinds'],
  ]) {
    for (const call of [login, exchangeToken]) {
      const error = await refusal(call(credential, where))
      assert.equal(error.code, 'invalid_input', part)
      assert.match(error.message, new RegExp(part))
    }
  }
  assert.equal(emulator.requests.length, 0)
})

test('the page for a passcode comes from discovery, at IAM and at a UAA', async () => {
  const { emulator, options } = setUp()
  const { fetch } = options
  const { base } = emulator.endpoints
  const pages = {
    iam: await passcodeUrl({ fetch, endpoints: { base } }),
    uaa: await passcodeUrl({ fetch, endpoints: { uaa: `${base}/uaa` } }),
    cf: await passcodeUrl({ fetch, endpoints: { cf: cfOf(emulator) } }),
  }
  assert.equal(pages.iam, `${base}/iam/identity/passcode`)
  assert.equal(pages.uaa, `${base}/uaa/passcode`)
  assert.equal(pages.cf, pages.uaa)
  for (const page of Object.values(pages)) {
    const answer = await emulator.fetch(page, {
      headers: { accept: 'text/html' },
      redirect: 'manual',
    })
    assert.ok([200, 302].includes(answer.status), page)
  }
})

test('a page for a passcode that can’t be one is not handed on', async (t) => {
  const { url } = await serving(t, () =>
    Response.json({ passcode_endpoint: 'http://page.example.test/passcode' }),
  )
  const error = await refusal(passcodeUrl({ endpoints: { iam: url } }))
  assert.equal(error.code, 'protocol')
  const nowhere = await refusal(passcodeUrl({ endpoints: { iam: null } }))
  assert.equal(nowhere.code, 'unavailable')
  const stranger = await refusal(passcodeUrl({ token: 'x', endpoints: { iam: url } }))
  assert.equal(stranger.code, 'invalid_input')
})
