// Every code, reached at the wire, with what it carries; the pages and types say the same.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { AuthError, decodeToken, isAuthError, login, resume } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import {
  collect,
  html,
  json,
  rawServing,
  refusal,
  serving,
  stoppedClock,
  tokens,
} from './helpers.mjs'

const RETRYABLE = ['rate_limited', 'timeout', 'network', 'server_error']
const reached = new Set()

/** The error that a promise rejects with; what it carries beside texts must be just this. */
async function fails(promise, wanted) {
  const error = await refusal(promise)
  const { code, hint, retryable, name, message, stack: _, cause: __, ...carried } = error
  reached.add(code)
  assert.deepEqual({ code, ...carried }, wanted)
  assert.equal(retryable, RETRYABLE.includes(code), code)
  assert.equal(name, 'AuthError')
  assert.ok(error instanceof Error && error instanceof AuthError)
  assert.ok(message !== '' && typeof hint === 'string')
  return error
}

/** Signs in at an IAM that answers so, and a UAA that does. */
async function signIn(t, answer, options, credential = { apiKey: 'API-KEY' }) {
  const server = await serving(t, answer)
  const { at = 'iam', ...rest } = options ?? {}
  return login(credential, { endpoints: { [at]: server.url }, retries: 0, ...rest })
}

/** The id that an IAM was sent, in its own answer's header. */
const named = (body, status, headers = {}) =>
  json(body, { status, headers: { 'transaction-id': 'T-1', ...headers } })

test('invalid_input: nothing was sent', async (t) => {
  const server = await serving(t, () => json(tokens()))
  const endpoints = { iam: server.url }
  const wanted = { code: 'invalid_input' }
  await fails(login({ apiKey: '' }, { endpoints }), wanted)
  await fails(login({ apiKey: 'K' }, { endpoint: endpoints }), wanted)
  await fails(login({ apiKey: 'K' }, { endpoints: { iam: 'http://iam.example.test' } }), wanted)
  await fails(decodeToken('no token'), wanted)
  assert.equal(server.requests.length, 0)
})

test('invalid_input: also where a service says so', async (t) => {
  const answer = () => named({ errorCode: 'BXNIM0109E', errorMessage: 'a field is missing' }, 400)
  const wanted = { status: 400, serviceCode: 'BXNIM0109E', requestId: 'T-1' }
  await fails(signIn(t, answer), { code: 'invalid_input', ...wanted })
})

test('invalid_credentials carries IAM’s code, whatever the status, and whose id to quote', async (t) => {
  const body = { errorCode: 'BXNIM0415E', errorMessage: 'Provided API key could not be found.' }
  const code = 'invalid_credentials'
  const error = await fails(
    signIn(t, () => named(body, 400)),
    { code, status: 400, serviceCode: 'BXNIM0415E', requestId: 'T-1' },
  )
  assert.match(error.message, /IAM refused: Provided API key could not be found/)
  const inBody = { ...body, context: { requestId: 'C-1' } }
  await fails(
    signIn(t, () => named(inBody, 400)),
    { code, status: 400, serviceCode: 'BXNIM0415E', requestId: 'C-1' },
  )
  let sent
  const silent = ({ headers }) => {
    sent = headers['x-correlation-id']
    return json(body, { status: 401 })
  }
  const { requestId } = await refusal(signIn(t, silent))
  assert.equal(requestId, sent, 'the service named none: the id that we sent')
  const uaa = () =>
    json({ error: 'unauthorized', error_description: 'Bad credentials' }, { status: 401 })
  await fails(signIn(t, uaa, { at: 'uaa' }), { code, status: 401, serviceCode: 'unauthorized' })
})

test('expired: a login that has ended, or was signed out', async (t) => {
  const ended = () => named({ errorCode: 'BXNIM0408E', errorMessage: 'ended' }, 400)
  const wanted = { code: 'expired', status: 400, serviceCode: 'BXNIM0408E', requestId: 'T-1' }
  await fails(signIn(t, ended, {}, { refreshToken: 'R' }), wanted)
  const session = await signIn(t, () => json(tokens()))
  await session.logout()
  const error = await fails(session.iamToken(), { code: 'expired' })
  assert.equal(error.hint, 'signed out')
  const store = { get: async () => undefined, set: async () => {}, delete: async () => {} }
  const { key } = session
  await fails(resume(key, { store }), { code: 'expired' })
})

