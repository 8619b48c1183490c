import { login } from 'keyprotect-auth'
import { heapBytes, wasmBytes } from '../lib/heap.mjs'
import { memoryIam } from '../lib/iam.mjs'

const CALLS = 200_000
const EXCHANGES = 20_000
const QUARTERS = [25, 50, 75, 100]
const KB = 1000

async function ready() {
  const { fetch, last } = await memoryIam()
  const endpoints = { iam: 'https://iam.example' }
  const session = await login({ apiKey: process.env.IAM_API_KEY }, { endpoints, fetch })
  return { session, last }
}

/** Half of them tokens, half headers. */
export async function warmCalls() {
  const { session, last } = await ready()
  const token = last()
  const figures = await inQuarters(CALLS / 2, async () => {
    const { Authorization } = await session.headers()
    return (await session.iamToken()) === token && Authorization === `Bearer ${token}`
  })
  return { prints: `${figures.right * 2} right`, figures }
}

export async function exchanges() {
  const { session, last } = await ready()
  const figures = await inQuarters(EXCHANGES, async () => {
    await session.refresh()
    return (await session.iamToken()) === last()
  })
  return { prints: `${figures.right} right`, figures }
}

/** @param {number} count @param {() => Promise<boolean>} call gives whether the result was right */
async function inQuarters(count, call) {
  let right = 0
  /** @type {Record<string, number>} */
  const figures = {}
  for (const quarter of QUARTERS) {
    for (let at = 0; at < count / QUARTERS.length; at += 1) if (await call()) right += 1
    figures[`heap${quarter}`] = (await heapBytes()) / KB
    figures[`wasm${quarter}`] = (await wasmBytes()) / KB
  }
  return { ...figures, right }
}
