// @ts-check

/**
 * An access token and what came with it (RFC 6749, section 5.1). Printing it hides the secrets;
 * `JSON.stringify` gives them, for it is data to keep.
 */
export class TokenSet {
  /**
   * @param {{ accessToken: string, tokenType: string, refreshToken?: string, scope?: string,
   *   lease: { end: { wall: number } } }} plain
   */
  constructor({ accessToken, tokenType, refreshToken, scope, lease }) {
    this.accessToken = accessToken
    /** As the service writes it (`Bearer`, `bearer`). */
    this.tokenType = tokenType
    /** Milliseconds since the epoch: the sending instant plus the life that the answer gave. */
    this.expiresAt = lease.end.wall
    /** @type {string | undefined} */
    if (refreshToken !== undefined) this.refreshToken = refreshToken
    /** Space-separated. @type {string | undefined} */
    if (scope !== undefined) this.scope = scope
  }

  toString() {
    return '[TokenSet]'
  }

  /** What Node's `util.inspect` and `console.log` print. */
  [Symbol.for('nodejs.util.inspect.custom')]() {
    const expires = new Date(this.expiresAt)
    const until = Number.isNaN(expires.getTime()) ? '?' : expires.toISOString()
    return `TokenSet { expiresAt: ${until}, accessToken: [redacted] }`
  }
}