test('a refusal that is held back is the same error again, with the wait', async (t) => {
  const clock = stoppedClock()
  let isRefused = false
  const body = { errorCode: 'BXNIM0415E', errorMessage: 'deleted' }
  const answer = () => (isRefused ? named(body, 400) : json(tokens()))
  const session = await signIn(t, answer, { clock })
  isRefused = true
  clock.pass(7_200_000)
  const first = {
    code: 'invalid_credentials',
    status: 400,
    serviceCode: 'BXNIM0415E',
    requestId: 'T-1',
  }
  await fails(session.iamToken(), first)
  clock.pass(10_000)
  await fails(session.iamToken(), { ...first, retryAfterMs: 50_000 })
})

test('mfa_required: a further factor is asked for', async (t) => {
  const body = { errorCode: 'BXNIM0528E', errorMessage: 'MFA' }
  const wanted = { code: 'mfa_required', status: 403, serviceCode: 'BXNIM0528E', requestId: 'T-1' }
  await fails(
    signIn(t, () => named(body, 403), {}, { username: 'u', password: 'word' }),
    wanted,
  )
})

test('forbidden: by a service’s own answer, and by what stands before it', async (t) => {
  const body = { errorCode: 'BXNIM0501E', errorMessage: 'no right' }
  const wanted = { code: 'forbidden', status: 403, requestId: 'T-1' }
  await fails(
    signIn(t, () => named(body, 403)),
    { ...wanted, serviceCode: 'BXNIM0501E' },
  )
  const page = () => html(403)
  const { requestId, serviceCode } = await refusal(signIn(t, page))
  assert.match(requestId, /^[0-9a-f-]{36}$/)
  assert.equal(serviceCode, undefined)
  const server = await serving(t, ({ path, headers }) =>
    path.endsWith('/keys')
      ? json(
          { resources: [{ errorMsg: 'Forbidden: x', reasons: [{ code: 'RESOURCE_OWNER_ERR' }] }] },
          { status: 403, headers: { 'correlation-id': `${headers['correlation-id']}-kp` } },
        )
      : json(tokens()),
  )
  const session = await login(
    { apiKey: 'API-KEY' },
    { endpoints: { iam: server.url, keyProtect: server.url }, target: { instance: { guid: 'I' } } },
  )
  const keys = await refusal(collect(session.keys()))
  const { 'correlation-id': sent } = server.requests.at(-1).headers
  assert.deepEqual(
    [keys.code, keys.status, keys.serviceCode, keys.requestId],
    ['forbidden', 403, 'RESOURCE_OWNER_ERR', `${sent}-kp`],
  )
})

test('not_found, and ambiguous with those that fit', async () => {
  const instances = ['us-south', 'eu-de'].map((region, at) => ({
    name: 'twin',
    guid: `f000000${at}-0000-4000-8000-000000000001`,
    region,
    resourceGroup: `group-${at}`,
  }))
  const emulator = createEmulator({ data: { instances } })
  const session = await login(emulator.credential, emulator.options)
  await fails(session.instanceGuid('nobody'), { code: 'not_found' })
  await fails(session.orgGuid('nobody'), { code: 'not_found' })
  const error = await fails(session.instanceGuid('twin'), {
    code: 'ambiguous',
    candidates: instances.map(({ guid, name, region, resourceGroup }) => ({
      ...{ guid, name, region, resourceGroup },
    })),
  })
  const [, other] = error.candidates
  assert.equal(await session.instanceGuid(other), other.guid, 'a candidate can be passed on')
})

test('unavailable: no such token or endpoint here', async (t) => {
  const session = await signIn(t, () => json(tokens()))
  const wanted = { code: 'unavailable' }
  await fails(session.uaaToken(), wanted)
  await fails(session.orgGuid('acme'), wanted)
  await fails(session.fetch('/api/v2/keys'), wanted)
  await fails(login({ apiKey: 'K' }, { endpoints: { iam: null } }), wanted)
})

test('protocol: not what was promised', async (t) => {
  for (const [answer, more] of [
    [() => html(200), { status: 200 }],
    [() => html(404), { status: 404 }],
    [() => json({ token_type: 'Bearer' }), { status: 200 }],
    [() => named({ errorCode: 'BXNIM9999E' }, 400), { status: 400, serviceCode: 'BXNIM9999E' }],
  ]) {
    const { requestId, code, status, serviceCode, retryable } = await refusal(signIn(t, answer))
    const shown = { code, status, ...(serviceCode && { serviceCode }) }
    assert.deepEqual(shown, { code: 'protocol', ...more })
    assert.equal(retryable, false)
    assert.ok(requestId)
  }
  const moved = () => new Response(null, { status: 302, headers: { location: '/' } })
  await fails(signIn(t, moved), { code: 'protocol' })
})

