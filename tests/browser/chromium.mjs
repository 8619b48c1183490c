// A page in a real Chromium: a server on a free port, a report posted back, a picture.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Nothing outside this machine is reached, whatever a page asks for. */
const LOOPBACK_ONLY = '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'
const KILL_MS = 5_000

/**
 * Opens a page and waits until it posts its report, JSON, to `/report`.
 * @param {object} options
 * @param {string} options.chromium path of the browser
 * @param {(request: Request) => Promise<Response> | Response} options.serve page, files, whatever it calls
 * @param {string} options.path the page, such as `/index.html`
 * @param {number} [options.timeoutMs]
 * @returns {Promise<any>} the report
 */
export async function runPage({ chromium, serve, path, timeoutMs = 60_000 }) {
  /** @type {PromiseWithResolvers<any>} */
  const report = withResolvers()
  /** @type {string[]} */
  const trouble = []
  const fail = (/** @type {string} */ what) =>
    report.reject(new Error([`${path}: ${what}`, ...trouble].join('\n')))

  const server = await listen(async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/favicon.ico') return new Response(null, { status: 204 })
    if (pathname !== '/report' || request.method !== 'POST') return serve(request)
    report.resolve(await request.json())
    return new Response(null, { status: 204 })
  }, trouble)
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
  const browser = spawn(
    chromium,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      // The page's console goes to stderr, and there only.
      '--enable-logging=stderr',
      `--user-data-dir=${profile}`,
      LOOPBACK_ONLY,
      server.url + path,
    ],
    {
      detached: true,
      env: { ...process.env, HOME: profile, XDG_DATA_HOME: profile },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const gone = new Promise((resolve) => browser.once('close', resolve).once('error', resolve))
  browser.once('error', (err) => fail(`the browser did not start: ${err.message}`))
  browser.once('exit', (code) => fail(`the browser ended (${code}) before the report`))
  browser.stderr.setEncoding('utf8').on('data', (text) => {
    for (const line of text.split('\n')) {
      const said = /:CONSOLE[:(]\d+\)?\] (.*)/.exec(line)
      if (said) trouble.push(`console: ${said[1]}`)
    }
  })
  const timer = setTimeout(() => fail(`no report within ${timeoutMs} ms`), timeoutMs)
  const kill = () => endGroup(browser)
  process.once('exit', kill)
  try {
    return await report.promise
  } finally {
    clearTimeout(timer)
    kill()
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, KILL_MS).unref())])
    process.off('exit', kill)
    await server.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/**
 * Takes a picture (PNG) of a page.
 * @param {object} options
 * @param {string} options.chromium path of the browser
 * @param {string} options.url
 * @param {string} options.file where the picture goes
 * @param {number} options.width CSS pixels
 * @param {number} options.height CSS pixels
 * @param {boolean} [options.dark] what the page hears of `prefers-color-scheme`
 * @param {string} [options.waitFor] a selector that must be visible first
 * @param {number} [options.timeoutMs]
 * @returns {Promise<{ errors: string[] }>} what the page's console and its requests complained of
 */
export async function screenshot({
  chromium,
  url,
  file,
  width,
  height,
  dark = false,
  waitFor,
  timeoutMs = 30_000,
}) {
  const { default: puppeteer } = await import('puppeteer-core')
  const browser = await puppeteer.launch({
    browser: 'chrome',
    executablePath: chromium,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `${LOOPBACK_ONLY} , EXCLUDE localhost`,
    ],
  })
  try {
    const page = await browser.newPage()
    /** @type {string[]} */
    const errors = []
    page.on('console', (said) => {
      if (said.type() === 'error') errors.push(said.text())
    })
    page.on('pageerror', (err) => errors.push(String(err)))
    page.on('requestfailed', (req) => errors.push(`${req.url()}: ${req.failure()?.errorText}`))
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' },
      // A picture taken amid a transition differs from run to run.
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ])
    await page.goto(url, { waitUntil: 'load', timeout: timeoutMs })
    if (waitFor) await page.waitForSelector(waitFor, { visible: true, timeout: timeoutMs })
    await page.evaluate('document.fonts.ready.then(() => undefined)')
    await page.screenshot({ path: /** @type {`${string}.png`} */ (file) })
    return { errors }
  } finally {
    await browser.close()
  }
}

/**
 * @param {(request: Request) => Promise<Response> | Response} handler
 * @param {string[]} trouble
 */
async function listen(handler, trouble) {
  let url = ''
  const server = createServer(async (req, res) => {
    try {
      const hasBody = req.method !== 'GET' && req.method !== 'HEAD'
      const answer = await handler(
        new Request(url + req.url, {
          method: req.method,
          headers: pairs(req.rawHeaders),
          ...(hasBody && { body: /** @type {any} */ (Readable.toWeb(req)), duplex: 'half' }),
        }),
      )
      const cookies = answer.headers.getSetCookie()
      res.writeHead(answer.status, {
        ...Object.fromEntries(answer.headers),
        ...(cookies.length > 0 && { 'set-cookie': cookies }),
      })
      if (answer.body) await pipeline(Readable.fromWeb(/** @type {any} */ (answer.body)), res)
      else res.end()
    } catch (err) {
      // A page that goes away in the midst of an answer is no trouble.
      if (res.destroyed) return
      trouble.push(`serving ${req.method} ${req.url}: ${err}`)
      if (!res.headersSent) res.writeHead(500)
      res.end()
    }
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined))
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  url = `http://127.0.0.1:${port}`
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  return { url, close }
}

/** @param {string[]} raw @returns {[string, string][]} */
function pairs(raw) {
  /** @type {[string, string][]} */
  const list = []
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i], raw[i + 1]])
  return list
}

/** @param {import('node:child_process').ChildProcess} child started with `detached` */
function endGroup({ pid }) {
  try {
    if (pid) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended by itself.
  }
}

/** Node 20 lacks `Promise.withResolvers`. @returns {PromiseWithResolvers<any>} */
function withResolvers() {
  /** @type {any} */
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}
