// The token manager has no call that renews now: its cache is ended by hand.
import { IamTokenManager } from 'ibm-cloud-sdk-core'
import * as sequence from './sequence.mjs'

async function ready({ url, adapter }) {
  const apikey = process.env.IAM_API_KEY
  const manager = new IamTokenManager({ apikey, url, ...(adapter && { adapter }) })
  return () => {
    manager.expireTime = 0
    return manager.getToken()
  }
}

export const inMemory = () => sequence.inMemory(ready)
export const overHttp = () => sequence.overHttp(ready)
