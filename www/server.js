// The first page and the emulator on one origin: the page at `/`, the package's own files under
// `/pkg/`, IAM, UAA, Cloud Foundry, Key Protect and the Resource Controller beside them. With a relay
// in the emulator's place it is the server of a real dashboard.
import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createEmulator } from 'keyprotect-auth/emulator'
import { serve } from 'keyprotect-auth/node'

/**
 * What the page and the errand are prefilled with.
 * @typedef {{ apiKey: string, username: string, password: string, account: string, org: string,
 *   space: string, instance: string }} Demo
 */

const here = dirname(fileURLToPath(import.meta.url))
const packageFolder = dirname(fileURLToPath(import.meta.resolve('keyprotect-auth/package.json')))

const SERVICES = ['iam', 'uaa', 'cf', 'kp', 'rc', 'accounts']
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}
// `form-action 'none'`: should the script not run, no form carries a secret away.
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')
const HEADERS = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/**
 * Starts page and emulator on loopback.
 * @param {{ port?: number, folder?: string, emulator?: import('keyprotect-auth/emulator').Emulator }} [options]
 *   `port` 0 takes a free one; `folder`: the page's
 * @returns {Promise<{ url: string, demo: Demo, close: () => Promise<void> }>}
 */
export async function startServer({ port = 0, folder = here, emulator = createEmulator() } = {}) {
  const demo = demoOf(emulator)
  const { url, close } = await serve((request) => answer(request, { emulator, demo, folder }), {
    port,
  })
  return { url, demo, close }
}

/**
 * @param {Request} request
 * @param {{ emulator: import('keyprotect-auth/emulator').Emulator, demo: Demo, folder: string }} app
 * @returns {Promise<Response>}
 */
async function answer(request, { emulator, demo, folder }) {
  const { pathname } = new URL(request.url)
  const [, first = ''] = pathname.split('/')
  if (SERVICES.includes(first)) return emulator.fetch(request)
  if (pathname === '/demo/passcode' && request.method === 'POST') {
    return Response.json(
      { passcode: emulator.passcode('federated@example.com') },
      { headers: HEADERS },
    )
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Method not allowed')
  if (pathname === '/demo.json') return Response.json(demo, { headers: HEADERS })
  const file = fileOf(pathname, folder)
  const type = TYPES[extname(file ?? '')]
  if (file === undefined || type === undefined) return text(404, 'Not found')
  try {
    return new Response(await readFile(file), { headers: { ...HEADERS, 'Content-Type': type } })
  } catch {
    return text(404, 'Not found')
  }
}

/**
 * The file of a path; plain names alone, nothing that leads out of the folders.
 * @param {string} pathname
 * @param {string} folder
 */
function fileOf(pathname, folder) {
  if (pathname === '/') return join(folder, 'index.html')
  if (pathname === '/styles.css' || pathname === '/icon.svg') return join(folder, pathname)
  const [, place, rest] = /^\/(src|pkg)((?:\/\w[\w.-]*)+)$/.exec(pathname) ?? []
  if (place === undefined) return undefined
  return place === 'src' ? join(folder, 'src', rest) : join(packageFolder, rest)
}

/**
 * @param {import('keyprotect-auth/emulator').Emulator} emulator
 * @returns {Demo}
 */
function demoOf({ credential, data }) {
  const [user] = data.users
  const [account] = data.accounts
  const [space] = data.spaces
  return {
    apiKey: credential.apiKey,
    username: user?.userName ?? '',
    password: user?.password ?? '',
    account: account?.id ?? '',
    org: data.orgs.find(({ guid }) => guid === space?.org)?.name ?? '',
    space: space?.name ?? '',
    instance: data.instances[0]?.name ?? '',
  }
}

/** @param {number} status @param {string} said */
function text(status, said) {
  return new Response(`${said}\n`, {
    status,
    headers: { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' },
  })
}

// `node server.js [PORT]`
if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const { url, close } = await startServer({ port: Number(argv[2] ?? 0) })
  process.stdout.write(`The page: ${url}/\n`)
  process.once('SIGINT', close).once('SIGTERM', close)
}
