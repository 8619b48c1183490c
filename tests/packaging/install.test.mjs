// The tarball, installed in an empty folder as a user does.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createEmulator } from 'keyprotect-auth/emulator'
import { provideChromium, skipUnless } from '../../tools/provide.mjs'
import { runPage } from '../browser/chromium.mjs'

const exec = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const tarball = join(root, 'build', 'keyprotect-auth.tgz')
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
let folder

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyprotect-auth-'))
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await exec('npm', ['install', '--no-audit', '--no-fund', '--offline', tarball], { cwd: folder })
})
after(() => rm(folder, { recursive: true, force: true }))

/** The fenced block of the README that holds a text. */
async function example(language, holds) {
  const readme = await readFile(
    join(folder, 'node_modules', 'keyprotect-auth', 'README.md'),
    'utf8',
  )
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
  const found = blocks.filter(([, kind, text]) => kind === language && text.includes(holds))
  assert.equal(found.length, 1, `one ${language} block with ${holds}`)
  return found[0][2]
}

function node(...args) {
  return exec(process.execPath, args, { cwd: folder })
}

test('the README’s Node example prints a token and the GUIDs', async () => {
  await writeFile(join(folder, 'example.mjs'), await example('js', 'createEmulator()'))
  const { stdout, stderr } = await node('example.mjs')
  const [token, org, space, instance, ...keys] = stdout.trim().split('\n')
  assert.match(token, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
  for (const guid of [org, space, instance]) assert.match(guid, GUID)
  assert.ok(keys.length > 0)
  assert.equal(stderr, '')
})

const provided = await provideChromium()
test('the README’s page shows the GUID', { skip: skipUnless(provided) }, async () => {
  const page = await example('html', 'type="module"')
  const report = `<script type="module">
    const out = document.querySelector('#out')
    while (out.textContent === '') await new Promise((done) => setTimeout(done, 20))
    await fetch('/report', { method: 'POST', body: JSON.stringify(out.textContent) })
  </script>`
  const emulator = createEmulator()
  const serve = async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/') {
      return new Response(page + report, { headers: { 'content-type': 'text/html' } })
    }
    if (!pathname.startsWith('/node_modules/')) return emulator.fetch(request)
    const type = pathname.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
    return new Response(await readFile(join(folder, pathname)), {
      headers: { 'content-type': type },
    })
  }
  const shown = await runPage({ chromium: provided.found, serve, path: '/' })
  assert.equal(shown, emulator.data.instances[0].guid)
})

test('nothing else is installed, and nothing runs at install', async () => {
  const installed = await readdir(join(folder, 'node_modules'))
  assert.deepEqual(
    installed.filter((name) => !name.startsWith('.')),
    ['keyprotect-auth'],
  )
  const place = join(folder, 'node_modules', 'keyprotect-auth', 'package.json')
  const manifest = JSON.parse(await readFile(place, 'utf8'))
  for (const name of ['dependencies', 'peerDependencies', 'scripts']) {
    assert.equal(manifest[name], undefined, name)
  }
})

test('importing loads no wasm and opens nothing, and the process ends by itself', async () => {
  const script = `
    const began = WebAssembly.Module
    let made = 0
    WebAssembly.Module = function (...args) { made += 1; return new began(...args) }
    await import('keyprotect-auth')
    await import('keyprotect-auth/emulator')
    await import('keyprotect-auth/node')
    console.log(made)`
  const { stdout } = await node('--input-type=module', '--eval', script)
  assert.equal(stdout, '0\n')
})

test('a script ends by itself once it has its token', async () => {
  const script = `
    import { login } from 'keyprotect-auth'
    import { createEmulator } from 'keyprotect-auth/emulator'
    const emulator = createEmulator()
    await login(emulator.credential, emulator.options)
    const end = performance.now()
    process.on('exit', () => console.log(performance.now() - end < 1000))`
  const { stdout } = await node('--input-type=module', '--eval', script)
  assert.equal(stdout, 'true\n')
})

test('CommonJS gets it by import(), and by require where Node has that', async () => {
  await writeFile(
    join(folder, 'a.cjs'),
    "import('keyprotect-auth').then((m) => console.log(typeof m.login))",
  )
  assert.equal((await node('a.cjs')).stdout, 'function\n')
  if (process.features.require_module) {
    await writeFile(join(folder, 'b.cjs'), "console.log(typeof require('keyprotect-auth').login)")
    assert.equal((await node('b.cjs')).stdout, 'function\n')
  }
})
