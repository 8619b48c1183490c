/**
 * The Cloud Controller: root document, information, organizations and spaces of API version 3.
 * Version 2 is off, as by default. Source: cloud_controller_ng 3.228.0.
 */

import { bearer } from './bearer.js'
import {
  BadQuery,
  checkParameters,
  createdAt,
  pageOf,
  updatedAt,
} from './cloud_controller_query.js'
import { sameName } from './data.js'
import { guidFrom } from './derive.js'
import { json, Refusal } from './http.js'
import { userByGuid } from './people.js'
import { uaaIssuer } from './uaa_issue.js'

/** @import { Call, Handler, Org, Reply, Service, Space } from './types.js' */

const VERSION = '3.228.0'
const SEES_ALL = [
  'cloud_controller.admin',
  'cloud_controller.admin_read_only',
  'cloud_controller.global_auditor',
]
const NGINX_LINE = 8192

/**
 * @param {Call} call
 * @param {number} status
 * @param {unknown} value
 * @param {Record<string, string>} [more] headers
 * @returns {Reply}
 */
function answer({ headers, world }, status, value, more = {}) {
  const sent = headers.get('x-vcap-request-id') ?? headers.get('x-request-id')
  const own = world.guid('request')
  const id = sent === null ? own : `${sent.replaceAll(/[^\w-]/g, '').slice(0, 255)}::${own}`
  return json(status, value, {
    'Content-Type': 'application/json; charset=utf-8',
    'X-VCAP-Request-ID': id,
    ...more,
  })
}

/**
 * @param {Call} call
 * @param {number} status
 * @param {number} code
 * @param {string} title
 * @param {string} detail
 */
function failure(call, status, code, title, detail) {
  return answer(call, status, { errors: [{ code, title, detail }] })
}

/** @type {Handler} */
function root(call) {
  const { base, origin } = call
  const at = (/** @type {string} */ href) => ({ href })
  return answer(call, 200, {
    links: {
      self: at(base),
      cloud_controller_v3: { href: `${base}/v3`, meta: { version: VERSION } },
      network_policy_v0: at(`${base}/networking/v0/external`),
      network_policy_v1: at(`${base}/networking/v1/external`),
      login: at(`${origin}/uaa`),
      uaa: at(`${origin}/uaa`),
      credhub: null,
      routing: null,
      logging: null,
      log_cache: null,
      log_stream: null,
      app_ssh: {
        href: 'ssh.keyprotect-auth.test:2222',
        meta: { host_key_fingerprint: '00:00:00', oauth_client: 'ssh-proxy' },
      },
    },
  })
}

/** @type {Handler} */
const info = (call) =>
  answer(call, 200, {
    build: '',
    cli_version: { minimum: '', recommended: '' },
    custom: {},
    description: 'keyprotect-auth emulator',
    name: 'keyprotect-auth emulator',
    version: 0,
    osbapi_version: '2.15',
    rate_limits: { enabled: false, general_limit: 0, reset_interval_in_minutes: 0 },
    links: { self: { href: `${call.base}/v3/info` }, support: { href: '' } },
  })

/** @type {Handler} */
const v3 = (call) =>
  answer(call, 200, {
    links: {
      self: { href: `${call.base}/v3` },
      organizations: { href: `${call.base}/v3/organizations` },
      spaces: { href: `${call.base}/v3/spaces` },
    },
  })

/**
 * Who asks, and what they may see.
 * @param {Call} call
 */
async function reader(call) {
  const { data } = call
  const { claims, kind, problem } = await bearer(call)
  if (problem === 'missing') {
    throw new Refusal(failure(call, 401, 10002, 'CF-NotAuthenticated', 'Authentication error'))
  }
  const audience = Array.isArray(claims?.aud) ? claims.aud : []
  const mine =
    kind === 'uaa' && claims.iss === uaaIssuer(call.origin) && audience.includes('cloud_controller')
  if (!mine) {
    throw new Refusal(failure(call, 401, 1000, 'CF-InvalidAuthToken', 'Invalid Auth Token'))
  }
  const scope = Array.isArray(claims.scope) ? claims.scope : []
  const seesAll = SEES_ALL.some((name) => scope.includes(name))
  if (!seesAll && !scope.includes('cloud_controller.read')) {
    const detail = 'You are not authorized to perform the requested action'
    throw new Refusal(failure(call, 403, 10003, 'CF-NotAuthorized', detail))
  }
  const user = userByGuid(data, String(claims.user_id))
  const member = (/** @type {{ members?: string[] }} */ { members }) =>
    seesAll ||
    (user !== undefined && (members?.some((name) => sameName(name, user.userName)) ?? true))
  const orgs = data.orgs.filter(member)
  const orgGuids = new Set(orgs.map(({ guid }) => guid))
  const spaces = data.spaces.filter((space) => orgGuids.has(space.org) && member(space))
  return { orgs, spaces, headers: { 'X-USER-GUID': String(claims.user_id ?? claims.client_id) } }
}

/**
 * Turns a bad query into the controller's refusal.
 * @param {(call: Call) => Promise<Reply>} handler
 * @returns {Handler}
 */
function withQuery(handler) {
  return async (call) => {
    try {
      return await handler(call)
    } catch (error) {
      if (!(error instanceof BadQuery)) throw error
      const detail = `The query parameter is invalid: ${error.message}`
      return failure(call, 400, 10005, 'CF-BadQueryParameter', detail)
    }
  }
}

