import { login } from 'keyprotect-auth'

const { IAM_URL, IAM_API_KEY } = process.env

async function session() {
  return login({ apiKey: IAM_API_KEY }, { endpoints: { iam: IAM_URL } })
}

export async function iamToken() {
  const held = await session()
  return { call: () => held.iamToken(), shown: (token) => token.length }
}

export async function headers() {
  const held = await session()
  return { call: () => held.headers(), shown: ({ Authorization }) => Authorization.length }
}
