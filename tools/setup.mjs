// What the build needs and a fresh clone lacks: the npm packages, the wasm target, the glue program.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { once, root, run, say } from './run.mjs'

/** Installs the npm packages of the lock file. */
export async function installPackages() {
  await once(
    'npm',
    { inputs: ['package-lock.json'], outputs: ['node_modules/.package-lock.json'] },
    async () => {
      say('Installing the npm packages of the lock file (about 15 s, once) …')
      await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    },
  )
}

/** Has rustup add what rust-toolchain.toml names; an installed toolchain does not get it by itself. */
export async function installRust() {
  const has = (text, part) => text.split('\n').some((line) => line.trim() === part)
  let targets
  try {
    targets = await run('rustup', ['target', 'list', '--installed'])
  } catch (error) {
    throw new Error(`Rust is needed, by rustup (https://rustup.rs): ${error.message}`)
  }
  if (has(targets, 'wasm32-unknown-unknown')) return
  say('Adding the wasm target and lints to the Rust toolchain (a few seconds, once) …')
  await run('rustup', ['target', 'add', 'wasm32-unknown-unknown'])
  await run('rustup', ['component', 'add', 'clippy', 'rustfmt'])
}

/** Builds the program that writes the wasm's JavaScript. Gives its path. */
export async function buildGlue() {
  const program = 'target/glue/debug/glue'
  const inputs = ['tools/glue/Cargo.toml', 'tools/glue/Cargo.lock', 'tools/glue/src']
  await once('glue', { inputs, outputs: [program] }, async () => {
    say('Building the glue program of wasm-bindgen (about 25 s, once) …')
    const manifest = join('tools', 'glue', 'Cargo.toml')
    await run('cargo', [
      'build',
      '--locked',
      '--manifest-path',
      manifest,
      '--target-dir',
      'target/glue',
    ])
  })
  return join(root, existsSync(join(root, program)) ? program : `${program}.exe`)
}
