// How the tools start programs, say what they do, and skip what is done already.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** One line to people; data goes to standard output, talk to standard error. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}

/** Runs a program to its end; its output is shown only if it fails (or always, with `show`). */
export async function run(command, args, { cwd = root, env = {}, show = false } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  })
  const output = []
  child.stdout?.on('data', (chunk) => output.push(chunk))
  child.stderr?.on('data', (chunk) => output.push(chunk))
  const code = await new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  }).catch((error) => {
    throw new Error(`${command} could not be started: ${error.message}`)
  })
  const text = Buffer.concat(output).toString()
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit ${code})\n${text}`)
  return text
}

/** A program of the installed npm packages. */
export function bin(name) {
  return join(root, 'node_modules', '.bin', name)
}

/** The files below the given paths (files, folders), sorted. */
export function filesOf(paths) {
  const found = paths.flatMap((path) => {
    const full = join(root, path)
    if (!existsSync(full)) return []
    if (statSync(full).isFile()) return [full]
    return walk(full)
  })
  return [...new Set(found)].sort()
}

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = join(folder, entry.name)
    if (entry.isDirectory())
      return entry.name === 'node_modules' || entry.name === 'target' ? [] : walk(full)
    return [full]
  })
}

/**
 * Does a step unless its inputs are the same as when it was last done and what it makes is there.
 * Returns whether it was done.
 */
export async function once(name, { inputs, outputs, extra = '' }, step) {
  const hash = createHash('sha256').update(extra)
  for (const file of filesOf(inputs))
    hash.update(file.slice(root.length)).update(readFileSync(file))
  const digest = hash.digest('hex')
  const stamp = join(root, 'build', 'stamps', name)
  const isDone =
    outputs.every((path) => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === digest
  if (isDone) return false
  rmSync(stamp, { force: true })
  await step()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
  return true
}
