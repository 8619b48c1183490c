/**
 * RS256 tokens, signed with one fixed key that anybody can read here: a test key. Same claims, same
 * bytes. Nothing but this emulator may ever trust it.
 */

/** @typedef {Record<string, unknown>} Claims */

/** The `kid` of the test key, in every token and key set of the emulator. */
export const TEST_KEY_ID = 'keyprotect-auth-emulator-TEST-KEY'

const TEST_KEY = {
  kty: 'RSA',
  alg: 'RS256',
  n: 'mvxdqkbqEEBRlfVaBQfMgMxkIokq4vOzi1Jc9hJEzFDxkIKKpS7LGF_KZQ5MILTAu7aoFFaoTTAh-VYc0nhECqo-o4hUDxR1qEreexKTXRMQU_n484UXismYxxV0YNE9FbF3b2JU8kVgYMsF44cyIjaskh49xmzusSPBohfYqQ7eTAQXPfEdmXpjdlsVp66eFcrAlR-18v50r_X4A_A-nI0j5jC3ciHQ5GTlgU-mlPYdsEfj_L5dq2ngoKYh6UC5SOctombPkOUjNUX4qiEy8KiG3mN240JJq7vGQwn37lyU3aUlnlmA0NfFD_Ym5LyDW2QzNELQ25ap7n_imc9HEQ',
  e: 'AQAB',
  d: 'D8t-ZDcb7ZIQfn7lsLONxOaPofFmvIBnoOBA9xb_ie8J31ded90f95jzkH73hTHGnprL4F7AgjVQkQ-UmmKFVKzq-1GOd4b3QrJ2oAZRnF-v_07vbyn2Lz_CYS-vj5pjZk2SxXg4_gPSAatPK1QA6Pm3dqC8XPeHD-h7-GADxZ7EmNlyWWaxwczjMSAbjZkrSGSIYwgohwJY7Va-BrNl5Q2fdqaeU32e8VNNkDmKqnnRhCu_vqM9xiU5C0w7bE6isqYIs69EhQQrQSAsOudRAJupl6-X6YP-AO3kvUCCUJiZfJuAissELAqTmuEBYILM0UlNX3e3A7kWK9Prl6-vwQ',
  p: '1VNuyBhE8EJgdhn9dLxJyJG2Nink4WbWaSR8Yb9gF3ADdN9WuxIxAobT-_FELOucYzWlmxnCD0hDNpjSPdr_KIo9LR9R2-oLPMCAlu2IWlpbym_BdTJZJEDxNomWj0hyZFRlFaed5LGIXZxa-kCbihN-RF-Wv8a7e4MZJ2GpFUk',
  q: 'uf1LyU7MSnOOGlvRUW-toCPrbApjvopIeVTUkPYgIfGk_hbU45JYbm4JxKt8A34FIu0c3Ug2lsaxGgIbJ8M0nCftEIGMwrujMbkiPVI2f0iBKZ5Oni8_QHEyN0srIwAHn4d8zuhz-V_xUdrXYSunV8wNYvoKJWrc3zJTZbjiy4k',
  dp: 'FJGR2es1InFT-a8x2AKbnqImDnzlm7IdtE-XSpl4O2pKewdZxnnPje3QHLe7mhUxpAM1L4pBQtX13RrJEru95HvHwEUH0It1f-sTuvm2LvgNZ6x028b5_1vfpiGICdKzbOcSRA9AUx-nBVehEgYOuTZ98zvAPkd8JkGSuFBbTDk',
  dq: 'jmVfoMCzqEzQf13M5IycYf8eP5m0xC0bT8mi9Vl7QIHB0MeqNpHVIrccw3aHfCT_yb3AW6ruIIH_FeqG3-qUXPo0hm6pVm5Sg786d7h6APmB6ltJ1dJWmwAPckYawLFFJN6Wr9NI96R9Hi5ut_a0KIQRu7W0DvHCKSBeuYLUIQ',
  qi: 'AbsbVBZVQfZjXKjWYBGtR9KPKA2Y2TJh5Uq3u4nkYYk1gUHUy79Rwha0umVDHMunluz9FTnsFZn1d4BWNeHm0qz6-BoDgOGqAuW2XGy3ullzTP_4I7ueWVF7BVQp45apOs4rJEGH0ZClgV1d7_fWFvqnZO_sWQ0mTVvARU_3n8k',
}

/** The public half as a JWK, as IAM's key set has it: without `use`. */
export const publicJwk = Object.freeze({
  kty: TEST_KEY.kty,
  n: TEST_KEY.n,
  e: TEST_KEY.e,
  alg: TEST_KEY.alg,
  kid: TEST_KEY_ID,
})

const RS256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
/** @type {Promise<{ sign: CryptoKey, verify: CryptoKey }> | undefined} */
let imported

function keys() {
  imported ??= Promise.all([
    crypto.subtle.importKey('jwk', TEST_KEY, RS256, false, ['sign']),
    crypto.subtle.importKey('jwk', publicJwk, RS256, true, ['verify']),
  ]).then(([sign, verify]) => ({ sign, verify }))
  return imported
}

/** The public half in PEM, which UAA hands out as `value`. */
export async function publicPem() {
  const { verify } = await keys()
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', verify))
  const lines = btoa(binary(spki)).match(/.{1,64}/g) ?? []
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----`
}

/**
 * @param {Claims} header
 * @param {Claims} claims
 * @returns {Promise<string>} the token, without `Bearer`
 */
export async function signToken(header, claims) {
  const { sign } = await keys()
  const text = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`
  const signature = await crypto.subtle.sign(RS256.name, sign, new TextEncoder().encode(text))
  return `${text}.${base64url(new Uint8Array(signature))}`
}

/**
 * @param {string} token
 * @param {number} now the services' clock, milliseconds since the epoch
 * @returns {Promise<{ claims: Claims, problem?: undefined } | { claims?: Claims, problem: 'unreadable' | 'signature' | 'ended' }>}
 */
export async function readToken(token, now) {
  const [head, body, signature, ...rest] = token.split('.')
  const header = head === undefined ? undefined : decodeObject(head)
  const claims = body === undefined ? undefined : decodeObject(body)
  const bytes = signature === undefined ? undefined : decodeBytes(signature)
  if (!header || !claims || !bytes || rest.length > 0) return { problem: 'unreadable' }
  const { verify } = await keys()
  const good =
    header.alg === 'RS256' &&
    header.kid === TEST_KEY_ID &&
    (await crypto.subtle.verify(
      RS256.name,
      verify,
      bytes,
      new TextEncoder().encode(`${head}.${body}`),
    ))
  if (!good) return { claims, problem: 'signature' }
  if (!(Number(claims.exp) * 1000 > now)) return { claims, problem: 'ended' }
  return { claims }
}

/** @param {string} text */
function encode(text) {
  return base64url(new TextEncoder().encode(text))
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(binary(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** @param {Uint8Array} bytes */
function binary(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** @param {string} text base64url */
function decodeBytes(text) {
  if (!/^[\w-]+$/.test(text)) return undefined
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    )
  } catch {
    return undefined
  }
}

/**
 * @param {string} text
 * @returns {Claims | undefined}
 */
function decodeObject(text) {
  const bytes = decodeBytes(text)
  if (!bytes) return undefined
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
