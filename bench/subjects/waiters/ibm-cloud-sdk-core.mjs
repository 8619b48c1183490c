import { IamTokenManager } from 'ibm-cloud-sdk-core'
import { callers } from './callers.mjs'

const { IAM_URL, IAM_API_KEY } = process.env

export default async function waiters() {
  let manager
  const empty = () => {
    manager = new IamTokenManager({ apikey: IAM_API_KEY, url: IAM_URL })
  }
  return callers(empty, () => manager.getToken())
}
