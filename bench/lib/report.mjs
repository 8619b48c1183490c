// One outcome as a text table, as Markdown and as JSON. Of the machine: its processor and its Node.
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { bin, root, run } from '../../tools/run.mjs'
import { kb } from '../size.mjs'
import { figuresOf } from './scenario.mjs'
import { aligned, markdown } from './table.mjs'

/** @import { Sizes } from '../size.mjs' */
/** @import { Outcome, Scenario } from './scenario.mjs' */
/** @typedef {{ date: string, cpu: string, cores: number, node: string, rounds: number,
 *   load: number, size: Pick<Sizes, 'core' | 'entry'> }} Facts */

/** @param {Sizes} sizes @param {number} rounds @returns {Facts} */
export function factsOf({ core, entry }, rounds) {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    node: process.version,
    rounds,
    load: rounded(loadavg()[0] ?? 0),
    size: { core, entry },
  }
}

/** @param {Scenario} scenario @param {Outcome} outcome @param {Facts} facts */
export function asText(scenario, outcome, facts) {
  const { figures, beside } = tables(scenario, outcome)
  const parts = [scenario.title, said(facts).join('\n'), aligned(figures, 2)]
  if (beside.length > 1) parts.push(aligned(beside, 2))
  return `${parts.join('\n\n')}\n`
}

/**
 * Writes `bench/results/NAME.md` and `NAME.json`, the latter with every round.
 * @param {string} name
 * @param {Scenario} scenario
 * @param {Outcome} outcome
 * @param {Facts} facts
 */
export async function writeResults(name, scenario, outcome, facts) {
  const base = join(root, 'bench', 'results', name)
  const { figures, beside } = tables(scenario, outcome)
  const list = said(facts).map((line) => `- ${line}`)
  const parts = [`# ${scenario.title}`, scenario.note, list.join('\n')]
  parts.push(markdown(figures, 2))
  if (beside.length > 1) parts.push(markdown(beside, 2))
  parts.push(`Made by \`npm run bench -- ${name}\`; every round is in \`${name}.json\`.`)
  writeFileSync(`${base}.md`, `${parts.join('\n\n')}\n`)
  const { title, kind } = scenario
  const tidy = (_key, value) => (typeof value === 'number' ? rounded(value) : value)
  writeFileSync(`${base}.json`, JSON.stringify({ title, kind, ...facts, ...outcome }, tidy))
  await run(bin('biome'), ['format', '--write', `${base}.json`])
}

/** @param {Facts} facts */
function said({ date, cpu, cores, node, rounds, load, size: { core, entry } }) {
  return [
    `${date}, Node ${node}, ${cpu} (${cores} cores, load ${load} at the start)`,
    `${rounds} rounds, interleaved, each subject in a fresh process`,
    `package: wasm and glue ${kb(core.gzip)} KB gzipped, main entry ${kb(entry.gzip)} KB`,
  ]
}

/** @param {Scenario} scenario @param {Outcome} outcome */
function tables(scenario, { figures, ours, beside }) {
  /** @type {Record<string, string>} */
  const titles = figuresOf(scenario)
  return {
    figures: [
      ['subject', 'figure', 'median', 'quartiles'],
      ...figures.map(({ subject, figure, spread: { median, q1, q3 } }) => [
        subject,
        titles[figure] ?? figure,
        short(median),
        `${short(q1)} to ${short(q3)}`,
      ]),
    ],
    beside: [
      [`${ours} beside`, 'figure', 'ratio of medians', 'ratio per round', 'quartiles'],
      ...beside.map(({ peer, figure, ratio: { ofMedians, perRound } }) => [
        peer,
        titles[figure] ?? figure,
        ofMedians.toFixed(2),
        perRound.median.toFixed(2),
        `${perRound.q1.toFixed(2)} to ${perRound.q3.toFixed(2)}`,
      ]),
    ],
  }
}

/** Three digits or so. @param {number} value */
function short(value) {
  return value.toFixed(value < 100 ? 1 : 0)
}

/** @param {number} value */
function rounded(value) {
  return Math.round(value * 1000) / 1000
}
