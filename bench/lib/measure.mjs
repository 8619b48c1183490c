// The two ways to measure one subject once. Each time is a process of its own, so that the luck of a
// process (its memory layout, what the compiler chose) is part of the spread.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const USAGE = fileURLToPath(new URL('./usage.cjs', import.meta.url))
const [LOOP, BATCH, OWN] = ['loop', 'batch', 'own'].map((name) =>
  fileURLToPath(new URL(`./${name}.mjs`, import.meta.url)),
)

/**
 * `name` is what the report calls it, `file` lies in `bench/subjects/`, `call` names the export that
 * the scenarios that measure within the process call. What prints something else than the others (`prints`) is a floor, and
 * no peer.
 * @typedef {{ name: string, file: string, call?: string, prints?: string }} Subject
 * @typedef {{ app: string, env: Record<string, string> }} Place
 * @typedef {{ prints: string, figures: Record<string, number> }} Measured
 */

/**
 * What each kind of scenario measures: the figures' names, and how they are printed. A scenario of
 * kind `own` names its figures itself.
 * @type {Record<'process' | 'in-process' | 'batch' | 'own', { figures: Record<string, string>,
 *   measure: (subject: Subject, place: Place) => Promise<Measured> }>}
 */
export const KINDS = {
  process: {
    measure: measureProcess,
    figures: { wall: 'wall ms', cpu: 'CPU ms (user + sys)', rss: 'peak RSS MB' },
  },
  'in-process': { measure: measuredBy([LOOP]), figures: { ns: 'ns per call' } },
  batch: { measure: measuredBy(['--expose-gc', BATCH]), figures: { ms: 'ms' } },
  own: { measure: measuredBy(['--expose-gc', OWN]), figures: {} },
}

/**
 * From before the spawn to the end of the process; CPU time and memory as the process itself sees
 * them when it exits, so without its teardown.
 * @param {Subject} subject
 * @param {Place} place
 * @returns {Promise<Measured>}
 */
async function measureProcess({ file }, place) {
  const { ms, output, report } = await node(['--require', USAGE, subjectPath(file, place)], place)
  const { cpu, rss } = JSON.parse(report)
  return { prints: output, figures: { wall: ms, cpu, rss } }
}

/**
 * @param {string[]} harness what runs the subject's export
 * @returns {(subject: Subject, place: Place) => Promise<Measured>}
 */
function measuredBy(harness) {
  return async ({ file, call = 'default' }, place) => {
    const { output, report } = await node([...harness, subjectPath(file, place), call], place)
    return { prints: output, figures: JSON.parse(report) }
  }
}

/** @param {string} file @param {Place} place */
function subjectPath(file, { app }) {
  return join(app, 'subjects', file)
}

/**
 * Runs Node with a clean environment: no option or proxy of the machine's gets into the figures.
 * @param {string[]} args
 * @param {Place} place
 */
async function node(args, { app, env }) {
  const begin = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: app,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const [output, errors, report] = [1, 2, 3].map((fd) =>
    collect(/** @type {any} */ (child.stdio[fd])),
  )
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve({ code, ms: performance.now() - begin }))
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const { code, ms } = await ended
  await closed
  if (code !== 0) throw new Error(`exit ${code}: ${errors()}`)
  return { ms, output: output().trim(), report: report() }
}

/** @param {import('node:stream').Readable} stream @returns {() => string} */
function collect(stream) {
  const chunks = []
  stream.on('data', (chunk) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}
