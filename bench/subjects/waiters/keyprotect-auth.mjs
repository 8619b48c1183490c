import { login } from 'keyprotect-auth'
import { callers } from './callers.mjs'

const { IAM_URL, IAM_API_KEY } = process.env
const TWO_HOURS_MS = 7_200_000

export default async function waiters() {
  let passed = 0
  const clock = {
    now: () => Date.now() + passed,
    monotonic: () => performance.now() + passed,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
  const session = await login({ apiKey: IAM_API_KEY }, { endpoints: { iam: IAM_URL }, clock })
  const end = () => {
    passed += TWO_HOURS_MS
  }
  return callers(end, () => session.iamToken())
}
