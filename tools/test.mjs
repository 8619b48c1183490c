// `npm test`: every check and every suite, one command, one answer. `npm test -- NAME…` runs a part.
import { spawn } from 'node:child_process'
import { argv } from 'node:process'
import { unpackInto } from './pack.mjs'
import { bin, filesOf, root, say } from './run.mjs'
import { installPackages, installRust } from './setup.mjs'

/** A suite gives its own count; a check counts as one. */
const SUITES = {
  lint: [
    check('rustfmt', 'cargo', ['fmt', '--check']),
    check('clippy', 'cargo', ['clippy', '--locked', '--all-targets', '--', '-D', 'warnings']),
    check('clippy for wasm', 'cargo', [
      'clippy',
      '--locked',
      '--target',
      'wasm32-unknown-unknown',
      '--',
      '-D',
      'warnings',
    ]),
    check('biome', bin('biome'), ['check', '--error-on-warnings', '.']),
  ],
  core: [
    {
      name: 'cargo test',
      run: () => counted('cargo', ['test', '--locked', '--quiet'], cargoCount),
    },
  ],
  package: [nodeTests('package')],
  packaging: [
    check('types as users see them', bin('tsc'), ['-p', 'tsconfig.json']),
    nodeTests('packaging'),
  ],
  real: [nodeTests('real')],
  browser: [nodeTests('browser')],
}

const wanted = argv.slice(2)
const unknown = wanted.filter((name) => !(name in SUITES))
if (unknown.length > 0) {
  say(`There is no suite ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}.`)
  process.exit(2)
}
const names = wanted.length > 0 ? wanted : Object.keys(SUITES)

await installPackages()
await installRust()
if (names.some((name) => name !== 'lint' && name !== 'core')) await unpackInto('tests')

const total = { passed: 0, failed: 0 }
const broken = []
for (const name of names) {
  for (const suite of SUITES[name]) {
    say(`\n— ${name}: ${suite.name}`)
    const started = Date.now()
    const { passed, failed } = await suite.run()
    say(`  ${passed} passed, ${failed} failed (${((Date.now() - started) / 1000).toFixed(1)} s)`)
    total.passed += passed
    total.failed += failed
    if (failed > 0 || passed === 0) broken.push(`${name}: ${suite.name}`)
    // A suite that ran nothing proves nothing.
    if (failed === 0 && passed === 0) total.failed += 1
  }
}
if (broken.length > 0) say(`\nNot well: ${broken.join('; ')}`)
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed > 0 ? 1 : 0

function check(name, command, args) {
  return {
    name,
    run: async () => {
      const { code } = await show(command, args)
      return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
    },
  }
}

function nodeTests(folder) {
  return {
    name: `tests/${folder}`,
    run: () => {
      const files = filesOf([`tests/${folder}`]).filter((file) => file.endsWith('.test.mjs'))
      const args = ['--test', '--test-reporter=spec', ...files]
      return counted(process.execPath, args, nodeCount)
    },
  }
}

async function counted(command, args, count) {
  const { code, text } = await show(command, args)
  const { passed, failed } = count(text)
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

function cargoCount(text) {
  const results = [...text.matchAll(/test result: \w+\. (\d+) passed; (\d+) failed/g)]
  const sum = (at) => results.reduce((all, result) => all + Number(result[at]), 0)
  return { passed: sum(1), failed: sum(2) }
}

function nodeCount(text) {
  const last = (word) =>
    Number([...text.matchAll(new RegExp(`^ℹ ${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0)
  return { passed: last('pass'), failed: last('fail') + last('cancelled') }
}

/** Runs a program, showing what it prints. */
async function show(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk
      process.stderr.write(chunk)
    })
  }
  const code = await new Promise((done) => {
    child.once('error', (error) => {
      say(`${command} could not be started: ${error.message}`)
      done(127)
    })
    child.once('close', done)
  })
  return { code, text }
}
