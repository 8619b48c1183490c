// What a program prints, logs, clones or throws of this package shows no secret.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { exchangeToken, findOrg, login, memoryStore, resume } from 'keyprotect-auth'
import {
  assertNoSecret,
  collect,
  html,
  json,
  refusal,
  SENTINEL,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const HOUR = 3_600_000
const part = (name) => `${SENTINEL}-${name}`
/** Names are no secrets, and errors say them; events do not. */
const NAME = 'NAME-7f3a'
/** What a Basic header shows of the client's secret. */
const CLIENT = btoa(`c:${part('client')}`)

/** Services in whose every answer there is a secret, and that fail in each way once in a while. */
function quoting() {
  let isDown = false
  const handler = ({ path, form, query, headers }) => {
    const sent = `${Object.values(form)} ${query} ${headers.authorization}`
    if (isDown) return isDown(sent)
    if (path.endsWith('/passcode')) return json({ passcode: part('passcode') })
    if (path.includes('revoke')) return html(200, sent)
    if (path.includes('/v3/')) return json({ pagination: {}, resources: [{ name: NAME }] })
    if (path.includes('/v2/resource')) return json({ resources: [] })
    if (path.includes('/api/v2/')) return json({ resources: [{ id: 'k', name: NAME }] })
    return json(
      tokens({
        access_token: part('access'),
        refresh_token: part('refresh'),
        uaa_token: part('uaa'),
        uaa_refresh_token: part('uaa-refresh'),
      }),
    )
  }
  const down = (answer) => {
    isDown = answer
  }
  return { handler, down }
}

const FAILURES = [
  (sent) => html(403, sent),
  (sent) => html(200, sent),
  (sent) => new Response(`{"access_token":"${sent}`),
  (sent) =>
    json({ errorCode: 'BXNIM0415E', errorMessage: sent, errorDetails: sent }, { status: 400 }),
  (sent) => json({ error: 'unauthorized', error_description: sent }, { status: 401 }),
  (sent) => json({ errors: [{ title: 'CF-NotAuthorized', detail: sent }] }, { status: 403 }),
  (sent) => json({ message: sent, error_code: sent }, { status: 500 }),
  (sent) => json({ resources: [{ errorMsg: sent }] }, { status: 403 }),
]

/** Lives through all that a session can do; gives what it was told and what it rejected with. */
async function life(t, credential, endpointsOf) {
  const { handler, down } = quoting()
  const server = await serving(t, handler)
  const clock = stoppedClock()
  const events = []
  const onEvent = (event) => events.push(event)
  const store = { ...memoryStore({ clock }), delete: () => Promise.reject(new Error(SENTINEL)) }
  const options = {
    endpoints: endpointsOf(server.url),
    client: { clientId: 'c', clientSecret: part('client') },
    target: { instance: { guid: 'I1' } },
    ...{ clock, onEvent, store, retries: 0 },
  }
  const errors = []
  const tried = (promise) => promise.catch((error) => errors.push(error))
  const session = await login(credential, options)
  const work = async () => {
    await tried(session.passcode())
    await tried(session.orgGuid(NAME))
    await tried(session.spaceGuid(NAME, { org: { guid: 'o' } }))
    await tried(session.instanceGuid(NAME))
    await tried(collect(session.keys()))
    await tried(session.claims())
    await tried(session.fetch(`/api/v2/keys?name=${NAME}`).then((answer) => answer.text()))
    await tried(session.with({ account: NAME }))
  }
  await work()
  clock.pass(2 * HOUR)
  await tried(session.headers())
  for (const failure of FAILURES) {
    down(failure)
    clock.pass(2 * HOUR)
    await tried(session.refresh())
    await work()
    await tried(login(credential, { ...options, store: undefined }))
  }
  down(false)
  await tried(session.refresh())
  await tried(resume(session.key, options).then((other) => other.iamToken()))
  await session.logout()
  await tried(session.iamToken())
  return { session, events, errors }
}

const CREDENTIALS = [
  { apiKey: part('key') },
  { username: NAME, password: `${part('password')} ü&%` },
  { passcode: part('passcode') },
  { refreshToken: part('given') },
]
const all = ['cf', 'uaa', 'keyProtect', 'resourceController', 'accounts']
const PLACES = [
  (url) => Object.fromEntries(['iam', ...all].map((name) => [name, url])),
  (url) => ({ ...Object.fromEntries(all.map((name) => [name, url])), iam: null }),
]

test('no event, no error and no form of them holds a secret in a whole life', async (t) => {
  const printed = []
  for (const name of ['log', 'error', 'warn', 'info', 'debug']) {
    t.mock.method(console, name, (...args) => printed.push(format(...args)))
  }
  const channel = []
  const note = (event) => channel.push(event)
  subscribe('keyprotect-auth', note)
  t.after(() => unsubscribe('keyprotect-auth', note))
  const kinds = new Set()
  for (const credential of CREDENTIALS) {
    for (const endpointsOf of PLACES) {
      channel.length = 0
      const { session, events, errors } = await life(t, credential, endpointsOf)
      assert.deepEqual(channel, events, 'the channel is told the same')
      for (const { type } of events) kinds.add(type)
      assert.ok(errors.length > 20)
      for (const value of [...events, ...errors]) {
        console.log(value, { value })
        const forms = [value, inspect(value), JSON.stringify(value), structuredClone(value)]
        for (const form of forms) {
          assertNoSecret(form)
          assertNoSecret(form, CLIENT)
        }
        if (!(value instanceof Error)) assertNoSecret(value, NAME)
      }
      console.log(session, [session], '%o', session)
      console.error('%O %j %s', session, session, session)
      assertNoSecret(session)
      assert.throws(
        () => structuredClone(session),
        (error) => !String(error).includes(SENTINEL),
      )
      assertNoSecret(structuredClone({ ...session, fetch: undefined }))
    }
  }
  assert.deepEqual([...kinds].sort(), ['clock', 'exchange', 'logout', 'lookup', 'request', 'store'])
  assert.ok(printed.length > 100)
  for (const line of printed) assertNoSecret(line)
})

test('an error of a fetch that quotes all it was given shows none of it', async () => {
  const quote = (value) => Object.assign(new Error(value), { name: value, code: value, value })
  const fetch = async (url, init) => {
    const sent = JSON.stringify([url, init.headers, init.body])
    throw Object.assign(quote(sent), { cause: quote(`${sent} ${new URLSearchParams(init.body)}`) })
  }
  const options = { fetch, retries: 0, client: { clientId: 'c', clientSecret: SENTINEL } }
  const basic = Buffer.from(`c:${SENTINEL}`).toString('base64')
  for (const credential of [...CREDENTIALS, { apiKey: `  ${SENTINEL}+/ü ` }]) {
    const error = await refusal(exchangeToken(credential, options))
    assert.equal(error.code, 'network')
    assert.match(error.cause.message, /redacted/)
    assert.match(error.cause.cause.message, /redacted/)
    assertNoSecret(error, basic)
  }
  const token = ` Bearer ${SENTINEL}`
  const found = findOrg('x', {
    endpoints: { cf: 'https://cf.example.test' },
    token,
    fetch,
    retries: 0,
  })
  assert.match((await refusal(found)).cause.message, /redacted/)
  const trap = new Error('x')
  Object.defineProperty(trap, 'message', {
    get: () => {
      throw new Error(SENTINEL)
    },
  })
  const odd = exchangeToken({ apiKey: SENTINEL }, { fetch: () => Promise.reject(trap), retries: 0 })
  assert.equal((await refusal(odd)).cause, undefined)
})

test('a rejected promise that is printed shows no secret', async (t) => {
  const server = await serving(t, () => html(400, SENTINEL))
  const options = { endpoints: { iam: server.url }, retries: 0 }
  const promise = login({ apiKey: SENTINEL }, options)
  assertNoSecret(promise)
  await Promise.allSettled([promise])
  assert.match(inspect(promise), /rejected.*protocol/s)
  assertNoSecret(promise)
  assertNoSecret(await Promise.allSettled([promise]))
  assertNoSecret(new AggregateError([await refusal(promise)]))
})

/** Runs a module in a process of its own, with secrets in its environment; never in its text. */
async function run(script, env) {
  const child = spawn(process.execPath, ['--input-type=module'], {
    cwd: new URL('.', import.meta.url),
    env: { ...process.env, NODE_OPTIONS: '', SENTINEL, ...env },
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) {
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  }
  child.stdin.end(script)
  output.status = await new Promise((done) => child.once('close', done))
  return output
}

const UNCAUGHT = `
  import { login } from 'keyprotect-auth'
  const { SENTINEL: apiKey, URL: iam, HOW } = process.env
  const fetch = () => Promise.reject(new TypeError('invalid header value: ' + apiKey))
  const options = { endpoints: { iam }, retries: 0, ...(HOW === 'fetch' ? { fetch } : {}) }
  const signing = login({ apiKey }, options)
  if (HOW === 'callback') signing.catch((error) => setTimeout(() => { throw error }))
  else if (HOW === 'unhandled') setTimeout(() => {}, 1000)
  else await signing`

test('what ends a process uncaught prints no secret', async (t) => {
  const answers = {
    fetch: () => html(400),
    throw: ({ form }) => html(403, `${Object.values(form)}`),
    callback: ({ form }) =>
      json({ errorCode: 'BXNIM0415E', errorMessage: `${Object.values(form)}` }, { status: 400 }),
    unhandled: ({ form }) => new Response(`{"access_token":"${Object.values(form)}`),
  }
  for (const [HOW, answer] of Object.entries(answers)) {
    const server = await serving(t, answer)
    const { stdout, stderr, status } = await run(UNCAUGHT, { HOW, URL: server.url })
    assert.equal(status, 1, stderr)
    assert.match(stderr, /AuthError/)
    assert.ok(!stderr.includes(SENTINEL) && stdout === '', `${HOW}: ${stdout}${stderr}`)
  }
})

test('KEYPROTECT_AUTH_DEBUG=1 prints a line of JSON per event to stderr, and nothing to stdout', async () => {
  const script = `
    import { login } from 'keyprotect-auth'
    import { createEmulator } from 'keyprotect-auth/emulator'
    const { SENTINEL } = process.env
    const apiKeys = [{ key: SENTINEL }]
    const { options } = createEmulator({ data: { apiKeys } })
    const session = await login({ apiKey: SENTINEL }, options)
    await session.orgGuid('acme')
    await session.logout()`
  const { stdout, stderr, status } = await run(script, { KEYPROTECT_AUTH_DEBUG: '1' })
  assert.equal(status, 0, stderr)
  assert.equal(stdout, '')
  assert.ok(!stderr.includes(SENTINEL))
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const kinds = events.map(({ type }) => type)
  assert.deepEqual(kinds.slice(0, 4), ['request', 'exchange', 'request', 'lookup'])
  assert.equal(kinds.at(-1), 'logout')
  for (const { name, time } of events) {
    assert.equal(name, 'keyprotect-auth')
    assert.match(time, /^\d{4}-.*Z$/)
  }
  for (const off of ['', '0']) {
    const quiet = await run(script, { KEYPROTECT_AUTH_DEBUG: off })
    assert.deepEqual(quiet, { stdout: '', stderr: '', status: 0 })
  }
})
