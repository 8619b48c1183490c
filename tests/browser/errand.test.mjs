// A plain page, no bundler and no import map, imports the packed package and does the errand.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { test } from 'node:test'
import { createEmulator } from 'keyprotect-auth/emulator'
import { provideChromium, skipUnless } from '../../tools/provide.mjs'
import { runPage } from './chromium.mjs'

const provided = await provideChromium()
const skip = skipUnless(provided)
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' }
const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"

const SCRIPT = `
import { decodeToken, isAuthError, login } from '/pkg/index.js'
const credential = { apiKey: 'emulator-api-key' }
const options = { endpoints: { base: location.origin } }
const report = {}
try {
  const session = await login(credential, options)
  report.org = await session.orgGuid('acme')
  report.space = await session.spaceGuid('dev', { org: 'acme' })
  report.instance = await session.instanceGuid('kp-demo')
  const { iam, uaa } = await session.oauthTokens()
  report.tokens = [iam.length > 100, uaa.length > 100]
  report.user = (await decodeToken(iam)).email
  const target = await session.with({ instance: 'kp-demo' })
  report.headers = Object.keys(await target.headers())
  report.keys = []
  for await (const key of target.keys()) report.keys.push(key.name)
  report.wrong = await login({ apiKey: 'none' }, options).catch((e) => [isAuthError(e), e.code])
  const crossed = await login(credential, { endpoints: { iam: 'http://127.0.0.1:9' }, retries: 0 }).catch((e) => e)
  report.crossed = [crossed.code, crossed.hint]
} catch (error) {
  report.error = String(error) + ' ' + (error.hint ?? '') + ' ' + (error.cause ?? '')
}
await fetch('/report', { method: 'POST', body: JSON.stringify(report) })
`

/** @param {(path: string) => Response | undefined} [special] */
function site(emulator, special = () => undefined) {
  return async (request) => {
    const { pathname } = new URL(request.url)
    const own = special(pathname)
    if (own !== undefined) return own
    if (pathname === '/') {
      const headers = { 'content-type': 'text/html', 'content-security-policy': CSP }
      return new Response('<!doctype html><script type="module" src="/page.js"></script>', {
        headers,
      })
    }
    if (pathname === '/page.js') return file(SCRIPT, '.js')
    if (pathname.startsWith('/pkg/')) {
      const place = new URL(`../node_modules/keyprotect-auth/${pathname.slice(5)}`, import.meta.url)
      return file(await readFile(place), extname(pathname))
    }
    return emulator.fetch(request)
  }
}

function file(content, extension) {
  return new Response(content, { headers: { 'content-type': TYPES[extension] ?? 'text/plain' } })
}

test('a plain page signs in, finds the GUIDs and lists keys', { skip }, async () => {
  const emulator = createEmulator()
  const report = await runPage({ chromium: provided.found, serve: site(emulator), path: '/' })
  const { data } = emulator
  assert.equal(report.error, undefined)
  assert.equal(report.org, data.orgs[0].guid)
  assert.equal(report.space, data.spaces[0].guid)
  assert.equal(report.instance, data.instances[0].guid)
  assert.deepEqual(report.tokens, [true, true])
  assert.equal(report.user, 'user@example.com')
  assert.deepEqual(report.headers, ['Authorization', 'Bluemix-Instance'])
  assert.deepEqual(
    report.keys,
    data.instances[0].keys.map((key) => key.name),
  )
  assert.deepEqual(report.wrong, [true, 'invalid_credentials'])
  assert.equal(report.crossed[0], 'network')
  assert.match(report.crossed[1], /keyprotect-auth\/relay/)
})

test('a wasm that is missing, a page in its place, or another media type is told or borne', {
  skip,
}, async () => {
  const wasm = await readFile(
    new URL('../node_modules/keyprotect-auth/core_bg.wasm', import.meta.url),
  )
  const answers = {
    missing: () => new Response('not found', { status: 404 }),
    html: () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
    octets: () => new Response(wasm, { headers: { 'content-type': 'application/octet-stream' } }),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const special = (path) => (path === '/pkg/core_bg.wasm' ? answer() : undefined)
    const serve = site(createEmulator(), special)
    const report = await runPage({ chromium: provided.found, serve, path: '/' })
    if (name === 'octets') assert.equal(report.error, undefined)
    else assert.match(report.error, /core_bg\.wasm/, name)
  }
})
