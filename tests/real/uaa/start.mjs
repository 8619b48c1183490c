// A real UAA on the loopback address, built once and started afresh for each caller.

import { execFile, spawn } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { exclusively, provideJava } from '../../../tools/provide.mjs'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const VERSION = '4.30.0'
const START_MS = 120_000
const STOP_MS = 10_000
const PORT_TRIES = 5
const PORT_TAKEN = 98
const LOG_LINES = 40

/** Clients that `startUaa` registers. @satisfies {Record<string, { clientId: string, clientSecret: string }>} */
export const clients = {
  /** The public client of `cf`, whose secret is the empty string. */
  cf: { clientId: 'cf', clientSecret: '' },
  /** As `cf`, with access tokens of 5 s. */
  short: { clientId: 'cf-short', clientSecret: '' },
  /** Every character that form encoding, Basic and UAA's own decoding treat in a special way. */
  odd: { clientId: 'app|1', clientSecret: 'p+ss:wörd%' },
  /** Client credentials; may register clients and users. */
  /** May exchange a user's token for one of its own. */
  bearer: { clientId: 'bearer', clientSecret: 'bearer-secret' },
  admin: { clientId: 'admin', clientSecret: 'adminsecret' },
}

/** Users that `startUaa` registers. @satisfies {Record<string, { username: string, password: string }>} */
export const users = {
  marissa: { username: 'marissa', password: 'koala' },
  odd: { username: 'odd', password: 'pässw+rd %41&=' },
  /** For tests that lock an account: nothing else may need it. */
  spare: { username: 'spare', password: 'spare' },
}

/**
 * Starts a UAA. Takes about half a minute, the first time on a machine longer: it is built then.
 * @param {{ port?: number }} [options] without a port a free one is taken
 * @returns {Promise<{ url: string, clients: typeof clients, users: typeof users, stop: () => Promise<void> }>}
 */
export async function startUaa({ port = 0 } = {}) {
  const { found, missing } = await provideJava()
  if (!found) throw new Error(missing)
  const built = await build(found.mvn)
  for (let tries = 1; ; tries++) {
    const { url, stop, taken } = await launch(found.java, built, port || (await freePort()))
    if (!taken) return { url, clients, users, stop }
    if (port || tries === PORT_TRIES) throw new Error(`the port of ${url} is taken`)
  }
}

/**
 * Gets a one-time passcode as a person does: signs in on the login page, opens `/passcode`.
 * @param {string} url
 * @param {string} username
 * @param {string} password
 * @returns {Promise<string>}
 */
export async function uaaPasscode(url, username, password) {
  const cookies = new Map()
  const visit = async (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const res = await fetch(url + path, {
      redirect: 'manual',
      ...init,
      headers: { ...init.headers, ...(cookie && { cookie }) },
    })
    for (const line of res.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name) cookies.set(name, value)
    }
    return res
  }
  const page = await (await visit('/login', { headers: { accept: 'text/html' } })).text()
  const csrf = cookies.get('X-Uaa-Csrf') ?? /name="X-Uaa-Csrf" value="([^"]*)"/.exec(page)?.[1]
  const signedIn = await visit('/login.do', {
    method: 'POST',
    body: new URLSearchParams({ username, password, 'X-Uaa-Csrf': csrf ?? '' }),
  })
  await signedIn.arrayBuffer()
  if (/error/.test(signedIn.headers.get('location') ?? 'error')) {
    throw new Error(`signing in on the login page as ${username} failed: ${signedIn.status}`)
  }
  const res = await visit('/passcode', { headers: { accept: 'application/json' } })
  if (res.status !== 200) throw new Error(`GET /passcode: ${res.status}`)
  return /** @type {Promise<string>} */ (res.json())
}

/** @param {string} mvn @returns {Promise<string>} the folder of what was built */
async function build(mvn) {
  const sources = ['pom.xml', 'src/main/java/Main.java']
  const hash = createHash('sha256')
  for (const path of sources) hash.update(await readFile(join(here, path))).update('\0')
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keyprotect-auth')
  const target = join(cache, `uaa-${VERSION}-${hash.digest('hex').slice(0, 16)}`)
  const isBuilt = () =>
    access(target).then(
      () => true,
      () => false,
    )
  if (await isBuilt()) return target
  await mkdir(cache, { recursive: true })
  return exclusively('uaa-build', async () => {
    if (await isBuilt()) return target
    process.stderr.write('uaa: building with Maven, once; a download of some 100 MB\n')
    for (const name of await readdir(cache)) {
      if (name.startsWith('building-'))
        await rm(join(cache, name), { recursive: true, force: true })
    }
    const work = await mkdtemp(join(cache, 'building-'))
    try {
      for (const path of sources) await cp(join(here, path), join(work, path))
      await run(mvn, ['-q', '-B', 'package'], { cwd: work, maxBuffer: 64 * 1024 * 1024 })
      await rename(join(work, 'target'), target)
    } catch (err) {
      // Maven says on stdout why it failed.
      const said = /** @type {{ stdout?: string }} */ (err).stdout?.split('\n').slice(0, LOG_LINES)
      throw new Error(['building the UAA failed', ...(said ?? [])].join('\n'), { cause: err })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    return target
  })
}

/**
 * @param {string} java
 * @param {string} built
 * @param {number} port
 */
async function launch(java, built, port) {
  const url = `http://127.0.0.1:${port}`
  const folder = await mkdtemp(join(tmpdir(), 'uaa-'))
  const child = await start(java, built, folder, port).catch(async (err) => {
    await rm(folder, { recursive: true, force: true })
    throw err
  })
  const cleanUp = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', cleanUp)

  /** @type {string[]} */
  let log = []
  const keep = (/** @type {string} */ text) => {
    log = [...log, ...text.split('\n').filter(Boolean)].slice(-LOG_LINES)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  let ended = false
  /** @type {Promise<number | null>} */
  const end = new Promise((resolve) => {
    child.once('error', (err) => keep(String(err)))
    child.once('close', (code) => {
      ended = true
      resolve(code)
    })
  })
  const stop = async () => {
    // The end of its input makes it stop by itself.
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await end
    clearTimeout(timer)
    process.off('exit', cleanUp)
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }

  const deadline = Date.now() + START_MS
  while (!ended && Date.now() < deadline) {
    const ready = await answers(url)
    if (ready && !ended) return { url, stop, taken: false }
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 250))])
  }
  const code = ended ? await end : undefined
  await stop()
  if (code === PORT_TAKEN) return { url, stop, taken: true }
  const what = ended ? `ended with ${code}` : `did not answer within ${START_MS / 1000} s`
  throw new Error(`UAA ${what}; the end of its log:\n${log.join('\n')}`)
}

