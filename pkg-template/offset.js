// @ts-check

/** A Date header tells whole seconds, and clocks are never quite alike: so much is no news. */
const NOISE_MS = 5_000

/** How far the wall clock is off from a service's, told once per change. Renewal does not mind. */
export class Offset {
  #told = 0

  /**
   * What there is to tell after an answer: its `Date`, and the wall clock when its request was sent and
   * now. A slow answer is no offset: its date lies between the two.
   * @param {number | undefined} serverMs
   * @param {number} sentWall
   * @param {number} wall
   * @returns {number | undefined} milliseconds
   */
  news(serverMs, sentWall, wall) {
    if (serverMs === undefined || !Number.isFinite(sentWall)) return undefined
    const nearest = Math.min(Math.max(serverMs, sentWall), Math.max(sentWall, wall || sentWall))
    const offsetMs = Math.round(serverMs - nearest)
    if (Math.abs(offsetMs) <= NOISE_MS) {
      this.#told = 0
      return undefined
    }
    if (Math.abs(offsetMs - this.#told) <= NOISE_MS) return undefined
    this.#told = offsetMs
    return offsetMs
  }
}
