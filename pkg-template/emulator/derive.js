/**
 * Ids, GUIDs and codes that follow from a seed, the same on each run. Not cryptography: what comes
 * out can be guessed, which is what a test wants and nothing else may.
 */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_'

/**
 * @param {...(string | number)} parts
 * @returns {string} 32 hexadecimal digits
 */
export function hex32(...parts) {
  return words(parts)
    .map((word) => word.toString(16).padStart(8, '0'))
    .join('')
}

/**
 * @param {...(string | number)} parts
 * @returns {string} in the form of a random UUID (version 4)
 */
export function guidFrom(...parts) {
  const hex = hex32(...parts)
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4]
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-')
}

/**
 * @param {...(string | number)} parts
 * @returns {string} 32 characters of `0-9A-Za-z-_`, as UAA's passcodes are
 */
export function codeFrom(...parts) {
  const hex = hex32(...parts, 'a') + hex32(...parts, 'b')
  const pairs = hex.match(/../g) ?? []
  return pairs.map((pair) => ALPHABET[Number.parseInt(pair, 16) % 64]).join('')
}

/**
 * Four 32-bit words of the parts: cyrb128, a public-domain hash by bryc.
 * @param {(string | number)[]} parts
 */
function words(parts) {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762]
  // JSON keeps ("a", "bc") and ("ab", "c") apart.
  for (const char of JSON.stringify(parts)) {
    const code = char.codePointAt(0) ?? 0
    a = b ^ Math.imul(a ^ code, 597399067)
    b = c ^ Math.imul(b ^ code, 2869860233)
    c = d ^ Math.imul(c ^ code, 951274213)
    d = a ^ Math.imul(d ^ code, 2716044179)
  }
  a = Math.imul(c ^ (a >>> 18), 597399067)
  b = Math.imul(d ^ (b >>> 22), 2869860233)
  c = Math.imul(a ^ (c >>> 17), 951274213)
  d = Math.imul(b ^ (d >>> 19), 2716044179)
  a ^= b ^ c ^ d
  return [a, b ^ a, c ^ a, d ^ a].map((word) => word >>> 0)
}
