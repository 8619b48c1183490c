import assert from 'node:assert/strict'
import { test } from 'node:test'
import { login } from 'keyprotect-auth'
import { html, json, refusal, serving, stoppedClock, tokens } from './helpers.mjs'
import { coreCalls, door, HOUR, listener } from './session-helpers.mjs'

const REFUSED = { errorCode: 'BXNIM0415E', errorMessage: 'Provided API key could not be found.' }
const ENDED = { error: 'invalid_token', error_description: 'The token expired' }

/** A session at an IAM (or a UAA) whose first answer is good, and the others as the test says. */
async function signedIn(t, answer, { credential = { apiKey: 'K' }, uaa = false, ...more } = {}) {
  const clock = stoppedClock()
  const heard = listener()
  const first = uaa ? { refresh_token: 'R1' } : {}
  const server = await serving(t, (seen, count) =>
    count === 1
      ? json(tokens({ access_token: 'FAKE-1', ...first }))
      : answer(seen, count, server.requests),
  )
  const endpoints = uaa ? { uaa: server.url } : { iam: server.url }
  const options = { endpoints, clock, onEvent: heard.onEvent, ...more }
  const session = await login(credential, options)
  return { session, clock, heard, requests: server.requests, options }
}

const numbered = (_seen, count) => json(tokens({ access_token: `FAKE-${count}` }))

test('renewal is due at 0.72 to 0.88 of the life, by the clock’s random', async (t) => {
  for (const [random, due] of [
    [0, 0.72],
    [0.5, 0.8],
    [1, 0.88],
  ]) {
    const clock = Object.assign(stoppedClock(), { random: () => random })
    const { session, heard, requests } = await signedIn(t, numbered, { clock })
    assert.equal(session.tokens().iam.dueAt, clock.now() + due * HOUR)
    clock.pass(due * HOUR - 1)
    await session.iamToken()
    assert.equal(heard.of('exchange').length, 1, 'not due yet')
    clock.pass(1)
    const renewed = heard.next('exchange')
    assert.equal(await session.iamToken(), 'FAKE-1')
    assert.equal((await renewed).isBackground, true)
    assert.equal(await session.iamToken(), 'FAKE-2')
    assert.equal(requests.length, 2)
  }
})

test('who finds a token due gets it at once, one exchange starts, and the next calls are warm', async (t) => {
  const answer = door()
  const { session, clock, heard, requests } = await signedIn(t, async (...args) => {
    await answer.pass()
    return numbered(...args)
  })
  clock.pass(0.85 * HOUR)
  const first = session.iamToken()
  assert.equal(await first, 'FAKE-1', 'while the service has not answered')
  const calls = coreCalls(() => {
    for (let call = 0; call < 1000; call += 1) assert.equal(session.iamToken(), first)
  })
  assert.equal(calls, 0, 'no call looks again')
  for (const call of ['headers', 'oauthTokens']) await session[call]()
  await answer.arrived
  assert.equal(requests.length, 2)
  const renewed = heard.next('exchange')
  answer.open()
  await renewed
  const second = session.iamToken()
  assert.equal(await second, 'FAKE-2')
  assert.equal(
    coreCalls(() => assert.equal(session.iamToken(), second)),
    0,
  )
  assert.equal(requests.length, 2)
})

test('a caller who wants more of a token than it has makes one exchange, and others join it', async (t) => {
  const { session, clock, requests } = await signedIn(t, numbered)
  clock.pass(0.5 * HOUR)
  const wants = Array.from({ length: 50 }, () => session.iamToken({ minValidMs: 0.9 * HOUR }))
  assert.equal(await session.iamToken(), 'FAKE-1', 'it is good for the others')
  assert.deepEqual(new Set(await Promise.all(wants)), new Set(['FAKE-2']))
  assert.equal(requests.length, 2)
})

test('renewals that fail disturb no caller and wait longer and longer, one event each', async (t) => {
  const unhandled = []
  const note = (error) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const answers = [
    () => new Response(null, { status: 599 }),
    () => json({ errorCode: 'X', errorMessage: 'down' }, { status: 503 }),
    () => html(502),
    () => new Response('{"access_tok', { headers: { 'content-type': 'application/json' } }),
    () => html(400),
    () => json({ access_token: 'A', token_type: 'Bearer', expires_in: 0 }),
  ]
  const sent = []
  const broken = async (url, init) => {
    sent.push(url)
    if (isBroken)
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } })
    return fetch(url, init)
  }
  let isBroken = false
  const { session, clock, heard } = await signedIn(
    t,
    (_seen, count) => answers[count - 2]?.() ?? numbered(_seen, count),
    { retries: 0, fetch: broken },
  )
  clock.pass(0.81 * HOUR)
  const waits = []
  let since = clock.mono
  for (let round = 0; round <= answers.length; round += 1) {
    isBroken = round === 0
    const renewed = heard.next('exchange')
    const { length } = sent
    while (sent.length === length) {
      assert.equal(await session.iamToken(), 'FAKE-1')
      // A request is on its way some turns of the event loop after the call.
      for (let turn = 0; turn < 5 && sent.length === length; turn += 1)
        await new Promise(setImmediate)
      if (sent.length === length) clock.pass(250)
    }
    await renewed
    waits.push(clock.mono - since)
    since = clock.mono
  }
  assert.deepEqual(waits, [0, 750, 1500, 3000, 6000, 12_000, 24_000])
  assert.deepEqual(
    heard.of('exchange').map(({ code }) => code),
    [
      undefined,
      'network',
      'server_error',
      'server_error',
      'server_error',
      'protocol',
      'protocol',
      'protocol',
    ],
  )
  await new Promise(setImmediate)
  assert.deepEqual(unhandled, [])
})

