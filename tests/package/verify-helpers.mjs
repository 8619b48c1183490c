// What the tests of verifyToken share: an issuer, its keys, and tokens of its own and forged.
import assert from 'node:assert/strict'
import { sign as signRaw } from 'node:crypto'
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose'
import { verifyToken } from 'keyprotect-auth'
import { assertNoSecret, json, refusal } from './helpers.mjs'

export const ISSUER = 'https://uaa.example.test/oauth/token'
export const KEYS = 'https://uaa.example.test/token_keys'
export const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`
export const EVIL = 'https://evil.example.test'
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

export const rsa = await generateKeyPair('RS256', { extractable: true })
export const ec = await generateKeyPair('ES256', { extractable: true })
export const other = await generateKeyPair('RS256', { extractable: true })
export const rsaJwk = { ...(await exportJWK(rsa.publicKey)), kid: 'a' }
export const ecJwk = { ...(await exportJWK(ec.publicKey)), kid: 'e', use: 'sig', alg: 'ES256' }
export const rsaPem = await exportPKCS8(rsa.privateKey)
export const otherJwk = { ...(await exportJWK(other.publicKey)), kid: 'o' }

/** An issuer in this process: a `fetch` of its own, so that each test has keys of its own. */
export function issuing({ keys = [rsaJwk, ecJwk], document, answer } = {}) {
  const requests = []
  const issuer = {
    keys,
    answer,
    requests,
    count: (url) => requests.filter((asked) => asked === url).length,
    fetch: async (url) => {
      requests.push(url)
      const odd = await issuer.answer?.(url)
      if (odd) return odd
      if (url === DISCOVERY) return json({ issuer: ISSUER, jwks_uri: KEYS, ...document })
      return url === KEYS ? json({ keys: issuer.keys }) : json({}, { status: 404 })
    },
  }
  return issuer
}

/** Claims that hold by a clock. */
export const claimsAt = (now = Date.now()) => ({
  iss: ISSUER,
  exp: Math.floor(now / 1000) + 3600,
  sub: 'me',
})

export function signed(claims, header = {}, key = rsa.privateKey) {
  return new SignJWT({ ...claimsAt(), ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'a', ...header })
    .sign(key)
}

/** A token of raw parts, signed by the issuer's RSA key. */
export function signedRaw(header, claims) {
  const part = (value) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${signRaw('sha256', Buffer.from(text), rsaPem).toString('base64url')}`
}

/** The same token with other claims and the old signature. */
export function forged(token, change) {
  const [head, body, signature] = token.split('.')
  const claims = change(Buffer.from(body, 'base64url').toString())
  return `${head}.${Buffer.from(claims).toString('base64url')}.${signature}`
}

export async function refusedFor(named, token, options) {
  const error = await refusal(verifyToken(token, { issuer: ISSUER, ...options }))
  assert.equal(error.code, 'invalid_credentials', `${named}: ${error.message}`)
  assert.match(error.message, new RegExp(`\\b${named}\\b`))
  assert.equal(error.retryable, false)
  for (const part of String(token).split('.')) {
    if (part.length > 12) assertNoSecret(error, part)
  }
  return error
}
