// `node bench/size.mjs [FOLDER]`: what the package weighs, raw and compressed. KB = 1000 bytes.
import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { aligned } from './lib/table.mjs'

/** In bytes: as it is, gzip at level 9, brotli at quality 11. */
/** @typedef {{ raw: number, gzip: number, brotli: number }} Weight */
/**
 * `core` is the wasm with its glue; `entry` is what a page loads for the main entry: the wasm and
 * every JavaScript module, each file compressed by itself, as a server sends it.
 * @typedef {{ wasm: Weight, glue: Weight, core: Weight, scripts: Weight, entry: Weight,
 *   modules: Record<string, Weight> }} Sizes
 */

/**
 * @param {string} folder the package's, built or installed
 * @returns {Sizes}
 */
export function sizes(folder) {
  const wasm = weigh(join(folder, 'core_bg.wasm'))
  const modules = Object.fromEntries(
    modulesOf(join(folder, 'index.js')).map((file) => [
      relative(folder, file).replaceAll('\\', '/'),
      weigh(file),
    ]),
  )
  const glue = modules['core.js']
  if (glue === undefined) throw new Error('index.js does not lead to core.js')
  const scripts = sum(Object.values(modules))
  return { wasm, glue, core: sum([wasm, glue]), scripts, entry: sum([wasm, scripts]), modules }
}

/** @param {Sizes} sizes @returns {string} */
export function sizeTable({ wasm, glue, core, scripts, entry, modules }) {
  const count = Object.keys(modules).length
  /** @type {[string, Weight][]} */
  const rows = [
    ['core_bg.wasm', wasm],
    ['core.js', glue],
    ['both', core],
    [`main entry, ${count} modules`, scripts],
    ['main entry with wasm', entry],
  ]
  return aligned([
    ['KB', 'raw', 'gzip', 'brotli'],
    ...rows.map(([name, { raw, gzip, brotli }]) => [name, kb(raw), kb(gzip), kb(brotli)]),
  ])
}

/** @param {number} bytes */
export function kb(bytes) {
  return (bytes / 1000).toFixed(1)
}

/** @param {string} file @returns {Weight} */
function weigh(file) {
  const bytes = readFileSync(file)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 }
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  }
}

/** @param {Weight[]} weights @returns {Weight} */
function sum(weights) {
  const total = { raw: 0, gzip: 0, brotli: 0 }
  for (const { raw, gzip, brotli } of weights) {
    total.raw += raw
    total.gzip += gzip
    total.brotli += brotli
  }
  return total
}

/** Statements at the start of a line; imports of types stand in comments, which begin with ` *`. */
const IMPORT = /^(?:import|export)(?:\s[^'"()=;]*?\sfrom)?\s*['"](\.{1,2}\/[^'"]+)['"]/gm

/** A module and all that it imports. @param {string} entry @returns {string[]} */
function modulesOf(entry) {
  const found = new Set([entry])
  // A set also walks what is added on the way.
  for (const file of found) {
    for (const [, name] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      found.add(resolve(file, '..', name))
    }
  }
  return [...found]
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const folder = resolve(argv[2] ?? fileURLToPath(new URL('../pkg', import.meta.url)))
  process.stdout.write(`${sizeTable(sizes(folder))}\n`)
}
