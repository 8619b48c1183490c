// `node loop.mjs SUBJECT EXPORT`: the time of one awaited call. The export is asked once for the call
// and for what to print of its result, which must be the same for all subjects.
import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'

const WARM_MS = 150
const BATCH_MS = 25
const BATCHES = 8

const [, , file, name] = argv
const { [name]: prepare } = await import(pathToFileURL(file).href)
const { call, shown } = await prepare()

/** @param {number} count @returns {Promise<number>} milliseconds */
async function batch(count) {
  const begin = performance.now()
  for (let at = 0; at < count; at += 1) await call()
  return performance.now() - begin
}

let count = 1
const warm = performance.now() + WARM_MS
while (performance.now() < warm) {
  if ((await batch(count)) < BATCH_MS / 2) count *= 2
}
const size = Math.max(1, Math.round((count / (await batch(count))) * BATCH_MS))
const times = []
for (let at = 0; at < BATCHES; at += 1) times.push(((await batch(size)) / size) * 1e6)

writeSync(1, String(shown(await call())))
writeSync(3, JSON.stringify({ ns: times.sort((a, b) => a - b)[Math.floor(BATCHES / 2)] }))
