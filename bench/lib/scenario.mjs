// Runs one scenario: interleaved rounds, so that a busy moment of the machine hits all alike.
import { KINDS } from './measure.mjs'
import { ratio, spread } from './stats.mjs'

/** @import { Place, Subject } from './measure.mjs' */
/** @import { Ratio, Spread } from './stats.mjs' */

/**
 * A file `bench/scenarios/NAME.mjs` exports one by default. The first subject is ours; the report
 * sets it beside each of its peers. `prints` is what a subject must print to count as right,
 * `figures` what it measures where that is not said by its kind.
 * @typedef {{ title: string, note: string, kind: keyof typeof KINDS, subjects: Subject[],
 *   figures?: Record<string, string>, prints: (iam: { tokenLength: number }) => string }} Scenario
 * @typedef {{ subject: string, figure: string, spread: Spread, rounds: number[] }} Figure
 * @typedef {{ peer: string, figure: string, ratio: Ratio }} Beside
 * @typedef {{ figures: Figure[], ours: string, beside: Beside[] }} Outcome
 */

const WARM_UP = 2

/**
 * @param {Scenario} scenario
 * @param {{ rounds: number, place: Place, tokenLength: number }} run
 * @returns {Promise<Outcome>}
 * @throws {Error} where a subject fails or prints something else
 */
export async function runScenario(scenario, { rounds, place, tokenLength }) {
  const { kind, subjects } = scenario
  const expected = scenario.prints({ tokenLength })
  /** @type {Map<Subject, Record<string, number>[]>} */
  const taken = new Map(subjects.map((subject) => [subject, []]))
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const subject of rotated(subjects, round + WARM_UP)) {
      const figures = await measured(kind, subject, place, expected)
      if (round >= 0) taken.get(subject)?.push(figures)
    }
  }
  return outcome(Object.keys(figuresOf(scenario)), taken)
}

/** Their names, and how they are printed. @param {Scenario} scenario */
export function figuresOf({ kind, figures }) {
  return figures ?? KINDS[kind].figures
}

/** @template T @param {T[]} list @param {number} by @returns {T[]} */
function rotated(list, by) {
  const start = by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}

/**
 * @param {keyof typeof KINDS} kind
 * @param {Subject} subject
 * @param {Place} place
 * @param {string} expected
 */
async function measured(kind, subject, place, expected) {
  const { prints, figures } = await KINDS[kind].measure(subject, place).catch((error) => {
    throw new Error(`${subject.name} failed: ${error.message}`)
  })
  const wanted = subject.prints ?? expected
  if (prints !== wanted) throw new Error(`${subject.name} printed "${prints}", not "${wanted}"`)
  return figures
}

/**
 * @param {string[]} names
 * @param {Map<Subject, Record<string, number>[]>} taken
 * @returns {Outcome}
 */
function outcome(names, taken) {
  const [ours, ...others] = taken.keys()
  /** @param {Subject} subject @param {string} figure */
  const values = (subject, figure) => taken.get(subject).map((round) => round[figure])
  const figures = [ours, ...others].flatMap((subject) =>
    names.map((figure) => {
      const all = values(subject, figure)
      return { subject: subject.name, figure, spread: spread(all), rounds: all }
    }),
  )
  const peers = others.filter(({ prints }) => prints === undefined)
  const beside = peers.flatMap((peer) =>
    names.map((figure) => ({
      peer: peer.name,
      figure,
      ratio: ratio(values(ours, figure), values(peer, figure)),
    })),
  )
  return { figures, ours: ours.name, beside }
}
