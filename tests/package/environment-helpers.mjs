// What the tests of the environment share: an environment of their own, with an emulator.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exchangeToken } from 'keyprotect-auth'
import { createEmulator } from 'keyprotect-auth/emulator'
import { loginFromEnvironment } from 'keyprotect-auth/node'

export const KEY = 'emulator-api-key'
export const USER = { username: 'user@example.com', password: 'correct horse' }

/**
 * An empty environment for one test: a home and a working directory without a file, and the addresses
 * of an emulator. The process has but one, so these tests run one after the other.
 * @param {import('node:test').TestContext} t
 */
export function environment(t, { data } = {}) {
  const before = { ...process.env }
  const cwd = process.cwd()
  const root = mkdtempSync(join(tmpdir(), 'keyprotect-auth-'))
  const [home, work] = ['home', 'work'].map((name) => join(root, name))
  for (const folder of [home, work]) mkdirSync(folder)
  t.after(() => {
    process.chdir(cwd)
    for (const name of Object.keys(process.env)) delete process.env[name]
    Object.assign(process.env, before)
    rmSync(root, { recursive: true })
  })
  process.chdir(work)
  for (const name of Object.keys(process.env)) delete process.env[name]
  const emulator = createEmulator({ data, now: Date.UTC(2026, 0, 15, 12) })
  const { base } = emulator.endpoints
  const { fetch, clock } = emulator.options
  const at = {
    IBMCLOUD_IAM_API_ENDPOINT: `${base}/iam`,
    IBMCLOUD_KP_API_ENDPOINT: `${base}/kp`,
    IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT: `${base}/rc`,
  }
  Object.assign(process.env, { PATH: before.PATH, HOME: home, ...at })
  return {
    emulator,
    base,
    root,
    home,
    work,
    set: (variables) => Object.assign(process.env, variables),
    unset: (...names) => {
      for (const name of names) delete process.env[name]
    },
    write(path, content) {
      mkdirSync(dirname(path), { recursive: true })
      const isPlain = typeof content === 'string' || content instanceof Uint8Array
      writeFileSync(path, isPlain ? content : JSON.stringify(content))
      return path
    },
    login: (options) => loginFromEnvironment({ fetch, clock, ...options }),
    /** A refresh token, as a CLI holds it, and its access token. */
    async iamLogin() {
      const account = emulator.data.accounts[0].id
      const { iam } = await exchangeToken(USER, { ...emulator.options, uaa: false, account })
      emulator.requests.clear()
      return iam
    },
    async uaaLogin() {
      const { uaa } = await exchangeToken(USER, {
        ...emulator.options,
        endpoints: { base, iam: null },
      })
      emulator.requests.clear()
      return uaa
    },
  }
}

/** What was sent to the sign-in services: grant and secret. */
export function grants(emulator) {
  return emulator.requests
    .filter(({ route }) => /token$/.test(route))
    .map(({ service, grant }) => `${service} ${grant}`)
}

/** What a login from the environment lacked, by kind. */
export function lacked(source) {
  return Object.fromEntries(source.tried.map(({ kind, lacks }) => [kind, lacks]))
}

export function assertPart(text, part) {
  assert.ok(text.includes(part), `no "${part}" in: ${text}`)
}
