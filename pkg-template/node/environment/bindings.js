// @ts-check
/** @import { Candidate, CredentialFields, TargetOption } from '../../types.js' */
/** @import { Context, Found, Lacking } from './found.js' */
import { AuthError } from '../../errors.js'
import { broken, isObject, shown, textOf } from './found.js'
import { SERVICES } from './names.js'

/** Key Protect’s label in IBM’s catalog. */
const LABEL = 'kms'
/** What a user-provided service is called or tagged where it is Key Protect’s. */
const NAMES = [LABEL, 'key-protect', 'ibm_key_protect_api']
/** By this name IBM’s SDKs take an instance of any label. */
const SDK_NAME = 'ibm_key_protect_api'

/** @typedef {{ label: string, entry: Record<string, unknown>, name: string }} Binding */

/**
 * A service bound to a Cloud Foundry application.
 * @param {Context} context
 * @returns {Promise<Found | Lacking>}
 */
export async function fromBindings({ env, binding }) {
  const text = env[SERVICES]
  if (text === undefined) return { lacks: `no ${SERVICES}` }
  const all = bindingsOf(text)
  const seen = all.map(({ label, name }) => shown(`${label}/${name}`)).join(', ') || 'none'
  const fitting = all.filter((each) =>
    binding === undefined ? isKeyProtect(each) : namesOf(each).includes(binding),
  )
  const [first, ...others] = fitting
  if (first === undefined) {
    if (binding === undefined) return { lacks: `no service ${LABEL} among those bound (${seen})` }
    throw broken(`${SERVICES} has no binding of that name`, `Bound are: ${seen}.`)
  }
  if (others.length > 0) {
    throw new AuthError({
      code: 'ambiguous',
      message: `${SERVICES} has ${fitting.length} bindings that fit`,
      hint: 'Name one in the option binding.',
      candidates: fitting.map(candidateOf),
    })
  }
  return foundIn(first)
}

/** @param {string} text @returns {Binding[]} */
function bindingsOf(text) {
  let services
  try {
    services = JSON.parse(text)
  } catch {
    // V8 quotes the text in its error.
  }
  if (!isObject(services)) {
    throw broken(`${SERVICES} is not a JSON object`, 'Set it as Cloud Foundry does.')
  }
  return Object.entries(services).flatMap(([label, entries]) =>
    (Array.isArray(entries) ? entries : []).filter(isObject).map((entry) => {
      return { label, entry, name: textOf(entry.name) ?? textOf(entry.instance_name) ?? '' }
    }),
  )
}

/** @param {Binding} binding */
function isKeyProtect(binding) {
  const { label, entry } = binding
  if (label === LABEL || namesOf(binding).includes(SDK_NAME)) return true
  if (label !== 'user-provided') return false
  const tags = Array.isArray(entry.tags) ? entry.tags : []
  return [...namesOf(binding), ...tags].some((name) => NAMES.includes(name))
}

/** @param {Binding} binding */
function namesOf({ entry, name }) {
  return [name, entry.instance_name, entry.binding_name].filter((each) => typeof each === 'string')
}

/** @param {Binding} binding @returns {Candidate} */
function candidateOf({ entry, name }) {
  return { guid: textOf(entry.instance_guid) ?? '', name }
}

/** @param {Binding} binding @returns {Found} */
function foundIn({ entry, name }) {
  const where = `${SERVICES}, binding ${shown(name)}`
  const { credentials } = entry
  if (!isObject(credentials)) throw broken(`${where}: it has no credentials`, 'Bind it anew.')
  if ('credhub-ref' in credentials) {
    throw broken(
      `${where}: its credentials are an unresolved reference to CredHub`,
      'Start the program by the launcher of Cloud Foundry, which resolves it.',
    )
  }
  const known = credentialOf(credentials)
  if (known === undefined) {
    throw broken(`${where}: its credentials have no apikey`, 'Bind it anew, with an API key.')
  }
  return {
    where,
    credential: known,
    known,
    region: textOf(credentials.region),
    target: targetOf(credentials),
    endpoints: { keyProtect: textOf(credentials.url) },
  }
}

/** @param {Record<string, unknown>} fields @returns {CredentialFields | undefined} */
function credentialOf(fields) {
  const apiKey = textOf(fields.apikey) ?? textOf(fields.iam_apikey)
  if (apiKey !== undefined) return { apiKey }
  const [username, password] = [textOf(fields.username), textOf(fields.password)]
  return username === undefined || password === undefined ? undefined : { username, password }
}

/**
 * The instance that the credentials name. The binding’s own `instance_guid` is Cloud Foundry’s.
 * @param {Record<string, unknown>} fields
 * @returns {TargetOption | undefined}
 */
function targetOf({ instance_crn, instance_id, instance_guid }) {
  const id = [instance_crn, instance_id, instance_guid].map(textOf).find(Boolean)?.trim()
  if (id === undefined) return undefined
  return { instance: id.startsWith('crn:') ? { crn: id } : { guid: id } }
}
