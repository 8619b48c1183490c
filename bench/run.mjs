// `npm run bench [-- NAME… --rounds N --as-is]`: the package beside its peers. Reports; never a test.
// `--as-is` takes pkg/ as it lies there, without building it.
// Fewer than 15 rounds are a trial: printed, not written to bench/results/.
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { build } from '../tools/build.mjs'
import { say } from '../tools/run.mjs'
import { installApp, startIam } from './lib/prepare.mjs'
import { asText, factsOf, writeResults } from './lib/report.mjs'
import { runScenario } from './lib/scenario.mjs'
import { sizes, sizeTable } from './size.mjs'

const LEAST_ROUNDS = 15

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '20' },
    'as-is': { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a number, 1 or more')
const known = readdirSync(new URL('scenarios/', import.meta.url)).map((file) => file.slice(0, -4))
const stranger = positionals.find((name) => !known.includes(name))
if (stranger !== undefined)
  throw new Error(`no scenario "${stranger}"; there are ${known.join(', ')}`)

if (!values['as-is']) await build()
const { app, pkg } = await installApp()
const size = sizes(pkg)
process.stdout.write(`Size\n\n${sizeTable(size)}\n`)

const { url, plainUrl, apiKey, tokenLength, stop } = await startIam(app)
try {
  const place = { app, env: { IAM_URL: url, PLAIN_IAM_URL: plainUrl, IAM_API_KEY: apiKey } }
  for (const name of positionals.length > 0 ? positionals : known) {
    const { default: scenario } = await import(`./scenarios/${name}.mjs`)
    say(`${name}: ${rounds} rounds …`)
    const facts = factsOf(size, rounds)
    const outcome = await runScenario(scenario, { rounds, place, tokenLength })
    process.stdout.write(`\n${asText(scenario, outcome, facts)}`)
    if (rounds >= LEAST_ROUNDS) await writeResults(name, scenario, outcome, facts)
  }
} finally {
  stop()
}
