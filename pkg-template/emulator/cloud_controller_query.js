/**
 * The Cloud Controller's lists: what a query asks for, decoded as the Ruby server does it, and the
 * pages of the answer.
 */

import { MADE_AT } from './data.js'
import { percentDecode, repeated } from './http.js'

/** @import { Call, Org, Space } from './types.js' */

const LIST = ['page', 'per_page', 'order_by', 'created_ats', 'updated_ats']
const ORDERS = ['created_at', 'updated_at', 'name']
const OPERATORS = /** @type {Record<string, (a: string, b: string) => boolean>} */ ({
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
})

/** @typedef {Org | Space} Listed */

/** A query that the controller refuses: CF-BadQueryParameter. */
export class BadQuery extends Error {}

/**
 * Refuses what is not in `own` or a list's common parameters.
 * @param {Call} call
 * @param {string[]} own
 * @param {{ list?: boolean }} [options]
 */
export function checkParameters({ query, world }, own, { list = true } = {}) {
  if (world.loose) return
  const known = list ? [...LIST, ...own] : own
  const odd = [...query.keys()].filter((name) => !known.includes(name.replace(/\[\w+\]$/, '')))
  if (odd.length > 0) {
    const names = odd.map((name) => `'${name}'`).join(', ')
    const valid = known.map((name) => `'${name}'`).join(', ')
    throw new BadQuery(`Unknown query parameter(s): ${names}. Valid parameters are: ${valid}`)
  }
  // Rails would keep the last one and lose the others without a word.
  const twice = repeated(query)
  if (twice !== undefined) throw new BadQuery(`Strict: parameter given twice: '${twice}'`)
}

/**
 * @template {Listed} T
 * @param {Call} call
 * @param {T[]} all in the order of their ids
 * @returns {{ pagination: object, shown: T[] }}
 */
export function pageOf(call, all) {
  const { query } = call
  const perPage = number(query, 'per_page', 50)
  const page = number(query, 'page', 1)
  if (perPage < 1 || perPage > 5000) throw new BadQuery('Per page must be between 1 and 5000')
  if (page < 1) throw new BadQuery('Page must be greater than 0')
  const found = ordered(query, filtered(query, all))
  const pages = Math.max(1, Math.ceil(found.length / perPage))
  const href = (/** @type {number} */ to) => ({ href: pageAddress(call, to, perPage) })
  return {
    pagination: {
      total_results: found.length,
      total_pages: pages,
      first: href(1),
      last: href(pages),
      next: page < pages ? href(page + 1) : null,
      previous: page > 1 ? href(page - 1) : null,
    },
    shown: found.slice((page - 1) * perPage, page * perPage),
  }
}

/**
 * @template {Listed} T
 * @param {URLSearchParams} query
 * @param {T[]} all
 */
function filtered(query, all) {
  const set = (/** @type {string[] | undefined} */ parts) => parts && new Set(parts)
  const names = set(list(query, 'names')?.map((name) => name.toLowerCase()))
  const guids = set(list(query, 'guids'))
  const orgGuids = set(list(query, 'organization_guids'))
  const instants = [...query.keys()].filter((name) => /^(?:created|updated)_ats\b/.test(name))
  return all.filter(
    (item) =>
      (!names || names.has(item.name.toLowerCase())) &&
      (!guids || guids.has(item.guid)) &&
      (!orgGuids || ('org' in item && orgGuids.has(item.org))) &&
      instants.every((name) => inTime(name, list(query, name) ?? [], item)),
  )
}

/**
 * @param {string} parameter such as `created_ats[lt]`
 * @param {string[]} values
 * @param {Listed} item
 */
function inTime(parameter, values, item) {
  const [, field, operator] = /^(created|updated)_ats(?:\[(\w+)\])?$/.exec(parameter) ?? []
  const compare = operator === undefined ? undefined : OPERATORS[operator]
  if (!field || (operator !== undefined && !compare)) {
    throw new BadQuery(`Invalid comparison operator: '${parameter}'`)
  }
  const instant = field === 'created' ? createdAt(item) : updatedAt(item)
  if (!compare) return values.includes(instant)
  return values.length === 1 && compare(instant, values[0] ?? '')
}

/**
 * @template {Listed} T
 * @param {URLSearchParams} query
 * @param {T[]} found
 */
function ordered(query, found) {
  const order = query.get('order_by')
  if (order === null) return found
  // A `+` in a query is a blank by the time it is read.
  const [, sign = '', by = ''] = /^([-+ ]?)(.*)$/.exec(order) ?? []
  if (!ORDERS.includes(by)) {
    throw new BadQuery(`Order by can only be: ${ORDERS.map((name) => `'${name}'`).join(', ')}`)
  }
  const key = (/** @type {Listed} */ item) => {
    if (by === 'name') return item.name.toLowerCase()
    return by === 'created_at' ? createdAt(item) : updatedAt(item)
  }
  const factor = sign === '-' ? -1 : 1
  return [...found].sort((a, b) => factor * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

/** @param {Listed} item */
export function createdAt(item) {
  return item.createdAt ?? MADE_AT
}

/** @param {Listed} item */
export function updatedAt(item) {
  return item.updatedAt ?? createdAt(item)
}

/**
 * Split at commas and the white space after them, then decoded a second time, each part alone.
 * An empty value is the empty name, not "no filter".
 * @param {URLSearchParams} query
 * @param {string} name
 */
function list(query, name) {
  const value = query.getAll(name).at(-1)
  return value?.split(/,\s*/).map(percentDecode)
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {number} otherwise
 */
function number(query, name, otherwise) {
  const value = query.getAll(name).at(-1)
  if (value === undefined) return otherwise
  if (!/^-?\d+$/.test(value)) throw new BadQuery(`${name} must be a positive integer`)
  return Number(value)
}

/**
 * The controller's own links: commas within a value are encoded again, `%` is not, so that following
 * them with such a name asks for another one. A client builds its pages itself.
 * @param {Call} call
 * @param {number} page
 * @param {number} perPage
 */
function pageAddress({ base, path, query }, page, perPage) {
  const kept = new URLSearchParams()
  for (const name of new Set(query.keys())) {
    if (name === 'page' || name === 'per_page') continue
    const parts = (list(query, name) ?? []).map((part) => part.replaceAll(',', '%2C'))
    kept.set(name, parts.join(','))
  }
  kept.set('page', String(page))
  kept.set('per_page', String(perPage))
  kept.sort()
  return `${base}${path}?${kept}`
}
