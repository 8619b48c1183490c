import { memoryIam, requestsAt } from '../lib/iam.mjs'

const EXCHANGES = 2000
const { PLAIN_IAM_URL } = process.env

/**
 * @param {(place: { url: string, fetch?: () => Promise<Response>, adapter?: object }) =>
 *   Promise<() => Promise<string>>} ready gives what exchanges once, and gives the new token
 */
export async function inMemory(ready) {
  const { last, ...iam } = await memoryIam()
  const exchange = await ready({ url: 'https://iam.example', ...iam })
  const run = async () => {
    let right = 0
    for (let at = 0; at < EXCHANGES; at += 1) if ((await exchange()) === last()) right += 1
    return right
  }
  return { run, shown: (right) => `${right} new tokens` }
}

/** @param {Parameters<typeof inMemory>[0]} ready */
export async function overHttp(ready) {
  const exchange = await ready({ url: PLAIN_IAM_URL })
  let sent = 0
  return {
    before: async () => {
      sent = await requestsAt(PLAIN_IAM_URL)
    },
    run: async () => {
      let changed = 0
      let before = ''
      for (let at = 0; at < EXCHANGES; at += 1) {
        const token = await exchange()
        if (token !== before) changed += 1
        before = token
      }
      return changed
    },
    shown: async (changed) => {
      const requests = (await requestsAt(PLAIN_IAM_URL)) - sent
      return `${requests === EXCHANGES ? changed : 0} new tokens`
    },
  }
}
