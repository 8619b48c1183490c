import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchangeToken, findInstance, findOrg, findSpace, login } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import {
  collect,
  html,
  json,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const MIB = 2 ** 20

/** What one answer of IAM leads to; one request is made, unless `tries` says otherwise. */
async function answered(t, answer, { tries = 1, credential = { apiKey: SENTINEL } } = {}) {
  const server = await serving(t, answer)
  const clock = stoppedClock()
  const error = await refusal(exchangeToken(credential, { endpoints: { iam: server.url }, clock }))
  assert.equal(server.requests.length, tries)
  const sent = server.requests.at(-1).headers['x-correlation-id']
  return { error, sent }
}

test('a reply that is no JSON, or JSON of the wrong shape, is protocol', async (t) => {
  for (const body of [
    '',
    '<html>SENTINEL-7f3a</html>',
    `{"access_token":"${SENTINEL}`,
    '[]',
    'null',
    '"x"',
    '{}',
    '{"access_token":5,"expires_in":3600}',
    `{"access_token":"${SENTINEL}\\n${SENTINEL}","expires_in":3600}`,
    `{"access_token":"${SENTINEL}","expires_in":[]}`,
    `{"access_token":"${SENTINEL}","expires_in":3600,"token_type":"mac"}`,
  ]) {
    const { error, sent } = await answered(t, () => new Response(body))
    assert.equal(error.code, 'protocol', body)
    assert.equal(error.status, 200)
    assert.equal(error.requestId, sent)
  }
})

test('a reply of 10 MiB is protocol, and is not read to its end', async (t) => {
  let pulled = 0
  const fetch = async () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pulled += 1
          if (pulled > 160) controller.close()
          else controller.enqueue(new Uint8Array(65_536).fill(0x61))
        },
      }),
    )
  const error = await refusal(exchangeToken({ apiKey: SENTINEL }, { fetch }))
  assert.equal(error.code, 'protocol')
  assert.match(error.message, /larger than 1 MiB/)
  assert.ok(pulled < 30, `${pulled} chunks were read`)
  const server = await serving(t, () => new Response('a'.repeat(10 * MIB)))
  const over = exchangeToken({ apiKey: SENTINEL }, { endpoints: { iam: server.url } })
  assert.equal((await refusal(over)).code, 'protocol')
})

test('an odd error body is an AuthError with what can be known of it', async (t) => {
  for (const body of [
    '[]',
    'null',
    '"x"',
    '{"errorCode":415}',
    '{"context":[]}',
    '',
    'a'.repeat(MIB / 2),
    '['.repeat(100_000),
  ]) {
    const { error, sent } = await answered(t, () => new Response(body, { status: 400 }))
    assert.equal(error.code, 'protocol')
    assert.equal(error.requestId, sent)
  }
  const odd = { errorCode: 'TEST123', errorMessage: 'odd', context: null }
  const { error } = await answered(t, () => json(odd, { status: 400 }))
  assert.equal(error.code, 'protocol')
  assert.equal(error.serviceCode, 'TEST123')
  assert.match(error.message, /odd/)
})

test('raw control characters and a byte order mark do not hide an error’s code', async (t) => {
  for (const body of [
    '{"errorCode":"BXNIM0415E","errorMessage":"one\ntwo"}',
    '\ufeff{"errorCode":"BXNIM0415E","errorMessage":"m"}',
  ]) {
    const { error } = await answered(t, () => new Response(body, { status: 400 }))
    assert.equal(error.code, 'invalid_credentials')
    assert.equal(error.serviceCode, 'BXNIM0415E')
  }
})

test('an empty error field beside a good token is no error', async (t) => {
  for (const extra of [{ error: '' }, { error: null }, { errorCode: null }, { errorMessage: '' }]) {
    const server = await serving(t, () => json(tokens(extra)))
    const { iam } = await exchangeToken({ apiKey: 'K' }, { endpoints: { iam: server.url } })
    assert.equal(iam.accessToken, 'FAKE-A')
  }
})

test('a page of a proxy is never a refusal', async (t) => {
  for (const [status, code] of [
    [400, 'protocol'],
    [401, 'protocol'],
    [403, 'forbidden'],
    [404, 'protocol'],
    [408, 'timeout'],
  ]) {
    const { error } = await answered(t, () => html(status))
    assert.equal(error.code, code, String(status))
    assert.equal(error.status, status)
  }
})

test('statuses that Node’s own fetch keeps to itself are told where they come through', async () => {
  for (const [status, code] of [
    [407, 'network'],
    [421, 'protocol'],
  ]) {
    const fetch = async () => html(status)
    const error = await refusal(exchangeToken({ apiKey: SENTINEL }, { fetch }))
    assert.equal(error.code, code)
    assert.equal(error.status, status)
  }
})

