// `npm run build`: makes the package's folder pkg/ from the crate and pkg-template/.

import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'
import { exclusively } from './provide.mjs'
import { bin, once, root, run, say } from './run.mjs'
import { buildGlue, installPackages, installRust } from './setup.mjs'

const RAW = 'target/wasm32-unknown-unknown/release/keyprotect_auth.wasm'
const CORE = 'build/core'

/** Builds what has changed; the second time this takes no time. One build of a checkout at a time. */
export function build() {
  return exclusively(
    `build-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`,
    async () => {
      await installPackages()
      await installRust()
      await buildCore()
      await buildPackage()
    },
  )
}

async function buildCore() {
  const inputs = [
    'Cargo.toml',
    'Cargo.lock',
    'rust-toolchain.toml',
    'src',
    'tools/glue',
    'tools/build.mjs',
  ]
  const outputs = ['core.js', 'core.d.ts', 'core_bg.wasm'].map((name) => `${CORE}/${name}`)
  await once('core', { inputs, outputs }, async () => {
    const glue = await buildGlue()
    say('Compiling the core to WebAssembly (about 25 s the first time) …')
    await run('cargo', ['build', '--locked', '--release', '--target', 'wasm32-unknown-unknown'], {
      env: { RUSTFLAGS: await withoutMachinePaths() },
    })
    rmSync(join(root, CORE), { recursive: true, force: true })
    await run(glue, [RAW, CORE])
    say('Making the wasm small (about 5 s) …')
    const wasm = `${CORE}/core_bg.wasm`
    await run(bin('wasm-opt'), [
      '-Oz',
      '--one-caller-inline-max-function-size=20',
      wasm,
      '-o',
      wasm,
    ])
  })
}

/** Panic locations would put paths of this machine into the published file. */
async function withoutMachinePaths() {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry', 'src')
  const sysroot = (await run('rustc', ['--print', 'sysroot'])).trim()
  const pairs = [
    [join(sysroot, 'lib/rustlib/src/rust'), 'rust'],
    [root, '.'],
  ]
  await run('cargo', ['fetch', '--locked', '--target', 'wasm32-unknown-unknown'])
  for (const name of readdirSync(registry)) pairs.unshift([join(registry, name), 'deps'])
  return pairs.map(([from, to]) => `--remap-path-prefix=${from}=${to}`).join(' ')
}

async function buildPackage() {
  const inputs = [
    'pkg-template',
    CORE,
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'tsconfig.package.json',
    'tools/build.mjs',
    'package-lock.json',
  ]
  await once('package', { inputs, outputs: ['pkg/index.js', 'pkg/index.d.ts'] }, async () => {
    say('Laying out pkg/ and writing its types …')
    // Types are made from a copy without any: beside an index.d.ts the compiler would not read index.js.
    const stage = join(root, 'build', 'stage')
    const pkg = join(root, 'pkg')
    for (const folder of [stage, pkg]) {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      cpSync(join(root, 'pkg-template'), folder, { recursive: true })
      for (const name of ['core.js', 'core.d.ts'])
        copyFileSync(join(root, CORE, name), join(folder, name))
    }
    copyFileSync(join(root, CORE, 'core_bg.wasm'), join(pkg, 'core_bg.wasm'))
    for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE'])
      copyFileSync(join(root, name), join(pkg, name))
    await run(bin('tsc'), ['-p', 'tsconfig.package.json'])
  })
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  await build()
  say('pkg/ is built: `npm pack ./pkg` makes the tarball.')
}
