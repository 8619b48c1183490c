import { login } from 'keyprotect-auth'
import * as sequence from './sequence.mjs'

async function ready({ url, fetch }) {
  const session = await login(
    { apiKey: process.env.IAM_API_KEY },
    { endpoints: { iam: url }, fetch },
  )
  return async () => {
    await session.refresh()
    return session.iamToken()
  }
}

export const inMemory = () => sequence.inMemory(ready)
export const overHttp = () => sequence.overHttp(ready)