test('rate_limited and server_error say how long the service asks to wait', async (t) => {
  const date = new Date(Date.UTC(2026, 0, 15, 12)).toUTCString()
  const at = new Date(Date.UTC(2026, 0, 15, 12, 2)).toUTCString()
  for (const [headers, retryAfterMs] of [
    [{ 'retry-after': '90' }, 90_000],
    [{ 'retry-after': at, date }, 120_000],
  ]) {
    const busy = (status) => () => named({ errorCode: 'X', errorMessage: 'busy' }, status, headers)
    const rest = { serviceCode: 'X', requestId: 'T-1', retryAfterMs }
    const options = { retries: 3 }
    await fails(signIn(t, busy(429), options), { code: 'rate_limited', status: 429, ...rest })
    await fails(signIn(t, busy(503), options), { code: 'server_error', status: 503, ...rest })
  }
})

test('timeout, network and aborted have their cause', async (t) => {
  const silent = await rawServing(t, () => {})
  const options = { endpoints: { iam: silent.url }, retries: 0 }
  await fails(login({ apiKey: 'K' }, { ...options, timeoutMs: 30 }), { code: 'timeout' })
  const gone = { endpoints: { iam: 'http://127.0.0.1:9' }, retries: 0 }
  const error = await fails(login({ apiKey: 'API-KEY' }, gone), { code: 'network' })
  assert.ok(error.cause instanceof Error)
  assert.match(error.message, /127\.0\.0\.1:9/)
  for (const reason of [new Error('enough'), 'text', 5, null, Symbol('s'), { own: true }]) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 10)
    const { signal } = controller
    const late = await fails(login({ apiKey: 'K' }, { ...options, signal }), { code: 'aborted' })
    assert.equal(late.cause, reason, 'the reason as it is')
    const early = login({ apiKey: 'K' }, { ...options, signal: AbortSignal.abort(reason) })
    assert.equal((await fails(early, { code: 'aborted' })).cause, reason)
  }
})

const PACKAGE = new URL('.', import.meta.resolve('keyprotect-auth'))

test('load_failed: a wasm that is missing, a page, cut, or another one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyprotect-auth-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const wasm = readFileSync(new URL('core_bg.wasm', PACKAGE))
  writeFileSync(join(folder, 'page.wasm'), '<!doctype html><title>404</title>')
  writeFileSync(join(folder, 'cut.wasm'), wasm.subarray(0, wasm.length / 2))
  writeFileSync(join(folder, 'other.wasm'), Buffer.from('0061736d01000000', 'hex'))
  writeFileSync(join(folder, 'good.wasm'), wasm)
  const script = `
    import { init, decodeToken } from ${JSON.stringify(String(new URL('index.node.js', PACKAGE)))}
    import { pathToFileURL } from 'node:url'
    const codes = []
    for (const name of ['missing', 'page', 'cut', 'other']) {
      const error = await init(pathToFileURL(name + '.wasm')).catch((error) => error)
      const { code, hint, retryable } = error
      codes.push([code, retryable, hint.includes('core_bg.wasm'), error.cause instanceof Error])
    }
    await init(pathToFileURL('good.wasm'))
    const claims = await decodeToken('e30.eyJzdWIiOiJtZSJ9.c2ln')
    console.log(JSON.stringify({ codes, claims }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
    cwd: folder,
    input: script,
    encoding: 'utf8',
  })
  assert.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), {
    codes: Array(4).fill(['load_failed', false, true, true]),
    claims: { sub: 'me' },
  })
  reached.add('load_failed')
})

test('isAuthError knows errors of another copy of the package and of another realm', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyprotect-auth-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(fileURLToPath(PACKAGE), folder, { recursive: true })
  const copy = await import(pathToFileURL(join(folder, 'index.node.js')))
  const error = await copy.decodeToken('x').catch((thrown) => thrown)
  assert.ok(!(error instanceof AuthError) && isAuthError(error) && copy.isAuthError(error))
  assert.ok(copy.isAuthError(await refusal(decodeToken('x'))))
  const text = readFileSync(new URL('errors.js', PACKAGE), 'utf8').replaceAll('export ', '')
  const theirs = vm.runInNewContext(`${text}\nnew AuthError({ code: 'expired', message: 'm' })`)
  assert.ok(!(theirs instanceof Error) && isAuthError(theirs))
  const noErrors = [
    undefined,
    null,
    5,
    'AuthError',
    {},
    new Error('x'),
    { name: 'AuthError', code: 'expired' },
  ]
  for (const value of noErrors) assert.equal(isAuthError(value), false)
})

test('every code was reached', () => {
  const types = readFileSync(new URL('types.d.ts', PACKAGE), 'utf8')
  const [, union] = /type AuthErrorCode = ([^;]+);/.exec(types)
  assert.deepEqual([...reached].sort(), union.match(/\w+/g).sort())
})
