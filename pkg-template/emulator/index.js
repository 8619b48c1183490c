/**
 * IAM, UAA, Cloud Foundry, the Resource Controller and Key Protect in one fetch-style handler, under
 * one address: `/iam`, `/uaa`, `/cf`, `/kp`, `/rc`, `/accounts`, each followed by the service's own
 * path. For tests and for trying things without an account. No socket, no dependency: it runs in
 * Node, in a page, in a worker. It refuses what the real services refuse.
 *
 * Its key is public and its ids can be guessed: nothing real may ever trust it.
 */

import { accounts } from './accounts.js'
import { createClock } from './clock.js'
import { cloudController } from './cloud_controller.js'
import { openHeaders, openPreflight, uaaFilter, uaaHeaders } from './cors.js'
import { complete, worldOf } from './data.js'
import { findRoute, Refusal, readRequest } from './http.js'
import { iam } from './iam.js'
import { keyProtect } from './key_protect.js'
import { createLog, recordOf } from './log.js'
import { givePasscode, usersNamed } from './people.js'
import { resourceController } from './resource_controller.js'
import { uaa } from './uaa.js'
import { createWorld } from './world.js'

/** @import { Call, Reply, Service, ServiceName } from './types.js' */

/**
 * @typedef {import('./types.js').Emulator} Emulator
 * @typedef {import('./types.js').EmulatorClock} EmulatorClock
 * @typedef {import('./types.js').EmulatorData} EmulatorData
 * @typedef {import('./types.js').EmulatorFetch} EmulatorFetch
 * @typedef {import('./types.js').EmulatorOptions} EmulatorOptions
 * @typedef {import('./types.js').RequestLog} RequestLog
 * @typedef {import('./types.js').RequestRecord} RequestRecord
 */

const BASE = 'https://emulator.keyprotect-auth.test'
const OPTIONS = ['data', 'cors', 'loose', 'now']
const NO_BODY = [204, 304]

/** @type {Record<ServiceName, Service>} */
const SERVICES = { iam, uaa, cf: cloudController, kp: keyProtect, rc: resourceController, accounts }

/**
 * Makes a world of its own: nothing is shared between two emulators.
 *
 * ```js
 * const emulator = createEmulator()
 * const session = await login(emulator.credential, emulator.options)
 * ```
 * @param {EmulatorOptions} [options]
 * @returns {Emulator}
 * @throws {TypeError} for an unknown option or part of `data`, or a `now` that is no number
 */
export function createEmulator(options = {}) {
  const odd = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (odd !== undefined) throw new TypeError(`unknown emulator option: ${odd}`)
  const { data: given = {}, cors = false, loose = false, now: start } = options
  if (start !== undefined && !Number.isFinite(start)) {
    throw new TypeError('the emulator option `now` is a number of milliseconds since the epoch')
  }
  const data = worldOf(given)
  const first = structuredClone(data)
  const time = createClock(start)
  const world = createWorld({ data, cors, loose, now: time.serverNow })
  const requests = createLog()
  const endpoints = { base: BASE }

  /** @type {Emulator['fetch']} */
  const fetch = async (input, init) => {
    const signal = init?.signal ?? (isRequest(input) ? input.signal : undefined)
    return abortable(() => handle(world, requests, input, init ?? {}), signal)
  }

  return {
    get credential() {
      return { apiKey: data.apiKeys.find(({ disabled }) => !disabled)?.key ?? '' }
    },
    options: { endpoints, fetch, clock: time.clock },
    fetch,
    endpoints,
    data,
    requests,
    clock: time.clock,
    passcode(userName) {
      const full = complete(data)
      const [user] = userName === undefined ? full.users : usersNamed(full, userName)
      if (!user) throw new TypeError(`no such user in the emulator: ${userName}`)
      return givePasscode(world, user, ['iam', 'uaa'])
    },
    reset() {
      restore(data, structuredClone(first))
      world.forget()
      requests.clear()
      time.reset()
    },
  }
}

/**
 * @param {import('./world.js').World} world
 * @param {RequestLog} requests
 * @param {Request | URL | string} input
 * @param {RequestInit} init
 */
async function handle(world, requests, input, init) {
  const request = await readRequest(input, init, BASE)
  const { url, method, headers, body } = request
  const [, name = '', path = ''] = /^\/([^/]*)(.*)$/.exec(url.pathname) ?? []
  const service = isService(name) ? SERVICES[name] : undefined
  const found = service && findRoute(service.routes, path || '/')
  const facts = { service: isService(name) ? name : /** @type {const} */ ('none'), method }
  const record = await recordOf({ ...facts, route: found?.route ?? '' }, request)
  requests.push(record)

  /** @type {Call} */
  const call = {
    world,
    data: complete(world.data),
    method,
    origin: url.origin,
    base: `${url.origin}/${name}`,
    path,
    target: url.pathname + url.search,
    query: url.searchParams,
    headers,
    body,
    params: found?.params ?? {},
  }
  const reply = service ? await serve(call, service, found?.route) : nowhere()
  record.status = reply.status
  const bodyless = method === 'HEAD' || NO_BODY.includes(reply.status)
  return new Response(bodyless ? null : reply.body, {
    status: reply.status,
    headers: {
      Date: new Date(world.now()).toUTCString(),
      ...reply.headers,
      ...crossOrigin(call, service),
    },
  })
}

/**
 * @param {Call} call
 * @param {Service} service
 * @param {string | undefined} route
 * @returns {Promise<Reply>}
 */
async function serve(call, service, route) {
  const preflight = call.world.cors ? openPreflight(call) : undefined
  const filtered = service === uaa && !call.world.cors ? uaaFilter(call) : undefined
  const early = preflight ?? filtered ?? service.guard?.(call)
  if (early) return early
  try {
    const methods = route === undefined ? undefined : service.routes[route]
    if (!methods) return await service.unknown(call)
    const handler = methods[call.method] ?? (call.method === 'HEAD' ? methods.GET : undefined)
    return await (handler ?? service.wrongMethod)(call)
  } catch (error) {
    if (error instanceof Refusal) return error.reply
    throw error
  }
}

/** @returns {Reply} */
function nowhere() {
  const folders = Object.keys(SERVICES).map((name) => `/${name}`)
  return {
    status: 404,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: `404 Not Found: the emulator's services are at ${folders.join(', ')}.\n`,
  }
}

/**
 * @param {Call} call
 * @param {Service | undefined} service
 */
function crossOrigin(call, service) {
  if (call.world.cors) return openHeaders
  return service === uaa ? uaaHeaders(call) : {}
}

/**
 * @param {() => Promise<Response>} work
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<Response>}
 */
function abortable(work, signal) {
  if (!signal) return work()
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    // What the request did stays done, as at a server whose caller has gone.
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}

/**
 * Lists are filled again in place, for tests that hold on to them.
 * @param {EmulatorData} data
 * @param {EmulatorData} first
 */
function restore(data, first) {
  const now = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (data))
  for (const [name, part] of Object.entries(first)) {
    const held = now[name]
    if (Array.isArray(held) && Array.isArray(part)) {
      held.length = 0
      for (const entry of part) held.push(entry)
    } else {
      now[name] = part
    }
  }
}

/**
 * @param {Request | URL | string} input
 * @returns {input is Request}
 */
function isRequest(input) {
  return typeof input === 'object' && input !== null && 'headers' in input
}

/**
 * @param {string} name
 * @returns {name is ServiceName}
 */
function isService(name) {
  return Object.hasOwn(SERVICES, name)
}
