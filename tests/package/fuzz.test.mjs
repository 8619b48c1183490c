import { test } from 'node:test'
import { fuzz } from '../soak/fuzz.mjs'

test('whatever comes in, every call settles and the core lives on', async (t) => {
  const seed = Math.floor(Math.random() * 1e6)
  t.diagnostic(`seed ${seed}`)
  await fuzz(seed, 1500)
})
