// `node tests/soak/fuzz.mjs [SEED] [ROUNDS]`: answers and inputs changed at random, through the real wasm.
// Every call must settle, as a value or as an AuthError, and the core must answer the next one: a panic
// would leave its promise pending for ever.
import assert from 'node:assert/strict'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import {
  decodeToken,
  exchangeToken,
  findInstance,
  findOrg,
  findSpace,
  isAuthError,
  login,
} from 'keyprotect-auth'

const SEEDS = [
  '{"access_token":"A","refresh_token":"R","token_type":"Bearer","expires_in":3600,"uaa_token":"a.b.c"}',
  '{"errorCode":"BXNIM0415E","errorMessage":"m","context":{"requestId":"r"},"requirements":{"code":"x"}}',
  '{"error":"unauthorized","error_description":"Bad credentials"}',
  '{"links":{"login":{"href":"https://login.example.test"},"uaa":{"href":"https://uaa.example.test"}}}',
  '{"pagination":{"next":null},"resources":[{"guid":"g","name":"acme"},{"guid":"h","name":"ACME"}]}',
  '{"errors":[{"code":10010,"title":"CF-ResourceNotFound","detail":"d"}]}',
  '{"next_url":"/v2/resource_instances?start=A","resources":[{"guid":"g","name":"acme","crn":"crn:v1:bluemix:public:kms:us-south:a/1:g::","state":"active"}]}',
  '{"metadata":{},"resources":[{"id":"k","name":"n"}]}',
  '{"resources":[{"errorMsg":"Unauthorized: x","reasons":[{"code":"UNAUTHORIZED_ERR"}]}]}',
  '{"message":"m","code":401,"global_transaction_id":"g"}',
  '<html>\ufeff</html>',
  '',
]
const PIECES = [
  '"',
  '\\',
  '\\ud83d',
  '\\u0000',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '1e999',
  '-',
  '0',
  '\n',
  '\ufeff',
  'é',
  '🙂',
  '\u2028',
  'true',
]
const STATUSES = [200, 200, 200, 201, 204, 400, 401, 403, 404, 418, 429, 500, 503, 599, 302, 0]
const HEADERS = [
  ['retry-after', ['0', '-1', '1', '99999999999', 'Wed, 21 Oct 2015 07:28:00 GMT', 'x', '']],
  ['date', ['Wed, 21 Oct 2015 07:28:00 GMT', 'nonsense', ', : GMT']],
  ['x-ratelimit-reset', ['1', 'x', '1e9']],
  ['transaction-id', ['t', 'x'.repeat(5000)]],
  ['content-type', ['application/json', 'text/html', '']],
]

/**
 * @param {number} seed
 * @param {number} rounds
 * @returns {Promise<{ values: number, codes: Record<string, number> }>} how the calls ended
 */
export async function fuzz(seed, rounds) {
  const random = mulberry(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const counted = { values: 0, codes: {} }
  for (let round = 0; round < rounds; round += 1) {
    const where = `seed ${seed}, round ${round}`
    const text = mutated(random, pick)
    const call = pick([
      (options) => exchangeToken(credential(random, pick), options),
      (options) => login(credential(random, pick), { ...options, target: target(random, pick) }),
      (options) =>
        findOrg(name(random, pick), { token: pick(['T', 'T', 'T', text()]), ...find(options) }),
      (options) =>
        findSpace(name(random, pick), {
          org: pick(['acme', { guid: name(random, pick) }]),
          token: 'T',
          ...find(options),
        }),
      (options) => findInstance(name(random, pick), { token: 'T', ...find(options) }),
      () => decodeToken(pick([text(), 'e30.e30.x', `e30.${btoa('{"exp":1}')}.x`])),
    ])
    const options = {
      fetch: fetching(random, pick, text),
      clock: CLOCK,
      ...places(random, pick, text),
    }
    const settled = Promise.resolve()
      .then(() => call(options))
      .then(
        () => 'value',
        (error) => error,
      )
    const result = await Promise.race([settled, late()])
    assert.notEqual(result, 'late', `never settled: ${where}`)
    if (result === 'value') counted.values += 1
    else {
      assert.ok(isAuthError(result), `${where}: ${inspect(result)}`)
      counted.codes[result.code] = (counted.codes[result.code] ?? 0) + 1
      assert.notEqual(result.message, 'the core failed', `a trap: ${where}`)
    }
  }
  const { iam } = await exchangeToken(
    { apiKey: 'K' },
    { fetch: async () => new Response(SEEDS[0]) },
  )
  assert.equal(iam.accessToken, 'A')
  return counted
}

const CLOCK = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} }

