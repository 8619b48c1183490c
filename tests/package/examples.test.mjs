// The examples that are published run as they stand.
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { login, memoryStore } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'
import { html, refusal, stoppedClock } from './helpers.mjs'

const example = new URL('examples/opentelemetry.mjs', import.meta.resolve('keyprotect-auth'))
const { spans } = await import(example)

/** Spans as they would be exported, and the listener that makes them. */
function exported() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const onEvent = spans(provider.getTracer('keyprotect-auth'))
  return { onEvent, all: () => exporter.getFinishedSpans() }
}

const ms = ([seconds, nanos]) => seconds * 1000 + nanos / 1e6

async function served(t, handler) {
  const server = await serve(handler)
  t.after(() => server.close())
  return server.url
}

test('OpenTelemetry: each request and each errand is a span with its times', async (t) => {
  const emulator = createEmulator()
  const url = await served(t, async (request) => {
    await new Promise((done) => setTimeout(done, 20))
    return emulator.fetch(request)
  })
  const { onEvent, all } = exported()
  const before = Date.now()
  const session = await login(emulator.credential, { endpoints: { base: url }, onEvent })
  await session.orgGuid('acme')
  await session.logout()
  const after = Date.now()

  assert.deepEqual(
    all().map(({ name }) => name),
    [
      'POST /iam/identity/token',
      'keyprotect-auth exchange',
      'GET /cf/v3/organizations',
      'keyprotect-auth lookup',
      'POST /iam/identity/revoke',
      'DELETE /uaa/oauth/token/revoke/{id}',
      'keyprotect-auth logout',
    ],
  )
  for (const { name, startTime, endTime } of all()) {
    assert.ok(ms(startTime) <= ms(endTime), name)
    // Dates are whole milliseconds, durations are not.
    assert.ok(ms(startTime) >= before - 2 && ms(endTime) <= after + 1, name)
  }
  const [request, exchange, , lookup] = all()
  assert.ok(ms(request.endTime) - ms(request.startTime) > 15, 'a span is as long as its request')
  assert.ok(ms(exchange.startTime) <= ms(request.startTime) + 2, 'an exchange begins first')
  assert.ok(ms(lookup.startTime) >= ms(exchange.endTime) - 2)
  assert.equal(request.kind, SpanKind.CLIENT)
  assert.equal(request.status.code, SpanStatusCode.UNSET)
  const { port } = new URL(url)
  const { 'keyprotect_auth.request_id': requestId, ...attributes } = request.attributes
  assert.equal(typeof requestId, 'string')
  assert.deepEqual(attributes, {
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': Number(port),
    'url.full': `${url}/iam/identity/token`,
    'url.template': '/iam/identity/token',
    'keyprotect_auth.service': 'iam',
  })
  assert.equal(exchange.kind, SpanKind.INTERNAL)
  assert.equal(exchange.attributes['keyprotect_auth.is_background'], false)
  assert.equal(lookup.attributes['keyprotect_auth.what'], 'org')
  assert.equal('error.type' in exchange.attributes, false)
})

test('OpenTelemetry: what failed has the error status and says why', async (t) => {
  const url = await served(t, async () => html(503))
  const { onEvent, all } = exported()
  const clock = stoppedClock()
  const options = { endpoints: { iam: url }, onEvent, clock, retries: 1 }
  await refusal(login({ apiKey: 'K' }, options))
  const gone = { ...options, endpoints: { iam: 'http://127.0.0.1:9' }, retries: 0 }
  await refusal(login({ apiKey: 'K' }, gone))
  const shown = all().map(({ attributes, status }) => [attributes['error.type'], status.code])
  const { ERROR } = SpanStatusCode
  assert.deepEqual(shown, [
    ['503', ERROR],
    ['503', ERROR],
    ['server_error', ERROR],
    ['network', ERROR],
    ['network', ERROR],
  ])
})

test('OpenTelemetry: it listens to the diagnostics channel as well, for all sessions', async (t) => {
  const emulator = createEmulator()
  const { onEvent, all } = exported()
  subscribe('keyprotect-auth', onEvent)
  t.after(() => unsubscribe('keyprotect-auth', onEvent))
  const store = { ...memoryStore(), get: () => Promise.reject(new Error('down')) }
  await login(emulator.credential, { ...emulator.options, store })
  const told = all().find(({ name }) => name === 'keyprotect-auth store')
  assert.equal(told.attributes['keyprotect_auth.problem'], 'get failed')
  assert.deepEqual(told.startTime, told.endTime)
})