test('refusals of IAM and UAA lead to their codes, once', async (t) => {
  const iam = (status, errorCode) => json({ errorCode, errorMessage: `no ${SENTINEL}` }, { status })
  for (const [answer, code] of [
    [() => iam(400, 'BXNIM0415E'), 'invalid_credentials'],
    [() => iam(401, 'BXNIM0602E'), 'invalid_credentials'],
    [() => iam(403, 'BXNIM0528E'), 'mfa_required'],
    [() => iam(400, 'BXNIM0398E'), 'forbidden'],
    [() => iam(400, 'BXNIM0408E'), 'expired'],
    [() => iam(400, 'BXNIM0109E'), 'invalid_input'],
  ]) {
    const { error } = await answered(t, answer)
    assert.equal(error.code, code)
    assert.match(error.message, /\[redacted\]/)
  }
  for (const [status, error, description, code] of [
    [401, 'unauthorized', 'Bad credentials', 'invalid_credentials'],
    [
      401,
      'unauthorized',
      'Your account has been locked because of too many failed attempts to login.',
      'forbidden',
    ],
    [401, 'unauthorized', 'password change required', 'mfa_required'],
    [401, 'invalid_client', `{"error":"${SENTINEL}"}`, 'invalid_credentials'],
    [400, 'unsupported_grant_type', 'Unsupported grant type', 'protocol'],
  ]) {
    const server = await serving(t, () =>
      json({ error, error_description: description }, { status }),
    )
    const call = exchangeToken(
      { username: 'u', password: SENTINEL },
      { endpoints: { uaa: server.url } },
    )
    assert.equal((await refusal(call)).code, code, description)
    assert.equal(server.requests.length, 1)
  }
})

test('the request id is the service’s, else the one that was sent', async (t) => {
  const refused = { errorCode: 'BXNIM0415E', errorMessage: 'm' }
  const body = { ...refused, context: { requestId: 'in-body' } }
  const headers = { 'transaction-id': 'in-header' }
  const first = await answered(t, () => json(body, { status: 400, headers }))
  assert.equal(first.error.requestId, 'in-body')
  const second = await answered(t, () => json(refused, { status: 400, headers }))
  assert.equal(second.error.requestId, 'in-header')
  const third = await answered(t, () => json(refused, { status: 400 }))
  assert.equal(third.error.requestId, third.sent)
  assert.match(third.sent, /^[0-9a-f-]{36}$/)
})

test('a passing fault is tried again, and a wait that is asked for is obeyed', async (t) => {
  for (const status of [429, 500, 502, 503, 504, 524]) {
    const clock = stoppedClock()
    const server = await serving(t, (_, count) => (count < 3 ? html(status) : json(tokens())))
    await login({ apiKey: 'K' }, { endpoints: { iam: server.url }, clock })
    assert.equal(server.requests.length, 3)
    assert.deepEqual(clock.waits, [250, 500], 'half of the bound, as random says')
  }
  const clock = stoppedClock()
  const wait = { status: 429, headers: { 'retry-after': '7' } }
  const server = await serving(t, (_, count) =>
    count < 2 ? new Response('', wait) : json(tokens()),
  )
  await login({ apiKey: 'K' }, { endpoints: { iam: server.url }, clock })
  assert.deepEqual(clock.waits, [7000])
})

test('when the tries are used up, or the wait is too long, the fault is told', async (t) => {
  const limited = await answered(t, () => html(429), { tries: 4 })
  assert.equal(limited.error.code, 'rate_limited')
  assert.equal(limited.error.retryable, true)
  const down = await answered(t, () => html(503), { tries: 4 })
  assert.equal(down.error.code, 'server_error')
  const long = { status: 503, headers: { 'retry-after': '61' } }
  const { error } = await answered(t, () => new Response('', long))
  assert.equal(error.retryAfterMs, 61_000)
})

test('a passcode is sent again only where nothing was taken', async (t) => {
  const credential = { passcode: SENTINEL }
  await answered(t, () => html(500), { credential })
  await answered(t, () => html(503), { credential, tries: 4 })
  await answered(t, () => html(429), { credential, tries: 4 })
})

test('what is not there is not_found, and says whose fault it may be', async () => {
  const emulator = createEmulator()
  const session = await login(emulator.credential, emulator.options)
  const token = await session.uaaToken()
  const options = { token, ...emulator.options }
  const org = await refusal(findOrg('nope', options))
  assert.equal(org.code, 'not_found')
  assert.match(org.hint, /visible/)
  const space = await refusal(findSpace('nope', { org: 'acme', ...options }))
  assert.equal(space.code, 'not_found')
  assert.match(space.message, /acme/)
  const guid = await refusal(session.orgGuid('11111111-2222-4333-8444-555555555555'))
  assert.match(guid.hint, /\{ guid \}/)
  const iam = { ...options, token: `Bearer ${await session.iamToken()}` }
  assert.equal((await refusal(findInstance('nope', iam))).code, 'not_found')
  assert.equal((await findInstance('kp-demo', iam)).region, 'us-south')
  assert.equal((await findOrg('ACME', options)).name, 'acme', 'the service ignores case')
})