function late() {
  return new Promise((done) => {
    setTimeout(() => done('late'), 20_000).unref()
  })
}

/** Texts: a seed, cut, doubled, or with pieces put in. */
function mutated(random, pick) {
  return () => {
    let text = pick(SEEDS)
    const changes = Math.floor(random() * 4)
    for (let count = 0; count < changes; count += 1) {
      const at = Math.floor(random() * (text.length + 1))
      text = pick([
        () => text.slice(0, at),
        () => text.slice(0, at) + pick(PIECES) + text.slice(at),
        () => text.slice(0, at) + pick(PIECES).repeat(200) + text.slice(at),
        () => text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 9)),
        () => text + text,
      ])()
    }
    return text
  }
}

function fetching(random, pick, text) {
  return async () => {
    const status = pick(STATUSES)
    if (random() < 0.03) throw pick([new TypeError('x'), 'x', undefined, { code: 'ECONNRESET' }])
    const headers = new Headers()
    for (const [header, values] of HEADERS) {
      if (random() < 0.3) headers.set(header, pick(values))
    }
    if (status === 0) return { status: pick([0, 99, 1000, 'x']), headers }
    const bytes = new TextEncoder().encode(text())
    if (random() < 0.05) for (let at = 0; at < bytes.length; at += 7) bytes[at] = random() * 256
    return new Response(status === 204 ? null : bytes, { status, headers })
  }
}

function credential(random, pick) {
  const secret = name(random, pick)
  return pick([
    { apiKey: secret },
    { passcode: secret },
    { refreshToken: secret },
    { username: secret, password: secret },
    { username: secret, password: secret, origin: secret },
    ...(random() < 0.1 ? [{ apiKey: secret, passcode: secret }, {}] : []),
  ])
}

/** Mostly a plain one, so that most calls get as far as the service. */
function name(random, pick) {
  if (random() < 0.85) return 'acme'
  const length = Math.floor(random() * 12)
  return Array.from({ length }, () =>
    pick([...PIECES, 'a', 'B', ' ', '%', '+', '\ud800', '\t']),
  ).join('')
}

function target(random, pick) {
  const text = name(random, pick)
  return pick([
    undefined,
    { instance: text },
    { instance: { guid: text } },
    { org: text, space: text },
    { org: { guid: text } },
    { instance: `crn:v1:bluemix:public:kms:${text}:a/1:${text}::` },
  ])
}

function places(random, pick, text) {
  const address = pick([
    'https://h.example.test',
    'https://h.example.test/',
    'https://iam.cloud.ibm.com',
    'http://127.0.0.1:9/x',
    `https://${name(random, pick)}`,
    text(),
  ])
  return pick([
    {},
    { endpoints: { base: address } },
    { endpoints: { cf: address } },
    { endpoints: { uaa: address } },
    { endpoints: { iam: address, resourceController: address, keyProtect: address } },
    { region: name(random, pick) },
    { client: { clientId: name(random, pick), clientSecret: name(random, pick) } },
  ])
}

function find({ fetch, clock, endpoints }) {
  return { fetch, clock, endpoints: endpoints ?? { base: 'https://h.example.test' } }
}

/** A small generator of random numbers with a seed (mulberry32). */
function mulberry(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const seed = Number(argv[2] ?? Date.now() % 1_000_000)
  const rounds = Number(argv[3] ?? 100_000)
  const started = performance.now()
  const { values, codes } = await fuzz(seed, rounds)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(
    `seed ${seed}: ${rounds} calls settled in ${seconds} s, ${values} as values\n`,
  )
  process.stdout.write(`${JSON.stringify(codes)}\n`)
}
