// What a run needs: the packed package in an app of its own, and one IAM for all subjects.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tools from '../../tools/run.mjs'

const WORK = 'build/bench'

/**
 * Installs the tarball as a user would, with the subjects beside it. They find `ibm-cloud-sdk-core`
 * in the repository's own node_modules, for the app lies below its root.
 * @returns {Promise<{ app: string, pkg: string }>} folders: the app, the installed package
 */
export async function installApp() {
  const app = join(tools.root, WORK, 'app')
  const pkg = join(app, 'node_modules', 'keyprotect-auth')
  const outputs = [`${WORK}/app/node_modules/keyprotect-auth/package.json`]
  await tools.once('bench', { inputs: ['pkg'], outputs }, async () => {
    tools.say('Packing the package and installing its tarball …')
    rmSync(join(tools.root, WORK), { recursive: true, force: true })
    mkdirSync(app, { recursive: true })
    await tools.run('npm', ['pack', './pkg', '--pack-destination', WORK])
    const tarball = readdirSync(join(tools.root, WORK)).find((name) => name.endsWith('.tgz'))
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
    await tools.run('npm', ['install', '--no-audit', '--no-fund', `../${tarball}`], { cwd: app })
  })
  for (const [from, to] of [
    ['bench/subjects', 'subjects'],
    ['bench/lib/iam.mjs', 'iam.mjs'],
  ]) {
    rmSync(join(app, to), { recursive: true, force: true })
    cpSync(join(tools.root, from), join(app, to), { recursive: true })
  }
  return { app, pkg }
}

/**
 * Starts the IAM that answers every subject, in a process of its own.
 * @param {string} app
 * @returns {Promise<{ url: string, plainUrl: string, apiKey: string, tokenLength: number, stop: () => void }>}
 */
export async function startIam(app) {
  const child = fork(join(app, 'iam.mjs'), { cwd: app, execArgv: [] })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the IAM ended (exit ${code})`)
  })
  // After the start nobody waits for this any more.
  failed.catch(() => {})
  const [facts] = await Promise.race([once(child, 'message'), failed])
  return { ...facts, stop: () => child.kill() }
}
