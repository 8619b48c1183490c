// @ts-check
/** @import { CredentialFields } from '../../types.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { join, resolve } from 'node:path'
import { ours } from '../../credential.js'
import { parseEnv } from './dotenv.js'
import { homeOf, kindAt, readText } from './files.js'
import { broken, shown } from './found.js'
import { CREDENTIALS_FILE } from './names.js'
import { fromProperties } from './properties.js'

const NAME = 'ibm-credentials.env'

/**
 * The file that `IBM_CREDENTIALS_FILE` names, or the one in the folder that it names.
 * @param {Context} context
 * @returns {Promise<Found | Lacking>}
 */
export async function fromNamedFile({ env, cwd }) {
  const named = env[CREDENTIALS_FILE]
  if (named === undefined) return { lacks: `no ${CREDENTIALS_FILE}` }
  let path = resolve(cwd, named)
  let kind = await kindAt(path)
  if (kind === 'folder') {
    path = join(path, NAME)
    kind = await kindAt(path)
  }
  // Who names a file means that one, and no other identity. What is named may be a key by mistake.
  if (kind === undefined) {
    throw broken(
      `what ${CREDENTIALS_FILE} names is not there`,
      `Name a file, or a folder that holds ${NAME}.`,
    )
  }
  return fromFile(path)
}

/**
 * The file that IBM’s SDKs look for without it: in the working directory, else in the home; the first
 * that is there counts.
 * @param {Context} context
 * @returns {Promise<Found | Lacking>}
 */
export async function fromFoundFile({ env, cwd }) {
  if (env[CREDENTIALS_FILE] !== undefined) return { lacks: `${CREDENTIALS_FILE} names another` }
  const home = homeOf(env)
  for (const folder of home === undefined ? [cwd] : [cwd, home]) {
    const path = join(folder, NAME)
    if ((await kindAt(path)) !== undefined) return fromFile(path)
  }
  const lacks = `no ${NAME} in the working directory`
  return { lacks: home === undefined ? `${lacks}, no home directory` : `${lacks} or the home` }
}

/**
 * @param {string} path
 * @returns {Promise<Found | Lacking>}
 */
async function fromFile(path) {
  const read = async () => fromProperties(parseEnv((await readText(path)) ?? ''), path)
  const found = await read()
  if ('lacks' in found) return { lacks: `${found.lacks} in ${shown(path)}` }
  // A mounted secret is swapped while the program runs.
  const credential = ours(async () => {
    const now = await read()
    if ('lacks' in now) throw broken(`${now.lacks} in ${shown(path)} any more`, 'Put it back.')
    return /** @type {CredentialFields} */ (now.known)
  })
  return { ...found, credential }
}