/** @param {string} url */
async function answers(url) {
  try {
    const res = await fetch(`${url}/login`, {
      headers: { accept: 'application/json' },
      // Tomcat takes connections long before it answers.
      signal: AbortSignal.timeout(5_000),
    })
    const text = await res.text()
    return res.status === 200 && JSON.parse(text).app?.version === VERSION
  } catch {
    return false
  }
}

/**
 * @param {string} java
 * @param {string} built
 * @param {string} folder
 * @param {number} port
 */
async function start(java, built, folder, port) {
  const config = join(folder, 'uaa.yml')
  const settings = await makeSettings(folder, `http://127.0.0.1:${port}`)
  // JSON is YAML; escaped, so that no reader's charset matters.
  const text = JSON.stringify(settings).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  await writeFile(config, text, { mode: 0o600 })
  return spawn(
    java,
    [
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '--add-opens=java.base/java.lang=ALL-UNNAMED',
      // Without it the login page answers 500: its template reads a HashMap's entries.
      '--add-opens=java.base/java.util=ALL-UNNAMED',
      `-Djava.io.tmpdir=${folder}`,
      '-cp',
      `${join(built, 'app.jar')}:${join(built, 'lib', '*')}`,
      'Main',
      join(built, 'uaa'),
      folder,
      String(port),
    ],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, UAA_CONFIG_FILE: config },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
}

/**
 * What `uaa.yml` says, with keys of its own.
 * @param {string} folder
 * @param {string} url
 */
async function makeSettings(folder, url) {
  // UAA takes PKCS#1 alone: with PKCS#8 it starts, and answers 500 to every token request.
  const makeKey = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    }).privateKey
  const serviceKey = makeKey()
  const keyFile = join(folder, 'service.key')
  await writeFile(keyFile, serviceKey, { mode: 0o600 })
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '2']
  const { stdout: certificate } = await run('openssl', [
    'req',
    '-new',
    '-x509',
    '-key',
    keyFile,
    ...subject,
  ])

  const userScopes = 'openid,uaa.user,cloud_controller.read,cloud_controller.write'
  const userClient = {
    'authorized-grant-types': 'password,refresh_token',
    scope: `${userScopes},password.write,scim.me`,
    authorities: 'uaa.none',
    autoapprove: true,
    'access-token-validity': 1_200,
    'refresh-token-validity': 2_592_000,
  }
  return {
    spring_profiles: 'hsqldb',
    require_https: false,
    issuer: { uri: url },
    uaa: { url },
    encryption: {
      active_key_label: 'k1',
      encryption_keys: [{ label: 'k1', passphrase: randomBytes(18).toString('base64') }],
    },
    LOGIN_SECRET: randomBytes(18).toString('base64'),
    login: {
      url,
      entityBaseURL: url,
      serviceProviderKey: serviceKey,
      serviceProviderKeyPassword: '',
      serviceProviderCertificate: certificate,
    },
    jwt: { token: { policy: { activeKeyId: 'k1', keys: { k1: { signingKey: makeKey() } } } } },
    oauth: {
      clients: {
        cf: { id: 'cf', secret: '', ...userClient },
        'cf-short': { id: 'cf-short', secret: '', ...userClient, 'access-token-validity': 5 },
        [clients.odd.clientId]: {
          id: clients.odd.clientId,
          secret: clients.odd.clientSecret,
          ...userClient,
          'authorized-grant-types': 'password,refresh_token,client_credentials',
          authorities: 'uaa.resource',
        },
        bearer: {
          id: clients.bearer.clientId,
          secret: clients.bearer.clientSecret,
          ...userClient,
          'authorized-grant-types': 'urn:ietf:params:oauth:grant-type:jwt-bearer,refresh_token',
        },
        admin: {
          id: clients.admin.clientId,
          secret: clients.admin.clientSecret,
          'authorized-grant-types': 'client_credentials',
          scope: 'uaa.none',
          authorities: 'clients.admin,scim.read,scim.write,uaa.admin,password.write',
        },
      },
    },
    scim: {
      users: Object.values(users).map(({ username, password }) =>
        [username, password, `${username}@example.test`, 'Test', 'User', userScopes].join('|'),
      ),
    },
    // UAA's own default, written down: every origin.
    cors: { default: { allowed: { origins: ['.*'], uris: ['.*'] } } },
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer()
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined))
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await new Promise((resolve) => server.close(resolve))
  return port
}
