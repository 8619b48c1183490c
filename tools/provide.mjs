// What some tests need and a machine may lack: a JDK with Maven, a browser.
// Looks first; installs Debian packages only where it may; never throws.

import { execFile } from 'node:child_process'
import { access, constants, mkdir, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/**
 * `named` says that the environment names what is missing: installing would not change that.
 * @template T
 * @typedef {{ found: T, missing?: undefined }
 *   | { found?: undefined, missing: string, named?: boolean }} Provided
 */

const run = promisify(execFile)
const LOCK_BEAT_MS = 2_000
const LOCK_STALE_MS = 20_000
const APT_TRIES = 5

/**
 * A JDK of 17 or newer, and Maven.
 * @returns {Promise<Provided<{ java: string, mvn: string }>>}
 */
export function provideJava() {
  return provide(findJava, ['openjdk-17-jdk-headless', 'maven', 'openssl'])
}

/**
 * Chromium or Chrome; the variable `CHROMIUM` names another one.
 * @returns {Promise<Provided<string>>}
 */
export function provideChromium() {
  return provide(findChromium, ['chromium'])
}

/**
 * For the option `skip` of a test: `false` where the thing is there, else the reason, which is
 * also printed. Where `CI` is set nothing may be skipped: it throws.
 * @param {Provided<unknown>} provided
 * @returns {false | string}
 */
export function skipUnless({ missing }) {
  if (missing === undefined) return false
  if (process.env.CI) throw new Error(missing)
  process.stderr.write(`skipped: ${missing}\n`)
  return missing
}

/**
 * Does work that only one process at a time may do. A holder that died is passed over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work must leave the event loop free
 * @returns {Promise<T>}
 */
export async function exclusively(name, work) {
  const lock = join(tmpdir(), `keyprotect-auth-${process.getuid?.() ?? ''}-${name}.lock`)
  while (!(await take(lock))) await sleep(200 + Math.random() * 200)
  const beat = setInterval(() => {
    const now = new Date()
    utimes(lock, now, now).catch(() => {})
  }, LOCK_BEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    await rm(lock, { recursive: true, force: true })
  }
}

/**
 * @template T
 * @param {() => Promise<Provided<T>>} find
 * @param {string[]} packages
 * @returns {Promise<Provided<T>>}
 */
async function provide(find, packages) {
  try {
    const first = await find()
    if (first.missing === undefined || first.named) return first
    const refusal = await whyNoInstall()
    if (refusal) return { missing: `${first.missing}; ${refusal}` }
    return await exclusively('apt', async () => {
      const second = await find()
      if (second.missing === undefined) return second
      const failure = await install(packages)
      const third = await find()
      if (third.missing === undefined || !failure) return third
      return { missing: `${third.missing}; ${failure}` }
    })
  } catch (err) {
    return { missing: `looking for ${packages.join(', ')} failed: ${messageOf(err)}` }
  }
}

/** @returns {Promise<Provided<{ java: string, mvn: string }>>} */
async function findJava() {
  const home = process.env.JAVA_HOME
  const java = home ? await executable(join(home, 'bin', 'java')) : await onPath('java')
  const javac = home ? await executable(join(home, 'bin', 'javac')) : await onPath('javac')
  const mvn = await onPath('mvn')
  if (home && !(java && javac)) return { missing: 'no JDK in JAVA_HOME', named: true }
  if (!java || !javac) return { missing: 'no JDK on the PATH' }
  if (!mvn) return { missing: 'no mvn on the PATH' }
  // The version goes to stderr; macOS has a `java` that only says there is none.
  const version = await run(java, ['-version']).then(
    ({ stderr }) => Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0),
    () => 0,
  )
  if (version < 17) {
    const missing = `the tests need JDK 17 or newer, ${java} is ${version}`
    return { missing, named: Boolean(home) }
  }
  return { found: { java, mvn } }
}

/** @returns {Promise<Provided<string>>} */
async function findChromium() {
  const named = process.env.CHROMIUM
  if (named) {
    const path = await executable(named)
    return path ? { found: path } : { missing: `CHROMIUM names no program: ${named}`, named: true }
  }
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const path = await onPath(name)
    if (path) return { found: path }
  }
  return { missing: 'no Chromium on the PATH, and CHROMIUM is not set' }
}

async function whyNoInstall() {
  if (process.getuid?.() !== 0) return 'only root can install it'
  if (!(await onPath('apt-get'))) return 'there is no apt-get to install it with'
  return ''
}

/** @param {string[]} packages @returns {Promise<string>} what went wrong, or nothing */
async function install(packages) {
  process.stderr.write(
    `provide: installing ${packages.join(', ')} with apt-get, once; a download of some 100 MB\n`,
  )
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (/** @type {string[]} */ ...args) =>
    run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=600', ...args], {
      env,
      maxBuffer: 64 * 1024 * 1024,
    })
  let failure = ''
  // Another apt-get may hold the lists, for which there is no option to wait.
  for (let i = 0; i < APT_TRIES; i++) {
    if (i > 0) await sleep(5_000)
    try {
      await apt('update')
      await apt('install', '-y', '--no-install-recommends', ...packages)
      return ''
    } catch (err) {
      const { stderr } = /** @type {{ stderr?: string }} */ (err)
      failure = `apt-get failed: ${(stderr || messageOf(err)).trim().split('\n').slice(-3).join(' ')}`
    }
  }
  return failure
}

/** @param {string} lock */
async function take(lock) {
  try {
    await mkdir(lock)
    return true
  } catch (err) {
    if (/** @type {NodeJS.ErrnoException} */ (err).code !== 'EEXIST') throw err
  }
  const age = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )
  if (age > LOCK_STALE_MS) await rm(lock, { recursive: true, force: true })
  return false
}

/** @param {string} name */
async function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = folder && (await executable(join(folder, name)))
    if (path) return path
  }
  return undefined
}

/** @param {string} path */
async function executable(path) {
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  )
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** @param {unknown} err */
function messageOf(err) {
  return err instanceof Error ? err.message : String(err)
}
