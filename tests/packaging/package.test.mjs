// What is in the tarball, and whether tools that judge packages are content.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sizes } from '../../bench/size.mjs'

const exec = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const tarball = join(root, 'build', 'keyprotect-auth.tgz')
const pkg = join(root, 'tests', 'node_modules', 'keyprotect-auth')
const bin = (name) => join(root, 'node_modules', '.bin', name)

/**
 * Bytes of the wasm, gzip -9; a page loads it before it can sign in. Raise it with the reason in the
 * commit. The errands with their refusals and hints, on the crates that are given, come to 53 000, what a
 * session needs to 6 000 more, the further ways to sign in to 5 000, and verifying tokens to 4 000.
 */
const BUDGET = 69_000

test('the wasm keeps its budget', async () => {
  const { wasm } = await sizes(pkg)
  assert.ok(wasm.gzip <= BUDGET, `${wasm.gzip} bytes`)
})

test('no path of the machine that built it is in the wasm', async () => {
  const wasm = await readFile(join(pkg, 'core_bg.wasm'), 'latin1')
  assert.doesNotMatch(wasm, /\.cargo|\.rustup|\/home\/|\/root\/|\/Users\//)
  assert.ok(!wasm.includes(root))
})

test('the tarball holds what is published and nothing else', async () => {
  const { stdout } = await exec('tar', ['-tzf', tarball])
  const files = stdout
    .trim()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''))
  const kinds =
    /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|core_bg\.wasm|examples\/[a-z_]+\.mjs|([a-z]+\/)*[a-z_.]+\.(js|d\.ts))$/
  assert.deepEqual(
    files.filter((name) => !kinds.test(name)),
    [],
  )
  for (const name of ['LICENSE', 'README.md', 'index.js', 'index.d.ts', 'core_bg.wasm']) {
    assert.ok(files.includes(name), name)
  }
})

test('publint and attw are content', async () => {
  await exec(bin('publint'), ['run', pkg, '--strict'])
  await exec(bin('attw'), [tarball, '--profile', 'esm-only'])
})

test('the entries for browsers import nothing of Node', async () => {
  const seen = new Set()
  const walk = async (name) => {
    if (seen.has(name)) return
    seen.add(name)
    const text = await readFile(join(pkg, name), 'utf8')
    for (const [, from] of text.matchAll(
      /^(?:import\s+|(?:import|export)\s[\w*{},\s]+?\sfrom\s+)['"]([^'"]+)['"]/gm,
    )) {
      assert.match(from, /^\.{1,2}\//, `${name} imports ${from}`)
      await walk(join(name, '..', from))
    }
  }
  await walk('index.js')
  await walk('emulator/index.js')
  assert.ok(seen.has('platform.js') && seen.has('load_web.js') && seen.has('emulator/uaa.js'))
})
