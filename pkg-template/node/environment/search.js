// @ts-check
/** @import { EnvironmentKind, Source } from '../../types.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { AuthError } from '../../errors.js'
import { unfit } from './addresses.js'
import { fromBindings } from './bindings.js'
import { fromCf } from './cf.js'
import { fromFoundFile } from './credentials_file.js'
import { broken } from './found.js'
import { fromIbmCloud } from './ibmcloud.js'
import { ONLY } from './names.js'
import { fromVariables } from './variables.js'

/**
 * In the order in which they are asked: what costs nothing first.
 * @type {{ kind: EnvironmentKind, find: (context: Context) => Promise<Found | Lacking> }[]}
 */
const SOURCES = [
  { kind: 'env', find: fromVariables },
  { kind: 'file', find: fromFoundFile },
  { kind: 'vcap', find: fromBindings },
  { kind: 'ibmcloud', find: fromIbmCloud },
  { kind: 'cf', find: fromCf },
  { kind: 'container', find: notYet },
  { kind: 'vpc', find: notYet },
]

/**
 * The first credential that is there. One that is there but broken ends the search.
 * @param {Context} context
 * @param {unknown} only the kinds that the caller allows
 * @returns {Promise<{ found: Found, source: Source }>}
 */
export async function search(context, only) {
  const wanted = [kindsOf(only, 'only'), kindsOf(restriction(context.env), ONLY)]
  /** @type {{ kind: EnvironmentKind, lacks: string }[]} */
  const tried = []
  for (const { kind, find } of SOURCES) {
    if (!wanted.every((kinds) => kinds.includes(kind))) continue
    const found = await find(context)
    const lacks = 'lacks' in found ? found.lacks : unfit(found, context.endpoints)
    if (lacks === undefined && !('lacks' in found)) {
      return { found, source: { kind, where: found.where, tried } }
    }
    tried.push({ kind, lacks: lacks ?? '' })
  }
  const list = tried.map(({ kind, lacks }) => `${kind}: ${lacks}`).join('; ')
  throw new AuthError({
    code: 'unavailable',
    message: `there is no credential in the environment (${list || 'no source is allowed'})`,
    hint: 'Set IBMCLOUD_API_KEY, or sign in with ibmcloud login or cf login.',
  })
}

/** @param {unknown} kinds @param {string} name @returns {EnvironmentKind[]} */
function kindsOf(kinds, name) {
  const known = SOURCES.map(({ kind }) => kind)
  if (kinds === undefined) return known
  const isList = Array.isArray(kinds) && kinds.every((kind) => known.includes(kind))
  if (!isList) {
    throw broken(`${name} is not a list of kinds of sources`, `Known are ${known.join(', ')}.`)
  }
  return kinds
}

/** @param {Context['env']} env */
function restriction(env) {
  return env[ONLY]
    ?.split(',')
    .map((kind) => kind.trim())
    .filter(Boolean)
}

async function notYet() {
  return { lacks: 'not supported yet' }
}
