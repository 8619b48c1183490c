// @ts-check

/**
 * Reads `NAME=value` lines as dotenv does, which IBM’s Node SDK uses: split at the first `=`, values
 * trimmed, one pair of quotes taken off, a `#` outside of quotes begins a comment; the last of two equal
 * names counts. Values of several lines are not read.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseEnv(text) {
  /** @type {Map<string, string>} */
  const values = new Map()
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [, name, rest] = /^\s*(?:export\s+)?([\w.-]+)\s*=(.*)$/.exec(line) ?? []
    if (name !== undefined && rest !== undefined) values.set(name, unquoted(rest.trim()))
  }
  return Object.fromEntries(values)
}

/** @param {string} rest */
function unquoted(rest) {
  const quote = rest[0] ?? ''
  const end = `'"\``.includes(quote) ? rest.indexOf(quote, 1) : -1
  const after = end < 0 ? '' : rest.slice(end + 1).trim()
  if (end > 0 && (after === '' || after.startsWith('#'))) return rest.slice(1, end)
  return rest.split('#', 1)[0]?.trim() ?? ''
}
