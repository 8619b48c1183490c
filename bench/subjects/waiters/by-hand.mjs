// The shortest cache that asks once for many callers.
import { exchangeByHand } from '../lib/exchange.mjs'
import { callers } from './callers.mjs'

const { IAM_URL } = process.env
const MARGIN_MS = 60_000

export default async function waiters() {
  let held
  let staleWall = 0
  let staleMono = 0
  let pending

  function iamToken() {
    if (Date.now() < staleWall && performance.now() < staleMono) return held
    pending ??= renew().finally(() => {
      pending = undefined
    })
    return pending
  }

  async function renew() {
    const wall = Date.now()
    const mono = performance.now()
    const { access_token: token, expires_in: seconds } = await exchangeByHand(fetch, IAM_URL)
    staleWall = wall + seconds * 1000 - MARGIN_MS
    staleMono = mono + seconds * 1000 - MARGIN_MS
    held = Promise.resolve(token)
    return token
  }

  const end = () => {
    staleWall = 0
  }
  return callers(end, iamToken)
}
