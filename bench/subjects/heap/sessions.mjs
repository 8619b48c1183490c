import { IamTokenManager } from 'ibm-cloud-sdk-core'
import { login } from 'keyprotect-auth'
import { heapBytes } from '../lib/heap.mjs'
import { memoryIam } from '../lib/iam.mjs'

const SESSIONS = 1000
const WARM_UP = 50
const WORD = 8
const STRING_HEAD = 12

export async function ours() {
  const { fetch } = await memoryIam()
  const endpoints = { iam: 'https://iam.example' }
  return measured(
    (apiKey) => login({ apiKey }, { endpoints, fetch }),
    (session) => session.iamToken(),
  )
}

/** The floor: one object each that holds the two strings. */
export async function strings() {
  const { fetch } = await memoryIam()
  const { figures } = await measured(
    async (apiKey) => ({ apiKey, token: (await (await fetch()).json()).access_token }),
    ({ token }) => token,
  )
  return { prints: 'strings', figures }
}

export async function sdk() {
  const { adapter } = await memoryIam()
  return measured(
    async (apikey) => {
      const manager = new IamTokenManager({ apikey, url: 'https://iam.example', adapter })
      await manager.getToken()
      return manager
    },
    (manager) => manager.getToken(),
  )
}

/**
 * @template T
 * @param {(apiKey: string) => Promise<T>} make
 * @param {(made: T) => string | Promise<string>} tokenOf
 */
async function measured(make, tokenOf) {
  for (let at = 0; at < WARM_UP; at += 1) await make(keyNumber(at))
  /** @type {T[]} */
  const made = new Array(SESSIONS)
  const before = await heapBytes()
  for (let at = 0; at < SESSIONS; at += 1) made[at] = await make(keyNumber(WARM_UP + at))
  const bytes = ((await heapBytes()) - before) / SESSIONS
  const tokens = new Set(await Promise.all(made.map(tokenOf)))
  const [token = ''] = tokens
  const text = stringBytes(token) + stringBytes(keyNumber(0))
  return {
    prints: `${tokens.size} tokens of ${token.length} characters`,
    figures: { bytes, beside: bytes - text },
  }
}

/** An API key as long as IAM's; a text of its own, not the parts that it was made of. */
function keyNumber(number) {
  return Buffer.from(`kp-api-key-${String(number).padStart(33, '0')}`).toString('latin1')
}

/** What V8 takes for a string of one-byte characters. @param {string} text */
function stringBytes({ length }) {
  return Math.ceil((STRING_HEAD + length) / WORD) * WORD
}
