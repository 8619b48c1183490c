import { IamAuthenticator, IamTokenManager } from 'ibm-cloud-sdk-core'

const { IAM_URL, IAM_API_KEY } = process.env

export async function iamToken() {
  const manager = new IamTokenManager({ apikey: IAM_API_KEY, url: IAM_URL })
  await manager.getToken()
  return { call: () => manager.getToken(), shown: (token) => token.length }
}

/** Its way to headers: it adds them to the options of a request. */
export async function headers() {
  const authenticator = new IamAuthenticator({ apikey: IAM_API_KEY, url: IAM_URL })
  const call = async () => {
    const request = { headers: {} }
    await authenticator.authenticate(request)
    return request.headers
  }
  await call()
  return { call, shown: ({ Authorization }) => Authorization.length }
}