test('within the last minute callers wait for the new one, and a failure is theirs', async (t) => {
  const { session, clock, requests } = await signedIn(
    t,
    (_seen, count) => (count < 4 ? html(502) : numbered(_seen, count)),
    { retries: 0 },
  )
  clock.pass(HOUR - 59_000)
  assert.equal((await refusal(session.iamToken())).code, 'server_error')
  assert.equal(await session.iamToken({ minValidMs: 1000 }), 'FAKE-1', 'it has not ended')
  assert.equal((await refusal(session.headers())).code, 'server_error')
  assert.equal(await session.iamToken(), 'FAKE-4', 'only a refusal is remembered')
  assert.equal(requests.length, 4)
})

test('a refused credential is held back for a minute, doubling to an hour', async (t) => {
  const { session, clock, requests } = await signedIn(t, () => json(REFUSED, { status: 400 }))
  clock.pass(2 * HOUR)
  let last = await refusal(session.iamToken())
  assert.deepEqual([last.code, last.retryAfterMs], ['invalid_credentials', undefined])
  let sent = 2
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    const held = await refusal(session.headers())
    assert.equal(held.retryAfterMs, minutes * 60_000)
    for (const field of ['code', 'message', 'hint', 'status', 'serviceCode', 'requestId']) {
      assert.equal(held[field], last[field], field)
    }
    clock.pass(minutes * 60_000 - 1)
    assert.equal((await refusal(session.iamToken({ minValidMs: 5 }))).retryAfterMs, 1)
    assert.equal(requests.length, sent)
    clock.pass(1)
    last = await refusal(session.iamToken())
    assert.equal(last.retryAfterMs, undefined)
    sent += 1
    assert.equal(requests.length, sent)
  }
})

test('refresh overrides a hold and does not shorten it; a login of its own is not held off', async (t) => {
  let answer = () => json(REFUSED, { status: 400 })
  const { session, clock, requests, options } = await signedIn(t, (...args) => answer(...args), {
    retries: 0,
  })
  clock.pass(2 * HOUR)
  await refusal(session.iamToken())
  assert.equal((await refusal(session.refresh())).code, 'invalid_credentials')
  assert.equal((await refusal(session.iamToken())).retryAfterMs, 120_000, 'refused twice')
  answer = () => html(502)
  assert.equal((await refusal(session.refresh())).code, 'server_error')
  assert.equal((await refusal(session.iamToken())).code, 'invalid_credentials', 'held all the same')
  assert.equal(requests.length, 4)
  answer = numbered
  const other = await login({ apiKey: 'K' }, options)
  assert.equal(await other.iamToken(), 'FAKE-5')
  await session.refresh()
  assert.equal(await session.iamToken(), 'FAKE-6', 'forgotten once it works')
  assert.equal(requests.length, 6)
})

test('a 401 from elsewhere does not send a credential that is held back', async (t) => {
  const kp = await serving(t, () => json({}, { status: 401 }))
  const server = await serving(t, (_seen, count) =>
    count === 1 ? json(tokens()) : json(REFUSED, { status: 400 }),
  )
  const clock = stoppedClock()
  const endpoints = { iam: server.url, keyProtect: kp.url }
  const session = await login({ apiKey: 'K' }, { endpoints, clock })
  clock.pass(0.5 * HOUR)
  assert.equal((await refusal(session.fetch('/api/v2/keys'))).code, 'invalid_credentials')
  for (let call = 0; call < 5; call += 1) {
    assert.ok((await refusal(session.fetch('/api/v2/keys'))).retryAfterMs > 0)
  }
  assert.deepEqual([server.requests.length, kp.requests.length], [2, 6])
})

