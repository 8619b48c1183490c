import { login } from 'keyprotect-auth'

const { IAM_URL, IAM_API_KEY } = process.env
const session = await login({ apiKey: IAM_API_KEY }, { endpoints: { iam: IAM_URL } })
console.log((await session.iamToken()).length)
