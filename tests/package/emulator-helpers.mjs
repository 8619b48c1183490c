// What the emulator's tests share: a world whose clock stands still, and requests to it.

import { createEmulator } from 'keyprotect-auth/emulator'

export const NOW = Date.UTC(2026, 0, 15, 12)
export const BASE = 'https://emulator.keyprotect-auth.test'
export const API_KEY_GRANT = 'urn:ibm:params:oauth:grant-type:apikey'
export const PASSCODE_GRANT = 'urn:ibm:params:oauth:grant-type:passcode'
export const BX = basic('bx', 'bx')
export const CF = basic('cf', '')

export const USER = { username: 'user@example.com', password: 'correct horse' }

/** @param {import('keyprotect-auth/emulator').EmulatorOptions} [options] */
export function world(options) {
  return createEmulator({ now: NOW, ...options })
}

export function basic(id, secret) {
  return `Basic ${btoa(`${id}:${secret}`)}`
}

/** Posts a form; `headers` are added, one that is undefined is left out. */
export async function post(emulator, path, form, headers = {}) {
  const all = { 'content-type': 'application/x-www-form-urlencoded', ...headers }
  return read(
    await emulator.fetch(BASE + path, {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      body: new URLSearchParams(form).toString(),
    }),
  )
}

export async function get(emulator, path, headers = {}, method = 'GET') {
  return read(await emulator.fetch(BASE + path, { method, headers }))
}

async function read(response) {
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: type.includes('json') && text !== '' ? JSON.parse(text) : undefined,
  }
}

/** IAM's answer to an exchange. */
export async function iamTokens(emulator, form, authorization) {
  const { body } = await post(emulator, '/iam/identity/token', form, { authorization })
  return body
}

export async function iamBearer(emulator, apiKey = emulator.credential.apiKey) {
  const { access_token: token } = await iamTokens(emulator, {
    grant_type: API_KEY_GRANT,
    apikey: apiKey,
  })
  return `Bearer ${token}`
}

export async function uaaTokens(emulator, form = { grant_type: 'password', ...USER }) {
  const { body } = await post(emulator, '/uaa/oauth/token', form, { authorization: CF })
  return body
}

export async function uaaBearer(emulator, form) {
  const { access_token: token } = await uaaTokens(emulator, form)
  return `bearer ${token}`
}

export function part(token, index) {
  return JSON.parse(Buffer.from(token.split('.')[index], 'base64url').toString())
}

export const header = (token) => part(token, 0)
export const claims = (token) => part(token, 1)

/** Checks a token's signature against a published key set, through Web Crypto. */
export async function verifies(token, { keys }) {
  const [head, body, signature] = token.split('.')
  const { kty, n, e, alg } = keys.find(({ kid }) => kid === header(token).kid)
  const rs256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('jwk', { kty, n, e, alg }, rs256, false, ['verify'])
  return crypto.subtle.verify(
    rs256.name,
    key,
    Buffer.from(signature, 'base64url'),
    new TextEncoder().encode(`${head}.${body}`),
  )
}
