// `npm start`: the guide's errand and the first page, both with the package as npm would install it.
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { unpackInto } from './pack.mjs'
import { root, say } from './run.mjs'

const USAGE = 'Usage: npm start -- [--once] [--port N]'
const PORT = 8717
const APP = join(root, 'build', 'app')

/** Lays the packed package out in an app of its own, where the page's server imports it by name. */
async function layOutApp() {
  await unpackInto('build/app')
  rmSync(join(APP, 'www'), { recursive: true, force: true })
  cpSync(join(root, 'www'), join(APP, 'www'), { recursive: true })
  writeFileSync(join(APP, 'package.json'), '{ "private": true, "type": "module" }\n')
}

/** @param {string} name a module of www/, as it lies in the app */
function importFromApp(name) {
  return import(pathToFileURL(join(APP, 'www', name)).href)
}

/**
 * Starts the server at the port that was asked for; without one at the usual port, or any free one.
 * @param {number} [port]
 */
async function startServer(port) {
  const server = await importFromApp('server.js')
  // The page's files come from the checkout: an edit shows on reload.
  const folder = join(root, 'www')
  try {
    return await server.startServer({ port: port ?? PORT, folder })
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    if (port !== undefined) throw new Error(`port ${port} is taken by another program`)
    return server.startServer({ port: 0, folder })
  }
}

/**
 * @param {string[]} args
 * @returns {{ isOnce: boolean, port?: number }}
 */
function optionsOf(args) {
  const { values } = parseArgs({
    args,
    options: { once: { type: 'boolean', default: false }, port: { type: 'string' } },
  })
  if (values.port === undefined) return { isOnce: values.once }
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`${values.port} is no port`)
  return { isOnce: values.once, port }
}

function untilStopped() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve)
  })
}

async function main() {
  // `npm start -- --once | head`: whoever read has gone.
  process.stdout.once('error', () => process.exit(1))
  let options
  try {
    options = optionsOf(argv.slice(2))
  } catch (error) {
    say(`${error.message}\n${USAGE}`)
    return 2
  }
  await layOutApp()
  const server = await startServer(options.port)
  try {
    const { runErrand } = await importFromApp('errand.js')
    const isDone = await runErrand(server).then(
      () => true,
      (error) => {
        say(
          `The errand failed: ${[error.code, error.message, error.hint].filter(Boolean).join('\n  ')}`,
        )
        return false
      },
    )
    if (options.isOnce) return isDone ? 0 : 1
    const stopped = untilStopped()
    process.stdout.write(`The page: ${server.url}/\n`)
    say('Ctrl-C ends it.')
    await stopped
    return 0
  } finally {
    await server.close()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  say(error.message)
  process.exitCode = 1
}
