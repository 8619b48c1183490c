// `node tests/soak/virtual-days.mjs [SEED] [DAYS]`: days of sessions in virtual time, with random faults
// and moved clocks; prints its figures, or what went wrong and the seed.
import { argv } from 'node:process'
import { live } from '../package/virtual-days.mjs'

const [seed = Math.floor(Math.random() * 2 ** 32), days = 1000] = argv.slice(2).map(Number)
process.stderr.write(`seed ${seed}, ${days} days\n`)
const started = performance.now()
const figures = await live({ seed, days })
const seconds = Math.round((performance.now() - started) / 1000)
process.stdout.write(`${JSON.stringify({ ...figures, seconds }, undefined, 2)}\n`)
