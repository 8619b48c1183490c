// @ts-check
/** @import { Context } from './found.js' */
import { lstat, open, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { aborted } from '../../flight.js'
import { broken, isObject, shown } from './found.js'

/** No login or credentials file comes near. */
const MAX_BYTES = 1024 * 1024
/** A CLI that writes in place is seen half-way: read again, for about a second. */
const TRIES = 6
const WAIT_MS = 200

/**
 * The user’s home, absolute or none: a file planted in the working directory must not choose where a
 * token goes. The system’s own idea of it does not count, since no CLI asks for that.
 * @param {Context['env']} env
 */
export function homeOf(env) {
  const { HOMEDRIVE = '', HOMEPATH = '', USERPROFILE, HOME } = env
  const home = platform === 'win32' ? (USERPROFILE ?? HOMEDRIVE + HOMEPATH) : HOME
  return home !== undefined && isAbsolute(home) ? home : undefined
}

/**
 * What is at a path, through links.
 * @param {string} path
 * @returns {Promise<'file' | 'folder' | undefined>}
 */
export async function kindAt(path) {
  try {
    const found = await stat(path)
    if (found.isFile()) return 'file'
    if (found.isDirectory()) return 'folder'
  } catch (error) {
    if (!isAbsent(error)) throw unreadable(path, error)
    if (await isLink(path)) {
      throw broken(`${shown(path)} is a link to what is not there`, 'Mend or remove the link.')
    }
    return undefined
  }
  // A pipe would be waited for without end.
  throw broken(`${shown(path)} is no regular file`, 'Give a file.')
}

/**
 * The text of a file, without a byte order mark.
 * @param {string} path
 * @returns {Promise<string | undefined>} undefined where there is none
 */
export async function readText(path) {
  const kind = await kindAt(path)
  if (kind === undefined) return undefined
  if (kind === 'folder') throw broken(`${shown(path)} is a folder`, 'A file is wanted there.')
  let file
  try {
    file = await open(path, 'r')
    const bytes = Buffer.alloc(MAX_BYTES + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null)
      if (bytesRead === 0) break
      length += bytesRead
    }
    if (length > MAX_BYTES) {
      throw broken(`${shown(path)} is too large`, 'It may have 1 MiB at most.')
    }
    return decode(bytes.subarray(0, length))
  } catch (/** @type {any} */ error) {
    if (isAbsent(error)) return undefined
    throw error.code === 'invalid_input' ? error : unreadable(path, error)
  } finally {
    await file?.close()
  }
}

/**
 * The fields of a CLI’s file.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<Record<string, unknown> | undefined>} undefined where it is absent or empty
 */
export async function readFields(path, signal) {
  for (let tries = 1; ; tries += 1) {
    if (signal?.aborted) throw aborted(signal)
    const text = await readText(path)
    if (text === undefined) return undefined
    const fields = parse(text)
    if (isObject(fields)) return fields
    const isEmpty = text.trim() === ''
    if (tries === TRIES || (isEmpty && tries === 2)) {
      if (isEmpty) return undefined
      throw broken(`${shown(path)} is not a JSON object`, 'Sign in with that CLI again.')
    }
    await sleep(WAIT_MS, undefined, { signal }).catch(() => {})
  }
}

/** @param {string} text @returns {unknown} */
function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    // V8 quotes the text in its error.
    return undefined
  }
}

/** Editors and shells of Windows write a mark, and UTF-16 too. @param {Buffer} bytes */
function decode(bytes) {
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe
  return new TextDecoder(isWide ? 'utf-16le' : 'utf-8').decode(bytes)
}

/** No file has too long a name: what is named may be a token by mistake. @param {any} error */
function isAbsent(error) {
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(error.code)
}

/** @param {string} path */
async function isLink(path) {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  )
}

/** @param {string} path @param {any} error */
function unreadable(path, error) {
  const isDenied = error.code === 'EACCES' || error.code === 'EPERM'
  const why = isDenied ? 'no permission' : String(error.code ?? 'failed')
  return broken(`${shown(path)} can’t be read: ${why}`, 'Let this user read it, or remove it.')
}