test('a page, a bare status or a limiter refuses no credential', async (t) => {
  const bare = (status, headers) => () => new Response('', { status, headers })
  const limiter = {
    error: '429 - Too Many Request - Request limited by Rate Limiter configuration: x',
  }
  const page = (status) => () =>
    html(status, '<h1>HTTP Status 400 - request must be over https</h1>')
  const answers = [
    [page(408), ['timeout', 'server_error']],
    [page(429), ['rate_limited']],
    [() => json(limiter, { status: 429 }), ['rate_limited']],
    [page(403), ['forbidden']],
    [bare(407, { 'proxy-authenticate': 'Basic' }), ['network']],
    [bare(401), ['protocol']],
    [bare(421), ['protocol']],
    [page(400), ['protocol']],
  ]
  for (const uaa of [false, true]) {
    let answer
    const { session, clock, requests } = await signedIn(t, (...args) => answer(...args), {
      retries: 0,
      uaa,
      credential: { refreshToken: 'R0' },
    })
    const token = uaa ? () => session.uaaToken() : () => session.iamToken()
    clock.pass(2 * HOUR)
    for (const [given, codes] of answers) {
      answer = given
      const { code } = await refusal(token())
      assert.ok(codes.includes(code), `${code} is none of ${codes}`)
    }
    // The platform’s fetch itself sends again what was answered with 421.
    assert.ok(requests.length >= answers.length + 1, 'none was answered from a memory')
    answer = numbered
    assert.match(await token(), /^FAKE/)
    assert.equal(requests.at(-1).form.refresh_token, uaa ? 'R1' : 'R0', 'the same login goes on')
  }
})

test('a password with an old one-time code at its end is sent once, not until UAA locks the user', async (t) => {
  const { session, clock, requests } = await signedIn(
    t,
    ({ form }) =>
      form.grant_type === 'refresh_token'
        ? json(ENDED, { status: 401 })
        : json({ error: 'unauthorized', error_description: 'Bad credentials' }, { status: 401 }),
    { uaa: true, credential: { username: 'u', password: 'Secret123456' } },
  )
  clock.pass(2 * HOUR)
  assert.equal((await refusal(session.uaaToken())).code, 'invalid_credentials')
  for (let call = 0; call < 20; call += 1) {
    clock.pass(2_500)
    assert.ok((await refusal(session.uaaToken())).retryAfterMs > 0)
  }
  assert.deepEqual(
    requests.map(({ form }) => form.grant_type),
    ['password', 'refresh_token', 'password'],
  )
})

test('a forced change of the password is told as such, and not held against who then signs in', async (t) => {
  const text = { error: 'unauthorized', error_description: 'password change required' }
  let isChanged = false
  const server = await serving(t, () => (isChanged ? json(tokens()) : json(text, { status: 401 })))
  const options = { endpoints: { uaa: server.url }, clock: stoppedClock() }
  const error = await refusal(login({ username: 'u', password: 'p' }, options))
  assert.equal(error.code, 'mfa_required')
  assert.match(error.hint, /page|browser|web/i)
  isChanged = true
  await login({ username: 'u', password: 'p' }, options)
  assert.equal(server.requests.length, 2)
})

test('5xx on the refresh token leads to the credential only when no token is good any more', async (t) => {
  const credential = { username: 'u', password: 'p' }
  const { session, clock, heard, requests } = await signedIn(
    t,
    ({ form }, count) =>
      form.grant_type === 'refresh_token'
        ? json({ error: 'server_error' }, { status: 500 })
        : json(tokens({ access_token: `FAKE-${count}`, refresh_token: 'R2' })),
    { uaa: true, credential, retries: 1 },
  )
  clock.pass(0.85 * HOUR)
  const failed = heard.next('exchange')
  assert.equal(await session.uaaToken(), 'FAKE-1')
  assert.equal((await failed).code, 'server_error')
  clock.pass(HOUR)
  assert.equal(await session.uaaToken(), 'FAKE-6')
  assert.deepEqual(
    requests.map(({ form }) => form.grant_type),
    ['password', ...Array(4).fill('refresh_token'), 'password'],
  )
})

test('a refused refresh token leads to the credential in the background too', async (t) => {
  const { session, clock, heard } = await signedIn(
    t,
    ({ form }, count) =>
      form.grant_type === 'refresh_token' ? json(ENDED, { status: 401 }) : numbered({}, count),
    { uaa: true, credential: { username: 'u', password: 'p' } },
  )
  clock.pass(0.85 * HOUR)
  const renewed = heard.next('exchange')
  await session.uaaToken()
  assert.equal((await renewed).code, undefined)
  assert.equal(await session.uaaToken(), 'FAKE-3')
})

test('5xx on a login that can’t repeat itself ends nothing', async (t) => {
  let isDown = true
  const { session, clock, requests } = await signedIn(
    t,
    (_seen, count) => (isDown ? html(500) : numbered(_seen, count)),
    { uaa: true, credential: { passcode: 'P' }, retries: 0 },
  )
  clock.pass(2 * HOUR)
  const error = await refusal(session.uaaToken())
  assert.deepEqual([error.code, error.retryable], ['server_error', true])
  isDown = false
  assert.equal(await session.uaaToken(), 'FAKE-3')
  assert.deepEqual(
    requests.map(({ form }) => form.refresh_token),
    [undefined, 'R1', 'R1'],
  )
})