test('several instances of one name are ambiguous, and a resource group decides', async () => {
  const emulator = createEmulator()
  const [first] = emulator.data.instances
  const other = { name: first.name, region: 'eu-de', resourceGroup: 'g2' }
  emulator.data.instances.push(other, { ...other, state: 'pending_reclamation' })
  const session = await login(emulator.credential, emulator.options)
  const error = await refusal(session.instanceGuid(first.name))
  assert.equal(error.code, 'ambiguous')
  assert.deepEqual(error.candidates.map(({ region }) => region).sort(), ['eu-de', 'us-south'])
  const [chosen] = error.candidates.filter(({ region }) => region === 'eu-de')
  assert.equal(await session.instanceGuid(first.name, { resourceGroup: 'g2' }), chosen.guid)
})

test('names of every kind are found, on servers that decode once and that decode twice', async (t) => {
  const names = [
    'dev team',
    'A & B',
    'é',
    'a+b',
    'my,org',
    '50%25 off',
    ' lead',
    'quo"te',
    '🙂',
    '%41',
  ]
  const emulator = createEmulator({ data: { orgs: names.map((name) => ({ name })) } })
  const session = await login(emulator.credential, emulator.options)
  for (const name of names) {
    const { guid } = emulator.data.orgs.find((org) => org.name === name)
    assert.equal(await session.orgGuid(name), guid, name)
  }
  // Korifi decodes once, splits at commas and trims.
  const orgs = names.map((name, at) => ({ guid: `g${at}`, name }))
  const korifi = await serving(t, ({ query }) => {
    const wanted = query
      .get('names')
      .split(',')
      .map((name) => name.trim())
    return json({ resources: orgs.filter(({ name }) => wanted.includes(name)) })
  })
  for (const { name, guid } of orgs) {
    const found = findOrg(name, { token: 'T', endpoints: { cf: korifi.url } })
    if (/[,%]|^ /.test(name)) assert.equal((await refusal(found)).code, 'not_found', name)
    else assert.equal((await found).guid, guid, name)
  }
})

test('Key Protect’s refusals are told for what they are', async (t) => {
  const said = (errorMsg, status) => json({ resources: [{ errorMsg }] }, { status })
  for (const [answer, code] of [
    [
      said('Unauthorized: Either the user does not have access to the specified resource', 401),
      'forbidden',
    ],
    [said('Forbidden: x', 403), 'forbidden'],
    [said('Bad Request: x', 400), 'invalid_input'],
    [html(431), 'protocol'],
    [json({ resources: {} }), 'protocol'],
  ]) {
    const server = await serving(t, ({ path }) =>
      path === '/api/v2/keys' ? answer.clone() : json(tokens()),
    )
    const session = await login(
      { apiKey: 'K' },
      {
        endpoints: { iam: server.url, keyProtect: server.url },
        target: { instance: { guid: 'I' } },
      },
    )
    const error = await refusal(collect(session.keys()))
    assert.equal(error.code, code)
    if (answer.status === 401) assert.match(error.hint, /region.*access/)
  }
})

test('a list with a raw tab in a description is read, and keys keep every field', async (t) => {
  const list =
    '{"resources":[{"id":"k","description":"a\tb","algorithmBitSize":256,"x":{"y":[1.5]}}]}'
  const server = await serving(t, ({ path }) =>
    path === '/api/v2/keys' ? new Response(list) : json(tokens()),
  )
  const session = await login(
    { apiKey: 'K' },
    { endpoints: { iam: server.url, keyProtect: server.url }, target: { instance: { guid: 'I' } } },
  )
  const keys = await collect(session.keys())
  assert.deepEqual(keys, [{ id: 'k', description: 'a b', algorithmBitSize: 256, x: { y: [1.5] } }])
})

test('a Cloud Foundry without a UAA gets no secret, nor does an address that is not https', async (t) => {
  const korifi = {
    links: { login: { href: 'https://api.example.test' }, uaa: {} },
    cf_on_k8s: true,
  }
  const plain = { links: { uaa: { href: 'http://login.example.test' } } }
  for (const [root, code] of [
    [korifi, 'unavailable'],
    [plain, 'protocol'],
  ]) {
    const server = await serving(t, () => json(root))
    const call = login({ username: 'u', password: SENTINEL }, { endpoints: { cf: server.url } })
    assert.equal((await refusal(call)).code, code)
    assert.equal(server.requests.length, 1)
  }
})
