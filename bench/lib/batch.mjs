// `node --expose-gc batch.mjs SUBJECT EXPORT`: the time of one long run. The export is asked once for
// the run, for what must be done before each (untimed), and for what to print of its result. One run
// warms up; then as many are timed as fit half a second, and the middle one counts.
import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'

const ENOUGH_MS = 500
const MOST_RUNS = 15

const [, , file, name] = argv
const { [name]: prepare } = await import(pathToFileURL(file).href)
const { before, run, shown } = await prepare()

async function timed() {
  await before?.()
  globalThis.gc()
  const begin = performance.now()
  const result = await run()
  return { ms: performance.now() - begin, text: String(await shown(result)) }
}

const { text } = await timed()
const times = []
for (let total = 0; total < ENOUGH_MS && times.length < MOST_RUNS; ) {
  const next = await timed()
  if (next.text !== text) throw new Error(`first "${text}", then "${next.text}"`)
  times.push(next.ms)
  total += next.ms
}

writeSync(1, text)
times.sort((a, b) => a - b)
writeSync(3, JSON.stringify({ ms: times[Math.floor(times.length / 2)] }))
