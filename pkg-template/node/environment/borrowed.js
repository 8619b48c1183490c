// @ts-check
/** @import { Found } from './found.js' */
import { ours } from '../../credential.js'
import { AuthError } from '../../errors.js'

/**
 * A login in a CLI’s file: its refresh token, and what must stay the same for it to be the same login:
 * where it was made, and whose it is (as far as its access token says).
 * @typedef {{ refreshToken: string, place: unknown[], holder: unknown }} FileLogin
 */

/**
 * The credential of a CLI’s login, read again at each exchange.
 * @param {FileLogin} first
 * @param {() => Promise<FileLogin | { lacks: string }>} read
 * @param {string} command that signs in again
 * @returns {Pick<Found, 'credential' | 'known' | 'isBorrowed' | 'hasNewer' | 'gaveLast'>}
 */
export function borrowed(first, read, command) {
  let given = first.refreshToken
  /** The token that is there now, if the login is still the same. */
  const current = async () => {
    const login = await read()
    // Another one’s token must not go where this one was made.
    return 'lacks' in login || !isSame(login, first) ? undefined : login.refreshToken
  }
  const credential = ours(async () => {
    const refreshToken = await current()
    if (refreshToken === undefined) {
      throw new AuthError({
        code: 'expired',
        message: 'the login that was borrowed is no longer in the file of the CLI',
        hint: `Sign in there again (${command}), then here.`,
      })
    }
    given = refreshToken
    return { refreshToken }
  })
  return {
    credential,
    known: { refreshToken: first.refreshToken },
    isBorrowed: true,
    // While the file can't be read, what is held still serves.
    hasNewer: () =>
      current().then(
        (token) => token !== undefined && token !== given,
        () => false,
      ),
    gaveLast: (token) => token === given,
  }
}

/** @param {FileLogin} login @param {FileLogin} first */
function isSame(login, first) {
  if (JSON.stringify(login.place) !== JSON.stringify(first.place)) return false
  const holders = new Set([login.holder, first.holder].filter((holder) => holder !== undefined))
  return holders.size < 2
}

/**
 * Whose an access token is, unverified: to see that a file holds another one’s login now.
 * @param {unknown} token with or without its type before it
 */
export function holderOf(token) {
  const [, part = ''] = String(token).trim().split(/\s+/).at(-1)?.split('.') ?? []
  try {
    const { iam_id, user_id, sub } = JSON.parse(Buffer.from(part, 'base64url').toString())
    return iam_id ?? user_id ?? sub
  } catch {
    // An opaque token says nothing.
    return undefined
  }
}