const listOrgs = withQuery(async (call) => {
  const { orgs, headers } = await reader(call)
  checkParameters(call, ['guids', 'names'])
  const { pagination, shown } = pageOf(call, orgs)
  const resources = shown.map((org) => orgResource(call, org))
  return answer(call, 200, { pagination, resources }, headers)
})

const listSpaces = withQuery(async (call) => {
  const { orgs, spaces, headers } = await reader(call)
  checkParameters(call, ['guids', 'names', 'organization_guids', 'include'])
  const include = includesOrg(call)
  const { pagination, shown } = pageOf(call, spaces)
  const resources = shown.map((space) => spaceResource(call, space))
  const guids = new Set(shown.map(({ org }) => org))
  const more = include
    ? includedOrgs(
        call,
        orgs.filter(({ guid }) => guids.has(guid)),
      )
    : {}
  return answer(call, 200, { pagination, resources, ...more }, headers)
})

const oneOrg = withQuery(async (call) => {
  const { orgs, headers } = await reader(call)
  checkParameters(call, [], { list: false })
  const org = orgs.find(({ guid }) => guid === call.params.guid)
  if (!org) return failure(call, 404, 10010, 'CF-ResourceNotFound', 'Organization not found')
  return answer(call, 200, orgResource(call, org), headers)
})

const oneSpace = withQuery(async (call) => {
  const { orgs, spaces, headers } = await reader(call)
  checkParameters(call, ['include'], { list: false })
  const include = includesOrg(call)
  const space = spaces.find(({ guid }) => guid === call.params.guid)
  if (!space) return failure(call, 404, 10010, 'CF-ResourceNotFound', 'Space not found')
  const org = orgs.filter(({ guid }) => guid === space.org)
  const resource = spaceResource(call, space)
  return answer(call, 200, { ...resource, ...(include ? includedOrgs(call, org) : {}) }, headers)
})

/** @param {Call} call */
function includesOrg({ query }) {
  const wanted = query.get('include')?.split(/,\s*/) ?? []
  const odd = wanted.find((name) => name !== 'org' && name !== 'organization')
  if (odd !== undefined) {
    throw new BadQuery(
      `Invalid included resource: '${odd}'. Valid included resources are: 'org', 'organization'`,
    )
  }
  return wanted.length > 0
}

/**
 * @param {Call} call
 * @param {Org[]} orgs
 */
function includedOrgs(call, orgs) {
  return { included: { organizations: orgs.map((org) => orgResource(call, org)) } }
}

/**
 * @param {Call} call
 * @param {Org} org
 */
function orgResource({ base, data }, org) {
  const { guid, name, suspended = false } = org
  const self = `${base}/v3/organizations/${encodeURIComponent(guid)}`
  const quota = guidFrom(data.seed, 'organization quota')
  return {
    guid,
    created_at: createdAt(org),
    updated_at: updatedAt(org),
    name,
    suspended,
    relationships: { quota: { data: { guid: quota } } },
    metadata: { labels: {}, annotations: {} },
    links: {
      self: { href: self },
      domains: { href: `${self}/domains` },
      default_domain: { href: `${self}/domains/default` },
      quota: { href: `${base}/v3/organization_quotas/${quota}` },
    },
  }
}

/**
 * @param {Call} call
 * @param {Space} space
 */
function spaceResource({ base }, space) {
  const { guid, name, org } = space
  const self = `${base}/v3/spaces/${encodeURIComponent(guid)}`
  return {
    guid,
    created_at: createdAt(space),
    updated_at: updatedAt(space),
    name,
    suspended: false,
    relationships: { organization: { data: { guid: org } }, quota: { data: null } },
    metadata: { labels: {}, annotations: {} },
    links: {
      self: { href: self },
      organization: { href: `${base}/v3/organizations/${encodeURIComponent(org)}` },
      features: { href: `${self}/features` },
      apply_manifest: { href: `${self}/actions/apply_manifest`, method: 'POST' },
    },
  }
}

/**
 * What nginx in front of the controller refuses, with a page of its own.
 * @param {Call} call
 * @returns {Reply | undefined}
 */
function tooLong({ method, target, headers }) {
  if (`${method} ${target} HTTP/1.1`.length > NGINX_LINE) return nginx(414, 'Request-URI Too Large')
  const long = [...headers].some(([name, value]) => name.length + value.length + 2 > NGINX_LINE)
  return long ? nginx(400, 'Bad Request: Request Header Or Cookie Too Large') : undefined
}

/**
 * @param {number} status
 * @param {string} text
 * @returns {Reply}
 */
function nginx(status, text) {
  const title = `${status} ${text}`
  return {
    status,
    headers: { 'Content-Type': 'text/html', Server: 'nginx' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  }
}

/** @type {Handler} */
const unknown = (call) => failure(call, 404, 10000, 'CF-NotFound', 'Unknown request')

/** @type {Service} */
export const cloudController = {
  routes: {
    '/': { GET: root },
    '/v3': { GET: v3 },
    '/v3/info': { GET: info },
    '/v3/organizations': { GET: listOrgs },
    '/v3/organizations/{guid}': { GET: oneOrg },
    '/v3/spaces': { GET: listSpaces },
    '/v3/spaces/{guid}': { GET: oneSpace },
  },
  unknown,
  // To Rails a method that has no route is a path that does not exist.
  wrongMethod: unknown,
  guard: tooLong,
}
