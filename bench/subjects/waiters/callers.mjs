import { requestsAt } from '../lib/iam.mjs'

const CALLERS = 10_000
const { IAM_URL } = process.env

/**
 * @param {() => void} empty makes the cache empty or ended
 * @param {() => Promise<string>} ask what one caller calls
 */
export function callers(empty, ask) {
  let sent = 0
  return {
    before: async () => {
      empty()
      sent = await requestsAt(IAM_URL)
    },
    run: () => {
      const all = []
      for (let caller = 0; caller < CALLERS; caller += 1) all.push(ask())
      return Promise.all(all)
    },
    shown: async (tokens) => {
      const requests = (await requestsAt(IAM_URL)) - sent
      const [token] = tokens
      const same = tokens.filter((other) => other === token).length
      return `${same} callers, ${requests} request, ${token.length} characters`
    },
  }
}
