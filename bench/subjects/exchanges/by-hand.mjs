import { exchangeByHand } from '../lib/exchange.mjs'
import * as sequence from './sequence.mjs'

async function ready({ url, fetch = globalThis.fetch }) {
  return async () => (await exchangeByHand(fetch, url)).access_token
}

export const inMemory = () => sequence.inMemory(ready)
export const overHttp = () => sequence.overHttp(ready)
